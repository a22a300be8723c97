"""What must hold of the readers for any input: used by the long fuzz (``fuzz_readers.py``) and the short one in CI.

A target is two functions: one makes a file from the fuzzer's bytes, the other (of :data:`CHECKS`) reads the file and
asserts. The only exceptions a reader may raise are the toolkit's own. What a target finds is kept as the file.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gzip
import io
import json
import os
import random
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from aligner import patch
from aligner.documents import Article, Edit, from_bytes
from aligner.errors import AlignerError
from aligner.patch import apply, unpatch
from aligner.readers import Limits, SourceOptions, column_edits, open_source, parse, safe_output_name
from aligner.readers.html import escape, lang_edits
from aligner.records import Caption, Document, Translation

# Pieces that pages are put together from, one byte each.
_PLAIN_TOKENS = """
<div> </div> <p> </p> <b> </b> <i> </i> <span> </span> <a> </a> <figure> </figure> <figcaption> </figcaption>
<table> <tr> <td> </td> </table> <ul> <li> </ul> <h1> </h1> <br> </br> <hr> <nav> </nav> <article> </article>
<script> </script> <style> </style> <svg> </svg> <!-- --> <!--> <? ?> <![CDATA[ ]]> <title> </title> <textarea>
</textarea> <noscript> </noscript> <template> </template> <x-y> </x-y> < > / = ' " & ; ! ? - [ ] { } : , \\ <a <img
< /> </ <p &amp; &lt; &eacute; &nbsp; &#233; &#xE9; &copy &notit; &shy; &#0; &#x110000; &#55296; &bogus; &# La
canciller alemana Angela Merkel en Berlín AFP/LUDOVIC MARIN The president said that EFE Ñ é 👍 \u0301
"""
TOKENS = [
    *_PLAIN_TOKENS.split(),
    " ", "  ", "\n", "\r\n", "\t", "\f", "\x00", "\xa0", "\xad", "\u2028",
    '<img alt="', "<img alt='", "<img alt=", '" title="', '" data-caption="', '">', "'>", "&quot;", "&lt;p&gt;",
    '<p class="wp-caption-text">', '<span class="credit">', '<div class=caption>', '<p lang="es">', '<p lang>',
    "<figure lang=es xml:lang='es'>", '<div itemscope itemtype="https://schema.org/ImageObject">',
    '<span itemprop="caption">', '<meta itemprop=description content="', '<meta property="og:image:alt" content="',
    '<script type="application/ld+json">', '{"@type":"ImageObject","caption":"', '","creditText":"', '"}',
    '"image":[', "\\u00e1", "\\ud83d\\ude00", "\\ud800", '\\"', "\\n", '<a href="x.jpg" title="',
    "<FONT COLOR=red>", "</FONT>", "<body class=caption>", "<select>", "</select>", "<form>", "<aside>", "<pre>",
]  # fmt: skip
_WORDS = "Übersetzung & <b>\"'`=/ \\u0041 ]]> --> </script> &eacute; ñ 👍"


_TEXT_TOKENS = """
    La canciller alemana Angela Merkel en Berlín AFP/LUDOVIC MARIN EFE Foto: The president said that on Monday
    [[Archivo:x.jpg|thumb| [[ ]] | ![ ![x](a.jpg ]( ) [ ] < > <b> </b> <figure> <figcaption> </figcaption> <!-- -->
    <blockquote </blockquote> <script> </script> &amp; &eacute; ` ``` ~~~ ::: * ** _ ~~ # ## - + 1. > {{< figure >}}
    caption=" " ' '' title: alt: caption: image: {{ }} {% %} [caption] [/caption] \\ \\" : "@ ñ 👍 e\u0301
"""
TEXT_TOKENS = [
    *_TEXT_TOKENS.split(),
    " ", " ", "  ", "\n", "\n", "\n\n", "\r\n", "\r", "\t", "\f", "\v", "\xa0", "\xad", "\u2028", "\ufeff", "\x1a",
    "\n---\n", "---\n", "+++\n", "\n+++\n", "\n...\n", "\n> ", "\n- ", "\n    ", "\n| a | b |\n|---|---|\n", "\n```\n",
    "caption: |\n  ", "caption: >-\n  ", "caption: &a ", "*a", "!!python/object:x ", "&b [*b]", '\ncaption = """',
    '\n[x]: y "',
    "A line of an article that is wrapped at a width which many programs use by default\n",
]  # fmt: skip
_CODECS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "mac_roman")


def page_from(data: bytes) -> bytes:
    """A page put together from :data:`TOKENS`, one per byte."""
    return "".join(TOKENS[byte % len(TOKENS)] for byte in data).encode()


def text_from(data: bytes) -> bytes:
    """A text put together from :data:`TEXT_TOKENS`, one per byte but for the first, which chooses the encoding."""
    text = "".join(TEXT_TOKENS[byte % len(TEXT_TOKENS)] for byte in data[1:])
    return text.encode(_CODECS[data[0] % len(_CODECS)] if data else "utf-8", "replace")


def check_text(data: bytes, name: str = "fuzz.txt") -> None:
    """A text keeps its bytes, its blocks lie in order, and what is replaced in them can be put back."""
    try:
        article = from_bytes(data, name, "markdown" if name.endswith(".md") else "text")
    except AlignerError:
        return
    assert article.encode(article.text) == data
    previous = 0
    for block in article.blocks:
        assert block.text == block.text.strip() != ""
        assert previous <= block.start < block.end <= len(article.text)
        assert article.block_at(block.start) is block
        assert article.wording(block.start, block.end) == block.text
        previous = block.end
    _patched(article)


def _patched(article: Article) -> None:
    """All captions of an article replaced at once: it leads back to the original."""
    captions = []
    for number, block in enumerate(article.blocks[::2]):
        start, end = block.span(0, len(block.text))
        translation = Translation(_WORDS, "es-en@0", "ctranslate2", -1.0)
        captions.append(Caption(f"c{number}", block.line, start, end, block.text, None, 1.0, (), translation))
    record = Document(article.name, article.sha256, "en", "es", tuple(captions))
    with contextlib.suppress(AlignerError):
        changes = patch.edits(article, record)
        assert unpatch(apply(article.text, changes), changes) == article.text


def check_markdown(data: bytes) -> None:
    """The same of Markdown."""
    check_text(data, "fuzz.md")


def check_html(data: bytes) -> None:
    """A page keeps its bytes, its offsets are true, and a caption can be replaced and found again."""
    try:
        article = parse(data, "fuzz", "html")
    except AlignerError:
        return
    mark = b"\xef\xbb\xbf" if article.encoding == "utf-8-sig" else b""
    if not article.encoding.startswith(("utf-16", "utf-32")):
        encoding = article.encoding.removesuffix("-sig")
        assert mark + article.text.encode(encoding, "surrogateescape") == data
    source, previous = article.text, 0
    for block in article.blocks:
        assert block.text == block.text.strip() != ""
        assert not any("\ud800" <= letter <= "\udfff" for letter in block.text)
        assert previous <= block.start < block.end <= len(source), (previous, block)
        assert block.line == source.count("\n", 0, block.start) + 1
        previous = block.start
        last = block.start
        offsets = block.offsets
        assert offsets is not None
        assert len(offsets) == len(block.text) + 1
        for index, letter in enumerate(block.text):
            start, end = offsets.start(index), offsets.end(index)  # type: ignore[attr-defined]
            assert last <= start < end <= block.end
            first = source[start]
            assert letter == first or first in "&<\\[\xad\x00" or first.isspace() or first >= "\ud800"
            last = start
        start, end = block.span(0, len(block.text))
        assert start <= block.start
        assert block.end <= end
    shown = [block for block in article.blocks if block.role in ("caption", "credit", "alt")]
    for number in {0, len(shown) // 2, len(shown) - 1} if shown else ():
        _replaced(article, shown, number)


def _seen(source: str) -> list[tuple[str, str]]:
    again = parse(source.encode("utf-8", "surrogateescape"), "again", "html", "utf-8")
    return [(b.role, b.text) for b in again.blocks if b.role in ("caption", "credit", "alt")]


def _run_together(texts: list[tuple[str, str]]) -> str:
    return "".join("".join(text.split()) for _, text in texts)


def _replaced(article, shown, number: int) -> None:  # type: ignore[no-untyped-def]
    # A page with zero bytes may count as binary once it is shorter.
    if article.encoding != "utf-8" or b"charset" in article.data.lower() or 0 in article.data:
        return
    block = shown[number]
    start, end = block.span(0, len(block.text))
    # What looks like tags in ``data-caption`` is taken for escaped markup.
    words = _WORDS.replace("<b>", "< ").replace("</", "<3") if block.kind == "attribute" else _WORDS
    written = escape(article, start, words, end)
    source = article.text[:start] + written + article.text[end:]
    # The title of a link within the stretch goes with it if the link is torn open, else it stays.
    expected = [(b.role, words if b is block else b.text) for b in shown if b is block or not start <= b.start < end]
    within = {(b.role, b.text) for b in shown if b is not block and start <= b.start < end}
    seen = _seen(source)
    seen = seen if seen == expected else [found for found in seen if found not in within]
    # Where only tags stand between two texts, the letters beside them say whether they are one: then all is compared.
    assert seen == expected or _run_together(seen) == _run_together(expected), (start, end, written)
    if edits := lang_edits(article, start, "en"):
        source = article.text
        for first, last, new in reversed(edits):
            source = source[:first] + new + source[last:]
        again = parse(source.encode("utf-8", "surrogateescape"), "again", "html", "utf-8")
        marked = [b for b in again.blocks if b.role in ("caption", "credit", "alt")]
        assert [(b.role, b.text) for b in marked] == [(b.role, b.text) for b in shown]
        assert marked[number].language == "en"  # type: ignore[attr-defined]


@functools.cache
def _folder() -> Path:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _check_source(data: bytes, ending: str) -> None:
    """A stream of any bytes ends, raises nothing, and goes on after each item as if never stopped."""
    path = _folder() / f"{os.getpid()}.{ending}"
    path.write_bytes(data)
    limits = Limits(document_bytes=5000)
    items = list(open_source(path, SourceOptions(limits=limits)))
    places = [item.position.index for item in items]
    assert places == sorted(set(places))
    for item in items:
        assert item.error is not None or len(item.data) <= limits.document_bytes
        assert item.error is None or not item.data
        with contextlib.suppress(AlignerError):
            item.article()
        if item.line is not None and item.column is not None and item.error is None:
            _check_line(item.line, item.column)
    assert not any(item.fatal for item in items[:-1])
    if items and not items[-1].fatal:
        middle = items[len(items) // 2]
        rest = list(open_source(path, SourceOptions(limits=limits, after=middle.position)))
        assert rest == items[len(items) // 2 + 1 :]


def _check_line(line: bytes, column: str) -> None:
    before = json.loads(line.decode("utf-8-sig"))
    text = re.sub("[\ud800-\udfff]", "\ufffd", before[column])
    middle = len(text) // 2
    whole = [Edit(0, len(text), text, _WORDS)]
    part = [Edit(middle // 2, middle, text[middle // 2 : middle], _WORDS), Edit(len(text), len(text), "", "x")]
    for changes in (whole, part):
        edits = column_edits(line, column, changes)
        made = apply(line.decode(), edits)
        after = json.loads(made.removeprefix("\ufeff"))
        assert re.sub("[\ud800-\udfff]", "\ufffd", after.pop(column)) == apply(text, changes)
        assert repr(after) == repr({key: value for key, value in before.items() if key != column})
        assert unpatch(made, edits).encode() == line


def _source(ending: str) -> Callable[[bytes], None]:
    return functools.partial(_check_source, ending=ending)


# What a hostile file holds, inserted whole; the order is that of the bytes which choose.
FRAGMENTS = [
    b"\x00" * 8, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x80" * 9 + b"\x01", b"PAR1", b"\x1f\x8b\x08\x00",
    b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18\xff\xff\xff\xff", b"WARC/1.0\r\n", b"\r\n\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: br\r\n", b"ffffffff\r\n", b"Content-Encoding: deflate\r\n", b"; charset=utf-7",
    b"charset=utf-16", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"../../../etc/passwd",
    b'<!DOCTYPE a [<!ENTITY b "c">]>', b"&b;", b"<w:p>" * 300, b"<div>" * 300, b"[" * 2000, b'{"a":' * 500,
    b"9" * 5000, b"1e999", b"NaN", b"\\ud800", b"\xed\xa0\x80", b"\n", b"\r", b"\xef\xbb\xbf", b"\xff\xfe",
    b'{"text": "x"}\n', b"[1]\n", b'"text": null, ', b'"text": "twice", ', b'"id": "../x\\u0000", ', b"<script>",
    b"<![CDATA[", b"<!--", b"<svg>", b"<table><select>" * 100,
]  # fmt: skip


def _mutated(seeds: list[bytes], data: bytes) -> bytes:
    """A seed, changed as the bytes say: one picks the seed, then five each pick a place, a kind and a value."""
    if not data:
        return b""
    seed = bytearray(seeds[data[0] % len(seeds)])
    for at in range(1, len(data) - 4, 5):
        place = int.from_bytes(data[at : at + 3], "big") % (len(seed) + 1)
        kind, value = data[at + 3] % 8, data[at + 4]
        if kind == 0:
            seed[place : place + 1] = bytes([value])
        elif kind == 1:
            del seed[place:]
        elif kind == 2:
            del seed[place : place + value]
        elif kind == 3:
            other = seeds[value % len(seeds)]
            seed[place:] = other[min(place, len(other)) * 3 // 4 :]
        elif kind == 4:
            seed[place:place] = seed[place : place + value]
        elif kind == 5:
            seed[place:place] = FRAGMENTS[value % len(FRAGMENTS)]
        elif place < len(seed):
            seed[place] ^= 1 << value % 8
    return bytes(seed)


def mutated(kind: str) -> Callable[[bytes], bytes]:
    """What makes damaged files of a kind."""
    return lambda data: _mutated(_seeds(kind), data)


def damaged_docx(data: bytes) -> bytes:
    """A damaged Word document, or a sound archive with a damaged document in it."""
    if data and data[0] > 32:
        return docx(_mutated(_seeds("xml"), data[1:]))
    return _mutated(_seeds("docx"), data[1:])


def record(url: str, body: bytes, *, kind: str = "response", status: str = "200 OK", headers: str = "") -> bytes:
    """A WARC record."""
    http = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n{headers}\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\n"
        "WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000001>\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


@functools.cache
def _seeds(kind: str) -> list[bytes]:
    page = b"<html><body><figure><img alt=x><figcaption>Un pie de foto</figcaption></figure><p>Text</body></html>"
    lines = b"\n".join(
        json.dumps(line, ensure_ascii=ascii).encode()
        for ascii, line in (
            (True, {"id": "a", "text": "uno á", "n": [1, {"text": "x"}], "m": {"text": "y"}}),
            (False, {"text": "dos ñ\n", "id": 7}),
            (True, {"text": page.decode(), "id": None}),
            (True, {"id": "d", "text": ""}),
        )
    )
    warc = b"".join(
        [
            record("http://a.example/", page),
            record("http://b.example/", gzip.compress(page, mtime=0), headers="Content-Encoding: gzip\r\n"),
            record("http://c.example/", b"4\r\n<p>x\r\n0\r\n\r\n", headers="Transfer-Encoding: chunked\r\n"),
            record("http://d.example/", b"", status="404 Not Found"),
            record("http://e.example/", page, kind="resource"),
        ]
    )
    if kind == "lines":
        return [lines, b"", b"{}\n[]\n" + lines]
    if kind == "compressed":
        import zstandard

        return [
            gzip.compress(lines, mtime=0),
            gzip.compress(lines[:50], mtime=0) + gzip.compress(lines[50:], mtime=0),
            zstandard.compress(lines),
            zstandard.compress(lines[:50]) + zstandard.compress(lines[50:]),
        ]
    if kind == "warc":
        members = b"".join(gzip.compress(part, mtime=0) for part in (warc[:600], warc[600:]))
        return [warc, gzip.compress(warc, mtime=0), members]
    if kind == "xml":
        return [docx_xml([("Heading1", "Title"), (None, "Body text"), ("Caption", "Un pie de foto")])]
    if kind == "docx":
        return [docx(_seeds("xml")[0])]
    if kind in ("html", "text", "markdown"):
        return [page, *(make(bytes(range(0, 250, step))) for make in (page_from, text_from) for step in (1, 3, 7))]
    assert kind == "parquet"
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"id": ["a", "b", None, "d"], "text": ["uno", None, page.decode(), "uno"]})
    nested = pyarrow.table({"url": [1, 2, 3], "html": [page, b"\xff", b""], "more": [[1], [], None]})
    made = []
    for content, options in (
        (table, {"compression": "none"}),
        (table, {"compression": "snappy", "row_group_size": 2}),
        (table, {"compression": "zstd", "use_dictionary": False, "data_page_version": "2.0"}),
        (nested, {"compression": "gzip", "write_page_checksum": True}),
        (nested, {"compression": "none", "write_statistics": False, "use_dictionary": False}),
    ):
        out = io.BytesIO()
        # Arrow's own copy of the schema is as long as all the rest.
        pyarrow.parquet.write_table(content, out, store_schema=False, **options)
        made.append(out.getvalue())
    return made


def docx_xml(paragraphs: list[tuple[str | None, str]]) -> bytes:
    """``word/document.xml`` with these (style, text)."""
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(
        "<w:p>"
        + (f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else "")
        + f"<w:r><w:t>{text}</w:t></w:r></w:p>"
        for style, text in paragraphs
    )
    return f'<?xml version="1.0"?><w:document xmlns:w="{main}"><w:body>{body}</w:body></w:document>'.encode()


def docx(document: bytes, styles: bytes | None = None) -> bytes:
    """A Word document with this ``word/document.xml``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("word/document.xml", (2024, 1, 1, 0, 0, 0)), document)
        if styles is not None:
            archive.writestr(zipfile.ZipInfo("word/styles.xml", (2024, 1, 1, 0, 0, 0)), styles)
    return out.getvalue()


def check_names(data: bytes) -> None:
    """An output name stays within its folder on any system."""
    document = data.decode("utf-8", "surrogateescape" if len(data) % 2 else "replace")
    for suffix in (None, ".html"):
        name = safe_output_name(document, suffix)
        name.encode()
        assert name
        assert name == name.strip()
        assert name.isprintable() or max(name) >= "\u00a0"
        parts = name.split("/")
        assert not name.startswith("/")
        assert all(part not in ("", ".", "..") and len(part.encode()) < 200 for part in parts)
        assert not any(letter in name for letter in '\\:*?"<>|\x00\n')
        assert suffix is None or name.lower().endswith(suffix)


CHECKS: dict[str, Callable[[bytes], None]] = {
    "text": check_text,
    "markdown": check_markdown,
    "html": check_html,
    "jsonl": _source("jsonl"),
    "compressed": _source("jsonl.gz"),
    "parquet": _source("parquet"),
    "warc": _source("warc"),
    "docx": _source("docx"),
    "sniffed": _source("bin"),
    "names": check_names,
}
"""What must hold of a file of each kind."""

TARGETS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "text": (text_from, "text"),
    "text-bytes": (mutated("text"), "text"),
    "markdown": (text_from, "markdown"),
    "markdown-bytes": (mutated("markdown"), "markdown"),
    "html": (page_from, "html"),
    "html-bytes": (mutated("html"), "html"),
    "jsonl": (mutated("lines"), "jsonl"),
    "jsonl-bytes": (bytes, "jsonl"),
    "compressed": (mutated("compressed"), "compressed"),
    "parquet": (mutated("parquet"), "parquet"),
    "warc": (mutated("warc"), "warc"),
    "docx": (damaged_docx, "docx"),
    "sniffed": (bytes, "sniffed"),
    "names": (bytes, "names"),
}
"""How each target makes files, and the check for them."""


def run(target: str, data: bytes) -> None:
    """One input of a target."""
    make, kind = TARGETS[target]
    CHECKS[kind](make(data))


def inputs(target: str, count: int, seed: int, longest: int = 120) -> list[bytes]:
    """Random inputs for a target; the same ones for the same seed."""
    random_ = random.Random(f"{target}/{seed}")
    return [random_.randbytes(random_.randrange(1, longest)) for _ in range(count)]
