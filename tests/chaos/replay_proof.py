"""`python -m tests.chaos.replay_proof`: a live run, replayed whole to the byte.

Signals of made-up uploads are judged by a real worker on a real Kafka, while two
policies are activated and the worker is killed once. Then `headgate replay` decides all
of them again, from the topics alone, and must come to the same bytes; the topics must
end where they ended. Prints one JSON line; exit code 1 if anything differs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from schemas.topics import DECISION, SIGNALS, TOPICS
from streams.kafka_broker import KafkaBroker
from streams.kafka_jars import fetch_jars
from streams.policy_activation import activation, activation_output
from streams.policy_folder import read_policy_files
from streams.producer import DeliveringProducer
from streams.settings import default_policy
from streams.topic_admin import apply_topics
from tests.integration.decided_signals import CODEC, Decided, uploads
from tests.integration.worker_process import environment_of

PARTITIONS = 3
UPLOADERS = 3000
LINE = "velocity: {limit: 0.8, review: 0.9,"


def activate(job: Decided, version: str, line: str) -> None:
    """Put the default policy in force with another threshold."""
    folder = job.folder / f"version-{version}"
    folder.mkdir()
    for file in default_policy().glob("*.yaml"):
        text = file.read_text().replace(LINE, line)
        text = text.replace('version: "4"', f'version: "{version}"')
        (folder / file.name).write_text(text)
    record = activation(read_policy_files(folder), datetime.now(UTC))
    producer = DeliveringProducer(job.bootstrap)
    producer.send_all([activation_output(CODEC, record)])
    producer.close()


def ends(bootstrap: str) -> dict[str, int]:
    """Return where each partition of the topics ends."""
    from confluent_kafka import Consumer, TopicPartition

    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "proof"})
    found = {}
    for topic in TOPICS:
        for number in reader.list_topics(topic.name).topics[topic.name].partitions:
            place = TopicPartition(topic.name, number)
            _, end = reader.get_watermark_offsets(place, timeout=10)
            found[f"{topic.name}/{number}"] = end
    reader.close()
    return found


def decide(job: Decided, total: int) -> float:
    """Have all of it decided in thirds; a death in the second. Return the seconds."""
    parts = [
        uploads(total // 3, seed, f"part{seed}", uploaders=UPLOADERS)
        for seed in range(3)
    ]
    started_s = time.monotonic()
    job.send(parts[0])
    with job.worker(default_policy(), policy_topic="true") as worker:
        worker.wait_ready()
        job.send(parts[1])
        activate(job, "5", "velocity: {limit: 0.3, review: 0.4,")
        time.sleep(5)
        worker.kill()
    with job.worker(default_policy(), policy_topic="true") as worker:
        worker.wait_ready()
        job.send(parts[2])
        activate(job, "6", "velocity: {limit: 0.6, review: 0.7,")
        while lag(job):
            worker.assert_alive()
            time.sleep(2)
        took_s = time.monotonic() - started_s
        worker.stop()
    return took_s


def lag(job: Decided) -> int:
    """Return how many signals are not judged yet."""
    from confluent_kafka import Consumer, TopicPartition

    reader = Consumer({"bootstrap.servers": job.bootstrap, "group.id": "decided-judge"})
    places = [TopicPartition(SIGNALS.name, n) for n in range(PARTITIONS)]
    behind = 0
    for place in reader.committed(places, timeout=10):
        _, end = reader.get_watermark_offsets(place, timeout=10)
        behind += end - max(place.offset, 0)
    reader.close()
    return behind


def replay(job: Decided) -> tuple[int, dict[str, object]]:
    """Replay everything by command; return its exit code and summary."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "streams.cli", "replay", "--json"),
            *("--processes", "2", "--out", str(job.folder / "replayed")),
        ],
        env=environment_of(job.folder, bootstrap_servers=job.bootstrap),
        capture_output=True,
        text=True,
    )
    sys.stderr.write(done.stderr[-2000:])
    return done.returncode, json.loads(done.stdout or "{}")


def main() -> None:
    """Run it and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=50_000)
    total = parser.parse_args().uploads
    with (
        tempfile.TemporaryDirectory() as folder,
        KafkaBroker(jars=fetch_jars()) as broker,
    ):
        apply_topics(broker.bootstrap_servers, TOPICS, partitions=PARTITIONS)
        job = Decided(broker.bootstrap_servers, Path(folder))
        live_s = decide(job, total)
        before, started_s = ends(job.bootstrap), time.monotonic()
        code, summary = replay(job)
        replay_s = time.monotonic() - started_s
        same_ends = ends(job.bootstrap) == before
        policies = sorted({d.policy.version for d in job.decisions()})
    told = {
        "signals": len(job.sent),
        "decisions": sum(v for n, v in before.items() if n.startswith(DECISION.name)),
        "policies": policies,
        "equal": summary.get("equal"),
        "results": summary.get("results"),
        "ends_unchanged": same_ends,
        "live_s": round(live_s, 1),
        "replay_s": round(replay_s, 1),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.exit(0 if code == 0 and told["equal"] and same_ends else 1)


if __name__ == "__main__":
    main()
