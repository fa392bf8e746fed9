import os
import signal
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader
from encoders.sandbox import SandboxedReader
from encoders.signals import EncodeError
from tests.media_builders import a_picture, a_sound_file, a_video_file, encoded
from tests.security.hostile_corpus import (
    PLAYLISTS,
    bombs,
    playlist,
    random_files,
    truncations,
)
from tests.security.hostile_flac import silent_flac

LIMITS = MediaLimits(max_bytes=64 << 20, max_s=900)
# The limits. Time is the decoder's CPU time, which no busy machine lengthens;
# what sleeps instead (FFmpeg waits 10 s for SDP) shows on the wall clock.
CPU_S, WALL_S, MEMORY_BYTES = 2.0, 8.0, 300_000_000
# What a decoder may find; each other code would mean that it was ended.
CODES = {
    *("empty", "too_large", "too_long", "unknown_format", "undecodable"),
    *("no_audio", "no_video"),
}


@pytest.fixture(scope="module")
def reader():
    """One decode process for the whole corpus: nothing may end it."""
    sandboxed = SandboxedReader(LIMITS, processes=1, recycle_after=10**6)
    sandboxed.examine(encoded(a_picture()))
    yield sandboxed
    sandboxed.close()


def the_process(reader):
    """Return the reader's only process, leaving it in its place."""
    process = reader._free.get()
    reader._free.put(process)
    return process


@dataclass
class Spent:
    """What a piece of work took."""

    cpu_s: float = 0
    wall_s: float = 0
    memory_bytes: int = 0


@contextmanager
def measured(reader):
    """Measure the decode process, which must outlive the work."""
    pid, spent = the_process(reader).pid, Spent()
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # Forgets the peak so far.
    cpu_s, wall_s, memory = cpu_time_s(pid), time.monotonic(), peak_bytes(pid)
    yield spent
    assert the_process(reader) is not None, "the decode process was ended"
    assert the_process(reader).pid == pid, "the decode process was replaced"
    spent.wall_s = time.monotonic() - wall_s
    spent.cpu_s = cpu_time_s(pid) - cpu_s
    spent.memory_bytes = peak_bytes(pid) - memory
    assert spent.cpu_s < CPU_S
    assert spent.wall_s < WALL_S
    assert spent.memory_bytes < MEMORY_BYTES


def cpu_time_s(pid):
    """Return the CPU time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid):
    """Return the most memory that a process has held."""
    (line,) = [
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) * 1024


def codes(reader, data):
    """Look at and listen to media; return each outcome's code, None where it went."""
    found = []
    for read in (reader.examine, reader.audio):
        try:
            read(data)
            found.append(None)
        except EncodeError as error:
            found.append(error.code)
    return found


@contextmanager
def trap():
    """Listen on a port of the loopback, TCP and UDP; nothing may come."""
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = tcp.getsockname()[1]
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", port))
        tcp.setblocking(False)
        udp.setblocking(False)
        yield port
        with pytest.raises(BlockingIOError):
            tcp.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(1)


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_reaches_nothing(reader, name):
    """Text that names an address or a file is no media, and nothing is asked."""
    with trap() as port, measured(reader):
        assert codes(reader, playlist(name, port)) == ["unknown_format"] * 2


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_reaches_nothing_without_the_sandbox(name):
    """The list of formats holds by itself: the sandbox is the second wall."""
    started_s = time.monotonic()
    with trap() as port:
        found = codes(InProcessReader(LIMITS), playlist(name, port))

    assert found == ["unknown_format"] * 2
    assert time.monotonic() - started_s < WALL_S


BOMBS = bombs()


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(reader, name):
    """Whatever a file claims to unpack to, the limits hold and the decoder lives."""
    data, code = BOMBS[name]
    with measured(reader):
        try:
            reader.examine(data)
            found = None
        except EncodeError as error:
            found = error.code
    with measured(reader):
        heard = codes(reader, data)[1]

    assert found == code
    assert heard is None or heard in CODES


def test_silence_without_a_stated_length_stops_at_the_limit(reader):
    """Ten hours that keep their length to themselves end at fifteen minutes."""
    data = silent_flac(10, says_how_long=False)
    assert len(data) < 7_500_000
    with measured(reader), pytest.raises(EncodeError) as refused:
        reader.audio(data)

    assert refused.value.code == "too_long"


def test_silence_within_the_limit_is_heard(reader):
    """The bomb's frames are sound FLAC: a minute of them decodes whole."""
    decoded = reader.audio(silent_flac(1 / 60))

    assert decoded.waveform.duration_s == pytest.approx(60, abs=0.1)
    assert not decoded.truncated


def run_all(reader, files):
    """Look at and listen to many files in one process, each within the limits."""
    pid = the_process(reader).pid
    for number, data in enumerate(files):
        spent_s = cpu_time_s(pid)
        found = codes(reader, data)
        assert set(found) <= CODES | {None}, f"file {number}: {found}"
        assert cpu_time_s(pid) - spent_s < CPU_S, f"file {number}"
    assert the_process(reader).pid == pid


def test_random_bytes_end_as_a_word(reader):
    """A thousand random files in one process: none crashes, hangs or floods it."""
    baseline = peak_bytes(the_process(reader).pid)
    run_all(reader, random_files(1_000))

    assert peak_bytes(the_process(reader).pid) - baseline < MEMORY_BYTES


@pytest.mark.slow
@pytest.mark.chaos
def test_very_many_random_bytes_end_as_a_word(reader):
    """The same with twenty thousand others."""
    run_all(reader, random_files(20_000, seed=5))


SOUND_FILES = {
    "flac": lambda: a_sound_file("flac", 1),
    "mp4": lambda: a_video_file(1, key_every_s=0.2),
    "png": lambda: encoded(a_picture(320, 200)),
}


@pytest.mark.parametrize("name", SOUND_FILES)
def test_a_file_cut_anywhere_ends_as_a_word(reader, name):
    """Cut at every hundredth: a look, or a code that says why not."""
    run_all(reader, truncations(SOUND_FILES[name]()))


def test_the_measure_can_fail(reader):
    """A decode process that dies under the measure is noticed."""
    own = SandboxedReader(LIMITS, processes=1)
    own.examine(encoded(a_picture()))

    def die():
        with measured(own):
            os.kill(the_process(own).pid, signal.SIGKILL)
            own.examine(encoded(a_picture()))

    with pytest.raises(AssertionError, match="replaced"):
        die()
    own.close()
