"""The process that workers are forked from.

What is imported there is imported once, and stands in memory once. Started before the parent has imported its own
modules, it loads the workers' at the same time.
"""

from __future__ import annotations

import multiprocessing
from typing import Any


def context(*, translate: bool, link: bool, engine: str) -> Any:
    """The multiprocessing context of workers, with what they import.

    Args:
        translate: whether they translate.
        link: whether they link.
        engine: what they translate with.
    """
    made: Any = multiprocessing.get_context("forkserver")
    preload = ["aligner.batch.preload"]
    if translate and engine == "ctranslate2":
        preload += ["ctranslate2", "sentencepiece", "aligner.translation"]
    if link:
        preload += ["aligner.batch.preload_link"]
    made.set_forkserver_preload(preload)
    return made


def start(*, translate: bool, link: bool, engine: str) -> None:
    """Starts the process, which ends with this one; arguments as of :func:`context`."""
    from multiprocessing import forkserver

    context(translate=translate, link=link, engine=engine)
    forkserver.ensure_running()
