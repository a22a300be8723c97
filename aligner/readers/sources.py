"""Streams of documents: files, folders, patterns, lists, standard input, URLs and archives of many documents.

A stream never raises for what it reads: a document that cannot be read is an item with ``error`` set, and
where a whole source breaks off, its last item says where (``fatal``) and the stream goes on with the next
source.
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import orjson

from aligner.documents import Article, Edit
from aligner.errors import AlignerError, DocumentError, UsageError, install
from aligner.pickled import by_values
from aligner.readers.streams import Gunzip, Plain, Reader, filesystem, is_remote, lines, open_stream, read_all

if TYPE_CHECKING:
    from aligner.readers.names import SeenIds

FORMATS: dict[str, str] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mkd": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".warc": "warc",
    ".wet": "warc",
}
"""Formats by file extension; ``.gz`` and ``.zst`` may follow it."""
MANY = ("jsonl", "parquet", "warc")
"""Formats that hold many documents."""
_COMPRESSED = (".gz", ".zst", ".zstd")
_TEXT_COLUMNS = ("text", "html", "content", "body", "article")
_ID_COLUMNS = ("id", "doc_id", "document", "url", "uri")
_HTML = re.compile(r"(?i)\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html|head|body)\b", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stream takes before it calls a document or a source too large.

    Attributes:
        document_bytes: of one document, decompressed.
        ratio: decompressed bytes per compressed byte of one source, once it gave 16 MiB.
        items: documents of the whole stream; None for all.
        empty: whether a file without a byte in it is a document, and no mistake.
    """

    document_bytes: int = 64 << 20
    ratio: int = 200
    items: int | None = None
    empty: bool = False


@by_values
@dataclass(slots=True, unsafe_hash=True)
class Position:
    """Where a document stands in a stream; not to be changed, but frozen it would take three times as long to make.

    Attributes:
        number: of its source, 0-based, in the order of the stream.
        source: path or URL of the source.
        index: of the document in its source; rises, but not always by one.
        offset: byte of the source's file at which reading can begin to get this document; None for the
            beginning.
        last: whether nothing of its source follows.
    """

    number: int
    source: str
    index: int
    offset: int | None = None
    last: bool = False


@by_values
@dataclass(slots=True, unsafe_hash=True)
class Item:
    """A document of a stream, or what became of it; not to be changed, as :class:`Position`.

    Attributes:
        document: its id: path, URL, value of the id column, or source and line.
        data: its bytes; of a column's text, its UTF-8.
        format: ``text``, ``markdown``, ``html`` or ``docx``.
        position: where it stands.
        charset: its encoding, where something outside of it says so (HTTP header).
        line: the line of JSON Lines that it stands in, as it is, without the line feed; for
            :func:`column_edits`.
        column: the column of its text.
        error: why it cannot be read; None if it can.
        fatal: whether the source breaks off here.
    """

    document: str
    data: bytes
    format: str
    position: Position
    charset: str | None = None
    line: bytes | None = field(default=None, repr=False)
    column: str | None = None
    error: str | None = None
    fatal: bool = False

    def article(self) -> Article:
        """The document, decoded and cut into blocks.

        Raises:
            DocumentError: it cannot be read.
        """
        from aligner.readers import parse

        if self.error is not None:
            raise DocumentError(self.error)
        return parse(self.data, self.document, self.format, self.charset)


class Skipped(Counter[str]):
    """How many files or records were passed over, by reason.

    Attributes:
        examples: names of the first few, by reason.
    """

    def __init__(self) -> None:
        super().__init__()
        self.examples: dict[str, list[str]] = {}

    def leave(self, what: str, name: str) -> None:
        """Counts one that has a name."""
        self[what] += 1
        examples = self.examples.setdefault(what, [])
        if len(examples) < 3:
            examples.append(name)

    def lines(self) -> Iterator[str]:
        """For a person, a line for each reason."""
        for what, number in self.items():
            named = ", ".join(self.examples.get(what, ()))
            yield f"{what} in the folders, left out: {number:,} ({named}{', …' if number > 3 else ''})"


class Stream(Iterator[Item]):
    """The documents of some sources, in order.

    Attributes:
        skipped: what was passed over because it is no document, by reason: files of other formats in a
            folder, records of an archive that are not pages.
    """

    def __init__(self, items: Iterator[Item], skipped: Skipped) -> None:
        self.skipped = skipped
        self._items = items

    def __next__(self) -> Item:
        return next(self._items)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How sources are read.

    Attributes:
        format: of the files, where their names and first bytes do not say.
        text_column: column of JSON Lines or Parquet that holds the text or HTML; by default the first of
            ``text``, ``html``, ``content``, ``body``, ``article`` that is there.
        id_column: column of the document's id; by default the first of ``id``, ``doc_id``, ``document``,
            ``url``, ``uri``, else the place in the source.
        limits: see :class:`Limits`.
        after: the position of the last document that is done; the stream begins with the one behind it.
        seen: the ids so far; a document whose id was seen before at another place is then an error.
        first: number of the first source.
        keep_lines: whether items of JSON Lines have their line, which is needed to write it anew.

    Raises:
        UsageError: the format is unknown.
    """

    format: str | None = None
    text_column: str | None = None
    id_column: str | None = None
    limits: Limits = Limits()
    after: Position | None = None
    seen: SeenIds | None = None
    first: int = 0
    keep_lines: bool = True

    def __post_init__(self) -> None:
        check_format(self.format)


def open_source(spec: str | Path | Iterable[str | Path], options: SourceOptions | None = None) -> Stream:
    """The documents of one source or several.

    Args:
        spec: a file of any format, a folder (all documents in it, sorted, but ``gold.jsonl``), a pattern
            (``crawl/**/*.warc.gz``), a list of such (``@list.txt``), ``-`` for standard input, a URL that
            fsspec opens (``s3://bucket/*.jsonl.zst``), or several of these.
        options: see :class:`SourceOptions`.

    Raises:
        UsageError: a path, pattern or folder that has no documents, or ``options.after`` does not fit the sources.
    """
    specs = [spec] if isinstance(spec, str | Path) else list(spec)
    skipped = Skipped()
    # A path that is not there is the caller's mistake: found now, before anything is done.
    sources = [sources_of(str(one), skipped) for one in specs]
    return read_sources(chain.from_iterable(sources), options, skipped)


def read_sources(names: Iterable[str], options: SourceOptions | None = None, skipped: Skipped | None = None) -> Stream:
    """The documents of files and URLs that :func:`sources_of` named; one that is not there gives an item that says so.

    Arguments and errors are those of :func:`open_source`; ``skipped`` goes on counting in the stream's.
    """
    skipped = Skipped() if skipped is None else skipped
    return Stream(_Reading(options or SourceOptions(), skipped).items(iter(names)), skipped)


def check_format(format: str | None) -> None:
    """Nothing, if a format is known or None.

    Raises:
        UsageError: it is not.
    """
    if format is not None and format not in FORMATS.values():
        raise UsageError(f"unknown format {format!r}; the formats are {', '.join(sorted(set(FORMATS.values())))}")


def sources_of(spec: str, skipped: Skipped | None = None) -> Iterator[str]:
    """The files and URLs that a spec of :func:`open_source` stands for, in order; the first is looked up at once.

    Args:
        spec: file, folder, pattern, ``@list``, ``-`` or URL.
        skipped: counts the files in folders that are no documents.

    Raises:
        UsageError: there is nothing.
    """
    skipped = Skipped() if skipped is None else skipped
    sources = _expand(spec, skipped)
    try:
        return chain((next(sources),), sources)
    except StopIteration:
        raise UsageError(f"{spec}: no documents there; the extensions known are {', '.join(FORMATS)}") from None
    except OSError as error:
        raise UsageError(f"{spec}: cannot be read: {error.strerror or error}") from None


def _expand(spec: str, skipped: Skipped) -> Iterator[str]:
    if spec == "-":
        yield spec
    elif spec.startswith("@"):
        yield from _listed(spec[1:], skipped)
    elif is_remote(spec):
        yield from _remote(spec, skipped)
    elif os.path.isdir(spec):  # noqa: PTH112 (a str may hold what a Path would refuse)
        yield from _walk(spec, skipped)
    elif os.path.lexists(spec):
        yield spec
    elif glob.has_magic(spec):
        for path in sorted(glob.iglob(spec, recursive=True)):  # noqa: PTH207 (ditto)
            if os.path.isfile(path):  # noqa: PTH113
                yield path
    else:
        raise UsageError(f"{spec!r}: no such file, folder or pattern; check the path")


def _listed(name: str, skipped: Skipped) -> Iterator[str]:
    """The sources that a list names, a line each; what is not there is found when its turn comes."""
    try:
        stream = open_stream(name, Limits().ratio)
    except OSError as error:
        raise UsageError(f"@{name}: the list cannot be read: {error.strerror or error}") from None
    for _, _, line, _ in lines(stream, 1 << 16):
        spec = os.fsdecode(line or b"").strip()
        if "\0" in spec:
            raise UsageError(f"@{name}: holds a zero byte: no list of names, one in each line")
        if not spec:
            continue
        if spec.startswith("@") or spec == "-":
            yield spec  # no lists in lists: an error when it is opened
        else:
            try:
                yield from _expand(spec, skipped)
            except UsageError:
                yield spec
    stream.close()


_GOLD = "gold.jsonl"
"""What :mod:`aligner.scoring` knows about the documents beside it."""


def _walk(folder: str, skipped: Skipped) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(((e.name, e.is_dir(follow_symlinks=False)) for e in found), key=lambda e: os.fsencode(e[0]))
    for name, is_folder in entries:
        path = os.path.join(folder, name)  # noqa: PTH118
        if name.startswith("."):
            continue
        if is_folder:
            yield from _walk(path, skipped)
        elif name == _GOLD:
            skipped.leave("gold sets, which are no articles,", path)
        elif format_of(name):
            yield path
        else:
            skipped.leave("files of other formats", path)


def _remote(url: str, skipped: Skipped) -> Iterator[str]:
    store: Any = filesystem(url)
    scheme = url.split("://", 1)[0] + "://"
    try:
        if glob.has_magic(url):
            found = store.glob(url)
        elif store.isdir(url):
            found = [name for name in store.find(url) if format_of(name)]
        else:
            yield url
            return
    except Exception as error:
        raise UsageError(f"{url}: cannot be listed: {error}") from None
    for name in sorted(found):
        yield name if "://" in name else scheme + name.lstrip("/" if scheme != "file://" else "")


def format_of(name: str) -> str | None:
    """Format by the extension of a file name, before ``.gz`` or ``.zst``; None if it says nothing."""
    stem = name.lower()
    for ending in _COMPRESSED:
        stem = stem.removesuffix(ending)
    return FORMATS.get(os.path.splitext(stem)[1])  # noqa: PTH122


def place_of(source: str, index: int, format: str | None = None) -> str:
    """Where a document stands, for a person: its source, and in one that holds many the line or the number, 1-based.

    Args:
        source: path or URL.
        index: see :attr:`Position.index`.
        format: of the source, where its name does not say.
    """
    format = format or format_of(source)
    if format not in MANY and not index:
        return source
    return f"{source}, {'line' if format == 'jsonl' else 'document'} {index + 1:,}"


@dataclass(slots=True)
class _Source:
    """A source as its reader sees it."""

    number: int
    name: str
    offset: int | None = None
    index: int = 0  # of the first document to give

    def at(self, index: int, offset: int | None = None) -> Position:
        return Position(self.number, self.name, index, offset)

    def broken(self, index: int, error: str) -> Item:
        """The last item of a source that breaks off."""
        place = replace(self.at(index), last=True)
        return Item(f"{self.name}#{index}" if index else self.name, b"", "", place, error=error, fatal=True)


@dataclass(slots=True)
class _Reading:
    """A stream's options, and the readers of its formats."""

    options: SourceOptions
    skipped: Skipped
    names: list[str] = field(default_factory=list)  # of the sources so far, where ids are looked up

    def items(self, sources: Iterator[str]) -> Iterator[Item]:
        """All items of the sources, from the one after ``after``."""
        left = self.options.limits.items
        after = self.options.after
        for number, name in enumerate(sources, self.options.first):
            source = _Source(number, name)
            if self.options.seen is not None:
                self.names.append(name)
            if after is not None and number <= after.number:
                if number < after.number:
                    continue
                if after.last and name == after.source:
                    continue
                if name != after.source:
                    raise UsageError(
                        f"the inputs changed: source {number} is {name!r}, was {after.source!r}; start anew"
                    )
                source.offset, source.index = after.offset, after.index + 1
            for item in self._source(source):
                if item.position.index < source.index:
                    continue
                if left is not None:
                    if left <= 0:
                        return
                    left -= 1
                yield self._unique(item)

    def _unique(self, item: Item) -> Item:
        if self.options.seen is None or item.fatal:
            return item
        here = item.position.number, item.position.index
        first = self.options.seen.first(item.document, *here)
        if first == here or item.error is not None:
            return item
        number = first[0] - self.options.first
        known = 0 <= number < len(self.names)
        where = place_of(self.names[number], first[1], self.options.format) if known else f"source {first[0] + 1:,}"
        error = f"{item.document}: the id was seen before ({where}); ids must differ"
        return replace(item, error=error)

    def _source(self, source: _Source) -> Iterator[Item]:
        """The items of one source; whatever goes wrong with it is its last item."""
        last = -1
        try:
            for item in self._read(source):
                last = item.position.index
                yield item
        except Exception as error:
            reason = str(error)
            if not isinstance(error, AlignerError):
                # The stores behind fsspec have errors of their own kinds.
                if not (isinstance(error, OSError) or is_remote(source.name)):
                    raise
                if isinstance(error, FileNotFoundError):
                    reason = f"{source.name}: no such file; check the path"
                else:
                    reason = f"{source.name}: cannot be read: {getattr(error, 'strerror', None) or error}"
            yield source.broken(max(last + 1, source.index), reason)

    def _read(self, source: _Source) -> Iterator[Item]:
        name = source.name
        if name.startswith("@"):
            raise UsageError(f"{name}: a list within a list; name the files themselves")
        stream = open_stream(name, self.options.limits.ratio, source.offset or 0)
        try:
            format = self.options.format or format_of(name)
            if format is None:
                format, stream = _sniff(stream, name)
            reader = {"jsonl": self._jsonl, "parquet": self._parquet, "warc": self._warc}.get(format)
            if reader is not None:
                yield from reader(source, stream)
            else:
                yield self._single(source, stream, format)
        finally:
            if name != "-":
                stream.close()

    def _single(self, source: _Source, stream: Reader, format: str) -> Item:
        data = read_all(stream, self.options.limits.document_bytes)
        error = None
        if data is None:
            error = (
                f"{source.name}: larger than the limit of {self.options.limits.document_bytes:,} bytes for a document"
            )
        elif not data and not self.options.limits.empty:
            error = f"{source.name}: the file is empty"
        return Item(source.name, data or b"", format, replace(source.at(0), last=True), error=error)

    # --- JSON Lines

    def _jsonl(self, source: _Source, stream: Reader) -> Iterator[Item]:
        limit = self.options.limits.document_bytes
        first, base = (0, 0) if source.offset is None else (source.index - 1, source.offset)
        plain = isinstance(stream, Plain)
        # The columns are those of the first object, also where reading begins further down.
        columns = self._first_columns(source.name) if source.offset else None
        empty = source.offset is None
        for number, offset, line, size in lines(stream, limit):
            empty = False
            place = source.at(first + number, base + offset if plain else None)
            done = place.index < source.index
            if done and columns:
                continue
            if done and (line is None or _object(line)[0] is None):
                continue
            if line is None:
                yield self._bad(place, f"the line is {size:,} bytes long; the limit for a document is {limit:,}")
                continue
            record, problem = _object(line)
            if record is None:
                yield self._bad(place, problem)
                continue
            if columns is None:
                columns = self._columns(source.name, list(record))
            if not done:
                yield self._record(place, record, line if self.options.keep_lines else None, *columns)
        if empty:
            raise DocumentError(f"{source.name}: the file is empty")

    def _first_columns(self, name: str) -> tuple[str, str | None] | None:
        stream = open_stream(name, self.options.limits.ratio)
        try:
            for _, _, line, _ in lines(stream, self.options.limits.document_bytes):
                if line is not None and (record := _object(line)[0]) is not None:
                    return self._columns(name, list(record))
        finally:
            stream.close()
        return None

    def _bad(self, place: Position, problem: str, document: str = "") -> Item:
        where = f"{place.source}, line {place.index + 1}"
        return Item(document or f"{place.source}#{place.index}", b"", "", place, error=f"{where}: {problem}")

    def _columns(self, name: str, present: list[str]) -> tuple[str, str | None]:
        """The text column and the id column, from what is there."""
        text = self.options.text_column or next((c for c in _TEXT_COLUMNS if c in present), None)
        identifier = self.options.id_column or next((c for c in _ID_COLUMNS if c in present), None)
        if text is None and {"schema", "captions"} <= set(present):
            raise DocumentError(f"{name}: {_RUN}")
        for column, option in ((text, "text"), (identifier if self.options.id_column else "", "id")):
            if column is None or (column and column not in present):
                shown = ", ".join(present[:20]) + (", …" if len(present) > 20 else "") or "none"
                named = f" {column!r}" if column else ""
                raise DocumentError(
                    f"{name}: no {option} column{named}; the columns are: {shown}; name one with --{option}-column"
                )
        return cast(str, text), identifier

    def _record(
        self, place: Position, record: dict[str, Any], line: bytes | None, text: str, identifier: str | None
    ) -> Item:
        value = record.get(identifier) if identifier else None
        document = f"{place.source}#{place.index}"
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            document = str(value)
        elif self.options.id_column:
            return self._bad(place, f"column {identifier!r} has no id")
        content = record.get(text)
        if isinstance(content, bytes):
            data, charset = content, None
            shown = content[:1000].decode("utf-8", "replace")
        elif isinstance(content, str):
            charset, shown = "utf-8", content[:1000]
            try:
                data = content.encode()
            except UnicodeEncodeError:  # half a surrogate pair
                data = _LONE.sub("\ufffd", content).encode()
        else:
            kind = "is missing" if content is None else f"is no text but {type(content).__name__}"
            return self._bad(place, f"column {text!r} {kind}", document)
        if len(data) > self.options.limits.document_bytes:
            limit = self.options.limits.document_bytes
            return self._bad(place, f"the text is {len(data):,} bytes long; the limit is {limit:,}", document)
        html = "html" in text.lower() or _HTML.match(shown) is not None
        return Item(document, data, "html" if html else "text", place, charset, line, text)

    # --- Parquet

    def _parquet(self, source: _Source, stream: Reader) -> Iterator[Item]:
        try:
            import pyarrow as arrow
            import pyarrow.parquet as parquet
        except ImportError:
            raise UsageError(f"{source.name}: Parquet needs pyarrow: {install('parquet')}") from None
        file = _seekable(source.name, stream)
        try:
            table = parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
            names = list(table.schema_arrow.names)
            text, identifier = self._columns(source.name, names)
            wanted = [text] if identifier is None or identifier == text else [text, identifier]
            index = 0
            for group in range(table.num_row_groups):
                end = index + table.metadata.row_group(group).num_rows
                if index <= end <= source.index:
                    index = end
                    continue
                for batch in table.iter_batches(32, row_groups=[group], columns=wanted, use_threads=False):
                    # Where reading may go on later hangs on these numbers.
                    if index + batch.num_rows > end:
                        raise ValueError(f"row group {group} has more rows than the footer says")
                    for record in batch.to_pylist():
                        if index >= source.index:
                            yield self._record(source.at(index), record, None, text, identifier)
                        index += 1
                if index != end:
                    raise ValueError(f"row group {group} has fewer rows than the footer says")
        except (arrow.ArrowException, ValueError, OverflowError) as error:
            reason = str(error).strip().splitlines()[0]
            raise DocumentError(f"{source.name}: not a readable Parquet file: {reason}") from None
        finally:
            file.close()

    # --- WARC

    def _warc(self, source: _Source, stream: Reader) -> Iterator[Item]:
        from aligner.readers import warc

        limit = self.options.limits.document_bytes
        first = 0 if source.offset is None else source.index - 1
        for page in warc.pages(stream, source.name, first, source.index, limit, self.skipped):
            if isinstance(stream, Gunzip):
                offset = stream.member_at(page.offset)
            else:
                offset = (source.offset or 0) + page.offset if isinstance(stream, Plain) else None
            place = source.at(page.index, offset)
            yield Item(page.url, page.data, page.format, place, page.charset, error=page.error)


_RUN = (
    "the records of a run, not documents; aligner report, score, export and review take them as JSON Lines; name the "
    "articles to run them"
)
_LONE = re.compile("[\ud800-\udfff]")


def _object(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """The object of a line of JSON Lines, or what is wrong with it."""
    try:
        record = orjson.loads(line)
    except ValueError:
        try:
            record = json.loads(line.decode("utf-8-sig"))  # takes a byte-order mark, NaN and lone surrogates
        except UnicodeDecodeError as error:
            return None, f"invalid UTF-8: byte 0x{line[error.start]:02x} at byte {error.start} of the line"
        except RecursionError:
            return None, "the JSON is nested too deep"
        except ValueError as error:
            return None, f"not JSON: {error}"
    if not isinstance(record, dict):
        return None, f"a JSON {_JSON_KINDS.get(type(record), 'value')}, not an object"
    return record, ""


_JSON_KINDS = {
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def _sniff(stream: Reader, name: str) -> tuple[str, Reader]:
    """The format that the first bytes of a stream look like, and the stream from its beginning.

    Raises:
        DocumentError: they look like JSON that is not JSON Lines.
    """
    head = b""
    while len(head) < 4096 and (data := stream.read(4096 - len(head))):
        head += data
    again = _Unread(head, stream)
    if head.startswith(b"WARC/"):
        return "warc", again
    if head.startswith(b"PAR1"):
        return "parquet", again
    if head.startswith(b"PK\x03\x04"):
        return "docx", again
    if head.lstrip().startswith(b'{"'):
        return "jsonl", again
    if re.match(rb'(?:\s*\[)?\s*\{\s*"[^"]*"\s*:', head):
        if b'"schema": "aligner/' in head:
            raise DocumentError(f"{name}: {_RUN}")
        raise DocumentError(f"{name}: JSON, but not JSON Lines; write one object in each line (jq -c '.[]')")
    return ("html" if _HTML.match(head.decode("utf-8", "replace")) else "text"), again


class _Unread:
    """A stream of which the first bytes were looked at."""

    def __init__(self, head: bytes, stream: Reader) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        """See :class:`~aligner.readers.streams.Reader`."""
        if self._head:
            data = self._head if size < 0 else self._head[:size]
            self._head = self._head[len(data) :]
            return data
        return self._stream.read(size)

    def tell(self) -> int:
        """See :class:`~aligner.readers.streams.Reader`."""
        return self._stream.tell() - len(self._head)

    def close(self) -> None:
        """See :class:`~aligner.readers.streams.Reader`."""
        self._stream.close()


def _seekable(name: str, stream: Reader) -> BinaryIO:
    """A file in which one can seek, with what the stream gives: the file itself where it is one."""
    if isinstance(stream, Plain) and name != "-" and not is_remote(name):
        return cast(BinaryIO, open(name, "rb"))  # noqa: PTH123 (the caller closes it)
    import tempfile

    copy = tempfile.SpooledTemporaryFile(max_size=64 << 20)  # noqa: SIM115 (ditto)
    try:
        while data := stream.read(1 << 18):
            copy.write(data)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return cast(BinaryIO, copy)


def column_edits(line: bytes, column: str, changes: Sequence[Edit]) -> list[Edit]:
    """Changes of a line of JSON Lines that make changes of the text in one column, every other byte as it was.

    Args:
        line: a JSON object, as :attr:`Item.line`.
        column: key of the object.
        changes: of the text that the column holds, in its order.

    Returns:
        The same changes of ``line.decode()``, in its order.

    Raises:
        DocumentError: the line has no such column with that text.
    """
    from aligner.readers.strings import json_objects

    source = line.decode("utf-8")
    found = None
    for item in json_objects(source, 0, len(source)):
        if item.depth == 0:
            spans = [span for key, spans in item.strings.items() if _key(key) == column for span in spans]
            found = spans[-1] if spans else None
    if found is None:
        raise DocumentError(f"the line has no text in column {column!r}")
    start, end = found
    # An escape is one code point of the text.
    escapes = [(match.start() - start, len(match[0]) - 1) for match in _ESCAPE.finditer(source, start, end)]
    shift, at = start, 0
    made = []

    def raw(offset: int) -> int:
        nonlocal shift, at
        while at < len(escapes) and escapes[at][0] + start < offset + shift:
            shift += escapes[at][1]
            at += 1
        return offset + shift

    for change in changes:
        first, last = raw(change.start), raw(change.end)
        old = source[first:last]
        if _LONE.sub("\ufffd", _key(old)) != change.old:
            raise DocumentError(f"column {column!r} does not read {change.old!r} where it should")
        made.append(Edit(first, last, old, json.dumps(change.new, ensure_ascii=line.isascii())[1:-1]))
    return made


_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)


def _key(raw: str) -> str:
    if "\\" not in raw:
        return raw
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw
