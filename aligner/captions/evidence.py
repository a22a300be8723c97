"""What a stretch of text says about its language, word by word, names aside."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache

from aligner.captions.language import WORD, LanguageModel, model
from aligner.errors import UsageError
from aligner.resources import data

_KNOWN, _UNKNOWN = -7.0, -3.0  # the most that one word can count against a language (nats)
_CLEAR = 1.5  # nats by which a word must favour one of the two languages to be counted as its word
_NOISE = re.compile(
    r"(?:https?://|www\.)\S+|\S+@\S+|[@#]\w+|\]\([^)]*\)|\b\S+\.(?:com|es|org|net|ly)(?:/\S*)?\b"
)
_OPEN = {"“": "”", "«": "»", "„": "“", "‘": "’"}
_SENTENCE = '.!?…:«“"¿¡([|•■'


@dataclass(slots=True)
class Evidence:
    """The words of a stretch of text, weighed.

    Attributes:
        totals: for each language of the model, how much worse than the best one it explains the words (nats, <= 0).
        caption: words that the caption language explains clearly better than the context language.
        context: words for which it is the other way round.
        foreign: words that both explain badly.
        function: how many of ``caption`` are among the caption language's function words.
        plain: words that count at all, i.e. are not names.
        names: words taken for names.
        lower: how many of ``plain`` are written small.
    """

    totals: list[float]
    caption: list[str] = field(default_factory=list)
    context: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    function: int = 0
    plain: int = 0
    names: int = 0
    lower: int = 0


class Weigher:
    """Weighs text for one pair of languages."""

    def __init__(self, caption: str, context: str) -> None:
        self.model: LanguageModel = model()
        languages = self.model.languages
        for language in (caption, context):
            if language not in languages:
                known = ", ".join(languages)
                raise UsageError(f"unknown language {language!r}; the finder knows {known}")
        if caption == context:
            raise UsageError(f"caption and context language are both {caption!r}; they must differ")
        self.caption, self.context = languages.index(caption), languages.index(context)
        self.languages = languages
        self.names = self.model.names[caption]
        stored = json.loads(data("find-lexicon.json").read_bytes())["connectives"]
        self.connectives = frozenset([*stored.get(caption, ()), *stored.get(context, ())])
        self.function = frozenset(self.model.names[caption].function)
        # German writes all nouns with capitals, so that a capital inside a sentence says nothing.
        self.capitals_are_names = "de" not in (caption, context)
        self.word = lru_cache(maxsize=1 << 16)(self._word)
        # Two searches settle most blocks: compiled alternations behind a space are the fastest test there is.
        self.marker = _alternatives(self._markers(caption, self.caption, self.context)[:24])
        self.context_marker = _alternatives(self._markers(context, self.context, self.caption)[:24])

    def _markers(self, language: str, mine: int, other: int) -> list[str]:
        """Function words that the other language does not have."""
        words = []
        for word in self.model.names[language].function:
            scores, _ = self.model.word(word)
            if len(word) > 1 and scores[mine] > -0.7 and scores[other] < -4:
                words.append(word)
            elif len(word) == 1 and scores[mine] > -0.7 and scores[other] < -3:
                words.append(word)
        return words

    def _word(self, word: str) -> tuple[tuple[float, ...], bool]:
        scores, known = self.model.word(word)
        least = _KNOWN if known else _UNKNOWN
        return tuple(max(least, score) for score in scores), known

    def weigh(self, text: str) -> Evidence:
        """The evidence of a stretch of text."""
        if "@" in text or "://" in text or "www." in text or "#" in text or "](" in text or ".com" in text:
            text = _NOISE.sub(lambda m: " " * len(m[0]), text)
        tokens = list(WORD.finditer(text))
        shouting = _shouting(text)
        totals = [0.0] * len(self.languages)
        evidence = Evidence(totals)
        words = [token[0] for token in tokens]
        lowers = [word.lower().replace("’", "'") for word in words]
        named = self._named(text, tokens, words, lowers) if not shouting else [False] * len(words)
        for word, low, is_name in zip(words, lowers, named, strict=True):
            if is_name:
                evidence.names += 1
                continue
            scores, known = self.word(low)
            if shouting and not known:
                evidence.names += 1
                continue
            if not known and word[0].isupper():
                evidence.names += 1
                continue
            evidence.plain += 1
            evidence.lower += word[0].islower()
            for at, score in enumerate(scores):
                totals[at] += score
            difference = scores[self.caption] - scores[self.context]
            if difference > _CLEAR and scores[self.caption] > -2.5:
                evidence.caption.append(word)
                evidence.function += low in self.function
            elif difference < -_CLEAR and scores[self.context] > -2.5:
                evidence.context.append(word)
            elif scores[self.caption] < -2 and scores[self.context] < -2:
                evidence.foreign.append(word)
        return evidence

    def _named(
        self, text: str, tokens: list[re.Match[str]], words: list[str], lowers: list[str]
    ) -> list[bool]:
        """For each word, whether it is (part of) a name."""
        named = [False] * len(words)
        upper = [word[0].isupper() for word in words]
        connectives, heads = self.connectives, self.names.heads
        count = len(words)
        for at, token in enumerate(tokens):
            if upper[at]:
                if self.capitals_are_names and not _initial(text, token.start()):
                    named[at] = True
                elif lowers[at] in heads or lowers[at] in connectives:
                    # "Palacio de Cibeles", "La Llorona": the word starts a name if a capital follows.
                    after = at + 1
                    while after < count and lowers[after] in connectives and not upper[after]:
                        after += 1
                    touching = after < count and not text[token.end() : tokens[after].start()].strip(
                        "abcdefghijklmnopqrstuvwxyz' "
                    )
                    if (
                        after < count
                        and upper[after]
                        and touching
                        and (after > at + 1 or lowers[at] in heads or after == at + 1)
                    ):
                        named[at] = True
            elif lowers[at] in connectives and at and (upper[at - 1] or named[at - 1]):
                after = at + 1
                while after < count and lowers[after] in connectives and not upper[after]:
                    after += 1
                if (
                    after < count
                    and upper[after]
                    and not text[tokens[at - 1].end() : tokens[after].start()].strip(
                        "abcdefghijklmnopqrstuvwxyz' "
                    )
                ):
                    named[at] = True
        return named


def _alternatives(words: list[str]) -> re.Pattern[str]:
    return re.compile(f" (?:{'|'.join(map(re.escape, words))}) ")


def _initial(text: str, at: int) -> bool:
    """Whether a word starts a sentence, a line or a quotation."""
    last = at - 1
    while last >= 0 and text[last].isspace():
        last -= 1
    return last < 0 or text[last] in _SENTENCE or (text[last] in "-–—/" and last < at - 1)


def _shouting(text: str) -> bool:
    upper = sum(map(str.isupper, text))
    return upper > 3 and upper > 2 * sum(map(str.islower, text))


@lru_cache(maxsize=16)
def weigher(caption: str, context: str) -> Weigher:
    """The weigher of a pair of languages, built once."""
    return Weigher(caption, context)


FEATURES = ("one", "context", "others", "words", "function", "mixed", "foreign", "small")


def features(evidence: Evidence, weigher: Weigher) -> tuple[float, ...]:
    """What the probability is made of, in the order of ``FEATURES``."""
    totals = evidence.totals
    mine = totals[weigher.caption]
    others = max(t for at, t in enumerate(totals) if at not in (weigher.caption, weigher.context))
    plain = max(1, evidence.plain)
    return (
        1.0,
        max(-20.0, min(20.0, mine - totals[weigher.context])),
        max(-12.0, min(12.0, mine - others)),
        min(8.0, len(evidence.caption)),
        min(3.0, evidence.function),
        len(evidence.context) / plain,
        len(evidence.foreign) / plain,
        min(6.0, evidence.lower),
    )


def probability(evidence: Evidence, weigher: Weigher) -> float:
    """Calibrated probability that the words are of the caption language; 0 where there are names alone."""
    if not evidence.caption:
        return 0.0
    weights = calibration()
    return sigmoid(sum(w * x for w, x in zip(weights, features(evidence, weigher), strict=True)))


@cache
def calibration() -> tuple[float, ...]:
    """The weights of ``FEATURES`` (fitted by ``aligner.captions.fit_confidence``)."""
    weights = json.loads(data("find-calibration.json").read_bytes())["weights"]
    return tuple(float(weights[name]) for name in FEATURES)


def sigmoid(x: float) -> float:
    """The logistic function."""
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, x))))


@lru_cache(maxsize=16)
def weigher(caption: str, context: str) -> Weigher:
    """The weigher of a pair of languages, built once."""
    return Weigher(caption, context)
