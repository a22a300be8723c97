"""The HTML report of 2,000 captions: its size, the time to make it and the time until Chromium has drawn it.

    python tests/benchmarks/bench_report.py [--captions 2000] [--rounds 5] [--json]

The run is made from the gold of ``corpus/``, its documents repeated, with every third translation spoilt, so that
differences, reasons and evidence are shown. Needs the extra ``report``; opening needs playwright and Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from aligner.records import Caption, Context, Credit, Document, Translation
from aligner.report import build, render
from aligner.resources import bundled
from aligner.scoring import Gold, Run, Settings, load
from aligner.scoring.gold import GoldDocument

_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def repeated(gold: Gold, captions: int) -> Gold:
    """The gold with its documents repeated under other names until there are enough captions."""
    documents: list[GoldDocument] = []
    count = 0
    while count < captions:
        for document in gold.documents:
            documents.append(replace(document, name=f"{document.name}-{len(documents)}"))
            count += len(document.captions("es"))
            if count >= captions:
                break
    return replace(gold, documents=tuple(documents))


def run(gold: Gold) -> Run:
    """A run that finds everything and spoils every third translation."""
    records = []
    for document in gold.documents:
        found = []
        for number, mark in enumerate(document.captions("es"), 1):
            words = (mark.reference or "").split()
            text = " ".join(words[::2] if number % 3 == 0 else words)
            context = None
            if mark.aligned_line is not None:
                offset, line = document.lines[mark.aligned_line - 1]
                evidence = ("names: Putin, Macron", "words: summit, press", "one paragraph above")
                context = Context(mark.aligned_line, offset, offset + len(line), line, 0.8, evidence)
            credit = Credit(mark.credit, None, None, mark.credit_start, mark.credit_end) if mark.credit else None
            reasons = ("function words of es: el, de, en", "document is in en", "credit in front")
            translation = Translation(text, "gold", "none", -0.3)
            source = mark.caption or ""
            found.append(
                Caption(
                    f"c{number}", mark.line, mark.start, mark.end, source, credit, 0.99, reasons, translation, context
                )
            )
        name = str(document.path.with_stem(document.name))
        records.append(Document(name, document.sha256, "en", "es", tuple(found)))
    return Run("system", "", "", tuple(records))


def opening(path: Path, rounds: int) -> float | None:
    """Median seconds until Chromium has drawn the page; None without it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        return None
    times = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=_FLAGS)
        for _ in range(rounds):
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            start = time.perf_counter()
            page.goto(path.as_uri())
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            times.append(time.perf_counter() - start)
        browser.close()
    return statistics.median(times)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captions", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    gold = repeated(load([bundled("corpus")]), options.captions)
    start = time.perf_counter()
    report = build([run(gold)], gold, settings=Settings())
    scored = time.perf_counter()
    text = render(report)
    rendered = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_text(text, encoding="utf-8")
        opened = opening(path, options.rounds)
    figures = {
        "captions": len(report.entries),
        "articles": len(report.articles),
        "megabytes": round(len(text.encode()) / 1e6, 2),
        "seconds to score": round(scored - start, 1),
        "seconds to render": round(rendered - scored, 1),
        "seconds until drawn in Chromium": None if opened is None else round(opened, 2),
    }
    print(json.dumps(figures) if options.json else "\n".join(f"{name:34} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
