"""Records keep every field through JSON, and say what is wrong with a damaged one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligner.errors import RecordError
from aligner.records import (
    SCHEMA,
    Caption,
    Context,
    Credit,
    CreditLine,
    Document,
    Name,
    OtherLanguage,
    Slug,
    Translation,
)

texts = st.text(max_size=20)
numbers = st.integers(0, 10**6)
shares = st.floats(0, 1)
credits = st.builds(Credit, texts, st.none() | texts, st.none() | texts, numbers, numbers)
names = st.lists(st.builds(Name, texts, texts), max_size=2).map(tuple)
lines_of_text = st.lists(texts, max_size=2).map(tuple)
translations = st.builds(Translation, texts, texts, texts, st.floats(-50, 0), names, lines_of_text)
contexts = st.builds(Context, numbers, numbers, numbers, texts, shares, lines_of_text)
captions = st.builds(
    Caption,
    texts,
    numbers,
    numbers,
    numbers,
    texts,
    st.none() | credits,
    shares,
    lines_of_text,
    st.none() | translations,
    st.none() | contexts,
)
documents = st.builds(
    Document,
    document=texts,
    sha256=texts,
    context_language=texts,
    caption_language=texts,
    captions=st.lists(captions, max_size=3).map(tuple),
    slugs=st.lists(st.builds(Slug, numbers, numbers, numbers, texts), max_size=2).map(tuple),
    other_languages=st.lists(st.builds(OtherLanguage, numbers, numbers, numbers, texts), max_size=2).map(tuple),
    error=st.none() | texts,
    credit_lines=st.lists(st.builds(CreditLine, numbers, numbers, numbers, texts), max_size=2).map(tuple),
    encoding=st.none() | texts,
    warnings=lines_of_text,
)


@given(documents)
def test_json_keeps_everything(document: Document) -> None:
    assert Document.from_json(document.to_json()) == document
    assert "\n" not in document.to_json()
    assert json.loads(document.to_json(indent=1)) == document.to_dict()


def test_schema_comes_first_and_is_named() -> None:
    record = Document("a.txt", "", "en", "es")
    assert next(iter(record.to_dict().items())) == ("schema", SCHEMA)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "aligner/2"}, "aligner/2"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"sha256": 3}, "record.sha256"),
        ({"captions": [{"id": "c1"}]}, "record.captions[0]: field 'line' is missing"),
        ({"captions": {"id": "c1"}}, "record.captions: expected a list"),
        ({"captions": None}, "record.captions"),
        ({"slugs": [{"line": True, "start": 0, "end": 1, "text": "x"}]}, "record.slugs[0].line"),
    ],
)
def test_damaged_records_are_refused_with_the_place(change: dict[str, object], said: str) -> None:
    data = Document("a.txt", "", "en", "es").to_dict() | change
    with pytest.raises(RecordError) as caught:
        Document.from_dict(data)
    assert said in str(caught.value)


@pytest.mark.parametrize("line", ["", "{", "[]", "3", '"text"'])
def test_lines_that_are_no_records(line: str) -> None:
    with pytest.raises(RecordError):
        Document.from_json(line)
