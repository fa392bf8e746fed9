"""Anything may come on a topic or in a policy file: it is read or refused, no more.

HEADGATE_FUZZ_EXAMPLES sets how many are tried; `make test-chaos` takes many.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.ids import CommittedIds
from schemas.ingress import read_event
from schemas.records import ContentIngested, ContentSignals, RiskDecision
from streams.errors import PolicyError
from streams.policy_file import parse_policy
from tests.builders import an_event
from tests.schemas.strategies import records

CODEC = Codec(CommittedIds())
NOW = datetime(2026, 11, 1, tzinfo=UTC)
POLICY = (
    Path(__file__).parents[1] / "streams/policies/table_version_2.yaml"
).read_text("utf-8")
fuzzed = settings(
    max_examples=int(os.environ.get("HEADGATE_FUZZ_EXAMPLES", "200")),
    suppress_health_check=list(HealthCheck),
    derandomize="HEADGATE_FUZZ_EXAMPLES" not in os.environ,
    database=None,
)


@st.composite
def mutated(draw, values: st.SearchStrategy[bytes]) -> bytes:
    """Change, cut, double or insert bytes of good ones, a few times."""
    data = bytearray(draw(values))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        what = draw(st.sampled_from(["set", "cut", "put", "double"]))
        if what == "set" and at < len(data):
            data[at] = draw(st.integers(0, 255))
        elif what == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif what == "put":
            data[at:at] = draw(st.binary(max_size=12))
        else:
            data[at:at] = data[at : at + 64] * draw(st.integers(1, 20))
    return bytes(data)


def refusal_of(work, kind_of_error):
    """Return the error that `work` refuses with; None if it doesn't. Others fail."""
    try:
        work()
    except kind_of_error as error:
        return error
    return None


def decoded(data, kind):
    """Decode, or be refused with a code; anything else fails the test."""
    refused = refusal_of(lambda: CODEC.decode(data, kind), CodecError)
    assert refused is None or refused.code.replace("_", "").isalpha()


@fuzzed
@given(st.binary(max_size=2000), st.integers(0, 6))
def test_any_bytes_behind_any_schema_id_are_decoded_or_refused(body, schema_id):
    """No other error, no hang, no gigabytes."""
    for kind in (ContentIngested, ContentSignals, RiskDecision):
        decoded(b"\x00" + schema_id.to_bytes(4, "big") + body, kind)


@fuzzed
@given(mutated(records(ContentSignals).map(CODEC.encode)))
def test_signals_that_were_tampered_with_are_decoded_or_refused(data):
    """Close to good ones, so that the reader comes far into them."""
    decoded(data, ContentSignals)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=20,
)
FIELDS = ("content_id", "uploader_id", "kind", "event_time", "texts", "media", "id")
EVENTS = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=7)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "ce_specversion", "ce_id", "ce_time", "x"]),
        st.binary(max_size=40)
        | st.sampled_from([b"application/cloudevents+json", b"application/json"]),
    ),
    max_size=5,
)
STRUCTURED = EVENTS.map(
    lambda data: json.dumps({"specversion": "1.0", "id": "e", "data": data}).encode()
)


@fuzzed
@given(
    STRUCTURED
    | st.binary(max_size=300)
    | mutated(st.just(CODEC.encode(an_event(texts=(("title", "héllo"),))))),
    HEADERS,
)
def test_any_record_is_an_event_or_refused(value, headers):
    """Avro, CloudEvents in both modes, and what only looks like them."""
    try:
        _, event = read_event(CODEC, value, headers, default_time=NOW)
    except CodecError:
        return
    assert event.content_id
    assert CODEC.decode(CODEC.encode(event), ContentIngested) == event


@fuzzed
@given(
    mutated(st.just(POLICY.encode())).map(lambda data: data.decode("utf-8", "replace"))
    | st.text(max_size=200)
    | JSON.map(lambda tree: json.dumps({"id": "p", "version": 1, "categories": tree}))
)
def test_any_text_is_a_policy_or_refused(text):
    """A bad file is refused with its line; it never runs, hangs or half loads."""
    refused = refusal_of(lambda: parse_policy(text, "p.yaml"), PolicyError)
    assert refused is None or "p.yaml" in str(refused)
