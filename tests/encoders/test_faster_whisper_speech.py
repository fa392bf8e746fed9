import sys

import pytest

from encoders import micro
from encoders.model_files import sha256_of
from encoders.signals import ModelUnavailableError
from encoders.speech import Window, load_speech
from tests.micro_clips import clips
from tests.speech_builders import a_whisper_checkpoint, noise, silence

pytest.importorskip("ctranslate2", reason="CTranslate2 (fast-asr) is not installed")
from tests.ctranslate2_builders import a_ctranslate2_folder

pytestmark = pytest.mark.models


def load(name, sha256=None):
    """Load a converted model by name or folder, with no network."""
    spec = f"faster-whisper:{name}"
    return load_speech(spec, device="cpu", allow_download=False, sha256=sha256)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Convert the micro Whisper."""
    return a_ctranslate2_folder(
        micro.CHECKPOINT, tmp_path_factory.mktemp("converted") / "micro"
    )


@pytest.fixture(scope="module")
def engine(folder):
    """Load it in 8 bits."""
    return load(folder)


@pytest.fixture(scope="module")
def windows():
    """Read the micro Whisper's clips."""
    return [Window(clip.waveform, 0.0) for clip in clips()]


def test_8_bits_hear_what_whisper_hears(engine, windows):
    """The same words as openai-whisper's, but for one in twenty, at the same times."""
    exact = load_speech("whisper:micro", device="cpu", allow_download=False)
    ours, theirs = (e.transcribe_windows(windows) for e in (engine, exact))
    said, wanted = (
        " ".join(part.text for result in some for part in result.segments).split()
        for some in (ours, theirs)
    )

    from encoders.micro.evaluation import edit_distance

    assert edit_distance(wanted, said) <= len(wanted) / 20
    for mine, its in zip(ours, theirs, strict=True):
        assert mine.language == its.language == "en"
        assert mine.segments[-1].end_s == pytest.approx(its.segments[-1].end_s, abs=0.3)


def test_segments_say_how_sure_the_model_is(engine, windows):
    """Whisper's three measures are there, and in range."""
    for result in engine.transcribe_windows(windows):
        for segment in result.segments:
            assert segment.avg_logprob < 0
            assert 0 <= segment.no_speech_prob <= 1
            assert segment.compression_ratio > 0


def test_times_are_those_of_the_sound(engine, windows):
    """A window that begins later gives the same words as much later."""
    first = windows[0]
    (early,) = engine.transcribe_windows([first])
    (late,) = engine.transcribe_windows([Window(first.waveform, 100.0)])

    assert [part.text for part in late.segments] == [p.text for p in early.segments]
    assert late.segments[0].start_s == pytest.approx(early.segments[0].start_s + 100)


def test_company_does_not_matter(engine, windows):
    """A window gives the same result alone and in a batch, silence beside it none."""
    alone = [engine.transcribe_windows([window])[0] for window in windows]
    batch = engine.transcribe_windows([Window(silence(2), 0.0), *windows])

    assert batch[1:] == alone
    assert (batch[0].segments, batch[0].language) == ((), None)


def test_what_fails_is_heard_the_same_again(tmp_path_factory):
    """Random weights fail every search; no dice are thrown, so nothing changes."""
    checkpoint = a_whisper_checkpoint(tmp_path_factory.mktemp("random"), n_text_ctx=448)
    folder = a_ctranslate2_folder(checkpoint, checkpoint.parent / "converted")
    window = Window(noise(2), 0.0)

    first = load(folder).transcribe_windows([window])

    assert load(folder).transcribe_windows([window, window]) == [*first, *first]


def test_the_hash_is_of_all_files(folder, engine):
    """A model is named by its folder's files, and another is refused when pinned."""
    assert engine.model.sha256 == sha256_of(folder)
    with pytest.raises(ModelUnavailableError, match="HEADGATE_ASR_SHA256"):
        load(folder, sha256="0" * 64)


def test_an_unknown_name_lists_the_known():
    """A name that is neither official nor a folder says which there are."""
    with pytest.raises(ModelUnavailableError, match=r"'bass'.* tiny\.en, tiny, base"):
        load("bass")


def test_weights_that_are_not_here_say_what_to_do(tmp_path, monkeypatch):
    """Nothing is fetched unasked."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelUnavailableError, match="HEADGATE_ALLOW_DOWNLOAD=true"):
        load("base")


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "vocabulary.json"])
def test_a_folder_that_is_no_model_is_refused(tmp_path, missing):
    """One missing file stops the start with its name."""
    for name in {"model.bin", "config.json", "vocabulary.json"} - {missing}:
        (tmp_path / name).write_text("{}")

    with pytest.raises(ModelUnavailableError, match=missing.split(".")[0]):
        load(tmp_path)


def test_bytes_that_are_no_model_are_refused(tmp_path):
    """What CTranslate2 can't read stops the start with one sentence."""
    for name in ("model.bin", "config.json", "vocabulary.json"):
        (tmp_path / name).write_text("{}")

    with pytest.raises(ModelUnavailableError, match="is not a Whisper model"):
        load(tmp_path)


def test_without_its_package_the_extra_is_named(monkeypatch):
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "ctranslate2", None)

    with pytest.raises(ModelUnavailableError, match="fast-asr"):
        load("base")
