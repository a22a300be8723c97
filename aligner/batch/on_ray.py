"""Runs a corpus on a Ray cluster (extra ``ray``): Ray Data reads it and feeds actors that hold the model.

Ray schedules, does again what a lost node was doing, and keeps what is under way within its object store.
Results come back in the order of the input to the one process that writes them: the output is a local run's.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from aligner.batch.settings import BatchOptions
from aligner.batch.work import Found, Outcome, Statistics, Worker, WorkerSettings, failure
from aligner.errors import AlignerError, UsageError, install
from aligner.readers.sources import Position

# Chunks that an actor gets at once, so that captions fill the batches of the translation.
_CHUNKS = 4
_BLOCK = 1 << 20

Source = tuple[int, str, Position | None]


class _TimeLimitError(Exception):
    """A document took too long."""


class _Reader:
    """Reads sources; runs as a task of Ray Data."""

    def __init__(self, options: BatchOptions) -> None:
        self._options = options

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, list[bytes]]]:
        from aligner.batch.runs import chunked, source_items

        for packed in batch["source"]:
            number, name, after = pickle.loads(packed)  # made by run(), nobody else
            for chunk in chunked(source_items(self._options, number, name, after)):
                yield {"chunk": [pickle.dumps(chunk.items)]}


class _Actor:
    """A worker with its model, as an actor of Ray Data."""

    def __init__(self, settings: WorkerSettings, time_limit: float) -> None:
        self._worker = Worker(settings)
        self._time_limit = time_limit

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        try:
            parts = [[self._find(item) for item in pickle.loads(packed)] for packed in batch["chunk"]]
            self._worker.translate([d for part in parts for d in part if isinstance(d, Found)])
            done: Any = [[self._worker.finish(d) if isinstance(d, Found) else d for d in part] for part in parts]
            answer = (done, self._worker.take_statistics())
        except AlignerError as error:
            answer = ((type(error), str(error)), Statistics())
        return {"outcomes": [pickle.dumps(answer)]}

    def _find(self, item: Any) -> Found | Outcome:
        try:
            with _alarm(self._time_limit):
                return self._worker.find(item)
        except _TimeLimitError:
            text = f"took longer than {self._time_limit:g} s; raise --time-limit if that is worth it"
            return failure(item, "time-limit", text)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raises :class:`_TimeLimitError` in the block after some seconds, where signals reach it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TimeLimitError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, min(seconds, 1e6))  # none takes inf
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(
    sources: Iterable[Source],
    options: BatchOptions,
    settings: WorkerSettings,
    statistics: Callable[[Statistics], None],
) -> Generator[list[Outcome] | None, None, None]:
    """Processes sources on Ray: the cluster of ``RAY_ADDRESS``, or one of this machine's cores.

    Args:
        sources: number, name, and the last document done of each source.
        options: of the run; ``workers`` actors, by default one per core of the cluster.
        settings: what each actor does.
        statistics: called with an actor's counters since its last report.

    Yields:
        Outcomes in the order of the input.

    Raises:
        UsageError: Ray is not installed, or standard input is to be read.
        AlignerError: the work cannot be done at all (a broken model).
    """
    try:
        import ray
        import ray.data
    except ImportError:
        raise UsageError(f"--engine ray needs Ray: {install('ray')}") from None
    if "-" in options.inputs:
        raise UsageError("--engine ray cannot read standard input: give files that every node can open")
    rows = [{"source": pickle.dumps(source)} for source in sources]
    if not rows:
        return
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    ours = not ray.is_initialized()
    if ours:
        ray.init(**_local(options), log_to_driver=False, include_dashboard=False)
    try:
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        # Small blocks: a single large source keeps all actors busy, and little waits for its turn.
        context.target_max_block_size = _BLOCK
        cores = int(ray.cluster_resources().get("CPU", 1))
        actors = options.workers or max(1, cores)
        outcomes = (
            ray.data.from_items(rows, override_num_blocks=len(rows))
            # Readers wait for bytes more than they compute, and must not wait for an actor's core.
            .map_batches(_Reader(options), batch_size=1, num_cpus=0, batch_format="default")
            .map_batches(
                _Actor,
                fn_constructor_args=(settings, options.time_limit),
                batch_size=_CHUNKS,
                compute=ray.data.ActorPoolStrategy(size=actors),
                num_cpus=1,
            )
        )
        for row in outcomes.iter_rows():
            done, counters = pickle.loads(row["outcomes"])
            if isinstance(done, tuple):
                raise done[0](done[1])
            statistics(counters)
            yield from done
    finally:
        if ours:
            ray.shutdown()


def _local(options: BatchOptions) -> dict[str, Any]:
    """Arguments of ``ray.init`` where no cluster is named."""
    return {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": options.processes}
