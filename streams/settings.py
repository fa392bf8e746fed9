"""Where things run: settings from `HEADGATE_…` variables, read once by the wiring.

What is judged, and how hard, is not here but in the policy.
"""

import os
import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import StartError
from streams.kafka_access import KafkaAccess, Mechanism, SecurityProtocol
from streams.retries import RetryBounds

# user:password@ in an address.
_USER_INFO = re.compile(r"(//)[^/@\s]+@")
_SHA256 = r"^[0-9a-fA-F]{64}$"
_PASSWORD = re.compile(r"//[^/@\s:]*:([^/@\s]+)@")


def default_policy() -> Path:
    """Return the policy that comes with Headgate."""
    return Path(str(files("deploy") / "policies" / "default.yaml"))


def default_state_dir() -> Path:
    """Return where programs keep their state (XDG Base Directory Specification)."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "headgate"


class Settings(BaseSettings):
    """Every setting, with its unit and default."""

    model_config = SettingsConfigDict(
        env_prefix="HEADGATE_", frozen=True, extra="ignore"
    )

    # The broker.
    bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Kafka's addresses, host:port, comma-separated"
    )
    kafka_security_protocol: SecurityProtocol = Field(
        "plaintext",
        description="how Kafka's listener is spoken to; with ssl its certificate and "
        "host name are checked",
    )
    kafka_sasl_mechanism: Mechanism = Field(
        "SCRAM-SHA-512", description="how the user logs in to a sasl_… listener"
    )
    kafka_username: str | None = Field(None, description="user at a sasl_… listener")
    kafka_password: SecretStr | None = Field(
        None, description="the user's password; the file below shows it to fewer eyes"
    )
    kafka_password_file: Path | None = Field(
        None, description="file that holds the password, in place of the variable"
    )
    kafka_ca: Path | None = Field(
        None,
        description="PEM file of the authorities that Kafka's certificate may come "
        "from; none: those that this machine trusts",
    )
    kafka_cert: Path | None = Field(
        None, description="PEM file of the client certificate (mTLS)"
    )
    kafka_key: Path | None = Field(
        None, description="PEM file of its key, without passphrase"
    )
    app_id: str = Field(
        "headgate",
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="prefix of each stage's consumer group and transactional ids",
    )
    judge_mode: Literal["transactional", "ledger"] = Field(
        "transactional",
        description="judge: decisions, histories and offsets in one transaction, or "
        "at-least-once (the embedded broker can't do the first)",
    )
    instance_id: str | None = Field(
        None,
        description="static group membership, e.g. the pod's ordinal; none: dynamic",
    )
    session_timeout_s: float = Field(
        30,
        ge=6,  # Kafka's own floor, group.min.session.timeout.ms.
        description="how long the group waits for a silent worker, in seconds",
    )
    registry_url: str | None = Field(
        None,
        description="schema registry with Confluent's API; none: the committed ids",
    )

    # The models.
    asr: str = Field(
        "whisper:base",
        description="speech: whisper:NAME, whisper:PATH of a checkpoint, or sphinx",
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
        description="the text model's SHA-256, checked before it is loaded; none: the "
        "risk head's own, checked after",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where models run; auto: CUDA where there is one"
    )
    allow_download: bool = Field(
        False, description="models given by name may be fetched from their hub"
    )

    # What is judged.
    policy: Path = Field(
        default_factory=default_policy, description="the policy's YAML file"
    )
    banks: tuple[Path, ...] = Field(
        (), description="hash banks, CSV files; JSON list in the variable"
    )

    # Media.
    media_root: Path | None = Field(
        None, description="the only folder that file: URIs may name; none: no file: URI"
    )
    media_hosts: tuple[str, ...] = Field(
        (),
        description="hosts that http(s): URIs may name, and redirects too (3 at most, "
        "never from https to http); JSON list in the variable",
    )
    media_networks: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="private networks that those hosts may be in, e.g. "
        '["10.1.0.0/16"]; none: public addresses only; JSON list in the variable',
    )
    media_buckets: tuple[str, ...] = Field(
        (),
        description='buckets that URIs may name, e.g. ["s3://uploads"]; also gs://, '
        "az://, abfss://, and with a prefix if wanted; JSON list in the variable",
    )
    media_endpoint: str | None = Field(
        None, description="address of a store that speaks S3; none: Amazon's own"
    )
    media_max_bytes: int = Field(
        256 * 1024 * 1024,
        gt=0,
        description="largest piece of media taken, in bytes; reading ends there",
    )
    media_max_s: float = Field(
        4 * 3600, gt=0, description="longest sound or video taken, in seconds"
    )
    media_timeout_s: float = Field(
        30,
        gt=0,
        description="longest fetch of one piece of media over the network, in seconds, "
        "redirects and all",
    )
    provisional_after_s: float = Field(
        60,
        gt=0,
        description="speech longer than this gets a provisional decision first",
    )
    event_max_skew_s: float = Field(
        86_400, gt=0, description="how far ahead of its arrival an event's time may be"
    )

    sandbox: Literal["on", "strict", "off"] = Field(
        "on" if sys.platform == "linux" else "off",
        description="decode media in confined processes; strict: don't start where "
        "the kernel can't confine them wholly; off: in the worker, for debugging",
    )

    # The flow.
    in_flight: int = Field(
        128, ge=1, le=4096, description="events a stage works on at once"
    )
    in_flight_bytes: int = Field(
        1024 * 1024 * 1024,
        ge=1024 * 1024,
        description="bytes of media a stage holds at once: an upload waits for room "
        "for all its media; one that needs more waits for all the room, and its media "
        "beyond that (or beyond HEADGATE_MEDIA_MAX_BYTES, if larger) is not taken",
    )
    batch_size: int = Field(32, ge=1, le=1024, description="events in a micro-batch")
    batch_wait_ms: float = Field(
        20, ge=0, description="how long a micro-batch waits from its first event"
    )
    transcribe_batch_size: int = Field(
        4, ge=1, le=256, description="sound files in a micro-batch of transcribe"
    )
    retry_attempts: int = Field(
        20, ge=1, description="tries of a transient failure before a dead letter"
    )
    retry_for_s: float = Field(
        60,
        gt=0,
        description="a transient failure is not tried again after this; an event "
        "holds up those behind it for this long and one try at most",
    )
    drain_timeout_s: float = Field(
        5, gt=0, description="how long a stop waits for work in flight"
    )
    dead_letter_limit: int = Field(
        50, ge=1, description="more dead letters than this in the window stop a stage"
    )
    dead_letter_window: int = Field(
        1000, ge=1, description="the window of dead_letter_limit, in events of a worker"
    )
    threads: int = Field(
        0, ge=0, description="threads a model may use; 0: the library's own choice"
    )

    uploader_burst: int = Field(
        32, ge=1, description="uploads of one uploader that go straight through"
    )
    uploader_per_s: float = Field(
        1.0,
        gt=0,
        description="uploads a second of one uploader; what is over it takes the bulk "
        "lane, where it holds up nobody else",
    )
    bulk_in_flight: int = Field(
        4, ge=1, le=4096, description="events a stage's bulk lane works on at once"
    )
    stuck_after_s: float = Field(
        600,
        gt=0,
        description="an event of screen or judge in work for longer ends the worker, "
        "if the broker answers; transcribe has twice the longest sound at least",
    )
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="folder for the crash journal; it must outlive the process",
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
        """Return how long an event of a stage may be in work, in seconds."""
        if stage == "transcribe":
            return max(self.stuck_after_s, 2 * self.media_max_s)
        return self.stuck_after_s

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must not appear in any log line, by value."""
        values = (getattr(self, name) for name in type(self).model_fields)
        hidden = [v.get_secret_value() for v in values if isinstance(v, SecretStr)]
        return (*hidden, *_PASSWORD.findall(self.registry_url or ""))

    @property
    def retries(self) -> RetryBounds:
        """How often and how long a transient failure is tried again."""
        return RetryBounds(self.retry_attempts, self.retry_for_s)

    @property
    def kafka(self) -> KafkaAccess:
        """How to reach Kafka, and as whom.

        Raises:
            StartError: settings are missing, contradict each other or can't be read.
        """
        password = self.kafka_password
        if self.kafka_password_file is not None:
            password = _secret_in(self.kafka_password_file)
        access = KafkaAccess(
            bootstrap_servers=self.bootstrap_servers,
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=password,
            ca=self.kafka_ca,
            cert=self.kafka_cert,
            key=self.kafka_key,
        )
        access.check()
        return access


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


def _secret_in(path: Path) -> SecretStr:
    try:
        return SecretStr(path.read_text("utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(
            f"HEADGATE_KAFKA_PASSWORD_FILE: {path} can't be read: "
            f"{type(error).__name__}"
        ) from None
