"""A real worker whose text model sleeps: what is left is everything but the model.

`python -m tests.benchmarks.sleeping_worker SECONDS` sleeps so long for each text, on
the model's thread, which costs no processor.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

from encoders.signals import ModelIdentity
from streams import wiring
from streams.logs import set_up_logs
from streams.settings import load_settings
from tests.fakes import FakeTextEncoder


class SleepingTextEncoder(FakeTextEncoder):
    """Embeds by hash, under the name of the model that the risk head was trained on."""

    def __init__(self, model: ModelIdentity, text_s: float) -> None:
        self.model, self._text_s = model, text_s

    def embed(self, texts: Sequence[str]) -> Any:
        """Return the rows after as long as so many texts take."""
        time.sleep(self._text_s * len(texts))
        return super().embed(texts)


def main() -> None:
    """Run the worker's screen and judge until a signal."""
    text_s = float(sys.argv[1])
    settings = load_settings()
    set_up_logs(settings.log_level)
    head = wiring.build_text_risk()._head
    identity = ModelIdentity("text", head.encoder_name, head.encoder_sha256)
    wiring.build_text_encoder = lambda *_: SleepingTextEncoder(identity, text_s)
    from streams.worker import run_worker

    run_worker(settings, ("screen", "judge"))


if __name__ == "__main__":
    main()
