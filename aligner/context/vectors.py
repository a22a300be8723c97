"""Word vectors of the article's language, a lexicon into it from the captions' language, bundled with the package.

``aligner/context/distil.py`` makes them. Words are compared by the vectors that a sentence encoder gives to English
words alone; a Spanish word is the weighted mean of the English words that it is translated by in parallel text. So
"escombros" lies beside "rubble", and a source caption can be compared with an English paragraph even where its
translation went wrong. Texts are compared by sums of further vectors, which were trained so that the sums come near the
encoder's sentence vectors, in the manner of static distillation (Tulkens and van Dongen 2024, "Model2Vec").
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aligner.context.words import inflections
from aligner.resources import data

Matrix = NDArray[np.float32]
Packed = NDArray[np.uint8]

RAREST = np.float32(1.3)
_DOUBLED = re.compile(r"([^\W\d])\1+")


def pack(vectors: Matrix) -> Packed:
    """Rows of an even length in 4 bits a number, each row stretched to its own largest number."""
    top = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    levels = (np.round(vectors / top * 7) + 8).astype(np.uint8)
    packed: Packed = levels[:, ::2] << 4 | levels[:, 1::2]
    return packed


def unpack(packed: Packed) -> Matrix:
    """The directions of packed rows: numbers from -7 to 7."""
    rows = np.empty((len(packed), packed.shape[1] * 2), np.float32)
    rows[:, ::2], rows[:, 1::2] = packed >> 4, packed & 15
    rows -= 8
    return rows


@dataclass(frozen=True, slots=True)
class Language:
    """The words of a language.

    Attributes:
        words: folded words.
        rarity: how much each tells, 0.1 … 1.3.
        links: per word, the words of the first language that it stands for, by their number; None for that language.
        weights: per word and link, its share.
        summed: numbers of the words that have a row among the vectors for texts.
    """

    words: list[str]
    rarity: Matrix
    links: NDArray[np.uint16] | None
    weights: Matrix | None
    summed: NDArray[np.int64]


class Vectors:
    """Vectors and rarities of the words of several languages.

    Attributes:
        size: length of a word's vector.
    """

    def __init__(
        self, languages: dict[str, Language], rows: Packed, texts: Packed, lengths: Matrix, projection: Matrix
    ) -> None:
        """Takes everything as :meth:`read` finds it.

        Args:
            languages: the words by ISO 639-1 code; the first language is the one that the others link to.
            rows: packed vectors of the first language's words.
            texts: packed vectors for sums, those of the languages one after another.
            lengths: the length of each of ``texts``.
            projection: from a word's vector, times its rarity, to one for sums, for words without a row in ``texts``.
        """
        self.size = rows.shape[1] * 2
        self._languages, self._rows, self._texts = languages, rows, texts
        self._lengths, self._projection = lengths, projection
        self._index = {code: {word: i for i, word in enumerate(lang.words)} for code, lang in languages.items()}
        # An article's words come again in its captions, and frequent ones in every article.
        self._place = lru_cache(maxsize=30_000)(self._seek)
        self._summed: dict[str, NDArray[np.int64]] = {}
        start = 0
        for code, lang in languages.items():
            self._summed[code] = np.full(len(lang.words), -1, np.int64)
            self._summed[code][lang.summed] = np.arange(start, start + len(lang.summed))
            start += len(lang.summed)

    @classmethod
    def read(cls, path: Path) -> Vectors:
        """Reads the file that :meth:`write` wrote."""
        languages = {}
        with np.load(path) as archive:
            for code in str(archive["languages"]).split():
                words = zlib.decompress(archive[f"words_{code}"].tobytes()).decode().split("\n")
                linked = f"links_{code}" in archive
                languages[code] = Language(
                    words,
                    archive[f"rarity_{code}"].astype(np.float32) / 100,
                    archive[f"links_{code}"] if linked else None,
                    archive[f"weights_{code}"].astype(np.float32) / 255 if linked else None,
                    np.flatnonzero(np.unpackbits(archive[f"summed_{code}"], count=len(words))),
                )
            lengths, projection = archive["lengths"].astype(np.float32), archive["projection"].astype(np.float32)
            return cls(languages, archive["rows"], archive["texts"], lengths, projection)

    @staticmethod
    def write(path: Path, languages: dict[str, Language], rows: Matrix, texts: Matrix, projection: Matrix) -> None:
        """Writes vectors, packed; ``texts`` in the order of the languages' ``summed``."""
        arrays: dict[str, Any] = {}
        for code, lang in languages.items():
            mask = np.zeros(len(lang.words), bool)
            mask[lang.summed] = True
            arrays[f"words_{code}"] = np.frombuffer(zlib.compress("\n".join(lang.words).encode(), 9), np.uint8)
            arrays[f"rarity_{code}"] = np.round(lang.rarity * 100).astype(np.uint8)
            arrays[f"summed_{code}"] = np.packbits(mask)
            if lang.links is not None and lang.weights is not None:
                arrays[f"links_{code}"] = lang.links.astype(np.uint16)
                arrays[f"weights_{code}"] = np.round(lang.weights * 255).astype(np.uint8)
        np.savez_compressed(
            path,
            languages=np.array(" ".join(languages)),
            rows=pack(rows),
            texts=pack(texts),
            lengths=np.linalg.norm(texts, axis=1).astype(np.float16),
            projection=projection.astype(np.float16),
            **arrays,
        )

    def words(self, language: str) -> list[str]:
        """The folded words of a language."""
        return self._languages[language].words

    def sums(self, language: str) -> tuple[list[str], Matrix]:
        """The words that were trained for sums, and their vectors."""
        lang = self._languages[language]
        words = [lang.words[i] for i in lang.summed]
        return words, self.summands(language, words)

    def _number(self, language: str, form: str) -> int:
        """Number of a word, or of an inflection of it; -1 where there is neither."""
        index = self._index.get(language, {})
        found = index.get(form)
        if found is None:
            found = next((index[other] for other in inflections(form, language) if other in index), -1)
        return found

    def _find(self, language: str, forms: Sequence[str]) -> NDArray[np.int64]:
        """Numbers of words; of an inflection, or of the word typed without doubled letters, instead; else -1."""
        return np.array([self._place(language, form) for form in forms], np.int64)

    def _seek(self, language: str, form: str) -> int:
        found = self._number(language, form)
        if found < 0 and (single := _DOUBLED.sub(r"\1", form)) != form:
            found = self._number(language, single)
        return found

    def frequent(self, language: str, form: str) -> bool:
        """Whether a folded word itself, not an inflection of it, is among the most frequent: those trained for sums."""
        number = self._index.get(language, {}).get(form)
        return number is not None and bool(self._summed[language][number] >= 0)

    def knows(self, language: str, form: str) -> bool:
        """Whether a folded word or an inflection of it is listed."""
        return self._number(language, form) >= 0

    def links(self, language: str, form: str) -> list[tuple[str, float]]:
        """The words of the first language that a folded word or an inflection of it stands for, with their weights."""
        number = int(self._find(language, [form])[0])
        lang = self._languages.get(language)
        if number < 0 or lang is None or lang.links is None or lang.weights is None:
            return []
        words = next(iter(self._languages.values())).words
        pairs = zip(lang.links[number].tolist(), lang.weights[number].tolist(), strict=True)
        return [(words[link], weight) for link, weight in pairs if weight > 0]

    def _vectors(self, language: str, numbers: NDArray[np.int64]) -> Matrix:
        lang = self._languages[language]
        if lang.links is None or lang.weights is None:
            return unit(unpack(self._rows[numbers]))
        links = lang.links[numbers]
        rows = unit(unpack(self._rows[links.ravel()])).reshape(*links.shape, self.size)
        return unit(np.einsum("nk,nkd->nd", lang.weights[numbers], rows))

    def _lookup(self, language: str, numbers: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
        known = numbers >= 0
        vectors = np.zeros((len(numbers), self.size), np.float32)
        rarities = np.full(len(numbers), RAREST, np.float32)
        if known.any():
            vectors[known] = self._vectors(language, numbers[known])
            rarities[known] = self._languages[language].rarity[numbers[known]]
        return vectors, rarities

    def lookup(self, language: str, forms: Sequence[str]) -> tuple[Matrix, Matrix, NDArray[np.bool_]]:
        """Vectors and rarities of words.

        Args:
            language: ISO 639-1 code; a language without vectors knows no word.
            forms: folded words.

        Returns:
            One row of length 1 a word (zeros where it is unknown); rarities 0.1 … 1.3 (the highest where it is
            unknown); whether it is known.
        """
        numbers = self._find(language, forms)
        return (*self._lookup(language, numbers), numbers >= 0)

    def senses(self, language: str, forms: Sequence[str]) -> tuple[Matrix, Matrix, Matrix]:
        """Vectors of all that words can stand for.

        Args:
            language: ISO 639-1 code; a language without vectors knows no word.
            forms: folded words.

        Returns:
            Words × senses × size, rows of length 1; words × senses, how likely each is beside the likeliest, 0 … 1
            (0 where there is none); rarities as of :meth:`lookup`. In the first language a word has one sense, itself.
        """
        numbers = self._find(language, forms)
        known = np.flatnonzero(numbers >= 0)
        lang = self._languages.get(language)
        linked = lang.links if lang else None
        likely = np.zeros((len(forms), linked.shape[1] if linked is not None else 1), np.float32)
        vectors = np.zeros((*likely.shape, self.size), np.float32)
        rarities = np.full(len(forms), RAREST, np.float32)
        if lang and len(known):
            numbers = numbers[known]
            chosen = numbers[:, None] if linked is None else linked[numbers]
            vectors[known] = unit(unpack(self._rows[chosen.ravel()])).reshape(*chosen.shape, self.size)
            likely[known] = 1 if lang.weights is None else lang.weights[numbers]
            rarities[known] = lang.rarity[numbers]
        return vectors, likely, rarities

    def summands(self, language: str, forms: Sequence[str]) -> Matrix:
        """What each word adds to the meaning of a text, one row a word; zeros for unknown words."""
        numbers = self._find(language, forms)
        rows = np.zeros((len(forms), self._projection.shape[1]), np.float32)
        if not (numbers >= 0).any():
            return rows
        trained = np.where(numbers >= 0, self._summed[language][numbers], -1)
        have, rest = trained >= 0, (trained < 0) & (numbers >= 0)
        rows[have] = unit(unpack(self._texts[trained[have]])) * self._lengths[trained[have], None]
        vectors, rarities = self._lookup(language, numbers[rest])
        rows[rest] = (vectors * rarities[:, None]) @ self._projection
        return rows


def rarity(count: Any, sentences: float) -> Any:
    """How much a word with that count in so many sentences tells: 0.1 (a function word) … 1.3 (a rare one)."""
    return np.clip(np.log(sentences / (count + 1.0)) / 8.0, 0.1, RAREST)


def unit(vectors: Matrix) -> Matrix:
    """Rows scaled to length 1; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


@lru_cache(maxsize=1)
def bundled_vectors() -> Vectors:
    """The vectors that come with the package, read once."""
    return Vectors.read(data("link-vectors.npz"))
