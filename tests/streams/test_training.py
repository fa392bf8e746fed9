"""Training's parts: labels, clusters, metrics, calibration, and a whole small run."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from schemas.records import Category
from streams.settings import Settings
from streams.training import contrast, metrics, plan
from streams.training.calibrate import BASE_RATE, fit_platt, sigmoid
from streams.training.clusters import clusters, folds
from streams.training.datasets import clean, hatecheck, load, openai
from streams.training.disguises import disguised
from streams.training.examples import COVERED, NOTHING, Example, label_matrix
from streams.training.fine_tune import Recipe
from streams.training.fold_heads import FoldHeads, judged_rows
from streams.training.head import MOST_TIMES, loss_shares
from streams.training.lessons import IN_NO_FOLD, rows_of, with_disguised_copies
from streams.training.own_texts import as_spoken, own
from streams.training.plan import Order
from streams.training.text_risk import run
from streams.wiring import build_text_encoder, build_text_risk
from tests.tiny_text_model import a_tiny_text_model

SharedData = Callable[[str], Path]
SHA = "cd" * 32


def an_example(text: str, family: str = "", **labels: int) -> Example:
    """Build an example; a family of its own unless one is given."""
    known = {Category[name.upper()]: value for name, value in labels.items()}
    return Example(text, known, "test", family or text)


def test_a_missing_openai_label_is_unknown(shared_data: SharedData) -> None:
    """Counts equal the data's README; an absent key is masked, not taken for 0."""
    folder = shared_data("openai_moderation").parent

    labels = label_matrix(list(openai(folder)))

    sexual = labels[:, COVERED.index(Category.SEXUAL_CONTENT)]
    assert (np.sum(sexual == 1), np.sum(~np.isnan(sexual))) == (74, 447)
    assert np.isnan(labels[:, COVERED.index(Category.FRAUD_SPAM)]).all()


def test_profane_tweets_say_nothing_of_harassment(shared_data: SharedData) -> None:
    """`offensive` in the tweet set is mostly slang; lyrics would suffer from it."""
    folder = shared_data("davidson_tweets").parent

    rows = [e for e in load(folder) if e.source == "davidson"]

    known = {frozenset(e.labels) for e in rows}
    assert known == {frozenset({Category.HATE}), frozenset(COVERED)}


def test_hatecheck_families_stay_in_one_fold(shared_data: SharedData) -> None:
    """A template and its misspelt or negated twins never stand on both sides."""
    examples = list(hatecheck(shared_data("hatecheck").parent))

    fold_of = dict(
        zip([e.text for e in examples], folds(clusters(examples), 5, 0), strict=True)
    )

    twins = ("I hate women.", "I h4te women.", "Let me be clear: I don't hate women.")
    assert len({fold_of[text] for text in twins}) == 1


def test_near_copies_share_a_cluster_and_others_do_not() -> None:
    """A run of five equal words is a near copy; four are not."""
    texts = ("we met on a sunny day", "oh we met on a sunny beach", "we met on a boat")

    groups = clusters([an_example(text) for text in texts])

    assert groups[0] == groups[1]
    assert groups[2] != groups[0]


def test_folds_are_even_and_keep_clusters_whole() -> None:
    """No cluster is split and no fold is much bigger than another."""
    groups = np.repeat(np.arange(40), np.arange(1, 41))

    fold_of = folds(groups, 5, 0)

    assert all(len(set(fold_of[groups == g])) == 1 for g in range(40))
    assert np.ptp(np.bincount(fold_of)) <= 20


def test_crawl_traces_are_cleaned() -> None:
    """Names, retweet marks and markup go, words stay."""
    assert clean("!!! RT @someone: caf&eacute; <br />it&#39;s") == "@user café it's"


def test_own_texts_are_the_same_every_time_and_never_repeat() -> None:
    """The generator is seeded, and each filling stands once in its family."""
    first, second = own(), own()

    assert first == second
    assert len({(e.text, e.family) for e in first}) == len(first)


def test_ordinary_own_texts_outnumber_risky_ones() -> None:
    """Most of a platform is ordinary; so is most of what we write."""
    ordinary = sum(not any(e.labels.values()) for e in own())

    assert ordinary > 0.5 * len(own())


def test_spoken_copies_lose_case_and_punctuation() -> None:
    """Apostrophes stay: recognisers write them."""
    assert as_spoken("STOP! It's “5” o'clock…") == "stop it's 5 o'clock"


def test_unknown_labels_have_no_share_of_the_loss() -> None:
    """The mask keeps what nobody labelled out of the loss."""
    labels = np.array([[1, np.nan], [0, 1], [0, np.nan]], np.float32)

    share = loss_shares(labels, np.ones(3, np.float32))

    assert share[0, 1] == share[2, 1] == 0
    assert share[:, 0].min() > 0


def test_a_rare_positive_counts_more_but_not_without_bound() -> None:
    """One in a hundred weighs six times a negative; a half of them weigh alike."""
    rare = (np.arange(100) == 0).astype(np.float32)
    often = (np.arange(100) < 50).astype(np.float32)

    share = loss_shares(np.stack([rare, often], axis=1), np.ones(100, np.float32))

    assert share[0].tolist() == [MOST_TIMES, 1.0]


def test_disguises_change_the_text_and_repeat() -> None:
    """A copy differs from its text in letters, and is the same every time."""
    text = "everything about disguises is written differently"

    copies = {disguised(text, seed) for seed in range(20)}

    assert len(copies) > 10
    assert disguised(text, 3) == disguised(text, 3)


def test_contrast_lines_that_are_like_a_held_row_are_not_learnt() -> None:
    """The team's lines are in no fold, so each is checked against what is held out."""
    held = an_example("they said that women are vermin and laughed")
    same = replace(held, source=contrast.SOURCE, text="oh women are vermin and laughed")
    other = replace(held, source=contrast.SOURCE, text="nobody says so of anybody here")
    rows = rows_of([held, an_example("something else"), same, other], 2, 0)

    learnt = rows.learnt_without(int(rows.fold_of[0]))

    assert set(learnt.tolist()) == {1, 3}
    assert set(rows.fold_of[2:].tolist()) == {IN_NO_FOLD}


def test_copies_stay_with_their_text_and_are_never_judged() -> None:
    """A disguised or spoken copy in training would give its held text away."""
    example = replace(an_example("some words of hate", hate=1), source="hatecheck")
    examples = list(with_disguised_copies([example] * 40, 0))

    rows = rows_of(examples, 2, 0)

    assert len(examples) > 40
    assert len(set(rows.fold_of.tolist())) == 1
    judged = rows.judged(int(rows.fold_of[0]))
    assert {examples[at].source for at in judged} == {"hatecheck"}


def test_contrast_is_seeded_and_shares_no_template_with_hatecheck(
    shared_data: SharedData,
) -> None:
    """The same list every time, of our own wording, nothing of a test suite's."""
    suite = list(hatecheck(shared_data("hatecheck").parent))
    own_lines = contrast.contrast()

    assert own_lines == contrast.contrast()
    long_suite = {e.text for e in suite if len(e.text.split()) >= 6}
    assert not long_suite & {e.text for e in own_lines}


def test_metrics_agree_with_scikit_learn() -> None:
    """Ties included; scikit-learn comes with sentence-transformers."""
    reference = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    labels = (rng.random(300) < 0.2).astype(float)
    scores = np.round(labels * 0.3 + rng.random(300), 1)

    expected = reference.average_precision_score(labels, scores)
    assert metrics.average_precision(labels, scores) == pytest.approx(expected)
    assert metrics.auc(labels, scores) == pytest.approx(
        reference.roc_auc_score(labels, scores)
    )


def test_intervals_widen_when_rows_are_copies() -> None:
    """Ten copies of a row are one fact, not ten."""
    rng = np.random.default_rng(2)
    labels = np.repeat((rng.random(40) < 0.5).astype(float), 10)
    scores = np.repeat(rng.random(40), 10) + 0.2 * labels
    copies, alone = np.repeat(np.arange(40), 10), np.arange(400)

    honest = metrics.with_interval(metrics.auc, labels, scores, copies, 0)
    naive = metrics.with_interval(metrics.auc, labels, scores, alone, 0)

    assert honest.low < naive.low < naive.value < naive.high < honest.high


def test_calibration_error_is_the_mean_gap() -> None:
    """0.8 said where half come true is a gap of 0.3."""
    said, came = np.full(10, 0.8), np.array([1.0] * 5 + [0.0] * 5)

    assert metrics.calibration_error(came, said) == pytest.approx(0.3)


def test_calibration_means_the_stated_base_rate() -> None:
    """Scaled down to 5 % positives, probabilities match frequencies."""
    rng = np.random.default_rng(5)
    labels = (rng.random(20_000) < 0.5).astype(float)
    logits = 2 * labels - 1 + rng.normal(size=20_000)

    platt = fit_platt(logits, labels, np.ones(20_000))

    # The true posterior of two unit normals at ±1: log odds = 2x + log prior odds.
    assert platt.slope == pytest.approx(2, abs=0.1)
    assert platt.offset == pytest.approx(np.log(BASE_RATE / (1 - BASE_RATE)), abs=0.1)
    assert sigmoid(np.array([-1e9, 0.0, 1e9])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.models
@pytest.mark.slow
def test_a_whole_run_writes_weights_that_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adapter, head, manifest and held-out words fit together; again gives the same."""
    monkeypatch.setattr(plan, "own", list)
    monkeypatch.setattr(plan, "contrast", list)
    data = a_tiny_data_folder(tmp_path / "data")
    model = str(a_tiny_text_model(tmp_path / "tiny"))
    recipe = Recipe(rank=2, hidden_units=8, epochs=2, longest_tokens=32)

    manifests = []
    for name in ("one", "two"):
        kept = tmp_path / f"{name}-folds"
        order = Order(data, tmp_path / name, model, recipe=recipe, folds=kept)
        run(order, lambda share: None)
        manifests.append(json.loads((tmp_path / name / "manifest.json").read_text()))

    assert manifests[0] == manifests[1]
    settings = Settings(text_model=model, text_weights=tmp_path / "one")
    encoder, head = build_text_encoder(settings), build_text_risk(settings)
    head.check_encoder(encoder.model.name, encoder.model.sha256)
    risks = head.probabilities(encoder.embed(["prompt number 3", "tweet 4"]))
    assert risks.shape == (2, len(COVERED))
    rows = judged_rows(data, encoder)
    heads = FoldHeads(tmp_path / "one-folds", model)
    held = heads.probabilities([e.text for e in rows.examples], rows.fold_of)
    assert held.shape == (len(rows.examples), len(COVERED))
    assert "prompt number 3" in {e.text for e in rows.examples}
    assert 0 <= held.min() < held.max() <= 1


def a_tiny_data_folder(folder: Path) -> Path:
    """Write data sets of the shared sets' form, with harmless rows."""
    files = {
        "openai_moderation/half_a.jsonl": "".join(
            json.dumps({"row": i, "prompt": f"prompt number {i}", "V": i % 2, "H": 0})
            + "\n"
            for i in range(20)
        ),
        "davidson_tweets/train.csv": "id,label,text\n"
        + "".join(
            f"{i},{'hate' if i % 2 else 'neither'},tweet {i}\n" for i in range(9)
        ),
        "hatecheck/half_a.csv": "functionality,test_case,label_gold,case_templ\n"
        + "".join(f"ident_pos_nh,I like {i},non-hateful,I like {i}\n" for i in range(5))
        + "".join(f"slur_h,no {i},hateful,no {i}\n" for i in range(5)),
        "mlma/en_dataset.csv": "HITId,tweet,sentiment\n1,oh,hateful\n2,ah,normal\n",
        "sms_smishing/train.csv": "row,label,text\n1,ham,hi you\n2,spam,win now\n",
        "youtube_spam/Youtube01-A.csv": "comment_id,label,text\na,ham,nice song\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_nothing_is_the_label_of_every_covered_category() -> None:
    """Ordinary texts are known negatives of all seven."""
    assert set(NOTHING) == set(COVERED)
    assert set(NOTHING.values()) == {0}
