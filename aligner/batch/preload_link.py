"""Loads what linking needs into the process that workers are forked from, see :mod:`aligner.batch.preload`."""

from __future__ import annotations

from contextlib import suppress

from aligner.batch.preload import ARTICLE
from aligner.captions import find
from aligner.context import link

# What is wrong with the installation, the workers say better.
with suppress(Exception):
    found = find(ARTICLE)
    link(found.captions, found.paragraphs, ARTICLE)
