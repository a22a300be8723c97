"""Finding captions: what an article left in the language that it was translated from."""

from aligner.captions.finder import Findings, find

__all__ = ["Findings", "find"]
