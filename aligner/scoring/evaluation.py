"""Scores of runs against gold, or of plain translations against references."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aligner.errors import RecordError, UsageError
from aligner.records import Caption, Document
from aligner.scoring import mt
from aligner.scoring.baselines import Baseline
from aligner.scoring.figures import (
    FEW,
    FIGURES,
    Figure,
    caption_counts,
    document_counts,
    measured,
    translation_counts,
)
from aligner.scoring.gold import Gold, GoldDocument, refusal
from aligner.scoring.matching import Match, fold, fold_credit, match
from aligner.scoring.runs import Run, pair
from aligner.scoring.slices import GOLD_ONLY, rank, slices, text_slices

SCHEMA = "aligner-score/1"
# Seed of the bootstrap over documents; sacrebleu's for its own resampling.
_SEED = 12345


@dataclass(frozen=True, slots=True)
class Value:
    """A measured figure.

    Attributes:
        value: the figure; None if it is undefined here (nothing to count).
        n: number of items it rests on.
        low: lower end of the 95 % interval; None where none was computed.
        high: upper end.
        mean: mean of sacrebleu's bootstrap resamples, the middle of its interval; None for other figures.
        signature: sacrebleu's signature; None for other figures.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """Figures of one kind of captions.

    Attributes:
        group: what the captions are told apart by: ``length``, ``credit`` …
        name: which of that group they are.
        n: number of captions of that kind in the gold (or of segments).
        figures: the figures of these captions.
    """

    group: str
    name: str
    n: int
    figures: Mapping[str, Value]

    @property
    def few(self) -> bool:
        """Whether there are too few captions for the figures to say much."""
        return self.n < FEW


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a run and the gold differ: document, line, what the gold has, what the run has."""

    document: str
    line: int
    expected: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class SystemScores:
    """All scores of one system.

    Attributes:
        name: the system.
        kind: ``run``, ``hypotheses`` or ``baseline``.
        figures: the figures over all captions.
        slices: the same by kind of caption.
        misses: captions of the gold that were not found.
        false_alarms: captions that the gold does not have.
        spans: captions found with another text.
        credits: captions found with another credit.
        links: captions linked to a wrong paragraph (lines as text; "none").
        failed: documents that could not be read.
        matches: the matched captions behind the figures (not part of the JSON).
    """

    name: str
    kind: str
    figures: Mapping[str, Value]
    slices: tuple[Slice, ...] = ()
    misses: tuple[Finding, ...] = ()
    false_alarms: tuple[Finding, ...] = ()
    spans: tuple[Finding, ...] = ()
    credits: tuple[Finding, ...] = ()
    links: tuple[Finding, ...] = ()
    failed: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """A file that went into the scores: its role, path and SHA-256."""

    role: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one or several systems.

    Attributes:
        systems: the systems, in the order given, baselines last.
        comparisons: paired tests of every pair of systems.
        compared: number of segments that the comparisons rest on.
        inputs: the files.
        notes: what a reader has to know about the figures.
    """

    systems: tuple[SystemScores, ...]
    comparisons: tuple[mt.Comparison, ...] = ()
    compared: int = 0
    inputs: tuple[Input, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, ``schema`` first."""
        return {
            "schema": SCHEMA,
            "inputs": [_plain(item) for item in self.inputs],
            "notes": list(self.notes),
            "systems": [
                {
                    "name": system.name,
                    "kind": system.kind,
                    "figures": {name: _plain(value) for name, value in system.figures.items()},
                    "slices": [
                        {
                            "group": part.group,
                            "name": part.name,
                            "n": part.n,
                            "few": part.few,
                            "figures": {name: _plain(value) for name, value in part.figures.items()},
                        }
                        for part in system.slices
                    ],
                    **{
                        kind: [_plain(item) for item in getattr(system, kind)]
                        for kind in ("misses", "false_alarms", "spans", "credits", "links")
                    },
                    "failed": list(system.failed),
                }
                for system in self.systems
            ],
            "comparisons": [_plain(item) for item in self.comparisons],
            "compared": self.compared,
        }


def _plain(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}


@dataclass(frozen=True, slots=True)
class Settings:
    """How scores are computed.

    Attributes:
        metrics: sacrebleu's metrics to compute.
        resamples: bootstrap resamples of every interval; 0 for no intervals.
        tests: paired tests of the systems.
        trials: resamples or trials of the tests; 0 for sacrebleu's defaults.
        sliced: whether slices are computed.
    """

    metrics: tuple[str, ...] = mt.METRICS
    resamples: int = 1000
    tests: tuple[mt.Test, ...] = ("bs",)
    trials: int = 0
    sliced: bool = True


@dataclass(slots=True)
class _Segments:
    """Translations with references: what sacrebleu's figures of a system rest on."""

    keys: list[Any] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    hypotheses: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)


def score_runs(
    runs: Sequence[Run],
    gold: Gold | None = None,
    baselines: Sequence[Baseline] = (),
    settings: Settings | None = None,
) -> Scores:
    """Scores runs against gold; without gold, only what can be told from the records.

    Translations are scored over the captions that a run found; comparisons and baselines rest on those that
    all runs found.

    Args:
        runs: runs over the same documents.
        gold: the gold of these documents.
        baselines: further systems, which translate the captions of the gold.
        settings: see :class:`Settings`.

    Raises:
        RecordError: runs and gold do not fit; all problems are listed.
    """
    settings = settings or Settings()
    if gold is None:
        return Scores(tuple(_without_gold(run, settings) for run in runs), inputs=_run_inputs(runs))
    problems: list[object] = []
    pairs: list[list[tuple[GoldDocument, Document]]] = []
    for run in runs:
        try:
            pairs.append(pair(run, gold))
        except RecordError as error:
            problems += [line.strip() for line in str(error).split("\n")[1:]]
    if problems:
        raise refusal(problems, "runs and gold do not fit", most=20)
    systems, translated = [], []
    for run, documents in zip(runs, pairs, strict=True):
        matches = [m for document, record in documents for m in match(document, record)]
        segments = _segments(matches)
        systems.append(_score_run(run, documents, matches, segments, settings))
        if run.translated:
            translated.append((run.name, segments))
    extra, comparisons, compared, notes = _compare(translated, baselines, settings)
    inputs = [*_run_inputs(runs), *(Input("gold", path, digest) for path, digest in gold.files.items())]
    return Scores((*systems, *extra), tuple(comparisons), compared, tuple(inputs), tuple(notes))


def _run_inputs(runs: Sequence[Run]) -> tuple[Input, ...]:
    return tuple(Input("run", run.path, run.sha256) for run in runs if run.path)


def _segments(matches: Iterable[Match]) -> _Segments:
    segments = _Segments()
    for item in matches:
        if item.gold is None or item.found is None or item.gold.reference is None:
            continue
        segments.keys.append((item.document.name, item.gold.start))
        segments.sources.append(item.gold.caption or "")
        segments.hypotheses.append(item.found.translation.text if item.found.translation else "")
        segments.references.append(item.gold.reference)
    return segments


def _score_run(
    run: Run,
    documents: Sequence[tuple[GoldDocument, Document]],
    matches: Sequence[Match],
    segments: _Segments,
    settings: Settings,
) -> SystemScores:
    languages = {document.name: (record.context_language, record.caption_language) for document, record in documents}
    counted = [(item, caption_counts(item, *languages[item.document.name])) for item in matches]
    figures = measured(run.translated, run.linked)
    parts = [(item.document.name, counts) for item, counts in counted]
    parts += [(document.name, document_counts(document, record)) for document, record in documents]
    system = None
    if run.translated and segments.keys:
        system = mt.System(run.name, segments.hypotheses, mt.References([segments.references]))
    values = _values(figures, parts, settings.resamples)
    values |= _mt_values(system, settings.metrics, None, settings.resamples)
    cut: list[Slice] = []
    if settings.sliced:
        index = {key: i for i, key in enumerate(segments.keys)}
        members: dict[tuple[str, str], list[tuple[Match, Counter[str]]]] = {}
        for item, counts in counted:
            for place in slices(item):
                members.setdefault(place, []).append((item, counts))
        for (group, name), part in _ordered(members):
            kept = [f for f in figures if f.sliced and not (f.needs_false_alarms and group in GOLD_ONLY)]
            inside = _values(kept, [(item.document.name, counts) for item, counts in part], 0)
            chosen = [
                index[k] for item, _ in part if item.gold and (k := (item.document.name, item.gold.start)) in index
            ]
            found = [i for i in chosen if i is not None]
            inside |= _mt_values(system, settings.metrics, found, 0)
            cut.append(Slice(group, name, sum(item.gold is not None for item, _ in part), _sorted(inside)))
    differences = _differences(matches, run.linked)
    failed = tuple(record.document for _, record in documents if record.error is not None)
    return SystemScores(
        run.name, "run", _sorted(values), tuple(cut), **differences, failed=failed, matches=tuple(matches)
    )


def _sorted(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: values[name] for name in FIGURES if name in values}


def _ordered(members: Mapping[tuple[str, str], Any]) -> list[tuple[tuple[str, str], Any]]:
    return sorted(members.items(), key=lambda item: rank(*item[0]))


def _values(
    figures: Sequence[Figure], parts: Iterable[tuple[str, Mapping[str, int]]], resamples: int
) -> dict[str, Value]:
    """The figures of summed counts, with intervals from resampled documents."""
    import numpy as np

    by_document: dict[str, Counter[str]] = {}
    for name, counts in parts:
        by_document.setdefault(name, Counter()).update(counts)
    columns = sorted({column for counts in by_document.values() for column in counts})
    table = np.array([[counts[column] for column in columns] for counts in by_document.values()], dtype=float)
    table = table.reshape(len(by_document), len(columns))
    total = _Sums(columns, table.sum(0))
    drawn = None
    if resamples and len(by_document) > 1:
        size = len(by_document)
        weights = np.random.default_rng(_SEED).multinomial(size, np.full(size, 1 / size), size=resamples)
        drawn = _Sums(columns, weights @ table)
    values = {}
    for figure in figures:
        assert figure.value is not None
        value = float(figure.value(total))
        low = high = None
        if drawn is not None and value == value:
            sample = figure.value(drawn)
            low, high = map(float, np.nanpercentile(sample, (2.5, 97.5)))
        values[figure.name] = Value(value if value == value else None, int(total[figure.count]), low, high)
    return values


class _Sums:
    """Counts by name; a count that nothing contributed to is 0."""

    def __init__(self, columns: Sequence[str], values: Any) -> None:
        self._columns = {column: i for i, column in enumerate(columns)}
        self._values = values

    def __getitem__(self, name: str) -> Any:
        if name not in self._columns:
            return self._values[..., :0].sum(-1)
        return self._values[..., self._columns[name]]


def _mt_values(
    system: mt.System | None, metrics: Sequence[str], segments: Sequence[int] | None, resamples: int
) -> dict[str, Value]:
    if system is None:
        return {}
    values = {}
    for metric in metrics:
        score = system.interval(metric, resamples) if resamples else system.score(metric, segments)
        if score is None:
            values[f"mt.{metric}"] = Value(None, 0)
            continue
        low = high = None
        if score.mean is not None and score.ci is not None:
            low, high = score.mean - score.ci, score.mean + score.ci
        values[f"mt.{metric}"] = Value(score.value, score.segments, low, high, score.mean, score.signature)
    return values


def _differences(matches: Iterable[Match], linked: bool) -> dict[str, tuple[Finding, ...]]:
    lists: dict[str, list[Finding]] = {kind: [] for kind in ("misses", "false_alarms", "spans", "credits", "links")}
    for item in matches:
        place = (item.document.name, item.line)
        gold, found = item.gold, item.found
        if gold is None:
            lists["false_alarms"].append(Finding(*place, None, item.source))
        elif found is None:
            lists["misses"].append(Finding(*place, gold.caption, None))
        else:
            if fold(found.source) != fold(gold.caption or ""):
                lists["spans"].append(Finding(*place, gold.caption, found.source))
            credit = found.credit.text if found.credit else None
            if fold_credit(credit or "") != fold_credit(gold.credit or ""):
                lists["credits"].append(Finding(*place, gold.credit, credit))
            line = found.context.line if found.context else None
            if linked and not gold.accepts(line):
                right = [gold.aligned_line, *gold.aligned_ok]
                expected = " or ".join("none" if target is None else str(target) for target in right)
                lists["links"].append(Finding(*place, expected, "none" if line is None else str(line)))
    return {kind: tuple(items) for kind, items in lists.items()}


def _compare(
    translated: Sequence[tuple[str, _Segments]], baselines: Sequence[Baseline], settings: Settings
) -> tuple[list[SystemScores], list[mt.Comparison], int, list[str]]:
    """Baselines' scores and paired tests, over the captions that all systems have."""
    if not translated:
        return [], [], 0, ["no run translates: no baselines and no comparisons"] if baselines else []
    common = set(translated[0][1].keys).intersection(*(segments.keys for _, segments in translated[1:]))
    first = translated[0][1]
    rows = [i for i, k in enumerate(first.keys) if k in common]
    if not rows:
        return [], [], 0, ["no caption was found by every run: no baselines and no comparisons"]
    order = [first.keys[i] for i in rows]
    references = mt.References([[first.references[i] for i in rows]])
    sources = [first.sources[i] for i in rows]
    systems = []
    for name, segments in translated:
        place = {k: i for i, k in enumerate(segments.keys)}
        systems.append(mt.System(name, [segments.hypotheses[place[k]] for k in order], references))
    notes = []
    if len(translated) > 1 and any(len(s.keys) > len(rows) for _, s in translated):
        notes.append(f"comparisons rest on the {len(rows)} captions that every run found")
    extra, more = _baselines(baselines, sources, references, settings)
    systems += more
    return extra, _tests(systems, settings), len(rows), notes


def _baselines(
    baselines: Sequence[Baseline], sources: Sequence[str], references: mt.References, settings: Settings
) -> tuple[list[SystemScores], list[mt.System]]:
    scored, systems = [], []
    for baseline in baselines:
        system = mt.System(baseline.name, baseline.translate(sources), references)
        systems.append(system)
        scored.append(_score_texts(system, sources, "baseline", baseline.languages, settings))
    return scored, systems


def _tests(systems: Sequence[mt.System], settings: Settings) -> list[mt.Comparison]:
    return [
        comparison
        for test in settings.tests
        for metric in settings.metrics
        for comparison in mt.compare(systems, metric, test, settings.trials)
    ]


def score_texts(
    hypotheses: Mapping[str, Sequence[str]],
    references: Sequence[Sequence[str]],
    sources: Sequence[str] | None = None,
    baselines: Sequence[Baseline] = (),
    settings: Settings | None = None,
    *,
    languages: tuple[str, str] = ("es", "en"),
    inputs: Sequence[Input] = (),
) -> Scores:
    """Scores plain translations against references.

    Args:
        hypotheses: per system, one translation per segment.
        references: one or several references per segment.
        sources: the segments' source texts, for baselines, slices and the figures of names and numbers.
        baselines: further systems, which translate the sources.
        settings: see :class:`Settings`.
        languages: ISO 639-1 codes of source and target.
        inputs: the files, for the record.

    Raises:
        RecordError: numbers of lines differ, or references are empty; all problems are listed.
    """
    settings = settings or Settings()
    sizes = {f"reference {k}": len(text) for k, text in enumerate(references, 1)}
    sizes |= {f"system {name}": len(text) for name, text in hypotheses.items()}
    if sources is not None:
        sizes["source"] = len(sources)
    problems: list[object] = []
    if len(set(sizes.values())) > 1:
        problems.append("different numbers of lines: " + ", ".join(f"{name} {size}" for name, size in sizes.items()))
    try:
        known = mt.References(references)
    except RecordError as error:
        problems.append(error)
    if not problems and not references[0]:
        problems.append("the references are empty")
    if problems:
        raise refusal(problems, "texts")
    systems = [mt.System(name, text, known) for name, text in hypotheses.items()]
    # Without sources, the kind of a segment is that of its first reference.
    texts = references[0] if sources is None else sources
    scored = [_score_texts(s, texts, "hypotheses", languages, settings, sources is not None) for s in systems]
    extra, more = _baselines(baselines, texts, known, settings)
    comparisons = _tests([*systems, *more], settings)
    return Scores((*scored, *extra), tuple(comparisons), len(known), tuple(inputs))


def _score_texts(
    system: mt.System,
    texts: Sequence[str],
    kind: str,
    languages: tuple[str, str],
    settings: Settings,
    sources: bool = True,
) -> SystemScores:
    values = _mt_values(system, settings.metrics, None, settings.resamples)
    figures = [FIGURES[name] for name in ("mt.wrong_language", "kept.numbers", "kept.names")] if sources else []
    reference = system.references.texts[0]
    counted = [
        (str(i), translation_counts(text, hypothesis, expected, languages[1], languages[0]))
        for i, (text, hypothesis, expected) in enumerate(zip(texts, system.hypotheses, reference, strict=True))
        if sources
    ]
    if figures:
        values |= _values(figures, counted, settings.resamples)
    cut = []
    if settings.sliced:
        members: dict[tuple[str, str], list[int]] = {}
        for i, text in enumerate(texts):
            for place in text_slices(text):
                members.setdefault(place, []).append(i)
        for (group, name), rows in _ordered(members):
            inside = _mt_values(system, settings.metrics, rows, 0)
            if figures:
                inside |= _values(figures, [counted[i] for i in rows], 0)
            cut.append(Slice(group, name, len(rows), _sorted(inside)))
    return SystemScores(system.name, kind, _sorted(values), tuple(cut))


def _without_gold(run: Run, settings: Settings) -> SystemScores:
    def captions() -> Iterator[tuple[str, Caption, Document]]:
        for name, record in run.documents.items():
            for caption in record.captions:
                yield name, caption, record

    counted = [
        (
            name,
            caption,
            translation_counts(caption.source, caption.translation.text, None, r.context_language, r.caption_language),
        )
        for name, caption, r in captions()
        if caption.translation is not None
    ]
    figures = [FIGURES[name] for name in ("mt.wrong_language", "kept.numbers")] if counted else []
    values = _values(figures, [(name, counts) for name, _, counts in counted], settings.resamples) if figures else {}
    failed = tuple(record.document for record in run.records if record.error is not None)
    return SystemScores(run.name, "run", _sorted(values), failed=failed)


def read_lines(path: str | Path) -> tuple[list[str], str]:
    """The lines of a text file (or ``.gz``) as sacrebleu reads them, and the SHA-256 of its bytes.

    Raises:
        RecordError: the file cannot be read.
    """
    import gzip
    import zlib

    try:
        data = Path(path).read_bytes()
        text = (gzip.decompress(data) if str(path).endswith(".gz") else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecordError(f"{path}: cannot be read ({reason}); give UTF-8 text") from None
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line.rstrip() for line in lines], hashlib.sha256(data).hexdigest()


def test_set(name: str, languages: tuple[str, str]) -> tuple[Path, list[Path]]:
    """Source and references of one of sacrebleu's test sets, which it downloads once to its cache.

    Args:
        name: sacrebleu's name of the set, such as ``wmt13``.
        languages: ISO 639-1 codes of source and target.

    Raises:
        UsageError: sacrebleu has no such set, or not in these languages.
        RecordError: the set is not in the cache and cannot be downloaded.
    """
    from sacrebleu import (
        get_available_testsets,
        get_langpairs_for_testset,
        get_reference_files,
        get_source_file,
    )

    pair = "-".join(languages)
    if name not in get_available_testsets():
        near = [known for known in get_available_testsets() if known.startswith(name[:3])]
        raise UsageError(f"unknown test set {name!r}; sacrebleu knows {', '.join(near) or 'others'} (sacrebleu --list)")
    if pair not in get_langpairs_for_testset(name):
        raise UsageError(f"test set {name!r} has no {pair}; it has {', '.join(get_langpairs_for_testset(name))}")
    try:
        return Path(get_source_file(name, pair)), [Path(file) for file in get_reference_files(name, pair)]
    except (OSError, SystemExit) as error:
        raise RecordError(
            f"test set {name!r} is not in sacrebleu's cache and could not be downloaded ({error}); "
            "give its files with --source and --reference"
        ) from None
