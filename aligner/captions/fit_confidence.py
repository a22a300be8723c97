"""Fits the weights that make evidence a probability: ``python -m aligner.captions.fit_confidence --help``.

A logistic regression (Platt, 1999) on lines and on their first few words: lines in the caption language against
lines of all the other languages. Needs scikit-learn (extra ``bench``).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from aligner.captions import credits
from aligner.captions.evidence import FEATURES, features, weigher
from aligner.resources import data

OTHER = 0.6  # lines of third languages are rarer in articles than in the data


def lines(path: Path, limit: int, seed: int) -> list[str]:
    """A sample of the segments of a file (plain, gzip, or JSON Lines with a key ``line``)."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        every = [line.strip() for line in file]
    if ".jsonl" in path.suffixes:
        every = [json.loads(line)["line"] for line in every]
    # Some sets hold their own translation in capitals before the line.
    every = [line for line in every if not re.search(r"(?:\b[A-Z]{2,}\b\W+){3}", line)]
    random.Random(seed).shuffle(every)
    return [line for line in every if line][:limit]


def stretches(line: str, chance: random.Random) -> Iterator[str]:
    """A line without its credit, and its first two to ten words."""
    for part in credits.split(line)[:1]:
        text = line[part.start : part.end]
        if len(text) < 400:
            yield text
        words = text.split()
        if len(words) > 3:
            yield " ".join(words[: chance.randint(2, min(10, len(words) - 1))]).rstrip(",;:")


def main() -> None:
    """Reads the lines, fits, reports, and writes the data file."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--caption", action="append", type=Path, required=True, help="lines in the caption language")
    parser.add_argument("--context", action="append", type=Path, required=True, help="lines in the context language")
    parser.add_argument("--other", action="append", type=Path, required=True, help="lines in other languages")
    parser.add_argument("--pair", default="es-en")
    parser.add_argument("--lines", type=int, default=3000, help="lines a file")
    parser.add_argument("--out", type=Path, default=data("find-calibration.json"))
    arguments = parser.parse_args()
    pair = weigher(*arguments.pair.split("-"))
    chance = random.Random(1)
    rows, truth, texts, share = [], [], [], []
    classes = ((arguments.caption, 1, 1.0), (arguments.context, 0, 1.0), (arguments.other, 0, OTHER))
    for paths, label, weight in classes:
        for path in paths:
            for line in lines(path, arguments.lines, 1):
                for text in stretches(line, chance):
                    evidence = pair.weigh(text)
                    if evidence.caption:
                        rows.append(features(evidence, pair))
                        truth.append(label)
                        texts.append(text)
                        share.append(weight)
    regression = LogisticRegression(C=1.0, fit_intercept=False, max_iter=2000)
    held_out = cross_val_predict(
        regression, rows, truth, cv=5, method="predict_proba", params={"sample_weight": share}
    )[:, 1]
    regression.fit(rows, truth, sample_weight=share)
    weights = dict(zip(FEATURES, (round(float(w), 4) for w in regression.coef_[0]), strict=True))
    bins = []
    for low in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999):
        high = {0.0: 0.1, 0.1: 0.3, 0.3: 0.5, 0.5: 0.7, 0.7: 0.9, 0.9: 0.97, 0.97: 0.99, 0.99: 0.999}.get(low, 1.01)
        inside = [t for t, p in zip(truth, held_out, strict=True) if low <= p < high]
        if inside:
            bins.append({"from": low, "n": len(inside), "right": round(sum(inside) / len(inside), 4)})
    wrong = [(t, p, text) for t, p, text in zip(truth, held_out, texts, strict=True) if (p >= 0.5) != t]
    report = {"n": len(rows), "positive": sum(truth), "wrong": len(wrong), "reliability": bins}
    arguments.out.write_text(json.dumps({"weights": weights, "fitted": report}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({"weights": weights, "fitted": report}, indent=1))
    for t, p, text in sorted(wrong, key=lambda w: -abs(w[1] - 0.5))[:60]:
        print("missed " if t else "spurious", round(float(p), 3), text[:120])


if __name__ == "__main__":
    main()
