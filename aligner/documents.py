"""Articles: bytes in, text with offsets out, and the same bytes back again.

Plain text and Markdown are read here; other formats (HTML, DOCX, ...) by :mod:`aligner.readers`, which is
imported only when one of them comes.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aligner.errors import DocumentError

if TYPE_CHECKING:
    from aligner.readers.strings import Offsets

Role = Literal["line", "body", "heading", "caption", "credit", "alt"]


@dataclass(slots=True, unsafe_hash=True)
class Block:
    """A stretch of an article that the finder looks at as a whole: a line of plain text, a figcaption.

    Not to be changed; frozen it would take three times as long to make, a tenth of all that an article's body text
    costs.

    Attributes:
        text: the block's text, without its line terminator and without markup.
        line: 1-based line where it starts.
        start: offset of the block in ``Article.text``.
        end: offset just after it.
        role: what the format says the block is; ``line`` where the format says nothing (plain text).
        offsets: for every code point of ``text``, and one past the last, its offset in ``Article.text``;
            None where that is simply ``start + i``.
        quoted: whether it is a quotation set off from the article's own text.
    """

    text: str
    line: int
    start: int
    end: int
    role: Role = "line"
    offsets: Offsets | None = None
    quoted: bool = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in ``Article.text`` of ``text[start:end]`` (``start < end``)."""
        if self.offsets is None:
            return self.start + start, self.start + end
        first = self.offsets[start]
        return first, self.offsets.end(end - 1) if end > start else first


@dataclass(frozen=True, slots=True)
class Article:
    """A decoded document.

    Attributes:
        name: path or id, as given.
        data: the input bytes.
        text: ``data`` decoded; line terminators as they are; without the byte-order mark.
        encoding: Python codec name; "utf-8-sig" where a UTF-8 byte-order mark stands in front, "utf-16-le",
            "utf-16-be", "utf-32-le" or "utf-32-be" with or without one.
        blocks: the text in reading order.
        format: ``text``, ``markdown``, ``html``, …
        warnings: what of it could not be read, ``code: reason``.
    """

    name: str
    data: bytes
    text: str
    encoding: str
    blocks: tuple[Block, ...]
    format: str = "text"
    warnings: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of ``data``."""
        return hashlib.sha256(self.data).hexdigest()

    def block_at(self, start: int) -> Block | None:
        """The block of a text or Markdown document whose source an offset in ``text`` lies in; None between blocks."""
        at = bisect_right(self.blocks, start, key=attrgetter("end"))
        if at == len(self.blocks):
            return None
        block = self.blocks[at]
        # A stretch may begin with markup in front of its block's text.
        tags = getattr(block, "tags", ())
        return block if min(block.start, tags[0].start if tags else block.start) <= start else None

    def wording(self, start: int, end: int) -> str:
        """A stretch of ``text`` as a reader sees it: unescaped, unwrapped and without markup."""
        block = self.block_at(start)
        if block is None or block.offsets is None:
            return self.text[start:end]
        first, last = (bisect_left(block.offsets, offset) for offset in (start, end))
        return block.text[first:last]

    def encode(self, text: str) -> bytes:
        """``text`` in the encoding of this article, behind its byte-order mark: ``encode(text)`` is ``data``.

        Bytes that could not be decoded (lone surrogates, see :func:`aligner.readers.html.decode`) come out as they
        were.

        Raises:
            UnicodeEncodeError: the article's code page lacks a letter of ``text``.
        """
        mark = next((m for m, name in _WIDE_MARKS if name == self.encoding and self.data.startswith(m)), b"")
        return mark + text.encode(self.encoding, "surrogateescape")


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: ``text[start:end]``, which is ``old``, becomes ``new``."""

    start: int
    end: int
    old: str
    new: str


# UTF-32 before UTF-16: its little-endian mark starts with UTF-16's.
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = (
    (b"%PDF", "a PDF", "save its text first (pdftotext)"),
    (b"\x89PNG", "a PNG image", "give the article's text"),
    (b"\xff\xd8\xff", "a JPEG image", "give the article's text"),
    (b"GIF8", "a GIF image", "give the article's text"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it, or name it .docx if it is a Word document"),
    (b"\x1f\x8b", "gzip data", "unpack it first (gunzip)"),
    (b"\x28\xb5\x2f\xfd", "zstd data", "unpack it first (unzstd)"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save it as .docx or text"),
    (b"{\\rtf", "an RTF document", "save it as .docx or text"),
)
_FORMATS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mkd": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
}
# Bytes that plain text of any ASCII-based encoding does without.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1a\x1b")) + b"\x7f"
_SAMPLE = 1 << 20
# Single-byte code pages. Windows' comes first; the old Macintosh and DOS pages are taken only where they
# explain the bytes clearly better.
_CODE_PAGES = ("cp1252", "mac_roman", "cp850")
_LETTERS = "áéíóúüñçàèìòùâêîôûäëïößãõœÁÉÍÓÚÑÇÀÈÖÜÄ"
# What text of Western European languages writes with bytes above 127, and beside what.
_USUAL = re.compile(
    rf"(?<=[A-Za-z])[{_LETTERS}]|[{_LETTERS}](?=[A-Za-z])|[“«‘¿¡](?=\w)|(?<=[\w.,!?])[”»…’]|(?<![A-Za-z])[–—](?=\W)"
)


def read(source: str | Path) -> Article:
    """Reads a document from a file, or from standard input if ``source`` is ``-``.

    Raises:
        DocumentError: the file is missing, unreadable or binary, or its encoding is not understood.
    """
    name = str(source)
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"{name}: no such file; check the path") from None
    except IsADirectoryError:
        raise DocumentError(f"{name}: a folder, not a document; name the files in it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DocumentError(f"{name}: cannot be read: {reason}; check the path and its permissions") from None
    return from_bytes(data, name)


def from_text(text: str, name: str = "-", format: str = "text") -> Article:
    """An article from text in memory, kept as UTF-8.

    Raises:
        DocumentError: the text holds half a surrogate pair, which no encoding can carry.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise DocumentError(f"{name}: half a surrogate pair at offset {error.start}; decode the text anew") from None
    blocks, warnings = _blocks(text, format)
    return Article(name, data, text, "utf-8", blocks, format, warnings)


def from_bytes(data: bytes, name: str, format: str | None = None) -> Article:
    """An article from bytes in memory.

    Args:
        data: the document.
        name: path or id; its extension tells the format where ``format`` is None.
        format: ``text``, ``markdown``, or a format of :mod:`aligner.readers`.

    Raises:
        DocumentError: the bytes are binary, or not in an encoding that is understood.
    """
    if format is None:
        format = _FORMATS.get(Path(name).suffix.lower())
        if format is None:
            format = "html" if re.match(rb"(?i)\s*(<!doctype html|<html)", data[:512]) else "text"
    if format not in ("text", "markdown"):
        from aligner import readers

        return readers.parse(data, name, format)
    text, encoding = decode(data, name)
    blocks, warnings = _blocks(text, format)
    return Article(name, data, text, encoding, blocks, format, warnings)


def decode(data: bytes, name: str) -> tuple[str, str]:
    """Text and codec name of the bytes of a text file; the text has no byte-order mark.

    Encodings are tried from the one that excuses least: byte-order marks, UTF-8, UTF-16 without a mark (told
    by its zero bytes), then the single-byte code page whose letters look most like Western European text.

    Raises:
        DocumentError: binary data, broken UTF-8 or UTF-16.
    """
    for mark, what, remedy in _SIGNATURES:
        if data.startswith(mark):
            raise DocumentError(f"{name}: this is {what}, not text; {remedy}")
    for mark, encoding in _WIDE_MARKS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding, name), encoding
    if 0 in data:
        return _zeroed(data, name)
    sample = data[:_SAMPLE]
    if len(sample) - len(sample.translate(None, _CONTROLS)) > len(sample) // 100:
        raise DocumentError(f"{name}: binary data, not text; give the article's text")
    encoding = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        at = error.start + (3 if encoding == "utf-8-sig" else 0)
        if encoding == "utf-8-sig" or _mostly_utf8(data):
            line = data.count(b"\n", 0, at) + 1
            raise DocumentError(
                f"{name}: broken UTF-8: byte 0x{data[at]:02x} at offset {at}, line {line}; save the file anew as UTF-8"
            ) from None
    return _code_page(data)


def _strict(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{name}: broken {encoding.upper()} at byte {error.start}; save the file anew as UTF-8"
        ) from None


def _zeroed(data: bytes, name: str) -> tuple[str, str]:
    """UTF-16 without a mark: in Latin script nearly every second byte is zero, always on the same side."""
    sample = data[: _SAMPLE & ~1]
    for side, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        high, low = sample[side::2], sample[1 - side :: 2]
        if len(data) % 2 == 0 and high.count(0) > 0.7 * len(high) and low.count(0) < 0.02 * len(low):
            return _strict(data, encoding, name), encoding
    raise DocumentError(
        f"{name}: binary data (a zero byte at offset {data.find(0)}), not text; give the article's text"
    )


def _mostly_utf8(data: bytes) -> bool:
    """Whether bytes that are not UTF-8 throughout hold more of its sequences than stray bytes."""
    text = data.decode("utf-8", "replace")
    good = sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", text)))
    return good > text.count("\ufffd")


def _code_page(data: bytes) -> tuple[str, str]:
    best, text, encoding = 0, "", ""
    for name in _CODE_PAGES:
        try:
            decoded = data.decode(name)
        except UnicodeDecodeError:
            continue
        usual = len(_USUAL.findall(decoded, 0, _SAMPLE))
        if not encoding or usual > 1.5 * best:
            best, text, encoding = usual, decoded, name
    # Five bytes are nothing in Windows' code page; Latin-1 takes every byte.
    return (text, encoding) if best else (data.decode("latin-1"), "latin-1")


# Letters of the lines of a text that is wrapped, at least and at most.
_NARROWEST, _WIDEST = 50, 100
_SEPARATORS = ("\v", "\f", "\u2028", "\u2029")
_SEPARATOR = re.compile(r"[\r\v\f\u2028\u2029]")


def lines(text: str) -> Iterator[Block]:
    r"""The non-blank lines of a text, without the white space around them.

    A lone ``\r`` or any other line separator ends a block too, but only ``\n`` counts as a line; where a text
    has no ``\n`` at all (old Macintosh files), ``\r`` counts.
    """
    feed = "\n" if "\n" in text else "\r"
    others = any(map(text.__contains__, _SEPARATORS)) or ("\r" in text and text.count("\r") > text.count("\r\n"))
    start = 0
    for line, raw in enumerate(text.split(feed), 1):
        if not raw:
            start += 1
            continue
        for part in _SEPARATOR.split(raw) if others else (raw,):
            if stripped := part.strip():
                at = start if stripped is part else start + len(part) - len(part.lstrip())
                yield Block(stripped, line, at, at + len(stripped))
            start += len(part) + 1


def _blocks(text: str, format: str) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """The blocks of a text, and what could not be read of it."""
    if format == "markdown":
        from aligner.readers import markdown

        blocks, warnings = markdown.read(text)
        return tuple(blocks), warnings
    rows: Iterable[Block] = lines(text)
    # One letter is searched for several times as fast as two.
    if "[" in text and "[[" in text and WIKI_PICTURE.search(text):
        from aligner.readers import markdown

        rows = markdown.pictures(text, rows)
    # A paragraph of more letters than a line can have says that the text is not wrapped.
    elif not _LONG.search(text, 0, _SAMPLE):
        rows = _joined(text, list(rows))
    blocks = list(rows)
    if ">" in text and (text.startswith(">") or "\n>" in text):  # quotations as in mails
        for block in blocks:
            block.quoted = block.quoted or block.text.startswith(">")
    return tuple(blocks), ()


WIKI_PICTURE = re.compile(r"\[\[(?:File|Image|Media|Archivo|Imagen|Fichero|Fichier|Datei)\s*:")
_LONG = re.compile(rf"[^\n]{{{_WIDEST + 1}}}")


def wrap_width(rows: Sequence[Block]) -> int:
    """The width at which the lines of a text are wrapped; 0 if they are not.

    Lines are wrapped if none is long, and if there are pairs of which the second begins with a small letter that the
    first had no room for, often enough.
    """
    width = max((len(row.text) for row in rows if " " in row.text), default=0)
    if not _NARROWEST <= width <= _WIDEST:
        return 0
    pairs = [(a, b) for a, b in pairwise(rows) if b.line == a.line + 1]
    wrapped = sum(b.text[0].islower() and _full(a, b, width) for a, b in pairs)
    return width if wrapped > 1 and wrapped * 4 > len(pairs) else 0


def _full(row: Block, after: Block, width: int) -> bool:
    """Whether a line had no room for the first word of the next."""
    first = after.text.partition(" ")[0]
    return len(row.text) > _NARROWEST * 3 // 4 and len(row.text) + 1 + len(first) > width


# Words that no sentence ends with: articles, prepositions, conjunctions of the two languages.
_LINKING = re.compile(
    r"(?<!\S)(?:al?|ante|bajo|con|contra|del?|desde|durante|en?|el|entre|hacia|hasta|l[ao]s?|mediante|ni|o|para|por|que"
    r"|según|sin|sobre|sus?|tras|u|un(?:as?|os)?|y|an|and|as|at|by|for|from|in|of|on|or|the|to|with)$"
)


def left_open(row: Block) -> bool:
    """Whether a line ends with a word that must go on in the next line ("... la biblioteca de")."""
    return _LINKING.search(row.text, max(0, len(row.text) - 12)) is not None


def goes_on(text: str, row: Block, after: Block, width: int) -> bool:
    """Whether a line goes on in the next one.

    Args:
        text: what they are lines of.
        row: a line.
        after: the line behind it.
        width: see :func:`wrap_width`.
    """
    return bool(width) and text.count("\n", row.end, after.start) == 1 and (_full(row, after, width) or left_open(row))


def _joined(text: str, rows: list[Block]) -> Iterator[Block]:
    """Lines, those of a wrapped paragraph as one block."""
    width = wrap_width(rows)
    group: list[Block] = []
    for row in rows:
        if group and not goes_on(text, group[-1], row, width):
            yield _paragraph(group)
            group = []
        group.append(row)
    if group:
        yield _paragraph(group)


def _paragraph(rows: list[Block]) -> Block:
    if len(rows) == 1:
        return rows[0]
    from aligner.readers.strings import Offsets

    starts, sources, ends, size = [], [], [], 0
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        starts += [size, size + len(row.text)]
        sources += [row.start, row.end]
        ends += [0, after.start if after else 0]
        size += len(row.text) + 1
    offsets = Offsets(tuple(starts[:-1]), tuple(sources[:-1]), tuple(ends[:-1]), size - 1)
    return Block(" ".join(row.text for row in rows), rows[0].line, rows[0].start, rows[-1].end, "line", offsets)
