"""What must hold of the readers for any input: used by the long fuzz (``fuzz_readers.py``) and the short one in CI.

Each target takes bytes, reads them, and asserts. The only exceptions a reader may raise are the toolkit's own.
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

from aligner.documents import Edit
from aligner.errors import AlignerError
from aligner.patch import apply, unpatch
from aligner.readers import Limits, column_edits, open_source, parse, safe_output_name
from aligner.readers.html import escape, lang_edits

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


def page_from(data: bytes) -> bytes:
    """A page put together from :data:`TOKENS`, one per byte."""
    return "".join(TOKENS[byte % len(TOKENS)] for byte in data).encode()


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
        assert block.text
        assert block.text == block.text.strip(" \t\n\r\f\xa0")
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
            assert letter == source[start] or source[start] in "&<\\ \t\n\r\f\xad\x00" or source[start] >= "\ud800"
            last = start
        start, end = block.span(0, len(block.text))
        assert start <= block.start
        assert block.end <= end
    shown = [block for block in article.blocks if block.role in ("caption", "credit", "alt")]
    for number in {0, len(shown) // 2, len(shown) - 1} if shown else ():
        _replaced(article, shown, number)


def _seen(source: str) -> list[tuple[str, str]]:
    again = parse(source.encode("utf-8", "surrogateescape"), "again", "html")
    # A page that was put together from pieces may name another encoding; here only the text counts.
    return [(b.role, b.text) for b in again.blocks if b.role in ("caption", "credit", "alt")]


def _run_together(texts: list[tuple[str, str]]) -> str:
    return "".join("".join(text.split()) for _, text in texts)


def _replaced(article, shown, number: int) -> None:  # type: ignore[no-untyped-def]
    if article.encoding != "utf-8" or b"charset" in article.data.lower():
        return
    block = shown[number]
    start, end = block.span(0, len(block.text))
    # What looks like tags in ``data-caption`` is taken for escaped markup.
    words = _WORDS.replace("<b>", "< ").replace("</", "<3") if block.kind == "attribute" else _WORDS
    written = escape(article, start, words, end)
    source = article.text[:start] + written + article.text[end:]
    expected = [(b.role, b.text) for b in shown]
    expected[number] = (block.role, words)
    seen = _seen(source)
    # Where only tags stand between two texts, the letters beside them say whether they are one: then all is compared.
    assert seen == expected or _run_together(seen) == _run_together(expected), (start, end, written)
    if edits := lang_edits(article, start, "en"):
        source = article.text
        for first, last, new in reversed(edits):
            source = source[:first] + new + source[last:]
        again = parse(source.encode("utf-8", "surrogateescape"), "again", "html")
        marked = [b for b in again.blocks if b.role in ("caption", "credit", "alt")]
        assert [(b.role, b.text) for b in marked] == [(b.role, b.text) for b in shown]
        assert marked[number].language == "en"  # type: ignore[attr-defined]


def check_markup(data: bytes) -> None:
    """The same of pages that look like pages."""
    check_html(page_from(data))


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
    items = list(open_source(path, limits=limits))
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
        rest = list(open_source(path, limits=limits, after=middle.position))
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


def check_jsonl(data: bytes) -> None:
    """JSON Lines of any bytes."""
    _check_source(data, "jsonl")


def check_sniffed(data: bytes) -> None:
    """A file whose name says nothing."""
    _check_source(data, "bin")


def _mutated(seeds: list[bytes], data: bytes) -> bytes:
    """A seed, changed as the bytes say: one picks the seed, then five each pick a place, a kind and a value."""
    if not data:
        return b""
    seed = bytearray(seeds[data[0] % len(seeds)])
    for at in range(1, len(data) - 4, 5):
        place = int.from_bytes(data[at : at + 3], "big") % (len(seed) + 1)
        kind, value = data[at + 3] % 6, data[at + 4]
        if kind == 0:
            seed[place : place + 1] = bytes([value])
        elif kind == 1:
            del seed[place:]
        elif kind == 2:
            del seed[place : place + value]
        elif kind == 3:
            seed[place:place] = bytes([value])
        elif kind == 4:
            seed[place:place] = seed[place : place + value]
        elif place < len(seed):
            seed[place] ^= 1 << value % 8
    return bytes(seed)


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
    assert kind == "parquet"
    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    table = pyarrow.table({"id": ["a", "b", None], "text": ["uno", None, page.decode()]})
    pyarrow.parquet.write_table(table, out, row_group_size=2)
    return [out.getvalue()]


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


def check_lines(data: bytes) -> None:
    """Damaged JSON Lines."""
    _check_source(_mutated(_seeds("lines"), data), "jsonl")


def check_compressed(data: bytes) -> None:
    """Damaged gzip and zstd."""
    _check_source(_mutated(_seeds("compressed"), data), "jsonl.gz")


def check_warc(data: bytes) -> None:
    """Damaged web archives."""
    _check_source(_mutated(_seeds("warc"), data), "warc")


def check_docx(data: bytes) -> None:
    """Damaged Word documents, and sound archives with damaged documents in them."""
    broken = _mutated(_seeds("docx"), data[1:])
    if data and data[0] > 32:
        broken = docx(_mutated(_seeds("xml"), data[1:]))
    _check_source(broken, "docx")


def check_parquet(data: bytes) -> None:
    """Damaged Parquet files."""
    _check_source(_mutated(_seeds("parquet"), data), "parquet")


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


TARGETS: dict[str, Callable[[bytes], None]] = {
    "html": check_html,
    "markup": check_markup,
    "jsonl": check_jsonl,
    "lines": check_lines,
    "compressed": check_compressed,
    "warc": check_warc,
    "docx": check_docx,
    "parquet": check_parquet,
    "sniffed": check_sniffed,
    "names": check_names,
}


def inputs(target: str, count: int, seed: int, longest: int = 120) -> list[bytes]:
    """Random inputs for a target; the same ones for the same seed."""
    random_ = random.Random(f"{target}/{seed}")
    return [random_.randbytes(random_.randrange(1, longest)) for _ in range(count)]
