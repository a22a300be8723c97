"""Blocks of text with markup inside, and what becomes of it when a stretch of them is replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from aligner.documents import Block

EMBEDS = (
    "twitter-tweet|twitter-video|instagram-media|tiktok-embed|fb-(?:post|video)|bluesky-embed|mastodon-embed"
    "|reddit-embed|text-post-media|tumblr-post|imgur-embed|telegram-post"
)
"""Class names of posts that a page embeds begin so."""
EMBEDDED = re.compile(rf"(?:^|\s)(?:{EMBEDS})")


class Tag(NamedTuple):
    """A tag in the source: name (``/name`` of an end tag) and where it stands."""

    name: str
    start: int
    end: int


@dataclass(slots=True, unsafe_hash=True)
class MarkedBlock(Block):
    """A block whose text has markup inside.

    Attributes:
        tags: the inline tags within and at the edges of the block.
    """

    tags: tuple[Tag, ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in ``Article.text`` of the source of ``text[start:end]``.

        Character references and escapes are covered whole. A tag directly at an edge is covered too where its partner
        is inside, so that the stretch can be replaced without tearing an element apart.
        """
        first, last = Block.span(self, start, end)
        return balance(self.tags, first, last) if self.tags and end > start else (first, last)


def balance(tags: Sequence[Tag], start: int, end: int) -> tuple[int, int]:
    """The stretch, with tags at its edges whose partners it holds."""
    closers, openers = unmatched(tags, start, end)
    before = [t for t in tags if t.end <= start]
    after = [t for t in tags if t.start >= end]
    edge = start
    need = len(closers)
    # Only tags that touch the stretch, or each other, are taken: there is no text in between.
    while need and before and before[-1].end == edge and before[-1].name[0] != "/":
        tag = before.pop()
        edge = tag.start
        if tag.name == closers[len(closers) - need].name[1:]:
            need -= 1
            start = edge
        else:
            break
    edge = end
    need = len(openers)
    while need and after and after[0].start == edge and after[0].name[0] == "/":
        tag = after.pop(0)
        edge = tag.end
        if tag.name[1:] == openers[need - 1].name:
            need -= 1
            end = edge
        else:
            break
    return start, end


def unmatched(tags: Sequence[Tag], start: int, end: int) -> tuple[list[Tag], list[Tag]]:
    """End tags without their start tag, and start tags without their end tag, in a stretch of source."""
    closers: list[Tag] = []
    openers: list[Tag] = []
    for tag in tags:
        if start <= tag.start and tag.end <= end:
            if tag.name[0] != "/":
                openers.append(tag)
            else:
                # An end tag closes what was opened since its start tag, be that within the stretch or before it.
                at = next((n for n in reversed(range(len(openers))) if openers[n].name == tag.name[1:]), None)
                del openers[at or 0 :]
                if at is None:
                    closers.append(tag)
    return closers, openers


def marked(
    source: str,
    block: MarkedBlock,
    start: int,
    end: int,
    text: str,
    write: Callable[[str], str],
    keep: Callable[[Tag], bool] = lambda tag: True,
) -> str:
    """What replaces a stretch of source, with its tags around the words that are most like those they were around.

    Args:
        source: the document's text.
        block: the block of the stretch.
        start: where the stretch begins in ``source``.
        end: where it ends.
        text: the new text.
        write: writes words as the source must have them.
        keep: whether a start tag whose end tag stands in the stretch is kept. Those without a partner in it always are.
    """
    words = text.split()
    tags = [tag for tag in block.tags if start <= tag.start and tag.end <= end]
    if not tags or not words:
        return write(text)
    closers, openers = unmatched(tags, start, end)
    placed: list[tuple[int, int, Tag, Tag]] = []
    for opener, closer in _pairs(tags):
        if not keep(opener) or opener in openers or closer in closers:
            continue
        inner = _between(block, opener.end, closer.start)
        if not inner.strip():
            continue
        before = len(_between(block, start, opener.start).split()) / max(1, len(_between(block, start, end).split()))
        first, last = _most_alike(words, inner, before)
        # A pair lies within another or beside it; Markdown's emphasis within its like would run together with it.
        mark = source[opener.start : opener.end]
        if all(
            last <= a
            or b <= first
            or (a <= first and last <= b and (mark[0] not in "*_" or mark != source[outer.start : outer.end]))
            for a, b, outer, _ in placed
        ):
            placed.append((first, last, opener, closer))
    before_word: dict[int, str] = {}
    after_word: dict[int, str] = {}
    points: dict[int, str] = {}
    for first, last, opener, closer in placed:
        before_word[first] = before_word.get(first, "") + source[opener.start : opener.end]
        after_word[last - 1] = source[closer.start : closer.end] + after_word.get(last - 1, "")
        # A full stop or a genitive's ending behind it stays outside.
        if not _POINT.search(_between(block, opener.end, closer.start)):
            points[last - 1] = (_POINT.search(words[last - 1]) or [""])[0]
    out = []
    edges = sorted({0, len(words), *before_word, *(n + 1 for n in after_word)})
    for first, last in pairwise(edges):
        point = points.get(last - 1, "")
        inner = " ".join(words[first:last]).removesuffix(point)
        out.append(before_word.get(first, "") + write(inner) + after_word.get(last - 1, "") + write(point))
    return "".join(
        [
            *(source[tag.start : tag.end] for tag in closers),
            " ".join(out),
            *(source[tag.start : tag.end] for tag in openers),
        ]
    )


def _between(block: Block, start: int, end: int) -> str:
    """The text of a block that stands in a stretch of the source."""
    offsets = block.offsets
    assert offsets is not None
    return "".join(letter for n, letter in enumerate(block.text) if start <= offsets[n] < end)


def _most_alike(words: Sequence[str], part: str, at: float) -> tuple[int, int]:
    """The words that are most like a part, and near where it stood: (first, past the last)."""
    from rapidfuzz.fuzz import ratio

    size = max(1, len(part.split()))
    best, answer = -1.0, (0, 1)
    for length in {max(1, size - 1), size, size + 1}:
        for first in range(len(words) - length + 1):
            alike = ratio(" ".join(words[first : first + length]), part) / 100
            score = alike - 0.6 * abs(first / len(words) - at) - 0.1 * abs(length - size)
            if score > best:
                best, answer = score, (first, first + length)
    return answer


def _pairs(tags: Sequence[Tag]) -> list[tuple[Tag, Tag]]:
    """Start tags with their end tags, outer before inner."""
    waiting: list[Tag] = []
    pairs = []
    for tag in tags:
        if tag.name[0] != "/":
            waiting.append(tag)
        elif waiting and waiting[-1].name == tag.name[1:]:
            pairs.append((waiting.pop(), tag))
        else:
            # Torn or without an end tag.
            at = next((n for n in reversed(range(len(waiting))) if waiting[n].name == tag.name[1:]), None)
            if at is not None:
                pairs.append((waiting[at], tag))
                del waiting[at:]
    return sorted(pairs, key=lambda pair: pair[0].start)


_POINT = re.compile(r"(?<=\w)(?:['’]s[.,;:]*|[.,;:]+)$")
