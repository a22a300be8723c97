"""Gates: figures that must not fall short, for continuous integration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aligner.errors import UsageError
from aligner.scoring.evaluation import Scores, SystemScores
from aligner.scoring.figures import FIGURES


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit for a figure: at least ``limit`` where higher is better, at most ``limit`` otherwise."""

    figure: str
    limit: float

    def __str__(self) -> str:
        return f"{self.figure} {'>=' if FIGURES[self.figure].higher_is_better else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a system fares at a gate.

    Attributes:
        system: the system's name.
        gate: the gate.
        value: what was measured; None if the figure was not.
        passed: whether the limit is kept.
    """

    system: str
    gate: Gate
    value: float | None
    passed: bool

    def __str__(self) -> str:
        measured = "not measured in this run" if self.value is None else f"{self.value:.4f}"
        return f"{self.system}: {self.gate.figure} is {measured}, must be {str(self.gate).split(' ', 1)[1]}"


def parse(under: Iterable[str], over: Iterable[str] = ()) -> list[Gate]:
    """Gates from ``FIGURE=LIMIT`` arguments; ``mt.`` may be left out.

    Args:
        under: figures that fail below their limit.
        over: figures that fail above it (where lower is better).

    Raises:
        UsageError: an unknown figure (the known ones are listed), no number, or the wrong kind of limit.
    """
    gates = []
    for option, texts, higher in (("--fail-under", under, True), ("--fail-over", over, False)):
        for text in texts:
            name, _, limit = text.partition("=")
            name = name.strip().lower()
            figure = FIGURES.get(name) or FIGURES.get(f"mt.{name}")
            if figure is None:
                raise UsageError(f"{option} {text}: unknown figure {name!r}; known: {', '.join(FIGURES)}")
            try:
                value = float(limit)
            except ValueError:
                raise UsageError(f"{option} {text}: needs a number, as in {figure.name}=0.9") from None
            if figure.higher_is_better is not higher:
                better, other = ("higher", "--fail-under") if figure.higher_is_better else ("lower", "--fail-over")
                raise UsageError(f"{option} {text}: {better} is better for {figure.name}; use {other}")
            top = 1.0 if figure.unit == "share" else 100.0
            if not value >= 0 or (value > top and figure.name != "mt.ter"):
                raise UsageError(f"{option} {text}: {figure.name} lies between 0 and {top:g}")
            gates.append(Gate(figure.name, value))
    return gates


def judge(scores: Scores, gates: Sequence[Gate]) -> list[Verdict]:
    """Every system but the baselines at every gate; a figure that was not measured fails its gate."""
    return [_verdict(system, gate) for system in scores.systems if system.kind != "baseline" for gate in gates]


def _verdict(system: SystemScores, gate: Gate) -> Verdict:
    measured = system.figures.get(gate.figure)
    value = measured.value if measured else None
    if value is None:
        return Verdict(system.name, gate, None, False)
    passed = value >= gate.limit if FIGURES[gate.figure].higher_is_better else value <= gate.limit
    return Verdict(system.name, gate, value, passed)
