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
    if draw.get("no_final_dot") and source.endswith(".") and target.endswith("."):
        yield source[:-1], target[:-1]
    if draw.get("credit") and len(words) > 4 and source[-1:].isalnum() == target[-1:].isalnum():
        ours, theirs = rng.choice(_CREDITS)
        agency = rng.choice(_AGENCIES)
        if source.endswith(".") and target.endswith("."):
            source, target = source[:-1], target[:-1]
        if source[-1:].isalnum():
            yield source + ours.format(agency), target + theirs.format(agency)
