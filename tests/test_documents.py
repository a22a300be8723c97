"""Bytes to articles and back."""

from __future__ import annotations

import io
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aligner.documents import Article, from_bytes, from_text, read
from aligner.errors import DocumentError

TEXT = "Head\n\n  AFP/X - La canciller, el 9 de diciembre – “sí”, ¿no?\tfin\u00a0\nMás señas: año, París.\n"


def covers(article: Article) -> None:
    """What every article owes its reader."""
    assert article.encode(article.text) == article.data
    end = 0
    for block in article.blocks:
        assert article.wording(block.start, block.end) == block.text == block.text.strip() != ""
        assert block.start >= end
        assert block.span(0, len(block.text)) == (block.start, block.end)
        end = block.end
        feed = "\n" if "\n" in article.text else "\r"
        assert block.line == article.text.count(feed, 0, block.start) + 1


@given(st.text())
@example("a\rb\r\rc")
@example("a\r\n\r\nb\r\n")
@example("a\rb\n\u2028c\x0b\x0cd")
@example("\u00a0\u2003 x \u00a0")
@example("\ufeffx")
@example("\x00")
def test_blocks_of_any_text(text: str) -> None:
    covers(from_text(text))
    assert "".join("".join(b.text.split()) for b in from_text(text).blocks) == "".join(text.split())


@given(st.text(alphabet="ab *_#>-![](){}<>\"'`~:\n\r|\\ñ "), st.sampled_from(["", "---\n", "# ", "![x](y) "]))
def test_blocks_of_any_markdown(text: str, before: str) -> None:
    article = from_text(before + text, format="markdown")
    assert article.encode(article.text) == article.data
    for block in article.blocks:
        assert article.wording(block.start, block.end) == block.text.strip() != ""
        assert article.block_at(block.start) is block
    assert all(first.end <= second.start for first, second in pairwise(article.blocks))


@given(st.binary())
@example(b"\xff\xfea\x00\x00")
@example(b"caf\xe9 \x81")
def test_any_bytes_are_read_exactly_or_refused(data: bytes) -> None:
    try:
        article = from_bytes(data, "x.txt")
    except DocumentError:
        return
    covers(article)


@pytest.mark.parametrize(
    ("mark", "codec", "expected"),
    [
        (b"", "utf-8", "utf-8"),
        (b"", "utf-8-sig", "utf-8-sig"),
        (b"", "cp1252", "cp1252"),
        (b"", "mac_roman", "mac_roman"),
        (b"\xff\xfe", "utf-16-le", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be", "utf-16-be"),
        (b"", "utf-16-le", "utf-16-le"),
        (b"", "utf-16-be", "utf-16-be"),
        (b"\xff\xfe\0\0", "utf-32-le", "utf-32-le"),
    ],
)
@pytest.mark.parametrize("feed", ["\n", "\r\n", "\r"])
def test_encodings(mark: bytes, codec: str, expected: str, feed: str) -> None:
    text = TEXT.replace("\n", feed)
    article = from_bytes(mark + text.encode(codec), "a.txt")
    assert (article.text, article.encoding) == (text, expected)
    covers(article)
    assert [block.line for block in article.blocks] == [1, 3, 4]
    assert article.blocks[1].text.startswith("AFP/X - La canciller")
    assert article.blocks[1].text.endswith("fin")
    assert article.encode(text + "ñ") == mark + (text + "ñ").encode(codec)


def test_latin1_control_letters_survive() -> None:
    covers(from_bytes(b"a\xf1o \x81\x8d", "a.txt"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"text\x00text", "zero byte at offset 4"),
        (bytes(range(1, 32)) * 9, "binary"),
        ("señal, año y más\n".encode() * 3 + b"\xf1", "broken UTF-8: byte 0xf1 at offset 60, line 4"),
        (b"\xef\xbb\xbfa\nb\xff", "byte 0xff at offset 6, line 2"),
        (b"\xff\xfea\x00b", "broken UTF-16"),
    ],
)
def test_refusals_say_what_and_where(data: bytes, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        from_bytes(data, "x.txt")


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(DocumentError, match="offset 1"):
        from_text("a\ud800")


def test_read(tmp_path, monkeypatch) -> None:
    path = tmp_path / "año.txt"
    path.write_bytes(TEXT.encode())
    article = read(path)
    assert (article.name, article.format, article.text) == (str(path), "text", TEXT)
    with pytest.raises(DocumentError, match="no such file"):
        read(tmp_path / "none.txt")
    with pytest.raises(DocumentError, match="a folder"):
        read(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert read("-").text == TEXT
    (tmp_path / "empty.md").write_bytes(b"")
    empty = read(tmp_path / "empty.md")
    assert (empty.text, empty.blocks, empty.format) == ("", (), "markdown")


MARKDOWN = """---
title: "El título"
---
# Heading

![Un hombre](a(1).jpg "Foto: AFP") *La canciller, en París*
> - item with `code` and [a link](http://x.y)
```python
secret = 1
```
<figure><img class="w" alt="El presidente" src="b.jpg"><figcaption>La ministra</figcaption></figure>
***
1. numbered
"""


def test_markdown_blocks() -> None:
    article = from_text(MARKDOWN, "a.md", "markdown")
    assert [(b.line, b.role, b.text) for b in article.blocks] == [
        (2, "line", "El título"),
        (4, "heading", "Heading"),
        (6, "alt", "Un hombre"),
        (6, "caption", "Foto: AFP"),
        (6, "line", "La canciller, en París"),
        (7, "line", "item with code and a link"),
        (11, "alt", "El presidente"),
        (11, "caption", "La ministra"),
        (13, "line", "1. numbered"),
    ]


@pytest.mark.parametrize(
    "piece", ["![", "![a](", "<a ", "*", "_ ", '![a]("', "(", "\r", "\u2028", " ", "a" * 99 + "\n"]
)
def test_a_million_of_anything_takes_no_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    for format in ("text", "markdown"):
        from_text(text, format=format)
    assert time.process_time() - started < 10
