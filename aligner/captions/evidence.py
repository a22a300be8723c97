"""What a stretch of text says about its language, word by word, names aside."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from typing import Any, TypeVar

from aligner.captions.language import SCALE, WORD, LanguageModel, model
from aligner.errors import UsageError
from aligner.resources import data, data_json

_KNOWN, _UNKNOWN = -7.0, -2.0  # the most that one word can count against a language (nats)
_INITIAL = -1.4  # the same for a capitalised unknown word at the start of a line
_LIKELY, _FOREIGN = -2.5, -1.9  # a language can claim a word above the first and not well below the second
_SURE_WORD, _LIKELY_WORD = -1.0, -2.5  # nats behind the best language from which a word is, or may be, a language's
_RARER = {"gl": 2.5}  # nats that it must make up for where long words alone speak for it, as fewer pages have it
_CLEAR = 1.5  # nats by which a word must favour one of the two languages to be counted as its word
_NOISE = re.compile(
    r"(?:https?://|www\.)\S+|\S{1,99}@\S+|[@#]\w+|\]\([^)]{0,999}\)|\b[^\s/]{1,99}\.(?:com|es|org|net|ly)(?:/\S*)?\b"
)
_ADDRESS = re.compile(r"[./](?:(?<=://)|(?<=www\.)|(?:(?<=\.)(?:com|es|org|net|ly)\b))")
# Quantifiers are bounded: a line can be a megabyte of blanks or of opening quotes. Each expression starts with a set
# of letters, for which a text is searched several times as fast as for alternatives.
_EDGE = re.compile(
    r"[.!?…/|•–—\t](?:(?<=[.!?…])[\"”»’')\]]{0,3}\s{1,9}(?=[\"“«¿¡('\[]{0,3}[A-ZÁÉÍÓÚÑ0-9])|(?<=\s[/|•–—])\s|(?<=\t))"
)
QUOTED = re.compile(
    r"[“«„‘\"('](?:(?<=“)[^”]{0,400}”|(?<=«)[^»]{0,400}»|(?<=„)[^“”]{0,400}[“”]|(?<=‘)[^’]{2,400}’"
    r"|(?<=\")[^\"]{0,400}\"|(?<=\()[^()]{0,400}\)|(?<=')(?<![^\W_]')[^']{2,400}'(?![^\W_]))"
)
_WORD_OR_GAP = re.compile(f"({WORD.pattern})")
_QUOTE = re.compile(r"[“«„‘\"'(]")
# Counts of a line's words, packed into one integer so that adding them up is one call.
_OURS, _THEIRS, _FOREIGN_WORD, _COUNT = 1, 1 << 20, 1 << 40, (1 << 20) - 1
_UNIT, _BITS = 60, 20  # stored scores are twelfths of a nat; lines have fewer than 2 ** 20 / 7 / 60 words
_FIELD = (1 << _BITS) - 1
_LONG = 120  # letters of a line from which function words alone can settle its language
_REMEMBERED = 1 << 16  # words of a memo
_FINAL = ".!?…"
_SENTENCE = '.!?…:«“"¿¡([|•■'


@dataclass(slots=True)
class Evidence:
    """The words of a stretch of text, weighed.

    Attributes:
        caption: words that the caption language explains clearly better than the context language.
        faint: such words where they are too few or too short to prove anything by themselves; ``caption`` is empty.
        context: words for which it is the other way round.
        foreign: words that both explain badly.
        function: how many of ``caption`` are among the caption language's function words.
        plain: words that count at all, i.e. are not names.
        lower: how many of ``plain`` are written small.
        packed: sum of ``Word.packed``.
        packed_alone: the same over the words that are not in ``context``.
        languages: how many languages there are.
    """

    caption: list[str] = field(default_factory=list)
    faint: list[str] = field(default_factory=list)
    context: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    function: int = 0
    plain: int = 0
    lower: int = 0
    packed: int = 0
    packed_alone: int = 0
    languages: int = 0

    @property
    def totals(self) -> list[float]:
        """For each language of the model, how much worse than the best one it explains the words (nats, <= 0)."""
        return _unpack(self.packed, self.languages)

    @property
    def without_context(self) -> list[float]:
        """The same over the words that are not in ``context``, for comparison with third languages."""
        return _unpack(self.packed_alone, self.languages)


@dataclass(frozen=True, slots=True)
class Word:
    """What is known of a word.

    Attributes:
        packed: how much worse than the best language each explains it (sixtieths of a nat, >= 0), within limits, a
            field of ``_BITS`` for each language in one integer, so that words add up at once.
        scores: the same in nats, <= 0.
        known: whether the model has it.
        side: the language of the pair that it speaks for, ``foreign``, or nothing.
        function: it is a function word of the caption language.
        name: it is a name, or starts names, about as often as not.
        proper: it is a name about as often as not.
    """

    packed: int
    scores: tuple[float, ...]
    known: bool
    side: str
    function: bool
    name: bool
    proper: bool


_T = TypeVar("_T")


class _Memo(dict[str, _T]):
    """What was computed of strings, a look-up for those that were seen before."""

    def __init__(self, compute: Callable[[str], _T]) -> None:
        self.compute = compute

    def __missing__(self, key: str) -> _T:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[key] = self.compute(key)
        return value


@dataclass(frozen=True, slots=True)
class _Form:
    """A word as it is written.

    Attributes:
        low: in lower case, with a straight apostrophe.
        capital: it starts with a capital.
        capitals: its letters if all are capitals.
        connective: it may join names.
        head: it may start a name.
        lead: a person's name may follow it.
    """

    low: str
    capital: bool
    capitals: int
    connective: bool
    head: bool
    lead: bool


@dataclass(frozen=True, slots=True)
class _Gap:
    """What stands between two words.

    Attributes:
        starts: a sentence, a quotation or another part of a line starts behind it, whatever is in front of it.
        blank: it is white space or nothing.
        joins: the words can belong to one name.
    """

    starts: bool
    blank: bool
    joins: bool


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
        stored = data_json("find-lexicon.json")
        connectives = stored["connectives"]
        self.connectives = frozenset([*connectives.get(caption, ()), *connectives.get(context, ())])
        self.function = frozenset(self.model.names[caption].function)
        ranked = self.model.names[caption].function
        self.small = frozenset([*ranked[:30], *(w for w in ranked[:60] if len(w) < 4)])
        self.given = frozenset(stored["given_names"].split())
        # German writes all nouns with capitals, so that a capital inside a sentence says nothing.
        self.capitals_are_names = "de" not in (caption, context)
        self.word = _Memo(self._word).__getitem__
        self.forms = _Memo(self._form)
        self.opening = _Memo(self._opening).__getitem__
        self.gaps = _Memo(_gap)
        self.hints = _Memo(self._hint)  # what each stretch between blanks adds to the counts of its line
        small = "|".join(sorted(map(re.escape, self.connectives), key=len, reverse=True))
        self.name = re.compile(rf"[^\W\d_a-zß-ÿ][\w.'’-]*(?: (?:(?:{small}) ){{1,3}}[^\W\d_a-zß-ÿ][\w'’-]*)+")
        self.goes_on = re.compile(rf"(?:(?:{small}) ){{1,3}}[^\W\d_a-zß-ÿ]").match
        self.marker = _alternatives(self._markers(caption, self.caption, self.context)[:24])
        self.openers = tuple([f"{word.title()} " for word in self._markers(caption, self.caption, self.context)[:24]])
        self.context_marker = _alternatives(self._markers(context, self.context, self.caption)[:60])

    @property
    def pair(self) -> tuple[str, str]:
        """The languages of captions and context."""
        return self.languages[self.caption], self.languages[self.context]

    @cached_property
    def shared(self) -> frozenset[str]:
        """Words of the caption language that the context language has too, as far as there is a list of them."""
        if self.pair != ("es", "en"):
            return frozenset()
        return frozenset(data_json("words-es-en.json")["shared"].split())

    @cached_property
    def dates(self) -> frozenset[str]:
        """Months and days of the context language."""
        from aligner.context.words import DATES

        return DATES

    def is_context(self, text: str) -> bool:
        """Whether a line is the context language's beyond doubt; :meth:`weigh` would say so at ten times the cost.

        Function words settle most lines. Otherwise it has words of the context language; none of the caption
        language, or in each sentence fewer than of its own, quotations and names aside; and few of neither.
        """
        long = len(text) > _LONG
        if long and self._settled(text):
            return True
        counts = sum(map(self.hints.__getitem__, text.split()))
        ours, theirs, foreign = counts & _COUNT, counts >> 20 & _COUNT, counts >> 40
        if not theirs and ours > 3 * foreign:
            return True
        if not long and self._settled(text):
            return True
        if not theirs or not ours:
            return ours > 3 * foreign
        return all(map(self._outweighs, _EDGE.split(self._bare(text))))

    def has_caption_words(self, text: str) -> bool:
        """Whether a text has a word of the caption language that is not capitalised."""
        return sum(map(self.hints.__getitem__, text.split())) >> 20 & _COUNT > 0

    def ordinary(self, word: str) -> bool:
        """Whether a word that is written with a capital is known as a word rather than a name."""
        entry = self.word(word.lower())
        return entry.known and not entry.proper and word.title() not in self.given

    def is_caption_word(self, word: str) -> bool:
        """Whether a word in small letters is the caption language's."""
        return self.word(word).side == "caption"

    def is_caption_noun(self, word: str) -> bool:
        """Whether a word in small letters is the caption language's besides being, maybe, a name."""
        entry = self.word(word)
        return entry.known and entry.side == "caption" and not entry.proper

    def is_context_word(self, word: str) -> bool:
        """Whether a word in small letters is clearly the context language's."""
        entry = self.word(word)
        return entry.known and entry.scores[self.context] > _SURE_WORD > entry.scores[self.caption]

    def may_be_context(self, word: str) -> bool:
        """Whether a word in small letters may be the context language's."""
        entry = self.word(word)
        return word in self.shared or (entry.known and entry.scores[self.context] > _LIKELY_WORD)

    def _settled(self, text: str) -> bool:
        """Whether function words settle a line.

        It has some of the context language, a quarter of its words if it is short, and none of the caption language
        but in names, and in sentences that have more words of the context language than of the caption language.
        """
        if text.startswith(self.openers):
            return False
        if len(text) > _LONG:
            first = self.context_marker.search(text)
            if first is None or not self.context_marker.search(text, first.end()):
                return False
        elif len(self.context_marker.findall(text)) <= max(1, text.count(" ") // 4):
            return False
        end = seen = 0
        for match in self.marker.finditer(text):
            start = match.start()
            # "Plaza de la Constitución": between a capitalised word and another.
            named = (start == end or text[text.rfind(" ", 0, start) + 1].isupper()) and self.goes_on(text, start + 1)
            if named:
                end = match.end()
            elif start >= seen:
                for edge in _EDGE.finditer(text, seen, start):
                    seen = edge.end()
                after = _EDGE.search(text, start)
                stop = after.end() if after else len(text)
                sentence = text[seen:stop]
                if not (self._outweighs(sentence) or self._outweighs(self._bare(sentence))):
                    return False
                seen = stop
        return True

    def _bare(self, text: str) -> str:
        """A text without quotations and names."""
        return self.name.sub(" ", QUOTED.sub(" ", text) if _QUOTE.search(text) else text)

    def _outweighs(self, text: str) -> bool:
        """Whether a sentence has no word of the caption language, or more of the context language's."""
        counts = sum(map(self.hints.__getitem__, text.split()))
        theirs = counts >> 20 & _COUNT
        return not theirs or counts & _COUNT > theirs

    def _hint(self, token: str) -> int:
        """What a token (text between blanks) adds to the counts of its line."""
        if token.isalpha() and token.isascii():
            words = [token]
        else:
            token = _NOISE.sub(" ", unicodedata.normalize("NFC", token))
            words = [match[0].replace("’", "'") for match in WORD.finditer(token)]
        hint = 0
        for word in words:
            if word[0].isupper() and self.capitals_are_names:
                continue
            side = self._side_of(word.lower())
            if side == "caption":
                hint += _THEIRS
            elif side == "foreign":
                hint += _FOREIGN_WORD
            elif side == "context":
                hint += _OURS
        return hint

    def _side_of(self, word: str) -> str:
        """The ``side`` of a word, without all else that is known of it."""
        costs, known = self.model.costs(word)
        most = round(-(_KNOWN if known else _UNKNOWN) * SCALE)
        least = min(costs)
        mine, theirs = costs[self.caption] - least, costs[self.context] - least
        return self._side_by(-min(mine, most) / SCALE, -min(theirs, most) / SCALE)

    def _markers(self, language: str, mine: int, other: int) -> list[str]:
        """Function words that the other language does not have."""
        words = []
        for word in self.model.names[language].function:
            scores, _ = self.model.word(word)
            if scores[mine] > -0.7 and scores[other] < (-4 if len(word) > 1 else -3):
                words.append(word)
        return words

    def _word(self, word: str) -> Word:
        scores, known = self.model.word(word)
        least = _KNOWN if known else _UNKNOWN
        clipped = tuple([max(least, score) for score in scores])
        named = word in self.names.proper
        return Word(
            _pack(clipped),
            clipped,
            known,
            self._side(clipped),
            word in self.function,
            named or word in self.names.heads,
            named,
        )

    def _side(self, scores: tuple[float, ...]) -> str:
        """Which language a word speaks for: ``caption``, ``context``, ``foreign`` (neither), or nothing."""
        return self._side_by(scores[self.caption], scores[self.context])

    def _side_by(self, mine: float, theirs: float) -> str:
        if mine - theirs > _CLEAR and mine > _LIKELY:
            return "caption"
        if theirs - mine > _CLEAR and theirs > _LIKELY:
            return "context"
        return "foreign" if mine < _FOREIGN and theirs < _FOREIGN else ""

    def _form(self, written: str) -> _Form:
        low = written.lower().replace("’", "'")
        return _Form(
            low,
            written[0].isupper(),
            len(written) if written.isupper() else 0,
            low in self.connectives,
            low in self.names.heads or low in self.connectives,
            low in self.names.leads,
        )

    def _opening(self, low: str) -> Word:
        """What a word says at the start of a line: a rare one looks like a name there, its spelling tells a little."""
        word = self.word(low)
        if word.known and not word.proper:
            return word
        scores = tuple([max(score, _INITIAL) for score in word.scores])
        return replace(word, packed=_pack(scores), scores=scores, side=self._side(scores))

    def _stray(self, word: str) -> bool:
        """Whether a word in capitals may be a name: neither language has it, or has it as a name mostly."""
        entry = self.word(word)
        return not entry.known or entry.side == "foreign" or entry.name

    def weigh(self, text: str) -> Evidence:
        """The evidence of a stretch of text."""
        if "@" in text or "#" in text or ("." in text and _ADDRESS.search(text)):
            text = _NOISE.sub(" ", text)
        tokens = _WORD_OR_GAP.split(text)
        written, gaps = tokens[1::2], tokens[::2]
        forms = list(map(self.forms.__getitem__, written))
        capitals = sum([form.capitals for form in forms])
        shouting = capitals > 3 and capitals > 2 * (sum([len(form.low) for form in forms]) - capitals)
        # In a line of capitals, words that no language knows stand for the capitalised ones.
        upper = [self._stray(form.low) for form in forms] if shouting else [form.capital for form in forms]
        hyphens = "-" in text
        words, places = [], []
        for at, named in enumerate(self._named(written, gaps, forms, upper, shouting) if True in upper else upper):
            if named:
                continue
            form = forms[at]
            word = self.word(form.low)
            if upper[at] and not shouting and (not word.known or word.proper):
                if at + 1 == len(forms) or upper[at + 1]:
                    continue
                word = self.opening(form.low)
            if hyphens and len(form.low) < 4 and (gaps[at][-1:] == "-" or gaps[at + 1][:1] == "-"):
                continue  # part of a compound ("ex-minister")
            words.append(word)
            places.append(at)
        sides = [word.side for word in words]
        packed = sum([word.packed for word in words])
        evidence = Evidence(plain=len(words), packed=packed, packed_alone=packed, languages=len(self.languages))
        evidence.lower = len(places) - sum([upper[at] for at in places])
        if "context" in sides:
            evidence.context = [written[at] for at, side in zip(places, sides, strict=True) if side == "context"]
            evidence.packed_alone = sum([word.packed for word in words if word.side != "context"])
        if "foreign" in sides:
            evidence.foreign = [written[at] for at, side in zip(places, sides, strict=True) if side == "foreign"]
        if "caption" in sides:
            sure = False
            for at, word in zip(places, words, strict=True):
                if word.side == "caption":
                    evidence.caption.append(written[at])
                    evidence.function += word.function
                    sure |= word.known and (len(written[at]) > 2 or (word.function and _between(upper, at)))
            if not sure and evidence.function < 2:
                evidence.faint, evidence.caption = evidence.caption, []
        return evidence

    def _named(
        self, written: list[str], gaps: list[str], forms: list[_Form], upper: list[bool], shouting: bool
    ) -> list[bool]:
        """For each word, whether it is (part of) a name.

        Args:
            written: the words.
            gaps: what stands before each word, and behind the last.
            forms: of the words.
            upper: whether each has a capital, or stands for one that has.
            shouting: the line is written in capitals.
        """
        count = len(forms)
        named = [False] * count

        def joined(at: int, since: int) -> bool:
            """Whether a name goes on after the connectives that follow word ``at``."""
            after = at + 1
            while after < count and not upper[after] and forms[after].connective:
                after += 1
            if after == count or not upper[after]:
                return False
            return all(self.gaps[gap].joins for gap in gaps[since + 1 : after + 1])

        for first, capital in enumerate(upper):
            if not capital:
                continue
            form = forms[first]
            gap = self.gaps[gaps[first]]
            inside = self.capitals_are_names and not (gap.starts or (first == 0 and gap.blank))
            if not (inside and form.lead and gaps[first][-2:] == ", "):
                # Not "Nasser Bourita, Ministro de Exteriores", an office; but "Palacio de Cibeles", "La Llorona": the
                # first word belongs to the name that follows.
                named[first] = shouting or inside or (form.head and joined(first, first))
            at = first + 1
            while at < count and not upper[at] and forms[at].connective:
                both = len(forms[at].low) == 1 and at + 2 < count and upper[at + 1] and upper[at + 2]
                # "Cristina Kirchner y Ernesto Samper" are two people, "Castilla y León" is one place.
                named[at] = joined(at, at - 1) and not (both and written[at + 1] in self.given)
                if not named[at]:
                    break
                at += 1
        return named


def _pack(scores: tuple[float, ...]) -> int:
    packed = 0
    for score in reversed(scores):
        packed = packed << _BITS | round(-score * _UNIT)
    return packed


def _unpack(total: int, languages: int) -> list[float]:
    return [-(total >> shift & _FIELD) / _UNIT for shift in range(0, _BITS * languages, _BITS)]


def _alternatives(words: list[str]) -> re.Pattern[str]:
    """Any of the words between blanks, as a tree of letters, which is searched half as fast again as a list."""
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = {}

    def expression(node: dict[str, Any]) -> str:
        branches = [re.escape(letter) + expression(after) for letter, after in node.items() if letter]
        return f"(?:{'|'.join(branches)}){'?' if '' in node else ''}" if branches else ""

    return re.compile(f" {expression(tree)}(?= )")


def edges(text: str) -> list[tuple[int, int]]:
    """Where sentences end in a text, and clauses that a bar or a tab divides: end of the one, start of the next."""
    return [(m.start() + (m[0][0] in _FINAL), m.end()) for m in _EDGE.finditer(text)]


def _gap(gap: str) -> _Gap:
    before = gap.rstrip()
    last = before[-1:]
    starts = bool(before) and (last in _SENTENCE or (last in "-–—/" and len(before) < len(gap)))
    return _Gap(starts, not before, not gap.strip(" '’"))


def _between(upper: list[bool], at: int) -> bool:
    """Whether a word stands between capitalised ones."""
    return 0 < at < len(upper) - 1 and upper[at - 1] and upper[at + 1]


FEATURES = ("one", "loses_to_context", "beats_others", "loses_to_others", "function", "small")


def features(evidence: Evidence, weigher: Weigher) -> tuple[float, ...]:
    """What the probability is made of, in the order of ``FEATURES``."""
    totals = evidence.totals
    behind = totals[weigher.caption] - totals[weigher.context]
    alone = evidence.without_context
    close = 2 * len(evidence.foreign) <= len(evidence.caption) and all(len(word) > 3 for word in evidence.foreign)
    rarer = _RARER if close else {}
    ahead = alone[weigher.caption] - max(
        t - rarer.get(weigher.languages[at], 0.0)
        for at, t in enumerate(alone)
        if at not in (weigher.caption, weigher.context)
    )
    return (
        1.0,
        max(-20.0, min(0.0, behind)),
        min(12.0, max(0.0, ahead)),
        max(-12.0, min(0.0, ahead)),
        min(3.0, evidence.function),
        min(6.0, evidence.lower),
    )


def mostly_caption(evidence: Evidence) -> bool:
    """Whether a half-and-half stretch is a caption with foreign words in it rather than the other way round."""
    mine, theirs = len(evidence.caption), len(evidence.context)
    return mine >= 2 * theirs or (mine >= theirs and mine > 2 and evidence.function > 0)


def probability(evidence: Evidence, weigher: Weigher) -> float:
    """Calibrated probability that the words are of the caption language; 0 where there are names alone."""
    if not evidence.caption or not mostly_caption(evidence):
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
