"""Records for people: a terminal table and Markdown."""

from __future__ import annotations

import io
import json
import re
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from aligner.records import Caption, Document

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from aligner.documents import Article

LANGUAGES = {
    "ca": "Catalan",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "eu": "Basque",
    "fr": "French",
    "gl": "Galician",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ro": "Romanian",
}
"""English names of the languages that the finder tells apart, by ISO 639-1 code."""
# In a file or pipe nothing is folded or cut.
_ENDLESS = 1_000_000
# What a terminal would obey: controls (C0, DEL, C1), and directions of writing, which reorder what follows. Lone
# surrogates stand for undecodable bytes of a file's name and cannot be printed.
_OBEYED = re.compile("[\0-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)")


def visible(text: str) -> str:
    """Text for a terminal: characters that it would obey instead of showing them are spelled out, as in JSON.

    An escape becomes ``\\u001b``; tabs and ends of lines stay. JSON remains the same JSON.
    """
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def say(message: object) -> None:
    """Prints a remark or an error to stderr."""
    sys.stderr.write(visible(f"aligner: {message}\n"))
    sys.stderr.flush()


def put_text(text: str) -> None:
    """Writes text to stdout: as it is into a file or pipe, in a terminal as :func:`visible` has it."""
    sys.stdout.write(visible(text) if sys.stdout.isatty() else text)


def count(number: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: ``1 caption``, ``1,200 captions``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"


def size(number: float) -> str:
    """A number of bytes: ``812 bytes``, ``14.2 kB``, ``1.3 MB``."""
    if number < 1000:
        return count(round(number), "byte")
    return f"{number / 1000:.1f} kB" if number < 1e6 else f"{number / 1e6:,.1f} MB"


def styled(text: str, style: str = "") -> Text:
    """Text for a table, without markup, as :func:`visible` has it."""
    from rich.text import Text

    return Text(visible(text), style)


def put(*shown: Text | Table | str) -> None:
    """Prints texts and tables to stdout: as wide as the terminal, into a file or pipe as wide as they need."""
    from rich.console import Console
    from rich.table import Table

    shown = tuple(styled(one) if isinstance(one, str) else one for one in shown)
    if sys.stdout.isatty():
        console = Console(highlight=False)
        for one in shown:
            # Lines go on at the edge, so that a name can be copied; a table has columns to fold.
            console.print(one, soft_wrap=not isinstance(one, Table))
        return
    held = io.StringIO()
    console = Console(file=held, highlight=False, width=_ENDLESS, color_system=None)
    for one in shown:
        console.print(one)
    sys.stdout.write("".join(line.rstrip() + "\n" for line in held.getvalue().split("\n")[:-1]))


def put_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table of figures to stdout; what is too wide for the terminal goes on below, column by column.

    Args:
        header: names of the columns; the first one's cells name the rows and stand in each part.
        rows: as many cells each.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table

    room = Console().width if sys.stdout.isatty() else _ENDLESS
    header, *rows = [[visible(one) for one in row] for row in (header, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    parts: list[list[int]] = []
    taken = room
    for at, width in enumerate(widths[1:], 1):
        if taken + 1 + width > room:
            parts.append([0])
            taken = widths[0]
        parts[-1].append(at)
        taken += 1 + width
    for number, part in enumerate(parts):
        grid = Table(box=None, pad_edge=False, header_style="dim")
        for at in part:
            grid.add_column(styled(header[at]), justify="right" if at else "left", overflow="fold")
        for row in rows:
            grid.add_row(*(styled(row[at]) for at in part))
        put(*([""] if number else []), grid)


def language(code: str) -> str:
    """A language's English name; its code if it has none here."""
    return LANGUAGES.get(code, code)


def summary(record: Document) -> str:
    """One line on a document: how many captions, picture names and other spans it has."""
    if record.error is not None:
        return "could not be read"
    parts = [count(len(record.captions), f"{language(record.caption_language)} caption")]
    if record.slugs:
        parts.append(count(len(record.slugs), "picture name"))
    if record.credit_lines:
        parts.append(count(len(record.credit_lines), "credit line"))
    others = [span.language for span in record.other_languages]
    parts += [f"{count(others.count(code), 'text')} in {language(code)}" for code in sorted(set(others))]
    return " · ".join(parts)


def _credit(caption: Caption) -> str:
    if caption.credit is None:
        return ""
    known = [part for part in (caption.credit.agency, caption.credit.photographer) if part]
    return " / ".join(known) if known else caption.credit.text


def place_of(caption: Caption, article: Article | None) -> str:
    """What of a page or of Markdown holds a caption; "" where that is plain text."""
    if article is not None and article.format == "html":
        from aligner.readers import html

        return html.holder(article, caption.start)
    block = article.block_at(caption.start) if article is not None and article.format == "markdown" else None
    if block is not None and getattr(block, "container", "") == "title":
        return "title"
    return "alternative text" if block is not None and block.role == "alt" else ""


def _wording(article: Article | None, start: int, end: int) -> str:
    """A stretch of an article as its reader sees it; "" if the article is not at hand."""
    if article is None:
        return ""
    if article.format != "html":
        return article.wording(start, end)
    from aligner.readers import html

    block = html.block_at(article, start)
    if block is None or block.offsets is None:
        return article.text[start:end]
    first, last = (bisect_left(block.offsets, offset) for offset in (start, end))
    return block.text[first:last]


def _left(record: Document, article: Article | None) -> Iterator[tuple[str, str]]:
    """What was found and is left as it is, by kind."""
    for name, items in (("picture names", record.slugs), ("credit lines", record.credit_lines)):
        if items:
            yield name, " · ".join(f"line {item.line} {' '.join(item.text.split())}" for item in items)
    for span in record.other_languages:
        text = " ".join(_wording(article, span.start, span.end).split())
        yield f"in {language(span.language)}", f"line {span.line} {text}"


def table(record: Document, article: Article | None = None) -> None:
    """Prints a document's captions to stdout: source, translation, credit and the place each illustrates.

    Args:
        record: the document's record.
        article: the document itself; with it, texts in further languages are shown, and where in a page captions stand.
    """
    from rich.table import Table
    from rich.text import Text

    put(Text.assemble((visible(record.document), "bold"), "  ", (summary(record), "dim"), overflow="fold"))
    grid = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for caption in record.captions:
        head = [place] if (place := place_of(caption, article)) else []
        head.append(f"confidence {caption.confidence:.2f}")
        if credit := _credit(caption):
            head.append(f"credit {credit}")
        grid.add_row(f"line {caption.line}", styled(" · ".join(head), "dim"))
        grid.add_row(record.caption_language, styled(caption.source))
        if caption.translation:
            grid.add_row(record.context_language, styled(caption.translation.text, "green"))
            if terms := caption.translation.glossary:
                hits = ", ".join(f"{term.source} → {term.target} ({term.status})" for term in terms)
                grid.add_row("glossary", styled(hits, "dim"))
            for warning in caption.translation.warnings:
                grid.add_row("!", styled(warning, "yellow"))
        if caption.translation or caption.context:
            if caption.context:
                place = f"line {caption.context.line}, {caption.context.score:.2f}: {_flat(caption.context.text)}"
                grid.add_row("illustrates", styled(place))
                if caption.context.evidence:
                    grid.add_row("because", styled("; ".join(caption.context.evidence), "dim"))
            else:
                grid.add_row("illustrates", styled("no paragraph of the article", "dim"))
        grid.add_row("", "")
    left = list(_left(record, article))
    for name, texts in left:
        grid.add_row(name, styled(texts, "dim"))
    if left:
        grid.add_row("", styled("left as they are", "dim"))
        grid.add_row("", "")
    if grid.row_count:
        put(grid)


def _flat(text: str) -> str:
    return " ".join(text.split())


def cell(text: str) -> str:
    """Text as Markdown has it within a line or a table's cell, with nothing in it that is markup."""
    escaped = _flat(visible(text)).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return escaped.replace("*", "\\*").replace("_", "\\_").replace("`", "\\`")


def markdown(record: Document, article: Article | None = None) -> str:
    """A document's captions as a Markdown section: a table, then a list of warnings and of what is left as it is.

    Args:
        record: the document's record.
        article: see :func:`table`.
    """
    lines = [
        f"## {cell(record.document)}",
        "",
        summary(record) + (f": {cell(record.error)}" if record.error else ""),
        "",
    ]
    if record.captions:
        lines += ["| line | credit | caption | translation | illustrates |", "|---:|---|---|---|---|"]
        for caption in record.captions:
            context = f"line {caption.context.line}: {caption.context.text}" if caption.context else "–"
            cells = (
                _credit(caption),
                caption.source,
                caption.translation.text if caption.translation else "–",
                context,
            )
            place = place_of(caption, article)
            number = f"{caption.line}, {place}" if place else str(caption.line)
            lines.append(f"| {number} | " + " | ".join(map(cell, cells)) + " |")
        lines.append("")
    remarks = [f"- warning: {cell(warning)}" for warning in record.warnings]
    remarks += [
        f"- line {caption.line}, “{cell(caption.source)}”: {cell(warning)}"
        for caption in record.captions
        for warning in (caption.translation.warnings if caption.translation else ())
    ]
    remarks += [f"- {name}, left as they are: {cell(texts)}" for name, texts in _left(record, article)]
    lines += [*remarks, ""] if remarks else []
    return "\n".join(lines) + "\n"


def json_array(records: Iterable[Document]) -> Iterator[Document]:
    """Writes records to stdout as one JSON array while they come, and hands them on."""
    separator = "[\n"
    for record in records:
        put_text(separator + json.dumps(record.to_dict(), ensure_ascii=False, indent=1))
        separator = ",\n"
        yield record
    put_text("[]\n" if separator == "[\n" else "\n]\n")
    sys.stdout.flush()
