"""A text on its way to being normalised; shared by the steps of `normalise`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

# A disguised word counts this much: no one writes the first by accident, while fonts,
# spaced titles and names like P!nk are also a fashion.
DECEIT: Final = 1.0
FASHION: Final = 0.5


@dataclass(slots=True)
class Draft:
    """The text so far, its characters' origins, and which of them were disguised."""

    text: str
    origins: Sequence[int]
    disguised: dict[int, float] = field(default_factory=dict)

    def mark(self, places: Iterable[int], weight: float) -> None:
        """Note that characters from these places were disguised."""
        for place in places:
            self.disguised[place] = max(weight, self.disguised.get(place, 0.0))

    def rewrite(self, parts: Iterable[tuple[str, int]]) -> None:
        """Put new characters, each run with the origin of what it was."""
        pieces, origins = [], list[int]()
        for text, origin in parts:
            pieces.append(text)
            origins.extend([origin] * len(text))
        self.text, self.origins = "".join(pieces), origins
