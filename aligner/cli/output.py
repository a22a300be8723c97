"""Output of the commands: files whole or not at all, work that goes on when nobody reads, options that do nothing."""

from __future__ import annotations

import contextlib
import filecmp
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

import typer

from aligner.errors import ExistingFileError, UsageError, unwritable


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


class _Lasting:
    """A stream whose reader may leave: what is written then goes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._tolerant():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._tolerant():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            # What is still buffered must go somewhere too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def outlast_reader() -> None:
    """From now on the reader of stdout may leave (``| head``) without ending the command, which has files to write."""
    sys.stdout = cast(TextIO, _Lasting(sys.stdout))


def refuse(context: typer.Context, *parameters: str, because: str) -> None:
    """Refuses options that a command was given and that do nothing beside its others.

    Args:
        context: of the command.
        parameters: names of the command's parameters, as its function has them.
        because: the rest of a sentence that begins with the option.

    Raises:
        UsageError: one was given.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in parameters and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{parameter.opts[0]} {because}")
