"""Row of the bench about judging: cheap beside understanding."""

from encoders.embedding_cache import EmbeddingCache
from schemas.records import ContentSignals, Stage, TextSignal
from streams.batch_judge import BatchJudging
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.judge import Judge
from streams.messages import Record
from streams.retries import RetryBounds
from streams.scorers import default_scorers
from streams.settings import Settings, default_policy
from streams.telemetry import EventLog
from streams.wiring import build_text_encoder, build_text_risk, read_policy
from tests.benchmarks.table import Row, ratio, row
from tests.benchmarks.uploads import CODEC, texts
from tests.builders import an_event
from tests.fakes import FakeGuard


def rows(quick: bool) -> list[Row]:
    """Judging from signals, against embedding the same uploads' texts."""
    count, rounds = (40, 1) if quick else (400, 5)
    encoder = build_text_encoder(Settings())
    judge = Judge(default_scorers(build_text_risk()), read_policy(default_policy()))
    letters = DeadLetters("judge", "bench", DeadLetterLimit(50, 1000))
    judging = BatchJudging(
        judge, CODEC, letters, FakeGuard(), RetryBounds(1, 1), EventLog()
    )
    sample = texts(count, offset=100_000)
    vectors = encoder.embed(sample)
    records = [_record(n, sample[n], vectors[n].tobytes()) for n in range(count)]

    def embed() -> None:
        encoder._cache = EmbeddingCache()  # type: ignore[attr-defined]
        encoder.embed(sample)

    found = ratio(lambda: judging(records, {}), embed, rounds)
    return [row("uploads judged a second", found, "embedding their texts", 5.0)]


def _record(number: int, text: str, embedding: bytes) -> Record:
    signals = ContentSignals(
        an_event(f"c{number}", uploader_id=f"u{number}"),
        Stage.COMPLETE,
        texts=(TextSignal("title", text, embedding),),
    )
    value = CODEC.encode(signals)
    return Record("content.signals.v1", 0, number, 0, None, value)
