"""The one error tree of the toolkit.

Every error that a user can cause is an :class:`AlignerError`: its text names the cause, the place and the
remedy, and the command line prints it without a traceback.
"""

from __future__ import annotations

import errno
from pathlib import Path


class AlignerError(Exception):
    """Base of all errors that the toolkit raises on purpose.

    Attributes:
        exit_code: what the command line exits with when this error ends it (1: the work failed, 2: it could not
            begin: wrong usage, or files that do not fit together).
    """

    exit_code = 1


class UsageError(AlignerError):
    """The call itself is wrong: an unknown option value, engine, format or model name."""

    exit_code = 2


class GlossaryError(UsageError):
    """A glossary cannot be used: missing, malformed, hostile; names the lines."""


class DocumentError(AlignerError):
    """A document cannot be read: missing, binary, undecodable, too large."""


class ModelError(AlignerError):
    """A model folder is missing, incomplete, altered or of an unsupported kind."""


class TranslationError(AlignerError):
    """The translation engine failed on an input."""


class RecordError(AlignerError):
    """A record, run or gold file does not follow its schema, or does not fit the document it names."""

    exit_code = 2


class OutputError(AlignerError):
    """A result cannot be written."""


class ExistingFileError(OutputError):
    """A file stands where a result would go, and is another."""


def install(extra: str) -> str:
    """The command that installs what an extra brings, as it holds for this installation."""
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return f"pip install -e '{checkout}[{extra}]'"
    return f"pip install 'caption-aligner[{extra}]' (in a clone of the repository: pip install '.[{extra}]')"


def unwritable(target: Path, error: OSError) -> OutputError:
    """The error that a file cannot be written, with what stands in its way."""
    in_the_way = next((path for path in (target, *target.parents) if path.exists()), target)
    if in_the_way != target and not in_the_way.is_dir():
        return OutputError(f"{target}: cannot be written: {in_the_way} is a file, no folder; choose another name")
    if isinstance(error, FileExistsError | NotADirectoryError) and target.is_file():
        return OutputError(f"{target}: cannot be written: a file has this name; name a folder")
    if target.is_dir() and isinstance(error, IsADirectoryError):
        return OutputError(f"{target}: cannot be written: a folder has this name; name a file")
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "free space there, or choose another folder" if full else "choose a folder you may write to"
    return OutputError(f"{target}: cannot be written ({error.strerror}); {remedy}")
