"""Step evaluate: what a model folder scores, and what goes wrong on real captions.

Scores are sacrebleu's with its default settings, signatures included. Translation is plain: the folder's
CTranslate2 build, a beam of 4, no guard and no names of the toolkit around it. What goes wrong on real captions is
counted with the toolkit around the model too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import ctranslate2
import sentencepiece
from sacrebleu.metrics import BLEU, CHRF

from aligner.errors import ModelError
from aligner.translation.models import inspect
from common import Recipe, aligned, cores, lines_of, normalise, write_json
from diagnose import diagnose
from export import write_ctranslate2, write_hugging_face


def read_set(folder: Path, name: str, language: str, limit: int | None = None) -> list[str]:
    """Lines of one side of an evaluation set."""
    lines = lines_of(folder / f"{name}.{language}.gz")
    return [line.rstrip("\n") for line in islice(lines, limit)]


def positions(folder: Path, default: int = 256) -> int:
    """How many positions the model of a Hugging Face folder has; as many pieces may go in and come out."""
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return int(config.get("max_position_embeddings", default))


def translate(
    model: Path,
    pieces: Path,
    lines: Sequence[str],
    beam_size: int = 4,
    threads: int | None = None,
    longest: int = 256,
) -> list[str]:
    """Translations by a CTranslate2 folder, in order.

    Args:
        model: CTranslate2 folder.
        pieces: the joint SentencePiece model.
        lines: source lines.
        beam_size: width of the beam.
        threads: batches under way at once; None for one per processor.
        longest: pieces that the model takes; longer lines are cut.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    translator = ctranslate2.Translator(str(model), inter_threads=threads or cores(), intra_threads=1)
    tokens = [[*processor.encode(normalise(line), out_type=str)[: longest - 1], "</s>"] for line in lines]
    results = translator.translate_batch(
        tokens,
        beam_size=beam_size,
        max_batch_size=2048,
        batch_type="tokens",
        max_decoding_length=longest,
        use_vmap=(model / "vmap.txt").is_file(),
    )
    return [processor.decode(result.hypotheses[0]) for result in results]


def in_toolkit(model: Path, lines: Sequence[str], beam_size: int = 4) -> list[str]:
    """Translations by ``aligner translate``, which looks for loops and garbled names and looks words up."""
    command = [sys.executable, "-m", "aligner", "translate", "--model", str(model.resolve()), "--beam", str(beam_size)]
    done = subprocess.run(command, input="\n".join(lines) + "\n", stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return done.stdout.removesuffix("\n").split("\n")


def scored(hypotheses: Sequence[str], references: Sequence[str]) -> dict[str, Any]:
    """BLEU and chrF2 of a set with their signatures."""
    bleu, chrf = BLEU(), CHRF()
    return {
        "segments": len(hypotheses),
        "bleu": round(bleu.corpus_score(hypotheses, [references]).score, 2),
        "chrf": round(chrf.corpus_score(hypotheses, [references]).score, 2),
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
    }


def validation_sets(recipe: Recipe) -> dict[str, tuple[list[str], list[str]]]:
    """The first lines of the sets that ``validate.sets`` names, both sides.

    Raises:
        SystemExit: there is no such set.
    """
    found = {}
    for name, limit in recipe.options["validate"]["sets"].items():
        folder = next((f for f in recipe.folders("evaluation") if (f / f"{name}.{recipe.source}.gz").is_file()), None)
        if folder is None:
            raise SystemExit(
                f"validate.sets names {name}, which no evaluation folder of {recipe.data} and {recipe.work} has; "
                "name your own with --set 'validate.sets={NAME=500}', or none with --set 'validate.sets={}'"
            )
        found[name] = tuple(read_set(folder, name, code, limit) for code in (recipe.source, recipe.target))
    return found


def validate(model: Any, recipe: Recipe) -> dict[str, float]:
    """Quick figures during training, on the first sentences of the sets named in ``validate.sets``.

    Args:
        model: a ``MarianMTModel``; its weights are narrowed to fp16, as export does.
        recipe: options and folders.
    """
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=recipe.work) as temporary:
        hugging_face, built = Path(temporary) / "hf", Path(temporary) / "ct2"
        write_hugging_face(model, recipe, hugging_face)
        write_ctranslate2(hugging_face, built)
        for name, sides in validation_sets(recipe).items():
            longest = positions(hugging_face)
            ours = translate(built, hugging_face / "source.spm", sides[0], beam_size=2, longest=longest)
            result = scored(ours, sides[1])
            figures |= {f"{name}.bleu": result["bleu"], f"{name}.chrf": result["chrf"]}
    return figures


def gold_captions(folder: Path) -> tuple[list[str], list[str]]:
    """Captions and references of a gold folder (``gold.jsonl``)."""
    captions, references = [], []
    for line in lines_of(folder / "gold.jsonl"):
        for entry in json.loads(line).get("lines", ()):
            if entry.get("caption") and entry.get("reference"):
                captions.append(entry["caption"])
                references.append(entry["reference"])
    return captions, references


def evaluate(
    recipe: Recipe,
    model: Path,
    evaluation: Sequence[Path],
    gold: Sequence[Path] = (),
    captions: Path | None = None,
    beam_size: int = 4,
    compare_float: Sequence[str] = (),
) -> dict[str, Any]:
    """Scores a model folder on every set there is.

    Args:
        recipe: languages; ``evaluation.json`` goes to its work folder.
        model: Hugging Face folder with a CTranslate2 build below it, as the step export makes, or such a build.
        evaluation: folders with ``NAME.<source>.gz`` and ``NAME.<target>.gz``.
        gold: folders with a ``gold.jsonl`` whose captions have references.
        captions: file of real captions, one a line, for the diagnostics.
        beam_size: width of the beam.
        compare_float: sets to score with unquantised weights (fp32) too.
    """
    built = model if (model / "model.bin").is_file() else next(iter(sorted(model.glob("ctranslate2*"))), None)
    if built is None:
        raise SystemExit(f"{model}: no CTranslate2 build in or below it; export it first, or name a model folder")
    try:
        inspect(model, model.name, "folder").check([file for file in model.rglob("*") if file.is_file()])
    except ModelError as error:
        raise SystemExit(str(error)) from None
    has_float = (model / "model.safetensors").is_file()

    def ours(lines: Sequence[str], build: Path = built) -> list[str]:
        return translate(build, model / "source.spm", lines, beam_size, longest=positions(model))

    results: dict[str, Any] = {
        "model": model.name,
        "beam_size": beam_size,
        "sets": {},
        "gold": {},
        "float32": {},
    }
    begin, sentences = time.time(), 0
    for folder in evaluation:
        for file in sorted(folder.glob(f"*.{recipe.source}.gz")):
            name = file.name.removesuffix(f".{recipe.source}.gz")
            both = list(aligned(file, folder / f"{name}.{recipe.target}.gz"))
            sources, references = ([pair[side].rstrip("\n") for pair in both] for side in (0, 1))
            results["sets"][name] = scored(ours(sources), references)
            sentences += len(sources)
            print(f"{name}: {results['sets'][name]}", file=sys.stderr, flush=True)
            if name in compare_float and has_float:
                with tempfile.TemporaryDirectory() as temporary:
                    write_ctranslate2(model, Path(temporary) / "wide", "float32")
                    wide = ours(sources, Path(temporary) / "wide")
                results["float32"][name] = scored(wide, references)
                print(f"{name} in float32: {results['float32'][name]}", file=sys.stderr, flush=True)
    for folder in gold:
        sources, references = gold_captions(folder)
        if sources:
            results["gold"][folder.name] = scored(ours(sources), references)
            sentences += len(sources)
            print(f"captions of {folder.name}: {results['gold'][folder.name]}", file=sys.stderr, flush=True)
    if captions is not None:
        sources = [line.strip() for line in lines_of(captions) if line.strip()]
        results["captions"] = {"file": captions.name, **diagnose(sources, ours(sources))}
        results["captions"]["toolkit"] = diagnose(sources, in_toolkit(model, sources, beam_size))["counts"]
        sentences += 2 * len(sources)
        for who, counts in ("alone", results["captions"]["counts"]), ("in the toolkit", results["captions"]["toolkit"]):
            print(f"{captions.name}, model {who}: {counts}", file=sys.stderr, flush=True)
    results["seconds"], results["sentences"] = round(time.time() - begin, 1), sentences
    write_json(recipe.work / "evaluation.json", results)
    return results
