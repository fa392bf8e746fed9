"""Applying a what-if under the brakes: what they hold goes to people, and says so."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from schemas.records import Action, BrakeCount
from schemas.topics import (
    BRAKE_STATE,
    DECISION_CURRENT,
    REVIEW_REQUESTED,
    SIGNALS,
)
from streams.errors import StartError
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.replaying.applying import HELD_AS_THEN, FlipsToApply, check_allowed
from streams.replaying.live_brakes import SOURCE, brakes_now
from streams.replaying.manifest import corrections_of, write_manifest
from streams.replaying.ranges import Offsets, partition_of
from streams.wiring import read_policy
from tests.streams.replaying.incident import (
    BLOCKED_WRONGLY,
    CODEC,
    PASSED_WRONGLY,
    RIGHT_POLICY,
    a_policy_file,
    an_upload,
    headgate,
)

RULE = "bank.y.block"
ONE_EACH = f"{{per_hour: {SIGNALS.partitions}}}"  # One in each partition.
ASKED = {"replay": "this"}


class Braked:
    """An incident with a candidate that has brakes."""

    def __init__(self, incident, brake=ONE_EACH):
        self.incident = incident
        self.folder = incident.folder / "what-if"
        self.path = a_policy_file(incident.folder, "3", RIGHT_POLICY, brake)
        self.policy = read_policy(self.path)

    def what_if(self):
        """Replay by the candidate."""
        self.incident.replay("what-if", policy=str(self.path))

    def brakes(self, now=None):
        """Read how they stand."""
        now = now or datetime.now(UTC)
        return brakes_now(self.incident.settings.kafka, CODEC, self.policy, now)

    def dry_run(self, now=None):
        """Write the manifest; return it, and the corrections by content."""
        flips = FlipsToApply(self.folder, self.policy, self.brakes(now))
        summary = write_manifest(self.folder, ASKED, flips)
        made = {one.content_id: one.now for one in corrections_of(self.folder)}
        return summary | {"left": flips.left}, made

    def place(self, uploader_id):
        """Say where an uploader is."""
        with Offsets(self.incident.settings.kafka) as offsets:
            count = len(offsets.partitions(SIGNALS.name))
        return partition_of(uploader_id, count)

    def allowed(self, already=()):
        """Work out anew which passed uploads one a partition leaves to the machine."""
        taken, free = set(already), set()
        by_place = Counter()
        lines = (self.folder / "flips.jsonl").read_text().splitlines()
        for flip in map(json.loads, lines):
            place = self.place(flip["uploader_id"])
            if flip["content_id"] in PASSED_WRONGLY:
                by_place[place] += 1
                if place not in taken:
                    taken.add(place)
                    free.add(flip["content_id"])
        assert max(by_place.values()) > 1, "no partition has two: nothing is held"
        return free

    def count_live(self, uploader_id, acted, hour):
        """Say on brake.state.v1 that the stream acted in an uploader's partition."""
        days = CODEC.encode(BrakeCount("", hour, 9))
        rule = CODEC.encode(BrakeCount(RULE, hour, 9, acted=acted))
        place = self.place(uploader_id)
        producer = DeliveringProducer(self.incident.bootstrap)
        producer.send_all(
            [
                Output(BRAKE_STATE.name, b":partition", days, partition=place),
                Output(BRAKE_STATE.name, RULE.encode(), rule, partition=place),
            ]
        )
        producer.close()


@pytest.fixture
def braked(incident):
    """A what-if by a candidate whose rules may act once a partition and hour."""
    made = Braked(incident)
    made.what_if()
    return made


def test_what_exceeds_the_brakes_is_held_for_review_and_says_so(braked):
    """In the decision and the manifest; what takes a block back is not held."""
    summary, made = braked.dry_run()

    allowed = braked.allowed()
    blocked = {c for c, d in made.items() if d.action is Action.BLOCK}
    held = {c: d for c, d in made.items() if d.braked}
    assert blocked == allowed
    assert set(held) == PASSED_WRONGLY - allowed != set()
    assert {c for c, d in made.items() if d.action is Action.ALLOW} == BLOCKED_WRONGLY
    for decision in held.values():
        ((rule, reason, action),) = (
            (b.rule_id, b.reason, b.action) for b in decision.brakes
        )
        assert (rule, action) == (RULE, Action.BLOCK)
        assert reason == "per_hour: acted 1 times in this hour and partition"
        assert (decision.action, decision.clause) == (Action.REVIEW, f"brake.{RULE}")
        assert (decision.instead_of, decision.automated_decision) == (
            Action.BLOCK,
            False,
        )
    assert summary["braked"] == len(held)
    assert summary["held"] == {f"{RULE}: per_hour": len(held)}
    assert summary["actions"]["allow -> review"] == len(held)


def test_what_the_stream_did_this_hour_is_taken_off(braked):
    """Where the live worker used the hour up, the apply has nothing left of it."""
    now = datetime.now(UTC)
    first = min(braked.allowed())
    uploader = an_upload(int(first[1:])).event.uploader_id
    braked.count_live(uploader, 1, int(now.timestamp()) // 3600)

    _, made = braked.dry_run(now)
    _, next_hour = braked.dry_run(now + timedelta(hours=1))

    blocked = {c for c, d in made.items() if d.action is Action.BLOCK}
    assert blocked == braked.allowed(already={braked.place(uploader)})
    assert first not in blocked
    assert next_hour[first].action is Action.BLOCK


def test_one_apply_after_another_has_no_new_limit(braked):
    """What the first did this hour is on risk.decision.v1, and counts."""
    now = datetime.now(UTC)
    braked.dry_run(now)
    agreed = list(corrections_of(braked.folder))
    done, _ = braked.incident.correct(agreed, source=SOURCE)

    _, again = braked.dry_run(now)
    _, later = braked.dry_run(now + timedelta(hours=1))

    assert done.sent == len(agreed)
    assert not [c for c, d in again.items() if d.action is Action.BLOCK]
    assert [c for c, d in later.items() if d.action is Action.BLOCK]
    reviews = braked.incident.decisions(REVIEW_REQUESTED.name)
    assert {d.content_id for d in reviews} == PASSED_WRONGLY - braked.allowed()
    latest = {d.content_id: d for d in braked.incident.decisions(DECISION_CURRENT.name)}
    assert {c for c in PASSED_WRONGLY if latest[c].action is Action.BLOCK} == (
        braked.allowed()
    )


def test_a_word_that_is_held_is_another_than_the_free_one(braked):
    """Their ids differ, so one is never sent for the other."""
    _, made = braked.dry_run()
    free = {
        one.content_id: one.now
        for one in FlipsToApply(braked.folder, braked.policy, None)
    }

    same = {c for c in made if made[c].decision_id == free[c].decision_id}
    assert same == set(made) - {c for c, d in made.items() if d.braked}


def test_a_manifest_that_the_brakes_no_longer_allow_is_refused(braked):
    """The stream went on meanwhile; what was sent already is not asked for again."""
    now = datetime.now(UTC)
    braked.dry_run(now)
    first = min(braked.allowed())
    uploader = an_upload(int(first[1:])).event.uploader_id
    made = list(corrections_of(braked.folder))
    check_allowed(made, braked.policy, braked.brakes(now), lambda one: True)
    braked.count_live(uploader, 1, int(now.timestamp()) // 3600)

    with pytest.raises(StartError, match=f"hold 1 by {RULE}: per_hour of the"):
        check_allowed(made, braked.policy, braked.brakes(now), lambda one: True)
    check_allowed(
        made, braked.policy, braked.brakes(now), lambda one: one.content_id != first
    )


def test_what_is_held_and_was_for_review_already_is_left(braked):
    """Nothing would change; it is counted."""
    file = braked.folder / "flips.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line["then"]["action"] == "allow":
            line["then"]["action"] = "review"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    summary, made = braked.dry_run()

    assert summary["left"] == {HELD_AS_THEN: len(PASSED_WRONGLY - braked.allowed())}
    assert summary["braked"] == 0
    assert set(made) == BLOCKED_WRONGLY | braked.allowed()


def test_a_policy_that_changed_since_the_replay_is_refused(braked):
    """Its brakes are not those that the decisions are by."""
    file = braked.path
    file.write_text(file.read_text() + "# another\n")
    changed = read_policy(file)

    with pytest.raises(StartError, match="changed since; replay into another --out"):
        list(FlipsToApply(braked.folder, changed, None))


def test_a_policy_without_brakes_reads_none(incident):
    """So whoever applies it needs no right to."""
    policy = read_policy(incident.right)
    nowhere = incident.settings.kafka

    assert brakes_now(nowhere, CODEC, policy, datetime.now(UTC)) is None


def test_an_operator_applies_under_the_brakes(incident):
    """The dry run says how many are held; made anew it needs no new replay."""
    candidate = a_policy_file(incident.folder, "3", RIGHT_POLICY, ONE_EACH)
    what_if = ("replay", "--policy", candidate, "--apply")
    folder = ("--out", incident.folder / "apply")

    code, said = headgate(incident, *what_if, *folder)
    again, made_anew = headgate(incident, *what_if, *folder, "--json")

    assert (code, again) == (0, 0), said + made_anew
    manifest = json.loads(made_anew)["manifest"]
    braked = manifest["braked"]
    assert 0 < braked < len(PASSED_WRONGLY)
    assert f"of these go to review, for brakes hold: {braked}" in said
    assert f"held: {RULE}: per_hour: {braked}" in said
    agree = ("--yes", manifest["sha256"][:12], "--json")
    code, said = headgate(incident, *what_if, *folder, *agree)
    assert (code, json.loads(said)["sent"]) == (0, manifest["corrections"]), said
    assert len(incident.decisions(REVIEW_REQUESTED.name)) == braked
    code, said = headgate(incident, *what_if, *folder, *agree)
    assert (code, json.loads(said)["sent"]) == (0, 0), said


def test_an_operator_is_refused_what_the_brakes_allow_no_more(braked):
    """With exit code 2, before anything is sent; a manifest made anew is accepted."""
    incident, out = braked.incident, ("--out", braked.folder)
    what_if = ("replay", "--policy", braked.path, "--apply", *out)
    manifest = json.loads(headgate(incident, *what_if, "--json")[1])["manifest"]
    before = len(incident.decisions())
    hour = int(datetime.now(UTC).timestamp()) // 3600
    for content in braked.allowed():
        uploader = an_upload(int(content[1:])).event.uploader_id
        # Of the next hour too, lest the clock's stroke falls between.
        braked.count_live(uploader, 1, hour + 1)

    code, said = headgate(incident, *what_if, "--yes", manifest["sha256"])

    assert code == 2
    assert "the brakes allow less than when the manifest was made" in said
    assert len(incident.decisions()) == before
    anew = json.loads(headgate(incident, *what_if, "--json")[1])["manifest"]
    assert anew["braked"] == len(PASSED_WRONGLY)
    agreed = headgate(incident, *what_if, "--yes", anew["sha256"], "--json")
    assert json.loads(agreed[1])["sent"] == anew["corrections"]
