import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from encoders import sandbox
from encoders.confinement import Confinement
from encoders.sandbox import SandboxedReader
from encoders.sandbox_process import _cpu_s
from encoders.sandbox_task import Budget
from encoders.signals import DecoderUnavailableError, EncodeError
from tests.media_builders import LIMITS, a_picture, a_sound_file, encoded

ROOT = Path(__file__).resolve().parents[2]
ROGUE = Path(__file__).with_name("rogue_decoder.py")
PICTURE = encoded(a_picture())
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the sandbox is Linux's"
)


def rogue_command(port=0):
    """Return the command that starts a decoder which obeys its media."""
    return (sys.executable, "-I", str(ROGUE), str(ROOT), str(port))


@pytest.fixture
def listener():
    """A port of the loopback, TCP and UDP, that nothing may reach."""
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        port = tcp.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", port))
            yield port, tcp, udp


@pytest.fixture
def rogue(monkeypatch, listener):
    """A reader over one decoder that obeys its media, with little time."""
    monkeypatch.setattr(sandbox, "_LOOK", Budget(cpu_s=1, wall_s=30))
    command = rogue_command(listener[0])
    reader = SandboxedReader(LIMITS, processes=1, sounds=1, command=command)
    yield reader
    reader.close()


def the_process(pool):
    """Return a pool's process, leaving it in its place."""
    process = pool._free.get()
    pool._free.put(process)
    return process


def the_pid(reader):
    """Return the id of the process that looks at media."""
    process = the_process(reader._looks)
    return process.pid if process else None


def order(reader, what):
    """Have the decoder do something; return how that ended."""
    with pytest.raises(EncodeError) as ended:
        reader.examine(what.encode())
    return ended.value.code, str(ended.value)


def is_alive(pid):
    """Tell whether a process still runs; a zombie doesn't."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def gone_within(pid, seconds=20):
    """Wait for a process to end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and is_alive(pid):
        time.sleep(0.05)
    return not is_alive(pid)


@pytest.mark.parametrize(
    "what",
    [
        *("open", "list", "write", "tcp", "udp", "unix", "exec", "fork", "fork bomb"),
        *("kill parent", "ptrace", "more cpu"),
    ],
)
def test_what_decoding_does_not_need_is_refused(rogue, listener, what):
    """Files, sockets, programs, processes, signals, limits: none is to be had."""
    code, name = order(rogue, what)
    _, tcp, udp = listener
    tcp.setblocking(False)
    udp.setblocking(False)

    assert (code, name) in {("refused", "EPERM"), ("refused", "EACCES")}
    with pytest.raises(BlockingIOError):
        tcp.accept()
    with pytest.raises(BlockingIOError):
        udp.recv(1)
    assert rogue.examine(PICTURE).pictures


@pytest.mark.parametrize(
    ("what", "code", "message"),
    [
        ("segv", "decoder_died", "SIGSEGV"),
        ("abort", "decoder_died", "SIG"),
        ("exit", "decoder_died", "exit code 3"),
        ("bug", "decoder_died", "KeyError"),
        ("babble", "decoder_died", "a part"),
        ("flood", "decoder_died", "sound or pixels that nobody asked for"),
        ("loop", "decoder_timeout", "CPU time"),
        ("hoard", "decoder_out_of_memory", "300000000 bytes"),
        ("allocate", "decoder_out_of_memory", "300000000 bytes"),
    ],
)
def test_what_ends_the_decoder_is_that_contents_failure(rogue, what, code, message):
    """The reason says no more of the content than that; the next file works."""
    found = order(rogue, what)

    assert found[0] == code
    assert message in found[1]
    assert "secret" not in found[1]
    assert rogue.examine(PICTURE).pictures


def test_what_sleeps_is_ended_by_the_clock(rogue, monkeypatch):
    """A decoder that waits uses no CPU time, and is ended all the same."""
    monkeypatch.setattr(sandbox, "_LOOK", Budget(cpu_s=60, wall_s=0.5))
    started_s = time.monotonic()
    code, message = order(rogue, "sleep")

    assert time.monotonic() - started_s < 15
    assert code == "decoder_timeout"
    assert "wall-clock" in message


def test_time_is_counted_for_each_file(rogue):
    """A process that served long may still take its time for the next file."""
    rogue.audio(SOUND)
    pid = the_process(rogue._sounds).pid
    while _cpu_s(pid) < 3:  # It may use 2 for each.
        rogue.audio(SOUND)

    assert the_process(rogue._sounds).pid == pid


SOUND = a_sound_file("flac", 20)


def test_others_are_untouched(monkeypatch):
    """While one decoder dies of its content, again and again, the other goes on."""
    reader = SandboxedReader(LIMITS, processes=2, command=rogue_command())
    expected = reader.examine(PICTURE)
    with ThreadPoolExecutor(2) as pool:
        deaths = pool.submit(lambda: [order(reader, "segv")[0] for _ in range(3)])
        looks = pool.submit(lambda: [reader.examine(PICTURE) for _ in range(300)])

        assert deaths.result() == ["decoder_died"] * 3
        assert set(looks.result()) == {expected}
    reader.close()


def test_a_process_that_served_before_is_not_believed(rogue):
    """It may have died of an earlier file; the content is tried in a fresh one."""
    rogue.examine(PICTURE)

    assert order(rogue, "die but fresh") == ("fresh", "it works in a new process")


def test_a_process_killed_while_idle_costs_nothing(rogue):
    """The machine may end one at any time; the next file gets another."""
    rogue.examine(PICTURE)
    os.kill(the_pid(rogue), signal.SIGKILL)

    assert rogue.examine(PICTURE).pictures


def test_its_environment_holds_no_secret(rogue, monkeypatch):
    """It starts with a few variables of ours, in no folder, without the models."""
    monkeypatch.setenv("HEADGATE_BOOTSTRAP_PASSWORD", "secret")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    _, names = order(rogue, "environment")
    _, modules = order(rogue, "modules")

    assert "HEADGATE" not in names
    assert "PYTHONPATH" not in names
    loaded = {name.partition(".")[0] for name in modules.split()}
    assert not loaded & {"torch", "whisper", "streams", "schemas", "confluent_kafka"}


def test_processes_are_recycled():
    """What a file may have left behind ends with the process."""
    reader = SandboxedReader(LIMITS, processes=1, recycle_after=2)
    reader.examine(PICTURE)
    first = the_pid(reader)
    reader.examine(PICTURE)

    assert the_pid(reader) is None
    assert gone_within(first)
    reader.close()


def test_a_decoder_outlives_the_thread_that_needed_it_first():
    """The kernel ends a child with the thread that started it: that one must last."""
    reader = SandboxedReader(LIMITS, processes=1)
    thread = threading.Thread(target=reader.examine, args=(PICTURE,))
    thread.start()
    thread.join()
    first = the_pid(reader)
    time.sleep(0.2)
    reader.examine(PICTURE)

    assert the_pid(reader) == first
    reader.close()


def test_closing_waits_for_all_that_are_idle():
    """No zombie is left behind."""
    reader = SandboxedReader(LIMITS, sounds=2)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(reader.audio, [SOUND] * 8))
    processes = list(reader._sounds._live)
    reader.close()

    assert len(processes) == 2
    assert [process._child.returncode for process in processes] == [-9, -9]


def test_closing_ends_what_is_at_work(rogue, monkeypatch):
    """Work in another thread ends as unavailable, not as its content's fault."""
    monkeypatch.setattr(sandbox, "_LOOK", Budget(cpu_s=60, wall_s=60))
    assert rogue.confinement.gaps == ()  # It runs now, and has served nobody yet.
    pid = the_pid(rogue)
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(rogue.examine, b"loop")
        time.sleep(0.3)
        rogue.close()
        with pytest.raises(DecoderUnavailableError):
            work.result(timeout=20)

    assert gone_within(pid)
    with pytest.raises(DecoderUnavailableError):
        rogue.examine(PICTURE)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_no_decoder_outlives_its_parent(busy):
    """Killed outright, the worker leaves no process behind, whatever it does."""
    code = (
        "import sys; from encoders.sandbox import SandboxedReader;"
        "from encoders.media_format import MediaLimits;"
        f"r = SandboxedReader(MediaLimits(10**7, 60), command={rogue_command()!r});"
        "r.confinement; (p,) = r._looks._live; print(p.pid, flush=True);"
        f"r.examine(b'loop') if {busy} else input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as parent:
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        assert is_alive(child)
        parent.kill()

    assert gone_within(child)


@pytest.mark.parametrize(
    "command",
    [
        ("/no/such/python",),
        (sys.executable, "-c", "raise SystemExit(1)"),
        (sys.executable, "-c", "print('hello')"),
    ],
)
def test_decoders_that_do_not_start_are_no_fault_of_the_content(command):
    """Nothing can be decoded now: that is not a verdict on the media."""
    reader = SandboxedReader(LIMITS, command=command)
    with pytest.raises(DecoderUnavailableError):
        reader.examine(PICTURE)
    reader.close()


def test_what_the_kernel_lacks_is_named():
    """The report says what holds and what does not."""
    assert Confinement(7, True).gaps == ()
    assert "seccomp" in Confinement(7, False).gaps[0]
    assert "TCP, UDP" in Confinement(3, False).gaps[0]
    assert "missing: Landlock" in str(Confinement(0, True))


ATTEMPTS = ("file", "connect", "bind", "send", "kill", "fork")
LAYER = """
import os, resource, socket, sys
sys.path.insert(0, sys.argv[1])
from encoders.confinement import *
from encoders.landlock import give_up_files_and_tcp
from encoders.seccomp import allow_only_decoding
from encoders.system_calls import PR_SET_NO_NEW_PRIVS, prctl
def attempt(act):
    try:
        act()
        return "allowed"
    except OSError as error:
        return type(error).__name__
tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
prctl(PR_SET_NO_NEW_PRIVS, 1)
held = {layer}()
assert held, "the kernel lacks it"
print(
    attempt(lambda: os.open("/etc/passwd", os.O_RDONLY)),
    attempt(lambda: tcp.connect(("127.0.0.1", int(sys.argv[2])))),
    attempt(lambda: tcp.bind(("127.0.0.1", 0))),
    attempt(lambda: udp.sendto(b"", ("127.0.0.1", int(sys.argv[2])))),
    attempt(lambda: os.kill(os.getppid(), 0)),
    attempt(os.fork),
)
"""


@pytest.mark.parametrize(
    ("layer", "refused"),
    [
        ("give_up_files_and_tcp", {"file", "connect", "bind", "kill"}),
        ("allow_only_decoding", set(ATTEMPTS)),
    ],
)
def test_each_wall_stands_alone(listener, layer, refused):
    """Landlock and seccomp each refuse their part without the other."""
    port = str(listener[0])
    done = subprocess.run(
        [sys.executable, "-c", LAYER.format(layer=layer), str(ROOT), port],
        capture_output=True,
        text=True,
        check=False,
        env={"OPENBLAS_NUM_THREADS": "1"},
    )
    if "the kernel lacks it" in done.stderr:
        pytest.skip(f"this kernel lacks {layer}")
    words = done.stdout.splitlines()[0].split()
    tries = zip(ATTEMPTS, words, strict=True)

    assert {attempt for attempt, end in tries if end == "PermissionError"} == refused


def test_an_open_file_can_not_grow(tmp_path):
    """Even a file that it inherited takes no byte."""
    with (tmp_path / "file").open("wb") as file:
        code = (
            "import os, sys; sys.path.insert(0, sys.argv[1]);"
            "from encoders.confinement import confine; confine();"
            f"os.write({file.fileno()}, b'out')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(ROOT)],
            pass_fds=[file.fileno()],
            capture_output=True,
            check=False,
        )

    assert b"File too large" in done.stderr
    assert (tmp_path / "file").read_bytes() == b""


def test_threads_that_landlock_would_miss_are_refused():
    """Landlock holds for one thread: a process that has more is not confined."""
    code = (
        "import sys, threading, time; sys.path.insert(0, sys.argv[1]);"
        "threading.Thread(target=time.sleep, args=(1,), daemon=True).start();"
        "from encoders.confinement import confine; confine()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)], capture_output=True, check=False
    )

    assert b"ConfinementError: 2 threads run already" in done.stderr
