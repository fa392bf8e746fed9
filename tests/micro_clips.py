"""Clips that the micro Whisper never heard: sentences and voices held out of training.

`python -m tests.micro_clips` makes them anew (needs espeak-ng); they are committed, so
that the tests hear the same everywhere.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame

from encoders.audio import decode_audio
from encoders.media_format import MediaLimits
from encoders.micro.sentences import HELD_OUT
from encoders.micro.speaking import HELD_OUT_VOICES, Saying, speak
from encoders.signals import SAMPLE_RATE_HZ, Waveform

FOLDER = Path(__file__).parent / "encoders" / "micro_clips"
LIMITS = MediaLimits(max_bytes=100_000, max_s=30)
PAUSE_S = 0.8
EDGE_S = 0.3
PER_CLIP = 2  # Sentences; a clip is one voice.
CLIPS = 6


@dataclass(frozen=True)
class Clip:
    """A sound, its sentences, and when each begins and ends, in seconds."""

    waveform: Waveform
    sentences: tuple[str, ...]
    times_s: tuple[tuple[float, float], ...]


def clips() -> list[Clip]:
    """Read the committed clips."""
    facts = json.loads((FOLDER / "clips.json").read_text(encoding="utf-8"))
    return [
        Clip(
            decode_audio((FOLDER / fact["file"]).read_bytes(), LIMITS).waveform,
            tuple(fact["sentences"]),
            tuple((start_s, end_s) for start_s, end_s in fact["times_s"]),
        )
        for fact in facts
    ]


def main() -> None:
    """Write the clips and what is said in them."""
    FOLDER.mkdir(exist_ok=True)
    facts = []
    for at in range(CLIPS):
        sentences = HELD_OUT[at * PER_CLIP : (at + 1) * PER_CLIP]
        sound, times_s = _said(sentences, HELD_OUT_VOICES[at % len(HELD_OUT_VOICES)])
        file = f"clip_{at}.ogg"
        _save(FOLDER / file, sound)
        facts.append({"file": file, "sentences": sentences, "times_s": times_s})
    (FOLDER / "clips.json").write_text(json.dumps(facts, indent=1) + "\n")


def _said(sentences, voice):
    parts = [np.zeros(int(EDGE_S * SAMPLE_RATE_HZ), np.float32)]
    times_s, at_s = [], EDGE_S
    for sentence in sentences:
        said = speak(Saying(voice, 150, 50, sentence, sentence))
        end_s = at_s + len(said) / SAMPLE_RATE_HZ
        times_s.append((round(at_s, 2), round(end_s, 2)))
        at_s = end_s + PAUSE_S
        parts += [said, np.zeros(int(PAUSE_S * SAMPLE_RATE_HZ), np.float32)]
    return np.concatenate(parts), times_s


def _save(path, sound):
    pcm = np.rint(sound * 32_767).clip(-32_768, 32_767).astype(np.int16)
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE_HZ)
        stream.layout, stream.bit_rate = "mono", 24_000
        frame = AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


if __name__ == "__main__":
    main()
