"""Counts the language statistics that the finder uses: ``python -m aligner.captions.fit_languages --help``.

Input is plain text, one segment a line, as many files a language as there are (plain or gzip), and word lists where a
language's text is of another kind than news: without a list, words that Portuguese and Spanish share ("presidente")
would look Spanish only because the Spanish text has more of them.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aligner.captions.language import _GRAM, SCALE, WORD
from aligner.resources import data, data_json

WORDS = {"es": 40_000, "en": 30_000}  # known words a language; others OTHER_WORDS
OTHER_WORDS = 7_000
GRAMS = 36_000
FUNCTION = 150  # most frequent words kept as function words
MAX_SEGMENTS = 400_000
LISTED = 0.1  # how much rarer a word is if it is neither in a language's text nor in its list
FAR = 1e-3  # the least that a spelling can count for
NEWS = 3e-5  # frequency of the words that the lexicon names for languages without news text
BARE = 0.05  # how often a word is printed without its accents
SHARED = 0.3  # frequency of a word that a list has, as a share of that in the text of a language that shares it
HEAD = 0.45
LEAD = 0.004
NAME = 0.85  # a word capitalised this often inside sentences is a name and nothing else
PROPER = 0.5  # one capitalised this often may be one


def lines(paths: Iterable[Path], most: int = MAX_SEGMENTS) -> Iterator[str]:
    """Segments of the files, at most ``most`` of each."""
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            for _, line in zip(range(most), file, strict=False):
                yield unicodedata.normalize("NFC", line)


def bare(word: str) -> str:
    """A word without its accents; ñ and ç, which are letters of their own, stay."""
    letters = unicodedata.normalize("NFD", word.replace("ñ", "\0").replace("ç", "\1"))
    return "".join(c for c in letters if not unicodedata.combining(c)).replace("\0", "ñ").replace("\1", "ç")


def count(paths: Iterable[Path], nouns_have_capitals: bool) -> tuple[Counter[str], set[str]]:
    """Words of running text that are not just names, in lower case, and those that are names half of the time."""
    low: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for line in lines(paths):
        end = -9
        for match in WORD.finditer(line):
            word = match[0].replace("’", "'")
            before = line[end : match.start()]
            end = match.end()
            if word.islower():
                low[word] += 1
            elif nouns_have_capitals and word.istitle():
                low[word.lower()] += 1
            elif word[0].isupper() and before in (" ", "-"):
                capital[word.lower()] += 1
    words = Counter({w: n for w, n in low.items() if capital[w] < NAME * (n + capital[w])})
    return words, {w for w, n in words.items() if capital[w] >= PROPER * (n + capital[w])}


class Letters:
    """P(letter | up to three letters before) of one language, Witten-Bell smoothed, from word types."""

    def __init__(self, words: dict[str, float]) -> None:
        self.after: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for word, weight in words.items():
            padded = f"^{word}$"
            for at in range(1, len(padded)):
                for order in range(min(at, _GRAM - 1) + 1):
                    self.after[padded[at - order : at]][padded[at]] += weight  # type: ignore[assignment]
        self.sums = {context: sum(after.values()) for context, after in self.after.items()}

    def probability(self, context: str, letter: str) -> float:
        """P(letter | context), the context being up to three letters."""
        lower = self.probability(context[1:], letter) if context else 1 / 60
        after = self.after.get(context)
        if not after:
            return lower
        kinds = len(after)
        return (after[letter] + kinds * lower) / (self.sums[context] + kinds)


def names(paths: Iterable[Path], connectives: Iterable[str], given: set[str]) -> dict[str, str]:
    """Words that head names ("Palacio de ...") and words that a person's name follows ("presidente ...").

    ``heads`` are capitalised inside sentences in at least ``HEAD`` of the places where a capitalised word follows;
    ``leads`` stand in front of a given name in at least ``LEAD`` of their places.
    """
    capital: Counter[str] = Counter()
    before: Counter[str] = Counter()
    every: Counter[str] = Counter()
    lead: Counter[str] = Counter()
    small = frozenset(connectives)
    for line in lines(paths):
        tokens = line.split()
        for at, (first, second, third) in enumerate(zip(tokens, tokens[1:], tokens[2:], strict=False)):
            if not first[-1].isalpha():
                continue
            every[first] += 1
            if first not in given and second in given and third[0].isupper():
                lead[first] += 1
            if at and tokens[at - 1][-1].isalpha() and first.isalpha() and len(first) > 2:
                following = next((t for t in tokens[at + 1 : at + 4] if t not in small), "")
                if following[:1].isupper() and following not in given:
                    before[first.lower()] += 1
                    capital[first.lower()] += first[0].isupper()
    return {
        "heads": " ".join(sorted(w for w, n in before.items() if n >= 5 and capital[w] >= HEAD * n)),
        "leads": " ".join(sorted(w for w, n in lead.items() if n > 1 and n >= LEAD * (every[w] + 50))),
    }


def table(keys: list[str], costs: list[bytes]) -> dict[str, str]:
    """Keys and their byte rows as text."""
    return {"keys": " ".join(keys), "costs": base64.b64encode(b"".join(costs)).decode()}


def quantise(probability: float) -> int:
    """-ln(p) in twelfths of a nat, in one byte."""
    return min(255, round(-math.log(probability) * SCALE))


def main() -> None:
    """Reads the texts, counts, and writes the data file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", action="append", required=True, metavar="LANG=FILE", help="running text")
    parser.add_argument("--list", action="append", default=[], metavar="LANG=FILE", help="word list")
    parser.add_argument("--out", type=Path, default=data("find-languages.json"))
    arguments = parser.parse_args()
    texts: dict[str, list[Path]] = {}
    lists: dict[str, list[Path]] = {}
    for given, into in ((arguments.text, texts), (arguments.list, lists)):
        for item in given:
            language, _, path = item.partition("=")
            into.setdefault(language, []).append(Path(path))

    news = data_json("find-lexicon.json")["news"]
    counts: dict[str, Counter[str]] = {}
    known: dict[str, dict[str, float]] = {}
    letters: dict[str, Letters] = {}
    listed: dict[str, set[str]] = {}
    proper: dict[str, set[str]] = {}
    for language, paths in texts.items():
        words, proper[language] = count(paths, language == "de")
        entries = [line.strip() for line in lines(lists.get(language, []), 10**7)]
        listed[language] = {w.lower() if language == "de" else w for w in entries if language == "de" or w.islower()}
        types = {w: 1 + math.log(n) for w, n in words.items() if n > 1 and len(w) > 2}
        for word in listed[language]:
            types.setdefault(word, 0.5)
        letters[language] = Letters(types)
        for word, n in list(words.items()):
            if (plain := bare(word)) != word and n > 3:
                words[plain] += max(1, round(n * BARE))
        total = sum(words.values())
        for word in news.get(language, "").split():
            words[word] = max(words[word], round(NEWS * total), 3)
        counts[language] = words
        known[language] = {w: n / total for w, n in words.most_common(WORDS.get(language, OTHER_WORDS)) if n > 2}
        print(language, f"{total:,} words, {len(words):,} kinds, {len(known[language]):,} kept", flush=True)

    every = sorted(set().union(*known.values()))
    sums = {language: sum(words.values()) for language, words in counts.items()}
    unseen = {la: (LISTED if listed[la] else 1) / sums[la] for la in texts}
    rows = []
    for word in every:
        best = max(words[word] / sums[language] for language, words in counts.items())
        spelt = {language: spell(letters[language], word) for language in texts}
        nearest = max(spelt.values())
        row = []
        for language in texts:
            p = counts[language][word] / sums[language]
            if word in listed[language]:
                p = max(p, SHARED * best)
            row.append(quantise(p or unseen[language] * max(FAR, spelt[language] / nearest)))
        rows.append(bytes(row))

    use: Counter[str] = Counter()
    for language in texts:
        total = sum(counts[language].values())
        for word, n in counts[language].items():
            padded = f"^{word}$"
            for at in range(1, len(padded)):
                for order in range(1, min(at, _GRAM - 1) + 1):
                    use[padded[at - order : at + 1]] += (1 + math.log(n)) / total * 1e6  # type: ignore[assignment]
    grams = sorted(g for g, _ in use.most_common(GRAMS) if " " not in g)
    gram_rows = [bytes(quantise(letters[la].probability(g[:-1], g[-1])) for la in texts) for g in grams]
    stored: dict[str, Any] = {
        "about": "made by aligner.captions.fit_languages: -12 ln P, a byte per language, base64",
        "languages": list(texts),
        "words": table(every, rows),
        "grams": table(grams, gram_rows),
    }
    lexicon = data_json("find-lexicon.json")
    stored["names"] = {
        language: names(paths, lexicon["connectives"].get(language, ()), set(lexicon["given_names"].split()))
        for language, paths in texts.items()
    }
    for language in texts:
        heads = stored["names"][language]["heads"].split()
        stored["names"][language]["heads"] = " ".join(w for w in heads if w in known[language])
        stored["names"][language]["proper"] = " ".join(sorted(proper[language] & set(known[language])))
        stored["names"][language]["function"] = " ".join(w for w, _ in counts[language].most_common(FUNCTION))
    arguments.out.write_text(json.dumps(stored, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(every):,} words, {len(grams):,} letter sequences, {arguments.out.stat().st_size:,} bytes")


def spell(letters: Letters, word: str) -> float:
    """Probability of a word's spelling."""
    padded, p = f"^{word}$", 1.0
    for at in range(1, len(padded)):
        p *= letters.probability(padded[max(0, at - _GRAM + 1) : at], padded[at])
    return max(p, 1e-300)


if __name__ == "__main__":
    main()
