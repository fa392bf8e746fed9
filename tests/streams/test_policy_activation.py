"""Facts about the policy in force: how it is written, followed and refused."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import Action, PolicyFile
from schemas.topics import POLICY_ACTIVE
from streams.embedded_broker import EmbeddedBroker
from streams.errors import EventError
from streams.messages import Output, Record
from streams.policy_activation import (
    activated_policy,
    activation,
    activation_output,
    read_activation,
)
from streams.policy_folder import read_policy_files
from streams.policy_follower import PolicyFollower
from streams.producer import DeliveringProducer
from streams.settings import default_policy
from tests.fakes import FakeLog
from tests.streams.cli.test_commands import headgate

CODEC = Codec(CommittedIds())
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


def a_policy_file(folder, hate="0.5", version="1"):
    """Write a policy with one threshold."""
    path = folder / f"policy-{version}.yaml"
    path.write_text(
        f'id: ours\nversion: "{version}"\ncategories:\n  hate: {{block: {hate}}}\n'
    )
    return path


def an_activation(folder, **fields):
    """Build the record of such a policy."""
    return activation(read_policy_files(a_policy_file(folder, **fields)), NOW)


@pytest.fixture
def broker():
    """Return an embedded broker that has the topic."""
    with EmbeddedBroker() as running:
        running.ensure_topics([POLICY_ACTIVE.name])
        yield running.bootstrap_servers


def send(broker, *outputs):
    """Write records and wait until they are there."""
    producer = DeliveringProducer(broker)
    producer.send_all(outputs)
    producer.close()


def wait_until(seen):
    """Wait for what has to come, for a minute at most."""
    deadline_s = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_a_folder_comes_back_with_the_hash_it_had():
    """With its tests, over which the hash goes too."""
    files = read_policy_files(default_policy())
    output = activation_output(CODEC, activation(files, NOW, "why"))

    record = Record(output.topic, 0, 0, 0, output.key, output.value)
    read = read_activation(CODEC, record)

    assert (output.topic, output.key) == (POLICY_ACTIVE.name, read.sha256.encode())
    assert activated_policy(read).ref == files.checked().policy.ref
    assert read.note == "why"


@pytest.mark.parametrize(
    "change",
    [
        {"files": (PolicyFile("policy-1.yaml", "id: [1"),)},
        {"sha256": "0" * 64},
        {"files": ()},
    ],
)
def test_what_is_no_policy_or_another_one_is_refused(tmp_path, change):
    """Broken, tampered with, or empty."""
    with pytest.raises(EventError) as refused:
        activated_policy(replace(an_activation(tmp_path), **change))

    assert refused.value.code == "invalid_policy"


def test_a_worker_follows_and_keeps_the_last_good_one(broker, tmp_path):
    """It says that it is not ready until it can use the one in force."""
    send(broker, activation_output(CODEC, an_activation(tmp_path)))
    log, adopted = FakeLog(), []
    follower = PolicyFollower(broker, CODEC, log.note)
    try:
        assert follower.policy.version == "1"
        follower.tell(adopted.append)
        send(broker, Output(POLICY_ACTIVE.name, b"x", b"no Avro"))
        wait_until(follower.problems)
        assert follower.policy.version == "1"
        assert not adopted
        newer = an_activation(tmp_path, hate="0.9", version="2")
        older = replace(newer, activated_at=NOW - timedelta(days=1))
        send(broker, activation_output(CODEC, older))
        send(broker, activation_output(CODEC, newer))
        wait_until(lambda: adopted)
        wait_until(lambda: not follower.problems())
    finally:
        follower.close()

    assert [p.version for p in adopted] == ["2"]
    assert follower.policy.rules[0].action is Action.BLOCK
    assert log.notes["policy_switched"] == 2
    assert log.notes["policy_refused"] == 1


def test_nothing_in_force_is_no_policy(broker):
    """Then the worker judges by the one it was given."""
    follower = PolicyFollower(broker, CODEC, FakeLog().note)
    follower.close()

    assert follower.policy is None


def test_a_policy_is_activated_by_command(broker, tmp_path):
    """A dry run says what would be; the same one twice is activated once."""
    path = str(a_policy_file(tmp_path))

    def run(*arguments):
        return headgate("policy", *arguments, "--json", bootstrap_servers=broker)

    dry = json.loads(run("activate", path).stdout)
    first, second = (json.loads(run("activate", path, "--yes").stdout) for _ in "ab")

    assert [dry["activated"], first["activated"], second["activated"]] == [
        *(False, True, False)
    ]
    assert second["before"]["sha256"] == first["sha256"]
    assert json.loads(run("active").stdout)["version"] == "1"


def test_a_bad_policy_is_not_activated(broker, tmp_path):
    """With its place; nothing is written."""
    path = a_policy_file(tmp_path, hate="2")

    found = headgate(
        *("policy", "activate", str(path), "--yes"), bootstrap_servers=broker
    )

    assert found.returncode == 1
    assert "policy-1.yaml:4" in found.stdout + found.stderr
