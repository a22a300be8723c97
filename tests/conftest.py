"""Shared fixtures: the bundled corpus and a runner for the real command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aligner.resources import bundled

SEED = Path("atalayar-2022") / "putin-macron.txt"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of the gold sets."""
    return bundled("corpus")


@pytest.fixture(scope="session")
def seed(corpus: Path) -> Path:
    """The article that the project was made for."""
    return corpus / SEED


@pytest.fixture(scope="session")
def aligner() -> Run:
    """Runs ``aligner`` in a process of its own; UTF-8 in and out."""

    def run(
        *arguments: str | Path, stdin: str | bytes | None = None, **options: object
    ) -> subprocess.CompletedProcess[str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "aligner", *map(str, arguments)],
            input=data,
            capture_output=True,
            timeout=120,
            **options,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
