import pytest
import torch
from sentence_transformers import SentenceTransformer

from encoders.model_files import DEFAULT_TEXT_MODEL, find_text_model
from encoders.traced_model import _UnitVectors, traced

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def model():
    """The text model, on the CPU."""
    folder = find_text_model(DEFAULT_TEXT_MODEL, allow_download=False)
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True).eval()


def inputs(tokens, seed=0):
    """Build token ids of a text of that length."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1000, 20_000, (1, tokens), generator=generator)
    return ids, torch.ones_like(ids)


def test_a_trace_is_used_and_gives_the_same_bits_at_any_length(model):
    """Decisions rest on the bits: the worker and `assess` must agree for ever."""
    compiled, plain = traced(model), _UnitVectors(model).eval()

    assert isinstance(compiled, torch.jit.ScriptModule)
    with torch.no_grad():
        for tokens in (1, 2, 5, 33, 100, 256):
            given = inputs(tokens, seed=tokens)
            assert torch.equal(compiled(*given), plain(*given)), tokens


class LearnsItsExample(torch.nn.Module):
    """A model whose trace knows only the length that it was shown."""

    device = torch.device("cpu")

    def forward(self, features):
        """Depend on a Python value, which a trace takes for constant."""
        tokens = features["input_ids"]
        length = float(tokens.shape[1] ** 2 % 7)
        return {
            "sentence_embedding": torch.stack([tokens[:, 0] + length, tokens[:, 0]], 1)
        }


class RefusesTracing(LearnsItsExample):
    """A model that can't be traced."""

    def forward(self, features):
        """Fail where a trace is recorded."""
        if torch.jit.is_tracing():
            raise RuntimeError("no traces")
        return super().forward(features)


@pytest.mark.parametrize("kind", [LearnsItsExample, RefusesTracing])
def test_a_model_whose_trace_is_wrong_runs_as_it_is(kind):
    """Rather slow than other bits."""
    assert isinstance(traced(kind()), _UnitVectors)
