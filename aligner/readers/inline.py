"""Blocks of text with markup inside, and what becomes of it when a stretch of them is replaced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
