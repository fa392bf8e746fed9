"""Facts about a bank that changes while it is searched."""

import threading
from collections.abc import Sequence
from typing import cast

import pytest

from encoders.bank_entries import BankHit, ContentHash, KnownHash
from encoders.banks import HashBank
from encoders.live_bank import LiveBank, version_of
from tests.encoders.test_hash_index import hashes, near

VALUES = hashes(400, seed=7)


def entry(number: int, value: str | None = None, category: str = "HATE") -> KnownHash:
    """Build the entry of that number."""
    return KnownHash(f"e{number}", "pdq", value or VALUES[number], category)


def put(*entries: KnownHash) -> list[tuple[str, KnownHash | None]]:
    """Build changes that add entries."""
    return [(known.entry_id, known) for known in entries]


def found(bank: LiveBank, value: str) -> list[tuple[str, int]]:
    """Search, and return entry ids and distances."""
    hits = bank.now().match([ContentHash("pdq", value, 100)])
    return [(hit.entry_id, hit.distance) for hit in hits]


def test_entries_come_and_go() -> None:
    """What is added is found at once, what is removed is not."""
    bank = LiveBank("b", [entry(0), entry(1)])

    bank.apply([*put(entry(2)), ("e0", None), ("unknown", None)])

    assert [found(bank, VALUES[n]) for n in range(3)] == [[], [("e1", 0)], [("e2", 0)]]
    assert bank.entries() == (entry(1), entry(2))


def test_an_entry_is_replaced_by_its_id() -> None:
    """The later value counts, in the large bank and in the small one."""
    bank = LiveBank("b", [entry(0)])

    for value in (VALUES[5], VALUES[6]):
        bank.apply(put(entry(0, value)))

    assert found(bank, VALUES[0]) == found(bank, VALUES[5]) == []
    assert found(bank, near(VALUES[6], 3)) == [("e0", 3)]
    assert len(bank) == 1


def test_a_bank_of_a_moment_stays_as_it_was() -> None:
    """An upload is judged by one version, whatever comes meanwhile."""
    bank = LiveBank("b", [entry(0)])
    then = bank.now()
    version = then.sha256

    bank.apply([("e0", None), *put(entry(1))])

    looked = [ContentHash("pdq", VALUES[0], 100)]
    assert [hit.entry_id for hit in then.match(looked)] == ["e0"]
    assert then.sha256 == version != bank.now().sha256


def test_the_version_is_the_contents() -> None:
    """Whatever order entries came in, and whatever came and went."""
    bank = LiveBank("b", [entry(3), entry(9)])
    bank.apply([("e9", None), *put(entry(1), entry(2), entry(1))])

    expected = version_of([entry(2), entry(1), entry(3)])
    assert bank.now().sha256 == expected
    assert version_of([entry(2), entry(1)]) != expected
    assert version_of([entry(2), entry(1), entry(3, category="SPAM")]) != expected


@pytest.mark.parametrize("merge_above", [0, 1, 3, 1_000])
def test_it_finds_what_a_bank_of_the_same_entries_finds(merge_above: int) -> None:
    """Merged or not, after every change."""
    bank, now = LiveBank("b", merge_above=merge_above), dict[str, KnownHash]()
    looked = [ContentHash("pdq", near(value, 4), 100) for value in VALUES[:60]]
    for n in range(120):
        change = (f"e{n % 60}", None if n % 7 == 3 else entry(n % 60, VALUES[n % 45]))
        bank.apply([change])
        now.pop(change[0], None)
        if change[1] is not None:
            now[change[0]] = change[1]
        if n % 10 == 0:
            bank.settle()

        expected = HashBank.of("b", "", tuple(now.values())).match(looked)
        assert bank.now().match(looked) == expected
    assert bank.now().sha256 == version_of(now.values())


def test_what_changes_during_a_merge_is_carried_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Entries added, replaced and removed while the large bank is built."""
    bank = LiveBank("b", [entry(n) for n in range(5)], merge_above=2)
    build, started, go_on = HashBank.of, threading.Event(), threading.Event()

    def slow(name: str, sha256: str, entries: Sequence[KnownHash]) -> HashBank:
        if threading.current_thread().name.startswith("bank-merge"):
            started.set()
            assert go_on.wait(60)
        return build(name, sha256, entries)

    monkeypatch.setattr(HashBank, "of", staticmethod(slow))
    bank.apply(put(entry(5), entry(6), entry(7)))
    assert started.wait(60)
    bank.apply([("e0", None), ("e5", None), *put(entry(8), entry(6, VALUES[20]))])
    during = [found(bank, value) for value in VALUES[:21]]
    go_on.set()
    bank.settle()

    assert [found(bank, value) for value in VALUES[:21]] == during
    assert {hit[0][0] for hit in during if hit} == {
        f"e{n}" for n in (1, 2, 3, 4, 6, 7, 8)
    }
    assert during[20] == [("e6", 0)]


def test_searches_are_right_while_entries_come_and_go() -> None:
    """Those that stay are always found; the others as they stood before or after."""
    bank = LiveBank("b", [entry(n) for n in range(100)], merge_above=20)
    wrong, over = [], threading.Event()

    def search() -> None:
        looked = [ContentHash("pdq", value, 100) for value in VALUES[:200]]
        while not over.is_set():
            hits = {hit.entry_id for hit in bank.now().match(looked)}
            come = {f"e{n}" for n in range(100, 200)} & hits
            # Batches of ten come whole or not at all, one after the other.
            if not {f"e{n}" for n in range(100)} <= hits or len(come) % 10:
                wrong.append(hits)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for start in range(100, 200, 10):
        bank.apply(put(*(entry(n) for n in range(start, start + 10))))
    for start in range(100, 200, 10):
        bank.apply([(f"e{n}", None) for n in range(start, start + 10)])
    bank.settle()
    over.set()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert bank.entries() == tuple(sorted((entry(n) for n in range(100)), key=_id))


def test_a_merge_that_fails_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes the bank next is told; searches go on."""
    bank = LiveBank("b", merge_above=0)
    monkeypatch.setattr(bank, "_merge_all", lambda: cast(None, 1 / 0))
    bank.apply(put(entry(0)))

    with pytest.raises(ZeroDivisionError):
        bank.settle()

    assert found(bank, VALUES[0]) == [("e0", 0)]


def _id(known: KnownHash) -> str:
    return known.entry_id


def test_hits_of_both_parts_come_in_one_order() -> None:
    """As of any bank: by what was looked for, nearest first, then by entry."""
    bank = LiveBank("b", [entry(1, near(VALUES[0], 3)), entry(3, VALUES[0])])
    bank.apply(put(entry(2, near(VALUES[0], 3))))

    hits = bank.now().match([ContentHash("pdq", VALUES[0], 100)])

    assert hits[0] == BankHit("b", "e3", "HATE", "pdq", 0, 0)
    assert [hit.entry_id for hit in hits] == ["e3", "e1", "e2"]
