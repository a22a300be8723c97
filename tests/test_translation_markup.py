"""Markup in captions: off before translation, back around the same words."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligner.translation import Hypothesis, Translator, markup

MARKED = [
    "El alcalde de <b>Valencia</b> saluda a los vecinos",
    "**Vista aérea** del puerto de Cádiz",
    "Vista del [puerto](https://ejemplo.es/x) de la ciudad",
    "La <i>reina</i> y el <em>rey</em>, en la plaza",
    "<p>Los vecinos <strong>protestan</strong>.</p>",
    "*Los vecinos protestan en la plaza.*",
    'El <a href="https://ejemplo.es/a b">informe</a> del ministerio',
    "Una calle de Madrid<br>Foto de archivo",
    'Vista <a id="x"></a>aérea del puerto de Cádiz',
    '<a id="x"></a>Vista aérea del <b>puerto</b>',
    'Vista aérea del puerto<a id="x"></a>',
]


def marks_of(text: str) -> Counter[str]:
    return Counter(re.findall(r"</?\w[^<>]*>|\*\*|\*|\]\([^()]*\)", text))


def test_markup_survives_and_the_words_are_those_of_the_plain_caption() -> None:
    translator = Translator.open()
    plain = [markup.strip(caption)[0] for caption in MARKED]
    for caption, marked, alone in zip(MARKED, translator.translate(MARKED), translator.translate(plain), strict=True):
        assert marks_of(marked.text) == marks_of(caption)
        assert re.sub(r"</?\w[^<>]*>|\*|\[|\]\([^()]*\)", "", marked.text) == alone.text
        assert not any(warning.startswith("symbols-lost") for warning in marked.warnings)


@pytest.mark.parametrize(
    ("caption", "plain", "marks"),
    [
        ("Una <b>calle</b>, hoy", "Una calle, hoy", [("<b>", "</b>", 1, 1, True)]),
        ("**Una calle** de _Madrid_", "Una calle de Madrid", [("_", "_", 3, 3, False), ("**", "**", 0, 1, False)]),
        ("<p>Una <i>calle</i></p>", "Una calle", [("<i>", "</i>", 1, 1, False), ("<p>", "</p>", 0, 1, False)]),
        ('Vista <a id="x"></a>del puerto', "Vista del puerto", [('<a id="x"></a>', "", 1, 1, False)]),
        ('Vista del puerto <a name="f3"></a>', "Vista del puerto", [("", '<a name="f3"></a>', 2, 2, False)]),
        ("Vista <i><img></i>del puerto", "Vista del puerto", [("<i><img></i>", "", 1, 1, False)]),
        ("Cuesta 3 * 4 y a_b y * algo", "Cuesta 3 * 4 y a_b y * algo", []),
        ("Cuenta @ana_ y @_luis_", "Cuenta @ana_ y @_luis_", []),
        ("Temperaturas < 3 y > 2, <Ana>", "Temperaturas < 3 y > 2, <Ana>", []),
        ("Sin [enlace] y *nota", "Sin [enlace] y *nota", []),
    ],
)
def test_strip(caption: str, plain: str, marks: list[tuple[str, str, int, int, bool]]) -> None:
    found, kept = markup.strip(caption)
    assert found == plain
    assert [(m.before, m.after, m.first, m.last, m.tight) for m in kept] == marks


def test_what_has_no_text_stays_at_the_edge() -> None:
    swapped = ((0.0, 1.0), (1.0, 0.0))
    hypothesis = Hypothesis("uno dos", "two one", -0.1, alignment=swapped)
    assert markup.restored('<a id="x"></a>uno dos', hypothesis).text == '<a id="x"></a>two one'
    assert markup.restored('uno <a id="x"></a>dos', hypothesis).text == '<a id="x"></a>two one'
    assert markup.restored('uno dos<a id="x"></a>', hypothesis).text == 'two one<a id="x"></a>'


def test_words_that_came_from_the_marked_ones() -> None:
    weights = ((0.0, 0.9, 0.1), (0.1, 0.0, 0.9), (0.8, 0.2, 0.0))
    hypothesis = Hypothesis("uno dos tres", "two three one", -0.1, alignment=weights)
    assert markup.restored("uno <b>dos tres</b>", hypothesis).text == "<b>two three</b> one"
    assert markup.restored("_uno_ dos tres", hypothesis).text == "two three _one_"
    lost = markup.restored("_uno_ dos tres", Hypothesis("uno dos tres", "two three", -0.1))
    assert lost.text == "two three"
    assert [problem.code for problem in lost.problems] == ["symbols-lost"]


@given(st.text(st.sampled_from("aé .,*_<>/bi[]()"), max_size=40))
def test_no_markup_breaks_it(raw: str) -> None:
    plain, marks = markup.strip(" ".join(raw.split()))
    size = len(plain.split())
    assert all(0 <= mark.first <= mark.last < size for mark in marks)
    text = markup.restored(raw, Hypothesis(plain, plain, 0.0)).text
    assert text.count("a") >= plain.count("a")
