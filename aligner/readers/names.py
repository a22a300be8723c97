"""Names of output files, from document ids that may be anything; and ids seen before."""

from __future__ import annotations

import re
import sqlite3
from hashlib import blake2b

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]')
_DEVICES = re.compile(r"(?i)^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")
_ENDING = re.compile(r"(?<=[^/])\.[a-zA-Z][a-zA-Z0-9]{0,7}$")
_EDGES = re.compile(r"^\s+|[\s.]+$")
_LONGEST = 120


def safe_output_name(document: str, suffix: str | None = None) -> str:
    """A relative file name for a document id that stays within the output folder on any system.

    Folders of a relative path are kept; ``..``, roots, control characters, characters that a file system
    forbids and names that it reserves are not, nor are parts longer than 120 bytes. A name that had to be
    changed ends in eight hex digits of the id's hash, so that different documents keep different names.

    Args:
        document: path, URL or any id.
        suffix: extension that the file must have, with its dot; added where the document has another or none.
    """
    plain = document.replace("\\", "/") if re.match(r"[a-zA-Z]:[\\/]", document) else document
    parts = plain.split("/")
    if "://" in plain:
        parts = ["_".join(part for part in plain.split("://", 1)[1].split("/") if part)]
    safe = [_safe(part) for part in parts if part not in ("", ".", "..")] or ["document"]
    match = _ENDING.search(safe[-1])
    stem, ending = (safe[-1][: match.start()], match[0]) if match else (safe[-1], "")
    if "/".join(safe) != document:
        stem += "-" + blake2b(document.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    if suffix is not None and suffix.lower() != ending.lower():
        ending += suffix
    return "/".join([*safe[:-1], stem + ending])


def _safe(part: str) -> str:
    part = _EDGES.sub("", _UNSAFE.sub("_", part)) or "_"
    if part.startswith((".", "-")) or _DEVICES.match(part):
        part = "_" + part
    if len(part.encode()) > _LONGEST:
        stem, dot, ending = part.rpartition(".")
        if not dot or len(ending) > 10:
            stem, dot, ending = part, "", ""
        part = stem.encode()[: _LONGEST - len(ending) - 1].decode("utf-8", "ignore").rstrip() + dot + ending
    return part


class SeenIds:
    """The document ids of a run, on disk, so that memory stays flat.

    An id is kept as 64 bits of its hash: two ids of a billion are taken for one with a chance of about 3 %.

    Args:
        path: SQLite file to keep them in over restarts; None for a temporary one.
    """

    def __init__(self, path: str | None = None) -> None:
        self._base = sqlite3.connect(path or "", isolation_level=None)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute("CREATE TABLE IF NOT EXISTS ids (key INTEGER PRIMARY KEY, source INTEGER, number INTEGER)")
        self._base.execute("BEGIN")

    def first(self, document: str, source: int, index: int) -> tuple[int, int]:
        """Where an id was seen first, as (source, index); here, if it is new."""
        digest = blake2b(document.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        key = int.from_bytes(digest, "big", signed=True)
        if self._base.execute("INSERT OR IGNORE INTO ids VALUES (?, ?, ?)", (key, source, index)).rowcount:
            return source, index
        row = self._base.execute("SELECT source, number FROM ids WHERE key = ?", (key,)).fetchone()
        return int(row[0]), int(row[1])

    def commit(self) -> None:
        """Makes what was seen durable; call it before the documents' results are."""
        self._base.execute("COMMIT")
        self._base.execute("BEGIN")

    def close(self) -> None:
        """Commits and closes the file."""
        self._base.execute("COMMIT")
        self._base.close()
