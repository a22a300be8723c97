"""The folder of a run: what is written stays, what was not committed goes, wherever it is killed."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aligner.batch import output
from aligner.batch.output import Lock, Output, read_journal
from aligner.errors import OutputError, UsageError
from aligner.readers.sources import Position
from aligner.records import Document

MANIFEST = {"schema": "test"}


class KilledError(BaseException):
    """Stands for the end of the process: nothing after it runs."""


def lines(count: int) -> list[tuple[bytes, bool]]:
    """(line, whether it is a failure) of each document: real records, as Parquet wants them."""
    made = []
    for i in range(count):
        if i % 7 == 3:
            made.append((json.dumps({"document": str(i), "cause": "unreadable"}).encode() + b"\n", True))
        else:
            record = Document(f"document {i}", "00" * 32, "en", "es", warnings=("w",) * (i % 3))
            made.append((record.to_json().encode() + b"\n", False))
    return made


def write(
    folder: Path, documents: list[tuple[bytes, bool]], format: str, every: int, after: Callable[[], None] = lambda: None
) -> None:
    """Goes on with a run from where its journal says, committing every few documents."""
    out = Output(folder, format, shard_size=5)
    try:
        if out.state.finished:
            return
        done = out.state.position.index + 1 if out.state.position else 0
        for index in range(done, len(documents)):
            line, failed = documents[index]
            position = Position(0, "source", index)
            if failed:
                out.failure(line, position)
            else:
                out.record(line, position)
            if index % every == 0:
                out.commit()
            after()
        out.finish(MANIFEST)
    finally:
        out.close()


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a run that is for the user, and no others may be left but the journal."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != output.JOURNAL}


@contextmanager
def killed_at(step: int, patch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Ends the process at a numbered step: before or after each call that changes files."""
    count = [0]

    def counted(real: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            count[0] += 1
            if count[0] == step:
                raise KilledError
            answer = real(*arguments, **more)
            count[0] += 1
            if count[0] == step:
                raise KilledError
            return answer

        return call

    with patch.context() as patched:
        for owner, name in ((os, "ftruncate"), (Path, "replace"), (Path, "unlink"), (output, "_write")):
            patched.setattr(owner, name, counted(getattr(owner, name)))
        # A step as well, but not done: it matters when the machine dies, and no test sees that; it takes milliseconds.
        patched.setattr(os, "fsync", counted(lambda _: None))
        patched.setattr(output, "_REWRITE", {key: counted(real) for key, real in output._REWRITE.items()})
        yield count


@pytest.mark.parametrize("format", output.FORMATS)
def test_killed_at_every_step(tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = lines(13)
    whole = tmp_path / "whole"
    whole.mkdir()
    with killed_at(0, monkeypatch) as steps:
        write(whole, documents, format, 4)
    expected = snapshot(whole)
    assert set(expected) == {"failed.jsonl", "manifest.json", *(f"part-0000{i}.{format}" for i in range(3))}
    assert steps[0] > 60
    for step in range(1, steps[0] + 1):
        folder = tmp_path / str(step)
        folder.mkdir()
        with killed_at(step, monkeypatch), pytest.raises(KilledError):
            write(folder, documents, format, 4)
        with killed_at(0, monkeypatch):
            write(folder, documents, format, 3)
        assert snapshot(folder) == expected, f"killed at step {step}"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_killed_again_and_again(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    documents = lines(data.draw(st.integers(0, 30)))
    format = data.draw(st.sampled_from(output.FORMATS[:2]))
    whole, folder = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("killed")
    patch = pytest.MonkeyPatch()
    with killed_at(0, patch):
        write(whole, documents, format, 1)
    for step in data.draw(st.lists(st.integers(1, 60), max_size=8)):
        with killed_at(step, patch):
            try:
                write(folder, documents, format, data.draw(st.integers(1, 9)))
            except KilledError:
                continue
        # What a crash may leave behind the lengths that count.
        garbage = data.draw(st.binary(max_size=20))
        for path in [*folder.glob("*.open"), folder / output.JOURNAL]:
            with path.open("ab") as file:
                file.write(garbage.replace(b"\n", b""))
    with killed_at(0, patch):
        write(folder, documents, format, 1)
    assert snapshot(folder) == snapshot(whole)


def test_formats_hold_the_same_records(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    documents = lines(12)
    for format in output.FORMATS:
        (tmp_path / format).mkdir()
        write(tmp_path / format, documents, format, 5)
    wanted = [Document.from_json(line) for line, failed in documents if not failed]
    found: dict[str, list[Document]] = {format: [] for format in output.FORMATS}
    for path in sorted(tmp_path.glob("*/part-*")):
        format = path.parent.name
        if format == "parquet":
            found[format] += [Document.from_dict(row) for row in pq.read_table(path).to_pylist()]
        else:
            data = path.read_bytes()
            if format == "jsonl.zst":
                data = zstandard.ZstdDecompressor().decompress(data)
            found[format] += [Document.from_json(line) for line in data.splitlines()]
    for format in output.FORMATS:
        assert found[format] == wanted, format


def test_manifest_names_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, lines(17), "jsonl", 4)
    manifest = json.loads((tmp_path / output.MANIFEST).read_bytes())
    assert manifest["counts"] | {"documents": 17, "records": 15, "failed": 2} == manifest["counts"]
    assert [shard["records"] for shard in manifest["shards"]] == [5, 5, 5]
    for entry in [*manifest["shards"], manifest["failed"]]:
        assert entry["sha256"] == output.sha256(tmp_path / entry["name"])
        assert entry["records"] == len((tmp_path / entry["name"]).read_bytes().splitlines())


CHANGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "an open shard that lost bytes": (lambda folder: os.truncate(folder / "part-00001.open", 3), "journal counts"),
    "a sealed shard that changed": (lambda folder: (folder / "part-00000.jsonl").write_bytes(b"{}\n"), "was changed"),
    "a sealed shard that is gone": (lambda folder: (folder / "part-00000.jsonl").unlink(), "is missing"),
    "failures that are gone": (lambda folder: (folder / "failed.jsonl").unlink(), "journal counts"),
    "a journal with a hole": (
        lambda folder: (folder / "journal").write_bytes(b"x" + (folder / "journal").read_bytes()[1:]),
        "damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_changed_files_are_refused(tmp_path: Path, name: str) -> None:
    out = Output(tmp_path, "jsonl", shard_size=5)
    for index, (line, failed) in enumerate(lines(10)):
        (out.failure if failed else out.record)(line, Position(0, "source", index))
        out.commit()
    out.close()
    change, message = CHANGES[name]
    change(tmp_path)
    with pytest.raises(OutputError, match=message):
        Output(tmp_path, "jsonl", shard_size=5)


def test_torn_journal_line_does_not_count(tmp_path: Path) -> None:
    out = Output(tmp_path, "jsonl", shard_size=100)
    for index, (line, _) in enumerate(lines(3)):
        out.record(line, Position(0, "source", index))
        out.commit()
    out.close()
    journal = tmp_path / output.JOURNAL
    journal.write_bytes(journal.read_bytes()[:-9])
    state, _, length = read_journal(tmp_path)
    assert state.counts.records == 2
    assert length < journal.stat().st_size
    again = Output(tmp_path, "jsonl", shard_size=100)
    assert again.state.position == Position(0, "source", 1)
    again.close()
    assert (tmp_path / "part-00000.open").read_bytes() == b"".join(line for line, _ in lines(2))


def test_names_that_are_not_utf8_survive_the_journal(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jsonl")
    out = Output(tmp_path)
    out.record(b"{}\n", Position(3, name, 7, 99))
    out.commit()
    out.close()
    assert read_journal(tmp_path)[0].position == Position(3, name, 7, 99)


def test_full_disk(tmp_path: Path) -> None:
    """A real write that fails half-way: the limit on file sizes stands for the disk's end."""
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_batch_output import *
try: write(Path({str(tmp_path)!r}), lines(120), "jsonl", 10)
except OutputError as error: print(error)
"""
    limit = (3_000, resource.RLIM_INFINITY)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert "cannot be written" in done.stdout
    assert "documents are safe" in done.stdout
    state, _, _ = read_journal(tmp_path)
    assert 0 < state.counts.documents < 120
    write(tmp_path, lines(120), "jsonl", 10)
    (tmp_path / "other").mkdir()
    write(tmp_path / "other", lines(120), "jsonl", 10)
    assert (tmp_path / output.MANIFEST).read_bytes() == (tmp_path / "other" / output.MANIFEST).read_bytes()


def test_lock(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    with pytest.raises(UsageError, match=rf"another run is writing here \(process {os.getpid()} on"):
        Lock(tmp_path)
    assert output.holder(tmp_path) == f"process {os.getpid()} on {socket.gethostname()}"
    lock.release()
    assert output.holder(tmp_path) is None
    Lock(tmp_path).release()


def test_parquet_schema_follows_the_record() -> None:
    from dataclasses import fields

    names = [field.name for field in fields(Document)]
    assert output.parquet_schema().names == ["schema", *(name for name in names if name != "schema")]


def test_equal_records_give_equal_bytes() -> None:
    record = Document("ä/é.txt", "00", "en", "es", warnings=("a: b",))
    assert replace(record).to_json() == record.to_json()
    assert json.loads(record.to_json()) == record.to_dict()
    assert list(json.loads(record.to_json())) == list(record.to_dict())
    odd = Document(os.fsdecode(b"caf\xe9.txt"), "", "en", "es")
    assert Document.from_json(odd.to_json().encode()) == odd
