"""One article in a process of its own: wall time, processor time and peak memory of ``aligner run`` and ``find``.

    python tests/benchmarks/bench_cold.py [ARTICLE] [--rounds N] [--json]

Each round starts the installed command anew, as an editor does. The first round, in which the file system may still
have to read the packages and Python to compile them (``pip install .`` does so), is given apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "corpus" / "atalayar-2022" / "putin-macron.txt"


def once(command: list[str]) -> tuple[float, float, float]:
    """Runs a command; wall seconds, processor seconds, peak resident megabytes."""
    begin = time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> int:
    """Prints a row per command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("article", nargs="?", type=Path, default=SEED)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    program = shutil.which("aligner", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        raise SystemExit("aligner is not installed: pip install .")
    rows = []
    for name in ("run", "find"):
        first, *rest = [once([program, name, str(options.article)]) for _ in range(options.rounds + 1)]
        rows.append(
            {
                "command": f"aligner {name}",
                "median wall s": round(median(wall for wall, _, _ in rest), 2),
                "least": round(min(wall for wall, _, _ in rest), 2),
                "most": round(max(wall for wall, _, _ in rest), 2),
                "first round": round(first[0], 2),
                "processor s": round(median(cpu for _, cpu, _ in rest), 2),
                "peak MB": round(max(peak for _, _, peak in rest)),
            }
        )
    if options.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
