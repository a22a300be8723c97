"""``aligner report``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aligner.errors import UsageError
from aligner.files import write_atomically
from aligner.show import put_text, say, size


class Format(StrEnum):
    """What a report is written as."""

    html = "html"
    markdown = "markdown"
    json = "json"


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Runs: what aligner run --format jsonl printed, or folders of batches."),
    ],
    gold: Annotated[
        list[Path] | None,
        typer.Option(metavar="GOLD", help="gold.jsonl, its folder, or a folder of gold sets; repeatable."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the report goes; - for stdout.")
    ] = Path("-"),
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Score copy-source and, where installed, Apertium too.")
    ] = False,
    format_: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="Format; taken from FILE's name (.md, .json) if left out, else html."),
    ] = None,
) -> None:
    """Write a report of runs: one file, to be opened in a browser, printed or mailed.

    Examples:

    * `aligner report run.jsonl -o report.html`
    * `aligner report run.jsonl other.jsonl --gold corpus/ -o report.html`
    """
    from aligner.cli.score import extra_systems
    from aligner.report import build, render
    from aligner.scoring import gold as golden
    from aligner.scoring import runs as run_files

    if baseline and not gold:
        raise UsageError("--baseline needs references: give --gold")
    known = run_files.load(runs)
    sets = golden.load(gold) if gold else None
    systems = extra_systems(baseline, [], ("es", "en"))
    style = format_ or {".md": Format.markdown, ".json": Format.json}.get(output.suffix.lower(), Format.html)
    text = render(build(known, sets, systems), style.value)
    if str(output) == "-":
        put_text(text)
    else:
        write_atomically(output, text.encode())
        say(f"wrote {output} ({size(len(text.encode()))})")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(report)
