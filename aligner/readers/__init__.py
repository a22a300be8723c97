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
    from aligner.readers.sources import Item, Limits, Position, Stream, open_source, replace_column, sources_of

__all__ = [
    "Item",
    "Limits",
    "Position",
    "SeenIds",
    "Stream",
    "escape",
    "lang_edit",
    "open_source",
    "parse",
    "replace_column",
    "safe_output_name",
    "sources_of",
]
_HOMES = {
    **dict.fromkeys(("SeenIds", "safe_output_name"), "aligner.readers.names"),
    **dict.fromkeys(
        ("Item", "Limits", "Position", "Stream", "open_source", "replace_column", "sources_of"),
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


def escape(article: Article, start: int, text: str, end: int | None = None) -> str:
    """``text`` as the article's source must have it at an offset; see :func:`aligner.readers.html.escape`."""
    if article.format != "html":
        return text
    from aligner.readers import html

    return html.escape(article, start, text, end)


def lang_edit(article: Article, start: int, language: str = "en") -> tuple[int, int, str] | None:
    """The change that marks a caption's language; see :func:`aligner.readers.html.lang_edit`."""
    if article.format != "html":
        return None
    from aligner.readers import html

    return html.lang_edit(article, start, language)
