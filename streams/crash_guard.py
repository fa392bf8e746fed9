"""Keeps one event from killing the process again and again.

After an unclean end, every event that was in work is a suspect and is set alone: one
suspect at a time in the whole process, so that a second death points at one event. That
one becomes a dead letter, undecoded, and the stream goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from schemas.place import Place
from streams.errors import PermanentError
from streams.journal import Journal
from streams.messages import Record

# Deaths at the same offset. One may be anybody's: a power cut, an operator's kill.
STRIKES = 2
# What kills a process does so soon: a decoder's fault, an allocation. After this the
# next suspect has its turn, so that an hour of speech does not hold up every other.
ALONE_FOR_S = 10.0


class CrashLoopError(PermanentError):
    """The process died at this event before."""

    def __init__(self, deaths: int) -> None:
        super().__init__(
            "crash_loop", f"the process died {deaths} times while it was in work"
        )
        self.attempts = deaths


class Guard(Protocol):
    """What a stage asks before and while it works on events."""

    def refuse(self, record: Record) -> None:
        """Refuse an event that must not be read any more.

        Raises:
            CrashLoopError: it killed the process too often.
        """

    def is_suspect(self, record: Record) -> bool:
        """Say whether the process died while this event was in work."""

    def clear(self, place: Place) -> None:
        """Hold nothing against an event so far: it got further than where it died."""

    def watch(self, records: Sequence[Record]) -> AbstractAsyncContextManager[None]:
        """Hold events as in work; a suspect waits for its turn alone."""


class CrashGuard:
    """The guard of one process, over its journal."""

    def __init__(self, journal: Journal, alone_for_s: float = ALONE_FOR_S) -> None:
        self._journal = journal
        self._alone_for_s = alone_for_s
        self._turn = asyncio.Lock()

    def refuse(self, record: Record) -> None:
        """See `Guard`."""
        if (deaths := self._journal.strikes(record.place)) >= STRIKES:
            raise CrashLoopError(deaths)

    def is_suspect(self, record: Record) -> bool:
        """See `Guard`."""
        return self._journal.strikes(record.place) > 0

    def clear(self, place: Place) -> None:
        """See `Guard`."""
        self._journal.clear(place)

    @asynccontextmanager
    async def watch(self, records: Sequence[Record]) -> AsyncIterator[None]:
        """See `Guard`; only a single event can be set alone."""
        places = [record.place for record in records]
        try:
            if len(records) == 1 and self.is_suspect(records[0]):
                async with self._alone(places[0]):
                    yield
            else:
                self._begin(places)
                yield
        finally:
            for place in places:
                self._journal.end(place)

    @asynccontextmanager
    async def _alone(self, place: Place) -> AsyncIterator[None]:
        await self._turn.acquire()
        self._begin([place])
        self._journal.set_alone(place, True)
        ended = False

        def end_turn() -> None:
            nonlocal ended
            if not ended:
                ended = True
                self._journal.set_alone(place, False)
                self._turn.release()

        loop = asyncio.get_running_loop()
        over = loop.call_later(self._alone_for_s, end_turn)
        try:
            yield
        finally:
            over.cancel()
            end_turn()

    def _begin(self, places: Sequence[Place]) -> None:
        for place in places:
            self._journal.begin(place)
