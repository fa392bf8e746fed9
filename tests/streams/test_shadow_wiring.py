"""Facts about reading candidates at the start: checked like what is live."""

import pytest

from streams.errors import StartError
from streams.settings import default_policy, load_settings
from streams.shadow_wiring import build_shadows
from streams.wiring import WEIGHTS, build_text_risk

HEAD = WEIGHTS / "text_risk.safetensors"


def shadows(setting):
    """Read candidates."""
    return build_shadows(load_settings(shadow=setting))


def test_a_candidate_is_a_policy_a_share_and_perhaps_a_head():
    """Both in one setting; the first reads what the live head scored."""
    policy = default_policy()
    a, b = shadows(f"a={policy}@10,b={policy};head={HEAD}")

    assert (a.name, a.share.percent, a.head_sha256) == ("a", 10.0, None)
    assert a.policy.id == "headgate-default"
    assert (b.share.percent, b.head_sha256) == (
        100.0,
        build_text_risk().models[0].sha256,
    )


def test_a_policy_that_is_none_is_refused_by_the_candidates_name(tmp_path):
    """The setting and the candidate are named; so is the place in the file."""
    bad = tmp_path / "bad.yaml"
    bad.write_text("id: x\nversion: [\n")

    with pytest.raises(StartError, match="HEADGATE_SHADOW, a: ") as refused:
        shadows(f"a={bad}")
    assert "bad.yaml" in str(refused.value)


@pytest.mark.parametrize("setting", ["a={0}/gone", "a={1};head={0}/gone"])
def test_what_is_not_there_is_refused(setting, tmp_path):
    """A policy or a head whose file is missing: one sentence, before any work."""
    with pytest.raises(StartError, match=r"HEADGATE_SHADOW, a: .*gone.* can't be read"):
        shadows(setting.format(tmp_path, default_policy()))


def test_a_head_for_another_text_model_is_refused(tmp_path):
    """Signals have one embedding of a text: such a head could score nothing."""
    data, live = HEAD.read_bytes(), build_text_risk().encoder_sha256
    other = tmp_path / "other.safetensors"
    other.write_bytes(data.replace(live.encode(), b"ab" * 32))

    with pytest.raises(StartError, match="trained on text model abababababab"):
        shadows(f"a={default_policy()};head={other}")
