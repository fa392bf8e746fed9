"""Texts as `headgate assess` reads them: normalised, then cut to the model's window."""

from encoders.normalise import normalise
from encoders.text import TextEncoder


def parts_of(text: str, encoder: TextEncoder) -> list[str]:
    """Return what the model reads of a text; the text itself where that is nothing."""
    plain = normalise(text, encoder.words).text
    spans = encoder.split(plain)
    return [plain[s.start_char : s.end_char] for s in spans] or [text]
