"""Exchange with the tools of translators, photo desks and archives.

``write`` turns a run into a file of another format; ``read`` takes the lines of such a file after people have
worked on it, and :func:`aligner.exchange.edits.merge` puts their edits into the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from aligner.errors import RecordError, UsageError, install
from aligner.exchange.edits import ACCEPTED, EDITED, Change, Line, Merge, apply, merge
from aligner.exchange.runs import Articles, Unit, dump_run, read_run, units
from aligner.records import Document

__all__ = [
    "ACCEPTED",
    "EDITABLE",
    "EDITED",
    "Articles",
    "Change",
    "Format",
    "Line",
    "Merge",
    "Unit",
    "apply",
    "dump_run",
    "format_of",
    "merge",
    "read",
    "read_run",
    "units",
    "write",
]


class Format(StrEnum):
    """What a run can be exported to."""

    tmx = "tmx"
    xliff = "xliff"
    xliff2 = "xliff2"
    tsv = "tsv"
    xlsx = "xlsx"
    jsonld = "jsonld"
    html = "html"


_SUFFIXES = {
    ".tmx": Format.tmx,
    ".xlf": Format.xliff,
    ".xliff": Format.xliff,
    ".tsv": Format.tsv,
    ".xlsx": Format.xlsx,
    ".jsonld": Format.jsonld,
    ".html": Format.html,
    ".htm": Format.html,
}
EDITABLE = (Format.tmx, Format.xliff, Format.xliff2, Format.tsv, Format.xlsx)
"""Formats that carry edits back."""


def format_of(path: Path) -> Format:
    """The format that a file's name stands for.

    Raises:
        UsageError: none.
    """
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path}: no format is known by this name; say which with --to or --from")
    return found


def _needs(error: ImportError) -> UsageError:
    return UsageError(f"{error.name} is missing: {install('exchange')}")


def write(documents: Sequence[Document], format: Format) -> bytes:
    """A run in another format.

    Args:
        documents: the run.
        format: which format.

    Raises:
        UsageError: the format cannot hold the run, or its library is not installed.
    """
    found = units(documents)
    try:
        match format:
            case Format.tmx:
                from aligner.exchange import tmx

                return tmx.write(documents, found)
            case Format.xliff:
                from aligner.exchange import xliff

                return xliff.write_1(documents, found)
            case Format.xliff2:
                from aligner.exchange import xliff

                return xliff.write_2(documents, found)
            case Format.tsv:
                from aligner.exchange import tables

                return tables.write_tsv(documents, found)
            case Format.xlsx:
                from aligner.exchange import tables

                return tables.write_xlsx(documents, found)
            case Format.jsonld:
                from aligner.exchange import web

                return web.write_jsonld(documents, found)
            case Format.html:
                from aligner.exchange import web

                return web.write_html(documents, found)
    except ImportError as error:
        raise _needs(error) from None


def read(path: Path, documents: Sequence[Document], format: Format | None = None) -> list[Line]:
    """The lines of a file that came back.

    Args:
        path: the file.
        documents: the run that it was exported from.
        format: its format; None to go by its name.

    Raises:
        RecordError: the file cannot be read, or is not of its format.
        UsageError: the format carries no edits.
    """
    format = format or format_of(path)
    if format not in EDITABLE:
        raise UsageError(f"{path}: {format.value} carries no edits; import one of {', '.join(EDITABLE)}")
    try:
        match format:
            case Format.tmx:
                from aligner.exchange import tmx

                languages = {
                    u.key: (u.document.caption_language, u.document.context_language) for u in units(documents)
                }
                lines = tmx.read(path, languages)
            case Format.tsv:
                from aligner.exchange import tables

                lines = tables.read_tsv(path)
            case Format.xlsx:
                from aligner.exchange import tables

                lines = tables.read_xlsx(path)
            case _:
                from aligner.exchange import xliff

                lines = xliff.read(path)
    except ImportError as error:
        raise _needs(error) from None
    if not lines:
        raise RecordError(f"{path}: holds no caption; is it the file that was exported?")
    return lines
