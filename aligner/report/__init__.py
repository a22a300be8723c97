"""Reports on runs: one self-contained HTML file, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from aligner.files import write_atomically
from aligner.records import Document
from aligner.report.model import Report, build
from aligner.scoring.gold import Gold
from aligner.scoring.runs import Run

FORMATS = ("html", "markdown", "json")


def render(report: Report, format: str = "html") -> str:
    """A report as text in one of :data:`FORMATS`.

    Raises:
        UsageError: HTML without the packages that it needs.
    """
    if format == "json":
        return json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n"
    if format == "markdown":
        from aligner.report import markdown

        return markdown.render(report)
    from aligner.report import html

    return html.render(report)


def write_report(records: Iterable[Document], path: str | Path, gold: Gold | None = None) -> None:
    """Writes the HTML report of one run.

    Raises:
        UsageError: the packages that it needs are not installed.
        RecordError: records and gold do not fit.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    run = Run(path.stem, "", "", tuple(records))
    write_atomically(path, render(build([run], gold)).encode())


__all__ = ["FORMATS", "Report", "build", "render", "write_report"]
