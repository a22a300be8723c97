"""What goes wrong in translations without references: loops, lengths, lost numbers and names, Spanish left over."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from clean import plain

_WORD = re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_THOUSANDS = re.compile(r"\b(\d+) mil\b(?: (\d{1,3})\b)?")
_SPELT = """
    zero one two three four five six seven eight nine ten eleven twelve
    """.split()
# Spanish words that English does not have. Between capitalised words ("Sierra de la Laguna") they belong to a
# name.
_SPANISH = frozenset(
    """
    el la los las del al de que en y una con por para su sus se lo como más fue sin sobre
    """.split()
)
# A run of capitalised words that begins with one of these is a person's name.
_GIVEN_NAMES = frozenset(
    plain(name)
    for name in """
    Abel Adolfo Adrián Alberto Alejandra Alejandro Alfonso Alfredo Alicia Álvaro Amparo Ana
    Andrea Andrés Ángel Ángela Antonio Arturo Beatriz Benito Bernardo Carlos Carmen Carolina
    Catalina Cecilia César Claudia Cristina Cuauhtémoc Daniel David Diana Diego Dolores
    Eduardo Elena Elías Emilio Enrique Ernesto Esteban Esther Eugenia Eva Felipe Fernanda
    Fernando Francisco Gabriel Gabriela Gerardo Germán Gilberto Gloria Gonzalo Guillermo
    Gustavo Héctor Hernán Hugo Humberto Ignacio Inés Isabel Ismael Iván Jaime Javier Jesús
    Joaquín Jorge José Juan Juana Julia Julio Laura Leonardo Leticia Lorena Lorenzo Lourdes
    Lucía Luis Luisa Manuel Manuela Marcelo Marcos Margarita María Mariana Mario Marta Martín
    Mateo Mauricio Mercedes Miguel Mónica Nicolás Norma Olga Óscar Pablo Patricia Paula Pedro
    Rafael Ramón Raquel Raúl Rebeca Ricardo Roberto Rocío Rodrigo Rogelio Rosa Rosario Rubén
    Salvador Samuel Sandra Santiago Sara Sergio Silvia Sofía Susana Teresa Tomás Verónica
    Vicente Víctor Virginia Xavier Yolanda Angela Barack Bill Boris Charles Donald Emmanuel
    George Hillary James Joe John Michael Olaf Peter Vladimir
    """.split()
)


def loops(text: str) -> bool:
    """Whether words repeat at once: one word three times, two words three times, or three to eight words twice."""
    words = [w.casefold() for w in _WORD.findall(text)]
    for size in range(1, 9):
        times = 3 if size <= 2 else 2
        for start in range(len(words) - size * times + 1):
            first = words[start : start + size]
            if all(words[start + k * size : start + (k + 1) * size] == first for k in range(1, times)):
                return True
    return False


def lost_numbers(source: str, target: str) -> list[str]:
    """Numbers of the source that are missing in the translation; separators may change, small ones may be spelt."""
    there = Counter(re.sub(r"\D", "", n) for n in _NUMBER.findall(target))
    words = Counter(w.casefold() for w in _WORD.findall(target))
    lost = []
    for thousands in reversed(
        list(_THOUSANDS.finditer(source))
    ):  # "2 mil 572" is 2,572; "39 mil" is 39,000 or 39 thousand
        whole = f"{thousands[1]}{int(thousands[2] or 0):03d}"
        if there[whole]:
            source = source[: thousands.start()] + whole + source[thousands.end() :]
    for number in _NUMBER.findall(source):
        digits = re.sub(r"\D", "", number)
        spelt = _SPELT[int(digits)] if len(digits) <= 2 and int(digits) <= 12 else None
        if there[digits]:
            there[digits] -= 1
        elif spelt and words[spelt]:
            words[spelt] -= 1
        else:
            lost.append(number)
    return lost


def person_names(text: str) -> list[str]:
    """Persons' names: runs of two to five capitalised words that begin with a common given name."""
    names: list[str] = []
    run: list[str] = []
    end = -1
    for match in [*_WORD.finditer(text), None]:
        joined = match is not None and match.start() == end + 1 and text[end : match.start()] == " "
        # a word in capitals is no part of a name in small letters: "Manuel Bosque FOTO"
        alike = match is None or not run or match[0].isupper() == run[0].isupper() or len(match[0]) == 1
        if match is None or not match[0][0].isupper() or not joined or not alike:
            if 2 <= len(run) <= 5 and plain(run[0]) in _GIVEN_NAMES and not all(w.isupper() for w in run):
                names.append(" ".join(run))
            run = []
        if match is not None:
            if match[0][0].isupper():
                run.append(match[0])
            end = match.end()
    return names


def lost_names(source: str, target: str) -> list[str]:
    """Persons of the source of whom a name is missing or changed in the translation, accents and case apart."""
    there = set(_WORD.findall(plain(target))) | {w.removesuffix("'s") for w in _WORD.findall(plain(target))}
    return [name for name in person_names(source) if any(plain(word) not in there for word in name.split())]


def spanish_left(target: str) -> list[str]:
    """Spanish function words in lower case that are not inside a name."""
    words = list(_WORD.finditer(target))
    found = []
    for at, match in enumerate(words):
        if match[0] not in _SPANISH:
            continue
        before = next((w[0] for w in reversed(words[:at]) if w[0] not in _SPANISH), "")
        after = next((w[0] for w in words[at + 1 :] if w[0] not in _SPANISH), "")
        if not (before[:1].isupper() and after[:1].isupper()):
            found.append(match[0])
    return found


def diagnose(sources: Sequence[str], targets: Sequence[str]) -> dict[str, Any]:
    """Counts of suspect translations, and the first twenty of each kind.

    Args:
        sources: captions.
        targets: their translations.

    Returns:
        ``lines``, ``numbers`` and ``names`` in all; ``counts`` of empty, loop, length, lost numbers, lost
        names (of persons) and Spanish left over (two or more function words, or a copy of four or more
        words); ``examples``.
    """
    kinds = ("empty", "loop", "length", "lost numbers", "lost names", "Spanish left over")
    counts: Counter[str] = Counter(dict.fromkeys(kinds, 0))
    examples: dict[str, list[list[str]]] = {kind: [] for kind in kinds}
    totals: Counter[str] = Counter()
    for source, target in zip(sources, targets, strict=True):
        words = len(source.split())
        numbers, names = lost_numbers(source, target), lost_names(source, target)
        totals["numbers"] += len(_NUMBER.findall(source))
        totals["names"] += len(person_names(source))
        faults = {
            "empty": bool(source.strip()) and not target.strip(),
            "loop": loops(target) and not loops(source),
            "length": words >= 4 and not 0.5 <= len(target.split()) / words <= 2,
            "lost numbers": bool(numbers),
            "lost names": bool(names),
            "Spanish left over": len(spanish_left(target)) >= 2
            or (words >= 4 and source == target and bool(spanish_left(source))),
        }
        for kind, wrong in faults.items():
            if wrong:
                counts[kind] += 1
                if len(examples[kind]) < 20:
                    examples[kind].append([source, target])
    return {"lines": len(sources), **totals, "counts": dict(counts), "examples": examples}
