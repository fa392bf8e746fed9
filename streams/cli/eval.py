"""`headgate eval`: what the detectors and scores are worth on labelled data."""

import typer

from streams.cli import eval_nab

app = typer.Typer(help="Measure quality on labelled data.", no_args_is_help=True)
app.command("nab")(eval_nab.nab)
