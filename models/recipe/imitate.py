"""Second half of the warm start: self-attention learns to do what the parent's recurrent unit does.

The parent decodes with a simpler simple recurrent unit (SSRU; Kim et al. 2019), which ``MarianMTModel`` does
not have. Each new self-attention layer is fitted to the outputs of the unit it replaces, on the inputs that
the unit sees while the parent's decoder reads our target sentences: a local regression, far cheaper than
learning through the loss (measured on the first batches, nats per token: parent's unit 3.98, fitted layers
5.32 after 100 steps, a uniform average over the prefix 10.2).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from transformers import MarianMTModel

from train import Batches, has_fast_bfloat16


class RecurrentUnit(nn.Module):
    """The parent's SSRU layer, callable in place of a self-attention layer; remembers its last input and output."""

    def __init__(self, parent: dict[str, np.ndarray], layer: int) -> None:
        super().__init__()
        self.value, self.gate, self.offset = (
            torch.from_numpy(parent[f"decoder_l{layer}_rnn_{k}"]) for k in ("W", "Wf", "bf")
        )
        self.seen: tuple[torch.Tensor, torch.Tensor] | None = None

    def forward(self, hidden_states: torch.Tensor, **_: object) -> tuple[torch.Tensor, None]:
        """(batch, length, width) → (the same shape, no attention weights)."""
        forget = torch.sigmoid(hidden_states @ self.gate + self.offset).float()
        fresh = (1 - forget) * (hidden_states @ self.value)
        state, states = torch.zeros_like(fresh[:, 0]), torch.empty_like(fresh)
        for t in range(fresh.shape[1]):
            state = torch.addcmul(fresh[:, t], forget[:, t], state)
            states[:, t] = state
        self.seen = (hidden_states.float(), torch.relu(states))
        return self.seen[1].to(hidden_states.dtype), None


def causal(attention: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Output of a Marian self-attention layer over the prefix of every position."""
    rows, length, width = x.shape
    q, k, v = (
        p(x).view(rows, length, attention.num_heads, -1).transpose(1, 2)
        for p in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return attention.out_proj(mixed.transpose(1, 2).reshape(rows, length, width))


def fit_self_attention(
    model: MarianMTModel, parent: dict[str, np.ndarray], batches: Batches, steps: int, rate: float = 2e-3
) -> None:
    """Fits the decoder's self-attention layers in place; prints the share of variance left unexplained per layer."""
    layers = model.model.decoder.layers
    attentions = [layer.self_attn for layer in layers]
    units = [RecurrentUnit(parent, number + 1) for number in range(len(layers))]
    for layer, unit, attention in zip(layers, units, attentions, strict=True):
        layer.self_attn = unit
        nn.init.normal_(attention.q_proj.weight, std=0.06)
        nn.init.normal_(attention.k_proj.weight, std=0.06)
    weights = [p for attention in attentions for p in attention.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)
    pad = model.config.pad_token_id
    order = batches.epoch(0)
    bfloat16 = has_fast_bfloat16()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50) * max(0.02, 1 - step / steps)
        x, y = batches.tensors(order[step % len(order)])
        inputs = torch.cat([torch.full((len(y), 1), pad), torch.where(y == -100, pad, y)[:, :-1]], 1)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            model.model(input_ids=x, attention_mask=(x != pad).long(), decoder_input_ids=inputs)
        real, loss, unexplained = y != -100, torch.zeros(()), []
        for layer, unit, attention in zip(layers, units, attentions, strict=True):
            assert unit.seen is not None
            seen, wanted = unit.seen
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
                got = causal(attention, seen)
            norm = layer.self_attn_layer_norm
            target = norm(seen + wanted)[real]
            error = (norm(seen + got.float())[real] - target).square().mean()
            unexplained.append(float(error / (norm(seen)[real] - target).square().mean()))
            loss = loss + error
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        if (step + 1) % 50 == 0:
            print(
                f"imitation {step + 1}/{steps}: left unexplained {', '.join(f'{u:.3f}' for u in unexplained)}",
                flush=True,
            )
    for layer, attention in zip(layers, attentions, strict=True):
        layer.self_attn = attention
