"""Builds a CTranslate2 folder from a checkpoint in OpenAI's format, with no network."""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
from ctranslate2.specs.whisper_spec import WhisperSpec
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers.convert_slow_tokenizer import bytes_to_unicode
from whisper.model import ModelDimensions
from whisper.tokenizer import Tokenizer, get_tokenizer

_BYTES = bytes_to_unicode()


def a_ctranslate2_folder(checkpoint: Path, folder: Path) -> Path:
    """Convert a checkpoint; with the tokenizer that faster-whisper reads beside it."""
    loaded = torch.load(checkpoint, map_location="cpu", weights_only=True)
    dims = ModelDimensions(**loaded["dims"])
    state = {k: v.float().numpy() for k, v in loaded["model_state_dict"].items()}
    tokenizer = _tokenizer(dims)
    spec = _spec(dims, state)
    spec.register_vocabulary(_vocabulary(tokenizer, dims.n_vocab))
    spec.config.suppress_ids = list(tokenizer.non_speech_tokens)
    spec.config.suppress_ids_begin = [*tokenizer.encode(" "), tokenizer.eot]
    spec.config.lang_ids = list(tokenizer.all_language_tokens) if _many(dims) else []
    half = range(dims.n_text_layer // 2, dims.n_text_layer)
    heads = range(dims.n_text_head)
    spec.config.alignment_heads = [(a, b) for a in half for b in heads]
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    _save_tokenizer(tokenizer, folder / "tokenizer.json")
    preprocessor = {"feature_size": dims.n_mels}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder


def _many(dims: ModelDimensions) -> bool:
    return bool(dims.n_vocab >= 51_865)


def _tokenizer(dims: ModelDimensions) -> Tokenizer:
    languages = dims.n_vocab - 51_765 - int(_many(dims))
    with warnings.catch_warnings():
        # Whisper reads its vocabulary once and leaves the file to chance.
        warnings.simplefilter("ignore", ResourceWarning)
        return get_tokenizer(_many(dims), num_languages=languages)


def _spec(dims: ModelDimensions, state: dict[str, np.ndarray]) -> WhisperSpec:
    spec = WhisperSpec(
        dims.n_audio_layer, dims.n_audio_head, dims.n_text_layer, dims.n_text_head
    )
    encoder, decoder = spec.encoder, spec.decoder
    for name in ("conv1", "conv2"):
        _linear(getattr(encoder, name), state, f"encoder.{name}")
    encoder.position_encodings.encodings = state["encoder.positional_embedding"]
    decoder.position_encodings.encodings = state["decoder.positional_embedding"]
    _norm(encoder.layer_norm, state, "encoder.ln_post")
    _norm(decoder.layer_norm, state, "decoder.ln")
    decoder.embeddings.weight = state["decoder.token_embedding.weight"]
    decoder.projection.weight = state["decoder.token_embedding.weight"]
    for side, layers in (("encoder", encoder.layer), ("decoder", decoder.layer)):
        for at, layer in enumerate(layers):
            _layer(layer, state, f"{side}.blocks.{at}")
    return spec


def _layer(layer, state, name):
    own = layer.self_attention
    _fused(own.linear[0], state, f"{name}.attn", ("query", "key", "value"))
    _linear(own.linear[1], state, f"{name}.attn.out")
    _norm(own.layer_norm, state, f"{name}.attn_ln")
    if f"{name}.cross_attn.out.weight" in state:
        other = layer.attention
        _fused(other.linear[0], state, f"{name}.cross_attn", ("query",))
        _fused(other.linear[1], state, f"{name}.cross_attn", ("key", "value"))
        _linear(other.linear[2], state, f"{name}.cross_attn.out")
        _norm(other.layer_norm, state, f"{name}.cross_attn_ln")
    _linear(layer.ffn.linear_0, state, f"{name}.mlp.0")
    _linear(layer.ffn.linear_1, state, f"{name}.mlp.2")
    _norm(layer.ffn.layer_norm, state, f"{name}.mlp_ln")


def _fused(linear, state, name, parts):
    """Put projections one under the other; Whisper's key has no bias, so zeros."""
    weights = [state[f"{name}.{part}.weight"] for part in parts]
    biases = [
        state.get(f"{name}.{part}.bias", np.zeros(len(weight), np.float32))
        for part, weight in zip(parts, weights, strict=True)
    ]
    linear.weight, linear.bias = np.concatenate(weights), np.concatenate(biases)


def _linear(linear, state, name):
    linear.weight, linear.bias = state[f"{name}.weight"], state[f"{name}.bias"]


def _norm(norm, state, name):
    norm.gamma, norm.beta = state[f"{name}.weight"], state[f"{name}.bias"]


def _vocabulary(tokenizer: Tokenizer, size: int) -> list[str]:
    """Name every token; CTranslate2 tells many languages by the empty one's name."""
    names = {at: _printable(text) for text, at in _ranks(tokenizer).items()}
    names |= {at: text for text, at in tokenizer.special_tokens.items()}
    return [names[at] for at in range(size)]


def _ranks(tokenizer: Tokenizer) -> dict[bytes, int]:
    return tokenizer.encoding._mergeable_ranks  # Private, but the only place.


def _save_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    """Write GPT-2's byte pairs and Whisper's special tokens as Hugging Face does."""
    ranks = _ranks(tokenizer)
    text = {token: _printable(token) for token in ranks}
    merges = [
        (text[token[:at]], text[token[at:]])
        for token in sorted(ranks, key=ranks.__getitem__)
        for at in range(1, len(token))
        if token[:at] in ranks and token[at:] in ranks
    ]
    model = BPE({text[token]: rank for token, rank in ranks.items()}, merges)
    model.ignore_merges = True
    made = HuggingFaceTokenizer(model)
    made.pre_tokenizer = ByteLevel(add_prefix_space=False)
    made.decoder = ByteLevelDecoder()
    special = sorted(tokenizer.special_tokens, key=tokenizer.special_tokens.__getitem__)
    made.add_special_tokens(special)
    made.save(str(path))


def _printable(token: bytes) -> str:
    """Write bytes as GPT-2 does: those that can't be seen are moved past U+0100."""
    return "".join(_BYTES[byte] for byte in token)
