"""``aligner corpus``: gold sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from aligner.cli.score import Format
from aligner.show import count, put, put_text, say

group = typer.Typer(help="Gold sets: check, describe and extend them.", no_args_is_help=True)

Folders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FOLDER", help="Gold sets or folders of them; the bundled corpus if none is named."),
]


@group.command()
def check(folders: Folders = None) -> None:
    """Check gold sets: every problem is listed, with its place.

    Examples:
    * `aligner corpus check`
    * `aligner corpus check my-gold/`
    """
    from aligner.resources import bundled
    from aligner.scoring.gold import examine

    gold, problems = examine(folders or [bundled("corpus")])
    for problem in problems:
        put(str(problem))
    captions = sum(len(document.captions("es")) for document in gold.documents)
    counts = f"{count(len(gold.files), 'gold set')}, {count(len(gold.documents), 'document')}"
    counts += f", {count(captions, 'Spanish caption')}"
    say(f"{counts}: {count(len(problems), 'problem') if problems else 'no problems'}")
    raise typer.Exit(1 if problems else 0)


@group.command()
def stats(
    folders: Folders = None,
    format_: Annotated[Format, typer.Option("--format", "-f", help="How the numbers are printed.")] = Format.table,
) -> None:
    """Describe gold sets: documents, lines by kind, captions by length, credit and link.

    Examples:
    * `aligner corpus stats`
    * `aligner corpus stats --format markdown my-gold/`
    """
    from aligner.resources import bundled
    from aligner.scoring.statistics import describe, markdown, table

    described = describe(folders or [bundled("corpus")])
    if format_ is Format.json:
        put_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n")
    elif format_ is Format.markdown:
        put_text(markdown(described))
    else:
        table(described)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    from aligner.cli.review import corpus_add

    group.command("add")(corpus_add)
    app.add_typer(group, name="corpus")
