"""Facts about knowing sound again."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from encoders.audio import decode_audio
from encoders.audio_fingerprint import Fingerprinter, items_of
from encoders.fingerprint_index import MAX_BIT_ERROR, MIN_ITEMS, FingerprintIndex
from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader
from encoders.signals import SAMPLE_RATE_HZ, ModelUnavailableError, Waveform
from encoders.sound_stream import OPENING_S, read_opening
from tests.media_builders import a_sound_file

Find = Callable[[str], Path]
Sound = NDArray[np.float32]
LONG = MediaLimits(max_bytes=1 << 26, max_s=3_600)


@pytest.fixture
def fingerprinter() -> Fingerprinter:
    """Return the real one, or skip."""
    pytest.importorskip("chromaprint", reason="libchromaprint is not installed")
    return Fingerprinter()


def items(count: int, seed: int = 0) -> NDArray[np.uint32]:
    """Make a fingerprint's items."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2**32, count, dtype=np.uint32)


def as_hex(found: NDArray[np.uint32]) -> str:
    """Write items as a fingerprint."""
    return found.astype(">u4").tobytes().hex()


def with_errors(found: NDArray[np.uint32], share: float) -> NDArray[np.uint32]:
    """Flip about that share of all bits."""
    flips = np.random.default_rng(5).random((len(found), 32)) < share
    return found ^ np.packbits(flips, axis=1).view(">u4").reshape(-1).astype(np.uint32)


def test_items_survive_being_written() -> None:
    """Eight hex digits each, the highest first."""
    assert items_of("0000000a80000001").tolist() == [10, 0x8000_0001]


@pytest.mark.parametrize("shift", [-300, -60, 0, 7, 200])
def test_a_copy_is_found_wherever_it_lies(shift: int) -> None:
    """An upload may begin before or after what is known of it."""
    known = [items(400, seed) for seed in range(9)]
    theirs = known[4]
    ours = theirs[shift:] if shift >= 0 else np.concatenate([items(-shift, 99), theirs])

    index = FingerprintIndex([as_hex(one) for one in known])
    ((place, error),) = index.similar(as_hex(with_errors(ours, 0.08)))

    assert place == 4
    assert 0 < error < 0.1


def test_a_known_sound_within_another_is_found() -> None:
    """Eight seconds of it are enough."""
    theirs = items(400)
    ours = np.concatenate([items(300, 1), theirs[100:164], items(300, 2)])

    assert FingerprintIndex([as_hex(theirs)]).similar(as_hex(ours)) == [(0, 0.0)]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (items(400, 1), items(400, 2)),
        (with_errors(items(400), 0.25), items(400)),
        (items(MIN_ITEMS - 1), items(MIN_ITEMS - 1)),
        (np.repeat(items(8), 50), np.repeat(items(8), 50)),  # One tone after another.
        (np.zeros(400, np.uint32), np.zeros(400, np.uint32)),
    ],
    ids=["others", "too far", "too short", "tones", "silence"],
)
def test_what_proves_nothing_is_not_found(
    ours: NDArray[np.uint32], theirs: NDArray[np.uint32]
) -> None:
    """Other sound, and what is alike wherever it occurs."""
    assert FingerprintIndex([as_hex(theirs)]).similar(as_hex(ours)) == []


def test_much_silence_does_not_take_for_ever() -> None:
    """Votes are bounded, and those of rare items count first."""
    theirs = np.concatenate([np.zeros(4_000, np.uint32), items(400)])
    index = FingerprintIndex([as_hex(theirs)] * 20)
    ours = np.concatenate([np.zeros(4_000, np.uint32), items(400)])

    assert len(index.similar(as_hex(ours))) > 0


def test_an_empty_index_finds_nothing() -> None:
    """No known sound, no match."""
    assert FingerprintIndex([]).similar(as_hex(items(100))) == []


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both the system's part and ours."""
    monkeypatch.setitem(sys.modules, "chromaprint", None)

    with pytest.raises(ModelUnavailableError, match=r"libchromaprint1 .*headgate\["):
        Fingerprinter()


def test_the_opening_is_as_long_as_it_may_be() -> None:
    """Two minutes of longer sound, all of shorter."""
    long, short = a_sound_file("flac", OPENING_S + 9), a_sound_file("flac", 3)
    reader = InProcessReader(LONG)

    opening = read_opening(reader.open_sound(long)).samples

    assert len(opening) == OPENING_S * SAMPLE_RATE_HZ
    np.testing.assert_array_equal(
        opening, decode_audio(long, LONG).waveform.samples[: len(opening)]
    )
    assert read_opening(reader.open_sound(short)).duration_s == pytest.approx(
        3, abs=0.1
    )


def test_short_sound_has_no_fingerprint(fingerprinter: Fingerprinter) -> None:
    """Under six seconds it would be like too much else."""
    noise = np.random.default_rng(0).normal(0, 0.1, 7 * SAMPLE_RATE_HZ)
    waveform = Waveform(noise.astype(np.float32))

    assert fingerprinter.fingerprint(Waveform(waveform.samples[:80_000])) == ""
    assert fingerprinter.fingerprint(Waveform(waveform.samples[:0])) == ""
    assert len(items_of(fingerprinter.fingerprint(waveform))) >= MIN_ITEMS


def as_mp3(sound: Sound) -> Sound:
    """Encode as MP3 of 64 kbit/s and decode again."""
    with io.BytesIO() as file:
        with av.open(file, "w", "mp3") as output:
            stream = output.add_stream("libmp3lame", rate=SAMPLE_RATE_HZ, layout="mono")
            stream.bit_rate = 64_000
            pcm = (sound * 32_767).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(pcm, "s16", "mono")
            frame.sample_rate = SAMPLE_RATE_HZ
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return decode_audio(file.getvalue(), LONG).waveform.samples


def copies(sound: Sound) -> Iterator[Sound]:
    """Make copies as people upload them."""
    noise = np.random.default_rng(0).normal(0, 0.05 * sound.std(), len(sound))
    yield as_mp3(sound)
    yield sound * 0.35
    yield sound[2 * SAMPLE_RATE_HZ :]
    yield sound + noise.astype(np.float32)
    yield as_mp3(0.5 * (sound + noise)[2 * SAMPLE_RATE_HZ + 777 :].astype(np.float32))


def recordings(shared_data: Find) -> list[Sound]:
    """Read speech, music, and pairs of noises of five seconds."""
    files = [
        *sorted(shared_data("ljspeech").glob("*.flac")),
        shared_data("music_nonspeech") / "vibeace.ogg",
    ]
    sounds = [decode_audio(f.read_bytes(), LONG).waveform.samples for f in files]
    for kind in ("chainsaw", "rain", "sea_waves", "clock_tick", "helicopter"):
        noises = sorted(shared_data("esc10").glob(f"{kind}__*.ogg"))[:2]
        parts = [decode_audio(f.read_bytes(), LONG).waveform.samples for f in noises]
        sounds.append(np.concatenate(parts))
    return sounds


def test_copies_are_known_and_other_sound_is_not(
    shared_data: Find, fingerprinter: Fingerprinter
) -> None:
    """Real speech, music and noise: every copy finds its own, and nothing else."""
    sounds = recordings(shared_data)
    assert len(sounds) == 10
    index = FingerprintIndex([fingerprinter.fingerprint(Waveform(s)) for s in sounds])

    for place, sound in enumerate(sounds):
        for copy in copies(sound):
            found = index.similar(fingerprinter.fingerprint(Waveform(copy)))
            assert [hit for hit, _ in found] == [place]
            assert found[0][1] <= MAX_BIT_ERROR
