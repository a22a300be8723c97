"""``aligner score``."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligner.cli.output import outlast_reader, refuse
from aligner.errors import RecordError, UsageError
from aligner.files import check_writable, write_atomically
from aligner.show import count, put_text, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aligner.scoring.baselines import Baseline
    from aligner.scoring.evaluation import Input, Scores, Settings
    from aligner.scoring.gates import Verdict
    from aligner.scoring.mt import Test
    from aligner.scoring.runs import Run


class Format(StrEnum):
    """How scores are printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


class Paired(StrEnum):
    """The paired test of several systems."""

    bs = "bs"
    ar = "ar"
    both = "both"
    none = "none"


def score(
    context: typer.Context,
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN", help="Runs: what aligner run --format jsonl printed, or folders of batches."),
    ] = None,
    gold: Annotated[
        list[Path] | None,
        typer.Option(metavar="GOLD", help="gold.jsonl, its folder, or a folder of gold sets; repeatable."),
    ] = None,
    hypothesis: Annotated[
        list[Path] | None,
        typer.Option("--hypothesis", metavar="FILE", help="A system's translations, one a line; repeatable."),
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option("--reference", metavar="FILE", help="References, one a line; repeatable."),
    ] = None,
    source: Annotated[Path | None, typer.Option("--source", metavar="FILE", help="Source texts, one a line.")] = None,
    test_set: Annotated[
        str | None,
        typer.Option("--test-set", metavar="NAME", help="A test set of sacrebleu's (wmt13), instead of --reference."),
    ] = None,
    checksums: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check the inputs against a list that sha256sum wrote."),
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Add copy-source and, where installed, Apertium as systems.")
    ] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="Add a Marian model as a system ([ENGINE:]NAME or folder); repeatable."),
    ] = None,
    source_language: Annotated[str, typer.Option("--from", metavar="LANG", help="Source language.")] = "es",
    target_language: Annotated[str, typer.Option("--to", metavar="LANG", help="Target language.")] = "en",
    metrics: Annotated[
        str, typer.Option(metavar="LIST", help="Metrics, with commas between.")
    ] = "bleu,chrf2,chrf2++,ter",
    paired: Annotated[
        Paired,
        typer.Option(help="Test between systems: paired bootstrap, approximate randomisation, both or none."),
    ] = Paired.bs,
    resamples: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Bootstrap resamples of the intervals; 0 for no intervals.")
    ] = 1000,
    trials: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Trials of the paired tests; 0 for sacrebleu's defaults.")
    ] = 0,
    slices: Annotated[bool, typer.Option(help="Report figures by kind of caption.")] = True,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(metavar="FIGURE=LIMIT", help="Exit 1 if a figure is below its limit; repeatable."),
    ] = None,
    fail_over: Annotated[
        list[str] | None,
        typer.Option(metavar="FIGURE=LIMIT", help="Exit 1 if a figure is above its limit (ter); repeatable."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write gates (or residue) as JUnit XML.")] = None,
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the captions found as SARIF.")] = None,
    format_: Annotated[Format, typer.Option("--format", "-f", help="How scores are printed.")] = Format.table,
) -> None:
    """Score runs against gold, or plain translations against references.

    Examples:
    * `aligner score run.jsonl --gold corpus/`
    * `aligner score a.jsonl b.jsonl --gold corpus/ --baseline --format markdown`
    * `aligner score --hypothesis a.txt --hypothesis b.txt --reference ref.txt`
    * `aligner score run.jsonl --gold corpus/ --fail-under chrf2=60 --fail-under find.span.f1=0.98`
    """
    from aligner.scoring import gates, show
    from aligner.scoring.evaluation import Settings

    limits = gates.parse(fail_under or (), fail_over or ())
    settings = Settings(
        metrics=_metrics(metrics), resamples=resamples, tests=_tests(paired), trials=trials, sliced=slices
    )
    texts = [
        *(hypothesis or ()),
        *(reference or ()),
        *([source] if source else []),
        *([test_set] if test_set else []),
    ]
    if bool(runs) == bool(texts):
        raise UsageError("give runs (with --gold), or --hypothesis and --reference; see aligner score --help")
    if not (baseline or model or test_set or texts):
        because = "is for --baseline and --model, which are not given: leave it out"
        refuse(context, "source_language", "target_language", because=because)
    if paired is Paired.none:
        refuse(context, "trials", because="is for paired tests, which --paired none leaves out")
    if runs and not gold:
        scored = ("metrics", "paired", "resamples", "trials", "slices", "checksums")
        refuse(context, *scored, because="is for scores: give --gold too")
    if len(runs or hypothesis or ()) + len(model or ()) + baseline < 2:
        refuse(context, "paired", "trials", because="compares systems, and here is one: leave it out")
    check_writable(junit, sarif)
    if junit or sarif or limits:
        outlast_reader()
    languages = (source_language, target_language)
    known: list[Run] = []
    if runs:
        known, scores = _runs(runs, gold or [], checksums, baseline, model or [], languages, settings)
    else:
        if gold or sarif:
            raise UsageError(f"{'--gold' if gold else '--sarif'} goes with runs, not with plain texts")
        scores = _texts(
            hypothesis or [],
            reference or [],
            source,
            test_set,
            checksums,
            baseline,
            model or [],
            languages,
            settings,
        )
    if runs and not (gold or junit or sarif) and not any(system.figures for system in scores.systems):
        say(_UNSCORED)
    verdicts = gates.judge(scores, limits)
    if format_ is Format.json:
        gated = [{"system": v.system, "gate": str(v.gate), "value": v.value, "passed": v.passed} for v in verdicts]
        put_text(json.dumps({**scores.to_dict(), "gates": gated}, ensure_ascii=False, indent=1) + "\n")
    elif format_ is Format.markdown:
        put_text(show.markdown(scores, verdicts))
    else:
        show.table(scores, verdicts)
    _files(known, verdicts, junit, sarif)
    missed = [verdict for verdict in verdicts if not verdict.passed]
    for verdict in missed:
        say(f"gate missed: {verdict}")
    raise typer.Exit(1 if missed else 0)


#: Of records without translations only gold can tell anything.
_UNSCORED = "nothing to score: the run has no translations (aligner run makes some), and without --gold no references"


def _metrics(text: str) -> tuple[str, ...]:
    from aligner.scoring.mt import METRICS

    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in METRICS:
            raise UsageError(f"--metrics: unknown metric {name!r}; known: {', '.join(METRICS)}")
    return names


def _tests(paired: Paired) -> tuple[Test, ...]:
    both: tuple[Test, ...] = ("bs", "ar")
    return both if paired is Paired.both else tuple(test for test in both if test == paired.value)


def extra_systems(baseline: bool, models: list[str], languages: tuple[str, str]) -> list[Baseline]:
    """The baselines and models that options ask for; says so where Apertium is missing."""
    from aligner.scoring import baselines

    systems = []
    if baseline:
        systems.append(baselines.copy_source(languages))
        if rules := baselines.apertium(languages):
            systems.append(rules)
        else:
            say("Apertium has no pair for these languages here; scored without it")
    return systems + [baselines.model(name, languages) for name in models]


def _runs(
    paths: list[Path],
    gold: list[Path],
    checksums: Path | None,
    baseline: bool,
    models: list[str],
    languages: tuple[str, str],
    settings: Settings,
) -> tuple[list[Run], Scores]:
    from aligner.scoring import evaluation, runs
    from aligner.scoring import gold as golden

    if (baseline or models) and not gold:
        raise UsageError("--baseline and --model need references: give --gold")
    known = runs.load(paths)
    sets = golden.load(gold) if gold else None
    scores = evaluation.score_runs(known, sets, extra_systems(baseline, models, languages), settings)
    if checksums:
        _verify(checksums, scores.inputs)
    return known, scores


def _texts(
    hypotheses: list[Path],
    references: list[Path],
    source: Path | None,
    test_set: str | None,
    checksums: Path | None,
    baseline: bool,
    models: list[str],
    languages: tuple[str, str],
    settings: Settings,
) -> Scores:
    from aligner.scoring import evaluation
    from aligner.scoring.gold import refusal

    if test_set:
        if references or source:
            raise UsageError("--test-set brings its references and source: leave out --reference and --source")
        source, references = evaluation.test_set(test_set, languages)
    if not references:
        raise UsageError("give --reference (or --test-set)")
    if not (hypotheses or baseline or models):
        raise UsageError("give --hypothesis (or --model, --baseline)")
    if (baseline or models) and source is None:
        raise UsageError("--baseline and --model translate the source: give --source")
    inputs: list[Input] = []
    problems: list[object] = []

    def read(path: Path, role: str) -> list[str]:
        try:
            lines, digest = evaluation.read_lines(path)
        except RecordError as error:
            problems.append(error)
            return []
        inputs.append(evaluation.Input(role, str(path), digest))
        return lines

    systems: dict[str, list[str]] = {}
    for path in hypotheses:
        name = path.name if [p.name for p in hypotheses].count(path.name) == 1 else str(path)
        if name in systems:
            raise UsageError(f"{path}: given twice; compare different systems")
        systems[name] = read(path, "hypothesis")
    texts = [read(path, "reference") for path in references]
    sources = read(source, "source") if source else None
    if problems:
        raise refusal(problems, "texts")
    if checksums:
        _verify(checksums, inputs)
    extra = extra_systems(baseline, models, languages)
    return evaluation.score_texts(systems, texts, sources, extra, settings, languages=languages, inputs=inputs)


def _verify(checksums: Path, inputs: Iterable[Input]) -> None:
    """Checks inputs against a ``sha256sum`` list; what was made from the test set may be absent from it.

    Raises:
        RecordError: the list cannot be read, a gold, reference or source is not in it, or any file differs.
    """
    from aligner.scoring.gold import Problem, refusal

    known = {}
    try:
        for line in checksums.read_text(encoding="utf-8").splitlines():
            digest, _, name = line.strip().partition(" ")
            known[(checksums.parent / name.strip().removeprefix("*")).resolve()] = digest.lower()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise RecordError(f"{checksums}: cannot be read ({reason}); name a list that sha256sum wrote") from None
    problems = []
    for item in inputs:
        expected = known.get(Path(item.path).resolve())
        if expected is None and item.role in ("gold", "reference", "source"):
            problems.append(Problem(item.path, f"is not listed in {checksums}"))
        elif expected is not None and expected != item.sha256:
            problems.append(Problem(item.path, f"SHA-256 is {item.sha256}, {checksums} says {expected}"))
    if problems:
        raise refusal(problems, "checksums")


def _files(runs: list[Run], verdicts: list[Verdict], junit: Path | None, sarif: Path | None) -> None:
    from aligner.scoring import formats

    records = [record for run in runs for record in run.records]
    if junit:
        write_atomically(junit, formats.junit(records, verdicts).encode())
    if sarif:
        write_atomically(sarif, formats.sarif(records).encode())
    if written := [str(path) for path in (junit, sarif) if path]:
        captions = sum(len(record.captions) for record in records)
        found = f"{count(captions, 'caption')} in {count(len(records), 'record')}; " if records else ""
        say(f"{found}wrote {', '.join(written)}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(score)
