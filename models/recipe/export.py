"""Step export: Hugging Face folder with fp16 safetensors, and the CTranslate2 int8 build of the same weights."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from transformers import MarianMTModel

from common import NORMALISATION, Recipe, write_build

FILES = ("source.spm", "target.spm", "vocab.json", "tokenizer_config.json")


def write_hugging_face(model: MarianMTModel, recipe: Recipe, out: Path, dtype: torch.dtype = torch.float16) -> None:
    """Writes a folder that ``MarianMTModel.from_pretrained`` and ``MarianTokenizer.from_pretrained`` load.

    Args:
        model: is changed to ``dtype`` in place.
        recipe: its work folder has ``spm.model`` and ``vocab.json``.
        out: is made.
        dtype: of the weights on disk.
    """
    out.mkdir(parents=True, exist_ok=True)
    generation = model.generation_config
    generation.num_beams, generation.max_length = 4, recipe.options["model"]["max_positions"]
    # as in OPUS-MT's models: padding is a token of the vocabulary, never of a translation
    generation.bad_words_ids = [[model.config.pad_token_id]]
    model.to(dtype).save_pretrained(out)
    for side in ("source", "target"):
        shutil.copyfile(recipe.work / "spm.model", out / f"{side}.spm")
    shutil.copyfile(recipe.work / "vocab.json", out / "vocab.json")
    tokenizer = {
        "source_lang": recipe.source,
        "target_lang": recipe.target,
        "unk_token": "<unk>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "model_max_length": recipe.options["model"]["max_positions"],
        "tokenizer_class": "MarianTokenizer",
        "separate_vocabs": False,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=1) + "\n", encoding="utf-8")


def write_ctranslate2(folder: Path, out: Path, quantization: str = "int8") -> None:
    """Converts a Hugging Face folder; the result replaces ``out`` at once.

    The weights are widened to fp32 first: the table of positions, which no file holds, would be made in fp16.
    """
    from ctranslate2.converters import TransformersConverter

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".convert-") as temporary:
        wide, built = Path(temporary) / "wide", Path(temporary) / "build"
        MarianMTModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True).save_pretrained(wide)
        for name in FILES:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, wide / name)
        with warnings.catch_warnings():
            # the converter asks the tokenizer for its vocabulary alone, never to normalise
            warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
            write_build(TransformersConverter(str(wide)), built, quantization)
        if out.exists():
            shutil.rmtree(out)
        built.replace(out)


def write_shortlist(recipe: Recipe, build: Path) -> None:
    """Writes ``vmap.txt`` into a CTranslate2 build: the pieces that it may put out.

    A third of a joint vocabulary is the source language's alone, and the product with it is the largest of each
    decoding step. Kept is what training targets have ``export.target_pieces`` times, and every single character, so
    that a rare name can still be spelled. One list for all sources: a list for each source word would make a
    translation depend on what else is in its batch, for which CTranslate2 joins them. What the model that training
    went on from may put out is kept too: it knows more words than a few pairs have.
    """
    least = recipe.table("export").get("target_pieces", 0)
    if not least:
        return
    pairs = recipe.work / "pairs.npz"
    if not pairs.is_file():
        raise SystemExit(f"{pairs} is missing: run the step `vocabulary` first, or give --set export.target_pieces=0")
    vocabulary = json.loads((recipe.work / "vocab.json").read_text(encoding="utf-8"))
    counts = np.bincount(np.load(pairs)["t"], minlength=len(vocabulary))
    known: set[str] = set()
    if start := recipe.options["warmstart"]["folder"]:
        lists = sorted(Path(start).expanduser().glob("ctranslate2*/vmap.txt"))
        if not lists:
            return  # it may put out all
        known.update(lists[0].read_text(encoding="utf-8").split())
    special = {"<pad>", "<unk>", "</s>"}  # those that can be put out are always on the list
    kept = [
        piece
        for piece, i in vocabulary.items()
        if piece not in special and (counts[i] >= least or piece in known or len(piece.lstrip("▁")) < 2)
    ]
    (build / "vmap.txt").write_text("\t" + " ".join(kept) + "\n", encoding="utf-8")
    print(f"{len(kept):,} of {len(vocabulary):,} pieces may be put out")


def _compact(file: Path) -> None:
    """Rewrites a JSON file without spaces and escapes."""
    value = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def commit() -> str | None:
    """The commit of the recipe, marked where the recipe's files differ from it; None outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        head = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            ["git", "status", "--porcelain", "."], cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + (" with changes" if changed.stdout.strip() else "")


def export(recipe: Recipe, out: Path) -> Path:
    """Runs the step: ``averaged/`` of the work folder becomes a model folder with its manifest; returns ``out``.

    The model is made beside ``out`` and takes its place when it is whole.
    """
    from aligner.translation.models import write_manifest

    averaged = recipe.work / "averaged"
    if not (averaged / "model.safetensors").is_file():
        raise SystemExit(f"{averaged} has no model: run the step `average` first")
    options = recipe.table("export")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as temporary:
        made = Path(temporary) / out.name
        model = MarianMTModel.from_pretrained(averaged, dtype=torch.float32, local_files_only=True)
        write_hugging_face(model, recipe, made)
        build = made / "ctranslate2-int8"
        write_ctranslate2(made, build)
        write_shortlist(recipe, build)
        for vocabulary in (build / "shared_vocabulary.json", made / "vocab.json"):
            _compact(vocabulary)
        write_manifest(
            made,
            name=f"{recipe.source}-{recipe.target}",
            source_language=recipe.source,
            target_language=recipe.target,
            licence=options.get("licence"),
            revision=commit(),
            origin=options.get("origin"),
            normalisation=NORMALISATION,
        )
        for file in made.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o644)  # safetensors writes for its owner alone
        if out.exists():
            shutil.rmtree(out)
        made.replace(out)
    size = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
    print(f"{out}: {size / 1e6:.1f} MB")
    return out
