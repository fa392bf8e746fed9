"""A policy that was put in force."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One file of a policy."""

    path: str  # Within the folder.
    text: str


@dataclass(frozen=True, slots=True)
class PolicyActivation:
    """The policy that judges from here on, with all that its hash is over."""

    policy_id: str
    version: str
    sha256: str
    is_folder: bool  # Else it is one file.
    files: tuple[PolicyFile, ...]
    activated_at: datetime
    note: str | None = None
