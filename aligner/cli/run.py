"""``aligner run`` and ``aligner find``."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated

import typer

from aligner.errors import OutputError, UsageError
from aligner.records import Document

# Files that a folder argument stands for.
SUFFIXES = (".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml", ".docx")


class Format(StrEnum):
    """How records are printed."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    markdown = "markdown"


class PatchMode(Enum):
    """What stands in a caption's place in the corrected article."""

    replace = "replace"
    both = "both"
    tag = "tag"


Paths = Annotated[list[str], typer.Argument(metavar="PATH...", help="Documents, folders of documents, or - for stdin.")]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How records are printed.")]
FromOption = Annotated[str, typer.Option("--from", metavar="LANG", help="Language of the captions left over.")]
ToOption = Annotated[str, typer.Option("--to", metavar="LANG", help="Language of the article.")]


def expand(paths: Iterable[str]) -> list[str]:
    """Folders replaced by the documents below them, sorted; files and ``-`` as given.

    Raises:
        UsageError: a folder holds no document, or a path is named twice.
    """
    found: list[str] = []
    for path in paths:
        if path != "-" and Path(path).is_dir():
            below = sorted(str(p) for p in Path(path).rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            if not below:
                raise UsageError(
                    f"{path}: no documents in this folder (looked for {', '.join('*' + s for s in SUFFIXES)})"
                )
            found += below
        else:
            found.append(path)
    if found.count("-") > 1:
        raise UsageError("-: stdin can be read once only")
    return found


def patched_names(paths: list[str], folder: Path) -> dict[str, Path]:
    """Where each document's corrected form goes: its path below the documents' common folder.

    Raises:
        UsageError: two documents would be written to one file, or one onto itself.
    """
    real = {path: Path(path).resolve() for path in paths if path != "-"}
    root = os.path.commonpath([path.parent for path in real.values()]) if real else ""
    names: dict[str, Path] = {}
    origins: dict[Path, Path] = {}
    for path in paths:
        origin = real.get(path, Path("stdin.txt"))
        names[path] = target = folder / (origin.relative_to(root) if path in real else origin)
        if path in real and target.resolve() == origin:
            raise UsageError(f"{path}: --patch would write onto the document itself; name another folder")
        if origins.setdefault(target, origin) != origin:
            raise UsageError(f"{path} and {origins[target]} would both be written to {target}")
    return names


def write_atomically(target: Path, data: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    temporary = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise OutputError(f"{target}: cannot be written ({error.strerror}); choose a folder you may write to") from None


def _progress(items: Iterator[Document], total: int) -> Iterator[Document]:
    """A progress bar on stderr for long work on a terminal."""
    if total < 20 or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, total=total, description="documents", console=Console(stderr=True), transient=True)


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
    diff: Annotated[
        bool, typer.Option("--diff", help="Print the corrections as a unified diff; write nothing.")
    ] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a self-contained report.")] = None,
    source_language: FromOption = "es",
    target_language: ToOption = "en",
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Bundled name, local folder or hub id of a Marian model."),
    ] = None,
    engine: Annotated[str, typer.Option(help="ctranslate2 or transformers.")] = "ctranslate2",
    beam: Annotated[int, typer.Option(min=1, max=32, help="Beam width.")] = 4,
    threads: Annotated[int, typer.Option(min=0, help="Translation workers; 0: one per core.")] = 0,
) -> None:
    """Find, translate and link the captions of documents.

    Examples:

    * `aligner run article.txt`
    * `aligner run --patch corrected/ articles/`
    * `curl … | aligner run --format jsonl -`
    """
    from aligner import patch as patching
    from aligner.documents import Article
    from aligner.pipeline import Options, Pipeline

    sources = expand(paths)
    if diff and patch:
        raise UsageError("--diff writes nothing: give --diff or --patch, not both")
    if patch == "-" and len(sources) != 1:
        raise UsageError("--patch - prints one corrected article: give one document")
    targets = patched_names(sources, Path(patch)) if patch and patch != "-" else {}
    pipeline = Pipeline(
        Options(source_language, target_language, model=model, engine=engine, beam_size=beam, threads=threads)
    )
    mode: patching.Mode = patch_mode.value
    kept: list[Document] = []

    def records() -> Iterator[Document]:
        for path, (article, record) in zip(sources, pipeline.run_all(sources), strict=True):
            if article is not None:
                corrections(path, article, record)
            if report:
                kept.append(record)
            yield record

    def corrections(path: str, article: Article, record: Document) -> None:
        if patch == "-":
            sys.stdout.buffer.write(patching.patch(article, record, mode))
        elif patch:
            write_atomically(targets[path], patching.patch(article, record, mode))
        elif diff:
            sys.stdout.write(patching.diff(article, record, mode))

    stream = _progress(records(), len(sources))
    failed, _ = _finish(stream if patch == "-" or diff else emit(stream, format_))
    if report:
        from aligner.report import write_report

        write_report(kept, report)
    raise typer.Exit(1 if failed else 0)


def find(
    paths: Paths,
    format_: FormatOption = Format.table,
    fail_on_residue: Annotated[
        bool,
        typer.Option("--fail-on-residue", help="Exit 1 when a caption is found (for CI and pre-commit)."),
    ] = False,
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
    records = (record for _, record in pipeline.run_all(sources))
    failed, captions = _finish(emit(_progress(records, len(sources)), format_))
    raise typer.Exit(1 if failed or (fail_on_residue and captions) else 0)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(run)
    app.command()(find)
