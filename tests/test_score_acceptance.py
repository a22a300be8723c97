"""Our figures beside a second, independent scorer of finder, links and translations, on damaged runs.

The second scorer states the rules plainly: a line's longest caption answers the line's gold caption, shares are of
the gold captions (links: of those found), translations are scored by sacrebleu's functions.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_helpers import perfect

from aligner.records import Caption
from aligner.scoring import Gold, Run, Settings, load, score_runs

QUICK = Settings(metrics=("bleu", "chrf2"), resamples=0, tests=(), sliced=False)


@pytest.fixture(scope="module")
def gold(corpus: Path) -> Gold:
    """Documents whose lines have one Spanish caption at most: several in a line are not among those rules."""
    whole = load([corpus])
    single = [d for d in whole.documents if len({m.line for m in d.captions("es")}) == len(d.captions("es"))]
    return replace(whole, documents=tuple(single))


@pytest.fixture(scope="module")
def run(gold: Gold) -> Run:
    return perfect(gold)


def fold(text: str) -> str:
    return " ".join(text.split()).strip(" .")


def fold_credit(text: str) -> str:
    label = r"^(crédito de foto|crédito|fotografía|foto|photo)\s*(:\s*|\s+)"
    return re.sub(label, "", fold(text), flags=re.IGNORECASE)


def plain_scores(run: Run, gold: Gold) -> dict[str, float]:
    found = spurious = spans = credits = links = total = 0
    hypotheses, references = [], []
    for document, record in zip(gold.documents, run.records, strict=True):
        by_line: dict[int, list[Caption]] = {}
        for caption in record.captions:
            by_line.setdefault(caption.line, []).append(caption)
        for mark in document.captions("es"):
            total += 1
            candidates = by_line.pop(mark.line, [])
            if not candidates:
                continue
            found += 1
            spurious += len(candidates) - 1
            best = max(candidates, key=lambda c: len(c.source))
            spans += fold(best.source) == fold(mark.caption or "")
            credits += fold_credit(best.credit.text if best.credit else "") == fold_credit(mark.credit or "")
            line = best.context.line if best.context else None
            links += line == mark.aligned_line or (line is not None and line in mark.aligned_ok)
            hypotheses.append(best.translation.text if best.translation else "")
            references.append(mark.reference or "")
        spurious += sum(map(len, by_line.values()))
    precision, recall = found / max(1, found + spurious), found / max(1, total)
    return {
        "find.line.f1": 2 * precision * recall / max(1e-9, precision + recall),
        "find.line.p": precision,
        "find.line.r": recall,
        "find.span.r": spans / total,
        "find.credit.exact": credits / total,
        "link.accuracy": links / max(1, found),
        "mt.bleu": sacrebleu.corpus_bleu(hypotheses, [references]).score,
        "mt.chrf2": sacrebleu.corpus_chrf(hypotheses, [references]).score,
    }


@settings(max_examples=25, deadline=None)
@given(seed=st.randoms(use_true_random=False))
def test_figures_are_those_of_a_second_scorer(seed: object, run: Run, gold: Gold) -> None:
    import random

    assert isinstance(seed, random.Random)

    def damage(caption: Caption) -> list[Caption]:
        fate = seed.choice(["keep", "keep", "miss", "split", "cut", "credit", "link", "none", "words", "body"])
        half = len(caption.source) // 2
        if fate == "miss":
            return []
        if fate == "split" and half:
            one = replace(caption, end=caption.start + half, source=caption.source[:half])
            return [one, replace(caption, id="x", start=caption.start + half, source=caption.source[half:])]
        if fate == "cut" and half:
            return [replace(caption, start=caption.start + half, source=caption.source[half:])]
        if fate == "credit":
            return [replace(caption, credit=None)]
        if fate == "link" and caption.context:
            return [replace(caption, context=replace(caption.context, line=1))]
        if fate == "none":
            return [replace(caption, context=None)]
        if fate == "words" and caption.translation:
            words = caption.translation.text.split()
            seed.shuffle(words)
            return [replace(caption, translation=replace(caption.translation, text=" ".join(words)))]
        return [caption]

    records = [r.with_captions(tuple(x for c in r.captions for x in damage(c))) for r in run.records]
    hurt = replace(run, records=tuple(records))
    ours = score_runs([hurt], gold, settings=QUICK).systems[0].figures
    for name, value in plain_scores(hurt, gold).items():
        assert ours[name].value == pytest.approx(value), name
