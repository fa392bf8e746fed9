"""Edges that tests hold in their hands: a producer, a log, a text encoder."""

import asyncio
import hashlib
from collections import Counter
from contextlib import asynccontextmanager
from types import MappingProxyType

import numpy as np

from encoders.signals import (
    SAMPLE_RATE_HZ,
    ModelIdentity,
    Span,
    SpeechResult,
    SpeechSegment,
    Waveform,
)
from encoders.speech import WINDOW_S, Window
from encoders.voice import VoiceSettings
from encoders.windows import Windower
from streams.crash_guard import CrashLoopError
from streams.errors import TransientError
from streams.messages import Output, Record


class FakeProducer:
    """Confirms every record, after failing the first `failures` times."""

    def __init__(self, failures=0):
        self.written: list[Output] = []
        self._failures = failures

    async def send(self, output):
        """Write a record, or fail as a broker that is away does."""
        await asyncio.sleep(0)
        if self._failures:
            self._failures -= 1
            raise TransientError("broker away")
        self.written.append(output)


class FakeGuard:
    """Suspects the offsets it is told, refuses those it is told, notes the rest."""

    def __init__(self, suspects=(), refused=()):
        self.watched, self.cleared = [], []
        self._suspects, self._refused = suspects, refused

    def clear(self, place):
        """Note it."""
        self.cleared.append(place)

    def refuse(self, record):
        """Refuse as after two deaths."""
        if record.offset in self._refused:
            raise CrashLoopError(2)

    def is_suspect(self, record):
        """Say so of what it was told, and of what is refused."""
        return record.offset in (*self._suspects, *self._refused)

    @asynccontextmanager
    async def watch(self, records):
        """Note which offsets are worked on together."""
        self.watched.append([record.offset for record in records])
        yield


class FatalError(Exception):
    """The process would have ended here."""


class FakeLine:
    """A log line that is kept."""

    def __init__(self, log):
        self._log = log

    def finish(self, **facts):
        """Keep the facts."""
        self._log.finished.append(facts)

    def dead_letter(self, error, defect=None):
        """Keep the code."""
        self._log.dead.append(error.code)


class FakeLog:
    """Keeps what would be logged; remembers a fatal end instead of ending."""

    def __init__(self):
        self.finished, self.dead, self.notes, self.fatals = [], [], Counter(), []

    def begin(self, stage, record):
        """Start a line."""
        return FakeLine(self)

    def note(self, event, **facts):
        """Count an event."""
        self.notes[event] += 1

    def fatal(self, stage, error):
        """Remember the end."""
        self.fatals.append(error)


def a_record(offset=0, value=b"v", partition=0, topic="content.ingested.v1", **more):
    """Build a record."""
    return Record(topic, partition, offset, 1_700_000_000_000, b"k", value, **more)


class FakeTextEncoder:
    """Embeds a text as a unit vector that its hash chooses; splits nothing."""

    model = ModelIdentity("text", "fake-text", "0" * 64)
    dim = 384
    words = MappingProxyType({"hate": 1, "kill": 2, "you": 3, "i": 4})

    def embed(self, texts):
        """Return float32, shape (n, 384), rows of unit length."""
        rows = []
        for text in texts:
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            row = np.random.default_rng(seed).standard_normal(self.dim)
            rows.append(row / np.linalg.norm(row))
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), self.dim)

    def split(self, text):
        """Return the whole text as one span; none for white space."""
        return (Span(0, len(text)),) if text.strip() else ()


class FakeSpeechEngine:
    """Hears the same words in every window, however silent."""

    model = ModelIdentity("speech", "fake-speech", "1" * 64)

    def __init__(self, text="hello from the microphone"):
        self._text = text

    def transcribe_windows(self, windows):
        """Return one segment for each window."""
        results = []
        for window in windows:
            end_s = window.start_s + window.waveform.duration_s
            segment = SpeechSegment(window.start_s, end_s, self._text)
            results.append(SpeechResult("en", (segment,) if self._text else ()))
        return results


class FakeWindower:
    """Cuts a sound every `window_s`, wherever anybody speaks."""

    def __init__(self, window_s=WINDOW_S):
        self._size = int(window_s * SAMPLE_RATE_HZ)
        self._held, self._start = np.empty(0, np.float32), 0

    def feed(self, chunk):
        """Return the windows that are full."""
        self._held = np.concatenate([self._held, chunk.samples])
        found = []
        while len(self._held) >= self._size:
            found.append(self._cut(self._size))
        return found

    def finish(self):
        """Return the rest."""
        return [self._cut(len(self._held))] if len(self._held) else []

    def _cut(self, size):
        window = Window(Waveform(self._held[:size].copy()), self._start / 16_000)
        self._held, self._start = self._held[size:], self._start + size
        return window


class EveryVoice:
    """A voice detector that takes every sound for a voice."""

    name = "every"
    settings = VoiceSettings()

    def probabilities(self, frames):
        """Return 1 for each frame."""
        return np.ones(len(frames), np.float32)


def hears_everything():
    """Build a windower for which a tone is speech too."""
    return Windower(EveryVoice())


class FakeFingerprinter:
    """Gives every sound the same fingerprint, and notes how long each was."""

    def __init__(self, value):
        self.value, self.heard_s = value, []

    def fingerprint(self, sound):
        """Return the value."""
        self.heard_s.append(sound.duration_s)
        return self.value


class FakePictureModel:
    """Embeds a picture as its mean colour, and takes it for its strongest channel."""

    labels = ("red", "green", "blue")

    def __init__(self, role):
        self.model = ModelIdentity(role, f"fake-{role}", "1" * 64)

    def embed(self, pictures):
        """Return float32, shape (n, 3), rows of unit length."""
        rows = np.stack([p.rgb.mean(axis=(0, 1)) for p in pictures]) + 1e-6
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def classify(self, pictures):
        """Return float32, shape (n, 3): each channel's share."""
        rows = np.stack([p.rgb.mean(axis=(0, 1)) for p in pictures])
        return (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
