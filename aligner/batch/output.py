"""The folder of a run: shards, failures and the journal that makes a killed run go on where it was.

Records are appended to one open shard as plain JSON Lines. A commit makes the shard and ``failed.jsonl``
durable (fsync) and then appends to the journal how many bytes of each count; whatever stands behind those
lengths after a crash is cut off. A full shard is sealed: renamed, compressed or rewritten as Parquet, by way
of a temporary file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import Any

import orjson

from aligner.errors import OutputError, UsageError, install
from aligner.readers.sources import Position

FORMATS = ("jsonl", "jsonl.zst", "parquet")

JOURNAL = "journal"
FAILED = "failed.jsonl"
MANIFEST = "manifest.json"
RUN = "run.json"
LOCK = ".lock"

# Bytes kept in memory before they go to the file: commits come far more often than this on most corpora.
_BUFFER = 1 << 20
_PARQUET_ROWS = 10_000


@dataclass(slots=True)
class Counts:
    """What a run has done so far; equal for equal inputs, however the run was interrupted.

    Attributes:
        documents: documents consumed; ``records + failed``.
        records: documents whose record is in a shard.
        failed: documents in ``failed.jsonl``.
        with_captions: records with at least one caption.
        captions: captions found.
        translated: captions with a translation.
        linked: captions with a context link.
        warnings: warnings on documents and translations.
        input_bytes: bytes of the documents.
    """

    documents: int = 0
    records: int = 0
    failed: int = 0
    with_captions: int = 0
    captions: int = 0
    translated: int = 0
    linked: int = 0
    warnings: int = 0
    input_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Shard:
    """A sealed shard, as the manifest lists it."""

    name: str
    records: int
    bytes: int
    sha256: str


@dataclass(slots=True)
class State:
    """One line of the journal: everything that counts up to it.

    Attributes:
        shard: number of the open shard.
        shard_bytes: length of the open shard.
        shard_records: records in it.
        failed_bytes: length of ``failed.jsonl``.
        position: of the last document consumed; None before the first.
        counts: totals of the run.
        finished: whether the manifest has been written.
    """

    shard: int = 0
    shard_bytes: int = 0
    shard_records: int = 0
    failed_bytes: int = 0
    position: Position | None = None
    counts: Counts = field(default_factory=Counts)
    finished: bool = False


def write_file(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all, durably.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Lock:
    """The lock of a run folder, held by a process as long as it lives (``flock``)."""

    def __init__(self, folder: Path) -> None:
        """Takes the lock.

        Raises:
            UsageError: another process holds it.
        """
        self._descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if not self._taken():
            os.close(self._descriptor)
            raise UsageError(
                f"{folder}: another run is writing here ({holder(folder) or 'another process'}); "
                "wait for it, stop it, or give another --out"
            )
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def _taken(self) -> bool:
        for pause in (0.05, 0.05, 0.0):  # who looks whether a run works, holds it for a moment
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                time.sleep(pause)
            else:
                return True
        return False

    def release(self) -> None:
        """Lets go of the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def holder(folder: Path) -> str | None:
    """The process that holds the folder's lock, ``process 4711 on host``; None if there is none. Changes nothing."""
    try:
        with (folder / LOCK).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return file.read(200).decode("utf-8", "replace").strip() or "a process that just began"
    except OSError:
        pass
    return None


def _journal_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """(offset of the end, content) of each line; None for one that is torn or altered."""
    end = 0
    with path.open("rb") as file:
        for line in file:
            end += len(line)
            payload = line[9:-1]
            whole = line.endswith(b"\n") and line[:9] == b"%08x " % zlib.crc32(payload)
            yield end, json.loads(payload) if whole else None


def read_journal(folder: Path) -> tuple[State, list[Shard], int]:
    """The last durable state of a run, its sealed shards, and the length of the journal's sound part.

    Raises:
        OutputError: the journal is damaged before its end.
    """
    state, shards, length = State(), [], 0
    journal = folder / JOURNAL
    damaged = False
    with suppress(FileNotFoundError):
        for end, line in _journal_lines(journal):
            if damaged:
                # A crash tears the last line only: this is another kind of harm.
                raise OutputError(f"{journal}: damaged at byte {length}; restore it or start in a new folder")
            if line is None:
                damaged = True
                continue
            length = end
            if sealed := line.pop("sealed", None):
                shards.append(Shard(**sealed))
            position = Position(**line["position"]) if line["position"] else None
            state = State(**line | {"position": position, "counts": Counts(**line["counts"])})
    if not length and (folder / MANIFEST).exists():
        raise OutputError(
            f"{journal}: missing or damaged, and the run is finished; restore it or start in a new folder"
        )
    return state, shards, length


def digest(folder: Path) -> str:
    """The digest of a finished run.

    Raises:
        OutputError: its manifest is missing or damaged.
    """
    try:
        return str(json.loads((folder / MANIFEST).read_bytes())["digest"])
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        raise OutputError(f"{folder / MANIFEST}: missing or damaged; restore it or start in a new folder") from None


def failed_lines(folder: Path, state: State) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Each line of ``failed.jsonl`` that counts, as it is and read.

    Raises:
        OutputError: lines that the journal counts are missing or damaged.
    """
    path = folder / FAILED
    left = state.failed_bytes
    with suppress(FileNotFoundError), path.open("rb") as lines:
        for line in lines:
            left -= len(line)
            if left < 0:
                break
            try:
                failure = json.loads(line)
                _ = failure["document"], failure["source"], failure["position"], failure["cause"], failure["error"]
            except (ValueError, LookupError, TypeError):
                raise OutputError(f"{path}: a line is damaged; restore it or start in a new folder") from None
            yield line, failure
            if not left:
                break
    if left:
        raise OutputError(f"{path}: was changed since the run wrote it; restore it or start in a new folder")


class Output:
    """Writes a run's records in order, durably and once.

    Attributes:
        state: what has been appended so far, durable or not.
        shards: sealed shards.
    """

    def __init__(self, folder: Path, format: str = "jsonl", shard_size: int = 100_000) -> None:
        """Opens the folder and cuts off what a killed run left behind its last commit.

        The caller holds the folder's :class:`Lock`.

        Args:
            folder: the run's folder; it exists.
            format: one of :data:`FORMATS`.
            shard_size: records in a shard.

        Raises:
            OutputError: the folder cannot be written to, or its files do not fit its journal.
        """
        self.folder = folder
        self.format = format
        self.shard_size = shard_size
        self.state, self.shards, length = read_journal(folder)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._committed = self.state.counts.documents
        self._shard: FileIO | None = None
        self._opened: list[FileIO] = []
        with ExitStack() as opened, self._guard():
            opened.callback(self.close)
            self._journal = self._open(folder / JOURNAL, length)
            self._failed = self._open(folder / FAILED, self.state.failed_bytes)
            self._recover()
            _sync_folder(folder)
            opened.pop_all()

    # -- appending -----------------------------------------------------------------------------------------

    def record(self, line: bytes, position: Position) -> None:
        r"""Appends a record (one JSON object with its ``\n``); seals the shard when it is full.

        Args:
            line: the record.
            position: the document's.

        Raises:
            OutputError: the disk is full or fails.
        """
        state = self.state
        self._pending.append(line)
        self._pending_bytes += len(line)
        state.shard_bytes += len(line)
        state.shard_records += 1
        state.counts.records += 1
        state.counts.documents += 1
        state.position = position
        if self._pending_bytes <= _BUFFER and state.shard_records < self.shard_size:
            return
        with self._guard():
            self._flush()
            if state.shard_records >= self.shard_size:
                self._seal()

    def failure(self, line: bytes, position: Position) -> None:
        """Appends a line to ``failed.jsonl``.

        Args:
            line: what failed and why.
            position: the document's.

        Raises:
            OutputError: the disk is full or fails.
        """
        with self._guard():
            _write(self._failed, line)
        self.state.failed_bytes += len(line)
        self.state.counts.failed += 1
        self.state.counts.documents += 1
        self.state.position = position

    def commit(self) -> None:
        """Makes everything appended so far durable.

        Raises:
            OutputError: the disk is full or fails; what earlier commits wrote is safe.
        """
        if self.state.counts.documents > self._committed:
            with self._guard():
                self._sync()
                self._log()

    def finish(self, manifest: dict[str, Any]) -> None:
        """Seals the last shard and writes the manifest: ``manifest`` with counts, shards and their digest.

        Raises:
            OutputError: the disk is full or fails.
        """
        with self._guard():
            if self.state.shard_records:
                self._seal()
            self._sync()
            self._log()  # no manifest without a journal
            digest = hashlib.sha256()
            for shard in self.shards:
                digest.update(f"{shard.sha256}  {shard.name}\n".encode())
            failed = sha256(self.folder / FAILED)
            digest.update(f"{failed}  {FAILED}\n".encode())
            whole = manifest | {
                "counts": asdict(self.state.counts),
                "shards": [asdict(shard) for shard in self.shards],
                "failed": {"name": FAILED, "records": self.state.counts.failed, "sha256": failed},
                "digest": digest.hexdigest(),
            }
            write_file(self.folder / MANIFEST, orjson.dumps(whole, option=orjson.OPT_INDENT_2) + b"\n")
            self.state.finished = True
            self._log()

    def close(self) -> None:
        """Closes the files without a commit."""
        for file in self._opened:
            with suppress(OSError):
                file.close()

    # -- the files -----------------------------------------------------------------------------------------

    def _name(self) -> str:
        return f"part-{self.state.shard:05d}.{self.format}"

    def _open_path(self) -> Path:
        return self.folder / f"part-{self.state.shard:05d}.open"

    def _recover(self) -> None:
        """Brings the files back to the last journalled state."""
        path, final = self._open_path(), self.folder / self._name()
        if not path.exists() and final.exists():
            final.replace(path)  # killed between the sealing and its line in the journal
        final.unlink(missing_ok=True)
        previous = self.folder / f"part-{self.state.shard - 1:05d}.open"
        previous.unlink(missing_ok=True)  # killed between that line and the removal
        for shard in self.shards:
            target = self.folder / shard.name
            size = target.stat().st_size if target.exists() else None
            if size != shard.bytes:
                found = "is missing" if size is None else f"has {size} bytes, not {shard.bytes}"
                raise OutputError(f"{target}: {found}; it was changed since the run wrote it: restore it or start anew")
        if self.state.shard_bytes or path.exists():
            self._shard = self._open(path, self.state.shard_bytes)

    def _open(self, path: Path, length: int) -> FileIO:
        """A file cut to the length that counts, ready to be appended to."""
        file = path.open("ab", buffering=0)
        self._opened = [other for other in self._opened if not other.closed] + [file]
        size = os.fstat(file.fileno()).st_size
        if size < length:
            raise OutputError(
                f"{path}: has {size} bytes where the journal counts {length}; "
                "it was changed since the run wrote it: restore it or start in a new folder"
            )
        if size > length:
            os.ftruncate(file.fileno(), length)
            os.fsync(file.fileno())
        return file

    def _flush(self) -> None:
        if not self._pending:
            return
        if self._shard is None:
            self._shard = self._open(self._open_path(), 0)
            _sync_folder(self.folder)
        _write(self._shard, b"".join(self._pending))
        self._pending.clear()
        self._pending_bytes = 0

    def _sync(self) -> None:
        self._flush()
        for file in (self._shard, self._failed):
            if file is not None:
                os.fsync(file.fileno())

    def _log(self, sealed: Shard | None = None) -> None:
        line: dict[str, Any] = asdict(self.state)
        if sealed:
            line["sealed"] = asdict(sealed)
        # json, not orjson: the name of a source need not be UTF-8.
        payload = json.dumps(line).encode()
        _write(self._journal, b"%08x %s\n" % (zlib.crc32(payload), payload))
        os.fsync(self._journal.fileno())
        self._committed = self.state.counts.documents

    def _seal(self) -> None:
        self._sync()
        assert self._shard is not None
        self._shard.close()
        self._shard = None
        path, target = self._open_path(), self.folder / self._name()
        if self.format == "jsonl":
            path.replace(target)
        else:
            temporary = target.with_name(f".{target.name}.part")
            _REWRITE[self.format](path, temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(target)
        _sync_folder(self.folder)
        shard = Shard(target.name, self.state.shard_records, target.stat().st_size, sha256(target))
        self.shards.append(shard)
        self.state = replace(self.state, shard=self.state.shard + 1, shard_bytes=0, shard_records=0)
        self._log(shard)
        path.unlink(missing_ok=True)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Turns a failing disk into a message that says what is safe."""
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.folder}: cannot be written ({error.strerror}); {self._committed:,} documents are safe there. "
                "Free space or mend the disk, then run the same command again: it goes on from them"
            ) from error


def _write(file: FileIO, data: bytes) -> None:
    """Writes all of it: an unbuffered write may stop half-way when the disk is full."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]


# -- shard formats -------------------------------------------------------------------------------------------


def _compress(source: Path, target: Path) -> None:
    import zstandard

    with source.open("rb") as plain, target.open("wb") as packed:
        zstandard.ZstdCompressor(level=3, write_checksum=True).copy_stream(plain, packed, size=source.stat().st_size)


def _parquet(source: Path, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = parquet_schema()
    with source.open("rb") as lines, pq.ParquetWriter(target, schema, compression="zstd") as writer:
        rows: list[dict[str, Any]] = []
        for line in lines:
            rows.append(orjson.loads(line))
            if len(rows) == _PARQUET_ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows.clear()
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema))


_REWRITE: dict[str, Callable[[Path, Path], None]] = {"jsonl.zst": _compress, "parquet": _parquet}


def parquet_schema() -> Any:
    """The Arrow schema of the records: :class:`aligner.records.Document` field by field, ``schema`` first."""
    import dataclasses

    import pyarrow as pa

    from aligner import records

    plain = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}

    def arrow(annotation: str) -> Any:
        name = annotation.removesuffix(" | None")
        if name.startswith("tuple["):
            return pa.list_(arrow(name[len("tuple[") : -len(", ...]")]))
        return plain.get(name) or pa.struct(columns(getattr(records, name)))

    def columns(record: type) -> list[Any]:
        return [pa.field(f.name, arrow(str(f.type))) for f in dataclasses.fields(record)]

    document = columns(records.Document)
    return pa.schema([document[-1], *document[:-1]])


def available(format: str) -> None:
    """Checks that a shard format can be written.

    Raises:
        UsageError: the format is unknown or its package is not installed.
    """
    if format not in FORMATS:
        raise UsageError(f"unknown --format {format!r}; the formats are {', '.join(FORMATS)}")
    module, extra = {
        "jsonl": ("json", ""),
        "jsonl.zst": ("zstandard", "zst"),
        "parquet": ("pyarrow", "parquet"),
    }[format]
    try:
        __import__(module)
    except ImportError:
        raise UsageError(f"--format {format} needs {module}: {install(extra)}") from None
