"""Quality floors on our gold: what was reached cannot sink unseen.

A floor is raised when a figure rises for good, never lowered to make a change pass. `aligner score` computes the
figures; the sets are described in ``corpus/README.md``. Translation floors belong to the weights in ``models/es-en``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run

FLOORS = {
    "atalayar-2022": {
        "find.line.f1": 1.0,
        "find.span.f1": 1.0,
        "find.credit.f1": 1.0,
        "link.accuracy": 0.25,
        "mt.chrf2": 80.0,
    },
    "layouts": {
        "find.line.f1": 0.98,
        "find.span.f1": 0.97,
        "find.credit.f1": 0.9,
        "link.accuracy": 0.78,
        "mt.chrf2": 50.0,
    },
    "written": {
        "find.line.f1": 0.98,
        "find.span.f1": 0.98,
        "find.credit.f1": 0.98,
        "link.accuracy": 0.84,
        "mt.chrf2": 55.0,
    },
    "unseen": {
        "find.line.f1": 0.98,
        "find.span.f1": 0.98,
        "find.credit.f1": 0.98,
        "link.accuracy": 0.80,
        "mt.chrf2": 54.0,
    },
    "houses": {
        "find.line.f1": 0.99,
        "find.span.f1": 0.985,
        "find.credit.f1": 0.985,
        "link.accuracy": 0.74,
    },
    "presses": {
        "find.line.f1": 0.99,
        "find.span.f1": 0.97,
        "find.credit.f1": 0.97,
        "link.accuracy": 0.73,
        "mt.chrf2": 57.0,
    },
    "wires": {
        "find.line.f1": 0.99,
        "find.span.f1": 0.98,
        "find.credit.f1": 0.98,
        "link.accuracy": 0.82,
    },
    "outlets": {
        "find.line.f1": 1.0,
        "find.span.f1": 1.0,
        "find.credit.f1": 1.0,
    },
}


@pytest.mark.parametrize("name", FLOORS)
def test_floors(aligner: Run, corpus: Path, tmp_path: Path, name: str) -> None:
    run = tmp_path / f"{name}.jsonl"
    documents = sorted(path for path in (corpus / name).iterdir() if path.suffix in (".txt", ".md", ".html", ".htm"))
    done = aligner("run", "--format", "jsonl", *documents)
    assert done.returncode == 0, done.stderr
    run.write_text(done.stdout, encoding="utf-8")
    floors = [f"--fail-under={figure}={floor}" for figure, floor in FLOORS[name].items()]
    scored = aligner("score", run, "--gold", corpus / name, "--format", "json", *floors)
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)
