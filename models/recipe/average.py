"""Step average: one set of weights out of a training run, in ``averaged/``.

Three candidates: the moving average that training keeps (``ema``), the plain mean of the snapshots that it
kept (``snapshots``; Junczys-Dowmunt et al. 2016 report what checkpoint averaging brings), and the last
weights (``last``). ``best`` scores all that there are on the validation sets and takes the best by mean chrF.

``average.others`` names model folders that ended at a falling rate earlier in the same run: the mean of them all
(a model soup, Wortsman et al. 2022) is better than the last of them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import MarianMTModel

from common import Recipe, write_json
from evaluate import validate
from export import write_hugging_face
from train import fill, read_checkpoint
from warmstart import fresh_model, from_folder

KINDS = ("ema", "snapshots", "last")


def candidate(recipe: Recipe, kind: str) -> MarianMTModel | None:
    """A model with the weights of one kind; None if the run has none of it."""
    model = fresh_model(recipe)
    file = recipe.work / "checkpoint.pt"
    state = read_checkpoint(file)
    fill(model, state["model"], file)
    if kind == "ema":
        weights = state["average"]
    elif kind == "snapshots":
        files = sorted((recipe.work / "snapshots").glob("*.pt"))
        if not files:
            return None
        weights = torch.load(files[0], weights_only=True)
        for file in files[1:]:
            for name, value in torch.load(file, weights_only=True).items():
                weights[name] += value
        weights = {name: value / len(files) for name, value in weights.items()}
    else:
        weights = {}
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name in weights:
                value.copy_(weights[name])
    return model.eval()


def average(recipe: Recipe) -> Path:
    """Runs the step; returns the folder with the fp32 model."""
    if not (recipe.work / "checkpoint.pt").is_file():
        raise SystemExit(f"{recipe.work}: no checkpoint.pt, run the step `train` first")
    kind = recipe.table("average").get("kind", "ema")
    if kind not in (*KINDS, "best"):
        raise SystemExit(f"average.kind is {kind!r}; known: best, {', '.join(KINDS)}")
    figures: dict[str, dict[str, float]] = {}
    if kind == "best":
        for name in KINDS:
            if (model := candidate(recipe, name)) is not None:
                figures[name] = validate(model, recipe)
                print(f"{name}: {figures[name]}", flush=True)

        def mean_chrf(name: str) -> float:
            values = [v for key, v in figures[name].items() if key.endswith(".chrf")]
            return sum(values) / len(values)

        kind = max(figures, key=mean_chrf)
    model = candidate(recipe, kind)
    if model is None:
        raise SystemExit(f"{recipe.work}: no snapshots; set train.snapshot_steps, or average.kind to ema")
    others = [Path(folder).expanduser() for folder in recipe.table("average").get("others", ())]
    with torch.no_grad():
        for number, folder in enumerate(others, start=2):
            for value, other in zip(model.parameters(), from_folder(recipe, folder).parameters(), strict=True):
                value.lerp_(other, 1 / number)
    out = recipe.work / "averaged"
    shutil.rmtree(out, ignore_errors=True)
    write_hugging_face(model, recipe, out, torch.float32)
    state = read_checkpoint(recipe.work / "checkpoint.pt")
    about = {
        "kind": f"{kind}, mean with {len(others)} earlier {'model' if len(others) == 1 else 'models'}"
        if others
        else kind,
        "step": state["step"],
        "tokens": state["tokens"],
        "hours": round(state["seconds"] / 3600, 2),
    }
    write_json(recipe.work / "average.json", {**about, "candidates": figures})
    print(f"{out}: {about}")
    return out
