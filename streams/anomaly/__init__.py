"""Detectors that score and learn one event at a time; pure core, no I/O.

`score` never changes state, `learn` is separate, memory is bounded, nothing looks
ahead. State is saved as JSON with a version and continues bit-equal.
"""
