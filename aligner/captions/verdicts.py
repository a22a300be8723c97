"""Verdicts on stretches of a block: a caption, the article's language, another one, or names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from aligner.captions import credits
from aligner.captions.capitalised import shows, titled
from aligner.captions.credits import Part
from aligner.captions.evidence import QUOTED, Evidence, Weigher, edges, probability
from aligner.captions.findings import BODY_WORDS, PICTURE, Found
from aligner.captions.language import WORD
from aligner.documents import Block

THRESHOLD = 0.5  # a line is reported from this probability on
HEADED = 0.6  # probability of a name that starts with a noun, with a credit beside it, in such a document
MARGIN = 2.0  # nats by which a third language must explain a line better than both of the pair
_SHOUTED = re.compile(r"[^\W\d_a-zß-ÿ]{2,}[^a-zß-ÿ]{8,}[.!?|/]\s+[^\W\d_]+\s[^\W\d_A-ZÀ-Þ]")  # capitals, then none
_CITATION = re.compile(r"\bet al\b")


class Judge:
    """Tells what language stretches are in.

    Args:
        weigher: of the two languages.
        blocks: of the document.
    """

    def __init__(self, weigher: Weigher, blocks: Sequence[Block]) -> None:
        self.weigher = weigher
        self.blocks = blocks

    def judge(self, block: Block, text: str, part: Part, evidence: Evidence | None) -> list[Found]:
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

    def _runs(self, verdicts: list[Found], part: Part) -> list[Found]:
        """Joins neighbouring sentences of the caption language, with the names and numbers between and before them."""
        runs: list[list[Found]] = []
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

    def _weigh(self, block: Block, text: str, part: Part, evidence: Evidence | None = None) -> Found:
        """The verdict on one stretch."""
        stretch = text[part.start : part.end]
        evidence = evidence or self.weigher.weigh(stretch)
        if (part.credit or part.label) and not evidence.caption and not evidence.context:
            evidence.caption = evidence.faint  # "[EFE] Almadraba de Barbate, en 1998"
        found = Found(block, text, part, "names", evidence)
        if not evidence.plain:
            if titled(stretch, self.weigher) or (block.role in PICTURE and shows(stretch, self.weigher)):
                found.kind, found.confidence = "caption", HEADED
                evidence.caption, evidence.plain = WORD.findall(stretch)[:1], len(WORD.findall(stretch))
            return found
        if language := self.foreign_paragraph(evidence):
            found.kind, found.language = "other", language
            return found
        if evidence.caption and evidence.context and QUOTED.search(stretch):
            outside = self.outside_quotations(stretch)
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

    def _slight(self, found: Found, stretch: str) -> bool:
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
            return not any(self.weigher.is_caption_word(word) for word in low_words if word not in self.weigher.dates)
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
            and (
                words[0] in self.weigher.given
                or not any(self.weigher.is_caption_word(other.lower()) for other in others)
            )
        )

    def _told_otherwise(self, block: Block) -> bool:
        """Whether the format says of a block, not of the whole page, that it is in a third language."""
        given = told(block)
        return given not in ("", "x", "und", "mul", "zxx", *self.weigher.pair) and given != self.page_language

    @cached_property
    def page_language(self) -> str:
        """What the format says of most blocks."""
        return Counter(map(told, self.blocks)).most_common(1)[0][0]

    def _clause(self, stretch: str) -> float:
        """The probability of the surest clause behind a comma: "Protest in Peine, con carteles en castellano"."""
        clauses = map(self.weigher.weigh, stretch.split(", ")[1:])
        return max(
            (probability(c, self.weigher) for c in clauses if len(c.caption) > 2 and c.function and not c.context),
            default=0.0,
        )

    def foreign_paragraph(self, evidence: Evidence) -> str:
        """The third language that explains the words of a paragraph clearly better than the two of the pair, or "".

        Neighbours share many words of a paragraph, so that the margin must grow with it.
        """
        if evidence.plain < BODY_WORDS // 2 or len(evidence.foreign) * 4 < evidence.plain:
            return ""
        totals = evidence.totals
        best = max(range(len(totals)), key=totals.__getitem__)
        behind = max(totals[self.weigher.caption], totals[self.weigher.context])
        return self.weigher.languages[best] if totals[best] - behind > 2 * MARGIN + evidence.plain / 4 else ""

    def _is_other(self, evidence: Evidence, best: float) -> bool:
        """Whether a third language explains the words clearly better than the two of the pair."""
        margin = best - max(evidence.totals[self.weigher.caption], evidence.totals[self.weigher.context])
        foreign = len(evidence.foreign)
        return (
            margin > (MARGIN if foreign > 1 else 2 * MARGIN)
            and evidence.plain > 1
            and foreign * 4 >= evidence.plain > 2 * len(evidence.context)
        )

    def outside_quotations(self, stretch: str) -> Evidence:
        """The evidence of what stands outside of the quotation marks."""
        return self.weigher.weigh(QUOTED.sub(" ", stretch))


def told(block: Block) -> str:
    """The language that the format says a block is in, "" if it says nothing."""
    return str(getattr(block, "language", "")).lower().split("-")[0]


def _after_quotes(text: str, at: int, end: int) -> int:
    while at < end and text[at] in "\"”»')]":
        at += 1
    return at
