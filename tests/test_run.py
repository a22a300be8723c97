"""The main job, as a user runs it: real command, real model, real article."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from conftest import Run

import aligner as package
from aligner import documents, patch
from aligner.records import Document

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "aligner-1.schema.json").read_text(encoding="utf-8"))


def records(stdout: str) -> list[Document]:
    found = []
    for line in stdout.splitlines():
        jsonschema.validate(json.loads(line), SCHEMA)
        found.append(Document.from_json(line))
    return found


def test_seed_article(aligner: Run, seed: Path) -> None:
    done = aligner("run", "--format", "jsonl", seed)
    assert (done.returncode, done.stderr) == (0, "")
    (record,) = records(done.stdout)
    text = seed.read_text(encoding="utf-8")
    assert [caption.line for caption in record.captions] == [32, 38, 43, 49]
    for caption in record.captions:
        assert text[caption.start : caption.end] == caption.source
        assert caption.credit is not None
        assert text[caption.credit.start : caption.credit.end] == caption.credit.text
        assert caption.translation is not None
        assert caption.translation.text
    assert record.captions[0].source.startswith("La canciller alemana")
    assert record.captions[0].credit.agency == "AFP"
    assert record.captions[0].credit.photographer == "Ludovic Marin"
    assert {slug.text for slug in record.slugs} == {
        "putin",
        "emmanuel macron",
        "putin-macron-moscu",
        "macron-rusia",
    }


def test_patch_changes_the_captions_alone(aligner: Run, seed: Path, tmp_path: Path) -> None:
    done = aligner("run", "--format", "jsonl", "--patch", tmp_path / "out", seed)
    (record,) = records(done.stdout)
    expected = seed.read_text(encoding="utf-8")
    for caption in reversed(record.captions):
        assert caption.translation is not None
        expected = expected[: caption.start] + caption.translation.text + expected[caption.end :]
    assert (tmp_path / "out" / seed.name).read_text(encoding="utf-8") == expected
    assert aligner("run", "--patch", "-", seed).stdout == expected


def test_diff_writes_nothing(aligner: Run, seed: Path, tmp_path: Path) -> None:
    done = aligner("run", "--diff", seed, cwd=tmp_path)
    assert done.returncode == 0
    assert sum(row.startswith("-") for row in done.stdout.splitlines()) == 1 + 4
    assert list(tmp_path.iterdir()) == []


def test_other_formats_hold_the_same(aligner: Run, seed: Path) -> None:
    lines = records(aligner("run", "--format", "jsonl", seed).stdout)
    assert [Document.from_dict(item) for item in json.loads(aligner("run", "--format", "json", seed).stdout)] == lines
    for style in ("table", "markdown"):
        shown = " ".join(aligner("run", "--format", style, seed, env={**os.environ, "COLUMNS": "500"}).stdout.split())
        for caption in lines[0].captions:
            assert caption.translation is not None
            assert caption.source in shown
            assert caption.translation.text in shown


def test_python_and_command_agree(aligner: Run, seed: Path) -> None:
    (line,) = records(aligner("run", "--format", "jsonl", seed).stdout)
    assert package.run(seed) == line
    from_text = package.run(seed.read_text(encoding="utf-8"))
    assert from_text.captions == line.captions


def test_stdin(aligner: Run, seed: Path) -> None:
    (from_file,) = records(aligner("run", "--format", "jsonl", seed).stdout)
    (from_stdin,) = records(aligner("run", "--format", "jsonl", "-", stdin=seed.read_bytes()).stdout)
    assert from_stdin.document == "-"
    assert from_stdin.captions == from_file.captions


def test_find_loads_no_model(seed: Path) -> None:
    code = (
        "import sys; from aligner.cli import app\n"
        f"try: app(['find', {str(seed)!r}])\nexcept SystemExit: pass\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"torch", "transformers", "ctranslate2", "sentencepiece", "sacrebleu"}


def test_running_loads_no_torch_or_transformers(seed: Path) -> None:
    code = f"import sys, aligner; aligner.run(__import__('pathlib').Path({str(seed)!r})); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "transformers"}


def test_importing_the_package_loads_no_stage() -> None:
    code = "import sys, aligner; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {
        "torch",
        "transformers",
        "ctranslate2",
        "sentencepiece",
        "numpy",
        "rich",
        "typer",
        "sacrebleu",
    }


def test_order_is_kept_and_a_bad_document_does_not_stop_the_run(aligner: Run, seed: Path, tmp_path: Path) -> None:
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    done = aligner("run", "--format", "jsonl", seed, tmp_path / "picture.txt", tmp_path / "missing.txt", seed)
    found = records(done.stdout)
    assert done.returncode == 1
    assert [bool(record.error) for record in found] == [False, True, True, False]
    assert "missing.txt: no such file" in done.stderr
    assert "Traceback" not in done.stderr
    assert found[0].captions == found[3].captions


def test_folders(aligner: Run, seed: Path, tmp_path: Path) -> None:
    (tmp_path / "in" / "below").mkdir(parents=True)
    (tmp_path / "in" / "b.txt").write_bytes(seed.read_bytes())
    (tmp_path / "in" / "below" / "a.md").write_bytes(b"# Hello\n\nNothing to see here, and nothing else.\n")
    (tmp_path / "in" / "notes.log").write_bytes(b"not a document")
    done = aligner("run", "--format", "jsonl", "--patch", tmp_path / "out", tmp_path / "in")
    assert [Path(record.document).name for record in records(done.stdout)] == ["b.txt", "a.md"]
    assert (tmp_path / "out" / "below" / "a.md").read_bytes() == (tmp_path / "in" / "below" / "a.md").read_bytes()
    assert sorted(p.name for p in (tmp_path / "out").rglob("*") if p.is_file()) == ["a.md", "b.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "EMPTY"], 2, "no documents there"),
        (["run", "--engine", "magic", "SEED"], 2, "ctranslate2"),
        (["run", "--model", "no-such-model", "SEED"], 2, "es-en"),
        (["run", "--format", "xml", "SEED"], 2, "xml"),
        (["run", "--diff", "--patch", "EMPTY", "SEED"], 2, "--diff"),
        (["run", "--patch", "-", "SEED", "SEED"], 2, "one document"),
        (["run", "--patch", "SEEDFOLDER", "SEED"], 2, "onto the document itself"),
        (["run", "--patch-mode", "tag", "--diff", "SEED"], 2, "language tag"),
        (["run", "-", "-"], 2, "once only"),
        (["run"], 2, "Missing argument"),
        (["find", "--no-such-option"], 2, "No such option"),
    ],
)
def test_mistakes_get_one_clear_message(
    aligner: Run, seed: Path, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    places = {"EMPTY": str(empty), "SEED": str(seed), "SEEDFOLDER": str(seed.parent)}
    done = aligner(*[places.get(word, word) for word in arguments])
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(empty.iterdir()) == []


def test_output_that_cannot_be_written(aligner: Run, seed: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = aligner("run", "--patch", tmp_path / "file" / "out", seed)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_fail_on_residue(aligner: Run, seed: Path, tmp_path: Path) -> None:
    clean = tmp_path / "clean.txt"
    clean.write_text("The minister spoke for an hour.\n\nNobody in the hall asked a question.\n", encoding="utf-8")
    assert aligner("find", "--fail-on-residue", seed).returncode == 1
    assert aligner("find", "--fail-on-residue", clean).returncode == 0


def test_unpatch_of_the_seed(seed: Path) -> None:
    article = documents.read(seed)
    changes = patch.edits(article, package.run(article))
    patched = patch.apply(article.text, changes)
    assert article.encode(patch.unpatch(patched, changes)) == seed.read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", [("find",), ("run", "--patch", "-"), ("find", "--format", "jsonl")])
def test_full_disk_is_one_message(seed: Path, command: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aligner", *command, seed],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


def test_a_reader_that_leaves_is_no_failure(seed: Path) -> None:
    command = [sys.executable, "-m", "aligner", "find", "--format", "jsonl", *[seed] * 200]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0
