"""Markdown: what stands in front matter, images, shortcodes and tables is read, and written back as these have it."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import aligner
from aligner import documents, patch
from aligner.captions import find
from aligner.documents import Article
from aligner.readers.markdown import MarkdownBlock, rewrapped
from aligner.records import Caption, Document, Translation

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "cases/patch/markdown.jsonl").read_text("utf-8").splitlines()
]
BODY = (
    "The demonstrators walked through the city on Monday and asked the government for an answer, which it had not "
    "given for a year. They will come back every week until somebody talks to them about the schools and hospitals.\n\n"
)


def record_of(article: Article, translations: dict[str, str]) -> Document:
    """A record with captions that read as given."""
    captions = []
    for block in article.blocks:
        for words, english in translations.items():
            if (at := block.text.find(words)) >= 0:
                start, end = block.span(at, at + len(words))
                translation = Translation(english, "es-en@0", "ctranslate2", -1.0)
                source = article.text[start:end]
                captions.append(
                    Caption(f"c{len(captions) + 1}", block.line, start, end, source, None, 1.0, (), translation)
                )
                assert article.wording(start, end) == words
    assert len(captions) == len(translations)
    return Document(article.name, article.sha256, "en", "es", tuple(captions))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_corrected(case: dict[str, Any]) -> None:
    article = documents.from_text(case["text"], "a.md", "markdown")
    record = record_of(article, case["captions"])
    changes = patch.edits(article, record)
    patched = patch.apply(article.text, changes)
    assert patched == case["patched"]
    assert patch.unpatch(patched, changes) == case["text"]
    both = patch.apply(article.text, patch.edits(article, record, "both"))
    again = documents.from_text(both, "a.md", "markdown")
    assert len(again.blocks) == len(article.blocks)


# A document for each container, and what its own parser reads there.
INLINE = MarkdownIt("commonmark").enable("table")


def front(text: str) -> str:
    return text.split("---\n")[1]


def first(text: str, kind: str) -> Any:
    tokens = [t for token in INLINE.parse(text) for t in (token.children or [])]
    return next(t for t in tokens if t.type == kind)


def words_of(text: str) -> str:
    tokens = [t for token in INLINE.parse(text) for t in (token.children or [])]
    assert all(t.type in ("text", "softbreak", "text_special") for t in tokens)
    return "".join(t.content if t.type != "softbreak" else " " for t in tokens)


def cell(text: str) -> str:
    tokens = [token.content for token in INLINE.parse(text) if token.type == "inline"]
    assert len(tokens) == 4
    return words_of(tokens[2])


PARSERS = {
    '---\ncaption: "El rey saluda"\nb: 1\n---\n': lambda text: yaml.safe_load(front(text))["caption"],
    "---\ncaption: 'El rey saluda'\nb: 1\n---\n": lambda text: yaml.safe_load(front(text))["caption"],
    "---\ncaption: El rey saluda\nb: 1\n---\n": lambda text: yaml.safe_load(front(text))["caption"],
    "---\na: [{caption: El rey saluda}, 2]\n---\n": lambda text: yaml.safe_load(front(text))["a"][0]["caption"],
    '+++\ncaption = "El rey saluda"\nb = 1\n+++\n': lambda text: tomllib.loads(text.split("+++\n")[1])["caption"],
    "+++\ncaption = 'El rey saluda'\nb = 1\n+++\n": lambda text: tomllib.loads(text.split("+++\n")[1])["caption"],
    "![El rey saluda](a.jpg)\n": lambda text: first(text, "image").content and words_of(first(text, "image").content),
    '![x](a.jpg "El rey saluda")\n': lambda text: first(text, "image").attrs["title"],
    "![x](a.jpg 'El rey saluda')\n": lambda text: first(text, "image").attrs["title"],
    "| a | b |\n|---|---|\n| El rey saluda | x |\n": cell,
    "El rey saluda\n": words_of,
}


@pytest.mark.parametrize("text", PARSERS)
@given(st.text(st.sampled_from("aZñ19 .,:;#&<>\"'`*_[](){}|\\-=~!?/@%$"), min_size=1, max_size=20))
def test_the_containers_parser_reads_the_translation(text: str, english: str) -> None:
    english = " ".join(english.split())
    if not any(map(str.isalnum, english)):
        return
    article = documents.from_text(text, "a.md", "markdown")
    record = record_of(article, {"El rey saluda": english})
    changes = patch.edits(article, record)
    patched = patch.apply(text, changes)
    wanted = english.replace("'", "\u2019").replace("`", "\u2018") if "= '" in text else english
    assert PARSERS[text](patched) == wanted
    assert patch.unpatch(patched, changes) == text


MARKED = {
    "El **rey** saluda a *la reina* en [la *torre*](/es/torre_x)\n": "El rey saluda a la reina en la torre",
    "***El rey*** y [La Palma][lp]\n\n[lp]: /x_y\n": "El rey y La Palma",
    "*El **rey** saluda* [a](b) `c`. EFE\n": "El rey saluda a c.",
}


@pytest.mark.parametrize("text", MARKED)
@given(
    st.lists(
        st.sampled_from(["The", "king", "queen's", "rey", "torre,", "Palma.", "a", "c", "1.", "(x)", "*y*"]),
        min_size=4,
        max_size=9,
    )
)
def test_markup_inside_survives_balanced(text: str, words: list[str]) -> None:
    article = documents.from_text(text, "a.md", "markdown")
    record = record_of(article, {MARKED[text]: " ".join(words)})
    changes = patch.edits(article, record)
    patched = patch.apply(text, changes)
    assert patch.unpatch(patched, changes) == text

    def seen(markdown: str) -> tuple[list[str], str]:
        tokens = [t for token in INLINE.parse(markdown) for t in (token.children or [])]
        shown = "".join(t.content for t in tokens if t.type in ("text", "text_special", "code_inline"))
        return sorted(
            str(t.attrs.get("href", t.tag)) for t in tokens if t.nesting == 1 or t.type == "code_inline"
        ), shown

    kinds, shown = seen(patched)
    assert shown.startswith(" ".join(words))
    assert set(kinds) <= set(seen(text)[0])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('---\ntitle: "News"\nlang: en\ncaption: "Los vecinos hablan de \\"la fiesta\\" en la plaza"\n---\n', 1),
        ("- [Leer en español](/es/lorca)\n- [Ver todas las noticias de hoy](/es)\n", 0),
        ("[Leer en español](/es/lorca)\n", 0),
        ("[ref]: la-plaza-de-la-ciudad.jpg\n", 0),
        ('![Los vecinos celebran la fiesta en la plaza][ref]\n\n[ref]: k.jpg "Los niños juegan en la calle"\n', 2),
        ("| *Los vecinos celebran la fiesta en la plaza* | 1 |\n", 1),
        ("Here they are in Spanish:\n\n> Los vecinos celebran la fiesta\n> en la plaza de la ciudad\n", 0),
        (
            '<blockquote class="twitter-tweet"><p lang="es">Los vecinos celebran la fiesta</p> (@x)</blockquote>',
            0,
        ),
        ("Los vecinos celebran la fiesta en la plaza de la\nciudad con los niños de las escuelas. EFE\n", 1),
        ("Los vecinos celebran la fiesta en la plaza\n## The heading\n", 1),
        ('[caption id="a" width="3"]<img src="a.jpg"> Los vecinos celebran la fiesta en la plaza EFE[/caption]', 1),
        ("[[File:a.jpg|thumb|Los vecinos celebran la fiesta en la plaza]]", 1),
    ],
)
def test_found(text: str, found: int) -> None:
    article = documents.from_text((text + "\n" if text.startswith("---") else "") + BODY * 3 + text, "a.md", "markdown")
    if text.startswith("---"):
        article = documents.from_text(text + BODY * 3, "a.md", "markdown")
    findings = find(article)
    assert len(findings.captions) == found
    assert not findings.slugs
    assert not findings.other_languages
    for caption in findings.captions:
        assert article.text[caption.start : caption.end] == caption.source
        assert caption.source.strip("*[]|\n") == caption.source


def test_a_title_is_its_images_credit() -> None:
    text = BODY + '![Los vecinos celebran la fiesta en la plaza](a.jpg "Foto: EFE/Ana Sanz")\n'
    (caption,) = find(documents.from_text(text, "a.md", "markdown")).captions
    assert caption.credit is not None
    assert (caption.credit.agency, caption.credit.photographer) == ("EFE", "Ana Sanz")


def test_pictures_of_a_wiki_in_plain_text() -> None:
    text = BODY + "[[Archivo:La_plaza.jpg|mini|''Los vecinos'' celebran la [[fiesta|gran fiesta]] en la plaza]]\n"
    article = documents.from_text(text)
    (caption,) = find(article).captions
    assert caption.source == "''Los vecinos'' celebran la [[fiesta|gran fiesta]] en la plaza"
    record = record_of(
        article, {"Los vecinos celebran la gran fiesta en la plaza": "The neighbours celebrate the great fête"}
    )
    patched = patch.patch(article, record).decode()
    assert patched.endswith("|mini|''The neighbours'' celebrate the [[fiesta|great fête]]]]\n")


def test_the_line_below_in_a_figcaption_is_its_credit() -> None:
    text = (
        f"{BODY}<figure><figcaption>Los vecinos celebran la fiesta<br>Foto: Luismi Ortiz / UME</figcaption></figure>\n"
    )
    (caption,) = find(documents.from_text(text, "a.md", "markdown")).captions
    assert caption.credit is not None
    assert (caption.credit.agency, caption.credit.photographer) == ("UME", "Luismi Ortiz")


WRAPPED = """\
The demonstrators walked through the city on Monday and asked the
government for an answer, which it had not given for a year. They will
come back every week until somebody talks to them about the schools.

Los vecinos celebran la fiesta en la plaza de la ciudad junto con los
niños de las escuelas. EFE
The heading below it

They will come back every week until somebody talks to them about the
hospital, and about what the government has done with the money.
"""


@pytest.mark.parametrize("format", ["text", "markdown"])
@pytest.mark.parametrize("feed", ["\n", "\r\n"])
def test_wrapped_lines_are_one_caption(format: str, feed: str) -> None:
    article = documents.from_text(WRAPPED.replace("\n", feed), "a", format)
    assert [block.line for block in article.blocks] == [1, 5, 7, 9]
    (caption,) = find(article).captions
    assert caption.source == article.text[caption.start : caption.end]
    assert (
        caption.source
        == f"Los vecinos celebran la fiesta en la plaza de la ciudad junto con los{feed}niños de las escuelas."
    )
    assert "\n" not in article.wording(caption.start, caption.end)


def test_one_paragraph_a_line_stays_so() -> None:
    text = "A heading\nputin\nmacron-rusia\n" + BODY.strip() + "\nEl presidente de la ciudad\nen la plaza\nHeading\n"
    assert [b.line for b in documents.from_text(text).blocks] == [1, 2, 3, 4, 5, 6, 7]


def test_rewrapped_lines_are_no_lists() -> None:
    assert rewrapped("a b c - d", "aaaaaa\nb") == "a b c -\nd"
    assert rewrapped("a b", "a") == "a b"


@pytest.mark.parametrize(
    "piece",
    [
        "![a](b) ",
        "[[a|",
        "[[File:a|",
        "{{< a ",
        '{% a="',
        "`",
        "`a``",
        "''",
        "*a _b",
        "<script>",
        "<!--",
        "[a",
        "| a ",
        "<em>",
        "~~a",
    ],
)
def test_a_lot_of_anything_takes_no_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    started = time.process_time()
    blocks = documents.from_text(text, format="markdown").blocks
    documents.from_text("---\na: " + text[:60000] + "\n---\n", format="markdown")
    assert all(isinstance(block, MarkdownBlock) for block in blocks)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("---\na: b: c\n---\n", "no YAML: line 2: mapping values are not allowed"),
        ("---\na: [1\n---\n", "no YAML: line 3: "),
        ("---\na: \x07\n---\n", "no YAML: unacceptable character"),
        ("---\na: " + "[" * 5000 + "\n---\n", "no YAML: "),
        ("---\na: " + "x" * 70000 + "\n---\n", "longer than 65,536 letters"),
        ("+++\na = b\n+++\n", "no TOML: "),
        ('---\na: "El rey"\n---\n', None),
        ("", None),
    ],
)
def test_front_matter_that_cannot_be_read_is_said(front: str, reason: str | None) -> None:
    article = documents.from_text(front + BODY, "a.md", "markdown")
    record = aligner.run(article)
    assert [block.text for block in article.blocks][-1] == BODY.strip().split("\n\n")[-1]
    assert record.warnings == article.warnings
    if reason is None:
        assert article.warnings == ()
    else:
        [warning] = article.warnings
        assert warning.startswith("front-matter: ")
        assert reason in warning
        assert "\n" not in warning


FIGURES = [
    ("![[mill.png|La prensa nueva]]", "![[mill.png|The new press]]"),
    ("![[mill.png|La prensa nueva|300]]", "![[mill.png|The new press|300]]"),
    ("See ![[the mill|La prensa nueva]] here.", "See ![[the mill|The new press]] here."),
    ("```{figure} a.png\n:name: la-prensa\n:alt: La prensa nueva\n```", None),
    ("```{figure} a.png\n:width: 50%\n\nLa prensa nueva\n```", None),
    (":::{figure} a.png\n:alt: La prensa nueva\n:::", None),
    (".. figure:: a.png\n   :alt: La prensa nueva\n", None),
    ('![](a.png){#fig-press fig-alt="La prensa nueva" width=50%}', None),
    ('![The press](a.png){fig-cap="La prensa nueva"}', None),
    ('<Figure src="a.png" caption="La prensa nueva" />', None),
    ('<Image src={press} alt="La prensa nueva" />', None),
    ('{% figure caption:"La prensa nueva" class: "wide" %}', None),
]


@pytest.mark.parametrize(("markup", "patched"), FIGURES, ids=[markup for markup, _ in FIGURES])
def test_figures_of_further_dialects(markup: str, patched: str | None) -> None:
    """The caption alone is the text, and what stands around it stays."""
    article = documents.from_text(BODY + markup, "a.md", "markdown")
    words = "La prensa nueva"
    assert "See " in markup or words in [block.text for block in article.blocks]
    corrected = patch.apply(article.text, patch.edits(article, record_of(article, {words: "The new press"})))
    assert corrected == BODY + (patched or markup.replace(words, "The new press"))


def test_code_is_not_read_beside_figures() -> None:
    text = "```{figure} a.png\nLa prensa\n```\n\n```{code-cell} python\n# La prensa\n```\n\n:smile: La prensa"
    blocks = documents.from_text(text, "a.md", "markdown").blocks
    assert [block.text for block in blocks] == ["La prensa", ":smile: La prensa"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Los bomberos trabajan toda la noche en el puerto de", "Torrevieja tras el incendio."),
        ("Dos niñas miran el río desde el puente de piedra y", "Marcos Gil las retrata."),
        ("Los vecinos recorren despacio las calles del barrio de la", "Judería."),
    ],
)
def test_a_line_that_ends_with_a_linking_word_goes_on_before_a_capital(first: str, second: str) -> None:
    (caption,) = find(documents.from_text(f"{BODY}{first}\n{second} EFE\n\n{BODY}", "a.md", "markdown")).captions
    assert caption.source == f"{first}\n{second}"
    # A line break that shall be seen parts them.
    parted = find(documents.from_text(f"{BODY}{first}\\\n{second} EFE\n\n{BODY}", "a.md", "markdown")).captions
    assert "\n" not in parted[0].source


def test_in_wrapped_plain_text_a_line_that_ends_with_a_linking_word_goes_on() -> None:
    text = WRAPPED.replace("junto con los\nniños", "y los\nNiños")
    (caption,) = find(documents.from_text(text)).captions
    assert caption.source.endswith("y los\nNiños de las escuelas.")
