"""The choice among hypotheses in the light of the article, and the names in the one chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from aligner.translation import guard
from aligner.translation.coined import mend
from aligner.translation.mentions import FUNCTION_WORDS, Mentions, words_of
from aligner.translation.pairing import pairs
from aligner.translation.respelling import Spelled, respell

if TYPE_CHECKING:
    from aligner.translation.glossary import Glossary
    from aligner.translation.translator import Choose, Hypothesis

#: What evidence weighs beside the model's score, the mean log-probability per piece: shares of the translation's words
#: that the article has, and that the paragraph with most of them has; length, as a share of the caption's; a lost name.
ARTICLE, PARAGRAPH, LENGTH, LOST = 0.3, 0.5, 0.3, 0.1


@dataclass(frozen=True)
class ArticleChoice:
    """What the choice needs to know of an article.

    Attributes:
        paragraphs: its body text.
    """

    paragraphs: tuple[str, ...]

    @cached_property
    def mentions(self) -> Mentions:
        """The names it mentions."""
        return Mentions(self.paragraphs)

    @cached_property
    def forms(self) -> frozenset[str]:
        """Its folded words."""
        return frozenset(token.key for found in self.mentions.tokens for token in found)

    @cached_property
    def words(self) -> list[frozenset[str]]:
        """The content words of each paragraph."""
        return [
            frozenset(token.key for token in found if token.key not in FUNCTION_WORDS) for found in self.mentions.tokens
        ]

    def choose(self, hypotheses: Sequence[Hypothesis]) -> Hypothesis:
        """The hypothesis that goes best with the article, its names as the article spells them.

        A hypothesis with graver doubts than the first is never chosen, nor one that holds fewer of the names.

        Args:
            hypotheses: translations of one caption, the one that stands without an article first.
        """
        most = guard.weight(hypotheses[0].problems)
        wanted = pairs(hypotheses[0].source, self.mentions)
        sound = [
            (hypothesis, respell(hypothesis.text, hypothesis.alignment, hypothesis.source, wanted, self.mentions))
            for hypothesis in hypotheses
            if guard.weight(hypothesis.problems) <= most
        ]
        fewest = sound[0][1].lost
        hypothesis, spelled = max(
            (pair for pair in sound if pair[1].lost <= fewest), key=lambda pair: self._worth(*pair)
        )
        return mend(self._spelled(hypothesis, spelled), self.forms)

    def _worth(self, hypothesis: Hypothesis, spelled: Spelled) -> float:
        words = [word for word in words_of(spelled.text) if word not in FUNCTION_WORDS]
        known = [word for word in words if word in self.mentions.places]
        together = max((sum(word in paragraph for word in known) for paragraph in self.words), default=0)
        size = max(1, len(words))
        length = min(1.0, len(spelled.text) / max(1, len(hypothesis.source)))
        return (
            hypothesis.score
            + ARTICLE * len(known) / size
            + PARAGRAPH * together / size
            + LENGTH * length
            - LOST * spelled.lost
        )

    def _spelled(self, hypothesis: Hypothesis, spelled: Spelled) -> Hypothesis:
        if spelled.text == hypothesis.text:
            return replace(hypothesis, names=spelled.names)
        # The word left over may have been a name.
        problems = tuple(guard.remaining(hypothesis.problems, hypothesis.source, spelled.text))
        return replace(
            hypothesis, text=spelled.text, names=spelled.names, alignment=spelled.alignment, problems=problems
        )


def chooser(article: Callable[[int], ArticleChoice], glossary: Glossary | None = None) -> Choose:
    """A choice among hypotheses by the articles of their captions.

    Args:
        article: that of each caption, by its number.
        glossary: goes before the articles' spelling.
    """

    def choose(index: int, hypotheses: Sequence[Hypothesis]) -> Hypothesis:
        chosen = article(index).choose(hypotheses)
        return glossary.revise(chosen) if glossary else chosen

    return choose
