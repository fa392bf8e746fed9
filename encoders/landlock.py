"""Landlock: this process gives up all files, all TCP and all signals to others.

Part of `confinement`. It needs no privilege and no package; kernels have it from 5.13
on, and can do more with each version of its ABI.
"""

import ctypes
import os
import struct
from typing import Final

from encoders.system_calls import (
    LANDLOCK_CREATE_RULESET,
    LANDLOCK_RESTRICT_SELF,
    call,
)

# include/uapi/linux/landlock.h. Rights that a rule set handles and no rule grants are
# gone: we handle all that the kernel knows, and write no rule.
_GET_ABI: Final = 1
_FILE_RIGHTS: Final = ((1, 13), (2, 14), (3, 15), (5, 16))  # From ABI, first n bits.
_NETWORK_FROM_ABI: Final = 4
_NETWORK_RIGHTS: Final = 0b11  # Bind and connect TCP.
_SCOPES_FROM_ABI: Final = 6
_SCOPES: Final = 0b11  # Abstract Unix sockets, and signals to the outside.


def landlock_abi() -> int:
    """Return the version of the kernel's Landlock; 0 where there is none."""
    try:
        return call(LANDLOCK_CREATE_RULESET, None, 0, _GET_ABI)
    except OSError:  # Not built in, or switched off at boot.
        return 0


def give_up_files_and_tcp() -> int:
    """Give up, for good, what Landlock can take from this thread.

    Needs no-new-privs. What is open stays open.

    Returns:
        The ABI version that was used; 0 where the kernel has no Landlock.
    """
    abi = landlock_abi()
    if not abi:
        return 0
    rights = _rights(abi)
    buffer = ctypes.create_string_buffer(rights, len(rights))
    rule_set = call(LANDLOCK_CREATE_RULESET, buffer, len(rights), 0)
    call(LANDLOCK_RESTRICT_SELF, rule_set, 0)
    os.close(rule_set)
    return abi


def _rights(abi: int) -> bytes:
    """Return struct landlock_ruleset_attr, as long as this version has it."""
    bits = max(count for since, count in _FILE_RIGHTS if abi >= since)
    rights = [(1 << bits) - 1]
    if abi >= _NETWORK_FROM_ABI:
        rights.append(_NETWORK_RIGHTS)
    if abi >= _SCOPES_FROM_ABI:
        rights.append(_SCOPES)
    return struct.pack(f"={len(rights)}Q", *rights)
