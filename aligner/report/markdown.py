"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from aligner.report.model import Entry, Report
from aligner.scoring import show
from aligner.show import cell


def render(report: Report) -> str:
    """Scores, then a table of captions per article."""
    lines = ["# Captions", ""]
    lines += [f"> {cell(note)}" for note in report.notes] + [""] * bool(report.notes)
    if report.gold:
        lines += [show.markdown(report.scores), ""]
    several = len(report.systems) > 1
    for article in report.articles:
        if not article.entries and not article.errors:
            continue
        lines += [f"## {cell(article.name)}", ""]
        lines += [f"could not be read: {cell(error)}" for error in article.errors] + [""] * bool(article.errors)
        if article.entries:
            head = ["line", "caption", *(["reference"] if report.gold else []), *(["system"] if several else [])]
            head += ["translation", "illustrates", "remarks"]
            lines += ["| " + " | ".join(head) + " |", "|---:|" + "---|" * (len(head) - 1)]
            lines += [line for entry in article.entries for line in _rows(report, entry, several)]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _rows(report: Report, entry: Entry, several: bool) -> Iterator[str]:
    for answer in entry.answers:
        caption = answer.caption
        if caption is None and not answer.flags:
            continue
        cells = [str(entry.line), entry.source]
        if report.gold:
            cells.append(entry.reference or "–")
        if several:
            cells.append(report.systems[answer.system])
        cells.append(caption.translation.text if caption and caption.translation else "–")
        cells.append(f"line {caption.context.line}" if caption and caption.context else "–")
        remarks = [flag for flag in answer.flags if flag != "warning"]
        remarks += [f"chrF2 {answer.score:.0f}"] if answer.score is not None else []
        remarks += caption.translation.warnings if caption and caption.translation else ()
        cells.append("; ".join(remarks) or "–")
        yield "| " + " | ".join(map(cell, cells)) + " |"
