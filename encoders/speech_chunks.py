"""Where in a waveform someone speaks, in pieces that a recogniser takes at once.

Before `sphinx_speech`, which would hear words in all the rest; pure.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# In frames of 30 ms. PocketSphinx levels each piece by its own mean (cmn=batch), so
# pieces are as long as they can be; its lattice search grows with their square.
_LONGEST: Final = 1000  # 30 s.
_PAUSE: Final = 66  # 2 s: a longer pause is left out and ends the piece.
_MARGIN: Final = 10  # 0.3 s, PocketSphinx's endpointer window: the detector is late.
_SHORTEST_SPEECH: Final = 5  # 0.15 s: no word is shorter, clicks are.


def find_chunks(
    is_speech: NDArray[np.bool_], energies: NDArray[np.float32]
) -> list[tuple[int, int]]:
    """Group speech into pieces of at most 30 s, in order, as (start, end) frames.

    Both arrays have shape (n_frames,). A piece ends at a pause where there is one, else
    at the quietest frame of its last third.
    """
    chunks = []
    speech = np.flatnonzero(is_speech)
    # A run of frames with no pause of two seconds in it.
    for run in np.split(speech, np.flatnonzero(np.diff(speech) > _PAUSE) + 1):
        if len(run) < _SHORTEST_SPEECH:
            continue
        start = max(int(run[0]) - _MARGIN, 0)
        end = min(int(run[-1]) + 1 + _MARGIN, len(is_speech))
        while end - start > _LONGEST:
            cut = _quietest(is_speech, energies, start)
            chunks.append((start, cut))
            start = cut
        chunks.append((start, end))
    return chunks


def _quietest(
    is_speech: NDArray[np.bool_], energies: NDArray[np.float32], start: int
) -> int:
    low, high = start + _LONGEST * 2 // 3, start + _LONGEST
    # A frame without speech is better than any with it, however quiet.
    pause = np.flatnonzero(~is_speech[low:high]) + low
    places = pause if len(pause) else np.arange(low, high)
    return int(places[np.argmin(energies[places])])
