"""How much of an article is in which language, and which captions hold where most is in another."""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter

from aligner.captions.findings import BODY_WORDS, PICTURE, Found
from aligner.documents import Block

_LONGER = (0.7, 1.7)  # length of a translation into Spanish as a multiple of the original's
_SHARED = 0.08  # share of the long words of the shorter text that begin as ones of the longer do
_COMPARED = re.compile(r"[^\W\d_]{5,}|\d{2,}")
SURE = 0.9  # a caption with such a probability shows that the document has captions of the language


def letters(plain: list[Block], parts: list[Found], pair: tuple[str, str]) -> Counter[str]:
    """Letters of the article in each language, pictures' texts aside.

    Of the caption language, lines that can be captions do not count if the article has paragraphs.
    """
    mine, theirs = pair
    sums, lines, size = Counter[str](), 0, 0
    paragraphs = False
    for text in [block.text for block in plain if block.role not in PICTURE]:
        size += len(text)
        paragraphs = paragraphs or text.count(" ") >= BODY_WORDS
    sums[theirs] = size
    for found in parts:
        kind, size = found.kind, found.part.end - found.part.start
        if kind not in ("context", "other", "caption", "exempt", "body") or found.block.role in PICTURE:
            continue
        if kind in ("context", "other"):
            sums[found.language if kind == "other" else theirs] += size
        elif found.block.role != "line" or reads_on(found):
            sums[mine] += size
        else:
            lines += size
            continue
        paragraphs = paragraphs or found.text.count(" ") >= BODY_WORDS
    if not paragraphs:
        sums[mine] += lines
    return sums


def reads_on(found: Found) -> bool:
    """Whether a line of the caption language is a paragraph rather than a caption."""
    part = found.part
    return found.kind == "body" or (
        found.block.role not in PICTURE
        and part.credit is None
        and not part.label
        and found.text.count(" ", part.start, part.end) >= BODY_WORDS
    )


def set_off(found: Found) -> bool:
    """Whether the format, a credit or a label tells a caption from text; in plain text its length does."""
    marked = found.block.role in PICTURE or found.part.credit is not None or found.part.label
    return marked or (found.block.role == "line" and not reads_on(found))


def strong(found: Found) -> bool:
    """Whether a caption's words cannot well be those of another language that is like the caption language."""
    evidence = found.evidence
    return evidence is not None and found.confidence > SURE and evidence.function > 1 and len(evidence.caption) > 3


def translated(plain: list[Block], parts: list[Found]) -> set[int]:
    """The paragraphs of the caption language that translate the one beside them, by id.

    A translation is about as long as its original and shares names, numbers and the beginnings of long words with it.
    """
    mine = [found for found in parts if found.kind == "caption" and reads_on(found)]
    if not mine:
        return set()
    others = [(block.start, block.text) for block in plain if block.role not in PICTURE]
    others += [(found.block.start, found.stretch) for found in parts if found.kind == "context"]
    others = sorted(other for other in others if other[1].count(" ") >= BODY_WORDS // 2)
    starts = [start for start, _ in others]
    twins = set()
    for found in mine:
        at = bisect(starts, found.block.start)
        if any(_same(found.stretch, text) for _, text in others[max(0, at - 1) : at + 1]):
            twins.add(id(found))
    return twins


def _same(text: str, other: str) -> bool:
    if not _LONGER[0] < len(text) / len(other) < _LONGER[1]:
        return False
    one, two = ({word[:5].lower() for word in _COMPARED.findall(each)} for each in (text, other))
    return len(one & two) >= max(3, _SHARED * min(len(one), len(two)))
