"""Pages of web archives (WARC 1.0 and 1.1, ISO 28500), read by fastwarc."""

from __future__ import annotations

import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from aligner.errors import DocumentError
from aligner.readers.streams import Reader

_HTML = ("text/html", "application/xhtml+xml")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}[ \t]*(?:;[^\r\n]{0,200})?\r?\n")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an archive.

    Attributes:
        index: of its record among all records of the archive.
        offset: of its record in the decompressed archive.
        url: its address; the record's id where it has none.
        data: its bytes, freed of transfer and content encodings.
        format: ``html`` or ``text``.
        charset: encoding label of the HTTP header.
        error: why it cannot be read.
    """

    index: int
    offset: int
    url: str
    data: bytes
    format: str
    charset: str | None
    error: str | None


class _Tail:
    """An archive's stream, of which the last bytes are remembered."""

    def __init__(self, stream: Reader) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if data:
            self.last = (self.last + data)[-4:] if len(data) < 4 else data[-4:]
        return data

    def tell(self) -> int:
        return self._stream.tell()


def pages(stream: Reader, name: str, first: int, wanted: int, limit: int, skipped: Counter[str]) -> Iterator[Page]:
    """The pages of an archive: HTML responses with status 200, HTML resources, and extracted texts (WET).

    Args:
        stream: the decompressed archive.
        name: its path, for messages.
        first: index of the record that the stream begins with.
        wanted: index of the first record to give.
        limit: most bytes of a page.
        skipped: counts what is no page, by reason.

    Raises:
        DocumentError: the archive is truncated or damaged; what could be read was given before.
    """
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    tail = _Tail(stream)
    index = first - 1
    try:
        records = ArchiveIterator(cast(BinaryIO, tail), record_types=WarcRecordType.any_type, parse_http=False)
        for record in records:
            index += 1
            if index < wanted:
                continue
            page = _page(record, index, limit, skipped)
            if page is not None:
                yield page
    except _TruncatedError:
        raise DocumentError(f"{name}: truncated within record {index}") from None
    except (OSError, ValueError) as error:
        where = f"damaged after record {index}" if index >= first else "no WARC archive"
        raise DocumentError(f"{name}: {where}: {error}") from None
    if index < first:
        raise DocumentError(f"{name}: no WARC record in it")
    if not tail.last.endswith((b"\n\r\n", b"\n\n")):
        raise DocumentError(f"{name}: truncated in or after record {index}")


class _TruncatedError(Exception):
    """An archive ends within a record."""


def _page(record: Any, index: int, limit: int, skipped: Counter[str]) -> Page | None:
    kind = (record.headers.get("WARC-Type") or "unknown").strip().lower()
    if kind not in ("response", "resource", "conversion"):
        skipped[f"WARC records of type {kind}"] += 1
        return None
    url = record.headers.get("WARC-Target-URI") or record.record_id or f"record {index}"
    url = url.strip("<>")
    format, charset, error, data = "html", None, None, b""
    declared = record.content_length
    if declared > limit + (1 << 16):
        error = f"{url}: the record has {declared:,} bytes; the limit for a document is {limit:,}"
    else:
        if record.is_http:
            record.parse_http()
            if record.http_headers is None or record.http_headers.status_code is None:
                skipped["WARC records without an HTTP header"] += 1
                return None
            if record.http_headers.status_code != 200:
                skipped[f"HTTP status {record.http_headers.status_code}"] += 1
                return None
            media, charset = record.http_content_type or "", record.http_charset
        else:
            media = (record.headers.get("Content-Type") or "").split(";")[0].strip().lower()
        if kind == "conversion" and media == "text/plain":
            format = "text"
        elif media not in _HTML:
            skipped["WARC records of other media types"] += 1
            return None
        expected = record.content_length
        data = record.reader.read(expected)
        if len(data) < expected:
            raise _TruncatedError
        if record.is_http:
            try:
                data = _decoded(data, record.http_headers, limit)
            except DocumentError as problem:
                data, error = b"", f"{url}: {problem}"
        if len(data) > limit:
            data, error = b"", f"{url}: larger than the limit of {limit:,} bytes for a document"
        elif not data and error is None:
            error = f"{url}: the page is empty"
    return Page(index, record.stream_pos, url, data, format, charset, error)


def _decoded(data: bytes, headers: Any, limit: int) -> bytes:
    """A body without transfer and content encodings.

    Crawlers often store the body decoded but leave the headers, so the bytes must agree before anything is
    undone.

    Raises:
        DocumentError: it cannot be decoded, or is larger than the limit.
    """
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower() and _CHUNK_SIZE.match(data):
        data = _unchunked(data)
    for coding in reversed((headers.get("Content-Encoding") or "").lower().split(",")):
        coding = coding.strip()
        if coding in ("gzip", "x-gzip") and data.startswith(b"\x1f\x8b"):
            data = _inflated(data, 31, limit)
        elif coding == "deflate" and not data.lstrip().startswith(b"<"):
            # Raw deflate is what many servers send instead of the zlib format that the header means.
            data = _inflated(data, 15 if data[:1] == b"\x78" else -15, limit)
        elif coding in ("br", "zstd") and not data.lstrip().startswith(b"<"):
            data = _read(data, coding, limit)
    return data


def _unchunked(data: bytes) -> bytes:
    parts, at = [], 0
    while match := _CHUNK_SIZE.match(data, at):
        size = int(re.match(rb"[0-9a-fA-F]+", match[0])[0], 16)  # type: ignore[index]
        if size == 0:
            break
        parts.append(data[match.end() : match.end() + size])
        at = match.end() + size
        at += 2 if data.startswith(b"\r\n", at) else 1
    return b"".join(parts)


def _inflated(data: bytes, bits: int, limit: int) -> bytes:
    decoder = zlib.decompressobj(bits)
    try:
        result = decoder.decompress(data, limit + 1)
    except zlib.error as error:
        raise DocumentError(f"damaged content encoding: {error}") from None
    if not decoder.eof and len(result) <= limit:
        raise DocumentError("truncated content encoding")
    return result


def _read(data: bytes, coding: str, limit: int) -> bytes:
    from fastwarc.stream_io import BrotliReader, ZstdReader

    try:
        reader = (BrotliReader if coding == "br" else ZstdReader)(io.BytesIO(data))
        parts, size = [], 0
        while size <= limit and (part := reader.read(1 << 16)):
            parts.append(part)
            size += len(part)
    except (OSError, ValueError) as error:
        raise DocumentError(f"damaged content encoding {coding}: {error}") from None
    return b"".join(parts)
