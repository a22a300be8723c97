"""Step train: Muon on the matrices, AdamW on the rest, bfloat16 where the processor has it; resumes to the step.

One checkpoint file (``checkpoint.pt``, read with ``weights_only``) holds weights, their moving average,
optimiser states and position; it is replaced atomically. ``log.jsonl`` gets a line per report and per
validation. Run it with tcmalloc preloaded where there is one: large tensors are then not given back to the
kernel each step.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import MarianMTModel

from common import LIMIT, Recipe, cores
from loss import ALIGNED, IGNORED, loss_of
from muon import StackedMuon
from warmstart import fresh_model, read_parent, warm_start


def has_fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 matrices natively."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


class Batches:
    """Batches of similar lengths in an order that depends on seed and epoch alone."""

    def __init__(self, file: Path, batch_tokens: int, seed: int, pad: int) -> None:
        data = np.load(file)
        self.s, self.so, self.t, self.to = data["s"], data["so"], data["t"], data["to"]
        lengths = np.diff(self.so), np.diff(self.to)
        self.longest, self.shortest = np.maximum(*lengths), np.minimum(*lengths)
        self.batch_tokens, self.seed, self.pad = batch_tokens, seed, pad

    def epoch(self, number: int) -> list[np.ndarray]:
        """Row numbers of each batch of an epoch."""
        rng = np.random.default_rng((self.seed, number))
        # both sides of a batch are alike in length, so that little of either is padding
        order = np.lexsort((self.shortest + rng.random(len(self.longest)) * 2, self.longest))
        batches, start = [], 0
        longest = self.longest[order]
        while start < len(order):
            size, end = 0, start
            while end < len(order) and max(size, longest[end]) * (end - start + 1) <= self.batch_tokens:
                size = max(size, int(longest[end]))
                end += 1
            if end - start > ALIGNED:
                end -= (end - start) % ALIGNED
            end = max(end, start + 1)
            batches.append(order[start:end])
            start = end
        rng.shuffle(batches)  # type: ignore[arg-type]
        return batches

    def tensors(self, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Source ids (rows, length) padded with the pad id, target ids padded with ``IGNORED``."""
        sides = []
        for ids, offsets, fill in ((self.s, self.so, self.pad), (self.t, self.to, IGNORED)):
            lengths = offsets[rows + 1] - offsets[rows]
            block = np.full((len(rows), lengths.max()), fill, np.int64)
            for j, (row, length) in enumerate(zip(rows, lengths, strict=True)):
                block[j, :length] = ids[offsets[row] : offsets[row] + length]
            sides.append(torch.from_numpy(block))
        return sides[0], sides[1]


def set_dropout(model: MarianMTModel, rate: float) -> None:
    """Dropout on residual branches only."""
    for module in model.modules():
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = rate if hasattr(module, "fc1") or hasattr(module, "layers") else 0.0
        for name in ("activation_dropout", "attention_dropout"):
            if hasattr(module, name):
                setattr(module, name, 0.0)


def optimisers(
    model: MarianMTModel, options: dict[str, Any], bfloat16: bool = True
) -> list[tuple[torch.optim.Optimizer, float]]:
    """(optimiser, base rate): Muon (Jordan et al. 2024) for hidden matrices, AdamW for embeddings, norms and biases."""
    hidden = [
        p
        for n, p in model.named_parameters()
        if p.ndim == 2 and p.requires_grad and not any(k in n for k in ("embed", "shared", "lm_head"))
    ]
    taken = {id(p) for p in hidden}
    rest = [p for p in model.parameters() if p.requires_grad and id(p) not in taken]
    muon = StackedMuon(
        hidden,
        lr=options["muon_lr"],
        weight_decay=options["weight_decay"],
        momentum=0.95,
        adjust_lr_fn="original",
        bfloat16=bfloat16,
    )
    adam = torch.optim.AdamW(rest, lr=options["adam_lr"], betas=(0.9, 0.98), eps=1e-9, weight_decay=0.0, fused=True)
    return [(muon, options["muon_lr"]), (adam, options["adam_lr"])]


def read_checkpoint(file: Path) -> dict[str, Any]:
    """A training state.

    Raises:
        SystemExit: the file is damaged.
    """
    try:
        return dict(torch.load(file, weights_only=True))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError) as error:
        raise SystemExit(f"{file}: cannot be read ({error}); put a copy back, or delete it to begin anew") from None


def fill(model: MarianMTModel, state: dict[str, torch.Tensor], file: Path) -> None:
    """Puts a checkpoint's weights into a model.

    Raises:
        SystemExit: the model has other sizes.
    """
    sizes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if sizes != {name: tuple(value.shape) for name, value in state.items()}:
        raise SystemExit(
            f"{file}: made with other sizes ([model] of the options) or another vocabulary; every step needs the "
            "same --options and --set as the first, else name another --work"
        )
    model.load_state_dict(state)


class Trainer:
    """Training state and its loop."""

    def __init__(self, recipe: Recipe, pairs: Path) -> None:
        self.recipe, self.options = recipe, recipe.options["train"]
        self.file = recipe.work / "checkpoint.pt"
        resumed = read_checkpoint(self.file) if self.file.exists() else None
        self.model = fresh_model(recipe) if resumed else warm_start(recipe)
        # on processors the fused kernels (sdpa) take four times as long backwards on short sentences
        self.model.set_attn_implementation("eager")
        set_dropout(self.model, self.options["dropout"])
        self.pad = self.model.config.pad_token_id
        self.batches = Batches(pairs, self.options["batch_tokens"], recipe.seed, self.pad)
        warm = recipe.options["warmstart"]
        transfers = bool(warm["package"]) and not warm.get("folder")
        if not resumed and transfers and warm.get("imitation_steps"):
            from imitate import fit_self_attention

            small = Batches(pairs, self.options["batch_tokens"] // 2, recipe.seed, self.pad)
            fit_self_attention(self.model, read_parent(recipe)[0], small, warm["imitation_steps"])
        precision = self.options.get("precision", "auto")
        if precision not in ("auto", "bfloat16", "float32"):
            raise SystemExit(f"train.precision is {precision!r}; known: auto, bfloat16, float32")
        self.bfloat16 = has_fast_bfloat16() if precision == "auto" else precision == "bfloat16"
        self.optimisers = optimisers(self.model, self.options, self.bfloat16)
        self.average = {n: p.detach().clone() for n, p in self.model.named_parameters()}
        self.step = self.tokens = self.epoch = self.batch = 0
        self.seconds = 0.0
        self.data_id = f"{len(self.batches.longest)}-{len(self.batches.t)}"
        if resumed:
            fill(self.model, resumed["model"], self.file)
            self.model.tie_weights()
            self.average = resumed["average"]
            for (optimiser, _), state in zip(self.optimisers, resumed["optimisers"], strict=True):
                optimiser.load_state_dict(state)
            self.step, self.tokens, self.seconds = resumed["step"], resumed["tokens"], resumed["seconds"]
            if resumed["data"] == self.data_id:
                self.epoch, self.batch = resumed["epoch"], resumed["batch"]
            else:  # new data: begin its first epoch
                self.epoch = resumed["epoch"] + 1
        self.target_pieces = torch.from_numpy(np.unique(self.batches.t).astype(np.int64))
        self.stopped = False
        self.adapting = False
        self.adapt_steps = self.options["adapt_steps"] if transfers else 0

    def adapt(self) -> None:
        """Lets only the decoder's self-attention learn during the first steps of a warm start.

        It alone is new: until it works, its errors would wash out what the parent knows.
        """
        adapting = self.step < self.adapt_steps
        if adapting != self.adapting:
            self.adapting = adapting
            for name, value in self.model.named_parameters():
                if "embed_positions" not in name:
                    value.requires_grad_(not adapting or ("decoder" in name and "self_attn" in name))

    @contextlib.contextmanager
    def rounded(self) -> Iterator[None]:
        """With ``train.rounded``, the matrices that learn have, inside the block, the values of an 8-bit build.

        The gradient made so moves the weights that they were rounded from (straight-through estimator, Bengio et al.
        2013).
        """
        if not self.options.get("rounded"):
            yield
            return
        kept = [(p, p.detach().clone()) for p in self.model.parameters() if p.ndim == 2 and p.requires_grad]
        with torch.no_grad():
            for p, _ in kept:
                scales = LIMIT / p.abs().amax(1, keepdim=True).clamp(min=1e-20)
                p.mul_(scales).round_().div_(scales)
        try:
            yield
        finally:
            with torch.no_grad():
                for p, before in kept:
                    p.copy_(before)

    def save(self) -> None:
        """Replaces the checkpoint atomically."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average,
            "optimisers": [o.state_dict() for o, _ in self.optimisers],
            "step": self.step,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "epoch": self.epoch,
            "batch": self.batch,
            "data": self.data_id,
        }
        temporary = self.file.with_suffix(".part")
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())  # else a power cut can leave the new name with no content
        temporary.replace(self.file)

    def snapshot(self) -> None:
        """Keeps the weights of this step for averaging; the oldest of ``snapshots`` go."""
        folder = self.recipe.work / "snapshots"
        folder.mkdir(exist_ok=True)
        temporary = folder / "snapshot.part"
        torch.save({n: p.detach() for n, p in self.model.named_parameters()}, temporary)
        temporary.replace(folder / f"{self.step:08d}.pt")
        for old in sorted(folder.glob("*.pt"))[: -int(self.options.get("snapshots", 5))]:
            old.unlink()

    def averaged(self) -> MarianMTModel:
        """A copy of the model with the moving average of the weights."""
        model = fresh_model(self.recipe)
        model.load_state_dict(self.model.state_dict())
        with torch.no_grad():
            # by parameter: the state's names of tied weights (lm_head and the like) would write the raw ones
            # over them
            for name, value in model.named_parameters():
                value.copy_(self.average[name])
        return model.eval()

    def rate(self) -> float:
        """Share of the base learning rates at this step: warm-up, constant, linear decay over the last tokens."""
        if self.adapting:
            return float(self.options["adapt_rate"])
        left = self.options["target_tokens"] - self.tokens
        decay = min(1.0, left / self.options["decay_tokens"]) if self.options["decay_tokens"] else 1.0
        warm = min(1.0, (self.step + 1 - self.adapt_steps) / self.options["warmup"])
        return max(warm * decay, 1e-3)

    def order(self) -> Iterator[np.ndarray]:
        """Batches from the current position on, for ever."""
        while True:
            batches = self.batches.epoch(self.epoch)
            while self.batch < len(batches):
                self.batch += 1
                yield batches[self.batch - 1]
            self.epoch, self.batch = self.epoch + 1, 0

    def log(self, **record: Any) -> None:
        """Appends a line to the log and prints it."""
        record = {"step": self.step, "tokens": self.tokens, "hours": round(self.seconds / 3600, 3), **record}
        with (self.recipe.work / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)

    def run(self, validate: Any = None, minutes: float | None = None, steps: int | None = None) -> None:
        """Trains until ``target_tokens``, the time is up, or SIGTERM/SIGINT; saves at the end.

        Args:
            validate: called with the averaged model every ``validate_steps``; returns figures to log.
            minutes: stop after so many minutes of this call.
            steps: stop after so many steps of this call.
        """
        begin = saved = last = reported = time.time()
        total, count, since, until = 0.0, 0, self.tokens, self.step + steps if steps else None
        self.model.train()
        order = self.order()
        decay = self.options["ema"]
        keep_every = int(self.options.get("snapshot_steps", 0))

        def report() -> None:
            nonlocal total, count, since, reported
            now = time.time()
            self.log(
                loss=round(total / count, 4),
                tokens_per_second=round((self.tokens - since) / max(now - reported, 1e-3)),
                rate=round(self.rate(), 4),
                epoch=self.epoch,
            )
            total, count, since, reported = 0.0, 0, self.tokens, now

        with self._stoppable(), progress(self.options["target_tokens"], self.tokens) as advance:
            while self.tokens < self.options["target_tokens"] and not self.stopped:
                self.adapt()
                share = self.rate()
                for optimiser, base in self.optimisers:
                    for group in optimiser.param_groups:
                        group["lr"] = base * share
                x, y = self.batches.tensors(next(order))
                # dropout depends on seed and step alone, so that a resumed run equals an undisturbed one
                torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)
                # a third of the pieces are the source's alone; that they are never right is learnt while the rate falls
                pieces = self.target_pieces if share == 1.0 else None
                with self.rounded():
                    loss, tokens = loss_of(self.model, x, y, self.options["label_smoothing"], self.bfloat16, pieces)
                    loss.backward()
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                for optimiser, _ in self.optimisers:
                    optimiser.step()
                    optimiser.zero_grad(set_to_none=True)
                self.step += 1
                self.tokens += tokens
                total, count = total + loss.item(), count + 1
                with torch.no_grad():
                    # Marian starts decoding from a zero vector: the start token must embed to zero
                    self.model.model.shared.weight[self.pad].zero_()
                    weight = 1 - min(decay, (self.step + 1) / (self.step + 10))
                    for name, value in self.model.named_parameters():
                        self.average[name].lerp_(value.detach(), weight)
                now = time.time()
                self.seconds, last = self.seconds + now - last, now
                advance(tokens, f"step {self.step} loss {total / count:.3f}")
                if self.step % 50 == 0:
                    report()
                if validate and self.step % self.options["validate_steps"] == 0:
                    threads = torch.get_num_threads()
                    self.log(**validate(self.averaged(), self.recipe))
                    torch.set_num_threads(threads)  # CTranslate2 leaves OpenMP with a single one
                    last = time.time()
                    reported += last - now
                if keep_every and self.step % keep_every == 0:
                    self.snapshot()
                if now - saved > 60 * self.options["checkpoint_minutes"]:
                    self.save()
                    saved = time.time()
                if (minutes and now - begin > 60 * minutes) or (until and self.step >= until):
                    break
        if count:
            report()
        self.save()

    @contextlib.contextmanager
    def _stoppable(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C end the loop after the step under way."""

        def stop(*_: object) -> None:
            self.stopped = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def progress(total: float, done: float) -> Iterator[Callable[[int, str], None]]:
    """A bar on stderr where that is a terminal; yields what moves it on by a number of tokens and sets its text."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("train", total=total, completed=done)
        yield lambda tokens, text: bar.update(task, advance=tokens, description=text)


def train(recipe: Recipe, minutes: float | None = None, steps: int | None = None) -> Trainer:
    """Runs the step from where it was left, with validation; returns the trainer."""
    from evaluate import validate, validation_sets

    pairs = recipe.work / "pairs.npz"
    if not pairs.is_file():
        raise SystemExit(f"{pairs} is missing: run the step `vocabulary` first")
    validates = bool(validation_sets(recipe))
    torch.set_num_threads(int(recipe.options["train"].get("threads", 0)) or cores())
    trainer = Trainer(recipe, pairs)
    size = sum(p.numel() for p in trainer.model.parameters()) / 1e6
    print(
        f"{size:.1f} M parameters, {'bfloat16' if trainer.bfloat16 else 'float32'}, from step {trainer.step}, "
        f"{len(trainer.batches.longest)} pairs, {trainer.tokens / 1e6:.1f} M tokens seen",
        flush=True,
    )
    if trainer.tokens < recipe.options["train"]["target_tokens"]:
        trainer.run(validate if validates else None, minutes, steps)
    return trainer
