"""How `headgate shadow report` shows a comparison."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Column, Table

from schemas.records import PolicyRef
from streams.cli.policy_report import count, styled
from streams.cli.terminal import as_text, output_console
from streams.proportion import Proportion
from streams.replay.groups import in_order
from streams.shadows.tally import Example, ShadowTally, Version

MOST_ROWS = 12  # Of each table; --json has the rest.
HASH_DIGITS = 12


def report_json(version: Version, tally: ShadowTally) -> dict[str, Any]:
    """Return a comparison as one JSON object."""
    return {
        "shadow": version.shadow,
        "policy": _ref_json(version.policy),
        "head": version.head,
        "live_policy": _ref_json(version.live_policy),
        "percents": sorted(tally.percents),
        "first": tally.first and tally.first.isoformat(),
        "last": tally.last and tally.last.isoformat(),
        "decisions": tally.decisions,
        "provisional_left_out": tally.provisional,
        "agreement": tally.agreement.to_json(),
        "other_degree": tally.other_degree,
        "only_in_territories": tally.only_in_markets,
        "flips": Proportion(tally.flips, tally.decisions).to_json(),
        "flows": [
            {"live": live.lower(), "shadow": now.lower()}
            | Proportion(uploads, tally.decisions).to_json()
            | {"examples": [_example_json(e) for e in tally.examples[live, now]]}
            for (live, now), uploads in tally.flows.most_common()
        ],
        "rules": [
            {
                "rule": rule,
                "flips": flips,
                "fired_live": tally.live_fired[rule],
                "fired_shadow": tally.fired[rule],
            }
            for rule, flips in tally.rule_flips.most_common()
        ],
        "categories": _parts_json(tally.category_flips, tally.by_category),
        "territories": _parts_json(tally.market_flips, tally.by_market),
        "uploader_sizes": _parts_json(tally.size_flips, tally.by_size),
    }


def print_report(version: Version, tally: ShadowTally) -> None:
    """Print a comparison for a person."""
    console = output_console()
    head = f", risk head {version.head[:HASH_DIGITS]}" if version.head else ""
    console.rule(f"[bold]{as_text(version.shadow)}[/]", align="left")
    console.print(f"candidate {as_text(_named(version.policy))}{head}")
    console.print(f"live      {as_text(_named(version.live_policy))}")
    shares = " and ".join(f"{percent:g} %" for percent in sorted(tally.percents))
    console.print(f"{_period(tally)}, {shares or 'no'} of uploaders")
    console.print(f"agreement {_told(tally.agreement)}")
    for number, what in (
        (tally.other_degree, "of these in another strength, age or duration"),
        (tally.only_in_markets, "differ in some territory only"),
        (tally.provisional, "provisional words left out: final ones follow"),
    ):
        if number:
            console.print(f"          {count(number)} {what}")
    tables = [table for table in _tables(tally) if table.row_count]
    for table in tables:
        console.print(table)
    console.print()


def _tables(tally: ShadowTally) -> Iterable[Table]:
    yield _flows(tally)
    yield _examples(tally)
    yield _rules(tally)
    for title, flips, everything in (
        ("category", tally.category_flips, tally.by_category),
        ("territory", tally.market_flips, tally.by_market),
        ("uploads known", tally.size_flips, tally.by_size),
    ):
        if flips:
            yield _parts(title, flips, everything)


def _flows(tally: ShadowTally) -> Table:
    table = Table("live", "candidate", _right("flips"), _right("share [95 %]"))
    for (live, now), flips in tally.flows.most_common():
        live_word, word = styled(live, live.lower()), styled(now, now.lower())
        part = Proportion(flips, tally.decisions)
        table.add_row(live_word, word, count(flips), _share(part))
    return table


def _examples(tally: ShadowTally) -> Table:
    content = Column("for example", overflow="fold")
    table = Table(content, "live", "candidate", "because", "category")
    for live, now in [flow for flow, _ in tally.flows.most_common()][:MOST_ROWS]:
        for example in tally.examples[live, now]:
            table.add_row(
                as_text(example.content_id),
                styled(live, live.lower()),
                styled(now, now.lower()),
                as_text(f"{example.live_clause} → {example.clause}"),
                example.category,
            )
    return table


def _rules(tally: ShadowTally) -> Table:
    table = Table(
        "rule", _right("flips"), _right("fired live"), _right("fired in candidate")
    )
    rows = tally.rule_flips.most_common()
    for rule, flips in rows[:MOST_ROWS]:
        fired = (tally.live_fired[rule], tally.fired[rule])
        numbers = [count(number) for number in fired]
        if rule not in tally.by_rule:  # No rule differs: a missing signal's clause.
            numbers = ["–", "–"]
        table.add_row(as_text(rule), count(flips), *numbers)
    _more(table, [flips for _, flips in rows])
    return table


def _parts(title: str, flips: Counter[str], everything: Mapping[str, int]) -> Table:
    table = Table(title, _right("decisions"), _right("flips"), _right("share [95 %]"))
    rows = in_order(flips, everything)
    for name in rows[:MOST_ROWS]:
        part = Proportion(flips[name], everything[name])
        table.add_row(as_text(name), count(part.of), count(part.hits), _share(part))
    if len(rows) > MOST_ROWS:
        rest = rows[MOST_ROWS:]
        numbers = (sum(everything[n] for n in rest), sum(flips[n] for n in rest))
        table.add_row(f"({len(rest)} more)", *map(count, numbers), "")
    return table


def _more(table: Table, numbers: Sequence[int]) -> None:
    if rest := numbers[MOST_ROWS:]:
        table.add_row(f"({len(rest)} more)", count(sum(rest)), "", "")


def _right(title: str) -> Column:
    return Column(title, justify="right", no_wrap=True)


def _told(part: Proportion) -> str:
    of = f"{count(part.hits)} of {count(part.of)}"
    return f"{of} decisions: {_share(part)}" if part.of else "of no decisions"


def _share(part: Proportion) -> str:
    """Return a percentage with its interval; a bracket is no markup of rich's here."""
    if part.share is None:
        return "–"
    low, high = part.interval
    return f"{part.share:.2%} \\[{low:.2%}, {high:.2%}]"


def _period(tally: ShadowTally) -> str:
    if tally.first is None or tally.last is None:
        return "only provisional words"
    times = (f"{when:%Y-%m-%d %H:%M}Z" for when in (tally.first, tally.last))
    return f"{count(tally.decisions)} decisions on uploads of {' to '.join(times)}"


def _named(ref: PolicyRef) -> str:
    return f"{ref.id} version {ref.version} ({ref.sha256[:HASH_DIGITS]})"


def _ref_json(ref: PolicyRef) -> dict[str, str]:
    return {"id": ref.id, "version": ref.version, "sha256": ref.sha256}


def _parts_json(
    flips: Counter[str], everything: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    names = in_order(flips, everything)
    return {name: Proportion(flips[name], everything[name]).to_json() for name in names}


def _example_json(example: Example) -> dict[str, Any]:
    return {
        "content_id": example.content_id,
        "revision": example.revision,
        "decision_id": example.decision_id,
        "live_clause": example.live_clause,
        "clause": example.clause,
        "category": example.category,
    }
