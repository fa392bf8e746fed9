"""Commits positions to the group: only what is finished, only where it is ours.

Faust's own commit is not used: its calculation passes over unfinished events (F3), it
takes a failed commit for done (F5) and forgets finished work on a revoke (F6). Topics
are declared without acks, and positions go straight to the consumer.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from streams.ledger import TopicPartition

CommitOffsets = Callable[[Mapping[TopicPartition, int]], Awaitable[bool]]


class Committer:
    """Remembers the next offset of each partition until the broker has it."""

    def __init__(self, commit: CommitOffsets | None = None) -> None:
        self._commit = commit
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def commit_with(self, commit: CommitOffsets) -> None:
        """Set how to commit: the consumer is made after the stage that notes."""
        self._commit = commit

    def note(self, partition: TopicPartition, next_offset: int) -> None:
        """Everything below `next_offset` is finished."""
        self._next[partition] = next_offset

    async def flush(self) -> bool:
        """Commit what is new; what fails is tried again at the next flush.

        Returns:
            Whether the broker now has every position.
        """
        new = {
            partition: offset
            for partition, offset in self._next.items()
            if self._committed.get(partition) != offset
        }
        if not new:
            return True
        if self._commit is None or not await self._commit(new):
            return False
        self._committed.update(new)
        return True

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """Drop positions of partitions that are no longer ours."""
        for partition in partitions:
            self._next.pop(partition, None)
            self._committed.pop(partition, None)
