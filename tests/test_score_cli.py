"""``aligner score``: what it prints, writes and exits with."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from scoring_helpers import damaged, perfect, write

from aligner import cli
from aligner.scoring import FIGURES, Gold, Run, Scores, gates, load, mt, show

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the command in this process, as the installed one does."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aligner", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            cli.main()
        out, err = capsys.readouterr()
        return int(done.value.code or 0), out, err

    return run


@pytest.fixture(scope="module")
def gold(corpus: Path) -> Gold:
    return load([corpus / "atalayar-2022"])


@pytest.fixture(scope="module")
def run(gold: Gold) -> Run:
    return perfect(gold)


@pytest.fixture
def files(run: Run, tmp_path: Path) -> dict[str, Path]:
    """Run files and plain texts of the seed article."""
    captions = [c for r in run.records for c in r.captions]
    deaf = damaged(run, lambda c: None, every=2)
    texts = {
        "source.txt": [c.source for c in captions],
        "reference.txt": [c.translation.text for c in captions if c.translation],
        "a.txt": [c.translation.text.replace("the", "a") for c in captions if c.translation],
        "b.txt": [c.source for c in captions],
    }
    for name, lines in texts.items():
        (tmp_path / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    made = {name: tmp_path / name for name in texts}
    return made | {"run": write(run, tmp_path / "good.jsonl"), "deaf": write(deaf, tmp_path / "deaf.jsonl")}


def test_table_shows_every_figure_with_signatures(call: Call, files: dict[str, Path], corpus: Path) -> None:
    code, out, err = call("score", files["run"], files["deaf"], "--gold", corpus / "atalayar-2022", "--resamples", 50)
    assert code == 0
    assert err == ""
    for name in FIGURES:
        assert f"\n{name} " in out, name
    assert "deaf: captions missed: putin-macron:38: El presidente de Ucrania" in out
    assert "nrefs:1|bs:50|seed:12345|case:mixed|eff:no|tok:13a" in out
    assert "fewer than 10" in out
    assert "identical" in out


def test_json_carries_everything(call: Call, files: dict[str, Path], corpus: Path) -> None:
    gold = corpus / "atalayar-2022"
    code, out, _ = call(
        "score", files["run"], "--gold", gold, "--resamples", 0, "--format", "json", "--fail-under", "bleu=99"
    )
    scores = json.loads(out)
    assert code == 0
    assert scores["schema"] == "aligner-score/1"
    assert scores["systems"][0]["figures"]["find.span.f1"] == {
        "value": 1.0, "n": 4, "low": None, "high": None, "mean": None, "signature": None,
    }  # fmt: skip
    assert {item["role"]: item["sha256"] for item in scores["inputs"]} == {
        "run": _digest(files["run"]),
        "gold": _digest(gold / "gold.jsonl"),
    }
    assert scores["gates"] == [{"system": "good", "gate": "mt.bleu >= 99", "value": pytest.approx(100), "passed": True}]
    assert all(part["few"] for part in scores["systems"][0]["slices"])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_markdown_is_one_table_a_topic(call: Call, files: dict[str, Path], corpus: Path) -> None:
    arguments = ("--gold", corpus / "atalayar-2022", "--resamples", 0, "--format", "markdown")
    code, out, _ = call("score", files["deaf"], *arguments)
    assert code == 0
    assert "| find.line.r | 0.500 | 4 |" in out
    tables = [block.splitlines() for block in out.split("\n\n") if block.startswith("|")]
    assert len(tables) == 2
    for table in tables:
        assert len({line.count("|") for line in table}) == 1


GATES = [
    (["--fail-under", "find.line.r=0.5"], 0, []),
    (["--fail-under", "find.line.r=0.51"], 1, ["deaf: find.line.r is 0.5000, must be >= 0.51"]),
    (
        ["--fail-under", "chrf2=60", "--fail-under", "find.span.f1=0.98"],
        1,
        ["find.span.f1 is 0.6667, must be >= 0.98"],
    ),
    (["--fail-over", "residue.after=0.01"], 1, ["residue.after is", "must be <= 0.01"]),
    (["--fail-over", "ter=0"], 0, []),
]


def test_a_finder_run_without_gold_has_nothing_to_score(call: Call, run: Run, tmp_path: Path) -> None:
    bare = damaged(run, lambda caption: replace(caption, translation=None, context=None), every=1)
    path = write(bare, tmp_path / "found.jsonl")
    code, out, err = call("score", path)
    assert (code, out.strip()) == (0, "")
    assert "nothing to score: the run has no translations" in err
    assert call("score", write(run, tmp_path / "run.jsonl"))[2] == ""


@pytest.mark.parametrize(("options", "expected", "said"), GATES)
def test_gates(
    call: Call, files: dict[str, Path], corpus: Path, options: list[str], expected: int, said: list[str]
) -> None:
    code, out, err = call("score", files["deaf"], "--gold", corpus / "atalayar-2022", "--resamples", 0, *options)
    assert code == expected
    assert err.count("gate missed") == bool(said)
    for part in said:
        assert part in err
        assert part in out


def test_gate_on_a_figure_that_was_not_measured_is_missed(call: Call, files: dict[str, Path]) -> None:
    code, _, err = call("score", files["run"], "--fail-under", "find.span.f1=0.1")
    assert code == 1
    assert "find.span.f1 is not measured in this run" in err


WRONG_GATES = [
    (["--fail-under", "blue=30"], f"unknown figure 'blue'; known: {', '.join(FIGURES)}"),
    (["--fail-under", "bleu"], "needs a number"),
    (["--fail-under", "ter=40"], "lower is better for mt.ter; use --fail-over"),
    (["--fail-over", "bleu=40"], "higher is better for mt.bleu; use --fail-under"),
    (["--fail-under", "find.line.f1=98"], "lies between 0 and 1"),
]


@pytest.mark.parametrize(("options", "message"), WRONG_GATES)
def test_wrong_gates_are_usage_errors(call: Call, files: dict[str, Path], options: list[str], message: str) -> None:
    code, out, err = call("score", files["run"], *options)
    assert code == 2
    assert out == ""
    assert message in err


def test_all_wrong_gates_are_named_at_once(call: Call, files: dict[str, Path]) -> None:
    options = [option for options, _ in WRONG_GATES for option in options]
    code, out, err = call("score", files["run"], *options)
    assert (code, out) == (2, "")
    for _, message in WRONG_GATES:
        assert message in err


def test_baselines_do_not_pass_gates(files: dict[str, Path], run: Run, gold: Gold) -> None:
    from aligner.scoring import Settings, score_runs
    from aligner.scoring.baselines import copy_source

    scores = score_runs([run], gold, [copy_source()], Settings(resamples=0, tests=()))
    assert [v.system for v in gates.judge(scores, gates.parse(["bleu=50"]))] == ["perfect"]


def test_plain_texts(call: Call, files: dict[str, Path]) -> None:
    systems = ("--hypothesis", files["a.txt"], "--hypothesis", files["b.txt"])
    texts = ("--reference", files["reference.txt"], "--source", files["source.txt"])
    options = ("--format", "json", "--resamples", 100, "--paired", "both", "--trials", 100)
    code, out, err = call("score", *systems, *texts, *options)
    assert (code, err) == (0, "")
    scores = json.loads(out)
    assert [s["name"] for s in scores["systems"]] == ["a.txt", "b.txt"]
    assert scores["systems"][1]["figures"]["mt.wrong_language"]["value"] == 1
    assert scores["systems"][0]["figures"]["kept.names"]["value"] == 1
    assert [c["test"] for c in scores["comparisons"]] == ["bs"] * 4 + ["ar"] * 4


def test_text_figures_are_the_sacrebleu_commands(call: Call, files: dict[str, Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sacrebleu", files["reference.txt"], "-i", files["a.txt"],
         "-m", "bleu", "chrf", "ter", "--confidence", "-f", "text", "-q", "--no-color"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    expected = {line.split("|")[0].strip(): line.split(" = ", 1)[1] for line in done.stdout.splitlines()}
    _, out, _ = call("score", "--hypothesis", files["a.txt"], "--reference", files["reference.txt"], "--no-slices")
    for name, label in (("mt.bleu", "BLEU"), ("mt.chrf2", "chrF2"), ("mt.ter", "TER")):
        row = next(line for line in out.splitlines() if line.startswith(name + " "))
        score = expected[label].replace("μ = ", "").split(")")[0] + ")"
        assert score in row


def test_gzip_and_several_references(call: Call, files: dict[str, Path], tmp_path: Path) -> None:
    packed = tmp_path / "a.txt.gz"
    packed.write_bytes(gzip.compress(files["a.txt"].read_bytes()))
    code, out, _ = call(
        "score", "--hypothesis", packed, "--reference", files["reference.txt"], "--reference", files["a.txt"],
        "--format", "json", "--resamples", 0,
    )  # fmt: skip
    bleu = json.loads(out)["systems"][0]["figures"]["mt.bleu"]
    assert code == 0
    assert bleu["value"] == pytest.approx(100)
    assert bleu["signature"].startswith("nrefs:2|")


def test_checksums(call: Call, files: dict[str, Path], tmp_path: Path) -> None:
    sums = tmp_path / "SHA256SUMS"
    names = ["reference.txt", "source.txt"]
    done = subprocess.run(["sha256sum", *names], cwd=tmp_path, capture_output=True, text=True, check=True)
    sums.write_text(done.stdout)
    arguments = (
        "score",
        "--hypothesis",
        files["a.txt"],
        "--reference",
        files["reference.txt"],
        "--source",
        files["source.txt"],
    )
    assert call(*arguments, "--checksums", sums, "--resamples", 0)[0] == 0
    files["reference.txt"].write_text(files["reference.txt"].read_text() + "\n")
    sums.write_text(done.stdout.splitlines()[0] + "\n")
    code, out, err = call(*arguments, "--checksums", sums)
    assert (code, out) == (2, "")
    assert "reference.txt: SHA-256 is" in err
    assert "source.txt: is not listed" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give runs (with --gold), or --hypothesis and --reference"),
        (["--hypothesis", "a.txt"], "give --reference"),
        (["--reference", "reference.txt"], "give --hypothesis"),
        (["--reference", "reference.txt", "--baseline"], "give --source"),
        (["--reference", "reference.txt", "--hypothesis", "a.txt", "--gold", "."], "--gold goes with runs"),
        (["good.jsonl", "--hypothesis", "a.txt"], "give runs"),
        (["good.jsonl", "--baseline"], "give --gold"),
        (
            ["good.jsonl", "--metrics", "bleu,comet"],
            "unknown metric 'comet'; known: bleu, chrf2, chrf2++, ter",
        ),
        (["--test-set", "wmt99", "--hypothesis", "a.txt"], "unknown test set 'wmt99'; sacrebleu knows"),
        (["--test-set", "wmt13", "--from", "xx", "--hypothesis", "a.txt"], "has no xx-en; it has"),
    ],
)
def test_wrong_usage(
    call: Call, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(files["run"].parent)
    code, out, err = call("score", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_missing_files_are_named(call: Call, files: dict[str, Path], tmp_path: Path) -> None:
    packed = tmp_path / "damaged.gz"
    packed.write_bytes(b"\x1f\x8b\x08" + bytes(6) + b"\x03\xff\xff\xff no deflate")
    options = ("--hypothesis", tmp_path / "absent.txt", "--hypothesis", packed)
    code, out, err = call("score", *options, "--reference", files["reference.txt"], "--source", tmp_path / "none.txt")
    assert (code, out) == (2, "")
    assert "3 problems" in err
    for name in ("absent.txt", "damaged.gz", "none.txt"):
        assert f"{name}: cannot be read" in err


@pytest.mark.skipif(shutil.which("apertium") is None, reason="Apertium is not installed")
def test_baselines_join_as_systems(call: Call, files: dict[str, Path], corpus: Path) -> None:
    gold = corpus / "atalayar-2022"
    code, out, err = call("score", files["run"], "--gold", gold, "--baseline", "--format", "json", "--resamples", 0)
    assert code == 0
    scores = json.loads(out)
    names = [s["name"] for s in scores["systems"]]
    assert names[:2] == ["good", "copy-source"]
    if "apertium spa-eng" in names:
        values = {s["name"]: s["figures"]["mt.chrf2"]["value"] for s in scores["systems"]}
        assert values["copy-source"] < values["apertium spa-eng"] < values["good"]
    else:
        assert "Apertium has no pair" in err


def test_baseline_without_apertium_says_so(
    call: Call, files: dict[str, Path], corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, out, err = call("score", files["run"], "--gold", corpus / "atalayar-2022", "--baseline", "--resamples", 0)
    assert code == 0
    assert "copy-source" in out
    assert "scored without it" in err


def test_junit_of_gates(call: Call, files: dict[str, Path], corpus: Path, tmp_path: Path) -> None:
    target = tmp_path / "gates.xml"
    options = (
        "--fail-under",
        "bleu=1",
        "--fail-under",
        "find.line.r=0.9",
        "--junit",
        target,
        "--resamples",
        0,
    )
    assert call("score", files["deaf"], "--gold", corpus / "atalayar-2022", *options)[0] == 1
    suite = ElementTree.parse(target).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite.find("testcase/failure").get("message").startswith("deaf: find.line.r is 0.5000")  # type: ignore[union-attr]


def test_junit_and_sarif_of_a_finder_run(call: Call, run: Run, tmp_path: Path) -> None:
    found = damaged(run, lambda c: replace(c, translation=None, context=None))
    clean = replace(found.records[0], document="clean.txt", captions=())
    broken = replace(clean, document="broken.txt", error="broken.txt: binary\x00 data", sha256="")
    path = write(replace(found, records=(*found.records, clean, broken)), tmp_path / "found.jsonl")
    junit, sarif = tmp_path / "out" / "residue.xml", tmp_path / "out" / "residue.sarif"
    code, out, err = call("score", path, "--junit", junit, "--sarif", sarif)
    assert (code, out) == (0, "found: broken.txt could not be read\n")
    assert err == f"aligner: 4 captions in 3 records; wrote {junit}, {sarif}\n"
    suite = ElementTree.parse(junit).getroot()[0]
    assert [len(case) for case in suite] == [1, 0, 1]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    log = json.loads(sarif.read_text(encoding="utf-8"))
    results = log["runs"][0]["results"]
    assert [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in results] == [32, 38, 43, 49]
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is False
    assert not any("fixes" in result for result in results)


def test_sarif_fixes_correct_the_article(
    call: Call, files: dict[str, Path], run: Run, gold: Gold, tmp_path: Path
) -> None:
    """Applying the fixes by their own offsets puts every reference in its caption's place."""
    target = tmp_path / "run.sarif"
    assert call("score", files["run"], "--sarif", target)[0] == 0
    text = gold.documents[0].text
    results = json.loads(target.read_text(encoding="utf-8"))["runs"][0]["results"]
    for result in reversed(results):
        change = result["fixes"][0]["artifactChanges"][0]["replacements"][0]
        start, length = change["deletedRegion"]["charOffset"], change["deletedRegion"]["charLength"]
        text = text[:start] + change["insertedContent"]["text"] + text[start + length :]
    captions = run.records[0].captions
    assert not any(c.source in text for c in captions)
    assert all(c.translation and c.translation.text in text for c in captions)
    assert len({r["partialFingerprints"]["caption/v1"] for r in results}) == len(captions)


def test_unwritable_output_is_one_message(call: Call, files: dict[str, Path], tmp_path: Path) -> None:
    code, _, err = call("score", files["run"], "--sarif", tmp_path)
    assert code == 1
    assert "cannot be written" in err
    assert "Traceback" not in err


def test_scoring_loads_no_model_runtime(
    aligner: Callable[..., subprocess.CompletedProcess[str]], files: dict[str, Path]
) -> None:
    code = (
        "import sys; from aligner import cli; sys.argv = ['aligner', 'score', sys.argv[1]]\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'transformers', 'ctranslate2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, files["run"]], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_another_kind_of_file_is_one_problem(call: Call, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n\nOne line.\nAnother.\n")
    for arguments in (
        ("score", tmp_path / "notes.md", "--gold", corpus),
        ("export", tmp_path / "notes.md", "--to", "tmx"),
    ):
        code, out, err = call(*arguments)
        assert (code, out) == (2, "")
        assert err.count("not a JSON record") == 1
        assert "aligner run --format jsonl" in err


def test_no_star_on_a_difference_of_nought() -> None:
    same = mt.Comparison("ter", "bs", "a", "b", 0.01, 0.001, identical=False, signature="")
    tables = [
        next(iter(show.tables(Scores((), (comparison,), compared=4))))
        for comparison in (same, replace(same, difference=1.0))
    ]
    assert [rows[0][1] for _, _, rows in tables] == ["+0.0 (p = 0.0010)", "+1.0 (p = 0.0010)*"]
    assert "4 segments, too few to tell" in tables[0][0]
