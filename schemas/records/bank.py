"""An entry of a hash bank."""

from dataclasses import dataclass

from schemas.records.words import Category


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One known hash of a bank that is kept on a topic."""

    bank: str  # 1 to 64 letters, digits, dots, dashes and underscores.
    entry_id: str
    algorithm: str  # sha256, pdq, vpdq or chromaprint.
    value: str  # Lower-case hex.
    category: Category
    note: str | None = None
