"""Reads the candidates that `HEADGATE_SHADOW` names; wiring, used at the start."""

from pathlib import Path

from streams.errors import StartError
from streams.scorers.text_risk import TextRisk
from streams.settings import Settings
from streams.shadows.setting import SETTING, Candidate, parse_candidates
from streams.shadows.shadow import Shadow
from streams.shadows.share import Share
from streams.wiring import build_text_risk, read_policy


def build_shadows(settings: Settings) -> tuple[Shadow, ...]:
    """Read every candidate, its policy checked as a live one is.

    Raises:
        StartError: the setting, a policy or a head can't be used.
    """
    return tuple(
        _shadow(candidate, settings) for candidate in parse_candidates(settings.shadow)
    )


def _shadow(candidate: Candidate, settings: Settings) -> Shadow:
    try:
        policy = read_policy(candidate.policy)
        head = None if candidate.head is None else _head(candidate.head, settings)
    except StartError as error:
        said = str(error).removeprefix("HEADGATE_POLICY: ")
        raise StartError(f"{SETTING}, {candidate.name}: {said}") from error
    share = Share(candidate.name, candidate.percent)
    return Shadow(candidate.name, policy, share, head)


def _head(path: Path, settings: Settings) -> TextRisk:
    try:
        head = TextRisk(path.read_bytes())
    except OSError as error:
        raise StartError(f"{path} can't be read: {error.strerror}") from error
    live = build_text_risk(settings)
    if head.encoder_sha256 != live.encoder_sha256:
        raise StartError(
            f"{path} was trained on text model {head.encoder_sha256[:12]}; expected "
            f"the live head's, {live.encoder_sha256[:12]}: signals have one embedding "
            "of a text, so train the candidate's head for that model"
        )
    return head
