"""`headgate topics apply --acls`: rights granted, and how they are told."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Column, Table

from streams.access_rules import read_access_rules
from streams.cli.terminal import as_text, output_console, write_json
from streams.errors import StartError
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.acl_admin import AclReport


def principals_of(options: Sequence[str]) -> dict[str, list[str]]:
    """Return the users of each role: those given, else those of the rules.

    Raises:
        StartError: an option is not `role=User:name` with a role of ours.
    """
    users = read_access_rules("").principals
    given: dict[str, list[str]] = {}
    for option in options:
        role, _, user = option.partition("=")
        if role not in users or not user.startswith("User:") or user == "User:":
            raise StartError(
                f"--principal is {option!r}; expected role=User:name with a role of "
                f"{', '.join(users)}"
            )
        given.setdefault(role, []).append(user)
    return {role: given.get(role, [user]) for role, user in users.items()}


def apply_and_show(
    settings: Settings,
    principals: Mapping[str, Sequence[str]],
    dry_run: bool,
    as_json: bool,
) -> bool:
    """Grant what is missing and print every right; True when something is off."""
    from streams.acl_admin import apply_acls, grants_of

    wanted = grants_of(read_access_rules(settings.app_id).rights, principals)
    reports = apply_acls(settings.kafka, wanted, dry_run=dry_run)
    if as_json:
        for report in reports:
            write_json(_line(report))
    else:
        output_console().print(_table(reports))
    return any(report.state in ("missing", "extra") for report in reports)


def _line(report: "AclReport") -> dict[str, object]:
    grant = report.grant
    return {
        "principal": grant.principal,
        "permission": grant.permission,
        "operation": grant.operation,
        "resource": grant.kind,
        "name": grant.name,
        "prefixed": grant.prefixed,
        "host": grant.host,
        "state": report.state,
    }


def _table(reports: Sequence["AclReport"]) -> Table:
    table = Table(
        Column("user", no_wrap=True), "may", "on", Column("name", no_wrap=True), "state"
    )
    for report in reports:
        grant = report.grant
        denied = "" if grant.permission == "allow" else f"{grant.permission}: "
        table.add_row(
            as_text(grant.principal),
            denied + grant.operation,
            grant.kind.replace("_", " "),
            as_text(grant.name + ("*" if grant.prefixed else "")),
            report.state,
        )
    return table
