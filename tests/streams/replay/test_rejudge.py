"""Facts about judging recorded signals again."""

from dataclasses import replace

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import Action, Missing, ModelUse, RiskDecision, Stage
from streams.decision_ids import decision_id
from streams.judge import Judge
from streams.pipeline import decide
from streams.policy import Rule
from streams.replay.recorded import Recorded, said_of
from streams.replay.rejudge import Item, Rejudging
from streams.replay.versions import Version, Versions
from streams.scorers import DEFAULT_SCORERS
from tests.builders import a_history, a_policy, a_text_signal, signals

CODEC = Codec(CommittedIds())
MILD = a_policy(sha256="aa" * 32)
HARD = a_policy(
    sha256="bb" * 32, rules=(Rule("anomaly", "near_duplicate", Action.BLOCK, 0.1),)
)
HEAD = "cc" * 32
VERSIONS = Versions((MILD, HARD), {HEAD: DEFAULT_SCORERS})
TODAY = Version(MILD.sha256, HEAD)


def an_upload(content_id="c1", **fields):
    """Build an upload like every other one."""
    return signals(content_id, texts=(a_text_signal(),), **fields)


def recorded(uploads, policy=MILD):
    """Judge uploads live; return what was recorded, in order, repeats too."""
    judge, histories, said = Judge(DEFAULT_SCORERS, policy), {}, []
    for upload in uploads:
        word = decide(judge, upload, histories, CODEC.encode)
        if word is None:
            continue
        value = word if isinstance(word, bytes) else CODEC.encode(word)
        said.append(a_recorded(value))
    return said


def read(value):
    """Read a decision."""
    return CODEC.decode(value, RiskDecision)


def a_recorded(value, decode=read):
    """Build the index's row of a decision's bytes."""
    return Recorded(value, decode)


def replayed(uploads, said, candidate=None, versions=VERSIONS):
    """Replay uploads of one uploader; return outcomes and the last history."""
    rejudging = Rejudging(CODEC, versions, TODAY, candidate)
    history, outcomes = a_history(), []
    for n, upload in enumerate(uploads):
        content = [
            one
            for one in said
            if CODEC.decode(one.value, RiskDecision).content_id
            == upload.event.content_id
        ]
        done = rejudging.judge(Item(0, n, n, upload, content), history)
        outcomes.append(done.outcome)
        history = done.history
    return outcomes, history


def results(outcomes):
    """Return the outcomes' results."""
    return [outcome.result for outcome in outcomes]


UPLOADS = [an_upload(f"c{n}", at_s=n) for n in range(5)]


def test_equal_decisions_are_the_same():
    """Each is judged by the policy that decided it, whatever today's is."""
    outcomes, _ = replayed(UPLOADS, recorded(UPLOADS, HARD))

    assert results(outcomes) == ["same"] * 5
    assert outcomes[-1].now.action is Action.BLOCK


def test_equal_bytes_are_not_decoded():
    """Whoever compares the most part of a topic has no time for it."""

    def refuse(value):
        raise AssertionError

    said = [a_recorded(one.value, refuse) for one in recorded(UPLOADS)]
    rejudging, history = Rejudging(CODEC, VERSIONS, TODAY), a_history()

    for upload, one in zip(UPLOADS, said, strict=True):
        done = rejudging.judge(Item(0, 0, 0, upload, [one]), history)
        history = done.history
        assert (done.outcome.result, done.decision) == ("same", one.value)


def test_a_record_that_cannot_be_read_is_no_word():
    """It answers nothing, and what stands beside it does."""
    (said,) = recorded(UPLOADS[:1])
    broken = a_recorded(b"broken")

    assert said_of(UPLOADS[0], [broken, said]) == said_of(UPLOADS[0], [said])
    for content, result in (([broken, said], "same"), ([broken], "unknown")):
        item = Item(0, 0, 0, UPLOADS[0], content)
        done = Rejudging(CODEC, VERSIONS, TODAY).judge(item, a_history())
        assert done.outcome.result == result


def test_another_byte_is_a_difference_that_names_the_field():
    """Here somebody had another clause; the rest is not drawn into it."""
    said = recorded(UPLOADS)
    wrong = replace(CODEC.decode(said[2].value, RiskDecision), clause="odd")
    said[2] = a_recorded(CODEC.encode(wrong))

    outcomes, _ = replayed(UPLOADS, said)

    assert results(outcomes) == ["same", "same", "different", "same", "same"]
    assert outcomes[2].reason == "other clause"


def test_a_policy_that_is_gone_is_named_and_its_decisions_are_learned():
    """What it decided is not judged; what follows it still meets the same history."""
    said = recorded(UPLOADS[:3])
    decision = CODEC.decode(said[1].value, RiskDecision)
    gone = replace(decision.policy, sha256="dd" * 32)
    own_id = said_id(UPLOADS[1], "dd" * 32)
    value = CODEC.encode(replace(decision, policy=gone, decision_id=own_id))
    lost = a_recorded(value)

    outcomes, _ = replayed(UPLOADS[:3], [said[0], lost, said[2]])

    assert results(outcomes) == ["same", "different", "same"]
    assert outcomes[1].reason == f"policy {'dd' * 6}… is not here"
    assert outcomes[1].now is None


def said_id(upload, sha256):
    """Return a decision's id under a policy."""
    return decision_id(upload, upload.stage, sha256)


def test_a_head_that_is_gone_is_named():
    """The decision names a risk head that no file here has."""
    (said,) = recorded(UPLOADS[:1])
    decision = CODEC.decode(said.value, RiskDecision)
    models = (ModelUse("text_risk", "head", "ee" * 32),)
    other = a_recorded(CODEC.encode(replace(decision, models=models)))

    (outcome,), _ = replayed(UPLOADS[:1], [other])

    assert outcome.reason == f"risk head {'ee' * 6}… is not here"


@pytest.mark.parametrize("change", ["missing", "history"])
def test_the_reason_points_to_what_differed(change):
    """A signal that was missing then, and a history that was another."""
    then = list(UPLOADS)
    if change == "missing":
        then[4] = replace(then[4], missing=(Missing("text", "undecodable"),))
    said = recorded(then if change == "missing" else [*UPLOADS[:3], UPLOADS[4]])

    outcomes, _ = replayed([UPLOADS[4]] if change == "history" else UPLOADS, said)

    reason = outcomes[-1].reason
    assert ("missing" in reason) if change == "missing" else ("history" in reason)


def test_repeats_are_answered_and_not_counted_twice():
    """The same bytes again, and nothing for a hold after its final word."""
    early = an_upload("c0", stage=Stage.SCREENED)
    full = an_upload("c0", provisional_sent=True)
    stream = [early, full, full, early]

    outcomes, history = replayed(stream, recorded(stream))

    assert results(outcomes) == ["same", "same", "again", "old"]
    assert history.uploads == 1


def test_two_uploaders_of_one_content_id_do_not_mix():
    """Each meets the decision on their own upload, though the ids are equal."""
    other = an_upload("c0", uploader_id="u2")
    both = recorded([UPLOADS[0]]) + recorded([other])

    assert [one.decision.uploader_id for one in said_of(other, both)] == ["u2"]
    assert results(replayed([UPLOADS[0]], both)[0]) == ["same"]


def test_an_upload_judged_anew_under_another_policy_meets_both():
    """Out of its uploader's history it was judged twice; either word is right."""
    said = recorded(UPLOADS[:1], HARD) + recorded(UPLOADS[:1], MILD)

    assert results(replayed(UPLOADS[:1], said)[0]) == ["same"]


def test_what_was_never_recorded_is_unknown_and_learned_by_guess():
    """So that the others' histories go on."""
    outcomes, history = replayed(UPLOADS, recorded(UPLOADS)[:4])

    assert results(outcomes) == ["same"] * 4 + ["unknown"]
    assert history.uploads == 5


def test_what_if_learns_the_candidates_own_words():
    """What the candidate blocks is not learned from; the flips are its own."""
    candidate = Judge(DEFAULT_SCORERS, HARD)

    outcomes, history = replayed(UPLOADS, recorded(UPLOADS), candidate)

    histories = {}
    words = [decide(candidate, u, histories, CODEC.encode) for u in UPLOADS]
    assert [o.now for o in outcomes] == words
    assert [o.is_flip for o in outcomes] == [w.action is Action.BLOCK for w in words]
    assert any(o.is_flip for o in outcomes)
    assert history == histories["u1"]


def test_warming_up_learns_what_was_recorded_and_judges_nothing():
    """The history is what judging gave, bytes and all."""
    said = recorded(UPLOADS, HARD)
    rejudging = Rejudging(CODEC, Versions((MILD,), {HEAD: ()}), TODAY)
    history = a_history()
    for upload, one in zip(UPLOADS, said, strict=True):
        history = rejudging.warm(Item(0, 0, 0, upload, [one]), history)

    assert history == replayed(UPLOADS, said)[1]
