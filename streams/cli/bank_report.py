"""How `headgate bank` shows banks and entries."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Column, Table

from schemas.json_form import record_to_json
from schemas.records import BankEntry
from streams.bank_topic import version_of_bank
from streams.cli.terminal import as_text, output_console, write_json

_SHOWN_DIGITS = 16


def write_lines(names: Sequence[str], entries: Sequence[BankEntry]) -> None:
    """Write each bank, then each entry, as JSON."""
    for name in names:
        write_json(_summary(name, [e for e in entries if e.bank == name]))
    for entry in entries:
        write_json(record_to_json(entry))


def print_banks(names: Sequence[str], entries: Sequence[BankEntry]) -> None:
    """Print a row for each bank."""
    table = Table(Column("bank", no_wrap=True), "entries", "version", "algorithms")
    for name in names:
        mine = [e for e in entries if e.bank == name]
        kinds = Counter(e.algorithm for e in mine)
        shown = ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds))
        version = short(version_of_bank(mine))
        table.add_row(as_text(name), str(len(mine)), version, as_text(shown))
    output_console().print(table)


def print_entries(entries: Sequence[BankEntry]) -> None:
    """Print a row for each entry."""
    table = Table("bank", "entry", "algorithm", "value", "category", "note")
    for e in entries:
        table.add_row(
            *map(as_text, (e.bank, e.entry_id, e.algorithm, short(e.value))),
            *map(as_text, (e.category.lower(), e.note or "")),
        )
    output_console().print(table)


def short(digits: str) -> str:
    """Return the first digits of a hash."""
    return digits if len(digits) <= _SHOWN_DIGITS else f"{digits[:_SHOWN_DIGITS]}…"


def _summary(name: str, entries: Sequence[BankEntry]) -> dict[str, object]:
    return {
        "bank": name,
        "entries": len(entries),
        "version": version_of_bank(entries),
        "algorithms": dict(sorted(Counter(e.algorithm for e in entries).items())),
    }
