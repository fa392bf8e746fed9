import pytest
import torch
import whisper
from whisper.audio import log_mel_spectrogram, pad_or_trim

from encoders import whisper_decoding
from encoders.whisper_decoding import decode_batch
from encoders.whisper_speech import load_whisper
from tests.speech_builders import a_whisper_checkpoint, noise

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Load a tiny random model."""
    path = a_whisper_checkpoint(tmp_path_factory.mktemp("whisper"))
    return load_whisper(str(path), device="cpu", allow_download=False)._model


def mels(*seeds):
    """Build the log-mels of windows of noise."""
    return torch.stack(
        [log_mel_spectrogram(pad_or_trim(noise(1 + n, seed=n).samples)) for n in seeds]
    )


def test_it_says_what_whisper_says(model):
    """At temperature 0: the same tokens, language and certainties as whisper.decode."""
    sounds = mels(1, 2, 3)
    ours = decode_batch(model, sounds, (0.0,))
    theirs = [
        whisper.decode(model, sound, whisper.DecodingOptions(fp16=False))
        for sound in sounds
    ]

    for one, other in zip(ours, theirs, strict=True):
        assert list(one.tokens) == other.tokens
        assert (one.text, one.language) == (other.text, other.language)
        assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-3)
        assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=1e-5)
        assert one.compression_ratio == other.compression_ratio


def test_a_window_that_is_done_leaves_the_others_as_they_were(model, monkeypatch):
    """Windows that end after 2, 4, 6 … tokens say the beginning of what they would."""
    sounds, widths, early = mels(1, 2, 3, 4, 5), [], False

    def choose(self, logits):
        widths.append(len(self._live))
        said = self._tokens.shape[1] - self._rules.sample_begin
        # Each window says something else: its second best, its third best.
        best = logits.topk(6).indices
        rows = enumerate(self._live)
        chosen = torch.stack([best[row, window] for row, window in rows])
        for row, window in enumerate(self._live):
            if early and said == 2 * (window + 1):
                chosen[row] = self._tokenizer.eot
        return chosen

    monkeypatch.setattr(whisper_decoding._Batch, "_choose", choose)
    whole = decode_batch(model, sounds, (0.0,))
    early, widths = True, []
    found = decode_batch(model, sounds, (0.0,))

    assert len({one.tokens for one in whole}) == 5
    for window, (short, long) in enumerate(zip(found, whole, strict=True)):
        assert short.complete
        assert short.tokens == long.tokens[: 2 * (window + 1)]
    assert (widths[0], widths[-1] < 3) == (5, True)


def test_each_window_has_its_own_dice(model):
    """Above temperature 0 a window draws the same lots in any company."""
    (alone,) = decode_batch(model, mels(2), (0.7,))
    together = decode_batch(model, mels(1, 2, 3, 2), (0.7,))

    assert together[1].tokens == together[3].tokens == alone.tokens
    assert alone.tokens != decode_batch(model, mels(2), (0.0,))[0].tokens


def test_only_windows_that_failed_are_tried_again(model, monkeypatch):
    """The others keep what they said at first; the sound is encoded once."""
    sounds = mels(1, 2, 3)
    first = decode_batch(model, sounds, (0.0,))
    monkeypatch.setattr(
        whisper_decoding.Decoded,
        "failed",
        property(lambda one: abs(one.avg_logprob - first[1].avg_logprob) < 1e-6),
    )
    encoded = []
    hook = model.encoder.register_forward_hook(lambda *_: encoded.append(1))
    found = decode_batch(model, sounds, (0.0, 0.4, 0.8))
    hook.remove()

    assert encoded == [1]
    assert [found[0], found[2]] == [first[0], first[2]]
    assert found[1].tokens != first[1].tokens


@pytest.mark.parametrize(
    ("avg_logprob", "no_speech_prob", "ratio", "failed"),
    [
        (-0.5, 0.1, 1.5, False),
        (-1.1, 0.1, 1.5, True),
        (-0.5, 0.1, 2.5, True),
        (-1.1, 0.7, 2.5, False),
    ],
)
def test_failure_is_whispers_own(avg_logprob, no_speech_prob, ratio, failed):
    """Unsure or looping, but not silence (whisper/transcribe.py)."""
    decoded = whisper_decoding.Decoded(
        (), "", "en", avg_logprob, no_speech_prob, ratio, True
    )

    assert decoded.failed is failed
