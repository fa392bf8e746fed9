import pytest
import torch
import whisper

from encoders.whisper_steps import DecoderSteps

pytestmark = pytest.mark.models
N_VOCAB, N_CONTEXT = 100, 80  # More tokens than a cache grows by at once.


@pytest.fixture(scope="module")
def decoder():
    """Build a decoder of two layers and two heads with random weights."""
    dims = whisper.ModelDimensions(80, 30, 16, 2, 1, N_VOCAB, N_CONTEXT, 16, 2, 2)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = whisper.Whisper(dims).eval()
        for weights in model.parameters():
            torch.nn.init.normal_(weights, std=0.5)
    return model.decoder


@pytest.fixture
def features():
    """Build three encoded sounds."""
    return torch.randn(3, 30, 16, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def tokens():
    """Build three texts that fill the context."""
    dice = torch.Generator().manual_seed(7)
    return torch.randint(N_VOCAB, (3, N_CONTEXT), generator=dice)


@torch.inference_mode()
def test_token_by_token_it_is_whispers_decoder(decoder, features, tokens):
    """Every position's logits are those of Whisper's own pass over the whole text."""
    steps = DecoderSteps(decoder, features)

    ours = torch.stack([steps.logits(column) for column in tokens.T], dim=1)

    theirs = decoder(tokens, features)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_rows_that_stay_go_on_as_they_were(decoder, features, tokens):
    """When one of three left and two changed places, each reads on in its text."""
    steps, staying = DecoderSteps(decoder, features), [2, 0]
    for column in tokens.T[:40]:
        steps.logits(column)

    steps.keep(staying)
    ours = torch.stack([steps.logits(at) for at in tokens[staying].T[40:]], dim=1)

    theirs = decoder(tokens[staying], features[staying])[:, 40:]
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
