"""The translation memory: what was translated once is not translated again, by any worker or run.

A SQLite file in write-ahead mode, shared by all workers. An entry belongs to a namespace (weights, engine and
search options), so a memory may be kept for years and never answers with another model's words. It keeps
hypotheses, which depend on the caption alone, and not the choice among them, which may depend on the article.
It is a cache: when it is damaged or the disk is full, translation goes on without it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from aligner.records import Translation

if TYPE_CHECKING:
    from aligner.translation import Hypothesis, Translator
    from aligner.translation.translator import Choose, Matrix

_SCHEMA = """
CREATE TABLE IF NOT EXISTS namespaces (id INTEGER PRIMARY KEY, settings TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  namespace INTEGER NOT NULL,
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  details BLOB NOT NULL,
  added INTEGER NOT NULL
);
"""
# SQLite's limit on variables in one statement is 999 in old builds.
_LOOKUP = 500

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the memory holds of a text.

    Attributes:
        model: label of the model, as records name it.
        engine: name of the engine.
        hypotheses: the translations, best first.
    """

    model: str
    engine: str
    hypotheses: list[Hypothesis]


class Memory:
    """Hypotheses by (settings, kind of search, source text).

    Attributes:
        hits: look-ups answered.
        misses: look-ups not answered.
        broken: None, or why the memory is no longer used.
    """

    def __init__(self, path: Path, settings: Settings, limit: int = 1_000_000) -> None:
        """Opens or creates a memory; never raises for what is wrong with the file.

        Args:
            path: the SQLite file.
            settings: everything that shapes a translation: weights, engine, search options, versions.
            limit: entries kept; the oldest go first.
        """
        self.path = path
        self.limit = limit
        self.hits = self.misses = 0
        self.broken: str | None = None
        self._settings = orjson.dumps(dict(settings), option=orjson.OPT_SORT_KEYS).decode()
        self._salt = hashlib.sha256(self._settings.encode()).digest()
        self._database: sqlite3.Connection | None = None
        self._try(self._open)

    def get(self, texts: Sequence[str], kind: str) -> dict[str, Entry]:
        """What is known of ``texts``, by text.

        Args:
            texts: captions.
            kind: what else their hypotheses depend on: how many, with alignment or without.
        """
        keys = {self._key(text, kind): text for text in texts}
        found: dict[str, Entry] = {}

        def read(database: sqlite3.Connection) -> None:
            wanted = list(keys)
            for at in range(0, len(wanted), _LOOKUP):
                part = wanted[at : at + _LOOKUP]
                marks = ",".join("?" * len(part))
                for key, details in database.execute(f"SELECT key, details FROM entries WHERE key IN ({marks})", part):
                    # what cannot be read is made anew
                    with suppress(ValueError, LookupError, TypeError):
                        found[keys[key]] = _load(details)

        self._try(read)
        answered = sum(text in found for text in texts)
        self.hits += answered
        self.misses += len(texts) - answered
        return found

    def put(self, entries: Mapping[str, Entry], kind: str) -> None:
        """Stores entries by source text; what is already there stays."""
        now = int(time.time())

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("INSERT OR IGNORE INTO namespaces (settings) VALUES (?)", (self._settings,))
                (namespace,) = database.execute(
                    "SELECT id FROM namespaces WHERE settings = ?", (self._settings,)
                ).fetchone()
                database.executemany(
                    "INSERT OR IGNORE INTO entries (key, namespace, source, target, details, added)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (self._key(text, kind), namespace, text, e.hypotheses[0].text, _dump(e), now)
                        for text, e in entries.items()
                    ],
                )
                # Ids grow by one with each entry and the oldest go first: their span is their number.
                database.execute("DELETE FROM entries WHERE id <= (SELECT max(id) FROM entries) - ?", (self.limit,))

        if entries:
            self._try(write)

    def close(self) -> None:
        """Closes the file."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _key(self, text: str, kind: str) -> bytes:
        return hashlib.sha256(self._salt + f"{kind}\0{text}".encode("utf-8", "surrogatepass")).digest()[:16]

    def _open(self, _: object = None) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        # Autocommit: transactions are begun by hand.
        database = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if tables and not {"namespaces", "entries"} <= tables:
                raise sqlite3.DatabaseError("is another database, no translation memory")
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            database.execute("SELECT key, namespace, source, target, details, added FROM entries LIMIT 0")
        except sqlite3.Error:
            database.close()
            raise
        self._database = database

    def _try(self, action: Callable[[Any], None]) -> None:
        if self.broken is not None:
            return
        try:
            action(self._database)
        except (sqlite3.Error, OSError) as error:
            self.broken = f"{self.path}: {getattr(error, 'strerror', None) or error}"
            self.close()


def _dump(entry: Entry) -> bytes:
    hypotheses = [
        {
            "source": one.source,
            "text": one.text,
            "score": one.score,
            "problems": one.problems,
            "alignment": None if one.alignment is None else _sparse(one.alignment),
        }
        for one in entry.hypotheses
    ]
    return orjson.dumps({"model": entry.model, "engine": entry.engine, "hypotheses": hypotheses})


def _load(details: bytes) -> Entry:
    from aligner.translation import Hypothesis
    from aligner.translation.guard import Problem

    data = orjson.loads(details)
    hypotheses = [
        Hypothesis(
            source=one["source"],
            text=one["text"],
            score=one["score"],
            problems=tuple(Problem(**problem) for problem in one["problems"]),
            alignment=None if one["alignment"] is None else _dense(one["alignment"], len(one["source"].split())),
        )
        for one in data["hypotheses"]
    ]
    return Entry(data["model"], data["engine"], hypotheses)


def _sparse(alignment: Matrix) -> list[list[tuple[int, float]]]:
    """Most weights are nought: (column, weight) pairs of each row."""
    return [[(column, weight) for column, weight in enumerate(row) if weight] for row in alignment]


def _dense(rows: list[list[tuple[int, float]]], width: int) -> Matrix:
    """The matrix that :func:`_sparse` packed."""
    matrix = []
    for cells in rows:
        weights = [0.0] * width
        for column, weight in cells:
            weights[column] = weight
        matrix.append(tuple(weights))
    return tuple(matrix)


class RememberingTranslator:
    """A :class:`~aligner.translation.Translator` that asks the memory first, and then the model."""

    def __init__(self, memory: Memory, open_model: Callable[[], Translator]) -> None:
        self.memory = memory
        self._open_model = open_model
        self._model: Translator | None = None

    def translate(self, texts: Iterable[str], *, n_best: int = 1, choose: Choose | None = None) -> list[Translation]:
        """See :meth:`aligner.translation.Translator.translate`."""
        from aligner.translation.translator import needs_alignment, recorded

        texts = list(texts)
        entries = self._entries(texts, n_best if choose else 1, needs_alignment(texts, choose))
        return [
            recorded(raw, choose(i, e.hypotheses) if choose else e.hypotheses[0], e.model, e.engine)
            for i, (raw, e) in enumerate(zip(texts, entries, strict=True))
        ]

    def hypotheses(self, texts: Iterable[str], n_best: int = 4, *, alignment: bool = False) -> list[list[Hypothesis]]:
        """See :meth:`aligner.translation.Translator.hypotheses`."""
        return [entry.hypotheses for entry in self._entries(list(texts), n_best, alignment)]

    def _entries(self, texts: Sequence[str], n_best: int, alignment: bool) -> list[Entry]:
        kind = f"{n_best} {alignment}"
        known = self.memory.get(texts, kind)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            if self._model is None:
                self._model = self._open_model()
            model = self._model
            made = model.hypotheses(missing, n_best, alignment=alignment)
            fresh = {
                text: Entry(model.model, model.engine.name, hypotheses)
                for text, hypotheses in zip(missing, made, strict=True)
            }
            self.memory.put(fresh, kind)
            known |= fresh
        return [known[text] for text in texts]


def inspect(path: Path) -> list[dict[str, Any]]:
    """What a memory holds: per namespace its settings, entries, and when the first and last were added.

    Raises:
        FileNotFoundError: there is no such file.
        sqlite3.Error: it is not a memory.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    # To look at a file that nobody has open must not leave anything beside it.
    still = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{still}", uri=True)) as database:
        rows = database.execute(
            "SELECT settings, count(entries.id), min(added), max(added) FROM namespaces"
            " LEFT JOIN entries ON entries.namespace = namespaces.id"
            " GROUP BY namespaces.id ORDER BY namespaces.id"
        ).fetchall()
    return [
        {"settings": orjson.loads(settings), "entries": entries, "first": first, "last": last}
        for settings, entries, first, last in rows
    ]
