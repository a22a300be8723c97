"""What the search for credits works with: parts of a block, places of credits, spans without what surrounds them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from aligner.captions.credits.lexicon import lexicon, plain
from aligner.captions.credits.reading import MARK, Reading


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a block: ``caption`` text with the credit beside it, either possibly empty.

    Attributes:
        start: where the caption text starts in the block.
        end: where it ends; equal to ``start`` where there is a credit alone.
        credit: start and end of the credit, or None.
        reading: what the credit says.
        label: whether a label such as "Pie de foto:" was taken off.
    """

    start: int
    end: int
    credit: tuple[int, int] | None = None
    reading: Reading | None = None
    label: bool = False


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known beyond the line itself.

    Attributes:
        trusts: says of a name that looks like any other whether it is a credit at a place, see :func:`place`.
        ordinary: says of a word whether it is a word of a language rather than a name.
    """

    trusts: Callable[[str, str], bool] = lambda name, place: False
    ordinary: Callable[[str], bool] = lambda word: False


NO_HINTS = Hints()
WIDE = "<  "  # the place in front of a separator between several blanks, which no writer makes but a page's template
WINDOW = 140  # letters at the end of a caption in which one is looked for


def place(side: str, separator: str) -> str:
    """Where a credit stands: ``<`` in front of or ``>`` behind the caption, and the mark that sets it off, if any."""
    mark = separator.strip()[:1]
    if side == "<" and len(separator) > 3:
        return WIDE
    return side + ("-" if mark in ("–", "—") else "(" if mark == "[" else mark)


# Without any of these a line has neither a label nor a credit beside a caption.
_CUE = re.compile(
    r"[/\\📷📸|()\[\]:：©Ⓒ@\t–—•■●·▪_►▶▲▼◄◆◇○★☆→›>,]|\s[-\s]|[-\s]\s|[.!?…»”\"]\s?(?:[^\W\d_a-zß-ÿ]|dpa|epa)|[a-záéíóúñ\d][A-ZÁÉÍÓÚÑ]|[A-Z][-–—][A-Z]"
)


def cued(text: str, start: int, end: int) -> bool:
    """Whether anything in a stretch could set a credit off."""
    return _CUE.search(text, start, end) is not None


_CODE = re.compile(r"--[a-z][\w-]|/[a-z][\w.-]*/[\w.]")  # "--verbose", "/etc/hosts"
_EDGE = "|/–—■●•▪►▶▲▼◄◆◇○★☆→⬆↑↓📷📸🎥📹🖼\u200b\ufe0f\ufeff"


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space and separators at the edges."""
    while start < end and (text[start].isspace() or text[start] in _EDGE) and not _CODE.match(text, start):
        start += 1
    while (
        start < end and text[start] == "-" and not (text[start + 1 : start + 2].isdigit() or _CODE.match(text, start))
    ):
        start += 1
        while start < end and text[start].isspace():
            start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in "|/\\–—-■●•▪▲►▶📷📸🎥📹·,;\u200b\ufeff"):
        end -= 1
    return start, end


def credit_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Span of a credit without the words that only introduce it ("Photo by") and without brackets and final dots."""
    while start < end and (text[start].isspace() or text[start] in "/|·•"):
        start += 1
    if mark := MARK.match(text[start:end]):
        start += mark.end()
    words = lexicon()
    opener = words.opener(text[:end], start)
    # "Foto de Ana Sanz", but "Foto de archivo: Ana Sanz".
    if opener and plain(opener[0]) in words.dropped and not words.label(text[:end], start):
        start = opener[1]
    while start < end and (
        text[end - 1].isspace() or text[end - 1] in ",;|/–—-" or (text[end - 1] == "." and _final_dot(text[start:end]))
    ):
        end -= 1
    return start, end


def _final_dot(text: str) -> bool:
    """Whether the dot ends the line rather than an initial or "Jr."."""
    return not re.search(r"(?:\b[A-ZÁÉÍÓÚÑ]|\b[JS]r|EE\.?\s?UU)\.$", text)


Found = tuple[tuple[int, int], Reading, int]
