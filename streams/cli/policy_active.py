"""`headgate policy activate | active`: which policy every worker judges by."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import policy_report
from streams.cli.policy_outcomes import outcomes_of
from streams.cli.terminal import as_text, complain, output_console, write_json
from streams.errors import PolicyError, StartError
from streams.logs import set_up_logs
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from schemas.codec import Codec
    from schemas.records import PolicyActivation
    from streams.policy_folder import PolicyFiles

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def activate(
    path: Annotated[Path, typer.Argument(help="A policy's folder or file.")],
    note: Annotated[
        str | None, typer.Option(help="Why, for whoever reads the topic later.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; else only say what would be done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have every worker with HEADGATE_POLICY_TOPIC=true judge by a policy.

    It is checked, its own tests are run, and all its files go onto policy.active.v1;
    workers switch within a second, between two uploads, and every decision says by
    which it was made. Exit code 1 when the policy is not good. Example:

    headgate policy activate deploy/policies/default --note "wider net for hate" --yes
    """
    from streams.policy_activation import activation, activation_output
    from streams.policy_folder import read_policy_files
    from streams.producer import DeliveringProducer
    from streams.wiring import build_codec

    settings = load_settings()
    set_up_logs("warning")
    files = read_policy_files(path)
    try:
        _check_tests(files)
        record = activation(files, datetime.now(UTC), note)
    except PolicyError as error:
        policy_report.show_error(error, as_json)
        raise typer.Exit(1) from None
    codec = build_codec(settings)
    before = _in_force(settings, codec)
    if yes and (before is None or before.sha256 != record.sha256):
        producer = DeliveringProducer(settings.kafka)
        producer.send_all([activation_output(codec, record)])
        producer.close()
    _show(record, before, yes, as_json)


def active(as_json: AsJson = False) -> None:
    """Show the policy in force on policy.active.v1.

    Exit code 1 when none was ever activated. Example:

    headgate policy active
    """
    from streams.wiring import build_codec

    settings = load_settings()
    set_up_logs("warning")
    record = _in_force(settings, build_codec(settings))
    if record is None:
        complain("no policy was activated; workers judge by HEADGATE_POLICY")
        raise typer.Exit(1)
    if as_json:
        write_json(_plain(record))
        return
    at = record.activated_at.isoformat(timespec="seconds")
    output_console().print(
        as_text(f"{_name(record)}, since {at}: {record.note or 'no note'}")
    )


def _check_tests(files: "PolicyFiles") -> None:
    outcomes = outcomes_of(files, files.checked().policy)
    failed = sum(bool(outcome.wrong) for outcome in outcomes)
    if failed:
        raise PolicyError(
            f"{files.name}: {failed} of its own tests fail; run `headgate policy test "
            f"{files.name}` and mend it"
        )


def _in_force(settings: Settings, codec: "Codec") -> "PolicyActivation | None":
    from schemas.topics import POLICY_ACTIVE
    from streams.errors import EventError
    from streams.kafka_tail import tail
    from streams.policy_activation import read_activation

    latest = None
    for record in tail(settings.kafka, [POLICY_ACTIVE.name], until_end=True):
        try:
            found = read_activation(codec, record)
            if latest is None or found.activated_at >= latest.activated_at:
                latest = found
        except EventError as error:
            raise StartError(
                f"{POLICY_ACTIVE.name} at {record.offset} can't be read: {error}; "
                "activate a policy anew"
            ) from error
    return latest


def _show(
    record: "PolicyActivation",
    before: "PolicyActivation | None",
    yes: bool,
    as_json: bool,
) -> None:
    is_same = before is not None and before.sha256 == record.sha256
    done = yes and not is_same
    if as_json:
        write_json(
            {
                **_plain(record),
                "activated": done,
                "before": None if before is None else _plain(before),
            }
        )
        return
    write = output_console().print
    write(f"in force: {'none' if before is None else _name(before)}")
    if is_same:
        write("the same; nothing to do")
    elif done:
        write(f"activated: {_name(record)}")
    else:
        write(f"would activate: {_name(record)}; give --yes to do it")


def _name(record: "PolicyActivation") -> str:
    return f"{record.policy_id} version {record.version} ({record.sha256[:12]})"


def _plain(record: "PolicyActivation") -> dict[str, object]:
    return {
        "policy_id": record.policy_id,
        "version": record.version,
        "sha256": record.sha256,
        "activated_at": record.activated_at.isoformat(),
        "note": record.note,
    }
