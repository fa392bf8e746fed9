"""`headgate bank`: known hashes on their topic: looking, adding, removing.

Never a picture or a sound: only names, hashes and counts are shown.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from schemas.json_form import record_to_json
from schemas.records import CATEGORIES, BankEntry, Category
from streams.cli.terminal import as_text, complain, output_console, write_json
from streams.errors import StartError
from streams.settings import Settings, load_settings

app = typer.Typer(
    help="Look at the hash banks on bank.entry.v1, and change them.",
    no_args_is_help=True,
)

Bank = Annotated[str, typer.Argument(help="The bank's name.")]
EntryId = Annotated[str, typer.Argument(help="The entry's name within its bank.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON objects, one a line.")]


class Algorithm(StrEnum):
    """The kinds of hashes that banks hold."""

    SHA256 = "sha256"
    PDQ = "pdq"
    VPDQ = "vpdq"
    CHROMAPRINT = "chromaprint"


@app.command("list")
def list_entries(
    bank: Annotated[
        list[str] | None, typer.Option(help="Only this one; may be given again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show each bank's version and size, and with --json or --bank every entry.

    The version stands in every decision that the bank was asked for. Exit code 1 when
    a record on the topic is no entry. Examples:

    headgate bank list

    headgate bank list --bank known-covers --json
    """
    from streams.cli import bank_report
    from streams.cli.bank_records import read_topic

    entries, refused = read_topic(load_settings())
    names = sorted({e.bank for e in entries} if bank is None else set(bank))
    shown = [e for e in entries if e.bank in names]
    if as_json:
        bank_report.write_lines(names, shown)
    else:
        bank_report.print_banks(names, shown)
        if bank is not None:
            bank_report.print_entries(shown)
    raise typer.Exit(1 if refused else 0)


@app.command()
def add(
    bank: Bank,
    entry_id: EntryId,
    category: Annotated[
        str, typer.Option(help="What it is known as, such as child_safety.")
    ],
    value: Annotated[
        str | None, typer.Option(help="The hash, in hex; needs --algorithm.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A picture, video or sound to take it from.")
    ] = None,
    algorithm: Annotated[
        Algorithm | None,
        typer.Option(
            help="Kind of hash; of a file, by default what finds near copies: pdq of "
            "a picture, vpdq of a video, chromaprint of sound."
        ),
    ] = None,
    note: Annotated[str | None, typer.Option(help="Words for people.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a known hash, or replace the one of this entry.

    Workers look for it from a second later on. A file is decoded in the sandbox and is
    neither kept nor shown. Examples:

    headgate bank add known-covers cover-1 --category ip_infringement --file cover.png

    headgate bank add scams call-7 --category fraud_spam --algorithm sha256 --value 9f…
    """
    settings = load_settings()
    if (value is None) == (file is None):
        raise StartError("give one of --value and --file")
    if value is not None and algorithm is None:
        raise StartError("--value needs --algorithm, which says what it is a hash of")
    if file is not None:
        from streams.cli.bank_media import hash_of_file

        algorithm_name, value = hash_of_file(settings, file, algorithm)
    else:
        algorithm_name = str(algorithm)
    entry = BankEntry(
        bank, entry_id, algorithm_name, str(value).lower(), _category(category), note
    )
    _send(settings, [entry])
    if as_json:
        write_json(record_to_json(entry))
    else:
        output_console().print(
            f"{as_text(bank)}/{as_text(entry_id)}: {entry.algorithm} added"
        )


@app.command()
def remove(bank: Bank, entry_id: EntryId, as_json: AsJson = False) -> None:
    """Remove an entry; exit code 1 when there is none of that id.

    Example:
    headgate bank remove known-covers cover-1
    """
    settings = load_settings()
    from streams.cli.bank_records import read_topic

    entries, _ = read_topic(settings)
    if not any((e.bank, e.entry_id) == (bank, entry_id) for e in entries):
        complain(f"bank {bank!r} has no entry {entry_id!r}; see `headgate bank list`")
        raise typer.Exit(1)
    _send(settings, [], [(bank, entry_id)])
    if as_json:
        write_json({"bank": bank, "entry_id": entry_id, "removed": True})
    else:
        output_console().print(f"{as_text(bank)}/{as_text(entry_id)} removed")


@app.command()
def load(
    file: Annotated[
        Path, typer.Argument(help="CSV with entry_id, algorithm, value, category.")
    ],
    bank: Annotated[
        str | None, typer.Option(help="The bank's name. Default: the file's.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Remove the entries that the file has not."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load a file of known hashes; what the topic has already is not sent again.

    A file with one bad line changes nothing. Example:

    headgate bank load known-covers.csv --replace
    """
    settings = load_settings()
    name = file.stem if bank is None else bank
    wanted = _entries_of(file, name)
    from streams.cli.bank_records import read_topic

    entries, _ = read_topic(settings)
    now = {e.entry_id: e for e in entries if e.bank == name}
    changed = [e for e in wanted if not _same(e, now.get(e.entry_id))]
    gone = sorted(now.keys() - {e.entry_id for e in wanted}) if replace else []
    _send(settings, changed, [(name, entry_id) for entry_id in gone])
    counts = {
        "bank": name,
        "sent": len(changed),
        "removed": len(gone),
        "unchanged": len(wanted) - len(changed),
    }
    if as_json:
        write_json(counts)
    else:
        output_console().print(
            f"{name}: {len(changed)} entries sent, {len(gone)} removed, "
            f"{counts['unchanged']} there already"
        )


def _entries_of(file: Path, bank: str) -> list[BankEntry]:
    from encoders.bank_entries import BankError
    from encoders.bank_file import read_entries

    try:
        text = file.read_text("utf-8")
        known = read_entries(text, str(file), frozenset(CATEGORIES))
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{file} can't be read: {error}") from error
    except BankError as error:
        raise StartError(str(error)) from error
    twice = [n for n, c in Counter(k.entry_id for k in known).items() if c > 1]
    if twice:
        raise StartError(
            f"{file}: entry {twice[0]!r} stands there with different hashes; on the "
            "topic each needs an id of its own"
        )
    return [
        BankEntry(bank, k.entry_id, k.algorithm, k.value, Category(k.category))
        for k in known
    ]


def _same(wanted: BankEntry, found: BankEntry | None) -> bool:
    """Compare all but the note, which files do not carry along."""
    return found is not None and (wanted.algorithm, wanted.value, wanted.category) == (
        found.algorithm,
        found.value,
        found.category,
    )


def _send(
    settings: Settings,
    entries: Sequence[BankEntry],
    gone: Sequence[tuple[str, str]] = (),
) -> None:
    from streams.bank_topic import entry_output, removal_output
    from streams.cli.bank_records import write_topic
    from streams.wiring import build_codec

    codec = build_codec(settings)
    outputs = [entry_output(codec, entry) for entry in entries]
    write_topic(settings, [*outputs, *(removal_output(*place) for place in gone)])


def _category(word: str) -> Category:
    found = word.strip().upper().replace("-", "_")
    if found not in CATEGORIES:
        known = ", ".join(category.lower() for category in CATEGORIES)
        raise StartError(f"category is {word!r}; expected one of {known}")
    return Category(found)
