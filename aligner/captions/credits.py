"""Credits: what agency and whom a picture is by, recognised by their parts.

A credit is a row of units (agencies, persons, accounts, sources) between separators, often behind a label. Whether a
stretch of a line is one is told from its units alone, with a strength: a lone "Juan Pérez" is a credit only where
something else speaks for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from aligner.records import Credit
from aligner.resources import data

STRONG, LIKELY, WEAK = 3, 2, 1


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words that credits are made of (``aligner/data/find-lexicon.json``)."""

    agencies: frozenset[str]
    lower_agencies: frozenset[str]
    given: frozenset[str]
    particles: frozenset[str]
    not_credits: frozenset[str]
    labels: frozenset[str]
    openers: frozenset[str]
    line_labels: frozenset[str]
    dropped: frozenset[str]
    interface: frozenset[str]
    sources: frozenset[str]
    atoms: frozenset[str]
    opening: frozenset[str]
    joining: frozenset[str]

    def label(self, text: str, at: int = 0) -> int:
        """Where a credit label with its colon ("Foto: ") ends that starts at ``at``; 0 if there is none."""
        match = _LABEL.match(text, at)
        if match is None or _plain(match[1]) not in self.labels:
            return 0
        # "Fuente de la imagen, Reuters": a comma does for a label of several words.
        return match.end() if "," not in match[0] or " " in match[1] else 0

    def opener(self, text: str, at: int = 0) -> tuple[str, int] | None:
        """Words at ``at`` that a credit may start with ("Photo by"), longest first, and where they end."""
        match = _WORDS.match(text, at)
        words = match[0] if match and match[0].split(" ", 1)[0].casefold() in self.opening else ""
        while words:
            if _plain(words) in self.openers:
                end = at + len(words)
                rest = _GAP.match(text, end)
                if rest and rest.end() < len(text):
                    return words, rest.end()
            words = words.rpartition(" ")[0].rstrip()
        return None


def _plain(phrase: str) -> str:
    return " ".join(phrase.casefold().split())


@cache
def lexicon() -> Lexicon:
    """The bundled lexicon, read once."""
    stored = json.loads(data("find-lexicon.json").read_bytes())
    phrases = [*stored["credit_openers"], *stored["credit_labels"], "(c)", "©", "ⓒ"]
    return Lexicon(
        opening=frozenset(phrase.split()[0].rstrip(":").casefold() for phrase in phrases),
        joining=frozenset([*stored["particles"], "y", "e", "and", "et", "i", "vía", "via", "por", "for"]),
        atoms=frozenset(
            word
            for phrase in [
                *stored["agencies"],
                *stored["credit_labels"],
                *stored["credit_openers"],
                *stored["months"]["es"],
            ]
            for word in phrase.split()
            if word[0].islower()
        ),
        agencies=frozenset(map(str.casefold, stored["agencies"])),
        lower_agencies=frozenset(filter(str.islower, stored["agencies"])),
        given=frozenset(stored["given_names"].split()),
        particles=frozenset(stored["particles"]),
        not_credits=frozenset(stored["not_credits"]),
        labels=frozenset(map(_plain, stored["credit_labels"])),
        openers=frozenset(_plain(opener.rstrip(":")) for opener in stored["credit_openers"]),
        line_labels=frozenset(map(_plain, stored["line_labels"])),
        interface=frozenset(stored["interface"]),
        sources=frozenset(stored["sources"]),
        dropped=frozenset(_plain(opener.rstrip(":")) for opener in stored["drop_openers"]),
    )


# Up to four words and the colon behind them; up to three words; what separates an opener from the name.
_LABEL = re.compile(r"([^\W\d_]+(?:\s{1,3}[^\W\d_]+){0,4})\s{0,2}[:：,]\s*")
_WORDS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){0,2}")
_GAP = re.compile(r"\s+|:\s*")
_LINE_LABEL = re.compile(
    r"([^\W\d_]+(?:\s[^\W\d_]+){0,3})\s*(?::\s*|\|\s*|\s[-–—]\s+|[,.]\s+(?=\S))|photo_camera\s+|[■●▪►▶•]\s*"
)


def line_label(text: str, at: int = 0, end: int | None = None) -> re.Match[str] | None:
    """A label in front of a caption ("Pie de foto: ", "GALERÍA | ")."""
    match = _LINE_LABEL.match(text, at, len(text) if end is None else end)
    if match is None or match[1] is None:
        return match
    several = " " in match[1]  # "Pie de foto, ..." and "FOTO DE ARCHIVO. ...", but "Imagen, ..." is a caption
    ends = match[0][len(match[1]) :].strip()
    return match if _plain(match[1]) in lexicon().line_labels and (several or ends not in (",", ".")) else None


_PLATFORM = (
    r"(?:Unsplash|Pexels|Pixabay|Flickr|Wikimedia|Instagram|Facebook|Twitter|X|YouTube|TikTok|Telegram|Shutterstock)"
)
_UNIT = re.compile(
    r"\s*[/|&+·]+\s*|\s+[-–—]\s+|,\s+|\s*[()]\s*|\s+(?:y|e|and|et|i|vía|via|para|por|for)\s+"
    rf"|(?<=[^\W\d_]{{2}})\.\s+(?=[^\W\d_a-zà-ÿ@])|\s+(?:en|on|em|su)\s+(?={_PLATFORM}\b)"
)
_FOR = re.compile(rf"[/|(·]|\s(?:vía|via|para|for)\s|\s(?:en|on|em|su)\s{_PLATFORM}\b")
_JOINED = re.compile(r"\b([A-Z]{2,})-(?=[A-ZÁÉÍÓÚÑ])")  # "EFE-JUAN PÉREZ", but not "MATEO-VIEJO"
_LICENCE = re.compile(
    r"(?i)cc(?:[ -](?:by|sa|nc|nd|0))+(?: \d(?:\.\d)?)?(?: [a-z]{2})?|cc0(?: \d\.\d)?|gfdl|public domain"
)
_DATE = re.compile(
    r"(?i)(?:\d{1,2}[/.-]\d{1,2}[/.-])?(?:19|20)?\d\d"
    r"|(?:\d{1,2} )?(?:de )?[a-zé]{3,10}\.?(?: \d{1,2})?(?: (?:de|del) | )(?:19|20)\d\d"
)
_AGENCY_LABEL = re.compile(r"^([^\W\d_a-zß-ÿ]\w*(?: [^\W\d_a-zß-ÿ]\w*){0,2}): ")
_PHOTO = re.compile(r"(?i)\s+(?:photo|foto)$")
_INITIALS = re.compile(r"(?:[A-ZÁÉÍÓÚÑ]\.\s?){1,3}")
_TOKEN = re.compile(r"(?:[^\W\d_]|[.’'`´-])+")
_ACCOUNT = re.compile(
    r"(?:[^\W\d_][\w.]*:? ){0,2}@[\w.]+|(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*\.(?:com|es|org|net|mx|ar|co|cl|uk|info|tv|eu|gov|gob)(?:[./]\S*)?"
)
_SOURCE = re.compile(
    r"(?i)(?:\w+ )?(?:cortes[ií]a|gentileza|captura|archivo|cedid[ao]s?|facilitad[ao]s?|handout|courtesy|tomad[ao]s?"
    r"|redes)\b"
)
_MARK = re.compile(r"^(?:[©Ⓒ]|\(c\))\s*", re.IGNORECASE)
LONGEST = 90  # letters of the longest credit
_WINDOW = 140  # letters at the end of a caption in which one is looked for


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch of text read as a credit.

    Attributes:
        strength: ``STRONG`` with a label or a known agency, ``LIKELY`` with a slash or capitals, ``WEAK`` for a name.
        agency: agencies joined with "/".
        photographer: the person, in normal case.
        labelled: it starts with a label ("Foto: ...").
        loose: a unit is a lone capitalised word or a long name, as places and captions are.
        shapes: units that only look like names.
        known: a unit is a known agency, an account or a licence.
    """

    strength: int
    agency: str | None
    photographer: str | None
    labelled: bool = False
    loose: bool = False
    shapes: tuple[str, ...] = ()
    known: bool = False


@lru_cache(maxsize=256)
def read(text: str, *, after_label: bool = False, strict: bool = False) -> Reading | None:
    """Reads a stretch of text as a credit, or returns None if it cannot be one.

    Args:
        text: the stretch, without brackets around it.
        after_label: whether a label with a colon stood before it: then words in small letters may be names too.
        strict: take no word in small letters for a name even behind a label.
    """
    text = text.strip().rstrip(".,;").strip()
    if not text or len(text) > LONGEST:
        return None
    words = lexicon()
    if not after_label and ":" not in text and not _possible(text, words):
        return None
    labelled = sourced = False
    if marked := _MARK.match(text):
        text, labelled = text[marked.end() :], True
    if (":" in text or "," in text) and (label := words.label(text)):
        text, labelled, after_label = text[label:], True, not strict
    if text.casefold() not in words.agencies and (opener := words.opener(text)):
        rest = text[opener[1] :]
        if rest[:1].isupper() or rest.startswith("@") or _SOURCE.match(text):
            # "Foto Prensa Libre: Ana Sanz": the label names the agency.
            text, labelled = _AGENCY_LABEL.sub(r"\1 / ", rest), True
            sourced = _SOURCE.match(opener[0]) is not None
            after_label = after_label or sourced
    if "-" in text:
        text = _JOINED.sub(lambda m: f"{m[1]}/" if m[1].casefold() in words.agencies else m[0], text)
    loose = vague = known = False
    shapes: list[str] = []
    agencies: list[str] = []
    persons: list[str] = []
    strength = STRONG if labelled else 0
    parts = [part for part in _UNIT.split(text) if part.strip(" .")]
    if not parts or len(parts) > 6:
        return None
    whole = text.casefold() in words.agencies
    for part in [text] if whole else parts:
        part = part.strip(" .")
        if ":" in part and (label := words.label(part)):
            if shapes and not labelled:
                return None  # "Bombas insuficientes. Foto: Juan Pérez": what stands before a label is no credit
            part, strength = part[label:].strip(), STRONG
        if not part:
            continue
        head = part.split(None, 1)[0].title()
        if part is not parts[0] and not shapes and _DATE.fullmatch(part):
            continue
        folded = (_PHOTO.sub("", part) if part[-3:].lower() == "oto" else part).casefold()
        account = ("." in part or "@" in part) and _ACCOUNT.fullmatch(part) is not None
        if folded in words.agencies and (part[:1].isupper() or after_label or known or part in words.lower_agencies):
            agencies.append(part)
            strength, known = STRONG, True
        elif folded in words.labels:
            strength = max(strength, LIKELY)
        elif (account and " " in part) or _LICENCE.fullmatch(part):
            agencies.append(part)
            strength, known = STRONG, True
        elif account:
            agencies.append(part)
            strength = max(strength, LIKELY)
        elif head in words.sources and _name(part, words, False):
            agencies.append(part)
            strength = max(strength, STRONG if " " in part else LIKELY)
        elif head in words.sources and labelled and _name(part, words, True):
            agencies.append(part)  # "Foto: Página oficial del club"
        elif head in words.sources and len(parts) > 1 and ". " not in text and _name(part, words, True):
            # "Policía Federal belga vía AP": a body with small words, if an agency passes its picture on.
            agencies.append(part)
            vague = True
        elif kind := _name(part, words, after_label):
            if (kind != "agency" or " " in part) and not sourced:
                shapes.append(part)
            if kind == "person" and not (sourced and head not in words.given):
                persons.append(part)
            elif not part.islower():
                agencies.append(part)
            capitals = [token for token in part.split() if token.lower() not in words.particles]
            loose |= kind == "single" or (len(capitals) > 3 and head not in words.given)
            strength = max(strength, LIKELY if len(parts) > 1 or (kind == "agency" and len(part) > 2) else WEAK)
        else:
            return None
    if vague and strength < STRONG:
        return None
    if strength == LIKELY and len(parts) > 1 and not _FOR.search(text):
        strength = WEAK
    if not (agencies or persons or labelled):
        return None
    agency = "/".join(dict.fromkeys(agencies)) or None
    names = " / ".join(map(_normal_case, persons)) or None
    return Reading(strength, agency, names, labelled, loose, tuple(shapes), known)


def _possible(text: str, words: Lexicon) -> bool:
    """Whether the words could make up a credit at all; most captions fail at their second or third word."""
    tokens = text.replace("/", " ").split() or [text]
    if tokens[0].casefold() in words.opening:
        return True
    if tokens[0].title() in words.sources:
        return len(tokens) < 9
    for token in tokens:
        small = token[0].islower() and token not in words.joining and token.strip(",.") not in words.atoms
        if small and not _ACCOUNT.fullmatch(token):
            return len(tokens) < 5 and text.islower()
    return True


def _name(part: str, words: Lexicon, small: bool) -> str | None:
    """``person``, ``agency`` (capitals that no person is called by), or None."""
    tokens = part.split()
    if small is False and part.islower() and tokens and tokens[0].title() in words.given and len(tokens) > 1:
        return "person"
    if not 0 < len(tokens) <= 6 or part in words.not_credits:
        return None
    named = 0
    for at, token in enumerate(tokens):
        if not token.isalpha() and not _TOKEN.fullmatch(token.strip('()"“”«»')):
            return None
        if token[0].isupper():
            named += 1
        elif not small and token.casefold() not in (words.particles if at else ("van", "von")):
            return None
    if not named and not small:
        return None
    first = tokens[0].title()
    if len(tokens) > 1 and (first in words.given or (first[-1] == "." and _INITIALS.fullmatch(tokens[0]))):
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
            out.append(re.sub(r"(^|[-'’.]|\bmc)([^\W\d_])", lambda m: m[1].capitalize() + m[2].upper(), token))
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


Trust = Callable[[str], bool]


def _nobody(name: str) -> bool:
    del name
    return False


_BRACKET = re.compile(r"[(\[]([^()\[\]]{2,90})[)\]]")
_BRACKETS = re.compile(r"^[(\[](.*)[)\]]$")
_DASH = re.compile(
    r"(?=[\s|.–—-])(?:\s*\t\s*[-–—|]?\s*|\s+[-–—|•■●·:_/]+\s+|\s+[-–—|•■●·]+|[-–—]\s+"
    r"|(?<=[A-ZÁÉÍÓÚÑ])[-–—](?=[A-ZÁÉÍÓÚÑ])|\s{2,}|\.-\s*|\s*\|\s*)"
)
_STOP = re.compile(r"(?<=[^\W_]{2})[.:]\s+(?=[^\W_])|\s+[-–—|]+\s+(?=[^\W_])")
_STRONG_ONLY = re.compile(r":\s+|\.\s+")
_CAPTION_START = re.compile(r"[\"“«‘'¿¡(\[]*[^\W_]")


# Without any of these a line has neither a label nor a credit beside a caption.
_CUE = re.compile(
    r"[/|()\[\]:：©Ⓒ@\t–—•■●·▪_►▶▲▼◄◆◇○★☆→,]|\s[-\s]|[-\s]\s|[.!?…»”\"]\s?(?:[^\W\d_a-zß-ÿ]|dpa|epa)|[a-záéíóúñ\d][A-ZÁÉÍÓÚÑ]|[A-Z][-–—][A-Z]"
)


def cued(text: str, start: int, end: int) -> bool:
    """Whether anything in a stretch could set a credit off."""
    return _CUE.search(text, start, end) is not None


def split(text: str, trusts: Trust = _nobody, *, whole: bool = True) -> list[Part]:
    """Splits a block into captions and credits.

    Args:
        text: the block.
        trusts: says of a name that looks like any other whether it is a credit here.
        whole: whether all of it may be a credit.
    """
    start, end = 0, len(text)
    label = False
    if not cued(text, start, end):  # nothing sets a credit off; all of the line may be one
        return [_part(text, start, end, _nobody, label, whole)]
    while match := line_label(text, start):
        rest = text[match.end() :]
        reading = read(text[start:], strict=True) if whole else None
        if reading and (reading.strength >= LIKELY) and not match[0].startswith("photo_camera"):
            break
        if not rest:
            break
        # "Archivo - El presidente ... - EUROPA PRESS": a label if the credit stands behind.
        if (
            not match[0].startswith("photo_camera")
            and prefix(text, start, end, trusts)
            and (match[1] is None or not suffix(text, match.end(), end, trusts))
        ):
            break
        start, label = match.end(), True
    if text[start:end].startswith("[") and text.endswith("]") and text.count("[") == 1:
        inside = text[start + 1 : end - 1]
        if not read(inside, strict=True) and (match := line_label(inside)):
            start, end, label = start + 1 + match.end(), end - 1, True
    parts: list[Part] = []
    for left, right in _pieces(text, start, end):
        parts.append(_part(text, left, right, trusts, label, whole))
    return parts


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cuts a line where a credit ends one caption and starts the next."""
    cuts = []
    for match in _BRACKET.finditer(text, start, end):
        after = text[match.end() : min(end, match.end() + _WINDOW)]
        if (
            match.start() > start + 8
            and not read(text[max(start, match.start() - _WINDOW) : match.start()])
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
        left = max(start, at - _WINDOW)
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


def alone(text: str) -> bool:
    """Whether a line may be a credit and nothing else."""
    return read(_BRACKETS.sub(r"\1", text), strict=True) is not None


def _part(text: str, start: int, end: int, trusts: Trust, label: bool, whole: bool) -> Part:
    start, end = trim(text, start, end)
    stretch = text[start:end]
    inner = stretch[1:-1] if stretch[:1] + stretch[-1:] in ("()", "[]") else None
    reading = read(inner if inner is not None else stretch, strict=True) if whole else None
    if (
        reading
        and (not reading.loose or reading.labelled)
        and (reading.strength == STRONG or (reading.strength == LIKELY and "/" in stretch))
    ):
        at = start + (inner is not None)
        return Part(start, start, _credit_span(text, at, end - (inner is not None)), reading, label)
    if not cued(text, start, end):
        return Part(start, end, None, None, label)
    if found := prefix(text, start, end, trusts):
        (left, right), reading, after = found
        after, end = trim(text, after, end)
        return Part(after, end, (left, right), reading, label)
    if found := suffix(text, start, end, trusts):
        (left, right), reading, before = found
        start, before = trim(text, start, before)
        return Part(start, before, (left, right), reading, label)
    return Part(start, end, None, None, label)


_EDGE = "|/–—■●•▪►▶▲▼◄◆◇○★☆→⬆↑↓📷📸🎥📹🖼\u200b\ufe0f\ufeff"


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space and separators at the edges."""
    while start < end and (text[start].isspace() or text[start] in _EDGE):
        start += 1
    while start < end and text[start] == "-" and not text[start + 1 : start + 2].isdigit():
        start += 1
        while start < end and text[start].isspace():
            start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in "|/–—-■●•▪·,;\u200b\ufeff"):
        end -= 1
    return start, end


def _credit_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Span of a credit without the words that only introduce it ("Photo by") and without brackets and final dots."""
    while start < end and (text[start].isspace() or text[start] in "/|·•"):
        start += 1
    if mark := _MARK.match(text[start:end]):
        start += mark.end()
    if (opener := lexicon().opener(text[:end], start)) and _plain(opener[0]) in lexicon().dropped:
        start = opener[1]
    while start < end and (
        text[end - 1].isspace() or text[end - 1] in ",;|/–—-" or (text[end - 1] == "." and _final_dot(text[start:end]))
    ):
        end -= 1
    return start, end


def _final_dot(text: str) -> bool:
    """Whether the dot ends the line rather than an initial or "Jr."."""
    return not re.search(r"(?:\b[A-ZÁÉÍÓÚÑ]|\b[JS]r|EE\.?\s?UU)\.$", text)


_SPACED_DASH = re.compile(r"\s+[-–—]\s+(?=\S)")
Found = tuple[tuple[int, int], Reading, int]


def prefix(text: str, start: int, end: int, trusts: Trust) -> Found | None:
    """A credit in front: its span, its reading, and where the caption starts."""
    if text[start : start + 1] in ("(", "["):
        match = _BRACKET.match(text, start, end)
        if (
            match
            and (reading := read(match[1]))
            and (reading.strength >= LIKELY or (reading.photographer and not reading.loose))
            and match.end() < end
        ):
            return _credit_span(text, *match.span(1)), reading, match.end()
    limit = min(end, start + LONGEST)
    for match in _DASH.finditer(text, start + 1, limit):
        left = text[start : match.start()]
        if match[0] in ("-", "–", "—") and left.rpartition("/")[2].casefold() not in lexicon().agencies:
            continue  # "PHOTO/ANA SÁNCHEZ-MATA"
        if not (reading := read(left)):
            if len(left.split()) > 8:
                break
            continue
        if not _CAPTION_START.match(text, match.end(), end):
            continue
        if reading.strength >= LIKELY or trusts(left):
            if (
                reading.strength == LIKELY
                and not re.search(r"/|[a-z][A-Z]", left)
                and not trusts(left)
                and not reading.labelled
            ):
                continue
            if "/" in match[0] and (longer := _stopped(text, start, match.end(), limit)):
                return longer
            return _credit_span(text, start, match.start()), reading, match.end()
    for match in _STRONG_ONLY.finditer(text, start + 1, limit):
        left = text[start : match.start()]
        agency = left.casefold() in lexicon().agencies and left.isupper()
        reading = (
            read(left, strict=True) if agency or lexicon().opening & {left.split()[0].rstrip(":").casefold()} else None
        )
        if reading and (agency or (reading.labelled and not reading.loose)) and match.end() < end:
            return _credit_span(text, start, match.start()), reading, match.end()
    return _slashed(text, start, limit, end)


def _stopped(text: str, start: int, at: int, limit: int) -> Found | None:
    """A credit that goes on behind a slash up to a full stop, bar or dash: "© Name / AFP. La ministra ..."."""
    for match in _STOP.finditer(text, at, min(limit, at + 40)):
        left = text[start : match.start()]
        if (reading := read(left)) and reading.strength == STRONG and not reading.loose:
            return _credit_span(text, start, match.start()), reading, match.end()
    return None


def _slashed(text: str, start: int, limit: int, end: int) -> Found | None:
    """Finds a credit that only its slash and the capital after it set off: "Gorka Beitia/EFE En abril, ..."."""
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
            if reading and reading.strength >= LIKELY and not text[slash + 1 + tokens[count].start() : end].isupper():
                return (start, right), reading, right
    return None


def suffix(text: str, start: int, end: int, trusts: Trust) -> Found | None:
    """A credit behind: its span, its reading, and where the caption ends."""
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".,;"):
        end -= 1
    start = max(start, end - _WINDOW)
    if found := _labelled(text, start, end, trusts):
        return found
    if not (glued := _glued(text, start, end, trusts)):
        if bracketed := _bracketed(text, start, end, trusts):
            return _before_bracket(text, start, end, bracketed) or bracketed
        separated = _separated(text, start, end, trusts)
        return separated and (_before_slash(text, start, end, separated) or separated)
    # "... - EUROPA PRESS/L. SANZ. POOL - Archivo": the full stop is inside the credit.
    separated = _separated(text, start, glued[0][0], trusts)
    if separated and separated[1].strength == STRONG:
        whole = text[separated[0][0] : end]
        if len(whole) <= LONGEST and (reading := read(whole)):
            return _credit_span(text, separated[0][0], end), reading, separated[2]
    return glued


def _before_slash(text: str, start: int, end: int, found: Found) -> Found | None:
    """A credit whose agency nothing sets off: "... de los vecinos EUROPA PRESS / ANA SANZ"."""
    (at, _), reading, before = found
    if reading.agency or "/" not in text[before:at]:
        return None
    tokens = list(re.finditer(r"\S+", text[start:before]))
    for token in tokens[-3:]:
        agency = text[start + token.start() : before].rstrip()
        if (
            agency.isupper()
            and agency.casefold() in lexicon().agencies
            and (both := read(text[start + token.start() : end]))
        ):
            return (start + token.start(), found[0][1]), both, start + token.start()
    return None


def _before_bracket(text: str, start: int, end: int, found: Found) -> Found | None:
    """A credit that starts before its brackets: "... de la mañana | Marta Vidal (EFE)"."""
    _, reading, opening = found
    if reading.photographer or reading.labelled:
        return None
    separated = _separated(text, start, opening, _nobody)
    if separated is None or not separated[1].photographer or separated[1].agency:
        return None
    at = separated[0][0]
    both = read(text[at:end])
    return ((at, end), both, separated[2]) if both else None


def _bracketed(text: str, start: int, end: int, trusts: Trust) -> Found | None:
    """Finds a credit in brackets: "... de sus casas. (EFE)"."""
    if text[end - 1 : end] not in (")", "]"):
        return None
    opening = max(text.rfind("(", start, end), text.rfind("[", start, end))
    inside = text[opening + 1 : end - 1]
    reading = read(inside) if opening > start else None
    if reading is None:
        return None
    before = text[start:opening]
    short = inside.isupper() and inside.isalpha() and not reading.labelled
    capitals = inside.isupper() and not before.isupper()
    if (
        trusts(inside)
        or inside[0] == "@"
        or (
            inside not in lexicon().not_credits and not _initials(before, inside, sure=reading.strength == STRONG)
            if short
            else reading.strength == STRONG
            or capitals
            or (reading.strength == LIKELY and ("/" in inside or reading.photographer is not None))
            or (reading.photographer is not None and _aside(before, inside))
        )
    ):
        return _credit_span(text, opening + 1, end - 1), reading, opening
    return None


def _aside(before: str, inside: str) -> bool:
    """Whether a name in brackets is not about the name in front of it, as in "en Getafe (Comunidad de Madrid)"."""
    last = before.split()[-1:] or [""]
    return 2 <= len(inside.split()) <= 4 and not last[0][:1].isupper() and "," not in inside


_OPENING_WORD = re.compile(r"(?<![^\W_])[^\W\d_]+|[©Ⓒⓒ]|\((?:c|C)\)")
_BEFORE_OPENER = re.compile(r"[.!?…»”\")\]|/■–—-]\s?$|\s{2}$")


def _labelled(text: str, start: int, end: int, trusts: Trust) -> Found | None:
    """Finds a credit behind a label: "... Foto: Elena Prats", or "Foto Elena Prats" where a sentence has ended."""
    del trusts
    words = lexicon()
    opening = words.opening
    text = text[:end]
    if opening.isdisjoint(_OPENING_WORD.findall(text[start:].casefold())):
        return None
    for match in _OPENING_WORD.finditer(text, start + 2, end):
        at = match.start()
        if match[0].casefold() not in opening:
            continue
        mark = not match[0].isalpha() or match[0] in "©Ⓒ"
        colon = mark or words.label(text, at) > 0
        if not colon:
            if not _BEFORE_OPENER.search(text[max(start, at - 2) : at]):
                continue
            opener = words.opener(text, at)
            if not opener or not (text[opener[1]].isupper() or text[opener[1]] == "@" or _SOURCE.match(opener[0])):
                continue
        rest = text[at:]
        reading = read(rest, after_label=colon)
        if reading is None and not mark and colon and len(rest) <= LONGEST and len(rest.split()) <= 7:
            reading = Reading(STRONG, None, None, labelled=True)
        if reading and reading.labelled and text[start:at].strip():
            opened = text[start:at].rstrip()
            if opened.endswith(("(", "[")):
                stop = end - 1 if text[end - 1] in ")]" else end
                return _credit_span(text, at, stop), reading, start + len(opened) - 1
            return _credit_span(text, at, end), reading, at
    return None


_SEPARATOR = re.compile(
    r"(?=[\s|■●•·/.])(?:\s*[|■●•·\t]\s*|\s+[/–—-]+\s*|\s+::?\s+|\s*/\s+|(?<=[.!?»”])\s*/+\s*|\.-\s*|\s{2,})"
)


def _separated(text: str, start: int, end: int, trusts: Trust) -> Found | None:
    """Finds a credit behind a separator: "... de sus casas / Europa Press"."""
    for match in _SEPARATOR.finditer(text, start, end):
        rest = text[match.end() : end]
        if len(rest) > LONGEST or not text[start : match.start()].strip():
            continue
        # "… Gorka Beitia/EFE": the slash is inside the credit.
        if "/" in match[0] and not match[0][0].isspace() and text[match.start() - 1] not in ".!?»”":
            continue
        reading = read(rest)
        if reading is None:
            continue
        named = reading.photographer is not None or reading.agency is not None
        sets_off = any(c in match[0] for c in "/|\t■●•") or match[0] == " – "
        if reading.strength == STRONG or trusts(rest) or (sets_off and named and rest[:1].isupper()):
            return _credit_span(text, match.end(), end), reading, match.start()
    return None


_SENTENCE_END = re.compile(
    r"(?<![\W_][A-ZÁÉÍÓÚÑ])[.!?…»”\")\]]\s?(?=[A-ZÁÉÍÓÚÑÀÈÒÖÜÇ@/]|(?:dpa|epa)\b)|\d(?=[A-ZÁÉÍÓÚÑ]{2}|[A-ZÁÉÍÓÚÑ][a-záéíóúñ])"
    r"|[a-záéíóúñ](?=[A-ZÁÉÍÓÚÑ])"
)


# "... de Palma. Imagen de archivo. EFE": the sentence is the caption's.
_ARCHIVE = re.compile(r"(?i)(?:imagen|imágenes|vista) de archivo\s?[.(/|–-]|(?:foto|fotografía|fotos) de archivo\.\s")


def _glued(text: str, start: int, end: int, trusts: Trust) -> Found | None:
    """Finds a name where the last sentence has ended, with or without a blank: "... de 2024.Marta Vidal"."""
    for match in _SENTENCE_END.finditer(text, start, end):
        rest = text[match.end() : end]
        glued = match[0][0].isalnum()
        if glued and not (rest.isupper() or (match[0].isdigit() and " " in rest) or lexicon().label(rest)):
            continue
        if (
            glued
            and rest.isupper()
            and not match[0].isdigit()
            and text[start : match.start()].split(" ")[-1:][0][:1].isupper()
        ):
            continue  # "McDonald", "YouTube"
        if _ARCHIVE.match(rest):
            continue
        if len(rest) <= LONGEST and (reading := read(rest)) and _closing(rest, reading, trusts):
            at = match.end() + len(rest) - len(rest.lstrip("/ "))
            return _credit_span(text, at, end), reading, match.start() + len(match[0].rstrip())
    return None


def _closing(rest: str, reading: Reading, trusts: Trust) -> bool:
    """Whether what follows the caption's last sentence is a credit rather than a short sentence."""
    if reading.strength >= LIKELY or trusts(rest) or rest.isupper():
        return reading.strength == STRONG or "/" in rest or trusts(rest) or rest.isupper() or rest[0] == "@"
    return reading.photographer is not None and 2 <= len(rest.split()) <= 4 and "," not in rest


def _initials(before: str, inside: str, *, sure: bool) -> bool:
    """Whether bracketed capitals are the initials of the name in front of them ("… la Media Luna Roja (MLR)").

    Args:
        before: what stands before the brackets.
        inside: the capitals.
        sure: they are a known agency's, which only an exact match of capitalised words can outweigh.
    """
    letters = inside.casefold()
    words = re.findall(r"[^\W\d_]+", before)[-9:]
    if sure:
        initials = ""
        for word in reversed(words):
            if word[0].isupper():
                initials = word[0].casefold() + initials
            elif word not in lexicon().joining and word not in ("para", "of", "the", "en"):
                break
        return initials.endswith(letters)
    at = 0
    for word in words:
        if at < len(letters) and word[0].casefold() == letters[at]:
            at += 1
    return at >= max(2, len(letters) - 1)
