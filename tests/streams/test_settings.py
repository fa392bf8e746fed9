import pytest

from streams.errors import StartError
from streams.settings import Settings, load_settings, redacted


def test_variables_win_over_defaults(monkeypatch):
    """A HEADGATE_ variable is read; another program's is not."""
    monkeypatch.setenv("HEADGATE_BATCH_SIZE", "7")
    monkeypatch.setenv("BATCH_SIZE", "9")

    assert load_settings().batch_size == 7


def test_a_bad_value_names_its_variable(monkeypatch):
    """The sentence has the variable, the value and what was wrong with it."""
    monkeypatch.setenv("HEADGATE_JUDGE_MODE", "fast")

    with pytest.raises(StartError, match=r"HEADGATE_JUDGE_MODE is 'fast'.*ledger"):
        load_settings()


def test_settings_do_not_change():
    """They are read once and passed down."""
    with pytest.raises(Exception, match="frozen"):
        load_settings().batch_size = 3


def test_every_setting_says_what_it_means():
    """`headgate doctor` shows these words."""
    assert all(field.description for field in Settings.model_fields.values())


def test_a_password_read_from_a_file_is_a_secret_too(tmp_path):
    """What must not be logged does not depend on where it came from."""
    (tmp_path / "password").write_text("hunter22\n")

    settings = load_settings(
        kafka_security_protocol="sasl_plaintext",
        kafka_username="worker",
        kafka_password_file=tmp_path / "password",
    )

    assert settings.secrets == ("hunter22",)


def test_passwords_in_addresses_are_not_shown():
    """What doctor prints can be pasted into a ticket."""
    settings = load_settings(registry_url="https://user:secret@registry:8081/x")

    shown = redacted(settings)["HEADGATE_REGISTRY_URL"]
    assert shown == "https://***@registry:8081/x"
