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
from encoders.sandbox_process import _cpu_s
from encoders.signals import EncodeError
from tests.long_sound import peak_rss_bytes
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
    """One process that looks and one that listens: nothing may end either."""
    sandboxed = a_reader()
    yield sandboxed
    sandboxed.close()


def a_reader():
    """Start a reader and its two processes."""
    sandboxed = SandboxedReader(LIMITS, processes=1, sounds=1, recycle_after=10**6)
    assert codes(sandboxed, a_sound_file("flac", 1)) == [None, None]
    return sandboxed


def the_pids(reader):
    """Return the ids of the reader's processes, leaving them in their places."""
    pids = []
    for pool in (reader._looks, reader._sounds):
        process = pool.take()
        pool.give(process)
        assert process is not None, "the decode process was ended"
        pids.append(process.pid)
    return pids


@dataclass
class Spent:
    """What a piece of work took."""

    cpu_s: float = 0
    wall_s: float = 0
    memory_bytes: int = 0


@contextmanager
def measured(reader):
    """Measure the decode processes, which must outlive the work."""
    pids, spent = the_pids(reader), Spent()
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # Forgets the peak so far.
    cpu_s, wall_s, memory = cpu_time_s(pids), time.monotonic(), peak_bytes(pids)
    yield spent
    assert the_pids(reader) == pids, "a decode process was replaced"
    spent.wall_s = time.monotonic() - wall_s
    spent.cpu_s = cpu_time_s(pids) - cpu_s
    spent.memory_bytes = peak_bytes(pids) - memory
    assert spent.cpu_s < CPU_S
    assert spent.wall_s < WALL_S
    assert spent.memory_bytes < MEMORY_BYTES


def cpu_time_s(pids):
    """Return the CPU time that processes have used."""
    return sum(_cpu_s(pid) for pid in pids)


def peak_bytes(pids):
    """Return the most memory that processes have held."""
    return sum(peak_rss_bytes(pid) for pid in pids)


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
    pids = the_pids(reader)
    for number, data in enumerate(files):
        spent_s = cpu_time_s(pids)
        found = codes(reader, data)
        assert set(found) <= CODES | {None}, f"file {number}: {found}"
        assert cpu_time_s(pids) - spent_s < CPU_S, f"file {number}"
    assert the_pids(reader) == pids


def test_random_bytes_end_as_a_word(reader):
    """A thousand random files in one process: none crashes, hangs or floods it."""
    baseline = peak_bytes(the_pids(reader))
    run_all(reader, random_files(1_000))

    assert peak_bytes(the_pids(reader)) - baseline < MEMORY_BYTES


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
    own = a_reader()

    def die():
        with measured(own):
            os.kill(the_pids(own)[0], signal.SIGKILL)
            own.examine(encoded(a_picture()))

    with pytest.raises(AssertionError, match="replaced"):
        die()
    own.close()
