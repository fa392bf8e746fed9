"""Facts about `why` on topics: what brakes held, and what is not here any more."""

from dataclasses import dataclass

import pytest

from schemas.records import RiskDecision
from schemas.topics import DECISION, TOPICS
from streams.brakes import Hold
from streams.embedded_broker import EmbeddedBroker
from streams.judge import Judge
from streams.kafka_tail import tail
from streams.messages import Output
from streams.pipeline import decide
from streams.producer import DeliveringProducer
from streams.replaying.asking import ask_why
from streams.replaying.request import Request
from streams.scorers import default_scorers
from streams.settings import load_settings
from streams.wire import signals_output
from streams.wiring import build_text_risk, read_policy
from tests.streams.replaying.incident import (
    ASKED,
    CODEC,
    RIGHT_POLICY,
    a_policy_file,
    an_upload,
)

RULE = "bank.x.block"
REASON = "per_hour: acted 9 times in this hour and partition"
SIGNALS = "content.signals.v1"


@dataclass
class Held:
    """A broker with an upload that a brake held, and the folder of policies."""

    bootstrap: str
    policies: list

    def why(self, today, known=()):
        """Ask, with one of the policies as today's."""
        settings = load_settings(
            bootstrap_servers=self.bootstrap, policy=str(self.policies[today])
        )
        asked = Request(
            content="c0", known_policies=tuple(str(self.policies[n]) for n in known)
        )
        (story,) = ask_why("c0", asked, settings, CODEC)[1]
        return story


@pytest.fixture
def held(tmp_path):
    """One upload, blocked by a rule that a brake held; policies in folders apart."""
    policies = []
    for version, thresholds in (("1", RIGHT_POLICY), ("2", {"x": 1.0, "y": 1.0})):
        folder = tmp_path / version
        folder.mkdir()
        brake = "{per_hour: 120}"
        policies.append(a_policy_file(folder, version, thresholds, brake))
    judge = Judge(default_scorers(build_text_risk()), read_policy(policies[0]))
    upload = an_upload(0)
    word = decide(judge, upload, {}, CODEC.encode, lambda *_: (Hold(RULE, REASON),))
    with EmbeddedBroker() as broker:
        broker.ensure_topics(topic.name for topic in TOPICS)
        producer = DeliveringProducer(broker.bootstrap_servers)
        producer.send_all(
            [
                signals_output(CODEC, SIGNALS, upload, ASKED),
                Output(DECISION.name, b"c0", CODEC.encode(word)),
            ]
        )
        producer.close()
        (record,) = tail(broker.bootstrap_servers, [DECISION.name], until_end=True)
        assert CODEC.decode(record.value, RiskDecision).braked
        yield Held(broker.bootstrap_servers, policies)


def test_what_a_brake_held_is_told_and_is_no_change_of_today(held):
    """The rule fired and had to wait; today's same policy under it says the same."""
    story = held.why(today=0)

    assert story["result"] == "same"
    rules = {r["id"]: (r["outcome"], r["came_of_it"]) for r in story["rules"]}
    assert rules[RULE] == ("fired", f"held: {REASON}")
    decision = story["decision"]
    assert (decision["action"], decision["instead_of"]) == ("review", "block")
    assert decision["brakes"] == [
        {"rule_id": RULE, "reason": REASON, "action": "block"}
    ]
    assert (story["today"]["changes"], story["today"]["rules"]) == (False, [])


def test_a_policy_that_is_gone_is_named_with_what_to_do(held):
    """And once it is brought, all can be told, by it and not by today's."""
    gone = held.why(today=1)
    brought = held.why(today=1, known=[0])

    assert gone["rules"] is None
    assert gone["result"] == "different"
    assert gone["rules_untold"].endswith(
        "is not here; name its file with --known-policy or --known-heads"
    )
    assert gone["today"]["policy"] == "2"
    assert brought["result"] == "same"
    assert brought["decision"]["policy"]["version"] == "1"
    fired = [r["id"] for r in brought["rules"] if r["outcome"] == "fired"]
    assert fired == [RULE]
    (changed,) = brought["today"]["rules"]
    assert (changed["id"], changed["now"]["outcome"]) == (RULE, "fired")
