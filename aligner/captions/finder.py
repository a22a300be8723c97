"""Finds what was left in the caption language, block by block, cheap evidence first.

A block goes through as few of these steps as it needs:

1. function words: a block that has the context language's and none of the caption language's is body text (nearly
   all of the text ends here, after a few substring searches);
2. words: :mod:`aligner.captions.evidence` weighs each word that is not a name;
3. credits and labels come off (:mod:`aligner.captions.credits`), the caption text is weighed alone, a line of two
   languages sentence by sentence;
4. the document decides what a line cannot: quotations, lists of titles, embedded posts, the article's own words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise, takewhile
from operator import attrgetter, itemgetter

from aligner.captions import credits
from aligner.captions.credits import Hints, Part
from aligner.captions.evidence import QUOTED, Evidence, Weigher, edges, probability, weigher
from aligner.captions.language import WORD
from aligner.documents import Article, Block
from aligner.records import Caption, CreditLine, OtherLanguage, Slug

THRESHOLD = 0.5  # a line is reported from this probability on
SURE = 0.9  # a caption with such a probability shows that the document has captions of the language
HEADED = 0.6  # probability of a name that starts with a noun, with a credit beside it, in such a document
_MARGIN = 2.0  # nats by which a third language must explain a line better than both of the pair
LONGEST = 5000  # letters of the longest block that can be a caption
WHOLE = 0.75  # share of the letters in the caption language from which the article counts as written in it
_LIKELY_CONTEXT = -2.5  # nats behind the best language from which a word may be the context language's
FOREIGN = 0.1  # letters of third languages, as a share of the context language's, from which all lines are weighed
PICTURE = ("alt", "caption", "credit")  # roles of texts that belong to pictures
BODY_WORDS = 20  # a context-language line of so many words, or one that ends like a sentence, is body text
STANDFIRST_BELOW, STANDFIRST_ABOVE = 10, 15  # words of a line without a final stop below or above the first heading


@dataclass(frozen=True)
class Findings:
    """What was found in one document.

    Attributes:
        captions: captions of the caption language, in document order, ids ``c1``, ``c2``, ...
        slugs: bare picture names.
        other_languages: lines in a language that is neither of the two.
        credit_lines: lines that hold a credit and nothing else.
        context_language: ISO 639-1 code of the article, as measured.
        warnings: remarks on the document, ``code: reason``.
    """

    captions: tuple[Caption, ...] = ()
    slugs: tuple[Slug, ...] = ()
    other_languages: tuple[OtherLanguage, ...] = ()
    credit_lines: tuple[CreditLine, ...] = ()
    context_language: str = "en"
    warnings: tuple[str, ...] = ()
    _gather: Callable[[], tuple[Block, ...]] = field(default=tuple, repr=False, compare=False)

    @cached_property
    def paragraphs(self) -> tuple[Block, ...]:
        """Body text that a caption can be linked to; gathered when asked for, as most documents have no captions."""
        return self._gather()


@dataclass(slots=True)
class _Found:
    """A part of a block with its verdict: ``caption``, ``other``, ``context``, ``names``, ``credit`` or ``slug``."""

    block: Block
    text: str
    part: Part
    kind: str
    evidence: Evidence | None = None
    confidence: float = 0.0
    language: str = ""
    beside: _Found | None = None  # a block that the format marks as this caption's credit
    cited: bool = False  # only its quotations are in the caption language
    unread: bool = False  # a credit may stand beside it: worth reading only where something depends on it


def find(article: Article, *, caption_language: str = "es", context_language: str = "en") -> Findings:
    """Finds the captions of one language that were left in an article of another.

    Args:
        article: the document.
        caption_language: ISO 639-1 code of the captions looked for.
        context_language: ISO 639-1 code that the article is expected to be in; what it is in is measured.

    Raises:
        UsageError: a language that the finder has no statistics of, or twice the same.
    """
    return _Finder(article, weigher(caption_language, context_language)).run()


_WHOLLY_QUOTED = re.compile(r"\s*(?:“[^”]*”|«[^»]*»|\"[^\"]*\"|‘[^’]*’)[\s.,]*")
_SLASHED = re.compile(r"(?:[^\W\d_]/\s?|\s/\s+)(?:[A-ZÁÉÍÓÚÑÀÈÒÖÜÇ@]|dpa|epa|el[A-Z])")
_BRACKETED = re.compile(r"[(\[](?:[A-Z]{2,}|Photo|Foto|FOTO|Image)")
_LABELLED = re.compile(r"(?:photo|foto|image|credit|picture)[a-z]*:|photo_")
# Where a caption may start behind a credit, and what may stand behind it.
_BEFORE_CAPTION = re.compile(r"(?:\s[-–—|]|[.:)\]])\s+$")
_AFTER_CAPTION = re.compile(r"\s*[.([]|\s+[-–—|]\s")
_POST = re.compile(r"pic\.twitter\.com|\bt\.co/|^@\w+(?! [|-])\b|^#\w+|\(@\w+\)\s+\w+ \d")
_ITEM = re.compile(r"(?:\d{1,3}[.)º]|[-*•·–])\s+\S")
_AGENCY_NEXT = re.compile(r"[/|(]")
_TOKEN = re.compile(r"\S+")
_MARKED = re.compile(r"[|/(\[©]|\s[–—-]\s|[.:]\s")
_INITIALS = re.compile(r"(?:[A-ZÁÉÍÓÚÑ]\.){1,3}")
_TAIL = re.compile(r"\([^()]+\)|, [A-ZÁÉÍÓÚÑ]")
_IMAGE = re.compile(r"\S+\.(?i:jpe?g|png|gif|webp|avif|tiff?)|(?:IMG|DSC|DSCN|DSCF)[-_]?\d{3,}\S*")
_UNDERSCORED = re.compile(r"[^][()=\"`<>]+")
_FILE = re.compile(r"\w*[_\d]\w*(?:[-_.]\w+)*|[^\W\d_]+(?:[-_][^\W_]+)+(?:\.\w{2,4})?")
_SHOUTED = re.compile(r"[^\W\d_a-zß-ÿ]{2,}[^a-zß-ÿ]{8,}[.!?|/]\s+[^\W\d_]+\s[^\W\d_A-ZÀ-Þ]")  # capitals, then none
_CITATION = re.compile(r"\bet al\b")
_FINAL, _CLOSING = tuple(".!?…:;"), "\"”»’')]"
LANGUAGE_NAMES = frozenset(
    ["español", "spanish", "castellano", "english", "inglés", "italiano", "português", "français", "deutsch", "català"]
)


class _Finder:
    def __init__(self, article: Article, weigher: Weigher) -> None:
        self.article = article
        self.weigher = weigher
        self.plain: list[Block] = []
        self.found: list[_Found] = []
        self.originals: dict[int, Block] = {}  # blocks as the reader made them, by id of their composed form
        self.hints = Hints(ordinary=weigher.ordinary)
        self.names: set[str] = set()  # in small letters, of sure credits
        self.places: set[tuple[str, str]] = set()  # of sure credits, and how they are written
        self._own: tuple[str, str] | None = None

    def run(self) -> Findings:
        """All steps."""
        is_context, plain = self.weigher.is_context, self.plain.append
        for block in self.article.blocks:
            text = block.text
            size = len(text)
            if (
                size > LONGEST
                or block.role == "credit"
                or not is_context(text)
                or (size <= 80 and (not text[0].isupper() or "_" in text) and self._slug(block, text))
            ):
                self._open(block)
            elif not _credited(text):
                plain(block)  # body text or a heading beyond doubt; nearly all text ends here
            elif self.weigher.has_caption_words(text) or credits.alone(text):
                self._open(block)
            else:
                self.found.append(_Found(block, text, Part(0, size), "context", unread=True))
        return self._conclude()

    # One block ------------------------------------------------------------------------------------------------

    def _read_rest(self) -> None:
        """Reads the lines that were left unread: all of them if there are captions, else what may be a paragraph.

        The credit of a line that is no caption tells names that may stand beside one, and that it is no paragraph.
        """
        found, self.found = self.found, []
        captions = any(each.kind == "caption" for each in found)
        for each in found:
            if each.unread and (captions or (each.kind == "context" and _body(each.text))):
                self._open(self._original(each), reading=True)
            else:
                self.found.append(each)

    def _open(self, block: Block, *, reading: bool = False) -> None:
        if len(block.text) > LONGEST:
            self._long(block)
            return
        original = block
        block, text = _composed(block)
        self.originals[id(block)] = original
        if slug := self._slug(block, text):
            self.found.append(slug)
            return
        if block.role == "credit":
            marked = credits.read(text) or credits.Reading(credits.STRONG, None, None)
            self.found.append(_Found(block, text, Part(0, 0, (0, len(text)), marked), "credit"))
            return
        evidence = None
        cited = self._cited(original, text)
        if cited or not self.weigher.marker.search(text):
            evidence = self.weigher.weigh(text)
            if cited and evidence.caption:
                self.found.append(_Found(block, text, Part(0, len(text)), "exempt", evidence))
                return
            if len(evidence.context) > 1 and not evidence.caption and self._leads(evidence) and not _credited(text):
                self.found.append(_Found(block, text, Part(0, len(text)), "context", evidence))
                return
            if not (reading or evidence.caption or evidence.faint or len(evidence.foreign) > 1 or credits.alone(text)):
                context = evidence.context and self._leads(evidence)
                if context or text.count(" ") > 3:
                    kind = "context" if context else "names"
                    self.found.append(_Found(block, text, Part(0, len(text)), kind, evidence, unread=True))
                    return
        parts = credits.split(text, self.hints)
        if any(part.start == part.end and self._worded(text, part) for part in parts):
            parts = credits.split(text, self.hints, whole=False)
        for part in parts:
            if part.start == part.end:
                self.found.append(_Found(block, text, part, "credit"))
            else:
                whole = evidence if part.end - part.start == len(text) else None
                self.found += self._judge(block, text, part, whole)

    def _leads(self, evidence: Evidence) -> bool:
        """Whether no language explains the words clearly better than the context language."""
        totals = evidence.totals
        return max(totals) - totals[self.weigher.context] < _MARGIN

    def _worded(self, text: str, part: Part) -> bool:
        """Whether what only looks like a credit's name is made of words: "Imagen: Sede", "AFP - Mapa de Siria"."""
        if part.reading is None:
            return False
        if credits.depicts(text, part.start) or (not part.reading.labelled and self._titled(text)):
            return True
        given = credits.lexicon().given
        shapes = list(part.reading.shapes)
        # "EFE - Ana Sanz y Luis Gil" are two people in a picture.
        shapes += [both for a, b in pairwise(shapes) if (both := f"{a} y {b}") in text]
        for shape in shapes:
            at = text.find(shape)
            if not (_BEFORE_CAPTION.search(text, 0, at) or _AFTER_CAPTION.match(text, at + len(shape))):
                continue
            if shape.split()[0].title() in given and " y " not in shape:
                continue
            if part.reading.labelled and " " in shape and not shape.isupper() and _names_person(shape):
                continue
            evidence = self.weigher.weigh(shape)
            if evidence.caption or evidence.faint or self._headed(shape):
                return True
        return False

    def _titled(self, text: str) -> bool:
        """Whether a row of capitalised words is a caption: people under their titles, or a sentence of a noun.

        "El Presidente Ana Ruiz y la Vicepresidenta Eva Mora", "Trabajadores de Luz y Fuerza de Zamora."
        """
        words = WORD.findall(text)
        small = [word for word in words if word.islower() and self._is_caption(word)]
        if not small or len(words) < 4 or not all(word.islower() or word[0].isupper() for word in words):
            return False
        leads, first = self.weigher.names.leads, words[0].lower()
        if any(word in leads and after in self.weigher.given for word, after in pairwise(words)) and words[0] != "De":
            return first in ("el", "la", "los", "las") or not {"y", "con", "en", "durante"}.isdisjoint(small)
        noun = self.weigher.word(first)
        return text.endswith(".") and len(small) > 1 and noun.known and noun.side == "caption" and not noun.proper

    def _headed(self, text: str) -> bool:
        """Whether a name starts with a noun of the caption language: "Puerto de Tánger Med", "Laguna Azul"."""
        words = WORD.findall(text)
        if len(words) < 2 or words[0].title() in credits.lexicon().given:
            return False
        first, second = (self.weigher.word(word.lower()) for word in words[:2])
        return first.known and first.side == second.side == "caption" and second.known

    def _original(self, found: _Found) -> Block:
        return self.originals.get(id(found.block), found.block)

    def _long(self, block: Block) -> None:
        """A block too long for a caption: only its language counts, for the language of the document."""
        text = block.text[:100_000]
        mine = len(self.weigher.marker.findall(text))
        theirs = len(self.weigher.context_marker.findall(text))
        if mine > 2 * theirs:
            self.found.append(_Found(block, block.text, Part(0, len(block.text)), "body"))
        else:
            self.plain.append(block)

    def _judge(self, block: Block, text: str, part: Part, evidence: Evidence | None) -> list[_Found]:
        """Verdicts on the caption text of a part: one, or one for each run of sentences where the languages change."""
        stretch = text[part.start : part.end]
        whole = self._weigh(block, text, part, evidence)
        evidence = whole.evidence
        if not (evidence and evidence.caption and (evidence.context or _SHOUTED.match(stretch))) or whole.cited:
            return [whole]
        cuts = edges(stretch)
        if not cuts or (whole.kind == "other" and evidence.plain >= BODY_WORDS):
            return [whole]
        starts = [part.start, *(part.start + start for _, start in cuts)]
        ends = [*(part.start + end for end, _ in cuts), part.end]
        pieces = [credits.trim(text, a, _after_quotes(text, b, part.end)) for a, b in zip(starts, ends, strict=True)]
        verdicts = [self._weigh(block, text, replace(part, start=a, end=b)) for a, b in pieces if a < b]
        if not any(v.kind == "context" and v.evidence and len(v.evidence.context) > 1 for v in verdicts):
            mixed = whole.kind != "caption" and any(v.kind == "caption" for v in verdicts)
            return self._runs(verdicts, part) if mixed else [whole]
        if not any(v.kind == "caption" for v in verdicts):
            whole.kind = "context" if whole.kind == "caption" else whole.kind
            return [whole]
        return self._runs(verdicts, part)

    def _runs(self, verdicts: list[_Found], part: Part) -> list[_Found]:
        """Joins neighbouring sentences of the caption language, with the names and numbers between and before them."""
        runs: list[list[_Found]] = []
        for verdict in verdicts:
            language = verdict.kind if verdict.kind in ("context", "other") else "caption"
            if runs and runs[-1][0].language == language:
                runs[-1].append(verdict)
            else:
                runs.append([verdict])
            verdict.language = language
        out = []
        for run in runs:
            credit = part.credit
            near = credit is not None and (run[-1] is verdicts[-1] if credit[0] >= part.end else run[0] is verdicts[0])
            start, end = credits.trim(run[0].text, run[0].part.start, run[-1].part.end)
            beside = (part.credit, part.reading) if near else (None, None)
            joined = Part(start, end, *beside, part.label)
            out.append(self._weigh(run[0].block, run[0].text, joined))
        return out

    def _weigh(self, block: Block, text: str, part: Part, evidence: Evidence | None = None) -> _Found:
        """The verdict on one stretch."""
        stretch = text[part.start : part.end]
        evidence = evidence or self.weigher.weigh(stretch)
        if (part.credit or part.label) and not evidence.caption and not evidence.context:
            evidence.caption = evidence.faint  # "[EFE] Almadraba de Barbate, en 1998"
        found = _Found(block, text, part, "names", evidence)
        if not evidence.plain:
            if self._titled(stretch):
                found.kind, found.confidence = "caption", HEADED
                evidence.caption, evidence.plain = WORD.findall(stretch)[:1], len(WORD.findall(stretch))
            return found
        if language := self._foreign_paragraph(evidence):
            found.kind, found.language = "other", language
            return found
        if evidence.caption and evidence.context and QUOTED.search(stretch):
            outside = self._outside_quotations(stretch)
            if outside.context and not (outside.caption and probability(outside, self.weigher) >= THRESHOLD):
                found.kind, found.cited = "context", not (outside.caption or outside.faint)
                return found
        head, colon, _ = stretch.partition(": ")
        if colon and part.credit is None and len(self.weigher.weigh(head).context) > 1:
            found.kind = "context"  # "Best foreign film: El secreto de sus ojos"
            return found
        found.confidence = probability(evidence, self.weigher)
        totals = evidence.totals
        mine, context = totals[self.weigher.caption], totals[self.weigher.context]
        best = max(range(len(totals)), key=totals.__getitem__)
        if found.confidence >= THRESHOLD:
            found.kind = "names" if self._slight(found, stretch) or self._told_otherwise(block) else "caption"
        elif best not in (self.weigher.caption, self.weigher.context) and self._is_other(evidence, totals[best]):
            found.kind, found.language = "other", self.weigher.languages[best]
        elif part.credit and evidence.caption and evidence.context and (sure := self._clause(stretch)) >= THRESHOLD:
            found.kind, found.confidence = "caption", sure
        elif evidence.context and context >= mine:
            found.kind = "context"
        return found

    def _slight(self, found: _Found, stretch: str) -> bool:
        """Whether the only word of the caption language is a name too, or one that the context language shares.

        Such words are "October", "NATO", "Libya", "Reza Aslan", "Influencer Marketing"; what they share, like "portal",
        does with a credit beside it.
        """
        evidence = found.evidence
        assert evidence is not None
        if evidence.function > 1 or len(evidence.caption) > 4:
            return False
        words = WORD.findall(stretch)
        content = {word for word in evidence.caption if len(word) > 2 and word.lower() not in self.weigher.dates}
        if len(content) > 1 or not all(map(str.isascii, content)):
            return False
        if _CITATION.search(stretch):
            return True
        if not content:  # "Soko ni Iru Boku", but "Playa de Ondarreta"
            low_words = (word.lower() for word in words if len(word) > 2)
            return not any(self._is_caption(word) for word in low_words if word not in self.weigher.dates)
        (word,) = content
        if any(other.islower() and other != word for other in evidence.caption):
            return False
        low = word.lower()
        if low in self.weigher.shared:
            return found.part.credit is None
        if word.isupper() and len(word) < 5 and not (words == [word] and found.part.credit):
            return True
        if low.title() in self.weigher.given:
            return True
        # One known word in a row of capitalised ones is part of a name, or of a heading.
        others = [other for other in words if other != word]
        return (
            len(others) > 0
            and not word.isupper()
            and all(w[0].isupper() for w in words)
            and (words[0] in self.weigher.given or not any(self._is_caption(other.lower()) for other in others))
        )

    def _told_otherwise(self, block: Block) -> bool:
        """Whether the format says of a block, not of the whole page, that it is in a third language."""
        given = _told(block)
        return given not in ("", "x", "und", "mul", "zxx", *self.weigher.pair) and given != self.page_language

    @cached_property
    def page_language(self) -> str:
        """What the format says of most blocks."""
        return Counter(map(_told, self.article.blocks)).most_common(1)[0][0]

    def _clause(self, stretch: str) -> float:
        """The probability of the surest clause behind a comma: "Protest in Peine, con carteles en castellano"."""
        clauses = map(self.weigher.weigh, stretch.split(", ")[1:])
        return max(
            (probability(c, self.weigher) for c in clauses if len(c.caption) > 2 and c.function and not c.context),
            default=0.0,
        )

    def _foreign_paragraph(self, evidence: Evidence) -> str:
        """The third language that explains the words of a paragraph clearly better than the two of the pair, or "".

        Neighbours share many words of a paragraph, so that the margin must grow with it.
        """
        if evidence.plain < BODY_WORDS // 2 or len(evidence.foreign) * 4 < evidence.plain:
            return ""
        totals = evidence.totals
        best = max(range(len(totals)), key=totals.__getitem__)
        behind = max(totals[self.weigher.caption], totals[self.weigher.context])
        return self.weigher.languages[best] if totals[best] - behind > 2 * _MARGIN + evidence.plain / 4 else ""

    def _is_other(self, evidence: Evidence, best: float) -> bool:
        """Whether a third language explains the words clearly better than the two of the pair."""
        margin = best - max(evidence.totals[self.weigher.caption], evidence.totals[self.weigher.context])
        foreign = len(evidence.foreign)
        return (
            margin > (_MARGIN if foreign > 1 else 2 * _MARGIN)
            and evidence.plain > 1
            and foreign * 4 >= evidence.plain > 2 * len(evidence.context)
        )

    def _slug(self, block: Block, text: str) -> _Found | None:
        """A bare picture name: a file name, or a few words without a capital that are no sentence."""
        words = text.split()
        if len(text) > 80 or (len(words) > 5 and "_" not in words[0]):
            return None
        if self.article.format != "text" and not (_IMAGE.fullmatch(text) or self._by_picture(block, text)):
            return None
        single = self._file_name(text) if len(words) == 1 else self._lower_words(text, words)
        return _Found(block, text, Part(0, len(text)), "slug") if single else None

    def _by_picture(self, block: Block, text: str) -> bool:
        """Whether a picture's own text is a name in small letters rather than words, in a format that marks it."""
        return block.role in PICTURE and text.islower() and not any(map(self._may_be_context, WORD.findall(text)))

    def _may_be_context(self, word: str) -> bool:
        entry = self.weigher.word(word)
        return word in self.weigher.shared or (entry.known and entry.scores[self.weigher.context] > _LIKELY_CONTEXT)

    def _file_name(self, word: str) -> bool:
        """Whether a word is like "putin", "macron-rusia" or "DSC_0342", and no word of the article's language."""
        if word.isalpha():
            return word.islower() and not self._is_context(word)
        if not _FILE.fullmatch(word) or not any(map(str.isalpha, word)):
            return False
        if word[0].isupper() and "_" not in word and not any(map(str.isdigit, word)):
            return not any(self._is_context(part.lower()) for part in re.split("[-_]", word))
        return True

    def _lower_words(self, text: str, words: list[str]) -> bool:
        """Whether words are like "emmanuel macron", "banco de mexico" or "Atalayar_Brahim Ghali"."""
        if "_" in words[0]:
            return _UNDERSCORED.fullmatch(text) is not None and credits.line_label(text) is None
        letters = "".join(words)
        if not letters.islower() or not all(c.isalpha() or c in "-_" for c in letters):
            return False
        if any(map(self._may_be_context, words)) and not any(map(self._is_caption, words)):
            return False
        return len(words) < 4 or self.weigher.weigh(text).function < 2

    def _is_context(self, word: str) -> bool:
        entry = self.weigher.word(word)
        return entry.known and entry.scores[self.weigher.context] > -1 > entry.scores[self.weigher.caption]

    def _is_caption(self, word: str) -> bool:
        return self.weigher.word(word).side == "caption"

    # The document ---------------------------------------------------------------------------------------------

    def _conclude(self) -> Findings:
        if any(found.unread for found in self.found):
            self._read_rest()
        mine, language = self.weigher.pair
        if {"caption", "exempt", "body", "other"}.isdisjoint([found.kind for found in self.found]):
            return Findings(
                slugs=tuple(self._slugs()),
                credit_lines=tuple(self._credit_lines()),
                context_language=language,
                _gather=partial(self._paragraphs, {"context"}),
            )
        warnings: list[str] = []
        letters = self._letters()
        if sum(letters.values()) - letters[mine] - letters[language] > FOREIGN * letters[language]:
            self._read_plain()
            letters = self._letters()
        caption, context = letters.pop(mine, 0), letters.pop(language, 0)
        foreign, most = letters.most_common(1)[0] if letters else ("", 0)
        if caption and caption >= WHOLE * (caption + context + sum(letters.values())):
            warnings.append(
                f"context-language: the article is written in {mine}, not {language}: nothing is reported as a caption"
            )
            return Findings(
                slugs=tuple(self._slugs()),
                credit_lines=tuple(self._credit_lines()),
                context_language=mine,
                warnings=tuple(warnings),
                _gather=partial(self._paragraphs, {"caption", "body", "exempt"}),
            )
        if most > context and most > caption:
            warnings.append(f"context-language: the article is written in {foreign}, not {language}")
            language = foreign
            self._doubt(_strong)
        elif caption > context and self._doubt(self._set_off):
            warnings.append(
                f"context-language: more of the article is written in {mine} than in {language}: only what is set off "
                "from its text is reported as a caption"
            )
        if any(found.kind == "caption" for found in self.found):
            self._headed_names()
            self._exempt()
            self._weak_credits()
            self._marked_credits()
        exempt = [f for f in self.found if f.kind == "exempt" and len(f.evidence.caption if f.evidence else ()) > 2]
        if exempt:
            lines = ", ".join(map(str, dict.fromkeys(f.block.line for f in exempt)))
            warnings.append(f"exempt: in {mine}, but quoted, posted, listed or the article's own words: line {lines}")
        return Findings(
            captions=tuple(self._captions()),
            slugs=tuple(self._slugs()),
            other_languages=tuple(self._others()),
            credit_lines=tuple(self._credit_lines()),
            context_language=language,
            warnings=tuple(warnings),
            _gather=partial(self._paragraphs, {"context"}),
        )

    def _letters(self) -> Counter[str]:
        """Letters of the article in each language, pictures' texts aside.

        Of the caption language, lines that can be captions do not count if the article has paragraphs.
        """
        mine, theirs = self.weigher.pair
        sums, lines, size = Counter[str](), 0, 0
        paragraphs = False
        for text in [block.text for block in self.plain if block.role not in PICTURE]:
            size += len(text)
            paragraphs = paragraphs or text.count(" ") >= BODY_WORDS
        sums[theirs] = size
        for found in self.found:
            kind, size = found.kind, found.part.end - found.part.start
            if kind not in ("context", "other", "caption", "exempt", "body") or found.block.role in PICTURE:
                continue
            if kind in ("context", "other"):
                sums[found.language if kind == "other" else theirs] += size
            elif found.block.role != "line" or self._reads_on(found):
                sums[mine] += size
            else:
                lines += size
                continue
            paragraphs = paragraphs or found.text.count(" ") >= BODY_WORDS
        if not paragraphs:
            sums[mine] += lines
        return sums

    def _reads_on(self, found: _Found) -> bool:
        """Whether a line of the caption language is a paragraph rather than a caption."""
        part = found.part
        return found.kind == "body" or (
            found.block.role not in PICTURE
            and part.credit is None
            and not part.label
            and found.text.count(" ", part.start, part.end) >= BODY_WORDS
        )

    def _set_off(self, found: _Found) -> bool:
        """Whether the format, a credit or a label tells a caption from text; in plain text its length does."""
        marked = found.block.role in PICTURE or found.part.credit is not None or found.part.label
        return marked or (found.block.role == "line" and not self._reads_on(found))

    def _read_plain(self) -> None:
        """Weighs the lines again that function words settled, in an article with much of a third language."""
        plain, self.plain = self.plain, []
        for block in plain:
            evidence = self.weigher.weigh(block.text)
            if language := self._foreign_paragraph(evidence):
                part = Part(0, len(block.text))
                self.found.append(_Found(block, block.text, part, "other", evidence, language=language))
            else:
                self.plain.append(block)
        self.found.sort(key=lambda found: found.block.start)

    def _doubt(self, holds: Callable[[_Found], bool]) -> bool:
        """Takes back the captions that do not hold where most is in another language; whether there are any."""
        doubted = [found for found in self.found if found.kind == "caption" and not holds(found)]
        for found in doubted:
            found.kind = "body"
        return bool(doubted)

    def _mentions(self, words: str, *, folded: bool = True) -> bool:
        """Whether the article's own text has these words, one after the other.

        Args:
            words: in small letters if ``folded``.
            folded: take capitals for small letters.
        """
        if self._own is None:
            texts = [block.text for block in self.plain]
            texts += [f.text[f.part.start : f.part.end] for f in self.found if f.kind == "context"]
            written = "\n".join(texts)
            self._own = written, written.lower()
        text = self._own[folded]
        at = text.find(words)
        while at >= 0:
            end = at + len(words)
            if not (text[at - 1 : at].isalpha() or text[end : end + 1].isalpha()):
                return True
            at = text.find(words, end)
        return False

    def _exempt(self) -> None:
        """Takes back what only looks like a caption."""
        captions = [found for found in self.found if found.kind == "caption"]
        if not captions:
            return
        for found in captions:
            stretch = found.text[found.part.start : found.part.end]
            bare = found.part.credit is None
            if (len(stretch) < 60 and (_interface(stretch) or (bare and self._echoes(found, stretch)))) or (
                bare and (found.block.quoted or self._only_quotes(stretch))
            ):
                found.kind = "exempt"

    def _only_quotes(self, stretch: str) -> bool:
        """Whether a stretch is a quotation, or a list of titles with nothing of the caption language outside."""
        if _WHOLLY_QUOTED.fullmatch(stretch):
            return True
        if len(QUOTED.findall(stretch)) < 3:
            return False
        outside = self._outside_quotations(stretch)
        return not (outside.caption or outside.faint)

    def _outside_quotations(self, stretch: str) -> Evidence:
        return self.weigher.weigh(QUOTED.sub(" ", stretch))

    def _headed_names(self) -> None:
        """Takes names with a noun in front and a credit beside them for captions where the document has others."""
        if not any(found.kind == "caption" and found.confidence > SURE for found in self.found):
            return
        for found in self.found:
            stretch = found.text[found.part.start : found.part.end]
            if found.kind == "names" and found.part.credit and found.evidence and self._headed(stretch):
                found.kind, found.confidence = "caption", HEADED
                found.evidence.caption, found.evidence.plain = WORD.findall(stretch)[:1], len(WORD.findall(stretch))

    def _echoes(self, found: _Found, stretch: str) -> bool:
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
        return all(self._mentions(word, folded=shouting) for word in content) or (
            len(words) < 4
            and first not in self.weigher.function
            and not (self.weigher.word(first).known and self.weigher.word(first).side == "")
            and self._mentions(first, folded=shouting)
        )

    def _cited(self, block: Block, text: str) -> bool:
        """Whether a line is a citation if it is in the caption language: a title in a list, a quotation, a post."""
        if text[0] in '"“«‘' and _WHOLLY_QUOTED.fullmatch(text):
            return True
        if ("@" in text or "#" in text or "/" in text) and _POST.search(text):
            return True
        return _ITEM.match(text) is not None and id(block) in self.listed

    @cached_property
    def listed(self) -> set[int]:
        """Blocks of lists of titles: three or more numbered lines in a row that do not end as sentences do."""
        listed: set[int] = set()
        run: list[Block] = []
        for block in [*self.article.blocks, None]:
            if block is not None and _ITEM.match(block.text) and len(block.text) < 120:
                run.append(block)
                continue
            titles = [b for b in run if not b.text.rstrip(_CLOSING).endswith(_FINAL) and _TAIL.search(b.text)]
            if len(run) >= 3 and len(titles) * 2 >= len(run):
                listed.update(map(id, run))
            run = []
        return listed

    def _weak_credits(self) -> None:
        """Credits that the document tells from its sure ones: the same names, or others in the same place and shape."""
        captions = [found for found in self.found if found.kind == "caption" and not found.beside]
        if not captions:
            return
        self._learn()
        self._complete(captions)
        places = len(self.places)
        self._learn()
        if len(self.places) > places:
            self._complete([found for found in captions if found.part.credit is None])

    def _complete(self, captions: Sequence[_Found]) -> None:
        """Takes off, or extends, the credits of captions by what is known of the document."""
        hints = Hints(self._trusts, self.weigher.ordinary)
        for found in captions:
            if found.part.credit is None:
                self._with_credit(found, hints)
            self._extend(found, hints)

    def _learn(self) -> None:
        """Gathers the names and the places of the credits that are sure."""
        for found in self.found:
            part, reading = found.part, found.part.reading
            if reading is None or part.credit is None:
                continue
            text = found.text[slice(*part.credit)]
            if reading.strength >= credits.LIKELY:
                self.names.add(text.casefold())
            if reading.photographer:
                self.names.add(reading.photographer.casefold())
            sure = reading.strength == credits.STRONG or text.isupper()
            if sure and not reading.labelled and part.start < part.end:
                self.places.add((_place(found), _case(text)))

    def _trusts(self, name: str, place: str) -> bool:
        """Whether a name is a credit at a place: it is one elsewhere in the document, or others like it are there."""
        name = name.strip(" .")
        return (
            name.casefold() in self.names
            or self._stranger(name, initials=True)
            or self._as_others(name, place)
            or (place == credits.WIDE and any(learnt == place for learnt, _ in self.places))
        )

    def _as_others(self, name: str, place: str) -> bool:
        """Whether a name that the article does not mention has the shape of sure credits at a place."""
        case = _case(name)
        return (
            (place, case) in self.places
            and (case != "title" or (_names_person(name) and not self.weigher.ordinary(name.split()[0])))
            and len(name) > 2
            and len(name.split()) < 6
            and name not in credits.lexicon().not_credits
            and not self._mentions(name.lower())
        )

    def _with_credit(self, found: _Found, hints: Hints) -> None:
        """Takes off the credit that is found if the document is known."""
        part, text = found.part, found.text
        if not credits.cued(text, part.start, part.end):
            return
        again = credits.prefix(text, part.start, part.end, hints)
        if again:
            span, reading, after = again
            start, end = credits.trim(text, after, part.end)
        elif again := credits.suffix(text, part.start, part.end, hints):
            span, reading, before = again
            start, end = credits.trim(text, part.start, before)
        else:
            return
        found.part = replace(part, start=start, end=end, credit=span, reading=reading)

    def _extend(self, found: _Found, hints: Hints) -> None:
        """Extends the credit to the left, over names at the caption's end that little or nothing sets off.

        There may be no credit yet ("... de Zamora Paloma Juan"), or an agency's behind a mark ("... Fadel Senna / AFP",
        "... | Ana Sanz (EFE)").
        """
        part, text = found.part, found.text
        right = part.end
        if part.credit is None:
            while text[right - 1] in " .":
                right -= 1
        else:
            left, right = part.credit
            reading = part.reading
            if left < part.end or reading is None:
                return
            if not reading.labelled:
                if (reading.photographer and reading.agency) or not _AGENCY_NEXT.search(text, part.end, right):
                    return
            elif not (reading.known or reading.photographer is None) or part.end - part.start < 9:
                return
            if text[left - 1] in "([" and text[right : right + 1] in (")", "]"):
                right += 1
            near = text[max(part.start, part.end - credits.LONGEST) : part.end]
            again = _MARKED.search(near) and credits.suffix(text, part.start, part.end, hints)
            if again and (not reading.labelled or (again[1].known and _is_mark(text[again[2] : again[0][0]]))):
                both = credits.read(text[again[0][0] : right]) or reading
                self._set_credit(found, again[0][0], again[2], right, both)
                return
            if reading.labelled:
                return
        first = max(part.start, part.end - credits.LONGEST)
        tokens = list(_TOKEN.finditer(text, first, part.end))
        most = self._most(tokens[-7:])
        for count in range(min(most, len(tokens) - (1 if part.credit else 2)), 0, -1):
            at, lead = tokens[-count].start(), tokens[-count - 1][0]
            if not (text[at].isalpha() or text[at] == "@"):
                continue
            if not lead[-1].isalnum() or lead.lower() in self.weigher.small or (len(lead) < 3 and lead.islower()):
                continue
            small = text[at].islower()
            if small and (part.credit or not text[at:right].islower()):
                continue
            if count > 2 and not tokens[-count][0].isupper() and text[tokens[1 - count].start() : part.end].isupper():
                continue  # "... en el cerro Rocuant ANA SANZ GIL"
            unit = credits.read(text[at:right], after_label=small and (">", "small") in self.places)
            if unit and self._stands_apart(found, text[at : part.end].rstrip(" ."), lead, unit):
                self._set_credit(found, at, at, right, unit)
                return

    def _most(self, tokens: list[re.Match[str]]) -> int:
        """How many words at the end can be a credit's."""
        lexicon = credits.lexicon()
        last = tokens[-1][0] if tokens else ""
        if last[:1].islower() and last.islower() and last not in lexicon.atoms:
            if last in lexicon.lower_agencies:
                return 1
            if (">", "small") in self.places:
                return 4
            given = any(token[0].title() in lexicon.given for token in tokens[-4:-1] if token[0].islower())
            return 4 if given else 0
        most = 0
        for token in reversed(tokens):
            word = token[0]
            small = word[0].islower() and word not in lexicon.joining and word not in lexicon.atoms
            if small and word not in lexicon.lower_agencies:
                break
            most += 1
        return min(most, 6)

    def _set_credit(self, found: _Found, left: int, before: int, right: int, reading: credits.Reading) -> None:
        start, end = credits.trim(found.text, found.part.start, before)
        found.part = replace(found.part, start=start, end=end, credit=(left, right), reading=reading)

    def _stands_apart(self, found: _Found, name: str, lead: str, reading: credits.Reading) -> bool:
        """Whether words at the end of a caption are (the start of) a credit by their look, given what is around them.

        Args:
            found: the caption.
            name: the words.
            lead: the word in front of them.
            reading: of the words and the credit that they are in front of.
        """
        lexicon, leads, text = credits.lexicon(), self.weigher.names.leads, found.text
        several = " " in name
        words = name.split()
        given = words[0].title() in lexicon.given
        if name.casefold() in self.names or (name[0] == "@" and not several):
            return text[found.part.end - 1] != "."
        if name.islower():
            if name in lexicon.lower_agencies or not reading.photographer:
                return name in lexicon.lower_agencies or (reading.known and name in lexicon.agencies)
            rest = [word for word in words[1:] if word not in lexicon.particles]
            return given and bool(rest) and not any(self.weigher.word(word).known for word in rest)
        if text[found.part.start : found.part.end].isupper():
            learnt = (">", "capitals") in self.places or ("/" in name and given and not self._plain(words[0]))
            return several and reading.known and learnt and not found.part.credit
        capitals = name.isupper() and not lead.isupper()
        initial = _INITIALS.fullmatch(words[0]) is not None
        if found.part.credit:
            own = credits.read(name)
            if own and own.known:
                return several or name.isupper()
            if not found.part.reading or found.part.reading.photographer:
                return False
            if not 2 <= len(words) <= 4 or not _names_person(name):
                return False
            if not capitals and (lead[0].isupper() or len(words) > 3) and (not given or lead in lexicon.given):
                return False
            known = capitals or initial
            if text[found.part.credit[0] - 1] == "(" and not (known or given):
                return False
            surname = WORD.findall(name.lower())[-1:]
            return known or not (lead in leads or not surname or self._mentions(surname[0]))
        if self._as_others(name, ">") and (
            (capitals and len(name) > 4) or (several and not capitals and not (lead[0].isupper() or lead in leads))
        ):
            return True
        if "/" in name and reading.strength >= credits.LIKELY:
            first, *rest = name.partition("/")[0].split() or [""]
            return first in lexicon.given or len(rest) == 1 or not any(word in lexicon.given for word in rest)
        if reading.known and not reading.labelled:
            unknown = not self._mentions(name.lower()) and name not in lexicon.not_credits
            named = self.weigher.word(name.lower()).known or self.weigher.ordinary(lead) or lead in lexicon.given
            alone = not lead[0].isupper() or not named
            return several or (name.isupper() and lead.isalpha()) or (unknown and alone)
        if capitals:
            before = WORD.findall(text, found.part.start, text.rindex(name, 0, found.part.end))[-1:]
            return several and not (before and before[0].isupper())
        if not lead.isalpha() and not re.fullmatch("(?:19|20)\\d\\d", lead):
            return False
        introduced = text[found.part.end - 1] == "." or {lead, lead.lower()} & leads or lead in lexicon.given
        return not introduced and self._stranger(name)

    def _plain(self, word: str) -> bool:
        """Whether a word is the caption language's besides being a name."""
        entry = self.weigher.word(word.lower())
        return entry.known and entry.side == "caption" and not entry.proper

    def _stranger(self, name: str, *, initials: bool = False) -> bool:
        """Whether a name is a person's whom the article does not mention."""
        tokens, lexicon = name.split(), credits.lexicon()
        if not 2 <= len(tokens) <= 4 or not _names_person(name):
            return False
        first, words = tokens[0], WORD.findall(name.lower())
        if tokens[-1].isupper() and not name.isupper():
            return False
        given = first.title() in lexicon.given or (initials and _INITIALS.fullmatch(first) is not None)
        return given and bool(words) and not self._mentions(words[-1])

    def _marked_credits(self) -> None:
        """Gives blocks that the format marks as credits to the captions that they follow or precede."""
        for step in (-1, 1):
            for at, found in enumerate(self.found):
                if found.kind != "credit" or not 0 <= at + step < len(self.found):
                    continue
                near = self.found[at + step]
                # A line of a figure's caption, or an image's title.
                own = found.block.role == "caption" and _of_one(found.block, near.block)
                if found.block.role != "credit" and not own:
                    continue
                marked = near.block.role in ("caption", "alt") and near.kind == "caption"
                if marked and near.part.credit is None and near.beside is None:
                    near.beside, found.kind = found, "taken"

    # Records --------------------------------------------------------------------------------------------------

    def _captions(self) -> list[Caption]:
        out: list[Caption] = []
        english = self.weigher.languages[self.weigher.context]
        for found in self.found:
            part = found.part
            if found.kind != "caption" or part.start >= part.end:
                continue
            start, end = self._span(found, part.start, part.end)
            credit = None
            owner = found.beside or found
            if owner.part.credit and owner.part.reading:
                left, right = self._span(owner, *owner.part.credit)
                credit = credits.credit(self.article.text[left:right], owner.part.reading, left, right)
            out.append(
                Caption(
                    f"c{len(out) + 1}",
                    found.block.line,
                    start,
                    end,
                    self._source(found, start, end),
                    credit,
                    round(found.confidence, 4),
                    tuple(self._reasons(found, english)),
                )
            )
        return out

    def _span(self, found: _Found, start: int, end: int) -> tuple[int, int]:
        """Offsets in the document; a letter there may go on with its combining accents."""
        start, end = found.block.span(start, end)
        text = self.article.text
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        return start, end

    def _source(self, found: _Found, start: int, end: int) -> str:
        if self.article.format in ("text", "markdown"):
            return self.article.text[start:end]
        return found.text[found.part.start : found.part.end]

    def _reasons(self, found: _Found, context: str) -> list[str]:
        evidence = found.evidence
        assert evidence is not None
        mine = self.weigher.languages[self.weigher.caption]
        words = list(dict.fromkeys(w.lower() for w in evidence.caption))
        words.sort(key=lambda w: w in self.weigher.function)
        reasons = [
            f"{len(evidence.caption)} of {evidence.plain} words are {mine}, not {context}: {', '.join(words[:5])}"
        ]
        if evidence.context:
            reasons.append(f"{len(evidence.context)} words are {context}: {', '.join(evidence.context[:3])}")
        if found.part.reading or found.beside:
            reasons.append("a credit stands beside it")
        if found.part.label:
            reasons.append("a caption label stands before it")
        if found.block.role in ("caption", "alt"):
            reasons.append(f"the format marks it as {found.block.role}")
        return reasons

    def _slugs(self) -> list[Slug]:
        out = []
        for found in self.found:
            text = found.text[found.part.start : found.part.end]
            named = found.kind == "names" and self.article.format == "text" and found.part.credit is None
            if found.kind == "slug" or (named and _person(text)):
                start, end = self._span(found, found.part.start, found.part.end)
                out.append(Slug(found.block.line, start, end, self.article.text[start:end]))
        return out

    def _others(self) -> list[OtherLanguage]:
        return [
            OtherLanguage(f.block.line, *self._span(f, f.part.start, f.part.end), f.language)
            for f in self.found
            if f.kind == "other"
        ]

    def _credit_lines(self) -> list[CreditLine]:
        out = []
        for found in self.found:
            if found.kind == "credit" and found.part.credit:
                start, end = self._span(found, *found.part.credit)
                out.append(CreditLine(found.block.line, start, end, self.article.text[start:end]))
        return out

    def _paragraphs(self, kinds: set[str]) -> tuple[Block, ...]:
        body = [block for block in self.plain if _paragraph(block)] if "context" in kinds else []
        if self.found:
            body += [
                block
                for found in self.found
                if found.kind in kinds and found.part.credit is None and found.part.start == 0
                if _paragraph(block := self._original(found))
            ]
            body.sort(key=attrgetter("start"))
        standfirst = self._standfirst(kinds, body[0].start if body else len(self.article.text))
        return (standfirst, *body) if standfirst else tuple(body)

    def _standfirst(self, kinds: set[str], end: int) -> Block | None:
        """The standfirst, or the result of a match, among the lines in front of the first that ends like a sentence.

        It stands below the heading, or is a long line above it.
        """
        top = list(takewhile(lambda b: b.start < end, self.plain)) if "context" in kinds else []
        for found in takewhile(lambda f: f.block.start < end, self.found):
            if found.kind in kinds and found.part.credit is None and found.part.start == 0:
                top.append(self._original(found))
        top = sorted((block for block in top if block.role in ("line", "body")), key=attrgetter("start"))
        sizes = [(len(block.text.split()), block) for block in top]
        long = [size for size in sizes[:1] if size[0] >= STANDFIRST_ABOVE]
        long += [size for size in sizes[1:][-1:] if size[0] >= STANDFIRST_BELOW]
        return max(long, key=itemgetter(0))[1] if long else None


def _credited(text: str) -> bool:
    """Whether something at an edge of a line looks like a credit; substrings first, because body text comes here."""
    edges = text if len(text) < 140 else f"{text[:60]}\n{text[-70:]}"
    return bool(
        "©" in edges
        or ("/" in edges and _SLASHED.search(edges))
        or ("|" in edges and edges.rpartition("|")[2].strip(" .").casefold() in credits.lexicon().agencies)
        or ((text[-1] in ")]" or text[0] in "([") and _BRACKETED.search(edges))
        or ((":" in edges or "hoto_" in edges) and _LABELLED.search(edges.lower()))
    )


def _strong(found: _Found) -> bool:
    """Whether a caption's words cannot well be those of another language that is like the caption language."""
    evidence = found.evidence
    return evidence is not None and found.confidence > SURE and evidence.function > 1 and len(evidence.caption) > 3


def _paragraph(block: Block) -> bool:
    """Whether a block in the context language is a paragraph of the article."""
    return block.role in ("line", "body") and (block.text[-1] in _FINAL or _body(block.text))


def _body(text: str) -> bool:
    """Whether a line in the context language is body text rather than a heading or a label."""
    last = text[-1] if text[-1] not in _CLOSING else text.rstrip(_CLOSING)[-1:]
    return last in _FINAL or len(text.split()) >= BODY_WORDS


def _told(block: Block) -> str:
    """The language that the format says a block is in, "" if it says nothing."""
    return str(getattr(block, "language", "")).lower().split("-")[0]


def _is_mark(gap: str) -> bool:
    return gap.strip()[:1] in ("|", "/", "(", "[")


def _case(text: str) -> str:
    return "capitals" if text.isupper() else "small" if text.islower() else "title"


def _place(found: _Found) -> str:
    """Where the credit of a caption stands."""
    part = found.part
    assert part.credit is not None
    left, right = part.credit
    if left < part.start:
        return credits.place("<", found.text[right : part.start])
    mark = found.text[part.end : left].strip()
    return credits.place(">", mark or ("." if found.text[part.end - 1] in _FINAL else ""))


def _names_person(text: str) -> bool:
    """Whether words are capitalised as a person's name is."""
    return all(word[0].isupper() or word in credits.lexicon().particles for word in text.split())


def _interface(text: str) -> bool:
    """Whether a line belongs to the page and not to the article: "Leer más", "Español | English"."""
    plain = " ".join(text.casefold().split()).strip(" .:…!»>")
    return plain in credits.lexicon().interface or all(w in LANGUAGE_NAMES for w in WORD.findall(plain))


def _person(text: str) -> bool:
    words = text.split()
    return 1 < len(words) < 5 and words[0] in credits.lexicon().given and all(w[0].isupper() for w in words)


def _after_quotes(text: str, at: int, end: int) -> int:
    while at < end and text[at] in "\"”»')]":
        at += 1
    return at


def _of_one(block: Block, other: Block) -> bool:
    """Whether two blocks are of one element, or of one image."""
    element = getattr(block, "element", None)
    return element == getattr(other, "element", None) and (element is not None or block.line == other.line)


def _composed(block: Block) -> tuple[Block, str]:
    """The block with its letters composed (NFC), spans still leading to the original."""
    if unicodedata.is_normalized("NFC", block.text):
        return block, block.text
    from aligner.readers.strings import Offsets

    text: list[str] = []
    sources: list[int] = []
    ends: list[int] = []
    at = 0
    source = block.text
    while at < len(source):
        end = at + 1
        while end < len(source) and unicodedata.combining(source[end]):
            end += 1
        for letter in unicodedata.normalize("NFC", source[at:end]):
            text.append(letter)
            first, last = block.span(at, end)
            sources.append(first)
            ends.append(last)
        at = end
    composed = "".join(text)
    offsets = Offsets(tuple(range(len(text))), tuple(sources), tuple(ends), len(text))
    return replace(block, text=composed, offsets=offsets), composed
