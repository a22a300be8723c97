"""The charts of a report: Vega-Lite specifications, drawn as SVG by vl-convert without a browser or a network.

Colours are CSS variables of the page, so that a chart follows its light and dark colours, and every mark keeps the
label that Vega gives it for assistive technology. Systems differ in shape too, not in colour alone.
"""

from __future__ import annotations

import html
import importlib.util
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aligner.errors import UsageError, install
from aligner.report.model import Report
from aligner.scoring.evaluation import SystemScores
from aligner.scoring.figures import FEW
from aligner.scoring.slices import GROUPS
from aligner.show import visible

COLOURS = 6  # CSS variables --s1 .. --s6
# Width of every drawing: all are scaled alike, so that their letters are of one size.
_WIDTH = 400
_AXIS = 58
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "gridColor": "var(--hair)",
        "labelLimit": 230,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": 12,
        "title": None,
        "orient": "top",
        "symbolSize": 70,
        "symbolOpacity": 1,
        "labelLimit": 260,
    },
    "header": {"labelColor": "var(--muted)", "labelFontSize": 12},
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart.

    Attributes:
        title: what it shows.
        text: how to read it.
        svg: the drawing.
        header: column heads of its data table.
        rows: the data.
    """

    title: str
    text: str
    svg: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def require() -> None:
    """Looks for the packages that an HTML report needs.

    Raises:
        UsageError: Jinja2 or vl-convert is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("jinja2", "vl_convert")):
        raise UsageError(f"an HTML report needs vl-convert-python and Jinja2: {install('report')}")


def draw(report: Report) -> list[Chart]:
    """The charts for which a report has data.

    Raises:
        UsageError: vl-convert is not installed.
    """
    require()
    import vl_convert

    made: list[Chart] = []
    for chart in (_shares, _translation, _by_kind, _mt_by_kind, _lengths, _score_by_length, _distances):
        described = chart(report)
        if described is not None:
            title, text, spec, header, rows = described
            svg = vl_convert.vegalite_to_svg(_legible({"config": _CONFIG, **spec}))
            made.append(Chart(title, text, _inline(svg, title, len(made)), header, tuple(rows)))
    return made


def _legible(value: Any) -> Any:
    """A specification whose texts have no controls, at which vl-convert would end the process."""
    if isinstance(value, dict):
        return {key: _legible(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_legible(each) for each in value]
    return visible(value) if isinstance(value, str) else value


_Described = tuple[str, str, dict[str, Any], tuple[str, ...], Sequence[tuple[str, ...]]]


def _inline(svg: str, title: str, number: int) -> str:
    """The drawing as part of a page: named, scalable, with identifiers of its own."""
    svg = re.sub(r"\bclip(\d+)", rf"chart{number}-clip\1", svg)
    svg = re.sub(r"\bgradient_", f"chart{number}-gradient_", svg)
    name = html.escape(title, quote=True)
    opening = f'<svg role="graphics-document" aria-roledescription="chart" aria-label="{name}" '
    return svg.replace("<svg ", opening, 1).replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")


def _colour(report: Report, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Colour and shape by system; with one system, neither says anything and there is no legend."""
    everyone = [system.name for system in report.scores.systems]
    present = {row["system"] for row in rows}
    names = [name for name in everyone if name in present]
    legend: dict[str, Any] = {} if len(names) > 1 else {"legend": None}
    colours = [f"var(--s{everyone.index(name) % COLOURS + 1})" for name in names]
    return {
        "color": {"field": "system", "type": "nominal", "scale": {"domain": names, "range": colours}, **legend},
        "shape": {"field": "system", "type": "nominal", "scale": {"domain": names}, **legend},
    }


def _labels(names: Sequence[str]) -> dict[str, Any]:
    """An axis of names, wide enough for them in any font: the drawing cannot measure the reader's."""
    return {"ticks": False, "domain": False, "labelPadding": 8, "minExtent": _extent(names)}


def _extent(names: Sequence[str]) -> float:
    return min(230.0, 7.0 * max(map(len, names)) + 10)


def _intervals(report: Report, rows: list[dict[str, Any]], title: str, domain: list[float]) -> dict[str, Any]:
    """Dots with 95 % intervals: a band per figure, in it a row per system."""
    names = list(dict.fromkeys(row["system"] for row in rows))
    order = list(dict.fromkeys(row["figure"] for row in rows))
    look = _colour(report, rows)
    y: dict[str, Any] = {"field": "figure", "type": "nominal", "sort": order, "title": None, "axis": _labels(order)}
    places: dict[str, Any] = {"y": y}
    if len(names) > 1:
        y["scale"] = {"paddingInner": 0.45, "paddingOuter": 0.3}
        places["yOffset"] = {"field": "system", "type": "nominal", "sort": names}
    x = {"type": "quantitative", "title": title, "scale": {"domain": domain, "clamp": True}, "axis": {"tickCount": 5}}
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.55},
            "encoding": {
                "x": {"field": "low", **x},
                "x2": {"field": "high"},
                "color": look["color"],
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {"x": {"field": "value", **x}, **look},
        },
    ]
    step = 13 if len(names) > 1 else 26
    width = _WIDTH - _extent(order)
    return {"width": width, "height": {"step": step}, "data": {"values": rows}, "encoding": places, "layer": layer}


def _rows(systems: Sequence[SystemScores], figures: dict[str, str]) -> list[dict[str, Any]]:
    rows = []
    for system in systems:
        for name, label in figures.items():
            value = system.figures.get(name)
            if value is not None and value.value is not None:
                low = value.value if value.low is None else value.low
                high = value.value if value.high is None else value.high
                rows.append({"system": system.name, "figure": label, "value": value.value, "low": low, "high": high})
    return rows


def _table(rows: Sequence[dict[str, Any]], digits: int) -> list[tuple[str, ...]]:
    return [(r["system"], r["figure"], *(f"{r[k]:.{digits}f}" for k in ("value", "low", "high"))) for r in rows]


_INTERVAL_HEADER = ("system", "figure", "value", "from", "to")


def _shares(report: Report) -> _Described | None:
    figures = {
        "find.line.f1": "captions found (F1)",
        "find.span.f1": "exact text (F1)",
        "find.credit.exact": "right credit",
        "link.accuracy": "right link",
        "kept.names": "names kept",
        "kept.numbers": "numbers kept",
    }
    rows = _rows(_shown(report), figures)
    if not rows:
        return None
    least = min(row["low"] for row in rows)
    low = 0.0 if least < 0.5 else 0.5 if least < 0.8 else 0.8
    spec = _intervals(report, rows, "share", [low, 1.0])
    text = "Dots are the figures, lines their 95 % intervals over resampled documents."
    return "Finder, links and what is kept", text, spec, _INTERVAL_HEADER, _table(rows, 3)


def _translation(report: Report) -> _Described | None:
    rows = _rows(
        report.scores.systems, {"mt.bleu": "BLEU", "mt.chrf2": "chrF2", "mt.chrf2++": "chrF2++", "mt.ter": "TER"}
    )
    if not rows:
        return None
    spec = _intervals(report, rows, "score (TER: lower is better)", [0, max(100, *(r["high"] for r in rows))])
    text = "sacrebleu's scores with their 95 % bootstrap intervals."
    return "Translation", text, spec, _INTERVAL_HEADER, _table(rows, 1)


def _sliced(report: Report, figure: str, title: str, short: str, digits: int, top: float) -> _Described | None:
    rows: list[dict[str, Any]] = []
    for system in _shown(report):
        for part in system.slices:
            value = part.figures.get(figure)
            if value is not None and value.value is not None and part.group in _CHARTED:
                few = f" (n = {part.n})" if part.n < FEW else ""
                label = f"{part.name}{few}"
                rows.append(
                    {"system": system.name, "group": part.group, "figure": label, "value": value.value, "n": part.n}
                )
    if not rows:
        return None
    order = list(dict.fromkeys(row["figure"] for row in rows))
    least = min(row["value"] for row in rows)
    low = 0.0 if least < top / 2 else top / 2 if least < 0.8 * top else 0.8 * top
    x = {
        "field": "value",
        "type": "quantitative",
        "title": short,
        "scale": {"domain": [low, top]},
        "axis": {"tickCount": 5},
    }
    names = list(dict.fromkeys(row["system"] for row in rows))
    y: dict[str, Any] = {
        "field": "figure",
        "type": "nominal",
        "sort": order,
        "title": None,
        "axis": {"grid": True, **_labels(order)},
    }
    places: dict[str, Any] = {"x": x, "y": y}
    if len(names) > 1:  # side by side: equal systems would hide each other
        y["scale"] = {"paddingInner": 0.4, "paddingOuter": 0.25}
        places["yOffset"] = {"field": "system", "type": "nominal", "sort": names}
    groups = [group for group in GROUPS if any(row["group"] == group for row in rows)]
    spec = {
        "data": {"values": rows},
        "spacing": 10,
        "facet": {"row": {"field": "group", "type": "nominal", "sort": groups, "header": None}},
        "resolve": {"scale": {"y": "independent"}},
        "spec": {
            "width": _WIDTH - _extent(order),
            "height": {"step": 10 if len(names) > 1 else 20},
            "mark": {"type": "point", "filled": True, "size": 45 if len(names) > 1 else 70, "opacity": 1},
            "encoding": {**places, **_colour(report, rows)},
        },
    }
    table = [(r["system"], r["figure"], str(r["n"]), f"{r['value']:.{digits}f}") for r in rows]
    text = "Kinds with fewer than 10 captions show how many there are."
    return title, text, spec, ("system", "captions", "n", short), table


_CHARTED = tuple(group for group in GROUPS if group != "layout")


def _shown(report: Report) -> Sequence[SystemScores]:
    return [system for system in report.scores.systems if system.kind != "baseline"]


def _by_kind(report: Report) -> _Described | None:
    return _sliced(report, "find.span.r", "Captions found exactly, by kind", "share", 3, 1.0)


def _mt_by_kind(report: Report) -> _Described | None:
    return _sliced(report, "mt.chrf2", "chrF2 by kind of caption", "chrF2", 1, 100.0)


def _lengths(report: Report) -> _Described | None:
    counts = Counter(len(entry.source.split()) for entry in report.entries)
    if not counts:
        return None
    rows: list[dict[str, Any]] = [{"words": words, "captions": number} for words, number in sorted(counts.items())]
    spec = {
        "width": _WIDTH - _AXIS,
        "height": 150,
        "data": {"values": rows},
        "mark": {"type": "bar", "color": "var(--s1)"},
        "encoding": {
            "x": {
                "field": "words",
                "type": "quantitative",
                "bin": {"step": 1 if max(counts) <= 40 else 3},
                "title": "words in the caption",
                "axis": {"grid": False, "labelOverlap": "greedy", "labelSeparation": 6},
            },
            "y": {"field": "captions", "aggregate": "sum", "type": "quantitative", "title": "captions"},
        },
    }
    table = [(str(row["words"]), str(row["captions"])) for row in rows]
    return "Caption lengths", "", spec, ("words", "captions"), table


# Captions that are shown one by one, and how many a mean needs to be drawn.
_DOTS = 400
_MEAN = 5


def _score_by_length(report: Report) -> _Described | None:
    rows: list[dict[str, Any]] = [
        {"system": report.systems[answer.system], "words": len(entry.source.split()), "score": answer.score}
        for entry in report.entries
        for answer in entry.answers
        if answer.score is not None
    ]
    if not rows:
        return None
    groups: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        groups.setdefault((row["system"], (row["words"] - 1) // 5 * 5 + 1), []).append(row["score"])
    means: list[dict[str, Any]] = [
        {"system": system, "words": low + 2, "low": low, "n": len(scores), "score": sum(scores) / len(scores)}
        for (system, low), scores in sorted(groups.items())
    ]
    table = [(m["system"], f"{m['low']}–{m['low'] + 4}", str(m["n"]), f"{m['score']:.1f}") for m in means]
    look = _colour(report, rows)
    x: dict[str, Any] = {
        "field": "words",
        "type": "quantitative",
        "title": "words in the caption",
        "axis": {"grid": False},
    }
    y: dict[str, Any] = {
        "field": "score",
        "type": "quantitative",
        "title": "chrF2 of the caption",
        "scale": {"domain": [0, 100]},
        "axis": {"tickCount": 5},
    }
    layer: list[dict[str, Any]] = []
    several = len({row["system"] for row in rows}) > 1
    if several:  # whose dots would hide each other
        dots = "Points are"
    elif len(rows) <= _DOTS:
        dots = "A dot is a caption, the line is"
        mark = {"type": "point", "filled": True, "size": 22, "opacity": 0.45}
        layer.append({"mark": mark, "encoding": {"x": x, "y": y, **look}})
    else:  # too many for single marks: as many per cell as its circle is large
        dots = "Circles grow with the number of captions, the line is"
        cells = {"x": {**x, "bin": {"maxbins": 24}}, "y": {**y, "bin": {"maxbins": 20}}}
        size = {"aggregate": "count", "type": "quantitative", "scale": {"range": [4, 160]}, "legend": None}
        mark = {"type": "point", "filled": True, "opacity": 0.5}
        layer.append({"mark": mark, "encoding": {**cells, "size": size, **look}})
    drawn = [m for m in means if m["n"] >= _MEAN]
    if drawn:
        line = {"mark": {"type": "line", "strokeWidth": 2.5}, "encoding": {"x": x, "y": y, "color": look["color"]}}
        point = {
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
            "encoding": {"x": x, "y": y, **look},
        }
        layer.append({"data": {"values": drawn}, "layer": [line, point]})
    elif several:
        return None
    spec = {"width": _WIDTH - _AXIS, "height": 190, "data": {"values": rows}, "layer": layer}
    text = f"{dots} the mean over every five words of length, where there are {_MEAN} captions."
    return "Score against length", text, spec, ("system", "words", "n", "mean chrF2"), table


_FAR = 5


def _distances(report: Report) -> _Described | None:
    counts: Counter[tuple[str, str]] = Counter()
    for entry in report.entries:
        for answer in entry.answers:
            caption = answer.caption
            if caption is None or (caption.context is None and caption.translation is None):
                continue
            if caption.context is None:
                place = "none"
            elif answer.distance is None:
                continue
            else:
                place = f"{max(-_FAR, min(_FAR, answer.distance)):+d}"
            counts[report.systems[answer.system], place] += 1
    if not counts:
        return None
    places = [f"{d:+d}" for d in range(-_FAR, _FAR + 1) if d] + ["none"]
    labels = {f"-{_FAR}": f"≤ −{_FAR}", f"+{_FAR}": f"≥ +{_FAR}", "none": "none"}
    named = {place: labels.get(place, place.replace("-", "−")) for place in places}
    rows: list[dict[str, Any]] = [
        {"system": system, "place": named[place], "captions": number}
        for place in places
        for (system, where), number in counts.items()
        if where == place
    ]
    look = _colour(report, rows)
    spec = {
        "width": _WIDTH - _AXIS,
        "height": 150,
        "data": {"values": rows},
        "mark": {"type": "bar"},
        "encoding": {
            "x": {
                "field": "place",
                "type": "nominal",
                "scale": {"domain": list(named.values())},
                "title": "paragraphs from the caption to its link (− above, + below)",
                "axis": {"labelAngle": 0, "grid": False, "labelFontSize": 11},
            },
            "xOffset": {"field": "system", "type": "nominal"},
            "y": {"field": "captions", "type": "quantitative", "title": "captions"},
            "color": look["color"],
        },
    }
    table = [(str(r["system"]), str(r["place"]), str(r["captions"])) for r in rows]
    return "Link distance", "", spec, ("system", "paragraphs away", "captions"), table
