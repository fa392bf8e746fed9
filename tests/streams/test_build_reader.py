import sys

import pytest

from encoders.confinement import Confinement
from encoders.media_reader import InProcessReader
from encoders.sandbox import SandboxedReader
from encoders.sandbox_process import DecoderProcess
from encoders.signals import DecoderUnavailableError
from streams.errors import StartError
from streams.settings import load_settings
from streams.wiring import build_reader

linux = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


@linux
def test_strangers_media_is_decoded_in_the_sandbox_by_default():
    """Nobody has to know of the setting to be safe."""
    reader = build_reader(load_settings())

    assert isinstance(reader, SandboxedReader)
    reader.close()


def test_the_sandbox_can_be_left_out_for_debugging():
    """Decoding then happens where a debugger sees it."""
    assert isinstance(build_reader(load_settings(sandbox="off")), InProcessReader)


@linux
@pytest.mark.parametrize("gaps", [True, False])
def test_strict_means_whole_or_not_at_all(monkeypatch, gaps):
    """A kernel that lacks a wall stops a strict worker, and only that one."""
    found = Confinement(landlock_abi=0 if gaps else 7, seccomp=True)
    monkeypatch.setattr(SandboxedReader, "confinement", found)
    build_reader(load_settings(sandbox="on")).close()
    if not gaps:
        build_reader(load_settings(sandbox="strict")).close()
        return

    with pytest.raises(StartError, match="this kernel lacks Landlock"):
        build_reader(load_settings(sandbox="strict"))


def test_decoders_that_can_not_start_are_told_before_any_event(monkeypatch):
    """Refusing to start beats a dead letter for each upload."""
    monkeypatch.setattr(DecoderProcess, "__init__", refuse)
    with pytest.raises(StartError, match="HEADGATE_SANDBOX is on: no more"):
        build_reader(load_settings(sandbox="on"))


def refuse(self, command):
    """Fail as a process does that can't be started."""
    raise DecoderUnavailableError("no more processes")
