"""Does one uploader's flood hold up the others? Two runs on one warm worker.

`python -m tests.chaos.fairness` sends uploads of many uploaders at a steady rate,
first alone, then beside 10,000 uploads of one uploader, and compares how long the
others' decisions take. Text only, so that two cores can do it all.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import RiskDecision
from schemas.topics import DECISION, INGESTED, TOPICS
from streams.kafka_broker import KafkaBroker
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.topic_admin import apply_topics
from tests.builders import an_event
from tests.integration.worker_process import WorkerProcess

CODEC = Codec(CommittedIds())
WARM_UPLOADS = 100
BURST_S = 0.1  # How often a rate's share is sent.


def upload(content_id: str, uploader_id: str) -> Output:
    """Return an upload with a title that nobody had before."""
    title = f"song number {content_id} of {uploader_id}"
    event = an_event(content_id, uploader_id=uploader_id, texts=(("title", title),))
    return Output(INGESTED.name, content_id.encode(), CODEC.encode(event))


def send_steadily(bootstrap: str, outputs: Iterator[Output], per_s: float) -> None:
    """Send at a rate until there is no more; 0: as fast as it goes."""
    producer = DeliveringProducer(bootstrap)
    share = max(1, round(per_s * BURST_S)) if per_s else 1_000_000
    try:
        due_s = time.monotonic()
        while batch := list(islice(outputs, share)):
            producer.send_all(batch)
            due_s += share / per_s if per_s else 0
            time.sleep(max(0.0, due_s - time.monotonic()))
    finally:
        producer.close()


def latencies_ms(bootstrap: str, prefix: str) -> list[int]:
    """Return how long each content's first final decision took, from the broker."""
    sent = {r.key: r.timestamp_ms for r in _all(bootstrap, INGESTED.name)}
    decided: dict[bytes, int] = {}
    for record in _all(bootstrap, DECISION.name):
        decision = CODEC.decode(record.value, RiskDecision)
        if not decision.provisional:
            decided.setdefault(record.key or b"", record.timestamp_ms)
    mine = [key for key in sent if key and key.startswith(prefix.encode())]
    return sorted(decided[key] - sent[key] for key in mine if key in decided)


def _all(bootstrap: str, topic: str):  # type: ignore[no-untyped-def]
    return tail(bootstrap, [topic], until_end=True)


def percentile(values: list[int], share: float) -> int:
    """Return the nearest-rank percentile of sorted values."""
    return values[min(len(values) - 1, int(share * len(values)))]


class Runs:
    """The two runs over one broker and one worker."""

    def __init__(self, bootstrap: str, others: int, per_s: float) -> None:
        self._bootstrap, self._others, self._per_s = bootstrap, others, per_s

    def run(self, name: str, flood: int, flood_per_s: float) -> list[int]:
        """Send the others' uploads, beside a flood if there is one."""
        flooding = threading.Thread(
            target=send_steadily,
            args=(
                self._bootstrap,
                (upload(f"flood-{name}-{n}", "flood") for n in range(flood)),
                flood_per_s,
            ),
        )
        flooding.start()
        others = (upload(f"{name}-{n}", f"u{n % 97}") for n in range(self._others))
        send_steadily(self._bootstrap, others, self._per_s)
        deadline_s = time.monotonic() + 240
        while len(found := latencies_ms(self._bootstrap, f"{name}-")) < self._others:
            if time.monotonic() > deadline_s:
                raise SystemExit(f"only {len(found)} of {self._others} were decided")
            time.sleep(2)
        flooding.join()
        return found


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Run both and compare."""
    with (
        tempfile.TemporaryDirectory() as folder,
        KafkaBroker() as broker,
    ):
        bootstrap = broker.bootstrap_servers
        apply_topics(bootstrap, TOPICS, partitions=4)
        settings = {"bootstrap_servers": bootstrap, "asr": "sphinx", "app_id": "fair"}
        with WorkerProcess(Path(folder) / "worker.log", **settings) as worker:
            worker.wait_ready()
            Runs(bootstrap, WARM_UPLOADS, options.per_s).run("warm", 0, 0)
            runs = Runs(bootstrap, options.others, options.per_s)
            alone = runs.run("alone", 0, 0)
            beside = runs.run("beside", options.flood, options.flood_per_s)
    facts: dict[str, object] = {"others": len(beside), "flood": options.flood}
    for name, found in (("alone", alone), ("beside", beside)):
        facts[f"{name}_p50_ms"] = percentile(found, 0.5)
        facts[f"{name}_p99_ms"] = percentile(found, 0.99)
    ratio = percentile(beside, 0.99) / percentile(alone, 0.99)
    return {**facts, "p99_ratio": round(ratio, 2)}


def main() -> None:
    """Print one JSON object; exit code 1 if the p99 grew more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", type=int, default=1200)
    parser.add_argument("--per-s", type=float, default=10)
    parser.add_argument("--flood", type=int, default=10_000)
    parser.add_argument("--flood-per-s", type=float, default=83, help="0: at once")
    parser.add_argument("--most", type=float, default=1.5, help="allowed p99 ratio")
    options = parser.parse_args()
    result = measure(options)
    print(json.dumps(result))  # noqa: T201 (the program's result)
    raise SystemExit(float(str(result["p99_ratio"])) > options.most)


if __name__ == "__main__":
    main()
