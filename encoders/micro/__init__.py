"""The micro Whisper: a toy that this project trains, for tests.

It knows 262 English words as espeak-ng says them, and nothing else: never listen to
people's uploads with it. `weights/MODEL_CARD.md` tells what it can and can't do,
`python -m encoders.micro` trains it anew.
"""

from pathlib import Path
from typing import Final

NAME: Final = "micro"  # As in `HEADGATE_ASR=whisper:micro`.
CHECKPOINT: Final = Path(__file__).resolve().parent / "weights" / "micro.pt"
