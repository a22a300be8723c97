"""The long fuzz of the readers: a million inputs, guided by coverage (atheris), what fails kept as cases.

    python tests/fuzz/fuzz_readers.py --runs 1000000 --minutes 25

Needs ``pip install atheris`` and the extras ``parquet`` and ``test``. Each target of ``targets.py`` runs in a
process of its own; an input that breaks a promise is written to ``tests/cases/readers/fuzz/TARGET-HASH`` (the first
of each place in the code), where the short fuzz of the test suite finds it from then on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parent
CASES = HERE.parent / "cases" / "readers" / "fuzz"
# Share of the inputs; markup is where most of the code is.
SHARES = {
    "markup": 20,
    "html": 15,
    "jsonl": 12,
    "lines": 10,
    "compressed": 10,
    "warc": 10,
    "docx": 8,
    "parquet": 3,
    "sniffed": 6,
    "names": 6,
}


def fuzz(target: str, runs: int, seconds: int) -> None:
    """Fuzzes one target in this process and prints what was done as a line of JSON."""
    import atheris

    with atheris.instrument_imports(include=["aligner.readers", "aligner.documents"]):
        sys.path.insert(0, str(HERE))
        import targets

        import aligner.documents
        import aligner.readers
        import aligner.readers.docx
        import aligner.readers.html
        import aligner.readers.names
        import aligner.readers.sources
        import aligner.readers.streams
        import aligner.readers.strings
        import aligner.readers.warc  # noqa: F401

    check = targets.TARGETS[target]
    known: set[tuple[object, ...]] = set()
    done = 0
    start = time.monotonic()

    def one(data: bytes) -> None:
        nonlocal done
        if time.monotonic() - start > seconds:
            report()
            os._exit(0)  # libFuzzer has no other end
        done += 1
        try:
            check(data)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = (type(error).__name__, last.filename, last.lineno)
            if place not in known:
                known.add(place)
                CASES.mkdir(parents=True, exist_ok=True)
                # The page itself is kept, not the recipe, which changes with the list of tokens.
                kind, kept = ("html", targets.page_from(data)) if target == "markup" else (target, data)
                case = CASES / f"{kind}-{hashlib.sha256(kept).hexdigest()[:12]}"
                case.write_bytes(kept)
                print(f"{target}: {place} -> {case.name}: {str(error)[:200]}", file=sys.stderr, flush=True)
        finally:
            if done == runs:
                report()

    def report() -> None:
        spent = time.monotonic() - start
        print(
            json.dumps({"target": target, "inputs": done, "seconds": round(spent), "failures": len(known)}), flush=True
        )

    # libFuzzer's own limit on time ends the process without a word.
    atheris.Setup([sys.argv[0], f"-runs={runs}", "-max_len=400", "-timeout=60", "-verbosity=0"], one)
    atheris.Fuzz()


def main() -> None:
    """Runs all targets, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs of all targets together")
    parser.add_argument("--minutes", type=float, default=25, help="most time of all targets together")
    parser.add_argument("--targets", nargs="*", default=list(SHARES))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        fuzz(args.one, args.runs, args.seconds)
        return
    total = sum(SHARES[target] for target in args.targets)
    deadline = time.monotonic() + 60 * args.minutes
    inputs = 0
    for number, target in enumerate(args.targets):
        runs = args.runs * SHARES[target] // total
        left = sum(SHARES[t] for t in args.targets[number:])
        seconds = int((deadline - time.monotonic()) * min(1.0, 2 * SHARES[target] / left))
        command = [sys.executable, __file__, "--one", target, "--runs", str(runs), "--seconds", str(max(seconds, 1))]
        out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        for line in out.stdout.splitlines():
            if line.startswith("{"):
                print(line, flush=True)
                inputs += json.loads(line)["inputs"]
        if out.returncode not in (0, None) and not out.stdout:
            print(f"{target}: ended with exit code {out.returncode}", flush=True)
    print(f"{inputs:,} inputs in all")


if __name__ == "__main__":
    main()
