from __future__ import annotations

import csv
import io
import json
import os
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from gold_runs import gold_run
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from openpyxl import load_workbook
from translate.storage.tmx import tmxfile
from translate.storage.xliff import Xliff1File
from translate.storage.xliff2 import Xliff2File

from aligner.errors import RecordError, UsageError
from aligner.exchange import Format, dump_run, format_of, merge, read, read_run, units, write
from aligner.exchange.edits import Line, Side, folded, tidy
from aligner.exchange.tables import guard, unguard
from aligner.records import Caption, Credit, Document, Translation

EDITABLE = [Format.tmx, Format.xliff, Format.xliff2, Format.tsv, Format.xlsx]
SUFFIX = {Format.xliff: ".xlf", Format.xliff2: ".xlf"}


def path_of(folder: Path, format: Format) -> Path:
    return folder / f"captions{SUFFIX.get(format, f'.{format.value}')}"


def one(source: str, target: str, **more: object) -> tuple[Document, ...]:
    """A run of one caption."""
    text = Translation(target, "es-en@0123456789ab", "ctranslate2", -0.2)
    caption = Caption("c1", 1, 0, max(1, len(source)), source, None, 0.9, (), text)
    return (Document("a.txt", "ab" * 32, "en", "es", (replace(caption, **more),)),)  # type: ignore[arg-type]


# --- editing with the formats' own tools, as a translator's program would ---


def edit_tmx(path: Path, edits: dict[str, str]) -> None:
    store = tmxfile.parsestring(path.read_bytes(), "es", "en")
    for unit in store.units:
        if unit.getid() in edits:
            unit.target = edits[unit.getid()]
    path.write_bytes(bytes(store))


def edit_xliff(path: Path, edits: dict[str, str]) -> None:
    store = Xliff1File.parsestring(path.read_bytes())
    for unit in store.units:
        key = unit.getid().split("\x04")[-1]
        if key in edits:
            unit.target = edits[key]
    path.write_bytes(bytes(store))


def edit_xliff2(path: Path, edits: dict[str, str]) -> None:
    store = Xliff2File.parsestring(path.read_bytes())
    for unit in store.units:
        key = unit.getid().split("::")[0]
        if key in edits:
            unit.target = edits[key]
            unit.markapproved()
    path.write_bytes(bytes(store))


def edit_tsv(path: Path, edits: dict[str, str], column: str = "translation") -> None:
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), dialect="excel-tab"))
    for row in rows:
        row[column] = edits.get(row["key"], row[column])
    # LibreOffice: no byte-order mark, line feeds, quotation marks where needed.
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), dialect="excel-tab", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8", newline="")


def edit_xlsx(path: Path, edits: dict[str, str], column: str = "translation") -> None:
    book = load_workbook(path)
    rows = list(book.active.iter_rows())
    at = [cell.value for cell in rows[0]].index(column)
    for row in rows[1:]:
        if row[0].value in edits:
            row[at].value = edits[row[0].value]
            row[at].data_type = "s"
    book.save(path)


EDIT = {
    Format.tmx: edit_tmx,
    Format.xliff: edit_xliff,
    Format.xliff2: edit_xliff2,
    Format.tsv: edit_tsv,
    Format.xlsx: edit_xlsx,
}


@pytest.mark.parametrize("format", EDITABLE)
def test_an_unedited_file_changes_nothing(tmp_path: Path, format: Format) -> None:
    run = gold_run()
    path = path_of(tmp_path, format)
    path.write_bytes(write(run, format))
    merged = merge(run, read(path, run, format))
    assert merged.documents == run
    assert (merged.problems, merged.remarks, merged.edited, merged.accepted) == ((), (), (), ())


@pytest.mark.parametrize("format", EDITABLE)
def test_edits_come_back(tmp_path: Path, format: Format) -> None:
    run = gold_run()
    path = path_of(tmp_path, format)
    path.write_bytes(write(run, format))
    known = {unit.key: unit for unit in units(run)}
    edits = {key: f"Edited «{n}» & <checked>, naïvely" for n, key in enumerate(list(known)[::7])}
    EDIT[format](path, edits)
    merged = merge(run, read(path, run, format))
    assert merged.problems == ()
    assert set(merged.edited) == set(edits)
    after = {unit.key: unit for unit in units(merged.documents)}
    for key, unit in after.items():
        translation = unit.caption.translation
        assert translation is not None
        if key in edits:
            assert (translation.text, translation.engine, translation.warnings) == (edits[key], "edited", ())
            assert translation.model == "es-en@0123456789ab"
        else:
            assert unit == known[key] or unit.caption == known[key].caption


def test_every_format_has_every_caption(tmp_path: Path) -> None:
    run = gold_run()
    captions = sum(len(document.captions) for document in run)
    assert captions > 100
    graph = json.loads(write(run, Format.jsonld))
    assert graph["@context"] == "https://schema.org"
    assert sum(len(article["image"]) for article in graph["@graph"]) == captions
    page = write(run, Format.html).decode()
    assert page.count("<figure ") == page.count("</figure>") == captions
    assert len(tmxfile.parsestring(write(run, Format.tmx)).units) == captions
    assert len(Xliff1File.parsestring(write(run, Format.xliff)).units) == captions
    assert len(Xliff2File.parsestring(write(run, Format.xliff2)).units) == captions


def test_what_a_translator_sees_in_xliff() -> None:
    run = gold_run()
    unit = next(u for u in units(run) if u.caption.translation and u.caption.translation.warnings and u.caption.credit)
    assert unit.caption.translation
    assert unit.caption.credit
    assert unit.caption.context
    first = {u.getid().split("\x04")[-1]: u for u in Xliff1File.parsestring(write(run, Format.xliff)).units}[unit.key]
    assert first.source == unit.caption.source
    assert first.target == unit.text
    assert not first.isapproved()
    assert first.isreview()
    assert unit.caption.translation.warnings[0] in first.getnotes("aligner-warning")
    assert unit.caption.credit.text in first.getnotes("aligner-credit")
    assert first.getcontextgroupsbyattribute("purpose", "information")[0][0] == (
        "x-paragraph",
        unit.caption.context.text,
    )
    assert first.getlocations() == [f"{unit.document.document}:{unit.caption.line}"]
    [match] = first.getalttrans()
    assert (match.target, match.xmlelement.get("match-quality")) == (unit.text, str(unit.quality))
    second = next(u for u in Xliff2File.parsestring(write(run, Format.xliff2)).units if u.getid() == f"{unit.key}::s1")
    assert (second.source, second.target) == (unit.caption.source, unit.text)
    assert not second.isapproved()
    notes = "\n".join(second.getunitelement().itertext())
    assert unit.caption.context.text in notes
    assert unit.caption.translation.warnings[0] in notes


def test_json_ld_names_iptc_fields() -> None:
    run = one("La canciller <alemana>", "The German <chancellor>")
    [article] = json.loads(write(run, Format.jsonld))["@graph"]
    assert article["image"] == [
        {
            "@type": "ImageObject",
            "identifier": f"{'ab' * 8}-c1",
            "caption": "The German <chancellor>",
            "inLanguage": "en",
            "translationOfWork": {
                "@type": "ImageObject",
                "caption": "La canciller <alemana>",
                "inLanguage": "es",
            },
        }
    ]
    unit = next(u for u in units(gold_run("atalayar-2022")) if u.caption.credit)
    [article] = json.loads(write(gold_run("atalayar-2022"), Format.jsonld))["@graph"]
    image = next(image for image in article["image"] if image["identifier"] == unit.key)
    assert image["creditText"] == "AFP/LUDOVIC MARIN"
    assert image["creator"] == {"@type": "Person", "name": "LUDOVIC MARIN"}
    assert image["provider"] == [{"@type": "Organization", "name": "AFP"}]


@pytest.mark.parametrize(
    ("credit", "creator", "provider"),
    [
        (("Elena Roldán (Archivo)", "Archivo", "Elena Roldán"), ("Person", "Elena Roldán"), []),
        (("PHOTO/ARCHIVO", "ARCHIVO", None), None, []),
        (("EFE/Archivo", "EFE/Archivo", None), ("Organization", "EFE"), ["EFE"]),
        (
            ("Archivo municipal", "Archivo municipal", None),
            ("Organization", "Archivo municipal"),
            ["Archivo municipal"],
        ),
    ],
)
def test_an_archive_alone_is_no_organisation_in_json_ld(
    credit: tuple[str, str | None, str | None], creator: tuple[str, str] | None, provider: list[str]
) -> None:
    (document,) = one("Una frase", "A sentence")
    text, agency, person = credit
    caption = replace(document.captions[0], credit=Credit(text, agency, person, 50, 50 + len(text)))
    [article] = json.loads(write((replace(document, captions=(caption,)),), Format.jsonld))["@graph"]
    (image,) = article["image"]
    assert image["creditText"] == text
    assert image.get("creator") == (creator and {"@type": creator[0], "name": creator[1]})
    assert [each["name"] for each in image.get("provider", [])] == provider


def test_html_escapes_everything() -> None:
    page = write(one("a", '</span><script>alert("1")</script>&amp;'), Format.html).decode()
    texts: list[str] = []
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            tags.append(tag)

        def handle_data(self, data: str) -> None:
            texts.append(data)

    Reader().feed(page)
    assert "script" not in tags
    assert '</span><script>alert("1")</script>&amp;' in texts


# --- schemas ---
# The official schemas are not ours to ship; Debian has them: php-symfony-translation (XLIFF), omegat (TMX).

XSD = Path("/usr/share/php/Symfony/Component/Translation/Resources/schemas")
OMEGAT = Path("/usr/share/omegat/OmegaT.jar")


def schema(name: str) -> etree.XMLSchema:
    folder = Path(os.environ.get("ALIGNER_SCHEMAS", XSD))
    folder = folder if (folder / name).is_file() else XSD
    if not (folder / name).is_file():
        pytest.skip(f"{folder / name} is missing: apt-get install php-symfony-translation, or set ALIGNER_SCHEMAS")
    tree = etree.parse(folder / name)
    for imported in tree.iter("{http://www.w3.org/2001/XMLSchema}import"):
        imported.set("schemaLocation", (folder / "xml.xsd").as_uri())
    return etree.XMLSchema(tree)


def tmx_dtd() -> etree.DTD:
    folder = os.environ.get("ALIGNER_SCHEMAS")
    if folder and (Path(folder) / "tmx14.dtd").is_file():
        return etree.DTD(Path(folder) / "tmx14.dtd")
    if not OMEGAT.is_file():
        pytest.skip(f"{OMEGAT} is missing: apt-get install omegat, or set ALIGNER_SCHEMAS to a folder with tmx14.dtd")
    with zipfile.ZipFile(OMEGAT) as jar:
        return etree.DTD(io.BytesIO(jar.read("schemas/tmx14.dtd")))


NASTY = "=1+1 \x07\x00 <b>&amp; \u2028 𝔘 \ufffe «ñ» ]]> \r\n\t end"


@pytest.mark.parametrize(
    "run", [gold_run(), gold_run("atalayar-2022"), one(NASTY, NASTY)], ids=["written", "seed", "nasty"]
)
@pytest.mark.parametrize("format", [Format.tmx, Format.xliff, Format.xliff2])
def test_files_validate(run: tuple[Document, ...], format: Format) -> None:
    root = etree.fromstring(write(run, format))
    if format is Format.tmx:
        tmx_dtd().assertValid(root)
    else:
        name = "xliff-core-1.2-strict.xsd" if format is Format.xliff else "xliff-core-2.0.xsd"
        schema(name).assertValid(root)


def test_a_run_without_translations_validates() -> None:
    run = one("Una frase", "x", translation=None)
    schema("xliff-core-1.2-strict.xsd").assertValid(etree.fromstring(write(run, Format.xliff)))
    schema("xliff-core-2.0.xsd").assertValid(etree.fromstring(write(run, Format.xliff2)))
    tmx_dtd().assertValid(etree.fromstring(write(run, Format.tmx)))
    assert json.loads(write(run, Format.jsonld))["@graph"][0]["image"][0]["inLanguage"] == "es"


def test_an_edited_file_still_validates(tmp_path: Path) -> None:
    """What the toolkit makes of our file is still the format: nothing in ours misleads it."""
    run = gold_run("atalayar-2022")
    edits = {unit.key: "Edited" for unit in units(run)}
    for format, name in ((Format.xliff, "xliff-core-1.2-strict.xsd"), (Format.xliff2, "xliff-core-2.0.xsd")):
        path = path_of(tmp_path, format)
        path.write_bytes(write(run, format))
        EDIT[format](path, edits)
        schema(name).assertValid(etree.fromstring(path.read_bytes()))


# --- any text survives ---

anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
lively = st.one_of(anything, st.text("=+-@'\t\r\n\"<&]>; aé\u0301", min_size=1, max_size=12))


@pytest.mark.parametrize("format", EDITABLE)
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, format: Format) -> None:
    path = path_of(tmp_path_factory.mktemp("any"), format)

    @settings(max_examples=20 if format is Format.xlsx else 100, deadline=None)
    @given(lively, lively)
    def check(source: str, translation: str) -> None:
        run = one(source, translation)
        path.write_bytes(write(run, format))
        merged = merge(run, read(path, run, format))
        assert merged.documents == run
        assert merged.problems == ()

    check()


@given(lively)
def test_guarding_is_undone(text: str) -> None:
    assert unguard(guard(text)) == text
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("format", [Format.tsv, Format.xlsx])
@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-2", "@SUM(A1)", "\t=1", "'=1", "=", "'"])
def test_no_formula_gets_in(tmp_path: Path, format: Format, text: str) -> None:
    path = path_of(tmp_path, format)
    path.write_bytes(write(one(text, text), format))
    if format is Format.tsv:
        rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), dialect="excel-tab"))
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    else:
        cells = [cell for row in load_workbook(path).active.iter_rows() for cell in row]
        assert not any(cell.data_type == "f" for cell in cells)
        assert b"<f>" not in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
    run = one(text, text)
    assert merge(run, read(path, run, format)).documents == run


@given(lively, lively)
def test_edits_are_told_from_rewriting(one: str, two: str) -> None:
    assert folded(tidy(one)) == folded(one)
    assert (folded(one) == folded(two)) == (folded(two) == folded(one))


# --- tools' habits ---


def test_xliff_states_accept(tmp_path: Path) -> None:
    run = gold_run("atalayar-2022")
    flagged = next(u for u in units(run) if u.caption.translation and u.caption.translation.warnings)
    for format, old, new in (
        (Format.xliff, 'state="needs-review-translation"', 'state="signed-off"'),
        (Format.xliff2, 'state="translated"', 'state="final"'),
    ):
        path = path_of(tmp_path, format)
        data = write(run, format).decode()
        before, unit, after = data.partition(f'id="{flagged.key}"')
        path.write_text(before + unit + after.replace(old, new, 1), encoding="utf-8")
        merged = merge(run, read(path, run, format))
        assert merged.accepted == (flagged.key,)
        translation = next(u for u in units(merged.documents) if u.key == flagged.key).caption.translation
        assert translation
        assert (translation.text, translation.engine, translation.warnings) == (flagged.text, "accepted", ())


def test_xliff_segments_are_joined(tmp_path: Path) -> None:
    run = one("Uno. Dos.", "One. Two.")
    path = tmp_path / "split.xlf"
    whole = write(run, Format.xliff2).decode()
    start = whole.index("<segment")
    end = whole.index("</segment>") + len("</segment>")
    split = (
        '<segment id="s1" state="final"><source>Uno.</source><target>First.</target></segment>'
        "<ignorable><source> </source></ignorable>"
        '<segment id="s2" state="final"><source>Dos.</source><target>Two.</target></segment>'
    )
    path.write_text(whole[:start] + split + whole[end:], encoding="utf-8")
    merged = merge(run, read(path, run, Format.xliff2))
    assert merged.problems == ()
    assert [u.text for u in units(merged.documents)] == ["First. Two."]
    path.write_text(path.read_text(encoding="utf-8").replace("<target>Two.</target>", ""), encoding="utf-8")
    merged = merge(run, read(path, run, Format.xliff2))
    assert merged.documents == run
    assert "no translation" in merged.remarks[0]


def test_xliff_segmented_in_place(tmp_path: Path) -> None:
    run = one("Uno. Dos.", "One. Two.")
    path = tmp_path / "marked.xlf"
    marked = (
        '<seg-source><mrk mtype="seg" mid="1">Uno.</mrk> <mrk mtype="seg" mid="2">Dos.</mrk></seg-source>'
        '<target><mrk mtype="seg" mid="1">First.</mrk> <mrk mtype="seg" mid="2">Two.</mrk></target>'
    )
    data = write(run, Format.xliff).decode()
    start, end = data.index("<target"), data.index("</target>") + len("</target>")
    path.write_text(data[:start] + marked + data[end:], encoding="utf-8")
    assert [u.text for u in units(merge(run, read(path, run)).documents)] == ["First. Two."]


@pytest.mark.parametrize("language", ["en-GB", "EN", "en"])
def test_tmx_variants_of_the_language(tmp_path: Path, language: str) -> None:
    run = one("Una frase", "A sentence")
    path = tmp_path / "c.tmx"
    data = write(run, Format.tmx).decode().replace('xml:lang="en"', f'xml:lang="{language}"')
    path.write_text(data.replace("<seg>A sentence", "<seg>A phrase"), encoding="utf-8")
    assert [u.text for u in units(merge(run, read(path, run)).documents)] == ["A phrase"]


def test_excel_saves_unicode_text(tmp_path: Path) -> None:
    run = gold_run("atalayar-2022")
    path = tmp_path / "c.tsv"
    text = write(run, Format.tsv).decode("utf-8-sig")
    path.write_bytes(text.encode("utf-16"))
    assert merge(run, read(path, run)).documents == run


@pytest.mark.parametrize("format", [Format.tsv, Format.xlsx])
def test_a_table_rejects_and_accepts(tmp_path: Path, format: Format) -> None:
    run = gold_run("atalayar-2022")
    first, second, *rest = list(units(run))
    path = path_of(tmp_path, format)
    path.write_bytes(write(run, format))
    EDIT[format](path, {first.key: "reject", second.key: "Accept "}, column="decision")  # type: ignore[call-arg]
    merged = merge(run, read(path, run))
    assert (merged.rejected, merged.accepted) == ((first.key,), (second.key,))
    assert [u.caption.id for u in units(merged.documents)] == [u.caption.id for u in (second, *rest)]


def test_a_line_break_becomes_a_space() -> None:
    run = one("Una frase", "A sentence")
    [unit] = units(run)
    merged = merge(run, [Line("f:2", unit.key, None, unit.text, " One line,\r\n  then another \n")])
    assert [u.text for u in units(merged.documents)] == ["One line, then another"]


# --- what is refused ---

BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY % a SYSTEM "http://localhost:1/a.dtd"> %a;]>'


@pytest.mark.parametrize("format", [Format.tmx, Format.xliff, Format.xliff2])
@pytest.mark.parametrize("prolog", [BOMB, OUTSIDE, PARAMETER], ids=["bomb", "external", "parameter"])
def test_entities_are_refused(tmp_path: Path, format: Format, prolog: str) -> None:
    run = gold_run("atalayar-2022")
    path = path_of(tmp_path, format)
    root = write(run, format).decode()
    root = root[root.index("<tmx" if format is Format.tmx else "<xliff") :]
    path.write_text(prolog + root.replace(">La canciller", ">&a; La canciller"), encoding="utf-8")
    with pytest.raises(RecordError, match="entities"):
        read(path, run, format)


@pytest.mark.parametrize("format", [Format.tmx, Format.xliff, Format.xliff2])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data[: len(data) // 2], r":\d+:\d+: not well-formed"),
        (lambda data: b"", "not well-formed"),
        (lambda data: b"<other/>", "not a file of this format"),
        (lambda data: b'<?xml version="1.0" encoding="nonsense"?><a/>', "not well-formed|decoded"),
        (lambda data: b"\xff\xfe\x00", "not well-formed"),
        (lambda data: data.replace(b"\xc3\xb3", b"\xf3"), "not well-formed"),
    ],
    ids=["cut", "empty", "other", "encoding", "binary", "latin-1"],
)
def test_broken_xml_is_refused(tmp_path: Path, format: Format, spoil: object, message: str) -> None:
    run = gold_run()
    path = path_of(tmp_path, format)
    path.write_bytes(spoil(write(run, format)))  # type: ignore[operator]
    with pytest.raises(RecordError, match=message):
        read(path, run, format)


def workbook(**parts: bytes) -> bytes:
    """A workbook of the seed's captions with parts replaced."""
    source = zipfile.ZipFile(io.BytesIO(write(gold_run("atalayar-2022"), Format.xlsx)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, parts.get(Path(name).stem, source.read(name)))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("c.xlsx", b"not a zip", "not an .xlsx workbook"),
        ("c.xlsx", workbook(sheet1=BOMB.encode() + b"<x>&b;</x>"), "declares a document type"),
        ("c.xlsx", workbook(sheet1=OUTSIDE.encode("utf-16") + b"<x/>"), "declares a document type"),
        ("c.xlsx", workbook(sheet1=b" " * (600 << 20)), "unpacks to more than"),
        ("c.xlsx", workbook(workbook=b"<cut"), "not an .xlsx workbook"),
        ("c.tsv", b"key;translation\nx;y\n", "no column 'key' and no column 'translation'"),
        ("c.tsv", b"", "names no column"),
        ("c.tsv", "key\ttranslation\nx\tCafé\n".encode("latin-1"), "not UTF-8"),
        ("c.tsv", b'key\ttranslation\nx\t"open\n', r"c.tsv:2: .*quotation mark"),
        ("c.tsv", b"key\ttranslation\tdecision\nx\ty\tmaybe\n", r"c.tsv:2: unknown decision 'maybe'"),
        ("c.tsv", b"key\ttranslation\tdecision\nx\ty\tok\n", r"c.tsv:2: unknown decision 'ok'; write accept, reject"),
        ("c.tsv", b"key\ttranslation\nx\ty\tz\n", r"c.tsv:2: more columns"),
        ("c.tsv", b"key\ttranslation\ttranslation\nx\ty\tz\n", "'translation' twice"),
        ("c.tsv", b"key\ttranslation\n\n", "holds no caption"),
        (
            "c.xlf",
            b'<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"/>',
            "not a file of this",
        ),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(RecordError, match=message):
        read(path, gold_run("atalayar-2022"))


def test_a_typed_formula_is_reported(tmp_path: Path) -> None:
    run = gold_run("atalayar-2022")
    path = tmp_path / "c.xlsx"
    path.write_bytes(write(run, Format.xlsx))
    book = load_workbook(path)
    book.active["G3"] = "=A1"
    book.save(path)
    with pytest.raises(RecordError, match=r"c\.xlsx:3: 'translation' holds a formula"):
        read(path, run)


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    run = gold_run("atalayar-2022")
    with pytest.raises(RecordError, match="cannot be read"):
        read(tmp_path / "none.tmx", run)
    with pytest.raises(UsageError, match="no format is known"):
        format_of(tmp_path / "captions.doc")
    with pytest.raises(UsageError, match="carries no edits"):
        read(tmp_path / "captions.html", run)


def test_a_file_of_another_run(tmp_path: Path) -> None:
    run, other = gold_run("atalayar-2022"), gold_run("unseen")
    path = tmp_path / "c.tsv"
    path.write_bytes(write(other, Format.tsv))
    merged = merge(run, read(path, run))
    captions = sum(len(document.captions) for document in other)
    assert len(merged.problems) == captions
    assert all("not in this run" in problem for problem in merged.problems)
    assert merged.problems[0].startswith(f"{path}:2: ")
    assert merged.documents == run


def test_a_document_that_changed_since(tmp_path: Path) -> None:
    [document] = gold_run("atalayar-2022")
    lines = [Line("f:1", unit.key, None, unit.text, unit.text) for unit in units([document])]
    again = replace(document, sha256="0" * 64)
    assert all("not in this run" in problem for problem in merge([again], lines).problems)


def lines_of(run: tuple[Document, ...], place: str, text: str | None = None, decision: str = "") -> list[Line]:
    return [
        Line(place, u.key, u.caption.source, u.text, text if text is not None else u.text, decision)  # type: ignore[arg-type]
        for u in units(run)
    ]


RUN = one("Una frase", "A sentence")
LATER = one("Una frase", "A changed sentence")


@pytest.mark.parametrize(
    ("run", "lines", "prefer", "text", "problem", "remark"),
    [
        (
            RUN,
            lines_of(RUN, "a:2", "A phrase") + lines_of(RUN, "b:2", "A saying"),
            None,
            None,
            "differently at a:2",
            None,
        ),
        (
            RUN,
            lines_of(RUN, "a:2", "A phrase") + lines_of(RUN, "b:2", "A phrase"),
            None,
            "A phrase",
            None,
            None,
        ),
        (RUN, lines_of(RUN, "a:2", "A phrase") + lines_of(RUN, "b:2"), None, "A phrase", None, None),
        (
            RUN,
            lines_of(RUN, "a:2", "A phrase") + lines_of(RUN, "b:2", decision="reject"),
            None,
            None,
            "no caption",
            None,
        ),
        (LATER, lines_of(RUN, "a:2", "A phrase"), None, None, "changed in the run since the export", None),
        (LATER, lines_of(RUN, "a:2", "A phrase"), Side.file, "A phrase", None, None),
        (LATER, lines_of(RUN, "a:2", "A phrase"), Side.run, "A changed sentence", None, "kept"),
        (LATER, lines_of(RUN, "a:2", "A changed sentence"), None, "A changed sentence", None, None),
        (LATER, lines_of(RUN, "a:2"), None, "A changed sentence", None, None),
        (LATER, lines_of(RUN, "a:2", decision="accept"), None, None, "changed in the run since", None),
        (RUN, lines_of(RUN, "a:2", "  "), None, "A sentence", None, "no translation"),
        (RUN, lines_of(RUN, "a:2", "", "accept"), None, None, "accepted without a translation", None),
        (RUN, lines_of(RUN, "a:2", "bell \x07"), None, None, r"control character U\+0007", None),
        (
            RUN,
            lines_of(one("Otra frase", "A sentence"), "a:2", "X"),
            None,
            None,
            "caption itself was changed",
            None,
        ),
        (RUN, [Line("a:2", "", None, None, "X")], None, None, "no caption key", None),
        (RUN, [Line("a:2", f"{'ab' * 8}-c9", None, "x", "y")], None, None, "is not in the run", None),
        (RUN, [Line("a:2", f"{'ab' * 8}-c9", None, "x", "x")], None, "A sentence", None, "not edited"),
    ],
)
def test_merging(
    run: tuple[Document, ...],
    lines: list[Line],
    prefer: Side | None,
    text: str | None,
    problem: str | None,
    remark: str | None,
) -> None:
    merged = merge(run, lines, prefer)
    if problem is None:
        assert merged.problems == ()
        assert [u.text for u in units(merged.documents)] == [text]
    else:
        assert len(merged.problems) == 1

        assert re.search(problem, merged.problems[0])
        assert merged.problems[0].split(":")[0] in "ab"
        assert merged.documents == run
    if remark is not None:
        assert remark in "\n".join(merged.remarks)


def test_copies_of_a_document_have_keys_of_their_own() -> None:
    [document] = one("Una frase", "A sentence")
    copy = replace(document, document="copy.txt")
    keys = [unit.key for unit in units([document, copy])]
    assert keys == [f"{'ab' * 8}-c1", f"{'ab' * 8}.2-c1"]
    merged = merge([document, copy], [Line("f:1", keys[1], None, "A sentence", "A phrase")])
    assert [unit.text for unit in units(merged.documents)] == ["A sentence", "A phrase"]
    for format in (Format.xliff, Format.xliff2, Format.tmx):
        assert keys[1].encode() in write([document, copy], format)


def test_xliff_2_has_one_language_pair() -> None:
    [document] = one("Una frase", "A sentence")
    other = replace(document, context_language="fr", sha256="c" * 64)
    with pytest.raises(UsageError, match="es-en, es-fr"):
        write([document, other], Format.xliff2)
    assert b'srclang="es"' in write([document, other], Format.tmx)


def test_run_files(tmp_path: Path) -> None:
    run = gold_run("atalayar-2022")
    path = tmp_path / "run.jsonl"
    path.write_bytes(dump_run(run))
    assert tuple(read_run(path)) == run
    path.write_text(json.dumps([document.to_dict() for document in run]))
    assert tuple(read_run(path)) == run
    path.write_bytes(dump_run(run) + b"{}\nnonsense\n")
    with pytest.raises(RecordError, match=r"(?s)line 2: .*line 3: not a JSON record"):
        read_run(path)
    path.write_bytes(b"\n")
    with pytest.raises(RecordError, match="holds no record"):
        read_run(path)
