"""The corrected article: translations in place of captions, every other byte unchanged, and the way back."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from aligner.documents import Article
from aligner.errors import OutputError, UsageError
from aligner.records import Document

Mode = Literal["replace", "both", "tag"]
MODES: tuple[Mode, ...] = get_args(Mode)

# What a legacy code page lacks and an editor would type instead.
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " "})


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: ``text[start:end]``, which is ``old``, becomes ``new``."""

    start: int
    end: int
    old: str
    new: str


def edits(article: Article, document: Document, mode: Mode = "replace") -> list[Edit]:
    """The replacements that correct an article, in text order.

    Args:
        article: the document that was run.
        document: its record.
        mode: ``replace`` puts the translation in the caption's place, ``both`` keeps the caption in brackets after
            it, ``tag`` marks the caption with its language and translates nothing (Markdown and HTML).

    Raises:
        UsageError: ``tag`` on plain text.
        OutputError: the record is of another version of the document, or its code page lacks a letter.
    """
    if document.sha256 != article.sha256:
        raise OutputError(f"{article.name}: the record is of another version of this document; run it again")
    if mode == "tag" and article.format not in ("markdown", "html"):
        raise UsageError(f"{article.name}: plain text cannot carry a language tag; use --patch-mode replace or both")
    return [edit for edit in _edits(article, document, mode) if edit.new != edit.old]


def _edits(article: Article, document: Document, mode: Mode) -> Iterator[Edit]:
    end = 0
    for caption in sorted(document.captions, key=lambda c: c.start):
        if caption.start < end:
            raise OutputError(f"{article.name}: captions {caption.id} and its predecessor overlap")
        end = caption.end
        old = article.text[caption.start : caption.end]
        language = document.caption_language
        if mode == "tag":
            new = f'<span lang="{language}">{old}</span>'
        elif caption.translation is None or not caption.translation.text:
            continue
        else:
            new = _fit(article, _escape(article, caption.start, caption.translation.text), caption.id)
            if mode == "both":
                new = f"{new} [{language}: {old}]"
        yield Edit(caption.start, caption.end, old, new)


def _escape(article: Article, start: int, text: str) -> str:
    if article.format in ("text", "markdown"):
        return text
    from aligner.readers import escape

    escaped: str = escape(article, start, text)
    return escaped


def _fit(article: Article, text: str, caption: str) -> str:
    for candidate in (text, text.translate(_PLAIN)):
        try:
            candidate.encode(article.encoding)
        except UnicodeEncodeError as error:
            lacking = candidate[error.start]
        else:
            return candidate
    if article.format == "html":
        return text.encode(article.encoding, "xmlcharrefreplace").decode(article.encoding)
    raise OutputError(
        f"{article.name}: the translation of {caption} needs {lacking!r}, which {article.encoding} lacks; "
        "convert the document to UTF-8 first"
    )


def apply(text: str, changes: list[Edit]) -> str:
    """Text with the replacements made."""
    parts, at = [], 0
    for edit in changes:
        parts += [text[at : edit.start], edit.new]
        at = edit.end
    return "".join([*parts, text[at:]])


def patch(article: Article, document: Document, mode: Mode = "replace") -> bytes:
    """The corrected article, in the encoding of the original; bytes outside the captions are the original's."""
    return article.encode(apply(article.text, edits(article, document, mode)))


def unpatch(patched: str, changes: list[Edit]) -> str:
    """The original text, from the patched text and the replacements that made it.

    Raises:
        OutputError: the patched text was edited at a replacement.
    """
    parts, at, shift = [], 0, 0
    for edit in changes:
        start = edit.start + shift
        if patched[start : start + len(edit.new)] != edit.new:
            raise OutputError(f"the patched text does not read {edit.new!r} at offset {start}: it was edited since")
        parts += [patched[at:start], edit.old]
        at = start + len(edit.new)
        shift += len(edit.new) - len(edit.old)
    return "".join([*parts, patched[at:]])


def diff(article: Article, document: Document, mode: Mode = "replace") -> str:
    """A unified diff from the article to its corrected form, without trailing line feed trouble."""
    before = article.text.splitlines(keepends=True)
    after = apply(article.text, edits(article, document, mode)).splitlines(keepends=True)
    rows = difflib.unified_diff(before, after, article.name, f"{article.name} (corrected)", n=1)
    return "".join(row if row.endswith("\n") else row + "\n" for row in rows)
