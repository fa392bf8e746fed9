"""How clean segments are spread; `python -m streams.training.long_form` wrote it."""

from typing import Final

# The head, by its SHA-256, whose recipe they were fitted to.
FITTED_TO: Final = "3b6705e336776e51b80756c69a478a4260ce95db6645ded8285e0633b2459a97"
STEEPNESS_AND_OFFSET: Final[dict[str, tuple[float, float]]] = {
    "HATE": (2.213, -6.799),
    "HARASSMENT": (1.56, -4.513),
    "VIOLENT_EXTREMISM": (0.953, -5.264),
    "GRAPHIC_VIOLENCE": (0.977, -5.092),
    "SELF_HARM": (0.855, -5.935),
    "SEXUAL_CONTENT": (1.503, -6.709),
    "FRAUD_SPAM": (1.068, -4.956),
}
