"""The model that learns: a small Whisper, and its losses over the taught tokens.

After `windows`, before `learning`. Two economies make it quick on two cores: the
softmax runs over the taught tokens and one row that stands for all the others, and the
encoder is told which word sounds when, which saves it from finding that out.
"""

import math
from typing import Final

import torch
import whisper
from torch import Tensor, nn
from torch.nn import functional
from whisper.model import AudioEncoder, sinusoids

from encoders.micro.windows import IGNORED, TICKS, Batch, Vocabulary

WIDTH: Final = 64  # Times 51,864 tokens at 2 bytes it is 6.6 of the 8 MB allowed.
N_VOCAB: Final = 51_864  # Fixed by Whisper's English tokenizer.
DIMS: Final = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": WIDTH,
    "n_audio_head": 4,
    "n_audio_layer": 3,
    "n_vocab": N_VOCAB,
    "n_text_ctx": 448,
    "n_text_state": WIDTH,
    "n_text_head": 4,
    "n_text_layer": 2,
}
# Encoder frames of 20 ms; three layers of them see a word and its neighbours.
_NEAR: Final = (-10, -3, 3, 10)
_FIRST_SINUSOID: Final = 2  # Of a head's eight: waves of 11 to 90 frames.
_LOOK: Final = 2.0  # So strong that 1,500 frames don't drown the near ones.
_LEAST_VARIANCE: Final = 3e-3  # Of a whitened axis; less is noise.


def _listen_around(encoder: AudioEncoder) -> None:
    """Let each head begin by looking at a near frame, as far away as `_NEAR` says.

    A query and a key of the same sinusoids, the query's turned by the way between them,
    fit best where they are that far apart. To find this out takes most of a training.
    The places of these sinusoids begin without sound.
    """
    size = WIDTH // DIMS["n_audio_head"]
    sines = torch.arange(size // 2) + _FIRST_SINUSOID
    cosines = sines + WIDTH // 2
    turns = 10_000 ** (-sines / (WIDTH // 2 - 1))  # Radians a frame: `sinusoids`.
    places = torch.cat([sines, cosines])
    with torch.no_grad():
        encoder.conv2.weight[places] = 0.0
        encoder.conv2.bias[places] = 0.0
        for block in encoder.blocks:
            for last in (block.attn.out, block.mlp[2]):
                last.weight[places] = 0.0
                last.bias[places] = 0.0
            for head, frames in enumerate(_NEAR):
                rows = torch.arange(size // 2) + head * size
                _turn(block.attn.query.weight, rows, sines, cosines, turns * frames)
                _turn(block.attn.key.weight, rows, sines, cosines, turns * 0.0)


def _turn(
    weight: Tensor, rows: Tensor, sines: Tensor, cosines: Tensor, angles: Tensor
) -> None:
    """Add sinusoids turned by angles, in radians, to what `rows` see."""
    others = rows + len(rows)
    weight[rows, sines] += _LOOK * angles.cos()
    weight[rows, cosines] += _LOOK * angles.sin()
    weight[others, cosines] += _LOOK * angles.cos()
    weight[others, sines] -= _LOOK * angles.sin()


class Learner(nn.Module):
    """A Whisper whose tokens are `vocabulary`'s, and a head that tells frames apart.

    `time_map` makes the rows of the time tokens from the encoder's own sinusoids, so
    that all times are learnt from any.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        dims = whisper.ModelDimensions(**{**DIMS, "n_vocab": len(vocabulary)})
        self.whisper = whisper.Whisper(dims)
        for conv in (self.whisper.encoder.conv1, self.whisper.encoder.conv2):
            # As strong as the sinusoids that are added, which else drown the sound.
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        _listen_around(self.whisper.encoder)
        nn.init.normal_(self.whisper.decoder.positional_embedding, std=0.02)
        own = len(vocabulary) - TICKS
        self.rows = nn.Parameter(torch.randn(own, WIDTH) * 0.1)
        self.unused = nn.Parameter(torch.randn(WIDTH) * 0.1)
        self.time_map = nn.Linear(WIDTH, WIDTH)
        every = sinusoids(DIMS["n_audio_ctx"] + 1, WIDTH)
        self.register_buffer("times", every[:: DIMS["n_audio_ctx"] // (TICKS - 1)])
        self.register_buffer("mean", torch.zeros(80, 1))
        self.register_buffer("whitening", torch.eye(80))
        # The unused begin unlikely, not 50,000 times as likely as the others.
        with torch.no_grad():
            self.whisper.decoder.ln.bias[0] = 4.0
            self.unused[0] = -4.0
        self.frame_head = nn.Linear(WIDTH, vocabulary.n_text + 1)  # Dropped when saved.
        # What the one row of the unused counts for in the softmax.
        self.unused_count = math.log(N_VOCAB - len(vocabulary))

    def table(self) -> Tensor:
        """Return the embedding of the taught tokens: float32, (n_tokens, WIDTH)."""
        return torch.cat([self.rows, self.time_map(self.times) * 0.3])

    def heard(self, mel: Tensor, offsets: Tensor) -> Tensor:
        """Encode windows that begin at `offsets`: (n, n_frames / 2, WIDTH)."""
        encoder = self.whisper.encoder
        x = torch.einsum("ij,bjt->bit", self.whitening, mel - self.mean)
        x = functional.gelu(encoder.conv1(x))
        x = functional.gelu(encoder.conv2(x)).permute(0, 2, 1)
        places = offsets[:, None] + torch.arange(x.shape[1])
        x = x + encoder.positional_embedding[places]
        for block in encoder.blocks:
            x = block(x)
        encoded: Tensor = encoder.ln_post(x)
        return encoded

    def scores(self, tokens: Tensor, heard: Tensor) -> Tensor:
        """Score the next token: (n, n_tokens, len(vocabulary) + 1)."""
        decoder = self.whisper.decoder
        table = self.table()
        x = table[tokens] + decoder.positional_embedding[: tokens.shape[1]]
        for block in decoder.blocks:
            x = block(x, heard, mask=decoder.mask)
        x = decoder.ln(x)
        others = x @ self.unused + self.unused_count
        return torch.cat([x @ table.T, others[..., None]], dim=-1)

    def whiten(self, mel: Tensor) -> None:
        """Learn to see 80 mels as independent and of one size; mel: (n, 80, n_frames).

        As they are, loudness is all but everything of them, and learning takes ages.
        Linear, so `folded` puts it into the first convolution.
        """
        frames = mel.transpose(0, 1).flatten(1)
        sizes, axes = torch.linalg.eigh(torch.cov(frames))
        self.mean = frames.mean(1, keepdim=True)
        self.whitening = (axes / (sizes + _LEAST_VARIANCE).sqrt()).T.contiguous()

    def folded(self) -> dict[str, Tensor]:
        """Return Whisper's state with the whitening inside its first convolution."""
        state = {
            name: value.clone() for name, value in self.whisper.state_dict().items()
        }
        weight = state["encoder.conv1.weight"]  # Shape (WIDTH, 80, 3).
        seen = torch.einsum("oik,ij->ojk", weight, self.whitening)
        state["encoder.conv1.weight"] = seen
        state["encoder.conv1.bias"] -= (seen.sum(2) @ self.mean)[:, 0]
        return state

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the decoder's loss, and the encoder's in telling frames apart."""
        heard = self.heard(torch.from_numpy(batch.mel), torch.from_numpy(batch.offsets))
        scores = self.scores(torch.from_numpy(batch.tokens), heard)
        written = functional.cross_entropy(
            scores.flatten(0, 1),
            torch.from_numpy(batch.targets).flatten(),
            ignore_index=IGNORED,
        )
        guesses = self.frame_head(heard)
        by_frame = functional.cross_entropy(
            guesses.flatten(0, 1), torch.from_numpy(batch.sounding).flatten()
        )
        return written, by_frame
