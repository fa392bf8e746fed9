"""Facts about writing records and knowing that the broker has them."""

import asyncio
import threading

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.topics import TOPICS
from streams.embedded_broker import EmbeddedBroker
from streams.errors import PermanentError, TransientError
from streams.kafka_broker import free_port
from streams.kafka_jars import KAFKA_FILES
from streams.messages import Output
from streams.producer import MESSAGE_MAX_BYTES, DeliveringProducer, producer_config

OUTPUT = Output("t", b"k", b"v")


class FakeClient:
    """Stands in for librdkafka: `answers` says what each produce comes to."""

    def __init__(self, answers):
        self.answers = answers
        self.waiting = []

    def produce(self, topic, on_delivery, **record):
        """Take, refuse, or fail a record."""
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        self.waiting.append((on_delivery, answer))

    def poll(self, timeout):
        """Report what was taken."""
        threading.Event().wait(0.001)
        while self.waiting:
            on_delivery, answer = self.waiting.pop(0)
            on_delivery(answer, None)
        return 0

    def flush(self, timeout):
        """Report everything, as librdkafka does."""
        return self.poll(timeout)

    def purge(self):
        """Do nothing: nothing waits for long."""


def sent_over(answers, sends=1):
    """Send over fake clients that share `answers`; returns outcomes and clients."""
    clients = []

    def make(config):
        clients.append(FakeClient(answers))
        return clients[-1]

    async def run():
        producer = DeliveringProducer("unused", delivery_timeout_s=0.2, make=make)
        outcomes = [
            await asyncio.gather(producer.send(OUTPUT), return_exceptions=True)
            for _ in range(sends)
        ]
        producer.close()
        return [outcome for (outcome,) in outcomes]

    return asyncio.run(run()), clients


def test_keys_are_placed_where_faust_looks_and_retries_write_once():
    """The settings that the guarantees hang on."""
    config = producer_config("b:1")

    assert config["partitioner"] == "murmur2_random"
    assert config["enable.idempotence"] is True
    assert config["acks"] == "all"


def test_the_largest_record_of_any_topic_fits_everywhere():
    """Producer and real broker take what the table of topics allows."""
    largest = max(topic.max_message_bytes for topic in TOPICS)
    lines = (KAFKA_FILES / "server.properties").read_text().splitlines()
    broker = dict(line.split("=", 1) for line in lines if "=" in line)

    assert largest <= MESSAGE_MAX_BYTES
    assert largest <= int(broker["message.max.bytes"])


@pytest.mark.parametrize(
    "code", [KafkaError.REQUEST_TIMED_OUT, KafkaError._PURGE_QUEUE]
)
def test_a_failure_that_may_pass_is_transient(code):
    """What the broker may take later is left to the caller's retries."""
    (outcome,), _ = sent_over([KafkaError(code)])

    assert isinstance(outcome, TransientError)
    assert "topic t" in str(outcome)


def test_what_the_broker_will_never_take_is_permanent():
    """A refusal on delivery has the code of a refusal before it."""
    late, early = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), KafkaError.INVALID_RECORD

    outcomes, _ = sent_over([late, KafkaException(KafkaError(early))], sends=2)

    assert [type(outcome) for outcome in outcomes] == [PermanentError] * 2
    assert [o.code for o in outcomes] == ["message_too_large", "invalid_record"]


def test_a_full_queue_is_waited_for():
    """A send waits until there is room and then goes through."""
    (outcome,), (client,) = sent_over([BufferError(), BufferError()])

    assert outcome is None
    assert client.answers == []


def test_a_queue_that_stays_full_is_transient():
    """Waiting for room ends with the delivery timeout."""
    (outcome,), _ = sent_over([BufferError()] * 1000)

    assert isinstance(outcome, TransientError)
    assert "stayed full for 0.2 s" in str(outcome)


def test_a_producer_that_broke_for_good_is_replaced():
    """After librdkafka's fatal error the next send goes over a new client."""
    fatal = KafkaException(KafkaError(KafkaError._FATAL, "lost the id", fatal=True))

    (first, second), clients = sent_over([fatal, None], sends=2)

    assert isinstance(first, TransientError)
    assert second is None
    assert len(clients) == 2


def test_a_cancelled_send_disturbs_no_other():
    """Whoever stops waiting leaves the others' confirmations alone."""
    trouble = []

    async def run(address):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: trouble.append(context))
        producer = DeliveringProducer(address)
        sends = [asyncio.create_task(producer.send(OUTPUT)) for _ in range(50)]
        await asyncio.sleep(0)
        sends[0].cancel()
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        await asyncio.to_thread(producer.close)
        return outcomes

    with EmbeddedBroker() as broker:
        outcomes = asyncio.run(run(broker.bootstrap_servers))

    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert outcomes[1:] == [None] * 49
    assert trouble == []


def test_one_producer_serves_one_event_loop_after_another():
    """A loop that ended before its confirmation came does not hold up the next one."""

    async def leave_early(producer):
        task = asyncio.create_task(producer.send(OUTPUT))
        await asyncio.sleep(0)
        task.cancel()

    with EmbeddedBroker() as broker:
        producer = DeliveringProducer(broker.bootstrap_servers)
        asyncio.run(leave_early(producer))
        assert producer.send_all([]) == 0  # Waits: the confirmation has come.
        asyncio.run(asyncio.wait_for(producer.send(OUTPUT), 10))
        producer.close()


def test_a_broker_that_is_away_is_transient_and_close_ends():
    """Nothing is confirmed: the send says so in time, and closing does not hang."""
    producer = DeliveringProducer(f"127.0.0.1:{free_port()}", delivery_timeout_s=0.5)

    with pytest.raises(TransientError, match="is the broker up"):
        asyncio.run(producer.send(OUTPUT))
    with pytest.raises(TransientError):
        producer.send_all([Output("t", b"k", b"v")])
    producer.close(timeout_s=0.1)
    with pytest.raises(TransientError, match="closed"):
        asyncio.run(producer.send(OUTPUT))


def test_a_client_that_confirms_nothing_any_more_is_replaced():
    """Seen after a broker's restart: every record timed out, for ever."""
    clients = []

    def make(config):
        answers = [KafkaError(KafkaError._MSG_TIMED_OUT)] * 9 if not clients else []
        clients.append(FakeClient(answers))
        return clients[-1]

    async def run():
        producer = DeliveringProducer("unused", delivery_timeout_s=0.05, make=make)
        await asyncio.sleep(0.1)  # Longer than the timeout without a confirmation.
        with pytest.raises(TransientError):
            await producer.send(OUTPUT)
        await producer.send(OUTPUT)
        producer.close()

    asyncio.run(run())
    assert len(clients) == 2
