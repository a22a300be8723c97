"""Articles: bytes in, text with offsets out, and the same bytes back again.

Plain text and Markdown are read here; other formats (HTML, DOCX, ...) by :mod:`aligner.readers`, which is
imported only when one of them comes.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aligner.errors import DocumentError

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
    """

    text: str
    line: int
    start: int
    end: int
    role: Role = "line"
    offsets: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in ``Article.text`` of ``text[start:end]`` (``start < end``)."""
        if self.offsets is None:
            return self.start + start, self.start + end
        return self.offsets[start], self.offsets[end - 1] + 1 if end > start else self.offsets[start]


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
    """

    name: str
    data: bytes
    text: str
    encoding: str
    blocks: tuple[Block, ...]
    format: str = "text"

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of ``data``."""
        return hashlib.sha256(self.data).hexdigest()

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
    return Article(name, data, text, "utf-8", tuple(_blocks(text, format)), format)


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
    return Article(name, data, text, encoding, tuple(_blocks(text, format)), format)


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


_SEPARATORS = ("\v", "\f", "\u2028", "\u2029")
_SEPARATOR = re.compile(r"[\r\v\f\u2028\u2029]")


def _lines(text: str) -> Iterator[Block]:
    r"""The non-blank lines of a text, without the white space around them.

    A lone ``\r`` or any other line separator ends a block too, but only ``\n`` counts as a line; where a text
    has no ``\n`` at all (old Macintosh files), ``\r`` counts.
    """
    feed = "\n" if "\n" in text else "\r"
    others = any(map(text.__contains__, _SEPARATORS)) or text.count("\r") > text.count("\r\n")
    start = 0
    for line, raw in enumerate(text.split(feed), 1):
        if not raw:
            start += 1
            continue
        for part in _SEPARATOR.split(raw) if others else (raw,):
            if stripped := part.strip():
                at = start if len(stripped) == len(part) else start + len(part) - len(part.lstrip())
                yield Block(stripped, line, at, at + len(stripped))
            start += len(part) + 1


def _blocks(text: str, format: str) -> Iterator[Block]:
    return _markdown(text) if format == "markdown" else _lines(text)


_FENCE = re.compile(r"(`{3,}|~{3,})")
_MARKER = re.compile(r"(?:>\s?|[-*+]\s+|#{1,6}\s+|\d{1,9}[.)]\s+(?=[!\[<]))+")
_KEY = re.compile(r"[\w-]+:\s+")
# An image with its alternative text and title, an HTML tag with them, and any other tag.
_MARKUP = re.compile(
    r'!\[(?P<alt>[^\[\]]{0,2000})\]\((?:[^()"]|\([^()]*\)){0,2000}(?:"(?P<title>[^"]{0,2000})"\s*)?\)'
    r'|<img\b[^<>]*?(?:\balt="(?P<html>[^"<>]*)"[^<>]*)?>'
    r"|</?[a-zA-Z][^<>]*>"
)
# Emphasis or, in a title, quotes around the whole of a piece.
_EMPHASIS = re.compile(r"([*_]{1,3})(?=[^\s*_])((?:(?!\1).){0,2000}\S)\1")
_QUOTES = re.compile(r"""(["'])(.+)\1""")


def _markdown(text: str) -> Iterator[Block]:
    """The blocks of a Markdown text, line by line, without markers, code, tags and emphasis around it.

    The alternative text of an image is a block of role ``alt``, its title one of role ``caption``.
    """
    fence = ""
    front = text.startswith("---")
    for block in _lines(text):
        if front and block.start > 0 and block.text in ("---", "..."):
            front = False
            continue
        if match := _FENCE.match(block.text):
            if not fence:
                fence = match[1]
            elif match[1].startswith(fence):
                fence = ""
            continue
        if fence:
            continue
        marker = (_KEY if front else _MARKER).match(block.text)
        at = marker.end() if marker else 0
        role: Role = "heading" if marker and "#" in marker[0] else "line"
        for match in _MARKUP.finditer(block.text, at):
            yield from _piece(block, at, match.start(), role)
            at = match.end()
            for group, kind in (("alt", "alt"), ("html", "alt"), ("title", "caption")):
                if match[group]:
                    yield from _piece(block, *match.span(group), kind)  # type: ignore[arg-type]
        yield from _piece(block, at, len(block.text), role)


def _piece(block: Block, start: int, end: int, role: Role) -> Iterator[Block]:
    piece = block.text[start:end]
    start += len(piece) - len(piece.lstrip())
    piece = piece.strip()
    while match := _EMPHASIS.fullmatch(piece) or _QUOTES.fullmatch(piece):
        start += len(match[1])
        piece = match[2]
    if any(map(str.isalnum, piece)):
        yield Block(piece, block.line, block.start + start, block.start + start + len(piece), role)
