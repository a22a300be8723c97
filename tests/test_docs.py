"""The user guide: it builds without a warning and without a network, and every command in it works."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from review_page import Served

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Why a block is not run; a block says so in a comment in front of it.
REASONS = ("installs", "needs a cluster", "needs a network")
# A block that serves a page until it is stopped.
SERVED = "<!-- served: the tests accept every caption -->"
# Blocks of the README that continuous integration runs itself.
RUN_BY_CI = ("<!-- run -->", "<!-- tests -->")


TBX = """<?xml version="1.0"?>
<martif type="TBX" xml:lang="es"><text><body><termEntry>
  <langSet xml:lang="es"><tig><term>Volodímir Zelenskiy</term></tig></langSet>
  <langSet xml:lang="en"><tig><term>Volodymyr Zelensky</term></tig></langSet>
</termEntry></body></text></martif>
"""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its code, and the comment in front of it."""

    page: Path
    line: int
    language: str
    code: str
    comment: str


def blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    start, comment = None, ""
    for number, line in enumerate(lines):
        if start is None and line.startswith("```"):
            start = number
            before = [text for text in lines[max(0, number - 1) : number] if text.strip()]
            comment = before[-1] if before and before[-1].startswith("<!--") else ""
        elif start is not None and line == "```":
            language = lines[start].removeprefix("```").strip()
            yield Block(page, start + 1, language, "\n".join(lines[start + 1 : number]) + "\n", comment)
            start = None
    assert start is None, f"{page.name}:{start}: a block that does not end"


ALL = [block for page in PAGES for block in blocks(page)]


def skipped(block: Block) -> bool:
    return block.comment in RUN_BY_CI or block.comment.startswith("<!-- not run: ")


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in ALL} <= {"sh", "python", "json", "yaml", "text", "sql"}
    for block in ALL:
        if block.comment.startswith("<!-- not run: "):
            assert block.comment.removeprefix("<!-- not run: ").removesuffix(" -->") in REASONS, block
        if block.language == "text" and block.page.stem != "benchmarks":  # which holds what programs printed
            assert not re.search(r"^\s*(aligner|python|pip) ", block.code, re.MULTILINE), block


@pytest.fixture
def sandbox(corpus: Path, seed: Path, tmp_path: Path) -> Path:
    """What the guide's commands find: articles, the corpus, the model, captions and glossaries."""
    folder = tmp_path / "clone"
    shutil.copytree(corpus, folder / "corpus")
    shutil.copytree(ROOT / "models" / "es-en", folder / "models" / "es-en")
    shutil.copy(seed, folder / "article.txt")
    (folder / "articles").mkdir()
    for name in ("blockade-santa-cruz.txt", "market-hall-cadiz.txt"):
        shutil.copy(corpus / "written" / name, folder / "articles")
    (folder / "docs").mkdir()
    (folder / "docs" / "page.md").write_text("# A tower\n\nThe mayor cut the ribbon at noon.\n", encoding="utf-8")
    (folder / "captions.txt").write_text("Vista aérea del Kremlin, en Moscú\n", encoding="utf-8")
    (folder / "house.csv").write_text("source,target\nPalacio del Elíseo,Élysée Palace\n", encoding="utf-8")
    (folder / "names.tbx").write_text(TBX, encoding="utf-8")
    return folder


def surroundings(folder: Path) -> dict[str, str]:
    """An environment with the ``aligner`` of these tests in front, a cache of its own, and no network."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder.parent),
        "XDG_CACHE_HOME": str(folder.parent / "cache"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
    }


@pytest.mark.parametrize("name", ["layouts", "wires"])  # which hold pages and Markdown too
def test_the_command_behind_the_readmes_figures(sandbox: Path, name: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [command] = re.findall(r"\(`(aligner run [^`]*corpus/SET[^`]*)`\)", text)
    command = command.replace("SET", name) + " --format json"
    done = subprocess.run(command, shell=True, cwd=sandbox, env=surroundings(sandbox), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["systems"][0]["figures"]
    [captions] = re.findall(rf"(?m)^\| {name} [^|]*\| (\d+) \|", text)
    assert figures["find.line.r"]["n"] == int(captions)


def accept_everything(command: str, folder: Path) -> None:
    """Runs ``aligner review``, accepts every caption on the page that it serves, and presses Ctrl+C."""
    server = subprocess.Popen(
        [*shlex.split(command), "--port", "0"],
        cwd=folder,
        env=surroundings(folder),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert server.stdout is not None
        address = urlsplit(server.stdout.readline().strip())
        assert address.port is not None, address
        cookie = f"aligner-review-{address.port}={address.query.removeprefix('token=')}"
        page = Served(address.geturl(), address.port, None, None, cookie, "")  # type: ignore[arg-type]
        html = page.request("GET", "/")[2].decode()
        page.token = html.split('name="aligner-token" content="')[1].split('"')[0]
        for caption in page.get("/api/overview")["captions"]:
            text = page.get(f"/api/caption/{caption['key']}")["machine"]
            decision = {"key": caption["key"], "version": caption["version"], "state": "accepted", "text": text}
            status, _, body = page.request("POST", "/api/decide", decision | {"link": "run"})
            assert status == 200, body
        server.send_signal(signal.SIGINT)
        assert server.wait(30) in (0, 130)
    finally:
        server.kill()
        server.communicate()


def execute(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs something."""
    return subprocess.run(
        command, cwd=folder, env=surroundings(folder), capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(b.language in ("sh", "python") for b in blocks(page))], ids=lambda p: p.stem
)
def test_every_command_works(page: Path, sandbox: Path) -> None:
    ran: list[str] = []
    for block in blocks(page):
        if skipped(block) or block.language not in ("sh", "python"):
            continue
        if block.comment == SERVED:
            accept_everything(block.code, sandbox)
            continue
        if block.language == "sh":
            done = execute(["bash", "-euo", "pipefail", "-c", block.code], sandbox)
        else:  # Python blocks of a page go on where the last one ended
            ran.append(block.code)
            done = execute([sys.executable, "-c", "\n".join(ran)], sandbox)
        assert done.returncode == 0, f"{page.name}:{block.line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr


def test_json_and_yaml_are_well_formed() -> None:
    for block in ALL:
        if block.language == "json":
            json.loads(block.code)
        elif block.language == "yaml":
            assert yaml.safe_load(block.code)


def test_the_newsrooms_workflow_works(sandbox: Path) -> None:
    workflow = next(yaml.safe_load(b.code) for b in ALL if b.language == "yaml" and "jobs:" in b.code)
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    commands = [command for command in steps if not command.startswith("pip install")]
    assert len(commands) == 4
    for command in commands[:-1]:
        done = execute(["bash", "-euo", "pipefail", "-c", command], sandbox)
        assert done.returncode == 0, done.stderr
    sarif = json.loads((sandbox / "captions.sarif").read_text(encoding="utf-8"))
    assert len(sarif["runs"][0]["results"]) > 3
    assert (sandbox / "captions.html").stat().st_size > 10_000
    assert execute(["bash", "-c", commands[-1]], sandbox).returncode == 1
    # The corrected articles pass.
    patched = "aligner run --patch fixed articles/ > patched.txt && mv fixed/* articles/ && "
    fixed = execute(["bash", "-c", patched + commands[-1]], sandbox)
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr


# --- the pages ---


class Page(HTMLParser):
    """Links, anchors and what a page loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.loads.append(found["src"])
        elif tag == "link" and found.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(found.get("href", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide, built with warnings as errors."""
    for module in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        pytest.importorskip(module.split(".")[0], reason="MkDocs is missing: pip install 'caption-aligner[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    # A proxy that is not there: whatever asks the network fails the build.
    environment = os.environ | {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return folder


def test_the_guide_asks_for_nothing_from_outside(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        assert [load for load in page.loads if load.startswith(("http:", "https:", "//"))] == [], path.name
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", path.read_text(encoding="utf-8")), path.name


def test_links_of_the_guide_lead_somewhere(site: Path) -> None:
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), f"{path.name}: {link}"
            if anchor and target in pages and anchor != "__skip":
                assert anchor in pages[target].ids, f"{path.name}: {link}"


def test_the_api_pages_come_from_the_docstrings(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "api.html").read_text(encoding="utf-8"))
    for name in ("run", "Pipeline", "Options", "Document", "Caption", "read", "find", "Translator", "link", "patch",
                 "score_runs", "score_texts", "build", "render", "merge", "UsageError", "ModelError"):  # fmt: skip
        assert re.search(rf"\b{name}\b", text), name
    assert ":class:" not in text
    assert ":mod:" not in text
    assert "What a run does and with which means." in text
