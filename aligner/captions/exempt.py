"""What is in the caption language and stays so: quotations, posts, lists of titles, the article's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from aligner.captions import credits
from aligner.captions.body import OwnText
from aligner.captions.evidence import QUOTED
from aligner.captions.findings import CLOSING, FINAL, PICTURE, Found
from aligner.captions.language import WORD
from aligner.captions.verdicts import Judge, told
from aligner.documents import Block

_WHOLLY_QUOTED = re.compile(r"\s*(?:“[^”]*”|«[^»]*»|\"[^\"]*\"|‘[^’]*’)[\s.,]*")
_POST = re.compile(r"pic\.twitter\.com|\bt\.co/|^@\w+(?! [|-])\b|^#\w+|\(@\w+\)\s+\w+ \d")
_ITEM = re.compile(r"(?:\d{1,3}[.)º]|[-*•·–])\s+\S")
_TAIL = re.compile(r"\([^()]+\)|, [A-ZÁÉÍÓÚÑ]")
# "Música · Oficios · Zaragoza"
_TAGS = re.compile(r"#?[^\W\d_]+(?: [^\W\d_]+)?(?:\s?[·•|]\s?#?[^\W\d_]+(?: [^\W\d_]+)?){2,}")
LANGUAGE_NAMES = frozenset(
    ["español", "spanish", "castellano", "english", "inglés", "italiano", "português", "français", "deutsch", "català"]
)


class Exemptions:
    """Tells what only looks like a caption.

    Args:
        blocks: of the document.
        judge: weighs what stands outside of quotation marks.
    """

    def __init__(self, blocks: Sequence[Block], judge: Judge) -> None:
        self.blocks = blocks
        self.judge = judge
        self.weigher = judge.weigher

    def cited(self, block: Block, text: str) -> bool:
        """Whether a line is a citation if it is in the caption language: a title in a list, a quotation, a post."""
        if text[0] in '"“«‘' and _WHOLLY_QUOTED.fullmatch(text):
            return True
        if ("@" in text or "#" in text or "/" in text) and _POST.search(text):
            return True
        return _ITEM.match(text) is not None and id(block) in self._listed

    @cached_property
    def _listed(self) -> set[int]:
        """Blocks of lists of titles: three or more numbered lines in a row that do not end as sentences do."""
        listed: set[int] = set()
        run: list[Block] = []
        for block in [*self.blocks, None]:
            if block is not None and _ITEM.match(block.text) and len(block.text) < 120:
                run.append(block)
                continue
            titles = [b for b in run if not b.text.rstrip(CLOSING).endswith(FINAL) and _TAIL.search(b.text)]
            if len(run) >= 3 and len(titles) * 2 >= len(run):
                listed.update(map(id, run))
            run = []
        return listed

    def take_back(self, parts: list[Found], own: OwnText) -> None:
        """Takes back what only looks like a caption."""
        for found in parts:
            if found.kind == "caption" and self._only_looks(found, own):
                found.kind = "exempt"

    def _only_looks(self, found: Found, own: OwnText) -> bool:
        """Whether it is the page's, or in the caption language on purpose."""
        stretch = found.stretch
        short = len(stretch) < 60
        if short and _interface(stretch):
            return True
        if found.part.credit:
            return False
        return (
            found.block.quoted
            or _TAGS.fullmatch(found.text) is not None
            or self._told_caption(found.block)
            or self._only_quotes(stretch)
            or (short and self._echoes(found, stretch, own))
        )

    def _told_caption(self, block: Block) -> bool:
        """Whether the format says of a text of its own, not of the whole page, that it is in the caption language."""
        language = told(block)
        return block.role not in PICTURE and language == self.weigher.pair[0] != self.judge.page_language

    def _only_quotes(self, stretch: str) -> bool:
        """Whether a stretch is a quotation, or a list of titles with nothing of the caption language outside."""
        if _WHOLLY_QUOTED.fullmatch(stretch):
            return True
        if len(QUOTED.findall(stretch)) < 3:
            return False
        outside = self.judge.outside_quotations(stretch)
        return not (outside.caption or outside.faint)

    def _echoes(self, found: Found, stretch: str, own: OwnText) -> bool:
        """Whether a short line only has words that the article itself uses ("Gazpacho andaluz" as a heading)."""
        assert found.evidence is not None
        words = WORD.findall(stretch)
        content = {w.lower() for w in [*found.evidence.caption, *words[:1]]} - self.weigher.function
        if stretch.isupper():
            content |= {w.lower() for w in words} - self.weigher.function
        if not 0 < len(content) < 7:
            return False
        shouting = stretch.isupper()
        first = words[0].lower()
        return all(own.mentions(word, folded=shouting) for word in content) or (
            len(words) < 4
            and first not in self.weigher.function
            and not (self.weigher.word(first).known and self.weigher.word(first).side == "")
            and own.mentions(first, folded=shouting)
        )


def _interface(text: str) -> bool:
    """Whether a line belongs to the page and not to the article: "Leer más", "Español | English", "Home | Contacto"."""
    plain = " ".join(text.casefold().split()).strip(" .:…!»>")
    known = credits.lexicon().interface
    if plain in known or all(word in LANGUAGE_NAMES for word in WORD.findall(plain)):
        return True
    if "|" not in plain and "·" not in plain:
        return False
    entries = re.split(r" ?[|·] ?", plain)
    return len(entries) > 1 and all(entry.count(" ") < 4 for entry in entries) and not known.isdisjoint(entries)
