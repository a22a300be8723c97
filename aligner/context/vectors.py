"""Word vectors of the caption's and the article's language in one space, bundled with the package.

Every word has a small vector; a text's vector is the sum of its words' vectors. ``aligner/context/distil.py`` makes
them from a sentence encoder, in the manner of static distillation (Tulkens and van Dongen 2024, "Model2Vec"): English
words so that sums come near the encoder's sentence vectors, Spanish words so that they come near those of the
translation. So "escombros" lies beside "rubble", and a source caption can be compared with an English paragraph even
where its translation went wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aligner.resources import data

Matrix = NDArray[np.float32]


class Vectors:
    """Vectors and rarities of the words of several languages.

    Attributes:
        size: length of a vector.
    """

    def __init__(self, words: dict[str, list[str]], rows: NDArray[np.int8], scales: Matrix, rarity: Matrix) -> None:
        """Takes the words of each language, whose rows follow one another in ``rows``."""
        self.size = int(rows.shape[1])
        self._rows, self._scales, self._rarity = rows, scales, rarity
        self._index: dict[str, dict[str, int]] = {}
        start = 0
        for language, listed in words.items():
            self._index[language] = {word: start + i for i, word in enumerate(listed)}
            start += len(listed)

    @classmethod
    def read(cls, path: Path) -> Vectors:
        """Reads the file that :meth:`write` wrote."""
        with np.load(path) as archive:
            languages = str(archive["languages"]).split()
            words = {language: bytes(archive[f"words_{language}"]).decode().split("\n") for language in languages}
            return cls(words, archive["rows"], archive["scales"], archive["rarity"].astype(np.float32) / 100)

    @staticmethod
    def write(path: Path, words: dict[str, list[str]], vectors: Matrix, rarity: Matrix) -> None:
        """Writes vectors as 8-bit rows with a scale each; ``rarity`` to two decimals."""
        arrays: dict[str, Any] = {
            f"words_{language}": np.frombuffer("\n".join(listed).encode(), np.uint8)
            for language, listed in words.items()
        }
        scales = np.maximum(np.abs(vectors).max(axis=1), 1e-9).astype(np.float32) / 127
        np.savez(
            path,
            languages=np.array(" ".join(words)),
            rows=np.round(vectors / scales[:, None]).astype(np.int8),
            scales=scales.astype(np.float16).astype(np.float32),
            rarity=np.round(rarity * 100).astype(np.uint8),
            **arrays,
        )

    def lookup(self, language: str, forms: Sequence[str]) -> tuple[Matrix, Matrix, NDArray[np.bool_]]:
        """Vectors and rarities of words.

        Args:
            language: ISO 639-1 code; a language without vectors knows no word.
            forms: folded words.

        Returns:
            One row a word (zeros where it is unknown); rarities 0.1 … 1.3 (the highest where it is unknown); whether it
            is known.
        """
        index = self._index.get(language, {})
        rows = np.fromiter((index.get(form, -1) for form in forms), np.int64, len(forms))
        known: NDArray[np.bool_] = rows >= 0
        if not len(self._rows):
            return np.zeros((len(forms), self.size), np.float32), np.full(len(forms), RAREST, np.float32), known
        vectors = self._rows[rows].astype(np.float32) * self._scales[rows, None] * known[:, None]
        return vectors, np.where(known, self._rarity[rows], RAREST).astype(np.float32), known


RAREST = np.float32(1.3)


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
