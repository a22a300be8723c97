"""The training loss: cross-entropy over the vocabulary with its gradient made in the same pass."""

from __future__ import annotations

from typing import Any

import torch
from transformers import MarianMTModel

#: Target id that no loss is counted for.
IGNORED = -100
#: Rows of logits that are worked on at once: they stay in the processor's cache.
_ROWS = 128
#: Products of matrices run some 20 % faster when their rows are a multiple of this.
ALIGNED = 16


class _CrossEntropy(torch.autograd.Function):
    """Mean cross-entropy of ``hidden @ weight.T + bias``; the logits are overwritten by their gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        targets: torch.Tensor,
        smoothing: float,
    ) -> torch.Tensor:
        logits = hidden @ weight.T
        counted = targets != IGNORED
        number = int(counted.sum())
        share = (counted.float() / number).unsqueeze(1)
        ids = targets.clamp(min=0).unsqueeze(1)
        spread = smoothing / logits.shape[1]
        total = torch.zeros(())
        for start in range(0, len(targets), _ROWS):
            rows = slice(start, start + _ROWS)
            scores = logits[rows].float() + bias
            normaliser = torch.logsumexp(scores, 1, keepdim=True)
            loss = normaliser - (1 - smoothing) * scores.gather(1, ids[rows])
            if smoothing:
                loss -= spread * scores.sum(1, keepdim=True)
            total += (loss * share[rows]).sum()
            gradient = scores.sub_(normaliser).exp_()  # of softmax cross-entropy: probability less target
            gradient.scatter_add_(1, ids[rows], torch.full_like(ids[rows], smoothing - 1, dtype=gradient.dtype))
            logits[rows] = gradient.sub_(spread).mul_(share[rows]) if smoothing else gradient.mul_(share[rows])
        ctx.save_for_backward(hidden, weight, logits)
        return total

    @staticmethod
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        hidden, weight, gradient = ctx.saved_tensors
        return (gradient @ weight) * outer[0], (gradient.T @ hidden) * outer[0], None, None, None


def cross_entropy(
    hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor, smoothing: float
) -> torch.Tensor:
    """Mean label-smoothed cross-entropy (nats per target) of ``hidden @ weight.T + bias``.

    Args:
        hidden: (targets, width).
        weight: (vocabulary, width), of hidden's type.
        bias: (1, vocabulary); it gets no gradient.
        targets: ids (targets,); ``IGNORED`` ones do not count.
        smoothing: probability spread evenly over the vocabulary (Szegedy et al. 2016), 0 to 1.
    """
    loss: torch.Tensor = _CrossEntropy.apply(hidden, weight, bias, targets, smoothing)
    return loss


def loss_of(
    model: MarianMTModel,
    x: torch.Tensor,
    y: torch.Tensor,
    smoothing: float,
    bfloat16: bool,
    pieces: torch.Tensor | None = None,
) -> tuple[torch.Tensor, int]:
    """Loss of a batch.

    Args:
        model: the model under training; its output bias is not trained.
        x: source ids (rows, source length), padded with the model's pad id.
        y: target ids (rows, target length), padded with ``IGNORED``.
        smoothing: as of ``cross_entropy``.
        bfloat16: multiply matrices in bfloat16.
        pieces: ids, ascending, that the softmax is taken over; every target is one of them. None takes all.

    Returns:
        The loss (nats per token, a scalar with gradient) and the number of tokens.
    """
    pad = model.config.pad_token_id
    inputs = torch.cat([torch.full((len(y), 1), pad), torch.where(y == IGNORED, pad, y)[:, :-1]], 1)
    targets = y.flatten()
    rows, number = _rows(targets)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        hidden = model.model(input_ids=x, attention_mask=(x != pad).long(), decoder_input_ids=inputs).last_hidden_state
    kind = torch.bfloat16 if bfloat16 else torch.float32
    hidden, targets = hidden.flatten(0, 1)[rows].to(kind), targets[rows]
    weight, bias = model.lm_head.weight, model.final_logits_bias
    if pieces is not None:
        weight, bias = weight.index_select(0, pieces), bias[:, pieces]
        targets = torch.where(targets == IGNORED, IGNORED, torch.searchsorted(pieces, targets))
    return cross_entropy(hidden, weight.to(kind), bias, targets, smoothing), number


def _rows(targets: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Positions with a target, filled up with ignored ones to an aligned number, and how many have one."""
    counted = targets != IGNORED
    rows = torch.nonzero(counted).flatten()
    missing = -len(rows) % ALIGNED
    return torch.cat([rows, torch.nonzero(~counted).flatten()[:missing]]), len(rows)
