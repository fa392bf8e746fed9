"""Builds the parts from settings: the one place that knows them all.

Models load here and nowhere else; what can't be had is a `StartError` in one sentence.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

from encoders.bank_entries import BankError
from encoders.bank_file import load_bank
from encoders.banks import BankSource
from encoders.devices import choose_device, limit_threads
from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader, MediaReader
from encoders.model_files import is_default_text_model
from encoders.sandbox import SandboxedReader
from encoders.signals import DecoderUnavailableError, ModelUnavailableError
from encoders.text import TextEncoder, load_text_encoder
from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.ids import CommittedIds
from schemas.records import CATEGORIES, Missing
from streams.errors import StartError
from streams.judge import Judge
from streams.listen import Listening
from streams.media import MediaStore
from streams.media_wiring import build_fingerprinter, build_picture_models
from streams.pipeline import Pipeline
from streams.policies.outward_maps import OutwardMap, parse_map
from streams.policy_folder import read_policy as read_policy
from streams.scorers import default_scorers
from streams.scorers.text_risk import TextRisk
from streams.settings import Settings
from streams.speech_wiring import build_listening
from streams.understand import Understanding

# One for each thread that may look at media at once: two of screen, one of its bulk
# lane. They start when first needed, with 60 MB each.
DECODERS = 3
WEIGHTS = Path(__file__).parent / "scorers" / "weights"


def build_codec(settings: Settings) -> Codec:
    """Return the codec, with ids from the registry if one is set."""
    if settings.registry_url is None:
        return Codec(CommittedIds())
    # Its client brings logins of every kind: 15 MB and 0.1 s.
    from schemas.registry import RegistryIds, check_registry

    try:
        check_registry(settings.registry_url)
        codec = Codec(RegistryIds(settings.registry_url))
        codec.learn_ids()
        return codec
    except SchemaError as error:
        raise StartError(f"schema registry: {error}") from error


def build_store(settings: Settings) -> MediaStore:
    """Return a media store with a budget of its own, so that no stage starves another.

    Raises:
        StartError: a bucket or the endpoint can't be used.
    """
    return MediaStore(
        root=settings.media_root,
        hosts=settings.media_hosts,
        max_bytes=settings.media_max_bytes,
        timeout_s=settings.media_timeout_s,
        networks=settings.media_networks,
        buckets=settings.media_buckets,
        endpoint=settings.media_endpoint,
        in_flight_bytes=settings.in_flight_bytes,
    )


def build_limits(settings: Settings) -> MediaLimits:
    """Return the limits that decoding works within."""
    return MediaLimits(max_bytes=settings.media_max_bytes, max_s=settings.media_max_s)


def build_reader(settings: Settings) -> MediaReader:
    """Return what decodes media; a sandbox is tried out, so that its faults show now.

    Raises:
        StartError: the sandbox can't be had, or, if strict, not wholly.
    """
    limits = build_limits(settings)
    if settings.sandbox == "off":
        return InProcessReader(limits)
    # One for each upload in work in either lane of transcribe, so that none waits for
    # another's four hours of sound; short ones hold theirs for a second.
    sounds = 2 * 2 * settings.transcribe_batch_size
    if settings.audio_fingerprint:
        sounds += DECODERS
    reader = SandboxedReader(limits, processes=DECODERS, sounds=sounds)
    try:
        gaps = reader.confinement.gaps
    except DecoderUnavailableError as error:
        raise StartError(f"HEADGATE_SANDBOX is {settings.sandbox}: {error}") from error
    if gaps and settings.sandbox == "strict":
        reader.close()
        raise StartError(
            f"HEADGATE_SANDBOX is strict, and this kernel lacks {'; '.join(gaps)}; "
            "use a kernel that has them, or HEADGATE_SANDBOX=on"
        )
    return reader


def build_text_encoder(settings: Settings) -> TextEncoder:
    """Load the text model."""
    limit_threads(settings.threads)
    try:
        return load_text_encoder(
            settings.text_model,
            device=choose_device(settings.device),
            allow_download=settings.allow_download,
            sha256=settings.text_model_sha256,
            adapter=_adapter(settings),
        )
    except ModelUnavailableError as error:
        raise StartError(str(error)) from error


def build_understanding(
    settings: Settings,
    reader: MediaReader | None = None,
    banks: Sequence[BankSource] | None = None,
) -> Understanding:
    """Load what `screen` needs: the text model and the banks, and what decodes.

    Without `banks` they are those of the files that the settings name.
    """
    return Understanding(
        text=build_text_encoder(settings),
        banks=read_banks(settings) if banks is None else banks,
        reader=reader or build_reader(settings),
        event_max_skew=timedelta(seconds=settings.event_max_skew_s),
        fingerprinter=build_fingerprinter(settings),
        picture_models=build_picture_models(settings),
    )


def build_judge(settings: Settings, understanding: Understanding | None) -> Judge:
    """Load what `judge` needs: the risk head and the policy.

    Raises:
        StartError: the head was trained on another text model than `understanding`'s.
    """
    head = build_text_risk(settings)
    if understanding is not None:
        model = understanding.text_model
        head.check_encoder(model.name, model.sha256)
    return Judge(default_scorers(head), read_policy(settings.policy))


def read_maps() -> tuple[OutwardMap, ...]:
    """Read the maps from our categories to others' that come with Headgate."""
    folder = Path(str(files("deploy") / "policies" / "maps"))
    return tuple(
        parse_map(file.read_text("utf-8"), str(file))
        for file in sorted(folder.glob("*.yaml"))
    )


def build_text_risk(settings: Settings | None = None) -> TextRisk:
    """Load the risk head, after its bytes were found to be the published ones.

    Raises:
        StartError: they are not, or are no head.
    """
    folder = None if settings is None else settings.text_weights
    return TextRisk(read_weights("text_risk.safetensors", folder or WEIGHTS))


def _adapter(settings: Settings) -> bytes | None:
    """Return the text adapter: the folder's, or the shipped one for its own model."""
    name = "text_adapter.safetensors"
    folder = settings.text_weights
    if folder is not None:
        return read_weights(name, folder) if (folder / name).exists() else None
    return read_weights(name) if is_default_text_model(settings.text_model) else None


def build_pipeline(
    settings: Settings, warn: Callable[[str], None], reader: MediaReader | None = None
) -> Pipeline:
    """Return the whole pipeline; speech loads when the first sound comes.

    `warn` is told when speech can't be loaded: the decisions then say what is missing.
    """
    understanding = build_understanding(settings, reader)

    @cache
    def listening() -> Listening | Missing:
        try:
            return build_listening(settings, understanding)
        except StartError as error:
            warn(str(error))
            return Missing("transcript", f"model_unavailable: {settings.asr}")

    return Pipeline(understanding, listening, build_judge(settings, understanding))


def read_banks(settings: Settings) -> tuple[BankSource, ...]:
    """Read the hash banks; their names are their files' names."""
    banks = []
    for path in settings.banks:
        try:
            text = _read_text(path, "HEADGATE_BANKS")
            banks.append(load_bank(text, path.stem, frozenset(CATEGORIES)))
        except BankError as error:
            raise StartError(str(error)) from error
    return tuple(banks)


def read_weights(name: str, folder: Path = WEIGHTS) -> bytes:
    """Return the bytes of shipped weights, or of a folder that training wrote.

    Raises:
        StartError: they can't be read, or are not the ones whose SHA-256 the folder's
            manifest names.
    """
    try:
        expected = json.loads((folder / "manifest.json").read_text("utf-8"))[name]
        data = (folder / name).read_bytes()
    except (OSError, ValueError, KeyError) as error:
        raise StartError(
            f"{folder / name} can't be read ({type(error).__name__}: {error}); set "
            "HEADGATE_TEXT_WEIGHTS to a folder that `headgate train` wrote, or unset it"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise StartError(
            f"{name} has SHA-256 {found[:12]}…; expected {expected[:12]}… as "
            "manifest.json says: install Headgate anew, or train again"
        )
    return data


def _read_text(path: Path, setting: str) -> str:
    try:
        # Line ends as they are: a bank's hash is then what `sha256sum` says.
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{setting}: {path} can't be read: {error}") from error
