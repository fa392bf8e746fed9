"""Whisper's decoder over many windows at once, each as if it were alone.

Behind `whisper_speech`. The rules of what may be sampled are Whisper's own; the loop
round them is not, for four reasons: a window that is done leaves the batch, language
and text share one pass over the encoded sound, and each window has dice of its own, so
that no window's text depends on its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
import whisper
from torch import Tensor
from whisper.decoding import DecodingOptions, DecodingTask
from whisper.utils import compression_ratio

from encoders.hallucination import AVG_LOGPROB, COMPRESSION_RATIO, NO_SPEECH_PROB
from encoders.whisper_steps import DecoderSteps

# Tried in this order, until what is heard is neither a loop nor unsure
# (whisper/transcribe.py).
TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_SEED: Final = 0  # Any constant: decoding above temperature 0 draws lots.


@dataclass(frozen=True, slots=True)
class Decoded:
    """What Whisper heard in one window; `complete` when it ended by itself."""

    tokens: tuple[int, ...]
    text: str
    language: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    complete: bool

    @property
    def failed(self) -> bool:
        """Whether a higher temperature should be tried (whisper/transcribe.py)."""
        unsure = self.avg_logprob < AVG_LOGPROB
        if unsure and self.no_speech_prob > NO_SPEECH_PROB:
            return False  # Silence: there is nothing to hear better.
        return unsure or self.compression_ratio > COMPRESSION_RATIO


@torch.inference_mode()
def decode_batch(
    model: whisper.Whisper,
    mels: Tensor,
    temperatures: Sequence[float] = TEMPERATURES,
    **options: Any,
) -> list[Decoded]:
    """Decode windows; their sound is encoded once, whatever is tried after.

    Args:
        model: on the device where `mels` are.
        mels: float32 or float16, shape (n_windows, n_mels, 3000).
        temperatures: the first is for all, the next ones for those that failed.
        options: more of `whisper.DecodingOptions`.
    """
    features = model.encoder(mels)
    found: dict[int, Decoded] = {}
    rows = list(range(len(mels)))
    for temperature in temperatures:
        wanted = DecodingOptions(
            temperature=temperature, fp16=mels.dtype == torch.float16, **options
        )
        some = features if len(rows) == len(mels) else features[rows]
        found |= zip(rows, _Batch(model, wanted, some).decode(), strict=True)
        rows = [row for row in rows if found[row].failed]
        if not rows:
            break
    return [found[row] for row in range(len(mels))]


class _Batch:
    """One run of the decoder over encoded sounds, at one temperature."""

    def __init__(
        self, model: whisper.Whisper, options: DecodingOptions, features: Tensor
    ) -> None:
        self._model = model
        self._rules = DecodingTask(model, options)
        self._tokenizer = self._rules.tokenizer
        self._steps = DecoderSteps(model.decoder, features)
        self._live = list(range(len(features)))  # Which window each row is of.
        self._tokens = torch.tensor(
            [self._rules.initial_tokens] * len(features), device=features.device
        )
        self._sums = torch.zeros(len(features), device=features.device)
        self._dice = [
            torch.Generator(features.device).manual_seed(_SEED) for _ in features
        ]
        self._done: dict[int, tuple[list[int], float]] = {}

    def decode(self) -> list[Decoded]:
        """Sample until each window has ended or is at the limit of tokens."""
        logits, silent, languages = self._begin()
        for step in range(self._rules.sample_len):
            if step:
                logits = self._steps.logits(self._tokens[:, -1])
            if not self._sample(logits):
                break
        self._leave(range(len(self._live)))
        return [
            self._decoded(*self._done[row], languages[row], silent[row])
            for row in sorted(self._done)
        ]

    def _begin(self) -> tuple[Tensor, list[float], list[str]]:
        """Read the prompt: the language is told by what follows its first token."""
        tokenizer, options = self._tokenizer, self._rules.options
        logits = self._steps.logits(self._tokens[:, 0])
        silent = logits.softmax(dim=-1)[:, tokenizer.no_speech].tolist()
        languages = [options.language or "en"] * len(self._live)
        if options.language is None and self._model.is_multilingual:
            ids = torch.tensor(tokenizer.all_language_tokens, device=logits.device)
            best = logits[:, ids].argmax(dim=-1)
            self._tokens[:, self._rules.sot_index + 1] = ids[best]
            languages = [tokenizer.all_language_codes[at] for at in best.tolist()]
        for at in range(1, self._rules.sample_begin):
            logits = self._steps.logits(self._tokens[:, at])
        return logits, silent, languages

    def _sample(self, logits: Tensor) -> bool:
        """Append a token to each row; tell whether any goes on."""
        for rule in self._rules.logit_filters:
            rule.apply(logits, self._tokens)
        chosen = self._choose(logits)
        gained = logits.log_softmax(dim=-1).gather(1, chosen[:, None])[:, 0]
        eot = self._tokenizer.eot
        ended = self._tokens[:, -1].eq(eot)
        chosen = chosen.masked_fill(ended, eot)
        self._sums += gained.masked_fill(ended, 0.0)
        self._tokens = torch.cat([self._tokens, chosen[:, None]], dim=1)
        going = chosen.ne(eot).tolist()
        # Leaving copies the cache, which costs about a step: not for each row.
        if 0 < sum(going) <= len(going) // 2:
            self._leave([row for row, goes_on in enumerate(going) if not goes_on])
        return any(going) and self._tokens.shape[1] <= self._model.dims.n_text_ctx

    def _choose(self, logits: Tensor) -> Tensor:
        temperature = self._rules.options.temperature
        if temperature == 0:
            return logits.argmax(dim=-1)
        likely: Tensor = (logits / temperature).softmax(dim=-1)
        for row, dice in zip(
            likely, (self._dice[at] for at in self._live), strict=True
        ):
            # The least of exponentials is drawn as often as its rate is large.
            row /= torch.empty_like(row).exponential_(generator=dice)
        return likely.argmax(dim=-1)

    def _leave(self, rows: Sequence[int]) -> None:
        """Put rows aside, with all that they have in the batch."""
        begin = self._rules.sample_begin
        for row in rows:
            sampled = self._tokens[row, begin:].tolist()
            self._done[self._live[row]] = (sampled, float(self._sums[row]))
        staying = [row for row in range(len(self._live)) if row not in set(rows)]
        self._live = [self._live[row] for row in staying]
        if not staying:
            return
        self._tokens, self._sums = self._tokens[staying], self._sums[staying]
        self._steps.keep(staying)

    def _decoded(
        self, sampled: list[int], logprob: float, language: str, silent: float
    ) -> Decoded:
        eot = self._tokenizer.eot
        complete = eot in sampled
        tokens = sampled[: sampled.index(eot)] if complete else sampled
        text = self._tokenizer.decode(tokens).strip()
        return Decoded(
            tokens=tuple(tokens),
            text=text,
            language=language,
            avg_logprob=logprob / (len(tokens) + 1),
            no_speech_prob=silent,
            compression_ratio=compression_ratio(text),
            complete=complete,
        )
