"""What speaks for a caption belonging to a paragraph: names, words, numbers, meaning and place, as numbers.

Every word of the caption (its source, and its translation where there is one) is looked for in every sentence of the
article: by spelling, forgiving accents, transliteration and inflection, and by meaning through word vectors. A word
counts by its rarity in general and by how few other paragraphs have it, so that the name of a village says much and the
name of the article's hero little.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.process import cdist

from aligner.captions.credits import lexicon
from aligner.context.vectors import Matrix, Vectors, unit
from aligner.context.words import (
    DATES,
    INSTITUTIONS,
    MONTHS,
    STOPWORDS,
    TITLES,
    Word,
    fold,
    sentences,
    skeleton,
    value,
    words,
)

# Spellings less alike than this (per cent of letters) are different words; meanings less alike (cosine) are unrelated.
SPELLING = 75.0
MEANING_LOW, MEANING_HIGH = 0.30, 0.95
# A sense half as likely as a word's likeliest counts 0.5 to this power.
LESS_LIKELY = 0.2
# Two names of less alike meanings are two names: Merkel is not the Bavarians, but "Alemania" is Germany.
MEANING_NAME = 0.7
# Shorter words must be spelled the same.
SHORT = 4

# A match counts in a paragraph by its share among the paragraphs, in which this much stands for paragraphs unseen.
UNSEEN = 0.15

PAIR = ("name", "word", "number", "strongest", "meaning", "before", "after", "above", "below")
# For "none of them": what the caption's names tell, and the strongest evidence that any paragraph has.
NONE = ("none", "unmatched", "stranger", "year", "best", "best_number", "best_strongest", "best_meaning")


_LAST_WORD = re.compile(r"[^\W\d_]+(?=\W*$)")


def _printed(text: str, word: Word) -> str:
    return text[word.start : word.end].removesuffix("'s").removesuffix("’s")


@dataclass(frozen=True, slots=True)
class Side:
    """One text of a caption, source or translation, against the article.

    Attributes:
        text: the text.
        language: ISO 639-1 code.
        words: its words without function words.
        sentence_match: per word and sentence of the article, 0 (absent) … 1 (there).
        paragraph_match: per word and paragraph.
        rarity: per word, how much it tells in general.
        locality: per word, how much it tells in this article (log of paragraphs over paragraphs with it).
        name: per word, whether it is part of a name.
        number: per word, whether it is a number.
        match: per word and word form of the article.
        spelled: whether it is spelled like that form.
    """

    text: str
    language: str
    words: tuple[Word, ...]
    match: Matrix
    spelled: NDArray[np.bool_]
    sentence_match: Matrix
    paragraph_match: Matrix
    rarity: Matrix
    locality: Matrix
    name: NDArray[np.bool_]
    number: NDArray[np.bool_]

    def printed(self, index: int) -> str:
        """A word as the text prints it, without a possessive."""
        return _printed(self.text, self.words[index])

    @property
    def weight(self) -> Matrix:
        """What a full match of each word is worth; long captions share it out among their words."""
        scaled: Matrix = self.rarity / np.float32(math.sqrt(len(self.words)))
        return scaled

    @property
    def own(self) -> Matrix:
        """Per word and paragraph, the match, less where other paragraphs match as well."""
        squares = self.paragraph_match**2
        shared: Matrix = self.paragraph_match * squares / (squares.sum(axis=1, keepdims=True) + UNSEEN)
        return shared

    @property
    def telling(self) -> Matrix:
        """Per word and paragraph, the match times what the word tells in general and in this article."""
        scaled: Matrix = (self.rarity * self.locality)[:, None] * self.paragraph_match
        return scaled


class Place:
    """The paragraphs of an article, prepared for comparing captions with them."""

    def __init__(self, texts: Sequence[str], vectors: Vectors, *, language: str = "en") -> None:
        """Reads the paragraphs once; captions are compared by :meth:`side` and :func:`pair_features`."""
        self.texts = list(texts)
        self.vectors = vectors
        self.language = language
        self.sentences = [sentences(text) or [(0, len(text))] for text in self.texts]
        self.words = [words(text) for text in self.texts]
        self.paragraph_starts = np.cumsum([0] + [len(spans) for spans in self.sentences])[:-1]
        self.forms: list[str] = []
        self.by_sentence: list[list[str]] = []
        self._read()
        self.skeletons = [skeleton(form) for form in self.forms]
        self.values = [value(form, language) for form in self.forms]
        self._by_value: dict[str, list[int]] = {}
        for column, number in enumerate(self.values):
            if number is not None:
                self._by_value.setdefault(number, []).append(column)
        self.is_number = np.array([number is not None for number in self.values], bool)
        self._in_letters = self.is_number & ~np.array([form[0].isdigit() for form in self.forms], bool)
        self._form_vectors, _, self._form_known = vectors.lookup(language, self.forms)

    def _read(self) -> None:
        index: dict[str, int] = {}
        capital: dict[int, int] = {}
        lower: set[int] = set()
        columns: list[int] = []
        starts: list[int] = []
        inside: Counter[int] = Counter()
        stop = STOPWORDS.get(self.language, frozenset())
        for spans, found in zip(self.sentences, self.words, strict=True):
            before = len(columns)
            rest = iter(found)
            word = next(rest, None)
            for _, end in spans:
                starts.append(len(columns))
                forms: list[str] = []
                while word is not None and word.start < end:
                    forms.append(word.form)
                    if word.form not in stop:
                        column = index.setdefault(word.form, len(index))
                        columns.append(column)
                        if not word.capital:
                            lower.add(column)
                        else:
                            capital[column] = capital.get(column, 0) + (not word.first)
                    word = next(rest, None)
                # The last column of the padded match table is empty: a sentence without content words matches nothing.
                columns.append(-1)
                self.by_sentence.append(forms)
            inside.update(set(columns[before:]))
        self.forms, self._index, self._spread = list(index), index, inside
        self._columns, self._starts = np.array(columns, np.int64), np.array(starts, np.int64)
        self.is_name = np.array(
            [(c in capital and c not in lower) or capital.get(c, 0) > 1 for c in range(len(index))], bool
        )
        self.is_sure_name = np.array([capital.get(c, 0) > 0 for c in range(len(index))], bool)
        self.is_date = np.array([form in DATES for form in self.forms], bool)

    @cached_property
    def sentence_vectors(self) -> Matrix:
        """The meaning of each sentence."""
        flat = [form for forms in self.by_sentence for form in forms]
        rows = self.vectors.summands(self.language, flat)
        ends = np.cumsum([len(forms) for forms in self.by_sentence])
        sums = [rows[end - len(forms) : end].sum(axis=0) for end, forms in zip(ends, self.by_sentence, strict=True)]
        return unit(np.array(sums, np.float32))

    def text_vector(self, text: str, language: str) -> Matrix:
        """The meaning of a text."""
        return unit(self.vectors.summands(language, [word.form for word in words(text)]).sum(axis=0))

    def sentence_range(self, paragraph: int) -> slice:
        """Where a paragraph's sentences stand among all sentences."""
        first = int(self.paragraph_starts[paragraph])
        return slice(first, first + len(self.sentences[paragraph]))

    def paragraph_columns(self, paragraph: int) -> NDArray[np.int64]:
        """The word forms of a paragraph, as columns of :attr:`Side.match`."""
        inside = self.sentence_range(paragraph)
        end = self._starts[inside.stop] if inside.stop < len(self._starts) else len(self._columns)
        found: NDArray[np.int64] = np.unique(self._columns[self._starts[inside.start] : end])
        return found[found >= 0]

    def _occurrences(self, paragraph: int, column: int, span: tuple[int, int] | None) -> Iterator[Word]:
        start, end = span or (0, len(self.texts[paragraph]))
        form = self.forms[column]
        return (word for word in self.words[paragraph] if word.form == form and start <= word.start < end)

    def printed(self, paragraph: int, column: int, span: tuple[int, int] | None = None) -> str:
        """A word form as a paragraph, or a stretch of it, prints it first, without a possessive."""
        return _printed(self.texts[paragraph], next(self._occurrences(paragraph, column, span)))

    def stands_in(self, paragraph: int, column: int, span: tuple[int, int]) -> bool:
        """Whether a word form stands in a stretch of a paragraph."""
        return next(self._occurrences(paragraph, column, span), None) is not None

    def spread(self, column: int) -> int:
        """Number of paragraphs with a word form."""
        return self._spread[column]

    def adjacent(self, paragraph: int, columns: set[int], span: tuple[int, int]) -> list[list[int]]:
        """Word forms of a stretch of a paragraph, those that stand side by side in it together.

        A comma or a possessive between them keeps them apart.
        """
        index = {self.forms[column]: column for column in columns}
        groups: list[list[int]] = []
        last, end = -2, 0
        for i, word in enumerate(self.words[paragraph]):
            column = index.pop(word.form, None) if span[0] <= word.start < span[1] else None
            if column is None:
                continue
            if i == last + 1 and self.texts[paragraph][end : word.start] == " ":
                groups[-1].append(column)
            else:
                groups.append([column])
            last, end = i, word.start + len(_printed(self.texts[paragraph], word))
        return groups

    def best_sentence(self, values: Matrix) -> Matrix:
        """Per paragraph, the highest of its sentences' values (last axis)."""
        best: Matrix = np.maximum.reduceat(values, self.paragraph_starts, axis=-1)
        return best

    def side(self, text: str, language: str) -> Side | None:
        """Compares one text of a caption with the article; None if the text has no content words."""
        stop = STOPWORDS.get(language, frozenset())
        found = tuple(word for word in words(text) if word.form not in stop)
        if not found:
            return None
        forms = [word.form for word in found]
        senses, likely, rarity = self.vectors.senses(language, forms)
        number = np.array([value(form, language) is not None for form in forms], bool)
        match, spelled = self._match(found, language, senses, likely)
        name = self._names(text, found, match) & ~number
        # "Julio Guzmán" is neither July nor any other word that is no name.
        match[np.ix_(name, self.is_date | ~self.is_name)] = 0
        match[name] = np.where(spelled[name] | (match[name] >= MEANING_NAME), match[name], 0)
        padded = np.concatenate([match, np.zeros((len(found), 1), np.float32)], axis=1)
        by_sentence = np.maximum.reduceat(padded[:, self._columns], self._starts, axis=1)
        by_paragraph = self.best_sentence(by_sentence)
        total = len(self.texts)
        locality = np.clip(np.log((total + 1) / (0.5 + by_paragraph.sum(axis=1))), 0, None)
        return Side(text, language, found, match, spelled, by_sentence, by_paragraph, rarity, locality, name, number)

    def _match(
        self, found: Sequence[Word], language: str, senses: Matrix, likely: Matrix
    ) -> tuple[Matrix, NDArray[np.bool_]]:
        """How well each word matches each form of the article, and whether by its letters."""
        spelling = cdist(
            [skeleton(word.form) for word in found],
            self.skeletons,
            scorer=fuzz.ratio,
            score_cutoff=SPELLING,
            dtype=np.float32,
        )
        match: Matrix = np.where(spelling > 0, (spelling - SPELLING + 10) / (110 - SPELLING), 0).astype(np.float32)
        alike = senses @ self._form_vectors.T
        alike -= MEANING_LOW
        alike *= likely[..., None] ** LESS_LIKELY
        meaning: Matrix = np.clip(alike.max(axis=1) / (MEANING_HIGH - MEANING_LOW), 0, 1)
        # Numbers have vectors, too, but no meaning that a word could share.
        meaning[:, self.is_number | ~self._form_known] = 0
        match = np.maximum(match, meaning)
        for i, word in enumerate(found):
            number = value(word.form, language)
            if number is not None:
                match[i] = 0
                match[i, self._by_value.get(number, [])] = 1
                beside = {other.form for other in found[max(0, i - 1) : i + 2]}
                if word.number and not beside.isdisjoint(MONTHS.get(language, ())):
                    match[i, self._in_letters] = 0  # the 3rd of May is not "three times"
            elif len(word.form) < SHORT:
                spelling[i] = 0
                if word.form in self._index:
                    spelling[i, self._index[word.form]] = 1
                match[i] = np.maximum(meaning[i], spelling[i])
        return match, spelling > 0

    def _names(self, text: str, found: Sequence[Word], match: Matrix) -> NDArray[np.bool_]:
        letters = [c for c in text if c.isalpha()]
        shouting = sum(c.isupper() for c in letters) > 0.6 * len(letters)
        known = [False] * len(found)
        if match.shape[1]:
            best = match.argmax(axis=1)
            known = ((match[np.arange(len(found)), best] > 0.8) & self.is_name[best]).tolist()
        names = []
        for i, (word, in_article) in enumerate(zip(found, known, strict=True)):
            following = found[i + 1] if i + 1 < len(found) else None
            paired = following is not None and following.capital and text[word.end : following.start].isspace()
            if shouting:
                names.append(in_article)
            else:
                names.append(word.capital and (not word.first or in_article or paired))
        return np.array(names, bool)


@dataclass(frozen=True, slots=True)
class Compared:
    """A caption compared with every paragraph.

    Attributes:
        sides: source and translation, those of them that have content words.
        table: a row per paragraph and a last one for "none of them"; a column per feature, ``PAIR`` then ``NONE``.
        sentence: per sentence of the article, how well it fits.
    """

    sides: tuple[Side, ...]
    table: Matrix
    sentence: Matrix

    def moved(self, slot: int | None) -> Matrix:
        """The table of the same caption printed elsewhere.

        Args:
            slot: number of paragraphs in front of it; None where it stands nowhere.
        """
        table = self.table.copy()
        columns = [PAIR.index(feature) for feature in ("before", "after", "above", "below")]
        table[:, columns] = 0
        if slot is not None:
            order = np.arange(len(table) - 1)
            nearness = (
                order == slot - 1,
                order == slot,
                np.log1p(np.maximum(slot - 1 - order, 0)),
                np.log1p(np.maximum(order - slot, 0)),
            )
            table[:-1, columns] = np.stack(nearness, axis=1)
        return table


def compare(
    place: Place,
    source: tuple[str, str],
    translation: str | None,
    slot: int | None,
) -> Compared:
    """Compares a caption with every paragraph of an article.

    Args:
        place: the article's paragraphs.
        source: the caption and its language.
        translation: its translation into the article's language, if there is one.
        slot: number of paragraphs in front of the caption; None for a caption that stands nowhere in the article.
    """
    total = len(place.texts)
    texts = [source] + ([(translation, place.language)] if translation else [])
    sides = tuple(side for side in (place.side(*text) for text in texts) if side is not None)

    def strongest(measure: Callable[[Side], NDArray[np.floating]], size: int) -> Matrix:
        """The stronger of the two witnesses, source and translation: a poor one must not weaken a good one."""
        values = [measure(side) for side in sides]
        return np.asarray(np.max(values, axis=0) if values else np.zeros(size), np.float32)

    by_sentence = strongest(lambda side: (side.weight * side.locality) @ side.sentence_match, len(place.by_sentence))
    meaning = np.max([place.sentence_vectors @ place.text_vector(*text) for text in texts], axis=0)
    table = np.zeros((total + 1, len(PAIR) + len(NONE)), np.float32)
    columns = {
        "name": strongest(lambda side: (side.weight * side.name) @ side.own, total),
        "word": strongest(lambda side: (side.weight * ~(side.name | side.number)) @ side.own, total),
        "number": strongest(lambda side: (side.locality * side.number) @ side.paragraph_match, total),
        "strongest": strongest(lambda side: side.telling.max(axis=0), total),
        "meaning": place.best_sentence(meaning) * 5,
    }
    for feature, column in columns.items():
        table[:total, PAIR.index(feature)] = column
    table[total, len(PAIR)] = 1.0
    if sides:
        best = columns["name"].max() + columns["word"].max()
        known = unmatched(sides[0]), stranger(sides[0]), year(sides[0])
        highest = (columns[feature].max() for feature in ("number", "strongest", "meaning"))
        table[total, len(PAIR) + 1 :] = *known, best, *highest
    compared = Compared(sides, table, by_sentence + meaning)
    return replace(compared, table=compared.moved(slot))


def runs(side: Side) -> list[list[int]]:
    """The names of a text as runs of words: "Angela Merkel" is one."""
    found: list[list[int]] = []
    for i in np.flatnonzero(side.name):
        if found and found[-1][-1] == i - 1 and side.words[i].start - side.words[i - 1].end == 1:
            found[-1].append(int(i))
        else:
            found.append([int(i)])
    return found


def people(side: Side) -> list[list[int]]:
    """Those of the names of a text that have a person's title or given name, as runs of words."""
    given = lexicon().given
    found = []
    for name in runs(side):
        first = side.words[name[0]]
        before = _LAST_WORD.search(side.text[: first.start])
        around = {fold(before[0]) if before else "", first.form}
        titled = not TITLES.isdisjoint(around)
        named = side.text[first.start : first.end].title() in given and (len(name) > 1 or before is None)
        if INSTITUTIONS.isdisjoint(around) and (titled or named):
            found.append(name)
    return found


def unmatched(side: Side) -> float:
    """Share of a caption's names that the article does not have: 0 … 1, 0 without names."""
    names = runs(side)
    if not names:
        return 0.0
    return float(np.mean([1 - side.paragraph_match[name].max(axis=1).mean() for name in names]))


def stranger(side: Side) -> float:
    """1 if the caption names people and the article none of them, else 0.

    A picture of somebody whom the article does not mention illustrates no paragraph of it, whereas an unmentioned
    village may well stand for the region that a paragraph is about.
    """
    known = [float(side.paragraph_match[name].max(axis=1).mean()) for name in people(side)]
    return float(bool(known) and max(known) < 0.5)


def year(side: Side) -> float:
    """1 if the caption names a year that the article does not, else 0: the picture may be of another occasion."""
    unseen = (
        side.paragraph_match[i].max() < 1
        and word.form.isascii()
        and word.form.isdigit()
        and 1800 <= int(word.form) < 2100
        for i, word in enumerate(side.words)
    )
    return float(any(unseen))
