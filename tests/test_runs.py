"""A batch's folder stands where a run file does: for export, review, score and report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import Run

from aligner import runs
from aligner.batch import runs as batch
from aligner.batch.settings import BatchOptions
from aligner.errors import RecordError
from aligner.exchange import dump_run, read_run
from aligner.pipeline import Options
from aligner.resources import bundled

SET = bundled("corpus") / "written"
FIND = Options(threads=1, translate=False, link=False)


@pytest.fixture(scope="module")
def articles() -> list[str]:
    return [str(path) for path in sorted(SET.glob("*.txt"))]


@pytest.fixture(scope="module")
def printed(articles: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``aligner find --format jsonl`` prints of them."""
    from aligner.documents import read
    from aligner.pipeline import Pipeline

    path = tmp_path_factory.mktemp("printed") / "run.jsonl"
    path.write_bytes(dump_run(Pipeline(FIND).run_batch([read(name) for name in articles])))
    return path


@pytest.mark.parametrize("format", ["jsonl", "jsonl.zst", "parquet"])
def test_a_batch_is_the_run_over_the_same_documents(
    articles: list[str], printed: Path, tmp_path: Path, format: str
) -> None:
    options = BatchOptions(tuple(articles), tmp_path / "run", FIND, workers=1, format=format, shard_size=7)
    batch.run(options)
    assert len(list((tmp_path / "run").glob("part-*"))) > 2
    assert read_run(tmp_path / "run") == read_run(printed)
    assert read_run(tmp_path / "run" / f"part-00000.{format}") == read_run(printed)[:7]


def test_retries_and_failures_belong_to_it(aligner: Run, tmp_path: Path) -> None:
    source, run = tmp_path / "in.jsonl", tmp_path / "run"
    texts = ["The minister arrived.", None, "The minister left.", None, "The minister slept."]
    lines = [
        json.dumps({"id": name} | ({"text": text} if text else {})) for name, text in zip("abcda", texts, strict=True)
    ]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ("batch", source, "--out", run, "--no-translate")
    assert aligner(*command).returncode == 1
    found = [(document.document, document.error is None) for document in read_run(run)]
    assert found == [("a", True), ("c", True), ("b", False), ("d", False)]  # the second "a" has the first one's id
    lines[1] = json.dumps({"id": "b", "text": "The minister came back."})
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert aligner(*command, "--retry-failed").returncode == 1
    documents = read_run(run)
    assert [document.document for document in documents] == ["a", "c", "b", "d"]
    assert [document.document for document in documents if document.error] == ["d"]
    assert (documents[-1].context_language, documents[-1].caption_language) == ("en", "es")
    done = aligner("export", run, "--to", "tsv")
    assert done.returncode == 0
    assert "1 document could not be read in the run" in done.stderr


def test_commands_take_the_folder(aligner: Run, articles: list[str], printed: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    batch.run(BatchOptions(tuple(articles), run, FIND, workers=1))
    for command in (
        ("score", "--gold", SET, "--format", "json"),
        ("report", "--gold", SET, "--format", "json"),
        ("export", "--to", "tsv"),
        ("export", "--to", "jsonld"),
    ):
        one, other = (aligner(*command, named) for named in (run, printed))
        assert one.returncode == other.returncode == 0, one.stderr
        assert one.stdout.replace(str(run), str(printed)) == other.stdout
    reviewed = aligner("review", run, "--export", "-")
    assert reviewed.returncode == 2
    assert f"{run / 'review.sqlite'}: no decisions there yet" in reviewed.stderr


@pytest.mark.parametrize(
    "name", ["no batch", "not finished", "retry not finished", "damaged manifest", "damaged failures", "lost shard"]
)
def test_folders_that_are_refused(aligner: Run, articles: list[str], tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    batch.run(BatchOptions(tuple(articles[:3]), run, FIND, workers=1))
    if name == "no batch":
        (run / "run.json").unlink()
        expected = "is a folder, and no batch's; name a run file"
    elif name == "not finished":
        (run / "manifest.json").unlink()
        expected = f"{run}: the batch is not finished; finish it"
    elif name == "retry not finished":
        shutil.copytree(run, run / "retry-1")
        (run / "retry-1" / "manifest.json").unlink()
        expected = f"{run / 'retry-1'}: the batch is not finished; finish it"
    elif name == "damaged manifest":
        (run / "manifest.json").write_bytes(b"[]")
        expected = "manifest.json: damaged; restore it"
    elif name == "damaged failures":
        (run / "failed.jsonl").write_bytes(b'{"document": "a"}\n')
        expected = "failed.jsonl: damaged; restore it"
    else:
        (run / "part-00000.jsonl").unlink()
        expected = "cannot be read (No such file or directory)"
    if name != "lost shard":
        with pytest.raises(RecordError, match=r"finished|damaged|no batch"):
            runs.read_bytes(run)
    for command in ("report", "export", "score"):
        done = aligner(command, run, *(("--to", "tsv") if command == "export" else ()))
        assert done.returncode == 2
        assert expected in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
