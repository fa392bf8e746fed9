"""Which uploads count for what is watched over all uploaders: few of each, a window.

The guard against floods: however much one uploader sends, he is three observations in
a window of event time.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

# More than one, so that a harmless upload in front doesn't hide the others.
PER_UPLOADER = 3
# Together 16,384 uploaders at most, in about 2.5 MB. What is usual lags by as many
# windows, so an incident that begins slowly does not teach at once.
OPEN_WINDOWS = 4
UPLOADERS = 4096


@dataclass(slots=True)
class Window:
    """One window: how many uploads of each uploader counted, and what they hit."""

    opened: int  # How many uploads had counted, in all windows, before its first.
    uploads: dict[bytes, int] = field(default_factory=dict)
    hits: dict[int, int] = field(default_factory=dict)  # By series.
    seen: int = 0


class UploaderWindows:
    """The open windows; bounded, in whatever order events come.

    A window is closed, and `closed` told, when it has 4,096 uploaders or when four
    others were used since. So a time far ahead or far behind has a window to itself and
    closes nobody else's.
    """

    def __init__(self, window_s: float, closed: Callable[[Window], None]) -> None:
        self._window_s = window_s
        self._closed = closed
        self._open: OrderedDict[int, Window] = OrderedDict()
        self.counted = 0  # Uploads, in all windows.

    def admit(self, key: bytes, at_s: float, hits: frozenset[int]) -> bool:
        """Count an upload in its window, unless its uploader has had his share."""
        number = int(at_s // self._window_s)
        window = self._open.setdefault(number, Window(self.counted))
        self._open.move_to_end(number)
        counted = window.uploads.get(key, 0)
        if counted >= PER_UPLOADER:
            return False
        window.uploads[key] = counted + 1
        window.seen += 1
        self.counted += 1
        for series in hits:
            window.hits[series] = window.hits.get(series, 0) + 1
        if len(window.uploads) >= UPLOADERS:
            self._closed(self._open.pop(number))
        elif len(self._open) > OPEN_WINDOWS:
            self._closed(self._open.popitem(last=False)[1])
        return True


def uploader_digest(uploader_id: str) -> bytes:
    """Return 8 bytes that stand for an uploader, so that long ids take no memory."""
    data = uploader_id.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=8).digest()
