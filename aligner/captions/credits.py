"""Credits: what agency and whom a picture is by, recognised by their parts.

A credit is a row of units (agencies, persons, accounts, sources) between separators, often behind a label. Whether a
stretch of a line is one is told from its units alone, with a strength: a lone "Juan Pérez" is a credit only where
something else speaks for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from aligner.records import Credit
from aligner.resources import data

STRONG, LIKELY, WEAK = 3, 2, 1


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words that credits are made of (``aligner/data/find-lexicon.json``)."""

    agencies: frozenset[str]
    given: frozenset[str]
    particles: frozenset[str]
    not_credits: frozenset[str]
    label: re.Pattern[str]
    opener: re.Pattern[str]
    line_label: re.Pattern[str]
    inner_label: re.Pattern[str]
    dropped: frozenset[str]


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(w).replace(r"\ ", r"\s+") for w in sorted(words, key=len, reverse=True))


@cache
def lexicon() -> Lexicon:
    """The bundled lexicon, read once."""
    stored = json.loads(data("find-lexicon.json").read_bytes())
    labels, openers = _any(stored["credit_labels"]), _any(stored["credit_openers"])
    return Lexicon(
        agencies=frozenset(a.casefold() for a in stored["agencies"]),
        given=frozenset(stored["given_names"]),
        particles=frozenset(stored["particles"]),
        not_credits=frozenset(stored["not_credits"]),
        label=re.compile(rf"(?i)({labels})\s*[:：]\s*"),
        opener=re.compile(rf"(?i)({openers})(?:\s+|:\s*)(?=\S)"),
        line_label=re.compile(
            rf"(?i)(?:{_any(stored['line_labels'])})\s*(?::\s*|\|\s*|\s[-–—]\s+)|photo_camera\s+|[■●▪►▶•]\s*"
        ),
        inner_label=re.compile(
            rf"(?i)(?<![^\W_])(?:({labels})\s*[:：]\s*(?=\S)|({openers})\s+(?=[A-ZÁÉÍÓÚÑ@]))|[©Ⓒ]\s*|\(c\)\s*"
        ),
        dropped=frozenset(stored["drop_openers"]),
    )


_UNIT = re.compile(r"\s*[/|&+]+\s*|\s+[-–—]\s+|,\s+|\s+(?:y|e|and|et|i|vía|via|para|por|for)\s+")
_TOKEN = re.compile(r"(?:[^\W\d_]|[.’'`´-])+")
_ACCOUNT = re.compile(
    r"@\w+|(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*\.(?:com|es|org|net|mx|ar|co|cl|uk|info|tv|eu|gov|gob)(?:[./]\S*)?"
)
_SOURCE = re.compile(
    r"(?i)(?:cortesía|cortesia|gentileza|captura|archivo|cedida|handout|courtesy|tomad[ao]|redes)\b"
)
_MARK = re.compile(r"^(?:[©Ⓒ]|\(c\))\s*", re.IGNORECASE)
_LONGEST = 90


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch of text read as a credit.

    Attributes:
        strength: ``STRONG`` with a label or a known agency, ``LIKELY`` with a slash or capitals, ``WEAK`` for a name.
        agency: agencies joined with "/".
        photographer: the person, in normal case.
        labelled: it starts with a label ("Foto: ...").
        loose: a unit is a lone capitalised word or a long name, as places and captions are.
    """

    strength: int
    agency: str | None
    photographer: str | None
    labelled: bool = False
    loose: bool = False


def read(text: str, *, after_label: bool = False, strict: bool = False) -> Reading | None:
    """Reads a stretch of text as a credit, or returns None if it cannot be one.

    Args:
        text: the stretch, without brackets around it.
        after_label: whether a label with a colon stood before it: then words in small letters may be names too.
        strict: take no word in small letters for a name even behind a label.
    """
    text = text.strip().rstrip(".,;").strip()
    if not text or len(text) > _LONGEST:
        return None
    words = lexicon()
    labelled = False
    if marked := _MARK.match(text):
        text, labelled = text[marked.end() :], True
    if label := words.label.match(text):
        text, labelled, after_label = text[label.end() :], True, not strict
    if text.casefold() not in words.agencies and (opener := words.opener.match(text)):
        rest = text[opener.end() :]
        if rest[:1].isupper() or rest.startswith("@") or _SOURCE.match(text):
            text, labelled = rest, True
            after_label = after_label or bool(_SOURCE.match(opener[1]))
    loose = False
    agencies: list[str] = []
    persons: list[str] = []
    strength = STRONG if labelled else 0
    parts = [part for part in _UNIT.split(text) if part]
    if not parts or len(parts) > 6:
        return None
    whole = text.casefold() in words.agencies
    for part in [text] if whole else parts:
        part = part.strip(" .")
        if label := words.label.match(part):
            part, strength = part[label.end() :], STRONG
        folded = part.casefold()
        if folded in words.agencies and (part[:1].isupper() or after_label or part.isupper()):
            agencies.append(part)
            strength = max(strength, STRONG)
        elif words.label.match(part + ":"):
            strength = max(strength, LIKELY)
        elif _ACCOUNT.fullmatch(part):
            agencies.append(part)
            strength = max(strength, LIKELY)
        elif kind := _name(part, words, after_label):
            (persons if kind == "person" else agencies).append(part)
            tokens = part.split()
            loose |= kind == "single" or (len(tokens) > 3 and tokens[0].title() not in words.given)
            strength = max(
                strength, LIKELY if len(parts) > 1 or (kind == "agency" and len(part) > 2) else WEAK
            )
        else:
            return None
    if strength == LIKELY and len(parts) > 1 and not re.search(r"[/|]", text):
        strength = WEAK
    if not agencies and not persons and not labelled:
        return None
    agency = "/".join(dict.fromkeys(agencies)) or None
    return Reading(strength, agency, " / ".join(map(_normal_case, persons)) or None, labelled, loose)


def _name(part: str, words: Lexicon, small: bool) -> str | None:
    """``person``, ``agency`` (capitals that no person is called by), or None."""
    tokens = part.split()
    if small is False and part.islower() and tokens and tokens[0].title() in words.given and len(tokens) > 1:
        return "person"
    if not 0 < len(tokens) <= 6 or part in words.not_credits:
        return None
    named = 0
    for at, token in enumerate(tokens):
        if not _TOKEN.fullmatch(token.strip('()"“”«»')):
            return None
        if token[0].isupper():
            named += 1
        elif token.casefold() not in words.particles and not small:
            return None
        elif at == 0 and not small and token.casefold() not in ("de", "van", "von", "el", "al"):
            return None
    if not named and not small:
        return None
    first = tokens[0].title()
    if len(tokens) > 1 and (first in words.given or re.fullmatch(r"(?:[A-ZÁÉÍÓÚÑ]\.\s?){1,3}", tokens[0])):
        return "person"
    if len(tokens) == 1:
        camel = re.fullmatch(r"[A-Z][a-z]+[A-Z]\w*", part)
        return (
            "agency"
            if (part.isupper() and len(part) > 1) or camel
            else "single"
            if small or part[0].isupper()
            else None
        )
    return "person"


def _normal_case(name: str) -> str:
    """A name in capitals as one writes it: "LUDOVIC MARIN" is Ludovic Marin, "J. DE LA O" is J. de la O."""
    if not (name.isupper() or name.islower()) or len(name) < 4:
        return name
    small = lexicon().particles - {"jr.", "sr.", "jr", "san", "santa", "mac", "abu", "ben"}
    out = []
    for at, token in enumerate(name.lower().split()):
        if at and token in small:
            out.append(token)
        else:
            out.append(
                re.sub(r"(^|[-'’.]|\bmc)([^\W\d_])", lambda m: m[1].capitalize() + m[2].upper(), token)
            )
    return " ".join(out)


def credit(text: str, reading: Reading, start: int, end: int) -> Credit:
    """The record of a credit that was read."""
    return Credit(text, reading.agency, reading.photographer, start, end)


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


_BRACKET = re.compile(r"[(\[]([^()\[\]]{2,90})[)\]]")
_DASH = re.compile(
    r"\s*\t\s*[-–—|]?\s*|\s+[-–—|•■●·]+\s*|[-–—]\s+|(?<=[A-ZÁÉÍÓÚÑ])[-–—](?=[A-ZÁÉÍÓÚÑ])|\s{3,}|\.-\s*|\s*\|\s*"
)
_STRONG_ONLY = re.compile(r":\s+|\.\s+")
_CAPTION_START = re.compile(r"[\"“«‘'¿¡(\[]*[^\W_]")


def split(text: str, weak: frozenset[str] = frozenset()) -> list[Part]:
    """Splits a block into captions and credits.

    Args:
        text: the block.
        weak: names (in lower case) that may be taken for credits although nothing but their look says so.
    """
    start, end = 0, len(text)
    label = False
    words = lexicon()
    while match := words.line_label.match(text, start):
        rest = text[match.end() :]
        reading = read(text[start:], strict=True)
        if reading and (reading.strength >= LIKELY) and not match[0].startswith("photo_camera"):
            break
        if not rest or (prefix(text, start, end, weak) and not match[0].startswith("photo_camera")):
            break
        start, label = match.end(), True
    if text[start:end].startswith("[") and text.endswith("]") and text.count("[") == 1:
        inside = text[start + 1 : end - 1]
        if not read(inside) and (match := words.line_label.match(inside)):
            start, end, label = start + 1 + match.end(), end - 1, True
    parts: list[Part] = []
    for left, right in _pieces(text, start, end):
        parts.append(_part(text, left, right, weak, label))
    return parts


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cuts a line where a credit ends one caption and starts the next."""
    cuts = []
    for match in _BRACKET.finditer(text, start, end):
        after = text[match.end() : end]
        if (
            match.start() > start + 8
            and len(after.split()) >= 2
            and (reading := read(match[1]))
            and reading.strength == STRONG
            and re.match(r"[\s.;|/–-]*[\"“«¿¡]?[^\W\d_a-zà-ÿ]", after)
        ):
            cuts.append(match.end() + len(after) - len(after.lstrip(" \t.;|/–-")))
    for match in re.finditer(r"\s+[-–—]\s+(?=\S)", text[start:end]):
        at = start + match.start()
        before = text[start:at]
        tokens = list(re.finditer(r"\S+", before))
        for token in tokens[-6:]:
            if token.start() == 0:
                break
            stretch = before[token.start() :]
            if (
                "/" in stretch
                and token[0] != "/"
                and (reading := read(stretch))
                and reading.strength == STRONG
            ):
                if len(before[: token.start()].split()) >= 2 and not read(before[: token.start()]):
                    cuts.append(start + token.start())
                break
    edges = [start, *sorted(set(cuts)), end]
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if text[a:b].strip()]


def _part(text: str, start: int, end: int, weak: frozenset[str], label: bool) -> Part:
    start, end = trim(text, start, end)
    whole = text[start:end]
    inner = whole[1:-1] if whole[:1] + whole[-1:] in ("()", "[]") else None
    reading = read(inner if inner is not None else whole, strict=True)
    if (
        reading
        and (not reading.loose or reading.labelled)
        and (reading.strength == STRONG or (reading.strength == LIKELY and "/" in whole))
    ):
        at = start + (inner is not None)
        return Part(start, start, _credit_span(text, at, end - (inner is not None)), reading, label)
    if found := prefix(text, start, end, weak):
        (left, right), reading, after = found
        after, end = trim(text, after, end)
        return Part(after, end, (left, right), reading, label)
    if found := suffix(text, start, end, weak):
        (left, right), reading, before = found
        start, before = trim(text, start, before)
        return Part(start, before, (left, right), reading, label)
    return Part(start, end, None, None, label)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space and separators at the edges."""
    while start < end and (text[start].isspace() or text[start] in "|/–—■●•▪►▶\u200b\ufeff"):
        start += 1
    while start < end and text[start] == "-" and not text[start + 1 : start + 2].isdigit():
        start += 1
        while start < end and text[start].isspace():
            start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in "|/–—-■●•▪\u200b\ufeff"):
        end -= 1
    return start, end


def _credit_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Span of a credit without the words that only introduce it ("Photo by") and without brackets and final dots."""
    while start < end and text[start].isspace():
        start += 1
    if mark := _MARK.match(text[start:end]):
        start += mark.end()
    if (opener := lexicon().opener.match(text, start, end)) and (
        " ".join(opener[1].lower().split()) in lexicon().dropped
    ):
        start = opener.end()
    while start < end and (
        text[end - 1].isspace()
        or text[end - 1] in ",;|/–—-"
        or (text[end - 1] == "." and _final_dot(text[start:end]))
    ):
        end -= 1
    return start, end


def _final_dot(text: str) -> bool:
    """Whether the dot ends the line rather than an initial or "Jr."."""
    return not re.search(r"(?:\b[A-ZÁÉÍÓÚÑ]|\b[JS]r|EE\.?\s?UU)\.$", text)


Found = tuple[tuple[int, int], Reading, int]


def prefix(text: str, start: int, end: int, weak: frozenset[str]) -> Found | None:
    """A credit in front: its span, its reading, and where the caption starts."""
    if text[start : start + 1] in ("(", "["):
        match = _BRACKET.match(text, start, end)
        if match and (reading := read(match[1])) and reading.strength >= LIKELY and match.end() < end:
            return _credit_span(text, *match.span(1)), reading, match.end()
    limit = min(end, start + _LONGEST)
    for match in _DASH.finditer(text, start + 1, limit):
        left = text[start : match.start()]
        if not (reading := read(left)):
            if len(left.split()) > 8:
                break
            continue
        if not _CAPTION_START.match(text, match.end(), end):
            continue
        if reading.strength >= LIKELY or left.casefold().strip() in weak:
            if (
                reading.strength == LIKELY
                and not re.search(r"/|[a-z][A-Z]", left)
                and left.casefold().strip() not in weak
                and not reading.labelled
            ):
                continue
            return _credit_span(text, start, match.start()), reading, match.end()
    for match in _STRONG_ONLY.finditer(text, start + 1, min(end, start + 40)):
        left = text[start : match.start()]
        if left.casefold() in lexicon().agencies and left.isupper() and match.end() < end:
            reading = read(left)
            if reading:
                return (start, match.start()), reading, match.end()
    return _slashed(text, start, limit, end)


def _slashed(text: str, start: int, limit: int, end: int) -> Found | None:
    """ "Gorka Beitia/EFE En abril, ...": a credit that only its slash and the capital after it set off."""
    slash = text.find("/", start, limit)
    if slash < 0 or not read(text[start:slash]):
        return None
    tokens = list(re.finditer(r"\S+", text[slash + 1 : limit]))[:5]
    for count in range(min(4, len(tokens) - 2), 0, -1):
        right = slash + 1 + tokens[count - 1].end()
        unit = text[slash + 1 : right].strip()
        following = text[slash + 1 + tokens[count].start()]
        if (following.isupper() or following in '«“"¿¡') and (
            unit.split("/")[-1].strip().casefold() in lexicon().agencies or (unit.isupper() and len(unit) > 2)
        ):
            reading = read(text[start:right])
            if (
                reading
                and reading.strength >= LIKELY
                and not text[slash + 1 + tokens[count].start() : end].isupper()
            ):
                return (start, right), reading, right
    return None


def suffix(text: str, start: int, end: int, weak: frozenset[str]) -> Found | None:
    """A credit behind: its span, its reading, and where the caption ends."""
    last = end
    while last > start and (text[last - 1].isspace() or text[last - 1] in ".,;"):
        last -= 1
    if text[last - 1 : last] in (")", "]"):
        opening = max(text.rfind("(", start, last), text.rfind("[", start, last))
        if opening > start:
            inside = text[opening + 1 : last - 1]
            reading = read(inside)
            if reading and (
                reading.strength == STRONG
                or inside.casefold().strip() in weak
                or (
                    reading.strength == LIKELY
                    and ("/" in inside or _not_initials(text[start:opening], inside))
                )
            ):
                return _credit_span(text, opening + 1, last - 1), reading, opening
    for match in lexicon().inner_label.finditer(text, start + 2, end):
        before = text[max(start, match.start() - 2) : match.start()]
        colon = bool(match[1]) or not match[2]
        if not colon and not re.search(r"[.!?…»”\")\]|/■–—-]\s?$|\s{2}$", before):
            continue
        if colon and before and before[-1].isalnum() and before[-1] != " " and match[0][0].islower():
            continue
        rest = text[match.start() : end]
        reading = read(rest, after_label=colon)
        if reading is None and match[1] and len(rest) <= _LONGEST and len(rest.split()) <= 7:
            reading = Reading(STRONG, None, None, labelled=True)
        if reading and reading.labelled and len(text[start : match.start()].split()) >= 1:
            left = match.start()
            opened = text[start:left].rstrip()
            if opened.endswith(("(", "[")):
                left = start + len(opened) - 1
            return _credit_span(text, match.start(), last), reading, left
    separators = [
        m
        for m in re.finditer(
            r"\s*[|■●•\t]\s*|\s+[/–—-]\s*|\s*/\s+|(?<=[.!?»”])\s*/\s*|\s{3,}", text[start:end]
        )
    ]
    for found in separators:
        rest = text[start + found.end() : end]
        if len(rest) > _LONGEST or not rest.strip():
            continue
        reading = read(rest)
        if not reading or not text[start : start + found.start()].strip():
            continue
        sure = "/" in found[0] or "|" in found[0] or "\t" in found[0] or "■" in found[0] or found[0] == " – "
        person = reading.photographer is not None or reading.agency is not None
        if (
            reading.strength == STRONG
            or rest.casefold().strip(" .") in weak
            or (sure and person and _capital(rest))
        ):
            left = start + found.start()
            # "… Gorka Beitia/EFE": the slash is inside the credit.
            if "/" in found[0] and not found[0].startswith(" ") and text[left - 1 : left] not in ".!?»”":
                continue
            return _credit_span(text, start + found.end(), last), reading, left
    glue = None
    for match in re.finditer(
        r"[.!?…»”\")\]]\s?(?=[A-ZÁÉÍÓÚÑÀÈÒÖÜÇ@/])|\d(?=[A-ZÁÉÍÓÚÑ][a-záéíóúñ])", text[start:end]
    ):
        rest = text[start + match.end() : end]
        if len(rest) <= _LONGEST and (reading := read(rest)) and _closing(rest, reading, weak):
            glue = match, reading
            break
    if glue:
        match, reading = glue
        return (
            _credit_span(text, start + match.end(), last),
            reading,
            start + match.end() - (len(match[0]) - len(match[0].rstrip())),
        )
    return None


def _capital(text: str) -> bool:
    return text.lstrip()[:1].isupper()


def _closing(rest: str, reading: Reading, weak: frozenset[str]) -> bool:
    """Whether what follows the caption's last sentence is a credit rather than a short sentence."""
    if reading.strength >= LIKELY or rest.casefold().strip(" .") in weak:
        return (
            reading.strength == STRONG or "/" in rest or rest.casefold().strip(" .") in weak or rest.isupper()
        )
    return reading.photographer is not None and 2 <= len(rest.split()) <= 4 and "," not in rest


def _not_initials(before: str, inside: str) -> bool:
    """Whether bracketed capitals are not just the initials of the name in front of them ("… de Donetsk (DNR)")."""
    letters = [c for c in inside.casefold() if c.isalpha()]
    words = [w[0].casefold() for w in re.findall(r"[^\W\d_]+", before)[-9:]]
    at = 0
    for letter in words:
        if at < len(letters) and letter == letters[at]:
            at += 1
    return at < max(2, len(letters) - 1) and inside.isupper() and inside not in lexicon().not_credits
