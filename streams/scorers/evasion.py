"""Scores texts that were written so that machines misread them."""

from dataclasses import dataclass

from schemas.records import Category, ContentSignals, ModelUse, UploaderHistory
from streams.scorers.base import Score


@dataclass(frozen=True, slots=True)
class Evasion:
    """The share of words in disguise, of the upload's most disguised text.

    What the words were is judged by the others, which read them undone. Invisible
    characters, look-alike letters and overrides count whole; fonts, spaced letters and
    digits for letters, which are also a fashion, count half.
    """

    name: str = "evasion"
    categories: tuple[Category, ...] = ()
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score; none for an upload without text."""
        usable = [text for text in signals.texts if 0.0 <= text.evasion <= 1.0]
        if not usable:
            return ()
        worst = max(usable, key=lambda text: text.evasion)  # The first of the worst.
        if worst.evasion == 0.0:
            return (Score(self.name, 0.0, "no words in disguise"),)
        reason = f"{worst.evasion:.0%} of the words of {worst.source} in disguise"
        return (Score(self.name, worst.evasion, reason),)
