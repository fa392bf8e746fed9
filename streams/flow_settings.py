"""Settings of the flow: how much at once, how often again, when to stop."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.retries import RetryBounds


def default_state_dir() -> Path:
    """Return where programs keep their state (XDG Base Directory Specification)."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "headgate"


class FlowSettings(BaseSettings):
    """How events go through a worker."""

    model_config = SettingsConfigDict(
        env_prefix="HEADGATE_", frozen=True, extra="ignore"
    )

    in_flight: int = Field(
        512, ge=1, le=4096, description="events a stage works on at once"
    )
    in_flight_bytes: int = Field(
        1024 * 1024 * 1024,
        ge=1024 * 1024,
        description="bytes of media a stage holds at once: an upload waits for room "
        "for all its media; one that needs more waits for all the room, and its media "
        "beyond that (or beyond HEADGATE_MEDIA_MAX_BYTES, if larger) is not taken",
    )
    batch_size: int = Field(128, ge=1, le=1024, description="events in a micro-batch")
    batch_wait_ms: float = Field(
        20, ge=0, description="how long a micro-batch waits from its first event"
    )
    transcribe_batch_size: int = Field(
        4,
        ge=1,
        le=256,
        description="windows of sound, 30 s each, in a micro-batch of transcribe; "
        "it works on twice as many uploads at once",
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
        8, ge=1, description="uploads of one uploader that go straight through"
    )
    uploader_per_s: float = Field(
        1.0,
        gt=0,
        description="uploads a second of one uploader; what is over it takes the bulk "
        "lane, where it holds up nobody else",
    )
    bulk_in_flight: int = Field(
        1,
        ge=1,
        le=4096,
        description="events a stage's bulk lane works on at once: more end a flood "
        "sooner, and make the others wait for it",
    )
    sweep_days: int = Field(
        90,
        ge=0,
        le=3650,
        description="a new bank entry is looked for in uploads of so many days; 0: in "
        "none. content.signals.v1 must keep them",
    )
    sweep_hashes: int = Field(
        500_000,
        ge=1000,
        description="hashes of past uploads kept for each partition, 49 bytes each; "
        "the oldest give way",
    )
    platform_window_s: float = Field(
        300,
        ge=10,
        description="where shares over all uploaders are watched for steps (log line "
        "platform_step), three uploads of each count in so much event time",
    )
    campaign_days: int = Field(
        30,
        ge=0,
        le=90,
        description="uploads of so many days are compared to find campaigns; 0: none "
        "are looked for. content.signals.v1 must keep them",
    )
    campaign_uploads: int = Field(
        200_000,
        ge=1000,
        le=5_000_000,
        description="uploads that are compared, about 2 KB each, 400 MB when full, in "
        "the worker that judges partition 0; the oldest give way",
    )
    campaign_members: int = Field(
        1000, ge=10, le=100_000, description="uploads kept of one campaign"
    )
    stuck_after_s: float = Field(
        600,
        gt=0,
        description="an event of screen or judge in work for longer ends the worker, "
        "if the broker answers; one of transcribe, for twice the longest sound at "
        "least without any progress",
    )
    state_dir: Path = Field(
        default_factory=default_state_dir,
        description="folder for the crash journal and unfinished transcripts; it must "
        "outlive the process",
    )

    @property
    def retries(self) -> RetryBounds:
        """How often and how long a transient failure is tried again."""
        return RetryBounds(self.retry_attempts, self.retry_for_s)
