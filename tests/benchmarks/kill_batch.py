"""Kills ``aligner batch`` at random moments, starts it again each time, and compares its output with a whole run's.

    python tests/benchmarks/kill_batch.py --kills 200

The corpus has every kind of source (plain, compressed, a folder, one that breaks off, lines that are no JSON), so that
the run resumes in each of them. What is killed is drawn anew each time: the main process, all processes at once, one of
the others (a worker, or what starts workers), or the main process gently (SIGTERM).
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import make_corpus

FORMATS = ("jsonl", "jsonl.zst", "parquet")
VICTIMS = ("main", "all", "other", "gently")


def build(folder: Path, documents: int, residue: float = 0.05) -> list[str]:
    """A corpus of several sources; returns their names."""
    third = max(documents // 3, 1)
    plain, packed, broken = folder / "a.jsonl", folder / "b.jsonl.gz", folder / "c.jsonl.gz"
    make_corpus.write(plain, third, seed=1, residue=residue)
    with plain.open("a", encoding="utf-8") as out:
        out.write('["no", "object"]\n{"id": "no text"}\n\n{"id": "last", "text": "The end of it."}\n')
    make_corpus.write(packed, third, seed=2, residue=residue)
    make_corpus.write(broken, third, seed=3, residue=residue)
    data = gzip.decompress(broken.read_bytes())
    broken.write_bytes(gzip.compress(data, 6, mtime=0)[: len(broken.read_bytes()) * 2 // 3])
    make_corpus.write(folder / "pages", 20, seed=4, residue=residue, format="text")
    (folder / "pages" / "empty.txt").touch()
    return [str(plain), str(packed), str(broken), str(folder / "pages")]


def snapshot(folder: Path) -> dict[str, bytes]:
    """What a run has to write equally however often it is killed: shards, failures and manifest."""
    names = ("failed.jsonl", "manifest.json")
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.name.startswith("part-") or path.name in names
    }


def command(inputs: list[str], out: Path, format: str, *more: str) -> list[str]:
    """The command line of a run."""
    return [
        sys.executable, "-m", "aligner", "batch", *inputs, "--out", str(out), "--format", format,
        "--shard-size", "40", "--commit-seconds", "0.05", *more,
    ]  # fmt: skip


def session(leader: int) -> list[int]:
    """The processes of a session but for its leader."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != leader:
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@dataclass
class Result:
    """What happened.

    Attributes:
        kills: processes killed while they worked, by victim.
        runs: runs that were finished and compared.
        starts: processes started.
        differences: names of files that differed, empty if all is well.
        left: processes that outlived their run.
    """

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    starts: int = 0
    differences: list[str] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


def _start(arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True
    )


def _wait(process: subprocess.Popen[bytes], seconds: float = 300) -> str:
    _, errors = process.communicate(timeout=seconds)
    return errors.decode()


def _kill(process: subprocess.Popen[bytes], victim: str, chance: random.Random) -> bool:
    """Kills; False if there was nothing left to kill."""
    if process.poll() is not None:
        return False
    others = session(process.pid)
    if victim == "other":
        if not others:
            return False
        os.kill(chance.choice(others), signal.SIGKILL)
    elif victim == "all":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.send_signal(signal.SIGKILL if victim == "main" else signal.SIGTERM)
    return True


def kill_many(
    inputs: list[str], folder: Path, kills: int, seed: int, *more: str, formats: tuple[str, ...] = FORMATS
) -> Result:
    """Kills runs until it has happened often enough, then lets the last one finish.

    Args:
        inputs: the corpus.
        folder: where to work.
        kills: how many.
        seed: of the moments and victims.
        more: further options of ``aligner batch``.
        formats: shards' formats, taken in turn.

    Raises:
        RuntimeError: a run that was not disturbed failed.
    """
    chance = random.Random(seed)
    result = Result()
    expected: dict[str, dict[str, bytes]] = {}
    lasts: dict[str, float] = {}
    for format in formats:
        began = time.monotonic()
        process = _start(command(inputs, folder / f"undisturbed-{format}", format, *more))
        errors = _wait(process)
        if process.returncode != 1:  # 1: the corpus has documents that fail
            raise RuntimeError(f"the undisturbed run ended with {process.returncode}: {errors}")
        lasts[format] = time.monotonic() - began
        expected[format] = snapshot(folder / f"undisturbed-{format}")
    turn = 0
    while sum(result.kills.values()) < kills or result.runs < len(formats):
        format = formats[turn % len(formats)]
        turn += 1
        out = folder / f"killed-{turn}"
        finished = False
        while not finished:
            process = _start(command(inputs, out, format, *more))
            result.starts += 1
            while sum(result.kills.values()) < kills:
                victim = chance.choice(VICTIMS)
                try:
                    process.wait(timeout=chance.uniform(0, 1.1 * lasts[format]))
                    break
                except subprocess.TimeoutExpired:
                    result.kills[victim] += _kill(process, victim, chance)
                if victim != "other":  # else the run goes on, and may be hit again
                    break
            errors = _wait(process)
            code = process.returncode
            finished = code == 1 and (out / "manifest.json").exists()
            if not finished and code not in (-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM):
                raise RuntimeError(f"ended with {code} after {dict(result.kills)}: {errors}")
        result.runs += 1
        found = snapshot(out)
        for name in sorted({*found, *expected[format]}):
            if found.get(name) != expected[format].get(name):
                result.differences.append(f"{out.name} ({format}): {name}")
        shutil.rmtree(out)
    return result


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--residue", type=float, default=0.05, help="share of documents with Spanish captions")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = build(folder, options.documents, options.residue)
        result = kill_many(inputs, folder, options.kills, options.seed, "--workers", str(options.workers))
    print(
        f"{sum(result.kills.values())} kills ({', '.join(f'{n} {v}' for v, n in sorted(result.kills.items()))}), "
        f"{result.starts} starts, {result.runs} runs compared, {len(result.differences)} files differ, "
        f"{time.monotonic() - began:.0f} s"
    )
    for difference in result.differences:
        print(difference)
    sys.exit(1 if result.differences else 0)


if __name__ == "__main__":
    main()
