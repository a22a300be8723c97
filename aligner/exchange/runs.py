"""Run files as exchange sees them: a unit per caption, with a key that survives other tools."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aligner import runs
from aligner.documents import Article, read
from aligner.errors import DocumentError, RecordError
from aligner.records import Caption, Document, parse_records

# Hex digits of a document's SHA-256 in a key: 64 bits tell any two documents of a run apart.
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Unit:
    """One caption of a run.

    Attributes:
        key: ``<first 16 hex digits of the document's SHA-256>-<caption id>``, with ``.2``, ``.3`` … before
            the hyphen for further copies of one document. An XML NMTOKEN: every format can carry it.
        index: position of the document in the run.
        document: its record.
        caption: the caption.
    """

    key: str
    index: int
    document: Document
    caption: Caption

    @property
    def text(self) -> str:
        """The translation; "" if there is none."""
        return self.caption.translation.text if self.caption.translation else ""

    @property
    def quality(self) -> float | None:
        """Mean probability per target token of the translation, in percent; None without a translation."""
        if self.caption.translation is None:
            return None
        return round(100 * math.exp(min(0.0, self.caption.translation.score)), 1)


def units(documents: Iterable[Document]) -> Iterator[Unit]:
    """The captions of a run, in order."""
    copies: Counter[str] = Counter()
    for index, document in enumerate(documents):
        if not document.captions:
            continue
        stem = document.sha256[:_DIGITS]
        copies[stem] += 1
        if copies[stem] > 1:
            stem = f"{stem}.{copies[stem]}"
        for caption in document.captions:
            yield Unit(f"{stem}-{caption.id}", index, document, caption)


def read_run(path: str | Path) -> list[Document]:
    """Reads a run: what ``aligner run --format jsonl`` (or ``--format json``) prints, or ``aligner batch`` writes.

    Args:
        path: the file or the batch's folder, see :func:`aligner.runs.read_bytes`; ``-`` for standard input.

    Raises:
        RecordError: it cannot be read, holds no record, or holds lines that are not records; all are listed.
    """
    name = str(path)
    try:
        data = sys.stdin.buffer.read() if name == "-" else runs.read_bytes(Path(path))
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise RecordError(
            f"{name}: cannot be read ({error.strerror}); name the output of aligner run --format jsonl"
        ) from None
    except UnicodeDecodeError as error:
        raise RecordError(
            f"{name}: not UTF-8 (byte {error.start}); name the output of aligner run --format jsonl"
        ) from None
    try:
        records, wrong = parse_records(text)
    except ValueError as error:
        raise RecordError(f"{name}: not JSON: {error}") from None
    if wrong:
        raise RecordError("\n".join(f"{name}: {kind} {n}: {cause}" for kind, n, cause in wrong))
    if not records:
        raise RecordError(f"{name}: holds no record; name the output of aligner run --format jsonl")
    return records


def dump_run(documents: Iterable[Document]) -> bytes:
    """A run file's bytes: JSON Lines, as ``aligner run --format jsonl`` prints them."""
    return "".join(document.to_json() + "\n" for document in documents).encode()


class Articles:
    """The documents that a run was made from, found again and checked against their records.

    Args:
        folder: where to look before the path that the record names; None to look there only.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def candidates(self, document: Document) -> list[Path]:
        """Paths where a document may be, likeliest first."""
        named = Path(document.document)
        if self.folder is None:
            return [named]
        # Longest tail first: two documents of one name in different folders must not be mixed up.
        tails: Sequence[str] = [part for part in named.parts if part not in (named.anchor, "..", ".")]
        return [self.folder.joinpath(*tails[i:]) for i in range(len(tails))] + [named]

    def read(self, document: Document) -> Article:
        """The article of a record, under the name that the record has for it.

        Raises:
            DocumentError: there is none, or only another version of it.
        """
        other = None
        for path in self.candidates(document):
            if not path.is_file():
                continue
            article = _article(path)
            if article.sha256 == document.sha256:
                return Article(
                    document.document,
                    article.data,
                    article.text,
                    article.encoding,
                    article.blocks,
                    article.format,
                )
            other = path
        if other is not None:
            raise DocumentError(f"{other}: changed since the run (SHA-256 differs); run it again")
        place = f"in {self.folder} or at its own path" if self.folder else "at this path"
        raise DocumentError(
            f"{document.document}: not found {place}; name its folder with --articles (a text out of JSON Lines, "
            "Parquet or an archive has no file of its own: its edits can be put into a run, but not into articles)"
        )


def _article(path: Path) -> Article:
    """The article in a file, also a compressed one."""
    if path.suffix.lower() not in (".gz", ".zst", ".zstd"):
        return read(path)
    from aligner.readers import read_sources

    return next(read_sources([str(path)])).article()
