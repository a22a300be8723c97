"""The records of a run, from the file that ``aligner run`` printed or the folder that ``aligner batch`` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from aligner.errors import RecordError, UsageError, install
from aligner.records import Document


def read_bytes(path: Path) -> bytes:
    """The records of a run, as JSON Lines (a file may also hold one JSON array).

    Of a batch's folder the shards in order, those of its retries after them, and last a record with an error for each
    document that no retry mended; documents whose id came before have none, as their id has one.

    Args:
        path: a file, also a shard in another format (``.jsonl.zst``, ``.parquet``), or the folder of a finished batch.

    Raises:
        OSError: it cannot be read.
        RecordError: a folder that is no batch, or an unfinished one; a damaged shard.
        UsageError: what reads the shards' format is not installed.
    """
    if not path.is_dir():
        return _shard(path)
    from aligner.batch.output import FAILED, MANIFEST, RUN

    if not (path / RUN).exists():
        raise RecordError(f"{path}: is a folder, and no batch's; name a run file or the --out folder of aligner batch")
    data = b""
    for number in count():
        folder = path / f"retry-{number}" if number else path
        if number and not (folder / RUN).exists():
            break
        try:
            manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
            shards = [folder / shard["name"] for shard in manifest["shards"]]
            options = manifest["options"]
            languages = options["to"], options["from"]
        except FileNotFoundError:
            raise RecordError(
                f"{folder}: the batch is not finished; finish it (the command that began it goes on with it), "
                "or name its finished part files one by one"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise RecordError(f"{folder / MANIFEST}: damaged; restore it") from None
        data += b"".join(map(_shard, shards))
        failed = folder / FAILED
    try:
        return data + b"".join(_failures(failed.read_bytes(), languages))
    except (ValueError, KeyError, TypeError):
        raise RecordError(f"{failed}: damaged; restore it") from None


def _failures(lines: bytes, languages: tuple[str, str]) -> Iterator[bytes]:
    """A record with an error for each document that failed, but for repeated ids."""
    for failure in map(json.loads, lines.splitlines()):
        if failure["cause"] != "duplicate-id":
            yield Document(failure["document"], "", *languages, error=failure["error"]).to_json().encode() + b"\n"


def _shard(path: Path) -> bytes:
    if path.suffix == ".zst":
        return _unpacked(path)
    if path.suffix == ".parquet":
        return _rows(path)
    return path.read_bytes()


def _unpacked(path: Path) -> bytes:
    try:
        import zstandard
    except ImportError:
        raise UsageError(f"{path}: to read it takes zstandard: {install('zst')}") from None
    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as data:
            return data.read()
    except zstandard.ZstdError as error:
        raise RecordError(f"{path}: damaged ({error}); restore it") from None


def _rows(path: Path) -> bytes:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError(f"{path}: to read it takes pyarrow: {install('parquet')}") from None
    import orjson

    try:
        with path.open("rb") as file:
            return b"".join(orjson.dumps(row) + b"\n" for row in pq.read_table(file).to_pylist())
    except pa.ArrowException as error:
        raise RecordError(f"{path}: damaged ({error}); restore it") from None
