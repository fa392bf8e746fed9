"""A sentence-transformers model small enough to be made, and trained, in a test."""

import string
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import BertConfig, BertModel, BertTokenizerFast

WIDTH = 16
VOCABULARY = 256
LONGEST_TOKENS = 128


def a_tiny_text_model(folder: Path, seed: int = 0) -> Path:
    """Write a random BERT of two layers that knows letters; return its folder."""
    torch.manual_seed(seed)
    inner = folder / "bert"
    inner.mkdir(parents=True)
    letters = list(string.ascii_lowercase + string.digits + ".,!?'")
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += letters + [f"##{letter}" for letter in letters]
    # As many as ONNX Runtime's check of a model asks for.
    tokens += [f"[unused{at}]" for at in range(VOCABULARY - len(tokens))]
    (inner / "vocab.txt").write_text("\n".join(tokens), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=LONGEST_TOKENS,
    )
    BertModel(config).save_pretrained(inner)
    BertTokenizerFast(vocab_file=str(inner / "vocab.txt")).save_pretrained(inner)
    words = Transformer(str(inner), max_seq_length=LONGEST_TOKENS)
    model = SentenceTransformer(modules=[words, Pooling(WIDTH)], device="cpu")
    whole = folder / "model"
    model.save(str(whole))
    return whole
