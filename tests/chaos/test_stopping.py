"""A stop ends in time whatever is in work, and what was given up is done again."""

import json
import signal
import time
import urllib.request

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import MediaRef
from schemas.topics import DECISION, INGESTED, TOPICS
from streams.embedded_broker import EmbeddedBroker
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.topic_admin import apply_topics
from tests.builders import an_event
from tests.chaos.fleet import Slot
from tests.integration.worker_process import environment_of
from tests.long_sound import long_speech

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]
CODEC = Codec(CommittedIds())
STOP_S = 15


@pytest.fixture
def bootstrap():
    """Return the address of an embedded broker with one upload on it."""
    with EmbeddedBroker() as broker:
        apply_topics(broker.bootstrap_servers, TOPICS)
        producer = DeliveringProducer(broker.bootstrap_servers)
        event = an_event("c1", texts=(("title", "a song"),))
        producer.send_all([Output(INGESTED.name, b"c1", CODEC.encode(event))])
        producer.close()
        yield broker.bootstrap_servers


@pytest.fixture
def worker(bootstrap, tmp_path):
    """Return what starts a worker whose model takes so many milliseconds."""
    slots = []

    def start(model_ms, **variables):
        environment = environment_of(
            tmp_path,
            bootstrap_servers=bootstrap,
            asr="sphinx",
            judge_mode="ledger",
            media_root=str(tmp_path),
        )
        more = {"CHAOS_FAKE_TEXT": "1", "CHAOS_SLOW_MS": str(model_ms), **variables}
        slot = Slot("worker", tmp_path, environment | more, ())
        slots.append(slot)
        slot.start()
        return slot

    yield start
    for slot in slots:
        slot.signal(signal.SIGKILL)
        slot.process.wait()


def logged(slot, event, within_s=60):
    """Wait for a log line and return it."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        for line in slot.log.read_text().splitlines():
            if f'"event": "{event}"' in line:
                return json.loads(line)
        assert slot.alive, slot.log.read_text()[-2000:]
        time.sleep(0.2)
    raise AssertionError(f"no {event} in {slot.log.read_text()[-2000:]}")


def in_work(slot):
    """Say whether the worker tells of an event in work; its probes answer meanwhile."""
    address = logged(slot, "health_listening")["address"]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        told = answer.read().decode()
    return 'headgate_in_flight_events{lane="main",stage="screen"} 1.0' in told


def decided(bootstrap):
    """Return how many decisions there are."""
    return sum(1 for _ in tail(bootstrap, [DECISION.name], until_end=True))


def test_a_stop_in_the_middle_of_an_hours_work_ends_in_time(bootstrap, worker):
    """Exit code 0 within 15 s; the next worker does what was given up, unsuspected."""
    slot = worker(model_ms=3_600_000)
    while not in_work(slot):
        time.sleep(0.5)
    began_s = time.monotonic()
    slot.signal(signal.SIGTERM)

    assert slot.process.wait(STOP_S) == 0
    assert time.monotonic() - began_s < STOP_S
    assert decided(bootstrap) == 0

    again = worker(model_ms=0)
    assert logged(again, "worker_starting")["suspects"] == 0
    while not decided(bootstrap):
        assert again.alive
        time.sleep(0.5)


def test_a_second_signal_ends_at_once(worker):
    """Whoever can't wait need not send a SIGKILL."""
    slot = worker(model_ms=3_600_000)
    while not in_work(slot):
        time.sleep(0.5)
    slot.signal(signal.SIGTERM)
    logged(slot, "worker_stopping")
    slot.signal(signal.SIGTERM)

    assert slot.process.wait(2) == 1


def heard(log):
    """Return how many windows were heard so far."""
    return len(log.read_text().split()) if log.exists() else 0


@pytest.mark.parametrize(("how", "hours"), [(signal.SIGTERM, 3), (signal.SIGKILL, 0.5)])
def test_hours_of_speech_go_on_where_they_were(
    bootstrap, worker, tmp_path, shared_data, how, hours
):
    """A stop ends in time, and the next worker hears no finished window again."""
    file, log = tmp_path / "long.ogg", tmp_path / "heard.txt"
    utterance = (shared_data("speech_jfk") / "jfk.flac").read_bytes()
    file.write_bytes(long_speech(utterance, hours))
    event = an_event("c2", media=(MediaRef("audio", file.as_uri()),))
    producer = DeliveringProducer(bootstrap)
    producer.send_all([Output(INGESTED.name, b"c2", CODEC.encode(event))])
    producer.close()
    counting = {"CHAOS_HEARD": str(log)}
    slot = worker(0, CHAOS_WINDOW_MS="300", **counting)
    while heard(log) < 40:
        assert slot.alive, slot.log.read_text()[-2000:]
        time.sleep(0.2)
    began_s = time.monotonic()
    slot.signal(how)

    assert slot.process.wait(STOP_S) == (0 if how == signal.SIGTERM else -how)
    assert time.monotonic() - began_s < STOP_S
    before = heard(log)
    (journal,) = (tmp_path / "state" / "transcripts").iterdir()
    kept = len(journal.read_text().splitlines())
    assert kept >= before - 4  # A batch was at work.

    again = worker(0, CHAOS_WINDOW_MS="0", **counting)
    while (line := done(again, "c2")) is None:
        assert again.alive
        time.sleep(0.5)
    assert line["recalled"] == kept
    assert heard(log) - before == line["segments"] - kept
    while journal.exists():  # It goes once the broker has the signals.
        time.sleep(0.1)


def done(slot, content_id):
    """Return the log line of an upload that was transcribed; None before."""
    for text in slot.log.read_text().splitlines():
        if '"stage": "transcribe"' in text and f'"{content_id}"' in text:
            line = json.loads(text)
            if line["event"] == "event_done" and "recalled" in line:
                return line
    return None
