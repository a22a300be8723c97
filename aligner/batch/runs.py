"""A run from its inputs to its manifest: begun, gone on with, stopped, finished, its failures tried again."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import accumulate, chain, groupby, islice
from itertools import count as numbers
from pathlib import Path
from types import FrameType
from typing import Any

from aligner.batch import output, settings
from aligner.batch.memory import Memory
from aligner.batch.output import Counts, Lock, Output
from aligner.batch.progress import Progress, Silent
from aligner.batch.settings import BatchOptions
from aligner.batch.work import Chunk, Outcome, Statistics, WorkerSettings, failure
from aligner.errors import AlignerError, OutputError, UsageError, unwritable
from aligner.readers.names import SeenIds
from aligner.readers.sources import (
    Item,
    Limits,
    Position,
    Skipped,
    SourceOptions,
    check_format,
    place_of,
    read_sources,
    sources_of,
)
from aligner.show import count

# Documents that travel to a worker together; a large document travels alone.
_CHUNK_DOCUMENTS = 16
_CHUNK_BYTES = 128 << 10
_IDS = "ids.sqlite"

Outcomes = Generator[list[Outcome] | None, None, None]


class Stopped(AlignerError):  # noqa: N818 (not an error)
    """The run was asked to stop (SIGINT, SIGTERM); what was done is safe."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended.

    Attributes:
        folder: of the run.
        counts: totals, earlier processes' work included.
        shards: number of shards.
        digest: SHA-256 over the shards' and the failures' own.
        seconds: that this process took.
        documents_now: documents of this process.
        memory_hits: captions that this process took from the translation memory.
        untried: documents of a retry that were not tried, because their ids came before.
        already: whether the run had been finished before.
    """

    folder: Path
    counts: Counts
    shards: int
    digest: str
    seconds: float = 0.0
    documents_now: int = 0
    memory_hits: int = 0
    untried: int = 0
    already: bool = False


@dataclass(frozen=True, slots=True)
class _Retry:
    """What a retry is about: the failures to be tried again, and those that stay what they are."""

    failures: list[dict[str, Any]]
    kept: list[Outcome]


def run(options: BatchOptions, progress: Progress | None = None) -> Summary:
    """Runs a corpus, or goes on with a run that was interrupted.

    Args:
        options: see :class:`BatchOptions`.
        progress: shows how far it is.

    Raises:
        UsageError: wrong options; the folder holds another run, or one that works just now.
        ModelError: the model is incomplete or altered.
        OutputError: the folder cannot be written to, or was changed.
        Stopped: SIGINT or SIGTERM came.
    """
    progress = progress or Silent()
    described = _checked(options)
    skipped = Skipped()
    with _folder(options.out):
        settings.begin(options.out, described, source_names(options, skipped))
        for line in skipped.lines():
            progress.event("warning", message=line)
        return _work(options, described, options.out, None, progress)


def retry_failed(options: BatchOptions, progress: Progress | None = None) -> Summary:
    """Runs the failed documents of a finished run again, into a folder ``retry-N`` in it.

    What the run wrote stays as it is. Failures of the last retry are those that are left: also the documents whose ids
    came before, which are not tried again while their source is what it was.

    Args:
        options: those of the run; the limit of size may be another, and so may what becomes of duplicate ids.
        progress: shows how far it is.

    Raises:
        UsageError: the run is not finished, has no failures left, or was made with other options.
        ModelError, OutputError, Stopped: see :func:`run`.
    """
    before = settings.load(options.out)
    described = _checked(options)
    with _folder(options.out):
        free = {name: described["options"][name] for name in ("document_bytes", "duplicate_ids")}
        own = before | {"options": before["options"] | free}
        if changed := list(settings.differences(own, described)):
            shown = "".join(f"\n  {line}" for line in changed)
            raise UsageError(f"{options.out}: the run was made with other options:{shown}\nGive those of the run")
        previous, folder = _last_pass(options.out)
        retry = _retry(options, previous)
        if not (retry.failures or retry.kept):
            raise UsageError(f"{previous}: no failed documents, nothing to retry")
        if not retry.failures:
            raise UsageError(
                f"{previous}: nothing to retry: {count(len(retry.kept), 'document')} failed, whose ids came before and "
                "would fail again; mend the ids in the sources, or give --duplicate-ids keep"
            )
        folder.mkdir(exist_ok=True)
        settings.begin(folder, described | {"retry_of": previous.name}, ())
        return _work(options, described, folder, retry, progress or Silent())


def _retry(options: BatchOptions, previous: Path) -> _Retry:
    """What is to be done with the documents that failed in a pass."""
    retry = _Retry([], [])
    inputs = settings.recorded(options.out)
    number = -1
    unchanged = False
    for line, told in output.failed_lines(previous, output.read_journal(previous)[0]):
        position = Position(told["position"][0], told["source"], told["position"][1])
        if position.number > number:
            before = next(islice(inputs, position.number - number - 1, None), None)
            unchanged = before == json.loads(next(settings.source_lines([position.source])))
            number = position.number
        if told["cause"] == "duplicate-id" and options.duplicate_ids == "fail" and unchanged:
            retry.kept.append(Outcome(line, told["document"], position, failed=True))
        else:
            retry.failures.append(told)
    inputs.close()
    return retry


def _with_kept(outcomes: Outcomes, kept: Iterable[Outcome], after: Position | None) -> Outcomes:
    """The outcomes of a retry and the failures that stay what they are, in the order of the input."""
    waiting = deque(o for o in kept if after is None or _place(o.position) > _place(after))
    with closing(outcomes):
        for chunk in outcomes:
            merged = []
            for outcome in chunk or ():
                while waiting and _place(waiting[0].position) < _place(outcome.position):
                    merged.append(waiting.popleft())
                merged.append(outcome)
            yield merged or None
    yield list(waiting)


def _place(position: Position) -> tuple[int, int]:
    return position.number, position.index


def _last_pass(folder: Path) -> tuple[Path, Path]:
    """The folder whose failures are to be tried again, and that of the new or unfinished pass."""
    previous = folder
    for number in numbers(1):
        state, _, _ = output.read_journal(previous)
        if not state.finished:
            raise UsageError(
                f"{previous}: the run is not finished; finish it first: the same command without --retry-failed"
            )
        following = folder / f"retry-{number}"
        if not (following / output.RUN).exists() or not output.read_journal(following)[0].finished:
            return previous, following
        previous = following
    raise AssertionError  # a type checker does not know that the loop never ends


# -- the work ------------------------------------------------------------------------------------------------


def _checked(options: BatchOptions) -> dict[str, Any]:
    """What the run is, see :func:`aligner.batch.settings.describe`, if nothing in its options is wrong."""
    output.available(options.format)
    check_format(options.input_format)
    out = Path(os.path.realpath(options.out))
    for spec in options.inputs:
        if os.path.isdir(spec) and out.is_relative_to(os.path.realpath(spec)):  # noqa: PTH112 (it may be no path)
            raise UsageError(f"--out {options.out}: lies in {spec}, whose documents are read; give a folder elsewhere")
    for folder in out.parents:
        if os.path.exists(folder / output.RUN):  # noqa: PTH110 (it never raises)
            raise UsageError(f"--out {options.out}: lies in the folder of another run, {folder}; give one elsewhere")
    described = settings.describe(options)
    if options.remembers and options.memory and options.engine == "local":
        named = _memory(options, described)
        named.close()
        if named.broken:
            raise UsageError(f"--memory {named.broken}; name another file, or leave --memory out")
    return described


def _memory(options: BatchOptions, described: dict[str, Any]) -> Memory:
    """The translation memory, opened."""
    path = options.memory or options.out / settings.MEMORY
    return Memory(path, settings.translation_settings(described), options.memory_limit)


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """The run's folder, made and locked."""
    made = not os.path.lexists(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        foreign = not (path / output.RUN).exists() and any(
            not entry.name.startswith(".") and entry.name != settings.INPUTS for entry in path.iterdir()
        )
        if foreign:
            raise UsageError(f"{path}: not empty and no run; give a new or empty folder with --out")
        lock = Lock(path)
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        yield
    except AlignerError:
        if made and not (path / output.RUN).exists():
            with suppress(OSError):
                (path / output.LOCK).unlink()
                path.rmdir()
        raise
    finally:
        lock.release()


def _work(
    options: BatchOptions,
    described: dict[str, Any],
    folder: Path,
    retry: _Retry | None,
    progress: Progress,
) -> Summary:
    """Everything between a locked folder and its manifest; of a retry only its failures are done."""
    began = time.monotonic()
    out = Output(folder, options.format, options.shard_size)
    try:
        state = out.state
        if state.finished:
            return Summary(folder, state.counts, len(out.shards), output.digest(folder), already=True)
        before = state.counts.documents
        if before:
            progress.event("resumed", message=f"{folder}: going on after {before:,} documents", documents=before)
        # Held open, so that it is tidied up when the last worker is gone.
        memory = _memory(options, described) if options.remembers else None
        hits, broken = 0, None

        def statistics(told: Statistics) -> None:
            nonlocal hits, broken
            hits += told.memory_hits
            if told.memory_broken and not broken:
                broken = told.memory_broken
                progress.event("warning", message=f"goes on without the translation memory: {broken}")

        if memory is not None:
            statistics(Statistics(0, memory.broken))
        sources = settings.load(folder)["sources"]
        last = time.monotonic()
        outcomes = _execute(options, described, out, retry.failures if retry else None, statistics)
        if retry:
            outcomes = _with_kept(outcomes, retry.kept, out.state.position)
        share = share_of(folder, sources["bytes"])
        next(share)
        # One file for a run and its retries.
        seen = _Ids(options) if options.duplicate_ids == "fail" else None

        def commit() -> None:
            if seen is not None:
                seen.commit()
            out.commit()

        with _signals() as stop, progress, closing(share):
            try:
                for chunk in outcomes:
                    for outcome in seen.unique(chunk) if seen is not None and chunk else chunk or ():
                        _append(out, outcome)
                    now = time.monotonic()
                    if now - last >= options.commit_seconds:
                        commit()
                        last = now
                    progress.update(out.state.counts, share.send(out.state.position))
                    if stop:
                        commit()
                        progress.event("stopped", signal=stop[0], documents=out.state.counts.documents)
                        raise Stopped(
                            f"stopped; {out.state.counts.documents:,} documents are done and safe "
                            f"in {folder}: "
                            "the same command goes on from there",
                            stop[0],
                        )
            finally:
                outcomes.close()
                if memory is not None:
                    memory.close()
                if seen is not None:
                    seen.close()
        out.finish(
            {key: described[key] for key in ("schema", "inputs", "options", "model", "packages")} | {"sources": sources}
        )
        counts = out.state.counts
        return Summary(
            folder,
            counts,
            len(out.shards),
            output.digest(folder),
            seconds=time.monotonic() - began,
            documents_now=counts.documents - before,
            memory_hits=hits,
            untried=len(retry.kept) if retry else 0,
        )
    finally:
        out.close()


def _append(out: Output, outcome: Outcome) -> None:
    counts = out.state.counts
    counts.input_bytes += outcome.size
    counts.captions += outcome.captions
    counts.with_captions += outcome.captions > 0
    counts.translated += outcome.translated
    counts.linked += outcome.linked
    counts.warnings += outcome.warnings
    if outcome.failed:
        out.failure(outcome.line, outcome.position)
    else:
        out.record(outcome.line, outcome.position)


class _Ids:
    """The ids of a run and its retries, on disk.

    Args:
        options: of the run.
    """

    def __init__(self, options: BatchOptions) -> None:
        self._path = options.out / _IDS
        self._seen = self._guarded(SeenIds, str(self._path))
        self._inputs = options.out / settings.INPUTS
        self._format = options.input_format
        self._starts: list[int] = []  # of the sources' lines in the file of inputs; read when they are needed first

    def unique(self, outcomes: list[Outcome]) -> list[Outcome]:
        """The outcomes of documents; a failure for each whose id came before."""
        made: list[Outcome] = self._guarded(lambda: list(map(self._unique, outcomes)))
        return made

    def _unique(self, outcome: Outcome) -> Outcome:
        if outcome.failed:
            return outcome
        document, position = outcome.document, outcome.position
        first = self._seen.first(document, position.number, position.index)
        if first == (position.number, position.index):
            return outcome
        return failure(
            Item(document, b"", "", position),
            "duplicate-id",
            f"{document}: the id was seen before ({self._place(*first)}); "
            "ids must differ, or give --duplicate-ids keep",
        )

    def _place(self, number: int, index: int) -> str:
        with self._inputs.open("rb") as lines:
            if not self._starts:
                self._starts = list(accumulate(map(len, lines), initial=0))
            lines.seek(self._starts[number])
            source: str = json.loads(lines.readline())["source"]
        return place_of(source, index, self._format)

    def commit(self) -> None:
        """Makes what was seen durable."""
        self._guarded(self._seen.commit)

    def close(self) -> None:
        """Closes the file; what was not committed is asked for again."""
        with suppress(sqlite3.Error):
            self._seen.close()

    def _guarded(self, action: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return action(*arguments)
        except sqlite3.OperationalError as error:
            raise OutputError(
                f"{self._path}: cannot be written ({error}); free space or mend the disk, "
                "then run the same command again: it goes on where it was"
            ) from None
        except sqlite3.Error as error:
            raise OutputError(f"{self._path}: damaged ({error}); restore it or start in a new folder") from None


def _execute(
    options: BatchOptions,
    described: dict[str, Any],
    out: Output,
    failures: list[dict[str, Any]] | None,
    statistics: Callable[[Statistics], None],
) -> Outcomes:
    """The outcomes, from the engine that was asked for."""
    remembers = options.remembers
    worker = WorkerSettings(
        options=replace(options.pipeline, threads=1),
        memory=(options.memory or options.out / settings.MEMORY) if remembers else None,
        memory_settings=tuple(settings.translation_settings(described).items()) if remembers else (),
        memory_limit=options.memory_limit,
    )
    if options.engine == "ray" and failures is None:
        from aligner.batch import on_ray

        return on_ray.run(remaining(out), options, worker, statistics)
    from aligner.batch import local

    items: Iterator[Item]
    if failures is None:
        items = chain.from_iterable(source_items(options, *source) for source in remaining(out))
    else:
        items = _failed_items(options, failures, out)
    return local.run(chunked(items), worker, options.processes, options.time_limit, statistics)


@contextmanager
def _signals() -> Iterator[list[int]]:
    """A list that gets the number of the first SIGINT or SIGTERM; a second SIGINT interrupts at once."""
    caught: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if caught and number == signal.SIGINT:
            raise KeyboardInterrupt
        caught.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# -- the input -----------------------------------------------------------------------------------------------


def source_names(options: BatchOptions, skipped: Skipped | None = None) -> Iterator[str]:
    """The names of all sources of a run, in order.

    Args:
        options: of the run.
        skipped: counts the files in folders that are no sources.

    Raises:
        UsageError: one is not there, or the format that they are said to have is unknown.
    """
    check_format(options.input_format)
    return chain.from_iterable(sources_of(spec, skipped) for spec in options.inputs)


def source_items(options: BatchOptions, number: int, name: str, after: Position | None = None) -> Iterator[Item]:
    """The documents of one source, as source ``number`` of the run, read as the run is told to.

    Args:
        options: of the run.
        number: of the source.
        name: of the source.
        after: the last document of this source that is done.
    """
    if after is not None and name == "-":
        after = replace(after, offset=None)  # standard input comes again from its beginning, and can be read once only
    reading = SourceOptions(
        options.input_format,
        options.text_column,
        options.id_column,
        Limits(document_bytes=options.document_bytes),
        after,
        first=number,
        keep_lines=False,  # needed to write a line anew, not here
    )
    return read_sources([name], reading)


def remaining(out: Output) -> Iterator[tuple[int, str, Position | None]]:
    """The sources still to be read: number, name, and the last document done in the first of them."""
    after = out.state.position
    for number, recorded in enumerate(settings.recorded(out.folder)):
        name = recorded["source"]
        if after is None or number > after.number:
            yield number, name, None
        elif number == after.number and not after.last:
            yield number, name, after


def _failed_items(options: BatchOptions, failures: list[dict[str, Any]], out: Output) -> Iterator[Item]:
    """The failed documents of an earlier pass that are still to be done, read anew from their sources."""
    after = out.state.position
    for number, group in groupby(failures, key=lambda failure: failure["position"][0]):
        listed = list(group)
        if after is not None and (number < after.number or (after.last and number == after.number)):
            continue
        start = after.index if after is not None and after.number == number else -1
        wanted = {failure["position"][1] for failure in listed}
        last = max(wanted)
        # Behind the place where a source broke off, everything is wanted.
        rest = any(failure["broken"] for failure in listed)
        for item in source_items(options, number, listed[0]["source"]):
            index = item.position.index
            if index > last and not rest:
                break
            if item.fatal or (index > start and (index in wanted or (rest and index >= last))):
                yield item


def chunked(items: Iterable[Item]) -> Iterator[Chunk]:
    """Documents in groups that travel together."""
    number, size = 0, 0
    group: list[Item] = []
    for item in items:
        group.append(item)
        size += len(item.data)
        if len(group) >= _CHUNK_DOCUMENTS or size >= _CHUNK_BYTES:
            yield Chunk(number, group)
            number, size, group = number + 1, 0, []
    if group:
        yield Chunk(number, group)


def share_of(folder: Path, total: int) -> Generator[float | None, Position | None, None]:
    """The share of the input's bytes up to each position sent; None where sizes are unknown."""
    before, number, size = 0, -1, 0
    sources = settings.recorded(folder)
    with closing(sources):
        position = yield None
        while True:
            while position is not None and number < position.number:
                before += size
                size = next(sources, {}).get("size") or 0
                number += 1
            within = min(position.offset or 0, size) if position is not None else 0
            position = yield min(1.0, (before + within) / total) if total and position is not None else None
