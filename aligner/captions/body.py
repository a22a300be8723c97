"""Body text: what may stand beside a caption, the article's own words, its paragraphs and its standfirst."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cached_property
from itertools import takewhile
from operator import attrgetter, itemgetter

from aligner.captions import credits
from aligner.captions.findings import BODY_WORDS, CLOSING, FINAL, Found
from aligner.documents import Block

STANDFIRST_BELOW, STANDFIRST_ABOVE = 10, 15  # words of a line without a final stop below or above the first heading
_SLASHED = re.compile(r"(?:[^\W\d_]/\s?|\s/\s+)(?:[A-ZÁÉÍÓÚÑÀÈÒÖÜÇ@]|dpa|epa|el[A-Z])")
_BRACKETED = re.compile(r"[(\[](?:[A-Z]{2,}|Photo|Foto|FOTO|Image)")
_LABELLED = re.compile(r"(?:photo|foto|image|credit|picture)[a-z]*:|photo_")


class OwnText:
    """The article's own words, gathered when first asked for.

    Args:
        plain: blocks that are body text beyond doubt.
        found: the others with their verdicts.
    """

    def __init__(self, plain: list[Block], found: list[Found]) -> None:
        self.plain = plain
        self.found = found

    @cached_property
    def _written(self) -> tuple[str, str]:
        texts = [block.text for block in self.plain]
        texts += [found.stretch for found in self.found if found.kind == "context"]
        written = "\n".join(texts)
        return written, written.lower()

    def mentions(self, words: str, *, folded: bool = True) -> bool:
        """Whether the article's own text has these words, one after the other.

        Args:
            words: in small letters if ``folded``.
            folded: take capitals for small letters.
        """
        text = self._written[folded]
        at = text.find(words)
        while at >= 0:
            end = at + len(words)
            if not (text[at - 1 : at].isalpha() or text[end : end + 1].isalpha()):
                return True
            at = text.find(words, end)
        return False


def credited(text: str) -> bool:
    """Whether something at an edge of a line looks like a credit; substrings first, because body text comes here."""
    edges = text if len(text) < 140 else f"{text[:60]}\n{text[-70:]}"
    return bool(
        "©" in edges
        or ("/" in edges and _SLASHED.search(edges))
        or ("|" in edges and edges.rpartition("|")[2].strip(" .").casefold() in credits.lexicon().agencies)
        or ((text[-1] in ")]" or text[0] in "([") and _BRACKETED.search(edges))
        or ((":" in edges or "hoto_" in edges) and _LABELLED.search(edges.lower()))
    )


def is_body(text: str) -> bool:
    """Whether a line in the context language is body text rather than a heading or a label."""
    last = text[-1] if text[-1] not in CLOSING else text.rstrip(CLOSING)[-1:]
    return last in FINAL or len(text.split()) >= BODY_WORDS


def is_paragraph(block: Block) -> bool:
    """Whether a block in the context language is a paragraph of the article."""
    return block.role in ("line", "body") and (block.text[-1] in FINAL or is_body(block.text))


def paragraphs(
    plain: list[Block],
    parts: list[Found],
    kinds: Collection[str],
    original: Callable[[Found], Block],
    size: int,
) -> tuple[Block, ...]:
    """The article's paragraphs, its standfirst first.

    Args:
        plain: blocks that are body text or headings beyond doubt.
        parts: the others with their verdicts.
        kinds: verdicts of body text.
        original: gives the block of a part as the reader made it.
        size: length of the document.
    """
    body = [block for block in plain if is_paragraph(block)] if "context" in kinds else []
    if parts:
        body += [
            block
            for found in parts
            if found.kind in kinds and found.part.credit is None and found.part.start == 0
            if is_paragraph(block := original(found))
        ]
        body.sort(key=attrgetter("start"))
    standfirst = _standfirst(plain, parts, kinds, original, body[0].start if body else size)
    return (standfirst, *body) if standfirst else tuple(body)


def _standfirst(
    plain: list[Block],
    parts: list[Found],
    kinds: Collection[str],
    original: Callable[[Found], Block],
    end: int,
) -> Block | None:
    """The standfirst, or the result of a match, among the lines in front of the first that ends like a sentence.

    It stands below the heading, or is a long line above it.
    """
    top = list(takewhile(lambda b: b.start < end, plain)) if "context" in kinds else []
    for found in takewhile(lambda f: f.block.start < end, parts):
        if found.kind in kinds and found.part.credit is None and found.part.start == 0:
            top.append(original(found))
    top = sorted((block for block in top if block.role in ("line", "body")), key=attrgetter("start"))
    sizes = [(len(block.text.split()), block) for block in top]
    long = [size for size in sizes[:1] if size[0] >= STANDFIRST_ABOVE]
    long += [size for size in sizes[1:][-1:] if size[0] >= STANDFIRST_BELOW]
    return max(long, key=itemgetter(0))[1] if long else None
