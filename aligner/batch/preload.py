"""Loads what every worker needs into the process that workers are forked from: once, and in shared memory."""

from __future__ import annotations

from contextlib import suppress

from aligner import documents
from aligner.batch import work
from aligner.captions import find

__all__ = ["ARTICLE", "work"]

ARTICLE = documents.from_text("The minister arrived on Monday.\n\nUna manifestante muestra una pancarta.\n")

# What is wrong with the installation, the workers say better.
with suppress(Exception):
    find(ARTICLE)
