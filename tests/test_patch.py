"""The corrected article differs in the captions alone, and leads back to the original's bytes."""

from __future__ import annotations

import gzip
import html
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Run
from hypothesis import assume, given
from hypothesis import strategies as st

from aligner import documents, patch, run
from aligner.errors import DocumentError, OutputError, UsageError
from aligner.readers import column_edits, parse
from aligner.readers.html import HtmlBlock
from aligner.readers.streams import Plain
from aligner.records import Caption, Credit, CreditLine, Document, Translation

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))
import targets

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


@pytest.mark.parametrize(
    ("printed", "credit", "english"),
    [
        ("La niña corre. (Foto: EFE/Archivo)", "EFE/Archivo", "She runs. (Photo: EFE/File)"),
        ("La niña corre. (FOTO: EFE)", "FOTO: EFE", "She runs. (PHOTO: EFE)"),
        ("FOTOGRAFÍA DE ANA RUIZ | La niña corre.", "ANA RUIZ", "PHOTO BY ANA RUIZ | She runs."),
        (
            "La niña corre. | Cortesía del Museo Naval",
            "Cortesía del Museo Naval",
            "She runs. | Courtesy of the Museo Naval",
        ),
        ("FOTO CEDIDA por Ana Ruiz | La niña corre.", "Ana Ruiz", "PHOTO SUPPLIED by Ana Ruiz | She runs."),
        ("Pie de foto: La niña corre. Captura de video: EFE", "EFE", "Caption: She runs. Video grab: EFE"),
        ("**Pie de foto:** La niña corre. **Foto**: EFE", "**Foto**: EFE", "**Caption:** She runs. **Photo**: EFE"),
        ("FOTOGALERÍA: La niña corre. (AFP)", "AFP", "PHOTO GALLERY: She runs. (AFP)"),
        ("La niña corre. / Archivo General", "Archivo General", "She runs. / Archivo General"),
        ("La niña corre. AFP", "AFP", "She runs. AFP"),
    ],
)
def test_credits_are_put_into_english_when_asked(printed: str, credit: str, english: str) -> None:
    article = documents.from_text(f"Hello there.\n\n{printed}\n\nFoto: Archivo\n")
    record = record_of(article, ("La niña corre.", "She runs."))
    start = article.text.index(credit)
    printed_credit = Credit(credit, None, None, start, start + len(credit))
    alone = CreditLine(5, at := article.text.rindex("Foto"), at + len("Foto: Archivo"), "Foto: Archivo")
    record = replace(record, captions=(replace(record.captions[0], credit=printed_credit),), credit_lines=(alone,))
    changed = patch.patch(article, record, credits=True).decode()
    assert changed == f"Hello there.\n\n{english}\n\nPhoto: File\n"
    assert patch.unpatch(changed, patch.edits(article, record, credits=True)) == article.text
    assert credit in patch.patch(article, record).decode()
    assert patch.edits(article, replace(record, caption_language="pt"), credits=True) == patch.edits(article, record)


def test_credits_in_the_command(aligner: Run, tmp_path: Path) -> None:
    text = "The minister arrived on Monday and spoke to reporters.\n\nUna mujer corre por la calle. (Foto: EFE)\n"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    done = aligner("run", "--patch", "-", "--translate-credits", "a.txt", cwd=tmp_path)
    assert "(Photo: EFE)\n" in done.stdout
    assert "(Foto: EFE)\n" in aligner("run", "--patch", "-", "a.txt", cwd=tmp_path).stdout
    done = aligner("run", "--translate-credits", "a.txt", cwd=tmp_path)
    assert done.returncode == 2
    assert "--patch or --diff" in done.stderr


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


LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LATIN = st.text(st.sampled_from("abcñÁ ,.<>&\"'`=-\t"), max_size=12)


def caption_at(number: int, start: int, end: int, source: str, translation: str) -> Caption:
    return Caption(
        f"c{number}", 1, start, end, source, None, 1.0, (), Translation(translation, "es-en@0", "ctranslate2", -1.0)
    )


def check_round_trip(article: documents.Article, record: Document, mode: patch.Mode) -> str:
    """Outside its edits a patched article has the original's bytes, and it leads back to all of them."""
    changes = patch.edits(article, record, mode)
    patched = patch.apply(article.text, changes)
    data = patch.patch(article, record, mode)
    assert data == article.encode(patched)
    assert article.encode(patch.unpatch(patched, changes)) == article.data
    at = end = 0
    for edit in changes:  # as bytes: the stretches between the edits, one after the other
        kept = article.encode(article.text[: edit.start])[len(article.encode(article.text[:end])) :]
        at = data.index(kept, at) + len(kept)
        end = edit.end
    assert data.endswith(article.encode(article.text)[len(article.encode(article.text[:end])) :])
    return patched


@st.composite
def patched_texts(draw: st.DrawFn) -> tuple[documents.Article, Document]:
    encoding, letters = draw(
        st.sampled_from([("utf-8", LETTERS), ("utf-8-sig", LETTERS), ("utf-16", LATIN), ("cp1252", LATIN)])
    )
    format = draw(st.sampled_from(["text", "markdown"]))
    # A beginning that leaves no doubt about the encoding.
    pieces = ["El niño y la niña, años después.\r\n", *draw(st.lists(letters, max_size=8))]
    data = "".join(pieces).encode(encoding)
    name = {"text": "a.txt", "markdown": "a.md"}[format]
    try:
        article = documents.from_bytes(data, name)
    except DocumentError:  # control characters that no text has
        assume(False)
    assume(article.text == "".join(pieces))
    captions, at = [], 0
    for number, piece in enumerate(pieces):
        if number % 2 and piece:
            captions.append(caption_at(number, at, at + len(piece), piece, draw(letters)))
        at += len(piece)
    return article, Document(name, article.sha256, "en", "es", tuple(captions))


@given(patched_texts(), st.sampled_from(patch.MODES))
def test_unpatch_gives_the_original_back(made: tuple[documents.Article, Document], mode: patch.Mode) -> None:
    article, record = made
    if mode == "tag" and article.format == "text":
        with pytest.raises(UsageError, match="plain text"):
            patch.edits(article, record, mode)
    else:
        patched = check_round_trip(article, record, mode)
        if mode == "both":
            assert all(f"[es: {caption.source}]" in patched for caption in record.captions if caption.translation.text)


# --- HTML

HOLDERS = [
    "<figure><img src=a.jpg><figcaption{lang}>{text}</figcaption></figure>",
    "<figure{lang}><figcaption><i>{text}</i> <span class=credit>EFE</span></figcaption></figure>",
    "<figcaption><b>EFE</b> - <em{lang}>{text}</em></figcaption>",
    "<figcaption{lang}>{text}<br>EFE/Juan P\u00e9rez</figcaption>",
    '<img{lang} alt="{text}">',
    "<img title='x' alt='{text}'{lang}>",
    "<img{lang} alt='{text}' xml:lang=\"es\">",
    '<p class="wp-caption-text"{lang}>{text}</p>',
    '<script type="application/ld+json">{{"@type":"ImageObject","caption":"{text}"}}</script>',
    '<meta property="og:image:alt" content="{text}">',
]
LANGS = ["", ' lang="es"', " lang=es-ES", " lang", " LANG='en'"]
SOURCES = [
    "Una torre en la niebla.",
    "Ana <b>canta</b>",
    "Ni\u00f1os &amp; ni\u00f1as, de &ntilde;",
    "Una <i lang=es>torre</i> gris",
]


@st.composite
def patched_pages(draw: st.DrawFn) -> tuple[documents.Article, Document]:
    parts = []
    for holder in draw(st.lists(st.sampled_from(HOLDERS), min_size=1, max_size=4)):
        plain = "<img" in holder or "<script" in holder or "<meta" in holder
        source = draw(st.sampled_from(SOURCES[:1] if plain and "<figcaption" not in holder else SOURCES))
        parts.append(holder.format(text=source, lang=draw(st.sampled_from(LANGS))))
    head, encoding = draw(
        st.sampled_from(
            [
                ("<html lang=en><meta charset=utf-8>", "utf-8"),
                ("", "utf-8-sig"),
                ("<meta charset=iso-8859-1>", "cp1252"),
                ("<html>", "utf-16"),
                ("<meta charset=utf-8>\udcff", "utf-8"),
            ]
        )
    )
    page = head + "<p>The ni\u00f1o phenomenon, explained at length for once.</p>\r\n" + "\n".join(parts)
    article = parse(page.encode(encoding, "surrogateescape"), "page.html", None)
    captions = []
    for number, block in enumerate(article.blocks):
        for source in ("Una torre en la niebla.", "Ana canta", "Niños & niñas, de ñ", "Una torre gris"):
            if source in block.text:
                first = block.text.index(source)
                last = first + (len(source) if draw(st.booleans()) else source.index(" ") + 4)
                start, end = block.span(first, last)
                captions.append(caption_at(number, start, end, block.text[first:last], draw(LATIN) or "A tower"))
    if captions and "EFE" in page:
        captions[0] = replace(captions[0], credit=Credit("EFE", "EFE", None, 0, 3))
    return article, Document("page.html", article.sha256, "en", "es", tuple(captions))


@given(patched_pages(), st.sampled_from(patch.MODES))
def test_unpatch_of_pages(made: tuple[documents.Article, Document], mode: patch.Mode) -> None:
    article, record = made
    assert record.captions
    patched = check_round_trip(article, record, mode)
    spans = [(caption.start, caption.end) for caption in record.captions]
    for edit in patch.edits(article, record, mode):
        if (edit.start, edit.end) not in spans:  # nothing else changes but languages
            assert re.fullmatch(r"""( lang=|=)?["']?(es|en)["']?""", edit.new)
    again = parse(article.encode(patched), "page.html", "html")
    texts, wanted = [block.text for block in again.blocks], [block.text for block in article.blocks]
    for caption in record.captions:
        number = int(caption.id[1:])
        words = caption.translation.text if caption.translation else ""
        new = {"replace": words, "both": f"{words} [{caption.source}]", "tag": caption.source}[mode]
        if mode == "both" and f"[es: {caption.source}]" in texts[number]:
            new = f"{words} [es: {caption.source}]"
        wanted[number] = wanted[number].replace(caption.source, new)
    assert ["".join(text.split()) for text in texts if text.strip()] == [
        "".join(text.split()) for text in wanted if text.strip()
    ]


@pytest.mark.parametrize(
    ("page", "mode", "expected"),
    [
        ('<figcaption lang="es">X</figcaption>', "replace", '<figcaption lang="en">A &amp; B</figcaption>'),
        ("<figcaption>X</figcaption>", "tag", '<figcaption lang="es">X</figcaption>'),
        (
            "<figcaption>The tower as it stood in those days. X</figcaption>",
            "tag",
            '<figcaption>The tower as it stood in those days. <span lang="es">X</span></figcaption>',
        ),
        (
            "<html lang=en><figcaption>X</figcaption>",
            "both",
            '<html lang=en><figcaption>A &amp; B [<span lang="es">X</span>]</figcaption>',
        ),
        ("<img alt=X>", "both", '<img lang="en" alt=A&#32;&amp;&#32;B&#32;[es:&#32;X]>'),
        ('<img lang="es" title="X" alt="X">', "replace", '<img lang="en" title="A &amp; B" alt="A &amp; B">'),
        ('<img alt="X">', "tag", '<img lang="es" alt="X">'),
        ('<meta property="og:image:alt" content="X">', "tag", '<meta property="og:image:alt" content="X">'),
    ],
)
def test_pages(page: str, mode: patch.Mode, expected: str) -> None:
    source = "Torre"
    article = parse(page.replace("X", source).encode(), "page.html", "html")
    captions = [
        caption_at(number, *block.span(at := block.text.index(source), at + len(source)), source, "A & B")
        for number, block in enumerate(article.blocks)
        if isinstance(block, HtmlBlock) and source in block.text
    ]
    record = Document("page.html", article.sha256, "en", "es", tuple(captions))
    assert patch.patch(article, record, mode).decode() == expected.replace("X", source)


def test_documents_that_cannot_be_corrected() -> None:
    article = replace(documents.from_text(TEXT), format="docx")
    with pytest.raises(UsageError, match="format docx"):
        patch.edits(article, record_of(article))
    article = parse(b"<meta charset=iso-2022-jp><p>\x1b(B\x1b(BHola", "page.html", "html")
    assert article.encoding == "iso2022_jp"
    with pytest.raises(OutputError, match="would not stay"):
        patch.edits(article, Document("page.html", article.sha256, "en", "es"))


# --- JSON Lines


@given(
    st.lists(st.tuples(LETTERS, st.text(min_size=1, max_size=9), LETTERS, st.booleans()), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.booleans(),
    st.sampled_from(["", "\ufeff"]),
)
def test_lines_of_json(texts: list[tuple[str, str, str, bool]], feed: str, ending: bool, mark: str) -> None:
    """Any column text, escaped or not: the stretch changes, and no other byte of the file."""
    rows = [
        json.dumps({"id": n, "text": before + old + after, "z": 1.50}, ensure_ascii=ascii)
        for n, (before, old, after, ascii) in enumerate(texts)
    ]
    rows = [row.encode("utf-8", "replace").decode() for row in rows]
    rows.insert(1, "[not an object")
    data = (mark + feed.join(rows) + feed * ending).encode()
    lines = data.split(b"\n")
    target = io.BytesIO()
    copy = patch.LinePatcher(Plain(io.BytesIO(data)), target)
    expected = []
    for number, line in enumerate(lines):
        line = line.removesuffix(b"\r") if feed == "\r\n" else line
        record = json.loads(line.decode("utf-8-sig")) if line.strip() and b"[not" not in line else None
        if record is None or record["id"] % 2:
            expected.append(record)
            continue
        before, old, _, _ = texts[record["id"]]
        text = record["text"]
        old = text[len(before) : len(before) + len(old)]
        shown = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in old)
        change = documents.Edit(len(before), len(before) + len(old), shown, 'new "ñ" \\')
        edits = column_edits(line, "text", [change])
        assert patch.unpatch(patch.apply(line.decode(), edits), edits).encode() == line
        copy.change(number, lines[number], edits)
        expected.append(record | {"text": patch.apply(text, [change])})
    copy.finish()
    made = target.getvalue().split(b"\n")
    assert len(made) == len(lines)
    for line, old_line, record in zip(made, lines, expected, strict=True):
        if record is None or record["id"] % 2:
            assert line == old_line
        else:
            assert json.loads(line.decode("utf-8-sig")) == record


PAGE = '<html lang="en"><p>{body}</p><figure><img alt="{alt}"><figcaption>{caption} EFE</figcaption></figure>\r\n'
CAPTION = "Una manifestante muestra una pancarta durante la protesta en la plaza de la ciudad."
BODY = "The demonstrators walked through the city on Monday and asked the government for an answer. " * 3


def test_every_format_from_the_command(aligner: Run, tmp_path: Path) -> None:
    """Text, Markdown, HTML and JSON Lines, packed or not: the caption changes and every other byte stays."""
    (tmp_path / "in").mkdir()
    text = f"{BODY}\r\n\r\nEFE - {CAPTION}\r\n\r\n{BODY}\n"
    page = PAGE.format(body=BODY, alt="a square", caption=CAPTION)
    lines = [
        json.dumps({"id": "a", "text": text, "n": 1.0}),
        "",
        "[]",
        json.dumps({"id": "b", "n": "á", "text": page}, ensure_ascii=False),
        json.dumps({"text": "Nothing to see here, and nothing else.", "id": "c"}) + "\r",
    ]
    whole = "\n".join(lines)
    for name, data in (
        ("a.txt", text.encode("utf-16")),
        ("b.md.gz", gzip.compress(text.encode())),
        ("c.html", page.encode("utf-8-sig")),
        ("d.jsonl", whole.encode()),
        ("e.jsonl.gz", gzip.compress(whole.encode())[:-9]),
    ):
        (tmp_path / "in" / name).write_bytes(data)
    out = tmp_path / "out"
    done = aligner("run", "--format", "jsonl", "--patch", out, tmp_path / "in")
    assert done.returncode == 1  # the line that is no object, and the file that breaks off
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [bool(record["error"]) for record in records][:7] == [False, False, False, False, True, False, False]
    assert records[-1]["error"]
    assert sorted(path.name for path in out.iterdir()) == ["a.txt", "b.md", "c.html", "d.jsonl"]
    (caption,) = records[0]["captions"]
    english = caption["translation"]["text"]
    assert english != CAPTION
    assert (out / "a.txt").read_bytes() == text.replace(CAPTION, english).encode("utf-16")
    assert (out / "b.md").read_bytes() == text.replace(CAPTION, english).encode()
    corrected = page.replace(CAPTION, html.escape(english, quote=False))
    assert (out / "c.html").read_bytes() == corrected.encode("utf-8-sig")
    lines[0] = json.dumps({"id": "a", "text": text.replace(CAPTION, english), "n": 1.0})
    lines[3] = json.dumps({"id": "b", "n": "á", "text": corrected}, ensure_ascii=False)
    assert (out / "d.jsonl").read_bytes() == "\n".join(lines).encode()
    assert aligner("run", "--patch", "-", tmp_path / "in" / "c.html").stdout.encode() == (out / "c.html").read_bytes()
    batch = aligner("batch", tmp_path / "in", "--out", tmp_path / "run", "--duplicate-ids", "keep")
    assert batch.returncode == 1
    part = (tmp_path / "run" / "part-00000.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in part.splitlines()] == [record for record in records if not record["error"]]


def test_archives_are_not_corrected(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "x.warc").write_bytes(b"WARC/1.0\r\n")
    done = aligner("run", "--patch", tmp_path / "out", tmp_path / "x.warc")
    assert (done.returncode, (tmp_path / "out").exists()) == (2, False)
    assert "cannot write warc" in done.stderr


def test_what_cannot_be_corrected_is_named_and_the_rest_is_written(aligner: Run, tmp_path: Path) -> None:
    mixed = tmp_path / "in"
    mixed.mkdir()
    (mixed / "a.txt").write_text(f"{BODY}\n\n{CAPTION}\n", encoding="utf-8")
    (mixed / "b.md").write_text(f"{BODY}\n\n{CAPTION}\n", encoding="utf-8")
    (mixed / "c.docx").write_bytes(targets.docx(targets.docx_xml([(None, BODY)])))
    done = aligner("run", "--patch", tmp_path / "out", mixed)
    assert done.returncode == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "b.md"]
    assert "c.docx: --patch cannot write docx" in done.stderr
    assert f"aligner: wrote 2 corrected files to {tmp_path / 'out'}/\n" in done.stderr
    tagged = aligner("run", "--patch", tmp_path / "tagged", "--patch-mode", "tag", mixed / "a.txt", mixed / "b.md")
    assert tagged.returncode == 1
    assert [path.name for path in (tmp_path / "tagged").iterdir()] == ["b.md"]
    assert "a.txt: plain text cannot carry a language tag" in tagged.stderr
    assert "wrote 1 corrected file to" in tagged.stderr


def test_a_file_that_is_another_is_not_overwritten(aligner: Run, tmp_path: Path) -> None:
    article, out = tmp_path / "a.txt", tmp_path / "out"
    article.write_text(f"{BODY}\n\n{CAPTION}\n", encoding="utf-8")
    report = tmp_path / "report.html"
    first = aligner("run", "--patch", out, "--report", report, article)
    assert first.returncode == 0
    assert f"aligner: wrote {report} (" in first.stderr
    made = (out / "a.txt").read_bytes()
    assert aligner("run", "--patch", out, article).returncode == 0  # the same again
    (out / "a.txt").write_text("edited", encoding="utf-8")
    refused = aligner("run", "--patch", out, article)
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert (out / "a.txt").read_text(encoding="utf-8") == "edited"
    assert [path.name for path in out.iterdir()] == ["a.txt"]
    assert aligner("run", "--patch", out, "--force", article).returncode == 0
    assert (out / "a.txt").read_bytes() == made


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


BODY = "The council voted on Tuesday to spend more on the old harbour, and the mayor said that work would begin soon."
AS_WRITTEN = {
    "page.html": f"""\ufeff<!DOCTYPE html>\r
<html lang=en><head><title>Harbour &amp; sea</title></head>\r
<body><article><p>{BODY} It&rsquo;s &nbsp;fine &#8212; really&hellip; \u201cyes\u201d\u00a0!</p>\r
<figure><img src=a.jpg alt='El alcalde dice &quot;no&quot; a la "ampliaci&oacute;n" del puerto' title=Harbour width=3>
<figcaption>Foto: Los vecinos de Espa&ntilde;a&nbsp;&mdash; &ldquo;La Marina&rdquo; &amp; el puerto viejo protestan. 
<b>EFE/Ana Ru&iacute;z</b></figcaption></figure>\r
<figure><img src="b.jpg" alt="Vista de la &quot;playa&quot; del puerto, en obras">
<figcaption lang='es'>El ministro «habla» con los
pescadores del puerto</figcaption></figure>\r
<p>{BODY}</p></article></body></html>\r
""",
    "article.md": f"""\ufeff# Harbour\r
\r
{BODY} It\u2019s fine&nbsp;here.\r
\r
![El alcalde pasea por el muelle](a.jpg "Foto: Ana Ruiz / EFE")\r
\r
![](b.jpg 'Vecinos del barrio protestan con pancartas')\r
\r
*Pie de foto: Los vecinos&nbsp;miran la "playa" desde el puente (Archivo)*\r
\r
{BODY}\r
""",
}


@pytest.mark.parametrize("name", AS_WRITTEN)
@pytest.mark.parametrize("mode", ["replace", "both"])
def test_what_is_no_caption_stays_as_it_was_written(name: str, mode: patch.Mode) -> None:
    """Byte-order mark, line ends, entities, quotation marks and the quoting of attributes; in and around captions."""
    article = documents.from_bytes(AS_WRITTEN[name].encode(), name, "html" if name.endswith("html") else "markdown")
    record = run(article)
    assert len(record.captions) == (4 if name == "page.html" else 3)
    corrected = patch.patch(article, record, mode)
    text, new = article.text, corrected.decode("utf-8-sig")
    assert corrected.startswith(b"\xef\xbb\xbf")
    at = 0
    for caption in sorted(record.captions, key=lambda caption: caption.start):
        before = text[at : caption.start].replace("lang='es'", "lang='en'") if mode == "replace" else ""
        assert before in new
        assert mode == "both" or caption.source not in new
        at = caption.end
    assert new.endswith(text[at:])
    assert new.count("\r\n") == text.count("\r\n")
    if name == "page.html":
        assert re.search(r"<img src=a\.jpg alt='[^']*\W(?:&quot;no&quot;|“no”)[^']*' title=Harbour width=3>", new)
        assert re.search(r"<img src=\"b\.jpg\" alt=\"[^\"]*\">", new)
    else:
        assert re.search(r"!\[\]\(b\.jpg '[^']*'\)", new)


def test_captions_that_cannot_carry_a_tag_are_named(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "article.md").write_text(AS_WRITTEN["article.md"], encoding="utf-8")
    (tmp_path / "page.html").write_text(AS_WRITTEN["page.html"], encoding="utf-8")
    (tmp_path / "text.txt").write_text(f"{BODY}\n\nLos vecinos miran la playa desde el puente\n", encoding="utf-8")
    done = aligner("run", "--patch", "out", "--patch-mode", "tag", "article.md", "page.html", "text.txt", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "aligner: article.md: 2 of 3 captions cannot carry a language tag where they stand: "
        "line 5 (alternative text), line 7 (title)",
        "aligner: text.txt: plain text cannot carry a language tag; use --patch-mode replace or both",
        "aligner: wrote 2 corrected files to out/",
    ]
    new = (tmp_path / "out" / "article.md").read_text(encoding="utf-8")
    assert new.count("<span lang=") == 1
    assert (tmp_path / "out" / "page.html").read_text(encoding="utf-8").count('lang="es"') == 3


def test_labels_that_stay_are_counted(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "article.md").write_text(AS_WRITTEN["article.md"], encoding="utf-8")
    for option in ("--diff", "--patch=out"):
        left = aligner("run", option, "article.md", cwd=tmp_path)
        assert "3 labels and credits left in Spanish; --translate-credits puts them into English" in left.stderr
        done = aligner(
            "run",
            option,
            "--translate-credits",
            "--force" if "=" in option else "article.md",
            "article.md",
            cwd=tmp_path,
        )
        assert "left in Spanish" not in done.stderr
    new = (tmp_path / "out" / "article.md").read_text(encoding="utf-8")
    assert '"Photo: Ana Ruiz / EFE"' in new
    assert "*Caption: " in new
    assert "(File)*" in new


@pytest.mark.parametrize(
    ("alt", "language"), [("Olivares de Jaén", ""), ("El molino de la villa", ' lang="en"'), ("", ' lang="en"')]
)
def test_a_language_is_put_only_where_all_that_it_governs_is_translated(alt: str, language: str) -> None:
    source = "Una pastora abre la cancela"
    page = f'<html lang="en"><figure lang="es"><img alt="{alt}" data-caption="{source}"></figure>'
    article = parse(page.encode(), "page.html", "html")
    captions = []
    for words, english in (("El molino de la villa", "The mill"), (source, "A shepherd opens the gate")):
        if (at := article.text.find(words)) >= 0:
            translation = Translation(english, "es-en@0", "ctranslate2", -1.0)
            id = f"c{len(captions) + 1}"
            captions.append(Caption(id, 1, at, at + len(words), words, None, 1.0, (), translation))
    record = Document("page.html", article.sha256, "en", "es", tuple(captions))
    patched = patch.patch(article, record).decode()
    assert f"<img{language} alt=" in patched
    assert "A shepherd opens the gate" in patched
