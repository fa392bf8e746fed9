"""Facts about a Kafka with TLS, SASL and ACLs: who comes in, and what others are told.

Every refusal is told within 10 s, in one sentence that names its cause, and never with
a secret in it.
"""

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest
from confluent_kafka import KafkaError, Producer

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.ids import CommittedIds
from schemas.records import RiskDecision
from schemas.topics import DECISION, HISTORY, INGESTED, TOPICS, dead_letter_topic
from streams.access_rules import read_access_rules
from streams.acl_admin import apply_acls, grants_of
from streams.errors import StartError, TransientError
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.restoring import history_reader
from streams.transactions import TransactionalOutbox
from tests.builders import an_event
from tests.integration.worker_process import WorkerProcess
from tests.security.certificates import Authority
from tests.security.conftest import APP_ID, USERS
from tests.security.secured_kafka import PASSWORD

pytestmark = pytest.mark.kafka
CODEC = Codec(CommittedIds())
EVENT = {"content_id": "a", "uploader_id": "u", "kind": "title"}
TOLD_WITHIN_S = 10


def headgate(*arguments, **settings):
    """Run a command; returns what it did and how long it took, in seconds."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HEADGATE_")}
    variables = {f"HEADGATE_{name.upper()}": str(v) for name, v in settings.items()}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        input=json.dumps(EVENT),
        capture_output=True,
        text=True,
        env=clean | variables | {"NO_COLOR": "1"},
        timeout=120,
    )
    assert PASSWORD not in done.stdout + done.stderr
    return done, time.monotonic() - began


COMMANDS = {
    "topics": ("topics", "apply"),
    "produce": ("produce", "-"),
    "tail": ("tail", DECISION.name, "--until-end"),
    "worker": ("worker",),
}


def wrong_password(guarded):
    """Return a login with another password, and what is told."""
    settings = guarded.variables("worker") | {"kafka_password": "guess-5521"}
    return settings, "refused user 'worker' (SCRAM-SHA-512): wrong user name or passw"


def plaintext_client(guarded):
    """Return a client that speaks no TLS."""
    address = {"bootstrap_servers": guarded.broker.address_of("SASL")}
    return address, "speaks TLS, and HEADGATE_KAFKA_SECURITY_PROTOCOL is plaintext"


def plaintext_port(guarded):
    """Return a TLS client at the plain listener."""
    settings = guarded.variables("worker")
    settings["bootstrap_servers"] = guarded.broker.bootstrap_servers
    return settings, "does not speak TLS"


def wrong_authority(guarded):
    """Return a client that trusts another authority."""
    other = Authority(guarded.folder, "other-ca")
    settings = guarded.variables("worker") | {"kafka_ca": other.ca}
    return settings, "is not trusted: unable to get local issuer certificate"


def wrong_host(guarded):
    """Return a client at a listener whose certificate names another host."""
    return guarded.variables("worker", "ELSEWHERE"), "is not valid for '127.0.0.1'"


def wrong_mechanism(guarded):
    """Return a login by a mechanism that the listener does not take."""
    settings = guarded.variables("worker") | {"kafka_sasl_mechanism": "PLAIN"}
    return settings, "takes SCRAM-SHA-512"


def no_certificate(guarded):
    """Return a client without certificate at the mTLS listener."""
    settings = {
        "bootstrap_servers": guarded.broker.address_of("MTLS"),
        "kafka_security_protocol": "ssl",
        "kafka_ca": guarded.authority.ca,
    }
    return settings, "asks for a client certificate (mTLS): set HEADGATE_KAFKA_CERT"


def missing_right(guarded):
    """Return a right login of somebody who may do nothing."""
    return guarded.variables("stranger"), "user 'stranger' may not"


WRONG = (
    *(wrong_password, plaintext_client, plaintext_port, wrong_authority, wrong_host),
    *(wrong_mechanism, no_certificate, missing_right),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda case: case.__name__)
@pytest.mark.parametrize("command", ["tail", "worker"])
def test_a_refusal_is_told_with_its_cause_within_ten_seconds(guarded, command, wrong):
    """Exit code 2 and one sentence; what Kafka itself says is only a timeout."""
    settings, told = wrong(guarded)

    done, seconds = headgate(*COMMANDS[command], **settings)

    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "guess-5521" not in done.stderr
    assert seconds < TOLD_WITHIN_S


@pytest.mark.parametrize("command", ["topics", "produce"])
def test_the_other_commands_tell_a_wrong_password_too(guarded, command):
    """They reach Kafka by the same door."""
    settings, told = wrong_password(guarded)

    done, seconds = headgate(*COMMANDS[command], **settings)

    assert (done.returncode, told in done.stderr) == (2, True)
    assert seconds < TOLD_WITHIN_S


@pytest.mark.parametrize(
    ("user", "command", "told"),
    [
        ("subscriber", "produce", "may not Write the topic content.ingested.v1"),
        ("uploads", "tail", "may not Describe the topic risk.decision.v1"),
        ("uploads", "worker", "may not Read the topic bank.entry.v1"),
        ("operator", "worker", "may not Write the topic brake.state.v1"),
    ],
)
def test_a_missing_right_is_named_with_what_to_do(guarded, user, command, told):
    """User, operation and resource, and the command that grants it."""
    done, seconds = headgate(*COMMANDS[command], **guarded.variables(user))

    assert f"user '{user}' {told}" in done.stderr
    assert "headgate topics apply --acls" in done.stderr
    assert done.returncode == 2
    assert seconds < TOLD_WITHIN_S


def test_a_worker_of_another_name_lacks_its_group(guarded):
    """Groups and transactional ids are granted by HEADGATE_APP_ID."""
    settings = guarded.variables("worker") | {"app_id": "other"}

    done, _ = headgate("worker", "--stage", "screen", **settings)

    assert "may not Read the group other-screen" in done.stderr


def test_applying_again_changes_nothing(guarded):
    """Rights that are there are told as such; who may not look is told that."""
    wanted = grants_of(read_access_rules(APP_ID).rights, USERS)

    reports = apply_acls(guarded.broker.bootstrap_servers, wanted)
    assert {report.state for report in reports} == {"exists"}

    with pytest.raises(StartError, match="user 'worker' may not Describe the cluster"):
        apply_acls(guarded.access("worker"), wanted, dry_run=True)


def test_a_dry_run_grants_nothing_and_tells_missing_and_extra(guarded):
    """A new judge's rights are missing, the old one's are extra; twice the same."""
    arguments = ("topics", "apply", "--acls", "--dry-run", "--json")
    users = [f"--principal={r}={u}" for r, (u,) in USERS.items() if r != "judge"]
    settings = {
        "bootstrap_servers": guarded.broker.bootstrap_servers,
        "app_id": APP_ID,
    }
    for _ in range(2):
        done, _ = headgate(*arguments, *users, "--principal=judge=User:j", **settings)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        found = {(r["principal"], r["name"], r["state"]) for r in rows if "name" in r}

        assert ("User:j", "risk.decision.v1", "missing") in found
        assert ("User:worker", "risk.decision.v1", "extra") in found
        assert ("User:worker", "content.screened.v1", "exists") in found
        assert done.returncode == 1


def test_a_client_certificate_is_a_login(guarded):
    """At the mTLS listener the certificate's name has the rights of that user."""
    certificate, key = guarded.authority.issue("subscriber")
    settings = {
        "bootstrap_servers": guarded.broker.address_of("MTLS"),
        "kafka_security_protocol": "ssl",
        "kafka_ca": guarded.authority.ca,
        "kafka_cert": certificate,
        "kafka_key": key,
    }
    done, _ = headgate(*COMMANDS["tail"], **settings)
    assert (done.returncode, done.stderr) == (0, "")

    refused, _ = headgate(*COMMANDS["produce"], **settings)
    assert "client certificate's user may not Write" in refused.stderr


def test_the_transactional_outbox_restores_and_writes_with_the_judges_rights(guarded):
    """Aiokafka's producer and admin client log in too; others' ids are refused."""

    def outbox(user):
        return TransactionalOutbox(
            ("content.signals.v1", 0),
            kafka=guarded.access(user),
            group_id=f"{APP_ID}-judge",
            max_message_bytes=1_000_000,
        )

    async def commit():
        mine = outbox("worker")
        start = await mine.open()
        history = Output(HISTORY.name, b"u1", b"state", partition=3)
        await mine.commit([], [history], start + 1)
        again = await mine.open()
        await mine.close()
        return start, again

    start, again = asyncio.run(commit())
    assert again == start + 1
    assert history_reader(guarded.access("worker"))(3)["u1"] == b"state"

    async def refused():
        other = outbox("uploads")
        try:
            await other.open()
        finally:
            await other.close()

    with pytest.raises(TransientError, match="TransactionalIdAuthorizationFailed"):
        asyncio.run(refused())


@pytest.mark.models
@pytest.mark.slow
def test_a_worker_with_its_roles_rights_works_end_to_end(guarded, tmp_path):
    """Uploads in, decisions out, bad bytes to the operator; again after a restart."""
    settings = guarded.variables("worker") | {"asr": "sphinx", "session_timeout_s": "6"}
    uploads = DeliveringProducer(guarded.access("uploads"))

    def send(first):
        events = [
            an_event(f"c{n}", uploader_id="u", texts=(("title", f"song {n}"),))
            for n in range(first, first + 5)
        ]
        outputs = [Output(INGESTED.name, b"k", CODEC.encode(e)) for e in events]
        uploads.send_all([*outputs, Output(INGESTED.name, b"k", b"no avro")])

    for first in (0, 5):
        send(first)
        with WorkerProcess(tmp_path / f"{first}.log", **settings) as worker:
            wait_for_decisions(guarded, worker, first + 5)
            assert worker.stop() == 0
        assert PASSWORD not in (tmp_path / f"{first}.log").read_text()
    uploads.close()
    letters = tail(
        guarded.access("operator"), [dead_letter_topic(INGESTED.name)], until_end=True
    )
    assert [parse_dead_letter(r.headers)[1].stage for r in letters] == ["screen"] * 2


def wait_for_decisions(guarded, worker, count):
    """Wait, as a subscriber, until that many contents are decided."""
    deadline = time.monotonic() + 180
    decided = set()
    while len(decided) < count:
        worker.assert_alive()
        assert time.monotonic() < deadline, f"{len(decided)} of {count}"
        records = tail(guarded.access("subscriber"), [DECISION.name], until_end=True)
        decided = {CODEC.decode(r.value, RiskDecision).content_id for r in records}
        time.sleep(0.5)


def test_replay_works_with_rights_to_read_alone(guarded, tmp_path):
    """It reads what it needs, and the broker refuses its user every write."""
    done, _ = headgate(
        *("replay", "--json", "--processes", "1", "--out", str(tmp_path / "out")),
        **guarded.variables("replay"),
    )

    assert done.returncode in (0, 1), done.stderr
    assert json.loads(done.stdout)["kind"] == "faithful"
    refused = []
    # Not idempotent: it would be refused before it asked for any topic.
    config = guarded.access("replay").librdkafka() | {"log_level": 0}
    producer = Producer(config)
    for topic in TOPICS:
        producer.produce(topic.name, b"v", on_delivery=lambda e, _: refused.append(e))
    assert producer.flush(60) == 0
    code = KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert [error.code() for error in refused] == [code] * len(TOPICS)


def test_every_topic_of_ours_is_there(guarded):
    """The administrator sees them all; a subscriber only its own."""
    done, _ = headgate(
        *("topics", "apply", "--dry-run", "--partitions", "4", "--json"),
        bootstrap_servers=guarded.broker.bootstrap_servers,
    )
    states = [json.loads(line)["state"] for line in done.stdout.splitlines()]
    assert states == ["exists"] * len(TOPICS)
