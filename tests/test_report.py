"""The report's content: what it shows, that all of it is escaped, and its Markdown and JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring_helpers import damaged, perfect, write

from aligner import cli
from aligner.documents import from_bytes
from aligner.records import Caption, Context, Document, Name, Term, Translation
from aligner.report import build, render, write_report
from aligner.report.model import Report, differences
from aligner.scoring import Gold, Run, Settings, load
from aligner.scoring.baselines import copy_source

QUICK = Settings(metrics=("bleu", "chrf2"), resamples=50, tests=("bs",), trials=50)
EVIL = "<script>alert('x')</script> & \"quotes\" <img src=x onerror=alert(1)> \u202e\x1b[2J {{ 7*7 }} ]]> </style>"


@pytest.fixture(scope="module")
def gold(corpus: Path) -> Gold:
    return load([corpus / "atalayar-2022", corpus / "written"])


@pytest.fixture(scope="module")
def runs(gold: Gold) -> list[Run]:
    """A perfect run and one that errs in every way that the report tells apart."""
    run = perfect(gold)
    number = iter(range(10_000))

    def err(caption: Caption) -> Caption | None:
        n = next(number)
        translation = caption.translation
        assert translation is not None
        if n % 9 == 0:
            return None
        if n % 9 == 1:
            return replace(caption, end=caption.end - 2, source=caption.source[:-2])
        if n % 9 == 2:
            return replace(caption, credit=None)
        if n % 9 == 3:
            return replace(caption, context=None)
        if n % 9 == 4:
            warned = replace(translation, text="the the the", warnings=("repetition: 3 times the same",))
            terms = (Term("alcalde", "mayor <of all>", "replaced"),)
            return replace(caption, translation=replace(warned, names=(Name("Elíseo", "Élysée"),), glossary=terms))
        return replace(caption, reasons=("function words: el, de",))

    return [run, damaged(run, err, name="errs")]


@pytest.fixture(scope="module")
def report(runs: list[Run], gold: Gold) -> Report:
    return build(runs, gold, settings=QUICK)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render(report)


class Page(HTMLParser):
    """Elements, identifiers and links of a page, and whether its tags are balanced."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.stack: list[str] = []
        self.feed(text)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if "id" in values:
            self.ids.append(values["id"] or "")
        if tag == "a":
            self.links.append(values.get("href") or "")
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack
        assert self.stack.pop() == tag


def test_page_is_balanced_and_its_links_lead_somewhere(page: str) -> None:
    parsed = Page(page)
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert len(parsed.links) > 100
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)


def test_page_asks_for_nothing_from_outside(page: str) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+[^\s\"'<)]*", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|<link(?! rel=\"icon\" href=\"data:,\")|<script src", page)


def test_every_caption_stands_in_its_article_with_every_answer(report: Report, gold: Gold, page: str) -> None:
    captions = sum(len(document.captions("es")) for document in gold.documents)
    assert len(report.entries) == captions
    assert all(len(entry.answers) == 2 for entry in report.entries)
    assert len(re.findall(r'class="c( bad)?"', page)) == captions
    assert page.count('class="a"') == 2 * captions
    for article, document in zip(report.articles, gold.documents, strict=True):
        shown = [piece.text for row in article.rows for piece in row.pieces]
        body = {mark.line for mark in document.marks if mark.kind == "caption_es"}
        expected = [t.strip() for n, (_, t) in enumerate(document.lines, 1) if t.strip() and n not in body]
        assert "".join("".join(shown).split()) == "".join("".join(expected).split()), document.name


def test_flags_are_those_that_were_put_in(report: Report) -> None:
    flags: dict[str, int] = {}
    for entry in report.entries:
        assert entry.answers[0].flags == ()
        for flag in entry.answers[1].flags:
            flags[flag] = flags.get(flag, 0) + 1
    scores = report.scores.systems[1]
    assert flags["missed"] == len(scores.misses)
    assert flags["other text"] == len(scores.spans)
    assert flags["other credit"] == len(scores.credits)
    assert flags["wrong link"] == len(scores.links)
    assert flags["warning"] == sum(1 for entry in report.entries if "repetition" in entry.answers[1].codes) > 0


def test_numbers_on_the_page_are_the_scores(report: Report, page: str) -> None:
    for system in report.scores.systems:
        assert f"{system.figures['mt.chrf2'].value:.1f}" in page
    assert "paired bootstrap" in page
    for item in report.scores.inputs:
        assert item.sha256 in page


def test_names_and_terms_stand_with_the_evidence(page: str) -> None:
    assert "<li>name: Elíseo, in the article Élysée</li>" in page
    assert "<li>glossary: alcalde, mayor &lt;of all&gt; (replaced)</li>" in page


def test_charts_are_drawn_with_names_for_assistive_technology(page: str) -> None:
    assert page.count('<svg role="graphics-document"') == 7
    assert page.index('<h2 id="charts">') < page.index('<h2 id="articles">')
    assert page.count("aria-label=") > 50
    assert "var(--s2)" in page


def test_single_run_has_cards_instead_of_a_table(runs: list[Run], gold: Gold) -> None:
    text = render(build(runs[1:], gold, settings=QUICK))
    assert "Captions found (F1)" in text
    assert "Systems side by side" not in text
    assert 'name="system"' not in text


def test_report_without_gold(runs: list[Run]) -> None:
    built = build(runs[1:], None, settings=QUICK)
    text = render(built)
    assert "Differences to the gold" not in text
    assert text.index('<h2 id="articles">') < text.index('<h2 id="charts">')  # what there is to read comes first
    assert text.index('href="#articles"') < text.index('href="#charts"')
    assert 'name="flag"' in text  # the warnings
    assert len(built.entries) == sum(len(record.captions) for record in runs[1].records)
    assert not any(answer.score for entry in built.entries for answer in entry.answers)


def test_run_of_the_finder_alone(runs: list[Run], gold: Gold) -> None:
    found = damaged(runs[0], lambda c: replace(c, translation=None, context=None))
    text = render(build([found], gold, settings=QUICK))
    assert "illustrates" not in re.sub(r"<footer.*", "", text, flags=re.S)
    assert "chrF2" not in re.sub(r"<style.*</style>|<script.*|<footer.*", "", text, flags=re.S)


@pytest.fixture
def evil(tmp_path: Path) -> tuple[Run, Path]:
    """A document, its name and every text about it full of markup."""
    path = tmp_path / "a<b>&\"c'.txt"
    text = f"A paragraph. {EVIL}\n\nEl hombre {EVIL}\n\n{EVIL}\n"
    path.write_text(text, encoding="utf-8")
    article = from_bytes(path.read_bytes(), str(path))
    start = text.index("El hombre")
    caption = Caption(
        "c1", 3, start, start + len(f"El hombre {EVIL}"), f"El hombre {EVIL}", None, 0.9, (EVIL,),
        Translation(f"The man {EVIL}", EVIL, EVIL, 0.0, (Name(EVIL, EVIL),), (f"{EVIL}: {EVIL}",)),
        Context(1, 0, 12, "A paragraph.", 0.5, (EVIL,)),
    )  # fmt: skip
    record = Document(str(path), article.sha256, "en", "es", (caption,), error=None, warnings=(EVIL,))
    unreadable = Document(EVIL, "", "en", "es", error=EVIL)
    return Run(EVIL, "", "", (record, unreadable)), path


def test_everything_is_escaped(evil: tuple[Run, Path]) -> None:
    text = render(build([evil[0]], None, settings=QUICK))
    parsed = Page(text)
    assert parsed.tags.count("script") == 1
    assert parsed.tags.count("style") == 1
    assert "img" not in parsed.tags
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|\b49\b", text)
    assert len(set(parsed.ids)) == len(parsed.ids)
    assert not re.search("[\x1b\u202e]", text)


def test_everything_is_escaped_in_markdown(evil: tuple[Run, Path]) -> None:
    text = render(build([evil[0]], None, settings=QUICK), "markdown")
    assert "<script" not in text
    assert "<img" not in text


def test_scored_names_are_escaped_too(runs: list[Run], gold: Gold) -> None:
    named = [replace(runs[0], name=EVIL), replace(runs[1], name="b")]
    text = render(build(named, gold, settings=QUICK))
    Page(text)
    assert "<script>alert" not in text


def test_markdown_lists_every_caption(report: Report, gold: Gold) -> None:
    text = render(report, "markdown")
    rows = [line for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(rows) == 2 * len(report.entries)
    assert "| find.line.f1 | 1.000" in text
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    for table in tables:
        bars = {re.sub(r"\\.", "", line).count("|") for line in table}
        assert len(bars) == 1


def test_json_carries_every_caption(report: Report) -> None:
    data = json.loads(render(report, "json"))
    assert data["schema"] == "aligner-report/1"
    assert data["scores"]["schema"] == "aligner-score/1"
    captions = [caption for document in data["documents"] for caption in document["captions"]]
    assert len(captions) == len(report.entries)
    assert {system["system"] for caption in captions for system in caption["systems"]} == {"perfect", "errs"}


def test_article_that_is_gone_keeps_its_captions(runs: list[Run], tmp_path: Path) -> None:
    records = tuple(replace(record, document=str(tmp_path / Path(record.document).name)) for record in runs[0].records)
    built = build([replace(runs[0], records=records)], None, settings=QUICK)
    assert len(built.entries) == sum(len(record.captions) for record in records)
    assert not any(article.complete for article in built.articles)
    assert "not at hand" in built.notes[0]
    Page(render(built))


def test_links_find_their_sentences(report: Report, page: str) -> None:
    targets = {answer.target for entry in report.entries for answer in entry.answers if answer.target}
    assert len(targets) > 50
    assert targets <= set(Page(page).ids)


def test_a_linked_sentence_is_marked_within_its_paragraph(gold: Gold, runs: list[Run]) -> None:
    def first_sentence(caption: Caption) -> Caption:
        context = caption.context
        if context is None:
            return caption
        end = context.text.find(". ") + 1
        if end <= 0:
            return caption
        return replace(caption, context=replace(context, end=context.start + end, text=context.text[:end]))

    built = build([damaged(runs[0], first_sentence)], gold, settings=QUICK)
    marked = [piece.text for a in built.articles for row in a.rows for piece in row.pieces if piece.anchor]
    assert len(marked) > 20
    assert all(text.endswith(".") for text in marked)


DIFFERENCES = [
    ("a man runs", "a man runs", [("same", "a man runs")]),
    ("The Man runs", "the man walks", [("same", "The Man"), ("same", " "), ("del", "runs"), ("ins", "walks")]),
    ("in Paris, on 9 May", "in Paris on 9 May", [("same", "in Paris"), ("del", ","), ("same", " on 9 May")]),
    ("x", "", [("del", "x")]),
    ("an odd ship", "two ships", [("del", "an odd ship"), ("ins", "two ships")]),
]


@pytest.mark.parametrize(("hypothesis", "reference", "expected"), DIFFERENCES)
def test_differences(hypothesis: str, reference: str, expected: list[tuple[str, str]]) -> None:
    found = list(differences(hypothesis, reference))
    for change in ("del", "ins"):
        assert [t for c, t in found if c == change] == [t for c, t in expected if c == change]
    assert "".join(t for c, t in found if c != "ins").split() == hypothesis.split()


def test_documents_are_named_without_the_folders_they_share(report: Report, page: str, gold: Gold) -> None:
    folder = str(gold.documents[0].path.parent.parent)
    assert len(folder) > 10
    assert folder not in page.split("<footer>")[0]
    assert "<small>written/</small>" in page
    assert f"<title>Captions of {len(report.articles)} articles</title>" in page


def test_a_baseline_is_never_the_best_system(runs: list[Run], gold: Gold) -> None:
    page = render(build(runs, gold, baselines=[copy_source()], settings=QUICK))
    row = next(row for row in re.findall(r"<tr>.*?</tr>", page) if "Names kept" in row)
    cells = re.findall(r'<td class="r">(.*?)</td>', row)
    assert ["best" in cell for cell in cells] == [True, False, False]
    assert cells[2].startswith("100.0 %")


WORDS = st.lists(st.sampled_from(["the", "The", "man", "boat", ",", ".", "l'eau", "9"]), max_size=12).map(" ".join)


@given(hypothesis=WORDS, reference=WORDS)
def test_differences_hold_both_texts(hypothesis: str, reference: str) -> None:
    found = list(differences(hypothesis, reference))
    ours = "".join(t for c, t in found if c != "ins").lower()
    theirs = "".join(t for c, t in found if c != "del").lower()
    assert "".join(ours.split()) == "".join(hypothesis.lower().split())
    assert "".join(theirs.split()) == "".join(reference.lower().split())


def test_output_does_not_depend_on_the_moment(runs: list[Run], gold: Gold, page: str) -> None:
    assert render(build(runs, gold, settings=QUICK)) == page


def test_write_report_of_records(runs: list[Run], tmp_path: Path) -> None:
    target = tmp_path / "new" / "report.html"
    write_report(runs[0].records, target)
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aligner", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            cli.main()
        out, err = capsys.readouterr()
        return int(done.value.code or 0), out, err

    return run


def test_command(call: Callable[..., tuple[int, str, str]], runs: list[Run], corpus: Path, tmp_path: Path) -> None:
    files = [write(run, tmp_path / f"{run.name}.jsonl") for run in runs]
    gold = ("--gold", corpus / "atalayar-2022", "--gold", corpus / "written")
    code, out, err = call("report", *files, *gold, "-o", tmp_path / "r.html")
    assert (code, out) == (0, "")
    assert "wrote" in err
    assert (tmp_path / "r.html").stat().st_size > 100_000
    assert call("report", *files, *gold, "-o", tmp_path / "r.md")[0] == 0
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("# Captions")
    code, out, err = call("report", files[0], "--format", "json")
    assert json.loads(out)["schema"] == "aligner-report/1"
    assert call("report", files[0], "--baseline")[0] == 2
    assert call("report", tmp_path / "absent.jsonl")[0] == 2


def test_missing_extra_is_one_message(
    call: Callable[..., tuple[int, str, str]],
    runs: list[Run],
    seed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(runs[0], tmp_path / "run.jsonl")
    for package in ("vl_convert", "jinja2"):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, package, None)
            code, _, err = call("report", path, "-o", tmp_path / "x.html")
            assert code == 2
            assert f"pip install -e '{Path(cli.__file__).parents[2]}[report]'" in err
            code, out, err = call("run", seed, "--report", tmp_path / "x.html")
            assert (code, out) == (2, "")  # said before anything is translated
            assert "an HTML report needs" in err
    assert not (tmp_path / "x.html").exists()
