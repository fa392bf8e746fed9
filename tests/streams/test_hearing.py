import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader
from encoders.sandbox import SandboxedReader
from streams.batcher import Batcher
from streams.hearing import NoNotes, SoundWindows, hear_sound
from streams.model_threads import off_the_loop
from streams.shared_hearing import SharedHearing
from tests.fakes import FakeSpeechEngine, FakeWindower
from tests.media_builders import a_sound_file

LIMITS = MediaLimits(1 << 24, 400)
READER = InProcessReader(LIMITS)
LONG, SHORT = a_sound_file("flac", 45), a_sound_file("ogg", 3)


class SlowEngine(FakeSpeechEngine):
    """Keeps which windows it heard together, by their starts; one second each."""

    def __init__(self, window_s=0.0):
        super().__init__()
        self.batches, self._window_s = [], window_s

    def transcribe_windows(self, windows):
        """Hear, and keep."""
        self.batches.append([window.start_s for window in windows])
        time.sleep(self._window_s * len(windows))
        return super().transcribe_windows(windows)


class Remembers(NoNotes):
    """Notes in memory."""

    def __init__(self):
        self.known = {}

    def recall(self, window):
        """Return what was noted."""
        return self.known.get(window.start_s)

    def note(self, window, result):
        """Keep it."""
        self.known[window.start_s] = result


def windows_of(data, window_s=1.0, reader=READER):
    """Open a sound that is cut every second."""
    return SoundWindows(reader.open_sound(data), FakeWindower(window_s))


class Shared:
    """A shared hearing over one engine, with all that it needs."""

    def __init__(self, engine, size=2):
        self._engine, self._size = engine, size

    async def __aenter__(self):
        self.model = ThreadPoolExecutor(1, "model")
        self.threads = ThreadPoolExecutor(2, "sounds")
        work = off_the_loop(self._engine.transcribe_windows, self.model)
        self.batcher = Batcher(work, size=self._size, wait_s=0.01)
        return SharedHearing(self.batcher, self.threads, ahead=2 * self._size)

    async def __aexit__(self, *_):
        await self.batcher.close()
        self.threads.shutdown()
        self.model.shutdown()


def ignore(done_s):
    """Take no interest in how far it is."""


def heard_alone(data):
    """Hear one sound by itself."""
    with windows_of(data) as sound:
        return hear_sound(SlowEngine(), sound, batch_size=4)


def test_together_gives_what_alone_gives():
    """The worker, `assess` and `transcribe` say the same of the same sound."""

    async def scenario():
        async with Shared(SlowEngine()) as hearing:
            sounds = (windows_of(LONG), windows_of(SHORT), windows_of(LONG))
            return await asyncio.gather(
                *(hearing.hear(sound, NoNotes(), ignore) for sound in sounds)
            )

    first, short, second = asyncio.run(scenario())
    assert first == second == heard_alone(LONG)
    assert short == heard_alone(SHORT)
    assert [s.start_s for s in first.result.segments] == [float(n) for n in range(45)]


def test_a_short_sound_gets_in_between_a_long_ones_windows():
    """It waits for the few windows in flight, not for the long sound's end."""
    engine, ends = SlowEngine(0.02), []

    async def scenario():
        async with Shared(engine) as hearing:

            async def hear(name, data):
                await hearing.hear(windows_of(data), NoNotes(), ignore)
                ends.append((name, len(engine.batches)))

            long = asyncio.create_task(hear("long", LONG))
            while len(engine.batches) < 3:
                await asyncio.sleep(0.005)
            await hear("short", SHORT)
            await long

    asyncio.run(scenario())
    assert [name for name, _ in ends] == ["short", "long"]
    assert ends[0][1] < 12  # Of at least 24 batches.
    assert max(map(len, engine.batches)) == 2


def test_many_sounds_hold_no_more_windows_than_a_few():
    """However many uploads are in work: memory is bounded for the lane as a whole."""
    most = 0

    async def scenario():
        nonlocal most
        async with Shared(SlowEngine(0.002)) as hearing:
            submit = hearing._windows.submit
            waiting = 0

            async def counted(window):
                nonlocal most, waiting
                waiting += 1
                most = max(most, waiting)
                try:
                    return await submit(window)
                finally:
                    waiting -= 1

            hearing._windows.submit = counted
            sounds = [windows_of(SHORT) for _ in range(12)]
            await asyncio.gather(
                *(hearing.hear(sound, NoNotes(), ignore) for sound in sounds)
            )

    asyncio.run(scenario())
    assert most == 8


def test_what_is_known_is_not_heard_again():
    """Nor noted twice; alone and together."""
    notes, engine = Remembers(), SlowEngine()
    with windows_of(SHORT) as sound:
        expected = hear_sound(engine, sound, batch_size=2, notes=notes)
    del notes.known[1.0]
    engine.batches.clear()

    async def scenario():
        async with Shared(engine) as hearing:
            return await hearing.hear(windows_of(SHORT), notes, ignore)

    assert asyncio.run(scenario()) == expected
    assert engine.batches == [[1.0]]
    with windows_of(SHORT) as sound:
        assert hear_sound(engine, sound, batch_size=2, notes=notes) == expected
    assert engine.batches == [[1.0]]


def test_it_tells_how_far_it_is():
    """In seconds of the sound, rising."""
    told, alone = [], []

    async def scenario():
        async with Shared(SlowEngine()) as hearing:
            await hearing.hear(windows_of(LONG), NoNotes(), told.append)

    asyncio.run(scenario())
    with windows_of(LONG) as sound:
        hear_sound(SlowEngine(), sound, batch_size=4, told=alone.append)
    assert told == sorted(told)
    assert alone == sorted(alone)
    assert told[-1] >= 40
    assert alone[-1] >= 40


def test_a_window_that_fails_fails_its_sound_only():
    """The other sound, in the same batches, is heard to its end."""

    class Breaks(SlowEngine):
        def transcribe_windows(self, windows):
            if any(window.start_s == 5.0 for window in windows):
                raise RuntimeError("this window")
            return super().transcribe_windows(windows)

    async def scenario():
        async with Shared(Breaks()) as hearing:
            return await asyncio.gather(
                hearing.hear(windows_of(LONG), NoNotes(), ignore),
                hearing.hear(windows_of(SHORT), NoNotes(), ignore),
                return_exceptions=True,
            )

    failed, short = asyncio.run(scenario())
    assert isinstance(failed, RuntimeError)
    assert short == heard_alone(SHORT)


@pytest.mark.parametrize("after_s", [0.0, 0.2, 1.5])
def test_a_cancel_leaves_no_thread_and_no_process(after_s):
    """At once, whether it decodes or hears; the next sound is not held up."""
    reader = SandboxedReader(LIMITS, sounds=1)
    reader.open_sound(SHORT).read()  # Started.
    engine = SlowEngine(0.05)

    async def scenario():
        async with Shared(engine) as hearing:
            sound = windows_of(LONG, reader=reader)
            work = asyncio.create_task(hearing.hear(sound, NoNotes(), ignore))
            await asyncio.sleep(after_s)
            began_s = time.monotonic()
            work.cancel()
            await asyncio.wait([work])
            took_s = time.monotonic() - began_s
            short = windows_of(SHORT, reader=reader)
            heard = await hearing.hear(short, NoNotes(), ignore)
            return took_s, work.cancelled(), heard

    took_s, cancelled, heard = asyncio.run(scenario())
    assert cancelled
    assert took_s < 1
    assert heard == heard_alone(SHORT)
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith(("model", "sounds"))]
    assert len(reader._sounds._live) <= 1
    reader.close()
