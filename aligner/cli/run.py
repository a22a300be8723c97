"""``aligner run`` and ``aligner find``."""

from __future__ import annotations

import contextlib
import filecmp
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from aligner.errors import ExistingFileError, OutputError, UsageError
from aligner.records import Document

if TYPE_CHECKING:
    from aligner.readers import Stream


class Format(StrEnum):
    """How records are printed."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    markdown = "markdown"


class Variant(StrEnum):
    """English of the translations."""

    auto = "auto"
    british = "british"
    american = "american"
    none = "none"


class PatchMode(Enum):
    """What stands in a caption's place in the corrected article."""

    replace = "replace"
    both = "both"
    tag = "tag"


Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH...",
        help="Files, folders, patterns, @lists of files, URLs (s3://…) or - for stdin: text, Markdown, "
        "HTML, DOCX, JSON Lines, Parquet, WARC, each also as .gz or .zst.",
    ),
]
InputFormatOption = Annotated[
    str | None, typer.Option(metavar="FORMAT", help="Format of the inputs, where their names do not say.")
]
TextColumnOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column of JSON Lines or Parquet with the text or HTML.")
]
IdColumnOption = Annotated[str | None, typer.Option(metavar="NAME", help="Column with the documents' ids.")]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How records are printed.")]
FromOption = Annotated[str, typer.Option("--from", metavar="LANG", help="Language of the captions left over.")]
GlossaryOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--glossary",
        metavar="FILE",
        help="Terms to use (CSV, TBX) or words to leave as they are (.txt); may be given several times.",
    ),
]
VariantOption = Annotated[
    Variant, typer.Option(help="Spelling and dates: as the article has them, British, American, or as they come.")
]
ToOption = Annotated[str, typer.Option("--to", metavar="LANG", help="Language of the article.")]


def expand(paths: Iterable[str]) -> list[str]:
    """Folders, patterns and lists replaced by the files that they stand for; a path that is not there stays.

    Raises:
        UsageError: a folder or pattern holds no document, or standard input is named twice.
    """
    from aligner.readers import sources_of

    found: list[str] = []
    for path in paths:
        # A missing file is one document's error, and the run goes on.
        missing = path != "-" and not re.search(r"[*?\[@]|://", path) and not os.path.lexists(path)
        found += [path] if missing else sources_of(path)
    if found.count("-") > 1:
        raise UsageError("-: stdin can be read once only")
    return found


@contextlib.contextmanager
def writing(target: Path, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A file that appears when it is complete, and not if anything goes wrong.

    Args:
        target: where it appears.
        overwrite: whether it may take the place of a file that is another.

    Raises:
        OutputError: the folder cannot be made or written to.
        ExistingFileError: such a file stands there, and must not be overwritten.
    """
    temporary = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
        if not overwrite and target.exists() and not filecmp.cmp(temporary, target, shallow=False):
            raise ExistingFileError(
                f"{target}: a file that is another stands here; give --force to overwrite it, or another folder"
            )
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}); choose a folder you may write to") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_atomically(target: Path, data: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    with writing(target) as file:
        file.write(data)


def _read(sources: Sequence[str], format: str | None, text_column: str | None, id_column: str | None) -> Stream:
    from aligner.readers import Limits, read_sources

    # An empty article has no captions; in a corpus it is a document that was lost.
    limits = Limits(empty=True)
    return read_sources(sources, format=format, text_column=text_column, id_column=id_column, limits=limits)


def _progress(items: Iterator[Document], sources: Sequence[str]) -> Iterator[Document]:
    """A progress bar on stderr for long work on a terminal."""
    from aligner.readers.sources import MANY, format_of

    several = any(format_of(name) in MANY for name in sources)
    if (len(sources) < 20 and not several) or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    total = None if several else len(sources)
    yield from track(items, total=total, description="documents", console=Console(stderr=True), transient=True)


def _kept(records: Iterator[Document], kept: list[Document]) -> Iterator[Document]:
    for record in records:
        kept.append(record)
        yield record


def emit(records: Iterator[Document], style: Format) -> Iterator[Document]:
    """Prints records as they come, and hands them on."""
    from aligner.show import json_array, markdown, table

    if style is Format.json:
        yield from json_array(records, sys.stdout)
        return
    for record in records:
        if style is Format.jsonl:
            sys.stdout.write(record.to_json() + "\n")
        elif style is Format.markdown:
            sys.stdout.write(markdown(record))
        else:
            table(record)
        yield record
    sys.stdout.flush()


def _finish(records: Iterable[Document]) -> tuple[int, int]:
    """Consumes the records; returns (documents that failed, captions found), saying each failure on stderr."""
    failed = captions = 0
    for record in records:
        captions += len(record.captions)
        if record.error is not None:
            failed += 1
            typer.echo(f"aligner: {record.error}", err=True)
        for warning in record.warnings:
            typer.echo(f"aligner: {record.document}: {warning}", err=True)
    return failed, captions


def run(
    paths: Paths,
    format_: FormatOption = Format.table,
    patch: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write corrected articles below DIR; - prints one to stdout."),
    ] = None,
    patch_mode: Annotated[
        PatchMode, typer.Option(help="Replace captions, keep both, or tag with lang only.")
    ] = PatchMode.replace,
    force: Annotated[
        bool, typer.Option("--force", help="Let --patch overwrite files that are other than what it writes.")
    ] = False,
    translate_credits: Annotated[
        bool,
        typer.Option(
            "--translate-credits",
            help='With --patch or --diff: labels of credits too, "Foto:" as "Photo:"; names stay.',
        ),
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Print the corrections as a unified diff; write nothing.")
    ] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a self-contained report.")] = None,
    input_format: InputFormatOption = None,
    text_column: TextColumnOption = None,
    id_column: IdColumnOption = None,
    source_language: FromOption = "es",
    target_language: ToOption = "en",
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Bundled name, local folder or hub id of a Marian model."),
    ] = None,
    engine: Annotated[str, typer.Option(help="ctranslate2 or transformers.")] = "ctranslate2",
    beam: Annotated[int, typer.Option(min=1, max=32, help="Beam width.")] = 4,
    threads: Annotated[int, typer.Option(min=0, help="Translation workers; 0: one per core.")] = 0,
    glossary: GlossaryOption = None,
    variant: VariantOption = Variant.auto,
) -> None:
    """Find, translate and link the captions of documents.

    Examples:

    * `aligner run article.txt`
    * `aligner run --patch corrected/ articles/`
    * `aligner run --text-column body --format jsonl news.jsonl.zst`
    * `curl … | aligner run --format jsonl -`
    """
    from aligner import patch as patching
    from aligner.pipeline import Options, Pipeline

    sources = expand(paths)
    if diff and patch:
        raise UsageError("--diff writes nothing: give --diff or --patch, not both")
    if translate_credits and not (patch or diff):
        raise UsageError("--translate-credits changes the corrected article: give --patch or --diff too")
    stream = _read(sources, input_format, text_column, id_column)
    pipeline = Pipeline(
        Options(
            source_language,
            target_language,
            model=model,
            engine=engine,
            beam_size=beam,
            threads=threads,
            glossary=tuple(glossary or ()),
            variant=variant.value,
        )
    )
    _ = pipeline.glossary  # a malformed one is refused before anything is done
    mode: patching.Mode = patch_mode.value
    kept: list[Document] = []

    results = pipeline.run_all(stream)
    records: Iterator[Document]
    corrections = None
    if patch or diff:
        from aligner.cli.corrected import Corrections

        corrections = Corrections(sources, mode, force, translate_credits)
        records = corrections.write(results, patch) if patch else corrections.show(results)
    else:
        records = (record for _, _, record in results)
    records = _progress(_kept(records, kept) if report else records, sources)
    failed, _ = _finish(records if patch == "-" or diff else emit(records, format_))
    if report:
        from aligner.report import write_report

        write_report(kept, report)
        typer.echo(f"aligner: wrote {report} ({report.stat().st_size / 1e6:.1f} MB)", err=True)
    if corrections is not None:
        failed += corrections.failed
        if patch and patch != "-":
            files = f"{corrections.written} corrected file{'' if corrections.written == 1 else 's'}"
            typer.echo(f"aligner: wrote {files} to {Path(patch)}{os.sep}", err=True)
    raise typer.Exit(1 if failed else 0)


def find(
    paths: Paths,
    format_: FormatOption = Format.table,
    fail_on_residue: Annotated[
        bool,
        typer.Option("--fail-on-residue", help="Exit 1 when a caption is found (for CI and pre-commit)."),
    ] = False,
    input_format: InputFormatOption = None,
    text_column: TextColumnOption = None,
    id_column: IdColumnOption = None,
    source_language: FromOption = "es",
    target_language: ToOption = "en",
) -> None:
    """Find captions without translating them (no model is loaded).

    Examples:

    * `aligner find article.txt`
    * `aligner find --fail-on-residue docs/`
    """
    from aligner.pipeline import Options, Pipeline

    sources = expand(paths)
    pipeline = Pipeline(Options(source_language, target_language, translate=False, link=False))
    stream = _read(sources, input_format, text_column, id_column)
    records = (record for _, _, record in pipeline.run_all(stream))
    failed, captions = _finish(emit(_progress(records, sources), format_))
    raise typer.Exit(1 if failed or (fail_on_residue and captions) else 0)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(run)
    app.command()(find)
