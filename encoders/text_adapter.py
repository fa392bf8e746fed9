"""A small change to a text model: what fine-tuning learnt, merged into it at load.

Low-rank adaptation (Hu et al. 2021): for some linear layers with weight W, a pair of
thin matrices whose product is added to W. Merged, the model is as fast as before.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import safetensors
import safetensors.numpy
import torch
from numpy.typing import NDArray

from encoders.signals import ModelIdentity

FORMAT: Final = "headgate-text-adapter/1"  # Rises when tensors change their meaning.


class UnsuitableAdapterError(Exception):
    """The bytes are no adapter, or one of another model."""


@dataclass(frozen=True, slots=True)
class LowRank:
    """What is added to a weight of shape (rows, columns): up @ down."""

    up: NDArray[np.float16]  # Shape (rows, rank).
    down: NDArray[np.float16]  # Shape (rank, columns).


@dataclass(frozen=True, slots=True)
class TextAdapter:
    """The pairs by the layer's dotted name, and the base model they are for."""

    layers: Mapping[str, LowRank]
    base_sha256: str  # Of the base model's files.


def to_bytes(adapter: TextAdapter) -> bytes:
    """Write as safetensors; the same adapter gives the same bytes."""
    tensors = {}
    for name, pair in adapter.layers.items():
        tensors[f"{name}.up"] = np.ascontiguousarray(pair.up, np.float16)
        tensors[f"{name}.down"] = np.ascontiguousarray(pair.down, np.float16)
    about = {"format": FORMAT, "base_sha256": adapter.base_sha256}
    return sorted_header(safetensors.numpy.save(tensors, metadata=about))


def from_bytes(data: bytes) -> TextAdapter:
    """Read what `to_bytes` wrote.

    Raises:
        UnsuitableAdapterError: it is no such file.
    """
    try:
        tensors = safetensors.numpy.load(data)
        about = metadata_of(data)
        if about.get("format") != FORMAT:
            raise ValueError(f"format is {about.get('format')!r}, expected {FORMAT!r}")
        names = sorted({name.rpartition(".")[0] for name in tensors})
        layers = {n: LowRank(tensors[f"{n}.up"], tensors[f"{n}.down"]) for n in names}
        return TextAdapter(layers, about["base_sha256"])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise UnsuitableAdapterError(f"not a text adapter: {error}") from error


def merge(transformer: torch.nn.Module, adapter: TextAdapter) -> None:
    """Add the adapter to the transformer's weights, in place.

    Raises:
        UnsuitableAdapterError: a layer is missing, of another shape, or not finite.
    """
    modules = dict(transformer.named_modules())
    for name, pair in adapter.layers.items():
        layer = modules.get(name)
        if not isinstance(layer, torch.nn.Linear):
            raise UnsuitableAdapterError(f"the model has no linear layer {name}")
        change = pair.up.astype(np.float32) @ pair.down.astype(np.float32)
        if change.shape != tuple(layer.weight.shape) or not np.isfinite(change).all():
            raise UnsuitableAdapterError(
                f"layer {name} has shape {tuple(layer.weight.shape)}, the adapter's "
                f"is {change.shape}, all finite expected"
            )
        with torch.no_grad():
            layer.weight += torch.from_numpy(change).to(layer.weight)


def adapt(
    transformer: torch.nn.Module, base: ModelIdentity, data: bytes
) -> ModelIdentity:
    """Merge the adapter into the base model; return the identity of what it is now.

    Raises:
        UnsuitableAdapterError: the adapter is broken, or was trained on other weights.
    """
    adapter = from_bytes(data)
    if adapter.base_sha256 != base.sha256:
        raise UnsuitableAdapterError(
            f"it was trained on weights {adapter.base_sha256[:12]}, these are "
            f"{base.sha256[:12]}"
        )
    merge(transformer, adapter)
    return ModelIdentity(base.role, base.name, adapted_sha256(base.sha256, data))


def adapted_sha256(base_sha256: str, adapter: bytes) -> str:
    """Return the identity of a model with an adapter: of both hashes, one."""
    both = f"{base_sha256}+{hashlib.sha256(adapter).hexdigest()}"
    return hashlib.sha256(both.encode()).hexdigest()


def metadata_of(data: bytes) -> dict[str, str]:
    """Return the file's own words of itself; the library's reader leaves them out.

    The header is JSON, after its length in eight bytes (the format's specification).

    Raises:
        ValueError: it has no such header.
    """
    length = int.from_bytes(data[:8], "little")
    about: dict[str, str] = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return about


def sorted_header(data: bytes) -> bytes:
    """Return the same file with its header's keys in order.

    The library writes metadata in a random order, which would change the file's hash
    from run to run.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    padded = text.ljust(-(-len(text) // 8) * 8)  # Tensors start on 8 bytes.
    return len(padded).to_bytes(8, "little") + padded + data[8 + length :]
