"""Word documents, output names, and the short fuzz of all readers."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aligner.errors import DocumentError
from aligner.readers import parse, safe_output_name

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "fuzz"))
import targets  # noqa: E402

REGRESSIONS = sorted((HERE / "cases" / "readers" / "fuzz").glob("*-*"))

STYLES = (
    b'<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    b'<w:style w:styleId="Epgrafe"><w:name w:val="caption"/></w:style>'
    b'<w:style w:styleId="Ttulo1"><w:name w:val="heading 1"/></w:style></w:styles>'
)


def test_docx():
    xml = targets.docx_xml(
        [
            ("Ttulo1", "El título"),
            (None, "A first  paragraph, <w:noise/>".replace("<w:noise/>", "&amp; more")),
            ("Epgrafe", "El puerto de Vigo"),
            (None, ""),
            ("Caption", "Otro pie"),
        ]
    )
    picture = (
        '<w:p><w:r><w:drawing xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">'
        '<wp:docPr id="1" descr="Un faro"/></w:drawing></w:r></w:p>'
    )
    xml = xml.replace(b"</w:body>", picture.encode() + b"</w:body>")
    article = parse(targets.docx(xml, STYLES), "x.docx", "docx")
    assert [(b.role, b.text, b.line) for b in article.blocks] == [
        ("heading", "El título", 1),
        ("body", "A first  paragraph, & more", 2),
        ("caption", "El puerto de Vigo", 3),
        ("caption", "Otro pie", 5),
        ("alt", "Un faro", 6),
    ]
    assert all(article.text[b.start : b.end] == b.text for b in article.blocks)


def test_docx_text_box_is_read_once():
    box = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        "<mc:Choice><w:txbxContent><w:p><w:r><w:t>Pie</w:t></w:r></w:p></w:txbxContent></mc:Choice>"
        "<mc:Fallback><w:txbxContent><w:p><w:r><w:t>Pie</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent>"
    )
    xml = targets.docx_xml([(None, "Texto")]).replace(b"</w:t></w:r></w:p>", b"</w:t>" + box.encode() + b"</w:r></w:p>")
    assert [b.text for b in parse(targets.docx(xml), "x.docx", "docx").blocks] == ["Pie", "Texto"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a readable Word document"),
        (b"PK\x03\x04", "not a readable Word document"),
        (targets.docx(b"<a>"), "damaged Word document"),
        (targets.docx(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "declares a document type"),
        (targets.docx(b" " * (65 << 20)), "larger than"),
    ],
)
def test_docx_that_is_none(data, message):
    with pytest.raises(DocumentError, match=message):
        parse(data, "x.docx", "docx")


def test_no_reader():
    with pytest.raises(DocumentError, match="no reader for format 'pdf'; the formats are text, markdown, html, docx"):
        parse(b"", "x.pdf", "pdf")


def test_nothing_heavy_is_imported_for_text():
    code = (
        "import sys; from aligner import documents; documents.from_bytes(b'Hola', 'x.txt')\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('resiliparse', 'fastwarc', 'pyarrow', 'fsspec')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# --- names of output files


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ("a.txt", "a.txt"),
        ("b/a.txt", "b/a.txt"),
        ("../a.txt", "a-080241d9.txt"),
        ("/etc/passwd", "etc/passwd-17d16000"),
        ("..", "document-e6fc5bb9"),
        ("", "document-1271cf25"),
        ("x\x00y\n.txt", "x_y_-9290616e.txt"),
        ("con.txt", "_con-fbd3396d.txt"),
        ("http://ex.org/a/b?x=1", "ex.org_a_b_x=1-b3693281"),
        ("C:\\x\\y.txt", "C_/x/y-1892987d.txt"),
    ],
)
def test_safe_output_name(document, name):
    assert safe_output_name(document) == name


def test_safe_output_name_adds_the_extension():
    assert safe_output_name("a.html", ".html") == "a.html"
    assert safe_output_name("a.txt", ".html") == "a.txt.html"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=30), unique=True, max_size=8))
def test_different_documents_keep_different_names(documents):
    assert len({safe_output_name(document) for document in documents}) == len(documents)


# --- fuzz; the long one is fuzz/fuzz_readers.py


@pytest.mark.parametrize("case", REGRESSIONS, ids=[case.name for case in REGRESSIONS])
def test_what_the_fuzz_found(case):
    targets.CHECKS[case.name.split("-")[0]](case.read_bytes())


@pytest.mark.parametrize("target", targets.TARGETS)
def test_fuzz(target):
    """Some new inputs in each run; a failure names its seed."""
    seed = random.randrange(10**9)
    for number, data in enumerate(targets.inputs(target, 400, seed)):
        try:
            targets.run(target, data)
        except BaseException as error:
            raise AssertionError(f"input {number} of inputs({target!r}, 400, {seed}): {data.hex()}") from error
