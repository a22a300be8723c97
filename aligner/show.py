"""Records for people: a terminal table and Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TextIO

from aligner.records import Caption, Document


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summary(record: Document) -> str:
    """One line on a document: how many captions, slugs and other spans it has."""
    if record.error is not None:
        return "could not be read"
    parts = [_count(len(record.captions), f"{record.caption_language} caption")]
    if record.slugs:
        parts.append(_count(len(record.slugs), "slug"))
    if record.credit_lines:
        parts.append(_count(len(record.credit_lines), "credit line"))
    if record.other_languages:
        languages = ", ".join(sorted({span.language for span in record.other_languages}))
        parts.append(f"{_count(len(record.other_languages), 'span')} in {languages}")
    return " · ".join(parts)


def _credit(caption: Caption) -> str:
    if caption.credit is None:
        return ""
    known = [part for part in (caption.credit.agency, caption.credit.photographer) if part]
    return " / ".join(known) if known else caption.credit.text


def _shorten(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def table(record: Document) -> None:
    """Prints a document's captions to stdout: source, translation, credit and the place each illustrates."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text.assemble((record.document, "bold"), "  ", (summary(record), "dim")))
    grid = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for caption in record.captions:
        head = [f"confidence {caption.confidence:.2f}"]
        if credit := _credit(caption):
            head.append(f"credit {credit}")
        grid.add_row(f"line {caption.line}", Text(" · ".join(head), style="dim"))
        grid.add_row(record.caption_language, Text(caption.source))
        if caption.translation:
            grid.add_row(record.context_language, Text(caption.translation.text, style="green"))
            if terms := caption.translation.glossary:
                hits = ", ".join(f"{term.source} → {term.target} ({term.status})" for term in terms)
                grid.add_row("glossary", Text(hits, style="dim"))
            for warning in caption.translation.warnings:
                grid.add_row("!", Text(warning, style="yellow"))
        if caption.translation or caption.context:
            if caption.context:
                place = (
                    f"line {caption.context.line}, {caption.context.score:.2f}: {_shorten(caption.context.text, 90)}"
                )
                grid.add_row("illustrates", Text(place))
                if caption.context.evidence:
                    grid.add_row("because", Text(", ".join(caption.context.evidence), style="dim"))
            else:
                grid.add_row("illustrates", Text("no paragraph of the article", style="dim"))
        grid.add_row("", "")
    if record.captions:
        console.print(grid)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def markdown(record: Document) -> str:
    """A document's captions as a Markdown section with one table."""
    lines = [
        f"## {_cell(record.document)}",
        "",
        summary(record) + (f": {_cell(record.error)}" if record.error else ""),
        "",
    ]
    if record.captions:
        lines += ["| line | credit | caption | translation | illustrates |", "|---:|---|---|---|---|"]
        for caption in record.captions:
            context = f"line {caption.context.line}: {_shorten(caption.context.text, 120)}" if caption.context else "–"
            cells = (
                _credit(caption),
                caption.source,
                caption.translation.text if caption.translation else "–",
                context,
            )
            lines.append(f"| {caption.line} | " + " | ".join(_cell(cell) for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines) + "\n"


def json_array(records: Iterable[Document], out: TextIO) -> Iterator[Document]:
    """Writes records as one JSON array while they come, and hands them on."""
    separator = "[\n"
    for record in records:
        out.write(separator + json.dumps(record.to_dict(), ensure_ascii=False, indent=1))
        separator = ",\n"
        yield record
    out.write("[]\n" if separator == "[\n" else "\n]\n")
    out.flush()
