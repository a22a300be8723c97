"""Step plots: loss and validation scores over a training run, scores of the models so far, as PNG and SVG."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from common import Recipe


def read_history(recipe: Recipe) -> list[dict[str, Any]]:
    """Finished models of the file ``card.history`` in order of tokens: ``tokens``, ``what``, BLEU by set."""
    name = recipe.table("card").get("history")
    if not name:
        return []
    file = Path(__file__).parent / name
    if not file.is_file():
        raise SystemExit(f"card.history: {file} is missing")
    models = tomllib.loads(file.read_text(encoding="utf-8")).get("model", [])
    return sorted(models, key=lambda model: model["tokens"])


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
    finished: dict[str, list[tuple[float, float]]] = {}
    for model in read_history(recipe):
        for name, value in model.items():
            if name not in ("tokens", "what"):
                finished.setdefault(f"{name}.finished", []).append((model["tokens"] / 1e6, value))
    found |= finished
    panels = {
        "training loss (nats a token)": "loss",
        "BLEU, first lines of each set": ".bleu",
        "chrF2, first lines of each set": ".chrf",
        "BLEU of finished models, whole sets": ".finished",
    }
    shown = {title: suffix for title, suffix in panels.items() if any(name.endswith(suffix) for name in found)}
    figure, axes = pyplot.subplots(
        1, len(shown), figsize=(4.3 * len(shown), 3.8), constrained_layout=True, squeeze=False
    )
    for axis, (title, suffix) in zip(axes[0], shown.items(), strict=True):
        for name, points in sorted(found.items()):
            if name.endswith(suffix):
                label, marker = name.removesuffix(suffix) or None, "." if name in finished else None
                axis.plot(*zip(*points, strict=True), label=label, linewidth=1.4, marker=marker)
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
