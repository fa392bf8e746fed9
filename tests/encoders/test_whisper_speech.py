import pickle
from pathlib import Path

import pytest
import torch

from encoders.model_files import sha256_of
from encoders.signals import ModelUnavailableError
from encoders.speech import Window, load_speech
from tests.speech_builders import a_whisper_checkpoint, noise

pytestmark = pytest.mark.models


def load(name):
    """Load a Whisper by name or path, with no network."""
    return load_speech(f"whisper:{name}", device="cpu", allow_download=False)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Save a tiny random model."""
    return a_whisper_checkpoint(tmp_path_factory.mktemp("whisper"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give Whisper an empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "whisper"


class Payload:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("pwned"),))


def test_a_checkpoint_is_loaded_by_path(checkpoint):
    """A file in OpenAI's format is named with the hash of its bytes."""
    engine = load(checkpoint)

    assert engine.model.name == f"whisper:{checkpoint}"
    assert engine.model.sha256 == sha256_of(checkpoint)


def test_segments_say_how_sure_the_model_is(checkpoint):
    """Random weights give random words; times and certainties are still in range."""
    (result,) = load(checkpoint).transcribe_windows([Window(noise(2), 0.0)])

    assert result.segments
    assert len(result.language) == 2 or result.language in ("haw", "yue", "jw")
    for segment in result.segments:
        assert 0 <= segment.start_s <= segment.end_s <= 2
        assert segment.avg_logprob < 0
        assert 0 <= segment.no_speech_prob <= 1
        assert segment.compression_ratio > 0


def test_dice_are_thrown_alone(checkpoint):
    """Decoding neither depends on torch's generator nor moves it."""
    engine = load(checkpoint)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = engine.transcribe_windows([Window(noise(1), 0.0)])

    assert torch.rand(3).tolist() == expected.tolist()
    assert engine.transcribe_windows([Window(noise(1), 0.0)]) == first


def test_a_checkpoint_that_runs_code_is_refused(tmp_path, monkeypatch):
    """A pickle in a checkpoint's place is not unpickled."""
    monkeypatch.chdir(tmp_path)
    torch.save({"dims": {}, "model_state_dict": Payload()}, "evil.pt")
    Path("evil.pickle").write_bytes(pickle.dumps(Payload()))

    for name in ("evil.pt", "evil.pickle"):
        with pytest.raises(ModelUnavailableError, match="is not a Whisper checkpoint"):
            load(name)
    assert not Path("pwned").exists()


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    """Any other file stops the start with one sentence."""
    (tmp_path / "x.pt").write_bytes(content)

    with pytest.raises(ModelUnavailableError, match="is not a Whisper checkpoint"):
        load(tmp_path / "x.pt")


def test_an_unknown_name_lists_the_known(cache):
    """A name that is neither official nor a file says which there are."""
    with pytest.raises(ModelUnavailableError, match=r"'bass', .* tiny\.en, tiny, base"):
        load("bass")


def test_weights_that_are_not_here_say_what_to_do(cache):
    """Nothing is fetched unasked."""
    with pytest.raises(ModelUnavailableError, match="HEADGATE_ALLOW_DOWNLOAD=true"):
        load("base")
    assert not cache.exists()


def test_damaged_weights_are_refused(cache, checkpoint):
    """An official name loads only the bytes that its name stands for."""
    cache.mkdir()
    (cache / "base.pt").write_bytes(checkpoint.read_bytes())

    with pytest.raises(ModelUnavailableError, match="is damaged: its sha256 is"):
        load("base")


@pytest.fixture(scope="module")
def engine(checkpoint):
    """Load the random model once."""
    return load(checkpoint)


def a_limit_of(engine, monkeypatch, tokens):
    """Let the engine say so many tokens a pass, at temperature 0."""
    monkeypatch.setattr(engine, "_temperatures", (0.0,))
    monkeypatch.setattr(engine, "_options", {"sample_len": tokens})


def test_what_the_limit_of_tokens_cuts_is_decoded_again(engine, monkeypatch):
    """From the last timestamp on, to the window's end: no second is skipped."""
    passes, decode = [], engine._decode
    monkeypatch.setattr(
        engine, "_decode", lambda parts: passes.append(parts) or decode(parts)
    )
    a_limit_of(engine, monkeypatch, 4)
    (result,) = engine.transcribe_windows([Window(noise(20), 3.0)])
    begun_s = sorted({3 + part.start_s for parts in passes for part in parts})

    assert len(begun_s) > 1
    for start_s in begun_s[1:]:  # Behind a segment, or in the middle of a silent part.
        ends = {segment.end_s for segment in result.segments} | {13.0}
        assert min(abs(start_s - end_s) for end_s in ends) < 0.01 or start_s > 13
    reached_s = max(
        [segment.end_s for segment in result.segments]
        + [gated.end_s for gated in result.gated]
    )
    assert reached_s == pytest.approx(23, abs=0.2)


def test_a_loop_that_never_ends_is_told(engine, monkeypatch):
    """After eight rounds the rest is given up, and said to be."""
    monkeypatch.setattr(
        "encoders.whisper_rounds.split_tokens", lambda *_, duration_s, **__: ([], 0.01)
    )
    a_limit_of(engine, monkeypatch, 2)
    (result,) = engine.transcribe_windows([Window(noise(2), 5.0)])

    (gated,) = result.gated
    assert (gated.reason, gated.end_s) == ("unsure", pytest.approx(7))
    assert gated.start_s == pytest.approx(5.08)


def test_memory_that_runs_out_halves_the_batch(engine, monkeypatch):
    """A batch too large for the device is decoded in parts, with the same result."""
    from encoders import whisper_speech

    windows = [Window(noise(1, seed=n), 0.0) for n in range(5)]
    a_limit_of(engine, monkeypatch, 6)
    expected, decode = engine.transcribe_windows(windows), whisper_speech.decode_batch

    def narrow(model, mels, *rest, **options):
        if len(mels) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(model, mels, *rest, **options)

    monkeypatch.setattr(whisper_speech, "decode_batch", narrow)
    found = engine.transcribe_windows(windows)

    assert [r.segments[0].text for r in found] == [r.segments[0].text for r in expected]


def test_words_are_placed_on_request(checkpoint, monkeypatch):
    """Each word lies in its segment and has a probability."""
    from encoders.whisper_speech import WhisperEngine

    plain = load(checkpoint)
    engine = WhisperEngine(plain._model, plain.model, words=True)
    a_limit_of(engine, monkeypatch, 10)
    (result,) = engine.transcribe_windows([Window(noise(4), 8.0)])

    assert any(segment.words for segment in result.segments)
    for segment in result.segments:
        for word in segment.words:
            assert segment.start_s <= word.start_s <= word.end_s <= segment.end_s
            assert 0 <= word.probability <= 1
            assert word.text == word.text.strip() != ""
