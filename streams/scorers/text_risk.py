"""Texts that read like harm: a small trained head over each text's embedding.

Core: the wiring passes the weights in as bytes. How they were trained, on what, and how
well they judge is told in weights/MODEL_CARD.md.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from schemas.records import (
    Category,
    ContentSignals,
    Evidence,
    ModelUse,
    TextSignal,
    UploaderHistory,
)
from streams.errors import StartError
from streams.scorers.base import Score, is_read
from streams.scorers.long_form import pool_sources

NAME: Final = "text_risk"
MODEL_NAME: Final = "headgate-text-risk-v2"
FORMAT: Final = "headgate-text-risk/1"  # Rises when tensors change their meaning.

# A span is worth a reviewer's look from here on: four times the 5 % base rate that the
# probabilities refer to (MODEL_CARD.md).
EVIDENCE_FLOOR: Final = 0.2
EVIDENCE_PER_CATEGORY: Final = 3
# The encoder gives unit length; float32 leaves about 1e-6. More is another encoder's.
UNIT_LENGTH_TOLERANCE: Final = 1e-2
# The last digits of an embedding depend on its batch; those of a probability must not.
PROBABILITY_DECIMALS: Final = 4

_TENSORS: Final = ("hidden", "hidden_bias", "output", "output_bias")


@dataclass(frozen=True, slots=True)
class _Head:
    """The weights as read: float64 arrays and what they say of themselves."""

    tensors: Mapping[str, NDArray[np.float64]]
    categories: tuple[Category, ...]
    encoder_name: str
    encoder_sha256: str


class TextRisk:
    """Score every text of an upload for the categories the head was trained on."""

    name = NAME
    languages: frozenset[str] | None = frozenset({"en"})  # Of all it was trained on.

    def __init__(self, weights: bytes) -> None:
        """Read the head.

        Args:
            weights: The bytes of weights/text_risk.safetensors.

        Raises:
            StartError: the bytes are not such a file.
        """
        self._head = _read(weights)
        self.categories: tuple[Category, ...] = self._head.categories
        digest = hashlib.sha256(weights).hexdigest()
        self.models: tuple[ModelUse, ...] = (ModelUse(NAME, MODEL_NAME, digest),)

    @property
    def encoder_sha256(self) -> str:
        """The SHA-256 of the text model it was trained on, lower-case hex."""
        return self._head.encoder_sha256

    def check_encoder(self, name: str, sha256: str) -> None:
        """Refuse to start with an encoder that the head was not trained on.

        Raises:
            StartError: the encoder's weights are others.
        """
        if sha256 != self._head.encoder_sha256:
            raise StartError(
                f"text encoder is {name} ({sha256[:12]}), but the text-risk head was "
                f"trained on {self._head.encoder_name} "
                f"({self._head.encoder_sha256[:12]}); set HEADGATE_TEXT_MODEL and "
                "HEADGATE_TEXT_WEIGHTS back, or train a head for it with "
                "`headgate train`"
            )

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Score each category by the upload's texts; long ones as `long_form` says.

        No score at all where no text has a usable embedding of the head's own encoder,
        or none is in English: an unknown probability is stated, never guessed.
        """
        if not self._made_by_own_encoder(signals):
            return ()
        spans, embeddings = self._usable(signals.texts)
        if not spans:
            return ()
        risks = self.probabilities(embeddings)
        values, sources = pool_sources(spans, risks, self.categories)
        return tuple(
            _score(category, value, source, _evidence_of(category, spans, column))
            for category, value, source, column in zip(
                self.categories, values, sources, risks.T.tolist(), strict=True
            )
        )

    def probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return calibrated probabilities, float64, shape (n_texts, n_categories).

        Args:
            embeddings: float32, shape (n_texts, dim), rows of unit length.
        """
        head = self._head.tensors
        units = np.maximum(
            embeddings.astype(np.float64) @ head["hidden"] + head["hidden_bias"], 0.0
        )
        logits = units @ head["output"] + head["output_bias"]
        risks: NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * logits))
        return np.round(risks, PROBABILITY_DECIMALS)

    def _made_by_own_encoder(self, signals: ContentSignals) -> bool:
        # Recorded signals may be older than the head: the start's check can't do.
        used = {model.sha256 for model in signals.models if model.role == "text"}
        return used <= {self._head.encoder_sha256}

    def _usable(
        self, texts: Sequence[TextSignal]
    ) -> tuple[list[TextSignal], NDArray[np.float32]]:
        """Return the texts that can be scored, and their embeddings: shape (n, dim).

        Left out are other languages, and embeddings that the encoder can't have made.
        """
        width = len(self._head.tensors["hidden"])
        read = [
            text
            for text in texts
            if is_read(text.language, self.languages)
            and len(text.embedding) == 4 * width
        ]
        joined = b"".join(text.embedding for text in read)
        vectors = np.frombuffer(joined, dtype="<f4").reshape(len(read), width)
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt((vectors * vectors).sum(axis=1))
        # Written so that NaN fails it too.
        is_unit = np.abs(lengths - 1.0) <= UNIT_LENGTH_TOLERANCE
        if not is_unit.all():
            read = [text for text, fits in zip(read, is_unit, strict=True) if fits]
        return read, vectors[is_unit]


def _score(
    category: Category, value: float, source: str, evidence: tuple[Evidence, ...]
) -> Score:
    label = category.value.lower()
    reason = f"text in {source} reads like {label}"
    if not evidence:
        reason = f"no text reads like {label}"
    return Score(NAME, value, reason, category, evidence)


def _evidence_of(
    category: Category, spans: list[TextSignal], risks: list[float]
) -> tuple[Evidence, ...]:
    """Return the riskiest spans that are worth a look; at a tie the earlier first."""
    worth = [at for at, risk in enumerate(risks) if risk >= EVIDENCE_FLOOR]
    worth.sort(key=lambda at: risks[at], reverse=True)
    return tuple(
        _evidence(category, spans[at], risks[at])
        for at in worth[:EVIDENCE_PER_CATEGORY]
    )


def _evidence(category: Category, span: TextSignal, risk: float) -> Evidence:
    return Evidence(
        source=span.source,
        reason=f"reads like {category.value.lower()}",
        start_char=span.start_char,
        end_char=span.end_char,
        start_s=span.start_s,
        end_s=span.end_s,
        score=risk,
    )


def _read(weights: bytes) -> _Head:
    try:
        tensors = safetensors.numpy.load(weights)
        # The library's loader of bytes leaves the metadata out; the header is JSON,
        # after its length in eight bytes (the format's own specification).
        length = int.from_bytes(weights[:8], "little")
        about = json.loads(weights[8 : 8 + length]).get("__metadata__", {})
        if about.get("format") != FORMAT:
            raise ValueError(f"format is {about.get('format')!r}, expected {FORMAT!r}")
        head = _Head(
            {name: tensors[name].astype(np.float64) for name in _TENSORS},
            tuple(Category(name) for name in json.loads(about["categories"])),
            about["encoder_name"],
            about["encoder_sha256"],
        )
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise StartError(
            f"text-risk weights ({len(weights)} bytes) can't be used: {error}; restore "
            "streams/scorers/weights/text_risk.safetensors or run `headgate train`"
        ) from error
    _check_shapes(head)
    return head


def _check_shapes(head: _Head) -> None:
    shapes = {name: head.tensors[name].shape for name in _TENSORS}
    width, units = (*shapes["hidden"], 0, 0)[:2]
    outputs = len(head.categories)
    expected = dict(
        zip(
            _TENSORS,
            ((width, units), (units,), (units, outputs), (outputs,)),
            strict=True,
        )
    )
    finite = all(np.isfinite(tensor).all() for tensor in head.tensors.values())
    if shapes != expected or not finite:
        raise StartError(
            f"text-risk weights have shapes {shapes}, expected {expected}, all finite; "
            "restore streams/scorers/weights/text_risk.safetensors or run "
            "`headgate train`"
        )
