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

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from aligner.captions import body, credits, shares
from aligner.captions.capitalised import headed, worded
from aligner.captions.credits import Hints, Part
from aligner.captions.document_credits import DocumentCredits
from aligner.captions.evidence import Evidence, Weigher, weigher
from aligner.captions.exempt import Exemptions
from aligner.captions.findings import Findings, Found
from aligner.captions.language import WORD
from aligner.captions.output import Output
from aligner.captions.slugs import Slugs
from aligner.captions.verdicts import HEADED, MARGIN, Judge
from aligner.documents import Article, Block

LONGEST = 5000  # letters of the longest block that can be a caption
WHOLE = 0.75  # share of the letters in the caption language from which the article counts as written in it
FOREIGN = 0.1  # letters of third languages, as a share of the context language's, from which all lines are weighed


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


class _Finder:
    def __init__(self, article: Article, weigher: Weigher) -> None:
        self.article = article
        self.weigher = weigher
        self.plain: list[Block] = []
        self.found: list[Found] = []
        self.originals: dict[int, Block] = {}  # blocks as the reader made them, by id of their composed form
        self.hints = Hints(ordinary=weigher.ordinary)
        self.slugs = Slugs(weigher, article.format)
        self.judge = Judge(weigher, article.blocks)
        self.exemptions = Exemptions(article.blocks, self.judge)

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
                or (size <= 80 and (not text[0].isupper() or "_" in text) and self.slugs.find(block, text))
            ):
                self._open(block)
            elif not body.credited(text):
                plain(block)  # body text or a heading beyond doubt; nearly all text ends here
            elif self.weigher.has_caption_words(text) or credits.alone(text):
                self._open(block)
            else:
                self.found.append(Found(block, text, Part(0, size), "context", unread=True))
        return self._conclude()

    # One block ------------------------------------------------------------------------------------------------

    def _read_rest(self) -> None:
        """Reads the lines that were left unread: all of them if there are captions, else what may be a paragraph.

        The credit of a line that is no caption tells names that may stand beside one, and that it is no paragraph.
        """
        found, self.found = self.found, []
        captions = any(each.kind == "caption" for each in found)
        for each in found:
            if each.unread and (captions or (each.kind == "context" and body.is_body(each.text))):
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
        if slug := self.slugs.find(block, text):
            self.found.append(slug)
            return
        if block.role == "credit":
            marked = credits.read(text) or credits.Reading(credits.STRONG, None, None)
            span = credits.credit_span(text, 0, len(text))
            self.found.append(Found(block, text, Part(0, 0, span, marked), "credit"))
            return
        evidence = None
        cited = self.exemptions.cited(original, text)
        if cited or not self.weigher.marker.search(text):
            evidence = self.weigher.weigh(text)
            if cited and evidence.caption:
                self.found.append(Found(block, text, Part(0, len(text)), "exempt", evidence))
                return
            if len(evidence.context) > 1 and not evidence.caption and self._leads(evidence) and not body.credited(text):
                self.found.append(Found(block, text, Part(0, len(text)), "context", evidence))
                return
            if not (reading or evidence.caption or evidence.faint or len(evidence.foreign) > 1 or credits.alone(text)):
                context = evidence.context and self._leads(evidence)
                if context or text.count(" ") > 3:
                    kind = "context" if context else "names"
                    self.found.append(Found(block, text, Part(0, len(text)), kind, evidence, unread=True))
                    return
        parts = credits.split(text, self.hints)
        if any(part.start == part.end and worded(text, part, self.weigher) for part in parts):
            parts = credits.split(text, self.hints, whole=False)
        for part in parts:
            if part.start == part.end:
                self.found.append(Found(block, text, part, "credit"))
            else:
                whole = evidence if part.end - part.start == len(text) else None
                self.found += self.judge.judge(block, text, part, whole)

    def _leads(self, evidence: Evidence) -> bool:
        """Whether no language explains the words clearly better than the context language."""
        totals = evidence.totals
        return max(totals) - totals[self.weigher.context] < MARGIN

    def _original(self, found: Found) -> Block:
        return self.originals.get(id(found.block), found.block)

    def _long(self, block: Block) -> None:
        """A block too long for a caption: only its language counts, for the language of the document."""
        text = block.text[:100_000]
        mine = len(self.weigher.marker.findall(text))
        theirs = len(self.weigher.context_marker.findall(text))
        if mine > 2 * theirs:
            self.found.append(Found(block, block.text, Part(0, len(block.text)), "body"))
        else:
            self.plain.append(block)

    # The document ---------------------------------------------------------------------------------------------

    def _conclude(self) -> Findings:
        if any(found.unread for found in self.found):
            self._read_rest()
        mine, language = self.weigher.pair
        output = Output(self.article, self.weigher, self.found)
        if {"caption", "exempt", "body", "other"}.isdisjoint([found.kind for found in self.found]):
            return Findings(
                slugs=tuple(output.slugs()),
                credit_lines=tuple(output.credit_lines()),
                context_language=language,
                _gather=partial(self._paragraphs, "context"),
            )
        warnings: list[str] = []
        letters = shares.letters(self.plain, self.found, self.weigher.pair)
        if sum(letters.values()) - letters[mine] - letters[language] > FOREIGN * letters[language]:
            self._read_plain()
            letters = shares.letters(self.plain, self.found, self.weigher.pair)
        caption, context = letters.pop(mine, 0), letters.pop(language, 0)
        foreign, most = letters.most_common(1)[0] if letters else ("", 0)
        if caption and caption >= WHOLE * (caption + context + sum(letters.values())):
            warnings.append(
                f"context-language: the article is written in {mine}, not {language}: nothing is reported as a caption"
            )
            return Findings(
                slugs=tuple(output.slugs()),
                credit_lines=tuple(output.credit_lines()),
                context_language=mine,
                warnings=tuple(warnings),
                _gather=partial(self._paragraphs, "caption", "body", "exempt"),
            )
        if most > context and most > caption:
            warnings.append(f"context-language: the article is written in {foreign}, not {language}")
            language = foreign
            self._doubt(shares.strong)
        elif caption > context and self._doubt(shares.set_off):
            warnings.append(
                f"context-language: more of the article is written in {mine} than in {language}: only what is set off "
                "from its text is reported as a caption"
            )
        elif (twins := shares.translated(self.plain, self.found)) and self._doubt(lambda found: id(found) not in twins):
            warnings.append(
                f"context-language: the article is written in {language} and {mine}: paragraphs that say in {mine} "
                "what those beside them say are not reported"
            )
        if any(found.kind == "caption" for found in self.found):
            self._headed_names()
            own = body.OwnText(self.plain, self.found)
            self.exemptions.take_back(self.found, own)
            document = DocumentCredits(self.found, own, self.weigher)
            document.lines_below()
            document.take_off()
            document.join_marked()
        exempt = [f for f in self.found if f.kind == "exempt" and len(f.evidence.caption if f.evidence else ()) > 2]
        if exempt:
            lines = ", ".join(map(str, dict.fromkeys(f.block.line for f in exempt)))
            warnings.append(f"exempt: in {mine}, but quoted, posted, listed or the article's own words: line {lines}")
        return Findings(
            captions=tuple(output.captions()),
            slugs=tuple(output.slugs()),
            other_languages=tuple(output.others()),
            credit_lines=tuple(output.credit_lines()),
            context_language=language,
            warnings=tuple(warnings),
            _gather=partial(self._paragraphs, "context"),
        )

    def _paragraphs(self, *kinds: str) -> tuple[Block, ...]:
        return body.paragraphs(self.plain, self.found, kinds, self._original, len(self.article.text))

    def _read_plain(self) -> None:
        """Weighs the lines again that function words settled, in an article with much of a third language."""
        plain, self.plain = self.plain, []
        for block in plain:
            evidence = self.weigher.weigh(block.text)
            if language := self.judge.foreign_paragraph(evidence):
                part = Part(0, len(block.text))
                self.found.append(Found(block, block.text, part, "other", evidence, language=language))
            else:
                self.plain.append(block)
        self.found.sort(key=lambda found: found.block.start)

    def _doubt(self, holds: Callable[[Found], bool]) -> bool:
        """Takes back the captions that do not hold where most is in another language; whether there are any."""
        doubted = [found for found in self.found if found.kind == "caption" and not holds(found)]
        for found in doubted:
            found.kind = "body"
        return bool(doubted)

    def _headed_names(self) -> None:
        """Takes names with a noun in front and a credit beside them for captions where the document has others."""
        if not any(found.kind == "caption" and found.confidence > shares.SURE for found in self.found):
            return
        for found in self.found:
            stretch = found.stretch
            if found.kind == "names" and found.part.credit and found.evidence and headed(stretch, self.weigher):
                found.kind, found.confidence = "caption", HEADED
                found.evidence.caption, found.evidence.plain = WORD.findall(stretch)[:1], len(WORD.findall(stretch))


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
