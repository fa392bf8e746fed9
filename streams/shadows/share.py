"""Which uploaders a candidate is asked about: the same ones at every worker and time.

Each uploader has a fixed place in [0, 100) for each candidate, so whoever is in at
10 % is in at 20 %, and two candidates of 10 % do not share their uploaders.
"""

from hashlib import blake2b

_PLACES = 1 << 64
_ALL = 100.0


class Share:
    """A percentage of uploaders, by a hash of the candidate's name and theirs."""

    def __init__(self, name: str, percent: float) -> None:
        """Take `percent` of uploaders, in (0, 100]."""
        self.percent = percent
        self._below = int(percent / _ALL * _PLACES)
        # The line end keeps a name and an id apart: names have none.
        self._name = blake2b(f"{name}\n".encode(), digest_size=8)

    def has(self, uploader_id: str) -> bool:
        """Say whether an uploader is in."""
        if self.percent >= _ALL:
            return True
        place = self._name.copy()
        place.update(uploader_id.encode("utf-8", "surrogatepass"))
        return int.from_bytes(place.digest(), "big") < self._below
