"""What the finder gives back, and what it knows of each part of a block on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from aligner.captions.credits import Part
from aligner.captions.evidence import Evidence
from aligner.documents import Block
from aligner.records import Caption, CreditLine, OtherLanguage, Slug

PICTURE = ("alt", "caption", "credit")  # roles of texts that belong to pictures
BODY_WORDS = 20  # a context-language line of so many words, or one that ends like a sentence, is body text
FINAL, CLOSING = tuple(".!?…:;"), "\"”»’')]"


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
class Found:
    """A part of a block with its verdict.

    Attributes:
        block: the block, its letters composed.
        text: its text.
        part: the caption text in it and the credit beside that.
        kind: ``caption``, ``other`` (a third language), ``context``, ``names``, ``credit`` or ``slug``; ``exempt`` for
            what is in the caption language and no caption, ``body`` for its paragraphs, ``taken`` for a credit that was
            given to a caption.
        evidence: of the words, where they were weighed.
        confidence: the probability that it is a caption.
        language: of ``other``.
        beside: a block that the format marks as this caption's credit.
        cited: only its quotations are in the caption language.
        unread: a credit may stand beside it: worth reading only where something depends on it.
    """

    block: Block
    text: str
    part: Part
    kind: str
    evidence: Evidence | None = None
    confidence: float = 0.0
    language: str = ""
    beside: Found | None = None
    cited: bool = False
    unread: bool = False

    @property
    def stretch(self) -> str:
        """The caption text."""
        return self.text[self.part.start : self.part.end]
