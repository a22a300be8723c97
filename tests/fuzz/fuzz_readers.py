"""The long fuzz of the readers: a million inputs, what fails kept as cases.

    python tests/fuzz/fuzz_readers.py --runs 100000 --guided
    python tests/fuzz/fuzz_readers.py --runs 900000
    python tests/fuzz/fuzz_readers.py --totals

Inputs are random, with a new seed each time, or guided by coverage (``--guided``; needs ``pip install atheris``), which
finds more with each but takes four times as long. Needs the extras ``parquet`` and ``test``.

Each target of ``targets.py`` runs in a process of its own; a file that breaks a promise, takes over five seconds or too
much memory is written to ``tests/cases/readers/fuzz/KIND-HASH`` (the first of each place in the code), where the short
fuzz of the test suite finds it from then on. How many inputs were tried is appended to ``inputs.jsonl`` beside this
script, a line per target; ``--totals`` adds them up.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parent
CASES = HERE.parent / "cases" / "readers" / "fuzz"
COUNTS = HERE / "inputs.jsonl"
# Share of the inputs, in percent; markup is where most of the code is.
SHARES = {
    "text": 6,
    "text-bytes": 4,
    "markdown": 12,
    "markdown-bytes": 6,
    "html": 14,
    "html-bytes": 8,
    "jsonl": 8,
    "jsonl-bytes": 4,
    "compressed": 9,
    "parquet": 9,
    "warc": 8,
    "docx": 6,
    "sniffed": 3,
    "names": 3,
}
_SECONDS = 5
_MEGABYTES = 2048
_REPORT = 1000


class Trial:
    """The inputs of one target, and what became of them.

    Args:
        target: key of ``targets.TARGETS``.
        runs: most inputs.
        seconds: most time.
    """

    def __init__(self, target: str, runs: int, seconds: int) -> None:
        import targets

        self.target = target
        self.runs = runs
        self.end = time.monotonic() + seconds
        self.done = 0
        self._start = time.monotonic()
        self._make, self._kind = targets.TARGETS[target]
        self._check = targets.CHECKS[self._kind]
        self._known: set[tuple[object, ...]] = set()

    def one(self, data: bytes) -> None:
        """Tries one input; prints now and then, and at the end, what was done as a line of JSON."""
        self.done += 1
        file = self._make(data)
        began = time.process_time()
        try:
            self._check(file)
            if time.process_time() - began > _SECONDS:
                raise TimeoutError(f"over {_SECONDS} seconds")
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            self._keep(file, error)
        if self.done == self.runs or self.done % _REPORT == 0:
            self.report()

    def _keep(self, file: bytes, error: BaseException) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = (type(error).__name__, last.filename, last.lineno)
        if place in self._known:
            return
        self._known.add(place)
        CASES.mkdir(parents=True, exist_ok=True)
        # The file itself is kept, not the bytes that made it: what those mean changes with the target.
        case = CASES / f"{self._kind}-{hashlib.sha256(file).hexdigest()[:12]}"
        case.write_bytes(file)
        print(f"{self.target}: {place} -> {case.name}: {str(error)[:200]}", file=sys.stderr, flush=True)

    def report(self) -> None:
        """Prints what was done so far."""
        spent = round(time.monotonic() - self._start)
        figures = {"target": self.target, "inputs": self.done, "seconds": spent, "failures": len(self._known)}
        print(json.dumps(figures), flush=True)


def guided(target: str, runs: int, seconds: int) -> None:
    """Fuzzes one target in this process, guided by coverage; does not return."""
    import atheris

    with atheris.instrument_imports(include=["aligner.readers", "aligner.documents"]):
        import aligner.documents
        import aligner.readers
        import aligner.readers.docx
        import aligner.readers.html
        import aligner.readers.markdown
        import aligner.readers.names
        import aligner.readers.sources
        import aligner.readers.streams
        import aligner.readers.strings
        import aligner.readers.warc  # noqa: F401
    trial = Trial(target, runs, seconds)

    def one(data: bytes) -> None:
        if time.monotonic() > trial.end:
            trial.report()
            os._exit(0)  # libFuzzer has no other end
        trial.one(data)

    # libFuzzer's own limit on time ends the process without a word.
    limits = [f"-timeout={10 * _SECONDS}", f"-rss_limit_mb={_MEGABYTES}", f"-artifact_prefix={CASES}/{target}-"]
    atheris.Setup([sys.argv[0], f"-runs={runs}", "-max_len=400", "-verbosity=0", *limits], one)
    atheris.Fuzz()


def unguided(target: str, runs: int, seconds: int) -> None:
    """Fuzzes one target in this process with random inputs."""
    import resource

    import targets

    resource.setrlimit(resource.RLIMIT_DATA, (_MEGABYTES << 20,) * 2)
    trial = Trial(target, runs, seconds)
    # Short ones are near a sound file, long ones are wild.
    for longest in itertools.cycle((12, 30, 60, 120, 250)):
        for data in targets.inputs(target, 100, random.randrange(10**9), longest):
            if trial.done == runs or time.monotonic() > trial.end:
                trial.report()
                return
            trial.one(data)


def totals() -> None:
    """Prints the inputs so far of each target."""
    counts = collections.Counter[str]()
    failures = collections.Counter[str]()
    for line in COUNTS.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        counts[entry["target"]] += entry["inputs"]
        failures[entry["target"]] += entry["failures"]
    print("| target | inputs | failures found |\n|---|---:|---:|")
    for target in SHARES:
        print(f"| {target} | {counts[target]:,} | {failures[target]} |")
    print(f"| all | {counts.total():,} | {failures.total()} |")


def main() -> None:
    """Runs all targets, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs of all targets together")
    parser.add_argument("--minutes", type=float, default=60, help="most time of all targets together")
    parser.add_argument("--targets", nargs="*", default=list(SHARES))
    parser.add_argument("--totals", action="store_true", help="print the inputs so far and stop")
    parser.add_argument("--guided", action="store_true", help="by coverage")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.totals:
        totals()
        return
    if args.one:
        sys.path.insert(0, str(HERE))
        (guided if args.guided else unguided)(args.one, args.runs, args.seconds)
        return
    total = sum(SHARES[target] for target in args.targets)
    deadline = time.monotonic() + 60 * args.minutes
    for number, target in enumerate(args.targets):
        runs = args.runs * SHARES[target] // total
        left = sum(SHARES[t] for t in args.targets[number:])
        seconds = int((deadline - time.monotonic()) * min(1.0, 2 * SHARES[target] / left))
        command = [sys.executable, __file__, "--one", target, "--runs", str(runs), "--seconds", str(max(seconds, 1))]
        command += ["--guided"] * args.guided
        out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        entries = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
        entry = entries[-1] if entries else {"target": target, "inputs": 0, "seconds": 0, "failures": 0}
        if out.returncode:  # it crashed; libFuzzer keeps the bytes that it choked on
            print(f"{target}: ended with exit code {out.returncode}", file=sys.stderr, flush=True)
            entry["failures"] += 1
        line = json.dumps({"date": time.strftime("%Y-%m-%d"), "guided": args.guided, **entry})
        print(line, flush=True)
        with COUNTS.open("a", encoding="utf-8") as counts:
            counts.write(line + "\n")
    totals()


if __name__ == "__main__":
    main()
