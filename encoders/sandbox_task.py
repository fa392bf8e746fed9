"""What the sandbox is asked to do, how long it may take, and how that may end it.

Between `sandbox`, which makes tasks, and `sandbox_process`, which has them done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from encoders.sandbox_protocol import Request
from encoders.signals import EncodeError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Budget:
    """How long one piece of work may take.

    CPU time is the content's own doing; the wall clock also counts the machine's, and
    ends what sleeps.
    """

    cpu_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Task(Generic[Result]):
    """One piece of work: what to do with media, and what to make of the answer."""

    request: Request
    budget: Budget
    parse: Callable[[object], Result]
    # Filled where the work gives any; `parse` tells whose they are.
    pixels: bytearray = field(default_factory=bytearray)


class DecoderDeathError(EncodeError):
    """The content, or what this process met before it, ended the process."""
