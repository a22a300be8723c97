"""Conditional logit over an article's paragraphs and "none of them" (McFadden 1974), with weights fitted by ``fit.py``.

Each paragraph's score is a weighted sum of its features; a softmax turns scores into shares of probability. Several
paragraphs can be right for one caption, so the share of the best one is no probability of being right: a logistic
fitted on held-out documents (Platt 1999) maps it to one.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aligner.context.features import NONE, PAIR
from aligner.context.vectors import Matrix
from aligner.resources import data

FEATURES = PAIR + NONE


@dataclass(frozen=True, slots=True)
class Model:
    """Fitted weights.

    Attributes:
        weights: one per feature, in the order of ``FEATURES``.
        slope: of the calibration, on the log-odds of the best choice's share.
        offset: of the calibration.
    """

    weights: NDArray[np.float64]
    slope: float = 1.0
    offset: float = 0.0

    def shares(self, table: Matrix) -> NDArray[np.float64]:
        """Softmax over the rows of a feature table: paragraphs, then "none of them"."""
        scores = table @ self.weights
        shares: NDArray[np.float64] = np.exp(scores - scores.max())
        shares /= shares.sum()
        return shares

    def probability(self, share: float) -> float:
        """Calibrated probability that the choice with that share is right."""
        share = min(max(share, 1e-6), 1 - 1e-6)
        return 1 / (1 + math.exp(-self.slope * math.log(share / (1 - share)) - self.offset))


def read(path: Path) -> Model:
    """The model of a file that ``fit.py`` wrote."""
    stored = json.loads(path.read_text(encoding="utf8"))
    return Model(np.array([stored["weights"][feature] for feature in FEATURES]), stored["slope"], stored["offset"])


@lru_cache(maxsize=1)
def bundled_model() -> Model:
    """The model that comes with the package."""
    return read(data("link.json"))
