from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import (
    CATEGORIES,
    Action,
    BankMatch,
    Category,
    ContentSignals,
    Evidence,
    Missing,
    ModelUse,
    Stage,
    UploaderHistory,
)
from streams.decision_ids import decision_id
from streams.judge import Judge
from streams.policy import Rule
from streams.scorers import DEFAULT_SCORERS, Score
from streams.sweep import swept
from tests.builders import a_history, a_policy, a_text_signal, signals

HATE_BLOCK = Rule("category", "hate", Action.BLOCK, 0.92)
FLOOD_REVIEW = Rule("anomaly", "near_duplicate", Action.REVIEW, 0.9)
TAKEDOWNS_BLOCK = Rule("bank", "takedowns", Action.BLOCK, 0.9)
POLICY = a_policy(rules=(HATE_BLOCK, FLOOD_REVIEW, TAKEDOWNS_BLOCK))
HEAD = ModelUse("text_risk", "head", "ab" * 32)


@dataclass(frozen=True)
class FakeScorer:
    """Gives the scores it was made with."""

    scores: tuple[Score, ...] = ()
    name: str = "fake"
    categories: tuple[Category, ...] = CATEGORIES
    models: tuple[ModelUse, ...] = (HEAD,)
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Return them."""
        return self.scores


def hate(value: float, *evidence: Evidence) -> Score:
    """Build a score on hate."""
    return Score("fake", value, "reads like it", Category.HATE, evidence)


def decided(upload: ContentSignals, *scores: Score):
    """Judge with one fake scorer that gives `scores`."""
    judged = Judge((FakeScorer(scores),), POLICY).judge(upload, a_history())
    assert judged.decision is not None
    return judged.decision


def run(judge: Judge, *uploads: ContentSignals):
    """Judge and learn uploads in order; the decision's repr stands for its bytes."""
    history, words = a_history(), []
    for upload in uploads:
        judged = judge.judge(upload, history)
        words.append(judged)
        if judged.decision is not None:
            sent = repr(judged.decision).encode()
            history = judge.learn(history, upload, judged.decision, sent)
    return words, history


def test_a_language_that_no_scorer_reads_is_a_missing_signal():
    """The decision names text, language and scorer, and what the policy says of it."""
    spanish = a_text_signal(source="title", language="es")
    upload = signals(texts=(spanish, spanish, a_text_signal(source="x", language="en")))
    reader = FakeScorer((), languages=frozenset({"en"}))

    decision = Judge((reader,), POLICY).judge(upload, a_history()).decision

    assert decision is not None
    assert [m.signal for m in decision.missing] == ["language:title"]
    assert decision.missing[0].reason.startswith("unsupported: es, fake reads en; ")


def test_a_decision_has_every_category_and_none_where_nothing_spoke():
    """All categories are there in order; the unspoken have no probability."""
    decision = decided(signals(), hate(0.3))

    assert [c.category for c in decision.categories] == list(CATEGORIES)
    spoken = {c.category for c in decision.categories if c.probability is not None}
    assert spoken == {Category.HATE}


def test_a_category_is_its_highest_score_with_the_strongest_evidence():
    """Scores are merged by their maximum; five spans are kept, strongest first."""
    spans = [Evidence("lyrics", "span", score=i / 10) for i in range(7)]
    unscored = Evidence("title", "span")

    decision = decided(signals(), hate(0.2, *spans[:4]), hate(0.7, unscored, *spans))

    (category,) = (c for c in decision.categories if c.category is Category.HATE)
    assert category.probability == 0.7
    assert [e.score for e in category.evidence] == [0.6, 0.5, 0.4, 0.3, 0.3]


def test_probabilities_are_rounded_before_the_policy_sees_them():
    """What a decision shows is what the policy compared."""
    decision = decided(signals(), hate(0.91996))

    assert decision.clause == "hate.block>=0.92"
    assert max(c.probability or 0 for c in decision.categories) == 0.92


def test_a_bank_has_its_own_clause():
    """The policy's word on a bank holds whatever the bank's category."""
    found = BankMatch("cover", "takedowns", "e1", Category.PRIVACY, "pdq", 4)

    decision = decided(signals(matches=(found,)))

    assert decision.clause == "bank.takedowns.block>=0.9"


def test_models_are_those_that_were_used():
    """A scorer that said nothing has used no model; none is named twice."""
    heard = ModelUse("speech", "whisper:base", "cd" * 32)
    upload = signals(models=(heard, heard))

    assert decided(upload).models == (heard,)
    assert decided(upload, hate(0.1)).models == (heard, HEAD)


def test_what_is_missing_is_stated_with_its_consequence():
    """The reason's code stays in front; what the policy did follows."""
    lost = (
        Missing("transcript:audio", "not_found"),
        Missing("hash:cover", "undecodable: torn"),
    )

    decision = decided(signals(missing=lost))

    assert [m.reason for m in decision.missing] == [
        "not_found: policy says review",
        "undecodable: torn; policy says review",
    ]
    assert (decision.action, decision.automated_decision) == (Action.REVIEW, False)


def test_ids_are_of_content_revision_stage_and_policy():
    """Any of the four changes the id; nothing else does."""
    upload = signals()
    others = [
        decision_id(signals("c2"), Stage.COMPLETE, "ff"),
        decision_id(signals(revision=1), Stage.COMPLETE, "ff"),
        decision_id(upload, Stage.SCREENED, "ff"),
        decision_id(upload, Stage.COMPLETE, "fe"),
    ]

    own = decision_id(signals(at_s=5, uploader_id="u2"), Stage.COMPLETE, "ff")

    assert own == decision_id(upload, Stage.COMPLETE, "ff")
    assert UUID(own).version == 5
    assert len({own, *others}) == 5


def test_the_final_decision_names_the_provisional_one():
    """A provisional decision holds; the final one supersedes it by id."""
    early = decided(signals(stage=Stage.SCREENED))
    full = decided(signals(provisional_sent=True))

    assert (early.provisional, early.clause) == (True, "provisional.review")
    assert (full.provisional, full.supersedes) == (False, early.decision_id)
    assert early.supersedes is None
    assert decided(signals()).supersedes is None


def test_a_duplicate_is_answered_with_the_recorded_bytes():
    """A redelivered upload gives the same bytes, and no new decision."""
    upload = signals(texts=(a_text_signal(),))

    (first, again), history = run(Judge(DEFAULT_SCORERS, POLICY), upload, upload)

    assert (again.decision, again.duplicate) == (None, "again")
    assert again.recorded == repr(first.decision).encode()
    assert history.uploads == 1


def test_an_old_duplicate_is_named_and_nothing_is_sent():
    """Past 32 uploads the bytes are gone: `old`, without a decision."""
    uploads = [signals(f"c{i}") for i in range(40)]

    words, _ = run(Judge(DEFAULT_SCORERS, POLICY), *uploads, uploads[0])

    assert (words[-1].duplicate, words[-1].recorded) == ("old", None)


def test_a_provisional_upload_after_its_final_one_is_old():
    """The latest word on a content must stay the final one."""
    early, full = signals(stage=Stage.SCREENED), signals(provisional_sent=True)

    words, _ = run(Judge(DEFAULT_SCORERS, POLICY), early, early, full, early)

    assert [word.duplicate for word in words] == ["no", "again", "no", "old"]


def test_a_burst_of_thirty_near_copies_ends_in_review():
    """The flood is let pass at first and held in the end, with both reasons."""
    burst = [signals(f"c{i}", at_s=4 * i, texts=(a_text_signal(),)) for i in range(30)]

    words, _ = run(Judge(DEFAULT_SCORERS, POLICY), *burst)

    assert words[0].decision.action is Action.ALLOW
    assert words[-1].decision.clause == "near_duplicate.review>=0.9"
    high = {a.name for a in words[-1].decision.anomalies if a.value > 0.9}
    assert high == {"velocity", "near_duplicate"}


def test_another_uploaders_history_is_refused():
    """A mixed-up history is a defect and must not be scored on."""
    with pytest.raises(ValueError, match="history is of uploader 'u2'"):
        Judge((), POLICY).judge(signals(), a_history(uploader_id="u2"))


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1])
def test_a_score_out_of_range_is_refused(value):
    """A NaN would pass under every threshold, so no score can be one."""
    with pytest.raises(ValueError, match=r"expected a number in \[0, 1\]"):
        hate(value)


uploads = st.builds(
    signals,
    st.sampled_from("abcde"),
    revision=st.integers(0, 1),
    stage=st.sampled_from((Stage.SCREENED, Stage.COMPLETE)),
    at_s=st.integers(-90_000, 90_000),
    texts=st.builds(a_text_signal, seed=st.integers(0, 3)).map(lambda t: (t,)),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(uploads, max_size=15))
def test_the_same_input_gives_the_same_decisions_and_history(sequence):
    """Two judges that see the same uploads agree in every byte."""
    one = run(Judge(DEFAULT_SCORERS, POLICY), *sequence)
    two = run(Judge(DEFAULT_SCORERS, POLICY), *sequence)

    assert one == two


@settings(deadline=None, max_examples=30)
@given(st.lists(uploads, max_size=12), st.data())
def test_redelivery_changes_nothing(sequence, data):
    """An upload that comes again, however late, leaves history and ids as they are."""
    judge = Judge(DEFAULT_SCORERS, POLICY)
    words, history = run(judge, *sequence)
    doubled = list(sequence)
    for i in range(len(sequence), 0, -1):
        if data.draw(st.booleans()):
            doubled.insert(data.draw(st.integers(i, len(doubled))), sequence[i - 1])

    again, same = run(judge, *doubled)

    assert same == history
    ids = [w.decision.decision_id for w in words if w.decision]
    assert [w.decision.decision_id for w in again if w.decision] == ids
    assert len(set(ids)) == len(ids)


def test_judging_changes_neither_signals_nor_history():
    """What is passed in is what is handed back."""
    history = a_history()
    before = replace(history)

    judged = Judge(DEFAULT_SCORERS, POLICY).judge(signals(), history)

    assert judged.history is history
    assert history == before


def a_swept(upload: ContentSignals, entry_id: str) -> ContentSignals:
    """Build what a sweep makes of an upload whose cover a bank came to know."""
    match = BankMatch("cover", "takedowns", entry_id, Category.PRIVACY, "pdq", 4)
    return swept(upload, [match])


def test_a_swept_upload_is_decided_anew():
    """Its decision names the entry and the decision whose place it takes."""
    upload = signals(texts=(a_text_signal(),))

    (first, second), history = run(
        Judge(DEFAULT_SCORERS, POLICY), upload, a_swept(upload, "e1")
    )

    assert (first.decision.action, second.decision.action) == ("ALLOW", "BLOCK")
    assert second.decision.supersedes == first.decision.decision_id
    assert second.decision.decision_id != first.decision.decision_id
    assert not second.decision.provisional
    (privacy,) = [c for c in second.decision.categories if c.evidence]
    assert "e1" in privacy.evidence[0].reason
    assert history.uploads == 1


def test_a_swept_upload_is_no_copy_of_itself():
    """Its own traces in the history raise nothing."""
    uploads = [signals(f"c{n}", texts=(a_text_signal(),), at_s=n) for n in range(9)]

    words, _ = run(Judge(DEFAULT_SCORERS, POLICY), *uploads, a_swept(uploads[0], "e1"))

    assert max(a.value for a in words[-2].decision.anomalies) > 0
    assert max((a.value for a in words[-1].decision.anomalies), default=0) == 0


def test_after_a_sweep_its_decision_is_the_upload_s():
    """A duplicate of the sweep or of the upload gives the recorded bytes."""
    judge = Judge(DEFAULT_SCORERS, POLICY)
    upload = signals(texts=(a_text_signal(),))
    (_, second), history = run(judge, upload, a_swept(upload, "e1"))

    again = [judge.judge(s, history) for s in (upload, a_swept(upload, "e1"))]

    assert {judged.recorded for judged in again} == {repr(second.decision).encode()}
    assert judge.judge(a_swept(upload, "e2"), history).duplicate == "no"
