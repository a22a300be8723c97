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
_SENTENCES = re.compile(r"(?<=[.!?])\s")
# What introduces a quotation, and what introduces captions.
_QUOTES = re.compile(
    r"(?i)\b(?:poems?|lines?|vers(?:es?|o|os)|stanzas?|couplets?|songs?|lyrics|chorus|refrain|ballads?|hymns?|prayers?|texts?"
    r"|signs?|banners?|placards?|plaques?|inscriptions?|letters?|notes?|messages?|slogans?|mottos?|proverbs?|sayings?"
    r"|quot(?:e|es|ed|ation)|reads?|sa(?:ys?|id|ng)|sings?|beg(?:ins?|an)|starts?|started|opens|ends|goes|wr(?:ites|ote))\b"
)
_PICTURES = re.compile(r"(?i)\b(?:photo\w*|pictures?|pictured|images?|galler\w+|captions?|videos?|slides?\w*)\b")
_LEADS = re.compile(r"\b(?:le[ae]|leer|leyendo|saber|interesar|recomendamos|información|noticias|relacionad[oa]s?)\b")
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
        introduced = self._introduced(parts)
        for found in parts:
            if found.kind == "caption" and (found.block.start in introduced or self._only_looks(found, own)):
                found.kind = "exempt"

    def _introduced(self, parts: list[Found]) -> set[int]:
        """Where the lines start that the article quotes ("The song begins like this:"), down to the first other one.

        Lines without blank ones between them end at a blank one.
        """
        if not any(block.text[-1] == ":" for block in self.blocks):
            return set()
        kinds = {found.block.start: found for found in parts}
        introduced: set[int] = set()
        above: Block | None = None
        step = 0
        for block in self.blocks:
            found = kinds.get(block.start)
            quoted = (
                above is not None
                and found is not None
                and found.kind in ("caption", "names", "exempt")
                and found.part.credit is None
                and block.role not in PICTURE
                and (not step or block.line - above.line <= step)
            )
            if quoted and above is not None:
                step = step or (block.line - above.line if above.start in introduced else 0)
                introduced.add(block.start)
                above = block
            else:
                above, step = (block if _introduces(block.text) else None), 0
        return introduced

    def _only_looks(self, found: Found, own: OwnText) -> bool:
        """Whether it is the page's, or in the caption language on purpose."""
        stretch = found.stretch
        short = len(stretch) < 60
        if (short and _interface(stretch)) or _teaser(found.text):
            return True
        if found.part.credit:
            return False
        return (
            found.block.quoted
            or (" " not in found.text and _in_cell(found.block))
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


def _in_cell(block: Block) -> bool:
    """Whether a block is the text of a table's cell: one word there is a heading or a name."""
    return getattr(getattr(block, "element", None), "name", "") in ("td", "th") and block.role not in PICTURE


def _introduces(text: str) -> bool:
    """Whether an English line says that what follows it is a quotation, not a picture or a list of them."""
    if text[-1] != ":":
        return False
    sentence = _SENTENCES.split(text)[-1]
    return _QUOTES.search(sentence) is not None and _PICTURES.search(sentence) is None


def _teaser(text: str) -> bool:
    """Whether a line leads to another article: "Lea también: …"; "Ver vídeo: …" and "Portada: …" are pictures'."""
    head, colon, _ = text.partition(":")
    plain = head.strip(" *_»>→").casefold()
    return bool(colon) and plain in credits.lexicon().interface and _LEADS.search(plain) is not None


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
