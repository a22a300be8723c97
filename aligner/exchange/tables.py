"""Tables for reviewers: TSV and XLSX, one caption a row, the translation and the decision to be edited."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from aligner.errors import RecordError, UsageError
from aligner.exchange.edits import Decision, Line
from aligner.exchange.runs import Unit
from aligner.records import Document

COLUMNS = (
    "key",
    "document",
    "line",
    "credit",
    "caption",
    "machine translation",
    "translation",
    "decision",
    "comment",
    "warnings",
    "illustrates",
    "quality",
)
_NEEDED = ("key", "translation")
_EDITABLE = ("translation", "decision", "comment")
_DECISIONS: dict[str, Decision] = {"": "", "accept": "accept", "reject": "reject"}
# A spreadsheet takes a cell that starts so for a formula; an apostrophe in front makes it text.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"''*[=+\-@\t\r]")
# Unpacked XML of a workbook; a run of 100 000 captions takes about a tenth of it.
_MAX_UNPACKED = 1 << 29
_MAX_ROWS = 1 << 20


def guard(text: str) -> str:
    """Text that no spreadsheet takes for a formula; :func:`unguard` undoes it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """The text that was guarded."""
    return text[1:] if _GUARDED.match(text) else text


def _row(unit: Unit) -> dict[str, str | int | float | None]:
    caption = unit.caption
    return {
        "key": unit.key,
        "document": unit.document.document,
        "line": caption.line,
        "credit": caption.credit.text if caption.credit else "",
        "caption": caption.source,
        "machine translation": unit.text,
        "translation": unit.text,
        "decision": "",
        "comment": "",
        "warnings": "\n".join(caption.translation.warnings) if caption.translation else "",
        "illustrates": caption.context.text if caption.context else "",
        "quality": unit.quality,
    }


def write_tsv(documents: Sequence[Document], units: Iterable[Unit]) -> bytes:
    """Tab-separated text, UTF-8 with the byte-order mark by which spreadsheets know it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, dialect="excel-tab")
    writer.writerow(COLUMNS)
    for unit in units:
        row = _row(unit)
        writer.writerow(
            [guard(value) if isinstance(value := row[c], str) else "" if value is None else value for c in COLUMNS]
        )
    return out.getvalue().encode("utf-8-sig", "replace")


def write_xlsx(documents: Sequence[Document], units: Iterable[Unit]) -> bytes:
    """A workbook whose cells are locked but for translation, decision and comment.

    Raises:
        UsageError: the run has more captions than a sheet has rows.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    from aligner.exchange.xml import clean

    book = Workbook()
    sheet = book.active
    sheet.title = "captions"
    wrap = Alignment(wrap_text=True, vertical="top")
    shaded = PatternFill("solid", fgColor="FFF6D5")
    open_ = Protection(locked=False)
    for column, name in enumerate(COLUMNS, 1):
        cell = sheet.cell(1, column, name)
        cell.font = Font(bold=True)
        cell.alignment = wrap
    last = 1
    for last, unit in enumerate(units, 2):
        if last > _MAX_ROWS:
            raise UsageError(f"a sheet has {_MAX_ROWS} rows, fewer than the run has captions; export --to tsv")
        row = _row(unit)
        for column, name in enumerate(COLUMNS, 1):
            value = row[name]
            cell = sheet.cell(last, column)
            cell.value = clean(value) if isinstance(value, str) else value
            if isinstance(value, str) and value:
                # openpyxl takes "=…" for a formula; as text, and marked as quoted, it stays text when edited.
                cell.data_type = "s"
                cell.quotePrefix = _FORMULA.match(value) is not None
            cell.alignment = wrap
            if name in _EDITABLE:
                cell.protection, cell.fill = open_, shaded
    widths = {"caption": 48, "machine translation": 48, "translation": 48, "illustrates": 48, "warnings": 30}
    for column, name in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(column)].width = widths.get(name, 14)
    sheet.column_dimensions["A"].hidden = True
    sheet.freeze_panes = "B2"
    choice = DataValidation("list", formula1='"accept,reject"', allow_blank=True)
    letter = get_column_letter(COLUMNS.index("decision") + 1)
    choice.add(f"{letter}2:{letter}{max(last, 2)}")
    sheet.add_data_validation(choice)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{last}"
    # Against slips, not against people: there is no password.
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = False
    sheet.protection.autoFilter = sheet.protection.sort = False
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read_tsv(path: Path) -> list[Line]:
    """The rows of a TSV file, UTF-8 or (as Excel saves "Unicode text") UTF-16.

    Raises:
        RecordError: undecodable, or not a table of captions; all bad rows are listed.
    """
    from aligner.exchange.xml import read_bytes

    data = read_bytes(path)
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8 or Unicode text") from None
    reader = csv.reader(io.StringIO(text, newline=""), dialect="excel-tab", strict=True)

    def rows() -> Iterator[tuple[str, list[Any]]]:
        line = 1
        try:
            for cells in reader:
                yield f"{path}:{line}", [unguard(cell) for cell in cells]
                line = reader.line_num + 1
        except csv.Error as error:
            raise RecordError(f"{path}:{line}: {error}; is a quotation mark missing?") from None

    return _lines(path, rows())


def read_xlsx(path: Path) -> list[Line]:
    """The rows of a workbook's first sheet (or of its sheet "captions").

    Raises:
        RecordError: not a workbook, one that unpacks to something huge or declares entities, or not a table
            of captions; all bad rows are listed.
    """
    from openpyxl import load_workbook

    from aligner.exchange.xml import read_bytes

    data = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MAX_UNPACKED:
                raise RecordError(f"{path}: unpacks to more than {_MAX_UNPACKED >> 20} MiB; refused")
            for part in archive.infolist():
                if part.filename.endswith((".xml", ".rels", ".vml")) and _declares(archive.read(part)):
                    raise RecordError(f"{path}: its part {part.filename} declares a document type; refused")
        book = load_workbook(io.BytesIO(data), read_only=False, data_only=False)
    except RecordError:
        raise
    except Exception as error:  # openpyxl raises whatever its assumptions about a file's shape lead to
        raise RecordError(f"{path}: not an .xlsx workbook ({error}); save it as one") from None
    sheet = book["captions"] if "captions" in book.sheetnames else book.worksheets[0]

    def rows() -> Iterator[tuple[str, list[Any]]]:
        for number, cells in enumerate(sheet.iter_rows(), 1):
            yield f"{path}:{number}", [_Formula(c.value) if c.data_type == "f" else c.value for c in cells]

    return _lines(path, rows())


def _declares(xml: bytes) -> bool:
    """Whether XML declares a document type, which Office files never do and bombs need."""
    return b"<!DOCTYPE" in xml.replace(b"\0", b"").upper()


class _Formula(str):
    """A cell that holds a formula where text was expected."""

    __slots__ = ()


def _lines(path: Path, rows: Iterator[tuple[str, list[Any]]]) -> list[Line]:
    heads = [str(cell or "").strip().lower() for cell in next(rows, ("", []))[1]]
    missing = [name for name in _NEEDED if name not in heads]
    if missing:
        raise RecordError(
            f"{path}: its first row names no column {' and no column '.join(map(repr, missing))}; "
            "keep the header that aligner export wrote, and tabs between the columns"
        )
    doubled = [name for name in COLUMNS if heads.count(name) > 1]
    if doubled:
        raise RecordError(f"{path}: its first row names the column {doubled[0]!r} twice; remove one")
    lines, problems = [], []
    for place, cells in rows:
        # Numbers too: a caption "2024" comes back from a spreadsheet as one.
        row = {h: str(c) if c is not None else "" for h, c in zip(heads, cells, strict=False)}
        if not any(value.strip() for value in row.values()):
            continue
        formula = next(
            (h for h, c in zip(heads, cells, strict=False) if isinstance(c, _Formula) and h in COLUMNS), None
        )
        said = row.get("decision", "").strip().lower()
        if formula:
            problems.append(f"{place}: {formula!r} holds a formula, not text; put an apostrophe in front of it")
        elif len(cells) > len(heads) and any(str(c or "").strip() for c in cells[len(heads) :]):
            problems.append(f"{place}: more columns than the header names; is a tab inside a text?")
        elif said not in _DECISIONS:
            problems.append(f"{place}: unknown decision {row['decision']!r}; write accept, reject or nothing")
        else:
            source, base = row.get("caption"), row.get("machine translation")
            lines.append(Line(place, row["key"].strip(), source, base, row["translation"], _DECISIONS[said]))
    if problems:
        raise RecordError("\n".join(problems))
    return lines
