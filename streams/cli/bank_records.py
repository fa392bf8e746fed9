"""How `headgate bank` reads its topic, and writes to it."""

from collections.abc import Sequence

from schemas.records import BankEntry
from schemas.topics import BANK_ENTRY
from streams.bank_topic import read_entry
from streams.broker_check import ask_broker
from streams.cli.terminal import complain
from streams.errors import EventError, StartError
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.settings import Settings
from streams.wiring import build_codec


def read_topic(settings: Settings) -> tuple[list[BankEntry], int]:
    """Return every entry, by bank and id, and how many records are none."""
    codec, refused = build_codec(settings), 0
    entries: dict[tuple[str, str], BankEntry] = {}
    for record in tail(settings.kafka, [BANK_ENTRY.name], until_end=True):
        try:
            bank, entry_id, entry = read_entry(codec, record)
        except EventError as error:
            refused += 1
            complain(f"{record.topic} {record.partition} {record.offset}: {error}")
            continue
        entries.pop((bank, entry_id), None)
        if entry is not None:
            entries[bank, entry_id] = entry
    return [entries[place] for place in sorted(entries)], refused


def write_topic(settings: Settings, outputs: Sequence[Output]) -> None:
    """Write records, and wait until all are confirmed."""
    facts = ask_broker(settings.kafka)
    if BANK_ENTRY.name not in facts.topics:
        raise StartError(
            f"the broker lacks {BANK_ENTRY.name}: run `headgate topics apply`"
        )
    producer = DeliveringProducer(
        settings.kafka, message_max_bytes=facts.max_message_bytes
    )
    try:
        producer.send_all(outputs)
    finally:
        producer.close()
