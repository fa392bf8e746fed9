"""Made-up traffic for what is watched over all uploads; and how often it alarms.

    python -m tests.streams.platform_traffic [UPLOADS] [SEED]

prints the steps and drifts told on stationary traffic, and in how many uploads a share
that grows five times is told.
"""

import random
import sys
from collections.abc import Iterator

from streams.platform_rates import PlatformRates, Step

# Shares from rare to nearly all, as categories and actions have them.
SHARES = {
    f"s{share}": share
    for share in (0, 5e-4, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 0.95)
}
UPLOADERS = 20_000
WINDOW_S = 60.0  # 600 uploads, so that a test knows the usual soon.
START_S = 1.7e9


def steps_of(
    uploads: int,
    seed: int,
    grown: str | None = None,
    times: float = 5.0,
    after: int = 10_000,
) -> Iterator[tuple[int, Step]]:
    """Give each step with the number of the upload that showed it, ten a second.

    From upload `after` on, the share of `grown` is `times` as large.
    """
    rng = random.Random(seed)
    rates = PlatformRates(tuple(SHARES), WINDOW_S)
    for number in range(uploads):
        hits = [
            name
            for name, share in SHARES.items()
            if rng.random()
            < share * (times if name == grown and number >= after else 1)
        ]
        uploader = f"u{rng.randrange(UPLOADERS)}"
        for step in rates.observe(uploader, START_S + number / 10, hits)[1]:
            yield number, step


def main() -> None:
    """Print what the module says."""
    uploads, seed = (*map(int, sys.argv[1:]), *(1_000_000, 0)[len(sys.argv) - 1 :])
    false = list(steps_of(uploads, seed))
    sys.stdout.write(f"{len(false)} steps in {uploads} stationary uploads: {false}\n")
    for grown in tuple(SHARES)[1:8]:
        delays = []
        for other in range(5):
            found = steps_of(20_000, seed + other, grown)
            told = [n for n, step in found if n >= 10_000 and step.series == grown]
            delays.append(told[0] - 10_000 if told else None)
        sys.stdout.write(f"{grown} five times as large: told after {delays} uploads\n")


if __name__ == "__main__":
    main()
