"""The training loop: phases from single words to whole windows of 30 s.

After `learner`, before `checkpoint`. Most windows show only a part of their 30 s, at
its own place, which saves most of the time.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import torch
from torch import Tensor, nn

from encoders.micro.learner import Learner
from encoders.micro.windows import Shape, WindowMaker

_WARM_UP_STEPS: Final = 40
_CLIP_NORM: Final = 1.0
_SHARE_WITHOUT_SPEECH: Final = 0.12
_REPORT_EVERY: Final = 25


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training: windows, steps, the weight of the encoder's own loss."""

    shape: Shape
    steps: int
    peak_rate: float
    frame_weight: float = 1.0


# Single words first, which show the decoder where to look; whole windows last.
PHASES: Final = (
    Phase(Shape(128, most_sayings=1, most_frames=80, most_words=1), 250, 3e-3),
    Phase(Shape(32, most_sayings=1, most_frames=250), 2500, 3e-3),
    Phase(Shape(12, most_sayings=3, most_frames=900, most_edge=60), 700, 1.5e-3, 0.5),
    Phase(
        Shape(4, most_sayings=6, most_frames=2960, most_edge=60, whole=True),
        2500,
        2e-3,
        0.5,
    ),
)


def learn(
    learner: Learner, maker: WindowMaker, phases: Sequence[Phase] = PHASES
) -> Iterator[int]:
    """Train in place; yields the number of steps done after each phase."""
    optimizer = torch.optim.AdamW(
        learner.parameters(), betas=(0.9, 0.98), weight_decay=0.01
    )
    learner.whiten(_sound(maker, phases[0].shape))
    steps, done, started_s = sum(phase.steps for phase in phases), 0, perf_counter()
    for phase in phases:
        for step in range(phase.steps):
            optimizer.param_groups[0]["lr"] = phase.peak_rate * _share(
                step, phase.steps
            )
            batch = maker.batch(phase.shape, _SHARE_WITHOUT_SPEECH)
            written, aligned = learner.loss(batch)
            optimizer.zero_grad()
            (written + phase.frame_weight * aligned).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learner.parameters(), _CLIP_NORM)
            optimizer.step()
            done += 1
            if done % _REPORT_EVERY == 0:
                _report(done, steps, written, aligned, perf_counter() - started_s)
        yield done


def _sound(maker: WindowMaker, shape: Shape) -> Tensor:
    """Draw sound to learn the whitening from: (n, 80, n_frames)."""
    batch = maker.batch(shape, _SHARE_WITHOUT_SPEECH)
    return torch.from_numpy(batch.mel)


def _share(step: int, steps: int) -> float:
    """Warm up, then fall as a cosine to a twentieth, within each phase."""
    if step < _WARM_UP_STEPS:
        return (step + 1) / _WARM_UP_STEPS
    share = (step - _WARM_UP_STEPS) / max(1, steps - _WARM_UP_STEPS)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share))


def _report(
    done: int, steps: int, written: Tensor, aligned: Tensor, took_s: float
) -> None:
    sys.stderr.write(
        f"step {done} of {steps}: loss {written.item():.3f}, "
        f"encoder {aligned.item():.3f}, {took_s:.0f} s\n"
    )
    sys.stderr.flush()
