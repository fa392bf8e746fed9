"""How fast texts become vectors, against the library and against ourselves."""

from sentence_transformers import SentenceTransformer

from encoders.embedding_cache import EmbeddingCache
from encoders.model_files import find_text_model
from encoders.text import load_text_encoder
from tests.benchmarks.table import Row, Work, ratio, row, timed
from tests.benchmarks.uploads import texts

WORKER_BATCH = 128  # HEADGATE_BATCH_SIZE.


def rows(quick: bool) -> list[Row]:
    """Embedding: against the library's own, and against ourselves without a cache."""
    count, rounds = (40, 1) if quick else (400, 5)
    encoder = load_text_encoder("all-MiniLM-L6-v2", device="cpu", allow_download=False)
    folder = find_text_model("all-MiniLM-L6-v2", allow_download=False)
    library = SentenceTransformer(str(folder), device="cpu")
    sample = sorted(texts(count), key=len)

    def theirs(size: int) -> Work:
        return lambda: library.encode(sample, batch_size=size)

    best = min((8, 32, 64), key=lambda size: timed(theirs(size)))

    def fresh(batch: list[str]) -> Work:
        def work() -> None:
            encoder._cache = EmbeddingCache()  # type: ignore[attr-defined]
            encoder.embed(batch)

        return work

    repeats = [sample[n % (count * 3 // 10)] for n in range(count)]
    distinct = ratio(fresh(sample), theirs(best), rounds)
    spam = ratio(fresh(repeats), fresh(sample), rounds)
    mixed = texts(count)
    shuffled = [mixed[(n * 37) % count] for n in range(count)]

    def as_they_come() -> None:
        encoder._cache = EmbeddingCache()  # type: ignore[attr-defined]
        for first in range(0, count, WORKER_BATCH):
            encoder.embed(shuffled[first : first + WORKER_BATCH])

    stream = ratio(as_they_come, theirs(best), rounds)
    peer = f"SentenceTransformer.encode, sorted, batch {best}"
    return [
        row("texts embedded a second, distinct", distinct, peer, 1.5),
        row("texts a second, 70 % repeats", spam, "the same, all distinct", 2.5),
        row("texts embedded a second, in 128s as they come", stream, peer, 1.0),
    ]
