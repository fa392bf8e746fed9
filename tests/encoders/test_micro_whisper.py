import json
import random

import pytest
import torch
import whisper
import yaml

from encoders import micro
from encoders.micro.evaluation import Heard, edit_distance, word_error_rate
from encoders.micro.sentences import HELD_OUT, WORDS, a_text, normalised
from encoders.model_files import sha256_of
from encoders.speech import Window, load_speech, transcribe_whole, weights_problem
from tests.conftest import ROOT
from tests.micro_clips import FOLDER, clips
from tests.speech_builders import noise, silence

MOST_BYTES = 8_000_000
MOST_WORD_ERRORS = 0.48  # 0.41 when the weights were made.


@pytest.fixture(scope="module")
def engine():
    """Load the bundled model by its name."""
    return load_speech("whisper:micro", device="cpu", allow_download=False)


@pytest.fixture(scope="module")
def heard(engine):
    """Have each clip transcribed, in one batch: (clip, its result)."""
    said = clips()
    windows = [Window(clip.waveform, 0.0) for clip in said]
    return list(zip(said, engine.transcribe_windows(windows), strict=True))


def test_the_file_is_the_one_that_the_manifest_names():
    """The weights are small, and those whose figures the model card gives."""
    folder = micro.CHECKPOINT.parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    assert manifest["sha256"] == sha256_of(micro.CHECKPOINT)
    assert micro.CHECKPOINT.stat().st_size == manifest["bytes"] <= MOST_BYTES
    assert manifest["sha256"] in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_the_weights_need_no_download():
    """They come with the package, whatever the cache holds."""
    assert weights_problem("whisper:micro", allow_download=False) is None


def test_openai_whisper_loads_the_file():
    """The format is OpenAI's own, with tensors of half precision and nothing else."""
    checkpoint = torch.load(micro.CHECKPOINT, map_location="cpu", weights_only=True)
    model = whisper.Whisper(whisper.ModelDimensions(**checkpoint["dims"]))

    model.load_state_dict(checkpoint["model_state_dict"])

    assert {t.dtype for t in checkpoint["model_state_dict"].values()} == {torch.float16}
    assert not model.is_multilingual


@pytest.mark.models
def test_unheard_voices_are_understood(heard):
    """Held-out sentences in held-out voices keep the word errors of the model card."""
    results = [
        Heard(
            " ".join(clip.sentences),
            normalised(" ".join(part.text for part in result.segments)),
            0.0,
        )
        for clip, result in heard
    ]

    assert word_error_rate(results) <= MOST_WORD_ERRORS


@pytest.mark.models
def test_times_are_those_of_the_sentences(heard):
    """The first words begin and the last end where they do in the sound."""
    for clip, result in heard:
        first, last = result.segments[0], result.segments[-1]
        assert first.start_s == pytest.approx(clip.times_s[0][0], abs=0.3)
        assert last.end_s == pytest.approx(clip.times_s[-1][1], abs=0.3)


@pytest.mark.models
def test_silence_and_noise_are_no_speech(engine):
    """Nothing is written where nobody speaks."""
    results = transcribe_whole(engine, [silence(2), noise(4), noise(4, 0.01, seed=2)])
    raw = engine.transcribe_windows([Window(noise(4), 0.0)])

    assert [result.segments for result in results] == [(), (), ()]
    assert not any(part.text for part in raw[0].segments)


def test_all_the_demo_says_was_taught():
    """Each English word of the samples is known; none of their sentences is."""
    story = yaml.safe_load((ROOT / "deploy" / "samples" / "uploads.yaml").read_text())
    said = [
        normalised(saying["text"])
        for saying in story["speech"].values()
        if saying["voice"].startswith("en")
    ]
    rng = random.Random(1)
    trained = {a_text(rng) for _ in range(5_000)}

    assert {word for text in said for word in text.split()} <= set(WORDS)
    assert not trained & {*said, *HELD_OUT}


def test_the_clips_are_few_and_small():
    """Tests carry no more sound than they need."""
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 200_000


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("a b", "b a", 2),
        ("", "a b", 2),
    ],
)
def test_word_errors_are_counted(said, heard, errors):
    """The fewest insertions, deletions and replacements."""
    assert edit_distance(said.split(), heard.split()) == errors
