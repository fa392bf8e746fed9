import pytest

from schemas.records import CATEGORIES, Category
from streams.errors import PolicyError
from streams.policies.outward_maps import parse_map

OURS = "".join(f"  {c.lower()}: [x]\n" for c in CATEGORIES)
MAP = f'id: m\nversion: "1"\nsource: s\ntheirs: [x, y]\nours:\n{OURS}'


def test_a_map_says_what_they_call_each_of_ours():
    """And which of their names is none of ours."""
    found = parse_map(MAP + "unused: [y]\n", "m.yaml")

    assert found.ours[Category.HATE] == ("x",)
    assert found.theirs == ("x", "y")


BAD = {
    "theirs left out": (MAP, "4:9: found 'y', used by none of ours"),
    "both": (MAP + "unused: [x, y]", "4:9: found 'x', both used and unused"),
    "ours left out": (MAP.replace("  hate: [x]\n", ""), "6:3: found no hate; expected"),
    "not theirs": (MAP.replace("hate: [x]", "hate: [z]"), "found 'z'; expected a name"),
    "no source": (MAP.replace("source: s\n", ""), "1:1: found no source"),
    "not ours": (
        MAP.replace("hate:", "hat:"),
        "found 'hat'; expected a known category",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_an_incomplete_map_is_refused_with_its_place(text, message):
    """Each of ours and each of theirs is spoken for."""
    with pytest.raises(PolicyError) as caught:
        parse_map(text, "m.yaml")

    assert message in str(caught.value)
