"""Row of the bench about delay: from an upload to its provisional decision."""

import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

from confluent_kafka import Producer

from schemas.records import ContentIngested, RiskDecision
from schemas.topics import DECISION, INGESTED
from streams.producer import producer_config
from tests.benchmarks.flow import GIVEN_UP_S, Decisions, Flow
from tests.benchmarks.table import Aim, Row, percentile
from tests.benchmarks.uploads import CODEC, output, texts, uploads, with_sound
from tests.media_builders import a_sound_file

PROVISIONAL = Aim(
    "p99 from upload to provisional decision, half load",
    "limit; 5 % of the uploads carry 90 s of sound",
    250.0,
    unit="ms",
    at_most=True,
)
SOUND_S = 90.0  # Over HEADGATE_PROVISIONAL_AFTER_S, which is 60.
EVERY = 20  # One upload in so many has sound: 5 %.
# What is sent before is not counted: the sender connects, decoders start.
SETTLED_S = 3.0


def write_long_sound(folder: Path) -> Path:
    """Write the sound that all uploads with sound carry."""
    path = folder / "long.mp3"
    path.write_bytes(a_sound_file("mp3", SOUND_S))
    return path


def provisional_row(flow: Flow, sound: Path, per_s: float, load_s: float) -> Row:
    """Send at a steady rate; see each first decision as a subscriber does."""
    count = max(EVERY, round(per_s * load_s))
    made = list(mixed_uploads(count, sound.as_uri(), "load"))
    decisions = Decisions(flow.bootstrap, DECISION.name)
    sent_s: dict[bytes, float] = {}
    sender = Thread(target=_send, args=(flow.bootstrap, made, per_s, sent_s))
    sender.start()
    try:
        seen_s = _first_decisions(decisions, count)
    finally:
        sender.join()
        decisions.close()
    since_s = min(sent_s.values()) + min(SETTLED_S, load_s / 4)
    delays = [
        ((at_s - sent_s[key]) * 1000, provisional)
        for key, (at_s, provisional) in seen_s.items()
        if sent_s[key] >= since_s
    ]
    held = [delay for delay, provisional in delays if provisional]
    usual = [delay for delay, provisional in delays if not provisional]
    if not held:
        raise RuntimeError("no upload with sound got a provisional decision")
    note = (
        f"{per_s:.1f} uploads/s, {len(held)} with sound, p50 "
        f"{percentile(held, 0.5):.0f} ms; texts p50 {percentile(usual, 0.5):.0f}, "
        f"p99 {percentile(usual, 0.99):.0f} ms"
    )
    return PROVISIONAL.row(
        percentile(held, 0.99), note, "waits for a micro-batch of texts before it"
    )


def mixed_uploads(count: int, sound_uri: str, name: str) -> Iterator[ContentIngested]:
    """Make uploads that nothing has seen, one in twenty with sound."""
    offset = 700_000 + zlib.crc32(name.encode()) % 1_000_000
    for n, one in enumerate(uploads(name, texts(count, offset))):
        sounds = n % EVERY == EVERY // 2
        yield with_sound(one, sound_uri) if sounds else one


def _send(
    bootstrap: str,
    made: list[ContentIngested],
    per_s: float,
    sent_s: dict[bytes, float],
) -> None:
    """Send evenly spaced; note when each was handed over."""
    config: dict[str, Any] = producer_config(bootstrap) | {"linger.ms": 0}
    producer = Producer(config)
    due_s = time.monotonic()
    for one in made:
        record = output(INGESTED.name, one)
        sent_s[record.key or b""] = time.monotonic()
        producer.produce(record.topic, key=record.key, value=record.value)
        producer.poll(0)
        due_s += 1 / per_s
        time.sleep(max(0.0, due_s - time.monotonic()))
    producer.flush()


def _first_decisions(
    decisions: Decisions, count: int
) -> dict[bytes, tuple[float, bool]]:
    """Return when each upload's first decision was seen, and if it is provisional."""
    seen: dict[bytes, tuple[float, bool]] = {}
    since_s = time.monotonic()
    while len(seen) < count:
        message = decisions.next()
        now_s = time.monotonic()
        if message is not None:
            since_s = now_s
            if message.key() not in seen:
                word = CODEC.decode(message.value(), RiskDecision)
                seen[message.key()] = (now_s, word.provisional)
        elif now_s - since_s > GIVEN_UP_S:
            raise TimeoutError(f"{len(seen)} of {count} uploads were decided")
    return seen
