"""Whisper's decoder a token at a time, with what it attends to laid out for that.

Behind `whisper_decoding`. The weights and the arithmetic are Whisper's; its own cache
is not used, for two reasons: it keeps the sound's keys with the heads side by side,
which one query at a time reads at half the speed of a head after the other, and it
copies every key of the text so far at every token. Nothing is hung on the model's
modules, either, so several lanes may decode with one model.
"""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

_ROOM: Final = 64  # Tokens a cache grows by: most windows of 30 s have fewer than two.


class DecoderSteps:
    """The decoder over a batch of encoded sounds; all rows are at the same position.

    Args:
        decoder: of a `whisper.Whisper`.
        features: shape (n_rows, n_audio_ctx, n_audio_state), in the weights' dtype.
    """

    def __init__(self, decoder: Any, features: Tensor) -> None:
        self._decoder = decoder
        self._dtype = features.dtype
        self._layers = [_Layer(block, features) for block in decoder.blocks]
        self._vocabulary = decoder.token_embedding.weight.to(features.dtype).T
        self._position = 0

    def logits(self, tokens: Tensor) -> Tensor:
        """Read the next token of each row, int64 of shape (n_rows,).

        Returns float32 of shape (n_rows, n_vocab): how likely each token comes next.
        """
        place = self._decoder.positional_embedding[self._position]
        x = (self._decoder.token_embedding(tokens) + place).to(self._dtype)[:, None]
        for layer in self._layers:
            x = layer.read(x)
        self._position += 1
        found: Tensor = self._decoder.ln(x)[:, 0] @ self._vocabulary
        return found.float()

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone, in this order."""
        for layer in self._layers:
            layer.keep(rows)


class _Layer:
    """A block of the decoder with its two caches, each (n_rows, n_head, n, n_dim)."""

    def __init__(self, block: Any, features: Tensor) -> None:
        self._block = block
        sound, n_head = block.cross_attn, block.cross_attn.n_head
        self._sound_keys = _heads(sound.key(features), n_head).contiguous()
        self._sound_values = _heads(sound.value(features), n_head).contiguous()
        rows, _, _, n_dim = self._sound_keys.shape
        self._keys = features.new_empty(rows, n_head, 0, n_dim)
        self._values = self._keys
        self._length = 0

    def read(self, x: Tensor) -> Tensor:
        """Pass on the next token of each row, (n_rows, 1, n_state)."""
        text, sound = self._block.attn, self._block.cross_attn
        inner = self._block.attn_ln(x)
        self._append(text.key(inner), text.value(inner))
        keys = self._keys[:, :, : self._length]
        values = self._values[:, :, : self._length]
        x = x + _attend(text, inner, keys, values)
        inner = self._block.cross_attn_ln(x)
        x = x + _attend(sound, inner, self._sound_keys, self._sound_values)
        passed: Tensor = x + self._block.mlp(self._block.mlp_ln(x))
        return passed

    def keep(self, rows: Sequence[int]) -> None:
        """See `DecoderSteps.keep`."""
        wanted = list(rows)
        self._keys, self._values = self._keys[wanted], self._values[wanted]
        self._sound_keys = self._sound_keys[wanted]
        self._sound_values = self._sound_values[wanted]

    def _append(self, key: Tensor, value: Tensor) -> None:
        n_head, at = self._keys.shape[1], self._length
        if at == self._keys.shape[2]:
            self._keys, self._values = _grown(self._keys), _grown(self._values)
        self._keys[:, :, at : at + 1] = _heads(key, n_head)
        self._values[:, :, at : at + 1] = _heads(value, n_head)
        self._length += 1


def _attend(module: nn.Module, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend from one token a row: as whisper.model.MultiHeadAttention does."""
    part: Any = module
    query = _heads(part.query(x), part.n_head)
    found = scaled_dot_product_attention(query, keys, values)
    attended: Tensor = part.out(found.transpose(1, 2).flatten(start_dim=2))
    return attended


def _heads(x: Tensor, n_head: int) -> Tensor:
    """Put heads before tokens: (n_rows, n, n_state) to (n_rows, n_head, n, n_dim)."""
    return x.view(*x.shape[:2], n_head, -1).transpose(1, 2)


def _grown(cache: Tensor) -> Tensor:
    rows, n_head, _, n_dim = cache.shape
    return torch.cat([cache, cache.new_empty(rows, n_head, _ROOM, n_dim)], dim=2)
