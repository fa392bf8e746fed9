"""`headgate topics`: what topics there are, and making them."""

from typing import Annotated

import typer
from rich.table import Column, Table

from schemas.topics import TOPICS
from streams.cli import acl_report
from streams.cli.terminal import as_text, output_console, write_json
from streams.errors import StartError
from streams.settings import load_settings

app = typer.Typer(help="List the topics, or create them.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("list")
def list_topics(as_json: AsJson = False) -> None:
    """Show every topic: its key, partitions, and who writes and reads it."""
    table = Table(
        Column("topic", no_wrap=True),
        "key",
        "partitions",
        "cleanup",
        "written by",
        "read by",
    )
    for topic in TOPICS:
        row = {
            "topic": topic.name,
            "key": topic.key,
            "partitions": topic.partitions,
            "cleanup": topic.cleanup,
            "written_by": list(topic.written_by),
            "read_by": list(topic.read_by),
        }
        if as_json:
            write_json(row)
        table.add_row(
            topic.name,
            topic.key,
            str(topic.partitions),
            topic.cleanup,
            ", ".join(topic.written_by),
            ", ".join(topic.read_by),
        )
    if not as_json:
        output_console().print(table)


@app.command()
def apply(
    partitions: Annotated[
        int | None, typer.Option(min=1, help="For every topic, instead of its own.")
    ] = None,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each.")] = 1,
    acls: Annotated[
        bool,
        typer.Option("--acls", help="Grant each role its rights as well."),
    ] = False,
    principal: Annotated[
        list[str] | None,
        typer.Option(
            help="Who has a role: role=User:name; may be given again.",
            metavar="ROLE=USER",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; tell what is missing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create the topics that are missing, and tell how the others differ.

    Nothing that exists is changed or deleted. Exit code 1 when something differs, is
    missing after a dry run, or is granted beyond what roles need. Examples:

    headgate topics apply --replication 3

    headgate topics apply --acls --principal judge=User:worker --dry-run

    With HEADGATE_REGISTRY_URL set, the schemas and their compatibility are set too.
    """
    settings = load_settings()
    principals = acl_report.principals_of(principal or [])
    if settings.registry_url is not None and not dry_run:
        _apply_schemas(settings.registry_url, as_json)
    from streams.topic_admin import apply_topics

    reports = apply_topics(
        settings.kafka,
        TOPICS,
        partitions=partitions,
        replication=replication,
        dry_run=dry_run,
    )
    table = Table(Column("topic", no_wrap=True), "state", "differences")
    for report in reports:
        if as_json:
            write_json(
                {
                    "topic": report.name,
                    "state": report.state,
                    "differences": list(report.differences),
                }
            )
        differences = "\n".join(map(as_text, report.differences))
        table.add_row(report.name, report.state, differences)
    if not as_json:
        output_console().print(table)
    off = any(r.differences or r.state == "missing" for r in reports)
    if acls:
        off |= acl_report.apply_and_show(settings, principals, dry_run, as_json)
    raise typer.Exit(1 if off else 0)


def _apply_schemas(url: str, as_json: bool) -> None:
    from schemas.errors import SchemaError
    from schemas.registry import apply_schemas

    try:
        applied = apply_schemas(url)
    except SchemaError as error:
        raise StartError(f"schema registry: {error}") from error
    for schema in applied:
        if as_json:
            write_json({"subject": schema.subject, "id": schema.id})
    if not as_json:
        output_console().print(f"{len(applied)} schemas registered")
