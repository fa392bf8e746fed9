"""`headgate why`: the whole story of one upload."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.replay_options import KnownHeads, KnownPolicy, resolved
from streams.cli.terminal import complain, output_console, progress_console, write_json
from streams.cli.why_report import print_stories
from streams.logs import set_up_logs
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.replaying.request import Plan, Request

_GOOD = ("same", "again", "old", "correction")


def why(
    content_id: Annotated[str, typer.Argument(help="The upload's content_id.")],
    known_policy: KnownPolicy = None,
    known_heads: KnownHeads = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show every rule, of however many.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each judgement.")
    ] = False,
) -> None:
    """Tell why an upload was decided as it was, and what would decide otherwise now.

    Each judgement on it (provisional, final, of a sweep, of each revision) and each
    correction: the event, the signals found and missing, the uploader's history at that
    moment, policy and models then, scores with their evidence, what brakes held, and of
    each rule why it fired or didn't: the values that settled its condition, other
    territories or times, a missing value and what the rule says then, what outranked
    it. Then today's word on the same, and the rules, settings and scores that changed.
    Of what may be about children no text is shown. Reads outside any consumer group.

    Exit code 1 when a judgement can't be repeated byte for byte; it says why. Example:

    headgate why trk-4711 --json
    """
    from streams.replaying.request import Request

    request = Request(
        content=content_id,
        known_policies=resolved(known_policy),
        known_heads=resolved(known_heads),
    )
    plan, stories = _ask(content_id, request)
    if plan.cut:
        complain(plan.told())
    if as_json:
        for story in stories:
            write_json(story)
    else:
        print_stories(output_console(), content_id, stories, every)
    if not stories:
        complain(f"the signals of content {content_id!r} are gone; only decisions stay")
    equal = all(story["result"] in _GOOD for story in stories)
    raise typer.Exit(0 if stories and equal else 1)


def _ask(content_id: str, request: "Request") -> "tuple[Plan, list[dict[str, Any]]]":
    settings = load_settings()
    set_up_logs("warning", secrets=settings.secrets)
    with progress_console().status("reading what the uploader did"):
        from streams.replaying.asking import ask_why
        from streams.wiring import build_codec

        return ask_why(content_id, request, settings, build_codec(settings))
