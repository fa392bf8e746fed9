"""Facts about rights and redrives that only a real Kafka can show."""

import pytest

from schemas.dead_letter import Failure, Origin, dead_letter_headers
from schemas.topics import SCREENED, TOPICS, dead_letter_topic
from streams.acl_admin import Grant, apply_acls
from streams.dead_letter_desk import Wanted, read_desk
from streams.errors import StartError, TransientError
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.redriving import Redriver
from streams.topic_admin import apply_topics

pytestmark = pytest.mark.kafka
DLQ = dead_letter_topic(SCREENED.name)


class KilledProducer(DeliveringProducer):
    """Ends after it sent the letters, before it notes so."""

    def send_all(self, outputs):
        """Send, and break off behind the letters themselves."""
        outputs = list(outputs)
        sent = super().send_all(outputs)
        if outputs and outputs[0].topic == SCREENED.name:
            raise TransientError("killed")
        return sent


def test_letters_are_sent_once_over_an_interruption(fresh_kafka):
    """Those that a killed run had sent are found by what they carry."""
    apply_topics(fresh_kafka, TOPICS, partitions=4)
    producer = DeliveringProducer(fresh_kafka)
    failure = Failure("transcribe", "E", "retries_exhausted")
    for n in range(120):
        origin = Origin(SCREENED.name, n % 4, n, 1_700_000_000_000)
        headers = tuple(dead_letter_headers(origin, failure))
        producer.send_all([Output(DLQ, b"k", b"%d" % n, headers, n % 4)])

    def run(sender):
        desk = read_desk(tail(fresh_kafka, [DLQ], until_end=True))
        return Redriver(fresh_kafka, sender).run(desk, desk.choose(Wanted()))

    killed = KilledProducer(fresh_kafka)
    with pytest.raises(TransientError):
        run(killed)
    killed.close()
    second, third = run(producer), run(producer)
    producer.close()

    records = list(tail(fresh_kafka, [SCREENED.name], until_end=True))
    assert (second.sent, second.found_sent) == (20, 100)
    assert (third.sent, third.found_sent) == (0, 0)
    assert sorted(int(r.value) for r in records) == list(range(120))
    assert {r.timestamp_ms for r in records} == {1_700_000_000_000}


def test_a_kafka_that_checks_no_rights_is_named(kafka_bootstrap):
    """The setting that it lacks is in the sentence."""
    with pytest.raises(StartError, match=r"authorizer\.class\.name"):
        apply_acls(kafka_bootstrap, frozenset({Grant("User:a", "read", "topic", "t")}))
