"""Readers: pages and megabytes per second of one core, beside the libraries; captions kept; memory.

    python tests/benchmarks/bench_readers.py [--pages 240] [--documents 10000 1000000]

The pages are made from the gold documents of ``corpus/`` in the markup of six kinds of site (``tests/fuzz/pages.py``).
Libraries that are not installed (trafilatura, warcio) are left out. Times are of the processor, best of three rounds
that take turns.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "fuzz"))

import pages as sites  # noqa: E402
from targets import record  # noqa: E402

from aligner.readers import open_source, parse  # noqa: E402


def race(runners: dict[str, Callable[[], object]], rounds: int = 3) -> dict[str, float]:
    """Best processor time of each, in turns."""
    best = dict.fromkeys(runners, float("inf"))
    for _ in range(rounds):
        for name, run in runners.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    return best


def show(title: str, best: dict[str, float], count: int, size: int) -> None:
    """One line per runner; the ratio is to the first."""
    print(f"\n{title} ({count:,} documents, {size / 1e6:.1f} MB)")
    first = next(iter(best.values()))
    for name, seconds in best.items():
        rates = f"{count / seconds:9,.0f} documents/s {size / seconds / 1e6:8.1f} MB/s"
        print(f"  {name:34} {rates}   {first / seconds:6.2f}×")


def html(count: int) -> None:
    """Pages: speed and what is kept of their captions."""
    from resiliparse.extract.html2text import extract_plain_text

    pages = list(sites.pages(ROOT / "corpus", count))
    texts = [parse(page.data, "page", "html").text for page in pages]
    size = sum(len(page.data) for page in pages)

    def standard() -> None:
        for text in texts:
            HTMLParser().feed(text)

    runners: dict[str, Callable[[], object]] = {
        "aligner.readers (captions + body)": lambda: [parse(page.data, "page", "html") for page in pages],
        "resiliparse main content": lambda: [extract_plain_text(text, main_content=True) for text in texts],
        "html.parser, tokens only": standard,
    }
    extractors: dict[str, Callable[[str], str]] = {
        "resiliparse": lambda text: extract_plain_text(text, main_content=True, alt_texts=False),
    }
    try:
        import trafilatura

        def best(text: str) -> str:
            return trafilatura.extract(text, favor_recall=True, include_images=True) or ""

        extractors["trafilatura"] = best
        runners["trafilatura, favouring recall"] = lambda: [best(text) for text in texts]
    except ImportError:
        pass
    show("HTML pages", race(runners), len(pages), size)
    print("\ncaptions kept, of each kind of site")
    for name in ("aligner.readers", *extractors):
        kept: dict[str, list[int]] = {}
        for page, text in zip(pages, texts, strict=True):
            if name in extractors:
                found = "".join(extractors[name](text).split())
            else:
                blocks = parse(page.data, "page", "html").blocks
                found = "\n".join("".join(b.text.split()) for b in blocks if b.role == "caption")
            for caption, _ in page.captions:
                kept.setdefault(page.template, []).append("".join(caption.split()) in found)
        print(f"  {name:18}", ", ".join(f"{kind} {sum(found)}/{len(found)}" for kind, found in kept.items()))


def archives(count: int) -> None:
    """Web archives and JSON Lines: reading alone."""
    pages = list(sites.pages(ROOT / "corpus", count))
    with tempfile.TemporaryDirectory() as folder:
        warc, lines = Path(folder, "x.warc.gz"), Path(folder, "x.jsonl")
        records = [record(f"http://x.example/{n}", page.data) for n, page in enumerate(pages)]
        warc.write_bytes(b"".join(gzip.compress(part, 6) for part in records))
        texts = [page.data.decode("utf-8", "replace") for page in pages]
        lines.write_text("".join(json.dumps({"id": n, "html": text}) + "\n" for n, text in enumerate(texts)))
        runners: dict[str, Callable[[], object]] = {"aligner.readers": lambda: sum(1 for _ in open_source(warc))}
        from fastwarc.warc import ArchiveIterator

        def fast() -> None:
            with warc.open("rb") as file:
                for item in ArchiveIterator(file):
                    item.reader.read()

        runners["fastwarc alone"] = fast
        try:
            from warcio.archiveiterator import ArchiveIterator as Iterator

            def warcio() -> None:
                with warc.open("rb") as file:
                    for item in Iterator(file):
                        item.content_stream().read()

            runners["warcio alone"] = warcio
        except ImportError:
            pass
        show("WARC, gzip per record", race(runners), len(pages), sum(map(len, records)))

        def plain() -> None:
            with lines.open("rb") as file:
                for line in file:
                    json.loads(line)

        runners = {"aligner.readers": lambda: sum(1 for _ in open_source(lines)), "json.loads alone": plain}
        show("JSON Lines", race(runners), len(pages), lines.stat().st_size)


# The peak of the process itself: what ``getrusage`` gives includes the parent's before the start.
_COUNT = """
import re, sys
from aligner.readers import open_source
count = sum(1 for item in open_source(sys.argv[1]) if item.error is None and item.article() is not None)
print(count, re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
"""


def memory(counts: list[int]) -> None:
    """Peak memory of reading and parsing streams of several lengths."""
    texts = [page.data.decode("utf-8", "replace") for page in sites.pages(ROOT / "corpus", 24)]
    short = [text[text.index("<article") : text.index("</article>")][:1500] for text in texts]
    print("\nmemory: JSON Lines (gzip), read and parsed")
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            path = Path(folder, "x.jsonl.gz")
            with gzip.open(path, "wt", 1) as file:
                for number in range(count):
                    file.write(json.dumps({"id": number, "html": short[number % len(short)]}) + "\n")
            start = time.perf_counter()
            out = subprocess.run([sys.executable, "-c", _COUNT, str(path)], capture_output=True, text=True, check=True)
            done, size = map(int, out.stdout.split())
            print(f"  {done:9,} documents: peak {size / 1024:.1f} MiB, {time.perf_counter() - start:.0f} s", flush=True)


def main() -> None:
    """Runs all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=240)
    parser.add_argument("--documents", type=int, nargs="*", default=[10_000, 100_000])
    args = parser.parse_args()
    html(args.pages)
    archives(4 * args.pages)
    memory(args.documents)


if __name__ == "__main__":
    main()
