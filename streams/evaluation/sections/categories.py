"""Each category by itself: how well it sorts, and whether its probabilities hold."""

from collections.abc import Iterator, Mapping, Sequence

from schemas.records import Category
from streams.evaluation import measures, published
from streams.evaluation.figures import (
    Against,
    Estimate,
    Figure,
    LineChart,
    Section,
    Series,
    Target,
)
from streams.evaluation.linear_baseline import NAME
from streams.evaluation.measures import Known
from streams.evaluation.scored_rows import Inputs
from streams.evaluation.sections.curves import recall_series
from streams.training.calibrate import BASE_RATE
from streams.training.evaluate import PUBLIC

_AP_TARGETS: Mapping[Category, float] = {
    Category.SEXUAL_CONTENT: 0.96,
    Category.HATE: 0.78,
    Category.VIOLENT_EXTREMISM: 0.65,
    Category.HARASSMENT: 0.50,
    Category.SELF_HARM: 0.85,
}
_ECE_TARGET = Target(0.05, "at most")
_RATES: Mapping[float, str] = {0.01: "1 %", 0.001: "0.1 %"}  # Of false positives.


def openai_categories(inputs: Inputs) -> Section:
    """Measure each category on OpenAI's prompts, where its label is known."""
    about = (
        "Rows where the category's label is known. ECE (ten bins) is at the "
        f"{BASE_RATE:.0%} base rate that the probabilities refer to; precision is at "
        "these rows' own rate, which is far above a real stream's."
    )
    return _section(inputs, "openai", about, ("openai",), _AP_TARGETS)


def public_categories(inputs: Inputs) -> Section:
    """Measure each category on every public row that knows its label."""
    about = (
        f"All of {', '.join(PUBLIC)}. Easy negatives of other sets lift AUC and change "
        "what a category's AP means; the targets are those of the prompts above. The "
        "linear SVM's figures here are not clean: it was trained on these tweets."
    )
    return _section(inputs, "public", about, PUBLIC, {})


def _section(
    inputs: Inputs,
    key: str,
    about: str,
    sources: Sequence[str],
    targets: Mapping[Category, float],
) -> Section:
    figures: list[Figure] = []
    charts = []
    rows = inputs.of(*sources)
    for column, category in enumerate(inputs.scores.categories):
        labels, groups = inputs.labels[rows, column], inputs.groups[rows]
        ours = measures.known(labels, inputs.probabilities[rows, column], groups)
        theirs = measures.known(labels, inputs.baseline[rows], groups)
        if len(ours.labels) == 0:  # No row of these sets speaks on it.
            continue
        figures += _figures(key, category, ours, theirs, targets.get(category))
        charts += [_recall_chart(category, ours, theirs), _reliability(category, ours)]
    return Section(key, "", about, figures, charts)


def _figures(
    key: str, category: Category, ours: Known, theirs: Known, target: float | None
) -> Iterator[Figure]:
    against = [Against(NAME, measures.average_precision(theirs).value or 0.0)]
    if key == "openai" and category in published.OPENAI_TFIDF:
        against.append(Against("TF-IDF", published.OPENAI_TFIDF[category]))
    ece = measures.calibration_error(ours, BASE_RATE)
    goal = None if target is None else Target(target)

    def figure(
        name: str,
        short: str,
        found: Estimate,
        goal: Target | None = None,
        against: Sequence[Against] = (),
    ) -> Figure:
        return Figure(
            name,
            found,
            len(ours.labels),
            ours.positives,
            goal,
            against,
            key=f"{key}.{category.lower()}.{short}",
            subject=words(category),
        )

    ap = measures.average_precision(ours)
    yield figure("average precision", "ap", ap, goal, against)
    yield figure("ECE", "ece", ece, _ECE_TARGET)
    yield figure("AUC", "auc", measures.auc(ours))
    for rate, name in _RATES.items():
        recall = measures.recall_at(ours, rate)
        precision = measures.precision_at(ours, rate)
        yield figure(f"recall at FPR {name}", f"recall_at_{rate:g}", recall)
        yield figure(f"precision at FPR {name}", f"precision_at_{rate:g}", precision)


def words(category: Category) -> str:
    """Return the category as a person says it."""
    return category.lower().replace("_", " ")


def _recall_chart(category: Category, ours: Known, theirs: Known) -> LineChart:
    chance = ours.positives / len(ours.labels)
    return LineChart(
        f"{words(category)}: precision and recall",
        "recall",
        "precision",
        (recall_series("Headgate", ours), recall_series(NAME, theirs, True)),
        level=chance,
    )


def _reliability(category: Category, ours: Known) -> LineChart:
    said, seen = measures.reliability(ours, BASE_RATE)
    return LineChart(
        f"{words(category)}: reliability",
        "probability said",
        "share found harmful",
        (Series("Headgate", said, seen),),
        diagonal=True,
    )
