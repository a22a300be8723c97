"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import filecmp
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from aligner.errors import ExistingFileError, unwritable


@contextlib.contextmanager
def writing(target: Path, overwrite: bool = True) -> Iterator[BinaryIO]:
    """A file that appears when it is complete, and not if anything goes wrong.

    Args:
        target: where it appears.
        overwrite: whether it may take the place of a file that is another.

    Raises:
        OutputError: the folder cannot be made or written to.
        ExistingFileError: such a file stands there, and must not be overwritten.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _part(target).open("wb") as file:
            yield file
        _place([target], overwrite)
    except OSError as error:
        raise unwritable(target, error) from None
    finally:
        with contextlib.suppress(OSError):
            _part(target).unlink()


def write_all(files: Mapping[Path, bytes], overwrite: bool = True) -> None:
    """Writes files whole, and none if one of them cannot be written or must not be overwritten.

    Raises:
        OutputError: a folder cannot be made or written to.
        ExistingFileError: files that are others stand there, and must not be overwritten.
    """
    target = Path()
    try:
        for target, data in files.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise IsADirectoryError
            _part(target).write_bytes(data)
        _place(list(files), overwrite)
    except OSError as error:
        raise unwritable(target, error) from None
    finally:
        for target in files:
            with contextlib.suppress(OSError):
                _part(target).unlink()


def write_atomically(target: Path, data: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    write_all({target: data})


def check_writable(*targets: Path | None) -> None:
    """Finds out before long work whether its files can be written; the folders that they need are made.

    Raises:
        OutputError: one cannot.
    """
    for target in targets:
        if target is not None:
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.is_dir():
                    raise IsADirectoryError
                _part(target).touch()
                _part(target).unlink()
            except OSError as error:
                raise unwritable(target, error) from None


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def _place(targets: Sequence[Path], overwrite: bool) -> None:
    """Puts complete files where they belong."""
    others = [
        target
        for target in targets
        if not overwrite and target.is_file() and not filecmp.cmp(_part(target), target, shallow=False)
    ]
    if others:
        raise ExistingFileError(
            "\n".join(f"{target}: a file that is another stands here" for target in others)
            + "; give --force to overwrite, or another folder or name"
        )
    for target in targets:
        _part(target).replace(target)
