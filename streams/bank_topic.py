"""Banks as they lie on their topic: keys, tombstones, and what a record says.

Pure: `bank_follower` reads the topic for a worker, `headgate bank` for a person.
"""

import re
from collections.abc import Iterable

from encoders.bank_entries import KnownHash, wrong_entry
from encoders.live_bank import Change, version_of
from schemas.codec import Codec
from schemas.records import CATEGORIES, BankEntry
from schemas.topics import BANK_ENTRY
from streams.errors import EventError
from streams.messages import Output, Record
from streams.wire import wire_errors

_BANK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_entry(entry: BankEntry) -> None:
    """Refuse an entry that no search could use.

    Raises:
        EventError: `invalid_entry`; says which field, and what was expected.
    """
    if not _BANK.fullmatch(entry.bank):
        raise EventError(
            "invalid_entry",
            f"bank is {entry.bank[:80]!r}; expected 1 to 64 letters, digits, dots, "
            "dashes or underscores",
        )
    wrong = wrong_entry(known_hash(entry), frozenset(CATEGORIES))
    if wrong is not None:
        field, expected = wrong
        found = str(getattr(entry, field))[:80]
        raise EventError("invalid_entry", f"{field} is {found!r}; expected {expected}")


def entry_output(codec: Codec, entry: BankEntry) -> Output:
    """Return the record that adds an entry, or replaces the one of its id.

    Raises:
        EventError: see `check_entry`.
    """
    check_entry(entry)
    return Output(
        BANK_ENTRY.name, _key(entry.bank, entry.entry_id), codec.encode(entry)
    )


def removal_output(bank: str, entry_id: str) -> Output:
    """Return the tombstone that removes an entry."""
    return Output(BANK_ENTRY.name, _key(bank, entry_id), None)


def read_entry(codec: Codec, record: Record) -> tuple[str, str, BankEntry | None]:
    """Return bank and entry id of a record, and the entry; None where it removes it.

    Raises:
        EventError: it is no entry, or not the one that its key names.
        TransientError: the schema registry does not answer.
    """
    bank, slash, entry_id = (
        (record.key or b"").decode("utf-8", "replace").partition("/")
    )
    if not slash:
        raise EventError("wrong_key", "the key is no BANK/ENTRY_ID")
    if not record.value:
        return bank, entry_id, None
    with wire_errors():
        entry = codec.decode(record.value, BankEntry)
    if (entry.bank, entry.entry_id) != (bank, entry_id):
        raise EventError("wrong_key", "the key names another entry than the value")
    check_entry(entry)
    return bank, entry_id, entry


def changes_by_bank(
    read: Iterable[tuple[str, str, BankEntry | None]],
) -> dict[str, list[Change]]:
    """Return what records change in each bank, in their order."""
    changes: dict[str, list[Change]] = {}
    for bank, entry_id, entry in read:
        known = None if entry is None else known_hash(entry)
        changes.setdefault(bank, []).append((entry_id, known))
    return changes


def version_of_bank(entries: Iterable[BankEntry]) -> str:
    """Return the version that decisions name while a bank holds these entries."""
    return version_of(map(known_hash, entries))


def known_hash(entry: BankEntry) -> KnownHash:
    """Return an entry as banks hold it."""
    return KnownHash(entry.entry_id, entry.algorithm, entry.value, entry.category.value)


def _key(bank: str, entry_id: str) -> bytes:
    return f"{bank}/{entry_id}".encode()
