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
        UsageError: an unknown figure (the known ones are listed), no number, or the wrong kind of limit; all of
            them are listed.
    """
    gates, problems = [], []
    for option, texts, higher in (("--fail-under", under, True), ("--fail-over", over, False)):
        for text in texts:
            try:
                gates.append(_gate(text, higher))
            except ValueError as error:
                problems.append(f"{option} {text}: {error}")
    if problems:
        raise UsageError("\n".join(problems))
    return gates


def _gate(text: str, higher_is_better: bool) -> Gate:
    """The gate that a ``FIGURE=LIMIT`` argument says, or a ValueError that says what is wrong with it."""
    name, _, limit = text.partition("=")
    name = name.strip().lower()
    figure = FIGURES.get(name) or FIGURES.get(f"mt.{name}")
    if figure is None:
        raise ValueError(f"unknown figure {name!r}; known: {', '.join(FIGURES)}")
    try:
        value = float(limit)
    except ValueError:
        raise ValueError(f"needs a number, as in {figure.name}=0.9") from None
    if figure.higher_is_better is not higher_is_better:
        better, other = ("higher", "--fail-under") if figure.higher_is_better else ("lower", "--fail-over")
        raise ValueError(f"{better} is better for {figure.name}; use {other}")
    top = 1.0 if figure.unit == "share" else 100.0
    if not value >= 0 or (value > top and figure.name != "mt.ter"):
        raise ValueError(f"{figure.name} lies between 0 and {top:g}")
    return Gate(figure.name, value)


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
