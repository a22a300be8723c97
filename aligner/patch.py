"""The corrected article: translations in place of captions, every other byte unchanged, and the way back."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Literal, get_args

from aligner.documents import Article, Edit
from aligner.errors import OutputError, UsageError
from aligner.records import Caption, Document

if TYPE_CHECKING:
    from aligner.readers.streams import Reader

Mode = Literal["replace", "both", "tag"]
MODES: tuple[Mode, ...] = get_args(Mode)
FORMATS = ("text", "markdown", "html")
"""Formats of the articles that can be corrected, also as texts in JSON Lines."""

# What a legacy code page lacks and an editor would type instead.
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " "})


def edits(article: Article, document: Document, mode: Mode = "replace", *, credits: bool = False) -> list[Edit]:
    """The replacements that correct an article, in text order.

    In HTML, the ``lang`` of the element of a caption is set as well, where it has one of its own.

    Args:
        article: the document that was run.
        document: its record.
        mode: ``replace`` puts the translation in the caption's place, ``both`` keeps the caption in brackets after
            it, ``tag`` marks the caption with its language and translates nothing (Markdown and HTML).
        credits: also put the labels and formulae of credits into English ("Foto:", "Archivo"); names stay.

    Raises:
        UsageError: ``tag`` on plain text, or an article of a format that cannot be corrected.
        OutputError: the record is of another version of the document, its code page lacks a letter, or its bytes
            are not what its encoding would write.
    """
    if document.sha256 != article.sha256:
        raise OutputError(f"{article.name}: the record is of another version of this document; run it again")
    if article.format not in FORMATS:
        raise UsageError(
            f"{article.name}: a document of format {article.format} cannot be corrected; {', '.join(FORMATS)} can"
        )
    if mode == "tag" and article.format == "text":
        raise UsageError(f"{article.name}: plain text cannot carry a language tag; use --patch-mode replace or both")
    if article.encode(article.text) != article.data:
        raise OutputError(
            f"{article.name}: the bytes are not as {article.encoding} writes them, and would not stay as they are; "
            "convert the document to UTF-8 first"
        )
    # Captions of one element have one language, and a tag within a stretch that is replaced goes with it.
    found: dict[tuple[int, int], Edit] = {}
    languages: list[Edit] = []
    end = 0
    for caption in sorted(document.captions, key=lambda c: c.start):
        if mode != "tag" and (caption.translation is None or not caption.translation.text):
            continue
        if caption.start < end:
            raise OutputError(f"{article.name}: captions {caption.id} and its predecessor overlap")
        end = caption.end
        made = _html(article, document, caption, mode) if article.format == "html" else None
        new, marks = made or (_plain(article, document, caption, mode), [])
        found[caption.start, caption.end] = _edit(article.text, caption.start, caption.end, new)
        languages += [_edit(article.text, *mark) for mark in marks]
    if credits and mode != "tag":
        for edit in _credits(article.text, document):
            if not any(first < edit.end and edit.start < last for first, last in found):
                found[edit.start, edit.end] = edit
    for mark in languages:
        if not any(first <= mark.start < last for first, last in found):
            found.setdefault((mark.start, mark.end), mark)
    changes = [edit for _, edit in sorted(found.items()) if edit.new != edit.old]
    if article.format != "markdown":
        return changes
    from aligner.readers import markdown

    return markdown.sound(article, changes)


def untaggable(article: Article, document: Document) -> list[Caption]:
    """The captions that mode ``tag`` cannot mark, as they stand in attributes, alternative texts or scripts."""
    from aligner.readers import html, markdown

    if article.format == "html":
        return [
            caption
            for caption in document.captions
            if not html.whole(article, caption.start, caption.end)
            and (_among_others(article, caption) or html.lang_edits(article, caption.start) is None)
        ]
    return [c for c in document.captions if article.format == "text" or not markdown.spannable(article, c.start, c.end)]


def credit_edits(article: Article, document: Document) -> list[Edit]:
    """The replacements that put labels and formulae of credits into English, see :func:`edits`."""
    return list(_credits(article.text, document))


def _credits(text: str, document: Document) -> Iterator[Edit]:
    """The credits of a Spanish document's captions, those alone in a line, and captions' labels, in English."""
    from aligner.translation.credits import english_credit, label_start

    if document.caption_language != "es" or document.context_language != "en":
        return
    spans = {(caption.credit.start, caption.credit.end) for caption in document.captions if caption.credit}
    spans |= {(line.start, line.end) for line in document.credit_lines}
    spans |= {(caption.start, caption.start) for caption in document.captions}
    ends = sorted({0, *(caption.end for caption in document.captions)})
    for start, end in sorted(spans):
        first = max(text.rfind("\n", 0, start) + 1, ends[bisect_right(ends, start) - 1])
        start = label_start(text, first, start)
        if (new := english_credit(text[start:end])) != text[start:end]:
            yield _edit(text, start, end, new)


def _edit(text: str, start: int, end: int, new: str) -> Edit:
    return Edit(start, end, text[start:end], new)


def _plain(article: Article, document: Document, caption: Caption, mode: Mode) -> str:
    """What stands in the place of a caption in text or Markdown."""
    from aligner.readers import markdown

    old = article.text[caption.start : caption.end]
    if mode == "tag" or caption.translation is None:
        return (
            f'<span lang="{document.caption_language}">{old}</span>'
            if markdown.spannable(article, caption.start, caption.end)
            else old
        )
    fit = _fit(article, caption.translation.text, caption.id)
    new = markdown.written(article, caption.start, caption.end, fit)
    return f"{new} [{document.caption_language}: {old}]" if mode == "both" else new


def _html(article: Article, document: Document, caption: Caption, mode: Mode) -> tuple[str, list[tuple[int, int, str]]]:
    """What stands in the place of a caption in a page, and the changes to its element's ``lang``."""
    from aligner.readers import html

    start, end = caption.start, caption.end
    old, language = article.text[start:end], document.caption_language
    spanned = f'<span lang="{language}">{old}</span>'
    if mode == "tag" or caption.translation is None:
        marks = None if _among_others(article, caption) else html.lang_edits(article, start, language)
        return (spanned if marks is None and html.whole(article, start, end) else old), marks or []
    marks = html.lang_edits(article, start, document.context_language) or []
    if marks and not _all_replaced(article, document, start):
        marks = []
    text = caption.translation.text
    if mode == "replace":
        return html.escape(article, start, text, end), marks
    if html.whole(article, start, end):
        return html.escape(article, start, text) + f" [{spanned}]", marks
    # In an attribute or a script, or torn between elements: the caption as it is, in brackets.
    before, after = (html.escape(article, start, part) for part in (f"{text} [{language}: ", "]"))
    return before + old + after, marks


def _all_replaced(article: Article, document: Document, start: int) -> bool:
    """Whether each text in attributes of a caption's element, but for credits, is a caption that is replaced.

    An ``alt`` that stays would be said to be English otherwise.
    """
    from aligner.readers import html

    block = html.block_at(article, start)
    assert block is not None
    assert block.element is not None
    replaced = [c.start for c in document.captions if c.translation and c.translation.text]
    return all(
        any(each.start <= at < each.end for at in replaced)
        for each in article.blocks
        if isinstance(each, html.HtmlBlock) and each.kind == "attribute" and each.role != "credit"
        if each.element is not None and each.element.start == block.element.start
    )


def _among_others(article: Article, caption: Caption) -> bool:
    """Whether a caption's element says more than the caption, its credit and a label."""
    from aligner.readers import html

    block = html.block_at(article, caption.start)
    rest = "" if block is None else block.text.replace(caption.source, " ", 1)
    if caption.credit is not None:
        rest = rest.replace(caption.credit.text, " ")
    return len(re.findall(r"[^\W\d_]{2,}", rest)) > 3


def _fit(article: Article, text: str, caption: str) -> str:
    for candidate in (text, text.translate(_PLAIN)):
        try:
            candidate.encode(article.encoding)
        except UnicodeEncodeError as error:
            lacking = candidate[error.start]
        else:
            return candidate
    raise OutputError(
        f"{article.name}: the translation of {caption} needs {lacking!r}, which {article.encoding} lacks; "
        "convert the document to UTF-8 first"
    )


def apply(text: str, changes: Sequence[Edit]) -> str:
    """Text with the replacements made."""
    parts, at = [], 0
    for edit in changes:
        parts += [text[at : edit.start], edit.new]
        at = edit.end
    return "".join([*parts, text[at:]])


def patch(article: Article, document: Document, mode: Mode = "replace", *, credits: bool = False) -> bytes:
    """The corrected article, in the encoding of the original; bytes outside what :func:`edits` changes are its own."""
    return article.encode(apply(article.text, edits(article, document, mode, credits=credits)))


def unpatch(patched: str, changes: Sequence[Edit]) -> str:
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


class LinePatcher:
    """Copies JSON Lines, some of them with changes, every other byte as it was.

    Args:
        source: the lines, decompressed, from the beginning.
        target: where to write.
    """

    def __init__(self, source: Reader, target: BinaryIO) -> None:
        self._source = source
        self._target = target
        self._line = 0
        self._buffer = b""
        self._at = 0

    def change(self, number: int, line: bytes, changes: Sequence[Edit]) -> None:
        """Writes the lines up to a line, and that one with changes.

        Args:
            number: of the line, 0-based; higher each time.
            line: its bytes without the line feed.
            changes: of its text, see :func:`aligner.readers.column_edits`.
        """
        while self._line < number and self._copy(True):
            pass
        while self._line == number and self._copy(False):
            pass
        feed = self._line > number
        self._target.write(apply(line.decode(), changes).encode() + b"\n" * feed)

    def finish(self) -> None:
        """Writes the rest."""
        while self._copy(True):
            pass

    def _copy(self, written: bool) -> bool:
        """Passes over what is left of a line in the buffer; False at the end of the source."""
        if self._at >= len(self._buffer):
            self._buffer, self._at = self._source.read(1 << 18), 0
            if not self._buffer:
                return False
        end = self._buffer.find(b"\n", self._at) + 1
        self._line += end > 0
        part = self._buffer[self._at : end or len(self._buffer)]
        self._at += len(part)
        if written:
            self._target.write(part)
        return True


def diff(article: Article, document: Document, mode: Mode = "replace", *, credits: bool = False) -> str:
    """A unified diff from the article to its corrected form, without trailing line feed trouble."""
    before = article.text.splitlines(keepends=True)
    after = apply(article.text, edits(article, document, mode, credits=credits)).splitlines(keepends=True)
    rows = difflib.unified_diff(before, after, article.name, f"{article.name} (corrected)", n=1)
    return "".join(row if row.endswith("\n") else row + "\n" for row in rows)
