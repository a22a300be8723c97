"""Makes test corpora of any size, with known truth, from the documents of ``corpus/``.

Document ``i`` depends on the seed and ``i`` alone: a larger corpus begins with the smaller one.

    python tests/benchmarks/make_corpus.py --documents 10000 --residue 0.02 --truth gold.jsonl corpus.jsonl
    python tests/benchmarks/make_corpus.py --documents 200 --format text folder/
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from aligner import documents
from aligner.resources import bundled

SETS = ("atalayar-2022", "written", "unseen")
_MONTHS = (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Base:
    """A gold document: its lines, and the gold entries by line number."""

    name: str
    lines: list[str]
    gold: dict[int, list[dict[str, Any]]]


def bases(folder: Path | None = None) -> list[Base]:
    """The documents that corpora are made from, in a fixed order."""
    folder = folder or bundled("corpus")
    found = []
    for name in SETS:
        for line in (folder / name / "gold.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            text = documents.read(folder / name / f"{record['doc']}.txt").text
            by_line: dict[int, list[dict[str, Any]]] = {}
            for entry in record["lines"]:
                by_line.setdefault(entry["line"], []).append(entry)
            found.append(Base(record["doc"], [row.rstrip("\r") for row in text.split("\n")], by_line))
    return found


def _dated(caption: str, chance: random.Random) -> str:
    """The caption with a date at its end: no two alike, as on real pages that share few pictures."""
    date = f", el {chance.randint(1, 28)} de {chance.choice(_MONTHS)} de {chance.randint(1950, 2024)}"
    stem = caption.rstrip(".")
    return stem + date + caption[len(stem) :]


def document(
    base: list[Base], seed: int, number: int, residue: float, unique: bool, dropped: float = 0.25
) -> tuple[str, str, dict[str, Any]]:
    """One document.

    Args:
        base: see :func:`bases`.
        seed: of the corpus.
        number: of the document.
        residue: share of documents that keep their captions in Spanish; the others lose them.
        unique: give each caption a date of its own.
        dropped: share of the lines that go which are neither noted in the gold nor illustrated by a caption.

    Returns:
        (id, text, gold record).
    """
    chance = random.Random(f"{seed}:{number}")
    source = chance.choice(base)
    keep_captions = chance.random() < residue
    gold = {line: [dict(entry) for entry in entries] for line, entries in source.gold.items()}
    needed = {
        line
        for entries in gold.values()
        for e in entries
        for line in (e["aligned_line"], *e["aligned_ok"])
        if line and (keep_captions or e["kind"] != "caption_es")
    }
    lines: list[str] = []
    moved: dict[int, int] = {}
    for at, row in enumerate(source.lines, 1):
        entries = gold.get(at, [])
        spanish = any(entry["kind"] == "caption_es" for entry in entries)
        plain_body = not entries and at not in needed and row.strip()
        if (spanish and not keep_captions) or (plain_body and chance.random() < dropped):
            continue
        if spanish and unique:
            for entry in entries:
                if entry["kind"] == "caption_es" and row.count(entry["caption"]) == 1:
                    dated = _dated(entry["caption"], chance)
                    row = row.replace(entry["caption"], dated)
                    entry.update(caption=dated, reference=None)
        lines.append(row)
        moved[at] = len(lines)
    truth = []
    for at, entries in gold.items():
        if at not in moved:
            continue
        for entry in entries:
            entry["line"] = moved[at]
            if entry["aligned_line"]:
                entry["aligned_line"] = moved[entry["aligned_line"]]
            entry["aligned_ok"] = [moved[line] for line in entry["aligned_ok"]]
            truth.append(entry)
    name = f"{seed}-{number:08d}-{source.name}"
    noted = {entry["line"] for entry in truth}
    body = sum(1 for at, row in enumerate(lines, 1) if row.strip() and at not in noted)
    return name, "\n".join(lines), {"doc": name, "origin": "generated", "lines": truth, "n_body": body}


def corpus(
    count: int, seed: int = 1, residue: float = 0.3, unique: bool = False, dropped: float = 0.25
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The documents of a corpus, see :func:`document`."""
    base = bases()
    for number in range(count):
        yield document(base, seed, number, residue, unique, dropped)


def write(
    target: Path,
    count: int,
    *,
    seed: int = 1,
    residue: float = 0.3,
    unique: bool = False,
    dropped: float = 0.25,
    truth: Path | None = None,
    format: str = "jsonl",
) -> int:
    """Writes a corpus; returns the bytes of text in it.

    Args:
        target: a ``.jsonl`` or ``.jsonl.gz`` file with ``id`` and ``text``, or a folder for ``text``.
        count: number of documents.
        seed: another seed, another corpus.
        residue: see :func:`document`.
        unique: see :func:`document`.
        dropped: see :func:`document`.
        truth: file for the gold records.
        format: ``jsonl`` or ``text``.
    """
    size = 0
    with ExitStack() as stack:
        gold = stack.enter_context(truth.open("w", encoding="utf-8") if truth else io.StringIO())
        if format == "text":
            target.mkdir(parents=True, exist_ok=True)
        elif target.suffix == ".gz":
            out: TextIO = stack.enter_context(gzip.open(target, "wt", 6, "utf-8"))
        else:
            out = stack.enter_context(target.open("w", encoding="utf-8"))
        for name, text, record in corpus(count, seed, residue, unique, dropped):
            data = text.encode()
            size += len(data)
            if format == "text":
                (target / f"{name}.txt").write_bytes(data)
            else:
                out.write(json.dumps({"id": name, "text": text}, ensure_ascii=False) + "\n")
            if truth:
                gold.write(json.dumps(record, ensure_ascii=False) + "\n")
    return size


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, help="file.jsonl, file.jsonl.gz, or a folder with --format text")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--residue", type=float, default=0.3, help="share of documents with Spanish captions")
    parser.add_argument("--unique", action="store_true", help="give each Spanish caption a date of its own")
    parser.add_argument("--dropped", type=float, default=0.25, help="share of the plain body lines that go")
    parser.add_argument("--truth", type=Path, help="write gold records here")
    parser.add_argument("--format", choices=("jsonl", "text"), default="jsonl")
    options = vars(parser.parse_args())
    size = write(options.pop("target"), options.pop("documents"), **options)
    print(f"{size:,} bytes of text", file=sys.stderr)


if __name__ == "__main__":
    main()
