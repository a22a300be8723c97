"""Bytes of files, standard input and remote stores, decompressed as they are read."""

from __future__ import annotations

import io
import sys
import zlib
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Protocol, cast

from aligner.errors import DocumentError, UsageError

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# A zstd file may begin with a skippable frame.
_ZSTD_SKIPPABLE = tuple(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16))
_CHUNK = 1 << 16
# Below this size a bad ratio is no bomb: small files of one letter are just small.
_RATIO_FROM = 64 << 20


class Reader(Protocol):
    """What a stream offers: bytes in pieces of any size up to the one asked for, none at the end."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes; empty at the end of the data."""

    def tell(self) -> int:
        """How many bytes were read."""

    def close(self) -> None:
        """Closes the file beneath."""


def is_remote(name: str) -> bool:
    """Whether a name is a URL for fsspec (``s3://bucket/key``)."""
    return "://" in name


def filesystem(url: str) -> object:
    """The fsspec file system of a URL.

    Raises:
        UsageError: fsspec, or the package that it needs for this kind of URL, is not installed.
    """
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            f"{url}: URLs need fsspec; install it with: pip install 'caption-aligner[remote]'"
        ) from None
    try:
        return fsspec.core.url_to_fs(url)[0]
    except ImportError as error:
        raise UsageError(f"{url}: {error}") from None
    except ValueError as error:
        raise UsageError(
            f"{url}: {error}; known kinds: {', '.join(sorted(fsspec.available_protocols()))}"
        ) from None


def open_bytes(name: str, offset: int = 0) -> BinaryIO:
    """A file, URL or standard input (``-``), opened for reading bytes.

    Raises:
        OSError: it cannot be opened.
        UsageError: a URL that nothing installed can open.
    """
    if name == "-":
        raw: BinaryIO = sys.stdin.buffer
        while offset > 0:
            skipped = len(raw.read(min(offset, _CHUNK)))
            if not skipped:
                break
            offset -= skipped
        return raw
    if is_remote(name):
        raw = cast(BinaryIO, io.BufferedReader(filesystem(name).open(name, "rb")))  # type: ignore[attr-defined]
    else:
        raw = open(name, "rb")  # noqa: SIM115, PTH123 (closed by the stream around it; PathLike says nothing more)
    if offset:
        raw.seek(offset)
    return raw


class Plain:
    """Bytes as they are."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        """See :class:`Reader`."""
        data = self._raw.read(size)
        self._at += len(data)
        return data

    def tell(self) -> int:
        """See :class:`Reader`."""
        return self._at

    def close(self) -> None:
        """See :class:`Reader`."""
        self._raw.close()


class _Inflating:
    """What both kinds of decompression share: counting, and the limit on the ratio."""

    def __init__(self, raw: BinaryIO, name: str, ratio: int) -> None:
        self._raw = raw
        self._name = name
        self._ratio = ratio
        self._at = 0
        self._taken = 0

    def tell(self) -> int:
        """How many decompressed bytes were read."""
        return self._at

    def close(self) -> None:
        """Closes the file beneath."""
        self._raw.close()

    def _take(self, size: int) -> bytes:
        data = self._raw.read(size)
        self._taken += len(data)
        return data

    def _count(self, data: bytes) -> bytes:
        self._at += len(data)
        if self._at > _RATIO_FROM and self._at > self._ratio * max(self._taken, 1):
            raise DocumentError(
                f"{self._name}: {self._taken:,} compressed bytes give more than {self._at:,}, over "
                f"{self._ratio} times as many (a decompression bomb?); raise the limit if the file is sound"
            )
        return data


class Gunzip(_Inflating):
    """A gzip file of any number of members.

    Attributes:
        members: (decompressed, compressed) offsets at which members begin, the last ones.
    """

    def __init__(self, raw: BinaryIO, name: str, ratio: int) -> None:
        super().__init__(raw, name, ratio)
        self._decoder = zlib.decompressobj(31)
        self._input = b""
        self.members: deque[tuple[int, int]] = deque([(0, 0)], maxlen=4096)

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` decompressed bytes (64 KiB if negative); empty at the end.

        Raises:
            DocumentError: truncated or damaged data, or a decompression bomb.
        """
        size = _CHUNK if size < 0 else size
        while size:
            if self._decoder.eof and not self._next_member():
                return b""
            if not self._input:
                self._input = self._take(_CHUNK)
                if not self._input:
                    raise DocumentError(
                        f"{self._name}: truncated gzip data: it ends after {self._taken:,} bytes "
                        f"({self._at:,} decompressed) within a member"
                    )
            try:
                data = self._decoder.decompress(self._input, size)
            except zlib.error as error:
                place = f"near byte {self._taken - len(self._input):,} ({self._at:,} decompressed)"
                raise DocumentError(f"{self._name}: damaged gzip data {place}: {error}") from None
            self._input = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
            if data:
                return self._count(data)
        return b""

    def _next_member(self) -> bool:
        """Whether another member follows, perhaps behind zero padding; its beginning is noted."""
        self._input = self._input.lstrip(b"\0")
        while not self._input:
            data = self._take(_CHUNK)
            if not data:
                return False
            self._input = data.lstrip(b"\0")
        self._decoder = zlib.decompressobj(31)
        self.members.append((self._at, self._taken - len(self._input)))
        return True

    def member_at(self, offset: int) -> int | None:
        """Where in the file the member begins whose content begins at a decompressed offset, if any."""
        return next((taken for at, taken in self.members if at == offset), None)


class Unzstd(_Inflating):
    """A zstd file of any number of frames."""

    def __init__(self, raw: BinaryIO, name: str, ratio: int) -> None:
        from fastwarc.stream_io import ZstdReader

        super().__init__(raw, name, ratio)
        self._reader = ZstdReader(cast(BinaryIO, _Counted(self)))

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` decompressed bytes, at most 4 KiB at once; empty at the end.

        Raises:
            DocumentError: truncated or damaged data, or a decompression bomb.
        """
        try:
            # In small steps: what one step decompressed is lost when it meets the damage.
            data = self._reader.read(4096 if size < 0 else min(size, 4096))
        except (OSError, ValueError) as error:
            kind = "truncated" if "incomplete" in str(error) else "damaged"
            place = f"near byte {self._taken:,} ({self._at:,} decompressed)"
            raise DocumentError(f"{self._name}: {kind} zstd data {place}: {error}") from None
        return self._count(data)


class _Counted:
    """The compressed side of :class:`Unzstd`, as its decoder wants it."""

    def __init__(self, stream: _Inflating) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        return self._stream._take(_CHUNK if size < 0 else size)

    def tell(self) -> int:
        return self._stream._taken


def open_stream(name: str, ratio: int, offset: int = 0) -> Reader:
    """A file's decompressed bytes; what the file is says its first bytes, not its name.

    Args:
        name: path, URL or ``-``.
        ratio: how many bytes one compressed byte may give.
        offset: where in the (compressed) file to begin.

    Raises:
        OSError: it cannot be opened.
        UsageError: a URL that nothing installed can open.
    """
    raw = open_bytes(name, offset)
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw))
    head = buffered.peek(4)[:4]
    if head.startswith(GZIP):
        return Gunzip(buffered, name, ratio)
    if head == ZSTD or head in _ZSTD_SKIPPABLE:
        return Unzstd(buffered, name, ratio)
    return Plain(buffered)


def read_all(stream: Reader, limit: int) -> bytes | None:
    """All that is left of a stream; None if it is more than ``limit`` bytes."""
    parts, size = [], 0
    while data := stream.read(_CHUNK):
        parts.append(data)
        size += len(data)
        if size > limit:
            return None
    return b"".join(parts)


def lines(stream: Reader, limit: int) -> Iterator[tuple[int, bytes | None, int]]:
    r"""The lines of a stream as (offset, line without its ``\n``, size).

    A line longer than ``limit`` is None; it is passed over without being kept.
    """
    start, size = 0, 0
    parts: list[bytes] = []
    while chunk := stream.read(1 << 18):
        pieces = chunk.split(b"\n")
        for number, piece in enumerate(pieces):
            size += len(piece)
            if size <= limit:
                parts.append(piece)
            else:
                parts.clear()
            if number < len(pieces) - 1:
                yield start, b"".join(parts) if size <= limit else None, size
                start += size + 1
                size = 0
                parts.clear()
    if size:
        yield start, b"".join(parts) if size <= limit else None, size
