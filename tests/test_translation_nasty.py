"""Nasty captions through the bundled model: nothing crashes, loops, comes out empty or loses what must stay.

Each line of ``cases/translate/nasty.jsonl`` has a category, a source, and what must hold beyond the rules below:
``keep`` (strings of the output), ``absent`` (strings that are not), ``copy`` (nothing to translate).
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from aligner.records import Translation
from aligner.translation import Translator, guard, numbers
from aligner.translation.rerank import ArticleChoice, chooser
from aligner.translation.text import literals, pictographs, straight_quotes

FILE = Path(__file__).parent / "cases" / "translate" / "nasty.jsonl"
#: Captions full of names: what the translation holds beside the article in ``flood.txt``, and alone.
NAMES = FILE.with_name("nasty-names.jsonl")
CASES: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def translations() -> list[Translation]:
    return Translator.open().translate([case["source"] for case in CASES])


def codes(translation: Translation) -> set[str]:
    return {warning.partition(":")[0] for warning in translation.warnings}


def failures(case: dict[str, Any], translation: Translation) -> list[str]:
    """What does not hold of a translation; a doubt that its warnings name is no failure, a loop always is one."""
    source, text = straight_quotes(case["source"]), translation.text
    named = codes(translation)
    failed = [f"lost {string!r}" for string in case.get("keep", ()) if string not in text]
    failed += [f"has {string!r}" for string in case.get("absent", ()) if string in text]
    if case.get("copy") and text != source:
        failed.append("changed")
    if not text.strip():
        failed.append("empty")
    loops = [problem for problem in guard.check(source, text) if problem.code == "repetition"]
    if loops and "repetition" not in named:
        failed.append(str(loops[0]))
    if len(text.split()) > 3 * len(source.split()) + 8:
        failed.append("runs on")
    if Counter(literals(source)) - Counter(literals(text)):
        failed.append("literal lost")
    if Counter(pictographs(source)) - Counter(pictographs(text)) and "symbols-lost" not in named:
        failed.append("symbol lost without a warning")
    lost = [reason for code, reason in numbers.doubts(source, text, spanish=True) if code == "numbers-lost"]
    if lost and "numbers-lost" not in named:
        failed.append(f"number lost without a warning: {lost}")
    if any(unicodedata.category(char) in ("Cc", "Co", "Cs") for char in set(text) - set(source)):
        failed.append("control characters of its own")
    return failed


@pytest.mark.parametrize("beside", ["article", "alone"])
def test_names_in_nasty_captions(beside: str) -> None:
    """What an article's names, or the caption's own, must be in the translation, or named by a warning."""
    paragraphs = [*filter(None, NAMES.with_name("flood.txt").read_text(encoding="utf-8").split("\n"))]
    choice = ArticleChoice(tuple(paragraphs)) if beside == "article" else ArticleChoice(())
    cases = [json.loads(line) for line in NAMES.read_text(encoding="utf-8").splitlines()]
    captions = [case["source"] for case in cases]
    found = Translator.open().translate(captions, n_best=4, choose=chooser(lambda _: choice))
    failed = {
        case["source"]: (translation.text, lost)
        for case, translation in zip(cases, found, strict=True)
        if (lost := failures({"source": case["source"], "keep": case[beside]}, translation))
    }
    assert len(cases) >= 40
    assert not failed


def test_enough_of_each() -> None:
    counts = Counter(case["category"] for case in CASES)
    assert len(CASES) >= 150
    assert len(counts) >= 20
    assert len({case["source"] for case in CASES}) == len(CASES)


def test_every_caption(translations: list[Translation]) -> None:
    failed = {
        case["source"]: (translation.text, found)
        for case, translation in zip(CASES, translations, strict=True)
        if (found := failures(case, translation))
    }
    assert not failed


def test_what_is_flagged(translations: list[Translation]) -> None:
    """Loops and lost numbers are rare, and every warning has a known code and a reason."""
    counts = Counter(code for translation in translations for code in codes(translation))
    assert set(counts) <= set(guard.CODES)
    assert counts["repetition"] <= 4
    assert counts["numbers-lost"] <= 4
    assert not counts["literal-lost"]
    assert not counts["empty"]
    assert all(warning.partition(": ")[2] for translation in translations for warning in translation.warnings)


def test_one_by_one_is_the_same(translations: list[Translation]) -> None:
    alone = Translator.open()
    for case, translation in list(zip(CASES, translations, strict=True))[::5]:
        assert alone.translate([case["source"]]) == [translation]
