"""Facts about brakes where uploads are judged: limits, jumps, second approvals."""

import random
from dataclasses import replace

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    Action,
    BrakeCount,
    Category,
    Missing,
    RiskDecision,
    Stage,
)
from schemas.topics import BRAKE_STATE, SIGNALS
from streams.batch_judge import BatchJudging, brake_output
from streams.brake_notes import BrakeNotes
from streams.brake_records import PARTITION_KEY, state_of
from streams.braking import PartitionBrakes
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.errors import PolicyError
from streams.judge import Judge
from streams.pipeline import decide
from streams.policies.differences import compare
from streams.policy_file import parse_policy
from streams.replay.recorded import Recorded
from streams.replay.rejudge import Item, Rejudging
from streams.replay.versions import Version, Versions
from streams.retries import RetryBounds
from streams.rules.rule import Brake
from streams.scorers import Score
from tests.builders import a_history, signals
from tests.fakes import FakeGuard, FakeLog, a_record

CODEC = Codec(CommittedIds())
HEAD = "cc" * 32
POLICY = """
id: p
version: "1"
second_approval: {uploaders: [star], uploads_over: 40}
owner: me
rules:
  - id: spam
    clause: c
    action: limit
    when: score.fraud_spam >= 0.5 and not uploader_id in [nobody]
    brake: LIMITS
  - id: hate
    clause: c
    action: block
    when: score.hate >= 0.5
"""


class ByTitle:
    """Scores an upload by what its content id begins with."""

    name, models, languages = "by-title", (), None
    categories = (Category.HATE, Category.FRAUD_SPAM)

    def score(self, upload, history):
        """Give 0.9 to what says so, 0.1 to all the rest."""
        named = upload.event.content_id
        return tuple(
            Score("by-title", 0.9 if named.startswith(word) else 0.1, "said", category)
            for category, word in zip(self.categories, ("hate", "spam"), strict=True)
        )


def a_judge(limits="{per_hour: 12000}"):
    """Build a judge of a policy with one braked rule."""
    return Judge((ByTitle(),), parse_policy(POLICY.replace("LIMITS", limits), "p.yaml"))


class Partition:
    """A partition as the worker judges it, its state kept as encoded records."""

    def __init__(self, judge):
        self.log = FakeLog()
        letters = DeadLetters("judge", "headgate", DeadLetterLimit(50, 1000))
        self._judging = BatchJudging(
            judge, CODEC, letters, FakeGuard(), RetryBounds(1, 60), self.log
        )
        self.histories, self.changelog, self.state = {}, {}, None
        self.values = []

    def judge(self, *uploads):
        """Judge a batch and commit it; return the decisions."""
        records = [
            a_record(n, CODEC.encode(upload), topic=SIGNALS.name)
            for n, upload in enumerate(uploads)
        ]
        batch = self._judging(records, self.histories, self.state)
        self.histories |= batch.histories
        self.changelog |= batch.brake_values
        self.state = batch.brakes
        for finish in batch.finish:
            finish()
        said = [o.value for o in batch.outputs if o.topic == "risk.decision.v1"]
        self.values += said
        return [CODEC.decode(value, RiskDecision) for value in said]

    def restart(self):
        """Take the partition over: all that is known is on the changelog."""
        counts = (v for v in self.changelog.values() if v is not None)
        self.state = state_of(CODEC.decode(value, BrakeCount) for value in counts)


def spam(n, uploader=None, **fields):
    """Build an upload that the braked rule acts on."""
    return signals(f"spam{n}", uploader_id=uploader or f"u{n}", **fields)


def actions(decisions):
    """Return the actions, in lower case."""
    return [decision.action.lower() for decision in decisions]


def test_a_held_rule_asks_for_review_and_the_clause_says_so():
    """It still is among the rules that fired; what it would have done is kept."""
    partition = Partition(a_judge("{per_hour: 24}"))  # Two in each of 12 partitions.

    decided = partition.judge(*(spam(n) for n in range(3)))

    assert actions(decided) == ["limit", "limit", "review"]
    held = decided[2]
    assert (held.clause, held.braked, held.instead_of) == (
        "brake.spam",
        True,
        Action.LIMIT,
    )
    assert [(r.rule_id, r.action) for r in held.rules] == [("spam", Action.REVIEW)]
    ((rule_id, reason, action),) = [
        (b.rule_id, b.reason, b.action) for b in held.brakes
    ]
    assert (rule_id, action) == ("spam", Action.LIMIT)
    assert reason == "per_hour: acted 2 times in this hour and partition"
    assert not held.automated_decision
    assert (decided[0].braked, decided[0].brakes, decided[0].instead_of) == (
        False,
        (),
        None,
    )


def test_one_uploader_is_limited_and_others_are_not():
    """Until the next hour."""
    partition = Partition(a_judge("{per_uploader_per_hour: 1}"))

    first = partition.judge(spam(1, "a"), spam(2, "a"), spam(3, "b"))
    later = partition.judge(spam(4, "a", at_s=3600))

    assert actions(first) == ["limit", "review", "limit"]
    assert first[1].brakes[0].reason.startswith("per_uploader_per_hour: ")
    assert actions(later) == ["limit"]


def test_a_rule_whose_hit_rate_jumps_goes_to_people():
    """One in a hundred on the days before, then every upload."""
    partition = Partition(a_judge())
    for day in range(2):
        partition.judge(
            *(
                signals(f"{'spam' if n % 100 == 0 else 'c'}{day}-{n}",
                        uploader_id=f"u{n}", at_s=86_400 * day)
                for n in range(600)
            )
        )  # fmt: skip

    decided = partition.judge(*(spam(n, at_s=2 * 86_400) for n in range(40)))

    assert actions(decided)[0] == "limit"
    assert actions(decided)[-1] == "review"
    assert decided[-1].brakes[0].reason.startswith("hit_rate: jumped")


def test_a_stricter_rule_that_is_not_held_decides_as_ever():
    """The hold is told, but nothing was softened by it."""
    judge = a_judge("{per_hour: 12}")
    findings = judge.judge(spam(1), a_history()).findings
    hard = replace(findings, categories={c: 0.9 for c in ByTitle.categories})

    verdict = judge.policy.decide(hard, {"spam"})

    assert (verdict.action, verdict.clause) == (Action.BLOCK, "hate")
    assert (verdict.instead_of, [h.rule_id for h in verdict.held]) == (None, ["spam"])
    assert judge.policy.decide(hard, {"hate"}).instead_of is Action.BLOCK
    assert judge.policy.decide(hard, {"hate"}).clause == "brake.hate"


@pytest.mark.parametrize("uploader", ["star", "many"])
def test_a_second_approval_is_asked_for_on_whom_the_policy_names(uploader):
    """By id, or by how many uploads were learned of them; no brake is needed."""
    judge = a_judge()
    uploads = 0 if uploader == "star" else 41

    judged = judge.judge(
        signals("hate", uploader_id=uploader), a_history((), uploader, uploads=uploads)
    )

    decision = judged.decision
    assert (decision.action, decision.clause) == (
        Action.REVIEW,
        "second_approval.hate",
    )
    assert (decision.braked, decision.instead_of) == (True, Action.BLOCK)
    assert decision.brakes[0].reason.startswith("second_approval: ")


def test_a_second_approval_is_asked_for_after_a_campaign_was_found_too():
    """A later word knows no history, but how many uploads there were."""
    upload = signals("hate", uploader_id="many", stage=Stage.CAMPAIGN)

    judged = a_judge().judge(upload, a_history((), "many", uploads=41))

    assert judged.decision.clause == "second_approval.hate"


def test_on_everybody_else_nothing_changes():
    """Nor for a label on anybody: nobody is harmed by one."""
    policy = a_judge().policy
    label = parse_policy(POLICY.replace("LIMITS", "{per_hour: 9}").replace(
        "action: block", "action: label"), "p.yaml")  # fmt: skip
    findings = a_judge().judge(signals("hate"), a_history()).findings

    assert policy.decide(findings).held == ()
    star = replace(findings, uploader_id="star")
    assert policy.decide(star).action is Action.REVIEW
    assert (label.decide(star).action, label.decide(star).held) == (Action.LABEL, ())


def test_what_is_missing_does_not_block_a_second_approvals_uploader():
    """That action is automatic too; it is named by its clause."""
    text = POLICY.replace("LIMITS", "{per_hour: 9}") + "missing: {text: block}\n"
    policy = parse_policy(text, "p.yaml")
    findings = a_judge().judge(signals("c", uploader_id="star"), a_history((), "star"))
    lost = replace(findings.findings, missing=(Missing("text", "gone"),))

    verdict = policy.decide(lost)

    assert (verdict.action, verdict.clause, verdict.instead_of) == (
        Action.REVIEW,
        "second_approval.missing.text",
        Action.BLOCK,
    )


def test_what_is_blocked_for_another_reason_was_not_changed_by_a_hold():
    """The clause is another, but nobody is asked in place of an action."""
    text = POLICY.replace("LIMITS", "{per_hour: 9}") + "missing: {media: block}\n"
    policy = parse_policy(text, "p.yaml")
    findings = a_judge().judge(signals("hate"), a_history()).findings
    lost = replace(findings, missing=(Missing("media:audio", "gone"),))

    verdict = policy.decide(lost, {"hate"})

    assert (verdict.action, verdict.clause) == (Action.BLOCK, "missing.media")
    assert (verdict.instead_of, [h.rule_id for h in verdict.held]) == (None, ["hate"])


def test_a_later_word_on_an_upload_is_held_but_not_counted():
    """A sweep can't go round a limit, and an upload counts once."""
    partition = Partition(a_judge("{per_hour: 12}"))
    partition.judge(spam(1))
    before = dict(partition.changelog)

    (again,) = partition.judge(spam(1, stage=Stage.CAMPAIGN))

    assert (again.action, again.clause) == (Action.REVIEW, "brake.spam")
    assert partition.changelog == before


def test_a_time_in_the_future_does_not_stop_the_clock():
    """Else one upload of the year 3000 would hold a rule for ever."""
    partition = Partition(a_judge("{per_hour: 12}"))
    far = Missing("event_time", "too far in the future")
    partition.judge(spam(1))

    partition.judge(spam(2, at_s=86_400 * 365 * 900, missing=(far,)))

    assert actions(partition.judge(spam(3, at_s=3600))) == ["limit"]


def stream(seed, count=400):
    """Make uploads of a few uploaders over some hours, a third of them spam."""
    rng = random.Random(seed)
    return [
        signals(
            f"{'spam' if rng.random() < 0.3 else 'c'}{n}",
            uploader_id=f"u{rng.randrange(12)}",
            at_s=n * 60 + rng.randrange(-600, 600),
        )
        for n in range(count)
    ]


def test_a_restart_anywhere_gives_the_same_decisions():
    """What lies on the changelog is the whole state."""
    limits = "{per_hour: 60, per_uploader_per_hour: 2}"
    whole, parted = Partition(a_judge(limits)), Partition(a_judge(limits))
    uploads = stream(1)

    for n in range(0, len(uploads), 7):
        whole.judge(*uploads[n : n + 7])
        parted.judge(*uploads[n : n + 7])
        parted.restart()

    assert whole.values == parted.values
    assert whole.state == parted.state
    braked = [CODEC.decode(value, RiskDecision).braked for value in whole.values]
    assert 20 < sum(braked) < 100


def test_a_batch_judged_twice_comes_out_the_same():
    """What could not be committed left nothing behind."""
    partition = Partition(a_judge("{per_hour: 12}"))
    first = partition.judge(spam(1), spam(2))
    partition.histories, partition.state = {}, None

    assert partition.judge(spam(1), spam(2)) == first


def test_only_what_changed_is_written_beside_its_partition():
    """The partition's count with each batch, a rule's where it hit."""
    partition = Partition(a_judge())
    partition.judge(spam(1))
    partition.changelog.clear()

    partition.judge(signals("c1"))

    assert list(partition.changelog) == [PARTITION_KEY]
    output = brake_output(7, PARTITION_KEY, b"v")
    assert (output.topic, output.partition) == (BRAKE_STATE.name, 7)


def test_a_forgotten_rule_leaves_a_tombstone():
    """After 30 days without a hit nothing is kept of it."""
    partition = Partition(a_judge())
    partition.judge(spam(1))

    partition.judge(signals("c1", at_s=86_400 * 40))

    assert partition.changelog["spam"] is None


def test_a_policy_without_brakes_writes_no_state():
    """And counts nothing."""
    text = POLICY.replace("    brake: LIMITS\n", "")
    partition = Partition(Judge((ByTitle(),), parse_policy(text, "p.yaml")))

    decided = partition.judge(*(spam(n) for n in range(5)))

    assert actions(decided) == ["limit"] * 5
    assert partition.changelog == {}


def test_assess_shares_a_limit_with_no_other_partition():
    """The whole hourly limit is its own."""
    judge, histories, brakes = a_judge("{per_hour: 12}"), {}, PartitionBrakes()

    words = [decide(judge, spam(n), histories, CODEC.encode, brakes) for n in range(14)]

    assert actions(words) == ["limit"] * 12 + ["review"] * 2


def test_a_faithful_replay_gives_the_same_bytes():
    """It takes from the recorded decision what was held, from wherever it starts."""
    judge = a_judge("{per_hour: 60, per_uploader_per_hour: 2}")
    partition = Partition(judge)
    uploads = [u for u in stream(2) if u.event.uploader_id == "u1"]
    for upload in uploads:
        partition.judge(upload)

    versions = Versions((judge.policy,), {HEAD: (ByTitle(),)})
    rejudging = Rejudging(CODEC, versions, Version(judge.policy.sha256, HEAD))
    history, braked = a_history(()), 0
    for n, (upload, value) in enumerate(zip(uploads, partition.values, strict=True)):
        then = CODEC.decode(value, RiskDecision)
        row = Recorded(value, lambda value: CODEC.decode(value, RiskDecision))
        done = rejudging.judge(Item(0, n, n, upload, [row]), history)
        history, braked = done.history, braked + then.braked
        assert done.outcome.result == "same"
    assert braked


def test_a_recorded_hold_of_another_rule_is_a_difference():
    """Replay does not repeat whatever a decision says of its brakes."""
    judge = a_judge("{per_hour: 12}")
    partition = Partition(judge)
    partition.judge(spam(1))
    wrong = partition.judge(spam(2))[0]
    wrong = replace(wrong, brakes=(replace(wrong.brakes[0], rule_id="hate"),))
    row = Recorded(CODEC.encode(wrong), lambda value: wrong)
    versions = Versions((judge.policy,), {HEAD: (ByTitle(),)})
    rejudging = Rejudging(CODEC, versions, Version(judge.policy.sha256, HEAD))

    done = rejudging.judge(Item(0, 1, 1, spam(2), [row]), a_history((), "u2"))

    assert done.outcome.result == "different"
    assert "brakes" in done.outcome.reason


def test_a_held_rule_is_told_once_an_hour():
    """Not with every upload; each reason for itself, and after the commit only."""
    partition = Partition(a_judge("{per_hour: 12}"))
    decided = partition.judge(*(spam(n) for n in range(30)))
    assert partition.log.notes["rule_braked"] == 1

    now_s, log = [0.0], FakeLog()
    notes = BrakeNotes(log, lambda: now_s[0])
    for now_s[0] in (0.0, 3599.0, 3600.0):
        notes.tell(decided[-1])
    assert log.notes["rule_braked"] == 2


BAD = {
    "{}": "6:18: found nobody; expected somebody; write {uploads_over: 10000}",
    "{uploaders: u1}": "6:30: found text 'u1'; expected a list of uploader ids",
    "{uploads_over: -1}": "6:33: found -1; expected uploads, a whole number from 0",
    "{uploader: [u1]}": "6:19: found 'uploader'; expected who they are; did you mean",
}


@pytest.mark.parametrize(("given", "message"), BAD.items())
def test_a_bad_second_approval_is_refused_with_its_place(given, message):
    """And with what to write."""
    text = '# A comment\nid: p\nversion: "1"\nowner: me\ncategories: {}\n'

    with pytest.raises(PolicyError) as caught:
        parse_policy(f"{text}second_approval: {given}\n", "p.yaml")

    assert f"p.yaml:{message}" in str(caught.value)


def test_a_line_of_thresholds_may_have_a_brake():
    """Each of its steps is counted for itself."""
    line = "{limit: 0.3, block: 0.9, brake: {per_hour: 5}}"
    policy = parse_policy(
        f'id: p\nversion: "1"\ncategories: {{hate: {line}}}\n', "p.yaml"
    )

    assert policy.brakes == {n: Brake(5) for n in ("hate.limit", "hate.block")}


def test_a_difference_in_brakes_is_shown():
    """Whoever compares two policies sees who may be hit how often."""
    before = parse_policy(POLICY.replace("LIMITS", "{per_hour: 5}"), "a")
    after = POLICY.replace("LIMITS", "{per_hour: 7}").replace("over: 40", "over: 50")

    found = compare(before, parse_policy(after, "b"))

    assert found.changed[0].keys == (("brake.per_hour", "5", "7"),)
    assert found.settings == (("second_approval.uploads_over", "40", "50"),)
