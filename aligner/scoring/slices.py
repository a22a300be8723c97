"""Slices: the kinds of captions for which figures are reported apart."""

from __future__ import annotations

from collections.abc import Iterator

from aligner.scoring.figures import WORD
from aligner.scoring.gold import GoldDocument
from aligner.scoring.matching import Match

# Words in a caption, and shares of capitalised words among those after the first.
_LENGTHS = ((4, "1–4 words"), (12, "5–12 words"), (30, "13–30 words"))
_LONGEST = "31 words or more"
_NAMES = ((0.0, "no names"), (1 / 3, "up to a third names"))
_MOST = "over a third names"
_HEADLINE = "headline-like"
# In the order of reports.
GROUPS = ("length", "credit", "capitals", "names", "style", "layout", "origin")
# Groups known from the gold alone: a false alarm has no place in them, so that precision would ignore it.
GOLD_ONLY = frozenset({"style", "layout"})


def rank(group: str, name: str) -> tuple[int, int, str]:
    """Where a slice stands in reports: by group, then as its group is graded, then by name."""
    graded = [*(label for _, label in (*_LENGTHS, *_NAMES)), _LONGEST, _MOST]
    return GROUPS.index(group), graded.index(name) if name in graded else len(graded), name


def text_slices(text: str) -> Iterator[tuple[str, str]]:
    """(group, slice) of what can be told from a caption's text alone: length, capitals, share of names."""
    words = text.split()
    yield "length", next((name for limit, name in _LENGTHS if len(words) <= limit), _LONGEST)
    capitals = text.isupper()
    yield "capitals", "ALL CAPS" if capitals else "normal case"
    if not capitals:  # in capitals, names cannot be told from other words
        later = WORD.findall(text)[1:]
        share = sum(word[0].isupper() for word in later) / len(later) if later else 0.0
        yield "names", next((name for limit, name in _NAMES if share <= limit), _MOST)


def slices(match: Match) -> Iterator[tuple[str, str]]:
    """(group, slice) of every slice that a matched, missed or falsely found caption belongs to."""
    yield from text_slices(match.source)
    yield "origin", match.document.origin
    mark = match.gold
    if mark is None:
        assert match.found is not None
        yield "credit", "without credit" if match.found.credit is None else "with credit"
        return
    yield "credit", "without credit" if mark.credit is None else "with credit"
    yield "style", _HEADLINE if _HEADLINE in mark.note else "caption-like"
    for layout in layouts(match.document, match):
        yield "layout", layout


def layouts(document: GoldDocument, match: Match) -> Iterator[str]:
    """How a gold caption stands on the page; several can hold."""
    mark = match.gold
    assert mark is not None
    if mark.credit is not None:
        yield "credit before the caption" if mark.credit_start < mark.start else "credit after the caption"
    offset, line = document.lines[mark.line - 1]
    spans = [(m.start - offset, m.end - offset) for m in document.marks if m.line == mark.line and m.caption]
    if len(spans) > 1:
        yield "several captions in the line"
    spans += [
        (m.credit_start - offset, m.credit_end - offset) for m in document.marks if m.line == mark.line and m.credit
    ]
    rest = "".join(char for i, char in enumerate(line) if char.isalnum() and not any(a <= i < b for a, b in spans))
    if rest:
        yield "label or other text in the line"
    elif len(spans) == 1:
        yield "alone in its line"
    neighbours = (document.lines[i][1] for i in (mark.line - 2, mark.line) if 0 <= i < len(document.lines))
    if any(text.strip() for text in neighbours):
        yield "no blank line to its neighbours"
