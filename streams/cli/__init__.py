"""The `headgate` command: one file for each subcommand.

Exit codes: 0 done; 1 done, and the result is bad (a count does not add up, a line was
no event); 2 could not start (bad setting, missing model, no broker); 70 a fault.
"""

import sys

import typer
from click.exceptions import Abort

from streams.cli import (
    assess,
    bank,
    broker,
    capture,
    demo,
    dlq,
    doctor,
    explain,
    policy,
    produce,
    replay,
    reverse,
    shadow,
    tail,
    topics,
    train,
    transcribe,
    tune,
    why,
)
from streams.cli import eval as eval_command
from streams.cli import worker as worker_command
from streams.cli.terminal import complain
from streams.errors import HeadgateError

app = typer.Typer(
    name="headgate",
    help="Streaming risk detection: uploads in from Kafka, risk decisions out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("assess")(assess.assess)
app.command("explain")(explain.explain)
app.command("transcribe")(transcribe.transcribe)
app.command("worker")(worker_command.worker)
app.command("produce")(produce.produce)
app.command("replay")(replay.replay)
app.command("reverse")(reverse.reverse)
app.command("why")(why.why)
app.command("capture")(capture.capture)
app.command("tail")(tail.tail)
app.command("train")(train.train)
app.command("broker")(broker.broker)
app.command("doctor")(doctor.doctor)
app.command("tune")(tune.tune)
app.add_typer(eval_command.app, name="eval")
app.add_typer(topics.app, name="topics")
app.add_typer(dlq.app, name="dlq")
app.add_typer(bank.app, name="bank")
app.add_typer(eval_command.app, name="eval")
app.add_typer(policy.app, name="policy")
app.add_typer(shadow.app, name="shadow")


def main() -> None:
    """Run the command line; a known failure is one sentence, not a traceback."""
    try:
        app()
    except HeadgateError as error:
        complain(str(error))
        sys.exit(2)
    except (KeyboardInterrupt, Abort):
        sys.exit(130)
    except BrokenPipeError:  # `headgate tail … | head`: the reader has enough.
        sys.stderr.close()
        sys.exit(0)
