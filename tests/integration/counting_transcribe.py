"""`headgate transcribe` with an engine that counts windows instead of hearing them.

`python -m tests.integration.counting_transcribe LOG WINDOW_MS FILE [OPTION …]`. At its
end it writes its peak memory, and that before any sound was read, to `LOG.rss`.
"""

import sys
from pathlib import Path

from streams import speech_wiring
from tests.long_sound import CountingEngine, peak_rss_bytes


def main() -> None:
    """Put the engine in its place and run the command."""
    log = Path(sys.argv[1])
    engine = CountingEngine(log, float(sys.argv[2]))
    idle = 0

    def build(*_: object, **__: object) -> CountingEngine:
        nonlocal idle
        from encoders.speech import new_windower

        new_windower()  # Loads the voice detector, as any run does.
        idle = peak_rss_bytes()
        return engine

    speech_wiring.build_transcriber = build
    from streams.cli import main as headgate

    sys.argv = ["headgate", "transcribe", *sys.argv[3:]]
    try:
        headgate()
    finally:
        log.with_suffix(".rss").write_text(f"{idle} {peak_rss_bytes()}")


if __name__ == "__main__":
    main()
