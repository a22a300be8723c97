"""Reviewed decisions as gold: documents and ``gold.jsonl`` records of ``aligner corpus``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aligner.documents import Article
from aligner.errors import DocumentError, OutputError
from aligner.exchange.runs import Articles, Unit, units
from aligner.records import Document
from aligner.review.session import span_of
from aligner.review.store import Decision, Span, Store

_UNSEEN = "found by the machine, not reviewed"


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a run's documents.

    Attributes:
        documents: names added to the gold set.
        captions: how many captions they have.
        left: why the others were left out, a line each.
    """

    documents: tuple[str, ...]
    captions: int
    left: tuple[str, ...]


def add(documents: Sequence[Document], store: Store, articles: Articles, folder: Path) -> Added:
    """Adds the documents of a run whose every caption is decided to a gold set.

    Args:
        documents: the run.
        store: the decisions.
        articles: where the run's articles are.
        folder: the gold set; made if missing. What is in it stays as it is.

    Raises:
        OutputError: the folder cannot be written to.
    """
    decisions = store.all()
    grouped: dict[int, list[Unit]] = {}
    for unit in units(documents):
        grouped.setdefault(unit.index, []).append(unit)
    gold = folder / "gold.jsonl"
    before = gold.read_bytes() if gold.is_file() else b""
    known = {json.loads(line)["doc"] for line in before.splitlines() if line.strip()}
    added: list[tuple[str, Article, dict[str, Any]]] = []
    left: list[str] = []
    captions = 0
    for index, document in enumerate(documents):
        found = grouped.get(index, [])
        name = Path(document.document).stem
        open_ = sum(decisions.get(span_of(unit), Decision()).state == "open" for unit in found)
        reason = None
        if document.error is not None or not found:
            reason = document.error or "the run found no caption in it, so nobody has looked at it"
        elif open_:
            reason = f"{open_} of {len(found)} captions undecided"
        elif name in known or name in (other for other, _, _ in added):
            reason = f"the gold set has a document {name!r} already"
        else:
            try:
                article = articles.read(document)
                record = _record(name, article, document, found, decisions)
                reason = _unfit(name, article, record)
            except DocumentError as error:
                reason = str(error)
        if reason:
            left.append(f"{document.document}: {reason}")
        else:
            added.append((name, article, record))
            captions += sum(mark["kind"] == f"caption_{document.caption_language}" for mark in record["lines"])
    if added:
        _write(folder, before, added)
    return Added(tuple(name for name, _, _ in added), captions, tuple(left))


def _record(
    name: str, article: Article, document: Document, found: list[Unit], decisions: dict[Span, Decision]
) -> dict[str, Any]:
    if article.format not in ("text", "markdown"):
        raise DocumentError(f"{article.name}: {article.format}; gold is of text and Markdown, whose lines it counts")
    marks: list[dict[str, Any]] = []

    def mark(line: int, kind: str, **values: Any) -> None:
        empty: dict[str, Any] = {
            "credit": None,
            "caption": None,
            "reference": None,
            "aligned_line": None,
            "aligned_ok": [],
        }
        marks.append({"line": line, "kind": kind, **empty, **values})

    rejected = set()
    for unit in found:
        caption, decision = unit.caption, decisions[span_of(unit)]
        if decision.state == "rejected":
            rejected.add(caption.line)
            continue
        link = json.loads(decision.link) if decision.link else None
        mark(
            caption.line,
            f"caption_{document.caption_language}",
            credit=article.text[caption.credit.start : caption.credit.end] if caption.credit else None,
            caption=article.text[caption.start : caption.end],
            reference=decision.text,
            aligned_line=link["line"] if link else None,
        )
    taken = {entry["line"] for entry in marks}
    for line in sorted(rejected - taken):
        mark(line, "body", note="taken for a caption by the machine, rejected in review")
    # Nobody has looked at these; without them they would count as body, which is worse.
    for slug in document.slugs:
        mark(slug.line, "slug", note=_UNSEEN)
    for credit in document.credit_lines:
        mark(credit.line, "credit_only", credit=article.text[credit.start : credit.end], note=_UNSEEN)
    for other in document.other_languages:
        text = article.text[other.start : other.end]
        mark(other.line, "caption_other", caption=text, language=other.language, note=_UNSEEN)
    marks.sort(key=lambda entry: entry["line"])
    lines = article.text.split("\n")
    marked = {entry["line"] for entry in marks if entry["kind"] != "body"}
    body = sum(bool(text.strip()) and number not in marked for number, text in enumerate(lines, 1))
    return {"doc": name, "origin": "reviewed", "lines": marks, "n_body": body}


def _unfit(name: str, article: Article, record: dict[str, Any]) -> str | None:
    """What keeps a document from being gold, as a caption that stands on two lines; None if nothing does."""
    from aligner.scoring.gold import examine

    with tempfile.TemporaryDirectory() as temporary:
        trial = Path(temporary)
        (trial / (name + _suffix(article))).write_bytes(article.data)
        (trial / "gold.jsonl").write_bytes(_line(record))
        _, problems = examine([trial])
        place = f"{trial / 'gold.jsonl'}:1 {name}"
    return "; ".join(str(problem).removeprefix(place).lstrip(": ") for problem in problems) or None


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _write(folder: Path, before: bytes, added: list[tuple[str, Article, dict[str, Any]]]) -> None:
    """Writes the documents, then ``gold.jsonl`` at one stroke."""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    new = b"".join(_line(record) for _, _, record in added)
    targets = [(folder / (name + _suffix(article)), article.data) for name, article, _ in added]
    for target, data in targets:
        if target.exists() and target.read_bytes() != data:
            raise OutputError(f"{target}: exists and is another document; rename one of them")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target, data in targets:
            target.write_bytes(data)
        part = folder / ".gold.jsonl.part"
        part.write_bytes(before + new)
        part.replace(folder / "gold.jsonl")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None


def _suffix(article: Article) -> str:
    return ".md" if article.format == "markdown" else ".txt"
