from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Action, Kind, Stage
from streams.policy import Findings, Policy
from streams.rules.conditions import condition
from streams.rules.parser import parse_condition
from streams.rules.rule import Effect, IfMissing, Markets, WrittenRule
from streams.rules.rule_index import RuleIndex
from streams.rules.vocabulary import Facts
from tests.builders import a_policy
from tests.streams.rules.condition_strategies import VOCABULARY, findings, trees

ACTIONS = (Action.LABEL, Action.LIMIT, Action.REVIEW, Action.BLOCK)
MARKETS = (Markets(), Markets(only=frozenset({"DE"})), Markets(but=frozenset({"DE"})))
rules = st.lists(
    st.builds(
        WrittenRule,
        id=st.just("r"),
        condition=trees.map(condition),
        effect=st.builds(Effect, st.sampled_from(ACTIONS)),
        if_missing=st.sampled_from(IfMissing),
        markets=st.sampled_from(MARKETS),
    ),
    max_size=6,
).map(lambda listed: tuple(replace(r, id=f"r{i}") for i, r in enumerate(listed)))


class EveryRule(RuleIndex):
    """An index that leaves nothing out."""

    def __init__(self, rules):
        self._count = len(rules)

    def candidates(self, facts):
        """Return every rule."""
        return list(range(self._count))


def unindexed(policy: Policy) -> Policy:
    """Return the same policy, looking at every rule for every upload."""
    whole = replace(policy)
    whole.__dict__["_index"] = EveryRule(whole.all_rules)
    return whole


@settings(deadline=None, max_examples=150)
@given(rules, findings)
def test_the_index_leaves_out_no_rule_that_has_a_say(written, found):
    """Decisions are those of looking at every rule: action, all that fired, markets."""
    policy = a_policy(written=written)

    assert policy.decide(found) == unindexed(policy).decide(found)


def test_an_upload_is_asked_about_few_of_many_rules():
    """Of rules for single uploaders only one is looked at."""
    texts = [f'uploader_id == "u{n}" and score.hate >= 0.5' for n in range(100)]
    written = tuple(
        WrittenRule(
            f"r{n}",
            condition(parse_condition(text, VOCABULARY)),
            Effect(Action.REVIEW),
        )
        for n, text in enumerate(texts)
    )
    policy = a_policy(written=written)
    found = Findings(Stage.COMPLETE, kind=Kind.TRACK, uploader_id="u7")

    assert RuleIndex(written).candidates(Facts(found, policy.terms)) == [7]
