"""Finding captions: what an article left in the language that it was translated from."""

from aligner.captions.finder import find
from aligner.captions.findings import Findings

__all__ = ["Findings", "find"]
