"""Readers of the formats that are not plain text, and of files that hold many documents.

``parse`` reads one document; ``open_source`` streams the documents of files, folders, lists and archives. Nothing is
imported before it is needed.
"""

from __future__ import annotations

from aligner.documents import Article
from aligner.errors import DocumentError

__all__ = ["escape", "lang_edit", "parse"]


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
    """``text`` as it must be written at an offset of the article's source; see :func:`aligner.readers.html.escape`."""
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
