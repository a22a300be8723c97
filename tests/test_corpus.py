"""Gold sets: the bundled corpus is valid, and every kind of mistake in one is found, all at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aligner import cli
from aligner.errors import RecordError
from aligner.scoring.gold import examine, load

TEXT = """A tower opens in the harbour town.

AFP/ Ana Ruiz – El alcalde corta la cinta. AFP

The mayor cut the ribbon at noon.

EFE Una niña mira el barco | EFE Un barco

torre-puerto

The boat left at once.
"""


def mark(line: int, kind: str, **more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("credit", "caption", "reference", "aligned_line"))
    return {"line": line, "kind": kind, **empty, "aligned_ok": []} | more


def record(**more: Any) -> dict[str, Any]:
    lines = [
        mark(
            3,
            "caption_es",
            credit="AFP/ Ana Ruiz",
            caption="El alcalde corta la cinta",
            reference="The mayor",
            aligned_line=5,
        ),
        mark(
            7,
            "caption_es",
            credit="EFE",
            caption="Una niña mira el barco",
            reference="A girl",
            aligned_line=11,
            aligned_ok=[5],
        ),
        mark(7, "caption_es", credit="EFE", caption="Un barco", reference="A boat"),
        mark(9, "slug"),
    ]
    return {"doc": "tower", "origin": "written", "lines": lines, "n_body": 3} | more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tower.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def write(folder: Path, *records: Any) -> None:
    lines = [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in records]
    (folder / "gold.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_spans_of_several_captions_and_credits_in_a_line(folder: Path) -> None:
    write(folder, record())
    document = load([folder]).documents[0]
    first, second, third = document.captions("es")
    assert document.text[first.start : first.end] == "El alcalde corta la cinta"
    assert document.text[second.start : second.end] == "Una niña mira el barco"
    assert document.text[third.start : third.end + 1] == "Un barco\n"
    assert document.text[second.credit_start - 2 : second.credit_end + 4] == "\n\nEFE Una"
    assert document.text[third.credit_start - 2 : third.credit_end + 3] == "| EFE Un"


@pytest.mark.parametrize("name", ["tower.md", "articles/tower.txt"])
def test_documents_beside_or_in_articles(folder: Path, name: str) -> None:
    (folder / "articles").mkdir()
    (folder / "tower.txt").rename(folder / name)
    write(folder, record())
    assert load([folder]).documents[0].path == folder / name


def lines(**changes: Any) -> dict[str, Any]:
    """The record with its first mark changed."""
    made = record()
    made["lines"][0] |= changes
    return made


PROBLEMS: list[tuple[str, list[Any], list[str]]] = [
    ("not JSON", ["{", record()], ["gold.jsonl:1: not JSON"]),
    ("not an object", ["[]", record()], ["not a gold record"]),
    ("missing and unknown fields", [{"doc": "tower", "lines": [], "extra": 1}],
     ["tower: field 'n_body' is missing", "field 'origin' is missing", "unknown field 'extra'"]),
    ("missing document", [record(), record(doc="bridge")], ["jsonl:2 bridge: document not found: looked"]),
    ("a document twice", [record(), record()], ["tower: stands for 2 documents"]),
    ("no such line", [lines(line=99)], ["line 99 is not a line"]),
    ("blank line", [lines(line=2)], ["tower line 2: the line is blank"]),
    ("unknown kind", [lines(kind="captoin_es")], ["unknown kind 'captoin_es'"]),
    ("caption is not in the line", [lines(caption="La alcaldesa")], ["'La alcaldesa' is not in the line"]),
    ("credit is not in the line", [lines(credit="AP")], ["credit 'AP' is not in the line"]),
    ("credit inside the caption", [lines(credit="alcalde")], ["credit 'alcalde' overlaps another span"]),
    ("no caption", [lines(caption=None)], ["a caption_es needs its caption"]),
    ("blank text", [lines(reference="  ")], ["reference must be text or null"]),
    ("no reference", [lines(reference=None)], ["the caption has no reference"]),
    ("aligned to a blank line", [lines(aligned_line=4)], ["line 4, which is not a line with text"]),
    ("aligned to a caption", [lines(aligned_line=7)], ["aligned to line 7, which is not body"]),
    ("aligned_ok is no list", [lines(aligned_ok=5)], ["aligned_ok must be a list"]),
    ("unknown mark field", [lines(aligned=5)], ["unknown field 'aligned'"]),
    ("body count", [record(n_body=4)], ["n_body is 4, but 3 lines are body"]),
    ("twice", [record(lines=[*record()["lines"], mark(9, "heading")])], ["tower line 9: marked twice"]),
    ("empty gold", [""], ["holds no document"]),
]  # fmt: skip


@pytest.mark.parametrize(("records", "expected"), [p[1:] for p in PROBLEMS], ids=[p[0] for p in PROBLEMS])
def test_each_mistake_is_found(folder: Path, records: list[Any], expected: list[str]) -> None:
    write(folder, *records)
    problems = "\n".join(map(str, examine([folder])[1]))
    for part in expected:
        assert part in problems


def test_all_mistakes_are_listed_at_once(folder: Path) -> None:
    (folder / "orphan.txt").write_text("An orphan.\n")
    write(folder, "{", lines(credit="AP", caption="nada", aligned_line=4), record(doc="bridge"))
    with pytest.raises(RecordError) as caught:
        load([folder])
    message = str(caught.value)
    for part in (
        "not JSON",
        "line 4, which is not",
        "bridge: document not found",
        "orphan.txt: a document without gold",
    ):
        assert part in message


def test_undecodable_document_and_gold(folder: Path) -> None:
    (folder / "tower.txt").write_bytes(b"\x89PNG\r\n")
    write(folder, record())
    assert "this is a PNG image" in str(examine([folder])[1][0])
    (folder / "gold.jsonl").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in str(examine([folder])[1][0])


def test_no_gold_at_all(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"no gold\.jsonl here"):
        load([tmp_path])


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aligner", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            cli.main()
        out, err = capsys.readouterr()
        return int(done.value.code or 0), out, err

    return run


def test_the_bundled_corpus_is_valid(call: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = call("corpus", "check")
    assert (code, out) == (0, "")
    assert "no problems" in err


def test_check_exits_1_and_prints_problems(call: Callable[..., tuple[int, str, str]], folder: Path) -> None:
    write(folder, lines(credit="AP", kind="caption_xyz1"), record(doc="bridge"))
    code, out, err = call("corpus", "check", folder)
    assert code == 1
    assert len(out.splitlines()) == 2
    assert "2 problems" in err


def test_stats(call: Callable[..., tuple[int, str, str]], folder: Path) -> None:
    write(folder, record())
    numbers = json.loads(call("corpus", "stats", folder, "--format", "json")[1])[str(folder)]
    assert numbers["lines"] == {"body paragraph": 3, "caption_es": 3, "slug": 1}
    assert numbers["captions"] == {"all": 3, "words": 12, "with a reference": 3}
    assert numbers["links"] == {"to one paragraph": 1, "to one of several paragraphs": 1, "to none": 1}
    assert numbers["layout"]["several captions in the line"] == 2
    assert "| lines: caption_es | 3 |" in call("corpus", "stats", folder, "--format", "markdown")[1]
    table = call("corpus", "stats")[1]
    assert "captions: all" in table
    assert "written" in table
