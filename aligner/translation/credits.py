"""Spanish credits in English: labels and formulae by a table, agencies and names untouched.

The table is ``credit_formulas`` of ``aligner/data/translation-es-en.json``. Its sections say where a phrase counts:
``labels`` anywhere but before "de", "del", "en" and "por"; ``before_names`` only before a name or a handle, where "de"
takes the articles of names with it ("del", "de la": "of the"); ``before_colons`` and ``last`` as their names say;
``anywhere``; ``givers`` are who gave a picture, behind an article. A phrase is given as alternatives parted by "/",
each with the words that follow. A credit of which a part could not be put into English stays as it is.
"""

from __future__ import annotations

import re
from functools import cache

from aligner.resources import data_json

#: What follows a phrase in each section of the table, the longest phrase is tried first.
_FOLLOWS = {
    "before_names": r"(?-i:(?=:?\s+(?:[A-ZÁÉÍÓÚÑÜ@\d]|(?:el|la|los|las)\s+[A-ZÁÉÍÓÚÑÜ])))",
    "before_colons": r"(?=\s*\*{0,3}:)",
    "anywhere": r"(?!\w)",
    "last": r"(?=\s*(?:[)\]|/.,;·–—-]|$))",
    "labels": r"(?=:?\*{0,3}:?\s|\s?[/|]|$)(?!\s(?:de|del|en|por)\b)",
}
_SMALL = re.compile(r"(?<![\w.@/#-])[a-záéíóúñü]+(?![\w.@/-])")
_IN_NAMES = frozenset({"de", "del", "la", "las", "el", "los", "y", "e", "i", "da", "do", "dos", "van", "von", "vía"})


def _phrases(spanish: str, english: str) -> list[tuple[str, str]]:
    """Each way to write a phrase, with its English: those that end in "de" or "por" with articles too."""
    made = []
    for phrase in spanish.split("/"):
        made.append((phrase, english))
        if phrase == "por" or phrase.endswith(" por"):
            made += [(f"{phrase} {article}", f"{english} {the}") for article, the in _BY.items()]
        if phrase == "de" or phrase.endswith(" de"):
            made += [(phrase + "l", f"{english} the")] + [(f"{phrase} {the}", f"{english} the") for the in _ARTICLES]
    return made


_ARTICLES = ("la", "los", "las")
_BY = {"el": "the", "la": "the", "los": "the", "las": "the", "un": "a", "una": "a"}
#: Letters of phrases that count in small letters only.
_SHORT = 3


def _written(phrase: str) -> str:
    """A pattern of a phrase: accents may lack, spaces may be several; "Vía Crucis" has no "via"."""
    plain = str.maketrans({"á": "[aá]", "é": "[eé]", "í": "[ií]", "ó": "[oó]", "ú": "[uú]"})
    words = r"\s+".join(re.escape(word).translate(plain) for word in phrase.split())
    return f"(?-i:{phrase})" if len(phrase) <= _SHORT else words


@cache
def _givers() -> dict[str, str]:
    """Who gives pictures, the longest first, with their English."""
    table = data_json("translation-es-en.json")["credit_formulas"]["givers"]
    pairs = ((who, english) for key, english in table.items() for who in key.split("/"))
    return dict(sorted(pairs, key=lambda pair: -len(pair[0])))


@cache
def _given() -> re.Pattern[str]:
    """A giver behind what was put into English, with a name and what it belongs to: "club Arosa de la universidad"."""
    who = "|".join(_givers())
    name = r"[A-ZÁÉÍÓÚÑÜ][\w'’]*(?:\s(?:(?:de|del|la|los|las|y)\s)*[A-ZÁÉÍÓÚÑÜ][\w'’]*)*"
    of = rf"(?:\s(?:del|de(?:\s(?:la|los|las))?)\s(?:(?:{who})\b|{name}))*"
    return re.compile(rf"(?<=\b(?:by|of)\sthe\s)({who})\b(\s{name})?({of})|(?<=\bby\sa\s)({who})\b")


@cache
def _left() -> re.Pattern[str]:
    """Spanish words that hang on a phrase that was put into English: "Photo supplied by the [peña]"."""
    english = "|".join(sorted({word.split()[0] for word in _givers().values()}))
    return re.compile(
        r"\b(?:por|del?|al|a (?:la|los|las)|en|con|para|desde)\s(?:(?:el|la|los|las|un|una|sus?)\s)?[a-záéíóúñü]{3,}"
        rf"|\b(?:by|of) (?:the|a) (?!(?:{english})\b)[a-záéíóúñü]+|\bby (?:el|la|los|las|un|una)\b"
    )


@cache
def _entries() -> tuple[tuple[str, str, str], ...]:
    """(phrase, English, pattern of what follows) of the table, the longest first."""
    table = data_json("translation-es-en.json")["credit_formulas"]
    articled = _FOLLOWS["before_names"].replace("(?:[A-Z", rf"(?:(?:{'|'.join(_givers())})\b|[A-Z", 1)
    entries = [
        (phrase, translated, articled if phrase.endswith((" de", *_ARTICLED)) else follows)
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
    return re.compile(rf"(?<!\w)(?:(?:{one})(?:\s*\*{{0,3}}:\*{{0,3}}\s*|\s+))+$", re.IGNORECASE)


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

    made = _pattern().sub(english, text)
    if made == text:
        return text
    if text.isupper():  # a name or not, nobody can tell but of single words
        made = _LAST.sub(lambda found: found[1] + _givers().get(found[2].lower(), found[2]).upper(), made)
    made = _given().sub(_giver, made)
    return text if _left().search(made) else made


def _giver(found: re.Match[str]) -> str:
    who, name, of, one = found.groups()
    if one:
        return _cased(_givers()[one.lower()], one)
    noun = _cased(_givers()[who.lower()], who)
    name = name or ""
    if name and who.islower() and not who.endswith(_PERSONS):
        noun, name = name.strip(), f" {noun}"  # "the Ruiz family"

    def belongs(part: re.Match[str]) -> str:
        english = _givers().get(part[3].lower())
        small = "of the" if part[2] or part[1].lower() == "del" else "of"
        small = small.upper() if part[1].isupper() else small
        return f" {small} {_cased(english, part[3]) if english else part[3]}"

    return noun + name + _OF.sub(belongs, of or "")


def label_start(text: str, start: int, end: int) -> int:
    """Where the labels and formulae begin that stand just before an offset, the offset itself where there are none.

    Args:
        text: the document.
        start: how far back they may reach.
        end: the offset: of a credit, a caption.
    """
    found = _before().search(text, max(start, end - _LONGEST), end)
    return found.start() if found else end


#: Ends of the words for people among those that give.
_PERSONS = ("or", "ora", "ista", "rafo", "rafa", "ado", "ada", "ario", "aria", "ino", "ina")
_ARTICLED = (
    "del",
    *(f"{word} {article}" for word, articles in (("de", _ARTICLES), ("por", tuple(_BY))) for article in articles),
)
_LAST = re.compile(r"(\b(?:BY|OF) (?:THE|A) )([^\W\d_]+)(?=\s*(?:[)\]|/.,;·–—-]|$))")
_OF = re.compile(r"\s(del|de)(\s(?:la|los|las))?\s(\S+)", re.IGNORECASE)
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
