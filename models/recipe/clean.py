"""What is mended in a pair of sentences, and why a pair is left out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from common import is_listed

_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_FOLD = re.compile(r"[\W_]+")
_MARKUP = re.compile(r"https?:|\bwww\.|[{}<>|\\^=_]{2,}|\w@\w+\.\w|\+=|</?\w+>")
_LETTERS_LOST = re.compile(r"\ufffd|[ÃÂ][\u0080-\u00bf©³±¡­º]")
# Frequent words that the other language does not have.
_WORDS = {
    "es": frozenset(
        """
    el la los las del al que de en y un una por con para su sus se lo como más pero fue ha son
    está este esta
    """.split()
    ),
    "en": frozenset(
        """
    the of and to in is that for was it with as are this by from be have has not at their his
    which an were
    """.split()
    ),
}
_SPACED_INITIALS = re.compile(r"\b([UDE]\.) (?=[SNKCUA]\.)")
_BROKEN_INITIALS = re.compile(r"\bU\. ?A\.")
# "does not" comes out of the pivot as "of not"; "of not supporting" is right
_GARBLED = re.compile(r"\b(?:of|I of) not (?!\w+ing\b)")


def fold(text: str) -> str:
    """Case, punctuation and white space folded: the key for duplicates and for overlap with evaluation sets."""
    return _FOLD.sub(" ", unicodedata.normalize("NFC", text).casefold()).strip()


def plain(text: str) -> str:
    """Lower case without accents: names are compared so, since the two languages write them with different ones."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


# ---------------------------------------------------------------------- mending


def plural_possessives(text: str) -> str:
    """Apostrophes of "voters' rights" that a lossy restoration turned into opening quotes (``voters "rights``).

    Quotes are read in order; where one opens although one is open, or nothing closes it, and the word before
    it ends in s, it was an apostrophe.
    """
    opened: re.Match[str] | None = None
    wrong: list[int] = []
    for match in re.finditer(r'(?P<before>\S?)(?P<space> ?)"(?P<after>\S?)', text):
        opens = bool(match["after"]) and match["after"].isalnum() and (bool(match["space"]) or not match["before"])
        if not opens:
            opened = None
            continue
        if opened is not None:
            suspect = next((m for m in (match, opened) if m["before"] == "s" and m["space"]), None)
            if suspect is None:
                return text  # not this fault
            wrong.append(suspect.start())
            opened = match if suspect is opened else opened
        else:
            opened = match
    if opened is not None and opened["before"] == "s" and opened["space"]:
        wrong.append(opened.start())
    for start in sorted(wrong, reverse=True):
        text = text[:start] + "s' " + text[start + 3 :]
    return text


def mend(source: str, target: str) -> tuple[str, str]:
    """A normalised pair with the traces of tokenisation and of broken encodings taken out."""
    source, target = (re.sub(r"& ?amp ?;", "&", text) for text in (source, target))
    source = re.sub(r"\b([Aa])ń(?=os?\b)", r"\1ñ", source)
    target = re.sub(r"(?<=[A-Za-z]) ?' s\b", "'s", target)
    target = re.sub(r"(?<=[a-z]s) ' (?=[a-z])", "' ", target)
    target = _SPACED_INITIALS.sub(r"\1", target)
    source, target = (
        re.sub(r"(?<!\w)([@#]) (?=\w)", r"\1", re.sub(r'(?<=\S) "$', '"', text)) for text in (source, target)
    )
    return source, plural_possessives(target) if '"' in target else target


def inner_words(text: str) -> Iterator[str]:
    """Words that do not stand where any word has a capital: at the start, or after ``.``, ``:``, a quote."""
    for match in _WORD.finditer(text):
        before = text[: match.start()].rstrip(" ")
        if before and (before[-1].isalnum() or before[-1] in ",;)%'-/"):
            yield match[0]


# ---------------------------------------------------------------------- leaving out


def language(text: str) -> str | None:
    """``es`` or ``en`` by frequent words, None where there are too few to tell."""
    words = Counter(w.lower() for w in _WORD.findall(text))
    counts = {code: sum(words[w] for w in frequent) for code, frequent in _WORDS.items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= 2 and counts[best] > 2 * min(counts.values()) else None


def reject(source: str, target: str, codes: tuple[str, str] = ("es", "en")) -> str | None:
    """Why a pair should not be trained on, or None if it is fine."""
    if not source or not target:
        return "empty"
    ns, nt = len(source.split()), len(target.split())
    if ns > 100 or nt > 100:
        return "long"
    if max(ns, nt) > 2.0 * min(ns, nt) + 4:
        return "length ratio"
    if source == target and ns > 3:
        return "copy"
    if _MARKUP.search(source) or _MARKUP.search(target):
        return "markup"
    if _LETTERS_LOST.search(source) or _LETTERS_LOST.search(target):
        return "encoding"
    digits_s, digits_t = Counter(_DIGITS.findall(source)), Counter(_DIGITS.findall(target))
    lost = sum((digits_s - digits_t).values()) + sum((digits_t - digits_s).values())
    if lost > 1 + 0.5 * sum(digits_s.values()):
        return "numbers"
    letters = sum(c.isalpha() for c in source)
    if letters < 0.5 * len(source.replace(" ", "")):
        return "not text"
    for text, code in zip((source, target), codes, strict=True):
        if code in _WORDS and language(text) not in (code, None):
            return "language"
    return None


def capitals(text: str) -> int:
    """Number of capitalised words after the first."""
    return sum(w[0].isupper() for w in _WORD.findall(text)[1:])


class Names:
    """Which capitalised source words translators change, learnt from human pairs: all others must be copied.

    A teacher that meets an unknown surname may translate it ("Mayor Oreja" → "Greater Ear"). Human pairs know
    "Reino", "Naciones" and "Londres" as words that change; a capitalised word that they do not know so has to
    stand in the translation as it is, accents and case apart.

    Args:
        pairs: human (source, target) pairs.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        seen: Counter[str] = Counter()
        copied: Counter[str] = Counter()
        for source, target in pairs:
            words = {plain(w) for w in inner_words(source) if w[0].isupper()}
            if words:
                seen.update(words)
                copied.update(words.intersection(_WORD.findall(plain(target))))
        self.changing = {w for w, n in seen.items() if n - copied[w] >= 2 and n - copied[w] > 0.2 * n}

    def lost(self, source: str, target: str) -> list[str]:
        """Capitalised words of the source that had to be copied and were not."""
        if source.isupper():
            return []
        there = set(_WORD.findall(plain(target)))
        # "Manríquez's" and plurals of names count as there
        return [
            w
            for w in inner_words(source)
            if w[0].isupper()
            and len(w) > 2
            and not w.isupper()
            and (p := plain(w)) not in self.changing
            and p not in there
            and p + "s" not in there
        ]


class EnglishWords:
    """Which small words are English: SCOWL's, and what people write in the targets of human pairs.

    Machines spell words that they do not know from pieces ("incuestas", "desequilibrate") or leave them as they are.

    Args:
        targets: what people wrote.
        least: a word that is not SCOWL's counts as English if they wrote it so often.
    """

    def __init__(self, targets: Iterable[str], least: int = 3) -> None:
        seen = Counter(word for text in targets for word in _WORD.findall(text) if word.islower())
        self.written = {word for word, number in seen.items() if number >= least}

    def missing(self, target: str) -> list[str]:
        """Words of four and more small letters that are not English."""
        return [
            word
            for word in _WORD.findall(target)
            if len(word) > 3 and word.islower() and word not in self.written and not is_listed(plain(word))
        ]


def reject_distilled(
    source: str, target: str, unknown: int, names: Names | None = None, words: EnglishWords | None = None
) -> str | None:
    """Further reasons against a machine translation: unknown words, names that turned into common nouns."""
    if unknown > 0:
        return "unknown word"
    if words is not None and words.missing(target):
        return "no word"
    cs, ct = capitals(source), capitals(target)
    if not source.isupper() and abs(cs - ct) > max(2, 0.5 * cs):
        return "capitals"
    if _BROKEN_INITIALS.search(target):
        return "initials"
    if _GARBLED.search(target):
        return "garbled"
    if source.count('"') >= 2 and '"' not in target and "'" not in target:
        return "quotes"
    if source[-1:] in ".?!" and target[-1:].isalnum():
        return "cut off"
    if names is not None and names.lost(source, target):
        return "names"
    return None
