"""Run files, which ``aligner run --format jsonl`` prints, and whether they fit each other and the gold."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from aligner.errors import RecordError
from aligner.records import Document, parse_records
from aligner.runs import read_bytes
from aligner.scoring.gold import Gold, GoldDocument, Problem, refusal

# Formats whose offsets count in the text itself, so that a caption's text must stand at its span.
_TEXT_FORMATS = (".txt", ".text", ".md", ".markdown", "")


@dataclass(frozen=True, slots=True)
class Run:
    """The records of one run of one system.

    Attributes:
        name: what the system is called in reports.
        path: the run file; "" for records in memory.
        sha256: hex SHA-256 of the run file; "" for records in memory.
        records: one record per document.
    """

    name: str
    path: str
    sha256: str
    records: tuple[Document, ...]

    @property
    def documents(self) -> dict[str, Document]:
        """The records by the names of their documents: see :func:`names`; further ones of one id as ``ID (2)``."""
        found: dict[str, Document] = {}
        numbers: dict[str, Iterator[int]] = defaultdict(lambda: count(2))
        for name, record in zip(names([record.document for record in self.records]), self.records, strict=True):
            unique = name
            while unique in found:
                unique = f"{name} ({next(numbers[name])})"
            found[unique] = record
        return found

    @property
    def translated(self) -> bool:
        """Whether the run translated: a run of the finder alone has no translation anywhere."""
        return any(c.translation is not None for record in self.records for c in record.captions)

    @property
    def linked(self) -> bool:
        """Whether the run linked; a run that links nothing at all but translates still counts as linked."""
        return self.translated or any(c.context is not None for r in self.records for c in r.captions)


def load(paths: Iterable[str | Path]) -> list[Run]:
    """Reads runs: files (JSON Lines, or one JSON array) and folders of batches, see :func:`aligner.runs.read_bytes`.

    Runs are named after their files or folders; of two files with one name, their folders are named too.

    Raises:
        RecordError: a file cannot be read, or any record does not follow the schema; the first problems are listed.
    """
    files = list(map(Path, paths))
    problems: list[object] = []
    runs = []
    for path, name in zip(files, _names(files), strict=True):
        try:
            data = read_bytes(path)
            text = data.decode("utf-8-sig")
        except OSError as error:
            problems.append(Problem(str(path), f"cannot be read ({error.strerror})"))
            continue
        except RecordError as error:
            problems.append(error)
            continue
        except UnicodeDecodeError as error:
            problems.append(Problem(str(path), f"not UTF-8 (byte {error.start}); is it a run file?"))
            continue
        records = _records(text, path, problems)
        runs.append(Run(name, str(path), hashlib.sha256(data).hexdigest(), tuple(records)))
    problems += _mismatches(runs)
    if problems:
        raise refusal(problems, "runs", most=20)
    return runs


def _names(paths: Sequence[Path]) -> list[str]:
    names = [path.resolve().name if path.is_dir() else path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [f"{path.parent.name}/{path.stem}" for path in paths]
    if len(set(names)) < len(names):
        names = list(map(str, paths))
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise RecordError(f"{doubled[0]}: named twice; compare different runs")
    return names


def _records(text: str, path: Path, problems: list[object]) -> list[Document]:
    try:
        records, wrong = parse_records(text)
    except ValueError as error:
        problems.append(Problem(str(path), f"not JSON: {error}"))
        return []
    if not records and not wrong:
        problems.append(Problem(str(path), "holds no record"))
    for kind, n, cause in wrong:
        problems.append(Problem(f"{path}:{n}" if kind == "line" else f"{path} {kind} {n}", cause))
    return records


def names(documents: Sequence[str]) -> list[str]:
    """What documents are called, in gold too: their paths without suffix, and with folders only to tell them apart."""
    parts = [(*Path(document).parent.parts, Path(document).stem) for document in documents]
    found = list(documents)
    open_ = set(range(len(documents)))
    for depth in range(1, max(map(len, parts), default=0) + 1):
        short = {i: "/".join(parts[i][-depth:]) for i in open_}
        counts = Counter(short.values())
        for i, name in short.items():
            if counts[name] == 1:
                found[i] = name
                open_.discard(i)
    return found


def _mismatches(runs: Sequence[Run]) -> list[Problem]:
    """How runs differ in their documents."""
    problems = []
    versions = [{name: record.sha256 for name, record in run.documents.items()} for run in runs]
    for run, seen in zip(runs[1:], versions[1:], strict=True):
        first = versions[0]
        problems += [
            Problem(run.path, f"lacks document {name!r} of {runs[0].path}") for name in sorted(set(first) - set(seen))
        ]
        problems += [
            Problem(run.path, f"document {name!r} is not in {runs[0].path}") for name in sorted(set(seen) - set(first))
        ]
        # An empty digest: the document could not be read.
        problems += [
            Problem(run.path, f"document {name!r} is another version than in {runs[0].path} (SHA-256 differs)")
            for name in sorted(set(first) & set(seen))
            if first[name] and seen[name] and first[name] != seen[name]
        ]
    return problems


def pair(run: Run, gold: Gold) -> list[tuple[GoldDocument, Document]]:
    """The documents of a gold with their records, in gold order.

    Raises:
        RecordError: the run lacks a document of the gold, has one that the gold does not know, has two of one id,
            was made from other bytes, or a caption's text does not stand at its offsets; all problems are listed.
    """
    known = {document.name for document in gold.documents}
    place = run.path or run.name
    counts = Counter(record.document for record in run.records)
    remedy = "gold knows one: give them ids of their own, or run the gold's documents only"
    if doubled := [
        Problem(place, f"{times} documents have the id {name!r}, {remedy}")
        for name, times in counts.items()
        if times > 1
    ]:
        raise refusal(doubled, "run and gold do not fit")
    records = run.documents
    problems = [
        Problem(place, f"lacks document {name!r} of the gold; run all of its documents")
        for name in sorted(known - set(records))
    ] + [
        Problem(place, f"document {name!r} is not in the gold; run the gold's documents only")
        for name in sorted(set(records) - known)
    ]
    for document in gold.documents:
        record = records.get(document.name)
        if record is None or not record.sha256:
            continue
        if record.sha256 != document.sha256:
            problems.append(
                Problem(
                    place,
                    f"document {document.name!r} is another version than {document.path} (SHA-256 differs)",
                )
            )
            continue
        if document.path.suffix.lower() not in _TEXT_FORMATS:
            continue
        problems += [
            Problem(
                place,
                f"document {document.name!r}: caption {c.id} is not at {c.start}..{c.end} of the document",
            )
            for c in record.captions
            if document.text[c.start : c.end] != c.source
        ]
    if problems:
        raise refusal(problems, "run and gold do not fit")
    return [(document, records[document.name]) for document in gold.documents]
