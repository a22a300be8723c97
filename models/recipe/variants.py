"""Noisy copies of training pairs, so that real captions do not derail the model."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator

_AGENCIES = """
    AFP AP EFE Reuters Xinhua Notimex ANSA DPA Getty Cuartoscuro
    """.split()
# How captions name their photographer, in both languages.
_CREDITS = (
    (". Foto: {}", ". Photo: {}"),
    (". Foto {}", ". Photo {}"),
    (" / {}", " / {}"),
    (". {}", ". {}"),
    (" ({})", " ({})"),
    (" | Foto: {}", " | Photo: {}"),
    (" FOTO: {}", " PHOTO: {}"),
    (" (Foto: {})", " (Photo: {})"),
)
_ARTICLES = {"es": frozenset("El La Los Las Un Una Unos Unas".split()), "en": frozenset("The A An Some".split())}


def bare(source: str, target: str) -> tuple[str, str] | None:
    """The pair without the article that both sides begin with, as captions begin ("Turistas caminan por …").

    Spanish sentences hardly ever begin with a noun, so that a model knows "turistas" and not "Turistas".
    """
    first, _, ours = source.partition(" ")
    initial, _, theirs = target.partition(" ")
    if first not in _ARTICLES["es"] or initial not in _ARTICLES["en"] or not ours[:1].islower() or not theirs:
        return None
    return ours[0].upper() + ours[1:], theirs[0].upper() + theirs[1:]


def small_start(source: str, target: str) -> str | None:
    """The source with a small first letter, None where it begins with what may be a name."""
    first = source.partition(" ")[0]
    if not (first[:1].isupper() and first[1:].islower()) or first in target.split():
        return None
    return first[0].lower() + source[1:]


def without_accents(text: str) -> str:
    """The text without accents; ñ keeps its tilde."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c) or c == "\u0303")
    return unicodedata.normalize("NFC", bare)


def misspelt(word: str, rng: random.Random) -> str:
    """A word with a letter lost, doubled, or exchanged with its neighbour."""
    i = rng.randrange(1, len(word) - 2)
    return rng.choice(
        [
            word[:i] + word[i + 1 :],
            word[:i] + word[i] + word[i:],
            word[:i] + word[i + 1] + word[i] + word[i + 2 :],
        ]
    )


def variants(source: str, target: str, rng: random.Random, shares: dict[str, float]) -> Iterator[tuple[str, str]]:
    """Noisy copies of a pair.

    Args:
        source: source sentence.
        target: its translation.
        rng: random numbers.
        shares: kind of noise → share of pairs that get such a copy.
    """
    words = source.split()
    draw = {kind: rng.random() < share for kind, share in shares.items()}
    if draw.get("upper") and 3 <= len(words) <= 30:
        yield source.upper(), target.upper()
    if draw.get("lower") and not any(c.isupper() for c in target[1:]):
        yield source.lower(), target.lower()
    if draw.get("no_accents"):
        yield without_accents(source), target
    if draw.get("doubled") and len(words) > 4:
        at = rng.randrange(1, len(words))
        yield " ".join([*words[:at], words[at - 1], *words[at:]]), target
    if draw.get("typo") and len(words) > 4:
        at = rng.randrange(len(words))
        if len(words[at]) > 5 and words[at].isalpha() and words[at].islower():
            yield " ".join([*words[:at], misspelt(words[at], rng), *words[at + 1 :]]), target
    if draw.get("bare") and (pair := bare(source, target)):
        yield pair
    if draw.get("small_start") and (start := small_start(source, target)):
        yield start, target
    if draw.get("no_final_dot") and source.endswith(".") and target.endswith("."):
        yield source[:-1], target[:-1]
    if draw.get("credit") and len(words) > 4 and source[-1:].isalnum() == target[-1:].isalnum():
        ours, theirs = rng.choice(_CREDITS)
        agency = rng.choice(_AGENCIES)
        if source.endswith(".") and target.endswith("."):
            source, target = source[:-1], target[:-1]
        if source[-1:].isalnum():
            yield source + ours.format(agency), target + theirs.format(agency)
