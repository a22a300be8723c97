"""Blocks split into captions and the credits beside them."""

from __future__ import annotations

import re
from itertools import pairwise

from aligner.captions.credits.before import BRACKET, fronted, prefix
from aligner.captions.credits.behind import labelled, suffix
from aligner.captions.credits.lexicon import NUMBERED, line_label
from aligner.captions.credits.parts import NO_HINTS, WINDOW, Hints, Part, credit_span, cued, trim
from aligner.captions.credits.reading import LIKELY, STRONG, read


def split(text: str, hints: Hints = NO_HINTS, *, whole: bool = True) -> list[Part]:
    """Splits a block into captions and credits.

    Args:
        text: the block.
        hints: what is known of the document and its language.
        whole: whether all of it may be a credit.
    """
    start, end = _unwrapped(text)
    label = start > 0
    if not (cued(text, start, end) or line_label(text, start, end)):
        return [_part(text, start, end, hints, label, whole, cue=False)]
    while match := line_label(text, start, end):
        rest = text[match.end() : end]
        reading = read(text[start:end], strict=True) if whole else None
        sure = match[0].startswith("photo_camera") or match.re is NUMBERED
        if not rest or (reading and reading.strength >= LIKELY and not sure):
            break
        # "Archivo - El presidente ... - EUROPA PRESS": a label if the credit stands behind.
        if (
            not sure
            and prefix(text, start, end, hints)
            and (match[1] is None or not suffix(text, match.end(), end, hints))
        ):
            break
        start, label = match.end(), True
    inner = _BRACKETED.match(text, start, end)
    if inner and not read(inner[1], strict=True):
        start, end = inner.span(1)
    if text[start:end].startswith("[") and text[:end].endswith("]") and text.count("[", start, end) == 1:
        inside = text[start + 1 : end - 1]
        if not read(inside, strict=True) and (match := line_label(inside)):
            start, end, label = start + 1 + match.end(), end - 1, True
    parts: list[Part] = []
    for left, right in _pieces(text, start, end):
        parts.append(_part(text, left, right, hints, label, whole))
    return parts


_BRACKETED = re.compile(r"\(([^()]{20,}(?:\([^()]*\)[^()]*)*)\)\.?\s*$")
_TAG = r"<[^<>]{1,200}>|\\?\[/?(?:caption|img|url|center|em|b|i)\b[^\[\]]{0,200}\]"
_COUNTER = r"[(\[]?\d{1,3}\s?(?:/|de|of)\s?\d{1,3}(?!\w)[)\]]?(?:\s?[|:.·•–—-](?=\s)|(?=\s[«“\"¿¡]?[A-ZÁÉÍÓÚÑ]))"
_ITEM = r"\d{1,2}(?:\.-|[.)]\s(?=[«“\"¿¡]?[A-ZÁÉÍÓÚÑ]))"
# What wiki galleries and reStructuredText put in front: "File:Name.jpg|", ":alt:".
_FIELD = (
    r"(?i:file|image|archivo|imagen|fichero|ficheiro):[^|\[\]]{1,120}\.\w{3,4}\s?\|"
    r"(?:(?:alt|thumb|left|right)[^|]{0,40}\|)*|:(?:alt|caption|title):(?=\s)"
)
_OPENED = re.compile(rf"(?:\s{{0,9}}(?:{_TAG}|{_COUNTER}|{_ITEM}|{_FIELD}))+")
_CLOSED = re.compile(rf"(?:\s{{0,9}}(?:{_TAG}|[(\[]\d{{1,3}}\s?/\s?\d{{1,3}}[)\]]|(?<=\))\s?\([a-z]{{2,3}}\)))+\s*$")


def _unwrapped(text: str) -> tuple[int, int]:
    """Where a line starts and ends without left-over tags and counters: "<em>", "3 / 8", "[/caption]", "1.-"."""
    start, end = 0, len(text)
    if (text[0] in "<[(\\:" or text[0].isdigit() or text.find("|", 5, 140) > 0) and (opened := _OPENED.match(text)):
        start = opened.end()
    if text[-1] in ">])" and (closed := _CLOSED.search(text, max(start, end - 250))):
        end = closed.start()
    if start or end < len(text):
        return (start, end) if text[start:end].strip() else (0, len(text))
    return start, end


_SPACED_DASH = re.compile(r"\s+[-–—]\s+(?=\S)")


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cuts a line where a credit ends one caption and starts the next."""
    cuts = []
    for match in BRACKET.finditer(text, start, end):
        after = text[match.end() : min(end, match.end() + WINDOW)]
        if (
            match.start() > start + 8
            and not read(text[max(start, match.start() - WINDOW) : match.start()])
            and len(after.split()) >= 2
            and (reading := read(match[1]))
            and reading.strength == STRONG
            and re.match(r"[\s.;|/–-]*[\"“«¿¡]?[^\W\d_a-zà-ÿ]", after)
        ):
            cuts.append(match.end() + len(after) - len(after.lstrip(" \t.;|/–-")))
    dashes = _SPACED_DASH.finditer(text, start, end) if "/" in text else ()
    for match in dashes:
        if read(text[match.end() : end]):
            break
        at = match.start()
        left = max(start, at - WINDOW)
        before = text[left:at]
        tokens = list(re.finditer(r"\S+", before))
        for token in tokens[-6:]:
            if token.start() == 0:
                break
            stretch = before[token.start() :]
            if "/" in stretch and token[0] != "/" and (reading := read(stretch)) and reading.strength == STRONG:
                if len(before[: token.start()].split()) >= 2 and not read(before[: token.start()]):
                    cuts.append(left + token.start())
                break
    edges = [start, *sorted(set(cuts)), end]
    return [(a, b) for a, b in pairwise(edges) if text[a:b].strip()]


def _part(text: str, start: int, end: int, hints: Hints, label: bool, whole: bool, *, cue: bool = True) -> Part:
    start, end = trim(text, start, end)
    if start == end:
        return Part(start, end, None, None, label)
    stretch = text[start:end]
    inner = stretch[1:-1] if stretch[:1] + stretch[-1:] in ("()", "[]") else None
    reading = read(inner if inner is not None else stretch, strict=True) if whole else None
    if (
        reading
        and (not reading.loose or reading.labelled)
        and (reading.strength == STRONG or (reading.strength == LIKELY and "/" in stretch))
    ):
        at = start + (inner is not None)
        return Part(start, start, credit_span(text, at, end - (inner is not None)), reading, label)
    if not cue:
        found = fronted(text, start, end, hints) or labelled(text, start, end)
        if found is None:
            return Part(start, end, None, None, label)
        (left, right), reading, edge = found
        start, end = trim(text, start, edge) if left >= edge else trim(text, edge, end)
        return Part(start, end, (left, right), reading, label)
    if found := prefix(text, start, end, hints):
        (left, right), reading, after = found
        after, end = trim(text, after, end)
        return Part(after, end, (left, right), reading, label)
    if found := suffix(text, start, end, hints):
        (left, right), reading, before = found
        start, before = trim(text, start, before)
        return Part(start, before, (left, right), reading, label)
    return Part(start, end, None, None, label)
