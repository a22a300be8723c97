"""Step card: the model's card, rendered from what the other steps measured.

Nothing in it is typed by hand but ``limits.md``, what the model is bad at in words, and ``history.toml``, what its
forerunners scored.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

from common import Recipe, read_json, written
from fetch import SOURCES, read_sources
from plots import read_history, read_log

LIMITS = Path(__file__).with_name("limits.md")


def source_of(name: str, sources: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The entry of ``sources.toml`` that a data set belongs to: the longest name that its own begins with."""
    fitting = [entry for entry in sources if name.startswith(entry["name"])]
    return max(fitting, key=lambda entry: len(entry["name"]), default=None)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; columns but the first are aligned to the right where they hold figures."""
    right = [i > 0 and all(not r[i] or r[i][0].isdigit() or r[i] == "–" for r in rows) for i in range(len(head))]
    rule = ["---:" if r else "---" for r in right]
    return ["| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)]


def score_table(evaluation: dict[str, Any], marks: list[dict[str, Any]]) -> list[str]:
    """Scores per set, beside the published marks."""
    shown = [mark for mark in marks if any(name in mark for name in evaluation["sets"])]
    head = ["set", "segments", "BLEU", "chrF2", *[f"BLEU of {mark['system']}" for mark in shown]]
    rows = [
        [
            name,
            f"{figures['segments']:,}",
            f"{figures['bleu']:.1f}",
            f"{figures['chrf']:.1f}",
            *[f"{mark[name]:.1f}" if name in mark else "–" for mark in shown],
        ]
        for name, figures in sorted(evaluation["sets"].items())
    ]
    rows += [
        [
            f"captions of {name}",
            f"{figures['segments']:,}",
            f"{figures['bleu']:.1f}",
            f"{figures['chrf']:.1f}",
        ]
        + ["–"] * len(shown)
        for name, figures in sorted(evaluation["gold"].items())
    ]
    return table(head, rows)


def fault_table(captions: dict[str, Any]) -> list[str]:
    """Counts of what went wrong on real captions: by the model alone, and with the toolkit around it."""
    head = [f"fault, of {captions['lines']:,} captions", "model alone", "`aligner translate`"]
    return table(head, [[kind, str(n), str(captions["toolkit"][kind])] for kind, n in captions["counts"].items()])


def data_table(prepared: dict[str, Any], sources: list[dict[str, Any]]) -> list[str]:
    """Sets, counts and licences."""
    rows = []
    for name, counts in prepared["sets"].items():
        entry = source_of(name, sources) or {}
        left_out = sum(counts.values()) - counts.get("kept", 0)
        rows.append(
            [
                name,
                f"{counts.get('kept', 0):,}",
                f"{left_out:,}",
                entry.get("what", "–"),
                entry.get("licence", "not stated"),
            ]
        )
    return table(["set", "pairs kept", "left out", "what", "licence"], rows)


def history_table(history: list[dict[str, Any]]) -> list[str]:
    """BLEU of finished models over the tokens that they had seen."""
    sets = list(dict.fromkeys(name for model in history for name in model if name not in ("tokens", "what")))
    rows = [
        [
            f"{model['tokens'] / 1e6:.1f}",
            *[f"{model[name]:.2f}" if name in model else "–" for name in sets],
            model.get("what", ""),
        ]
        for model in history
    ]
    return table(["million target tokens", *sets, "what was new"], rows)


def render(recipe: Recipe, model: Path, sources: Path = SOURCES, limits: Path = LIMITS) -> str:
    """The card as Markdown."""
    entries = read_sources(sources)
    marks = tomllib.loads(sources.read_text(encoding="utf-8")).get("mark", [])
    evaluation = read_json(recipe.work / "evaluation.json")
    prepared = read_json(recipe.work / "prepare.json")
    averaged = read_json(recipe.work / "average.json")
    manifest = read_json(model / "manifest.json")
    log = read_log(recipe.work / "log.jsonl") if (recipe.work / "log.jsonl").is_file() else []
    sizes = manifest["sizes"]
    options = recipe.options
    warm = options["warmstart"].get("package")
    any_set = next(iter(evaluation["sets"].values()), None)
    total = sum(f["size"] for f in manifest["files"].values())
    weights = {n: f for n, f in manifest["files"].items() if n.endswith((".safetensors", ".bin", ".spm"))}

    def bytes_of(name: str) -> str:
        return f"{manifest['files'][name]['size'] / 1e6:.1f} MB"

    shown = f"models/{model.name}" if is_bundled(model) else model
    lines = [
        f"# {manifest['name']}: {recipe.source}→{recipe.target} MarianMT model",
        "",
        "A small MarianMT model (Junczys-Dowmunt et al. 2018) for photo captions and news: "
        f"{sizes['parameters'] / 1e6:.1f} M parameters, width {sizes['d_model']}, "
        f"feed-forward {sizes['ffn']}, {sizes['encoder_layers']} + {sizes['decoder_layers']} layers, "
        f"{sizes['vocabulary']:,} joint SentencePiece pieces, tied embeddings. "
        f"`{model.name}/` holds the weights as fp16 safetensors in Hugging Face layout, and below it "
        "the CTranslate2 int8 build of the same weights. Text is normalised before it is encoded as "
        f"`{manifest['normalisation']}` says (`aligner.translation.text`).",
        "",
        "This card is written by the recipe (`python models/recipe/recipe.py card`) from the figures of "
        "its other steps.",
        "",
        "## Scores",
        "",
        f"int8, CTranslate2, beam {evaluation['beam_size']}, one hypothesis, nothing of the toolkit around "
        "it (no guard, no names of an article); sacrebleu with its defaults:",
        "",
    ]
    if any_set:
        lines += [f"- BLEU `{any_set['bleu_signature']}`", f"- chrF2 `{any_set['chrf_signature']}`", ""]
    lines += score_table(evaluation, marks)
    lines += ["", "Other systems' figures are those that their authors publish."]
    for name, wide in evaluation.get("float32", {}).items():
        ours = evaluation["sets"][name]
        lines += [
            "",
            f"Unquantised (fp32), {name}: BLEU {wide['bleu']:.2f} beside {ours['bleu']:.2f} in int8.",
        ]
    lines += [
        "",
        "To reproduce, with the evaluation sets in `DATA/evaluation`: "
        f"`python models/recipe/recipe.py evaluate --data DATA --work WORK --model {shown}`.",
        "",
    ]
    if captions := evaluation.get("captions"):
        lines += [
            f"## On {captions['lines']:,} real captions without references",
            "",
            f"`{captions['file']}`, {captions['numbers']:,} numbers and {captions['names']:,} persons' names in it:",
            "",
            *fault_table(captions),
            "",
            "length: words out over words in outside 0.5–2. Persons: a run of capitalised words that begins "
            "with a common given name, one of which is missing or changed. Spanish left over: two or more "
            "function words, or a copy.",
            "",
        ]
    lines += ["## What it is bad at", "", limits.read_text(encoding="utf-8").strip(), ""]
    lines += ["## Training", ""]
    if log:
        lines += ["![loss and validation scores](training.svg)", ""]
    start = (
        f"first weights from the {options['warmstart']['pair']} model that the package "
        f"{warm.replace('_', '-')} carries (MIT as the package declares; of the "
        "Bergamot/translateLocally family of student models)"
        if warm
        else "from scratch"
    )
    before = float(options["warmstart"].get("folder_tokens", 0))
    if options["warmstart"].get("folder"):
        start += (
            f", then {before / 1e6:.1f} M target tokens in an earlier run, whose released weights this run went on from"
        )
    if history := read_history(recipe):
        head = "Finished models of this line, BLEU (int8 within ±127, on VNNI, but where it says otherwise):"
        lines += [head, "", *history_table(history), ""]
    lines += [
        f"- start: {start}",
        f"- {averaged['tokens'] / 1e6:.1f} M target tokens in {averaged['step']:,} steps, "
        f"{averaged['hours']:.1f} hours of an ordinary processor; weights: {averaged['kind']}",
        f"- recipe: `models/recipe`, commit {manifest['revision'] or 'unknown'}",
        f"- {prepared['pairs']:,} training pairs, {prepared.get('noisy copies', 0):,} of them noisy copies "
        "(capitals, lost accents, misspellings, trailing credits)",
        "",
        "## Data",
        "",
        *data_table(prepared, entries),
        "",
        "Lines that stand in an evaluation set or in the project's corpus are left out, case and punctuation folded. "
        "Distilled sets are Spanish text with a teacher's English (sequence-level distillation).",
        "",
        "## Files",
        "",
        f"{total / 1e6:.1f} MB in all. `manifest.json` has every file's SHA-256.",
        "",
        *table(
            ["file", "size", "sha256"],
            [[n, bytes_of(n), f"`{f['sha256']}`"] for n, f in sorted(weights.items())],
        ),
        "",
        f"Licence of the weights: {manifest['licence'] or 'not stated'}.",
    ]
    return "\n".join(lines) + "\n"


def is_bundled(model: Path) -> bool:
    """Whether a model folder is one that the toolkit carries, in ``models/``."""
    return model.resolve().parent == Path(__file__).resolve().parents[1]


def card(recipe: Recipe, model: Path, sources: Path = SOURCES) -> Path:
    """Runs the step: writes ``README.md`` and the training curves; returns the card.

    They go into the model folder, those of a bundled model beside it.
    """
    for name, step in (("evaluation", "evaluate"), ("prepare", "prepare"), ("average", "average")):
        if not (recipe.work / f"{name}.json").is_file():
            raise SystemExit(f"{recipe.work}/{name}.json is missing: run the step `{step}` first")
    if not (model / "manifest.json").is_file():
        raise SystemExit(f"{model}: no manifest.json, run the step `export` first")
    out = (model.parent if is_bundled(model) else model) / "README.md"
    with written(out) as file:
        file.write(render(recipe, model, sources))
    if (recipe.work / "training.svg").is_file():
        shutil.copyfile(recipe.work / "training.svg", out.with_name("training.svg"))
    print(out)
    return out
