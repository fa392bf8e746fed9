import json
import random

import numpy as np
import pytest
import torch
import whisper

from encoders.micro.checkpoint import MOST_BYTES, save
from encoders.micro.learner import DIMS, N_VOCAB, Learner
from encoders.micro.noises import sound_without_speech
from encoders.micro.sentences import FOREIGN, HELD_OUT, WORDS, a_foreign_text, a_text
from encoders.micro.speaking import Clips, log_mel, trimmed
from encoders.micro.windows import IGNORED, Shape, Vocabulary, WindowMaker
from tests.speech_builders import silence

pytestmark = pytest.mark.models  # Whisper brings torch, which takes seconds.


@pytest.fixture(scope="module")
def vocabulary():
    """Number the taught tokens."""
    return Vocabulary()


@pytest.fixture(scope="module")
def learner(vocabulary):
    """Build an untrained model that has learnt a whitening."""
    torch.manual_seed(3)
    made = Learner(vocabulary)
    made.whiten(torch.randn(2, 80, 200) * torch.linspace(0.1, 2, 80)[:, None] + 0.3)
    return made


def some_clips():
    """Put noise of 0.5 s and 1 s in the place of two words, and one without any."""
    rng = np.random.default_rng(5)
    frames = rng.normal(-3, 1, (250, 80)).astype(np.float16)
    return Clips(frames, np.array([0, 50, 150, 250]), ("bank", "bank", ""))


def test_texts_are_of_known_words():
    """Nothing is taught that the vocabulary does not hold, and nothing held out."""
    rng = random.Random(2)
    texts = [a_text(rng) for _ in range(500)]

    assert {word for text in texts for word in text.split()} <= set(WORDS)
    assert {word for text in HELD_OUT for word in text.split()} <= set(WORDS)
    assert not set(texts) & set(HELD_OUT)


@pytest.mark.parametrize("language", FOREIGN)
def test_foreign_texts_have_no_english(language):
    """What is to be heard as no speech is of the other language's words."""
    words = a_foreign_text(random.Random(1), language).split()

    assert set(words) <= set(FOREIGN[language])


def test_silent_ends_are_cut():
    """Times are taught from the first to the last sound."""
    edge = silence(0.5).samples
    sound = np.concatenate([edge, np.full(8_000, 0.1, np.float32), edge])

    assert len(trimmed(sound)) == 8_000
    assert len(trimmed(edge)) == 0


def test_mels_are_whispers_own():
    """A clip's powers, scaled again, are what Whisper sees of it."""
    sound = sound_without_speech(0)
    seen = whisper.log_mel_spectrogram(torch.from_numpy(sound)).numpy()

    assert np.allclose((log_mel(sound).T + 4) / 4, seen, atol=2e-3)


def test_sounds_without_speech_are_the_same_again():
    """Each seed is one sound, in range."""
    for seed in range(6):
        sound = sound_without_speech(seed)
        assert np.array_equal(sound, sound_without_speech(seed))
        assert np.abs(sound).max() <= 1


def test_a_window_tells_what_sounds_when(vocabulary):
    """Times are the tokens next to where a clip begins and ends."""
    maker = WindowMaker(some_clips(), vocabulary, seed=1)
    shape = Shape(40, most_sayings=2, most_frames=2_000, whole=True)
    batch = maker.batch(shape, share_without_speech=0.0)

    assert batch.mel.shape == (40, 80, 3_000)
    for tokens, sounding in zip(batch.targets, batch.sounding, strict=True):
        times = tokens[tokens >= vocabulary.first_time] - vocabulary.first_time
        heard = np.flatnonzero(sounding != vocabulary.n_text)
        if len(times):  # Some are written without.
            assert times[0] * 5 == pytest.approx(heard[0], abs=3)
            assert times[-1] * 5 == pytest.approx(heard[-1], abs=4)


def test_a_window_without_speech_ends_at_once(vocabulary):
    """It is no speech to who asks, and empty to who does not."""
    maker = WindowMaker(some_clips(), vocabulary, seed=1)
    batch = maker.batch(Shape(4, most_sayings=1, most_frames=300), 1.0)

    assert (batch.targets == [vocabulary.no_speech, vocabulary.eot]).all()


def test_what_is_learnt_is_what_is_saved(learner, vocabulary, tmp_path):
    """Whisper loads the file and scores as the learner does, unused tokens too."""
    path = save(learner, vocabulary, tmp_path)
    checkpoint = torch.load(path, weights_only=True)
    model = whisper.Whisper(whisper.ModelDimensions(**checkpoint["dims"])).eval()
    model.load_state_dict(checkpoint["model_state_dict"])
    mel = torch.randn(1, 80, 3_000)
    ours = torch.tensor([[vocabulary.sot, 5, vocabulary.first_time]])
    theirs = torch.tensor([[vocabulary.used[token] for token in ours[0]]])

    with torch.no_grad():
        expected = learner.scores(ours, learner.heard(mel, torch.tensor([0])))
        found = model(mel, theirs)

    assert torch.allclose(
        found[..., list(vocabulary.used)], expected[..., :-1], atol=0.1
    )
    unused = set(range(N_VOCAB)) - set(vocabulary.used)
    rest = found[..., sorted(unused)].logsumexp(-1)
    assert torch.allclose(rest, expected[..., -1], atol=0.1)
    assert path.stat().st_size <= MOST_BYTES
    assert json.loads((tmp_path / "manifest.json").read_text())["dims"] == DIMS


def test_heads_begin_by_looking_near(vocabulary):
    """At first each head of the encoder looks at frames about as far as it is told."""
    attention = Learner(vocabulary).whisper.encoder.blocks[0].attn
    frames = torch.nn.functional.layer_norm(whisper.model.sinusoids(200, 64), (64,))
    query, key = (
        part.view(200, 4, 16).transpose(0, 1)
        for part in (attention.query(frames), attention.key(frames))
    )

    looks = (query @ key.transpose(1, 2)).argmax(-1)[:, 100] - 100

    assert torch.allclose(looks.float(), torch.tensor([-10.0, -3, 3, 10]), atol=2)


def test_ignored_is_what_torch_ignores():
    """Padding teaches nothing."""
    assert torch.nn.functional.cross_entropy(
        torch.zeros(2, 3), torch.tensor([1, IGNORED])
    ).item() == pytest.approx(np.log(3))
