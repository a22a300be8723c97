"""Counts words for truecasing and for the guard.

``python -m aligner.translation.fit_words --spanish TEXT... --english TEXT... >
aligner/data/words-es-en.json``

Input is plain text (or gzip), one segment a line, in ordinary case. Lists of words come out and nothing of
the text.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_WORD = re.compile(r"[^\W\d_]+")
LEAST = 4  # occurrences for a word to be listed
MOST = 40_000  # Spanish words written small
LOWER = 0.15  # capitalised less often than this: always small
EITHER = 0.55  # capitalised less often than this: small unless beside a name
ENGLISH = 4  # occurrences for a word to count as English
SHARE = 0.002  # and how often it must be in English beside how often it is in Spanish


def count(paths: Iterable[Path]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """(small, Capitalised, CAPITALS) occurrences of words that do not start a sentence or a quotation."""
    small: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    upper: Counter[str] = Counter()
    for path in paths:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            for raw in file:
                line = unicodedata.normalize("NFC", raw)
                letters = [c for c in line if c.isalpha()]
                if line[:1].islower() or sum(c.isupper() for c in letters) > 0.3 * len(letters):
                    continue
                for match in _WORD.finditer(line):
                    if line[: match.start()].rstrip()[-1:] in {"", *'.!?…:"“«¿¡(-—–■|'}:
                        continue
                    word = match[0]
                    kind = small if word.islower() else upper if word.isupper() and len(word) > 1 else capital
                    kind[word.lower()] += 1
    return small, capital, upper


def main() -> None:
    """Reads the texts named on the command line and prints the lists."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spanish", nargs="+", type=Path, required=True)
    parser.add_argument("--english", nargs="+", type=Path, required=True)
    args = parser.parse_args()
    small, capital, upper = count(args.spanish)
    english, _, _ = count(args.english)
    lists: dict[str, list[str]] = {"lower": [], "either": [], "upper": [], "shared": []}
    for word, times in small.most_common():
        share = 1 - times / (times + capital[word] + upper[word])
        if times >= LEAST and share < EITHER:
            lists["lower" if share < LOWER else "either"].append(word)
    lists["lower"] = lists["lower"][:MOST]
    for word, times in upper.items():
        if times >= LEAST and 2 <= len(word) <= 8 and times > 0.8 * (times + capital[word] + small[word]):
            lists["upper"].append(word)
    scale = sum(small.values()) / max(1, sum(english.values()))
    lists["shared"] = [
        word
        for word in (*lists["lower"], *lists["either"])
        if len(word) > 2 and english[word] >= ENGLISH and english[word] * scale >= SHARE * small[word]
    ]
    json.dump(
        {
            "about": "made by aligner.translation.fit_words",
            **{k: " ".join(sorted(v)) for k, v in lists.items()},
        },
        sys.stdout,
        ensure_ascii=False,
        indent=1,
    )
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
