"""The report as one HTML file: no network, no outside script or font; everything that it shows is escaped."""

from __future__ import annotations

import base64
import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from aligner import __version__
from aligner.report import charts
from aligner.report.model import Entry, Report
from aligner.scoring import mt, show
from aligner.scoring.evaluation import Value
from aligner.scoring.figures import FIGURES
from aligner.scoring.slices import GROUPS, rank
from aligner.show import visible

# The summary's figures: what they are called there.
_SUMMARY = {
    "find.line.f1": "Captions found (F1)",
    "find.span.f1": "Exact text (F1)",
    "find.credit.exact": "Right credit",
    "link.accuracy": "Right link",
    "mt.chrf2": "chrF2",
    "mt.bleu": "BLEU",
    "kept.names": "Names kept",
    "residue.before": "Text left untranslated",
    "residue.after": "Left after the corrections",
}
_LANGUAGES = {
    "ca": "Catalan",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "gl": "Galician",
    "it": "Italian",
    "pt": "Portuguese",
}
_TAGS = {"slug": "picture name", "credit": "credit line", "other": "other language"}
_FLAGS = ("missed", "false alarm", "other text", "other credit", "wrong link", "warning")


def render(report: Report) -> str:
    """The page.

    Raises:
        UsageError: Jinja2 or vl-convert is not installed.
    """
    charts.require()
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("aligner.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    style, script = (_asset(environment, name) for name in ("style.css", "script.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    context: dict[str, Any] = {
        "systems": report.systems,
        "caption_language": report.caption_language,
        "context_language": report.context_language,
    }
    names = _names(report)
    macros = environment.get_template("card.html.j2").make_module(context)
    drawn = charts.draw(report)
    return environment.get_template("page.html.j2").render(
        context,
        card=macros.card,  # type: ignore[attr-defined]
        version=__version__,
        title=_title(report, names),
        lead=_lead(report),
        notes=report.notes,
        cards=list(_cards(report)),
        versus=_versus(report),
        system_names=[system.name for system in report.scores.systems],
        charts=[{"chart": chart, "svg": Markup(chart.svg)} for chart in drawn],
        figures=list(show.tables(report.scores)) if report.gold else [],
        lists=_lists(report, names),
        names=names,
        flags=_counted(flag for entry in report.entries for flag in _flags(entry)),
        warnings=_counted(code for e in report.entries for code in {c for a in e.answers for c in a.codes}),
        kinds=_kinds(report),
        scored=any(answer.score is not None for entry in report.entries for answer in entry.answers),
        n_entries=len(report.entries),
        articles=report.articles,
        split=_split,
        meanings=FIGURES,
        tested=next((mt.TESTS[c.test] for c in report.scores.comparisons), ""),
        tags=_TAGS,
        signatures=show.signatures(report.scores),
        inputs=report.scores.inputs,
        style=Markup(style),
        script=Markup(script),
        script_hash=digest,
    )  # fmt: skip


@lru_cache
def _asset(environment: Any, name: str) -> str:
    source: str = environment.loader.get_source(environment, name)[0]
    return source


def _names(report: Report) -> dict[str, str]:
    """What each document is called on the page: its path without the folders that all of them share."""
    paths = {article.name: article.name.replace("\\", "/").split("/") for article in report.articles}
    shared = 0
    for parts in zip(*(parts[:-1] for parts in paths.values()), strict=False):
        if len(set(parts)) > 1:
            break
        shared += 1
    return {name: "/".join(parts[shared:]) for name, parts in paths.items()}


def _title(report: Report, names: dict[str, str]) -> str:
    if len(report.articles) == 1:
        return f"Captions of {names[report.articles[0].name]}"
    return "Captions of " + _count(len(report.articles), "article")


def _split(name: str) -> tuple[str, str]:
    """Folder and file name of a document."""
    folder, slash, file = name.rpartition("/")
    return folder + slash, file


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _lead(report: Report) -> str:
    caption = _LANGUAGES.get(report.caption_language, report.caption_language)
    context = _LANGUAGES.get(report.context_language, report.context_language)
    captions = _count(len(report.entries), f"{caption} caption")
    systems = "" if len(report.systems) == 1 else f", {len(report.systems)} systems"
    gold = ", scored against gold" if report.gold else ""
    return f"{captions} in {context} articles{systems}{gold}."


def _percent(value: float) -> str:
    """A share in per cent; only what is whole is shown as 100 or 0."""
    text = f"{100 * value:.1f}"
    if (text == "100.0") != (value == 1) or (text == "0.0") != (value == 0):
        text = f"{100 * value:.2f}"
    return f"{text} %"


def _shown(name: str, value: float) -> str:
    return _percent(value) if FIGURES[name].unit == "share" else f"{value:.1f}"


def _range(name: str, value: Value) -> str:
    if value.low is None or value.high is None:
        return ""
    if value.mean is not None:
        return f"± {value.high - value.mean:.1f}"
    return f"{_percent(value.low).removesuffix(' %')}–{_percent(value.high)}"


def _cards(report: Report) -> Iterator[dict[str, str]]:
    entries = report.entries
    with_captions = sum(bool(article.entries) for article in report.articles)
    yield {"title": "Articles", "value": f"{len(report.articles):,}", "note": f"{with_captions:,} with captions"}
    with_credit = sum(entry.credit is not None for entry in entries)
    yield {"title": "Captions", "value": f"{len(entries):,}", "note": f"{with_credit:,} with a credit"}
    if len(report.systems) > 1:
        baselines = [system.name for system in report.scores.systems if system.kind == "baseline"]
        note = f"and {', '.join(baselines)}" if baselines else ""
        yield {"title": "Systems", "value": f"{len(report.systems):,}", "note": note}
    if len(report.systems) == 1:
        figures = report.scores.systems[0].figures
        for name, title in _SUMMARY.items():
            value = figures.get(name)
            if value is not None and value.value is not None and not name.startswith("residue."):
                yield {"title": title, "value": _shown(name, value.value), "note": _range(name, value)}
        before, after = (figures.get(f"residue.{when}") for when in ("before", "after"))
        if before and after and before.value is not None and after.value is not None:
            shown = f"{_percent(before.value)} → {_percent(after.value)}"
            yield {"title": "Text left untranslated", "value": shown, "note": "before and after the corrections"}
    if not report.gold:
        answers = [answer for entry in entries for answer in entry.answers if answer.caption]
        linked = sum(a.caption.context is not None for a in answers if a.caption)
        if linked:
            yield {"title": "Linked to a paragraph", "value": _percent(linked / len(answers)), "note": ""}
        if any(a.caption.translation for a in answers if a.caption):
            warned = sum(bool(answer.codes) for answer in answers)
            yield {"title": "Translations with a warning", "value": f"{warned:,}", "note": ""}


def _versus(report: Report) -> list[dict[str, Any]]:
    """The summary's figures of several systems, the best of each marked."""
    systems = report.scores.systems
    if len(systems) < 2:
        return []
    rows = []
    for name, title in _SUMMARY.items():
        values = [system.figures.get(name) for system in systems]
        # A baseline is no rival: a copy of the source keeps all names.
        rivals = [s.figures.get(name) for s in systems if s.kind != "baseline"]
        numbers = [v.value for v in rivals if v is not None and v.value is not None]
        if not numbers:
            continue
        top = max(numbers) if FIGURES[name].higher_is_better else min(numbers)
        distinct = len({round(number, 6) for number in numbers}) > 1
        cells = []
        for system, value in zip(systems, values, strict=True):
            if value is None or value.value is None:
                cells.append({"value": "", "range": "", "best": False})
                continue
            star = "*" if _differs(report, systems[0].name, system.name, name) else ""
            best = distinct and system.kind != "baseline" and math.isclose(value.value, top)
            cells.append({"value": _shown(name, value.value) + star, "range": _range(name, value), "best": best})
        rows.append({"title": title, "cells": cells})
    return rows


def _differs(report: Report, first: str, second: str, figure: str) -> bool:
    """Whether a paired test tells two systems apart."""
    return any(
        c.p < 0.05 and not c.identical
        for c in report.scores.comparisons
        if (c.first, c.second, f"mt.{c.metric}") == (first, second, figure)
    )


def _lists(report: Report, names: dict[str, str]) -> list[dict[str, Any]]:
    """What differs from the gold, each with its place, and the translations that score least."""
    if not report.gold:
        return []
    lists = []
    for flag in _FLAGS[:-1]:
        items = [
            item
            for article in report.articles
            for entry in article.entries
            for item in _differing(report, names[article.name], entry, flag)
        ]
        if items:
            lists.append({"title": flag.capitalize(), "entries": items})
    ranked = [
        (answer.score, names[article.name], entry, answer.system)
        for article in report.articles
        for entry in article.entries
        for answer in entry.answers
        if answer.score is not None
    ]
    worst = sorted(ranked, key=lambda item: item[0])[:20]
    items = [
        {
            "anchor": entry.anchor,
            "place": f"{name}, line {entry.line}",
            "text": f"{_by(report, system)}{score:.0f}: {entry.source}",
        }
        for score, name, entry, system in worst
    ]
    return [*lists, {"title": "Lowest chrF2", "entries": items}] if items else lists


def _differing(report: Report, article: str, entry: Entry, flag: str) -> Iterator[dict[str, str]]:
    for answer in entry.answers:
        if flag in answer.flags:
            place = f"{article}, line {entry.line}"
            yield {"anchor": entry.anchor, "place": place, "text": _by(report, answer.system) + entry.source}


def _by(report: Report, system: int) -> str:
    return f"{report.systems[system]}: " if len(report.systems) > 1 else ""


def _flags(entry: Entry) -> set[str]:
    return {flag for answer in entry.answers for flag in answer.flags}


def _counted(items: Iterator[str] | Any) -> list[tuple[str, int]]:
    counts = Counter(items)
    order = {flag: i for i, flag in enumerate(_FLAGS)}
    return sorted(counts.items(), key=lambda item: (order.get(item[0], len(order)), -item[1]))


def _kinds(report: Report) -> list[tuple[str, list[tuple[str, str, int]]]]:
    """Slices by group: value, name and number of captions."""
    counts = Counter(kind for entry in report.entries for kind in entry.kinds)
    groups: dict[str, list[tuple[str, str, int]]] = {group: [] for group in GROUPS}
    for group, name in sorted((tuple(kind.split(": ", 1)) for kind in counts), key=lambda kind: rank(*kind)):
        kind = f"{group}: {name}"
        groups[group].append((kind, name, counts[kind]))
    return [(group, members) for group, members in groups.items() if len(members) > 1]


__all__: Sequence[str] = ["render"]
