"""Runs chunks of documents in worker processes of this machine, in order, within bounded memory.

A worker that dies or hangs costs nothing but time: what it held is done again by another one, document by
document, until the culprit is known.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from aligner.batch import forking
from aligner.batch.work import Chunk, Found, Outcome, Statistics, Worker, WorkerSettings, failure
from aligner.errors import AlignerError, UsageError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

# Chunks that a worker holds: the one in work and others waiting, so that it never idles and fills its batches.
_HELD = 20
# Chunks between the oldest unfinished one and the newest begun, per worker: bounds what waits for its turn.
_WINDOW = 32
# A document that was in work when a worker died is tried again this often.
_DEATHS = 3
_TICK = 0.25

_IDLE = (0.0, 0.0, -1.0, -1.0)


class WorkerError(AlignerError):
    """The worker processes cannot live on this machine."""


class _Beat:
    """What a worker is doing, in memory shared with the parent: since when, how many documents, which."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def set(self, documents: int, chunk: int, index: int) -> None:
        """A step begins: ``index`` of ``chunk``, or several documents at once (index -1)."""
        self._array[:] = (time.monotonic(), documents, chunk, index)

    def idle(self) -> None:
        """Nothing is being done."""
        self._array[:] = _IDLE

    def get(self) -> tuple[float, int, int, int]:
        """(since, documents, chunk, index)."""
        since, documents, chunk, index = self._array[:]
        return since, int(documents), int(chunk), int(index)


# -- in the worker -------------------------------------------------------------------------------------------


def _receive(connection: Connection, inbox: queue.SimpleQueue[tuple[int, list[int], Chunk, bool] | None]) -> None:
    """Takes tasks off the pipe at once, so that the parent never blocks; ends with the parent."""
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            os._exit(0)
        inbox.put(task)


def serve(connection: Connection, array: Any, settings: WorkerSettings) -> None:
    """A worker's life: takes tasks, translates what several of them need in one go, sends outcomes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when Ctrl-C was pressed
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, inbox), daemon=True).start()
    beat = _Beat(array)
    held: list[tuple[int, list[int], list[Found | Outcome]]] = []

    def flush() -> None:
        found = [document for _, _, part in held for document in part if isinstance(document, Found)]
        if found:
            beat.set(len(found), held[0][0] if len(held) == 1 else -1, held[0][1][0] if len(found) == 1 else -1)
            worker.translate(found)
        for number, indices, part in held:
            beat.set(len(indices), number, -1)
            done = []
            for index, document in zip(indices, part, strict=True):
                if isinstance(document, Found):
                    beat.set(1, number, index)
                    document = worker.finish(document)
                done.append(document)
            beat.set(len(indices), number, -1)
            connection.send(("done", number, indices, done, worker.take_statistics()))
        held.clear()
        beat.idle()

    try:
        worker = Worker(settings)
        while True:
            try:
                task = inbox.get_nowait() if held else inbox.get()
            except queue.Empty:
                flush()
                continue
            number, indices, chunk, alone = task
            if alone and held:
                flush()
            part: list[Found | Outcome] = []
            for index in indices:
                beat.set(1, number, index)
                part.append(worker.find(chunk.items[index]))
            beat.idle()
            held.append((number, indices, part))
            if alone or worker.pending(document for _, _, p in held for document in p):
                flush()
    except AlignerError as error:
        # Not one document's fault: a broken model, say. The run cannot go on.
        connection.send(("fatal", type(error), str(error)))
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)  # the parent is gone


# -- in the parent -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Task:
    number: int
    indices: list[int]
    alone: bool = False


@dataclass(slots=True)
class _Progress:
    """A chunk on its way: outcomes so far, and how often a worker died over each of its documents."""

    chunk: Chunk
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    deaths: dict[int, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return len(self.outcomes) == len(self.chunk.items)


class _Process:
    """A worker process and what it was given."""

    def __init__(self, context: Any, settings: WorkerSettings) -> None:
        self._array = context.RawArray("d", 4)
        self.beat = _Beat(self._array)
        self.beat.idle()
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(
            target=serve, args=(theirs, self._array, settings), daemon=True, name="aligner-worker"
        )
        self.process.start()
        theirs.close()
        self.tasks: list[_Task] = []

    def send(self, task: _Task, chunk: Chunk) -> None:
        self.tasks.append(task)
        # A broken pipe is a death, noticed where deaths are.
        with suppress(BrokenPipeError, ConnectionResetError):
            if len(task.indices) < len(chunk.items):
                wanted = set(task.indices)
                chunk = replace(chunk, items=[item if i in wanted else None for i, item in enumerate(chunk.items)])
            self.connection.send((task.number, task.indices, chunk, task.alone))

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _process(context: Any, settings: WorkerSettings) -> _Process:
    """A new worker; tried again where the process that forks workers was killed meanwhile."""
    for pause in (0.1, 1.0, 0.0):
        try:
            return _Process(context, settings)
        except (EOFError, OSError) as error:
            last = error
            time.sleep(pause)
    raise WorkerError(f"no worker process can be started: {last or type(last).__name__}") from last


class _Reader:
    """Reads chunks ahead in a thread, at most a few; wakes the parent through a pipe."""

    def __init__(self, chunks: Iterator[Chunk]) -> None:
        self._queue: queue.Queue[Chunk | BaseException | None] = queue.Queue(maxsize=2)
        self._stop = threading.Event()
        self.wakeup, self._wake = os.pipe()
        os.set_blocking(self.wakeup, False)
        self._thread = threading.Thread(target=self._run, args=(chunks,), daemon=True)
        self._thread.start()
        self.exhausted = False

    def _run(self, chunks: Iterator[Chunk]) -> None:
        last: BaseException | None = None
        try:
            for chunk in chunks:
                if not self._put(chunk):
                    break
        except BaseException as error:
            last = error
        finally:
            chunks.close()  # type: ignore[attr-defined]
        self._put(last)

    def _put(self, item: Chunk | BaseException | None) -> bool:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=_TICK)
                os.write(self._wake, b"\0")
                return True
        return False

    def next(self) -> Chunk | None:
        """The next chunk if one is ready.

        Raises:
            BaseException: what reading raised.
        """
        with suppress(BlockingIOError):
            os.read(self.wakeup, 4096)
        try:
            item = self._queue.get_nowait()
        except queue.Empty:
            return None
        if item is None:
            self.exhausted = True
            return None
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        """Ends the thread, unless it waits for input that does not come."""
        self._stop.set()
        self._thread.join(timeout=4 * _TICK)
        if not self._thread.is_alive():  # else it might yet write to whatever gets these descriptors
            os.close(self.wakeup)
            os.close(self._wake)


def run(
    chunks: Iterator[Chunk],
    settings: WorkerSettings,
    workers: int,
    time_limit: float,
    statistics: Callable[[Statistics], None],
) -> Generator[list[Outcome] | None, None, None]:
    """Processes chunks in worker processes.

    Args:
        chunks: the work, in order; read by a thread.
        settings: what each worker does.
        workers: number of processes.
        time_limit: seconds that one document may take in one step.
        statistics: called with a worker's counters since its last report.

    Yields:
        The outcomes of each chunk, in order; None about four times a second while there are none, so that the
        caller can commit, report and stop.

    Raises:
        AlignerError: reading failed as a whole, or the work cannot be done at all (a broken model).
    """
    if workers < 1:
        raise UsageError(f"--workers {workers}: at least one is needed")
    options = settings.options
    context = forking.start(translate=options.translate, link=options.link, engine=options.engine)
    pool = [_process(context, settings) for _ in range(workers)]
    reader = _Reader(chunks)
    begun: dict[int, _Progress] = {}
    waiting: list[_Task] = []
    next_number = 0
    unexplained = 0
    try:
        while not (reader.exhausted and not begun):
            hungry = _deal(pool, waiting, begun, reader, next_number, workers)
            if next_number in begun and begun[next_number].complete:
                progress = begun.pop(next_number)
                yield [progress.outcomes[i] for i in range(len(progress.chunk.items))]
                next_number += 1
                continue
            # A chunk that nobody can take must not wake us again and again.
            awaited = [reader.wakeup] if hungry else []
            ready = wait([*awaited, *(w.connection for w in pool)], timeout=_TICK)
            if not ready:
                yield None
            for slot, worker in enumerate(pool):
                hung = _overdue(worker, time_limit)
                if worker.connection in ready and not hung:
                    held = len(worker.tasks)
                    alive = _collect(worker, begun, statistics)
                    unexplained = unexplained if len(worker.tasks) == held else 0
                else:
                    alive = worker.process.is_alive()
                if hung or not alive:
                    charged = _bury(worker, begun, waiting, hung, time_limit)
                    unexplained = 0 if charged else unexplained + 1
                    if unexplained > _DEATHS * workers:
                        raise WorkerError(
                            "worker processes end before they do anything "
                            f"(exit code {worker.process.exitcode}); is there enough memory? "
                            "Fewer --workers may help"
                        )
                    pool[slot] = _process(context, settings)
    finally:
        for worker in pool:
            worker.kill()
        reader.close()


def _deal(
    pool: list[_Process],
    waiting: list[_Task],
    begun: dict[int, _Progress],
    reader: _Reader,
    oldest: int,
    workers: int,
) -> bool:
    """Gives tasks to the workers with the fewest, what is to be done again first.

    Returns:
        Whether more could be given if the reader had more.
    """
    while True:
        worker = min(pool, key=lambda w: len(w.tasks))
        if len(worker.tasks) >= _HELD:
            return False
        if waiting:
            task = waiting.pop(0)
        elif begun and max(begun) - oldest >= _WINDOW * workers:
            return False
        else:
            chunk = reader.next()
            if chunk is None:
                return not reader.exhausted
            begun[chunk.number] = _Progress(chunk)
            task = _Task(chunk.number, list(range(len(chunk.items))))
        worker.send(task, begun[task.number].chunk)


def _collect(worker: _Process, begun: dict[int, _Progress], statistics: Callable[[Statistics], None]) -> bool:
    """Takes what a worker has sent; False if it is dead."""
    try:
        while worker.connection.poll():
            message = worker.connection.recv()
            if message[0] == "fatal":
                raise message[1](message[2])
            _, number, indices, outcomes, counters = message
            begun[number].outcomes.update(zip(indices, outcomes, strict=True))
            worker.tasks = [t for t in worker.tasks if (t.number, t.indices) != (number, indices)]
            statistics(counters)
    except (EOFError, OSError):
        return False
    return True


def _overdue(worker: _Process, time_limit: float) -> bool:
    since, documents, _, _ = worker.beat.get()
    return documents > 0 and time.monotonic() - since > time_limit * documents


def _bury(worker: _Process, begun: dict[int, _Progress], waiting: list[_Task], hung: bool, time_limit: float) -> bool:
    """Puts a dead or hung worker's tasks back, and charges the document that it was at, where that is known.

    Returns:
        Whether it was at a document at all.
    """
    _, documents, number, index = worker.beat.get()
    worker.kill()
    code = worker.process.exitcode
    again: list[_Task] = []
    for task in worker.tasks:
        progress = begun[task.number]
        suspected = documents > 0 and (number in (-1, task.number))
        if not suspected:
            again.append(_Task(task.number, task.indices, task.alone))
            continue
        for i in task.indices:
            item = progress.chunk.items[i]
            if (number, index) == (task.number, i) or len(task.indices) == 1:
                progress.deaths[i] = progress.deaths.get(i, 0) + 1
                known = (number, index) == (task.number, i)
                if hung and known:
                    text = f"took longer than {time_limit:g} s; raise --time-limit if that is worth it"
                    progress.outcomes[i] = failure(item, "time-limit", text)
                    continue
                if progress.deaths[i] >= _DEATHS:
                    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
                    text = f"a worker process died over it {_DEATHS} times ({how})"
                    progress.outcomes[i] = failure(item, "worker-died", text)
                    continue
            again.append(_Task(task.number, [i], alone=True))
    waiting[:0] = again
    return documents > 0
