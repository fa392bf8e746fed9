"""The trained Whisper as a file in OpenAI's format, and its manifest.

After `learner`.
"""

import json
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from encoders.micro.learner import DIMS, N_VOCAB, Learner
from encoders.micro.windows import Vocabulary
from encoders.model_files import sha256_of

MOST_BYTES: Final = 8_000_000


def full_state(learner: Learner, vocabulary: Vocabulary) -> dict[str, Tensor]:
    """Return Whisper's own state: float16, a row for each of its 51,864 tokens."""
    state = learner.folded()
    table = learner.unused.detach().repeat(N_VOCAB, 1)
    table[list(vocabulary.used)] = learner.table().detach()
    state["decoder.token_embedding.weight"] = table
    return {name: tensor.half().contiguous() for name, tensor in state.items()}


def save(learner: Learner, vocabulary: Vocabulary, folder: Path) -> Path:
    """Write `micro.pt` and `manifest.json` into a folder.

    Raises:
        ValueError: the file is over 8 MB.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "micro.pt"
    state = full_state(learner, vocabulary)
    torch.save({"dims": DIMS, "model_state_dict": state}, path)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"{path} has {size} bytes, expected at most {MOST_BYTES}")
    manifest: dict[str, Any] = {
        "file": path.name,
        "sha256": sha256_of(path),
        "bytes": size,
        "dims": DIMS,
    }
    text = json.dumps(manifest, indent=1)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return path
