"""How long a takeover takes: 100,000 histories read back from a real Kafka.

`python -m tests.chaos.takeover` writes histories as judging leaves them, each three
times over as an uncompacted changelog has them, and reads all partitions side by side
as a worker does that takes every partition of another one over.
"""

import argparse
import json
import threading
from collections.abc import Iterator
from time import monotonic

from confluent_kafka import Consumer, TopicPartition

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import UploaderHistory
from schemas.topics import HISTORY, TOPICS
from streams.judge import Judge
from streams.kafka_broker import KafkaBroker
from streams.messages import Output
from streams.pipeline import decide
from streams.producer import DeliveringProducer
from streams.restoring import history_reader
from streams.scorers import DEFAULT_SCORERS
from streams.topic_admin import apply_topics
from tests.builders import a_policy, a_text_signal, signals

CODEC = Codec(CommittedIds())
WRITES = 3  # Of each history; an uploader with three uploads.


def a_history() -> bytes:
    """Return the encoded history of an uploader with three uploads."""
    judge = Judge(DEFAULT_SCORERS, a_policy())
    histories: dict[str, UploaderHistory] = {}
    for n in range(WRITES):
        upload = signals(f"c{n}", texts=(a_text_signal(),))
        decide(judge, upload, histories, CODEC.encode)
    (history,) = histories.values()
    return CODEC.encode(history)


def outputs(uploaders: int, value: bytes) -> Iterator[Output]:
    """Yield the changelog: every uploader, as often as they were written."""
    for _ in range(WRITES):
        for n in range(uploaders):
            yield Output(HISTORY.name, b"uploader-%d" % n, value)


def restored(bootstrap: str, partitions: int) -> tuple[int, float]:
    """Read all partitions side by side; return how many histories and seconds."""
    restore = history_reader(bootstrap)
    counts = [0] * partitions

    def read(partition: int) -> None:
        counts[partition] = len(restore(partition))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(partitions)]
    started_s = monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), monotonic() - started_s


def bare_read_s(bootstrap: str, partitions: int, records: int) -> float:
    """Return the seconds that librdkafka alone takes to read as much: the limit."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bare",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(HISTORY.name, n, 0) for n in range(partitions)])
    started_s, found = monotonic(), 0
    while found < records:
        found += len(consumer.consume(1000, 1.0))
    took_s = monotonic() - started_s
    consumer.close()
    return took_s


def measure(uploaders: int) -> dict[str, object]:
    """Write, read back, and compare with the bare client."""
    value = a_history()
    partitions = HISTORY.partitions
    with KafkaBroker() as broker:
        apply_topics(broker.bootstrap_servers, TOPICS)
        producer = DeliveringProducer(broker.bootstrap_servers)
        written = producer.send_all(outputs(uploaders, value))
        producer.close()
        bare_s = bare_read_s(broker.bootstrap_servers, partitions, written)
        found, took_s = restored(broker.bootstrap_servers, partitions)
    return {
        "histories": found,
        "history_bytes": len(value),
        "changelog_records": written,
        "restore_s": round(took_s, 2),
        "bare_read_s": round(bare_s, 2),
        "ratio": round(took_s / bare_s, 2),
    }


def main() -> None:
    """Print one JSON object; exit code 1 if a history is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploaders", type=int, default=100_000)
    uploaders = parser.parse_args().uploaders
    result = measure(uploaders)
    print(json.dumps(result))  # noqa: T201 (the program's result)
    raise SystemExit(result["histories"] != uploaders)


if __name__ == "__main__":
    main()
