"""Corrected documents on their way to files: each whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from aligner import patch as patching
from aligner.cli.run import writing
from aligner.errors import DocumentError, UsageError
from aligner.readers import Limits, column_edits, safe_output_name
from aligner.readers.sources import format_of
from aligner.readers.streams import open_stream

if TYPE_CHECKING:
    from aligner.documents import Article
    from aligner.patch import Mode
    from aligner.readers import Item
    from aligner.records import Document

_TAKEN = "it writes text, Markdown, HTML and JSON Lines"


def patched_names(paths: list[str], folder: Path) -> dict[str, Path]:
    """Where each document's corrected form goes: its path below the documents' common folder, decompressed.

    A name with control characters is written as :func:`aligner.readers.safe_output_name` writes it.

    Raises:
        UsageError: two documents would be written to one file, or one onto itself.
    """
    real = {path: Path(path).resolve() for path in paths if path != "-" and "://" not in path}
    root = os.path.commonpath([path.parent for path in real.values()]) if real else ""
    names: dict[str, Path] = {}
    origins: dict[Path, Path] = {}
    for path in paths:
        origin = real.get(path, Path(path))
        name = "stdin.txt" if path == "-" else str(origin.relative_to(root)) if path in real else path
        name = re.sub(r"(?i)(?<=.)\.(?:gz|zst|zstd)$", "", name)
        names[path] = target = folder / (name if name.isprintable() and "://" not in name else safe_output_name(name))
        if path in real and target.resolve() == origin:
            raise UsageError(f"{path}: --patch would write onto the document itself; name another folder")
        if origins.setdefault(target, origin) != origin:
            raise UsageError(f"{path} and {origins[target]} would both be written to {target}")
    return names


def corrected(
    results: Iterable[tuple[Item, Article | None, Document]], sources: list[str], folder: str, mode: Mode
) -> Iterator[Document]:
    """Writes the corrected form of every source that could be read, and hands on the records.

    Args:
        results: of :meth:`aligner.pipeline.Pipeline.run_all` on the sources.
        sources: their names.
        folder: where the corrected files go; ``-`` for standard output.
        mode: see :func:`aligner.patch.edits`.

    Raises:
        UsageError: a source's format has no corrected form, or two of them would be one file.
        OutputError: a file cannot be written.
    """
    for name in sources:
        if (format := format_of(name)) in ("docx", "parquet", "warc"):
            raise UsageError(f"{name}: --patch cannot write {format}; {_TAKEN}")
    if folder == "-" and len(sources) != 1:
        raise UsageError("--patch - prints one corrected article: give one document")
    targets = patched_names(sources, Path(folder)) if folder != "-" else {}
    return _written(results, targets, mode)


def _written(
    results: Iterable[tuple[Item, Article | None, Document]], targets: dict[str, Path], mode: Mode
) -> Iterator[Document]:
    for _, group in groupby(results, key=lambda result: result[0].position.number):
        first = next(group)
        place = first[0].position
        if place.last and first[0].line is None:
            _, article, record = first
            if article is not None:
                with _file(targets, place.source) as file:
                    file.write(patching.patch(article, record, mode))
            yield record
        else:
            # Where a source breaks off, its last record says so.
            with contextlib.suppress(DocumentError), _file(targets, place.source) as file:
                yield from _lines(chain((first,), group), place.source, file, mode)  # noqa: B031 (the rest)


def _lines(
    results: Iterable[tuple[Item, Article | None, Document]], name: str, file: BinaryIO, mode: Mode
) -> Iterator[Document]:
    """Writes JSON Lines with corrected texts."""
    if name == "-":
        raise UsageError("-: JSON Lines are read twice to be corrected: give a file")
    with contextlib.closing(open_stream(name, Limits().ratio)) as source:
        copy = patching.LinePatcher(source, file)
        for item, article, record in results:
            if article is not None:
                if item.line is None or item.column is None:
                    raise UsageError(f"{name}: --patch cannot write archives; {_TAKEN}")
                changes = patching.edits(article, record, mode)
                # A byte-order mark of the text is no part of the article's.
                mark = int(article.encoding == "utf-8-sig")
                changes = [replace(edit, start=edit.start + mark, end=edit.end + mark) for edit in changes]
                if changes:
                    copy.change(item.position.index, item.line, column_edits(item.line, item.column, changes))
            yield record
            if item.fatal:
                raise DocumentError(record.error)
        copy.finish()


def _file(targets: dict[str, Path], source: str) -> contextlib.AbstractContextManager[BinaryIO]:
    return writing(targets[source]) if targets else contextlib.nullcontext(sys.stdout.buffer)
