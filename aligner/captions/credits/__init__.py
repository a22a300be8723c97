"""Credits: what agency and whom a picture is by, recognised by their parts.

A credit is a row of units (agencies, persons, accounts, sources) between separators, often behind a label. Whether a
stretch of a line is one is told from its units alone, with a strength: a lone "Juan Pérez" is a credit only where
something else speaks for it.
"""

from aligner.captions.credits.before import prefix
from aligner.captions.credits.behind import suffix
from aligner.captions.credits.lexicon import Lexicon, lexicon, line_label
from aligner.captions.credits.parts import WIDE, Hints, Part, credit_span, cued, place, trim
from aligner.captions.credits.reading import LIKELY, LONGEST, STRONG, WEAK, Reading, alone, credit, depicts, read
from aligner.captions.credits.splitting import split

__all__ = [
    "LIKELY",
    "LONGEST",
    "STRONG",
    "WEAK",
    "WIDE",
    "Hints",
    "Lexicon",
    "Part",
    "Reading",
    "alone",
    "credit",
    "credit_span",
    "cued",
    "depicts",
    "lexicon",
    "line_label",
    "place",
    "prefix",
    "read",
    "split",
    "suffix",
    "trim",
]
