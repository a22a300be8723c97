"""Bytes of files, standard input and remote stores, decompressed as they are read."""

from __future__ import annotations

import io
import sys
import zlib
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Protocol, cast

from aligner.errors import DocumentError, UsageError, install

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# A zstd file may begin with a skippable frame.
_ZSTD_SKIPPABLE = tuple(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16))
_CHUNK = 1 << 16
# Below this size a bad ratio is no bomb: small files of one letter are just small.
_RATIO_FROM = 16 << 20


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
        raise UsageError(f"{url}: URLs need fsspec: {install('remote')}") from None
    try:
        return fsspec.core.url_to_fs(url)[0]
    except ImportError as error:
        raise UsageError(
            f"{url}: {error} (https:// needs the extra remote, {install('remote')}; s3:// `pip install s3fs`, and "
            "other stores their own packages)"
        ) from None
    except ValueError as error:
        raise UsageError(f"{url}: {error}; known kinds: {', '.join(sorted(fsspec.available_protocols()))}") from None


def open_bytes(name: str) -> BinaryIO:
    """A file, URL or standard input (``-``), opened for reading bytes.

    Raises:
        OSError: it cannot be opened.
        UsageError: a URL that nothing installed can open.
    """
    if name == "-":
        return sys.stdin.buffer
    if is_remote(name):
        return cast(BinaryIO, filesystem(name).open(name, "rb"))  # type: ignore[attr-defined]
    return open(name, "rb")  # noqa: PTH123 (closed by the stream around it; PathLike says nothing more)


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


class _Counted:
    """The compressed side of a stream."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(_CHUNK if size < 0 else size)
        self.taken += len(data)
        return data

    def tell(self) -> int:
        return self.taken

    def close(self) -> None:
        self._raw.close()


class _Inflating:
    """What both kinds of decompression share: counting, and the limit on the ratio."""

    def __init__(self, raw: BinaryIO, name: str, ratio: int) -> None:
        self._packed = _Counted(raw)
        self._name = name
        self._ratio = ratio
        self._at = 0

    def tell(self) -> int:
        """How many decompressed bytes were read."""
        return self._at

    def close(self) -> None:
        """Closes the file beneath."""
        self._packed.close()

    def _limit(self, given: int, taken: int) -> None:
        if given > _RATIO_FROM and given > self._ratio * max(taken, 1):
            raise DocumentError(
                f"{self._name}: the compressed data gives over {self._ratio} times as many bytes (a decompression "
                "bomb?); raise the limit if the file is sound"
            )


class Gunzip(_Inflating):
    """A gzip file of any number of members.

    Args:
        raw: the file, at the beginning of a member.
        name: what messages call it.
        ratio: most decompressed bytes per compressed byte, of each member.
        base: where in the file ``raw`` begins.

    Attributes:
        members: (decompressed, compressed) offsets at which members begin, the last ones; decompressed ones from
            where ``raw`` begins.
    """

    def __init__(self, raw: BinaryIO, name: str, ratio: int, base: int = 0) -> None:
        super().__init__(raw, name, ratio)
        self._decoder = zlib.decompressobj(31)
        self._input = b""
        self._base = base
        self.members: deque[tuple[int, int]] = deque([(0, base)], maxlen=4096)

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` decompressed bytes (64 KiB if negative); empty at the end.

        Raises:
            DocumentError: truncated or damaged data, or a decompression bomb.
        """
        size = _CHUNK if size < 0 else size
        while size:
            if self._decoder.eof and not self._next_member():
                return b""
            # Messages name only what is the same wherever reading began.
            if not self._input:
                self._input = self._packed.read(_CHUNK)
                if not self._input:
                    end = self._base + self._packed.taken
                    raise DocumentError(
                        f"{self._name}: truncated gzip data: the file ends after {end:,} bytes, within the member "
                        f"that begins at byte {self.members[-1][1]:,}"
                    )
            try:
                data = self._decoder.decompress(self._input, size)
            except zlib.error as error:
                place = f"in the member that begins at byte {self.members[-1][1]:,}"
                raise DocumentError(f"{self._name}: damaged gzip data {place}: {error}") from None
            self._input = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
            if data:
                self._at += len(data)
                at, taken = self.members[-1]
                self._limit(self._at - at, self._base + self._packed.taken - len(self._input) - taken)
                return data
        return b""

    def _next_member(self) -> bool:
        """Whether another member follows, perhaps behind zero padding; its beginning is noted."""
        self._input = self._input.lstrip(b"\0")
        while not self._input:
            data = self._packed.read(_CHUNK)
            if not data:
                return False
            self._input = data.lstrip(b"\0")
        self._decoder = zlib.decompressobj(31)
        self.members.append((self._at, self._base + self._packed.taken - len(self._input)))
        return True

    def member_at(self, offset: int) -> int | None:
        """Where in the file the member begins whose content begins at a decompressed offset, if any."""
        return next((taken for at, taken in self.members if at == offset), None)


class Unzstd(_Inflating):
    """A zstd file of any number of frames."""

    def __init__(self, raw: BinaryIO, name: str, ratio: int) -> None:
        from fastwarc.stream_io import ZstdReader

        super().__init__(raw, name, ratio)
        self._reader = ZstdReader(cast(BinaryIO, self._packed))

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
            place = f"near byte {self._packed.taken:,} ({self._at:,} decompressed)"
            raise DocumentError(f"{self._name}: {kind} zstd data {place}: {error}") from None
        self._at += len(data)
        self._limit(self._at, self._packed.taken)
        return data


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
    raw = open_bytes(name)
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw))
    head = buffered.peek(4)[:4]
    start = offset
    if name != "-":
        buffered.seek(offset)
    else:
        while offset > 0 and (skipped := len(buffered.read(min(offset, _CHUNK)))):
            offset -= skipped
    if head.startswith(GZIP):
        return Gunzip(buffered, name, ratio, start)
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


def lines(stream: Reader, limit: int) -> Iterator[tuple[int, int, bytes | None, int]]:
    r"""The lines of a stream that are not blank as (number from 0, offset, line without its ``\n``, size).

    A line longer than ``limit`` is None; it is passed over without being kept.
    """
    number, start, size = 0, 0, 0
    parts: list[bytes] = []
    while chunk := stream.read(1 << 18):
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            if not size and not piece.strip():  # a file may be a bomb of blank lines: nothing is spent on them
                start += len(piece) + 1
                number += 1
                continue
            size += len(piece)
            parts.append(piece)
            line = b"".join(parts) if size <= limit else None
            if line is None or line.strip():
                yield number, start, line, size
            start += size + 1
            number, size = number + 1, 0
            parts.clear()
        size += len(rest)
        if size <= limit:
            parts.append(rest)
        else:
            parts.clear()
    if size and (size > limit or b"".join(parts).strip()):
        yield number, start, b"".join(parts) if size <= limit else None, size
