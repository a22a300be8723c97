"""A translation whose names are spelled as the article spells them.

The attention of the model tells which words of the translation came from a name of the caption; they are given the
article's spelling. A name that the article does not mention keeps the translation's word, except where that is no word
at all but a copy with letters lost or changed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz import fuzz

from aligner.records import Name
from aligner.translation import casing
from aligner.translation.dictionary import dictionary, stem
from aligner.translation.mentions import (
    FUNCTION_WORDS,
    PARTICLES,
    Mentions,
    Token,
    is_loud,
    name_tokens,
    tokens,
    words_of,
)
from aligner.translation.namelist import english_names, english_words, is_english, is_english_name, lexicon
from aligner.translation.pairing import (
    ROMAN,
    STREET_HEADS,
    STREETS,
    TOGETHER,
    Pair,
    head_words,
    is_given,
    is_ordinary,
)
from aligner.translation.spelling import distance, fold

#: Share of attention by which a word of the translation counts as coming from a word of the caption.
ATTENDED = 0.35
#: And by which it may be replaced even though it looks like an English word for something else.
SURE = 0.7
#: Likeness (rapidfuzz's ratio, 0 … 1) of a copy gone wrong: where attention points to the name, and without it.
COPY, COPY_UNATTENDED = 0.5, 0.75
#: Letters in which the names of a place, its people and its language agree: "Spain", "Spanish".
ROOT = 3
#: Likeness in per cent that a copy of the first word of a sentence must have.
FIRST = 80

_BETWEEN = re.compile(r"(?:['’][sS]?)?\W{0,3}")
#: Letters of names that Spanish and English transliterate each in its own way.
_TRANSLITERATED = re.compile(r"[kw]|[stzkgp]h|[^aeiou]y|([^lr])\1")
_OF, _ENGLISH_OF = re.compile(r"\s(?:del|de(?: las?| los)?)\s"), re.compile(r" of (?:the )?")
_ENGLISH_BEFORE, _HEAD_OF = re.compile(r"(?:['’]s)? "), re.compile(r" (?:of |of the |the )?")
_ARTICLES = frozenset(["el", "la", "los", "las"])
_LOCATED = _ARTICLES | {"al", "del"}

#: Attention of a translation: for each of its words the weights over the words of the source.
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Spelled:
    """A translation with its names as the article spells them.

    Attributes:
        text: the translation.
        names: pairs whose spelling in the article is not the caption's, and that stand in ``text``.
        kept: names of the caption that stand in ``text`` as they should.
        lost: names of the caption that do not.
        alignment: attention of the translation's words.
        missing: of the lost ones those for which nothing else stands in ``text``, as the caption prints them.
        added: places and peoples in ``text`` that neither the caption nor the article names.
    """

    text: str
    names: tuple[Name, ...]
    kept: int
    lost: int
    alignment: Matrix | None = None
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def _is_as_printed(pair: Pair) -> bool:
    """Whether a name stays as the caption prints it."""
    return not pair.mentioned or pair.target == pair.source


def _same_word(wanted: Token, found: Token) -> bool:
    """Whether a word of a translation is a word of a name, accents and small letters forgiven, or its plural."""
    if is_loud(wanted.form) and not is_loud(found.form):
        return False
    return found.key == wanted.key or (len(wanted.key) > 3 and found.capital and found.key == wanted.key + "s")


class _Rewriter:
    """One translation while its names are looked for and replaced."""

    def __init__(
        self, source: str, text: str, alignment: Matrix | None, wanted: Sequence[Pair], mentions: Mentions
    ) -> None:
        self.source, self.text, self.wanted, self.mentions = source, text, wanted, mentions
        self.tokens = tokens(text)
        self.keys = {token.key for token in self.tokens}
        self.used = [False] * len(self.tokens)
        self.alignment = alignment if alignment is not None and len(alignment) == len(text.split()) else None
        self.changes: list[tuple[int, int, str]] = []
        self.done: set[int] = set()
        self.found: dict[int, list[int]] = {}

    # ----------------------------------------------------------------------------------------------- evidence

    def attention(self, j: int, word: Token) -> float:
        """Attention of a word of the translation on a word of the source, 0 … 1; 0 without alignment."""
        if self.alignment is None:
            return 0.0
        row = self.alignment[self.tokens[j].place]
        return row[word.place] if word.place < len(row) else 0.0

    def owned(self, pair: Pair) -> list[int]:
        """Free content words of the translation that came from a name."""
        if self.alignment is None:
            return []
        places, keys = {word.place for word in pair.words}, self._keys(pair)
        found = []
        for j, token in enumerate(self.tokens):
            row = self.alignment[token.place]
            if self.used[j] or token.form.lower() in FUNCTION_WORDS:
                continue
            if token.form.isdigit() and token.key not in keys:
                continue
            weight = max((row[place] for place in places if place < len(row)), default=0.0)
            if weight >= ATTENDED and weight >= 0.9 * max(row):
                found.append(j)
        return found

    # ----------------------------------------------------------------------------------------------- steps

    def occurrences(self, form: str) -> Iterator[list[int]]:
        """Free words of the translation that make up an English name, accents and capitals forgiven."""
        wanted = name_tokens(form)
        if wanted and self.keys.isdisjoint((wanted[0].key, wanted[0].key + "s")):
            return
        for j in range(len(self.tokens) - len(wanted) + 1):
            span = self.tokens[j : j + len(wanted)]
            if any(self.used[j : j + len(wanted)]):
                continue
            if all(map(_same_word, wanted, span)):
                yield list(range(j, j + len(wanted)))

    def claim(self, pair: Pair, form: str) -> list[int] | None:
        """The occurrence of an English name that attention gives most to the pair."""
        found = [span for span in self.occurrences(form) if not self._stands_for_word(span, pair, form)]
        if not found:
            return None
        best = max(found, key=lambda span: sum(self.attention(j, word) for j in span for word in pair.words))
        for j in best:
            self.used[j] = True
        return best

    def _stands_for_word(self, span: Sequence[int], pair: Pair, form: str) -> bool:
        """Whether small letters are no name but stand for a word: the "moonlight" of "luz lunar" is not Moonlight."""
        if self.alignment is None or form[0].islower() or any(self.tokens[j].capital for j in span):
            return False
        return all(self.attention(j, word) < ATTENDED for j in span for word in pair.words)

    def satisfied(self, index: int) -> bool:
        """Takes what is right already; spellings of the same name give way to the article's."""
        pair = self.wanted[index]
        kept = pair.kind == "whole" and not pair.mentioned and fold(pair.source) == fold(pair.target)
        if kept and pair.words[0].key in STREETS:
            return self._named_street(index, pair)
        # "CEI" is no English acronym, whether the article has the English one or not.
        copied = (pair.source,) if pair.kind == "acronym" and not pair.mentioned else ()
        for form in (pair.target, *pair.old, *pair.others, *copied):
            span = self.claim(pair, form)
            if span is None:
                continue
            if form in pair.others and pair.kind != "name" and any(self.tokens[j].capital for j in self.owned(pair)):
                # "Polisario" is right, but not in "Front Polisario".
                self._free(span)
                continue
            self.found[index] = span
            printed = self.text[self.tokens[span[0]].start : self.tokens[span[-1]].end]
            small = pair.kind in {"title", "word"}
            person = pair.kind == "person"
            same = printed != form and words_of(printed) == words_of(form)
            if same and (form == pair.target or person) and not small:
                if printed.isupper() and printed == casing.capitals(form):
                    pass
                elif (pair.mentioned or person or self._loses_accents(span, pair)) and not (
                    printed.lower() == form.lower() and pair.words[0].first
                ):
                    self.replace(span, form)
            elif (form in pair.old and pair.mentioned) or (form in copied and printed == form != pair.target):
                self.replace(span, pair.target)
            if form not in pair.others:
                self.done.add(index)
            return True
        return False

    def _named_street(self, index: int, pair: Pair) -> bool:
        """Whether a street stands in a translation with its name, or with a name of its own in English.

        So do "Calle Autonomía", "the Autonomía street" and "Independence Square"; "the square of Spain" does not.
        """
        span = self.claim(pair, pair.target)
        if span is None:
            owned = self.owned(pair)
            for j in owned:
                if self.tokens[j].key not in STREET_HEADS or not j or not self._next_to(j - 1, j):
                    continue
                left = [s for word in pair.words[1:] for s in self.occurrences(word.form)]
                if len(left) >= len(pair.words) - 1 and any(s[-1] == j - 1 for s in left):
                    span = list(range(j - len(pair.words) + 1, j + 1))
                elif not left and self.tokens[j].capital and self.tokens[j - 1].capital and j - 1 in owned:
                    span = [j - 1, j]
                if span:
                    break
        if span is None:
            return False
        for j in span:
            self.used[j] = True
        self.found[index] = span
        self.done.add(index)
        return True

    def _free(self, span: Sequence[int]) -> None:
        for j in span:
            self.used[j] = False

    def _loses_accents(self, span: Sequence[int], pair: Pair) -> bool:
        """Whether a name without a mention lost its accents; transliterated names and English ones have none."""
        key = pair.words[0].key
        if pair.kind != "name" or not self.tokens[span[0]].form.isascii():
            return False
        if pair.surname or "ñ" in pair.source.lower():
            return True
        return len(span) == 1 and not set(key) & set("kw") and not is_english(key)

    def replace(self, span: Sequence[int], form: str) -> None:
        """Puts a name in the place of words of the translation; a possessive stays."""
        start, end = self.tokens[min(span)].start, self.tokens[max(span)].end
        around = [char for char in self.text[max(0, start - 40) : start] + self.text[end : end + 40] if char.isalpha()]
        around = around or [char for char in self.text[start:end] if char.isalpha()]
        if len(around) > 5 and sum(map(str.isupper, around)) > casing.SHARE * len(around):
            form = casing.capitals(form)
        if "." in self.text[start:end] and self.text[end : end + 1] == "." and self.text[end + 1 :].strip():
            end += 1  # the last dot of "EE.UU."
        for j in span:
            self.used[j] = True
        self.changes.append((start, end, form))

    def mend(self, index: int) -> bool:
        """Replaces what stands in the place of a name, where that is certain enough."""
        pair = self.wanted[index]
        owned = self.owned(pair)
        whole = pair.kind == "whole" or (pair.kind == "person" and len(pair.words) > 1 and not pair.mentioned)
        if pair.kind in {"title", "word", "demonym"} or not (pair.kind == "name" or whole or pair.mentioned):
            span = self._copy(pair, owned)
        elif whole and self.alignment is not None:
            span = self._contiguous(sorted({*owned, *self._near(pair, owned)}))
        elif pair.mentioned:
            span = self._region(pair, owned)
        elif whole:
            span = None
        else:
            span = self._garbled(pair, owned)
        if span is None:
            # Something stands for it, if only in another spelling: nothing is missing.
            self.found[index] = owned or self._near(pair, owned)
            return False
        form = self._fitting(pair, span)
        bare = pair.words[0].key in STREETS or name_tokens(form)[0].key in _ARTICLES
        if span[0] and bare and self._stands_for_article(span[0] - 1, pair):
            span = [span[0] - 1, *span]
        self.replace(span, form)
        self.found[index] = span
        self.done.add(index)
        return True

    def _stands_for_article(self, j: int, pair: Pair) -> bool:
        """Whether a word before a name with an article is that article: "the", or "As" for "Las"."""
        token = self.tokens[j]
        return token.key == "the" or (
            token.capital and token.key in FUNCTION_WORDS and self.attention(j, pair.words[0]) >= ATTENDED
        )

    def _region(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """The words that stand for a name that the article mentions."""
        near = self._near(pair, owned)
        if near:
            # What else came from the name and is no word belongs to it: "Mara ón".
            grown = near + [
                j for j in owned if j not in near and (self._fragment(pair, j, near) or self._translated(pair, j, near))
            ]
            span = self._contiguous(grown) or self._contiguous(near)
            if len(pair.words) == 1:
                return span or [max(near, key=lambda j: self._weight(pair, j))]
            keys = self._keys(pair)
            apart = span is None or any(
                token.key in keys and not self.used[j] and j not in span for j, token in enumerate(self.tokens)
            )
            return None if apart or self._doubtful(pair, span or []) else span
        loose = [j for j in owned if self._strange(j) or self._weight(pair, j) >= SURE]
        return self._contiguous(loose) or (loose[:1] if loose and len(pair.words) == 1 else None)

    def _garbled(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """The words that are a copy gone wrong of a name that the article does not mention."""
        key = pair.words[0].key
        if len(key) < 3 or (is_ordinary(pair.words[0]) and not (pair.surname or pair.given)):
            return None
        near = self._near(pair, owned)
        span = self._contiguous(near + [j for j in owned if j not in near and self._fragment(pair, j, near)])
        if span is None:
            return self._another(pair, owned)
        if pair.words[0].first and not pair.inside:
            # It may be no name at all: "Apicultores recogen" is "Apiculturists collect".
            joined = "".join(self.tokens[j].key for j in span)
            if fuzz.ratio(joined, key) < FIRST:
                return None
        transliterated = any(_TRANSLITERATED.search(word) for word in (key, *(self.tokens[j].key for j in span)))
        if (pair.surname or pair.given) and self.alignment is not None:
            # "Javier Sicily", "Alonso Reis", "Conception Arenal": a Spanish name of a person has one spelling.
            first = self.tokens[span[0]]
            copied = first.capital and (not first.first or first.key[0] == key[0])
            if copied and not transliterated:
                return span
        if any(distance(self.tokens[j].key, key) <= TOGETHER for j in span):
            # Another way of spelling it, unless nobody spells it so.
            strange = not transliterated and all(map(self._strange, span))
            return span if strange else None
        if pair.inside and any(self._miscopied(self.tokens[j].key, key) for j in span):
            return span  # "Angel Merkel": parts of people's names are not translated
        odd = self._strange(max(span, key=lambda j: len(self.tokens[j].key)))
        return span if odd else self._another(pair, owned)

    def _another(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """The name of something else in the place of one that the article does not mention: "Latvia" for "Letizia".

        That is a name of the list or an acronym, which no other name of the caption stands for.
        """
        word = pair.words[0]
        if pair.kind != "name" or (word.first and not pair.inside) or is_ordinary(word) or is_loud(word.form):
            return None
        right = {token.key for other in self.wanted for form in (other.target, *other.others) for token in tokens(form)}
        for j in owned:
            token = self.tokens[j]
            named = is_loud(token.form) or any(is_english_name(token.form, kind) for kind in ("place", "demonym"))
            least = SURE if token.key in self.mentions.places else ATTENDED
            if named and token.key not in right and self.attention(j, word) >= least:
                return [j]
        return None

    def _miscopied(self, key: str, source: str) -> bool:
        """Whether a word is like one of the caption and not merely another way of spelling it."""
        return fuzz.ratio(key, source) >= 85 and distance(key, source) > TOGETHER

    def _copy(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """A copy gone wrong of a word that has an English form, or such a word left in Spanish."""
        if len(pair.words) != 1:
            if pair.kind in {"place", "institution"} and not pair.others:
                copied = next(self.occurrences(pair.source), None)
                if copied is not None:  # "León XIV" for "Leo XIV"
                    return copied
            span = self._region(pair, owned) if self._near(pair, owned) else None
            keys = self._keys(pair)
            if span is None or any(self.tokens[j].key not in keys and not self._strange(j) for j in span):
                return None
            return span if any(self._strange(j) for j in span) else None
        key = pair.words[0].key
        for j in self._near(pair, owned):
            token = self.tokens[j]
            left = token.key == key or (fuzz.ratio(token.key, key) >= 85 and token.key not in english_words())
            if fold(pair.target) in token.key:  # two words run together
                continue
            listed = pair.kind in {"place", "person"} and not pair.others and pair.words[0].capital
            sure = pair.mentioned or listed
            if (left and sure) or (not left and self._strange(j)):
                return [j]
        return self._mistaken(pair, owned)

    def _mistaken(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """A word for another people or place than the caption's: "Russian" for "ucraniano"."""
        if pair.kind not in {"demonym", "place"}:
            return None
        right = {token.key for other in self.wanted for form in (other.target, *other.others) for token in tokens(form)}
        for j in owned:
            token = self.tokens[j]
            if token.form in english_names(pair.kind) and token.key not in right:
                return [j]
        return None

    def _keys(self, pair: Pair) -> set[str]:
        """The folded words of a name, the caption's and the article's."""
        return {word.key for word in pair.words} | {token.key for token in name_tokens(pair.target)} - FUNCTION_WORDS

    def _near(self, pair: Pair, owned: list[int]) -> list[int]:
        """Words whose letters are like those of a name: of those that came from it, or without attention of all."""
        keys = self._keys(pair)
        if self.alignment is not None:
            # An English word in small letters must be very like.
            near = [
                j
                for j in owned
                if self._like(j, keys) >= (COPY if self.tokens[j].capital or self._strange(j) else COPY_UNATTENDED)
            ]
            if len(pair.words) == 1 or not near:
                return near
            return [
                j
                for j, token in enumerate(self.tokens)
                if j in near or (token.key in keys and not self.used[j] and self._reaches(j, near))
            ]
        return [
            j
            for j, token in enumerate(self.tokens)
            if not self.used[j]
            and self._like(j, keys) >= COPY_UNATTENDED
            and (token.key in keys or token.key not in self.mentions.names)
        ]

    def _like(self, j: int, keys: Iterable[str]) -> float:
        return max(fuzz.ratio(self.tokens[j].key, key) for key in keys) / 100

    def _weight(self, pair: Pair, j: int) -> float:
        return max(self.attention(j, word) for word in pair.words)

    def _strange(self, j: int) -> bool:
        """Whether a word of the translation is neither English nor in the article."""
        key = self.tokens[j].key
        return key not in self.mentions.places and not is_english(key)

    def _translated(self, pair: Pair, j: int, near: Sequence[int]) -> bool:
        """Whether a word with a capital translates a part of a name for which nothing else stands: "Churches"."""
        for word in pair.words:
            if word.capital and not self.tokens[j].capital:
                continue
            standing = any(self.attention(k, word) >= ATTENDED for k in near)
            least = ATTENDED if any(self._next_to(j, k) for k in near) else SURE
            if not standing and self.attention(j, word) >= least:
                return True
        return False

    def _next_to(self, j: int, k: int) -> bool:
        """Whether only a space parts two words."""
        first, second = self.tokens[min(j, k)], self.tokens[max(j, k)]
        return abs(j - k) == 1 and self.text[first.end : second.start] == " "

    def _doubtful(self, pair: Pair, span: Sequence[int]) -> bool:
        """Whether, without attention, a word beside a part of a name may stand for the rest: "Luis Lamb"."""
        if self.alignment is not None or len(span) >= len(pair.words):
            return False
        if not pair.words[0].capital:
            return True
        before = span[0] - 1
        while before > 0 and self._joins(before):
            before -= 1
        return self._stands_by(span[-1] + 1, span) or (before >= 0 and self._stands_by(before, [before + 1]))

    def _stands_by(self, j: int, span: Sequence[int]) -> bool:
        """Whether a word beside a span has a capital that no sentence gave it and belongs to no other name."""
        if not 0 <= j < len(self.tokens) or self.used[j] or not any(self._next_to(j, k) for k in span):
            return False
        return self.tokens[j].capital and not self.tokens[j].first

    def _fragment(self, pair: Pair, j: int, near: Sequence[int]) -> bool:
        """Whether a word and one beside it are together more like a name than that one is alone: "Mara ón"."""
        for k in near:
            if abs(k - j) != 1:
                continue
            alone, joined = self.tokens[k].key, self.tokens[min(j, k)].key + self.tokens[max(j, k)].key
            if any(fuzz.ratio(joined, word.key) > max(fuzz.ratio(alone, word.key), 75) for word in pair.words):
                return True
        return False

    def _reaches(self, j: int, span: Sequence[int]) -> bool:
        """Whether nothing but function words stands between a word and the nearest of a span."""
        nearest = min(span, key=lambda k: abs(k - j))
        return self._contiguous([j, nearest]) is not None

    def _contiguous(self, span: Sequence[int]) -> list[int] | None:
        """The words from the first to the last of a span if nothing but function words stands between them."""
        if not span:
            return None
        whole = list(range(min(span), max(span) + 1))
        free = all(j in span or (not self.used[j] and self._joins(j)) for j in whole) and all(
            _BETWEEN.fullmatch(self.text[self.tokens[j].end : self.tokens[j + 1].start]) for j in whole[:-1]
        )
        return whole if free else None

    def _joins(self, j: int) -> bool:
        """Whether a word may stand inside a name."""
        key = self.tokens[j].key
        return key in FUNCTION_WORDS or key in PARTICLES or (len(key) < 3 and key.isalpha() and self._strange(j))

    def _fitting(self, pair: Pair, span: Sequence[int]) -> str:
        """A name as it must be written in the place of words of the translation."""
        if pair.kind in {"title", "word"} and not self.tokens[span[0]].capital:
            after = self.tokens[span[-1] + 1 : span[-1] + 3]
            named = bool(after) and (after[0].capital or (after[0].key == "of" and after[-1].capital))
            return pair.target if named else pair.target.lower()
        return (
            self._with_article(pair.target, span) if pair.kind in {"place", "institution", "acronym"} else pair.target
        )

    def _with_article(self, form: str, span: Sequence[int]) -> str:
        """A name, with "the" if the article never prints it without, unless the translation has a determiner."""
        before = self.tokens[span[0] - 1].key if span[0] else ""
        wanted = name_tokens(form)
        places = [
            (p, i)
            for p, i in self.mentions.places[wanted[0].key]
            if self.mentions.text(p, i, min(i + len(wanted), len(self.mentions.tokens[p])) - 1) == form
        ]
        lefts = [self.mentions.token((p, i - 1)) for p, i in places]
        always = bool(lefts) and all(left is not None and left.key == "the" for left in lefts)
        has = before in {"the", "a", "an", "this", "its", "their", "his", "her"} or self.text[
            self.tokens[span[0] - 1].end if span[0] else 0 :
        ].startswith(("'s", "’s"))
        after = self.tokens[span[-1] + 1] if span[-1] + 1 < len(self.tokens) else None
        gap = self.text[self.tokens[span[-1]].end : after.start] if after else ""
        alone = after is None or gap != " " or after.key in FUNCTION_WORDS
        return f"the {form}" if always and span[0] and alone and not has else form

    def insert_missing(self, index: int) -> bool:
        """Puts a lost part of a person's name beside the part that is there."""
        pair = self.wanted[index]
        if pair.kind != "name" or self.found.get(index) or any(is_ordinary(word) for word in pair.words):
            return False
        for other_index in (index + 1, index - 1):
            if not 0 <= other_index < len(self.wanted):
                continue
            other = self.wanted[other_index]
            if other.kind != "name" or not self.found.get(other_index) or ROMAN.fullmatch(other.source):
                continue  # "Pablo VI" is "Paul VI"
            ahead = other_index > index
            a, b = (pair, other) if ahead else (other, pair)
            if self.source[a.words[-1].end : b.words[0].start] != " ":
                continue
            j = self.found[other_index][0 if ahead else -1]
            beside = j - 1 if ahead else j + 1
            if self._stands_by(beside, [j]) and (self.alignment is None or beside in self.owned(pair)):
                continue
            at = self.tokens[j].start if ahead else self.tokens[j].end
            if any(start <= at <= end for start, end, _ in self.changes):
                continue
            self.changes.append((at, at, f"{pair.target} " if ahead else f" {pair.target}"))
            self.done.add(index)
            return True
        return False

    def keep_particles(self) -> None:
        """Writes "Guillermo del Toro" for "Guillermo of Toro", where both words stand as the caption has them.

        So it does for "Ardoz Torrejón" and "Arousa's Vilagarcía". Behind an article, "el Guggenheim de Bilbao", the
        second word tells where the first is.
        """
        for index, (one, other) in enumerate(pairwise(self.wanted)):
            a, b = self.found.get(index), self.found.get(index + 1)
            if not a or not b or not self.done.issuperset((index, index + 1)):
                continue
            if {one.kind, other.kind} != {"name"} or not (_is_as_printed(one) and _is_as_printed(other)):
                continue
            gap = self.source[one.words[-1].end : other.words[0].start]
            if not _OF.fullmatch(gap):
                continue
            before = self.source[: one.words[0].start].split()
            located = bool(before) and (fold(before[-1]) in _LOCATED or bool(head_words(fold(before[-1]))))
            person = is_given(one.words[-1])
            people = one.words[0].first and one.words[0].key.endswith("s")  # "Salineros de Colchani"
            if not person and (located or people or is_ordinary(other.words[0])):
                continue
            start, end = self.tokens[a[-1]].end, self.tokens[b[0]].start
            form = gap
            if not _ENGLISH_OF.fullmatch(self.text[start:end]):
                start, end = self.tokens[b[0]].start, self.tokens[a[-1]].end
                form = one.source + gap + other.source
                word = one.words[0]  # "Audiencia Provincial de Orense"
                if word.follows or is_ordinary(word) or is_english(word.key):
                    continue
                if person or not _ENGLISH_BEFORE.fullmatch(self.text[self.tokens[b[-1]].end : self.tokens[a[0]].start]):
                    continue
            self.changes = [change for change in self.changes if not (start <= change[0] and change[1] <= end)]
            if any(first <= end and start <= last for first, last, _ in self.changes):
                continue
            self.changes.append((start, end, form))

    def place_streets(self) -> None:
        """Writes "Plaza de España in Cádiz" for "Plaza de España of Cádiz", "Calle Duque de Alba" for "... of Alba"."""
        for index in self.done:
            pair, span = self.wanted[index], self.found.get(index)
            gap = _OF.match(self.source, pair.words[-1].end)
            if not span or not gap or pair.words[0].key not in STREETS:
                continue
            titled = any(entry.kind == "title" for entry in lexicon().entries(pair.words[-1].key))
            start = self.tokens[span[-1]].end
            of = _ENGLISH_OF.match(self.text, start)
            after = self.text[of.end() : of.end() + 1] if of else ""
            if of and after.isupper() and not any(a < of.end() and start < b for a, b, _ in self.changes):
                self.changes.append((start, of.end(), gap[0] if titled else " in "))

    def drop_heads(self) -> None:
        """Writes "Plaza de España" for "the square of Plaza de España", unless the caption says both."""
        for index in self.done:
            pair, span = self.wanted[index], self.found.get(index)
            head = pair.words[0]
            english = head_words(head.key)
            if not english or not span or len(pair.words) < 2:
                continue
            inside = {word.place for word in pair.words}
            said = {word.key for word in tokens(self.source) if word.place not in inside}
            if any(english & head_words(key) for key in said):
                continue
            first = span[0]
            lead = [self.tokens[j] for j in range(max(0, first - 4), first)]
            while lead and lead[-1].key in {"the", "of"}:
                lead.pop()
            if not lead or lead[-1].key not in english or self.used[self.tokens.index(lead[-1])]:
                continue
            noun = lead.pop()
            start, end = (lead[-1] if lead and lead[-1].key == "the" else noun).start, self.tokens[first].start
            if not _HEAD_OF.fullmatch(self.text[noun.end : end]):
                continue
            if any(a < end and start < b for a, b, _ in self.changes):
                continue
            self.changes.append((start, end, ""))

    # ----------------------------------------------------------------------------------------------- result

    def run(self) -> Spelled:
        """Takes what is right, mends what is not, and writes the translation."""
        order = sorted(range(len(self.wanted)), key=lambda i: -len(self.wanted[i].target))
        open_ = [i for i in order if not self.satisfied(i)]
        # What attention points to must not go to another name first: the best owned first.
        still = [i for i in sorted(open_) if not self.mend(i)]
        lost = [i for i in still if not self.insert_missing(i)]
        self.keep_particles()
        self.drop_heads()
        self.place_streets()
        text = self.text
        for start, end, form in sorted(self.changes, reverse=True):
            text = text[:start] + form + text[end:]
        names: dict[Name, None] = {}
        for i in sorted(self.done):
            pair = self.wanted[i]
            changed = any(form == pair.target for _, _, form in self.changes)
            if (
                pair.mentioned
                and pair.source != pair.target
                and (pair.kind not in {"demonym", "title", "word"} or changed)
            ):
                names[Name(pair.source, pair.target)] = None
        named = [i for i in range(len(self.wanted)) if self.wanted[i].kind not in {"title", "word", "demonym"}]
        gone = sum(i in lost for i in named)
        missing = tuple(self.wanted[i].source for i in lost if i in named and self._is_missing(i))
        return Spelled(text, tuple(names), len(named) - gone, gone, self._realigned(text), missing, self._added(text))

    def _added(self, text: str) -> tuple[str, ...]:
        """Places and peoples that nothing in the caption is like, and that the article does not mention: "Latvia"."""
        found = [
            token.form
            for token in tokens(text)
            if token.capital
            and token.key not in self.mentions.places
            and any(is_english_name(token.form, kind) for kind in ("place", "demonym"))
        ]
        if not found:
            return ()
        words = tokens(self.source)
        right = {
            word.key[:ROOT] for pair in self.wanted for form in (pair.target, *pair.others) for word in tokens(form)
        }
        right.update(form.lower()[:ROOT] for word in words for form, _ in dictionary().word(word.key, word.form).forms)
        right.update(word.key[:ROOT] for word in words)
        return tuple(form for form in found if fold(form)[:ROOT] not in right)

    def _is_missing(self, index: int) -> bool:
        """Whether neither a name nor a translation of its words stands in the place of a lost name."""
        pair = self.wanted[index]
        if all(map(is_ordinary, pair.words)) or (pair.words[0].first and not pair.inside and pair.kind == "name"):
            return False
        stands = self.found.get(index) or self.owned(pair)
        if pair.kind != "name":
            return not stands
        near = any(self._like(j, [word.key]) >= COPY for j in stands for word in pair.words)
        known = dictionary()
        right = {form for word in pair.words for form in known.word(word.key, word.form).stems}
        return not near and not any(stem(self.tokens[j].key) in right for j in stands)

    def _realigned(self, text: str) -> Matrix | None:
        """The alignment of the new translation: a name has the attention of what it replaced."""
        if self.alignment is None or not self.changes:
            return self.alignment
        old = [match.end() for match in re.finditer(r"\S+", self.text)]
        rows = []
        for match in re.finditer(r"\S+", text):
            at, moved = match.start(), 0
            for start, end, form in sorted(self.changes):
                if start + moved > match.start():
                    break
                if match.start() < start + moved + len(form):
                    # The words of a name follow those that it replaced one by one.
                    inner = len(text[start + moved : match.start()].split())
                    at = min(bisect_right(old, start) + inner, bisect_right(old, max(start, end - 1)))
                    at = old[min(at, len(old) - 1)] - 1
                else:
                    at = match.start() - moved - len(form) + (end - start)
                moved += len(form) - (end - start)
            rows.append(self.alignment[min(bisect_right(old, at), len(old) - 1)])
        return tuple(rows)


def respell(text: str, alignment: Matrix | None, source: str, wanted: Sequence[Pair], mentions: Mentions) -> Spelled:
    """Gives the names of a translation the spelling that the article has for them.

    Args:
        text: the translation.
        alignment: attention of the translation's words on the caption's, both as ``str.split`` cuts them; None if
            unknown, when likeness of letters alone decides.
        source: the caption as the model saw it: normalised, in ordinary case.
        wanted: its names, as :func:`pairs` gives them.
        mentions: the article's names.
    """
    return _Rewriter(source, text, alignment, wanted, mentions).run()
