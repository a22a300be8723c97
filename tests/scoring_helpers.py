"""Runs made from gold: what a perfect system would print, to be damaged in known ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aligner.records import Candidate, Caption, Context, Credit, Document, Translation
from aligner.scoring.gold import Gold, GoldDocument, Mark
from aligner.scoring.runs import Run


def caption(document: GoldDocument, mark: Mark, number: int) -> Caption:
    """The caption that a perfect system reports for a mark."""
    credit = None
    if mark.credit:
        credit = Credit(mark.credit, None, None, mark.credit_start, mark.credit_end)
    context = None
    if mark.aligned_line is not None:
        offset, line = document.lines[mark.aligned_line - 1]
        context = Context(mark.aligned_line, offset, offset + len(line), line, 0.9)
    return Caption(
        id=f"c{number}",
        line=mark.line,
        start=mark.start,
        end=mark.end,
        source=mark.caption or "",
        credit=credit,
        confidence=1.0,
        reasons=(),
        translation=Translation(mark.reference or "", "gold@000000000000", "none", 0.0),
        context=context,
        candidates=(Candidate(mark.aligned_line, 0.9),),
    )


def record(document: GoldDocument) -> Document:
    """The record that a perfect system prints for a document."""
    captions = [caption(document, mark, i) for i, mark in enumerate(document.captions("es"), 1)]
    return Document(str(document.path), document.sha256, "en", "es", tuple(captions))


def perfect(gold: Gold, name: str = "perfect") -> Run:
    return Run(name, "", "", tuple(record(document) for document in gold.documents))


def damaged(run: Run, damage: Callable[[Caption], Caption | None], every: int = 1, name: str = "") -> Run:
    """The run with every n-th caption replaced by what ``damage`` makes of it (None: left out)."""
    count = 0
    records = []
    for item in run.records:
        kept = []
        for found in item.captions:
            count += 1
            changed = damage(found) if count % every == 0 else found
            if changed is not None:
                kept.append(changed)
        records.append(item.with_captions(tuple(kept)))
    return replace(run, records=tuple(records), name=name or f"{run.name}, damaged")


def write(run: Run, path: Path) -> Path:
    path.write_text("".join(item.to_json() + "\n" for item in run.records), encoding="utf-8")
    return path
