"""Links captions to the place in the article that they illustrate: a paragraph and a sentence in it, or none."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aligner.records import Candidate, Caption, Context

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aligner.context.features import Compared, Place
    from aligner.context.model import Model
    from aligner.documents import Article, Block

__all__ = ["link", "slot_of"]

# Formats in which a span of the text is the text itself, without markup inside.
_PLAIN = ("text", "markdown")
# Places that a record names for a caption, the chosen one included.
_CANDIDATES = 5


def slot_of(position: int, paragraphs: Sequence[int]) -> int:
    """Number of paragraphs in front of a caption, from its line (or offset) and theirs."""
    return bisect_right(sorted(paragraphs), position)


def link(
    captions: Sequence[Caption],
    paragraphs: Sequence[Block],
    article: Article,
    *,
    caption_language: str = "es",
    context_language: str = "en",
) -> list[Caption]:
    """Links captions to an article.

    Each caption is judged on its own: neither their order nor their number changes a link.

    Args:
        captions: the captions; a translation, where there is one, is used beside the source. A caption with line 0
            stands nowhere in the article, and is linked by its content alone.
        paragraphs: the article's body text (``Findings.paragraphs``).
        article: the article.
        caption_language: ISO 639-1 code of the captions' source.
        context_language: ISO 639-1 code of the article.

    Returns:
        The captions with a context, None where no paragraph fits, and their likeliest candidates.
    """
    paragraphs = sorted((block for block in paragraphs if block.text.strip()), key=lambda block: block.start)
    if not captions or not paragraphs:
        return [replace(caption, context=None, candidates=(Candidate(None, 1.0),)) for caption in captions]
    lines = [*(block.line for block in paragraphs), None]
    linked = []
    for caption, judged in zip(captions, _judge(captions, paragraphs, caption_language, context_language), strict=True):
        # of equal places the earlier in the article, "no paragraph" last
        order = (-judged.shares).argsort(kind="stable")[:_CANDIDATES]
        candidates = tuple(Candidate(lines[i], round(float(judged.shares[i]), 4)) for i in order)
        best = int(order[0])
        context = None if best == len(paragraphs) else _context(judged, best, paragraphs[best], article)
        linked.append(replace(caption, context=context, candidates=candidates))
    return linked


def _context(judged: _Judged, best: int, paragraph: Block, article: Article) -> Context:
    """The sentence of a paragraph that is nearest to a caption."""
    # The numeric parts are imported at the first caption: an article without captions does not pay for them.
    from aligner.context.evidence import reasons

    place, compared, model = judged.place, judged.compared, judged.model
    first = int(place.paragraph_starts[best])
    inside = compared.sentence[first : first + len(place.sentences[best])]
    start, end = place.sentences[best][int(inside.argmax())]
    span = paragraph.span(start, end)
    return Context(
        line=paragraph.line,
        start=span[0],
        end=span[1],
        text=article.text[slice(*span)] if article.format in _PLAIN else paragraph.text[start:end],
        score=round(model.probability(float(judged.shares[best])), 4),
        evidence=reasons(place, compared, model, best, (start, end), judged.slot),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A caption with its shares of probability: the paragraphs in order, then "no paragraph"."""

    place: Place
    compared: Compared
    model: Model
    slot: int | None
    shares: NDArray[np.float64]


def _judge(
    captions: Sequence[Caption],
    paragraphs: Sequence[Block],
    caption_language: str,
    context_language: str,
) -> Iterator[_Judged]:
    from aligner.context.features import Place, compare
    from aligner.context.model import bundled_model
    from aligner.context.vectors import bundled_vectors

    place = Place([block.text for block in paragraphs], bundled_vectors(), language=context_language)
    model = bundled_model()
    starts = [block.start for block in paragraphs]
    for caption in captions:
        translation = caption.translation.text if caption.translation else None
        slot = bisect_left(starts, caption.start) if caption.line > 0 else None
        compared = compare(place, (caption.source, caption_language), translation, slot)
        yield _Judged(place, compared, model, slot, model.shares(compared.table))
