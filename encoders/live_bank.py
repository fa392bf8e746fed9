"""A bank whose entries come and go while it is searched.

After `banks`. A large bank that never changes, a small one beside it with what was
added since, and the ids that were taken away: who searches gets the three as they are
at that moment. A thread merges them before the small one grows slow.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256, shake_256
from threading import Lock
from typing import Final

from encoders.bank_entries import BankHit, ContentHash, KnownHash
from encoders.banks import Bank, HashBank, in_order
from encoders.hash_index import in_steps

# A change makes the small bank anew, and each search looks through it: 1 ms and 20 µs.
MERGE_ABOVE: Final = 1_024
# Changes come faster than they are merged: whoever makes them waits, nobody else.
_BEHIND: Final = 16 * MERGE_ABOVE
_SUM_BYTES: Final = 256
Change = tuple[str, KnownHash | None]  # An entry's id and what it is now; None: gone.


class ContentVersion:
    """The version of a set of entries, whatever order they came and went in.

    The sum of a wide hash of each entry (Bellare, Micciancio: "A New Paradigm for
    Collision-free Hashing", 1997); 2,048 bits keep Wagner's attack on sums of 256 out.
    """

    def __init__(self) -> None:
        self._sum = 0

    def add(self, known: KnownHash) -> None:
        """Count an entry in."""
        self._sum = (self._sum + _wide_hash(known)) % (1 << 8 * _SUM_BYTES)

    def remove(self, known: KnownHash) -> None:
        """Take an entry out that was counted in."""
        self._sum = (self._sum - _wide_hash(known)) % (1 << 8 * _SUM_BYTES)

    @property
    def sha256(self) -> str:
        """Return the version, lower-case hex."""
        return sha256(self._sum.to_bytes(_SUM_BYTES, "big")).hexdigest()


def version_of(entries: Iterable[KnownHash]) -> str:
    """Return the version that a live bank of exactly these entries has."""
    version = ContentVersion()
    for known in entries:
        version.add(known)
    return version.sha256


@dataclass(frozen=True, slots=True, eq=False)
class _Now:
    """A live bank as it is at one moment: see `banks.Bank`."""

    name: str
    sha256: str
    base: HashBank
    added: HashBank
    hidden: frozenset[str]  # Ids of `base` that are gone, or that `added` has anew.

    @property
    def algorithms(self) -> frozenset[str]:
        """See `banks.Bank`; of a kind whose last is gone it may still tell."""
        return self.base.algorithms | self.added.algorithms

    def match(self, hashes: Sequence[ContentHash]) -> tuple[BankHit, ...]:
        """See `banks.Bank`."""
        shown = (h for h in self.base.match(hashes) if h.entry_id not in self.hidden)
        return in_order((*shown, *self.added.match(hashes)))


class LiveBank:
    """Known hashes by entry id; one thread changes them, any thread may search."""

    def __init__(
        self,
        name: str,
        entries: Iterable[KnownHash] = (),
        *,
        merge_above: int = MERGE_ABOVE,
    ) -> None:
        """`entries` were checked; of two with one id the last counts."""
        self.name = name
        self._merge_above = merge_above
        self._known = {known.entry_id: known for known in entries}
        self._version = ContentVersion()
        for known in self._known.values():
            self._version.add(known)
        self._added: dict[str, KnownHash] = {}
        base = HashBank.of(name, "", tuple(self._known.values()))
        self._lock = Lock()  # For those who change it; who searches takes none.
        self._now = self._as_now(base, frozenset())
        self._merger = ThreadPoolExecutor(1, "bank-merge")
        self._merge: Future[None] | None = None

    def __len__(self) -> int:
        return len(self._known)

    def now(self) -> Bank:
        """Return the bank as it is at this moment; never blocks."""
        return self._now

    def entries(self) -> tuple[KnownHash, ...]:
        """Return every entry, by id."""
        with self._lock:
            return tuple(self._known[name] for name in sorted(self._known))

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes, in order; searches see all of them or none.

        Many at once cost little more than one. Waits for a merge that is far behind.
        """
        if self._merge is not None and self._waiting > _BEHIND:
            self._merge.result()
        with self._lock:
            added, hidden = dict(self._added), set(self._now.hidden)
            for entry_id, known in changes:
                self._drop(entry_id, added, hidden)
                if known is not None:
                    self._known[entry_id] = added[entry_id] = known
                    self._version.add(known)
            self._added = added
            self._now = self._as_now(self._now.base, frozenset(hidden))
            if self._waiting > self._merge_above and self._idle():
                self._merge = self._merger.submit(self._merge_all)

    def settle(self) -> None:
        """Wait until nothing is being merged."""
        while self._merge is not None and not self._idle():
            self._merge.result()

    @property
    def _waiting(self) -> int:
        return len(self._added) + len(self._now.hidden)

    def _idle(self) -> bool:
        if self._merge is None or not self._merge.done():
            return self._merge is None
        self._merge.result()  # A merge that failed, for want of memory, fails here.
        return True

    def _drop(
        self, entry_id: str, added: dict[str, KnownHash], hidden: set[str]
    ) -> None:
        known = self._known.pop(entry_id, None)
        if known is None:
            return
        self._version.remove(known)
        if added.pop(entry_id, None) is None:
            hidden.add(entry_id)

    def _merge_all(self) -> None:
        """Make one large bank of all; what changes meanwhile is carried over."""
        with self._lock:
            then, added = self._now, self._added
        entries: list[KnownHash] = []
        for step in in_steps(then.base.entries):
            entries += [k for k in step if k.entry_id not in then.hidden]
        entries += added.values()
        base = HashBank.of(self.name, "", entries)
        with self._lock:
            changed = {i for i, k in added.items() if self._added.get(i) is not k}
            hidden = (self._now.hidden - then.hidden) | changed
            self._added = {
                i: k for i, k in self._added.items() if added.get(i) is not k
            }
            self._now = self._as_now(base, hidden)

    def _as_now(self, base: HashBank, hidden: frozenset[str]) -> _Now:
        added = HashBank.of(self.name, "", tuple(self._added.values()))
        return _Now(self.name, self._version.sha256, base, added, hidden)


def _wide_hash(known: KnownHash) -> int:
    # No field has control characters in it.
    text = "\0".join((known.entry_id, known.algorithm, known.value, known.category))
    return int.from_bytes(shake_256(text.encode()).digest(_SUM_BYTES), "big")
