"""What `headgate why` says of one judgement, a section at a time, as lines of text."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from schemas.records import Action
from streams.cli.policy_report import count, styled
from streams.cli.terminal import as_text

HASH_DIGITS = 12
Story = Mapping[str, Any]


def event_lines(event: Mapping[str, Any]) -> Iterator[str]:
    """Say what arrived: its texts, its media by place, where it goes."""
    for name, text in event["texts"].items():
        yield f"{as_text(name)}: {as_text(text)}"
    for ref in event["media"]:
        # A query may carry a signature that opens the file.
        place = urlsplit(ref["uri"])._replace(query="", fragment="").geturl()
        yield f"{as_text(ref['role'])}: {as_text(place)}"
    territories = ", ".join(event["territories"]) or "everywhere"
    where = "in " if event["territories"] else ""
    yield f"to be released {where}{as_text(territories)}"
    yield f"uploaded {event['event_time']}"


def found_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Say which signals the models gave."""
    for source, pieces in found["texts"].items():
        language = found["languages"].get(source)
        in_what = f", {language}" if language else ""
        yield f"text {as_text(source)}: {_several(pieces, 'piece')}{as_text(in_what)}"
    for fact in found.get("media", ()):
        yield f"media {as_text(fact['role'])}: {as_text(', '.join(_medium(fact)))}"
    hashes = Counter((h["role"], h["algorithm"]) for h in found.get("hashes", ()))
    for (role, algorithm), number in hashes.items():
        yield f"hash {as_text(role)}: {_several(number, as_text(algorithm))}"
    for match in found.get("matches", ()):
        yield (
            f"[red]match[/] {as_text(match['role'])}: {as_text(match['algorithm'])} is "
            f"{_several(match['distance'], 'bit')} from entry "
            f"{as_text(match['entry_id'])} of bank {as_text(match['bank'])}, "
            f"{match['category']}"
        )
    for heard in found.get("transcripts", ()):
        yield f"speech {as_text(heard['role'])}: {as_text(', '.join(_heard(heard)))}"
    for label in found.get("labels", ()):
        told = f"{label['label']} {label['probability']:.3f}"
        yield f"label {as_text(label['role'])}: {as_text(told)}"
    for entry in found.get("sweep", ()):
        told = f"{entry['entry_id']} of bank {entry['bank']}"
        yield f"sweep: entry {as_text(told)} came after the upload"
    if campaign := found.get("campaign"):
        size = f"{campaign['uploads']} uploads of {campaign['uploaders']} uploaders"
        alike = as_text(", ".join(campaign["alike"]))
        yield f"campaign {as_text(campaign['campaign_id'])}: {size}, alike in {alike}"


def history_lines(history: Mapping[str, Any]) -> Iterator[str]:
    """Say what was known of the uploader at that moment."""
    if not history["remembered"] and not history["uploads"]:
        yield "none: their first upload"
        return
    yield (
        f"{_several(history['uploads'], 'upload')} learned, from "
        f"{history['first_seen'] or 'never'} to {history['last_seen'] or 'never'}"
    )
    unlearned = history["remembered"] - history["learned"]
    yield (
        f"the last {history['remembered']} remembered, of which {unlearned} taught "
        "nothing (blocked, provisional or of no usable time)"
    )


def version_lines(decision: Mapping[str, Any]) -> Iterator[str]:
    """Name the policy and the models that decided."""
    policy = decision["policy"]
    yield (
        f"policy {as_text(policy['id'])} version {as_text(policy['version'])} "
        f"({policy['sha256'][:HASH_DIGITS]}…)"
    )
    for model in decision["models"]:
        told = f"{model['role']} {model['name']} ({model['sha256'][:HASH_DIGITS]}…)"
        yield f"model {as_text(told)}"


def score_lines(decision: Mapping[str, Any]) -> Iterator[str]:
    """Give the scores, the highest first, each with the spans that carried it."""
    scores = sorted(
        decision["categories"].items(), key=lambda score: -score[1]["probability"]
    )
    for name, score in scores:
        yield f"{name} [bold]{score['probability']:.4f}[/]"
        for evidence in score["evidence"]:
            yield f"  [dim]{as_text(_evidence(evidence))}[/]"
    for anomaly in sorted(decision["anomalies"], key=lambda one: -one["value"]):
        told = f"[dim]{as_text(anomaly['reason'])}[/]"
        yield f"{as_text(anomaly['name'])} [bold]{anomaly['value']:.4f}[/] {told}"


def brake_lines(decision: Mapping[str, Any]) -> Iterator[str]:
    """Say what must not act by itself, why, and what would have been done."""
    for braked in decision["brakes"]:
        told = f"would {spoken(braked['action'])}; {braked['reason']}"
        yield f"[yellow]{as_text(braked['rule_id'])}[/] {as_text(told)}"
    if decision["instead_of"]:
        yield f"without them it would be {action(decision['instead_of'])}"


def today_lines(today: Mapping[str, Any], then: Mapping[str, Any]) -> Iterator[str]:
    """Say what is decided now on the same, and which rules and values change it."""
    verdict = "[bold red]another action[/]" if today["changes"] else "the same action"
    digits = today["policy_sha256"][:HASH_DIGITS]
    is_same = today["policy_sha256"] == then["policy"]["sha256"]
    by = "the same policy" if is_same else "policy"
    named = f"{by} {today['policy_id']} version {today['policy']} ({digits}…)"
    yield f"{word(today)}: {verdict}, by {as_text(named)}"
    if then["brakes"]:
        yield "[dim]as if the same brakes held[/]"
    for market, done in today["by_market"].items():
        yield f"in {as_text(market)}: {action(done)}"
    for rule in today["rules"] or ():
        yield f"rule [bold]{as_text(rule['id'])}[/]"
        yield f"  then {_was(rule['then'])}"
        yield f"  now  {_was(rule['now'])}"
    for name, before, after in today["settings"]:
        yield as_text(f"policy's {name}: then {before}, now {after}")
    for name, (before, after) in today["scores"].items():
        yield as_text(f"score {name}: then {_number(before)}, now {_number(after)}")
    if today["rules"] is None and today["differs_in"]:
        yield f"differs in {', '.join(today['differs_in'])}"


def word(said: Mapping[str, Any]) -> str:
    """Write a decision in one word and its clause."""
    return f"{action(said['action'])} because of [bold]{as_text(said['clause'])}[/]"


def action(name: str) -> str:
    """Give an action its colour."""
    return styled(Action(name.upper()), spoken(name))


def spoken(name: str) -> str:
    """Write a name as words."""
    return name.replace("_", " ")


def clock(time_ms: int) -> str:
    """Write a record's time in UTC."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def _was(rule: Mapping[str, Any] | None) -> str:
    if rule is None:
        return "[dim]not in the policy[/]"
    after = f" ({rule['came_of_it']})" if rule["came_of_it"] else ""
    return as_text(f"{rule['outcome']}{after}: {rule['asks_for']} if {rule['why']}")


def _medium(fact: Mapping[str, Any]) -> Iterator[str]:
    yield fact["mime"]
    yield f"{count(fact['size_bytes'])} bytes"
    if fact["duration_s"] is not None:
        yield f"{fact['duration_s']:.1f} s"
    if fact["width_px"]:
        yield f"{fact['width_px']}x{fact['height_px']} px"


def _heard(heard: Mapping[str, Any]) -> Iterator[str]:
    yield _several(heard["segments"], "piece")
    yield f"{heard['duration_s']:.1f} s"
    if heard["language"]:
        yield heard["language"]
    reasons = Counter(span["reason"] for span in heard["gated"])
    for reason, number in reasons.items():
        yield f"{_several(number, 'stretch')} not believed: {reason}"


def _evidence(evidence: Mapping[str, Any]) -> str:
    place = evidence["source"]
    if evidence["start_char"] is not None:
        place += f" characters {evidence['start_char']}–{evidence['end_char']}"
    if evidence["start_s"] is not None:
        place += f" {evidence['start_s']:.1f}–{evidence['end_s']:.1f} s"
    score = "" if evidence["score"] is None else f" {evidence['score']:.4f}"
    return f"{place}{score}: {evidence['reason']}"


def _several(number: int, name: str) -> str:
    plural = "es" if name.endswith("ch") else "s"
    return f"{count(number)} {name}{'' if number == 1 else plural}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
