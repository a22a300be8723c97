"""Texts split where a model needs them shorter, so that the pieces joined again are the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise

from aligner.resources import data_json

_END = re.compile(r"""[.!?…]+["'\u201d\u2019»)\]]*(?=\s+["'\u201c\u2018«(\[¿¡]*[A-ZÁÉÍÓÚÜÑÇ0-9])""")
_CLAUSE = re.compile(r"[;:](?=\s)|\s[–—-](?=\s)|,(?=\s)")
_LAST_WORD = re.compile(r"[\w.ªº]+$")


def sentences(text: str) -> list[str]:
    """Sentences with the white space after them; joined they are the text.

    Rules for Spanish news: a sentence ends at ``.``, ``!``, ``?`` or ``…`` (and closing quotes) before white
    space and a capital or a digit, but not after an abbreviation, an initial ("J. M. Aznar") or a number in a
    list.
    """
    parts: list[str] = []
    start = 0
    for match in _END.finditer(text):
        if text[match.start() : match.start() + 1] == "." and match[0].startswith(".") and len(match[0]) == 1:
            word = _LAST_WORD.search(text, start, match.start())
            if word and _keeps_going(word[0]):
                continue
        end = match.end()
        while end < len(text) and text[end].isspace():
            end += 1
        parts.append(text[start:end])
        start = end
    if start < len(text):
        parts.append(text[start:])
    return parts


@cache
def _abbreviations() -> frozenset[str]:
    """Words, in lower case, after which a full stop does not end the sentence."""
    read = data_json("translation-es-en.json")
    return frozenset(read["abbreviations"].split())


def _keeps_going(word: str) -> bool:
    if word.lower() in _abbreviations():
        return True
    if len(word) == 1 and word.isalpha():
        return word.isupper()
    # "EE.UU.", "S.A.": dotted capitals; whether the sentence ends there cannot be told, and a split there is
    # worse.
    return "." in word and word.replace(".", "").isupper()


def split(text: str, fits: Callable[[str], bool], *, by_sentence: bool) -> list[str]:
    """Splits a text into pieces that fit: at sentence ends, else clauses, else words, else anywhere.

    Args:
        text: any text.
        fits: whether a piece is short enough; must hold for every single character.
        by_sentence: split at every sentence end even if the text fits as a whole.

    Returns:
        Pieces with the white space between them left at their ends: joined they are the text.
    """
    if not by_sentence and fits(text):
        return [text] if text else []
    parts = sentences(text)
    if not by_sentence:
        parts = _packed(parts, fits)
    return [piece for part in parts for piece in _shortened(part, fits)]


def clauses(text: str) -> list[str]:
    """Pieces of a sentence that end at a comma, semicolon, colon or dash; joined they are the text."""
    return _cut(text, [match.end() for match in _CLAUSE.finditer(text)])


def _shortened(part: str, fits: Callable[[str], bool]) -> list[str]:
    if fits(part):
        return [part]
    for finer in (clauses, _words, _halves):
        pieces = finer(part)
        if len(pieces) > 1:
            return [small for piece in _packed(pieces, fits) for small in _shortened(piece, fits)]
    return [part]


def _words(text: str) -> list[str]:
    return _cut(text, [match.start() for match in re.finditer(r"(?<=\S)\s+(?=\S)", text)])


def _halves(text: str) -> list[str]:
    return _cut(text, [len(text) // 2])


def _cut(text: str, ends: list[int]) -> list[str]:
    bounds = [0, *ends, len(text)]
    return [text[a:b] for a, b in pairwise(bounds) if a < b]


def _packed(parts: list[str], fits: Callable[[str], bool]) -> list[str]:
    """Neighbours joined again while they fit together."""
    packed: list[str] = []
    for part in parts:
        if packed and fits(packed[-1] + part):
            packed[-1] += part
        else:
            packed.append(part)
    return packed
