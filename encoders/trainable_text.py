"""A sentence-transformers model made ready to be fine-tuned: base frozen, LoRA added.

Only training uses this. Behind it stands PEFT; what it learns leaves as `TextAdapter`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.model_files import TEXT_MODEL_FILES, find_text_model, sha256_of
from encoders.signals import ModelIdentity
from encoders.text_adapter import LowRank, TextAdapter


class TrainableText:
    """Token ids to unit vectors, with a gradient for the added layers alone."""

    def __init__(
        self, name_or_path: str, *, rank: int, alpha: float, allow_download: bool
    ) -> None:
        """Load the base model on the CPU and add a low-rank pair to its linear layers.

        Raises:
            ModelUnavailableError: the base model can't be had.
        """
        # Imported here because they take seconds, and most commands load no model.
        import transformers
        from peft import LoraConfig, inject_adapter_in_model
        from sentence_transformers import SentenceTransformer

        # Its bar would run through our progress. (There, but without types.)
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]

        folder = find_text_model(name_or_path, allow_download=allow_download)
        self.identity = ModelIdentity(
            "text", name_or_path, sha256_of(folder, TEXT_MODEL_FILES)
        )
        self._model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        transformer = self._model[0].auto_model
        assert isinstance(transformer, torch.nn.Module)
        self._transformer = transformer
        config = LoraConfig(
            r=rank,
            lora_alpha=int(alpha),
            lora_dropout=0.0,
            target_modules=_linear_layers(transformer),
        )
        inject_adapter_in_model(config, transformer)
        for module in self._model.modules():
            if hasattr(module, "cast_input_dtype_enabled"):
                # Under autocast its copies of every input are thrown away at once.
                module.cast_input_dtype_enabled = False  # type: ignore[assignment]
        for name, parameter in self._model.named_parameters():
            parameter.requires_grad = "lora_" in name
        self.dim = int(self._model.get_embedding_dimension() or 0)

    def token_ids(self, texts: Sequence[str], longest: int) -> list[list[int]]:
        """Return each text's token ids, cut to the `longest` first."""
        tokenizer = self._model.tokenizer
        found = tokenizer(list(texts), truncation=True, max_length=longest)
        ids: list[list[int]] = found["input_ids"]
        return ids

    def parameters(self) -> list[torch.nn.Parameter]:
        """Return what is to be learnt."""
        return [p for p in self._model.parameters() if p.requires_grad]

    def train(self, mode: bool) -> None:
        """Switch dropout on or off."""
        self._model.train(mode)

    def __call__(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Embed token ids: float32, shape (rows, dim), unit length."""
        length = max(len(row) for row in rows)
        pad = int(self._model.tokenizer.pad_token_id or 0)
        ids = torch.full((len(rows), length), pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = torch.tensor(row)
            mask[at, : len(row)] = 1
        found = self._model({"input_ids": ids, "attention_mask": mask})
        return torch.nn.functional.normalize(found["sentence_embedding"].float(), dim=1)

    def adapter(self) -> TextAdapter:
        """Return what was learnt so far, in half precision."""
        from peft.tuners.lora import LoraLayer

        layers = {}
        for name, module in self._transformer.named_modules():
            if isinstance(module, LoraLayer):
                up, down = module.lora_B["default"], module.lora_A["default"]
                scale = module.scaling["default"]
                layers[name] = LowRank(_half(up, scale), _half(down, 1.0))
        return TextAdapter(layers, self.identity.sha256)


def _linear_layers(transformer: torch.nn.Module) -> list[str]:
    """Name all linear layers but the pooler's: sentence models don't use that one."""
    return [
        name
        for name, module in transformer.named_modules()
        if isinstance(module, torch.nn.Linear) and not name.startswith("pooler")
    ]


def _half(layer: Tensor | torch.nn.Module, scale: float) -> NDArray[np.float16]:
    assert isinstance(layer, torch.nn.Linear)
    return (scale * layer.weight.detach()).numpy().astype(np.float16)
