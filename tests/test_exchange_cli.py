from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from gold_runs import CORPUS, gold_run
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from aligner.cli import export
from aligner.documents import read as read_article
from aligner.exchange import dump_run, read_run, units
from aligner.patch import unpatch

APP = typer.Typer()
export.register(APP)


def aligner(*arguments: object) -> Result:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def said(result: Result) -> str:
    """What the user reads: stderr, or the error that main() prints."""
    return str(result.exception) if result.exception and result.exit_code == 1 else result.stderr


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_bytes(dump_run(gold_run("atalayar-2022")))
    return path


def test_there_and_back_into_the_article(tmp_path: Path, run: Path) -> None:
    sheet, new, corrected = tmp_path / "c.xlsx", tmp_path / "new.jsonl", tmp_path / "corrected"
    assert aligner("export", run, "-o", sheet).exit_code == 0
    book = load_workbook(sheet)
    row = next(row for row in book.active.iter_rows() if "Merkel" in str(row[4].value))
    row[6].value = "Merkel, Macron and Putin in Paris"
    book.save(sheet)
    result = aligner("import", sheet, "--run", run, "-o", new, "--patch", corrected)
    assert result.exit_code == 0, said(result)
    assert result.stdout == ""
    assert "1 edited, 0 accepted, 0 rejected; 1 article below" in result.stderr
    original = read_article(CORPUS / "atalayar-2022" / "putin-macron.txt")
    [edited] = [u for u in units(read_run(new)) if u.caption.translation and u.caption.translation.engine == "edited"]
    text = (corrected / "putin-macron.txt").read_text(encoding="utf-8")
    assert "AFP/LUDOVIC MARIN" in text
    assert "Merkel, Macron and Putin in Paris" in text
    assert edited.caption.source not in text
    from aligner.patch import edits

    assert unpatch(text, edits(original, read_run(new)[0])) == original.text


def test_without_an_output_the_new_run_is_printed(tmp_path: Path, run: Path) -> None:
    table = tmp_path / "c.tsv"
    assert aligner("export", run, "--to", "tsv", "-o", table).exit_code == 0
    result = aligner("import", table, "--run", run)
    assert result.stdout_bytes == run.read_bytes()


def test_a_file_of_another_run_is_refused_in_one_line(tmp_path: Path, run: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(dump_run(gold_run("outlets")))
    sheet = tmp_path / "c.xlsx"
    assert aligner("export", run, "-o", sheet).exit_code == 0
    result = aligner("import", sheet, "--run", other, "-o", tmp_path / "new.jsonl")
    assert said(result).splitlines() == [
        "nothing was imported; 1 problem",
        f"{sheet}: none of its captions (4) is in {other}: it was exported from another run, or the documents "
        "have changed since; name its own run with --run",
    ]
    assert not (tmp_path / "new.jsonl").exists()


def test_tags_carry_no_edits(tmp_path: Path, run: Path) -> None:
    sheet = tmp_path / "c.xlsx"
    assert aligner("export", run, "-o", sheet).exit_code == 0
    result = aligner("import", sheet, "--run", run, "--patch", tmp_path / "out", "--patch-mode", "tag")
    assert "writes no translation" in said(result)
    assert not (tmp_path / "out").exists()


def test_stdout_and_formats(run: Path) -> None:
    assert aligner("export", run, "--to", "tmx").stdout.startswith("<?xml")
    assert "say which format" in said(aligner("export", run))
    assert "no format is known" in said(aligner("export", run, "-o", "captions.pdf"))


def test_an_existing_export_is_not_written_over(tmp_path: Path, run: Path) -> None:
    target = tmp_path / "c.xlf"
    target.write_text("a translator's work")
    assert "may hold edits" in said(aligner("export", run, "-o", target))
    assert target.read_text() == "a translator's work"
    assert aligner("export", run, "-o", target, "--force").exit_code == 0
    assert target.read_text().startswith("<?xml")


def test_problems_are_listed_and_nothing_is_written(tmp_path: Path, run: Path) -> None:
    one, two, cut = tmp_path / "one.tsv", tmp_path / "two.tsv", tmp_path / "cut.xlf"
    for path in (one, two):
        aligner("export", run, "-o", path)
    text = one.read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    cells = lines[1].split("\t")
    cells[6] = "First version"
    one.write_text("\n".join([lines[0], "\t".join(cells), *lines[2:]]), encoding="utf-8")
    cells[6] = "Second version"
    two.write_text("\n".join([lines[0], "\t".join(cells), *lines[2:]]), encoding="utf-8")
    cut.write_text("<xliff")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = aligner("import", one, two, cut, "-r", run, "-o", tmp_path / "new.jsonl", "--patch", tmp_path / "out")
    assert result.exit_code == 1
    message = said(result)
    assert message.startswith("nothing was imported; 2 problems\n")
    assert "cut.xlf:1:" in message
    assert f"{two}:2: " in message
    assert "'First version' there" in message
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_run_itself_is_never_written(tmp_path: Path, run: Path) -> None:
    table = tmp_path / "c.tsv"
    aligner("export", run, "-o", table)
    before = run.read_bytes()
    assert "is the run itself" in said(aligner("import", table, "-r", run, "-o", tmp_path / "." / "run.jsonl"))
    assert run.read_bytes() == before


def test_other_files_are_not_written_over(tmp_path: Path, run: Path) -> None:
    table, new, corrected = tmp_path / "c.tsv", tmp_path / "new.jsonl", tmp_path / "out" / "putin-macron.txt"
    aligner("export", run, "-o", table)
    arguments = ("import", table, "-r", run, "-o", new, "--patch", tmp_path / "out")
    assert aligner(*arguments).exit_code == 0
    assert aligner(*arguments).exit_code == 0  # the same bytes
    sound = corrected.read_bytes()
    for file in (new, corrected):
        kept = file.read_bytes()
        file.write_bytes(b"edited since")
        before = {path: path.read_bytes() for path in (new, corrected)}
        assert f"{file}: a file that is another stands here; give --force" in said(aligner(*arguments))
        assert {path: path.read_bytes() for path in (new, corrected)} == before
        file.write_bytes(kept)
    corrected.write_bytes(b"edited since")
    assert aligner(*arguments, "--force").exit_code == 0
    assert corrected.read_bytes() == sound


def test_help_of_import_names_the_formats_that_carry_edits() -> None:
    said_ = " ".join(aligner("import", "--help").stdout.split())
    assert "(tmx, xliff, xliff2, tsv, xlsx)" in said_
    assert "(jsonld, html) are for the web and carry no edits" in said_


def test_articles_elsewhere_and_changed(tmp_path: Path) -> None:
    [document] = gold_run("atalayar-2022")
    source = (CORPUS / "atalayar-2022" / "putin-macron.txt").read_bytes()
    run, table, moved = tmp_path / "run.jsonl", tmp_path / "c.tsv", tmp_path / "moved"
    run.write_bytes(dump_run([replace(document, document="gone/news/putin-macron.txt")]))
    aligner("export", run, "-o", table)
    assert "not found at this path" in said(aligner("import", table, "-r", run, "--patch", tmp_path / "out"))
    (moved / "news").mkdir(parents=True)
    (moved / "putin-macron.txt").write_bytes(source + b"\n")
    result = aligner("import", table, "-r", run, "--patch", tmp_path / "out", "--articles", moved)
    assert "changed since the run" in said(result)
    (moved / "news" / "putin-macron.txt").write_bytes(source)
    result = aligner("import", table, "-r", run, "--patch", tmp_path / "out", "--articles", moved)
    assert result.exit_code == 0, said(result)
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["putin-macron.txt"]


def test_compressed_articles_are_patched_and_texts_without_a_file_are_not(tmp_path: Path) -> None:
    [document] = gold_run("atalayar-2022")
    packed, run, table, out = (tmp_path / name for name in ("putin.txt.gz", "run.jsonl", "c.tsv", "out"))
    packed.write_bytes(gzip.compress((CORPUS / "atalayar-2022" / "putin-macron.txt").read_bytes()))
    run.write_bytes(dump_run([replace(document, document=str(packed))]))
    aligner("export", run, "-o", table)
    result = aligner("import", table, "-r", run, "--patch", out)
    assert result.exit_code == 0, said(result)
    assert document.captions[0].translation.text in (out / "putin.txt").read_text(encoding="utf-8")
    run.write_bytes(dump_run([replace(document, document="doc35")]))
    result = aligner("import", table, "-r", run, "--patch", out, "--articles", tmp_path)
    assert f"doc35: not found in {tmp_path} or at its own path" in said(result)
    assert "JSON Lines, Parquet or an archive has no file of its own" in said(result)


def test_untranslated_captions_are_told(tmp_path: Path) -> None:
    [document] = gold_run("atalayar-2022")
    bare = tuple(replace(caption, translation=None) for caption in document.captions)
    run = tmp_path / "run.jsonl"
    run.write_bytes(dump_run([replace(document, captions=bare), replace(document, captions=(), error="is gone")]))
    result = aligner("export", run, "-o", tmp_path / "c.tmx")
    assert "4 captions without a translation left out" in result.stderr
    assert "1 document could not be read" in result.stderr
