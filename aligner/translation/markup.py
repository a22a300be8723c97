"""Inline markup in captions: taken off before translation, and put back around the words that it marked.

HTML tags (``<b>``, ``<a href=…>``), Markdown's emphasis (``**bold**``, ``_italics_``) and links (``[text](url)``). The
attention of the model tells which words of the translation came from the marked ones.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aligner.translation.text import literal_spans, straight_quotes

if TYPE_CHECKING:
    from aligner.translation.translator import Hypothesis, Matrix

_TAGS = (
    "a|abbr|b|bdi|br|cite|code|del|dfn|div|em|figcaption|font|i|img|ins|kbd|mark|p|q|s|small|span|strong|sub|sup|time|u|"
    "wbr"
)
_MARK = re.compile(
    rf"(?P<tag><(?P<end>/?)(?P<name>{_TAGS})(?:\s[^<>]*|/)?>)"
    r"|(?P<link>\[(?=[^\[\]]+\]\([^()\s]+\)))|(?P<url>(?<=[^\s\[])\]\([^()\s]+\))"
    r"|(?<![\w*_])(?P<open>\*\*|\*|__|_)(?=[^\s*_])|(?<=[^\s*_])(?P<close>\*\*|\*|__|_)(?![\w*_])",
    re.IGNORECASE,
)
_EMPTY = frozenset({"br", "img", "wbr"})
_TRAILING = re.compile(r"[.,;:!?)\]»\"'…]*$")


@dataclass(frozen=True, slots=True)
class Mark:
    """Markup around words.

    Attributes:
        before: what stands before them, ``<b>``.
        after: what stands after them, ``</b>``.
        first: the first of the words, as ``str.split`` cuts the plain text.
        last: the last one.
        tight: punctuation follows within the last word, outside the markup.
    """

    before: str
    after: str
    first: int
    last: int
    tight: bool


def strip(text: str) -> tuple[str, list[Mark]]:
    """A normalised text without its markup, and the markup; inner marks before those around them.

    Markup without an end stays in the text, a tag without one is put before the next word.
    """
    if not any(char in text for char in "<*_["):
        return text, []
    literal = [match.span() for match in literal_spans(text)]
    found = [m for m in _MARK.finditer(text) if m["url"] or not any(a <= m.start() < b for a, b in literal)]
    pairs = _paired(found)
    if not pairs:
        return text, []
    cut = sorted({(m.start(), m.end()) for pair in pairs for m in pair if m})
    pieces, end = [], 0
    for start, stop in cut:
        pieces.append(text[end:start])
        end = stop
    pieces.append(text[end:])
    plain = "".join(pieces)
    if not any(map(str.isalpha, plain)):
        return text, []
    starts = [match.start() for match in re.finditer(r"\S+", plain)]
    ends = [match.end() for match in re.finditer(r"\S+", plain)]

    def place(at: int) -> int:
        return at - sum(min(stop, at) - start for start, stop in cut if start < at)

    # Elements without text, "<a id=x></a>", go with the word after them.
    bare = [
        (opening.start(), closing.end())
        for opening, closing in pairs
        if closing and not plain[place(opening.end()) : place(closing.start())].strip()
    ]
    bare = [(a, b) for a, b in bare if not any(c < a and b < d for c, d in bare)]
    marks = []
    for opening, closing in pairs:
        if any(a <= opening.start() < b for a, b in bare):
            continue
        start = place(opening.end())
        stop = place(closing.start()) if closing else start
        words = [i for i in range(len(starts)) if starts[i] < max(stop, start + 1) and ends[i] > start]
        if closing is None and not words:
            words = [min((i for i in range(len(starts)) if starts[i] >= start), default=len(starts) - 1)]
        if words:
            mark = Mark(opening[0], closing[0] if closing else "", words[0], words[-1], stop < ends[words[-1]])
            marks.append(mark)
    last = len(starts) - 1
    for a, b in bare:
        at = next((i for i in range(len(starts)) if starts[i] >= place(a)), None)
        marks.append(Mark("", text[a:b], last, last, False) if at is None else Mark(text[a:b], "", at, at, False))
    marks.sort(key=lambda mark: mark.last - mark.first)
    return " ".join(plain.split()), marks


def is_marked(raw: str) -> bool:
    """Whether a caption has markup to take off, its entities resolved."""
    return bool(_marks(raw))


def _marks(raw: str) -> list[Mark]:
    return strip(straight_quotes(raw))[1] if any(char in raw for char in "<*_[&") else []


def _paired(found: list[re.Match[str]]) -> list[tuple[re.Match[str], re.Match[str] | None]]:
    """Beginnings with their ends, inner ones first; tags without an end alone."""
    pairs: list[tuple[re.Match[str], re.Match[str] | None]] = []
    waiting: list[re.Match[str]] = []
    for mark in found:
        if mark["link"] or mark["open"] or (mark["tag"] and not mark["end"] and mark["name"].lower() not in _EMPTY):
            waiting.append(mark)
            continue
        at = next((i for i in range(len(waiting) - 1, -1, -1) if _closes(waiting[i], mark)), None)
        if at is not None:
            pairs.append((waiting[at], mark))
            pairs += [(lone, None) for lone in waiting[at + 1 :] if lone["tag"]]
            del waiting[at:]
        elif mark["tag"]:
            pairs.append((mark, None))
    return pairs + [(lone, None) for lone in waiting if lone["tag"]]


def _closes(opening: re.Match[str], closing: re.Match[str]) -> bool:
    if opening["tag"] and closing["tag"]:
        return bool(opening["name"].lower() == closing["name"].lower()) and bool(closing["end"])
    if opening["link"] or closing["url"]:
        return bool(opening["link"] and closing["url"])
    return bool(opening["open"]) and opening["open"] == closing["close"]


def restored(raw: str, hypothesis: Hypothesis) -> Hypothesis:
    """A translation with the markup of its caption around what came from the marked words.

    Args:
        raw: the caption.
        hypothesis: the translation of the caption without markup. Marks whose words cannot be found in it are left
            out, with the problem ``symbols-lost``.
    """
    marks = _marks(raw)
    words = hypothesis.text.split()
    if not marks or not words:
        return hypothesis
    before: defaultdict[int, str] = defaultdict(str)
    after: defaultdict[int, str] = defaultdict(str)
    inner: defaultdict[int, str] = defaultdict(str)
    placed: list[tuple[int, int]] = []
    lost = []
    count = len(hypothesis.source.split())
    for mark in marks:
        span = _span(mark, words, count, hypothesis)
        if span is not None and any(a < span[0] <= b < span[1] or span[0] < a <= span[1] < b for a, b in placed):
            span = None  # it would cross another one
        if span is None:
            lost.append(mark.before)
            continue
        placed.append(span)
        before[span[0]] = mark.before + before[span[0]]
        if mark.tight:
            inner[span[1]] += mark.after
        else:
            after[span[1]] += mark.after
    for i, word in enumerate(words):
        trailing = _TRAILING.search(word) if inner[i] else None
        at = trailing.start() if trailing else len(word)
        words[i] = before[i] + word[:at] + inner[i] + word[at:] + after[i]
    problems = hypothesis.problems
    if lost:
        from aligner.translation.guard import Problem

        problems = (*problems, Problem("symbols-lost", " ".join(lost)))
    return replace(hypothesis, text=" ".join(words), problems=problems)


def _span(mark: Mark, words: list[str], count: int, hypothesis: Hypothesis) -> tuple[int, int] | None:
    """The first and last word of a translation that came from marked words."""
    if mark.first == 0 and (mark.last >= count - 1 or not mark.after):
        return 0, len(words) - 1  # what has no end stays at the beginning
    if not mark.before:
        return len(words) - 1, len(words) - 1
    matrix: Matrix | None = hypothesis.alignment
    if matrix is not None and len(matrix) == len(words):
        mine = [j for j, row in enumerate(matrix) if sum(row[mark.first : mark.last + 1]) > 0.5 * max(sum(row), 0.2)]
    else:
        marked = {word.strip(".,;:!?").lower() for word in hypothesis.source.split()[mark.first : mark.last + 1]}
        mine = [j for j, word in enumerate(words) if word.strip(".,;:!?").lower() in marked]
    runs: list[list[int]] = []
    for j in mine:
        if runs and j - runs[-1][-1] <= 2:
            runs[-1].append(j)
        else:
            runs.append([j])
    best = max(runs, key=len, default=None)
    return (best[0], best[-1]) if best else None
