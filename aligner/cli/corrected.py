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
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from aligner import patch as patching
from aligner.errors import AlignerError, DocumentError, ExistingFileError, OutputError, UsageError
from aligner.files import writing
from aligner.readers import Limits, column_edits, safe_output_name
from aligner.readers.sources import format_of
from aligner.readers.streams import open_stream
from aligner.show import count, place_of, put_text, say

if TYPE_CHECKING:
    from aligner.cli.run import Result
    from aligner.documents import Article
    from aligner.patch import Mode
    from aligner.readers import Item
    from aligner.records import Document

    Results: TypeAlias = Iterable[tuple[Item, Article | None, Document]]

_REFUSED = ("docx", "parquet", "warc")
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


class Corrections:
    """The corrected forms of a run's documents; a document that has none is named on stderr, and the run goes on.

    Args:
        sources: the names of what is read. Where it is one document, its error is raised.
        mode: see :func:`aligner.patch.edits`.
        force: whether files that are other than what is written may be overwritten.
        credits: see :func:`aligner.patch.edits`.

    Attributes:
        written: files written.
        failed: documents that could not be corrected.
        labels: labels and formulae of credits that were left in Spanish.
    """

    def __init__(self, sources: list[str], mode: Mode, force: bool = False, credits: bool = False) -> None:
        self.written = self.failed = self.labels = 0
        self._sources = sources
        self._mode = mode
        self._force = force
        self._credits = credits
        self._targets: dict[str, Path] = {}

    def show(self, results: Results) -> Iterator[Result]:
        """Prints every document's corrections as a diff, and hands on documents and records."""
        for _, article, record in results:
            if article is not None:
                with self._tolerant(UsageError, OutputError):
                    # What could not be decoded cannot be shown either.
                    rows = patching.diff(article, record, self._mode, credits=self._credits)
                    self._remark(article, record)
                    put_text(rows.encode("utf-8", "replace").decode())
            yield article, record

    def write(self, results: Results, folder: str) -> Iterator[Result]:
        """Writes the corrected form of every source that has one, and hands on documents and records.

        Args:
            results: of :meth:`aligner.pipeline.Pipeline.run_all` on the sources.
            folder: where the corrected files go; ``-`` for standard output.

        Raises:
            UsageError: no source has a corrected form, or two of them would be one file.
            OutputError: a file cannot be written.
        """
        refused = {name: format for name in self._sources if (format := format_of(name)) in _REFUSED}
        if len(refused) == len(self._sources):
            raise UsageError("; ".join(map(_refusal, refused.items())))
        if folder == "-" and len(self._sources) != 1:
            raise UsageError("--patch - prints one corrected article: give one document")
        kept = [name for name in self._sources if name not in refused]
        self._targets = patched_names(kept, Path(folder)) if folder != "-" else {}
        return self._written(results, refused)

    def _written(self, results: Results, refused: dict[str, str]) -> Iterator[Result]:
        for _, group in groupby(results, key=lambda result: result[0].position.number):
            first = next(group)
            place = first[0].position
            if place.source in refused:
                self._refuse(UsageError(_refusal((place.source, refused[place.source]))))
                yield from ((article, record) for _, article, record in chain((first,), group))
            elif place.last and first[0].line is None:
                _, article, record = first
                if article is not None:
                    data = None
                    with self._tolerant(UsageError, OutputError):
                        data = patching.patch(article, record, self._mode, credits=self._credits)
                        self._remark(article, record)
                    if data is not None:
                        with self._tolerant(ExistingFileError):
                            with self._file(place.source) as file:
                                file.write(data)
                            self.written += 1
                yield article, record
            else:
                # Where a source breaks off, its last record says so.
                with contextlib.suppress(DocumentError), self._tolerant(ExistingFileError):
                    with self._file(place.source) as file:
                        yield from self._lines(chain((first,), group), place.source, file)  # noqa: B031 (the rest)
                    self.written += 1

    def _lines(self, results: Results, name: str, file: BinaryIO) -> Iterator[Result]:
        """Writes JSON Lines with corrected texts."""
        if name == "-":
            raise UsageError("-: JSON Lines are read twice to be corrected: give a file")
        with contextlib.closing(open_stream(name, Limits().ratio)) as source:
            copy = patching.LinePatcher(source, file)
            for item, article, record in results:
                if article is not None:
                    if item.line is None or item.column is None:
                        raise UsageError(f"{name}: --patch cannot write archives; {_TAKEN}")
                    with self._tolerant(UsageError, OutputError, several=True):
                        changes = patching.edits(article, record, self._mode, credits=self._credits)
                        self._remark(article, record)
                        # A byte-order mark of the text is no part of the article's.
                        mark = int(article.encoding == "utf-8-sig")
                        changes = [replace(edit, start=edit.start + mark, end=edit.end + mark) for edit in changes]
                        if changes:
                            copy.change(item.position.index, item.line, column_edits(item.line, item.column, changes))
                yield article, record
                if item.fatal:
                    raise DocumentError(record.error)
            copy.finish()

    def _remark(self, article: Article, record: Document) -> None:
        """Says which captions carry no tag, and counts labels that stay as they are."""
        if self._mode == "tag":
            if left := patching.untaggable(article, record):
                places = ", ".join(f"line {c.line}" + (f" ({p})" if (p := place_of(c, article)) else "") for c in left)
                of = f"{len(left)} of {count(len(record.captions), 'caption')}"
                say(f"{article.name}: {of} cannot carry a language tag where they stand: {places}")
        elif not self._credits:
            self.labels += len(patching.credit_edits(article, record))

    def _file(self, source: str) -> contextlib.AbstractContextManager[BinaryIO]:
        if not self._targets:
            return contextlib.nullcontext(sys.stdout.buffer)
        return writing(self._targets[source], self._force)

    @contextlib.contextmanager
    def _tolerant(self, *kinds: type[AlignerError], several: bool = False) -> Iterator[None]:
        """Takes note of a document that cannot be corrected where there are others."""
        try:
            yield
        except kinds as error:
            if not several and len(self._sources) == 1:
                raise
            self._refuse(error)

    def _refuse(self, error: AlignerError) -> None:
        self.failed += 1
        say(error)


def _refusal(source: tuple[str, str]) -> str:
    return f"{source[0]}: --patch cannot write {source[1]}; {_TAKEN}"
