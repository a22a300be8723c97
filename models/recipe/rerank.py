"""Step rerank: distilled sentences get the translation that the teacher and a student together find likeliest.

Two models that learnt from different text make different mistakes. For each distilled sentence the candidates
are the pivot teacher's translation and the student's best few; the one with the highest sum of both models'
log-probabilities is taken (a product of experts over lists of hypotheses). What either model finds unlikely word for
word is marked as if it had an unknown word, for ``prepare`` to leave out; half of the words that the teacher's first
half does not know its second half knows, as they are alike in both languages ("diabetes", "corruptos").

Reads ``distilled/NAME.tsv*`` of the data and work folders and writes ``reranked/NAME.tsv`` to the work folder,
line by line, which ``prepare`` takes in their place; a stopped run goes on where it was.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from transformers import MarianMTModel

from common import Recipe, cores, normalise
from distil import (
    FolderTeacher,
    PivotTeacher,
    distilled_rows,
    distilled_sets,
    without_marks,
    without_torn_end,
)
from imitate import RecurrentUnit
from warmstart import blank_model, copy_layers, read_parent

_LONGEST = 200  # pieces of a side
_ROWS = 128  # rows of logits that stay in the processor's cache


@dataclass
class Parent:
    """The pivot teacher's second half in torch, with its own recurrent units.

    Attributes:
        model: the network; its start token has the id ``pad``.
        pieces: its SentencePiece model.
    """

    model: MarianMTModel
    pieces: sentencepiece.SentencePieceProcessor

    @classmethod
    def of(cls, tensors: dict[str, np.ndarray], pieces: sentencepiece.SentencePieceProcessor) -> Parent:
        """A "tiny" student of Marian from its tensors."""
        size, width = tensors["Wemb"].shape
        layers = {side: sum(f"{side}_l{n}_ffn_W1" in tensors for n in range(1, 99)) for side in ("encoder", "decoder")}
        shape = {
            "d_model": width,
            "ffn": tensors["encoder_l1_ffn_W1"].shape[1],
            "heads": 8,
            "encoder_layers": layers["encoder"],
            "decoder_layers": layers["decoder"],
            "max_positions": 2 * _LONGEST,
        }
        model = blank_model(shape, size + 1)
        model.set_attn_implementation("eager")
        with torch.no_grad():
            model.model.shared.weight[:size] = torch.from_numpy(tensors["Wemb"])
            model.final_logits_bias[0, :size] = torch.from_numpy(tensors["decoder_ff_logit_out_b"].reshape(-1))
        copy_layers(model, tensors)
        for number, layer in enumerate(model.model.decoder.layers, start=1):
            layer.self_attn = RecurrentUnit(tensors, number)
        return cls(model.eval(), pieces)

    @torch.no_grad()
    def log_probabilities(
        self, groups: Sequence[tuple[str, Sequence[str]]], batch_pieces: int = 6000
    ) -> list[list[float]]:
        """Log-probability (nats) of each translation of each source.

        Args:
            groups: source sentences, each with its translations.
            batch_pieces: padded pieces of translations in a batch.
        """
        sources = self._encode([source for source, _ in groups])
        targets = [self._encode(list(translations)) for _, translations in groups]
        used = np.unique(np.concatenate([ids for rows in targets for ids in rows]))
        # all pieces that any translation has, and the frequent ones: what is never said hardly weighs
        kept = torch.from_numpy(np.union1d(used, np.arange(min(16_000, self.model.config.vocab_size - 1))))
        order = sorted(range(len(groups)), key=lambda at: (max(map(len, targets[at])), len(sources[at])))
        result: list[list[float]] = [[] for _ in groups]
        batch: list[int] = []
        longest = rows = 0
        for at in [*order, -1]:
            if at >= 0:
                longest = max(longest, len(sources[at]), *map(len, targets[at]))
                rows += len(targets[at])
            if batch and (at < 0 or longest * rows > batch_pieces):
                flat = iter(self._batch([sources[i] for i in batch], [targets[i] for i in batch], kept))
                for i in batch:
                    result[i] = list(islice(flat, len(targets[i])))
                if at >= 0:
                    batch, longest, rows = [], max(len(sources[at]), *map(len, targets[at])), len(targets[at])
            batch.append(at)
        return result

    def _encode(self, texts: list[str]) -> list[list[int]]:
        return [[*ids[: _LONGEST - 1], 0] for ids in self.pieces.encode(texts)]

    def _batch(self, sources: list[list[int]], targets: list[list[list[int]]], kept: torch.Tensor) -> list[float]:
        pad = self.model.config.pad_token_id
        flat = [ids for rows in targets for ids in rows]
        x, y = _padded(sources, pad), _padded(flat, -1)
        owner = torch.tensor([i for i, rows in enumerate(targets) for _ in rows])
        mask = (x != pad).long()
        inputs = torch.cat([torch.full((len(y), 1), pad), torch.where(y < 0, pad, y)[:, :-1]], 1)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            memory = self.model.model.encoder(input_ids=x, attention_mask=mask).last_hidden_state
            hidden = self.model.model.decoder(
                input_ids=inputs,
                encoder_hidden_states=memory[owner],
                encoder_attention_mask=mask[owner],
                use_cache=False,
            ).last_hidden_state
        weight = self.model.lm_head.weight[kept].to(torch.bfloat16)
        bias = self.model.final_logits_bias[0, kept]
        real = y >= 0
        states, ids = hidden[real].to(torch.bfloat16), torch.searchsorted(kept, y[real])
        chosen = torch.empty(len(ids))
        for start in range(0, len(ids), _ROWS):
            rows = slice(start, start + _ROWS)
            scores = (states[rows] @ weight.T).float() + bias
            chosen[rows] = scores.gather(1, ids[rows, None])[:, 0] - torch.logsumexp(scores, 1)
        spread = torch.zeros(y.shape)
        spread[real] = chosen
        return spread.sum(1).tolist()  # type: ignore[no-any-return]


def _padded(rows: list[list[int]], fill: int) -> torch.Tensor:
    block = np.full((len(rows), max(map(len, rows))), fill, np.int64)
    for j, row in enumerate(rows):
        block[j, : len(row)] = row
    return torch.from_numpy(block)


def likeliest(first: Sequence[float], second: Sequence[float]) -> int:
    """Index of the candidate with the highest sum of two log-probabilities; the first among equals."""
    return max(range(len(first)), key=lambda at: first[at] + second[at])


class Student:
    """A Marian folder that translates and scores.

    Args:
        folder: the model, as of :class:`distil.FolderTeacher`.
        work: where to put a converted model.
        hypotheses: translations per sentence.
    """

    def __init__(self, folder: Path, work: Path, hypotheses: int) -> None:
        self.model = FolderTeacher(folder, work, 4, hypotheses)

    def translate(self, lines: Sequence[str]) -> list[list[str]]:
        """The best translations of each line."""
        return [list(dict.fromkeys(hypotheses)) for hypotheses, _ in self.model.translate(lines)]

    def log_probabilities(self, groups: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        """Log-probability (nats) of each translation of each source."""
        longest = min(self.model.longest, _LONGEST) - 1
        sources = [
            [*self.model.source.encode(source, out_type=str)[:longest], "</s>"]
            for source, translations in groups
            for _ in translations
        ]
        targets = [
            self.model.target.encode(translation, out_type=str)[:longest]
            for _, translations in groups
            for translation in translations
        ]
        scores = self.model.translator.score_batch(sources, targets, max_batch_size=4096, batch_type="tokens")
        values = iter([sum(score.log_probs) for score in scores])
        return [list(islice(values, len(translations))) for _, translations in groups]


def rerank(recipe: Recipe, minutes: float | None = None) -> int:
    """Runs the step; returns the number of sentences worked on.

    Args:
        recipe: options and folders.
        minutes: stop after so many.
    """
    options = recipe.table("rerank")
    chosen, least = options.get("sets"), float(options.get("least", -1.2))
    if not options.get("folder"):
        raise SystemExit("rerank.folder is empty: name a Marian or CTranslate2 folder, e.g. models/es-en")
    out_folder = recipe.work / "reranked"
    out_folder.mkdir(exist_ok=True)
    pivot = PivotTeacher()
    student = Student(Path(options["folder"]).expanduser(), recipe.work, int(options.get("hypotheses", 3)))
    torch.set_num_threads(cores())  # CTranslate2 leaves OpenMP with a single one
    parent = Parent.of(*read_parent(recipe))
    begin, total, theirs = time.time(), 0, 0
    for name, files in distilled_sets(recipe).items():
        if chosen and name not in chosen:
            continue
        out, done = out_folder / f"{name}.tsv", 0
        if out.is_file():
            without_torn_end(out)
            done = sum(1 for _ in distilled_rows([out]))
        rows = islice(distilled_rows(files), done, None)
        while chunk := list(islice(rows, int(options.get("chunk", 2000)))):
            if minutes and time.time() - begin > 60 * minutes:
                return total
            sources = [normalise(source) for source, _, _ in chunk]
            candidates = [
                [text for text in dict.fromkeys([translation, *own]) if text] or [""]
                for (_, translation, _), own in zip(chunk, student.translate(sources), strict=True)
            ]
            halfway = [without_marks(line) for line in pivot.halfway(sources)]
            first = student.log_probabilities(list(zip(sources, candidates, strict=True)))
            second = parent.log_probabilities(list(zip(halfway, candidates, strict=True)))
            with out.open("a", encoding="utf-8") as file:
                for (source, translation, _), mine, a, b in zip(chunk, candidates, first, second, strict=True):
                    at = likeliest(a, b)
                    theirs += mine[at] == translation
                    unlikely = min(a[at], b[at]) < least * len(mine[at].split())
                    text = mine[at].replace("\t", " ")
                    file.write(f"{source}\t{text}\t{unlikely:d}\t{a[at]:.2f}\t{b[at]:.2f}\n")
            total += len(chunk)
            rate = total / (time.time() - begin)
            print(f"{done + total} sentences, {rate:.0f} a second ({name})", file=sys.stderr, flush=True)
    print(f"{total} sentences, {theirs} with the teacher's translation")
    return total
