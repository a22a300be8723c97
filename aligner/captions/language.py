"""Which language a few words are in: word and letter statistics of eleven languages, one look-up a word.

A naive Bayes model over words (Cavnar & Trenkle's n-grams for words that it has not seen; see Jauhiainen et al., 2019,
"Automatic Language Identification in Texts: A Survey"). It scores words, not texts, because a caption can be half
English, because names say nothing about the language, and because a verdict must name its words.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from operator import add

from aligner.resources import data

# Letters, an apostrophe that elides ("l'auto", "Spain's"), Catalan's raised dot inside a word.
WORD = re.compile(r"[^\W\d_]+(?:·[^\W\d_]+)*['’]?")
SCALE = 12  # stored log-probabilities are -ln(p) * SCALE in one byte
_GRAM = 4


@dataclass(frozen=True)
class Table:
    """Rows of bytes by sorted keys, looked up by bisection: a dictionary takes longer to fill than a few words take.

    Attributes:
        keys: in code point order.
        rows: ``width`` bytes for each key, one after the other.
        width: bytes a row.
    """

    keys: Sequence[str]
    rows: bytes
    width: int

    def get(self, key: str) -> bytes | None:
        """The row of a key, or None."""
        at = bisect_left(self.keys, key)
        if at == len(self.keys) or self.keys[at] != key:
            return None
        return self.rows[at * self.width : (at + 1) * self.width]

    @cached_property
    def index(self) -> dict[str, int]:
        """The keys' places, for tables that each word is looked up in many times."""
        return dict(zip(self.keys, range(len(self.keys)), strict=True))

    @classmethod
    def load(cls, stored: Mapping[str, str], width: int) -> Table:
        """From its form in the data file."""
        return cls(stored["keys"].split(" "), base64.b64decode(stored["costs"]), width)


@dataclass(frozen=True, slots=True)
class Names:
    """What one language writes around names.

    Attributes:
        heads: common nouns that start names ("palacio" in "Palacio de Cibeles").
        proper: words that are names about as often as not ("flores").
        leads: words, with their capitals, that a person's name follows ("presidente").
        function: the language's most frequent words.
    """

    heads: frozenset[str]
    proper: frozenset[str]
    leads: frozenset[str]
    function: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Word and letter statistics.

    Attributes:
        languages: ISO 639-1 codes, the order of all scores.
        words: for each known word, a byte per language: -12 ln P(word | language).
        grams: for each sequence of 2 to 4 letters, a byte per language: -12 ln P(last letter | letters before).
        names: for each language, what it writes around names.
    """

    languages: tuple[str, ...]
    words: Table
    grams: Table
    names: Mapping[str, Names]

    def word(self, word: str) -> tuple[tuple[float, ...], bool]:
        """How much worse than its best language each language explains a word (nats, <= 0), and whether it is known.

        Args:
            word: in lower case, with a straight apostrophe.
        """
        costs, known = self.costs(word)
        least = min(costs)
        return tuple((least - cost) / SCALE for cost in costs), known

    def costs(self, word: str) -> tuple[Sequence[int], bool]:
        """What each language pays for a word (in units of ``1 / SCALE`` nat), and whether the word is known."""
        costs = self.words.get(word)
        return (self._spell(word), False) if costs is None else (costs, True)

    def _spell(self, word: str) -> list[int]:
        costs = [0] * len(self.languages)
        padded = f"^{word}$"
        where, rows, width = self.grams.index, self.grams.rows, self.grams.width
        for end in range(2, len(padded) + 1):
            for start in range(max(0, end - _GRAM), end - 1):
                at = where.get(padded[start:end])
                if at is not None:
                    costs = list(map(add, costs, rows[at * width : (at + 1) * width]))
                    break
        return costs


@cache
def model() -> LanguageModel:
    """The bundled model, read once."""
    stored = json.loads(data("find-languages.json").read_bytes())
    languages = tuple(stored["languages"])
    names = {
        language: Names(
            frozenset(words["heads"].split()),
            frozenset(words["proper"].split()),
            frozenset(words["leads"].split()),
            tuple(words["function"].split()),
        )
        for language, words in stored["names"].items()
    }
    width = len(languages)
    return LanguageModel(languages, Table.load(stored["words"], width), Table.load(stored["grams"], width), names)
