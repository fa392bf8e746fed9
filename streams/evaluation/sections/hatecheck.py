"""HateCheck: functional tests of what hate detectors get wrong, by functionality."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category
from streams.evaluation import measures, published
from streams.evaluation.figures import (
    Against,
    Bar,
    BarChart,
    Figure,
    Section,
    Target,
)
from streams.evaluation.linear_baseline import NAME, THRESHOLD
from streams.evaluation.scored_rows import Inputs, functionalities

# The paper's numbers and words for what the data names in short (arXiv 2012.15606,
# table 1).
FUNCTIONALITIES: Final = {
    "derog_neg_emote_h": "F1 negative emotion",
    "derog_neg_attrib_h": "F2 negative attributes",
    "derog_dehum_h": "F3 dehumanisation",
    "derog_impl_h": "F4 implicit derogation",
    "threat_dir_h": "F5 direct threat",
    "threat_norm_h": "F6 threat as a norm",
    "slur_h": "F7 slur",
    "slur_homonym_nh": "F8 homonym of a slur",
    "slur_reclaimed_nh": "F9 reclaimed slur",
    "profanity_h": "F10 hate with profanity",
    "profanity_nh": "F11 profanity without hate",
    "ref_subs_clause_h": "F12 reference, later clause",
    "ref_subs_sent_h": "F13 reference, later sentence",
    "negate_pos_h": "F14 negated praise",
    "negate_neg_nh": "F15 negated hate",
    "phrase_question_h": "F16 as a question",
    "phrase_opinion_h": "F17 as an opinion",
    "ident_neutral_nh": "F18 neutral identity term",
    "ident_pos_nh": "F19 praise of a group",
    "counter_quote_nh": "F20 counter-speech, quote",
    "counter_ref_nh": "F21 counter-speech, reference",
    "target_obj_nh": "F22 abuse of objects",
    "target_indiv_nh": "F23 abuse of a person",
    "target_group_nh": "F24 abuse of other groups",
    "spell_char_swap_h": "F25 letters swapped",
    "spell_char_del_h": "F26 letters missing",
    "spell_space_del_h": "F27 spaces missing",
    "spell_space_add_h": "F28 spaces added",
    "spell_leet_h": "F29 leet",
}
_TARGET: Final = Target(0.90)
_PUBLISHED: Final[Mapping[str, Sequence[Against]]] = {
    "all": published.HATECHECK,
    "counter_quote_nh": published.HATECHECK_F20,
}
_EACH: Final = Target(0.75)  # On what the issue names one by one.
_NAMED: Final = (
    "counter_quote_nh",
    "counter_ref_nh",
    "slur_reclaimed_nh",
    "negate_neg_nh",
)


def hatecheck(inputs: Inputs) -> Section:
    """Measure accuracy at the shipped policy's review threshold for hate."""
    rows = np.flatnonzero(inputs.of("hatecheck"))
    column = inputs.column(Category.HATE)
    threshold = inputs.thresholds[Category.HATE]
    hateful = inputs.labels[rows, column] == 1
    right = (inputs.probabilities[rows, column] >= threshold) == hateful
    theirs = (inputs.baseline[rows] >= THRESHOLD) == hateful
    names = functionalities(inputs.data)
    kinds = np.array([names[inputs.examples[row].text] for row in rows.tolist()])
    groups = inputs.groups[rows]
    figures = [
        _accuracy("accuracy", right, theirs, groups, "all", _TARGET),
        _accuracy(
            "hateful found", right[hateful], theirs[hateful], groups[hateful], "hateful"
        ),
        _accuracy(
            "non-hateful spared",
            right[~hateful],
            theirs[~hateful],
            groups[~hateful],
            "spared",
        ),
        _ranking(inputs, rows, column),
        *_named(right, theirs, groups, kinds),
    ]
    bars = {kind: _bar(kind, right, theirs, groups, kinds) for kind in FUNCTIONALITIES}
    spared = [bar for kind, bar in bars.items() if kind.endswith("_nh")]
    found = [bar for kind, bar in bars.items() if not kind.endswith("_nh")]
    charts = (
        BarChart("Hateful: share found", found, _EACH.value, NAME),
        BarChart("Not hateful: share spared", spared, _EACH.value, NAME),
    )
    about = (
        f"{len(rows)} test cases of template families that the head which judges them "
        f"never saw, at the policy's threshold for review ({threshold:g}). The authors "
        "mean HateCheck as a test suite; the shipped head was trained on this half."
    )
    return Section("hatecheck", "", about, figures, charts)


def _accuracy(
    name: str,
    right: NDArray[np.bool_],
    theirs: NDArray[np.bool_],
    groups: NDArray[np.int64],
    key: str,
    target: Target | None = None,
) -> Figure:
    more = _PUBLISHED.get(key, ())
    beside = Against(NAME, float(theirs.mean()) if len(theirs) else 0.0, "same rows")
    return Figure(
        name,
        measures.share(right, groups),
        len(right),
        target=target,
        against=(beside, *more),
        key=f"hatecheck.{key}",
    )


def _ranking(inputs: Inputs, rows: NDArray[np.int64], column: int) -> Figure:
    known = measures.known(
        inputs.labels[rows, column],
        inputs.probabilities[rows, column],
        inputs.groups[rows],
    )
    return Figure(
        "average precision",
        measures.average_precision(known),
        len(rows),
        known.positives,
        against=(Against("LoRA probe", 0.95),),
        key="hatecheck.ap",
    )


def _named(
    right: NDArray[np.bool_],
    theirs: NDArray[np.bool_],
    groups: NDArray[np.int64],
    kinds: NDArray[np.str_],
) -> Iterator[Figure]:
    for kind in _NAMED:
        mine = kinds == kind
        yield _accuracy(
            f"accuracy, {FUNCTIONALITIES[kind]}",
            right[mine],
            theirs[mine],
            groups[mine],
            kind,
            _EACH,
        )


def _bar(
    kind: str,
    right: NDArray[np.bool_],
    theirs: NDArray[np.bool_],
    groups: NDArray[np.int64],
    kinds: NDArray[np.str_],
) -> Bar:
    mine = kinds == kind
    found = measures.share(right[mine], groups[mine])
    side = float(theirs[mine].mean()) if mine.any() else None
    return Bar(FUNCTIONALITIES[kind], found.value or 0.0, found.low, found.high, side)
