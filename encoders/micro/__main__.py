"""`python -m encoders.micro` trains the micro Whisper anew; START READING HERE.

Makes speech (needs espeak-ng), trains, writes the checkpoint and its manifest, and
prints the figures of the model card. Speech is kept, so that a second run is quicker.
"""

import argparse
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Final

import torch
import whisper

from encoders.micro.checkpoint import save
from encoders.micro.evaluation import figures
from encoders.micro.learner import Learner
from encoders.micro.learning import learn
from encoders.micro.speaking import (
    foreign_sayings,
    make_clips,
    training_sayings,
    word_sayings,
)
from encoders.micro.windows import Vocabulary, WindowMaker

_SEED: Final = 1
WEIGHTS: Final = Path(__file__).resolve().parent / "weights"


def main() -> None:
    """Make speech, train, save, measure."""
    options = _options()
    started_s = perf_counter()
    torch.set_num_threads(options.threads)
    sayings = [
        *word_sayings(6, _SEED + 2),
        *training_sayings(5000, _SEED),
        *foreign_sayings(300, _SEED + 1),
    ]
    clips = make_clips(options.cache / "training.npz", sayings, range(240))
    made_s = perf_counter() - started_s
    torch.manual_seed(_SEED)
    vocabulary = Vocabulary()
    learner = Learner(vocabulary)
    for _ in learn(learner, WindowMaker(clips, vocabulary, _SEED)):
        path = save(learner, vocabulary, options.out)
    took_s = perf_counter() - started_s
    sys.stderr.write(f"speech {made_s:.0f} s, all {took_s:.0f} s; {path}\n")
    sys.stdout.write(json.dumps(figures(load(path)), indent=1) + "\n")


def load(path: Path) -> whisper.Whisper:
    """Load a checkpoint as Whisper's own loader does."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    model = whisper.Whisper(whisper.ModelDimensions(**checkpoint["dims"]))
    model.load_state_dict(checkpoint["model_state_dict"])
    return model.eval()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m encoders.micro", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--cache", type=Path, default=Path("build/micro-whisper"))
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
