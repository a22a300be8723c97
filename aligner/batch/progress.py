"""What a person or a program sees of a run while it works; all of it on stderr."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Protocol

from aligner.batch.output import Counts
from aligner.show import say, styled

# Seconds between two lines of --log-json.
_EVERY = 5.0


class Progress(Protocol):
    """Something that shows how far a run is."""

    def __enter__(self) -> Progress: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def update(self, counts: Counts, done: float | None) -> None:
        """Shows the totals so far.

        Args:
            counts: totals of the run, earlier processes' work included.
            done: share of the input that is done, 0..1; None if unknown.
        """

    def event(self, name: str, **details: Any) -> None:
        """Something happened: resumed, stopped, finished, or a warning; what a person reads is its ``message``."""


class Rate:
    """Documents, captions and bytes per second of this process, and the time left."""

    def __init__(self, counts: Counts, done: float | None) -> None:
        self._before = replace(counts)
        self._done = done or 0.0
        self._start = time.monotonic()

    def now(self, counts: Counts, done: float | None) -> tuple[float, float, float, float | None]:
        """(documents per second, captions per second, bytes per second, seconds left or None)."""
        seconds = max(time.monotonic() - self._start, 1e-6)
        left = None
        if done is not None and done > self._done:
            left = (1 - done) / (done - self._done) * seconds
        before = self._before
        return (
            (counts.documents - before.documents) / seconds,
            (counts.captions - before.captions) / seconds,
            (counts.input_bytes - before.input_bytes) / seconds,
            left,
        )


class Silent:
    """Shows warnings alone: stderr is no terminal."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, counts: Counts, done: float | None) -> None:
        """See :class:`Progress`."""

    def event(self, name: str, **details: Any) -> None:
        """See :class:`Progress`."""
        if name == "warning":
            say(details["message"])


class JsonLog(Silent):
    """One JSON object a line, for machines: events at once, progress every few seconds."""

    def __init__(self) -> None:
        self._rate: Rate | None = None
        self._last = 0.0

    def update(self, counts: Counts, done: float | None) -> None:
        """See :class:`Progress`."""
        if self._rate is None:
            self._rate = Rate(counts, done)
        if time.monotonic() - self._last < _EVERY:
            return
        self._last = time.monotonic()
        documents, captions, size, left = self._rate.now(counts, done)
        self.event(
            "progress",
            **asdict(counts),
            documents_per_second=round(documents, 1),
            captions_per_second=round(captions, 1),
            megabytes_per_second=round(size / 1e6, 2),
            seconds_left=None if left is None else round(left),
        )

    def event(self, name: str, **details: Any) -> None:
        """See :class:`Progress`."""
        line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": name, **details}
        sys.stderr.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        sys.stderr.flush()


class Bar:
    """A rich progress bar: documents and megabytes a second, captions, failures, time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._rate: Rate | None = None
        self._console = Console(stderr=True)
        self._bar = RichProgress(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            transient=True,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task("", total=None, numbers="starting", left="")

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, counts: Counts, done: float | None) -> None:
        """See :class:`Progress`."""
        if self._rate is None:
            self._rate = Rate(counts, done)
        documents, captions, size, left = self._rate.now(counts, done)
        numbers = (
            f"{counts.documents:,} documents ({documents:,.0f}/s, {size / 1e6:.1f} MB/s) · "
            f"{counts.captions:,} captions ({captions:,.0f}/s) · {counts.failed:,} failed"
        )
        self._bar.update(
            self._task,
            numbers=numbers,
            left="" if left is None else f"{duration(left)} left",
            total=None if done is None else 1.0,
            completed=done or 0.0,
        )

    def event(self, name: str, **details: Any) -> None:
        """See :class:`Progress`."""
        if name in ("resumed", "warning"):
            self._console.print(styled(f"aligner: {details['message']}"), highlight=False)


def duration(seconds: float) -> str:
    """Seconds in words: ``3 d 4 h``, ``12 min``, ``8 s``."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if days >= 2:
        return f"{int(days)} d {int(hours % 24)} h"
    if hours >= 2:
        return f"{int(hours)} h {int(minutes % 60)} min"
    return f"{int(minutes)} min {int(seconds % 60)} s" if minutes >= 1 else f"{seconds:.0f} s"
