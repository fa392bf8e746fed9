"""What models see in an upload's pictures and key frames: embeddings and labels.

Beside `understand`, which asks; both models are off unless a setting names them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from encoders.image_classifier import ImageClassifier
from encoders.image_encoder import ImageEncoder
from encoders.signals import ModelIdentity, Pixels
from schemas.records import ModelUse, PictureLabel, PictureSignal

# Kept of each picture, the likeliest first; the rest of a thousand says nothing.
TOP_LABELS = 5


@dataclass(frozen=True, slots=True)
class PictureModels:
    """The models that look at pictures; None is off."""

    encoder: ImageEncoder | None = None
    classifier: ImageClassifier | None = None

    @property
    def wanted(self) -> bool:
        """Whether there is any; without one no pixels have to be decoded."""
        return self.encoder is not None or self.classifier is not None

    @property
    def uses(self) -> tuple[ModelUse, ...]:
        """Which models they are."""
        models = [m.model for m in (self.encoder, self.classifier) if m is not None]
        return tuple(map(_use, models))

    def embedded(
        self, role: str, pictures: Sequence[Pixels]
    ) -> Iterator[PictureSignal]:
        """Yield each picture's embedding."""
        if self.encoder is None or not pictures:
            return
        name = self.encoder.model.name
        rows = self.encoder.embed(pictures)
        for picture, row in zip(pictures, rows, strict=True):
            yield PictureSignal(
                role, name, row.astype("<f4").tobytes(), picture.frame_s
            )

    def labelled(self, role: str, pictures: Sequence[Pixels]) -> Iterator[PictureLabel]:
        """Yield each picture's likeliest labels."""
        if self.classifier is None or not pictures:
            return
        name, labels = self.classifier.model.name, self.classifier.labels
        rows = self.classifier.classify(pictures)
        for picture, row in zip(pictures, rows, strict=True):
            for place in (-row).argsort(kind="stable")[:TOP_LABELS]:
                yield PictureLabel(
                    role, name, labels[place], float(row[place]), picture.frame_s
                )


def _use(model: ModelIdentity) -> ModelUse:
    return ModelUse(model.role, model.name, model.sha256)
