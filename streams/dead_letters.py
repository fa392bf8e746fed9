"""Where an event goes that can't be decided: its topic's dead letters, untouched."""

from collections import deque
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from schemas.dead_letter import Failure, Origin, dead_letter_headers
from schemas.topics import dead_letter_topic
from streams.errors import HeadgateError, PermanentError
from streams.messages import Output, Record


class DeadLetterLimitError(HeadgateError):
    """Too many dead letters: the fault is more likely ours than theirs."""


@dataclass(frozen=True, slots=True)
class DeadLetterLimit:
    """More than `limit` dead letters among the last `window` events stop a stage.

    Counted in events, not in seconds, so that it means the same at any speed.
    """

    limit: int
    window: int


def app_version() -> str:
    """Return the installed version of Headgate."""
    try:
        return version("headgate")
    except PackageNotFoundError:  # Run from a checkout that is not installed.
        return "0"


class DeadLetters:
    """Builds one stage's dead letters and stops the stage when they never end."""

    def __init__(self, stage: str, group: str, limit: DeadLetterLimit) -> None:
        self._stage = stage
        self._group = group
        self._limit = limit
        self._buried = deque[bool](maxlen=limit.window)  # Of the last events.
        self._version = app_version()

    def letter(self, record: Record, error: PermanentError, attempts: int) -> Output:
        """Return the record's dead letter: same key, value and partition."""
        origin = Origin(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp_ms,
            consumer_group=self._group,
        )
        failure = Failure(
            stage=self._stage,
            error=type(error).__name__,
            reason=error.code,
            attempts=attempts,
            app_version=self._version,
        )
        headers = dead_letter_headers(origin, failure, record.headers)
        return Output(
            dead_letter_topic(record.topic),
            record.key,
            record.value,
            tuple(headers),
            record.partition,
        )

    def note_success(self) -> None:
        """An event of this stage went well."""
        self._buried.append(False)

    def note_burial(self, error: PermanentError) -> None:
        """A dead letter of this stage was written.

        Raises:
            DeadLetterLimitError: that was one too many; the stage must stop.
        """
        self._buried.append(True)
        buried = sum(self._buried)
        if buried > self._limit.limit:
            raise DeadLetterLimitError(
                f"{buried} dead letters among the last {len(self._buried)} events at "
                f"{self._stage}, the last for {error.code}; expected at most "
                f"{self._limit.limit} in {self._limit.window} "
                "(HEADGATE_DEAD_LETTER_LIMIT, HEADGATE_DEAD_LETTER_WINDOW). Look at "
                "them with `headgate dlq list`, mend the cause, start again, and send "
                "them round with `headgate dlq redrive`"
            )
