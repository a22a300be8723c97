"""The choice among hypotheses in the light of the article, and the names in the one chosen."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from aligner.context.words import STOPWORDS
from aligner.translation import guard
from aligner.translation.coined import lost_words, mend
from aligner.translation.dictionary import is_listed, stem
from aligner.translation.mentions import FUNCTION_WORDS, Mentions, tokens, words_of
from aligner.translation.pairing import pairs
from aligner.translation.respelling import Spelled, respell

if TYPE_CHECKING:
    from aligner.captions import Findings
    from aligner.documents import Article
    from aligner.translation.glossary import Glossary
    from aligner.translation.translator import Choose, Hypothesis

#: What evidence weighs beside the model's score, the mean log-probability per piece: the translation's words that the
#: article has, and that the paragraph with most of them has, each over the caption's words, so that to leave out a word
#: gains nothing; length, as a share of the caption's; a name that is lost, a content word said again; a
#: word that nothing stands for.
ARTICLE, PARAGRAPH, LENGTH, LOST, LOST_WORD = 0.3, 0.5, 0.3, 0.1, 0.2


@dataclass(frozen=True)
class ArticleChoice:
    """What the choice needs to know of an article.

    Attributes:
        paragraphs: its body text.
        beside: its headings and other lines beside the captions, for the names in them.
    """

    paragraphs: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @classmethod
    def of(cls, article: Article, found: Findings) -> ArticleChoice:
        """The choice for the captions that were found in an article."""
        body = {block.start for block in found.paragraphs}
        other = [(caption.start, caption.end) for caption in found.captions]
        other += [(line.start, line.end) for line in found.credit_lines]
        other += [(line.start, line.end) for line in found.slugs]
        other += [(line.start, line.end) for line in found.other_languages]
        other.sort()
        starts = [start for start, _ in other]
        beside = []
        for block in article.blocks:
            at = bisect_left(starts, block.end) - 1
            if block.start not in body and (at < 0 or other[at][1] <= block.start) and _is_sentence_case(block.text):
                beside.append(block.text)
        return cls(tuple(block.text for block in found.paragraphs), tuple(beside))

    @cached_property
    def mentions(self) -> Mentions:
        """The names it mentions."""
        return Mentions((*self.paragraphs, *self.beside))

    @cached_property
    def forms(self) -> frozenset[str]:
        """Its folded words."""
        return frozenset(token.key for found in self.mentions.tokens for token in found)

    @cached_property
    def words(self) -> list[frozenset[str]]:
        """The content words of each paragraph."""
        return [
            frozenset(token.key for token in found if token.key not in FUNCTION_WORDS)
            for found in self.mentions.tokens[: len(self.paragraphs)]
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
        return mend(self._spelled(hypothesis, spelled), self.forms, self.words)

    def _worth(self, hypothesis: Hypothesis, spelled: Spelled) -> float:
        words = {word for word in words_of(spelled.text) if word not in FUNCTION_WORDS}
        known = [word for word in words if word in self.mentions.places]
        together = max((sum(word in paragraph for word in known) for paragraph in self.words), default=0)
        size = max(1, sum(word not in FUNCTION_WORDS for word in words_of(hypothesis.source)))
        length = min(1.0, len(spelled.text) / max(1, len(hypothesis.source)))
        return (
            hypothesis.score
            + ARTICLE * len(known) / size
            + PARAGRAPH * together / size
            + LENGTH * length
            - LOST * (spelled.lost + _again(hypothesis.source, hypothesis.text, spelled.text))
            - LOST_WORD * len(lost_words(hypothesis.source, spelled.text, spelled.alignment))
        )

    def _spelled(self, hypothesis: Hypothesis, spelled: Spelled) -> Hypothesis:
        problems = list(hypothesis.problems)
        if spelled.text != hypothesis.text:
            # The word left over may have been a name.
            problems = guard.remaining(problems, hypothesis.source, spelled.text)
        for code, names in (("name-lost", spelled.missing), ("name-added", spelled.added)):
            if names:
                problems.append(guard.Problem(code, ", ".join(dict.fromkeys(names))))
        problems.sort(key=lambda problem: -guard.CODES[problem.code])
        return replace(
            hypothesis, text=spelled.text, names=spelled.names, alignment=spelled.alignment, problems=tuple(problems)
        )


def _again(source: str, *texts: str) -> int:
    """How many content words a translation says again where the caption does not: "Moonlight orbit of Moonlight".

    Before and after its names were respelled: "Kiev" twice is "Kiev" and "Kyiv" if but one of them was.
    """
    there = [word.key for word in tokens(source) if word.key not in STOPWORDS["es"]]
    return max(0, max(map(_repeated, set(texts))) - (len(there) - len(set(there))))


def _repeated(text: str) -> int:
    """How many names and listed words are said again; what the model made up is none."""
    said = Counter(
        stem(word.key)
        for word in tokens(text)
        if len(word.key) > 2 and word.key not in FUNCTION_WORDS and (word.capital or is_listed(word.key))
    )
    return said.total() - len(said)


def _is_sentence_case(text: str) -> bool:
    """Whether capitals say that words of a heading are names: most of the longer words have none."""
    long = [word for word in text.split() if len(word) > 3 and word.isalpha()]
    return 2 * sum(word[0].isupper() for word in long) <= len(long)


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
