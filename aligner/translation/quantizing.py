"""8-bit weights that mean the same on every processor.

Products of 8-bit numbers are added in pairs before they are widened on processors without VNNI (AVX2 alone, as most
before 2020): 255 × 127 × 2 does not fit into the 16 bits that the instruction (``vpmaddubsw``) has for the sum,
which is then cut to 32,767 (oneDNN, "Nuances of int8 computations"). CTranslate2 spreads weights over ±127, so its
int8 models translate worse there. Weights within ±63 leave room for every such sum, at the price of one bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

#: Largest weight of an 8-bit build: 2 × 255 × 63 fits into 16 bits with a sign.
LIMIT = 63


def write_build(converter: Any, output: Path, quantization: str) -> None:
    """Runs a CTranslate2 converter; 8-bit weights are kept within :data:`LIMIT`.

    Args:
        converter: a ``ctranslate2.converters.Converter``.
        output: folder of the build, empty or not there.
        quantization: as CTranslate2's, ``int8`` and the like, ``float16`` …

    Raises:
        RuntimeError: CTranslate2 does not know the kind of model.
        ValueError: weights are missing, or the quantization is unknown.
    """
    spec = converter._load()
    if spec is None:
        raise RuntimeError("CTranslate2 does not know this kind of model")
    spec.validate()
    if quantization.startswith("int8"):
        _narrow(spec, others=quantization.removeprefix("int8").removeprefix("_") or "float32")
    else:
        spec.optimize(quantization=quantization)
    output.mkdir(parents=True, exist_ok=True)
    spec.save(str(output))


def _narrow(spec: Any, others: str) -> None:
    """Turns the matrices of a model into 8-bit rows, each with its scale, and all else into the type ``others``."""
    from ctranslate2.specs.model_spec import NumpyVariable, Variable, visit_spec

    matrices = {}

    def keep(layer: Any, name: str, value: Any) -> None:
        if isinstance(value, Variable) and not value.is_scalar() and hasattr(layer, f"{name.rpartition('/')[2]}_scale"):
            matrices[name] = value.to("float32").numpy()

    def narrow(layer: Any, name: str, value: Any) -> None:
        if name in matrices and isinstance(value, Variable):  # else the name of an equal one
            rows, scales = narrowed(matrices[name])
            key = name.rpartition("/")[2]
            setattr(layer, key, NumpyVariable(rows))
            setattr(layer, f"{key}_scale", NumpyVariable(scales))

    visit_spec(spec, keep)
    spec.optimize(quantization=others)
    visit_spec(spec, narrow)


def narrowed(weights: np.ndarray[Any, np.dtype[np.float32]]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Weights as 8-bit integers within :data:`LIMIT`, a scale for each row.

    Args:
        weights: (rows, …), float32.

    Returns:
        Integers of the same shape, and scales (rows,) that they were multiplied by.
    """
    flat = weights.reshape(len(weights), -1)
    largest = np.abs(flat).max(axis=1)
    least = np.float32(LIMIT) / np.finfo(np.float32).max  # below it a scale would be infinite
    scales = np.float32(LIMIT) / np.where(largest == 0, np.float32(1), np.maximum(largest, least))
    return np.rint(flat * scales[:, None]).astype(np.int8).reshape(weights.shape), scales
