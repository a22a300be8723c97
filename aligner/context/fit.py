"""Fits the linker's weights on gold sets: ``python -m aligner.context.fit GOLD... [--check GOLD...] --out link.json``.

Every caption is seen in several views: with its reference translation, with the bundled model's translation and without
any, since the weights must hold for good, bad and missing translations. It is also seen in several places: gold says
which paragraphs a caption illustrates, which does not change when it is printed elsewhere, whereas how often real pages
print it beside them does not follow from sets that were written for this purpose. So most copies are placed as on real
pages, where the paragraph in front of the caption is a right one about eight times in ten (``BESIDE``).

Figures are of held-out documents: folds by document, captions where they stand in the gold.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aligner.context import slot_of
from aligner.context.features import Place, compare
from aligner.context.model import FEATURES, Model
from aligner.context.vectors import Matrix, bundled_vectors
from aligner.scoring.gold import GoldDocument, Mark, load

# How real pages place captions: share printed right behind a paragraph that they illustrate, right in front of one; the
# rest stand anywhere.
BESIDE, BEFORE = 0.80, 0.05
COPIES = 4
PENALTY = 0.01
FOLDS = 8


@dataclass(frozen=True, slots=True)
class Example:
    """A caption in one view and one place.

    Attributes:
        group: its document.
        view: ``reference``, ``translation`` or ``source``.
        printed: whether it stands where the gold document prints it.
        table: features, a row per paragraph and one for "none of them".
        right: the rows that are right.
        weight: of the example in the fit.
    """

    group: str
    view: str
    printed: bool
    table: Matrix
    right: NDArray[np.bool_]
    weight: float


def body(document: GoldDocument) -> list[tuple[int, str]]:
    """Lines and texts of a gold document's body paragraphs."""
    marked = {mark.line for mark in document.marks if mark.kind != "body"}
    return [(i, text) for i, (_, text) in enumerate(document.lines, 1) if text.strip() and i not in marked]


def _slots(mark: Mark, lines: list[int], right: list[int]) -> list[int]:
    """Where a caption is put: where it stands, then copies as on real pages."""
    chance = random.Random(f"{mark.line} {mark.caption}")
    slots = [slot_of(mark.line, lines)]
    best = [i for i in right if lines[i] == mark.aligned_line] or right
    for _ in range(COPIES):
        draw = chance.random()
        if right and draw < BESIDE:
            slots.append(chance.choice(best if chance.random() < 0.8 else right) + 1)
        elif right and draw < BESIDE + BEFORE:
            slots.append(chance.choice(right))
        else:
            slots.append(chance.randrange(len(lines) + 1))
    return slots


def examples(
    documents: Sequence[GoldDocument],
    translations: dict[str, str],
    language: str = "es",
) -> list[Example]:
    """The captions of gold documents in all views and places."""
    found = []
    for document in documents:
        paragraphs = body(document)
        lines = [line for line, _ in paragraphs]
        captions = [mark for mark in document.captions(language) if mark.caption]
        if not paragraphs or not captions:
            continue
        place = Place([text for _, text in paragraphs], bundled_vectors())
        for mark in captions:
            right = np.array([mark.accepts(line) for line in [*lines, None]])
            views = {"reference": mark.reference, "translation": translations.get(mark.caption or ""), "source": None}
            for view, translation in views.items():
                if translation is None and view != "source":
                    continue
                slots = _slots(mark, lines, [int(i) for i in np.flatnonzero(right[:-1])])
                compared = compare(place, (mark.caption or "", language), translation, slots[0])
                for i, slot in enumerate(slots):
                    table = compared.table if i == 0 else compared.moved(slot)
                    weight = 0.5 if i == 0 else 1.0
                    found.append(Example(document.name, view, i == 0, table, right, weight))
    return found


def fit(data: Sequence[Example], penalty: float = PENALTY) -> NDArray[np.float64]:
    """Weights of greatest penalised likelihood that one of the right rows is chosen.

    Where "none" is the annotator's own answer but some paragraphs would do as well, half of the weight goes to "none"
    and half to any of the right rows: "none" is right there always, the paragraphs are a few of many.
    Expectation-maximisation with a Newton step: which of several right rows is "the" choice is the hidden variable.
    """
    rows = max(len(example.table) for example in data)
    tables = np.zeros((len(data), rows, len(FEATURES)))
    absent = np.full((len(data), rows), -1e9)
    right = np.zeros((len(data), rows), bool)
    for i, example in enumerate(data):
        tables[i, : len(example.table)] = example.table
        absent[i, : len(example.table)] = 0
        right[i, : len(example.right)] = example.right
    to_none = np.zeros((len(data), rows))
    none = np.array([bool(example.right[-1]) for example in data])
    to_none[np.arange(len(data)), [len(example.right) - 1 for example in data]] = 1
    importance = np.array([example.weight for example in data])
    importance /= importance.sum()
    # The penalty is to mean the same for all features: it is put on weights of features of like size.
    flat = tables.reshape(-1, len(FEATURES))
    scale = np.sqrt((flat**2).sum(axis=0) / np.maximum((flat != 0).sum(axis=0), 1))
    scale[scale == 0] = 1
    tables /= scale
    weights = np.zeros(len(FEATURES))
    for _ in range(200):
        scores = tables @ weights + absent
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        chosen = shares * right
        chosen /= np.maximum(chosen.sum(axis=1, keepdims=True), 1e-12)
        chosen[none] = (chosen[none] + to_none[none]) / 2
        mean = np.einsum("nm,nmd->nd", shares, tables)
        gradient = importance @ (np.einsum("nm,nmd->nd", chosen, tables) - mean) - penalty * weights
        second = flat.T @ (flat * (importance[:, None] * shares).reshape(-1, 1)) - (mean.T * importance) @ mean
        step = np.linalg.solve(second + penalty * np.eye(len(weights)), gradient)
        weights += step
        if np.abs(step).max() < 1e-5:
            break
    fitted: NDArray[np.float64] = weights / scale
    return fitted


def _choices(data: Sequence[Example], weights: NDArray[np.float64]) -> list[tuple[Example, float, bool]]:
    """Each example with the share of its best row and whether that row is right."""
    model = Model(weights)
    chosen = []
    for example in data:
        shares = model.shares(example.table)
        best = int(shares.argmax())
        chosen.append((example, float(shares[best]), bool(example.right[best])))
    return chosen


def held_out(data: Sequence[Example], penalty: float = PENALTY) -> list[tuple[Example, float, bool]]:
    """Choices for each document by weights fitted on the others."""
    groups = sorted({example.group for example in data})
    random.Random(5).shuffle(groups)
    fold = {group: i % FOLDS for i, group in enumerate(groups)}
    chosen = []
    for i in range(FOLDS):
        training = [example for example in data if fold[example.group] != i]
        test = [example for example in data if fold[example.group] == i]
        if training and test:
            chosen += _choices(test, fit(training, penalty))
    return chosen


def calibrate(chosen: Sequence[tuple[Example, float, bool]]) -> tuple[float, float]:
    """Slope and offset of the logistic from a share's log-odds to the probability of being right."""
    shares = np.clip([share for _, share, _ in chosen], 1e-6, 1 - 1e-6)
    x = np.stack([np.log(shares / (1 - shares)), np.ones(len(shares))], axis=1)
    y = np.array([right for _, _, right in chosen], float)
    w = np.array([1.0, 0.0])
    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ w))
        w = w + np.linalg.solve((x.T * (p * (1 - p))) @ x + 1e-6 * np.eye(2), x.T @ (y - p))
    return float(w[0]), float(w[1])


def accuracies(chosen: Sequence[tuple[Example, float, bool]]) -> dict[str, float]:
    """Share of right choices by view, for captions where they are printed."""
    sums: dict[str, list[bool]] = {}
    for example, _, right in chosen:
        if example.printed:
            sums.setdefault(example.view, []).append(right)
    return {view: round(float(np.mean(values)), 4) for view, values in sums.items()}


def translations_of(documents: Sequence[GoldDocument]) -> dict[str, str]:
    """The bundled model's translations of all captions."""
    from aligner.translation import Translator

    captions = [mark.caption for document in documents for mark in document.captions("es") if mark.caption]
    done = Translator.open("es-en").translate(captions)
    return {caption: translation.text for caption, translation in zip(captions, done, strict=True)}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m aligner.context.fit", description=__doc__)
    parser.add_argument("gold", nargs="+", type=Path, help="gold sets to fit on")
    parser.add_argument("--check", nargs="*", default=[], type=Path, help="gold sets to measure on only")
    parser.add_argument("--out", type=Path, help="where the weights go (default: print the figures alone)")
    options = parser.parse_args(arguments)
    sets = {folder.name: load([folder]).documents for folder in options.gold}
    checks = {folder.name: load([folder]).documents for folder in options.check}
    everything = [document for documents in [*sets.values(), *checks.values()] for document in documents]
    translations = translations_of(everything)
    by_set = {name: examples(documents, translations) for name, documents in sets.items()}
    data = [example for found in by_set.values() for example in found]
    chosen = held_out(data)
    weights = fit(data)
    slope, offset = calibrate(chosen)
    figures: dict[str, dict[str, float]] = {"held_out": accuracies(chosen)}
    for name, found in by_set.items():
        groups = {example.group for example in found}
        figures[f"held_out {name}"] = accuracies([choice for choice in chosen if choice[0].group in groups])
    for name, documents in checks.items():
        figures[f"check {name}"] = accuracies(_choices(examples(documents, translations), weights))
    stored: dict[str, object] = {
        "about": "Written by aligner/context/fit.py: weights of the linker and accuracies of held-out documents.",
        "weights": {feature: round(float(weight), 4) for feature, weight in zip(FEATURES, weights, strict=True)},
        "slope": round(slope, 4),
        "offset": round(offset, 4),
        "figures": figures,
    }
    print(json.dumps(stored, indent=1))
    if options.out:
        options.out.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
