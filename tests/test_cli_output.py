"""What commands print and write: in a terminal, in a pipe that is read or not, in Markdown."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from conftest import Run

from aligner import errors
from aligner.documents import from_text
from aligner.errors import ExistingFileError, OutputError
from aligner.files import check_writable, write_all
from aligner.readers import html
from aligner.records import Caption, CreditLine, Document, OtherLanguage, Slug, Translation
from aligner.show import count, markdown, put_columns, size, summary, visible

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


def in_terminal(*arguments: str | Path, columns: int = 80, styles: str = r"\x1b\[[0-9;?]*[A-Za-z]") -> str:
    """What a command shows in a terminal of so many columns, without what matches ``styles``."""
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
    return re.sub(styles, "", shown.decode()).replace("\r\n", "\n")


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


@pytest.mark.parametrize(
    "command", ["--help", "run --help", "--version", "models list", "corpus stats", "find SEED", "find -f json SEED"]
)
def test_nobody_reads_what_is_only_printed(seed: Path, command: str) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        arguments = [str(seed) if word == "SEED" else word for word in command.split()]
        done = subprocess.run(
            [sys.executable, "-m", "aligner", *arguments], stdout=write, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


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
    assert shown.count("documents: all") >= (2 if columns == 80 else 1)


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
        (["run", "--text-column", "body", "SEED"], "--text-column"),
        (["find", "--id-column", "id", "--input-format", "html", "SEED"], "--id-column"),
        (["score", "--hypothesis", "SEED", "--reference", "SEED", "--trials", "9"], "--trials"),
        (["batch", "SEED", "--out", "out", "--no-translate", "--beam", "2"], "--beam"),
        (["batch", "SEED", "--out", "out", "--memory", "m.sqlite", "--memory-limit", "0"], "--memory"),
        (["score", "SEED", "--trials", "100"], "--trials"),
        (["score", "SEED", "--gold", "gold", "--from", "fr"], "--from"),
        (["score", "SEED", "--gold", "gold", "--paired", "none", "--trials", "9"], "--trials"),
        (["export", "SEED", "--to", "tsv", "--force"], "--force"),
        (["import", "a.tsv", "--run", "SEED", "--patch-mode", "both"], "--patch-mode"),
        (["import", "a.tsv", "--run", "SEED", "--force"], "--force"),
        (["review", "SEED", "--export", "a.jsonl", "--port", "0"], "--port"),
    ],
)
def test_options_that_do_nothing_are_refused(
    aligner: Run, seed: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = aligner(*[str(seed) if word == "SEED" else word for word in arguments], cwd=tmp_path)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
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


def test_a_run_is_no_document(aligner: Run, seed: Path, tmp_path: Path) -> None:
    for style in ("jsonl", "json"):
        path = tmp_path / f"run.{style}"
        path.write_text(aligner("find", "--format", style, seed).stdout, encoding="utf-8")
        done = aligner("run", path)
        assert (done.returncode, done.stdout) == (1, f"{path}  could not be read\n")
        assert "the records of a run, not documents; aligner report, score, export" in done.stderr
        assert done.stderr.count("\n") == 1


def test_json_of_several_lines_is_refused_in_one(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[\n  {\n    "text": "El presidente llega al palacio"\n  }\n]\n', encoding="utf-8")
    done = aligner("find", tmp_path / "a.json")
    assert done.returncode == 1
    assert done.stderr.endswith("a.json: JSON, but not JSON Lines; write one object in each line (jq -c '.[]')\n")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_ends_the_review_and_says_where_decisions_are(aligner: Run, seed: Path, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the extra review is missing")
    (tmp_path / "run.jsonl").write_text(aligner("run", "--format", "jsonl", seed).stdout, encoding="utf-8")
    command = [sys.executable, "-m", "aligner", "review", tmp_path / "run.jsonl", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.splitlines()[-1] == f"aligner: ended; decisions are kept in {tmp_path / 'run.review.sqlite'}"
    assert "Traceback" not in said


def test_status_of_a_batch_that_was_killed_as_it_began(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / ".lock").touch()
    done = aligner("batch", "status", tmp_path / "begun")
    assert done.returncode == 2
    assert "it was killed as it began: start it again" in done.stderr
    assert "name the --out folder" in aligner("batch", "status", tmp_path / "none").stderr


def test_the_model_in_records_is_named_by_models(aligner: Run, seed: Path) -> None:
    listed = json.loads(aligner("models", "list", "--format", "json").stdout)
    (shown,) = (model for model in listed if model["where"] == "bundled")  # a developer's cache may hold more
    record = json.loads(aligner("run", "--format", "jsonl", seed).stdout)
    assert record["captions"][0]["translation"]["model"] == shown["in_records"]["ctranslate2"]
    assert shown["in_records"]["ctranslate2"] in aligner("models", "list").stdout


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"other")
    files = {tmp_path / "a": b"new", tmp_path / "b": b"new"}
    with pytest.raises(ExistingFileError, match=r"b: a file that is another stands here; give --force"):
        write_all(files, overwrite=False)
    (tmp_path / "c").mkdir()
    with pytest.raises(OutputError, match="a folder has this name"):
        write_all({**files, tmp_path / "c": b"new"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
    assert (tmp_path / "b").read_bytes() == b"other"
    write_all(files)
    assert (tmp_path / "b").read_bytes() == b"new"


def test_what_is_missing_is_installed_from_where_the_command_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "__file__", str(tmp_path / "aligner" / "errors.py"))
    assert errors.install("zst").startswith("pip install 'caption-aligner[zst]' (in a clone")
    (tmp_path / "pyproject.toml").touch()
    assert errors.install("zst") == f"pip install -e '{tmp_path}[zst]'"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "@LIST"], 2, "no list of names"),
        (["find", ""], 2, "an empty name is no document"),
        (["run", "--threads", "100000", "SEED"], 2, "--threads"),
        (["translate", "--threads", "100000", "SEED"], 2, "--threads"),
        (["batch", "SEED", "--out", "out", "--workers", "100000"], 2, "--workers"),
        (["score", "SEED", "--gold", "SEED", "--resamples", "99999999999"], 2, "--resamples"),
        (["run", "--report", "out.txt", "SEED"], 2, "--report out.txt: writes HTML: name a file in .html"),
        (["run", "--glossary", "TERMS.csv", "SEED"], 2, "1 of its lines is malformed"),
        (["run", "--report", "FOLDER", "SEED"], 1, "a folder has this name"),
        (["score", "SEED", "--junit", "FOLDER"], 1, "a folder has this name"),
        (
            ["score", "--hypothesis", "none", "--reference", "SEED"],
            2,
            "none: cannot be read (No such file or directory)",
        ),
        (["batch", "missing.txt", "--out", "new"], 2, "no such file"),
        (["batch", "SEED", "--out", "LIST"], 1, "a file has this name; name a folder"),
        (["batch", "SEED", "--out", "LIST/new"], 1, "LIST is a file, no folder"),
        (["models", "pull", "a/b@c", "--revision", "d"], 2, "leave out --revision"),
        (["models", "convert", "LIST"], 2, "a file, no folder"),
        (["find", "COLUMNS"], 1, "the columns are: page; name one with --text-column"),
    ],
)
def test_mistakes_end_in_a_message_before_anything_is_done(
    aligner: Run, seed: Path, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    (tmp_path / "LIST").write_bytes(b"a\0b\n")
    (tmp_path / "FOLDER").mkdir()
    (tmp_path / "COLUMNS").write_text('{"page": 1}\n', encoding="utf-8")
    (tmp_path / "TERMS.csv").write_text("source,target,oops\nuno,one,x\n", encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    done = aligner(*[str(seed) if word == "SEED" else word for word in arguments], cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout in ("", "COLUMNS  could not be read\n")
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_empty_is_said(aligner: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "lines.txt").write_text("Vista del puerto\n", encoding="utf-8")
    done = aligner("link", "empty.txt", "lines.txt", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "aligner: empty.txt: is empty\n")
    done = aligner("translate", "--article", "empty.txt", "--glossary", "empty.txt", "lines.txt", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert done.stderr == "aligner: empty.txt: is empty\naligner: --glossary: no term in it\n"
    done = aligner("run", "--glossary", "empty.txt", "lines.txt", cwd=tmp_path)
    assert done.stderr.startswith("aligner: --glossary: no term in it\n")


def test_what_will_not_be_writable_is_found_first(tmp_path: Path) -> None:
    check_writable(None, tmp_path / "new" / "file")
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file, no folder"):
        check_writable(tmp_path / "file" / "below")


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b2J\x08\x7f\u202e\u2066"
OBEYED = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_visible() -> None:
    assert visible("tab\t, line\n, end\r\n, “é” \u200f stay") == "tab\t, line\n, end\r\n, “é” \u200f stay"
    assert visible("a\x1b[2J\x9b\r\u202e\udcff") == r"a\u001b[2J\u009b\u000d\u202e\udcff"
    text = json.dumps({"a": HOSTILE}, ensure_ascii=False)
    assert json.loads(visible(text)) == {"a": HOSTILE}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of documents, gold, glossary and a run with what a terminal would obey."""
    folder = tmp_path_factory.mktemp("hostile")
    name = "arti\x1b[2Jcle\x9b2J\u202e.md"
    caption = f"El presidente{HOSTILE} llega al palacio con su familia"
    body = "The ministers of both countries met in the capital on Monday to talk about the border and about trade. " * 9
    foreign = f"Le ministre salue la foule devant le palais{HOSTILE} royal et les rues de la ville"
    (folder / name).write_text(
        f"{body}\n\n![{caption}](a.jpg)\n*Foto: Ana{HOSTILE} Ruiz / EFE*\n\n{body}\n\n{foreign}\n\n{body}\n",
        encoding="utf-8",
    )
    (folder / "lines.txt").write_text(caption + "\n", encoding="utf-8")
    (folder / "terms.csv").write_text("source,target\npalacio,pal\x1b[2Jace\n", encoding="utf-8")
    terms = "".join(
        f'<langSet xml:lang="{language}"><tig><term>{term}</term></tig></langSet>'
        for language, term in (("es", "familia"), ("en", "fam\x9b2Jily"))
    )
    tbx = f"<martif type='TBX'><text><body><termEntry>{terms}</termEntry></body></text></martif>"
    (folder / "terms.tbx").write_text(tbx, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "aligner", "run", "-f", "jsonl", folder / name], capture_output=True, check=True
    )
    (folder / "run.jsonl").write_bytes(run.stdout)
    assert len(json.loads(run.stdout)["captions"]) == 1
    gold = {"file": name + HOSTILE, "line": 1, "text": HOSTILE, "kind": HOSTILE}
    (folder / "gold.jsonl").write_text(json.dumps(gold) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("run", "*.md"),
        ("run", "-f", "markdown", "*.md"),
        ("run", "-f", "json", "*.md"),
        ("run", "-f", "jsonl", "*.md"),
        ("run", "--diff", "*.md"),
        ("run", "--glossary", "terms.csv", "--glossary", "terms.tbx", "*.md"),
        ("run", "missing" + HOSTILE),
        ("find", "*.md"),
        ("link", "*.md", "lines.txt"),
        ("link", "-f", "jsonl", "*.md", "lines.txt"),
        ("translate", "lines.txt"),
        ("score", "run.jsonl", "--gold", "."),
        ("score", "--hypothesis", "lines.txt", "--reference", "lines.txt"),
        ("report", "-f", "markdown", "run.jsonl"),
        ("corpus", "check", "."),
        ("models", "verify", "./" + HOSTILE[:4]),
        ("export", "--to", "tsv", "missing" + HOSTILE),
        ("batch", "*.md", "--out", "batch-\x1b[2J"),
    ],
    ids=lambda command: " ".join(command).partition("\x1b")[0],
)
def test_documents_and_names_command_no_terminal(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(hostile)
    arguments = [str(next(hostile.glob(a)).name) if a == "*.md" else a for a in command]
    shown = in_terminal(*arguments, columns=100, styles=r"\x1b\[(?:[0-9;]*m|\?25[lh]|2?K|\d?A)")
    assert not OBEYED.search(shown.replace("\r", "")), OBEYED.sub(lambda m: f"<{ord(m[0]):x}>", shown)
    if not {"lines.txt", "."} & set(command):
        assert re.search(r"\\(?:u00|x)1b", shown)
    if "terms.csv" in command:
        assert "palacio → pal\\u001b[2Jace" in shown
        assert "familia → fam\\u009b2Jily" in shown
