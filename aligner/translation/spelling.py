"""How far apart two spellings of a name are: "Jalifa" and "Khalifa", "Zelenskiy" and "Zelensky".

Letters that stand for one sound in different transliterations count as alike.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate

# Letters and groups of letters, and the sounds that Spanish, English and French spellings mean by them.
_SOUNDS = {
    "shch": "S", "tsch": "C", "sch": "S", "tch": "C", "ch": "CSKX", "sh": "SC", "zh": "JY", "kh": "XKH", "gh": "GXH",
    "ph": "F", "th": "TZ", "dh": "DZ", "dj": "JY", "ts": "zs", "tz": "zs", "ck": "K", "qu": "K", "ll": "LY",
    "ou": "UWO", "oo": "U", "ee": "I", "iy": "IY",
    "a": "A", "e": "E", "i": "IY", "o": "O", "u": "UW", "y": "IYJ", "w": "UWV", "j": "XYJH", "h": "HXG", "g": "GXHJ",
    "x": "XKsS", "c": "Ks", "q": "KG", "k": "K", "s": "sz", "z": "zsZ", "b": "BV", "v": "VBFW", "f": "FV",
    "t": "T", "d": "D", "p": "P", "l": "L", "m": "M", "n": "N", "r": "R",
}  # fmt: skip
_UNIT = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)) + "|.")
_VOWELS = frozenset("AEIOUWY")
_LIKE, _VOWEL, _FAR = 0.1, 0.5, 2.0
_DROPPED = {"h": 0.15, "e": 0.4, "y": 0.3, "i": 0.4}


def fold(text: str) -> str:
    """Small letters without accents."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.lower().replace("ø", "o").replace("ł", "l").replace("ı", "i"))
    return "".join(char for char in folded if not unicodedata.combining(char))


@lru_cache(maxsize=20_000)
def _units(word: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Groups of letters of a folded word with their sounds; a doubled consonant is one."""
    word = re.sub(r"(?!ll|oo|ee)(.)\1", r"\1", word)
    return tuple((unit, frozenset(_SOUNDS.get(unit, unit))) for unit in _UNIT.findall(word))


def distance(one: str, other: str, farthest: float = 10.0) -> float:
    """Distance of two folded words, a share of the longer one's letters: 0 for equal ones, 10 beyond ``farthest``.

    Sounds alike cost a tenth of a letter, one vowel for another half of it. A last "a" or "o" is as good as a
    consonant, since it tells "Antonio" from "Antonia". (Weighted edit distance, Wagner and Fischer 1974.)
    """
    if one == other:
        return 0.0
    a, b = _units(one), _units(other)
    most = farthest * max(len(a), len(b)) + 1e-6
    left_out = [_dropped(b, j) for j in range(len(b))]
    row = [0.0, *accumulate(left_out)]
    for i, (letters, sounds) in enumerate(a):
        out = _dropped(a, i)
        last, row = row, [row[0] + out]
        for j, (others, also) in enumerate(b):
            if letters == others:
                cost = 0.0
            elif sounds & also:
                cost = _LIKE
            elif sounds & _VOWELS and also & _VOWELS:
                final = i == len(a) - 1 and j == len(b) - 1
                cost = _FAR if final and {letters, others} & {"a", "o"} else _VOWEL
            else:
                cost = _FAR
            row.append(min(last[j] + cost, last[j + 1] + out, row[j] + left_out[j]))
        if min(row) > most:
            return 10.0
    return row[-1] / max(len(a), len(b))


def _dropped(units: tuple[tuple[str, frozenset[str]], ...], i: int) -> float:
    """The cost of leaving out a group of letters."""
    letters, sounds = units[i]
    if letters in _DROPPED:
        return _DROPPED[letters]
    return _VOWEL if sounds <= _VOWELS and 0 < i < len(units) - 1 else _FAR
