"""Words, names, numbers and sentences of captions and paragraphs, in forms that can be compared across languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from aligner.resources import data_json

# A word, or a number with its group separators ("60 000", "1,300", "2.5").
# Accents may be characters of their own (NFD).
_LETTERS = r"(?:[^\W\d_][\u0300-\u036f]*)+"
_TOKEN = re.compile(rf"{_LETTERS}(?:['’]{_LETTERS})*|\d+(?:[.,\u00a0\u202f ]\d{{3}}(?!\d))*(?:[.,]\d+)?")
_GROUP = re.compile(r"[.,\s](?=\d{3}(?!\d))")
_OPENING = re.compile(r"[:\"“«¿¡—]")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+(?=[\"'“‘«(\[¿¡]*[A-ZÀ-ÖØ-Þ\d])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Sr|Sra|Jr|Prof|Gen|Col|Sgt|Lt|Capt|Rev|Gov|Sen|Rep|Mt|No|vs|a\.m|p\.m)|\b[A-Z])\.$"
)

_LISTS = data_json("link-words.json")
STOPWORDS: dict[str, frozenset[str]] = {
    language: frozenset(listed.split()) for language, listed in _LISTS["stopwords"].items()
}
# Endings that alternate in one word, by language.
_ENDINGS: dict[str, list[list[str]]] = {
    language: [group.split(" ") for group in groups] for language, groups in _LISTS["endings"].items()
}
DATES = frozenset(_LISTS["dates"].split())
# A number beside one of these is a day or a year.
MONTHS = {"en": DATES, "es": frozenset(_LISTS["months_es"].split())}
# A name that starts with one of these, or stands behind one, is a place or an institution …
INSTITUTIONS = frozenset(_LISTS["institutions"].split())
# … and with one of these it is a person.
TITLES = frozenset(_LISTS["titles"].split())
# "one" and "uno" are articles and pronouns more often than numbers.
_NUMBER_WORDS = {
    language: {word: str(n) for n, word in enumerate(units.split()) if n != 1}
    | {word: str(10 * n) for n, word in enumerate(_LISTS["tens"][language].split(), start=1)}
    for language, units in _LISTS["units"].items()
}

# Spelling differences between transliterations (Khalifa/Jalifa, Kyiv/Kiev) and between cognates (photograph/fotógrafo).
_SKELETON = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"ci(?=on)|ti(?=on)|si(?=on)", "zi"),
        (r"tch|tsch|tx|ch|sch|sh", "x"),
        (r"kh|gh|j(?=[aou])|h(?=[aeiou])|g(?=[ei])", "j"),
        (r"zh", "x"),
        (r"ph|ff", "f"),
        (r"th|tt", "t"),
        (r"ck|qu|q|c(?![ei])", "k"),
        (r"c(?=[ei])|ss|s", "z"),
        (r"dj", "j"),
        (r"w|ou|oo", "u"),
        (r"y|ee", "i"),
        (r"b", "v"),
        (r"(.)\1", r"\1"),
    )
]


class Word(NamedTuple):
    """A word or number of a text.

    Attributes:
        form: lower case, without accents and without an English possessive; digits only for numbers.
        start: offset in the text.
        end: offset just after it.
        capital: it starts with a capital letter.
        first: it opens a sentence, so that its capital says nothing.
    """

    form: str
    start: int
    end: int
    capital: bool
    first: bool

    @property
    def number(self) -> bool:
        """Whether the word is written in digits."""
        return self.form[0].isdigit()


def fold(text: str) -> str:
    """Lower case without accents."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


@lru_cache(maxsize=16)
def words(text: str) -> tuple[Word, ...]:
    """The words and numbers of a text, in order; a caption's are asked for twice in a row."""
    starts = {start for start, _ in sentences(text)}
    found: list[Word] = []
    end = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        between = text[end : match.start()]
        first = not found or match.start() in starts
        if not first and between != " ":
            first = between == " - " or _OPENING.search(between) is not None
        if token[0].isdigit():
            form = token if token.isdigit() else _GROUP.sub("", token).replace(",", ".")
        else:
            form = fold(token)
            form = re.sub(r"['’]s?$", "", form) if "'" in form or "’" in form else form
        if form:
            end = match.end()
            found.append(Word(form, match.start(), end, token[0].isupper(), first))
    return tuple(found)


def value(form: str, language: str) -> str | None:
    """The number that a word stands for, in digits ("siete", "seven" and "7" give "7"); None for other words."""
    if form[0].isdigit():
        return form
    return _NUMBER_WORDS.get(language, {}).get(form)


def inflections(form: str, language: str) -> Iterator[str]:
    """Spellings that can be other inflections of a word, likelier ones first: "tranvias" gives "tranvia"."""
    for group in _ENDINGS.get(language, ()):
        for ending in sorted(group, key=len, reverse=True):
            if form.endswith(ending) and len(form) - len(ending) > 2:
                stem = form[: len(form) - len(ending)]
                yield from (stem + other for other in group if other != ending)


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of a paragraph, without the white space around them."""
    spans = []
    start = len(text) - len(text.lstrip())
    for match in _SENTENCE_END.finditer(text):
        if match[0].startswith(".") and _ABBREVIATION.search(text[start : match.start() + 1]):
            continue
        spans.append((start, match.start() + len(match[0].rstrip())))
        start = match.end()
    end = len(text.rstrip())
    if start < end:
        spans.append((start, end))
    return spans


@lru_cache(maxsize=50_000)
def skeleton(form: str) -> str:
    """A spelling in which transliterations and cognates come out alike or nearly so."""
    for pattern, replacement in _SKELETON:
        form = pattern.sub(replacement, form)
    return form
