"""Where the bundled model, the bundled corpus and the data files are, in a checkout and in an installed wheel alike."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def bundled(name: str) -> Path:
    """Folder of a bundled resource.

    Args:
        name: ``models`` or ``corpus``.

    Returns:
        ``aligner/_bundled/NAME`` in an installed wheel, the checkout's top-level ``NAME`` otherwise.

    Raises:
        FileNotFoundError: the installation has lost the folder.
    """
    for folder in (_PACKAGE / "_bundled" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"bundled folder {name!r} is missing beside {_PACKAGE}: reinstall caption-aligner")


def data(name: str) -> Path:
    """Path of a data file of the package (``aligner/data/NAME``)."""
    return _PACKAGE / "data" / name


@cache
def data_json(name: str) -> dict[str, Any]:
    """The JSON object of a data file of the package, parsed once; not to be changed."""
    found: dict[str, Any] = json.loads(data(name).read_bytes())
    return found
