"""The report in headless Chromium: it opens cleanly, its filters and links work, and axe finds nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scoring_helpers import damaged, perfect

from aligner.records import Caption
from aligner.report import build, render
from aligner.scoring import Gold, Run, Settings, load

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is missing: apt-get install chromium")
expect = playwright_api.expect

# No sandbox as root, and none of the browser's own traffic.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OPEN_ALL = "document.querySelectorAll('details').forEach((e) => { e.open = true; })"
QUICK = Settings(metrics=("bleu", "chrf2"), resamples=50, tests=("bs",), trials=50)


def err(run: Run, name: str) -> Run:
    """A run that misses every sixth caption, mistranslates every third and links every fifth to nothing."""
    count = iter(range(1, 100_000))

    def change(caption: Caption) -> Caption | None:
        n = next(count)
        if n % 6 == 0:
            return None
        changed = replace(caption, reasons=("function words: el, de, la", "the document is in en"))
        if n % 3 == 0 and changed.translation:
            words = changed.translation.text.split()[::2]
            warned = ("dropped-clause: shorter than expected",)
            changed = replace(changed, translation=replace(changed.translation, text=" ".join(words), warnings=warned))
        if n % 5 == 0:
            changed = replace(changed, context=None)
        elif changed.context:
            changed = replace(changed, context=replace(changed.context, evidence=("names: Putin", "one paragraph up")))
        return changed

    return damaged(run, change, name=name)


@pytest.fixture(scope="module")
def runs(corpus: Path) -> list[Run]:
    run = perfect(load([corpus / "atalayar-2022", corpus / "written"]))
    return [run, err(run, "errs")]


@pytest.fixture(scope="module")
def gold(corpus: Path) -> Gold:
    return load([corpus / "atalayar-2022", corpus / "written"])


@pytest.fixture(scope="module")
def report(runs: list[Run], gold: Gold, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the report of two runs."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(build(runs, gold, settings=QUICK)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def seed_report(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the report of the seed article, deep in a folder of a long name."""
    folder = tmp_path_factory.mktemp("a-folder-whose-name-has-no-place-to-break") / "Unterrichtsmaterialsammlung"
    shutil.copytree(corpus / "atalayar-2022", folder)
    seed = load([folder])
    run = perfect(seed)
    path = folder / "report.html"
    path.write_text(render(build([run, err(run, "errs")], seed, settings=QUICK)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def tab(browser: Any, report: str) -> Iterator[Any]:
    """The report in a tab; anything on its console and any request fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    odd: list[str] = []
    page.on("console", lambda message: odd.append(message.text))
    page.on("pageerror", lambda error: odd.append(str(error)))
    page.on("request", lambda request: odd.append(request.url) if request.url != report else None)
    page.goto(report)
    yield page
    context.close()
    assert [line for line in odd if not line.startswith(report)] == []


def settled(tab: Any) -> None:
    """Waits until the filters have been applied."""
    expect(tab.locator("#count:not([aria-busy])")).to_have_count(1)


def total(tab: Any) -> int:
    return int(tab.text_content("#count").split(" of ")[1].split(" ")[0])


def shown(tab: Any) -> int:
    """Captions that are visible; the line above them says the same."""
    settled(tab)
    counted = tab.evaluate("() => [...document.querySelectorAll('.c')].filter((c) => c.offsetParent).length")
    assert tab.text_content("#count").startswith(f"{counted} of ")
    return int(counted)


def test_opens_whole_and_clean(tab: Any, runs: list[Run]) -> None:
    assert shown(tab) == total(tab) == sum(len(record.captions) for record in runs[0].records)
    assert tab.locator("svg").count() == 7
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280


def test_search(tab: Any) -> None:
    tab.fill("[name=q]", "Merkel")
    assert shown(tab) == 2
    assert tab.locator("article:visible").count() == 1
    tab.click("#reset")
    assert shown(tab) == total(tab)
    assert tab.evaluate("document.activeElement.name") == "q"


def test_search_finds_articles_by_their_text(tab: Any) -> None:
    tab.fill("[name=q]", "wagner group")
    settled(tab)
    assert tab.locator("article:visible").count() == 1


def test_filter_by_remark_system_warning_and_kind(tab: Any, runs: list[Run]) -> None:
    captions = sum(len(record.captions) for record in runs[0].records)
    tab.select_option("[name=flag]", "missed")
    assert shown(tab) == captions // 6
    tab.select_option("[name=system]", label="perfect")
    assert shown(tab) == 0
    tab.select_option("[name=system]", label="errs")
    assert shown(tab) == captions // 6
    tab.click("#reset")
    tab.select_option("[name=warning]", "dropped-clause")
    assert shown(tab) == captions // 3 - captions // 6
    tab.click("#reset")
    tab.select_option("[name=kind]", "capitals: ALL CAPS")
    assert 0 < shown(tab) < 10
    tab.click("#reset")
    tab.select_option("[name=system]", label="errs")
    settled(tab)
    assert tab.locator(".a:visible .sys").first.text_content() == "errs"


def test_filter_by_score(tab: Any) -> None:
    tab.locator("[name=below]").evaluate(
        "(e) => { e.value = 50; e.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    few = shown(tab)
    assert 0 < few < total(tab) / 3
    assert tab.text_content("#below-value") == "≤ 50"
    scores = tab.locator(".c:visible .a[data-score]").evaluate_all("(all) => all.map((a) => Number(a.dataset.score))")
    assert sum(score <= 50 for score in scores) == few


def test_filters_are_part_of_the_address(tab: Any) -> None:
    tab.select_option("[name=flag]", "wrong link")
    few = shown(tab)
    assert "#?flag=wrong" in tab.url
    again = tab.context.new_page()
    again.goto(tab.url)
    assert shown(again) == few
    assert again.input_value("[name=flag]") == "wrong link"


def test_permalink_of_a_caption_beats_the_filters(tab: Any) -> None:
    anchor = tab.locator(".c").nth(30).get_attribute("id")
    tab.fill("[name=q]", "merkel")
    assert shown(tab) == 2
    tab.evaluate("(id) => { location.hash = id; }", anchor)
    expect(tab.locator(f"[id='{anchor}']")).to_be_in_viewport()
    assert shown(tab) == total(tab)


def test_linked_paragraph_lights_up_on_hover_and_on_focus(tab: Any) -> None:
    link = tab.locator("a[data-to]").first
    target = link.get_attribute("data-to")
    assert tab.locator(".lit").count() == 0
    link.hover()
    assert tab.locator(".lit").get_attribute("id") == target
    tab.mouse.move(2, 2)
    assert tab.locator(".lit").count() == 0
    link.focus()
    assert tab.locator(".lit").get_attribute("id") == target
    link.press("Enter")
    expect(tab.locator(f"[id='{target}']")).to_be_in_viewport()


def test_keyboard_reaches_everything(tab: Any) -> None:
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the articles"
    tab.keyboard.press("Enter")
    expect(tab.locator("#articles")).to_be_in_viewport()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.name") == "q"
    tab.keyboard.type("putin")
    assert 0 < shown(tab) < total(tab)
    tab.locator(".c:visible summary").first.focus()
    tab.keyboard.press("Enter")
    expect(tab.locator(".c:visible details[open]").first).to_be_visible()


def test_colours_follow_the_reader(browser: Any, report: str) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(report)
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.click("#theme")
    light = page.evaluate(paper)
    assert dark != light
    assert page.text_content("#theme") == "Dark colours"
    page.emulate_media(color_scheme="light")
    page.click("#theme")
    assert page.evaluate(paper) == dark
    context.close()


def test_paper_has_captions_and_what_they_illustrate(tab: Any) -> None:
    tab.emulate_media(media="print")
    assert tab.locator("nav:visible, .bar:visible, button:visible").count() == 0
    assert tab.locator(".c:visible").count() == total(tab)
    paragraphs = tab.locator("p.p:visible")
    assert paragraphs.count() == tab.locator("p.p.t").count() > 0
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1000), ("light", 390)])
def test_accessibility(browser: Any, seed_report: str, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing").Axe()
    # The page forbids scripts of others; axe is one, so this context is told not to enforce that.
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(seed_report)
    page.evaluate(OPEN_ALL)
    results = axe.run(page)
    assert results.violations_count == 0, results.generate_report()
    context.close()


@pytest.mark.parametrize("family", ["serif", "sans-serif", "monospace"])
def test_no_font_is_too_wide_for_the_page(browser: Any, seed_report: str, family: str) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(seed_report)
    page.evaluate(OPEN_ALL)
    for spacing in ("0", "0.12em"):  # the second as wide as WCAG 1.4.12 wants it to be bearable
        page.add_style_tag(content=f"* {{ font-family: {family} !important; letter-spacing: {spacing} !important; }}")
        for width in (320, 390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, spacing
    context.close()


def test_two_thousand_captions_open_within_two_seconds_and_five_megabytes(
    browser: Any, corpus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "gold"
    folder.mkdir()
    base = load([corpus / "written"])
    lines = (corpus / "written" / "gold.jsonl").read_text(encoding="utf-8").splitlines()
    written: list[str] = []
    captions = copy = 0
    while captions < 2000:
        for document, line in zip(base.documents, lines, strict=True):
            name = f"{document.name}-{copy}"
            (folder / f"{name}{document.path.suffix}").write_bytes(document.path.read_bytes())
            written.append(json.dumps(json.loads(line) | {"doc": name}))
            captions += len(document.captions("es"))
        copy += 1
    (folder / "gold.jsonl").write_text("\n".join(written), encoding="utf-8")
    gold = load([folder])
    quick = Settings(metrics=("chrf2",), resamples=0, tests=())
    text = render(build([err(perfect(gold), "errs")], gold, settings=quick))
    path = tmp_path / "report.html"
    path.write_text(text, encoding="utf-8")
    assert path.stat().st_size < 5_000_000
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    # The processor time of the page's process: other work on the machine is not the page's.
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable")
    page.goto(path.as_uri())
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    measured = {item["name"]: item["value"] for item in devtools.send("Performance.getMetrics")["metrics"]}
    assert total(page) == captions
    assert 0 < measured["ProcessTime"] < 2.0
    context.close()
