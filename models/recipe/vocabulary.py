"""Step vocabulary: one joint SentencePiece model, and the training pairs as piece ids.

Ids follow the Marian layout of Hugging Face: ``</s>`` 0, ``<unk>`` 1, pieces from 2, ``<pad>`` last.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import sentencepiece

from common import Recipe

# Latin-1 and Latin Extended-A letters would fall below the coverage threshold, and names with them.
_REQUIRED = "".join(chr(c) for c in [*range(0x21, 0x7F), *range(0xA1, 0x180)] if chr(c).isprintable()) + "€–—…•"


def train_pieces(recipe: Recipe, pairs: Path) -> Path:
    """Trains the unigram model on both sides of the pairs; returns the path of ``spm.model``."""
    options = recipe.options["vocabulary"]
    text = recipe.work / "spm.txt"
    with pairs.open(encoding="utf-8") as rows, text.open("w", encoding="utf-8") as out:
        for number, row in enumerate(rows):
            if number >= options["sentences"]:
                break
            out.write(row.replace("\t", "\n"))
    sentencepiece.set_random_generator_seed(recipe.seed)
    try:
        sentencepiece.SentencePieceTrainer.train(
            input=str(text),
            model_prefix=str(recipe.work / "spm.part"),
            vocab_size=options["pieces"],
            character_coverage=options["character_coverage"],
            required_chars=_REQUIRED,
            model_type="unigram",
            input_sentence_size=400_000,
            shuffle_input_sentence=True,
            num_threads=2,
            split_digits=True,
            normalization_rule_name="nmt_nfkc",
            minloglevel=1,
        )
    except (RuntimeError, OSError) as error:
        raise SystemExit(
            f"SentencePiece cannot make {options['pieces']} pieces of {pairs} (vocabulary.pieces): {error}"
        ) from None
    finally:
        text.unlink()
    for kind in ("vocab", "model"):
        (recipe.work / f"spm.part.{kind}").replace(recipe.work / f"spm.{kind}")
    return recipe.work / "spm.model"


def write_vocabulary(model: Path) -> dict[str, int]:
    """Writes ``vocab.json`` beside a SentencePiece model; returns piece → id."""
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
    vocabulary = {"</s>": 0, "<unk>": 1}
    for i in range(3, pieces.get_piece_size()):
        vocabulary[pieces.id_to_piece(i)] = i - 1
    vocabulary["<pad>"] = pieces.get_piece_size() - 1
    model.with_name("vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    return vocabulary


def encode_pairs(recipe: Recipe, pairs: Path, model: Path, out: Path) -> None:
    """Writes ids and offsets of all pairs within ``train.max_pieces`` to an ``.npz`` file.

    A share ``vocabulary.sampled`` of the source sentences is split into pieces at random, likelier splits more often
    (subword regularisation, Kudo 2018): the model sees words from parts that it can use for words it has not met.
    """
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
    longest = recipe.options["train"]["max_pieces"]
    options = recipe.options["vocabulary"]
    sampled, sharpness = float(options.get("sampled", 0.0)), float(options.get("sharpness", 0.3))
    sentencepiece.set_random_generator_seed(recipe.seed)
    rng = random.Random(recipe.seed)
    sides: list[list[np.ndarray]] = [[], []]

    def ids(rows: list[list[int]]) -> list[np.ndarray]:
        # SentencePiece's own ids are unk 0, bos 1, eos 2, pieces from 3
        return [np.array([1 if i == 0 else i - 1 for i in row] + [0], np.int16) for row in rows]

    def split(text: str) -> list[int]:
        if rng.random() < sampled:
            return list(pieces.encode(text, enable_sampling=True, alpha=sharpness, nbest_size=-1))
        return list(pieces.encode(text))

    with pairs.open(encoding="utf-8") as rows:
        while chunk := [row.rstrip("\n").split("\t") for _, row in zip(range(50_000), rows, strict=False)]:
            for a, b in zip(ids([split(r[0]) for r in chunk]), ids(pieces.encode([r[1] for r in chunk])), strict=True):
                if 1 < len(a) <= longest and 1 < len(b) <= longest:
                    sides[0].append(a)
                    sides[1].append(b)
    arrays = {}
    for key, side in zip("st", sides, strict=True):
        arrays[key] = np.concatenate(side)
        arrays[key + "o"] = np.concatenate([[0], np.cumsum([len(x) for x in side])])
    np.savez(out, **arrays)
    print(f"{len(sides[0])} pairs, {len(arrays['s'])} source and {len(arrays['t'])} target pieces")


def vocabulary(recipe: Recipe) -> Path:
    """Runs the step; returns the path of the encoded pairs."""
    pairs, out = recipe.work / "pairs.tsv", recipe.work / "pairs.npz"
    model = recipe.work / "spm.model"
    if not pairs.is_file():
        raise SystemExit(f"{pairs} is missing: run the step `prepare` first")
    if recipe.options["vocabulary"]["pieces"] > np.iinfo(np.int16).max:
        raise SystemExit(f"vocabulary.pieces: at most {np.iinfo(np.int16).max:,}, pairs are kept as 16-bit ids")
    if not model.exists():
        train_pieces(recipe, pairs)
    write_vocabulary(model)
    encode_pairs(recipe, pairs, model, out)
    return out
