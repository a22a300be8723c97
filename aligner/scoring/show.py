"""Scores for people: a terminal table and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aligner.scoring import mt
from aligner.scoring.evaluation import Finding, Scores, SystemScores, Value
from aligner.scoring.figures import FEW, FIGURES
from aligner.scoring.gates import Verdict
from aligner.show import put, put_columns, styled, visible

# Figures of a slice that are shown; JSON has them all.
_SLICED = (
    "find.line.r",
    "find.line.f1",
    "find.span.r",
    "find.credit.exact",
    "link.accuracy",
    "mt.bleu",
    "mt.chrf2",
)
_LISTS = {
    "misses": "captions missed",
    "false_alarms": "false alarms",
    "spans": "captions with another text",
    "credits": "other credits",
    "links": "wrong links",
}
_LISTED = 20


def number(name: str, value: float | None) -> str:
    """A figure as it is printed: shares with three digits, sacrebleu's scores with one, as sacrebleu does."""
    if value is None:
        return "–"
    return f"{value:.1f}" if FIGURES[name].unit == "score" else f"{value:.3f}"


def cell(name: str, value: Value | None) -> str:
    """A figure with its 95 % interval."""
    if value is None:
        return ""
    text = number(name, value.value)
    if value.mean is not None and value.high is not None:
        return f"{text} ({number(name, value.mean)} ± {number(name, value.high - value.mean)})"
    if value.low is not None:
        return f"{text} ({number(name, value.low)}–{number(name, value.high)})"
    return text


def table(scores: Scores, verdicts: Sequence[Verdict] = ()) -> None:
    """Prints scores to stdout."""
    for title, header, rows in tables(scores):
        put(styled(title, "bold"))
        put_columns(header, rows)
        put("")
    put(*_remarks(scores))
    for verdict in verdicts:
        mark = styled("passed " if verdict.passed else "FAILED ", "green" if verdict.passed else "bold red")
        put(mark + styled(str(verdict)))


def markdown(scores: Scores, verdicts: Sequence[Verdict] = ()) -> str:
    """Scores as Markdown tables."""
    lines = []
    for title, header, rows in tables(scores):
        lines += [f"## {_escape(title)}", "", "| " + " | ".join(map(_escape, header)) + " |"]
        lines += ["|---|" + "---:|" * (len(header) - 1)]
        lines += ["| " + " | ".join(map(_escape, row)) + " |" for row in rows]
        lines.append("")
    lines += [f"- {_escape(line)}" for line in _remarks(scores)]
    lines += [f"- {'passed' if v.passed else '**failed**'}: {_escape(str(v))}" for v in verdicts]
    return "\n".join(lines).rstrip() + "\n"


def _escape(text: str) -> str:
    return (
        " ".join(visible(text).split())
        .replace("\\", "\\\\")
        .replace("|", "\\|")
        .replace("<", "&lt;")
        .replace("*", "\\*")
    )


def tables(scores: Scores) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Title, column heads and rows of every table of the scores."""
    systems = scores.systems
    names = [name for name in FIGURES if any(name in system.figures for system in systems)]
    rows = [[name, *(cell(name, s.figures.get(name)) for s in systems), _count(name, systems)] for name in names]
    intervals = any(value.low is not None for system in systems for value in system.figures.values())
    if rows:  # a run of the finder has none without gold
        yield (
            "Figures (95 % intervals)" if intervals else "Figures",
            ["figure", *(s.name for s in systems), "n"],
            rows,
        )
    if scores.comparisons:
        yield from _matrices(scores)
    for system in systems:
        shown = [name for name in _SLICED if any(name in part.figures for part in system.slices)]
        if shown:
            yield (
                f"{system.name} by kind of caption",
                ["captions", "n", *shown],
                [
                    [
                        f"{part.group}: {part.name}",
                        f"{part.n} (fewer than {FEW})" if part.few else str(part.n),
                        *(number(name, v.value) if (v := part.figures.get(name)) else "" for name in shown),
                    ]
                    for part in system.slices
                ],
            )


def _count(name: str, systems: Sequence[SystemScores]) -> str:
    counts = list(dict.fromkeys(str(s.figures[name].n) for s in systems if name in s.figures))
    return " / ".join(counts)


def _matrices(scores: Scores) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Per metric and test, the difference (column less row) and p of every pair of systems."""
    for metric, test in dict.fromkeys((c.metric, c.test) for c in scores.comparisons):
        pairs = {(c.first, c.second): c for c in scores.comparisons if (c.metric, c.test) == (metric, test)}
        firsts = list(dict.fromkeys(first for first, _ in pairs))
        seconds = list(dict.fromkeys(second for _, second in pairs))
        rows = [[a, *(_pair(pairs.get((a, b))) for b in seconds)] for a in firsts]
        few = ", too few to tell" if scores.compared < FEW else ""
        what = f"{mt.TESTS[test]}, {scores.compared} segments{few}"
        title = f"{mt.LABELS[metric]}: {what} (column less row; * p < 0.05)"
        yield title, ["row \\ column", *seconds], rows


def _pair(comparison: mt.Comparison | None) -> str:
    if comparison is None:
        return ""
    if comparison.identical:
        return "identical"
    shown = f"{comparison.difference:+.1f}"
    differs = comparison.p < 0.05 and float(shown) != 0
    return f"{shown} (p = {comparison.p:.4f}){'*' if differs else ''}"


def _remarks(scores: Scores) -> Iterator[str]:
    for system in scores.systems:
        for path in system.failed:
            missed = "; its captions count as missed" if "find.line.r" in system.figures else ""
            yield f"{system.name}: {path} could not be read{missed}"
        for kind, title in _LISTS.items():
            found: tuple[Finding, ...] = getattr(system, kind)
            for item in found[:_LISTED]:
                yield f"{system.name}: {title}: {item.document}:{item.line}: {_finding(kind, item)}"
            if len(found) > _LISTED:
                yield f"{system.name}: {title}: {len(found) - _LISTED} more (--format json lists all)"
    yield from scores.notes
    yield from signatures(scores)


def signatures(scores: Scores) -> list[str]:
    """Signatures of sacrebleu's scores, each with its metric and test."""
    lines = {
        f"{mt.LABELS[name.removeprefix('mt.')]}: {value.signature}"
        for system in scores.systems
        for name, value in system.figures.items()
        if value.signature
    } | {f"{mt.LABELS[c.metric]}, {mt.TESTS[c.test]}: {c.signature}" for c in scores.comparisons}
    return sorted(lines)


def _finding(kind: str, item: Finding) -> str:
    if kind in ("misses", "false_alarms"):
        return item.expected or item.found or ""
    return f"expected {item.expected or 'none'!r}, found {item.found or 'none'!r}"
