"""Rows of the bench about the stream: one worker on a real Kafka, against its peers."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from schemas.records import ContentIngested
from schemas.topics import TOPICS
from streams.kafka_broker import KafkaBroker
from streams.topic_admin import apply_topics
from tests.benchmarks import latency
from tests.benchmarks.encode_alone import EncodeAlone
from tests.benchmarks.flow import Flow
from tests.benchmarks.peers import installed
from tests.benchmarks.peers.process import NEEDS, Peer
from tests.benchmarks.table import Aim, Row
from tests.benchmarks.uploads import repeating_texts, texts, uploads
from tests.integration.worker_process import WorkerProcess

STAGES = (
    "screen",
    "judge",
)  # No text meets transcribe, and its models would only wait.
TEXT = Aim(
    "text uploads decided a second, through Kafka",
    "SentenceTransformer.encode alone on the same texts, sorted, best batch",
    0.95,
)
QUIX = Aim("text uploads decided a second", "Quix Streams, same models", 1.2)
BYTEWAX = Aim("text uploads decided a second", "Bytewax, same models", 1.2)
REPEATS = Aim(
    "text uploads decided a second, 70 % copies, through Kafka",
    "the same worker, all texts distinct",
    2.5,
)
CHEAP = Aim(
    "uploads decided a second, texts known, through Kafka",
    "a plain Faust agent that does the same and awaits each send",
    4.0,
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    count: int  # Uploads in a round.
    cheap: int  # The same, where no model runs.
    rounds: int
    load_s: float  # How long the half load lasts.


FULL = Size(count=480, cheap=3000, rounds=3, load_s=60)
QUICK = Size(count=24, cheap=60, rounds=1, load_s=4)


@dataclass
class Bench:
    """A broker, a warm worker, the peers that are here, and what was measured."""

    size: Size
    flow: Flow
    sound: Path
    peers: dict[str, Peer]
    absent: dict[str, str]  # Why a peer is not here.
    rates: dict[str, list[float]] = field(default_factory=dict)
    made: int = 0  # Texts and names are never used again.

    def next_texts(self, count: int) -> list[str]:
        """Return texts that nothing has seen."""
        self.made += count
        return texts(count, offset=self.made)

    def uploads(self, titles: list[str]) -> list[ContentIngested]:
        """Return uploads that nothing has seen, whatever their titles."""
        self.made += 1
        return uploads(f"b{self.made}", titles)

    def note(self, name: str, per_s: float) -> None:
        """Keep a rate."""
        self.rates.setdefault(name, []).append(per_s)

    def share(self, ours: str, theirs: str) -> tuple[float, str]:
        """Return the median of the rounds' ratios, and what the rates were."""
        pairs = list(zip(self.rates[ours], self.rates[theirs], strict=True))
        rate = {n: median(self.rates[n]) for n in (ours, theirs)}
        told = f"{rate[ours]:.1f}/s to {rate[theirs]:.1f}/s"
        return median(a / b for a, b in pairs), told


def rows(quick: bool) -> list[Row]:
    """Measure everything that one worker and one broker can tell."""
    size = QUICK if quick else FULL
    with _bench(size) as bench:
        found = _guarded((TEXT, QUIX, BYTEWAX), lambda: text_rows(bench))
        found += _guarded((REPEATS,), lambda: [repeats_row(bench)])
        found += _guarded((CHEAP,), lambda: [cheap_row(bench)])
        found += _guarded((latency.PROVISIONAL,), lambda: [provisional_row(bench)])
    return found


def provisional_row(bench: Bench) -> Row:
    """Half of what the worker manages of the same mix, at a steady rate."""
    for _ in range(2):  # The first round starts the decoders.
        bench.made += 1
        mixed = latency.mixed_uploads(
            bench.size.count, bench.sound.as_uri(), f"mix{bench.made}"
        )
        bench.note("mixed", bench.flow.per_s(list(mixed)))
    half = bench.rates["mixed"][-1] / 2
    return latency.provisional_row(bench.flow, bench.sound, half, bench.size.load_s)


def text_rows(bench: Bench) -> list[Row]:
    """New texts through the worker, the library alone and the peers, in turns."""
    alone = EncodeAlone(bench.size.count // 4)
    for _ in range(bench.size.rounds):
        new = bench.next_texts(bench.size.count)
        bench.note("worker", bench.flow.per_s(bench.uploads(new)))
        bench.note("encode", alone.per_s(new))
        for name in ("quix", "bytewax"):
            if name in bench.peers:
                flow = bench.peers[name].flow
                bench.note(name, flow.per_s(bench.uploads(new)))
    value, told = bench.share("worker", "encode")
    first = TEXT.row(
        value,
        f"{told}, batch {alone.best_batch}",
        "two cores, which the broker and our own Python share with the model",
    )
    return [first, _peer_row(bench, "quix", QUIX), _peer_row(bench, "bytewax", BYTEWAX)]


def repeats_row(bench: Bench) -> Row:
    """Spam repeats itself; the same number of distinct texts is the other side."""
    for _ in range(bench.size.rounds):
        count = bench.size.count
        new = bench.next_texts(count)
        bench.note("distinct", bench.flow.per_s(bench.uploads(new)))
        bench.next_texts(count)
        copies = repeating_texts(count, bench.made)
        bench.note("copies", bench.flow.per_s(bench.uploads(copies)))
    value, told = bench.share("copies", "distinct")
    return REPEATS.row(
        value,
        told,
        "3.3 at most, for 30 % of the texts are new; copies cost all but the model",
    )


def cheap_row(bench: Bench) -> Row:
    """Texts that the cache knows, through the worker and a plain Faust agent."""
    if "naive_faust" not in bench.peers:
        return CHEAP.unmeasured(bench.absent["naive_faust"])
    flow, known = bench.peers["naive_faust"].flow, bench.next_texts(8)
    for each in (bench.flow, flow):  # The first round is the one that learns them.
        each.decide(bench.uploads(known))
    for _ in range(bench.size.rounds):
        titles = [known[n % len(known)] for n in range(bench.size.cheap)]
        bench.note("cheap", bench.flow.per_s(bench.uploads(titles)))
        bench.note("faust", flow.per_s(bench.uploads(titles)))
    value, told = bench.share("cheap", "faust")
    return CHEAP.row(
        value,
        told,
        "one Python process: two topics, a transaction and two log lines for each",
    )


def _peer_row(bench: Bench, name: str, aim: Aim) -> Row:
    if name not in bench.peers:
        return aim.unmeasured(bench.absent[name])
    value, told = bench.share("worker", name)
    return aim.row(
        value,
        told,
        "two cores: beside the same model, the broker works for our second topic "
        "and for a transaction of each partition, which the peer does without",
    )


def _guarded(aims: tuple[Aim, ...], work: Callable[[], list[Row]]) -> list[Row]:
    """Return rows, or why there are none: one that fails must not take the others."""
    try:
        return work()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return [aim.unmeasured(reason) for aim in aims]


@contextmanager
def _bench(size: Size) -> Iterator[Bench]:
    """Start the broker, the worker and the peers side by side, and warm them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sound = latency.write_long_sound(folder)
        bootstrap = stack.enter_context(KafkaBroker()).bootstrap_servers
        apply_topics(bootstrap, TOPICS)
        flow = stack.enter_context(Flow(bootstrap))
        worker = stack.enter_context(
            WorkerProcess(
                folder / "worker.log",
                STAGES,
                bootstrap_servers=bootstrap,
                app_id="bench",
                asr="sphinx",
                media_root=str(folder),
            )
        )
        peers, absent = _start_peers(stack, bootstrap)
        worker.wait_ready()
        bench = Bench(size, flow, sound, peers, absent)
        flow.decide(uploads("warm", texts(size.count // 4, 900_000)))
        for name in list(peers):
            _warm(bench, name)
        yield bench


def _start_peers(
    stack: ExitStack, bootstrap: str
) -> tuple[dict[str, Peer], dict[str, str]]:
    peers, absent = {}, {}
    for name, package in NEEDS.items():
        if installed.is_here(package):
            peers[name] = stack.enter_context(Peer(name, bootstrap))
        else:
            absent[name] = f"{package} is not installed; run `make bench-peers`"
    return peers, absent


def _warm(bench: Bench, name: str) -> None:
    try:
        bench.peers[name].warm(bench.size.count // 4)
    except RuntimeError as error:
        del bench.peers[name]
        bench.absent[name] = str(error)
