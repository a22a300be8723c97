"""The corrected article differs in the captions alone, and leads back to the original's bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligner import documents, patch
from aligner.errors import OutputError, UsageError
from aligner.records import Caption, Document, Translation

TEXT = "Hello there.\r\n\r\nEFE - La niña corre\tsola\r\nBye.\r\nÉl mira. (AFP)\n"


def record_of(article: documents.Article, *spans: tuple[str, str]) -> Document:
    captions = []
    for number, (source, translation) in enumerate(spans, 1):
        start = article.text.index(source)
        captions.append(
            Caption(
                f"c{number}",
                article.text.count("\n", 0, start) + 1,
                start,
                start + len(source),
                source,
                None,
                1.0,
                (),
                Translation(translation, "es-en@0", "ctranslate2", -0.1),
            )
        )
    return Document(article.name, article.sha256, "en", "es", tuple(captions))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_other_byte_stays(encoding: str) -> None:
    data = TEXT.encode(encoding)
    article = documents.from_bytes(data, "a.txt")
    record = record_of(article, ("La niña corre\tsola", "The girl runs alone"), ("Él mira.", "He is watching."))
    expected = TEXT.replace("La niña corre\tsola", "The girl runs alone").replace("Él mira.", "He is watching.")
    assert patch.patch(article, record) == expected.encode(encoding)


def test_both_keeps_the_caption() -> None:
    article = documents.from_text(TEXT)
    record = record_of(article, ("Él mira.", "He is watching."))
    assert b"He is watching. [es: \xc3\x89l mira.] (AFP)" in patch.patch(article, record, "both")


def test_tag_marks_the_language_in_markdown_only() -> None:
    article = documents.from_text(TEXT, format="markdown")
    record = record_of(article, ("Él mira.", "He is watching."))
    assert '<span lang="es">Él mira.</span> (AFP)' in patch.patch(article, record, "tag").decode()
    plain = documents.from_text(TEXT)
    with pytest.raises(UsageError, match="plain text"):
        patch.patch(plain, record_of(plain), "tag")


def test_a_record_of_another_version_is_refused() -> None:
    article = documents.from_text(TEXT)
    record = record_of(documents.from_text(TEXT + "more"), ("Él mira.", "He is watching."))
    with pytest.raises(OutputError, match="another version"):
        patch.patch(article, record)


def test_a_letter_that_the_code_page_lacks() -> None:
    article = documents.from_bytes(TEXT.encode("cp1252"), "a.txt")
    fitting = record_of(article, ("Él mira.", "He “looks” — on…"))
    assert b"He \x93looks\x94 \x97 on\x85" in patch.patch(article, fitting)
    lacking = record_of(article, ("Él mira.", "Łukasz looks"))
    with pytest.raises(OutputError, match="cp1252 lacks"):
        patch.patch(article, lacking)


@st.composite
def patched_texts(draw: st.DrawFn) -> tuple[documents.Article, Document]:
    pieces = draw(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=9))
    text = "".join(pieces)
    article = documents.from_text(text, format="markdown")
    captions, at = [], 0
    for number, piece in enumerate(pieces):
        if number % 2 and piece:
            translation = Translation(
                draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=12)), "m", "e", -1.0
            )
            captions.append(Caption(f"c{number}", 1, at, at + len(piece), piece, None, 1.0, (), translation))
        at += len(piece)
    return article, Document("-", article.sha256, "en", "es", tuple(captions))


@given(patched_texts(), st.sampled_from(patch.MODES))
def test_unpatch_gives_the_original_back(made: tuple[documents.Article, Document], mode: patch.Mode) -> None:
    article, record = made
    changes = patch.edits(article, record, mode)
    patched = patch.apply(article.text, changes)
    assert article.encode(patched) == patch.patch(article, record, mode)
    assert article.encode(patch.unpatch(patched, changes)) == article.data


def test_unpatch_refuses_an_edited_text() -> None:
    article = documents.from_text(TEXT)
    changes = patch.edits(article, record_of(article, ("Él mira.", "He is watching.")))
    with pytest.raises(OutputError, match="edited since"):
        patch.unpatch(patch.apply(article.text, changes).replace("watching", "looking"), changes)


def test_overlapping_captions_are_refused() -> None:
    article = documents.from_text(TEXT)
    record = record_of(article, ("La niña", "The girl"), ("niña corre", "girl runs"))
    with pytest.raises(OutputError, match="overlap"):
        patch.patch(article, record)
    single = replace(record, captions=record.captions[:1])
    assert b"The girl corre" in patch.patch(article, single)


def test_diff_shows_the_changed_line() -> None:
    article = documents.from_text(TEXT, "a.txt")
    rows = patch.diff(article, record_of(article, ("Él mira.", "He is watching."))).splitlines()
    assert "-Él mira. (AFP)" in rows
    assert "+He is watching. (AFP)" in rows
