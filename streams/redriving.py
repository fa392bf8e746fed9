"""Send dead letters round again: each once, however often this is run or interrupted.

Before a handful of letters is sent, a note for each says so and says where its source
partition ended; after the broker has confirmed them, another note says done. Both lie
beside the letter (schemas/redrive.py). Whoever finds the first without the second was
interrupted in between: the end of the source partition is then read for the headers
that redriven records carry, and only what is not there is sent.

Two at the same time could each send a letter: run one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.place import Place
from schemas.redrive import (
    NoteState,
    RedriveNote,
    note_headers,
    redrive_of,
    redriven_headers,
)
from streams.cluster import ANSWER_S, KAFKA_LOG, refused
from streams.dead_letter_desk import Desk, Letter, by_place
from streams.errors import TransientError
from streams.kafka_access import Kafka, as_access
from streams.kafka_tail import tail
from streams.ledger import TopicPartition as Partition
from streams.messages import Output, Record
from streams.producer import DeliveringProducer

# What an interruption leaves in doubt, and what is held in memory at once; a hundred of
# the largest records would be 800 MiB.
CHUNK_LETTERS = 100
CHUNK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Redriven:
    """What came of a redrive."""

    sent: int
    found_sent: int  # In doubt before; the source topic has them.


class Redriver:
    """Sends letters of one desk."""

    def __init__(
        self,
        kafka: Kafka,
        producer: DeliveringProducer,
        progress: Callable[[int], None] = lambda sent: None,
    ) -> None:
        self._kafka = kafka
        self._producer = producer
        self._progress = progress
        self.sent = 0

    def run(
        self, desk: Desk, letters: Sequence[Letter], *, again: bool = False
    ) -> Redriven:
        """Send the letters that were not sent yet, `again` all of them. Blocks.

        Raises:
            TransientError: not all were confirmed; run again to send the rest.
            PermanentError: the broker will never take one of them.
        """
        todo = [x for x in letters if again or desk.state(x) != "redriven"]
        doubted = [] if again else [x for x in todo if desk.state(x) == "in_doubt"]
        arrived = self._arrived(desk, doubted)
        found = [letter for letter in doubted if letter.of in arrived]
        self._note(_note(letter, "done", 0) for letter in found)
        rest = [letter for letter in todo if letter.of not in arrived]
        for chunk in _chunks(self._read(rest)):
            self._send(chunk)
        return Redriven(self.sent, len(found))

    def _send(self, chunk: Sequence[tuple[Letter, Record]]) -> None:
        ends = self._ends({_source(letter) for letter, _ in chunk})
        begun = [_note(x, "begun", ends[_source(x)]) for x, _ in chunk]
        self._note(begun)
        self._producer.send_all(_original(letter, record) for letter, record in chunk)
        self._note(_note(x, "done", ends[_source(x)]) for x, _ in chunk)
        self.sent += len(chunk)
        self._progress(self.sent)

    def _note(self, notes: Iterable[Output]) -> None:
        self._producer.send_all(notes)

    def _read(self, letters: Sequence[Letter]) -> Iterator[tuple[Letter, Record]]:
        """Read the letters' bytes, in one pass over their partitions."""
        wanted = by_place(letters)
        start: dict[Partition, int] = {}
        for at in wanted:
            place = (at.topic, at.partition)
            start[place] = min(at.offset, start.get(place, at.offset))
        for record in self._tail(start):
            letter = wanted.get(record.place)
            if letter is not None:
                yield letter, record

    def _arrived(self, desk: Desk, letters: Sequence[Letter]) -> frozenset[Place]:
        """Return which originals the source topics have, sent round."""
        start: dict[Partition, int] = {}
        for letter in letters:
            place, end = _source(letter), desk.notes[letter.of].end
            start[place] = min(end, start.get(place, end))
        seen = (redrive_of(record.headers) for record in self._tail(start))
        return frozenset(place for place in seen if place is not None)

    def _tail(self, start: Mapping[Partition, int]) -> Iterator[Record]:
        if start:
            topics = sorted({topic for topic, _ in start})
            yield from tail(self._kafka, topics, start=start, until_end=True)

    def _ends(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        access = as_access(self._kafka)
        consumer = Consumer(
            access.librdkafka()
            | {"group.id": "headgate-tail-ends", "log_level": 3, "logger": KAFKA_LOG}
        )
        ends = {}
        try:
            for place in partitions:
                asked = TopicPartition(*place)
                ends[place] = consumer.get_watermark_offsets(asked, timeout=ANSWER_S)[1]
        except KafkaException as error:
            why = refused(access, error, "Read", place[0])
            raise TransientError(f"{place[0]}[{place[1]}]: no end: {why}") from error
        finally:
            consumer.close()
        return ends


def _source(letter: Letter) -> Partition:
    return letter.origin.topic, letter.origin.partition


def _original(letter: Letter, record: Record) -> Output:
    time_ms = letter.origin.timestamp_ms
    return Output(
        letter.origin.topic,
        record.key,
        record.value,
        tuple(redriven_headers(record.headers, letter.of)),
        letter.origin.partition,
        None if time_ms < 0 else time_ms,
    )


def _note(letter: Letter, state: NoteState, end: int) -> Output:
    headers = note_headers(RedriveNote(letter.of, state, end))
    return Output(letter.at.topic, None, None, tuple(headers), letter.at.partition)


def _chunks(
    letters: Iterable[tuple[Letter, Record]],
) -> Iterator[list[tuple[Letter, Record]]]:
    chunk: list[tuple[Letter, Record]] = []
    size = 0
    for letter, record in letters:
        chunk.append((letter, record))
        size += letter.value_bytes
        if len(chunk) >= CHUNK_LETTERS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
