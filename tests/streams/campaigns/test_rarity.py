"""Facts about which words are rare."""

from streams.campaigns.bounds import WARM_UPLOADS
from streams.campaigns.rarity import Rarity

DAY_S = 86_400.0
GREETING = (7, 8, 9)


def a_warm(share=0.0, uploads=WARM_UPLOADS * 4):
    """Build one that saw uploads by as many uploaders; a share of them greets."""
    rarity = Rarity()
    for n in range(uploads):
        greets = n % 100 < 100 * share
        rarity.count(f"u{n}", n * 60.0, GREETING if greets else (1000 + n,))
    return rarity


def test_what_many_write_is_not_rare():
    """One upload in fifty is far more than one in 512."""
    assert a_warm(share=0.02).rare(GREETING) == ()
    assert a_warm().rare(GREETING) == GREETING


def test_one_uploader_makes_nothing_common():
    """However often he says it, it counts three times a day."""
    rarity = a_warm()

    for n in range(10_000):
        rarity.count("flooder", 4000 * 60.0 + n, GREETING)

    assert rarity.rare(GREETING) == GREETING


def test_one_uploader_makes_nothing_rare():
    """His flood of other words makes what many write no smaller a share."""
    rarity = a_warm(share=0.01)

    for n in range(40_000):
        rarity.count("flooder", 4000 * 60.0 + n, (5,))

    assert rarity.rare(GREETING) == ()


def test_many_uploaders_do():
    """The bound is one uploader's, not of the words."""
    rarity = a_warm()

    for n in range(100):
        rarity.count(f"v{n}", 4000 * 60.0 + n, GREETING)

    assert rarity.rare(GREETING) == ()
