"""Rows of capitalised words: names of people, or captions that only look like names."""

from __future__ import annotations

import re
from itertools import pairwise

from aligner.captions import credits
from aligner.captions.credits import Part
from aligner.captions.evidence import Weigher
from aligner.captions.language import WORD

# Where a caption may start behind a credit, and what may stand behind it.
_BEFORE_CAPTION = re.compile(r"(?:\s[-–—|]|[.:)\]])\s+$")
_AFTER_CAPTION = re.compile(r"\s*[.([]|\s+[-–—|]\s")


def worded(text: str, part: Part, weigher: Weigher) -> bool:
    """Whether what only looks like a credit's name is made of words: "Imagen: Sede", "AFP - Mapa de Siria"."""
    if part.reading is None:
        return False
    if credits.depicts(text, part.start) or (not part.reading.labelled and titled(text, weigher)):
        return True
    given = credits.lexicon().given
    shapes = list(part.reading.shapes)
    # "EFE - Ana Sanz y Luis Gil" are two people in a picture.
    shapes += [both for a, b in pairwise(shapes) if (both := f"{a} y {b}") in text]
    for shape in shapes:
        at = text.find(shape)
        if not (_BEFORE_CAPTION.search(text, 0, at) or _AFTER_CAPTION.match(text, at + len(shape))):
            continue
        if shape.split()[0].title() in given and " y " not in shape:
            continue
        if part.reading.labelled and " " in shape and not shape.isupper() and names_person(shape):
            continue
        evidence = weigher.weigh(shape)
        if evidence.caption or evidence.faint or headed(shape, weigher):
            return True
    return False


def titled(text: str, weigher: Weigher) -> bool:
    """Whether a row of capitalised words is a caption: people under their titles, or a sentence of a noun.

    "El Presidente Ana Ruiz y la Vicepresidenta Eva Mora", "Trabajadores de Luz y Fuerza de Zamora."
    """
    words = WORD.findall(text)
    small = [word for word in words if word.islower() and weigher.is_caption_word(word)]
    if not small or len(words) < 4 or not all(word.islower() or word[0].isupper() for word in words):
        return False
    leads, first = weigher.names.leads, words[0].lower()
    if any(word in leads and after in weigher.given for word, after in pairwise(words)) and words[0] != "De":
        return first in ("el", "la", "los", "las") or not {"y", "con", "en", "durante"}.isdisjoint(small)
    return text.endswith(".") and len(small) > 1 and weigher.is_caption_noun(first)


def shows(text: str, weigher: Weigher) -> bool:
    """Whether a noun of the caption language stands with abbreviations alone: "Diseño UML", "Puerto USB-C"."""
    noun, *rest = text.rstrip(" .").split()
    return (
        len(noun) > 4
        and 0 < len(rest) < 3
        and all(len(word) < 7 and word.upper() == word and word[0].isalnum() for word in rest)
        and weigher.is_caption_noun(noun.lower())
    )


def headed(text: str, weigher: Weigher) -> bool:
    """Whether a name starts with a noun of the caption language: "Puerto de Tánger Med", "Laguna Azul"."""
    words = WORD.findall(text)
    if len(words) < 2 or words[0].title() in credits.lexicon().given:
        return False
    first, second = (weigher.word(word.lower()) for word in words[:2])
    return first.known and first.side == second.side == "caption" and second.known


def names_person(text: str) -> bool:
    """Whether words are capitalised as a person's name is."""
    return all(word[0].isupper() or word in credits.lexicon().particles for word in text.split())


def is_person(text: str) -> bool:
    """Whether words are a person's given name and surnames."""
    words = text.split()
    return 1 < len(words) < 5 and words[0] in credits.lexicon().given and all(w[0].isupper() for w in words)
