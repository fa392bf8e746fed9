"""All sections measured, and the scorecard as JSON."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from streams.evaluation.figures import Figure, NotMeasuredError, Section
from streams.evaluation.scored_rows import Inputs

# Rises when a key changes its meaning.
FORMAT = "headgate-scorecard/1"
Measured = tuple[str, str, Callable[[Inputs], Section]]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The sections in order, and what they were measured on."""

    sections: Sequence[Section]
    made_by: str  # Which head's out-of-fold scores, in words.
    head_sha256: str  # Of the weights that this recipe gave.
    shipped_sha256: str  # Of the weights that are shipped.
    policy: str  # Id, version and hash: thresholds are its.

    @property
    def is_of_shipped_head(self) -> bool:
        """Whether the figures are of the recipe that gave the shipped weights."""
        return self.head_sha256 == self.shipped_sha256

    def targets(self) -> Iterator[tuple[Section, Figure]]:
        """Yield every figure that has a target."""
        for section in self.sections:
            for figure in section.figures:
                if figure.target is not None:
                    yield section, figure


def measured(
    sections: Sequence[Measured],
    inputs: Inputs,
    told: Callable[[str], None] = lambda title: None,
) -> list[Section]:
    """Run every section; `told` hears each title before it starts."""
    return [_one(key, title, measure, inputs, told) for key, title, measure in sections]


def _one(
    key: str,
    title: str,
    measure: Callable[[Inputs], Section],
    inputs: Inputs,
    told: Callable[[str], None],
) -> Section:
    told(title)
    try:
        return replace(measure(inputs), key=key, title=title)
    except NotMeasuredError as reason:
        return Section(key, title, not_measured=str(reason))


def as_json(card: Scorecard) -> dict[str, object]:
    """Return the scorecard as plain values; charts are left to the page."""
    return {
        "format": FORMAT,
        "made_by": card.made_by,
        "head_sha256": card.head_sha256,
        "shipped_head_sha256": card.shipped_sha256,
        "policy": card.policy,
        "sections": [_section_json(section) for section in card.sections],
    }


def _section_json(section: Section) -> Mapping[str, object]:
    head = {"key": section.key, "title": section.title}
    if section.not_measured:
        return {**head, "not_measured": section.not_measured}
    figures = [figure_json(figure) for figure in section.figures]
    return {**head, "about": section.about, "figures": figures}


def figure_json(figure: Figure) -> dict[str, object]:
    """Return one figure as plain values."""
    row: dict[str, object] = {
        "key": figure.key,
        "name": figure.title,
        "value": figure.estimate.value,
        "low": figure.estimate.low,
        "high": figure.estimate.high,
        "n": figure.n,
    }
    if figure.positives is not None:
        row["positives"] = figure.positives
    if figure.target is not None:
        row |= {"target": str(figure.target), "met": figure.is_met}
    if figure.against:
        row["against"] = [asdict(other) for other in figure.against]
    notes = [note for note in (figure.note, figure.estimate.why_not) if note]
    return row | ({"note": "; ".join(notes)} if notes else {})
