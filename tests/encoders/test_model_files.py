import hashlib
import os

import pytest

from encoders.model_files import TEXT_MODEL_FILES, find_text_model, sha256_of
from encoders.signals import ModelUnavailableError


def a_folder(path, **files):
    """Make files; `__` in a name stands for a slash and `_` for a dot."""
    for name, content in files.items():
        file = path / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return path


def test_a_file_hashes_to_its_sha256(tmp_path):
    """A weights file's hash is the one that `sha256sum` prints."""
    path = tmp_path / "weights.pt"
    path.write_bytes(b"weights")

    assert sha256_of(path) == hashlib.sha256(b"weights").hexdigest()


def test_a_changed_file_hashes_anew(tmp_path):
    """The cache of hashes never hides a file that was replaced."""
    path = tmp_path / "weights.pt"
    path.write_bytes(b"old")
    before = sha256_of(path)
    path.write_bytes(b"new")
    os.utime(path, ns=(1, 1))

    assert sha256_of(path) != before


@pytest.mark.parametrize(
    "changed",
    [
        {"a_json": "1", "model_safetensors": "y"},  # A content.
        {"b_json": "1", "model_safetensors": "x"},  # A name.
        {"a_json": "1", "model_safetensors": "x", "sub__c_json": "1"},  # One more.
        {"a_json": "1"},  # One less.
    ],
)
def test_a_folder_hashes_names_and_contents(tmp_path, changed):
    """Whatever a model is made of changes its hash."""
    one = a_folder(tmp_path / "one", a_json="1", model_safetensors="x")
    other = a_folder(tmp_path / "other", **changed)

    assert sha256_of(one) != sha256_of(other)


def test_what_no_encoder_reads_is_not_hashed(tmp_path):
    """A README, a hidden file and where the folder lies don't change the hash."""
    one = a_folder(tmp_path / "one", a_json="1")
    other = a_folder(tmp_path / "two", a_json="1", README_md="x", _git__x_json="2")

    assert sha256_of(one, TEXT_MODEL_FILES) == sha256_of(other, TEXT_MODEL_FILES)


def test_a_missing_model_is_named(tmp_path):
    """What can't be read is refused with its path."""
    with pytest.raises(ModelUnavailableError, match=r"nowhere\.pt can't be read"):
        sha256_of(tmp_path / "nowhere.pt")
    with pytest.raises(ModelUnavailableError, match="can't be read"):
        sha256_of(tmp_path)


@pytest.mark.parametrize(
    "name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"]
)
def test_the_default_text_model_is_in_a_package(name):
    """Text works with no download."""
    folder = find_text_model(name, allow_download=False)

    assert (folder / "model.safetensors").is_file()


def test_a_folder_is_taken_as_it_is(tmp_path):
    """A path to a folder needs no look-up."""
    assert find_text_model(str(tmp_path), allow_download=False) == tmp_path


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("no-such-model", "HEADGATE_ALLOW_DOWNLOAD=true"),
        ("what / is : this", "HEADGATE_TEXT_MODEL"),
        ("/no/such/folder", "is not a folder"),
    ],
)
def test_an_unknown_text_model_is_refused(name, advice, monkeypatch, tmp_path):
    """A model that is not here says in one sentence what to do."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(ModelUnavailableError, match=advice) as refused:
        find_text_model(name, allow_download=False)
    assert "\n" not in str(refused.value)
