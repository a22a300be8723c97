"""Runs made from gold are damaged in known ways; every figure must move by exactly what was damaged."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_helpers import damaged, perfect, write

from aligner.errors import RecordError
from aligner.records import Candidate, Caption, Credit
from aligner.report import build
from aligner.scoring import Gold, Run, Settings, load, score_runs
from aligner.scoring.baselines import Baseline, copy_source
from aligner.scoring.gold import GoldDocument
from aligner.scoring.matching import fold, fold_credit
from aligner.scoring.runs import load as load_runs
from aligner.scoring.runs import names

QUICK = Settings(metrics=("chrf2",), resamples=0, tests=(), sliced=False)


@pytest.fixture(scope="module")
def gold(corpus: Path) -> Gold:
    return load([corpus])


@pytest.fixture(scope="module")
def run(gold: Gold) -> Run:
    return perfect(gold)


@pytest.fixture(scope="module")
def captions(run: Run) -> list[Caption]:
    return [caption for record in run.records for caption in record.captions]


def figures(run: Run, gold: Gold, settings: Settings = QUICK) -> dict[str, float | None]:
    return {name: value.value for name, value in score_runs([run], gold, settings=settings).systems[0].figures.items()}


def test_perfect_run_has_perfect_figures(run: Run, gold: Gold) -> None:
    found = figures(run, gold, Settings(resamples=0, tests=(), sliced=False))
    right = {name: value for name, value in found.items() if name.startswith(("find.", "link.", "kept."))}
    assert len(right) == 18
    assert set(right.values()) == {1.0}
    assert (found["mt.bleu"], found["mt.chrf2"], found["mt.chrf2++"], found["mt.ter"]) == pytest.approx(
        (100, 100, 100, 0)
    )
    assert found["residue.before"] is not None
    assert found["residue.before"] > 0.05


def test_missed_captions_lower_recall_alone(run: Run, gold: Gold, captions: list[Caption]) -> None:
    missed = len(captions) // 4
    found = score_runs([damaged(run, lambda c: None, every=4)], gold, settings=QUICK).systems[0]
    values = {name: value.value for name, value in found.figures.items()}
    assert values["find.line.p"] == 1
    assert values["find.line.r"] == values["find.span.r"] == pytest.approx(1 - missed / len(captions))
    assert values["find.line.f1"] == pytest.approx(2 * (len(captions) - missed) / (2 * len(captions) - missed))
    assert values["link.accuracy"] == 1
    assert values["mt.chrf2"] == pytest.approx(100)
    assert [item.expected for item in found.misses] == [c.source for i, c in enumerate(captions, 1) if i % 4 == 0]
    assert not found.false_alarms
    assert found.figures["residue.after"].value == pytest.approx(
        sum(_letters(c.source) for i, c in enumerate(captions, 1) if i % 4 == 0)
        / (
            sum(_letters(d.text) for d in gold.documents)
            + sum(
                _letters(c.translation.text) - _letters(c.source)
                for i, c in enumerate(captions, 1)
                if c.translation and i % 4
            )
        ),
        abs=1e-3,  # the identifier takes a reference or two for Spanish
    )


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def test_false_alarms_lower_precision_alone(run: Run, gold: Gold, captions: list[Caption]) -> None:
    """Every document's first body paragraph is reported too."""
    records = []
    for document, record in zip(gold.documents, run.records, strict=True):
        marked = {mark.line for mark in document.marks}
        line = next(n for n, (_, text) in enumerate(document.lines, 1) if text.strip() and n not in marked)
        offset, text = document.lines[line - 1]
        text = text.rstrip("\r")
        extra = Caption("x", line, offset, offset + len(text), text, None, 0.6, ())
        records.append(record.with_captions((*record.captions, extra)))
    scored = score_runs([replace(run, records=tuple(records))], gold, settings=QUICK).systems[0]
    size, extra_size = len(captions), len(gold.documents)
    values = {name: value.value for name, value in scored.figures.items()}
    assert values["find.line.r"] == values["find.span.r"] == 1
    assert values["find.line.p"] == values["find.span.p"] == pytest.approx(size / (size + extra_size))
    assert values["find.credit.f1"] == 1
    assert len(scored.false_alarms) == extra_size
    assert values["mt.chrf2"] == pytest.approx(100)


def test_wrong_span_counts_at_line_level_only(run: Run, gold: Gold, captions: list[Caption]) -> None:
    cut = damaged(
        run, lambda c: replace(c, end=c.start + len(c.source.split()[0]), source=c.source.split()[0]), every=3
    )
    scored = score_runs([cut], gold, settings=QUICK).systems[0]
    wrong = sum(i % 3 == 0 and fold(c.source) != fold(c.source.split()[0]) for i, c in enumerate(captions, 1))
    assert scored.figures["find.line.f1"].value == 1
    assert scored.figures["find.span.f1"].value == pytest.approx(1 - wrong / len(captions))
    assert len(scored.spans) == wrong


def test_lost_and_invented_credits(run: Run, gold: Gold, captions: list[Caption]) -> None:
    with_credit = sum(c.credit is not None for c in captions)
    lost = figures(damaged(run, lambda c: replace(c, credit=None)), gold)
    assert (lost["find.credit.p"], lost["find.credit.r"]) == (None, 0)
    assert lost["find.credit.exact"] == pytest.approx(1 - with_credit / len(captions))
    invented = damaged(
        run, lambda c: c if c.credit else replace(c, credit=Credit("AFP", "AFP", None, c.start, c.start + 3))
    )
    values = figures(invented, gold)
    assert values["find.credit.r"] == 1
    assert values["find.credit.p"] == values["find.credit.exact"] == pytest.approx(with_credit / len(captions))


def test_credit_label_and_white_space_are_folded(run: Run, gold: Gold) -> None:
    def label(caption: Caption) -> Caption:
        if caption.credit is None or fold_credit(caption.credit.text) != fold(caption.credit.text):
            return caption  # has its label already
        return replace(caption, credit=replace(caption.credit, text=f"FOTO:  {caption.credit.text}."))

    labelled = damaged(run, label)
    assert labelled != run
    assert figures(labelled, gold)["find.credit.exact"] == 1


def test_links(run: Run, gold: Gold, captions: list[Caption]) -> None:
    """A run that links nothing is right exactly where none is right; F1 of none follows."""
    none = damaged(run, lambda c: replace(c, context=None))
    marks = [mark for document in gold.documents for mark in document.captions("es")]
    right = sum(mark.aligned_line is None for mark in marks)
    assert 0 < right < len(marks)
    values = figures(none, gold)
    assert values["link.accuracy"] == pytest.approx(right / len(marks))
    assert values["link.none.r"] == 1
    assert values["link.none.p"] == pytest.approx(right / len(marks))


def test_acceptable_links_are_right(run: Run, gold: Gold) -> None:
    """Every caption is linked to the last acceptable paragraph instead of the best."""
    marks = {(d.name, m.start): m for d in gold.documents for m in d.captions("es")}
    records = []
    for document, record in zip(gold.documents, run.records, strict=True):
        moved = []
        for caption in record.captions:
            mark = marks[document.name, caption.start]
            context = caption.context
            if context and mark.aligned_ok:
                context = replace(context, line=mark.aligned_ok[-1])
            moved.append(replace(caption, context=context))
        records.append(record.with_captions(tuple(moved)))
    assert any(mark.aligned_ok for mark in marks.values())
    assert figures(replace(run, records=tuple(records)), gold)["link.accuracy"] == 1


def test_mean_reciprocal_rank(run: Run, gold: Gold, captions: list[Caption]) -> None:
    """Right places put second, in every second caption, among others third, or nowhere."""
    wrong = Candidate(10**6, 0.3)

    def ranked(caption: Caption, places: int) -> Caption:
        right = Candidate(caption.context.line if caption.context else None, 0.2)
        return replace(caption, candidates=(*[wrong] * places, right)[:3])

    records = [
        record.with_captions(tuple(ranked(c, (1, 2)[i % 2]) for i, c in enumerate(record.captions)))
        for record in run.records
    ]
    order = [i % 2 for record in run.records for i in range(len(record.captions))]
    expected = sum((1 / 2, 1 / 3)[odd] for odd in order) / len(order)
    assert figures(replace(run, records=tuple(records)), gold)["link.mrr"] == pytest.approx(expected)
    assert figures(damaged(run, lambda c: ranked(c, 3)), gold)["link.mrr"] == 0
    assert figures(damaged(run, lambda c: replace(c, candidates=())), gold)["link.mrr"] is None


def test_untranslated_run_leaves_everything(run: Run, gold: Gold) -> None:
    """Copying the source changes no document: residue and language stay, names and numbers are kept."""
    copied = damaged(run, lambda c: replace(c, translation=c.translation and replace(c.translation, text=c.source)))
    scored = score_runs([copied], gold, [copy_source()], replace(QUICK, metrics=("bleu", "chrf2", "ter")))
    run_scores, baseline = scored.systems
    for name, value in baseline.figures.items():
        assert value == run_scores.figures[name], name
    assert run_scores.figures["mt.wrong_language"].value == pytest.approx(1, abs=0.02)
    assert run_scores.figures["residue.after"].value == pytest.approx(
        run_scores.figures["residue.before"].value, rel=0.02
    )
    assert run_scores.figures["kept.names"].value == run_scores.figures["kept.numbers"].value == 1


def test_finder_run_has_finder_figures_only(run: Run, gold: Gold) -> None:
    found = damaged(run, lambda c: replace(c, translation=None, context=None))
    assert {name.split(".")[0] for name in figures(found, gold)} == {"find", "residue"}
    assert "residue.after" not in figures(found, gold)


def test_credits_are_lost_where_a_caption_swallows_them(run: Run, gold: Gold) -> None:
    def swallow(caption: Caption) -> Caption:
        if caption.credit is None:
            return caption
        start, end = min(caption.start, caption.credit.start), max(caption.end, caption.credit.end)
        text = texts[caption.source]
        return replace(caption, start=start, end=end, source=text[start:end])

    texts = {m.caption: d.text for d in gold.documents for m in d.captions("es")}
    marks = [m for d in gold.documents for m in d.marks if m.credit]
    swallowed = [m for m in marks if m.kind == "caption_es"]
    values = figures(damaged(run, swallow), gold)
    assert values["kept.credits"] == pytest.approx(1 - len(swallowed) / len(marks))


def test_unreadable_document_counts_as_missed(run: Run, gold: Gold) -> None:
    index = next(i for i, d in enumerate(gold.documents) if d.captions("es"))
    broken = replace(run.records[index], captions=(), error="x: binary data", sha256="")
    records = (*run.records[:index], broken, *run.records[index + 1 :])
    scored = score_runs([replace(run, records=records)], gold, settings=QUICK).systems[0]
    assert len(scored.misses) == len(gold.documents[index].captions("es"))
    assert scored.failed == (broken.document,)


def test_two_captions_in_a_line_are_two(run: Run, gold: Gold) -> None:
    lines = Counter((d.name, m.line) for d in gold.documents for m in d.captions("es"))
    doubled = {place for place, count in lines.items() if count > 1}
    assert doubled
    records = [
        record.with_captions(
            tuple(
                c
                for n, c in enumerate(record.captions)
                if (d.name, c.line) not in doubled or n == _last(record.captions, c.line)
            )
        )
        for d, record in zip(gold.documents, run.records, strict=True)
    ]
    scored = score_runs([replace(run, records=tuple(records))], gold, settings=QUICK).systems[0]
    assert len(scored.misses) == sum(lines[place] - 1 for place in doubled)
    assert not scored.spans


def _last(captions: tuple[Caption, ...], line: int) -> int:
    return max(n for n, c in enumerate(captions) if c.line == line)


def test_slices_partition_the_captions(run: Run, gold: Gold, captions: list[Caption]) -> None:
    scored = score_runs([damaged(run, lambda c: None, every=5)], gold, settings=replace(QUICK, sliced=True)).systems[0]
    sizes: Counter[str] = Counter()
    missed: dict[str, float] = {}
    for part in scored.slices:
        sizes[part.group] += part.n
        recall = part.figures["find.line.r"].value
        assert recall is not None
        missed[part.group] = missed.get(part.group, 0) + round((1 - recall) * part.n)
        assert part.few == (part.n < 10)
    for group in ("length", "credit", "capitals", "origin", "style"):
        assert sizes[group] == len(captions), group
        assert missed[group] == len(captions) // 5, group
    assert sizes["names"] == len(captions) - next(s.n for s in scored.slices if s.name == "ALL CAPS")
    assert "find.line.p" not in next(s.figures for s in scored.slices if s.group == "layout")


def test_intervals_hold_the_value_and_shrink_to_a_point(run: Run, gold: Gold) -> None:
    loud = Settings(metrics=("chrf2",), resamples=500, tests=(), sliced=False)
    exact = score_runs([run], gold, settings=loud).systems[0].figures["find.line.f1"]
    assert (exact.low, exact.high) == (1, 1)
    worse = score_runs([damaged(run, lambda c: None, every=3)], gold, settings=loud).systems[0].figures["find.line.r"]
    assert worse.low is not None
    assert worse.high is not None
    assert worse.value is not None
    assert worse.low < worse.value < worse.high


def test_comparison_of_runs_rests_on_common_captions(run: Run, gold: Gold, captions: list[Caption]) -> None:
    fewer = damaged(run, lambda c: None, every=2, name="half")
    worse = damaged(
        run,
        lambda c: replace(c, translation=c.translation and replace(c.translation, text="A man")),
        name="bad",
    )
    reverse = Baseline("reverse", lambda texts: [text[::-1] for text in texts])
    scored = score_runs([run, fewer, worse], gold, [reverse], replace(QUICK, tests=("bs", "ar"), trials=200))
    assert [s.name for s in scored.systems] == ["perfect", "half", "bad", "reverse"]
    assert scored.compared == len(captions) - len(captions) // 2
    assert len(scored.comparisons) == 2 * 6
    same = [c for c in scored.comparisons if (c.first, c.second) == ("perfect", "half")]
    assert [c.identical for c in same] == [True, True]
    assert all(
        c.p <= 1 / 100 and c.difference < -50 for c in scored.comparisons if (c.first, c.second) == ("half", "bad")
    )
    assert any("captions that every run found" in note for note in scored.notes)


def test_without_gold_only_what_records_tell(run: Run) -> None:
    scored = score_runs([run], None, settings=QUICK).systems[0]
    assert set(scored.figures) == {"mt.wrong_language", "kept.numbers"}


FOLDS = [
    ("FOTO: AFP", "AFP"),
    ("Foto AFP", "AFP"),
    ("Crédito de foto: EFE.", "EFE"),
    ("Fotografía  Ana\u00a0Ruiz", "Ana Ruiz"),
    ("Fotogramma", "Fotogramma"),
    ("", ""),
]


@pytest.mark.parametrize(("credit", "folded"), FOLDS)
def test_credit_folding(credit: str, folded: str) -> None:
    assert fold_credit(credit) == folded


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_damage_keeps_figures_in_range_and_counts_whole(
    data: st.DataObject, gold: Gold, run: Run, captions: list[Caption]
) -> None:
    fates = data.draw(
        st.lists(st.sampled_from(["keep", "miss", "cut"]), min_size=len(captions), max_size=len(captions))
    )
    fate = iter(fates)

    def damage(caption: Caption) -> Caption | None:
        match next(fate):
            case "miss":
                return None
            case "cut":
                return replace(caption, start=caption.start + 1, source=caption.source[1:])
        return caption

    scored = score_runs([damaged(run, damage)], gold, settings=QUICK).systems[0]
    assert len(scored.misses) == fates.count("miss")
    assert scored.figures["find.line.r"].n == len(captions)
    for name, value in scored.figures.items():
        if not name.startswith("mt.") or name == "mt.wrong_language":
            assert value.value is None or 0 <= value.value <= 1, name


# Bad input: everything wrong is listed at once.


def _names(gold: Gold) -> list[GoldDocument]:
    return [d for d in gold.documents if d.captions("es")]


def test_run_and_gold_that_do_not_fit_are_refused_with_every_problem(run: Run, gold: Gold) -> None:
    victims = _names(gold)[:4]
    records = []
    for document, record in zip(gold.documents, run.records, strict=True):
        if document is victims[0]:
            continue
        if document is victims[1]:
            record = replace(record, sha256="0" * 64)
        if document is victims[2]:
            first = record.captions[0]
            record = record.with_captions((replace(first, start=first.start + 1), *record.captions[1:]))
        records.append(record)
    records.append(replace(run.records[0], document="elsewhere/stranger.txt"))
    with pytest.raises(RecordError) as caught:
        score_runs([replace(run, records=tuple(records), path="run.jsonl")], gold, settings=QUICK)
    message = str(caught.value)
    assert "4 problems" in message
    for part in (
        victims[0].name,
        "another version",
        "is not at",
        "'stranger' is not in the gold",
        "run.jsonl",
    ):
        assert part in message


def test_runs_over_different_documents_are_refused(run: Run, tmp_path: Path) -> None:
    one = write(run, tmp_path / "one.jsonl")
    two = write(
        replace(run, records=(*run.records[2:], replace(run.records[2], document="x.txt", sha256=""))),
        tmp_path / "two.jsonl",
    )
    with pytest.raises(RecordError) as caught:
        load_runs([one, two])
    message = str(caught.value)
    assert message.count("lacks document") == 2
    assert "document 'x' is not in" in message


def test_mixed_schemas_and_broken_lines_are_all_listed(run: Run, tmp_path: Path) -> None:
    path = write(run, tmp_path / "run.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines()
    other = json.loads(lines[1]) | {"schema": "aligner/2"}
    path.write_text(
        "\n".join([lines[0], json.dumps(other), "{", '{"schema": "aligner/1"}', lines[0]]), encoding="utf-8"
    )
    with pytest.raises(RecordError) as caught:
        load_runs([path, tmp_path / "absent.jsonl"])
    message = str(caught.value)
    for part in (
        "run.jsonl:2: record schema is 'aligner/2'",
        "run.jsonl:3: not a JSON",
        "run.jsonl:4:",
        "absent.jsonl: cannot be read",
    ):
        assert part in message
    assert "4 problems" in message


NAMES = [
    (["a.txt", "sub/b.md"], ["a", "b"]),
    (["en/x/index.md", "en/y/index.md", "en/about.md"], ["x/index", "y/index", "about"]),
    (["one/p/a.txt", "two/p/a.txt", "a.txt"], ["one/p/a", "two/p/a", "a"]),
    (["d/a.txt", "d/a.md"], ["d/a.txt", "d/a.md"]),
    (["-"], ["-"]),
    ([], []),
]


@pytest.mark.parametrize(("documents", "expected"), NAMES)
def test_documents_are_named_as_shortly_as_tells_them_apart(documents: list[str], expected: list[str]) -> None:
    assert names(documents) == expected


def test_documents_of_one_id_are_two_and_gold_takes_none(run: Run, gold: Gold, tmp_path: Path) -> None:
    first, second = run.records[:2]
    records = [first, replace(second, document=first.document), replace(second, document=f"{first.document} (2)")]
    [read] = load_runs([write(replace(run, records=tuple(records)), tmp_path / "run.jsonl")])
    assert list(read.documents.values()) == records
    assert [article.name for article in build([read]).articles] == [record.document for record in records]
    with pytest.raises(RecordError, match=r"2 documents have the id .*, gold knows one: give them ids"):
        score_runs([read], gold, settings=QUICK)


def test_documents_of_one_name_in_two_folders_are_two(run: Run, tmp_path: Path) -> None:
    records = [replace(record, document=f"{i}/index.txt") for i, record in enumerate(run.records[:3])]
    path = write(replace(run, records=tuple(records)), tmp_path / "run.jsonl")
    [read] = load_runs([path])
    assert list(read.documents) == ["0/index", "1/index", "2/index"]
    scored = score_runs([read], settings=QUICK).systems[0]
    assert scored.figures["kept.numbers"].n > 0


def test_run_as_json_array_is_read_too(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps([record.to_dict() for record in run.records]), encoding="utf-8")
    assert load_runs([path])[0].records == run.records
