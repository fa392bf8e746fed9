import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Action, Category, Missing, Stage
from streams.policy import SEVERITY, Findings, Policy, Rule
from tests.builders import a_policy

HATE_REVIEW = Rule("category", "hate", Action.REVIEW, 0.5)
HATE_BLOCK = Rule("category", "hate", Action.BLOCK, 0.92)
SPAM_REVIEW = Rule("category", "fraud_spam", Action.REVIEW, 0.3)
FAST_LIMIT = Rule("anomaly", "velocity", Action.LIMIT, 0.8)
BANK_BLOCK = Rule("bank", "takedowns", Action.BLOCK, 0.9)
POLICY = a_policy(rules=(HATE_REVIEW, HATE_BLOCK, SPAM_REVIEW, FAST_LIMIT, BANK_BLOCK))
LOST = Missing("transcript:audio", "undecodable")


def found(stage: Stage = Stage.COMPLETE, **fields: object) -> Findings:
    """Build findings."""
    return Findings(stage, **fields)  # type: ignore[arg-type]


def test_nothing_found_is_allowed():
    """Without findings the default clause allows."""
    verdict = POLICY.decide(found())

    assert (verdict.action, verdict.clause) == (Action.ALLOW, "default.allow")


@pytest.mark.parametrize(
    ("findings", "clause"),
    [
        (found(categories={Category.HATE: 0.4999}), "default.allow"),
        (found(categories={Category.HATE: 0.5}), "hate.review>=0.5"),
        (found(categories={Category.HATE: 0.92}), "hate.block>=0.92"),
        (found(anomalies={"velocity": 0.8}), "velocity.limit>=0.8"),
        (found(banks={"takedowns": 1.0}), "bank.takedowns.block>=0.9"),
        (found(missing=(LOST,)), "missing.default"),
        (found(Stage.SCREENED), "provisional.review"),
    ],
)
def test_each_finding_fires_its_clause(findings, clause):
    """A threshold that is reached fires; the clause says which."""
    assert POLICY.decide(findings).clause == clause


def test_the_strictest_action_wins():
    """A block beats a review with a higher value."""
    both = found(categories={Category.FRAUD_SPAM: 0.99, Category.HATE: 0.92})

    assert POLICY.decide(both).clause == "hate.block>=0.92"


def test_at_equal_action_the_higher_value_gives_the_clause():
    """Ties go to the likelier harm, and scores come before what is missing."""
    tie = found(
        categories={Category.HATE: 0.6, Category.FRAUD_SPAM: 0.7}, missing=(LOST,)
    )

    assert POLICY.decide(tie).clause == "fraud_spam.review>=0.3"


@pytest.mark.parametrize(
    ("missing", "action", "clause"),
    [
        ("transcript:audio", Action.LABEL, "missing.transcript:audio"),
        ("transcript:trailer", Action.LIMIT, "missing.transcript"),
        ("hash:cover", Action.BLOCK, "missing.default"),
        ("never_heard_of", Action.BLOCK, "missing.default"),
    ],
)
def test_what_is_missing_has_consequences(missing, action, clause):
    """The full name is looked up first, then its kind, then the default."""
    policy = a_policy(
        missing=(("transcript:audio", Action.LABEL), ("transcript", Action.LIMIT)),
        missing_default=Action.BLOCK,
    )

    verdict = policy.decide(found(missing=(Missing(missing, "gone"),)))

    assert (verdict.action, verdict.clause) == (action, clause)
    assert [c.action for c in verdict.consequences] == [action]


def test_what_is_missing_can_be_let_pass():
    """A policy may allow an upload without a signal; the consequence says so."""
    policy = a_policy(missing=(("transcript", Action.ALLOW),))

    verdict = policy.decide(found(missing=(LOST,)))

    assert verdict.clause == "default.allow"
    assert [(c.missing, c.action) for c in verdict.consequences] == [
        (LOST, Action.ALLOW)
    ]


def test_a_provisional_decision_may_be_harder_than_the_hold():
    """What the cheap signals show already is not softened by waiting for speech."""
    known_bad = found(Stage.SCREENED, banks={"takedowns": 1.0})

    assert POLICY.decide(known_bad).action is Action.BLOCK


values = st.floats(0, 1)


@settings(deadline=None)
@given(
    low=st.dictionaries(st.sampled_from(Category), values),
    more=st.dictionaries(st.sampled_from(Category), values),
    lost=st.booleans(),
)
def test_riskier_is_never_treated_more_mildly(low, more, lost):
    """Raising any value, or losing a signal, never softens the action."""
    high = {c: max(low.get(c, 0.0), more.get(c, 0.0)) for c in {*low, *more}}
    missing = (LOST,) if lost else ()

    mild = POLICY.decide(found(categories=low))
    hard = POLICY.decide(found(categories=high, missing=missing))

    assert SEVERITY[mild.action] <= SEVERITY[hard.action]


@given(
    st.permutations(POLICY.rules), st.dictionaries(st.sampled_from(Category), values)
)
def test_the_order_of_rules_does_not_change_the_action(rules, categories):
    """However a policy is sorted, it does the same."""
    shuffled = Policy(id="p", version="1", sha256="0", rules=tuple(rules))
    findings = found(categories=categories)

    assert shuffled.decide(findings).action is POLICY.decide(findings).action
