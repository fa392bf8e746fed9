"""Settings of media: where it may come from, and how much of it is taken."""

import sys
from pathlib import Path
from typing import Literal

from pydantic import Field, IPvAnyNetwork
from pydantic_settings import BaseSettings, SettingsConfigDict


class MediaSettings(BaseSettings):
    """Where media may come from, how much is taken, how it is decoded."""

    model_config = SettingsConfigDict(
        env_prefix="HEADGATE_", frozen=True, extra="ignore"
    )

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
