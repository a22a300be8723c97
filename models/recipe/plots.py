"""Step plots: loss and validation scores over a training run, as PNG and SVG."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common import Recipe


def read_log(file: Path) -> list[dict[str, Any]]:
    """Records of a training log in order of steps; what a killed run logged past its checkpoint gives way."""
    records: list[dict[str, Any]] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("{"):
            continue
        record = json.loads(line)
        while records and records[-1]["step"] > record["step"]:
            records.pop()
        records.append(record)
    return records


def curves(records: list[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Figure name → [(million target tokens, value)]."""
    found: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        for name, value in record.items():
            if name == "loss" or name.endswith((".bleu", ".chrf")):
                found.setdefault(name, []).append((record["tokens"] / 1e6, value))
    return found


def plots(recipe: Recipe) -> list[Path]:
    """Runs the step; returns the files."""
    log = recipe.work / "log.jsonl"
    if not log.is_file():
        raise SystemExit(f"{log} is missing: run the step `train` first")
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "recipe"  # the same log gives the same file
    from matplotlib import pyplot

    found = curves(read_log(log))
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 3.8), constrained_layout=True)
    for axis, title, suffix in zip(
        axes, ("training loss (nats a token)", "BLEU", "chrF2"), ("loss", ".bleu", ".chrf"), strict=True
    ):
        for name, points in sorted(found.items()):
            if name.endswith(suffix):
                axis.plot(*zip(*points, strict=True), label=name.removesuffix(suffix) or None, linewidth=1.4)
        axis.set(title=title, xlabel="million target tokens")
        axis.grid(alpha=0.3)
        if axis.get_legend_handles_labels()[1]:
            axis.legend(frameon=False)
    files = [recipe.work / f"training.{kind}" for kind in ("png", "svg")]
    figure.savefig(files[0], dpi=130)
    figure.savefig(files[1], metadata={"Date": None})
    pyplot.close(figure)
    print(", ".join(map(str, files)))
    return files
