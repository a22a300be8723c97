"""Rare words from a dictionary, put into sentences in the place of frequent ones.

A small model hardly remembers a word that its pairs have a few times. Apertium's dictionaries know tens of
thousands of such forms. Each is put where a frequent word of the same form stands in a sentence and its
translation in the other language (data augmentation for rare words: Fadaee, Bisazza & Monz 2017), and into
enumerations. What the sentences say is often nonsense; their grammar is not.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aligner.translation.dictionary import is_listed
from aligner.translation.spelling import fold
from common import Recipe, normalise, open_text

WORD = re.compile(r"[^\W\d_]+")
#: Words of a sentence in which words are exchanged, at least and at most.
_LENGTHS = range(4, 26)
#: How often a word is seen, in units of what is rare, that others may take the place of.
_FREQUENT = 10
#: Words of an enumeration.
_LISTED = 6
_PRONOUN = re.compile(r"(?:I|you|he|she|it|we|they) (?=\w)", re.IGNORECASE)
_VOWEL = re.compile(r"(?!uni|eu|one|use|ute)[aeiou]|hono|heir|hour")


@dataclass(frozen=True)
class Entry:
    """A source word and what the dictionary says of it.

    Attributes:
        source: the word, lower case.
        target: its translation, one or more words.
        kind: part of speech and inflection (Apertium's tags without the lemma), "" where several are possible.
    """

    source: str
    target: str
    kind: str


def look_up(words: Sequence[str], pair: str = "spa-eng") -> list[Entry]:
    """Entries of the words that Apertium knows.

    Args:
        words: lower-case words.
        pair: Apertium's language pair.

    Raises:
        SystemExit: Apertium or the pair is not installed.
    """
    dictionary = next(Path("/usr/share/apertium").glob(f"*/{pair}.automorf.bin"), None)
    if shutil.which("apertium") is None or dictionary is None:
        raise SystemExit(
            f"Apertium's pair {pair} is not installed: apt install apertium apertium-eng-spa, "
            'or set prepare.dictionary.pair = ""'
        )
    if not words:
        return []
    readings = _lines(["lt-proc", "-w", str(dictionary)], "\n".join(words) + "\n", len(words))
    translations = apertium(words, pair)
    entries = []
    for word, reading, translation in zip(words, readings, translations, strict=True):
        target = _PRONOUN.sub("", translation[:1].lower() + translation[1:], count=1)
        if "*" not in reading and target and not set(target) & set("*@#^$\\/"):
            entries.append(Entry(word, target, _kind(reading)))
    return entries


def apertium(words: Sequence[str], pair: str) -> list[str]:
    """What Apertium makes of each word by itself, with its marks (``*``) of what it does not know."""
    rows = _lines(["apertium", "-n", pair], ".\n".join(words) + ".\n", len(words))
    return [row.strip(" .") for row in rows]


def _lines(command: list[str], text: str, number: int) -> list[str]:
    rows = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    if len(rows) != number:
        raise SystemExit(f"{command[0]} gave {len(rows)} lines for {number} words")
    return rows


def _kind(reading: str) -> str:
    """The one form that a word has by Apertium's analysis ``^word/lemma<tag>…/…$``, or ""."""
    forms = {re.sub(r"^[^<]*|<pron>", "", part) for part in reading.strip("^$").split("/")[1:] if "+" not in part}
    forms = {form for form in forms if "<imp>" not in form}
    forms -= {form for form in forms if "<p1><sg>" in form and form.replace("<p1>", "<p3>") in forms}
    return forms.pop() if len(forms) == 1 and "+" not in reading else ""


def source_words(recipe: Recipe) -> list[str]:
    """Words of the data folder's source side, parallel and monolingual, that are mostly written small."""
    small: Counter[str] = Counter()
    for kind in ("parallel", "monolingual"):
        for folder in recipe.folders(kind):
            for file in sorted(folder.glob(f"*.{recipe.source}.gz")):
                with open_text(file) as lines:
                    for line in lines:
                        for word in WORD.findall(normalise(line)):
                            small[word.lower()] += 1 if word.islower() else -1
    return sorted(word for word, n in small.items() if n > 0 and len(word) > 2)


def rare_words(
    entries: Sequence[Entry], sentences: Sequence[tuple[str, str]], below: int, copies: int, seed: int
) -> Iterator[tuple[str, str]]:
    """Pairs that hold the rare words of a dictionary.

    Args:
        entries: the dictionary.
        sentences: (source, target) that the model is trained on.
        below: a word that the sentences have less often is rare.
        copies: of each rare word in sentences, as far as there are places for it, and in enumerations.
        seed: of the choice.

    Yields:
        (source, target).
    """
    rng = random.Random(seed)
    counts = Counter(word.lower() for source, _ in sentences for word in WORD.findall(source))
    written = Counter(word for _, target in sentences for word in WORD.findall(target))
    rare = []
    for entry in entries:
        words = WORD.findall(entry.target)
        if counts[entry.source] >= below or entry.target == entry.source:
            continue
        if all(written[word] or written[word.capitalize()] or is_listed(fold(word)) for word in words):
            words = [w.capitalize() if written[w.capitalize()] > 2 * written[w] > 0 else w for w in words]
            rare.append(Entry(entry.source, " ".join(words), entry.kind))
    frequent = {e.source: e for e in entries if e.kind and counts[e.source] >= _FREQUENT * below}
    waiting: defaultdict[str, list[Entry]] = defaultdict(list)
    for _ in range(copies):
        rng.shuffle(rare)
        for entry in rare:
            waiting[entry.kind].append(entry)
        for start in range(0, len(rare), _LISTED):
            yield _enumeration(rare[start : start + _LISTED], rng)
    order = list(range(len(sentences)))
    rng.shuffle(order)
    for i in order:
        if len(sentences[i][0].split()) in _LENGTHS and (made := _exchanged(*sentences[i], frequent, waiting, rng)):
            yield made


def _enumeration(entries: Sequence[Entry], rng: random.Random) -> tuple[str, str]:
    """The words one after another, sometimes as a sentence."""
    source, target = ", ".join(e.source for e in entries), ", ".join(e.target for e in entries)
    if rng.random() < 0.5:
        return source, target
    return source[0].upper() + source[1:] + ".", target[0].upper() + target[1:] + "."


def _exchanged(
    source: str,
    target: str,
    frequent: dict[str, Entry],
    waiting: dict[str, list[Entry]],
    rng: random.Random,
) -> tuple[str, str] | None:
    """The pair with up to three words exchanged for the next ones that wait, or None."""
    seen = Counter(m.group().lower() for m in WORD.finditer(source))
    places = [m for m in WORD.finditer(source) if m.group() in frequent and seen[m.group()] == 1]
    rng.shuffle(places)
    swaps: list[tuple[re.Match[str], re.Match[str], Entry]] = []
    for place in places:
        old = frequent[place.group()]
        if not waiting.get(old.kind):
            continue
        found = list(re.finditer(rf"\b{re.escape(old.target)}\b", target))
        if len(found) != 1 or any(found[0].start() < m.end() and m.start() < found[0].end() for _, m, _ in swaps):
            continue
        swaps.append((place, found[0], waiting[old.kind].pop()))
        if len(swaps) == 3:
            break
    if not swaps:
        return None
    for place, _, new in sorted(swaps, key=lambda swap: -swap[0].start()):
        source = _spanish(source[: place.start()], new.source) + source[place.end() :]
    for _, place, new in sorted(swaps, key=lambda swap: -swap[1].start()):
        target = _english(target[: place.start()], new.target) + target[place.end() :]
    return source, target


def _spanish(before: str, word: str) -> str:
    """``before`` and ``word``, "y" and "o" in front of it as its sound asks."""
    if re.search(r"\b[ye] $", before):
        before = before[:-2] + ("e " if re.match(r"h?i(?![aeo])", word) else "y ")
    elif re.search(r"\b[ou] $", before):
        before = before[:-2] + ("u " if re.match(r"h?o", word) else "o ")
    return before + word


def _english(before: str, word: str) -> str:
    """``before`` and ``word``, the indefinite article in front of it as its sound asks."""
    article = re.search(r"\b([Aa])n? $", before)
    if article:
        before = before[: article.start()] + article[1] + ("n " if _VOWEL.match(word) else " ")
    return before + word
