"""``aligner export`` and ``aligner import``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from aligner.cli.output import refuse
from aligner.cli.run import PatchMode
from aligner.errors import OutputError, RecordError, UsageError
from aligner.exchange import EDITABLE, Format
from aligner.exchange.edits import Side, foreign
from aligner.files import write_all, write_atomically
from aligner.show import count, say

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run (aligner run --format jsonl), a batch's folder, or - for stdin.")
]
ArticlesOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Where the run's articles are, if not at their paths.",
    ),
]


def export(
    context: typer.Context,
    run: RunArgument,
    to: Annotated[Format | None, typer.Option("--to", "-t", help="Format; taken from FILE's name if left out.")] = None,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="File to write; - for stdout.")] = "-",
    force: Annotated[bool, typer.Option("--force", help="Write over an existing FILE and any edits in it.")] = False,
) -> None:
    """Export a run for CAT tools (tmx, xliff, xliff2), reviewers (tsv, xlsx) or the web (jsonld, html).

    Examples:
    * `aligner export run.jsonl --to xliff -o captions.xlf`
    * `aligner export run.jsonl -o captions.xlsx`
    """
    from aligner.exchange import format_of, read_run, units, write

    if output == "-":
        refuse(context, "force", because="is for a file that -o overwrites: name one with -o")
    if to is None:
        if output == "-":
            raise UsageError("say which format with --to, or name a file with -o")
        to = format_of(Path(output))
    if output == "-" and to is Format.xlsx and sys.stdout.isatty():
        raise UsageError("a workbook is not for the screen: name a file with -o")
    target = Path(output)
    if output != "-" and target.exists() and not force:
        raise OutputError(f"{output}: exists, and may hold edits; import them first, or write over them with --force")
    documents = read_run(run)
    data = write(documents, to)
    if output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_atomically(target, data)
    found = list(units(documents))
    unread = sum(document.error is not None for document in documents)
    untranslated = sum(not unit.text for unit in found)
    say(f"{count(len(found), 'caption')} of {count(len(documents), 'document')} to {to.value}")
    if unread:
        say(f"{count(unread, 'document')} could not be read in the run and gave nothing")
    if untranslated:
        left = "left out" if to is Format.tmx else "exported without a translation"
        say(f"{count(untranslated, 'caption')} without a translation {left}")


def import_(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Exported files that were edited since.")],
    run: Annotated[str, typer.Option("--run", "-r", metavar="RUN", help="The run that they were exported from.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="NEWRUN", help="Run with the edits; stdout if left out without --patch."
        ),
    ] = None,
    patch: Annotated[Path | None, typer.Option(metavar="DIR", help="Write corrected articles below DIR.")] = None,
    patch_mode: Annotated[
        PatchMode,
        typer.Option(help="Put translations in the captions' place, or keep captions in brackets behind them (both)."),
    ] = PatchMode.replace,
    articles: ArticlesOption = None,
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            metavar=f"<{'|'.join(EDITABLE)}>",
            help="Format; taken from FILE's name if left out.",
        ),
    ] = None,
    prefer: Annotated[
        Side | None,
        typer.Option(help="Whose text stands where both changed since the export."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let --patch and -o overwrite files that are other than what they write.")
    ] = False,
) -> None:
    """Bring edited translations (tmx, xliff, xliff2, tsv, xlsx) back into a run, and into the corrected articles.

    The other formats of export (jsonld, html) are for the web and carry no edits.

    All or nothing: whatever is wrong is listed with file and line, and then nothing is written.

    Examples:
    * `aligner import captions.xlf --run run.jsonl -o reviewed.jsonl`
    * `aligner import anna.xlsx ben.xlsx --run run.jsonl --patch corrected/`
    """
    from aligner import patch as patching
    from aligner.cli.corrected import patched_names
    from aligner.exchange import Articles, dump_run, merge, read, read_run

    if patch is None:
        refuse(context, "patch_mode", "articles", because="is for corrected articles: give --patch too")
        if output in (None, "-"):
            refuse(context, "force", because="is for files that --patch or -o overwrite: give one of them")
    if patch_mode is PatchMode.tag:
        raise UsageError("--patch-mode tag writes no translation, edited or not: give replace or both")
    if output not in (None, "-") and run != "-" and Path(output).resolve() == Path(run).resolve():
        raise UsageError(f"{output}: is the run itself, which stays as it is; name another file")
    documents = read_run(run)
    lines, problems = [], []
    for file in files:
        try:
            found = read(file, documents, format_)
        except RecordError as error:
            problems.append(str(error))
            continue
        if foreign(documents, found):
            problems.append(
                f"{file}: none of its captions ({len(found)}) is in {run}: it was exported from another run, or the "
                "documents have changed since; name its own run with --run"
            )
        else:
            lines += found
    merged = merge(documents, lines, prefer)
    if problems := [*problems, *merged.problems]:
        lines_ = sum(problem.count("\n") + 1 for problem in problems)
        raise RecordError("nothing was imported; " + count(lines_, "problem") + "\n" + "\n".join(problems))
    corrected = {}
    if patch is not None:
        where = Articles(articles)
        mode: patching.Mode = patch_mode.value
        read_ = [document for document in merged.documents if document.error is None]
        names = patched_names([document.document for document in read_], patch)
        corrected = {
            names[document.document]: patching.patch(where.read(document), document, mode) for document in read_
        }
    outputs = dict(corrected)
    if output not in (None, "-"):
        outputs[Path(output)] = dump_run(merged.documents)
    write_all(outputs, overwrite=force)
    if output == "-" or (output is None and patch is None):
        sys.stdout.buffer.write(dump_run(merged.documents))
        sys.stdout.buffer.flush()
    for remark in merged.remarks:
        say(remark)
    done = f"{len(merged.edited)} edited, {len(merged.accepted)} accepted, {len(merged.rejected)} rejected"
    below = f"; {count(len(corrected), 'article')} below {patch}" if patch else ""
    say(f"{done}{below}")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(export)
    app.command("import")(import_)
