"""Where things run: settings from `HEADGATE_…` variables, read once by the wiring.

What is judged, and how hard, is not here but in the policy.
"""

import re
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError

from streams.broker_settings import BrokerSettings
from streams.errors import StartError
from streams.flow_settings import FlowSettings
from streams.media_settings import MediaSettings

# user:password@ in an address.
_USER_INFO = re.compile(r"(//)[^/@\s]+@")
_SHA256 = r"^[0-9a-fA-F]{64}$"
_PASSWORD = re.compile(r"//[^/@\s:]*:([^/@\s]+)@")


def default_policy() -> Path:
    """Return the policy that comes with Headgate."""
    return Path(str(files("deploy") / "policies" / "default"))


class Settings(BrokerSettings, MediaSettings, FlowSettings):
    """Every setting, with its unit and default."""

    # The models.
    asr: str = Field(
        "whisper:base",
        description="speech: whisper:NAME, whisper:PATH of a checkpoint, "
        "faster-whisper:NAME, faster-whisper:FOLDER, or sphinx",
    )
    text_model: str = Field(
        "all-MiniLM-L6-v2",
        description="text embeddings: a sentence-transformers name or folder",
    )
    asr_sha256: str | None = Field(
        None,
        pattern=_SHA256,
        description="the speech model's SHA-256, checked before it is loaded; it "
        "stands in every decision; none: any",
    )
    text_model_sha256: str | None = Field(
        None,
        pattern=_SHA256,
        description="the SHA-256 of the text model's own files, checked before it is "
        "loaded; none: the risk head's own, checked after",
    )
    text_weights: Path | None = Field(
        None,
        description="folder of a risk head and a text adapter, as `headgate train` "
        "writes it; none: the shipped ones",
    )
    image_model: str | None = Field(
        None,
        description="picture embeddings: a sentence-transformers CLIP's name or "
        "folder; none: off",
    )
    image_classifier: Path | None = Field(
        None,
        description="picture labels: a folder with model.onnx, config.json and "
        "preprocessor_config.json; none: off",
    )
    image_classifier_sha256: str | None = Field(
        None,
        pattern=_SHA256,
        description="the SHA-256 of model.onnx, checked before it is loaded; none: any",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where models run; auto: CUDA where there is one"
    )
    allow_download: bool = Field(
        False, description="models given by name may be fetched from their hub"
    )

    # What is judged.
    policy: Path = Field(
        default_factory=default_policy,
        description="the policy: a folder of YAML files, or one file",
    )
    shadow: str = Field(
        "",
        description="candidates that decide beside the policy and never act: "
        "NAME=PATH[@PERCENT of uploaders][;head=FILE], separated by commas; their "
        "words are on risk.decision.shadow.v1",
    )
    banks: tuple[Path, ...] = Field(
        (), description="hash banks, CSV files; JSON list in the variable"
    )
    policy_topic: bool = Field(
        False,
        description="judge by the policy on policy.active.v1 (`headgate policy "
        "activate`); until one is, by HEADGATE_POLICY",
    )
    bank_topic: bool = Field(
        False, description="also follow the hash banks on the topic bank.entry.v1"
    )
    audio_fingerprint: bool = Field(
        False,
        description="fingerprint sound (chromaprint) for banks that know it; needs "
        "libchromaprint1 and headgate[audio-fingerprint]",
    )

    # What is told.
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe line that is logged"
    )
    http_address: str = Field(
        "127.0.0.1:0",
        description="where /healthz, /readyz and /metrics answer, host:port; port 0: "
        "a free one, which the log names",
    )

    def stuck_after(self, stage: str) -> float:
        """Return how long an event of a stage may not move on, in seconds."""
        if stage == "transcribe":
            return max(self.stuck_after_s, 2 * self.media_max_s)
        return self.stuck_after_s

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must not appear in any log line, by value.

        Raises:
            StartError: a file that holds one can't be read.
        """
        values = [getattr(self, name) for name in type(self).model_fields]
        values.append(self.kafka.password)  # From its file, where there is one.
        hidden = {v.get_secret_value() for v in values if isinstance(v, SecretStr)}
        return (*hidden, *_PASSWORD.findall(self.registry_url or ""))


def redacted(settings: Settings) -> dict[str, str]:
    """Return every setting by its variable's name, without passwords in addresses."""
    shown = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        shown[f"HEADGATE_{name.upper()}"] = _USER_INFO.sub(r"\1***@", str(value))
    return shown


def load_settings(**overrides: object) -> Settings:
    """Read settings from the environment; `overrides` win.

    Raises:
        StartError: a variable has a value that can't be used.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them.
    except ValidationError as error:
        first = error.errors()[0]
        name = "HEADGATE_" + "_".join(str(part) for part in first["loc"]).upper()
        found = "***" if name.endswith("PASSWORD") else repr(first.get("input"))
        # `from None`: pydantic's own text shows the values.
        raise StartError(
            f"{name} is {found}: {first['msg']}; see `headgate doctor --help` for "
            "every setting"
        ) from None
