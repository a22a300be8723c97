"""The list of names that differ between Spanish and English, and of English words."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from aligner.resources import data
from aligner.translation.spelling import fold


@dataclass(frozen=True, slots=True)
class Entry:
    """What the list knows of a Spanish name.

    Attributes:
        kind: ``place``, ``institution``, ``person``, ``acronym``, ``demonym``, ``title`` or ``word``.
        senses: its English names; each is a tuple of spellings of one name.
    """

    kind: str
    senses: tuple[tuple[str, ...], ...]

    @property
    def forms(self) -> list[str]:
        """All English names."""
        return [form for sense in self.senses for form in sense]


class Lexicon:
    """Names that differ between Spanish and English (``aligner/data/names-es-en.json``)."""

    def __init__(self, listed: dict[str, dict[str, str]]) -> None:
        """Takes English names by kind and by folded Spanish name."""
        self._raw = {(key, kind): english for kind, names in listed.items() for key, english in names.items()}
        self._kinds: defaultdict[str, list[str]] = defaultdict(list)
        self._longest: dict[str, int] = {}
        for key, kind in self._raw:
            self._kinds[key].append(kind)
            first, size = key.split(" ", 1)[0], key.count(" ") + 1
            self._longest[first] = max(size, self._longest.get(first, 0))

    def entries(self, key: str) -> list[Entry]:
        """The entries of a folded Spanish name."""
        return [Entry(kind, _senses(self._raw[key, kind])) for kind in self._kinds.get(key, ())]

    def longest(self, first: str) -> int:
        """Words of the longest name that begins with a word."""
        return self._longest.get(first, 0)

    def __contains__(self, key: str) -> bool:
        return key in self._kinds

    def names(self, kind: str) -> Iterator[str]:
        """All English names of a kind."""
        return (form for (_, k), raw in self._raw.items() if k == kind for sense in _senses(raw) for form in sense)

    def english(self) -> frozenset[str]:
        """Folded words of all English names."""
        return frozenset(re.findall(r"[^\W_]+", fold(" ".join(self._raw.values()))))


def _senses(raw: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(form.strip() for form in sense.split("|")) for sense in raw.split(";"))


@cache
def lexicon() -> Lexicon:
    """The list, read when first needed."""
    read = json.loads(data("names-es-en.json").read_text(encoding="utf-8"))
    return Lexicon({kind: names for kind, names in read.items() if kind != "about"})


@cache
def english_words() -> frozenset[str]:
    """Folded words of all English names."""
    return lexicon().english()


@cache
def english_names(kind: str) -> frozenset[str]:
    """English names of one word of a kind."""
    return frozenset(form for form in lexicon().names(kind) if " " not in form and form[0].isupper())


def is_english(key: str) -> bool:
    """Whether a folded word is a frequent English one, as far as the word lists of the package go."""
    from aligner.context.vectors import bundled_vectors

    return key in english_words() or bundled_vectors().frequent("en", key)


def is_english_name(form: str, kind: str) -> bool:
    """Whether a capitalised word is an English name of a kind, say ``place`` or ``demonym``."""
    return form in english_names(kind)
