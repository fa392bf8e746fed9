"""`python -m tests.chaos.replay_proof`: a live run, replayed whole to the byte.

Signals of made-up uploads are judged by a real worker on a real Kafka, while two
policies are activated and the worker is killed once. Then `headgate replay` decides all
of them again, from the topics alone, and must come to the same bytes; the topics must
end where they ended. Among them are uploads that came as events and were understood by
the worker's models; those are replayed once more from their events. Prints one JSON
line; exit code 1 if anything differs.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.topics import DECISION, INGESTED, SIGNALS, TOPICS
from streams.kafka_broker import KafkaBroker
from streams.kafka_jars import fetch_jars
from streams.lag import LagMeter
from streams.messages import Output
from streams.policy_activation import activation, activation_output
from streams.policy_folder import read_policy_files
from streams.producer import DeliveringProducer
from streams.settings import default_policy
from streams.topic_admin import apply_topics
from tests.integration.decided_signals import CODEC, Decided, uploads
from tests.integration.understood_events import BY_EVENT, understood_events
from tests.integration.worker_process import environment_of

PARTITIONS = 3
UPLOADERS = 3000
STAGES = ("screen", "judge")
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


def send_events(job: Decided, count: int) -> None:
    """Write uploads as the platform does: the worker has to understand them."""
    producer = DeliveringProducer(job.bootstrap)
    producer.send_all(
        Output(INGESTED.name, event.content_id.encode(), CODEC.encode(event))
        for event in understood_events(job.folder, count)
    )
    producer.close()


def decide(job: Decided, total: int, from_events: int) -> float:
    """Have all of it decided in thirds; a death in the second. Return the seconds."""
    parts = [
        uploads((total - from_events) // 3, seed, f"part{seed}", uploaders=UPLOADERS)
        for seed in range(3)
    ]
    asked = {"policy_topic": "true", **understanding(job)}
    started_s = time.monotonic()
    job.send(parts[0])
    with job.worker(default_policy(), STAGES, **asked) as worker:
        worker.wait_ready()
        send_events(job, from_events)
        job.send(parts[1])
        activate(job, "5", "velocity: {limit: 0.3, review: 0.4,")
        time.sleep(5)
        worker.kill()
    with job.worker(default_policy(), STAGES, **asked) as worker:
        worker.wait_ready()
        job.send(parts[2])
        activate(job, "6", "velocity: {limit: 0.6, review: 0.7,")
        behind = lag_of(job)
        # Of `screen` first: what it has screened becomes signals of `judge`.
        while any(behind.measure().values()):
            worker.assert_alive()
            time.sleep(2)
        took_s = time.monotonic() - started_s
        worker.stop()
    return took_s


def understanding(job: Decided) -> dict[str, str]:
    """Return the settings by which events are understood, live and replayed."""
    return {"media_root": str(job.folder), "asr": "sphinx"}


def lag_of(job: Decided) -> LagMeter:
    """Tell how far the stages are behind what they are given."""
    stages = {"decided-screen": [INGESTED.name], "decided-judge": [SIGNALS.name]}
    return LagMeter({"bootstrap.servers": job.bootstrap}, stages)


def replay(job: Decided, stage: str, processes: int) -> tuple[int, dict[str, Any]]:
    """Replay everything by command; return its exit code and summary."""
    settings = {"bootstrap_servers": job.bootstrap, **understanding(job)}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "streams.cli", "replay", "--json"),
            *("--from-stage", stage, "--processes", str(processes)),
            *("--out", str(job.folder / f"replayed-from-{stage}")),
        ],
        env=environment_of(job.folder, **settings),
        capture_output=True,
        text=True,
    )
    sys.stderr.write(done.stderr[-2000:])
    return done.returncode, json.loads(done.stdout or "{}")


def understood_again(job: Decided) -> dict[str, int]:
    """Count by result the decisions on uploads that came as events."""
    with (job.folder / "replayed-from-ingested" / "decisions.jsonl").open() as lines:
        found = [json.loads(line) for line in lines]
    ours = (f for f in found if str(f["uploader_id"]).startswith(BY_EVENT))
    return dict(Counter(f["result"] for f in ours))


def main() -> None:
    """Run it and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=50_000)
    parser.add_argument("--from-events", type=int, default=1_000)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        KafkaBroker(jars=fetch_jars()) as broker,
    ):
        apply_topics(broker.bootstrap_servers, TOPICS, partitions=PARTITIONS)
        job = Decided(broker.bootstrap_servers, Path(folder))
        live_s = decide(job, asked.uploads, asked.from_events)
        before, started_s = job.bounds(), time.monotonic()
        code, summary = replay(job, "signals", processes=2)
        replay_s = time.monotonic() - started_s
        # Of all others there is no event; they are told, and make the histories.
        replay(job, "ingested", processes=1)
        understood = understood_again(job)
        same_ends = job.bounds() == before
        written = [
            end for (name, _), (_, end) in before.items() if name == DECISION.name
        ]
        policies = sorted({d.policy.version for d in job.decisions()})
    told = {
        "signals": len(job.sent),
        "decisions": sum(written),
        "policies": policies,
        "equal": summary.get("equal"),
        "results": summary.get("results"),
        "understood_again": understood,
        "ends_unchanged": same_ends,
        "live_s": round(live_s, 1),
        "replay_s": round(replay_s, 1),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    # What the killed worker had screened comes again: it repeats its word, or is old.
    is_whole = understood.get("same") == asked.from_events
    is_whole &= set(understood) <= {"same", "again", "old"}
    as_it_was = code == 0 and told["equal"] and same_ends
    sys.exit(0 if as_it_was and is_whole else 1)


if __name__ == "__main__":
    main()
