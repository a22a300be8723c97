"""The guard: what is doubtful about a translation, and above all what is not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligner.translation import guard

FOLDER = Path(__file__).parent / "cases" / "translate"
CASES = [json.loads(line) for line in (FOLDER / "guard.jsonl").read_text(encoding="utf-8").splitlines()]
REFERENCES = [line.split("\t") for line in (FOLDER / "references.tsv").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["target"][:40] or "nothing")
def test_case(case: dict[str, object]) -> None:
    problems = guard.check(str(case["source"]), str(case["target"]))
    assert sorted({problem.code for problem in problems}) == sorted(case["codes"]), problems  # type: ignore[call-overload]


def test_silent_on_careful_translations() -> None:
    doubtful = [(s, t, guard.check(s, t)) for s, t in REFERENCES]
    assert not [one for one in doubtful if one[2]]


def test_loud_on_untranslated_captions() -> None:
    # A source handed back as its own translation must never pass, names aside.
    passed = [s for s, _ in REFERENCES if not guard.check(s, s)]
    assert not passed


def test_every_code_is_known_and_gravest_first() -> None:
    seen = set()
    for case in CASES:
        problems = guard.check(str(case["source"]), str(case["target"]))
        weights = [guard.CODES[problem.code] for problem in problems]
        assert weights == sorted(weights, reverse=True)
        assert guard.weight(problems) == sum(weights)
        assert all(str(problem).startswith(f"{problem.code}: ") for problem in problems)
        seen |= {problem.code for problem in problems}
    elsewhere = {
        "truncated",
        "clause-lost",
        "glossary-missed",
        "name-lost",
        "name-added",
        "word-lost",
        "unknown-word",
        "looked-up",
    }
    assert seen >= set(guard.CODES) - elsewhere


@pytest.mark.parametrize(
    ("source", "target", "mended"),
    [
        ("Vista. Foto: La Jornada", "View. Photo: The Jornada", "View. Photo: La Jornada"),
        ("Vista. Ana Ruiz / La Jornada", "View. Ana Ruiz / The Jornada", "View. Ana Ruiz / La Jornada"),
        ("Vista (EFE).", "View (FEE).", "View (EFE)."),
        ("Vista (EFE).", "View (EFE).", "View (EFE)."),
        ("Vista (Lugo)", "View (Lago)", "View (Lago)"),
        ("Vista / EFE del puerto", "View / FEE of the port", "View / FEE of the port"),
        ("Foto: La Jornada", "The photo", "The photo"),
    ],
)
def test_credit_at_the_end_is_mended(source: str, target: str, mended: str) -> None:
    assert guard.mend_credit(source, target) == mended


@pytest.mark.parametrize(
    ("source", "target", "mended"),
    [
        ("Imagen de su cuenta (@museo)", "Image of his account (Museo)", "Image of his account (@museo)"),
        ("Marcha del #8M y @museo", "March of #8M and @museo", "March of #8M and @museo"),
        ("Marcha por el #Orgullo", "March for the Pride", "March for the Pride"),
        ("Cuentas de @ana y @ana", "Accounts of ana and ana", "Accounts of @ana and @ana"),
    ],
)
def test_handles_get_their_mark_back(source: str, target: str, mended: str) -> None:
    assert guard.mend_literals(source, target) == mended


@pytest.mark.parametrize(
    ("source", "target", "once"),
    [
        ("De la comida a los juguetes", "From food to to to toys", "From food to toys"),
        ("El final de la Copa", "At the end of the Cup, the end, of the Cup.", "At the end, of the Cup."),
        ("Gritan no, no, no", "They shout no, no, no", "They shout no, no, no"),
        ("Lo que tenía", "What he had had", "What he had had"),
    ],
)
def test_a_loop_is_said_once(source: str, target: str, once: str) -> None:
    words = target.split()
    assert " ".join(words[i] for i in guard.said_once(source, words)) == once


def test_clause_that_nothing_looks_at() -> None:
    source = "Los vecinos limpian la calle, mientras los bomberos achican agua"
    target = "The residents clean the street"
    assert guard.is_thin(source, target)
    assert not guard.is_thin(source, f"{target} while the firefighters pump out water")
    assert not guard.is_thin("Los vecinos limpian hoy la calle entera", "They clean")  # one clause
    clean = [[float(i == j) for j in range(10)] for i in range(5)]
    assert [str(problem) for problem in guard.uncovered(source, clean)] == [
        "clause-lost: 'mientras los bomberos achican agua'"
    ]
    spread = [[0.1] * 10 for _ in range(5)]
    assert not guard.uncovered(source, spread)


def test_other_languages_get_the_general_checks_only() -> None:
    assert not guard.check(
        "Der Präsident von Kolumbien", "El presidente de Colombia", source_language="de", target_language="es"
    )
    codes = [p.code for p in guard.check("Im Jahr 2019", "En el año", source_language="de", target_language="es")]
    assert codes == ["numbers-lost"]


@given(st.text(max_size=200), st.text(max_size=200))
def test_never_fails(source: str, target: str) -> None:
    for problem in guard.check(source, target):
        assert problem.code in guard.CODES
        assert problem.reason


@given(
    st.lists(
        st.sampled_from(["el", "la", "12", "3.500", "@abc", "#tag", "2-1", "Madrid", "casa", ".", ",", "😀"]),
        max_size=30,
    )
)
def test_numbers_and_literals_of_a_copy_are_kept(words: list[str]) -> None:
    line = " ".join(words)
    codes = {problem.code for problem in guard.check(line, line)}
    assert not codes & {"numbers-lost", "numbers-added", "literal-lost", "symbols-lost", "too-long", "too-short"}
