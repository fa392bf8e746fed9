"""The frame of a page: its head with all of its style, and nothing to load."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files

# Belt and braces: a page has nothing to load, and is not allowed to either.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def framed(title: str, body: Iterable[str], *, styles: tuple[str, ...] = ()) -> str:
    """Return a whole page; `styles` are style sheets of this package beside page.css.

    `body` is markup: whoever made it has escaped what came from elsewhere.
    """
    sheets = ("page.css", *styles)
    css = "".join((files("streams.pages") / s).read_text("utf-8") for s in sheets)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{css}</style></head>",
            "<body><main>",
            *body,
            "</main></body></html>",
            "",
        ]
    )
