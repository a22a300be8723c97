"""Spanish credits in English: labels and formulae by a table, agencies and names untouched.

The table is ``credit_formulas`` of ``aligner/data/translation-es-en.json``. Its sections say where a phrase counts:
``labels`` anywhere but before "de", "del", "en" and "por"; ``before_names`` only before a name or a handle, where "de"
takes the articles of names with it ("del", "de la": "of the"); ``before_colons`` and ``last`` as their names say;
``anywhere``. A phrase is given as alternatives parted by "/", each with the words that follow.
"""

from __future__ import annotations

import re
from functools import cache

from aligner.resources import data_json

#: What follows a phrase in each section of the table, the longest phrase is tried first.
_FOLLOWS = {
    "before_names": r"(?-i:(?=:?\s+(?:[A-ZÁÉÍÓÚÑÜ@\d]|(?:el|la|los|las)\s+[A-ZÁÉÍÓÚÑÜ])))",
    "before_colons": r"(?=\s*:)",
    "anywhere": r"(?!\w)",
    "last": r"(?=\s*(?:[)\]|/.,;·–—-]|$))",
    "labels": r"(?=:?\s|\s?[/|]|$)(?!\s(?:de|del|en|por)\b)",
}
_SMALL = re.compile(r"(?<![\w.@/#-])[a-záéíóúñü]+(?![\w.@/-])")
_IN_NAMES = frozenset({"de", "del", "la", "las", "el", "los", "y", "e", "i", "da", "do", "dos", "van", "von", "vía"})


def _phrases(spanish: str, english: str) -> list[tuple[str, str]]:
    """Each way to write a phrase, with its English: those that end in "de" with articles too."""
    made = []
    for phrase in spanish.split("/"):
        made.append((phrase, english))
        if phrase == "de" or phrase.endswith(" de"):
            made += [(phrase + "l", f"{english} the")] + [(f"{phrase} {the}", f"{english} the") for the in _ARTICLES]
    return made


_ARTICLES = ("la", "los", "las")
#: Letters of phrases that count in small letters only.
_SHORT = 3


def _written(phrase: str) -> str:
    """A pattern of a phrase: accents may lack, spaces may be several; "Vía Crucis" has no "via"."""
    plain = str.maketrans({"á": "[aá]", "é": "[eé]", "í": "[ií]", "ó": "[oó]", "ú": "[uú]"})
    words = r"\s+".join(re.escape(word).translate(plain) for word in phrase.split())
    return f"(?-i:{phrase})" if len(phrase) <= _SHORT else words


@cache
def _entries() -> tuple[tuple[str, str, str], ...]:
    """(phrase, English, pattern of what follows) of the table, the longest first."""
    table = data_json("translation-es-en.json")["credit_formulas"]
    entries = [
        (phrase, translated, follows)
        for section, follows in _FOLLOWS.items()
        for key, value in table[section].items()
        for phrase, translated in _phrases(key, value)
    ]
    return tuple(sorted(entries, key=lambda entry: -len(entry[0])))


@cache
def _pattern() -> re.Pattern[str]:
    """A phrase where it counts, a group each; it takes 40 ms to compile."""
    patterns = [f"({_written(phrase)}){follows}" for phrase, _, follows in _entries()]
    return re.compile(rf"(?<![\w#@.])(?:{'|'.join(patterns)})", re.IGNORECASE)


@cache
def _before() -> re.Pattern[str]:
    """Phrases at the end of a text, as a label in front of what follows."""
    one = "|".join(_written(phrase) for phrase, _, _ in _entries())
    return re.compile(rf"(?<!\w)(?:(?:{one})(?:\s*:\s*|\s+))+$", re.IGNORECASE)


@cache
def _labels() -> frozenset[str]:
    """What single words a credit begins with."""
    table = data_json("translation-es-en.json")["credit_formulas"]
    return frozenset(word for key in table["labels"] for word in key.split("/") if " " not in word)


def english_credit(text: str) -> str:
    """A Spanish credit with its labels and formulae in English, "Photo by Ana Ruiz / File"; names stay.

    Args:
        text: the credit as printed, in any layout.
    """
    if text.upper() == text.lower():  # no letters: the table takes a while to compile
        return text

    def english(found: re.Match[str]) -> str:
        assert found.lastindex is not None
        return _cased(_entries()[found.lastindex - 1][1], found[0])

    return _pattern().sub(english, text)


def label_start(text: str, start: int, end: int) -> int:
    """Where the labels and formulae begin that stand just before an offset, the offset itself where there are none.

    Args:
        text: the document.
        start: how far back they may reach.
        end: the offset: of a credit, a caption.
    """
    found = _before().search(text, max(start, end - _LONGEST), end)
    return found.start() if found else end


#: Characters of the longest label.
_LONGEST = 80


def is_label(word: str) -> bool:
    """Whether a credit begins with a word in small letters: "foto"."""
    return word in _labels()


def has_prose(credit: str) -> bool:
    """Whether a credit has words to translate beside those of the table, "Foto: el museo en obras"."""
    return any(word not in _IN_NAMES for word in _SMALL.findall(_pattern().sub(" ", credit)))


def _cased(english: str, like: str) -> str:
    """A phrase with the capitals of another: word by word where they are as many, "SUPPLIED by" for "CEDIDA por"."""
    words, models = english.split(), like.split()
    if like.isupper():
        return english.upper()
    if len(words) != len(models):
        return english[0].upper() + english[1:] if like[0].isupper() else english
    cased = [word.upper() if m.isupper() and len(m) > 1 else word for word, m in zip(words, models, strict=True)]
    first = cased[0][0].upper() + cased[0][1:] if like[0].isupper() else cased[0]
    return " ".join([first, *cased[1:]])
