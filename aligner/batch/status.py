"""What a run has done, and what a run would do."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from aligner.batch import memory, output, settings
from aligner.batch.progress import duration
from aligner.batch.runs import share_of, source_items, source_names
from aligner.batch.settings import BatchOptions
from aligner.batch.work import Found, Outcome, Worker, WorkerSettings
from aligner.errors import UsageError
from aligner.readers.sources import Item, Position, Skipped
from aligner.show import count, size

# A sample for --plan: sources spread over the input, and documents from the beginning of each.
_SOURCES = 64
_DOCUMENTS = 400
_SECONDS = 20.0
# Taken where a compressed source does not say how far it has been read.
_RATIO = 4.0
_EXAMPLE = b"The minister arrived in Madrid on Monday.\n\nUna manifestante muestra una pancarta.\n"


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a run folder.

    Attributes:
        folder: of the run.
        state: ``running``, ``interrupted`` or ``finished``.
        done: share of the input that is done, None if unknown.
        counts: totals that are safe on disk.
        shards: sealed shards.
        failures: failed documents by cause.
        examples: of each cause the first messages that differ in more than names and numbers, three at most.
        left: failed documents that no finished retry mended.
        process: the process that works on it, None if there is none.
        saved: when its progress was made durable last, seconds since 1970; None if never.
        settings: see :func:`aligner.batch.settings.describe`.
        memory: what the translation memory in the folder holds.
        retries: the retries, each a status of its own.
    """

    folder: str
    state: str
    done: float | None
    counts: output.Counts
    shards: int
    failures: dict[str, int]
    examples: dict[str, list[str]]
    left: int
    process: str | None
    saved: float | None
    settings: dict[str, Any]
    memory: list[dict[str, Any]]
    retries: list[Status]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For a person."""
        counts = self.counts
        share = "" if self.done is None or self.state == "finished" else f", {self.done:.1%} of the input"
        by = f" ({self.process})" if self.state == "running" else ""
        ago = ""
        if self.saved is not None and self.state != "finished":
            ago = f", saved {duration(max(0.0, time.time() - self.saved))} ago"
        lines = [
            f"{self.folder}: {self.state}{by}{share}{ago}",
            f"  {count(counts.documents, 'document')} done ({size(counts.input_bytes)}), "
            f"{count(counts.records, 'record')} in {count(self.shards, 'finished file')}"
            f"{' and one being written' if self.state != 'finished' else ''}",
            f"  {count(counts.captions, 'caption')} in {count(counts.with_captions, 'document')}, "
            f"{counts.translated:,} translated, "
            f"{counts.linked:,} linked, {count(counts.warnings, 'warning')}",
            f"  {counts.failed:,} failed" + (f", see {Path(self.folder) / output.FAILED}" if self.failures else ""),
        ]
        for cause, n in sorted(self.failures.items()):
            first, *further = self.examples[cause]
            lines.append(f"    {cause}: {n:,}; the first: {first}")
            lines += [f"      of another kind: {message}" for message in further]
        if model := self.settings.get("model"):
            lines.append(f"  model {model['name']} (all its files together: SHA-256 {model['sha256'][:12]}…)")
        lines += [f"  memory: {count(held['entries'], 'translation')}" for held in self.memory]
        if self.state == "interrupted":
            lines.append("  the command that began it goes on with it")
        for retry in self.retries:
            lines += retry.lines()
        if self.retries:
            lines.append(f"{self.folder}: {self.left:,} failed after all retries")
        return lines


def status(folder: Path) -> Status:
    """Reads the state of a run; a run that works just now is not disturbed.

    Raises:
        UsageError: there is no run in the folder.
        OutputError: its journal is damaged.
    """
    described = settings.load(folder)
    state, shards, _ = output.read_journal(folder)
    share = share_of(folder, described["sources"]["bytes"])
    next(share)
    done = share.send(state.position)
    share.close()
    held: list[dict[str, Any]] = []
    with suppress(FileNotFoundError, sqlite3.Error):
        held = memory.inspect(folder / settings.MEMORY)
    failures, examples = _failures(folder, state)
    retries = [status(path) for path in sorted(folder.glob("retry-*"), key=_number) if (path / output.RUN).exists()]
    # The lock is on the run's folder; its retries work under the same one.
    process = output.holder(folder)
    if process and state.finished:
        retries = [r if r.state == "finished" else replace(r, state="running", process=process) for r in retries]
    finished = [retry for retry in retries if retry.state == "finished"]
    saved = None
    with suppress(FileNotFoundError):
        saved = (folder / output.JOURNAL).stat().st_mtime
    return Status(
        folder=str(folder),
        state="finished" if state.finished else "running" if process else "interrupted",
        done=1.0 if state.finished else done,
        counts=state.counts,
        shards=len(shards),
        failures=failures,
        examples=examples,
        left=finished[-1].counts.failed if finished else state.counts.failed,
        process=process,
        saved=saved,
        settings=described,
        memory=held,
        retries=retries,
    )


def _number(retry: Path) -> int:
    digits = retry.name.removeprefix("retry-")
    return int(digits) if digits.isdecimal() else 0


def _failures(folder: Path, state: output.State) -> tuple[dict[str, int], dict[str, list[str]]]:
    """How many documents failed, and the first messages of different kinds, by cause."""
    causes: Counter[str] = Counter()
    examples: dict[str, dict[str, str]] = {}
    for _, failure in output.failed_lines(folder, state):
        cause, message = failure["cause"], failure["error"]
        causes[cause] += 1
        kinds = examples.setdefault(cause, {})
        if len(kinds) < _KINDS:
            what = message.removeprefix(failure["source"]).partition(": ")[2]
            kinds.setdefault(_NAMES.sub("", what), message)
    return dict(causes), {cause: list(kinds.values()) for cause, kinds in examples.items()}


# Kinds of failure that are shown of a cause, and what messages of one kind differ in.
_KINDS = 3
_NAMES = re.compile(r"'[^']*'|\([^)]*\)|\d[\d.,]*|;.*")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, from a sample; nothing is written.

    Attributes:
        sources: number of sources.
        source_bytes: their size, where known.
        sampled: documents of the sample.
        failed: documents of the sample that failed.
        documents: documents in all, estimated.
        captions: captions in all, estimated.
        distinct: different ones among them, estimated; only these are translated.
        sampled_captions: captions of the sample.
        sampled_repeats: those of them that came before in the sample.
        find_seconds: seconds of one core to read a document and find its captions.
        translate_seconds: seconds of one core to translate a caption that is new; 0 if the sample has none.
        link_seconds: seconds of one core for what is done with every caption: choosing among the translations, linking,
            writing; 0 if the sample has none.
        output_bytes: size of the shards, estimated, before compression.
        workers: processes that the estimate counts on.
        seconds: time of the whole run, estimated.
        guessed: whether sizes had to be guessed (compressed sources, standard input).
        left_out: what in the folders is no source, a line for each reason.
    """

    sources: int
    source_bytes: int
    sampled: int
    failed: int
    documents: int
    captions: int
    distinct: int
    sampled_captions: int
    sampled_repeats: int
    find_seconds: float
    translate_seconds: float
    link_seconds: float
    output_bytes: int
    workers: int
    seconds: float
    guessed: bool
    left_out: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For a person."""
        per_caption = ""
        if self.sampled_captions:
            per_caption = (
                f", {1000 * self.translate_seconds:.1f} ms a new caption, {1000 * self.link_seconds:.1f} ms any caption"
            )
        lines = [
            f"{count(self.sources, 'source')}, {size(self.source_bytes)}",
            *self.left_out,
            f"sample: {count(self.sampled, 'document')}, {self.failed:,} of them failed; "
            f"{1000 * self.find_seconds:.2f} ms a document{per_caption} on one core",
            f"about {count(self.documents, 'document')} with {count(self.captions, 'caption')}",
        ]
        if self.sampled_repeats:
            lines.append(
                f"about {self.distinct:,} of them different, and only these translated "
                f"({self.sampled_repeats:,} of the sample's {self.sampled_captions:,} are repeats)"
            )
        lines += [
            f"about {duration(self.seconds)} with {count(self.workers, 'worker')}, "
            f"{size(self.output_bytes)} of records",
        ]
        if self.guessed:
            lines.append("sizes within compressed sources are guessed: expect the figures to be off by a factor of two")
        return lines


def plan(options: BatchOptions) -> Plan:
    """Estimates a run from a sample, in this process; writes nothing.

    Raises:
        UsageError: wrong options, or standard input among the inputs.
        ModelError: the model is incomplete.
    """
    if "-" in options.inputs:
        raise UsageError("--plan cannot sample standard input without eating it; give files")
    settings.describe(options)
    number, total = 0, 0
    skipped = Skipped()
    for line in settings.source_lines(source_names(options, skipped)):
        number += 1
        total += json.loads(line).get("size") or 0
    step = max(1, number // _SOURCES)
    sampled = list(islice(source_names(options), 0, step * _SOURCES, step))
    # A memory of its own, which is no file: what came before costs what it costs in a run.
    worker = Worker(WorkerSettings(replace(options.pipeline, threads=1), memory=Path(":memory:")))
    # What the stages load at their first use is not to be measured.
    example = worker.find(Item("", _EXAMPLE, "text", Position(0, "", 0)))
    if isinstance(example, Found):
        worker.translate([example])
        worker.finish(example)
    tally = _Tally()
    began = time.monotonic()
    for name in sampled:
        if time.monotonic() - began > _SECONDS:
            break
        tally.find_in(worker, options, name, max(1, _DOCUMENTS // len(sampled)))
    tally.translate_all(worker)
    per_byte = tally.documents / max(tally.source_bytes, 1)
    documents = round(total * per_byte) if tally.source_bytes else tally.documents
    if len(sampled) == number and tally.exhausted == number:
        documents = tally.documents
    scale = documents / max(tally.documents, 1)
    repeats = Repeats(tally.captions)
    captions = round(len(tally.captions) * scale)
    distinct = repeats.distinct(captions)
    link_each = tally.link / max(len(tally.captions), 1)
    translate_each = tally.translate / max(repeats.sampled, 1)
    seconds = (tally.find * scale + captions * link_each + distinct * translate_each) / options.processes
    return Plan(
        sources=number,
        source_bytes=total,
        sampled=tally.documents,
        failed=tally.failed,
        documents=documents,
        captions=captions,
        distinct=distinct,
        sampled_captions=len(tally.captions),
        sampled_repeats=len(tally.captions) - repeats.sampled,
        find_seconds=tally.find / max(tally.documents, 1),
        translate_seconds=translate_each,
        link_seconds=link_each,
        output_bytes=round(tally.output * scale),
        workers=options.processes,
        seconds=seconds,
        guessed=tally.guessed,
        left_out=tuple(skipped.lines()),
    )


class Repeats:
    """How many captions of a corpus are different ones, from a sample.

    Their number grows with a power of the number of captions (Heaps' law), whose exponent is what half of the sample
    lacks of the whole: 1 if no two are alike, 0 if there are no others than those of the sample.

    Args:
        captions: the sample's, in order.
    """

    def __init__(self, captions: Sequence[str]) -> None:
        middle = len(captions) // 2
        halves = (len({*captions[:middle]}) + len({*captions[middle:]})) / 2
        self.sampled = len({*captions})
        self._captions = len(captions)
        self._exponent = math.log2(self.sampled / halves) if middle else 1.0

    def distinct(self, captions: int) -> int:
        """Different ones among so many captions."""
        growth: float = (captions / max(self._captions, 1)) ** self._exponent
        return round(self.sampled * growth)


class _Tally:
    """Sums over the sample."""

    def __init__(self) -> None:
        self.documents = self.failed = self.source_bytes = self.output = self.exhausted = 0
        self.captions: list[str] = []
        self._waiting: list[Found] = []
        self.find = self.translate = self.link = 0.0
        self.guessed = False

    def find_in(self, worker: Worker, options: BatchOptions, name: str, count: int) -> None:
        """Reads the first documents of a source and finds their captions."""
        stream = source_items(options, 0, name)
        began = time.perf_counter()
        items = list(islice(stream, count + 1))
        complete = len(items) <= count
        items = items[:count]
        found = [worker.find(item) for item in items]
        self.find += time.perf_counter() - began
        self._waiting += [document for document in found if isinstance(document, Found)]
        self._done(document for document in found if isinstance(document, Outcome))
        self.documents += len(items)
        self.exhausted += complete
        size = Path(name).stat().st_size if "://" not in name and Path(name).is_file() else 0
        offset = items[-1].position.offset if items else None
        if complete:
            self.source_bytes += size
        elif offset:
            # The last document begins there: one fewer than were read lie before it.
            self.source_bytes += offset * len(items) // max(len(items) - 1, 1)
        else:
            self.guessed = True
            self.source_bytes += round(sum(len(item.data) for item in items) / _RATIO)

    def translate_all(self, worker: Worker) -> None:
        """The other stages, on all documents together, as a run does it."""
        self.captions = [caption.source for document in self._waiting for caption in document.captions]
        began = time.perf_counter()
        worker.translate(self._waiting)
        whole = time.perf_counter() - began
        began = time.perf_counter()
        worker.translate(self._waiting)  # now from the memory: the rest of it is the model's time
        self.translate = max(0.0, whole - (time.perf_counter() - began))
        self._done(map(worker.finish, self._waiting))
        self.link = time.perf_counter() - began

    def _done(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self.failed += outcome.failed
            self.output += 0 if outcome.failed else len(outcome.line)
