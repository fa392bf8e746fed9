"""Builds what looks and listens beside the hashes, where settings ask for it.

Under `wiring`: models of pictures, fingerprints of sound; all are off by default.
"""

from encoders.audio_fingerprint import Fingerprinter
from encoders.devices import choose_device
from encoders.image_classifier import OnnxImageClassifier
from encoders.image_encoder import SentenceTransformersImageEncoder
from encoders.signals import ModelUnavailableError
from streams.errors import StartError
from streams.picture_models import PictureModels
from streams.settings import Settings


def build_picture_models(settings: Settings) -> PictureModels:
    """Load the models that look at pictures, where the settings name any."""
    encoder = classifier = None
    try:
        if settings.image_model is not None:
            encoder = SentenceTransformersImageEncoder(
                settings.image_model,
                choose_device(settings.device),
                allow_download=settings.allow_download,
            )
            _ = encoder.model  # Loads it now: what can't be had shows at the start.
        if settings.image_classifier is not None:
            classifier = OnnxImageClassifier(
                settings.image_classifier,
                sha256=settings.image_classifier_sha256,
                threads=settings.threads or 1,
            )
    except ModelUnavailableError as error:
        raise StartError(str(error)) from error
    return PictureModels(encoder, classifier)


def build_fingerprinter(settings: Settings) -> Fingerprinter | None:
    """Return what fingerprints sound; None where that is not asked for."""
    if not settings.audio_fingerprint:
        return None
    try:
        return Fingerprinter()
    except ModelUnavailableError as error:
        raise StartError(str(error)) from error
