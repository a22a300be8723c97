"""Paired bootstrap of three systems: ``aligner score`` beside ``sacrebleu --paired-bs``, in turn, in one run.

Usage: python tests/benchmarks/bench_score.py [--segments 3000] [--rounds 3] [--metrics bleu,chrf2] [--json]

The texts are body paragraphs of the bundled corpus, cut to caption length, with words dropped and replaced at
three rates. Both commands run as processes of their own and compute the same figures; ``aligner score``
compares all three pairs, sacrebleu two of them. CPU seconds are compared, since the machine may be busy.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aligner.resources import bundled
from aligner.scoring import load

_SACREBLEU = {"bleu": "bleu", "chrf2": "chrf", "ter": "ter"}


def texts(folder: Path, segments: int) -> list[str]:
    """Writes ``ref`` and the systems ``a``, ``b`` and ``c``; returns the systems' paths."""
    words = [w for d in load([bundled("corpus")]).documents for _, line in d.lines for w in line.split()]
    rng = random.Random(1)
    reference = []
    for _ in range(segments):
        start = rng.randrange(len(words) - 40)
        reference.append(" ".join(words[start : start + rng.randint(4, 36)]))
    made = {"ref": reference}
    for name, rate in (("a", 0.15), ("b", 0.16), ("c", 0.3)):
        made[name] = [
            " ".join(w if rng.random() > rate else rng.choice(words) for w in line.split() if rng.random() > rate)
            for line in reference
        ]
    for name, lines in made.items():
        (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return [str(folder / name) for name in "abc"]


def timed(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def main() -> None:
    """Prints the times of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segments", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--metrics", default="bleu,chrf2")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    metrics = options.metrics.split(",")
    with tempfile.TemporaryDirectory() as folder:
        systems = texts(Path(folder), options.segments)
        reference = str(Path(folder) / "ref")
        hypotheses = [part for system in systems for part in ("--hypothesis", system)]
        ours = [*hypotheses, "--reference", reference, "--metrics", options.metrics, "--no-slices"]
        theirs = [reference, "-i", *systems, "--paired-bs", "-f", "text", "-q", "-m"]
        theirs += [_SACREBLEU[metric] for metric in metrics]
        commands = {
            "aligner score": [sys.executable, "-m", "aligner", "score", *ours],
            "sacrebleu --paired-bs": [sys.executable, "-m", "sacrebleu", *theirs],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                times[name].append(timed(command))
    rows = [
        {
            "system": name,
            "wall_s": round(statistics.median(wall for wall, _ in measured), 2),
            "cpu_s": round(statistics.median(cpu for _, cpu in measured), 2),
        }
        for name, measured in times.items()
    ]
    ratio = rows[0]["cpu_s"] / rows[1]["cpu_s"]  # type: ignore[operator]
    title = f"3 systems, {options.segments} segments, 1,000 resamples, {options.metrics}"
    if options.json:
        print(json.dumps({"benchmark": "score", "title": title, "rows": rows, "ratio": round(ratio, 3)}))
        return
    print(title)
    for row in rows:
        print(f"{row['system']:<24} {row['wall_s']:>7} s wall {row['cpu_s']:>7} s CPU")
    print(f"ratio of CPU times: {ratio:.2f}")


if __name__ == "__main__":
    main()
