"""Wires speech recognition from settings: one engine, or one for each lane."""

from encoders.devices import choose_device, limit_threads
from encoders.signals import ModelUnavailableError
from encoders.speech import SharesWeights, SpeechEngine, load_speech
from streams.errors import StartError
from streams.listen import Listening
from streams.settings import Settings
from streams.understand import Understanding


def build_transcriber(settings: Settings, *, words: bool = False) -> SpeechEngine:
    """Load speech recognition; with `words` it also tells when each was said."""
    limit_threads(settings.threads)
    try:
        return load_speech(
            settings.asr,
            device=choose_device(settings.device),
            allow_download=settings.allow_download,
            sha256=settings.asr_sha256,
            words=words,
        )
    except ModelUnavailableError as error:
        raise StartError(str(error)) from error


def build_listening(settings: Settings, understanding: Understanding) -> Listening:
    """Load what `transcribe` needs."""
    engine = build_transcriber(settings)
    return Listening(engine, understanding, understanding.reader)


def build_lanes(
    settings: Settings, understanding: Understanding
) -> tuple[Listening, Listening]:
    """Load what the main and the bulk lane of `transcribe` need, side by side.

    An engine hears one batch at a time, and lanes must not wait for each other.
    """
    main = build_transcriber(settings)
    if isinstance(main, SharesWeights):
        bulk = main.twin()
    else:
        bulk = build_transcriber(settings)
    reader = understanding.reader
    return (
        Listening(main, understanding, reader),
        Listening(bulk, understanding, reader),
    )
