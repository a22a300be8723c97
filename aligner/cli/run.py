"""``aligner run`` and ``aligner find``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

from aligner.cli.output import outlast_reader, refuse, remark, remark_terms, remark_unmet
from aligner.errors import UsageError
from aligner.files import check_writable
from aligner.records import Document
from aligner.show import count, put_text, say, size

if TYPE_CHECKING:
    from aligner.documents import Article
    from aligner.readers import Stream

    # A record and its document, if that could be read.
    Result: TypeAlias = tuple[Article | None, Document]

T = TypeVar("T")


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
        metavar="PATH",
        help="Files, folders, patterns, @lists of files, URLs (s3://…) or - for stdin: text, Markdown, "
        "HTML, DOCX, JSON Lines, Parquet, WARC, each also as .gz or .zst.",
    ),
]
InputFormatOption = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="Where names do not say what inputs are: text, markdown, html, docx, jsonl, parquet or warc.",
    ),
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
    Variant,
    typer.Option(
        help="Spelling, dates and quotation marks: as the article has them, British, American, or as they come."
    ),
]
ToOption = Annotated[str, typer.Option("--to", metavar="LANG", help="Language of the article.")]


def expand(paths: Iterable[str]) -> list[str]:
    """Folders, patterns and lists replaced by the files that they stand for; a path that is not there stays.

    Raises:
        UsageError: a folder or pattern holds no document, or standard input is named twice.
    """
    from aligner.readers import sources_of
    from aligner.readers.sources import Skipped

    skipped = Skipped()
    found: list[str] = []
    for path in paths:
        if not path:
            raise UsageError("an empty name is no document; name a file, a folder, or - for stdin")
        # A missing file is one document's error, and the run goes on.
        missing = path != "-" and not re.search(r"[*?\[@]|://", path) and not os.path.lexists(path)
        found += [path] if missing else sources_of(path, skipped)
    if found.count("-") > 1:
        raise UsageError("-: stdin can be read once only")
    for line in skipped.lines():
        say(line)
    return found


def _read(sources: Sequence[str], format: str | None, text_column: str | None, id_column: str | None) -> Stream:
    from aligner.readers import Limits, SourceOptions, read_sources
    from aligner.readers.sources import format_of

    known = [format or format_of(name) for name in sources if name != "-"]
    if None not in known and not {"jsonl", "parquet"} & set(known) and "-" not in sources:
        for option, value in (("--text-column", text_column), ("--id-column", id_column)):
            if value is not None:
                raise UsageError(f"{option} is for JSON Lines and Parquet, which no input is: leave it out")
    # An empty article has no captions; in a corpus it is a document that was lost.
    return read_sources(sources, SourceOptions(format, text_column, id_column, Limits(empty=True)))


def _progress(items: Iterator[T], sources: Sequence[str]) -> Iterator[T]:
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


def emit(results: Iterator[Result], style: Format) -> Iterator[Document]:
    """Prints records as they come, and hands them on."""
    from aligner.show import json_array, markdown, table

    if style is Format.json:
        yield from json_array(record for _, record in results)
        return
    for article, record in results:
        if style is Format.jsonl:
            put_text(record.to_json() + "\n")
        elif style is Format.markdown:
            put_text(markdown(record, article))
        else:
            table(record, article)
        yield record
    sys.stdout.flush()


def _remarked(results: Iterator[Result]) -> Iterator[Result]:
    """Results on their way, with a remark on each document that has no text."""
    for article, record in results:
        if article is not None:
            remark(article)
        yield article, record


def _finish(records: Iterable[Document]) -> tuple[int, int]:
    """Consumes the records; returns (documents that failed, captions found), saying each failure on stderr."""
    failed = captions = 0
    for record in records:
        captions += len(record.captions)
        if record.error is not None:
            failed += 1
            say(record.error)
        for warning in record.warnings:
            say(f"{record.document}: {warning}")
    return failed, captions


def run(
    context: typer.Context,
    paths: Paths,
    format_: FormatOption = Format.table,
    patch: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write corrected articles below DIR; - prints one to stdout."),
    ] = None,
    patch_mode: Annotated[
        PatchMode,
        typer.Option(
            help="Put translations in the captions' place, keep captions in brackets behind them (both), or translate "
            "nothing and mark captions with their language (tag)."
        ),
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
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a report too, one page for the browser.")
    ] = None,
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
    threads: Annotated[int, typer.Option(min=0, max=256, help="Translation workers; 0: one per core.")] = 0,
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

    if diff and patch:
        raise UsageError("--diff writes nothing: give --diff or --patch, not both")
    if not (patch or diff):
        refuse(
            context, "patch_mode", "translate_credits", because="changes the corrected article: give --patch or --diff"
        )
    if patch_mode is PatchMode.tag:
        refuse(context, "translate_credits", because="does nothing with --patch-mode tag, which changes no word")
    if patch in (None, "-"):
        refuse(context, "force", because="is for the files that --patch DIR overwrites: name a folder with --patch")
    if diff or patch == "-":
        instead = "--diff prints the corrections" if diff else "--patch - prints the corrected article"
        refuse(context, "format_", because=f"says how records are printed, but {instead} instead: leave one out")
    if report and report.suffix.lower() not in ("", ".html", ".htm"):
        raise UsageError(f"--report {report}: writes HTML: name a file in .html (aligner report writes other formats)")
    if report:
        from aligner.report.charts import require

        require()
    sources = expand(paths)
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
    if pipeline.glossary is not None:  # a malformed one is refused before anything is done
        remark_terms(pipeline.glossary)
    check_writable(report)
    mode: patching.Mode = patch_mode.value
    kept: list[Document] = []

    results = pipeline.run_all(stream)
    pairs: Iterator[Result]
    corrections = None
    if patch or diff:
        from aligner.cli.corrected import Corrections

        corrections = Corrections(sources, mode, force, translate_credits)
        pairs = corrections.write(results, patch) if patch else corrections.show(results)
    else:
        pairs = ((article, record) for _, article, record in results)
    if report or (patch and patch != "-"):
        outlast_reader()
    pairs = _remarked(_progress(pairs, sources))
    records = (record for _, record in pairs) if patch == "-" or diff else emit(pairs, format_)
    failed, _ = _finish(_kept(records, kept) if report else records)
    if pipeline.glossary is not None:
        remark_unmet(pipeline.glossary)
    if report:
        from aligner.report import write_report

        write_report(kept, report)
        say(f"wrote {report} ({size(report.stat().st_size)})")
    if corrections is not None:
        failed += corrections.failed
        if corrections.labels:
            left = count(corrections.labels, "label or credit", "labels and credits")
            say(f"{left} left in Spanish; --translate-credits puts them into English")
        if patch and patch != "-":
            files = count(corrections.written, "corrected file")
            say(f"wrote {files} to {Path(patch)}{os.sep}")
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
    pairs = ((article, record) for _, article, record in pipeline.run_all(stream))
    failed, captions = _finish(emit(_remarked(_progress(pairs, sources)), format_))
    raise typer.Exit(1 if failed or (fail_on_residue and captions) else 0)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(run)
    app.command()(find)
