"""`python -m tests.benchmarks.text_backends`: what could run the text model, compared.

Speed on real text messages, distance from torch, and what the risk head makes of it.
The head was trained on these texts in torch's embeddings: average precision is thus no
figure of merit here, only its change is. Prints a table in Markdown.
"""

import csv
import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from rich.console import Console
from sentence_transformers import SentenceTransformer

from encoders.embedding_cache import EmbeddingCache
from encoders.model_files import find_text_model
from encoders.onnx_model import _exported
from encoders.sentence_encoder import ON_CPU, SentenceEncoder, on_torch
from encoders.text_adapter import from_bytes, merge
from schemas.records import Category
from streams.settings import Settings
from streams.training import metrics
from streams.wiring import build_text_encoder, build_text_risk, read_weights
from tests.benchmarks.table import timed

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ROUNDS = 5
NAME = "all-MiniLM-L6-v2"
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Ids = Callable[[str], list[int]]


def one_by_one(
    run: Callable[[NDArray[np.int64]], NDArray[np.float32]], ids: Ids
) -> Embed:
    """Embed texts alone, two at a time, where `run` gives hidden states."""
    pool = ThreadPoolExecutor(2)

    def unit(text: str) -> NDArray[np.float32]:
        mean = run(np.array([ids(text)], np.int64))[0].mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    return lambda texts: np.stack(list(pool.map(unit, texts)))


def in_int8(graph: bytes) -> bytes:
    """Quantise weights per channel, activations as they come, per text."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder, "plain.onnx"), Path(folder, "int8.onnx")
        plain.write_bytes(graph)
        quantize_dynamic(plain, small, weight_type=QuantType.QInt8, per_channel=True)
        return small.read_bytes()


def on_onnx(graph: bytes, ids: Ids) -> Embed:
    """Run a graph on ONNX Runtime, a thread a text."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options)
    return one_by_one(lambda tokens: session.run(None, {"tokens": tokens})[0], ids)


def compiled(folder: Path) -> Embed:
    """Have torch.compile make one program for all shapes; the library drives it."""
    library = SentenceTransformer(str(folder), device="cpu").eval()
    library[0].auto_model.compile(dynamic=True)
    return lambda texts: library.encode(
        sorted(texts, key=len), batch_size=32, normalize_embeddings=True
    )


def on_openvino(graph: bytes, ids: Ids, precision: str) -> Embed:
    """Run the same graph on OpenVINO, two streams."""
    import openvino  # Not among our dependencies: install it by hand for this.

    program = openvino.Core().compile_model(
        openvino.Core().read_model(graph, b""),
        "CPU",
        {
            "INFERENCE_NUM_THREADS": 2,
            "NUM_STREAMS": 2,
            "INFERENCE_PRECISION_HINT": precision,
        },
    )

    def run(tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = program.create_infer_request().infer([tokens])[0]
        return found

    return one_by_one(run, ids)


def backends() -> dict[str, Embed]:
    """Build every way to run the model; the library's own is the first."""
    folder = find_text_model(NAME, allow_download=False)
    library = SentenceTransformer(str(folder), device="cpu").eval()
    merge(library[0].auto_model, from_bytes(read_weights("text_adapter.safetensors")))
    ours = build_text_encoder(Settings())
    traced = SentenceEncoder(library, ours.model, on_torch(library), ON_CPU)
    graph = _exported(library)

    def ids(text: str) -> list[int]:
        return list(ours._windowed.encode(text).ids)  # type: ignore[attr-defined]

    def fresh(encoder: object) -> Embed:
        def embed(texts: Sequence[str]) -> NDArray[np.float32]:
            encoder._cache = EmbeddingCache()  # type: ignore[attr-defined]
            return encoder.embed(texts)  # type: ignore[attr-defined, no-any-return]

        return embed

    return {
        "sentence-transformers, sorted, 32": lambda texts: library.encode(
            sorted(texts, key=len), batch_size=32, normalize_embeddings=True
        ),
        "torch.compile, sorted, 32": compiled(folder),
        "torch traced, one by one": fresh(traced),
        "ONNX Runtime fp32 (shipped)": fresh(ours),
        "ONNX Runtime int8, one by one": on_onnx(in_int8(graph), ids),
        "OpenVINO fp32, one by one": on_openvino(graph, ids, "f32"),
        "OpenVINO bf16, one by one": on_openvino(graph, ids, "bf16"),
        "OpenVINO int8, one by one": on_openvino(in_int8(graph), ids, "f32"),
    }


def judged() -> tuple[list[str], list[tuple[Category, slice, NDArray[np.float64]]]]:
    """Return texts, and which of them have which labels of a category."""
    hate = list(csv.DictReader((DATA / "hatecheck/half_a.csv").open()))[::3]
    fraud = list(csv.DictReader((DATA / "sms_smishing/train.csv").open()))[::5]
    lines = (DATA / "openai_moderation/half_a.jsonl").read_text().splitlines()
    prompts = [row for row in map(json.loads, lines) if "S" in row][::2]
    parts = [
        (Category.HATE, "test_case", hate, lambda row: row["label_gold"] == "hateful"),
        (Category.FRAUD_SPAM, "text", fraud, lambda row: row["label"] != "ham"),
        (Category.SEXUAL_CONTENT, "prompt", prompts, lambda row: row["S"] == 1),
    ]
    texts: list[str] = []
    labels = []
    for category, column, rows, is_harm in parts:
        where = slice(len(texts), len(texts) + len(rows))
        known = np.array([is_harm(row) for row in rows], np.float64)
        labels.append((category, where, known))
        texts += [row[column] for row in rows]
    return texts, labels


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(2)
    write = Console(width=200).print
    head, (texts, labels) = build_text_risk(), judged()
    messages = [
        r["text"] for r in csv.DictReader((DATA / "sms_smishing/train.csv").open())
    ]
    sample = list(dict.fromkeys(messages))[-300:]
    ways = backends()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, embed in ways.items():
            seconds[name].append(timed(lambda embed=embed: embed(sample)))  # type: ignore[misc]
    first = next(iter(ways))
    reference = "torch traced, one by one"
    exact = ways[reference](texts)
    risks = head.probabilities(exact)
    write(
        "| backend | texts a second | × | least cosine | AP hate, fraud, sexual |"
        " flips |"
    )
    write("| --- | ---: | ---: | ---: | --- | ---: |")
    for name, embed in ways.items():
        took_s = median(seconds[name])
        times = median(seconds[first]) / took_s
        line = f"| {name} | {len(sample) / took_s:.0f} | {times:.2f} |"
        if "sorted" in name:  # In another order; these are compared for speed alone.
            write(f"{line} | | |")
            continue
        found = embed(texts)
        mine = head.probabilities(found)
        precision = [
            metrics.average_precision(
                known, mine[where, head.categories.index(category)]
            )
            for category, where, known in labels
        ]
        flips = ((mine >= 0.5) != (risks >= 0.5)).any(axis=1).mean()
        aps = ", ".join(f"{p:.3f}" for p in precision)
        write(f"{line} {(found * exact).sum(axis=1).min():.4f} | {aps} | {flips:.2%} |")


if __name__ == "__main__":
    main()
