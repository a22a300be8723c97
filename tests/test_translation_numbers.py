"""Numbers: read by value, compared, mended."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligner.translation import numbers

FILE = Path(__file__).parent / "cases" / "translate" / "numbers.jsonl"
CASES = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["target"])
def test_case(case: dict[str, object]) -> None:
    source = str(case["source"])
    mended = numbers.mend(source, str(case["target"]))
    assert mended == case["mended"]
    assert [code for code, _ in numbers.doubts(source, mended, spanish=True)] == case["codes"]
    assert numbers.mend(source, mended) == mended


def test_values() -> None:
    text = "1.500 casas, 3,5 km, 20.000 millones, 12 mil, las 21.30, 1,500 pesos"
    values = [number.values for number in numbers.read(text, spanish=True)]
    assert values[:4] == [{"1500"}, {"3.5"}, {"20000000000"}, {"12000"}]
    assert values[4] >= {"21:30", "9:30"}
    assert values[5] == {"1500", "1.5"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty-one", "21"),
        ("two hundred and forty-four", "244"),
        ("nineteen seventy", "1970"),
        ("three thousand million", "3000000000"),
        ("fifteen thousand three hundred", "15300"),
        ("In March", "3"),
    ],
)
def test_spelled(text: str, value: str) -> None:
    assert value in numbers.spelled(text)


@given(st.text(max_size=80), st.text(max_size=80))
def test_never_fails(source: str, target: str) -> None:
    mended = numbers.mend(source, target)
    list(numbers.doubts(source, mended, spanish=True))
    assert "".join(c for c in mended if c.isalpha()) or not any(c.isalpha() for c in target)


@given(
    st.lists(
        st.sampled_from(["12", "3.500", "4,5", "2-1", "7:30", "º", "%", "mil", "casa", ",", "(", "1.º"]), max_size=20
    )
)
def test_what_a_copy_says_is_kept(words: list[str]) -> None:
    line = " ".join(words)
    mended = numbers.mend(line, line)
    assert not [code for code, _ in numbers.doubts(line, mended, spanish=True) if code == "numbers-lost"]
