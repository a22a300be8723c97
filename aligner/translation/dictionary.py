"""Which English words a Spanish word can stand for: a dictionary from word alignments and from lines of our own.

``aligner/translation/fit_dictionary.py`` makes ``aligner/data/dictionary-es-en.tsv.gz``. A line of it is a folded
Spanish word, then its English words with their shares in per cent (``mud:30 clay:12``); or, after ``=``, all that our
own lines say it stands for in captions, the usual word first (``=display case|case``); or, after ``+``, what they say
of a form of a verb, and after a tab what was counted (``+bails out|bails`` … ``shrinking:67``).
"""

from __future__ import annotations

import gzip
from functools import cache, lru_cache

from aligner.resources import data

_ENDINGS = (
    ("ies", "y"),
    ("ied", "y"),
    ("sses", "ss"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("xes", "x"),
    ("ing", ""),
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


class Dictionary:
    """What Spanish words stand for."""

    def __init__(self, text: bytes) -> None:
        """Takes the file's lines in UTF-8, sorted by their bytes."""
        self._text = text

    def _line(self, key: str) -> str:
        """What the file says of a word, by bisection: an index of all of them takes longer to build than a run needs."""
        wanted, low, high = key.encode() + b"\t", 0, len(self._text)
        while low < high:
            start = self._text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = self._text.find(b"\n", start)
            line = self._text[start:end]
            if line.startswith(wanted):
                return line[len(wanted) :].decode()
            if line < wanted:
                low = end + 1
            else:
                high = start
        return ""

    def forms(self, key: str) -> tuple[tuple[str, float], ...]:
        """The English words of a folded Spanish one with their shares, the likeliest first; none if it is not listed."""
        return _known(self, key)[0]

    def stems(self, key: str) -> frozenset[str]:
        """Stems of the English words of a folded Spanish one."""
        return _known(self, key)[1]


@lru_cache(maxsize=20_000)
def _known(listed: Dictionary, key: str) -> tuple[tuple[tuple[str, float], ...], frozenset[str]]:
    line = listed._line(key)
    forms = _parsed(line) if line else ()
    return forms, frozenset(stem(word) for form, _ in forms for word in form.lower().replace("-", " ").split())


def _parsed(line: str) -> tuple[tuple[str, float], ...]:
    own, rest = "", line
    if line[0] in "=+":
        own, _, rest = line[1:].partition("\t")
    pairs = (pair.rpartition(":") for pair in rest.split())
    return (*((form, 1.0) for form in own.split("|") if form), *((form, int(share) / 100) for form, _, share in pairs))


@cache
def dictionary() -> Dictionary:
    """The dictionary, read when first needed."""
    return Dictionary(gzip.decompress(data("dictionary-es-en.tsv.gz").read_bytes()))
