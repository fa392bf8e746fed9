"""`headgate tune`: from what an author can bear to the policy's threshold."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.records import CATEGORIES, Action, Category
from streams.cli.terminal import complain, output_console, progress_console, write_json
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from streams.evaluation.decision_labels import Decode, Scored
    from streams.evaluation.labelled_file import LabelWords
    from streams.evaluation.tuning import Promise, Refused, Tuned
    from streams.policy import Policy


def tune(
    file: Annotated[
        Path,
        typer.Argument(
            help="Rows of score and label (.jsonl, CSV), or decisions (.jsonl): from "
            "`assess`, or from `tail risk.decision.v1`."
        ),
    ],
    category: Annotated[str, typer.Option(help="Whose threshold: hate, …")],
    wrong: Annotated[
        float,
        typer.Option(min=0, max=1, help="The share of what is acted on that may err."),
    ] = 0.02,
    confidence: Annotated[
        float, typer.Option(min=0, max=1, help="How sure that must be.")
    ] = 0.95,
    action: Annotated[str, typer.Option(help="The action it is for.")] = "block",
    labels: Annotated[
        Path | None,
        typer.Option(help="Labels of decisions: a file with content_id and label."),
    ] = None,
    score_column: Annotated[str, typer.Option(help="Column of scores.")] = "score",
    label_column: Annotated[str, typer.Option(help="Column of labels.")] = "label",
    id_column: Annotated[
        str, typer.Option(help="Column of content ids in --labels.")
    ] = "content_id",
    positive: Annotated[
        list[str] | None, typer.Option(help="A label that means yes, beside 1.")
    ] = None,
    negative: Annotated[
        list[str] | None, typer.Option(help="One that means no, beside 0.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Pick the lowest threshold that keeps a promise, from labelled decisions.

    "Of what is blocked for hate at most 2 % is wrong, with 95 % confidence" is
    --category hate --wrong 0.02 --confidence 0.95. The bound holds for any number of
    labels, if the labelled rows are a random sample of what will be decided, whatever
    their truth, and a higher score is not more often wrong. How many rows to label has
    to be settled before: labelling on until it passes breaks the promise.

    Exit code 1 when the labels can't support the promise. Example:

    headgate tune labelled.csv --category hate --wrong 0.02
    """
    settings = load_settings()
    set_up_logs("warning")
    from streams.evaluation.labelled_file import LabelWords
    from streams.evaluation.tuning import Refused
    from streams.evaluation.tuning import tune as tuned
    from streams.wiring import read_policy

    about, promise = _category(category), _promise(wrong, confidence)
    level = _action(action)
    policy = read_policy(settings.policy)
    words = LabelWords(positive or (), negative or ())
    with progress_console().status(f"reading {file}"):
        columns = (score_column, label_column, id_column)
        data = _read(file, about, labels, columns, words, settings)
    found = tuned(data.scores, data.labels, promise)
    if isinstance(found, Refused):
        _show_refusal(found, data, as_json)
        raise typer.Exit(1)
    _show(found, data, promise, policy, about, level, as_json)


def _category(name: str) -> Category:
    known = [category.lower() for category in CATEGORIES]
    if name not in known:
        raise StartError(f"--category {name!r}; expected one of {', '.join(known)}")
    return Category(name.upper())


def _action(name: str) -> Action:
    known = [a.lower() for a in Action if a not in (Action.ALLOW, Action.UNKNOWN)]
    if name not in known:
        raise StartError(f"--action {name!r}; expected one of {', '.join(known)}")
    return Action(name.upper())


def _promise(wrong: float, confidence: float) -> "Promise":
    from streams.evaluation.tuning import Promise

    try:
        return Promise(wrong, confidence)
    except ValueError as error:
        raise StartError(f"{error}, such as --wrong 0.02 --confidence 0.95") from error


def _read(
    file: Path,
    category: Category,
    labels: Path | None,
    columns: tuple[str, str, str],
    words: "LabelWords",
    settings: Settings,
) -> "Scored":
    from streams.evaluation import decision_labels as source

    score, label, content = columns
    if not source.is_decisions(file):
        return source.from_rows(file, score, label, words)
    if labels is None:
        raise StartError(
            f"{file} has decisions; name the file of their labels with --labels"
        )
    known = source.read_labels(labels, content, label, words)
    return source.from_decisions(file, category, known, _decoder(settings))


def _decoder(settings: Settings) -> "Decode":
    from schemas.errors import CodecError, SchemaError
    from schemas.json_form import record_to_json
    from schemas.records import RiskDecision
    from streams.wiring import build_codec

    codec = build_codec(settings)

    def decode(value: bytes) -> Mapping[str, Any]:
        try:
            return record_to_json(codec.decode(value, RiskDecision))
        except (CodecError, SchemaError) as error:
            raise StartError(
                f"a captured record is no decision: {error}; capture risk.decision.v1"
            ) from error

    return decode


def _show_refusal(found: "Refused", data: "Scored", as_json: bool) -> None:
    if as_json:
        write_json(
            {
                "tuned": False,
                "reason": found.reason,
                "missing_labels": found.missing_labels,
                **_sizes(data),
            }
        )
    else:
        complain(f"can't be promised: {found.reason}")


def _show(
    found: "Tuned",
    data: "Scored",
    promise: "Promise",
    policy: "Policy",
    category: Category,
    action: Action,
    as_json: bool,
) -> None:
    from streams.evaluation.policy_line import policy_line

    line, threshold = policy_line(policy, category, action, found.step.threshold)
    if as_json:
        write_json(
            {
                "tuned": True,
                "category": category.lower(),
                "action": action.lower(),
                "threshold": threshold,
                "lowest_threshold": found.step.threshold,
                "labelled": found.step.labelled,
                "wrong": found.step.wrong,
                "wrong_at_most": found.wrong_at_most,
                "confidence": promise.confidence,
                "acted_on": found.acted_on,
                "found": found.found,
                "policy_line": line,
                **_sizes(data),
            }
        )
        return
    step = found.step
    share = found.acted_on / found.rows
    caught = (
        ""
        if found.found is None
        else f", {found.found:.1%} of what is {category.lower()}"
    )
    console = output_console()
    console.print(
        f"from {step.threshold:g} on: {step.wrong} of {step.labelled} labelled are "
        f"wrong; at most {found.wrong_at_most:.2%} with {promise.confidence:.3g} "
        f"confidence (promised {promise.wrong:.3g})"
    )
    console.print(
        f"acts on {found.acted_on:,} of {found.rows:,} rows ({share:.1%}){caught}"
    )
    if threshold > step.threshold:
        console.print(f"raised to {threshold:g}: milder actions begin there")
    for name, count in (("unscored", data.unscored), ("unmatched", data.unmatched)):
        if count:
            console.print(f"{name}: {count}")
    console.print(f"\n  {line}", markup=False)


def _sizes(data: "Scored") -> dict[str, int]:
    labelled = int((data.labels == data.labels).sum())
    return {
        "rows": len(data.scores),
        "rows_labelled": labelled,
        "unscored": data.unscored,
        "unmatched": data.unmatched,
    }
