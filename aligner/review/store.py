"""Decisions of people on captions, in SQLite.

Decisions are kept by document (SHA-256) and span, not by run: a run made again, with another model perhaps,
finds the decisions of the one before. The table is only ever added to; taking a decision back adds a row too, so
two tabs that decide on one caption can be told apart by its version, and nothing is lost.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from aligner.errors import AlignerError, OutputError, RecordError

State = Literal["open", "accepted", "edited", "rejected"]
DECIDED: tuple[State, ...] = ("accepted", "edited", "rejected")

_APPLICATION = 0x414C5256  # "ALRV"
_VERSION = 1
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE IF NOT EXISTS decision (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  document TEXT NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  version INTEGER NOT NULL,
  -- the version that taking this one back returns to; null for the undecided caption
  previous INTEGER,
  state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'edited', 'rejected')),
  text TEXT,
  -- JSON: null for no paragraph, or line, start, end, text of the one it illustrates; SQL null: as in the run
  link TEXT,
  source TEXT NOT NULL,
  source_language TEXT NOT NULL,
  target_language TEXT NOT NULL,
  machine TEXT,
  at TEXT NOT NULL,
  UNIQUE (document, start, "end", version)
);
CREATE VIEW IF NOT EXISTS current AS
  SELECT * FROM decision AS d WHERE version = (
    SELECT max(version) FROM decision AS e
    WHERE e.document = d.document AND e.start = d.start AND e."end" = d."end"
  );
-- The translation memory: what people stand for. A view, so that a decision taken back leaves it too.
CREATE VIEW IF NOT EXISTS memory AS
  SELECT source_language, target_language, source, text AS target, count(*) AS uses, max(at) AS at
  FROM current WHERE state IN ('accepted', 'edited') GROUP BY source_language, target_language, source, text;
"""

Span = tuple[str, int, int]


class ConflictError(AlignerError):
    """A caption was decided on elsewhere since it was looked at.

    Attributes:
        current: the decision that stands.
    """

    def __init__(self, current: Decision) -> None:
        super().__init__(f"decided elsewhere in the meantime: {current.state}")
        self.current = current


@dataclass(frozen=True, slots=True)
class Decision:
    """What stands for a caption.

    Attributes:
        state: ``open`` while nobody has decided.
        version: 0 before the first decision, then counting up.
        text: the translation that was accepted or written; None if open or rejected.
        link: JSON of the paragraph chosen; None for the run's.
        at: when, ISO 8601 in UTC; "" if never.
        undoable: whether there is something to take back.
    """

    state: State = "open"
    version: int = 0
    text: str | None = None
    link: str | None = None
    at: str = ""
    undoable: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """What is decided on: a caption with what the machine made of it."""

    span: Span
    source: str
    source_language: str
    target_language: str
    machine: str | None


class Store:
    """An open database of decisions; may be used from several threads, and the file from several processes.

    Args:
        path: the database; made if missing.

    Raises:
        RecordError: the file is something else, or of a later version.
        OutputError: it cannot be made or opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        except sqlite3.OperationalError as error:
            raise OutputError(f"{path}: cannot be opened ({error}); name another file with --db") from None
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._db.close()
            if isinstance(error, sqlite3.OperationalError):
                raise OutputError(f"{path}: cannot be written ({error}); name another file with --db") from None
            raise RecordError(f"{path}: not a database ({error}); name another file with --db") from None
        except AlignerError:
            self._db.close()
            raise

    def _open(self) -> None:
        db = self._db
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if tables and application != _APPLICATION:
            raise RecordError(f"{self.path}: a database of something else; name another file with --db")
        if version > _VERSION:
            raise RecordError(f"{self.path}: made by a later version of aligner; update aligner")
        db.execute("PRAGMA journal_mode = WAL")
        # With FULL a decision is on the disk when the page says so, power cuts included.
        db.execute("PRAGMA synchronous = FULL")
        if not tables:
            db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def close(self) -> None:
        """Closes the database."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _query(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def get(self, span: Span) -> Decision:
        """What stands for a caption."""
        with self._lock:
            return _current(self._db, span)

    def all(self) -> dict[Span, Decision]:
        """What stands for every caption that was ever decided on."""
        rows = self._query(f'SELECT document, start, "end", {_FIELDS} FROM current')
        return {(row[0], row[1], row[2]): _decision(row[3:]) for row in rows}

    def decide(self, subject: Subject, version: int, state: State, text: str | None, link: str | None) -> Decision:
        """Decides on a caption.

        Args:
            subject: the caption.
            version: the version that the decision is based on.
            state: ``accepted``, ``edited`` or ``rejected``.
            text: the translation, for the first two.
            link: JSON of the paragraph; None for the run's.

        Raises:
            ConflictError: another version stands.
        """
        with self._transaction() as db:
            current = _current(db, subject.span)
            if current.version != version:
                raise ConflictError(current)
            _insert(db, subject, current.version + 1, current.version, state, text, link)
            return _current(db, subject.span)

    def undo(self, subject: Subject, version: int) -> Decision:
        """Takes the last decision on a caption back; may be repeated back to the undecided caption.

        Raises:
            ConflictError: another version stands, or nothing is left to take back.
        """
        with self._transaction() as db:
            current = _current(db, subject.span)
            if current.version != version or not current.undoable:
                raise ConflictError(current)
            [(previous,)] = db.execute(
                f"SELECT previous FROM decision WHERE {_AT} AND version = ?", (*subject.span, version)
            )
            row = db.execute(
                f"SELECT state, text, link, previous FROM decision WHERE {_AT} AND version = ?",
                (*subject.span, previous),
            ).fetchone()
            state, text, link, before = row or ("open", None, None, None)
            _insert(db, subject, version + 1, before, state, text, link)
            return _current(db, subject.span)

    def last(self) -> int:
        """Number of the last row, for :meth:`since`."""
        return int(self._query("SELECT coalesce(max(number), 0) FROM decision")[0][0])

    def since(self, number: int) -> list[tuple[Span, Decision]]:
        """Captions decided on after a row, with what stands for them now."""
        rows = self._query(
            f'SELECT document, start, "end", {_FIELDS} FROM current WHERE number > ? ORDER BY number', number
        )
        return [((row[0], row[1], row[2]), _decision(row[3:])) for row in rows]

    def memory(self, source_language: str, target_language: str) -> list[tuple[str, str, int]]:
        """The translation memory of a language pair: source, target, uses; the most used first."""
        return self._query(
            "SELECT source, target, uses FROM memory WHERE source_language = ? AND target_language = ? "
            "ORDER BY uses DESC, at DESC",
            source_language,
            target_language,
        )

    def pairs(self) -> list[tuple[str, str]]:
        """The language pairs of the memory."""
        return self._query("SELECT DISTINCT source_language, target_language FROM memory ORDER BY 1, 2")


_AT = 'document = ? AND start = ? AND "end" = ?'
_FIELDS = "state, version, text, link, at, previous IS NOT NULL"


def _decision(row: tuple[Any, ...]) -> Decision:
    state, version, text, link, at, undoable = row
    return Decision(state, version, text, link, at, bool(undoable))


def _current(db: sqlite3.Connection, span: Span) -> Decision:
    row = db.execute(f"SELECT {_FIELDS} FROM decision WHERE {_AT} ORDER BY version DESC LIMIT 1", span).fetchone()
    return _decision(row) if row else Decision()


def _insert(
    db: sqlite3.Connection,
    subject: Subject,
    version: int,
    previous: int | None,
    state: str,
    text: str | None,
    link: str | None,
) -> None:
    if link is not None:
        json.loads(link)  # never keep what export could not read
    db.execute(
        'INSERT INTO decision (document, start, "end", version, previous, state, text, link, source, '
        "source_language, target_language, machine, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *subject.span,
            version,
            previous,
            state,
            text,
            link,
            subject.source,
            subject.source_language,
            subject.target_language,
            subject.machine,
            datetime.now(UTC).isoformat(timespec="seconds"),
        ),
    )
