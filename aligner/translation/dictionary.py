"""Which English words a Spanish word can stand for: a dictionary from word alignments and from lines of our own.

``aligner/translation/fit_dictionary.py`` makes ``aligner/data/dictionary-es-en.tsv.gz``. A line of it is a Spanish
word, folded but for an accent on a last o ("marco", "marcó"), then its English words with their shares in per cent
(``mud:30 clay:12``); or, after ``=``, all that our own lines say it stands for in captions, the usual word first
(``=display case|case``); or, after ``+``, what they say of a form of a verb; behind it a tab and what was counted.
Names that stay as they are stand in their own spelling.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from aligner.resources import data
from aligner.translation.spelling import fold

_ENDINGS = (
    ("ies", "y"),
    ("ied", "y"),
    ("sses", "ss"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("xes", "x"),
    ("ing", ""),
    ("iest", "y"),
    ("est", ""),
    ("ily", "y"),
    ("ly", ""),
    ("ier", "y"),
    ("er", ""),
    ("ed", ""),
    ("es", "e"),
    ("s", ""),
)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """An English word without its inflection, to compare with others; it may be no word."""
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > 2 and not word.endswith("ss"):
            word = word[: -len(ending)] + instead
            break
    word = word.removesuffix("e")
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


class Phrase(NamedTuple):
    """Several Spanish words that stand for something together.

    Attributes:
        words: them, folded.
        forms: what they stand for, the usual one first.
    """

    words: tuple[str, ...]
    forms: tuple[str, ...]


class Word(NamedTuple):
    """What a Spanish word stands for.

    Attributes:
        forms: English words with their shares, the likeliest first.
        stems: the stems of their words.
        phrases: those that begin with it, the longest first.
    """

    forms: tuple[tuple[str, float], ...]
    stems: frozenset[str]
    phrases: tuple[Phrase, ...]


NOTHING = Word((), frozenset(), ())


def _start(text: bytes, wanted: bytes) -> int:
    """Where the first of a text's sorted lines that is not before ``wanted`` begins.

    By bisection: an index of all lines takes longer to build than a run needs for its few words.
    """
    low, high = 0, len(text)
    while low < high:
        start = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = text.find(b"\n", start) + 1
        if text[start:end] < wanted:
            low = end
        else:
            high = start
    return low


class Dictionary:
    """What Spanish words stand for."""

    def __init__(self, text: bytes) -> None:
        """Takes the file's lines in UTF-8, sorted by their bytes."""
        self._text = text

    def lines(self, key: str) -> Iterator[tuple[str, str]]:
        """(Spanish, English) of the lines of a folded word and of the phrases that begin with it."""
        wanted = key.encode()
        start = _start(self._text, wanted + b"\t")
        while self._text.startswith((wanted + b"\t", wanted + b" "), start):
            end = self._text.find(b"\n", start)
            spanish, _, english = self._text[start:end].decode().partition("\t")
            yield spanish, english
            start = end + 1

    def word(self, key: str, form: str = "") -> Word:
        """What a Spanish word stands for, alone and in phrases that begin with it.

        Args:
            key: the folded word; or, for names that stay as they are, the first word of one as it is printed.
            form: as it is printed. An accent on its last o tells a verb from a noun: "público" is an audience,
                "publicó" is not; without one it can be either (``stems``), the noun rather (``forms``).
        """
        return _word(self, key, form.endswith(("ó", "Ó")))


@lru_cache(maxsize=20_000)
def _word(listed: Dictionary, key: str, accented: bool) -> Word:
    lines = dict(listed.lines(key))
    phrases = [
        Phrase(tuple(words.split()), tuple(line[1:].split("|"))) for words, line in lines.items() if " " in words
    ]
    other = key[:-1] + "ó" if key.endswith("o") else ""
    verb = dict(listed.lines(other)).get(other, "") if other else ""
    nouns, verbs = _parsed(lines.get(key, "")), _parsed(verb)
    forms = (verbs or nouns) if accented else (nouns or verbs)
    if not forms and not phrases:
        return NOTHING
    possible = forms if accented else (*nouns, *verbs)
    stems = frozenset(stem(word) for form, _ in possible for word in form.lower().replace("-", " ").split())
    return Word(forms, stems, tuple(sorted(phrases, key=lambda phrase: -len(phrase.words))))


def _parsed(line: str) -> tuple[tuple[str, float], ...]:
    own, rest = "", line
    if line[:1] in ("=", "+"):
        own, _, rest = line[1:].partition("\t")
        if line[0] == "=":
            rest = ""
    pairs = (pair.rpartition(":") for pair in rest.split())
    return (*((form, 1.0) for form in own.split("|") if form), *((form, int(share) / 100) for form, _, share in pairs))


def stressed(word: str) -> str:
    """A Spanish word folded but for an accent on a last o, as the lines are listed."""
    return fold(word[:-1]) + "ó" if word.endswith(("ó", "Ó")) else fold(word)


@cache
def dictionary() -> Dictionary:
    """The dictionary, read when first needed."""
    return Dictionary(gzip.decompress(data("dictionary-es-en.tsv.gz").read_bytes()))


@lru_cache(maxsize=20_000)
def is_listed(word: str) -> bool:
    """Whether a folded word is one of English (:mod:`aligner.translation.fit_english`); names are not listed."""
    line = word.encode() + b"\n"
    return _english().startswith(line, _start(_english(), line))


@cache
def _english() -> bytes:
    return gzip.decompress(data("words-en.txt.gz").read_bytes())
