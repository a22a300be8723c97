"""What the recipe's steps share: the options file, files of text, normalisation as at translation time."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

# The recipe runs from a checkout too, without the toolkit installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from aligner.translation.dictionary import is_listed
from aligner.translation.quantizing import LIMIT, write_build
from aligner.translation.splitting import sentences
from aligner.translation.text import straight_quotes as normalise
from options import read_options

__all__ = [
    "LIMIT",
    "NORMALISATION",
    "Recipe",
    "aligned",
    "cores",
    "is_listed",
    "lines_of",
    "normalise",
    "open_text",
    "read_json",
    "sentences",
    "write_build",
    "write_json",
    "written",
]

#: What the model's manifest calls :func:`normalise`.
NORMALISATION = "straight-quotes"


def open_text(path: Path) -> TextIO:
    """A UTF-8 text file, gzipped or plain, split at line feeds only."""
    raw = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115 - closed with the text
    return io.TextIOWrapper(raw, encoding="utf-8", newline="\n")  # type: ignore[arg-type]


def lines_of(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 text file, gzipped or plain, their ends kept.

    Raises:
        SystemExit: it is missing, cut off, not gzipped as its name says, or not UTF-8.
    """
    try:
        with open_text(path) as lines:
            yield from lines
    except FileNotFoundError:
        raise SystemExit(f"{path}: no such file") from None
    except (EOFError, OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path}: cannot be read to its end ({error}); get or make it anew") from None


def aligned(source: Path, target: Path) -> Iterator[tuple[str, str]]:
    """Lines of two files that belong together.

    Raises:
        SystemExit: one cannot be read, or has more lines than the other.
    """
    try:
        yield from zip(lines_of(source), lines_of(target), strict=True)
    except ValueError:
        raise SystemExit(f"{source} and {target.name}: not as many lines in both; they must be aligned") from None


@contextlib.contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file to write, gzipped if its name says so, that appears under its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as raw:
            # no time stamp: the same text gives the same bytes
            packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
            with io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text:  # type: ignore[arg-type]
                yield text
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """A JSON file's value."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Writes a value as readable JSON; the file is replaced at once."""
    with written(path) as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class Recipe:
    """The options file and the folders it works on.

    Attributes:
        options: the options file's tables.
        data: folder with ``parallel``, ``monolingual``, ``distilled`` and ``evaluation`` below it; only read.
        work: folder for everything that the steps make.
    """

    options: dict[str, Any]
    data: Path
    work: Path

    @classmethod
    def load(cls, file: Path, data: Path, work: Path, settings: Iterable[str] = ()) -> Recipe:
        """Reads a TOML options file and ``TABLE.KEY=VALUE`` settings; ``work`` is made."""
        options = read_options(file, settings)
        work.mkdir(parents=True, exist_ok=True)
        return cls(options, data.resolve(), work.resolve())

    def table(self, name: str) -> dict[str, Any]:
        """Options of a step, empty where the file has none."""
        return dict(self.options.get(name, {}))

    @property
    def source(self) -> str:
        """Source language code."""
        return str(self.options["source"])

    @property
    def target(self) -> str:
        """Target language code."""
        return str(self.options["target"])

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return int(self.options["seed"])

    def folder(self, name: str) -> Path:
        """A data folder."""
        return self.data / name

    def folders(self, name: str) -> list[Path]:
        """A data folder and its counterpart in the work folder, those that exist."""
        return [f for f in (self.data / name, self.work / name) if f.is_dir()]


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
