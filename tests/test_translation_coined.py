"""Words that the model made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sacrebleu.metrics import CHRF

from aligner.context.fit import body
from aligner.scoring.gold import load
from aligner.translation import Hypothesis, Translator
from aligner.translation.coined import chooser, mend
from aligner.translation.guard import Problem
from aligner.translation.rerank import ArticleChoice

CORPUS = Path(__file__).parent.parent / "corpus"


def hypothesis(source: str, text: str, **links: int) -> Hypothesis:
    """A translation whose words attend to the source words of the given numbers, others to those in their place."""
    width = len(source.split())
    rows = []
    for i, word in enumerate(text.split()):
        at = links.get(word.strip('.,"'), min(i, width - 1))
        rows.append(tuple(float(j == at) for j in range(width)))
    return Hypothesis(source, text, -0.5, alignment=tuple(rows))


@pytest.mark.parametrize(
    ("source", "text", "links", "mended"),
    [
        ("Huyen con una mochila", "They flee with a mochile", {}, "They flee with a backpack"),
        ("Una mochila roja", "A red mochila.", {"mochila": 1}, "A red backpack."),
        ("Mochilas en el suelo", "Mochiles on the floor", {}, "Backpacks on the floor"),
        ("Mochilas en el suelo", "MOCHILES ON THE FLOOR", {}, "BACKPACKS ON THE FLOOR"),
        ("Mochilas rojas", "Red mochiles", {"mochiles": 0}, "Red backpacks"),
        ("Bibliotecas de la ciudad", "Biblioqus of the city", {}, "Libraries of the city"),
        ("Una escritora panameña", "A panameñian writer", {"panameñian": 2}, "A Panamanian writer"),
        # names, compounds, possessives, hyphens, addresses stay
        ("El ciclista Tito Sarmendi", "The cyclist Tito Sarmendi", {}, "The cyclist Tito Sarmendi"),
        ("Vista del paseo", "A seafront view", {}, "A seafront view"),
        ("La casa de Ozkan", "The house of Ozkan's", {}, "The house of Ozkan's"),
        ("Un xilofón-mochila", "A xylofo-mochile", {}, "A xylofo-mochile"),
        ("Más en mochila.com", "More at mochile.com", {}, "More at mochile.com"),
    ],
)
def test_look_up(source: str, text: str, links: dict[str, int], mended: str) -> None:
    found = mend(hypothesis(source, text, **links), frozenset())
    assert found.text == mended
    assert len(found.text.split()) == len(found.alignment or ())
    assert [problem.code for problem in found.problems] == ["looked-up"] * (mended != text)


def test_the_article_decides() -> None:
    flee = hypothesis("Huyen con una mochila", "They flee with a mochile", mochile=3)
    assert mend(flee, {"bag"}).text == "They flee with a bag"
    assert mend(flee, {"mochile"}) == flee


def test_what_cannot_be_looked_up_is_named() -> None:
    for text, word in (("A bitcornist on the beach", "bitcornist"), ("The Ohiseo Palace", "Ohiseo")):
        found = mend(hypothesis("Un zurriburri en la playa", text), frozenset())
        assert (found.text, found.problems) == (text, (Problem("unknown-word", word),))
    without = replace(hypothesis("Huyen con una mochila", "They flee with a mochile"), alignment=None)
    assert [problem.code for problem in mend(without, frozenset()).problems] == ["unknown-word"]


def test_a_word_looked_up_is_no_longer_left_over() -> None:
    left = replace(hypothesis("Una mochila roja", "A mochila red"), problems=(Problem("untranslated", "mochila"),))
    assert [problem.code for problem in mend(left, frozenset()).problems] == ["looked-up"]


def test_chooser_mends_before_it_chooses() -> None:
    flee = hypothesis("Huyen con una mochila", "They flee with a mochile")
    other = hypothesis("Huyen con una mochila", "They flee")
    assert chooser()(0, [flee, other]).text == "They flee with a backpack"
    assert chooser(lambda _, found: max(found, key=lambda h: len(h.text)))(0, [other, flee]).text.endswith("backpack")


def test_references_are_left_alone_and_translations_gain() -> None:
    """Of human translations few have a word that is not known; the model's come nearer to them."""
    translator = Translator.open(threads=1)
    items = [
        (ArticleChoice(tuple(text for _, text in body(document))), mark.caption or "", mark.reference)
        for document in load([CORPUS / "houses", CORPUS / "outlets"]).documents
        for mark in document.captions("es")
        if mark.reference
    ]
    named = 0
    before, after = [], []
    for (article, source, reference), (first, *_) in zip(
        items, translator.hypotheses([source for _, source, _ in items], 1, alignment=True), strict=True
    ):
        named += bool(mend(Hypothesis(source, reference or "", 0.0), article.forms).problems)
        before.append(first.text)
        after.append(mend(first, article.forms).text)
    assert named / len(items) < 0.15
    references = [[reference or "" for _, _, reference in items]]
    assert before != after
    assert CHRF().corpus_score(after, references).score > CHRF().corpus_score(before, references).score
