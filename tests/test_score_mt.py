"""sacrebleu's figures are those of the real ``sacrebleu`` command, digit by digit."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from aligner.errors import RecordError, UsageError
from aligner.scoring import Settings, load, score_texts
from aligner.scoring.mt import METRICS, References, System, compare

DIGITS = 10
COMMAND = {
    "bleu": ["-m", "bleu"],
    "chrf2": ["-m", "chrf"],
    "chrf2++": ["-m", "chrf", "--chrf-word-order", "2"],
    "ter": ["-m", "ter"],
}


def sacrebleu(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "sacrebleu", *map(str, arguments), "-w", str(DIGITS), "-q"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def texts(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two sets of references and three systems that are damaged references; awkward lines among them."""
    references = [m.reference or "" for d in load([corpus]).documents for m in d.captions("es")]
    references += [
        "Tabs\tand\u00a0no-break spaces ",
        "“Quotes”, ½ & <b>tags</b>; 3,5 %",
        "日本語のキャプション",
        "one\u2028two",
    ]
    rng = random.Random(7)

    def damage(line: str, rate: float) -> str:
        words = [w if rng.random() > rate / 2 else rng.choice(["the", "of", "man,"]) for w in line.split(" ")]
        return " ".join(w for w in words if rng.random() > rate)

    folder = tmp_path_factory.mktemp("texts")
    contents = {"ref": references, "ref2": [damage(line, 0.1) or "x" for line in references]}
    contents |= {
        name: [damage(line, rate) for line in references] for name, rate in (("a", 0.2), ("b", 0.22), ("c", 0.4))
    }
    contents["c"][3] = ""
    for name, lines in contents.items():
        (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")
    return {name: folder / name for name in contents}


def lines(path: Path) -> list[str]:
    from aligner.scoring.evaluation import read_lines

    return read_lines(path)[0]


def systems(texts: dict[str, Path], *references: str) -> list[System]:
    known = References([lines(texts[name]) for name in references])
    return [System(name, lines(texts[name]), known) for name in "abc"]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("references", [("ref",), ("ref", "ref2")], ids=["one", "several"])
def test_scores_and_intervals_are_the_commands(
    texts: dict[str, Path], metric: str, references: tuple[str, ...]
) -> None:
    system = systems(texts, *references)[0]
    files = [texts[name] for name in references]
    shown = sacrebleu(*files, "-i", texts["a"], *COMMAND[metric], "--confidence", "--confidence-n", 300)
    expected = json.loads(shown)
    score = system.interval(metric, 300)
    assert score is not None
    assert f"{score.value:.{DIGITS}f}" == f"{expected['score']:.{DIGITS}f}"
    assert f"{score.mean:.{DIGITS}f}" == f"{expected['confidence_mean']:.{DIGITS}f}"
    assert f"{score.ci:.{DIGITS}f}" == f"{expected['confidence_var']:.{DIGITS}f}"
    assert score.signature == expected["signature"]


@pytest.mark.parametrize(("test", "trials"), [("bs", 300), ("ar", 500)])
@pytest.mark.parametrize("metric", METRICS)
def test_every_pair_has_the_commands_p(texts: dict[str, Path], metric: str, test: str, trials: int) -> None:
    found = {(c.first, c.second): c for c in compare(systems(texts, "ref"), metric, test, trials)}  # type: ignore[arg-type]
    assert list(found) == list(combinations("abc", 2))
    for first, *others in (("a", "b", "c"), ("b", "c")):
        files = [texts[name] for name in (first, *others)]
        number = ("-f", "latex", f"--paired-{test}", f"--paired-{test}-n", trials)
        shown = sacrebleu(texts["ref"], "-i", *files, *COMMAND[metric], *number)
        rows = [re.findall(r"[\d.]+", line.split("&")[1]) for line in shown.splitlines() if "&" in line][1:]
        for other, row in zip(others, rows[1:], strict=True):
            comparison = found[first, other]
            assert f"{comparison.p:.4f}" == row[-1]
            assert f"{comparison.difference:.6f}" == f"{float(row[0]) - float(rows[0][0]):.6f}"
            assert f"{test}:{trials}|seed:12345" in comparison.signature


def test_seed_is_sacrebleus(texts: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    before = systems(texts, "ref")[0].interval("chrf2", 100)
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    after = systems(texts, "ref")[0].interval("chrf2", 100)
    shown = sacrebleu(texts["ref"], "-i", texts["a"], *COMMAND["chrf2"], "--confidence", "--confidence-n", 100)
    assert before is not None
    assert after is not None
    assert before.mean != after.mean
    assert f"{after.mean:.{DIGITS}f}" == f"{json.loads(shown)['confidence_mean']:.{DIGITS}f}"
    assert "seed:7" in after.signature


def test_subset_is_scored_as_a_corpus_of_its_own(texts: dict[str, Path]) -> None:
    whole = systems(texts, "ref")[0]
    rows = list(range(0, len(whole.hypotheses), 3))
    references = References([[whole.references.texts[0][i] for i in rows]])
    alone = System("alone", [whole.hypotheses[i] for i in rows], references)
    for metric in METRICS:
        part, own = whole.score(metric, rows), alone.score(metric)
        assert part is not None
        assert own is not None
        assert part.value == own.value


def test_segment_scores_are_the_commands_sentence_level(texts: dict[str, Path]) -> None:
    system = systems(texts, "ref")[0]
    for metric in ("bleu", "chrf2", "ter"):
        done = subprocess.run(
            [sys.executable, "-m", "sacrebleu", texts["ref"], "-i", texts["a"], *COMMAND[metric], "-sl", "-b",
             "-w", "6"], capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert [f"{score:.6f}" for score in system.segment_scores(metric)] == done.stdout.split()


PROBLEMS = [
    ({"a": ["x"]}, [["x", "y"]], None, ["different numbers of lines: reference 1 2, system a 1"]),
    ({"a": ["x", "y"]}, [["x", "y"], ["x"]], ["x"], ["reference 2 1", "source 1", "different numbers"]),
    ({"a": ["x", "y", "z"]}, [["x", " ", ""]], None, ["segments without a reference: 2, 3"]),
    ({"a": ["x"]}, [["", "b"]], None, ["2 problems", "different numbers", "without a reference: 1"]),
    ({"a": []}, [[]], None, ["references are empty"]),
    ({"a": ["x"]}, [], None, ["no reference given"]),
]


@pytest.mark.parametrize(("hypotheses", "references", "source", "parts"), PROBLEMS)
def test_unequal_or_empty_texts_are_refused(
    hypotheses: dict[str, list[str]], references: list[list[str]], source: list[str] | None, parts: list[str]
) -> None:
    with pytest.raises(RecordError) as caught:
        score_texts(hypotheses, references, source)
    for part in parts:
        assert part in str(caught.value)


def test_a_second_reference_may_be_missing_somewhere() -> None:
    known = References([["a b", "c"], ["", "d"]])
    assert System("s", ["a b", "d"], known).score("chrf2") is not None


def test_unknown_metric_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"chrf2\+\+"):
        References([["a"]]).scorer("meteor")


def test_texts_are_sliced_by_their_source() -> None:
    sources = [
        "DOS HOMBRES EN LA CALLE",
        "Ana Ruiz",
        "un perro corre por el parque con una pelota roja en la boca",
    ]
    hypotheses = ["TWO MEN IN THE STREET", "Ana Ruiz", "a dog runs"]
    scored = score_texts(
        {"s": hypotheses}, [hypotheses], sources, settings=Settings(metrics=("chrf2",), resamples=0)
    ).systems[0]
    sizes = {(part.group, part.name): part.n for part in scored.slices}
    assert sizes["capitals", "ALL CAPS"] == 1
    assert sizes["length", "13–30 words"] == 1
    assert sizes["names", "over a third names"] == 1
    assert scored.figures["mt.chrf2"].value == pytest.approx(100)
    assert scored.figures["mt.wrong_language"].value == 0
