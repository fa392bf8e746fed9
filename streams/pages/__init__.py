"""Parts of self-contained HTML pages: frame, style, drawing. Pure, no I/O but its CSS.

A page needs nothing else: no script, no font, no network; light and dark.
"""
