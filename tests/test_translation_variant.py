"""British or American: the translation follows the article."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from aligner import Options, run
from aligner.errors import UsageError
from aligner.records import Document, Name, Translation
from aligner.translation import variant

FILE = Path(__file__).parent / "cases" / "translate" / "variant.jsonl"
CASES = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_case(case: dict[str, object]) -> None:
    habit = variant.FIXED[str(case["habit"])] if "habit" in case else variant.habit(case["article"])  # type: ignore[arg-type]
    converted = variant.convert(str(case["text"]), habit)
    assert converted == case["converted"]
    assert variant.convert(converted, habit) == converted
    assert converted == case["text"] or variant.may_change(str(case["text"]))


def test_there_and_back() -> None:
    table = variant._table()
    for one, other in [*table.american.items(), *table.ize.items()]:
        assert one != other
        assert variant.convert(f"the {one} here", variant.FIXED["american"]) == f"the {other} here"
    for one, other in [*table.british.items(), *table.ise.items()]:
        assert variant.convert(f"the {one} here", variant.FIXED["british"]) == f"the {other} here"
    assert not table.american.keys() & table.british.keys()


def test_names_and_terms_stay() -> None:
    translation = Translation("Sydney harbor color", "m", "e", -0.1, names=(Name("x", "harbor"),))
    assert variant.converted(translation, variant.FIXED["british"]).text == "Sydney harbor colour"


@given(st.text(max_size=100))
def test_never_fails(text: str) -> None:
    for habit in (*variant.FIXED.values(), variant.habit([text])):
        converted = variant.convert(text, habit)
        assert converted == text or variant.may_change(text)


ARTICLE = """The centre of the city

The {colour} of the walls in the {centre} changed on {date}, when neighbours met the mayor at the theatre to talk.

Vecinos en el centro de la ciudad, el 4 de mayo de 2019

The mayor spoke to them for an hour, and nobody left the building before the end of the long and lively meeting.
"""


@pytest.mark.parametrize("asked", ["auto", "british", "american", "none"])
def test_run(asked: str) -> None:
    text = ARTICLE.format(colour="colour", centre="centre", date="4 May 2019")
    (caption,) = run(text, Options(variant=asked)).captions
    assert caption.translation
    plain = run(text, Options(variant="none")).captions[0].translation
    assert plain
    habit = variant.FIXED.get(asked) or (variant.FIXED["british"] if asked == "auto" else variant.Habit())
    assert caption.translation.text == variant.convert(plain.text, habit)
    if asked in ("auto", "british"):
        assert "4 May 2019" in caption.translation.text
    if asked == "american":
        assert "May 4, 2019" in caption.translation.text


def test_command(aligner: Run, seed: Path) -> None:
    american = Document.from_json(aligner("run", "-f", "jsonl", "--variant", "american", seed).stdout)
    assert "December 9, 2019" in " ".join(c.translation.text for c in american.captions if c.translation)
    auto = Document.from_json(aligner("run", "-f", "jsonl", seed).stdout)
    assert "9 December 2019" in " ".join(c.translation.text for c in auto.captions if c.translation)
    lines = aligner("translate", "--variant", "american", stdin="En Lugo, el 9 de diciembre de 2019\n")
    assert "December 9, 2019" in lines.stdout
    refused = aligner("translate", "--variant", "auto", stdin="x\n")
    assert (refused.returncode, refused.stdout) == (2, "")
    with pytest.raises(UsageError, match="unknown variant 'scottish'"):
        run("a\nb", Options(variant="scottish"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The \"Sea Lion\" of Ana's town, in the '90s", "The “Sea Lion” of Ana’s town, in the ’90s"),
        ("(\"No more 'lies'\", reads the banner)", "(“No more ‘lies’”, reads the banner)"),
        ("The workers' boat of 5'10\", at 12\" from the quay", 'The workers’ boat of 5\'10", at 12" from the quay'),
        ('Book of "1917"', "Book of “1917”"),
        ("See https://example.org/it's-here", "See https://example.org/it's-here"),
    ],
)
def test_quotation_marks_follow_the_article(text: str, expected: str) -> None:
    curved = variant.habit(["It’s the mayor’s “best” idea."])
    assert curved.typographic
    assert variant.may_change(text)
    assert variant.convert(text, curved) == expected
    assert variant.convert(expected, curved) == expected
    straight = variant.habit(["It's the mayor's \"best\" idea, and the neighbours’."])
    assert variant.convert(text, straight) == text


def test_quotation_marks_in_a_run() -> None:
    body = "The mayor’s plan wasn’t popular, and neighbours called it “the wall” in the town’s only paper on Monday."
    (caption,) = run(f'{body}\n\nEl alcalde dice "no" a los vecinos del barrio\n\n{body}\n').captions
    assert caption.translation
    assert "“no”" in caption.translation.text


@pytest.mark.parametrize(
    ("english", "spanish", "translated"),
    [
        ("the “new” walls of the mayor’s house", 'El cartel dice "No pasar" en Madrid', "“"),
        ('the "new" walls of the mayor\'s house', "El cartel dice “No pasar” en Madrid", '"'),
        ("the new walls of the house", "El cartel dice “No pasar” en Madrid", "“"),
        ('the "new" walls of the house', "El cartel dice “No pasar” en Madrid", '"'),
        ("the “new” walls of the house", "El cartel dice «No pasar» en Madrid", "“"),
    ],
)
def test_quotation_marks_follow_article_or_caption(english: str, spanish: str, translated: str) -> None:
    text = (
        f"The city\n\nThe neighbours met the mayor to talk about {english} at length on Monday morning.\n\n{spanish}\n"
    )
    (caption,) = run(text).captions
    assert caption.translation is not None
    assert translated in caption.translation.text
    other = {"“": '"', '"': "“"}.get(translated, "“")
    assert other not in caption.translation.text
