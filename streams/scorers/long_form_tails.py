"""How clean segments are spread; `python -m streams.training.long_form` wrote it."""

from typing import Final

# The head, by its SHA-256, whose recipe they were fitted to.
FITTED_TO: Final = "d221a684190ddc81ca2036d96573d69e57ab2d19f93f6338f6abbe43ce05cdbd"
STEEPNESS_AND_OFFSET: Final[dict[str, tuple[float, float]]] = {
    "HATE": (1.871, -4.767),
    "HARASSMENT": (1.891, -5.053),
    "VIOLENT_EXTREMISM": (1.276, -5.802),
    "GRAPHIC_VIOLENCE": (2.086, -7.49),
    "SELF_HARM": (1.587, -7.094),
    "SEXUAL_CONTENT": (1.383, -6.127),
    "FRAUD_SPAM": (1.818, -4.919),
}
