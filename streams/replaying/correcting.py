"""Sends a manifest's corrections: each once, and only where nothing newer was said.

The copies go first and risk.decision.v1 last, so that what is there was sent to all;
what an interruption left half sent is sent again with the same id and bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import monotonic, sleep
from typing import Final

from schemas.cloudevents import binary_headers
from schemas.codec import Codec
from schemas.records import Action, RiskDecision
from schemas.topics import DECISION, DECISION_CURRENT, REVIEW_REQUESTED
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.replaying.manifest import Correction
from streams.replaying.words import Words

CHUNK: Final = 100  # Between two looks at what was said meanwhile.
PER_S: Final = 100  # Corrections a second: subscribers act on each.


@dataclass(slots=True)
class Corrected:
    """What came of sending."""

    sent: int = 0
    sent_before: int = 0
    # An older word was repeated after the correction, which was sent anew, unchanged.
    sent_again: int = 0
    overtaken: int = 0  # A newer decision came after the manifest was made.


class Correcting:
    """Sends corrections at a bounded rate."""

    def __init__(
        self,
        words: Words,
        codec: Codec,
        producer: DeliveringProducer,
        *,
        source: str,
        per_s: float = PER_S,
        progress: Callable[[int], None] = lambda done: None,
        wait: Callable[[float], None] = sleep,
    ) -> None:
        """Prepare.

        Args:
            words: what was said on the corrections' contents.
            codec: of the topics' values.
            producer: writes.
            source: who says so, for the records' headers.
            per_s: corrections a second, at most.
            progress: told how many were looked at.
            wait: sleeps so many seconds.
        """
        self._words, self._codec, self._producer = words, codec, producer
        self._source, self._per_s = source, per_s
        self._progress, self._wait = progress, wait
        self.done = Corrected()

    def run(self, corrections: Iterator[Correction]) -> Corrected:
        """Send; blocks. A decision made within the same chunk's moment can cross it.

        Raises:
            TransientError: not all were confirmed; run again for the rest.
            PermanentError: we may not write there.
        """
        looked = 0
        while chunk := list(islice(corrections, CHUNK)):
            begun_s = monotonic()
            self._words.refresh()
            new, again = self._due(chunk)
            todo = [*new, *again]
            self._send([correction.now for correction in todo])
            self.done.sent += len(new)
            self.done.sent_again += len(again)
            looked += len(chunk)
            self._progress(looked)
            left_s = len(todo) / self._per_s - (monotonic() - begun_s)
            if left_s > 0:
                self._wait(left_s)
        return self.done

    def _due(
        self, chunk: Sequence[Correction]
    ) -> tuple[list[Correction], list[Correction]]:
        """Return what is to be sent for the first time, and what is to be again."""
        new: list[Correction] = []
        again: list[Correction] = []
        for correction in chunk:
            spoken = self._words.of(correction.content_id)
            if spoken.latest == correction.replaces:
                new.append(correction)
            elif spoken.latest != correction.now.decision_id:
                self.done.overtaken += 1
            elif spoken.last == correction.now.decision_id:
                self.done.sent_before += 1
            else:
                again.append(correction)
        return new, again

    def _send(self, decisions: Sequence[RiskDecision]) -> None:
        self._producer.send_all(
            self._output(topic, decision)
            for decision in decisions
            for topic in _copies(decision)
        )
        self._producer.send_all(self._output(DECISION.name, d) for d in decisions)

    def _output(self, topic: str, decision: RiskDecision) -> Output:
        headers = binary_headers(
            type=topic,
            source=self._source,
            id=decision.decision_id,
            subject=decision.content_id,
            time=decision.event_time,
            schema=f"{topic}-value",
        )
        key, value = decision.content_id.encode(), self._codec.encode(decision)
        return Output(topic, key, value, tuple(headers))


def _copies(decision: RiskDecision) -> list[str]:
    actions = {decision.action, *(market.action for market in decision.by_market)}
    asks = [REVIEW_REQUESTED.name] if Action.REVIEW in actions else []
    return [DECISION_CURRENT.name, *asks]
