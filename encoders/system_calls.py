"""Linux system calls that Python's library does not offer, by ctypes.

Below `landlock` and `seccomp`.
"""

import ctypes
import os
import platform
from functools import cache
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # All from include/uapi/linux/prctl.h.
PR_SET_NO_NEW_PRIVS: Final = 38

# include/uapi/asm-generic/unistd.h and arch/x86/entry/syscalls/syscall_64.tbl; the
# last three have one number everywhere.
_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
LANDLOCK_CREATE_RULESET: Final = 444
LANDLOCK_RESTRICT_SELF: Final = 446


def machine() -> str:
    """Name this machine's processor family; arm64 is aarch64."""
    name = platform.machine()
    return "aarch64" if name == "arm64" else name


def seccomp_number() -> int | None:
    """Return the number of seccomp(2); None on a processor that we have no list for."""
    return _SECCOMP.get(machine())


def call(number: int, *arguments: "int | ctypes.Array[ctypes.c_char] | None") -> int:
    """Make a system call; a buffer goes as its address.

    Raises:
        OSError: the kernel refused.
    """
    return _checked(_libc().syscall, ctypes.c_long(number), *map(_word, arguments))


def prctl(option: int, *arguments: int) -> int:
    """Set something of this process.

    Raises:
        OSError: the kernel refused.
    """
    # All five are passed: the kernel checks that those without meaning are zero.
    words = [*arguments, 0, 0, 0, 0][:4]
    return _checked(_libc().prctl, ctypes.c_int(option), *map(_word, words))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _word(value: "int | ctypes.Array[ctypes.c_char] | None") -> object:
    """Pass numbers as long as a register: ctypes would cut them to an int."""
    return ctypes.c_ulong(value) if isinstance(value, int) else value


def _checked(function: "ctypes._NamedFuncPointer", *arguments: object) -> int:
    result = int(function(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
