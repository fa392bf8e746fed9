"""Events of texts and pictures that a worker understands by its own models."""

from pathlib import Path

from PIL import Image

from schemas.records import ContentIngested, Kind, MediaRef
from tests.builders import an_event

BY_EVENT = "of-events-"  # What their uploaders' ids begin with.


def understood_events(folder: Path, count: int) -> list[ContentIngested]:
    """Make titles and, every sixth, a cover with one, by five uploaders.

    The cover's file is put in `folder`, which the worker must be allowed to read.
    """
    Image.effect_noise((96, 96), 80).convert("RGB").save(folder / "cover.png")
    cover = MediaRef("cover", (folder / "cover.png").as_uri())
    return [
        an_event(
            f"c{n}",
            uploader_id=f"{BY_EVENT}{n % 5}",
            kind=Kind.COVER_ART if n % 6 == 0 else Kind.TITLE,
            texts=(("title", f"I will find you, verse {n}"),),
            media=(cover,) if n % 6 == 0 else (),
            at_s=n * 30,
        )
        for n in range(count)
    ]
