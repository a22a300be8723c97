"""Credits in front of a caption."""

from __future__ import annotations

import re

from aligner.captions.credits.lexicon import ARTICLES, lexicon
from aligner.captions.credits.parts import Found, Hints, credit_span, place
from aligner.captions.credits.reading import LIKELY, LONGEST, STRONG, depicts, read

BRACKET = re.compile(r"[(\[]([^()\[\]]{2,90})[)\]]")
_DASH = re.compile(
    r"[\s|.–—-](?:(?<=\s)(?=[\s|•■●·:_/–—-])"
    r"(?:\s*\t\s*[-–—|]?\s*|\s*[-–—|•■●·:_/]+\s+|\s*[-–—|•■●·]+|\s+)|(?<=\t)[-–—|]?"
    r"|(?<!\s)(?:(?<=[-–—])\s+|(?<=[A-ZÁÉÍÓÚÑ][-–—])(?=[A-ZÁÉÍÓÚÑ])|(?<=\.)-\s*|(?<=\|)\s*))"
)
_STOP = re.compile(r"(?<=[^\W_]{2})[.:]\s+(?=[^\W_])|\s+[-–—|]+\s+(?=[^\W_])")
_STRONG_ONLY = re.compile(r":\s+|\.\s+")
_CAPTION_START = re.compile(r"[\"“«‘'¿¡(\[]*[^\W_]")


def prefix(text: str, start: int, end: int, hints: Hints) -> Found | None:
    """A credit in front: its span, its reading, and where the caption starts."""
    if text[start : start + 1] in ("(", "["):
        match = BRACKET.match(text, start, end)
        if (
            match
            and (reading := read(match[1]))
            and (reading.strength >= LIKELY or (reading.photographer and not reading.loose))
            and match.end() < end
        ):
            return credit_span(text, *match.span(1)), reading, match.end()
    limit = min(end, start + LONGEST)
    for match in _DASH.finditer(text, start + 1, limit):
        left = text[start : match.start()]
        if match[0] in ("-", "–", "—") and left.rpartition("/")[2].casefold() not in lexicon().agencies:
            continue  # "PHOTO/ANA SÁNCHEZ-MATA"
        if depicts(left) or not (reading := read(left)):
            if len(left.split()) > 8:
                break
            continue
        if not _CAPTION_START.match(text, match.end(), end):
            continue
        trusted = hints.trusts(left, place("<", match[0]))
        if reading.strength >= LIKELY or trusted:
            wide = len(match[0]) > 3 or "\t" in match[0]
            if reading.strength == LIKELY and not (
                trusted or wide or reading.labelled or re.search(r"[/@]|[a-z][A-Z]", left)
            ):
                continue
            if "/" in match[0] and (
                longer := _stopped(text, start, match.end(), limit) or fronted(text, start, end, hints)
            ):
                return longer
            if "|" in match[0] and not reading.photographer:  # "EFE | Ana Sanz - La ministra ..."
                longer = _stopped(text, start, match.end(), limit)
                if longer and (longer[1].photographer or "").split(" ")[0] in lexicon().given:
                    return longer
            return credit_span(text, start, match.start()), reading, match.end()
    introduced = text[start:limit].split(None, 1)[0].rstrip(":").casefold() in lexicon().opening
    for match in _STRONG_ONLY.finditer(text, start + 1, limit):
        left = text[start : match.start()]
        agency = left.isupper() and left.casefold() in lexicon().agencies
        several = "/" in left and left[-2:].isalpha()
        reading = read(left, strict=True) if agency or several or introduced else None
        sure = reading and (agency or (several and reading.known) or (reading.labelled and not reading.loose))
        if reading and sure and match.end() < end:
            return credit_span(text, start, match.start()), reading, match.end()
    return fronted(text, start, end, hints)


def _stopped(text: str, start: int, at: int, limit: int) -> Found | None:
    """A credit that goes on behind a slash up to a full stop, bar or dash: "© Name / AFP. La ministra ..."."""
    for match in _STOP.finditer(text, at, min(limit, at + 40)):
        left = text[start : match.start()]
        if (reading := read(left)) and reading.strength == STRONG and not reading.loose:
            return credit_span(text, start, match.start()), reading, match.end()
    return None


_UNSPACED = re.compile(r"[^\s/()\[\]:|]+")
_HEAD = re.compile(r"[(\[]?(([^\W\d_]+)(?: [^\W\d_]+)?)")


def fronted(text: str, start: int, end: int, hints: Hints) -> Found | None:
    """Finds a credit in front that nothing ends but the caption's first word: "EFE/Gorka Beitia En abril, ..."."""
    words = lexicon()
    first = _HEAD.match(text, start, end)
    if first is None:
        return None
    near = min(end, start + 45)
    head = first[2].casefold()
    if (first[1].casefold() if head in ARTICLES else head) not in words.agency_heads and head not in words.opening:
        if text.find("/", start, near) < 0:
            bracket = text.find("(", start, near)
            if bracket < 0 or not read(text[start:bracket]):
                return None
        elif not read(text[start : text.find("/", start, near)]):
            return None
    tokens = list(_UNSPACED.finditer(text, start, min(end, start + LONGEST)))
    shouting = text[start:end].isupper()
    for at in range(1, min(len(tokens) - 1, 12)):
        word = tokens[at][0]
        quoted = word[0] in "“«\"¿¡'"
        word = word.lstrip("“«\"¿¡'")
        if not word[:1].isupper():
            if word.casefold() in words.joining or word in words.lower_agencies or word[:1] in "@©" or word.isdigit():
                continue
            return None
        following = tokens[at + 1][0]
        starts = word.lower().rstrip(",") in words.starts
        goes_on = word[-1] == "," or (following[0].islower() and text[tokens[at].end()] == " ")
        plain = goes_on and hints.ordinary(word.rstrip(","))
        left = text[start : tokens[at].start()].rstrip(" /")
        # "Gorka Beitia/EFE Ana Urrestarazu abre ...": nobody follows an agency that follows a person.
        agency = re.split(r"[/(|]", left.rstrip(")"))[-1].strip().casefold()
        after = agency in words.agencies and f"{agency} {word.casefold()}" not in words.agencies
        if not (quoted or starts or plain or after):
            continue
        reading = read(left, strict=True)
        if reading is None or not (reading.agency or reading.photographer) or (shouting and reading.shapes):
            continue
        if after and not (quoted or starts or plain) and not (reading.photographer and left != agency):
            continue
        named = reading.labelled and not reading.loose and (reading.photographer or "").split(" ")[0] in words.given
        sure = reading.known and (
            "/" in left or left[-1] in ")]" or reading.labelled or (left.casefold() in words.wires and not shouting)
        )
        if sure or named or (starts and not quoted and (reading.known or reading.labelled)):
            return credit_span(text, start, start + len(left)), reading, tokens[at].start()
    return None
