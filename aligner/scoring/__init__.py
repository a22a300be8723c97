"""Scores of runs and translations: finder, links, documents and, through sacrebleu, machine translation."""

from __future__ import annotations

from aligner.scoring.evaluation import Scores, Settings, SystemScores, Value, score_runs, score_texts
from aligner.scoring.figures import FIGURES, Figure
from aligner.scoring.gates import Gate, judge, parse
from aligner.scoring.gold import Gold, load
from aligner.scoring.runs import Run

__all__ = [
    "FIGURES",
    "Figure",
    "Gate",
    "Gold",
    "Run",
    "Scores",
    "Settings",
    "SystemScores",
    "Value",
    "judge",
    "load",
    "parse",
    "score_runs",
    "score_texts",
]
