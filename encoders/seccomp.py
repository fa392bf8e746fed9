"""seccomp: the system calls that decoding needs, and no other.

Part of `confinement`. A list of what is allowed, for a list of what is not would have
to know every kernel to come. The rest fails with EPERM: no socket of any kind, no open,
no new program, no new process, no signal, no ptrace, no change of limits.
"""

import ctypes
import errno
import struct
from typing import Final

from encoders.system_calls import call, machine, seccomp_number

# include/uapi/linux/audit.h: what the kernel says a call was made as.
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Name, number on x86_64 (arch/x86/entry/syscalls/syscall_64.tbl), on aarch64 (include/
# uapi/asm-generic/unistd.h). Pipes that are open; memory; threads, which decoders of
# video start; time and chance; what the machine is; signal handlers of its own.
_ALLOWED: Final = """
read 0 63, write 1 64, close 3 57, readv 19 65, writev 20 66,
mmap 9 222, mprotect 10 226, munmap 11 215, brk 12 214, mremap 25 216, madvise 28 233,
futex 202 98, set_robust_list 273 99, rseq 334 293, membarrier 324 283,
sched_yield 24 124, sched_getaffinity 204 123, getcpu 309 168, getpid 39 172,
gettid 186 178, exit 60 93, exit_group 231 94, restart_syscall 219 128,
clock_gettime 228 113, gettimeofday 96 169, clock_nanosleep 230 115, nanosleep 35 101,
getrandom 318 278, sysinfo 99 179, uname 63 160, getrusage 98 165,
rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, sigaltstack 131 132
"""
_CLONE: Final = (56, 220)
_CLONE3: Final = 435
_CLONE_THREAD: Final = 0x10000

# include/uapi/linux/bpf_common.h and seccomp.h.
_LOAD, _IF_EQUAL, _IF_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # Where in struct seccomp_data.
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1


def allow_only_decoding() -> bool:
    """Give up, for good, every system call that decoding does not need.

    Needs no-new-privs. Holds for all threads of the process.

    Returns:
        False where there is no list for this processor, or no seccomp in the kernel.
    """
    number = seccomp_number()
    if number is None:
        return False
    steps = _program()
    code = ctypes.create_string_buffer(b"".join(steps))
    # struct sock_fprog: how many steps, and where they are.
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    buffer = ctypes.create_string_buffer(program, len(program))
    try:
        call(number, _SET_MODE_FILTER, _ALL_THREADS, buffer)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EINVAL):
            return False
        raise
    return True


def _program() -> list[bytes]:
    """Return the filter, step by step; a test that fails skips its `return`."""
    processor = tuple(_ARCHITECTURES).index(machine())
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_IF_EQUAL, _ARCHITECTURES[machine()], skip=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    for row in _ALLOWED.split(","):
        number = int(row.split()[1 + processor])
        steps += [_step(_IF_EQUAL, number, skip_if_not=1), _step(_RETURN, _ALLOW)]
    return [
        *steps,
        # Its flags lie in memory, where a filter can't look: glibc uses clone instead.
        _step(_IF_EQUAL, _CLONE3, skip_if_not=1),
        _step(_RETURN, _REFUSE | errno.ENOSYS),
        _step(_IF_EQUAL, _CLONE[processor], skip_if_not=3),
        _step(_LOAD, _FIRST_ARGUMENT),
        _step(_IF_BITS, _CLONE_THREAD, skip_if_not=1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _REFUSE | errno.EPERM),
    ]


def _step(code: int, value: int, skip: int = 0, skip_if_not: int = 0) -> bytes:
    """Return a struct sock_filter; the skips are of a test that holds or doesn't."""
    return struct.pack("=HBBI", code, skip, skip_if_not, value)
