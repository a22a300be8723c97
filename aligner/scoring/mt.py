"""Translation scores, every one of them by sacrebleu (Post 2018, https://aclanthology.org/W18-6319).

Nothing is scored here: sacrebleu's metric objects extract each segment's statistics, add them up, resample
them and test differences. What this module adds is that the statistics of a system are extracted once for all
slices and tests, and that every pair of systems is compared, not only each with a baseline. Figures are those
of the ``sacrebleu`` command, digit by digit (tested against it).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from aligner.errors import RecordError, UsageError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric, Score

Test = Literal["bs", "ar"]
TESTS: dict[Test, str] = {"bs": "paired bootstrap", "ar": "paired approximate randomisation"}
# Resamples and trials: sacrebleu's own defaults.
RESAMPLES: dict[Test, int] = {"bs": 1000, "ar": 10000}


# Figure names in the order they are shown.
METRICS = ("bleu", "chrf2", "chrf2++", "ter")
LABELS = {"bleu": "BLEU", "chrf2": "chrF2", "chrf2++": "chrF2++", "ter": "TER"}


@dataclass(frozen=True, slots=True)
class MTScore:
    """A corpus score.

    Attributes:
        value: the score, 0..100 (TER may pass 100).
        mean: mean of the bootstrap resamples; None where none were drawn.
        ci: half the width of the 95 % interval around ``mean``.
        signature: sacrebleu's signature, which says how to reproduce the score.
        segments: number of segments.
    """

    value: float
    mean: float | None
    ci: float | None
    signature: str
    segments: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired test of two systems on the same segments.

    Attributes:
        metric: ``bleu``, ``chrf2`` …
        test: ``bs`` (paired bootstrap, Koehn 2004) or ``ar`` (approximate randomisation, Riezler and
            Maxwell 2005).
        first: a system.
        second: another.
        difference: score of the second less that of the first.
        p: how often a difference this large comes about by chance, were both systems alike.
        identical: whether both gave the same translations, so that ``p`` says nothing.
        signature: sacrebleu's signature with the number of trials and the seed.
    """

    metric: str
    test: Test
    first: str
    second: str
    difference: float
    p: float
    identical: bool
    signature: str


class References:
    """The references of a test set, with sacrebleu's metric objects that have read them.

    Args:
        texts: one or several references: ``texts[k][i]`` is the k-th of segment i.

    Raises:
        RecordError: there is none, their lengths differ, or a segment has none; all problems are listed.
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        problems = []
        if not texts:
            problems.append("no reference given")
        if len({len(text) for text in texts}) > 1:
            problems.append(f"references with different numbers of lines: {', '.join(str(len(t)) for t in texts)}")
        else:
            empty = [str(i) for i, lines in enumerate(zip(*texts, strict=True), 1) if not any(map(str.strip, lines))]
            if empty:
                more = f" and {len(empty) - 20} more" if len(empty) > 20 else ""
                problems.append(f"segments without a reference: {', '.join(empty[:20])}{more}")
        if problems:
            raise RecordError("; ".join(problems))
        self.texts = [list(text) for text in texts]
        self._scorers: dict[str, Metric] = {}
        self._draws: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.texts[0])

    def draws(self, number: int) -> Any:
        """The segments of each of a number of bootstrap resamples, an array of indices."""
        if number not in self._draws:
            import numpy as np

            generator = np.random.default_rng(None if seed() == "none" else int(seed()))
            self._draws[number] = generator.choice(len(self), size=(number, len(self)), replace=True)
        return self._draws[number]

    def scorer(self, metric: str) -> Metric:
        """Sacrebleu's metric object with its default settings.

        Raises:
            UsageError: an unknown metric.
        """
        if metric not in METRICS:
            raise UsageError(f"unknown metric {metric!r}; known: {', '.join(METRICS)}")
        if metric not in self._scorers:
            from sacrebleu import BLEU, CHRF, TER

            made: dict[str, Callable[[], Metric]] = {
                "bleu": lambda: BLEU(references=self.texts),
                "chrf2": lambda: CHRF(references=self.texts),
                "chrf2++": lambda: CHRF(word_order=2, references=self.texts),
                "ter": lambda: TER(references=self.texts),
            }
            self._scorers[metric] = made[metric]()
        return self._scorers[metric]


class System:
    """Translations of one system, and sacrebleu's statistics of them.

    Args:
        name: what the system is called.
        hypotheses: one translation per segment.
        references: what they are compared with.

    Raises:
        RecordError: the numbers of segments differ.
    """

    def __init__(self, name: str, hypotheses: Sequence[str], references: References) -> None:
        if len(hypotheses) != len(references):
            raise RecordError(f"{name}: {len(hypotheses)} hypotheses for {len(references)} references")
        self.name = name
        self.hypotheses = list(hypotheses)
        self.references = references
        self._statistics: dict[str, list[list[float]]] = {}
        self._whole: dict[str, MTScore] = {}
        self._resamples: dict[tuple[str, int], list[Score]] = {}

    def statistics(self, metric: str) -> list[list[float]]:
        """Sacrebleu's statistics of every segment."""
        if metric not in self._statistics:
            scorer = self.references.scorer(metric)
            self._statistics[metric] = scorer._extract_corpus_statistics(self.hypotheses, None)
        return self._statistics[metric]

    def score(self, metric: str, segments: Sequence[int] | None = None) -> MTScore | None:
        """The corpus score of all or some segments; None if there is no segment."""
        if segments is None and metric in self._whole:
            return self._whole[metric]
        scorer, statistics = self.references.scorer(metric), self.statistics(metric)
        chosen = statistics if segments is None else [statistics[i] for i in segments]
        if not chosen:
            return None
        total = scorer._aggregate_and_compute(chosen)
        score = MTScore(float(total.score), None, None, scorer.get_signature().format(), len(chosen))
        if segments is None:
            self._whole[metric] = score
        return score

    def interval(self, metric: str, resamples: int) -> MTScore | None:
        """The corpus score of all segments with its 95 % interval from bootstrap resamples."""
        score = self.score(metric)
        if score is None:
            return None
        scorer = self.references.scorer(metric)
        resampled = self._resample(metric, resamples)
        middle = resampled[0]  # any score object can hold the interval
        middle.estimate_ci(resampled)
        signature = scorer.get_signature()
        signature.update("bs", resamples)
        signature.update("seed", seed())
        mean, ci = float(middle._mean), float(middle._ci)
        return MTScore(score.value, mean, ci, signature.format(), score.segments)

    def resamples(self, metric: str, number: int) -> Any:
        """An array of the scores of bootstrap resamples, the same for all systems of as many segments."""
        import numpy as np

        return np.array([score.score for score in self._resample(metric, number)])

    def _resample(self, metric: str, number: int) -> list[Score]:
        """As ``sacrebleu.significance._bootstrap_resample``: same generator, same order of sums, same scores.

        The draws are shared by all systems, which pairs them even without a seed, and each resample is gathered
        on its own, which needs no array of all resamples at once.
        """
        if (metric, number) not in self._resamples:
            import numpy as np

            scorer = self.references.scorer(metric)
            statistics = np.array(self.statistics(metric), dtype="float32")
            self._resamples[metric, number] = [
                scorer._compute_score_from_stats(statistics[rows].sum(0)) for rows in self.references.draws(number)
            ]
        return self._resamples[metric, number]

    def segment_scores(self, metric: str) -> list[float]:
        """The score of each segment alone, as sacrebleu's sentence level has it."""
        scorer = self.references.scorer(metric)
        if metric == "bleu":  # sentence BLEU counts only the orders that a short segment can have
            from sacrebleu import BLEU

            scorer = BLEU(effective_order=True)
        return [float(scorer._aggregate_and_compute([item]).score) for item in self.statistics(metric)]


def seed() -> str:
    """The seed of all resampling: sacrebleu's 12345 unless the environment sets ``SACREBLEU_SEED``."""
    return os.environ.get("SACREBLEU_SEED", "12345").lower()


class _Known:
    """A sacrebleu metric that looks up a system's statistics instead of extracting them anew."""

    def __init__(self, metric: str, systems: Sequence[System]) -> None:
        self._scorer = systems[0].references.scorer(metric)
        self._by_id = {id(system.hypotheses): system.statistics(metric) for system in systems}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scorer, name)

    def _extract_corpus_statistics(self, hypotheses: Sequence[str], references: object) -> list[list[float]]:
        return self._by_id[id(hypotheses)]


def compare(systems: Sequence[System], metric: str, test: Test, trials: int = 0) -> list[Comparison]:
    """Tests every pair of systems on the same segments.

    Args:
        systems: two or more systems.
        metric: one of :data:`METRICS`.
        test: paired bootstrap or approximate randomisation.
        trials: resamples or trials; 0 for sacrebleu's default.

    Raises:
        RecordError: the systems have different numbers of segments.
    """
    if len({len(system.hypotheses) for system in systems}) > 1:
        counts = ", ".join(f"{system.name} {len(system.hypotheses)}" for system in systems)
        raise RecordError(f"systems with different numbers of segments: {counts}")
    if len(systems) < 2 or not systems[0].hypotheses:
        return []
    trials = trials or RESAMPLES[test]
    p_values = (_bootstrap if test == "bs" else _randomise)(systems, metric, trials)
    signature = systems[0].references.scorer(metric).get_signature()
    signature.update(test, trials)
    signature.update("seed", seed())
    return [
        Comparison(
            metric,
            test,
            a.name,
            b.name,
            _value(b, metric) - _value(a, metric),
            p,
            a.hypotheses == b.hypotheses,
            signature.format(),
        )
        for (a, b), p in zip(combinations(systems, 2), p_values, strict=True)
    ]


def _value(system: System, metric: str) -> float:
    score = system.score(metric)
    assert score is not None
    return score.value


def _bootstrap(systems: Sequence[System], metric: str, trials: int) -> Iterator[float]:
    """As ``sacrebleu.significance._paired_bs_test``, but each system is resampled once, not once per pair.

    The resamples are the same in both: sacrebleu seeds its generator anew for every test.
    """
    from sacrebleu.significance import _compute_p_value

    for a, b in combinations(systems, 2):
        samples = abs(b.resamples(metric, trials) - a.resamples(metric, trials))
        yield float(_compute_p_value(samples - samples.mean(), abs(_value(b, metric) - _value(a, metric))))


def _randomise(systems: Sequence[System], metric: str, trials: int) -> Iterator[float]:
    from sacrebleu.significance import PairedTest

    for index in range(len(systems) - 1):
        group = systems[index:]
        known: Any = {metric: _Known(metric, group)}
        _, scores = PairedTest([(s.name, s.hypotheses) for s in group], known, None, "ar", trials)()
        (name,) = set(scores) - {"System"}
        for result in scores[name][1:]:
            assert not isinstance(result, str)
            assert result.p_value is not None
            yield float(result.p_value)
