"""OpenAI's prompts, any category positive: what others publish."""

import numpy as np

from schemas.records import Category
from streams.evaluation import measures, published
from streams.evaluation.figures import Against, Figure, LineChart, Section, Target
from streams.evaluation.linear_baseline import NAME
from streams.evaluation.scored_rows import Inputs
from streams.evaluation.sections.curves import recall_series

_TARGET = Target(0.90)


def openai_any(inputs: Inputs) -> Section:
    """Measure average precision of the highest probability of an upload.

    As in the published comparisons, an unknown label counts as negative here.
    """
    rows = inputs.of("openai")
    columns = [
        i for i, c in enumerate(inputs.scores.categories) if c != Category.FRAUD_SPAM
    ]
    labels = np.nan_to_num(inputs.labels[rows]).max(axis=1)
    groups = inputs.groups[rows]
    ours = measures.known(
        labels, inputs.probabilities[rows][:, columns].max(axis=1), groups
    )
    theirs = measures.known(labels, inputs.baseline[rows], groups)
    beside = Against(NAME, measures.average_precision(theirs).value or 0.0, "same rows")
    figure = Figure(
        "average precision",
        measures.average_precision(ours),
        len(labels),
        ours.positives,
        _TARGET,
        (beside, *published.OPENAI_ANY),
        "the highest of an upload's probabilities",
        "openai.any.ap",
    )
    more = (
        Figure(
            "AUC", measures.auc(ours), len(labels), ours.positives, key="openai.any.auc"
        ),
        Figure(
            "recall at 1 % false positives",
            measures.recall_at(ours, 0.01),
            len(labels),
            ours.positives,
            key="openai.any.recall_at_1",
        ),
    )
    chart = LineChart(
        "Any category",
        "recall",
        "precision",
        (recall_series("Headgate", ours), recall_series(NAME, theirs, True)),
        level=ours.positives / max(len(labels), 1),
    )
    about = (
        f"{len(labels)} prompts of the shared half, each scored by a head that never "
        "saw its cluster. Published figures are on all 1,680 prompts; this half is the "
        "harder one (the linear SVM has 0.727 on all, and what stands here on this)."
    )
    return Section("openai_any", "", about, (figure, *more), (chart,))
