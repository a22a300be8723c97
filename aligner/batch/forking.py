"""The process that workers are forked from.

What is imported there is imported once, and stands in memory once. Started before the parent has imported its own
modules, it loads the workers' at the same time.
"""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing import forkserver, resource_tracker
from typing import Any


def start(*, translate: bool, link: bool, engine: str) -> Any:
    """Starts the process, which ends with this one, if it does not run yet.

    Args:
        translate: whether workers translate.
        link: whether they link.
        engine: what they translate with.

    Returns:
        The multiprocessing context of workers.
    """
    context: Any = multiprocessing.get_context("forkserver")
    preload = ["aligner.batch.preload"]
    if translate and engine == "ctranslate2":
        preload += ["ctranslate2", "sentencepiece", "aligner.translation"]
    if link:
        preload += ["aligner.batch.preload_link"]
    context.set_forkserver_preload(preload)
    resource_tracker.ensure_running()  # which unblocks the signal
    # Ctrl-C in a terminal reaches all its processes: this one decides, the others would end in a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    return context
