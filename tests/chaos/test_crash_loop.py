"""An upload at which the process dies: twice, and then it is a dead letter."""

import time

import pytest

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.ids import CommittedIds
from schemas.records import RiskDecision
from schemas.topics import DECISION, INGESTED, TOPICS, dead_letter_topic
from streams.kafka_broker import KafkaBroker
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.topic_admin import apply_topics
from tests.builders import an_event
from tests.chaos.fleet import Fleet
from tests.chaos.mutations import KILLER
from tests.integration.worker_process import environment_of

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.usefixtures("needs_kafka"),
]
CODEC = Codec(CommittedIds())
SEGMENTATION_FAULT = -11
UPLOADS = 40


def uploads():
    """Make uploads, one of which kills whoever embeds its text."""
    for n in range(UPLOADS):
        title = KILLER if n == 17 else f"song {n}"
        event = an_event(f"c{n}", uploader_id=f"u{n}", texts=(("title", title),))
        yield Output(INGESTED.name, event.content_id.encode(), CODEC.encode(event))


def settled(bootstrap):
    """Return the decided contents, and the dead letters."""
    records = list(tail(bootstrap, [DECISION.name], until_end=True))
    letters = list(tail(bootstrap, [dead_letter_topic(INGESTED.name)], until_end=True))
    return {CODEC.decode(r.value, RiskDecision).content_id for r in records}, letters


@pytest.fixture
def bootstrap(needs_kafka):
    """Return the address of a real Kafka with the uploads on it."""
    with KafkaBroker() as broker:
        apply_topics(broker.bootstrap_servers, TOPICS, partitions=4)
        producer = DeliveringProducer(broker.bootstrap_servers)
        producer.send_all(uploads())
        producer.close()
        yield broker.bootstrap_servers


def test_an_upload_that_kills_the_process_twice_is_buried_and_the_rest_decided(
    bootstrap, tmp_path
):
    """Two deaths, one dead letter with its bytes, and no innocent among the buried."""
    environment = environment_of(
        tmp_path, bootstrap_servers=bootstrap, asr="sphinx", session_timeout_s="6"
    ) | {"CHAOS_FAKE_TEXT": "1"}
    with Fleet(tmp_path, environment) as fleet:
        fleet.slot("only").start()
        deadline_s = time.monotonic() + 200
        decided, letters = set(), []
        while len(decided) + len(letters) < UPLOADS:
            assert time.monotonic() < deadline_s, (len(decided), len(letters))
            time.sleep(1)
            decided, letters = settled(bootstrap)
        exits = dict(fleet.exits)

    assert exits == {SEGMENTATION_FAULT: 2}
    assert decided == {f"c{n}" for n in range(UPLOADS) if n != 17}
    (letter,) = letters
    origin, failure = parse_dead_letter(letter.headers)
    assert (failure.reason, failure.attempts, origin.topic) == (
        "crash_loop",
        2,
        INGESTED.name,
    )
    assert CODEC.encode(
        an_event("c17", uploader_id="u17", texts=(("title", KILLER),))
    ) == (letter.value)
