"""Facts about the counting: against brute force, in any order, with exact examples."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Action, Category, PolicyRef, ShadowMarket, Stage
from streams.replay.groups import size_of
from streams.shadows.tally import (
    EXAMPLES,
    MOST_VERSIONS,
    ShadowTallies,
    ShadowTally,
)
from tests.streams.shadows.words import a_word

ACTIONS = (Action.ALLOW, Action.LIMIT, Action.REVIEW, Action.BLOCK)
MARKETS = ("DE", "FR", "US")


def random_words(seed, count=400):
    """Return words of every sort."""
    rng = random.Random(seed)

    def some(choices, most=3):
        return tuple(sorted(rng.sample(choices, rng.randint(0, most))))

    return [
        a_word(
            f"c{n}",
            stage=rng.choice((Stage.SCREENED, Stage.COMPLETE, Stage.SWEPT)),
            live_action=rng.choice(ACTIONS),
            action=rng.choice(ACTIONS),
            same_degree=rng.random() < 0.5,
            category=rng.choice((None, Category.HATE, Category.PRIVACY)),
            live_rules=some(["a", "b", "c"]),
            rules=some(["a", "b", "c"]),
            territories=some(MARKETS),
            by_market=tuple(
                ShadowMarket(m, rng.choice(ACTIONS), rng.choice(ACTIONS))
                for m in some(["DE"], 1)
            ),
            uploads=rng.choice((None, 0, 5, 9, 10, 99, 100, 999, 1000, 10**6)),
        )
        for n in range(count)
    ]


def tally_of(words):
    """Count words of one version."""
    tally = ShadowTally()
    for word in words:
        tally.add(word)
    return tally


def there(word, market):
    """Return both actions in a territory, looked up the slow way."""
    for told in word.by_market:
        if told.market == market:
            return told.live_action, told.action
    return word.live_action, word.action


def differs(word, market):
    """Say whether both do something else in a territory."""
    live, now = there(word, market)
    return live is not now


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_a_plain_count(seed):
    """Agreement, flows, categories, sizes, territories and rules, by brute force."""
    words = random_words(seed)
    final = [w for w in words if w.stage is not Stage.SCREENED]
    flips = [w for w in final if w.live_action != w.action]
    agreed = [
        w
        for w in final
        if w.live_action == w.action and not any(differs(w, m) for m in MARKETS)
    ]
    tally = tally_of(words)

    assert (tally.decisions, tally.provisional) == (
        len(final),
        len(words) - len(final),
    )
    assert (tally.agreed, tally.flips) == (len(agreed), len(flips))
    assert tally.other_degree == sum(not w.same_degree for w in agreed)
    assert tally.only_in_markets == len(final) - len(agreed) - len(flips)
    assert tally.flows == Counter((w.live_action, w.action) for w in flips)
    named = Counter(w.category.lower() if w.category else "none" for w in flips)
    assert tally.category_flips == named
    assert tally.size_flips == Counter(size_of(w.uploads) for w in flips)
    for market in MARKETS:
        to_it = [w for w in final if market in w.territories]
        told = [w for w in final if not w.territories and _apart(w, market)]
        assert tally.by_market[market] == len(to_it) + len(told)
        wanted = sum(differs(w, market) for w in to_it + told)
        assert tally.market_flips[market] == wanted
    for rule in "abc":
        assert tally.fired[rule] == sum(rule in w.rules for w in final)
        assert tally.live_fired[rule] == sum(rule in w.live_rules for w in final)
        once = [w for w in flips if (rule in w.rules) != (rule in w.live_rules)]
        assert tally.rule_flips[rule] == len(once)


def _apart(word, market):
    return any(told.market == market for told in word.by_market)


@given(st.randoms())
def test_any_order_gives_the_same_report(shuffler):
    """Counts and examples: partitions are read as they come."""
    words = random_words(7, count=60)
    shuffled = list(words)
    shuffler.shuffle(shuffled)

    assert tally_of(shuffled) == tally_of(words)


def test_a_flip_where_no_rule_differs_names_its_clauses():
    """As where one policy holds a missing signal and the other lets it pass."""
    held = a_word(
        action=Action.REVIEW, live_clause="default.allow", clause="missing.transcript"
    )

    (rule,) = tally_of([held]).rule_flips
    assert rule == "default.allow → missing.transcript"


def test_examples_are_few_and_each_upload_is_named_once():
    """Of a thousand flips three; a word that a crash said twice is one example."""
    words = [a_word(f"c{n}", action=Action.BLOCK) for n in range(1000)]
    tally = tally_of([*words, *words])

    ((_, kept),) = tally.examples.items()
    assert len(kept) == len({e.content_id for e in kept}) == EXAMPLES


def test_each_version_is_a_comparison_of_its_own():
    """Another policy, head or live policy is apart; one name can be asked for."""
    other = PolicyRef("q", "3", "70" * 32)
    words = [
        a_word(),
        a_word(policy=other),
        a_word(live_policy=other),
        a_word(head="ab" * 32),
        a_word(shadow="loose"),
    ]
    tallies, strict = ShadowTallies(), ShadowTallies("strict")
    for word in words:
        tallies.add(word)
        strict.add(word)

    assert (len(tallies.found), len(strict.found)) == (5, 4)


def test_versions_beyond_the_most_are_counted_not_kept():
    """Memory stays bounded whatever is on the topic, and nothing vanishes silently."""
    tallies = ShadowTallies()
    for n in range(MOST_VERSIONS + 2):
        ref = PolicyRef("q", str(n), f"{n:064x}")
        tallies.add(replace(a_word(), policy=ref))

    assert (len(tallies.found), tallies.left_out) == (MOST_VERSIONS, 2)
