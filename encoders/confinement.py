"""Takes from a process all that decoding does not need; nothing gives it back.

Used by `sandbox_worker`, over `landlock` and `seccomp`. What the kernel does not have
is reported, not hidden.
"""

import os
import resource
import signal
import sys
from dataclasses import dataclass
from typing import Final

from encoders.landlock import give_up_files_and_tcp
from encoders.seccomp import allow_only_decoding
from encoders.system_calls import PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl

_OPEN_FILES: Final = 3  # Standard input, output and error; nothing more is opened.
_LANDLOCK_TCP_ABI: Final = 4


@dataclass(frozen=True, slots=True)
class Confinement:
    """What the kernel took from a process.

    `landlock_abi` is 0 without Landlock: files, and from 4 on TCP. `seccomp`: every
    system call that decoding does not need, sockets of any kind among them.
    No-new-privs and limits on file size, open files and core dumps hold in any case.
    """

    landlock_abi: int
    seccomp: bool

    @property
    def gaps(self) -> tuple[str, ...]:
        """Name what this kernel can't take; empty where the sandbox is whole."""
        gaps = []
        if not self.landlock_abi:
            gaps.append("Landlock: files are kept from it by seccomp alone")
        if not self.seccomp:
            tcp = self.landlock_abi >= _LANDLOCK_TCP_ABI
            open_still = "UDP" if tcp else "TCP, UDP"
            gaps.append(f"seccomp: {open_still} and new processes are open to it")
        return tuple(gaps)

    def __str__(self) -> str:
        """Say it in one line."""
        held = ["no-new-privs"]
        if self.landlock_abi:
            held.append(f"Landlock ABI {self.landlock_abi}")
        held += ["seccomp"] if self.seccomp else []
        told = ", ".join([*held, "limits on CPU, memory and files"])
        return f"{told}; missing: {'; '.join(self.gaps)}" if self.gaps else told


class ConfinementError(Exception):
    """The process can't be confined as it is; the message says why."""


def confine() -> Confinement:
    """Confine this process and what it may become, for good; needs no privilege.

    Limits on CPU time and memory are its parent's to set, for each piece of work. There
    is none on processes: `RLIMIT_NPROC` counts all of a user's, and root's not at all;
    seccomp refuses new ones.

    Raises:
        ConfinementError: this is no Linux, or other threads run: Landlock would not
            hold for them.
    """
    if sys.platform != "linux":
        raise ConfinementError(f"{sys.platform} has no sandbox; expected Linux")
    if (threads := len(os.listdir("/proc/self/task"))) > 1:
        raise ConfinementError(f"{threads} threads run already; expected one")
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # No orphan decodes on.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    prctl(PR_SET_NO_NEW_PRIVS, 1)  # Every kernel since 3.5; the other two need it.
    landlock_abi = give_up_files_and_tcp()
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    return Confinement(landlock_abi, allow_only_decoding())
