"""The flips that matter most, a card each: who, what, by which rules, on what evidence.

Places of evidence, never the words: decisions carry none. Of a restricted category not
even the reason is shown, which may name an entry of a bank.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from streams.replaying.report.counts import known_action
from streams.replaying.report.drawings import clock, spoken

MOST_SCORES: Final = 3  # Of a card; the likeliest.
MOST_RULES: Final = 6
MOST_EVIDENCE: Final = 3
Line = Mapping[str, Any]


def flip_cards(flips: Sequence[Line], restricted: Collection[str]) -> Iterator[str]:
    """Yield a list of cards; `restricted` are categories in lower case."""
    yield '<ol class="flips">'
    for line in flips:
        yield f"<li>{''.join(_card(line, restricted))}</li>"
    yield "</ol>"


def _card(line: Line, restricted: Collection[str]) -> Iterator[str]:
    then, now = line["then"], line["now"]
    yield f"{_action(then['action'])} → {_action(now['action'])}"
    yield f'<span class="id">{escape(line["content_id"])}</span>'
    about = f"{spoken(line['kind'])} of {line['uploader_id']}"
    yield f"<small>{escape(about)}, revision {line['revision']}, "
    yield f"{clock(line['time_ms'])} UTC</small><dl>"
    yield f"<dt>clause then</dt><dd><code>{escape(then['clause'])}</code></dd>"
    yield f"<dt>clause now</dt><dd><code>{escape(now['clause'])}</code></dd>"
    yield _rows("rules now", _rules(now))
    yield _rows("scores", _scores(now, restricted))
    yield _rows("unusual", _anomalies(now))
    yield _rows("missing", [f"<code>{escape(m['signal'])}</code>" for m in _lacks(now)])
    yield f"<dt>decision</dt><dd><code>{escape(then['decision_id'])}</code></dd></dl>"


def _rows(name: str, rows: Sequence[str]) -> str:
    if not rows:
        return ""
    return f"<dt>{name}</dt><dd>{''.join(f'<div>{row}</div>' for row in rows)}</dd>"


def _rules(decision: Line) -> list[str]:
    fired = decision["rules"]
    rows = [
        f"<code>{escape(rule['rule_id'])}</code> {escape(spoken(rule['action']))}"
        for rule in fired[:MOST_RULES]
    ]
    if len(fired) > MOST_RULES:
        rows.append(f"{len(fired) - MOST_RULES} more")
    return rows


def _scores(decision: Line, restricted: Collection[str]) -> list[str]:
    found = [
        (name, score)
        for name, score in decision["categories"].items()
        if score["probability"] is not None
    ]
    found.sort(key=lambda one: -one[1]["probability"])
    return [
        _score(name, score, name in restricted) for name, score in found[:MOST_SCORES]
    ]


def _score(name: str, score: Line, is_restricted: bool) -> str:
    places = [
        _evidence(evidence, is_restricted)
        for evidence in score["evidence"][:MOST_EVIDENCE]
    ]
    shown = "".join(f"<br><small>{place}</small>" for place in places)
    return f"{escape(spoken(name))} {score['probability']:.3f}{shown}"


def _evidence(evidence: Line, is_restricted: bool) -> str:
    words = [evidence["source"]]
    if evidence["start_char"] is not None:
        words.append(f"characters {evidence['start_char']}–{evidence['end_char']}")
    if evidence["start_s"] is not None:
        words.append(f"{evidence['start_s']:.1f}–{evidence['end_s']:.1f} s")
    if evidence["score"] is not None:
        words.append(f"{evidence['score']:.3f}")
    if not is_restricted:
        words.append(evidence["reason"])
    return escape(", ".join(words))


def _anomalies(decision: Line) -> list[str]:
    found = sorted(decision["anomalies"], key=lambda a: -a["value"])
    return [
        f"{escape(a['name'])} {a['value']:.3f}"
        for a in found[:MOST_SCORES]
        if a["value"] > 0
    ]


def _lacks(decision: Line) -> Sequence[Line]:
    lacks: Sequence[Line] = decision["missing"]
    return lacks


def _action(action: str) -> str:
    known = known_action(action)
    return f'<span class="action {known}">{escape(spoken(action))}</span>'
