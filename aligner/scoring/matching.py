"""Which caption of a run answers which caption of the gold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from aligner.records import Caption, Document
from aligner.scoring.gold import GoldDocument, Mark

_CREDIT_LABEL = re.compile(r"^(crédito de foto|crédito|fotografía|foto|photo)\s*(:\s*|\s+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """A caption of the gold with the run's answer to it.

    Attributes:
        document: the document it stands in.
        gold: the gold caption; None for a false alarm.
        found: the run's caption; None for a miss.
    """

    document: GoldDocument
    gold: Mark | None
    found: Caption | None

    @property
    def line(self) -> int:
        """The line it stands in."""
        mark = self.gold or self.found
        assert mark is not None
        return mark.line

    @property
    def source(self) -> str:
        """The caption's text: the gold's, or the false alarm's own."""
        if self.gold is not None:
            return self.gold.caption or ""
        assert self.found is not None
        return self.found.source


def fold(text: str) -> str:
    """A caption as it is compared: white space, final dots and the references of HTML ("&ntilde;") do not count."""
    return " ".join(unescape(text).split()).strip(" .")


def fold_credit(text: str) -> str:
    """A credit as it is compared, without its label: "FOTO: AFP", "Foto AFP" and "AFP" are the same."""
    return _CREDIT_LABEL.sub("", fold(text))


def match(document: GoldDocument, record: Document) -> list[Match]:
    """Pairs the captions of a record with the gold's, line by line.

    In each line the longest found caption takes the gold caption that it overlaps most, or any that is free
    if it overlaps none, then the next longest, and so on; what remains are misses and false alarms. A found
    caption on a line whose treatment is optional (a slug with words of the language) is neither.
    """
    return sorted(_matches(document, record), key=lambda m: (m.line, m.gold.start if m.gold else -1))


def _matches(document: GoldDocument, record: Document) -> Iterator[Match]:
    marks: dict[int, list[Mark]] = {}
    for mark in document.captions(record.caption_language):
        marks.setdefault(mark.line, []).append(mark)
    optional = {mark.line for mark in document.marks if mark.optional}
    for caption in sorted(record.captions, key=lambda c: (-len(c.source), c.start)):
        free = marks.get(caption.line, [])
        if free:
            mark = _nearest(caption, free)
            free.remove(mark)
            yield Match(document, mark, caption)
        elif caption.line not in optional:
            yield Match(document, None, caption)
    for free in marks.values():
        for mark in free:
            yield Match(document, mark, None)


def _nearest(caption: Caption, marks: Sequence[Mark]) -> Mark:
    return max(marks, key=lambda m: (min(caption.end, m.end) - max(caption.start, m.start), -m.start))
