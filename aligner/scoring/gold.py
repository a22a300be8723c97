"""Gold sets: documents with what is known about each of their lines.

A gold set is a folder with ``gold.jsonl`` and its documents ``NAME.txt`` (or ``NAME.md``, ``NAME.html``,
``articles/NAME.txt`` …). Every record of ``gold.jsonl`` is one document::

    {"doc": "NAME", "origin": "real", "n_body": 12, "lines": [
      {"line": 7, "kind": "caption_es", "credit": "AFP/ABEL MAMANI", "caption": "Camioneros …",
       "reference": "Lorry drivers …", "aligned_line": 5, "aligned_ok": [9], "note": "headline-like"}]}

Lines that are not listed are body paragraphs. ``docs/scoring.md`` describes every field.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from aligner import documents
from aligner.errors import AlignerError, RecordError

# What a line can be that is not a caption (``caption_es``, ``caption_en`` … or ``caption_other``).
_KINDS = ("slug", "credit_only", "heading", "body")
_CAPTION_KIND = re.compile(r"caption_([a-z]{2,3}|other)")
_SUFFIXES = (".txt", ".text", ".md", ".markdown", ".html", ".htm", ".docx")
_DOCUMENT_KEYS = {"doc", "origin", "lines", "n_body"}
_MARK_KEYS = {
    "line",
    "kind",
    "credit",
    "caption",
    "reference",
    "aligned_line",
    "aligned_ok",
    "note",
    "language",
}
# A note with these words says that reporting the line and leaving it are both right.
_OPTIONAL = "either treatment"


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of a line, or of one caption of a line with several.

    Attributes:
        line: 1-based line.
        kind: ``caption_es``, ``caption_en`` …, ``slug``, ``credit_only``, ``heading`` or ``body``.
        credit: the credit as printed, an exact part of the line.
        caption: the caption, an exact part of the line, without credit, label or separator.
        reference: a careful translation.
        aligned_line: the body paragraph that the caption illustrates best.
        aligned_ok: further paragraphs that are acceptable.
        note: remark of the annotator.
        language: ISO 639-1 code where the kind does not tell.
        start: offset of ``caption`` in the document; -1 without a caption.
        end: offset just after it; -1 without a caption.
        credit_start: offset of ``credit``; -1 without one.
        credit_end: offset just after it; -1 without one.
    """

    line: int
    kind: str
    credit: str | None
    caption: str | None
    reference: str | None
    aligned_line: int | None
    aligned_ok: tuple[int, ...]
    note: str
    language: str | None
    start: int
    end: int
    credit_start: int
    credit_end: int

    @property
    def optional(self) -> bool:
        """Whether reporting the line and leaving it are both right (said by its note)."""
        return _OPTIONAL in self.note

    def accepts(self, line: int | None) -> bool:
        """Whether a context link to ``line`` (None: to no paragraph) is right.

        Where ``aligned_line`` is null, none is right; with a list beside it, none or one of the list.
        """
        return line == self.aligned_line or (line is not None and line in self.aligned_ok)


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """A document of a gold set.

    Attributes:
        name: the document's name without folder and suffix.
        origin: where it comes from: ``real``, ``assembled``, ``written`` …
        marks: what is known of its lines, in document order.
        n_body: number of body paragraphs.
        path: the document's file.
        text: its decoded text.
        sha256: hex SHA-256 of its bytes.
        lines: offset and text of every line.
    """

    name: str
    origin: str
    marks: tuple[Mark, ...]
    n_body: int
    path: Path
    text: str
    sha256: str
    lines: tuple[tuple[int, str], ...]

    def captions(self, language: str) -> list[Mark]:
        """The captions in a language, in document order."""
        return [mark for mark in self.marks if mark.kind == f"caption_{language}"]


@dataclass(frozen=True, slots=True)
class Gold:
    """One or several gold sets.

    Attributes:
        documents: the documents, in file order.
        files: the ``gold.jsonl`` files and the SHA-256 of each.
    """

    documents: tuple[GoldDocument, ...]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file: the place and the cause."""

    place: str
    cause: str

    def __str__(self) -> str:
        return f"{self.place}: {self.cause}"


def refusal(problems: Iterable[object], what: str, most: int | None = None) -> RecordError:
    """One error that lists every problem, or the first ``most`` and how many more there are."""
    listed = list(map(str, problems))
    count = "1 problem" if len(listed) == 1 else f"{len(listed)} problems"
    if most is not None and len(listed) > most:
        listed[most:] = [f"… and {len(listed) - most} more"]
    return RecordError(f"{what}: {count}\n" + "\n".join(f"  {problem}" for problem in listed))


def gold_files(path: str | Path) -> list[Path]:
    """The ``gold.jsonl`` files that a path stands for: the file itself, a set's folder or a folder of sets.

    Raises:
        RecordError: there is none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    found = sorted(path.rglob("gold.jsonl")) if path.is_dir() else []
    if not found:
        raise RecordError(f"{path}: no gold.jsonl here; name a gold set's folder or its gold.jsonl")
    return found


def load(paths: Iterable[str | Path]) -> Gold:
    """Reads gold sets whole.

    Raises:
        RecordError: any problem of any of them; all are listed.
    """
    gold, problems = examine(paths)
    if problems:
        raise refusal(problems, "gold")
    return gold


def examine(paths: Iterable[str | Path]) -> tuple[Gold, list[Problem]]:
    """Reads gold sets and everything that is wrong with them.

    Returns:
        What could be read, and the problems, in file order.

    Raises:
        RecordError: a path holds no gold set at all.
    """
    found: list[GoldDocument] = []
    problems: list[Problem] = []
    digests: dict[str, str] = {}
    for file in (file for path in paths for file in gold_files(path)):
        try:
            data = file.read_bytes()
        except OSError as error:
            problems.append(Problem(str(file), f"cannot be read ({error.strerror})"))
            continue
        digests[str(file)] = hashlib.sha256(data).hexdigest()
        found += _read_file(file, data, problems)
    for name, count in Counter(document.name for document in found).items():
        if count > 1:
            where = ", ".join(str(d.path) for d in found if d.name == name)
            problems.append(Problem(name, f"stands for {count} documents ({where}); a name must be unique"))
    return Gold(tuple(found), digests), problems


def _read_file(file: Path, data: bytes, problems: list[Problem]) -> Iterator[GoldDocument]:
    names: set[object] = set()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(Problem(str(file), f"not UTF-8 (byte {error.start})"))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            problems.append(Problem(place, f"not JSON: {error}"))
            continue
        names.add(record.get("doc") if isinstance(record, dict) else None)
        document = _read_record(record, place, file.parent, problems)
        if document is not None:
            yield document
    if not names:
        problems.append(Problem(str(file), "holds no document"))
    for folder in (file.parent, file.parent / "articles"):
        problems += [
            Problem(str(path), "a document without gold")
            for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
            if path.suffix.lower() in _SUFFIXES and path.stem != "README" and path.stem not in names
        ]


def _read_record(record: Any, place: str, folder: Path, problems: list[Problem]) -> GoldDocument | None:
    def wrong(cause: str) -> None:
        problems.append(Problem(place, cause))

    before = len(problems)
    if not isinstance(record, dict):
        wrong("not a gold record (an object with doc, origin, n_body and lines)")
        return None
    if record.get("doc"):
        place = f"{place} {record['doc']}"
    for key in sorted(_DOCUMENT_KEYS - set(record)):
        wrong(f"field {key!r} is missing")
    for key in sorted(set(record) - _DOCUMENT_KEYS):
        wrong(f"unknown field {key!r}")
    if len(problems) > before:
        return None
    name = record["doc"]
    if not (isinstance(name, str) and name and isinstance(record["origin"], str) and isinstance(record["lines"], list)):
        wrong("doc and origin must be text and lines a list")
        return None
    path = document_path(folder, name)
    if path is None:
        wrong(f"document not found: looked for {name}.txt, {name}.md … in {folder} and {folder / 'articles'}")
        return None
    try:
        article = documents.read(path)
    except AlignerError as error:
        wrong(str(error))
        return None
    lines = split_lines(article.text)
    marks = [m for m in (_read_mark(m, place, lines, problems) for m in record["lines"]) if m is not None]
    marks = list(_placed(marks, place, lines, problems))
    if len(problems) == before:
        _check_body(record["n_body"], marks, place, lines, problems)
    return GoldDocument(
        name,
        record["origin"],
        tuple(marks),
        record["n_body"],
        path,
        article.text,
        article.sha256,
        tuple(lines),
    )


def document_path(folder: Path, name: str) -> Path | None:
    """The file of a gold document, beside ``gold.jsonl`` or in ``articles/``."""
    for place in (folder, folder / "articles"):
        for suffix in _SUFFIXES:
            if (path := place / f"{name}{suffix}").is_file():
                return path
    return None


def split_lines(text: str) -> list[tuple[int, str]]:
    r"""Offset and text of every line; lines end at ``\n``, or at ``\r`` in a text without any ``\n``."""
    lines, start = [], 0
    for line in text.split("\n" if "\n" in text else "\r"):
        lines.append((start, line))
        start += len(line) + 1
    return lines


def _read_mark(data: Any, place: str, lines: list[tuple[int, str]], problems: list[Problem]) -> Mark | None:
    """A mark whose spans are still unknown, or None and the problems with it."""
    line = data.get("line") if isinstance(data, dict) else None
    if not isinstance(line, int) or isinstance(line, bool) or not 1 <= line <= len(lines):
        problems.append(Problem(place, f"line {line!r} is not a line of the document (it has {len(lines)})"))
        return None
    causes = []
    if not lines[line - 1][1].strip():
        causes.append("the line is blank")
    causes += [f"unknown field {key!r}" for key in sorted(set(data) - _MARK_KEYS)]
    values = {key: data.get(key) for key in ("credit", "caption", "reference", "note", "language")}
    causes += [
        f"{key} must be text or null, not {value!r}"
        for key, value in values.items()
        if value is not None and not (isinstance(value, str) and value.strip())
    ]
    kind = data.get("kind")
    if not isinstance(kind, str) or not (kind in _KINDS or _CAPTION_KIND.fullmatch(kind)):
        causes.append(f"unknown kind {kind!r} (known: caption_es, caption_en …, caption_other, {', '.join(_KINDS)})")
        kind = ""
    if kind.startswith("caption_") and not values["caption"]:
        causes.append(f"a {kind} needs its caption")
    best, others = data.get("aligned_line"), data.get("aligned_ok", [])
    if not isinstance(others, list):
        causes.append(f"aligned_ok must be a list of lines, not {others!r}")
        others = []
    for target in [*([] if best is None else [best]), *others]:
        if not isinstance(target, int) or not 1 <= target <= len(lines) or not lines[target - 1][1].strip():
            causes.append(f"aligned to line {target!r}, which is not a line with text")
    if causes:
        problems += [Problem(f"{place} line {line}", cause) for cause in causes]
        return None
    texts = (values["credit"], values["caption"], values["reference"])
    return Mark(line, kind, *texts, best, tuple(others), values["note"] or "", values["language"], *[-1] * 4)


def _placed(marks: list[Mark], place: str, lines: list[tuple[int, str]], problems: list[Problem]) -> Iterator[Mark]:
    """The marks with the spans of their captions and credits, none of which overlap."""
    taken: dict[int, list[tuple[int, int]]] = {}
    captions: dict[int, tuple[int, int] | None] = {}
    # Captions first: a credit's few letters may stand inside a caption too.
    for index, mark in enumerate(marks):
        if mark.caption:
            captions[index] = _locate(mark, "caption", mark.caption, lines, taken, place, problems)
    for index, mark in enumerate(marks):
        offset = lines[mark.line - 1][0]
        caption = captions.get(index)
        credit = None
        if mark.credit:
            credit = _locate(mark, "credit", mark.credit, lines, taken, place, problems, near=caption)
        yield replace(
            mark,
            start=offset + caption[0] if caption else -1,
            end=offset + caption[1] if caption else -1,
            credit_start=offset + credit[0] if credit else -1,
            credit_end=offset + credit[1] if credit else -1,
        )


def _locate(
    mark: Mark,
    what: str,
    part: str,
    lines: list[tuple[int, str]],
    taken: dict[int, list[tuple[int, int]]],
    place: str,
    problems: list[Problem],
    near: tuple[int, int] | None = None,
) -> tuple[int, int] | None:
    text = lines[mark.line - 1][1]
    places = [(m.start(), m.start() + len(part)) for m in re.finditer(f"(?={re.escape(part)})", text)]
    others = taken.setdefault(mark.line, [])
    free = [(start, end) for start, end in places if all(end <= s or start >= e for s, e in others)]
    if not free:
        cause = "overlaps another span of the line" if places else "is not in the line"
        problems.append(Problem(f"{place} line {mark.line}", f"{what} {part!r} {cause}"))
        return None
    # The nearest to ``near``; a tie goes to the one in front, where agencies print credits.
    span = min(free, key=lambda s: (0 if near is None else max(near[0] - s[1], s[0] - near[1]), s[0]))
    others.append(span)
    return span


def _check_body(
    n_body: Any, marks: list[Mark], place: str, lines: list[tuple[int, str]], problems: list[Problem]
) -> None:
    marked = {mark.line for mark in marks if mark.kind != "body"}
    body = {number for number, (_, line) in enumerate(lines, 1) if line.strip()} - marked
    if n_body != len(body):
        problems.append(Problem(place, f"n_body is {n_body!r}, but {len(body)} lines are body"))
    for mark in marks:
        problems += [
            Problem(f"{place} line {mark.line}", f"aligned to line {target}, which is not body")
            for target in (mark.aligned_line, *mark.aligned_ok)
            if target is not None and target not in body
        ]
        if mark.kind == "caption_es" and not mark.reference:
            problems.append(Problem(f"{place} line {mark.line}", "the caption has no reference"))
    for one, two in pairwise(sorted(mark.line for mark in marks if not mark.caption)):
        if one == two:
            problems.append(Problem(f"{place} line {one}", "marked twice"))
