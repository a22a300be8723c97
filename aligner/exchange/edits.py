"""Edits that come back from other tools, merged into a run.

Every exported line carries the translation as it was exported (its *base*). An edit is what differs from the
base; where the run has moved on from it too, both sides have changed one caption and that is a conflict.
Nothing is merged while anything is wrong: all problems are reported together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from aligner.exchange.runs import Unit, units
from aligner.records import Caption, Document, Translation

# What stands in ``translation.engine`` once a person has decided on the text.
ACCEPTED = "accepted"
EDITED = "edited"

Decision = Literal["accept", "reject", ""]


class Side(StrEnum):
    """Whose text stands where the run and a file have both changed a caption."""

    file = "file"
    run = "run"


_BREAKS = re.compile(r"[^\S\n\r\v\f\x85\u2028\u2029]*[\n\r\v\f\x85\u2028\u2029]\s*")

# Controls and what XML cannot hold, with the character that replaces them on the way.
_LOST = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line or unit of a file that came back.

    Attributes:
        place: file and line, for messages.
        key: the caption's key.
        source: the caption as the file has it; None where the format leaves it out.
        base: the translation as exported; None if the file has lost it.
        text: the translation as it is now; None where there is none.
        decision: what the editor said beside the text: nothing, that it is right, or that it is no caption.
    """

    place: str
    key: str
    source: str | None
    base: str | None
    text: str | None
    decision: Decision = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """What came of merging edits into a run.

    Attributes:
        documents: the run with the edits; the run as it was if there are problems.
        problems: lines ``place: cause``; empty if everything was merged.
        remarks: lines ``place: what was left alone and why``.
        edited: keys of captions with new text.
        accepted: keys of captions whose translation was confirmed.
        rejected: keys of captions that were taken out.
    """

    documents: tuple[Document, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    edited: tuple[str, ...]
    accepted: tuple[str, ...]
    rejected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a caption: its ``text`` edited or accepted, or (None) the caption rejected."""

    text: str | None


def tidy(text: str) -> str:
    """Text as it goes into a record: no space around it, line breaks made spaces (a caption is one line)."""
    return _BREAKS.sub(" ", text).strip()


def folded(text: str) -> str:
    """Text for comparing, without what other tools rewrite: spaces, line breaks, accents, lost controls."""
    return " ".join(unicodedata.normalize("NFC", _LOST.sub(" ", text)).split())


def decided(caption: Caption, text: str) -> Caption:
    """A caption with the translation that a person accepted or wrote.

    The machine's warnings go, for they were about its text and a person has looked; ``engine`` says that one
    has. ``model`` and ``score`` stay those of the machine translation that the person started from.
    """
    machine = caption.translation or Translation("", "none", "none", 0.0)
    same = text == machine.text
    engine = ACCEPTED if same and machine.engine != EDITED else EDITED
    names = tuple(name for name in machine.names if name.article in text)
    return replace(caption, translation=replace(machine, text=text, engine=engine, names=names, warnings=()))


def apply(documents: Sequence[Document], changes: dict[str, Change]) -> tuple[Document, ...]:
    """A run with changes by key; rejected captions are taken out, the other ids stay as they are."""
    kept: dict[int, list[Caption]] = {}
    for unit in units(documents):
        change = changes.get(unit.key)
        if change is None:
            kept.setdefault(unit.index, []).append(unit.caption)
        elif change.text is None:
            kept.setdefault(unit.index, [])
        else:
            kept.setdefault(unit.index, []).append(decided(unit.caption, change.text))
    return tuple(
        document.with_captions(tuple(kept[i])) if i in kept else document for i, document in enumerate(documents)
    )


def foreign(documents: Sequence[Document], lines: Iterable[Line]) -> bool:
    """Whether a file's lines are all of documents that are not in a run: it was exported from another one."""
    stems = {unit.key.rpartition("-")[0] for unit in units(documents)}
    return all(line.key and line.key.rpartition("-")[0] not in stems for line in lines)


def merge(documents: Sequence[Document], lines: Iterable[Line], prefer: Side | None = None) -> Merge:
    """Merges the lines of one or several files into a run.

    Args:
        documents: the run.
        lines: the files' lines.
        prefer: whose text stands where the run and a file have both changed a caption; None to refuse.
    """
    known = {unit.key: unit for unit in units(documents)}
    stems = {key.rpartition("-")[0] for key in known}
    problems: list[str] = []
    remarks: list[str] = []
    wanted: dict[str, tuple[Change, Line]] = {}
    for line in lines:
        unit = known.get(line.key)
        change, problem = _change(line, unit)
        if problem:
            problems.append(f"{line.place}: {problem}")
        elif unit is None and change is not None:
            problems.append(f"{line.place}: {_unknown(line.key, stems)}")
        elif unit is None:
            if line.key.rpartition("-")[0] not in stems:
                problems.append(f"{line.place}: {_unknown(line.key, stems)}")
            else:
                remarks.append(
                    f"{line.place}: {_unknown(line.key, stems)}; the line was not edited, so nothing is lost"
                )
        elif change is None:
            if not tidy(line.text or "") and unit.text:
                remarks.append(f"{line.place}: no translation; the run's is kept")
        elif (earlier := wanted.get(line.key)) and earlier[0] != change:
            problems.append(
                f"{line.place}: {line.key} is edited differently at {earlier[1].place} "
                f"({_say(change)} here, {_say(earlier[0])} there); make them agree"
            )
        else:
            wanted.setdefault(line.key, (change, line))
    changes: dict[str, Change] = {}
    for key, (change, line) in wanted.items():
        unit = known[key]
        if not _moved_on(line, unit, change):
            changes[key] = change
        elif prefer is None:
            problems.append(
                f"{line.place}: {key} was changed in the run since the export (run: {unit.text!r}, "
                f"file: {_say(change)}); choose with --prefer file or --prefer run"
            )
        elif prefer is Side.file:
            changes[key] = change
        else:
            remarks.append(f"{line.place}: {key} was changed in the run too; the run's translation is kept")
    if problems:
        return Merge(tuple(documents), tuple(problems), tuple(remarks), (), (), ())
    edited = tuple(k for k, c in changes.items() if c.text is not None and c.text != known[k].text)
    accepted = tuple(k for k, c in changes.items() if c.text is not None and c.text == known[k].text)
    rejected = tuple(k for k, c in changes.items() if c.text is None)
    return Merge(apply(documents, changes), (), tuple(remarks), edited, accepted, rejected)


def _say(change: Change) -> str:
    return "no caption" if change.text is None else repr(change.text)


def _unknown(key: str, stems: set[str]) -> str:
    if not key:
        return "has no caption key: it was not written by aligner export, or the id was removed"
    if key.rpartition("-")[0] in stems:
        return f"caption {key} is not in the run (taken out of it since the export?)"
    return f"{key} is of a document that is not in this run: edited for another run, or the document changed"


def _change(line: Line, unit: Unit | None) -> tuple[Change | None, str | None]:
    """What a line wants changed (None: nothing), and what is wrong with it (None: nothing)."""
    if unit is not None and line.source is not None and folded(line.source) != folded(unit.caption.source):
        return None, f"the caption itself was changed ({line.source!r}); only translations can be edited"
    if line.decision == "reject":
        return Change(None), None
    text = tidy(line.text or "")
    if not text:
        return None, "accepted without a translation" if line.decision == "accept" else None
    base = line.base if line.base is not None else (unit.text if unit else "")
    if folded(text) != folded(base):
        bad = next((c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c != "\t"), None)
        if bad is not None:
            return None, f"the translation holds the control character U+{ord(bad):04X}; remove it"
        return Change(text), None
    # Spaces and accents may have been rewritten on the way: what is accepted is what was exported.
    if line.decision == "accept":
        same = unit is not None and folded(unit.text) == folded(base)
        return Change(unit.text if unit is not None and same else tidy(base)), None
    return None, None


def _moved_on(line: Line, unit: Unit, change: Change) -> bool:
    """Whether the run has changed a caption since the export, to something else than the file's."""
    if line.base is None or folded(unit.text) == folded(line.base):
        return False
    return change.text is None or folded(unit.text) != folded(change.text)
