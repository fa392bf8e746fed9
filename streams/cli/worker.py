"""`headgate worker`: consume, judge, produce, until a signal."""

from enum import StrEnum
from typing import Annotated

import typer

from streams.broker_check import STAGES, check_broker
from streams.logs import set_up_logs, tell_uncaught
from streams.settings import load_settings


class StageName(StrEnum):
    """The stages that a worker can run."""

    SCREEN = "screen"
    TRANSCRIBE = "transcribe"
    JUDGE = "judge"


def worker(
    stage: Annotated[
        list[StageName] | None,
        typer.Option(help="Run only this stage; may be given again. Default: all."),
    ] = None,
) -> None:
    """Run the stages screen, transcribe and judge until SIGTERM.

    Settings come from HEADGATE_… variables; `headgate doctor` shows them. Refuses to
    start (exit code 2) when a model's weights can't be had. Example:

    HEADGATE_BOOTSTRAP_SERVERS=kafka:9092 headgate worker --stage transcribe
    """
    settings = load_settings()
    set_up_logs(settings.log_level, secrets=settings.secrets)
    tell_uncaught()
    stages = tuple(stage) if stage else STAGES
    # Torch and Faust take seconds to import: a wrong login is told before.
    broker = check_broker(settings.kafka, settings.judge_mode, stages, settings.app_id)
    from streams.worker import run_worker

    run_worker(settings, stages, broker)
