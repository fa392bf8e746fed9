"""Facts about the rights in deploy/kafka/acls.yaml: what the topics need, no more."""

import pytest

from schemas.topics import TOPICS, dead_letter_topic
from streams.access_rules import read_access_rules
from streams.acl_admin import apply_acls, grants_of
from streams.broker_check import STAGES
from streams.cli.acl_report import principals_of
from streams.embedded_broker import EmbeddedBroker
from streams.errors import StartError

# Who `schemas/topics.py` names, and the role that they have at Kafka.
ROLES = {
    "upload service": "producer",
    "headgate produce": "producer",
    "subscribers": "subscriber",
    "review service": "subscriber",
    "operators": "operator",
    "replay": "replay",
    "corrections": "corrector",
} | {stage: stage for stage in STAGES}
RULES = read_access_rules("headgate")
NAMES = {topic.name for topic in TOPICS}


def roles(topic, operation):
    """Return who has a right on a topic, by the rules."""
    return {r.role for r in RULES.rights if (r.name, r.operation) == (topic, operation)}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_the_rules_are_the_topics_readers_and_writers(topic):
    """Beyond them an operator reads everything and writes what is sent round again."""
    redriven = topic.record is None or dead_letter_topic(topic.name) in NAMES

    readers = {ROLES[name] for name in topic.read_by} | {"operator"}
    writers = {ROLES[name] for name in topic.written_by}
    assert roles(topic.name, "read") == readers
    assert roles(topic.name, "write") == writers | ({"operator"} if redriven else set())


def test_there_are_no_rules_for_topics_that_are_gone():
    """Every topic of the rules is one of ours, or begins as a replay's own do."""
    assert {r.name for r in RULES.rights if r.kind == "topic"} == {*NAMES, "replay."}


def test_replay_writes_nothing():
    """What re-judges an incident can't change what was decided."""
    assert {r.operation for r in RULES.of("replay")} == {"read", "describe"}
    (right,) = RULES.of("replay_topic")
    assert (right.name, right.prefixed) == ("replay.", True)


def test_every_role_has_a_user_and_rights():
    """And nobody has rights without being a role."""
    assert {r.role for r in RULES.rights} == set(RULES.principals)


def test_groups_and_transactional_ids_follow_the_app_id():
    """Two installations on one Kafka don't share them."""
    names = {r.name for r in read_access_rules("blue").of("judge") if r.kind != "topic"}

    assert names == {
        "blue-judge",
        "blue-judge-",
        "headgate-restore",
        "headgate-sweep",
    }


def test_only_the_judge_writes_in_transactions():
    """By ids that begin as its own do."""
    (right,) = [r for r in RULES.rights if r.kind == "transactional_id"]

    assert (right.role, right.name, right.prefixed) == (
        "judge",
        "headgate-judge-",
        True,
    )


def test_a_given_user_takes_a_role_over():
    """More than one may; the other roles keep theirs."""
    users = principals_of(["judge=User:a", "judge=User:b"])

    assert users["judge"] == ["User:a", "User:b"]
    assert users["screen"] == ["User:headgate-screen"]
    right = RULES.of("judge")[0]
    assert {g.principal for g in grants_of([right], users)} == {"User:a", "User:b"}


@pytest.mark.parametrize("option", ["judge", "judge=a", "judge=User:", "boss=User:a"])
def test_another_kind_of_principal_is_refused(option):
    """The sentence lists the roles."""
    with pytest.raises(StartError, match=r"expected role=User:name.*transcribe"):
        principals_of([option])


def test_the_embedded_broker_says_that_it_has_none():
    """Instead of pretending that rights were granted."""
    with EmbeddedBroker() as broker, pytest.raises(StartError, match="has no ACLs"):
        apply_acls(broker.bootstrap_servers, frozenset())
