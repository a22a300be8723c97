"""Captions in capitals: given back their ordinary case before translation, and their capitals after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from aligner.resources import data_json
from aligner.translation.spelling import fold
from aligner.translation.text import literal_spans, without_literals

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_STARTS = re.compile(r"(?:^|[.!?…:]\s+|[.!?…:]\s*[\"'«“(\[]\s*|^[\"'«“(\[¿¡\s]+)[¿¡\"'«“(\[]*$")
_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{1,3}|V|X|L|C)?")
_SPOKEN = frozenset("AEIOUÁÉÍÓÚÜY")
# Titles that are surnames too, where no article stands before them.
_RULERS = frozenset(["rey", "reyes", "reina", "conde", "duque", "marqués", "papa"])
_ARTICLES = frozenset(["el", "la", "los", "las", "al", "del"])
#: Share of a text's letters that must be capitals for it to count as written in capitals.
SHARE = 0.8


def is_capitals(text: str) -> bool:
    """Whether a text is written in capitals throughout; acronyms alone do not count."""
    if text[1:12].islower():  # nearly every caption
        return False
    letters = [char for char in without_literals(text) if char.isalpha()]
    upper = sum(char.isupper() for char in letters)
    if len(letters) < 6 or upper < SHARE * len(letters):
        return False
    words = [word for word in _WORD.findall(text) if word.isupper()]
    return any(len(word) > 5 or word.lower() in lexicon().lower for word in words)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Spanish words by how they are written inside a sentence of running text.

    Attributes:
        lower: hardly ever with a capital.
        either: with a capital in a name ("Cruz", "Blanco"), else without.
        upper: acronyms.
        shared: of the words in ``lower`` and ``either`` those that English has too.
    """

    lower: frozenset[str]
    either: frozenset[str]
    upper: frozenset[str]
    shared: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """The word lists, read when first needed."""
    read = data_json("words-es-en.json")
    return Lexicon(*(frozenset(read[name].split()) for name in ("lower", "either", "upper", "shared")))


def truecase(text: str) -> str:
    """Ordinary case for a Spanish text in capitals; every character keeps its place.

    Words that running text writes small become small, acronyms stay, unknown words are taken for names, and
    words that are both follow their neighbours. URLs, handles and hashtags stay as they are.
    """
    known = lexicon()
    kept = [match.span() for match in literal_spans(text)]
    words = [m for m in _WORD.finditer(text) if not any(a <= m.start() < b for a, b in kept)]
    kinds = [_kind(m[0], known) for m in words]
    kinds = ["lower" if kind == "name" and _is_word(m[0]) else kind for m, kind in zip(words, kinds, strict=True)]
    out = list(text)
    for i, (match, kind) in enumerate(zip(words, kinds, strict=True)):
        if kind == "either":
            beside = [
                kinds[j]
                for j, gap in ((i - 1, _gap(text, words, i - 1)), (i + 1, _gap(text, words, i)))
                if gap and 0 <= j < len(words)
            ]
            kind = "name" if "name" in beside else "lower"
        if match[0].lower() in _RULERS and i and words[i - 1][0].lower() in _ARTICLES:
            kind = "lower"
        if kind == "lower" and _STARTS.search(text[: match.start()]):
            kind = "name"
        out[match.start() : match.end()] = _cased(match[0], kind)
    return "".join(out)


def _gap(text: str, words: list[re.Match[str]], i: int) -> bool:
    """Whether only one space stands between words i and i + 1."""
    return 0 <= i < len(words) - 1 and text[words[i].end() : words[i + 1].start()] == " "


def _kind(word: str, known: Lexicon) -> str:
    lowered = word.lower()
    if not word.isupper():  # a word that has its case: "iPhone", "McDonald"
        return "kept"
    if lowered in known.upper or (len(word) > 1 and lowered not in known.lower and _unspeakable(word)):
        return "kept"
    if lowered in known.lower:
        return "lower"
    return "either" if lowered in known.either else "name"


def _is_word(word: str) -> bool:
    """Whether the dictionary has English for a word that is no name of the lists: "SALUDAN"."""
    from aligner.captions.credits import lexicon as credits
    from aligner.translation.dictionary import dictionary, stem
    from aligner.translation.namelist import lexicon as names

    key = fold(word)
    if word.capitalize() in credits().given or any(entry.kind == "place" for entry in names().entries(key)):
        return False
    found = dictionary().word(key, word.lower())
    return bool(found.forms) and stem(key) not in found.stems


def _unspeakable(word: str) -> bool:
    return len(word) <= 5 and (not _SPOKEN & set(word) or (len(word) > 1 and _ROMAN.fullmatch(word) is not None))


def _cased(word: str, kind: str) -> list[str]:
    if kind == "kept":
        return list(word)
    lowered = [_one(char, char.lower()) for char in word]
    if kind == "name":
        lowered[0] = _one(lowered[0], lowered[0].upper())
    return lowered


def capitals(text: str) -> str:
    """A text in capitals; URLs, handles and hashtags stay as they are, every character keeps its place."""
    out: list[str] = []
    end = 0
    for match in literal_spans(text):
        out += [_one(char, char.upper()) for char in text[end : match.start()]] + [match[0]]
        end = match.end()
    return "".join(out + [_one(char, char.upper()) for char in text[end:]])


def _one(char: str, changed: str) -> str:
    """The changed form unless it is longer ("ß" → "SS"): offsets must stay."""
    return changed if len(changed) == 1 else char
