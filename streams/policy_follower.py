"""Follows the topic of the policy in force: at the start, and each change after.

Without a consumer group: every worker reads it. What can't be used changes nothing but
the worker's readiness: it keeps the last good policy and says so.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from schemas.codec import Codec
from schemas.topics import POLICY_ACTIVE
from streams.cluster import places_of
from streams.errors import EventError, HeadgateError
from streams.kafka_access import Kafka
from streams.kafka_tail import tail
from streams.ledger import TopicPartition
from streams.messages import Record
from streams.policy import Policy
from streams.policy_activation import activated_policy, read_activation
from streams.retries import backoff_s

Adopts = Callable[[Policy], None]  # Called from the follower's thread.
Note = Callable[..., None]


class PolicyFollower:
    """The policy in force; a thread keeps it so from `tell` until `close`."""

    def __init__(self, kafka: Kafka, codec: Codec, note: Note) -> None:
        """Read the topic to its end; blocks.

        `note` is told of every switch, and of records that can't be used.

        Raises:
            StartError: the broker does not answer, or there is no such topic.
            TransientError: reading failed on the way.
        """
        self._kafka, self._codec, self._note = kafka, codec, note
        self._policy: Policy | None = None
        self._since = datetime.min.replace(tzinfo=UTC)
        self._next: dict[TopicPartition, int] = dict.fromkeys(
            places_of(kafka, POLICY_ACTIVE.name), 0
        )
        self._refused: str | None = None
        self._behind: str | None = None
        self._adopts: Adopts = lambda policy: None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._take(tail(kafka, [POLICY_ACTIVE.name], until_end=True))

    @property
    def policy(self) -> Policy | None:
        """The policy in force; None where none was ever activated."""
        return self._policy

    def tell(self, adopts: Adopts) -> None:
        """Follow from now on, and have somebody adopt each policy."""
        self._adopts = adopts
        self._thread = threading.Thread(target=self._run, name="policy", daemon=True)
        self._thread.start()

    def problems(self) -> list[str]:
        """Return why the worker may judge by another policy than the one in force."""
        return [problem for problem in (self._refused, self._behind) if problem]

    def close(self) -> None:
        """Stop following; the policy stays as it is."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        attempt = 0
        while not self._over.is_set():
            try:
                self._take(
                    tail(
                        self._kafka,
                        [POLICY_ACTIVE.name],
                        start=dict(self._next),
                        stop_when=self._caught_up,
                    )
                )
                attempt = 0
            except HeadgateError as error:
                attempt += 1
                self._behind = f"{POLICY_ACTIVE.name} can't be followed: {error}"
                self._note("policy_behind", reason=str(error))
                self._over.wait(backoff_s(attempt))

    def _caught_up(self) -> bool:
        self._behind = None
        return self._over.is_set()

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            try:
                self._switch(record)
                self._refused = None
            except EventError as error:
                self._refused = f"the policy in force can't be used: {error}"
                self._note("policy_refused", offset=record.offset, reason=error.code)
            self._next[record.topic, record.partition] = record.offset + 1

    def _switch(self, record: Record) -> None:
        activated = read_activation(self._codec, record)
        if activated.activated_at < self._since:
            return  # Read later, but of before: what compaction moved, say.
        policy = activated_policy(activated)
        before, self._policy = self._policy, policy
        self._since = activated.activated_at
        self._adopts(policy)
        self._note(
            "policy_switched",
            offset=record.offset,
            policy=f"{policy.id} {policy.version}",
            sha256=policy.sha256,
            before=None if before is None else before.sha256,
        )
