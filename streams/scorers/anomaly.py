"""Scores how far an upload is from its uploader's usual content."""

import math
from dataclasses import dataclass

from schemas.records import Category, ContentSignals, ModelUse, UploaderHistory
from streams.fingerprint import cosine_distance, mean_embedding, unpack
from streams.history import distances_known
from streams.scorers.base import Score

MIN_SPREAD = 0.05  # Cosine distance; who repeats himself may still vary a little.


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Cosine distance from the running mean, measured in the uploader's own spread.

    With z spreads above the uploader's mean distance the value is z²/(1+z²): by
    Cantelli's inequality at most 1/(1+z²) of uploads lie that far out, whatever their
    distribution; 0.9 at z = 3. Zero at or below the mean, and until `grace_period`
    uploads with text are known. Works for text and speech in one embedding space; says
    nothing about uploads without text, or after the text model changed.
    """

    grace_period: int = 10  # Uploads; fewer give no usable spread.
    name: str = "anomaly"
    categories: tuple[Category, ...] = ()
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score; none for an upload without a usable embedding."""
        embedding = mean_embedding(signals)
        if embedding is None:
            return ()
        centroid = unpack(history.centroid)
        known = history.centroid_uploads
        if centroid is None or known < self.grace_period:
            reason = f"{known} uploads known, {self.grace_period} needed"
            return (Score(self.name, 0.0, reason),)
        distance = cosine_distance(embedding, centroid)
        if distance is None:
            return (Score(self.name, 0.0, "the known content is not comparable"),)
        return (self._far(distance, history),)

    def _far(self, distance: float, history: UploaderHistory) -> Score:
        variance = history.distance_m2 / max(1, distances_known(history) - 1)
        spread = max(MIN_SPREAD, math.sqrt(max(0.0, variance)))
        z = max(0.0, (distance - history.distance_mean) / spread)
        value = z * z / (1.0 + z * z)
        reason = (
            f"cosine distance {distance:.2f} from usual content, "
            f"usually {history.distance_mean:.2f} ± {spread:.2f}"
        )
        return Score(self.name, value, reason)
