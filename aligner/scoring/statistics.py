"""What a gold set holds, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from aligner.scoring.gold import GoldDocument, gold_files, load
from aligner.scoring.matching import Match
from aligner.scoring.slices import GROUPS, rank, slices
from aligner.show import cell, put_columns
from aligner.show import language as named

Numbers = dict[str, dict[str, int]]


def describe(paths: Iterable[str | Path], language: str = "es") -> dict[str, Numbers]:
    """Numbers of each gold set below the paths and, where there are several, of all together.

    Args:
        paths: gold sets or folders of them.
        language: caption language.

    Returns:
        Per set, groups of numbers: ``documents``, ``lines`` by kind, ``captions`` and, by slice, their kinds.

    Raises:
        RecordError: a set is not valid; all problems are listed.
    """
    files = [file for path in paths for file in gold_files(path)]
    sets = {str(file.parent): load([file]) for file in files}
    described = {name: _numbers(gold.documents, language) for name, gold in sets.items()}
    if len(sets) > 1:
        described["all"] = _numbers([d for gold in sets.values() for d in gold.documents], language)
    return described


def _numbers(documents: Iterable[GoldDocument], language: str) -> Numbers:
    groups: dict[str, Counter[str]] = {name: Counter() for name in ("documents", "lines", "captions", "links", *GROUPS)}
    for document in documents:
        captions = document.captions(language)
        groups["documents"]["all"] += 1
        groups["documents"][
            f"with {named(language)} captions" if captions else f"without {named(language)} captions"
        ] += 1
        groups["lines"]["body paragraph"] += document.n_body
        for mark in document.marks:
            if mark.kind != "body":
                groups["lines"][mark.kind] += 1
        for mark in captions:
            groups["captions"]["all"] += 1
            groups["captions"]["words"] += len((mark.caption or "").split())
            groups["captions"]["with a reference"] += mark.reference is not None
            if mark.aligned_line is not None:
                groups["links"]["to one paragraph" if not mark.aligned_ok else "to one of several paragraphs"] += 1
            else:
                groups["links"]["to none" if not mark.aligned_ok else "to none or one of some"] += 1
            for group, name in slices(Match(document, mark, None)):
                groups[group][name] += 1
    return {
        group: dict(sorted(numbers.items(), key=lambda item: rank(group, item[0])) if group in GROUPS else numbers)
        for group, numbers in groups.items()
        if numbers
    }


def _rows(described: dict[str, Numbers]) -> list[tuple[str, ...]]:
    """Per number, its name and its value in each set; sets in the order described."""
    names = list(dict.fromkeys((g, n) for numbers in described.values() for g, kinds in numbers.items() for n in kinds))
    order = list(dict.fromkeys(group for group, _ in names))
    names.sort(key=lambda item: order.index(item[0]))
    return [
        (f"{group}: {name}", *(str(numbers.get(group, {}).get(name, 0)) for numbers in described.values()))
        for group, name in names
    ]


def table(described: dict[str, Numbers]) -> None:
    """Prints the numbers to stdout, a column per gold set."""
    put_columns(["", *(Path(name).name for name in described)], _rows(described))


def markdown(described: dict[str, Numbers]) -> str:
    """The numbers as a Markdown table."""
    lines = [
        "| | " + " | ".join(cell(Path(name).name) for name in described) + " |",
        "|---|" + "---:|" * len(described),
    ]
    lines += ["| " + " | ".join(row) + " |" for row in _rows(described)]
    return "\n".join(lines) + "\n"
