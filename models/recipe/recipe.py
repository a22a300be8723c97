"""The recipe's command line: ``python models/recipe/recipe.py STEP``; ``all`` runs the steps in order.

Every step reads the options file and works from the data folder (only read) into the work folder.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from common import Recipe
from options import DEFAULTS

HERE = Path(__file__).resolve().parent
STEPS = {
    "fetch": "public sources by name, into the work folder (needs a network)",
    "distil": "a teacher translates Spanish text (goes on where it was)",
    "rerank": "teacher and student together choose among their translations (goes on where it was)",
    "prepare": "clean, filter, deduplicate; writes pairs.tsv",
    "vocabulary": "SentencePiece model and encoded pairs; keeps an existing spm.model",
    "train": "train to train.target_tokens (goes on where it was)",
    "average": "one set of weights out of the run",
    "export": "fp16 safetensors, CTranslate2 int8, manifest",
    "evaluate": "sacrebleu scores on every set, diagnostics on real captions",
    "plots": "loss and score curves",
    "card": "the model's README.md",
}


def parser() -> argparse.ArgumentParser:
    """The command line's parser."""
    steps = "\n".join(f"  {name:<11} {what}" for name, what in STEPS.items())
    made = argparse.ArgumentParser(
        prog="recipe.py",
        description=f"Trains the embedded MarianMT model. Steps:\n{steps}\n"
        "  all         every step whose result is not there yet",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("step", choices=[*STEPS, "all"], metavar="STEP")
    made.add_argument(
        "--data",
        type=Path,
        help="folder with parallel/, monolingual/, evaluation/ (default: data, which need not be there)",
    )
    made.add_argument("--work", type=Path, default=Path("run"), help="folder for what the steps make (default: run)")
    made.add_argument(
        "--options",
        type=Path,
        default=DEFAULTS,
        help="options file; what it leaves out is as in recipe.toml beside this, the default",
    )
    made.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.KEY=VALUE",
        dest="settings",
        help="override an option",
    )
    made.add_argument(
        "--sources", type=Path, default=HERE / "sources.toml", help="sources, licences and published marks"
    )
    made.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="fetch: only this source (repeatable)"
    )
    made.add_argument(
        "--model",
        type=Path,
        help="model folder to export to, evaluate and describe (default: WORK/SOURCE-TARGET)",
    )
    made.add_argument("--minutes", type=float, help="train, distil, rerank: stop after so many minutes")
    made.add_argument(
        "--evaluation", type=Path, action="append", help="evaluate: folder of sets (default: DATA/evaluation)"
    )
    made.add_argument(
        "--gold",
        type=Path,
        action="append",
        help="evaluate: folder with gold.jsonl (default: those of the corpus)",
    )
    made.add_argument(
        "--captions",
        type=Path,
        help="evaluate: file of real captions, one a line (default: evaluate.captions)",
    )
    return made


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    given = parser().parse_args(arguments)
    for folder in (given.data, *(given.evaluation or ())):
        if folder is not None and not folder.is_dir():
            raise SystemExit(f"{folder}: no such folder")
    recipe = Recipe.load(given.options, given.data or Path("data"), given.work, given.settings)
    with contextlib.suppress(ImportError):  # bars for each load and save, on stderr, say nothing
        from transformers.utils import logging

        logging.disable_progress_bar()
    model = given.model or recipe.work / f"{recipe.source}-{recipe.target}"

    def fetch() -> object:
        from fetch import fetch as run

        return run(recipe, given.sources, given.only)

    def distil() -> object:
        from distil import distil as run

        return run(recipe, given.minutes)

    def rerank() -> object:
        from rerank import rerank as run

        return run(recipe, given.minutes)

    def prepare() -> object:
        from prepare import prepare as run

        return run(recipe)

    def vocabulary() -> object:
        from vocabulary import vocabulary as run

        return run(recipe)

    def train() -> object:
        from train import train as run

        return run(recipe, given.minutes)

    def average() -> object:
        from average import average as run

        return run(recipe)

    def export() -> object:
        from export import export as run

        return run(recipe, model)

    def evaluate() -> object:
        from card import fault_table, score_table
        from evaluate import evaluate as run

        options = recipe.table("evaluate")
        captions = given.captions
        if captions is None and options.get("captions"):
            found = [f / options["captions"] for f in (recipe.data, recipe.work) if (f / options["captions"]).is_file()]
            captions = found[0] if found else None
        evaluation = given.evaluation or recipe.folders("evaluation")
        if not any(folder.glob(f"*.{recipe.source}.gz") for folder in evaluation):
            where = ", ".join(map(str, evaluation)) or f"{recipe.data}/evaluation"
            print(f"no evaluation sets NAME.{recipe.source}.gz in {where}: gold captions alone", file=sys.stderr)
        gold = given.gold or sorted(f.parent for f in HERE.parents[1].glob("corpus/*/gold.jsonl"))
        results = run(
            recipe,
            model,
            evaluation,
            gold,
            captions,
            int(options.get("beam_size", 4)),
            options.get("compare_float", ()),
        )
        marks = tomllib.loads(given.sources.read_text(encoding="utf-8")).get("mark", [])
        print(*score_table(results, marks), sep="\n")
        if "captions" in results:
            print(*fault_table(results["captions"]), sep="\n")
        print(recipe.work / "evaluation.json")
        return results

    def plots() -> object:
        from plots import plots as run

        return run(recipe)

    def card() -> object:
        from card import card as run

        return run(recipe, model, given.sources)

    steps: dict[str, Callable[[], object]] = {
        "fetch": fetch, "distil": distil, "rerank": rerank, "prepare": prepare, "vocabulary": vocabulary,
        "train": train, "average": average, "export": export, "evaluate": evaluate, "plots": plots, "card": card,
    }  # fmt: skip
    if given.step != "all":
        result = steps[given.step]()
        return 1 if given.step == "fetch" and result else 0
    have_data = bool(recipe.folders("parallel"))
    skip = {
        "fetch": have_data,
        "distil": recipe.table("distil").get("teacher", "pivot") == "none" or not recipe.folders("monolingual"),
        "rerank": not recipe.table("rerank").get("folder"),
        "prepare": (recipe.work / "pairs.tsv").is_file(),
        "vocabulary": (recipe.work / "pairs.npz").is_file(),
    }
    for name, run in steps.items():
        if name == "distil":  # what fetch brought counts
            skip["distil"] = skip["distil"] and not (recipe.work / "monolingual").is_dir()
        if skip.get(name):
            print(f"== {name}: nothing to do", flush=True)
            continue
        print(f"== {name}", flush=True)
        begin = time.time()
        result = run()
        if name == "fetch" and not any((recipe.work / "parallel").glob("*.gz")):
            raise SystemExit("fetch brought no parallel text: put some into --data, or see above for what failed")
        print(f"== {name}: {time.time() - begin:.0f} s", flush=True)
        if name == "train" and result.tokens < recipe.options["train"]["target_tokens"]:  # type: ignore[attr-defined]
            print("training was stopped before its end; call again to go on", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped; call again to go on")
