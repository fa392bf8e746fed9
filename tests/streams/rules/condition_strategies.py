"""Random conditions and findings, for facts about all of them."""

from hypothesis import strategies as st

from schemas.records import Category, Kind, Missing, Stage
from streams.rules.findings import Findings
from streams.rules.syntax import (
    All,
    Any,
    Compare,
    CompareTerms,
    Has,
    Matches,
    Not,
    OneOf,
)
from streams.rules.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("velocity",))
NUMBERS = ("score.hate", "score.privacy", "anomaly.velocity", "bank.list")
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
SIGNS = (">=", ">", "<=", "<", "==", "!=")


def term(name):
    """Return a term that there is."""
    found = VOCABULARY.find(name)
    assert found is not None
    return found


numbers = st.sampled_from(NUMBERS).map(term)
steps = st.sampled_from(STEPS)
signs = st.sampled_from(SIGNS)
kinds = st.sampled_from(("track", "video", "title"))
uploaders = st.sampled_from(("u1", "u2", "u3"))
leaf_conditions = st.one_of(
    st.builds(Compare, numbers, signs, steps),
    st.builds(CompareTerms, numbers, signs, numbers),
    st.builds(Compare, st.just(term("kind")), st.sampled_from(("==", "!=")), kinds),
    st.builds(
        OneOf,
        st.just(term("uploader_id")),
        st.lists(uploaders, min_size=1, max_size=2, unique=True).map(tuple),
    ),
    st.builds(Has, st.just(term("territories")), st.sampled_from(("DE", "US"))),
    st.builds(
        Matches, st.just(term("text.title")), st.sampled_from(("gift", "^a", "a+b"))
    ),
    st.builds(Matches, st.just(term("transcript")), st.just("gift")),
)
trees = st.recursive(
    leaf_conditions,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Any, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)

probabilities = st.sampled_from((*STEPS, 0.1, 0.6, 0.99))
findings = st.builds(
    Findings,
    stage=st.just(Stage.COMPLETE),
    categories=st.dictionaries(
        st.sampled_from((Category.HATE, Category.PRIVACY)), probabilities
    ),
    anomalies=st.dictionaries(st.just("velocity"), probabilities),
    banks=st.dictionaries(st.just("list"), probabilities),
    missing=st.sampled_from(((), (Missing("hash:cover", "gone"),))),
    kind=st.sampled_from((Kind.TRACK, Kind.VIDEO, Kind.TITLE)),
    uploader_id=uploaders,
    territories=st.sampled_from(((), ("DE",), ("DE", "US"))),
    texts=st.dictionaries(st.just("title"), st.sampled_from(("a gift", "aab", "x"))),
    heard=st.sampled_from((None, (), ("a gift",))),
)
