"""What commands print and write: in a terminal, in a pipe that is read or not, in Markdown."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from conftest import Run

from aligner.documents import from_text
from aligner.readers import html
from aligner.records import Caption, CreditLine, Document, OtherLanguage, Slug, Translation
from aligner.show import count, markdown, put_columns, size, summary

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Ministers meet</title></head><body><article>
<h1>Ministers meet in Madrid</h1>
<p>The ministers of both countries met in the capital on Monday to talk about the border and about trade.</p>
<figure><img src="a.jpg" alt="La ministra saluda a los vecinos del barrio" title="Vista aérea del puerto de Cádiz">
<figcaption>El presidente llega al palacio con su familia. EFE/Ana Ruiz</figcaption></figure>
<p>The talks lasted for more than five hours and ended late in the night with a common press conference.</p>
<figure><figcaption>Le ministre salue la foule devant le palais royal</figcaption></figure>
<figure><figcaption>ministra-puerto</figcaption></figure>
</article></body></html>
"""


def in_terminal(*arguments: str | Path, columns: int = 80) -> str:
    """What a command shows in a terminal of so many columns."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "aligner", *map(str, arguments)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment | {"TERM": "xterm"},
        close_fds=True,
    ) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                data = os.read(leader, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            shown += data
        process.wait(60)
    os.close(leader)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r\n", "\n")


def test_every_article_is_patched_though_nobody_reads(seed: Path, tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.txt").write_bytes(seed.read_bytes())
    for style in ("table", "json", "jsonl", "markdown"):
        command = [sys.executable, "-m", "aligner", "run", "--format", style, "--patch", tmp_path / style, tmp_path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert "wrote 4 corrected files" in process.stderr.read()
            assert process.wait(120) == 0
        assert len(list((tmp_path / style).iterdir())) == 4
        for path in (tmp_path / style).iterdir():
            path.unlink()
        (tmp_path / style).rmdir()


def test_tables_in_a_pipe_lose_nothing(aligner: Run, corpus: Path, tmp_path: Path) -> None:
    done = aligner("corpus", "stats", env=os.environ | {"COLUMNS": "40"})
    assert "…" not in done.stdout
    for name in (path.name for path in corpus.iterdir() if path.is_dir()):
        assert name in done.stdout.splitlines()[0]
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    lines = aligner("run", tmp_path / "page.html", env=os.environ | {"COLUMNS": "40"}).stdout.splitlines()
    assert any(line.endswith("  La ministra saluda a los vecinos del barrio") for line in lines)
    assert any(line.endswith("to talk about the border and about trade.") for line in lines)
    assert not any(line.endswith(" ") for line in lines)


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_fit_a_terminal_and_lose_nothing(corpus: Path, columns: int) -> None:
    shown = in_terminal("corpus", "stats", columns=columns)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= columns
    words = shown.split()
    for name in (path.name for path in corpus.iterdir() if path.is_dir()):
        assert name in words
    assert shown.count("documents: all") == (3 if columns == 80 else 1)


def test_columns_that_are_wider_than_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    put_columns(["", "one", "two"], [["row", "1" * 300, "2"]])
    assert capsys.readouterr().out.splitlines()[1] == f"row  {'1' * 300}    2"


def test_what_is_left_is_listed_and_what_holds_a_caption_is_named(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    shown = aligner("run", tmp_path / "page.html").stdout
    assert "3 Spanish captions · 1 picture name · 1 text in French" in shown
    for place in ("img alt", "img title", "figcaption"):
        assert f" {place} · confidence" in shown
    assert re.search(r"picture names +line 8 ministra-puerto\n", shown)
    assert re.search(r"in French +line 7 Le ministre salue la foule devant le palais royal\n", shown)
    rows = aligner("run", "--format", "markdown", tmp_path / "page.html").stdout
    assert "| 4, img title |" in rows
    assert "- in French, left as they are: line 7 Le ministre salue la foule devant le palais royal\n" in rows


def test_holders_of_a_pages_texts() -> None:
    source = (
        '<html><head><meta property="og:image:alt" content="Vista del puerto"><script type="application/ld+json">'
        '{"@type": "ImageObject", "caption": "Vista de la plaza"}</script></head><body><article>'
        "<p>First.</p><img title='Uno dos' alt=Tres></article></body></html>"
    )
    article = html.parse(source.encode(), "page.html")
    held = {
        text: html.holder(article, article.text.index(text)) for text in ("Vista del", "Vista de la", "Uno", "Tres")
    }
    assert held == {"Vista del": "meta", "Vista de la": "script", "Uno": "img title", "Tres": "img alt"}
    assert html.holder(article, article.text.index("First")) == "p"
    assert html.holder(article, 0) == ""


def test_markdown_names_each_warning_with_its_caption() -> None:
    translation = Translation("The the.", "es-en@0", "ctranslate2", -1.0, (), ("repetition: the, 2 times",))
    caption = Caption("c1", 3, 0, 6, "El | el", None, 1.0, (), translation)
    record = Document("a.txt", "", "en", "es", (caption,), warnings=("front-matter: not closed",))
    text = markdown(record)
    assert "- line 3, “El \\| el”: repetition: the, 2 times\n" in text
    assert "- warning: front-matter: not closed\n" in text


def test_counts_sizes_and_languages() -> None:
    assert (count(1, "warning"), count(1200, "warning")) == ("1 warning", "1,200 warnings")
    assert [size(n) for n in (1, 999, 1400, 2_500_000)] == ["1 byte", "999 bytes", "1.4 kB", "2.5 MB"]
    record = Document(
        "a.txt", "", "en", "xx", (), (Slug(1, 0, 1, "a"),), (OtherLanguage(2, 2, 3, "fr"),) * 2, None,
        (CreditLine(3, 4, 5, "EFE"),),
    )  # fmt: skip
    assert summary(record) == "0 xx captions · 1 picture name · 1 credit line · 2 texts in French"
    assert "line 2 b" in markdown(record, from_text("a\nb\nEFE\n"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--patch-mode", "both", "SEED"], "--patch-mode"),
        (["run", "--translate-credits", "SEED"], "--translate-credits"),
        (["run", "--diff", "--patch-mode", "tag", "--translate-credits", "SEED"], "--translate-credits"),
        (["run", "--force", "SEED"], "--force"),
        (["run", "--diff", "--format", "jsonl", "SEED"], "--format"),
        (["run", "--patch", "-", "--format", "jsonl", "SEED"], "--format"),
    ],
)
def test_options_that_do_nothing_are_refused(aligner: Run, seed: Path, arguments: list[str], said: str) -> None:
    done = aligner(*[str(seed) if word == "SEED" else word for word in arguments])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"aligner: {said} ")
    assert done.stderr.count("\n") == 1


def test_documents_without_text_are_named(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "blank.txt").write_bytes(b"\n \n")
    done = aligner("find", tmp_path / "empty.txt", tmp_path / "blank.txt")
    assert done.returncode == 0
    assert [line.split("/")[-1] for line in done.stderr.splitlines()] == [
        "empty.txt: is empty",
        "blank.txt: has no text",
    ]


def test_a_file_where_a_folder_is_needed(aligner: Run, seed: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    for option in ("--patch", "--report"):
        name = "file/out" if option == "--patch" else "file/r.html"
        done = aligner("run", option, tmp_path / name, seed)
        assert done.returncode == 1
        assert f"{tmp_path / 'file'} is a file, no folder" in done.stderr
        assert "File exists" not in done.stderr
    (tmp_path / "folder.html").mkdir()
    done = aligner("run", "--report", tmp_path / "folder.html", seed)
    assert "a folder has this name" in done.stderr
