"""Streams of documents: what is read, what is reported, and going on from any document."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import resource
import sys
from pathlib import Path

import pytest
import zstandard

from aligner.documents import Edit
from aligner.errors import AlignerError, DocumentError, UsageError
from aligner.patch import apply, unpatch
from aligner.readers import Item, Limits, SeenIds, SourceOptions, column_edits, open_source

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))
from targets import record

RECORDS = [
    {"id": "a", "text": "uno á"},
    {"id": 2, "text": "dos"},
    {"id": "c", "text": "<!doctype html><p>tres"},
    {"id": "d", "text": "cuatro"},
]
LINES = b"\n".join(json.dumps(line).encode() for line in RECORDS) + b"\n"
NOISE = b"".join(b'{"text": "%s"}\n' % os.urandom(20).hex().encode() for _ in range(9999))
PAGE = b"<html><body><p>Texto</p></body></html>"


def parquet(rows: int, group: int = 10) -> bytes:
    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    table = pyarrow.table({"url": [f"u{n}" for n in range(rows)], "html": [f"<p>{n}" for n in range(rows)]})
    pyarrow.parquet.write_table(table, out, row_group_size=group)
    return out.getvalue()


def archive(count: int = 6) -> list[bytes]:
    return [record(f"http://x.example/{n}", PAGE + str(n).encode()) for n in range(count)]


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name: str, data: bytes) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name

    return write


def names(items) -> list[str]:
    return [item.document for item in items]


def errors(items: list[Item]) -> list[str]:
    return [item.error for item in items if item.error is not None]


# --- specs


def test_folders_patterns_lists(write):
    for name in ("b/two.html", "b/one.txt", "a.md", "c/deep/x.docx.gz", ".hidden/y.txt", "b/.z.txt"):
        write(name, b"text")
    write("b/picture.png", b"\x89PNG")
    write("list.txt", b"b\na.md\n\nmissing.txt\nb/*.html\n")
    stream = open_source(".")
    found = ["./a.md", "./b/one.txt", "./b/two.html", "./c/deep/x.docx.gz", "./list.txt"]
    assert names(stream) == found
    assert stream.skipped == {"files of other formats": 1}
    assert names(open_source("b/*.t*")) == ["b/one.txt"]
    assert names(open_source("**/*.html")) == ["b/two.html"]
    assert names(open_source(["a.md", Path("b")])) == ["a.md", "b/one.txt", "b/two.html"]
    listed = list(open_source("@list.txt"))
    assert names(listed) == ["b/one.txt", "b/two.html", "a.md", "missing.txt", "b/two.html"]
    assert errors(listed) == ["missing.txt: no such file; check the path"]
    assert [item.position.number for item in listed] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("spec", ["missing.txt", "*.none", "empty", "@missing.txt", "nosuch://x", "a\0b"])
def test_nothing_there_is_refused_at_once(write, spec, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=re.escape(repr(spec.strip("@*"))[1:5])):
        open_source(spec)


def test_unknown_format_is_refused(write):
    with pytest.raises(UsageError, match=r"unknown format 'pdf'; the formats are docx, html, jsonl"):
        open_source(write("a.txt", b"x"), SourceOptions(format="pdf"))


def test_standard_input(monkeypatch):
    for data, formats in ((LINES, ["text", "text", "html", "text"]), (PAGE, ["html"]), (b"Hola", ["text"])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(data))))
        assert [item.format for item in open_source("-")] == formats


@pytest.mark.parametrize(("url", "remedy"), [("https://x/a.txt", "[remote]'"), ("s3://x/a.txt", "`pip install s3fs`")])
def test_a_store_whose_package_is_missing_says_what_to_install(monkeypatch, url, remedy):
    pytest.importorskip("fsspec")
    for package in ("aiohttp", "s3fs", "fsspec.implementations.http"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=re.escape(remedy)):
        open_source(url)


def test_fsspec(write):
    fsspec = pytest.importorskip("fsspec")
    for name, data in (("a.jsonl.zst", zstandard.compress(LINES)), ("b.html", PAGE), ("c.png", b"")):
        with fsspec.open(f"memory://crawl/{name}", "wb") as file:
            file.write(data)
    assert names(open_source("memory://crawl/*.zst")) == ["a", "2", "c", "d"]
    assert len(list(open_source("memory://crawl"))) == 5
    items = list(open_source("memory://crawl/missing.txt"))
    assert [item.fatal for item in items] == [True]


# --- formats


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gz", "zst"])
@pytest.mark.parametrize(
    ("name", "data", "documents"),
    [
        ("x.jsonl", LINES, ["a", "2", "c", "d"]),
        ("x.warc", b"".join(archive(4)), [f"http://x.example/{n}" for n in range(4)]),
        ("x.parquet", parquet(4, 2), ["u0", "u1", "u2", "u3"]),
        ("x.html", PAGE, ["x.html"]),
        ("noname", LINES, ["a", "2", "c", "d"]),
    ],
)
def test_formats_and_compression(write, name, data, documents, compress):
    items = list(open_source(write(name, compress(data))))
    assert names(items) == documents
    assert errors(items) == []
    for item in items:
        assert item.article().name == item.document


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.jsonl", LINES),
        ("x.jsonl", b"[]\n\n" + LINES.replace(b'{"id": 2', b'{"no": 2') + b"\n\n" + LINES),
        ("x.jsonl.gz", gzip.compress(LINES)),
        ("x.jsonl.zst", zstandard.compress(LINES)),
        ("x.warc", b"".join(archive())),
        ("records.warc.gz", b"".join(map(gzip.compress, archive()))),
        ("records.warc.gz", b"".join(map(gzip.compress, archive()))[:-9]),
        ("x.warc.gz", gzip.compress(b"".join(archive()))),
        ("x.warc", b"".join(archive())[:-70]),
        ("x.jsonl", b'{"text": 1}\n{"text": "\xff"}\n' + b"\n" * 9 + b"[]"),
        ("x.parquet", parquet(25)),
        ("x.txt", b"Hola"),
    ],
)
def test_goes_on_from_any_document(write, name, data):
    """Whatever document was the last, the rest is the same as in one go, also over the next sources."""
    specs = [write("first.txt", b"x"), write(name, data), write("last.txt", b"y")]
    items = list(open_source(specs))
    for number, item in enumerate(items):
        assert list(open_source(specs, SourceOptions(after=item.position))) == items[number + 1 :]
    if name == "records.warc.gz":
        assert all(item.position.offset is not None for item in items[1:-1] if not item.fatal)  # can be sought


def test_changed_inputs_are_noticed(write):
    specs = [write("a.txt", b"x"), write("b.txt", b"y")]
    first = next(open_source(specs))
    with pytest.raises(UsageError, match=r"source 0 is 'b\.txt', was 'a\.txt'"):
        list(open_source(specs[::-1], SourceOptions(after=first.position)))


def test_limits(write):
    name = write("x.jsonl", LINES)
    assert names(open_source(name, SourceOptions(limits=Limits(items=2)))) == ["a", "2"]
    items = list(open_source(name, SourceOptions(limits=Limits(document_bytes=26))))
    assert errors(items) == [
        "x.jsonl, line 1: the line is 33 bytes long; the limit for a document is 26",
        "x.jsonl, line 3: the line is 45 bytes long; the limit for a document is 26",
        "x.jsonl, line 4: the line is 29 bytes long; the limit for a document is 26",
    ]
    big = list(open_source(write("b.txt", b"x" * 27), SourceOptions(limits=Limits(document_bytes=26))))
    assert errors(big) == ["b.txt: larger than the limit of 26 bytes for a document"]
    page = list(open_source(write("x.parquet", parquet(2)), SourceOptions(limits=Limits(document_bytes=3))))
    assert errors(page) == [
        "x.parquet, line 1: the text is 4 bytes long; the limit is 3",
        "x.parquet, line 2: the text is 4 bytes long; the limit is 3",
    ]


def test_columns(write):
    data = b'{"key": "k", "page": "<p>x", "text": "no"}\n{"key": "", "page": "y"}\n{"page": 1, "key": "z"}\n'
    items = list(open_source(write("x.jsonl", data), SourceOptions(text_column="page", id_column="key")))
    assert names(items) == ["k", "x.jsonl#1", "z"]
    assert [item.data for item in items] == [b"<p>x", b"", b""]
    assert errors(items) == [
        "x.jsonl, line 2: column 'key' has no id",
        "x.jsonl, line 3: column 'page' is no text but int",
    ]


def test_text_of_a_column_is_decoded_already(write):
    page = "<meta charset=latin1><figcaption>Día</figcaption>"
    name = write("x.jsonl", json.dumps({"html": page}, ensure_ascii=False).encode())
    (item,) = open_source(name)
    assert [block.text for block in item.article().blocks] == ["Día"]


def test_warc_records_that_are_no_pages(write):
    data = b"".join(
        [
            record("http://a.example", b"x", kind="request"),
            record("http://b.example", b"", status="301 Moved"),
            record("http://c.example", gzip.compress(PAGE), headers="Content-Encoding: gzip\r\n"),
            record("http://d.example", PAGE, headers="Content-Encoding: gzip\r\n"),
            record("http://e.example", b"26\r\n" + PAGE + b"\r\n0\r\n\r\n", headers="Transfer-Encoding: chunked\r\n"),
            record("http://f.example", b""),
            record("http://g.example", PAGE).replace(b"text/html", b"image/png"),
            record("http://h.example", gzip.compress(bytes(10**7)), headers="Content-Encoding: gzip\r\n"),
        ]
    )
    stream = open_source(write("x.warc", data), SourceOptions(limits=Limits(document_bytes=10**6)))
    items = list(stream)
    assert [(item.document[7], item.data) for item in items if not item.error] == [(c, PAGE) for c in "cde"]
    assert errors(items) == [
        "http://f.example: the page is empty",
        "http://h.example: larger than the limit of 1,000,000 bytes for a document",
    ]
    assert stream.skipped == {
        "WARC records of type request": 1,
        "HTTP status 301": 1,
        "WARC records of other media types": 1,
    }


# --- bad input: (name, data, number of sound documents, what the last item says)

BROKEN = {
    "truncated gzip": ("x.jsonl.gz", gzip.compress(LINES * 99)[:-30], None, "truncated gzip data: the file ends after"),
    "truncated zstd": ("x.jsonl.zst", zstandard.compress(NOISE)[:-9], None, "truncated zstd data near"),
    "damaged gzip": (
        "x.txt.gz",
        gzip.compress(LINES * 99)[:-8] + bytes(8),
        0,
        "damaged gzip data in the member that begins at",
    ),
    "junk after gzip": (
        "x.jsonl.gz",
        gzip.compress(LINES) + b"junk",
        4,
        "damaged gzip data in the member that begins at",
    ),
    "truncated record": ("x.warc", b"".join(archive())[:-20], 5, "truncated within record 5"),
    "truncated header": ("x.warc", b"".join(archive())[:-200], 5, "x.warc: "),
    "record gone": ("x.warc.gz", b"".join(map(gzip.compress, archive()))[:-20], 5, "truncated gzip data"),
    "no archive": ("x.warc", b"junk\n" * 99, 0, "x.warc: no WARC archive"),
    "empty archive": ("x.warc.gz", gzip.compress(b""), 0, "no WARC record in it"),
    "empty lines": ("x.jsonl", b"", 0, "x.jsonl: the file is empty"),
    "empty text": ("x.txt", b"", 0, "x.txt: the file is empty"),
    "empty gzip": ("x.html.gz", gzip.compress(b""), 0, "x.html.gz: the file is empty"),
    "empty Parquet": ("x.parquet", b"", 0, "not a readable Parquet file"),
    "no Parquet": ("x.parquet", b"PAR1 and nothing PAR1", 0, "not a readable Parquet file"),
    "truncated Parquet": ("x.parquet", parquet(50)[:-900], 0, "not a readable Parquet file"),
    "no such column": ("x.jsonl", b'{"a": 1, "b": 2}\n', 0, "x.jsonl: no text column; the columns are: a, b"),
    "no object": ("x.jsonl", LINES + b"[1]", 4, "x.jsonl, line 5: a JSON array, not an object"),
    "no JSON": ("x.jsonl", LINES + b"{'a': 1}", 4, "x.jsonl, line 5: not JSON: Expecting property name"),
    "deep JSON": ("x.jsonl", LINES + b"[" * 10**5, 4, "x.jsonl, line 5: the JSON is nested too deep"),
    "invalid UTF-8": ("x.jsonl", LINES + b'{"text": "\xff"}', 4, "line 5: invalid UTF-8: byte 0xff at byte 10"),
    "column gone": ("x.jsonl", LINES + b'{"id": 1}', 4, "x.jsonl, line 5: column 'text' is missing"),
    "bomb": ("x.txt.gz", gzip.compress(bytes(10**8)), 0, "over 200 times as many bytes (a decompression bomb?)"),
    "bomb of lines": (
        "x.jsonl.gz",
        gzip.compress(b"\n" * (10**8)),
        0,
        "over 200 times as many bytes (a decompression bomb?)",
    ),
    "no Word document": ("x.docx", b"PK\x03\x04junk", 0, "not a readable Word document"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_bad_input_is_reported_and_the_stream_goes_on(write, name):
    file, data, sound, message = BROKEN[name]
    items = list(open_source([write(file, data), write("last.txt", b"Hola")]))
    assert items.pop().data == b"Hola"
    last = items.pop()
    with pytest.raises(DocumentError, match=r".") as error:
        last.article()
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert errors(items) == []
    assert sound is None or len(items) == sound


def test_a_line_of_100_megabytes(write, tmp_path):
    with open(tmp_path / "x.jsonl", "wb") as file:  # noqa: PTH123
        file.write(b'{"text": "')
        for _ in range(100):
            file.write(b"x" * 10**6)
        file.write(b'"}\n' + LINES)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    items = list(open_source("x.jsonl", SourceOptions(limits=Limits(document_bytes=10**6))))
    assert errors(items) == [
        "x.jsonl, line 1: the line is 100,000,012 bytes long; the limit for a document is 1,000,000"
    ]
    assert names(items[1:]) == ["a", "2", "c", "d"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


def test_duplicate_ids(write, tmp_path):
    specs = [write("a.jsonl", LINES), write("b.jsonl", LINES)]
    seen = SeenIds(str(tmp_path / "ids.sqlite"))
    items = list(open_source(specs, SourceOptions(seen=seen)))
    assert errors(items)[0] == f"a: the id was seen before ({specs[0]}, line 1); ids must differ"
    assert len(errors(items)) == 4
    seen.commit()
    seen.close()
    # After a restart the first ones are still the first ones.
    again = list(open_source(specs, SourceOptions(seen=SeenIds(str(tmp_path / "ids.sqlite")), after=items[1].position)))
    assert again == items[2:]


def test_memory_is_flat(write, tmp_path):
    """Ten times the documents take no more memory."""
    code = (
        "import re, sys\n"
        "from aligner.readers import open_source\n"
        "count = sum(1 for _ in open_source(sys.argv[1]))\n"
        # What getrusage gives includes the parent's peak.
        "print(count, re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    import subprocess

    sizes = []
    for count in (3_000, 30_000):
        lines = (json.dumps({"id": n, "text": f"document {n} " + "x" * 1000}).encode() for n in range(count))
        write("x.jsonl.gz", gzip.compress(b"\n".join(lines), 1))
        out = subprocess.run([sys.executable, "-c", code, "x.jsonl.gz"], capture_output=True, text=True, check=True)
        number, size = map(int, out.stdout.split())
        assert number == count
        sizes.append(size)
    assert sizes[1] < 1.1 * sizes[0]


# --- writing back


def changed(line: bytes, column: str, old: str, new: str) -> bytes:
    text = json.loads(line)[column]
    at = text.index(old)
    edits = column_edits(line, column, [Edit(at, at + len(old), old, new)])
    made = apply(line.decode(), edits)
    assert unpatch(made, edits).encode() == line
    return made.encode()


def test_column_edits():
    line = b'{"m": {"text": "x"}, "text" : "a\\/b uno \\u00e1\\ud83d\\ude00 dos", "n": [1.50, {"text": 2}], "a":"\\/"}'
    assert changed(line, "text", "uno \u00e1", 'two "ñ"') == line.replace(b"uno \\u00e1", b'two \\"\\u00f1\\"')
    assert changed(line, "text", "dos", "two") == line.replace(b"dos", b"two")
    line = '{"text": "ñ", "text": "é"}'.encode()
    assert changed(line, "text", "é", "ü") == '{"text": "ñ", "text": "ü"}'.encode()
    assert changed(b'{"\\u0074ext": "a"}', "text", "a", "b") == b'{"\\u0074ext": "b"}'


def test_column_edits_of_another_text():
    with pytest.raises(AlignerError, match="no text in column 'text'"):
        column_edits(b'{"m": {"text": "x"}, "text": 1}', "text", [])
    with pytest.raises(AlignerError, match="does not read 'y'"):
        column_edits(b'{"text": "x"}', "text", [Edit(0, 1, "y", "z")])


def test_errors_of_a_store_are_reported(monkeypatch):
    """Stores behind fsspec raise what they like, at any time."""
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://odd/x.jsonl", "wb") as file:
        file.write(LINES * 9999)

    class CredentialsError(Exception):
        pass

    def read(self, size=-1):
        raise CredentialsError("no credentials")

    monkeypatch.setattr(fsspec.implementations.memory.MemoryFile, "readinto", read)
    (item,) = open_source("memory://odd/x.jsonl")
    assert item.fatal
    assert item.error == "memory://odd/x.jsonl: cannot be read: no credentials"
