"""The review page in headless Chromium, by keyboard and mouse."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gold_runs import gold_run
from review_page import Served, served

from aligner.records import Document

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
HOSTILE = '<img src=x onerror="document.title=\'pwned\'"><script>document.title="pwned"</script> & "</textarea>'


def run() -> tuple[Document, ...]:
    """The seed, and a hostile document whose article is missing."""
    [seed] = gold_run("atalayar-2022")
    first = seed.captions[0]
    assert first.translation
    assert first.credit
    hostile = replace(
        first,
        source=HOSTILE,
        credit=replace(first.credit, text=HOSTILE),
        translation=replace(first.translation, text=HOSTILE, warnings=(f"odd: {HOSTILE}",)),
    )
    return (seed, replace(seed, document=f"{HOSTILE}.txt", sha256="c" * 64, captions=(hostile,)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Served]:
    with served(run(), tmp_path / "review.sqlite") as page:
        yield page


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context
    context.close()


def opened(context: Any, review: Served, key: str | None = None) -> Any:
    """A tab with the page; anything odd on its console fails the test."""
    tab = context.new_page()
    tab.odd = []
    tab.on("console", lambda message: tab.odd.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: tab.odd.append(str(error)))
    tab.goto(review.address + (f"#{key}" if key else ""))
    expect(tab.locator("#blocks .block").first).to_be_visible()
    return tab


def keys(review: Served) -> list[str]:
    return list(review.session.units)


def state(review: Served, key: str) -> tuple[str, str | None]:
    decision = review.session.detail(key)["decision"]
    return decision["state"], decision["text"]


def test_through_a_run_by_keyboard(context: Any, review: Served) -> None:
    tab = opened(context, review)
    first, second, third, fourth, hostile = keys(review)
    expect(tab.locator("#card-title")).to_have_text("Caption 1 of 5")
    expect(tab.locator("#source")).to_have_text(review.session.unit(first).caption.source)
    expect(tab.locator("#translation")).to_have_value(review.session.unit(first).text)
    tab.keyboard.press("a")
    expect(tab.locator("#card-title")).to_have_text("Caption 2 of 5")
    tab.keyboard.press("e")
    tab.keyboard.press("Control+A")
    tab.keyboard.type("xylophone quays")  # x, a, u, j … are letters while typing
    expect(tab.locator("#accept")).to_contain_text("Accept my edit")
    tab.keyboard.press("Control+Enter")
    expect(tab.locator("#card-title")).to_have_text("Caption 3 of 5")
    expect(tab.locator("#warnings")).to_contain_text("untranslated word")
    tab.keyboard.press("x")
    expect(tab.locator("#card-title")).to_have_text("Caption 4 of 5")
    expect(tab.locator("#progress-text")).to_have_text("3 of 5 decided")
    assert state(review, first) == ("accepted", review.session.unit(first).text)
    assert state(review, second) == ("edited", "xylophone quays")
    assert state(review, third) == ("rejected", None)
    assert state(review, fourth) == ("open", None)
    tab.keyboard.press("u")
    expect(tab.locator("#card-title")).to_have_text("Caption 3 of 5")
    expect(tab.locator("#state")).to_have_text("To do")
    assert state(review, third) == ("open", None)
    tab.keyboard.press("k")
    expect(tab.locator("#card-title")).to_have_text("Caption 2 of 5")
    tab.keyboard.press("u")
    expect(tab.locator("#translation")).to_have_value(review.session.unit(second).text)
    expect(tab.locator("#suggestions")).to_contain_text("yours, taken back")
    tab.keyboard.press("2")
    expect(tab.locator("#translation")).to_have_value("xylophone quays")
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    expect(tab.locator("#card-title")).to_have_text("Caption 3 of 5")
    assert tab.odd == []
    assert hostile


def test_a_decision_is_there_after_reloading(context: Any, review: Served) -> None:
    tab = opened(context, review)
    text = review.session.unit(keys(review)[0]).text.replace("Russian President", "President") + ", in Paris"
    tab.fill("#translation", text)
    tab.click("#accept")
    expect(tab.locator("#card-title")).to_have_text("Caption 2 of 5")
    tab.reload()
    expect(tab.locator("#progress-text")).to_have_text("1 of 5 decided")
    tab.click("#list a >> nth=0")
    expect(tab.locator("#translation")).to_have_value(text)
    expect(tab.locator("#state")).to_have_text("Edited")
    expect(tab.locator("#changed del").first).to_have_text("Russian")
    assert tab.odd == []


def test_two_tabs_lose_nothing(context: Any, review: Served) -> None:
    [key, *_] = keys(review)
    one, two = opened(context, review, key), opened(context, review, key)
    two.fill("#translation", "The second tab's wording")
    one.bring_to_front()
    one.fill("#translation", "The first tab's wording")
    one.keyboard.press("Control+Enter")
    expect(one.locator("#card-title")).to_have_text("Caption 2 of 5")
    two.bring_to_front()
    two.keyboard.press("Control+Enter")
    expect(two.locator("#alert")).to_contain_text("The first tab's wording")
    expect(two.locator("#translation")).to_have_value("The second tab's wording")
    assert state(review, key) == ("edited", "The first tab's wording")
    two.click("#keep-mine")
    two.click("#accept")
    expect(two.locator("#card-title")).to_have_text("Caption 2 of 5")
    assert state(review, key) == ("edited", "The second tab's wording")
    # The first tab learns of it, and can take it back to its own.
    one.bring_to_front()
    one.click("#list a >> nth=0")
    expect(one.locator("#translation")).to_have_value("The second tab's wording")
    one.click("#undo")
    expect(one.locator("#translation")).to_have_value("The first tab's wording")


def test_taking_the_other_tabs_decision(context: Any, review: Served) -> None:
    [key, *_] = keys(review)
    one, two = opened(context, review, key), opened(context, review, key)
    two.fill("#translation", "A draft")
    one.bring_to_front()
    one.keyboard.press("x")
    expect(one.locator("#card-title")).to_have_text("Caption 2 of 5")
    two.bring_to_front()
    two.keyboard.press("Control+Enter")
    two.click("#take-theirs")
    expect(two.locator("#state")).to_have_text("Not a caption")
    expect(two.locator("#alert")).to_be_hidden()
    assert state(review, key) == ("rejected", None)


def test_an_idle_tab_follows(context: Any, review: Served) -> None:
    [key, second, *_] = keys(review)
    tab = opened(context, review, key)
    unit = review.session.unit(key)
    review.session.decide(key, 0, "accepted", "Decided elsewhere", "run")
    review.session.decide(second, 0, "rejected", None, "run")
    expect(tab.locator("#translation")).to_have_value("Decided elsewhere", timeout=10_000)
    expect(tab.locator("#progress-text")).to_have_text("2 of 5 decided")
    assert unit.text != "Decided elsewhere"


def test_choosing_the_paragraph(context: Any, review: Served) -> None:
    key = keys(review)[2]
    tab = opened(context, review, key)
    chosen = tab.locator("#blocks input:checked")
    machine = chosen.input_value()
    expect(tab.locator("#blocks label:has(:checked)")).to_contain_text("the machine’s choice")
    tab.keyboard.press("p")
    tab.keyboard.press("ArrowDown")
    other = chosen.input_value()
    assert other != machine
    tab.keyboard.press("a")
    expect(tab.locator("#card-title")).to_have_text("Caption 4 of 5")
    assert review.session.detail(key)["decision"]["link"] == int(other)
    tab.keyboard.press("k")
    expect(chosen).to_have_value(other)
    tab.check("#blocks input[value=null]")
    tab.click("#accept")
    expect(tab.locator("#card-title")).to_have_text("Caption 4 of 5")
    assert review.session.detail(key)["decision"]["link"] is None


def test_filters(context: Any, review: Served) -> None:
    tab = opened(context, review)
    tab.select_option("#filter", "warned")
    expect(tab.locator("#card-title")).to_have_text("Caption 3 of 5")
    expect(tab.locator("#list a")).to_have_count(2)
    tab.keyboard.press("Escape")
    tab.keyboard.press("j")
    expect(tab.locator("#card-title")).to_have_text("Caption 5 of 5")
    tab.select_option("#filter", "rejected")
    expect(tab.locator("#said")).to_have_text("No caption of this kind.")


def test_hostile_texts_stay_texts(context: Any, review: Served) -> None:
    tab = opened(context, review, keys(review)[4])
    expect(tab.locator("#source")).to_have_text(HOSTILE)
    expect(tab.locator("#translation")).to_have_value(HOSTILE)
    expect(tab.locator("#credit")).to_contain_text(HOSTILE)
    expect(tab.locator("#warnings")).to_contain_text(HOSTILE)
    expect(tab.locator("#article-problem")).to_contain_text("not found")
    assert tab.locator("img, main script, aside script").count() == 0
    assert "pwned" not in tab.title()
    tab.keyboard.press("a")
    expect(tab.locator("#said")).to_contain_text("Accepted")
    assert state(review, keys(review)[4]) == ("accepted", HOSTILE)
    assert tab.odd == []


def test_another_site_gets_nothing(browser: Any, review: Served, tmp_path: Path) -> None:
    """A page of another origin, in the browser that has the cookie, can neither change nor read anything."""
    context = browser.new_context()
    opened(context, review)
    other = context.new_page()
    other.route("http://evil.example/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    other.goto("http://evil.example/")
    base = f"http://127.0.0.1:{review.port}"
    before = review.store.all()
    key = keys(review)[0]
    asked = f'{{"key": "{key}", "version": 0, "state": "rejected"}}'
    outcomes = other.evaluate(
        """async ([base, body, token]) => {
            const attempt = async (path, options) => {
                try { return (await fetch(base + path, options)).type; } catch { return "refused"; }
            };
            return [
                await attempt("/api/overview", {credentials: "include"}),
                await attempt("/api/decide", {method: "POST", credentials: "include", body,
                    headers: {"content-type": "application/json", "x-aligner-token": token}}),
                await attempt("/api/decide", {method: "POST", credentials: "include", mode: "no-cors", body}),
            ];
        }""",
        [base, asked, review.token],
    )
    assert outcomes[:2] == ["refused", "refused"]
    other.set_content(
        f'<form method="post" action="{base}/api/decide" enctype="text/plain"><input name=\'{asked}\'></form>'
    )
    with other.expect_navigation():
        other.evaluate("document.forms[0].submit()")
    expect(other.locator("body")).to_contain_text("Requests from other sites are refused.")
    assert review.store.all() == before
    context.close()


def test_a_dead_server_is_said_and_the_text_kept(context: Any, review: Served) -> None:
    tab = opened(context, review)
    tab.fill("#translation", "Not to be lost")
    context.set_offline(True)
    tab.click("#accept")
    expect(tab.locator("#trouble")).to_contain_text("Not saved")
    expect(tab.locator("#translation")).to_have_value("Not to be lost")
    context.set_offline(False)
    tab.click("#accept")
    expect(tab.locator("#card-title")).to_have_text("Caption 2 of 5")
    expect(tab.locator("#trouble")).to_be_empty()
    assert state(review, keys(review)[0]) == ("edited", "Not to be lost")


def test_single_keys_can_be_turned_off(context: Any, review: Served) -> None:
    tab = opened(context, review)
    tab.keyboard.press("?")
    expect(tab.locator("#keys")).to_be_visible()
    tab.uncheck("#single")
    tab.keyboard.press("Escape")
    tab.keyboard.press("x")
    tab.keyboard.press("j")
    expect(tab.locator("#card-title")).to_have_text("Caption 1 of 5")
    assert review.store.all() == {}
    tab.reload()
    expect(tab.locator("#card")).to_be_visible()
    tab.keyboard.press("Control+Enter")
    expect(tab.locator("#card-title")).to_have_text("Caption 2 of 5")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 1000), ("light", 400)])
def test_accessibility(browser: Any, review: Served, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing").Axe()
    # The page forbids scripts of others; axe is one, so this context is told not to enforce that.
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    tab = opened(context, review, keys(review)[2])
    tab.fill("#translation", review.session.unit(keys(review)[2]).text + " edited")
    results = axe.run(tab)
    assert results.violations_count == 0, results.generate_report()
    for style in ("", "font-family: monospace !important; letter-spacing: 0.12em !important"):  # in any font
        tab.add_style_tag(content=f"* {{ {style} }}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, style
    context.close()


def test_a_narrow_window_and_texts_that_turn_the_order(browser: Any, tmp_path: Path) -> None:
    [seed] = gold_run("atalayar-2022")
    turned = replace(
        seed.captions[0], source="Un \u202eotag\u202c ante مرحبا y שלום, " + "muy lejos de la ciudad " * 15
    )
    context = browser.new_context(viewport={"width": 390, "height": 800})
    with served((replace(seed, captions=(turned,)),), tmp_path / "review.sqlite") as review:
        tab = opened(context, review)
        expect(tab.locator("#source")).to_contain_text("Un \ufffdotag\ufffd ante مرحبا y שלום")
        boxes = [tab.locator(at).bounding_box() for at in ("#card-title", "#state", "#previous", "#next", "#where")]
        for at, one in enumerate(boxes):
            for other in boxes[at + 1 :]:
                apart = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
                assert apart or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        assert tab.odd == []
    context.close()
