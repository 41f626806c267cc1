"""The typer application and what every command shares: one line for an error, one exit code for its kind."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from tachylite import __version__
from tachylite.cli.analyze import analyze
from tachylite.cli.campaigns.rerun import rerun
from tachylite.cli.campaigns.run import run
from tachylite.cli.campaigns.screen import screen
from tachylite.cli.campaigns.status import status
from tachylite.cli.campaigns.submit import submit
from tachylite.cli.datasets import datasets
from tachylite.cli.doctor import doctor
from tachylite.cli.export import export
from tachylite.cli.import_archive import import_archive
from tachylite.cli.learning.describe import describe
from tachylite.cli.learning.evaluate import evaluate
from tachylite.cli.learning.learn import learn
from tachylite.cli.learning.predict import predict
from tachylite.cli.learning.train import train
from tachylite.cli.protocols import protocols
from tachylite.cli.query import query
from tachylite.cli.report import report
from tachylite.cli.serve import serve
from tachylite.errors import InputError

_EXIT_INPUT = 2
_EXIT_UNEXPECTED = 3

app = typer.Typer(
    name="tachylite",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    run,
    screen,
    submit,
    status,
    rerun,
    query,
    report,
    serve,
    export,
    describe,
    learn,
    predict,
    train,
    evaluate,
    protocols,
    datasets,
    doctor,
):
    app.command()(command)
app.command("import")(import_archive)
app.add_typer(analyze)


@app.callback(invoke_without_command=True)
def tachylite(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")] = False,
) -> None:
    """Amorphous materials by simulation: from a formula to a melt, a glass, diffusivities and a report.

    Exit codes: 0 done, 1 a material or a check failed, 2 bad input, 3 an unexpected error, 124 out of walltime,
    130 interrupted, 143 terminated.
    """
    if version:
        typer.echo(f"tachylite {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; errors become one line on stderr."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(args=[word for word in words if word != "--debug"], prog_name="tachylite", standalone_mode=False)
    except (InputError, TyperException) as error:
        text = error.format_message() if isinstance(error, TyperException) else str(error)
        _complain(text)
        return _EXIT_INPUT
    except Exception as error:
        if "--debug" in words:
            raise
        _complain(f"unexpected {type(error).__name__}: {error} (the same command with --debug shows where)")
        return _EXIT_UNEXPECTED
    return int(code or 0)


def _complain(text: str) -> None:
    typer.echo(f"error: {' '.join(text.split())}", err=True)
