"""Rows of the bench about judging: cheap beside understanding, candidates beside it."""

from collections.abc import Sequence
from statistics import median
from time import process_time

from encoders.embedding_cache import EmbeddingCache
from schemas.records import ContentSignals, Stage, TextSignal
from streams.batch_judge import BatchJudging
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.judge import Judge
from streams.messages import Record
from streams.retries import RetryBounds
from streams.scorers import default_scorers
from streams.settings import Settings, default_policy
from streams.shadowing import Shadowing
from streams.shadows.shadow import Shadow
from streams.shadows.share import Share
from streams.telemetry import EventLog
from streams.wiring import build_text_encoder, build_text_risk, read_policy
from tests.benchmarks.table import Aim, Row, Work, ratio, row
from tests.benchmarks.uploads import CODEC, texts
from tests.builders import an_event
from tests.fakes import FakeGuard

_LIMIT = "encoding and addressing a record each, and asking the policy again"


def rows(quick: bool) -> list[Row]:
    """Judging from signals, against embedding the same uploads' texts."""
    count, rounds = (40, 1) if quick else (400, 5)
    encoder = build_text_encoder(Settings())
    policy = read_policy(default_policy())
    judge = Judge(default_scorers(build_text_risk()), policy)
    judging = _judging(judge, ())
    sample = texts(count, offset=100_000)
    vectors = encoder.embed(sample)
    records = [_record(n, sample[n], vectors[n].tobytes()) for n in range(count)]

    def embed() -> None:
        encoder._cache = EmbeddingCache()  # type: ignore[attr-defined]
        encoder.embed(sample)

    def beside() -> None:
        shadowed(records, {})

    shadowed = _judging(judge, (Shadow("bench", policy, Share("bench", 100.0)),))
    found = ratio(lambda: judging(records, {}), embed, rounds)
    return [
        row("uploads judged a second", found, "embedding their texts", 5.0),
        *_candidate_rows(lambda: judging(records, {}), beside, embed, 3 * rounds),
    ]


def _judging(judge: Judge, shadows: Sequence[Shadow]) -> BatchJudging:
    log = EventLog()
    return BatchJudging(
        judge,
        CODEC,
        DeadLetters("judge", "bench", DeadLetterLimit(50, 1000)),
        FakeGuard(),
        RetryBounds(1, 1),
        log,
        shadowing=Shadowing(shadows, CODEC, log),
    )


def _candidate_rows(
    alone: Work, beside: Work, embed: Work, rounds: int
) -> tuple[Row, Row]:
    """Return what one candidate for every uploader costs, in processor time."""
    times = [(_cpu_s(alone), _cpu_s(beside), _cpu_s(embed)) for _ in range(rounds)]
    alone_s, beside_s, embed_s = (median(side) for side in zip(*times, strict=True))
    name = "the same with one candidate beside the policy"
    whole = Aim(name, "without, texts embedded too, processor time", 0.95)
    only = Aim(name, "without, judging alone, processor time", 0.95)
    return (
        whole.row((embed_s + alone_s) / (embed_s + beside_s), "", _LIMIT),
        only.row(alone_s / beside_s, "", _LIMIT),
    )


def _cpu_s(work: Work) -> float:
    started_s = process_time()
    work()
    return process_time() - started_s


def _record(number: int, text: str, embedding: bytes) -> Record:
    signals = ContentSignals(
        an_event(f"c{number}", uploader_id=f"u{number}"),
        Stage.COMPLETE,
        texts=(TextSignal("title", text, embedding),),
    )
    value = CODEC.encode(signals)
    return Record("content.signals.v1", 0, number, 0, None, value)
