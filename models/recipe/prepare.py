"""Step prepare: parallel and distilled text in, clean, filtered, deduplicated training pairs out.

Reads every ``NAME.<source>.gz``/``NAME.<target>.gz`` pair of ``parallel/`` and every ``*.tsv`` or
``*.tsv.gz`` of ``distilled/`` (source, target, number of words unknown to the teacher), normalises as at
translation time, mends, drops what is likely wrong or stands in an evaluation set, adds caption-like pairs
and noisy copies, and writes ``pairs.tsv`` and ``prepare.json`` (what was kept of
each set, and why the rest was not).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from clean import EnglishWords, Names, fold, mend, reject, reject_distilled
from common import Recipe, aligned, lines_of, normalise, write_json, written
from distil import distilled_rows, distilled_sets
from templates import captions
from variants import variants

TEMPLATES = "caption templates"


def read_parallel(recipe: Recipe, name: str | None = None) -> Iterator[tuple[str, str, str]]:
    """(set name, source, target) of every line of every parallel set, or of one."""
    for folder in recipe.folders("parallel"):
        for file in sorted(folder.glob(f"{name or '*'}.{recipe.source}.gz")):
            stem = file.name.removesuffix(f".{recipe.source}.gz")
            for a, b in aligned(file, folder / f"{stem}.{recipe.target}.gz"):
                yield stem, *mend(normalise(a), normalise(b))


def read_distilled(recipe: Recipe) -> Iterator[tuple[str, str, str, int]]:
    """(file name, source, target, unknown words) of every distilled line, as reranked where it was."""
    for name, files in distilled_sets(recipe).items():
        reranked, done = recipe.work / "reranked" / f"{name}.tsv", 0
        if reranked.is_file():
            for done, row in enumerate(distilled_rows([reranked]), start=1):  # noqa: B007 - counts what there is
                yield name, *row
        for row in islice(distilled_rows(files), done, None):
            yield name, *row


def evaluation_keys(recipe: Recipe) -> set[str]:
    """Folded lines of all evaluation sets, and of the gold captions and references of the project's corpus."""
    keys: set[str] = set()
    for folder in recipe.folders("evaluation"):
        for file in sorted(folder.glob("*.gz")):
            keys.update(fold(line) for line in lines_of(file))
    for gold in sorted(Path(__file__).resolve().parents[2].glob("corpus/*/gold.jsonl")):
        for line in lines_of(gold):
            for entry in json.loads(line).get("lines", ()):
                keys.update(fold(entry.get(side) or "") for side in ("caption", "reference"))
    return {key for key in keys if len(key.split()) > 3}


class Filter:
    """Decides on pairs one by one and counts why.

    Args:
        banned: keys of what must not be trained on.
        limit: at most so many pairs of a set (0: all).
        codes: languages of source and target.
    """

    def __init__(self, banned: set[str], limit: int, codes: tuple[str, str]) -> None:
        self.banned, self.limit, self.codes = banned, limit, codes
        self.counts: dict[str, Counter[str]] = {}
        self._seen: set[bytes] = set()

    def keep(self, name: str, source: str, target: str, why: str | None = None) -> bool:
        """Whether to train on a pair of set ``name``; ``why`` is a reason against it that the caller has found."""
        count = self.counts.setdefault(name, Counter())
        why = why or reject(source, target, self.codes) or self._known(source, target)
        if why is None and self.limit and count["kept"] >= self.limit:
            why = "over the limit"
        count[why or "kept"] += 1
        return why is None

    def _known(self, source: str, target: str) -> str | None:
        a, b = fold(source), fold(target)
        if a in self.banned or b in self.banned:
            return "evaluation"
        key = hashlib.blake2b(f"{a}\t{b}".encode(), digest_size=12).digest()
        if key in self._seen:
            return "duplicate"
        self._seen.add(key)
        return None


def prepare(recipe: Recipe) -> Path:
    """Runs the step; returns the path of ``pairs.tsv``."""
    options = recipe.table("prepare")
    rng = random.Random(recipe.seed)
    codes = (recipe.source, recipe.target)
    filter_ = Filter(evaluation_keys(recipe), int(options.get("limit", 0)), codes)

    rows: list[tuple[str, str, str]] = []
    for name, a, b in read_parallel(recipe):
        if filter_.keep(name, a, b):
            rows.append((name, a, b))
    learns = len(rows) >= 100_000  # from fewer nothing is learnt
    names = Names((a, b) for _, a, b in rows) if learns else None
    words = EnglishWords(b for _, _, b in rows) if learns else None
    for name, a, b, unknown in read_distilled(recipe):
        a, b = mend(normalise(a), normalise(b))
        why = reject_distilled(a, b, unknown, names, words) if a and b else "empty"
        if filter_.keep(name, a, b, why):
            rows.append((name, a, b))
    for a, b in captions(int(options.get("templates", 0)), recipe.seed):
        if filter_.keep(TEMPLATES, a, b):
            rows.append((TEMPLATES, a, b))
    if not any(name != TEMPLATES for name, _, _ in rows):
        raise SystemExit(
            f"nothing to train on: {recipe.data} has no parallel/NAME.{recipe.source}.gz with its .{recipe.target}.gz "
            "and no distilled/NAME.tsv.gz; name another --data, or run the step `fetch`"
        )
    rng.shuffle(rows)

    shares, repeats = options.get("variants", {}), options.get("repeat", {})
    out = recipe.work / "pairs.tsv"
    total = noisy = 0
    with written(out) as file:
        for name, a, b in rows:
            whole, part = divmod(float(repeats.get(name, 1)), 1)
            for _ in range(int(whole) + (rng.random() < part)):
                file.write(f"{a}\t{b}\n")
                total += 1
            for va, vb in variants(a, b, rng, shares):
                file.write(f"{va}\t{vb}\n")
                noisy += 1
    report = {
        "pairs": total + noisy,
        "noisy copies": noisy,
        "repeats": repeats,
        "sets": {name: dict(count.most_common()) for name, count in filter_.counts.items()},
    }
    write_json(recipe.work / "prepare.json", report)
    for name, count in filter_.counts.items():
        print(f"{name}: {', '.join(f'{n} {why}' for why, n in count.most_common())}")
    print(f"{out}: {total + noisy} pairs, {noisy} of them noisy copies")
    return out
