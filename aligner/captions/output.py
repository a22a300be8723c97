"""Records made of verdicts: captions with their reasons, slugs, lines of other languages, credit lines."""

from __future__ import annotations

import unicodedata

from aligner.captions import credits
from aligner.captions.capitalised import is_person
from aligner.captions.evidence import Weigher
from aligner.captions.findings import Found
from aligner.documents import Article
from aligner.records import Caption, CreditLine, OtherLanguage, Slug


class Output:
    """Makes records of what was found in one document.

    Args:
        article: the document.
        weigher: of the two languages.
        parts: what was found, in document order.
    """

    def __init__(self, article: Article, weigher: Weigher, parts: list[Found]) -> None:
        self.article = article
        self.weigher = weigher
        self.parts = parts

    def captions(self) -> list[Caption]:
        """Captions in document order, ids ``c1``, ``c2``, ..."""
        out: list[Caption] = []
        english = self.weigher.languages[self.weigher.context]
        for found in self.parts:
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

    def _span(self, found: Found, start: int, end: int) -> tuple[int, int]:
        """Offsets in the document; a letter there may go on with its combining accents."""
        start, end = found.block.span(start, end)
        text = self.article.text
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        return start, end

    def _source(self, found: Found, start: int, end: int) -> str:
        if self.article.format in ("text", "markdown"):
            return self.article.text[start:end]
        return found.stretch

    def _reasons(self, found: Found, context: str) -> list[str]:
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

    def slugs(self) -> list[Slug]:
        """Bare picture names."""
        out = []
        for found in self.parts:
            text = found.stretch
            named = found.kind == "names" and self.article.format == "text" and found.part.credit is None
            if found.kind == "slug" or (named and is_person(text)):
                start, end = self._span(found, found.part.start, found.part.end)
                out.append(Slug(found.block.line, start, end, self.article.text[start:end]))
        return out

    def others(self) -> list[OtherLanguage]:
        """Lines of a third language."""
        return [
            OtherLanguage(f.block.line, *self._span(f, f.part.start, f.part.end), f.language)
            for f in self.parts
            if f.kind == "other"
        ]

    def credit_lines(self) -> list[CreditLine]:
        """Lines that hold a credit and nothing else."""
        out = []
        for found in self.parts:
            if found.kind == "credit" and found.part.credit:
                start, end = self._span(found, *found.part.credit)
                out.append(CreditLine(found.block.line, start, end, self.article.text[start:end]))
        return out
