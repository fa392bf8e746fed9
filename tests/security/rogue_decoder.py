"""A decode process that does what its media says: what hostile bytes may make of one.

Started by tests in the real one's place; everything but the work itself is the real
one's, its confinement too. What was refused comes back as the error's name.
"""

import ctypes
import errno
import os
import resource
import signal
import socket
import sys
import time

import numpy as np

sys.path.insert(0, sys.argv[1])

from encoders import sandbox_worker
from encoders.sandbox_protocol import SOUND, write_frame
from encoders.signals import EncodeError
from encoders.system_calls import call

PTRACE = 101  # On x86_64; another number is refused as well.
served = 0


def connect():
    """Reach out by TCP."""
    with socket.socket() as tcp:
        tcp.connect(("127.0.0.1", int(sys.argv[2])))


def send():
    """Reach out by UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"out", ("127.0.0.1", int(sys.argv[2])))


def loop():
    """Never end."""
    while True:
        pass


def hoard():
    """Take memory, a little at a time."""
    hoarded = []
    while True:
        hoarded.append(bytearray(1 << 20))


def fork_bomb():
    """Become many."""
    while True:
        os.fork()


def more_cpu():
    """Lift the limit on CPU time."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))
    except ValueError as error:  # So Python calls EPERM here.
        raise PermissionError(errno.EPERM, str(error)) from error


def die_but_fresh():
    """Die of what a file before this one left behind."""
    if served > 1:
        os._exit(4)
    raise EncodeError("fresh", "it works in a new process")


def half_a_sound(answers, request, always):
    """Send what is wanted of 70 s that count up, but die at 40; if fresh, go on."""
    count = np.arange(70 * 16_000).astype("<i2")
    middle = 40 * 16_000
    write_frame(answers, SOUND, count[request.skip_samples : middle].tobytes())
    if always or served > 1:
        answers.flush()
        os._exit(4)
    write_frame(answers, SOUND, count[max(request.skip_samples, middle) :].tobytes())


def tell(text):
    """Send text out in the only way there is."""
    raise EncodeError("told", text)


ORDERS = {
    "open": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "list": lambda: os.listdir("/"),
    "write": lambda: os.open("/tmp/out", os.O_WRONLY | os.O_CREAT),
    "tcp": connect,
    "udp": send,
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "exec": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
    "fork": os.fork,
    "fork bomb": fork_bomb,
    "kill parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "ptrace": lambda: call(PTRACE, 16, os.getppid(), 0, 0),
    "more cpu": more_cpu,
    "segv": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "loop": loop,
    "sleep": lambda: time.sleep(600),
    "hoard": hoard,
    "allocate": lambda: bytearray(1 << 29),
    "exit": lambda: os._exit(3),
    "bug": lambda: {}["no such key: secret"],
    "die but fresh": die_but_fresh,
    "environment": lambda: tell(" ".join(sorted(os.environ))),
    "modules": lambda: tell(" ".join(sorted(sys.modules))),
}


def obey(answers, request):
    """Do what the media says, or decode it."""
    global served
    served += 1
    order = request.data.decode("ascii", "replace")
    if order == "babble":
        answers.write(b"no frame at all")
        answers.flush()
        return None
    if order == "flood":
        while True:
            write_frame(answers, SOUND, bytes(1 << 20))
    if order in ("half", "half but fresh"):
        return half_a_sound(answers, request, always=order == "half")
    if order not in ORDERS:
        return honest(answers, request)
    try:
        ORDERS[order]()
    except OSError as error:
        raise EncodeError("refused", errno.errorcode[error.errno]) from error
    raise EncodeError("allowed", order)


honest, sandbox_worker._work = sandbox_worker._work, obey

if __name__ == "__main__":
    sandbox_worker.main()
