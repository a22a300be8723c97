"""Readers of the formats that are not plain text, and of files that hold many documents.

``parse`` reads one document; ``open_source`` streams the documents of files, folders, lists and archives.
Nothing is imported before it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligner.documents import Article
from aligner.errors import DocumentError

if TYPE_CHECKING:
    from aligner.readers.names import SeenIds, safe_output_name
    from aligner.readers.sources import (
        Item,
        Limits,
        Position,
        SourceOptions,
        Stream,
        column_edits,
        open_source,
        read_sources,
        sources_of,
    )

__all__ = [
    "Item",
    "Limits",
    "Position",
    "SeenIds",
    "SourceOptions",
    "Stream",
    "column_edits",
    "open_source",
    "parse",
    "read_sources",
    "safe_output_name",
    "sources_of",
]
_HOMES = {
    **dict.fromkeys(("SeenIds", "safe_output_name"), "aligner.readers.names"),
    **dict.fromkeys(
        (
            "Item",
            "Limits",
            "Position",
            "SourceOptions",
            "Stream",
            "column_edits",
            "open_source",
            "read_sources",
            "sources_of",
        ),
        "aligner.readers.sources",
    ),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def parse(data: bytes, name: str, format: str | None, charset: str | None = None) -> Article:
    """One document in any format that holds one.

    Args:
        data: the document's bytes.
        name: path or id.
        format: ``html``, ``docx``, ``text`` or ``markdown``; None for what the name says.
        charset: encoding label that came with an HTML page (HTTP header), if any.

    Raises:
        DocumentError: the bytes are not of that format, or the format holds no single document.
    """
    if format == "html":
        from aligner.readers import html

        return html.parse(data, name, charset)
    if format == "docx":
        from aligner.readers import docx

        return docx.parse(data, name)
    if format in (None, "text", "markdown"):
        from aligner import documents

        return documents.from_bytes(data, name, format)
    raise DocumentError(f"{name}: no reader for format {format!r}; the formats are text, markdown, html, docx")
