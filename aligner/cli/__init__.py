"""The ``aligner`` command.

Every command imports its stage inside its function: ``aligner --help`` and the fast path load nothing heavy.
"""

from __future__ import annotations

import signal
import threading

_interrupt = None
if threading.current_thread() is threading.main_thread():
    # Ctrl-C while modules are imported ends the process at once, without a traceback.
    _interrupt = signal.signal(signal.SIGINT, signal.SIG_DFL)

import contextlib
import importlib
import os
import sys

import typer

from aligner import __version__
from aligner.errors import AlignerError
from aligner.show import say

app = typer.Typer(
    name="aligner",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find the Spanish image captions left in an English article, translate them, link each to the place it "
    "illustrates, and score the result.",
)

# One module per group of commands; each has ``register(app)``.
_GROUPS = (
    "run",
    "translate",
    "link",
    "score",
    "report",
    "batch",
    "export",
    "review",
    "models",
    "corpus",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"aligner {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Shared options."""


for _group in _GROUPS:
    importlib.import_module(f"aligner.cli.{_group}").register(app)


if _interrupt is not None:
    signal.signal(signal.SIGINT, _interrupt)


def main() -> None:
    """Entry point: a user's mistake ends in one message on stderr, never in a traceback."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except SystemExit as left:
        if left.code == 130:  # typer's answer to Ctrl-C
            say("stopped")
        # typer's and rich's answers to a closed pipe (| head); an exit code of its own is no failure's
        gone = type(sys.stdout).__name__ == "PacifyFlushWrapper" or isinstance(left.__context__, BrokenPipeError)
        sys.exit(0 if gone else left.code)
    except AlignerError as error:
        say(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone (| head): not an error, and nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else "output: "
        with contextlib.suppress(OSError):
            say(f"{place}{error.strerror or error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
