"""``aligner batch`` as a user runs it: real processes, real model, real documents."""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import kill_batch
import make_corpus
from kill_batch import session, snapshot

from aligner import documents
from aligner.batch import runs, settings, status
from aligner.batch.memory import Memory, RememberingTranslator, inspect
from aligner.batch.settings import BatchOptions
from aligner.batch.work import Found, Outcome, Worker, WorkerSettings
from aligner.errors import AlignerError, UsageError
from aligner.pipeline import N_BEST, Options, Pipeline
from aligner.readers.sources import Item, Position
from aligner.translation import Translator

FIND = Options(threads=1, translate=False, link=False)
ALL = Options(threads=1)


@pytest.fixture(scope="module")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 documents, most of them without residue."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    make_corpus.write(path, 60, seed=5, residue=0.3)
    return path


@pytest.fixture(scope="module")
def finished(corpus_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over it with all stages, by one worker."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    runs.run(BatchOptions((str(corpus_file),), folder, ALL, workers=1))
    return folder


def find_only(inputs: Any, out: Path, **more: Any) -> BatchOptions:
    names = (inputs,) if isinstance(inputs, str | Path) else inputs
    return BatchOptions(tuple(map(str, names)), out, FIND, **{"workers": 1, **more})


def failures(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "failed.jsonl").read_bytes().splitlines()]


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.glob("part-*")) for line in path.read_bytes().splitlines()]


# -- the same output, however it is made -----------------------------------------------------------------------------


def test_batch_is_one_document_after_the_other(corpus_file: Path, finished: Path) -> None:
    """Neither batches across documents, nor the memory, nor processes change a byte of a record."""
    pipeline = Pipeline(ALL)
    expected = b""
    for line in corpus_file.read_bytes().splitlines():
        document = json.loads(line)
        expected += pipeline.run(documents.from_text(document["text"], document["id"])).to_json().encode() + b"\n"
    assert (finished / "part-00000.jsonl").read_bytes() == expected
    captions = [caption for record in records(finished) for caption in record["captions"]]
    assert len(captions) > 20
    assert all(caption["translation"]["text"] for caption in captions)


def test_number_of_workers_changes_nothing(corpus_file: Path, finished: Path, tmp_path: Path) -> None:
    summary = runs.run(BatchOptions((str(corpus_file),), tmp_path / "run", ALL, workers=3, memory_limit=0))
    assert snapshot(tmp_path / "run") == snapshot(finished)
    assert summary.memory_hits == 0


def test_memory_of_another_run_changes_nothing_and_spares_the_model(
    corpus_file: Path, finished: Path, tmp_path: Path
) -> None:
    memory = finished / settings.MEMORY
    options = BatchOptions((str(corpus_file),), tmp_path / "run", ALL, workers=2, memory=memory)
    summary = runs.run(options)
    assert snapshot(tmp_path / "run") == snapshot(finished)
    assert summary.memory_hits == summary.counts.captions > 20
    # And without the model at all:
    keys = settings.translation_settings(settings.describe(options))
    texts = [caption["source"] for record in records(finished) for caption in record["captions"]]

    def no_model() -> Translator:
        raise AssertionError("the model was opened")

    remembering = RememberingTranslator(Memory(memory, keys), no_model)
    # What is remembered is the model's word; the choice for the article and its English are made of it later.
    assert remembering.hypotheses(texts, N_BEST, alignment=True) == Pipeline(ALL).translator.hypotheses(
        texts, N_BEST, alignment=True
    )
    remembering.memory.close()


def test_documents_without_residue_load_no_model(corpus_file: Path) -> None:
    code = f"""
import json, sys
from aligner.batch.work import Outcome, Worker, WorkerSettings
from aligner.pipeline import Options
from aligner.readers.sources import Item, Position
worker = Worker(WorkerSettings(Options(threads=1)))
done = 0
for number, line in enumerate(open({str(corpus_file)!r}, encoding="utf-8")):
    text = json.loads(line)["text"]
    outcome = worker.find(Item(str(number), text.encode(), "text", Position(0, "x", number)))
    done += isinstance(outcome, Outcome) and not outcome.failed
assert done > 20, done
print(*sorted(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"ctranslate2", "sentencepiece", "torch", "transformers"}


@pytest.mark.parametrize("format", ["jsonl.zst", "parquet"])
def test_formats(corpus_file: Path, finished: Path, tmp_path: Path, format: str) -> None:
    import pyarrow.parquet as pq
    import zstandard

    run = tmp_path / "run"
    runs.run(
        BatchOptions((str(corpus_file),), run, ALL, format=format, shard_size=25, memory=finished / settings.MEMORY)
    )
    found: list[Any] = []
    for path in sorted(run.glob("part-*")):
        if format == "parquet":
            found += pq.read_table(path).to_pylist()
        else:
            lines = zstandard.ZstdDecompressor().decompress(path.read_bytes()).splitlines()
            found += map(json.loads, lines)
    assert found == records(finished)
    assert len(list(run.glob("part-*"))) == 3


# -- killed ----------------------------------------------------------------------------------------------------------


def test_killed_forty_times(tmp_path: Path) -> None:
    inputs = kill_batch.build(tmp_path, 60)
    result = kill_batch.kill_many(inputs, tmp_path, 40, 20, "--workers", "2")
    assert result.differences == []
    assert sum(result.kills.values()) == 40
    assert len(result.kills) == len(kill_batch.VICTIMS)
    assert result.runs >= 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_gently(tmp_path: Path, number: signal.Signals, code: int) -> None:
    make_corpus.write(tmp_path / "c.jsonl", 4000, seed=6, residue=0)
    arguments = [
        "batch",
        str(tmp_path / "c.jsonl"),
        "--out",
        str(tmp_path / "run"),
        "--no-translate",
        "--commit-seconds",
        "0",
    ]
    command = [sys.executable, "-m", "aligner", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until(lambda: status.status(tmp_path / "run").counts.documents > 0, UsageError)
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    done = status.status(tmp_path / "run")
    assert done.state == "interrupted"
    assert 0 < done.counts.documents < 4000
    assert f"stopped; {done.counts.documents:,} documents are done and safe" in errors
    until(lambda: not session(process.pid))  # nothing is left behind


def test_ctrl_c_at_any_moment(aligner: Run, tmp_path: Path) -> None:
    """In a terminal Ctrl-C reaches all processes of the command at once."""
    make_corpus.write(tmp_path / "c.jsonl", 600, seed=6, residue=0)
    arguments = ("batch", tmp_path / "c.jsonl", "--out", tmp_path / "run", "--no-translate", "--commit-seconds", "0")
    command = [sys.executable, "-m", "aligner", *map(str, arguments)]
    for moment in (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=moment)
            if process.poll() is not None:
                break
            os.killpg(process.pid, signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert process.returncode in (0, 130, -signal.SIGINT), errors
        # Python's own start may be what it hits; not the command, nor the process that workers are forked from.
        assert not any(place in errors for place in ("aligner/cli", "aligner/batch", "multiprocessing"))
        assert process.returncode != 130 or "aligner: stopped" in errors
        until(lambda pid=process.pid: not session(pid))  # type: ignore[misc]
    assert aligner(*arguments).returncode == 0
    assert aligner(*arguments[:3], tmp_path / "other", *arguments[4:]).returncode == 0
    assert snapshot(tmp_path / "run") == snapshot(tmp_path / "other")


def until(condition: Callable[[], bool], *expected: type[Exception], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except expected:
            pass
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def test_full_disk(tmp_path: Path) -> None:
    make_corpus.write(tmp_path / "c.jsonl", 3000, seed=6, residue=0)
    arguments = ["batch", str(tmp_path / "c.jsonl"), "--out", str(tmp_path / "run"), "--no-translate", "--no-link"]
    command = [sys.executable, "-m", "aligner", *arguments, "--commit-seconds", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until(lambda: status.status(tmp_path / "run").counts.documents > 0, UsageError)
    # No file may grow any more: to the process, a disk without room.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot be written (" in errors
    assert "run the same command again" in errors
    assert "Traceback" not in errors
    until(lambda: not session(process.pid))
    done = status.status(tmp_path / "run").counts.documents
    assert 0 < done < 3000
    assert runs.run(find_only(tmp_path / "c.jsonl", tmp_path / "run", workers=2)).documents_now == 3000 - done
    runs.run(find_only(tmp_path / "c.jsonl", tmp_path / "other", workers=2))
    assert snapshot(tmp_path / "run") == snapshot(tmp_path / "other")


def test_standard_input_is_fed_again(aligner: Run, tmp_path: Path) -> None:
    make_corpus.write(tmp_path / "c.jsonl", 400, seed=11, residue=0)
    data = (tmp_path / "c.jsonl").read_bytes()
    arguments = ("batch", "-", "--input-format", "jsonl", "--no-translate", "--commit-seconds", "0")
    command = [sys.executable, "-m", "aligner", *arguments, "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    assert process.stdin is not None
    process.stdin.write(data[: len(data) // 2])  # and then nothing: the run waits for more
    process.stdin.flush()
    until(lambda: status.status(tmp_path / "run").counts.documents > 0, UsageError)
    process.terminate()
    assert process.wait(timeout=60) == 143
    process.stdin.close()
    assert 0 < status.status(tmp_path / "run").counts.documents < 400
    for out in ("run", "whole"):
        done = aligner(*arguments, "--out", tmp_path / out, stdin=data)
        assert done.returncode == 0, done.stderr
    assert snapshot(tmp_path / "run") == snapshot(tmp_path / "whole")
    assert len(records(tmp_path / "run")) == 400


# -- documents that fail ---------------------------------------------------------------------------------------------


def test_failures_and_their_retry(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl.gz"
    make_corpus.write(good, 5, seed=7, residue=0)
    with good.open("a", encoding="utf-8") as out:
        out.write('{"id": "no text"}\n[1]\n' + good.read_text(encoding="utf-8").splitlines()[0] + "\n")
    make_corpus.write(bad, 30, seed=8, residue=0)
    whole = bad.read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    options = find_only((good, bad), tmp_path / "run")
    summary = runs.run(options)
    found = failures(options.out)
    assert [failure["cause"] for failure in found] == ["unreadable", "unreadable", "duplicate-id", "unreadable"]
    assert "no text" in found[0]["document"]
    assert f"the id was seen before ({good}, line 1); ids must differ" in found[2]["error"]
    assert "truncated" in found[3]["error"]
    assert summary.counts.documents == summary.counts.records + 4
    assert 5 < summary.counts.records < 35
    bad.write_bytes(whole)
    with pytest.raises(UsageError, match="bytes then"):
        runs.run(options)
    again = runs.retry_failed(options)
    assert again.folder == options.out / "retry-1"
    assert [failure["cause"] for failure in failures(again.folder)] == ["unreadable", "unreadable", "duplicate-id"]
    names = [record["document"] for record in [*records(options.out), *records(again.folder)]]
    assert sorted(names) == sorted({*names})
    assert len(names) == 35
    assert again.untried == 1
    assert failures(again.folder)[2] == found[2]
    # What is left fails again, in a further pass.
    assert runs.retry_failed(options).folder == options.out / "retry-2"
    shown = status.status(options.out)
    assert [found.state for found in shown.retries] == ["finished", "finished"]
    assert (shown.counts.failed, shown.left) == (4, 3)


def test_failures_of_every_kind_are_shown(aligner: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_bytes(b"\0" * len(name))
    for name in ("c.jsonl", "d.jsonl"):
        (folder / name).write_text(json.dumps({"id": name, "body": "The minister arrived."}), encoding="utf-8")
    done = aligner("batch", folder, "--out", tmp_path / "run", "--text-column", "boddy", "--no-translate")
    assert done.returncode == 1
    shown = [line.strip() for line in done.stdout.splitlines() if str(folder) in line]
    assert [line.split(str(folder))[0] for line in shown] == ["unreadable: 4; the first: ", "of another kind: "]
    assert shown[1].endswith("c.jsonl: no text column 'boddy'; the columns are: id, body; name one with --text-column")


def test_an_empty_file_is_a_failed_document_of_a_corpus(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    done = aligner("batch", tmp_path / "empty.txt", "--out", tmp_path / "run", "--no-translate")
    assert (done.returncode, failures(tmp_path / "run")[0]["cause"]) == (1, "unreadable")
    found = aligner("find", tmp_path / "empty.txt")
    assert (found.returncode, found.stderr) == (0, f"aligner: {tmp_path / 'empty.txt'}: is empty\n")


def test_duplicate_ids_are_not_tried_again_in_vain(aligner: Run, tmp_path: Path) -> None:
    source, run = tmp_path / "in.jsonl", tmp_path / "run"
    lines = [json.dumps({"id": name, "text": "The minister arrived."}) for name in "abacb"]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ("batch", source, "--out", run, "--no-translate")
    assert aligner(*command).returncode == 1
    assert [failure["document"] for failure in failures(run)] == ["a", "b"]
    refused = aligner(*command, "--retry-failed")
    assert refused.returncode == 2
    assert "2 documents failed, whose ids came before and would fail again" in refused.stderr
    assert not (run / "retry-1").exists()
    # Ids that were mended in the source since are another matter.
    mended = source.read_text(encoding="utf-8").splitlines()
    mended[2] = mended[2].replace('"a"', '"d"')
    source.write_text("\n".join(mended) + "\n", encoding="utf-8")
    done = aligner(*command, "--retry-failed")
    assert done.returncode == 1, done.stderr
    assert [record["document"] for record in records(run / "retry-1")] == ["d"]
    assert [failure["document"] for failure in failures(run / "retry-1")] == ["b"]
    done = aligner(*command, "--retry-failed", "--duplicate-ids", "keep")
    assert done.returncode == 0, done.stderr
    assert [record["document"] for record in records(run / "retry-2")] == ["b"]
    assert aligner("batch", "status", run).returncode == 0
    # Two documents of one id are two documents to what reads the run.
    reported = aligner("report", run, "--format", "json")
    assert reported.returncode == 0, reported.stderr
    documents = [document["document"] for document in json.loads(reported.stdout)["documents"]]
    assert documents == ["a", "b", "c", "d", "b"]
    assert aligner("score", run).returncode == 0


def test_untried_failures_stay_in_order_however_often_a_retry_is_stopped(tmp_path: Path) -> None:
    def outcome(source: int, index: int, failed: bool = False) -> Outcome:
        return Outcome(b"", f"{source}.{index}", Position(source, "x", index), failed=failed)

    kept = [outcome(0, 1, True), outcome(0, 5, True), outcome(2, 0, True)]
    tried = [outcome(0, 3), outcome(0, 7), outcome(1, 2)]
    order = ["0.1", "0.3", "0.5", "0.7", "1.2", "2.0"]
    for done in range(len(order) + 1):
        after = next((o.position for o in [*kept, *tried] if done and o.document == order[done - 1]), None)
        rest = [o for o in tried if order.index(o.document) >= done]
        chunks = (chunk for chunk in [rest[:1], None, rest[1:]])
        merged = runs._with_kept(chunks, kept, after)
        assert [o.document for chunk in merged for o in chunk or ()] == order[done:]


def slow_document(seconds: float) -> str:
    """A text that takes about so many seconds of a processor."""
    lines = [" ".join(f"El ministro número {i} llega a Sevilla, {i * 7} personas".split()) for i in range(400)]
    text = "\n\n".join(lines)
    pipeline = Pipeline(FIND)
    pipeline.find(documents.from_text(text))
    began = time.process_time()
    pipeline.find(documents.from_text(text.replace("Sevilla", "Toledo")))
    return "\n\n".join([text] * max(2, round(seconds / (time.process_time() - began))))


def test_time_limit(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    make_corpus.write(pages, 6, seed=9, residue=0, format="text")
    (pages / "1-slow.txt").write_text(slow_document(8), encoding="utf-8")
    options = find_only(pages, tmp_path / "run", time_limit=3, document_bytes=1 << 30)
    summary = runs.run(options)
    assert [(Path(f["document"]).name, f["cause"]) for f in failures(options.out)] == [("1-slow.txt", "time-limit")]
    assert summary.counts.records == 6
    assert "longer than 3 s" in failures(options.out)[0]["error"]


def test_document_over_which_workers_die(tmp_path: Path) -> None:
    """Whoever kills the workers: a document that three of them died over is given up, and the others are done."""
    pages = tmp_path / "pages"
    make_corpus.write(pages, 6, seed=10, residue=0, format="text")
    (pages / "10-slow.txt").write_text(slow_document(8), encoding="utf-8")
    arguments = ["batch", str(pages), "--out", str(tmp_path / "run"), "--workers", "1", "--no-translate", "--no-link"]
    process = subprocess.Popen(
        [sys.executable, "-m", "aligner", *arguments], start_new_session=True, stdout=subprocess.PIPE
    )
    killer = threading.Thread(target=kill_the_busy, args=(process,))
    killer.start()
    process.communicate(timeout=300)
    killer.join()
    assert process.returncode == 1
    (failure,) = failures(tmp_path / "run")
    assert (Path(failure["document"]).name, failure["cause"]) == ("10-slow.txt", "worker-died")
    assert failure["error"] == "a worker process died over it 3 times (signal 9)"
    assert len(records(tmp_path / "run")) == 6


def kill_the_busy(process: subprocess.Popen[bytes]) -> None:
    """Kills any process of a session that has computed for a second since it was last seen."""
    seen: dict[int, float] = {}
    while process.poll() is None:
        for other in session(process.pid):
            try:
                fields = Path(f"/proc/{other}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            if used - seen.setdefault(other, used) > 1:
                os.kill(other, signal.SIGKILL)
        time.sleep(0.05)


# -- refused ---------------------------------------------------------------------------------------------------------


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "format": ({"format": "parquet"}, 'options.format: "jsonl" then, "parquet" now'),
    "shard size": ({"shard_size": 7}, "options.shard_size: 100000 then, 7 now"),
    "beam": ({"pipeline": replace(ALL, beam_size=2)}, "options.beam: 4 then, 2 now"),
    "stages": ({"pipeline": replace(ALL, link=False)}, "options.link: true then, false now"),
    "inputs": ({"inputs": ("/dev/null",)}, "inputs: "),
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_options_are_refused(corpus_file: Path, finished: Path, name: str) -> None:
    change, message = CHANGES[name]
    before = snapshot(finished)
    with pytest.raises(UsageError, match="begun otherwise") as caught:
        runs.run(replace(BatchOptions((str(corpus_file),), finished, ALL), **change))
    assert message in str(caught.value)
    assert snapshot(finished) == before


def test_other_weights_are_refused(corpus_file: Path, finished: Path, tmp_path: Path) -> None:
    import shutil

    from aligner.resources import bundled

    model = tmp_path / "es-en"
    shutil.copytree(bundled("models") / "es-en", model)
    (model / "manifest.json").unlink(missing_ok=True)
    weights = next(model.glob("ctranslate2*")) / "model.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(UsageError, match=r"model\.sha256"):
        runs.run(BatchOptions((str(corpus_file),), finished, replace(ALL, model=str(model))))


def test_finished_run_is_left_alone(aligner: Run, corpus_file: Path, finished: Path) -> None:
    before = snapshot(finished)
    done = aligner("batch", corpus_file, "--out", finished)
    assert done.returncode == 0
    assert "the run was finished before" in done.stdout
    assert snapshot(finished) == before


def test_missing_inputs_leave_nothing(tmp_path: Path) -> None:
    options = find_only(tmp_path / "missing.jsonl", tmp_path / "out")
    with pytest.raises(UsageError, match="no such file"):
        runs.run(options)
    assert not (tmp_path / "out").exists()


def test_two_runs_on_one_folder_are_refused(corpus_file: Path, tmp_path: Path) -> None:
    from aligner.batch.output import Lock

    (tmp_path / "run").mkdir()
    lock = Lock(tmp_path / "run")
    with pytest.raises(UsageError, match="another run is writing here"):
        runs.run(find_only(corpus_file, tmp_path / "run"))
    lock.release()


MISTAKES: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "no such input": (lambda folder: [str(folder / "none.jsonl")], "no such file"),
    "a folder of something else": (
        lambda folder: [str(folder / "in.txt"), "--out", str(folder)],
        "not empty and no run",
    ),
    "a file for a folder": (
        lambda folder: [str(folder / "in.txt"), "--out", str(folder / "in.txt")],
        "cannot be written",
    ),
    "a folder within the input": (
        lambda folder: [str(folder), "--out", str(folder / "in.txt.run")],
        "whose documents are read; give a folder elsewhere",
    ),
    "a folder within another run": (
        lambda folder: (folder / "run.json").touch() or [str(folder / "in.txt")],  # type: ignore[func-returns-value]
        "lies in the folder of another run",
    ),
    "a memory that is a folder": (lambda folder: [str(folder / "in.txt"), "--memory", str(folder)], "Is a directory"),
    "a memory that is a text": (
        lambda folder: [str(folder / "in.txt"), "--memory", str(folder / "in.txt")],
        "in.txt: file is not a database; name another file, or leave --memory out",
    ),
    "no such model": (lambda folder: [str(folder / "in.txt"), "--model", "xx-yy"], "unknown model"),
    "no such engine": (lambda folder: [str(folder / "in.txt"), "--mt-engine", "fast"], "unknown engine"),
    "retry of nothing": (lambda folder: [str(folder / "in.txt"), "--retry-failed"], "no run here"),
    "plan of stdin": (lambda folder: ["-", "--plan"], "cannot sample standard input"),
}


@pytest.mark.parametrize(
    "option",
    [("--shard-size", 10**20), ("--max-document-mb", "inf"), ("--memory-limit", 10**30), ("--time-limit", "nan")],
)
def test_numbers_out_of_range(aligner: Run, tmp_path: Path, option: tuple[str, object]) -> None:
    (tmp_path / "in.txt").write_text("The minister arrived.\n", encoding="utf-8")
    done = aligner("batch", tmp_path / "in.txt", "--out", tmp_path / "new", *option)
    assert done.returncode == 2
    assert option[0] in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()


DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "manifest.json": lambda data: data[:-20],
    "journal": lambda data: data.replace(b"0", b"1"),
    "failed.jsonl": lambda data: data.replace(b"cause", b"because"),
    "inputs.jsonl": lambda data: None,
    "ids.sqlite": lambda data: b"nothing that SQLite knows" * 10,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_files_of_a_run_are_named(aligner: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.txt").write_text("The minister arrived.\n", encoding="utf-8")
    (tmp_path / "empty.txt").touch()
    run = tmp_path / "run"
    command = ("batch", tmp_path / "in.txt", tmp_path / "empty.txt", "--out", run, "--no-translate")
    assert aligner(*command).returncode == 1
    before = (run / "part-00000.jsonl").read_bytes()
    if (damaged := DAMAGE[name]((run / name).read_bytes())) is None:
        (run / name).unlink()
    else:
        (run / name).write_bytes(damaged)
    refused = [aligner(*command), aligner(*command, "--retry-failed"), aligner("batch", "status", run)]
    refused = [done for done in refused if done.stderr]
    assert refused
    for done in refused:
        assert done.returncode in (1, 2)
        assert name in done.stderr
        assert "Traceback" not in done.stderr
        assert "new folder" in done.stderr or "another --out" in done.stderr
    assert (run / "part-00000.jsonl").read_bytes() == before


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(aligner: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.txt").write_text("The minister arrived.\n", encoding="utf-8")
    arguments, message = MISTAKES[name]
    done = aligner("batch", "--out", tmp_path / "new", *arguments(tmp_path))
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert done.stderr.startswith("aligner: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.rglob("part-*"))


# -- seeing it work --------------------------------------------------------------------------------------------------


def test_log_status_and_summary(aligner: Run, corpus_file: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = aligner("batch", corpus_file, "--out", run, "--no-translate", "--log-json")
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events][-1] == "finished"
    progress = [event for event in events if event["event"] == "progress"]
    assert progress
    assert {"documents", "captions", "failed", "documents_per_second", "megabytes_per_second"} <= set(progress[0])
    assert "60 documents" in done.stdout
    shown = json.loads(aligner("batch", "status", run, "--json").stdout)
    assert (shown["state"], shown["counts"]["documents"], shown["done"]) == ("finished", 60, 1.0)
    assert shown["settings"]["options"]["translate"] is False
    manifest = json.loads((run / "manifest.json").read_bytes())
    assert manifest["counts"] == shown["counts"]
    assert manifest["packages"]["caption-aligner"]
    assert manifest["digest"] in done.stdout


def test_plan_writes_nothing(aligner: Run, corpus_file: Path, tmp_path: Path) -> None:
    done = aligner("batch", corpus_file, "--plan", "--out", tmp_path / "run", "--log-json", "--no-translate")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert (plan["sources"], plan["documents"], plan["sampled"]) == (1, 60, 60)
    assert plan["find_seconds"] > 0
    assert list(tmp_path.iterdir()) == []


def test_plan_counts_on_repeats(aligner: Run, tmp_path: Path) -> None:
    make_corpus.write(tmp_path / "c.jsonl", 40, seed=5, residue=1)
    text = (tmp_path / "c.jsonl").read_text(encoding="utf-8")
    (tmp_path / "c.jsonl").write_text(text * 20, encoding="utf-8")
    options = BatchOptions((str(tmp_path / "c.jsonl"),), tmp_path / "run", ALL, workers=1)
    plan = status.plan(options)
    assert plan.sampled_repeats > plan.sampled_captions / 2
    unlike = plan.sampled_captions - plan.sampled_repeats
    assert unlike <= plan.distinct < 1.2 * unlike
    assert plan.captions == pytest.approx(20 / 10 * plan.sampled_captions, rel=0.2)
    assert plan.translate_seconds > plan.link_seconds > 0
    assert "are repeats)" in "\n".join(plan.lines())


@pytest.mark.parametrize(
    ("sample", "expected"),
    [(list("abcdefgh"), 1000), (list("abababab"), 2), (list("aaaaaaaa"), 1), (["a"], 1000), ([], 0)],
)
def test_number_of_different_captions(sample: list[str], expected: int) -> None:
    assert status.Repeats(sample).distinct(1000 if sample else 0) == expected


# -- the memory ------------------------------------------------------------------------------------------------------


def test_memory_is_bounded_and_kept_apart(tmp_path: Path) -> None:
    translator = Translator.open(threads=1)
    texts = ["Una calle de Sevilla", "El puerto de Vigo", "La plaza de Cuzco"]
    path = tmp_path / "memory.sqlite"
    first = RememberingTranslator(Memory(path, {"model": "a"}, limit=2), lambda: translator)
    assert first.translate(texts) == translator.translate(texts)
    assert first.translate(texts) == translator.translate(texts)
    first.memory.close()
    other = Memory(path, {"model": "b"}, limit=2)
    assert other.get(texts, "1 False") == {}
    again = RememberingTranslator(Memory(path, {"model": "a"}, limit=2), lambda: translator)
    last = [texts[2], texts[0]]
    assert again.translate(last) == translator.translate(last)
    assert (again.memory.hits, again.memory.misses) == (2, 0)
    aligned = [*texts[1:], "La tienda☀ de Cuzco"]  # a symbol glued to a word
    ranked = again.hypotheses(aligned, 3, alignment=True)
    assert ranked == again.hypotheses(aligned, 3, alignment=True) == translator.hypotheses(aligned, 3, alignment=True)
    assert [(held["settings"], held["entries"]) for held in inspect(path)] == [({"model": "a"}, 2)]
    again.memory.close()
    other.close()


def test_damaged_memory_is_done_without(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    path.write_bytes(b"no database at all" * 100)
    memory = Memory(path, {})
    worker = RememberingTranslator(memory, lambda: Translator.open(threads=1))
    assert worker.translate(["Una calle de Sevilla"])[0].text
    assert "not a database" in str(memory.broken)


# -- the worker ------------------------------------------------------------------------------------------------------


def test_a_memory_that_cannot_be_used_is_named(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("The minister arrived.\n\nUna manifestante muestra una pancarta.\n", "utf-8")
    run = tmp_path / "run"
    command = ("batch", tmp_path / "in.txt", "--out", run)
    assert aligner(*command).returncode == 0
    before = (run / "part-00000.jsonl").read_bytes()
    aligner("batch", "status", run)
    assert not list(run.glob("memory.sqlite-*"))  # nobody has it open any more
    for name in ("manifest.json", "journal"):
        (run / name).unlink()
    (run / "memory.sqlite").write_bytes(b"damaged")
    done = aligner(*command)
    assert done.returncode == 0
    assert f"goes on without the translation memory: {run / 'memory.sqlite'}: file is not a database" in done.stderr
    assert (run / "part-00000.jsonl").read_bytes() == before


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE entries (name TEXT)")
    before = path.read_bytes()
    memory = Memory(path, {"model": "a"})
    assert memory.broken == f"{path}: is another database, no translation memory"
    memory.put({}, "4")
    assert memory.get(["Una calle"], "4") == {}
    assert path.read_bytes() == before


def test_files_that_are_no_documents_are_named(aligner: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.txt", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "gold.jsonl"):
        (folder / name).write_text("The minister arrived.\n", encoding="utf-8")
    pictures = f"{folder / 'b.jpg'}, {folder / 'c.jpg'}, {folder / 'd.jpg'}"
    left = [
        f"files of other formats in the folders, left out: 4 ({pictures}, …)",
        f"gold sets, which are no articles, in the folders, left out: 1 ({folder / 'gold.jsonl'})",
    ]
    planned = aligner("batch", "--plan", folder, "--out", tmp_path / "run", "--no-translate")
    assert planned.stdout.splitlines()[1:3] == left
    done = aligner("batch", folder, "--out", tmp_path / "run", "--no-translate")
    assert done.returncode == 0
    assert done.stderr == "".join(f"aligner: {line}\n" for line in left)
    found = aligner("find", "--format", "jsonl", folder)
    assert (len(found.stdout.splitlines()), found.stderr) == (1, done.stderr)


def test_an_unexpected_error_is_the_documents_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in a stage costs one document; a broken model ends the run."""
    worker = Worker(WorkerSettings(FIND))
    items = [Item(str(n), b"The minister arrived.", "text", Position(0, "x", n)) for n in range(3)]
    real = Pipeline.find

    def find(self: Pipeline, article: documents.Article) -> Any:
        if article.name == "1":
            raise ValueError("a defect")
        return real(self, article)

    monkeypatch.setattr(Pipeline, "find", find)
    outcomes = [worker.find(item) for item in items]
    assert [isinstance(outcome, Outcome) and outcome.failed for outcome in outcomes] == [False, True, False]
    assert isinstance(outcomes[1], Outcome)
    failure = json.loads(outcomes[1].line)
    assert failure["cause"] == "internal-error"
    assert "ValueError at test_batch.py" in failure["error"]


def test_broken_model_ends_the_run(corpus_file: Path, tmp_path: Path) -> None:
    import shutil

    from aligner.resources import bundled

    model = tmp_path / "es-en"
    shutil.copytree(bundled("models") / "es-en", model)
    (model / "manifest.json").unlink(missing_ok=True)
    weights = next(model.glob("ctranslate2*")) / "model.bin"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(AlignerError, match="cannot be loaded"):
        runs.run(BatchOptions((str(corpus_file),), tmp_path / "run", replace(ALL, model=str(model)), workers=1))


# -- Ray -------------------------------------------------------------------------------------------------------------


def test_ray_writes_the_same(tmp_path: Path, aligner: Run) -> None:
    pytest.importorskip("ray")
    inputs = kill_batch.build(tmp_path, 60)
    arguments = ("batch", *inputs, "--shard-size", "40", "--workers", "2")
    local = aligner(*arguments, "--out", tmp_path / "local")
    command = [sys.executable, "-m", "aligner", *arguments, "--out", str(tmp_path / "ray"), "--engine", "ray"]
    on_ray = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (local.returncode, on_ray.returncode) == (1, 1), on_ray.stderr
    assert snapshot(tmp_path / "ray") == snapshot(tmp_path / "local")


# -- the generator of corpora ----------------------------------------------------------------------------------------


def test_generated_corpora_tell_the_truth() -> None:
    small = list(make_corpus.corpus(20, seed=3, residue=1.0, unique=True))
    assert small == list(make_corpus.corpus(40, seed=3, residue=1.0, unique=True))[:20]
    assert small != list(make_corpus.corpus(20, seed=4, residue=1.0, unique=True))
    spanish = 0
    for _, text, gold in small:
        lines = text.split("\n")
        for entry in gold["lines"]:
            for part in ("caption", "credit"):
                assert entry[part] is None or entry[part] in lines[entry["line"] - 1]
            if entry["kind"] == "caption_es":
                spanish += 1
                assert entry["aligned_line"] is None or lines[entry["aligned_line"] - 1].strip()
    assert spanish > 20


def test_no_residue_no_spanish_captions() -> None:
    for _, _, gold in make_corpus.corpus(20, residue=0.0):
        assert all(entry["kind"] != "caption_es" for entry in gold["lines"])


def waiting(worker: Worker, count: int) -> list[Found]:
    """The documents with captions among the first so many of a corpus."""
    found = [
        worker.find(Item(name, text.encode(), "text", Position(0, "x", number)))
        for number, (name, text, _) in enumerate(make_corpus.corpus(count, residue=1.0))
    ]
    return [document for document in found if isinstance(document, Found)]


def test_worker_batches_across_documents() -> None:
    worker = Worker(WorkerSettings(ALL))
    found = waiting(worker, 12)
    assert len(found) > 3
    worker.translate(found)
    assert all(caption.translation for document in found for caption in document.captions)


def test_the_first_captions_are_translated_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's groups of captions grow from a few to hundreds."""
    monkeypatch.setattr(Pipeline, "translate", lambda self, documents: [list(captions) for _, _, captions in documents])
    worker = Worker(WorkerSettings(ALL))
    document = waiting(worker, 12)[0]
    sizes = []
    for _ in range(8):
        number = next(n for n in range(1, 10_000) if worker.pending([document] * n))
        worker.translate([document] * number)
        sizes.append(number)
    assert sizes[0] * 10 < sizes[-1]
    assert sizes[-2] == sizes[-1]
    assert all(before <= after <= 2 * before for before, after in itertools.pairwise(sizes))


@pytest.mark.parametrize("count", [1, 3])
def test_a_failing_translation_is_the_documents_own(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    worker = Worker(WorkerSettings(ALL))
    found = waiting(worker, 12)[:count]
    real = Pipeline.translate

    def translate(self: Pipeline, documents: Any) -> Any:
        if any(article.name == found[0].item.document for article, _, _ in documents):
            raise ValueError("a defect")
        return real(self, documents)

    monkeypatch.setattr(Pipeline, "translate", translate)
    worker.translate(found)
    outcomes = [worker.finish(document) for document in found]
    assert [outcome.failed for outcome in outcomes] == [True, *[False] * (count - 1)]
    assert json.loads(outcomes[0].line)["cause"] == "internal-error"
