"""Finds, translates, links and scores the image captions that a translated article left in its source language.

>>> import aligner
>>> record = aligner.run("article.txt")  # doctest: +SKIP

The stages are importable on their own: :func:`aligner.documents.read`, :func:`aligner.captions.find`,
:class:`aligner.translation.Translator`, :func:`aligner.context.link`, :mod:`aligner.patch`, :mod:`aligner.scoring`.
Nothing heavy is loaded before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Document", "Options", "Pipeline", "__version__", "run"]

if TYPE_CHECKING:
    from aligner.pipeline import Options, Pipeline, run
    from aligner.records import Document


def __getattr__(name: str) -> Any:
    if name in ("Options", "Pipeline", "run"):
        from aligner import pipeline

        return getattr(pipeline, name)
    if name == "Document":
        from aligner.records import Document

        return Document
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
