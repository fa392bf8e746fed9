"""`headgate eval text`: labels by column, slices, what is left out, bad columns."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from schemas.records import Category
from streams.cli.eval_text import _columns
from streams.errors import StartError
from streams.evaluation.labelled_file import LabelWords, Row
from streams.evaluation.out_of_fold import collect
from streams.evaluation.text_file import (
    LabelColumn,
    figures,
    gather,
    scored,
    trained_on,
)

HATE = LabelColumn("hate", "hateful")
CATEGORIES = (Category.HATE, Category.FRAUD_SPAM)


def rows(count: int = 40) -> list[Row]:
    """Build texts, every other hateful, the last without a label, in two languages."""
    return [
        Row(
            {
                "text": f"text number {i}",
                "hateful": "" if i == count - 1 else i % 2,
                "lang": "en" if i < count // 2 else "de",
            },
            f"f.csv:{i + 2}",
        )
        for i in range(count)
    ]


def by_label(texts: Sequence[str]) -> np.ndarray:
    """Score odd numbers high on hate; give the first text no score at all."""
    numbers = [int(text.split()[-1]) for text in texts]
    table = np.array([[0.9 if n % 2 else 0.1, 0.0] for n in numbers])
    table[[n == 0 for n in numbers]] = np.nan
    return table


def measured(slices=("lang",), columns=(HATE,)):
    """Run the whole of it on the rows."""
    data = gather(iter(rows()), "text", columns, slices, LabelWords())
    table = scored(data.texts, by_label, lambda n: None)
    found = figures(data, columns, table, CATEGORIES)
    return {(figure.subject, figure.name): figure for figure in found}


def test_unknown_labels_and_unscored_texts_are_left_out():
    """Of 40 rows one has no label and one no score: 38 are measured, per slice too."""
    found = measured()

    assert found["hate", "AP"].n == 38
    assert found["hate", "AP"].estimate.value == 1.0
    assert found["hate, lang=en", "AP"].n == 19
    assert found["hate, lang=de", "AP"].n == 19


def test_any_is_judged_by_the_highest_probability():
    """A label on no category in particular."""
    found = measured((), (LabelColumn("any", "hateful"),))

    assert found["any", "AUC"].estimate.value == 1.0


def test_rates_that_can_not_be_seen_are_said():
    """Nineteen negatives say nothing of one in a thousand."""
    found = measured()["hate", "recall at FPR 0.1 %"]

    assert found.estimate.value is None
    assert "under 1,000" in found.estimate.why_not


def test_rows_of_training_are_known_by_hash():
    """As written, or with other blanks."""
    training = collect(
        ["a  text", "b"], np.zeros((2, 1)), [0, 1], CATEGORIES[:1], "", ""
    )

    found = trained_on(["a  text", " b ", "new"], training)

    assert found.tolist() == [True, True, False]


def test_columns_that_are_not_there_are_named():
    """A slip in a name is not a file of unknown labels."""
    for column, slices in ((LabelColumn("hate", "hatful"), ()), (HATE, ("language",))):
        with pytest.raises(StartError, match=r"no column .(hatful|language)."):
            gather(iter(rows()), "text", (column,), slices, LabelWords())


def test_a_slice_of_too_many_values_is_refused():
    """Nothing is left out in silence."""
    many = [Row({"text": "x", "hateful": 1, "id": i}, "f") for i in range(60)]
    data = gather(iter(many), "text", (HATE,), ("id",), LabelWords())

    with pytest.raises(StartError, match="--slice id has 60 values"):
        figures(data, (HATE,), np.full((60, 2), 0.5), CATEGORIES)


@pytest.mark.parametrize("bad", ["hate", "hate=", "rudeness=x"])
def test_a_label_option_that_is_none_is_refused(bad):
    """It says what would be right."""
    with pytest.raises(StartError, match="expected CATEGORY=COLUMN with one of any"):
        _columns([bad])


def test_a_missing_label_never_becomes_0():
    """By the number that reaches the measures."""
    data = gather(iter(rows()), "text", (HATE,), (), LabelWords())

    assert math.isnan(data.labels[-1, 0])
