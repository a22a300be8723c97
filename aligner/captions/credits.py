"""Credits: what agency and whom a picture is by, recognised by their parts.

A credit is a row of units (agencies, persons, accounts, sources) between separators, often behind a label. Whether a
stretch of a line is one is told from its units alone, with a strength: a lone "Juan Pérez" is a credit only where
something else speaks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from aligner.records import Credit
from aligner.resources import data_json

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
    label_heads: frozenset[str]
    label_words: frozenset[str]
    openers: frozenset[str]
    line_labels: frozenset[str]
    bare_labels: frozenset[str]
    dropped: frozenset[str]
    interface: frozenset[str]
    sources: frozenset[str]
    source_ends: frozenset[str]
    wires: frozenset[str]
    agency_heads: frozenset[str]
    small: frozenset[str]
    starts: frozenset[str]
    atoms: frozenset[str]
    opening: frozenset[str]
    joining: frozenset[str]

    def label(self, text: str, at: int = 0) -> int:
        """Where a credit label with its colon ("Foto: ") ends that starts at ``at``; 0 if there is none.

        A label is one word for a picture or its origin, and any more of the words that labels are made of.
        """
        match = _LABEL.match(text, at)
        if match is None:
            return 0
        words = match[1].casefold().replace("/", " ").split()
        if words[0] not in self.label_heads or not self.label_words.issuperset(words):
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


_ARTICLES = frozenset(["el", "la", "los", "las", "the"])


def _head(text: str) -> str:
    """The first word, or the first two where the first is an article: "la prensa", in small letters."""
    words = text.casefold().split(None, 2)
    return " ".join(words[: 2 if words[0] in _ARTICLES else 1])


@cache
def lexicon() -> Lexicon:
    """The bundled lexicon, read once."""
    stored = data_json("find-lexicon.json")
    labels = [label.split() for label in stored["credit_labels"]]
    phrases = [*stored["credit_openers"], *stored["credit_labels"], "(c)", "©", "ⓒ", "📷", "📸"]
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
        label_heads=frozenset(label[0].casefold().partition("/")[0] for label in labels),
        label_words=frozenset(
            word.casefold() for label in labels for word in " ".join(label).replace("/", " ").split()
        ),
        openers=frozenset(_plain(opener.rstrip(":")) for opener in stored["credit_openers"]),
        line_labels=frozenset(map(_plain, stored["line_labels"])),
        bare_labels=frozenset(stored["bare_labels"]),
        interface=frozenset(stored["interface"]),
        sources=frozenset(stored["sources"]),
        wires=frozenset(map(str.casefold, stored["wires"])),
        source_ends=frozenset(stored["source_ends"]),
        agency_heads=frozenset(_head(agency) for agency in stored["agencies"]),
        small=frozenset(stored["small_words"]),
        starts=frozenset(stored["caption_starts"]),
        dropped=frozenset(_plain(opener.rstrip(":")) for opener in stored["drop_openers"]),
    )


# Up to four words and the colon behind them; up to three words; what separates an opener from the name.
_LABEL = re.compile(r"([^\W\d_]+(?:(?:\s{1,3}|\s?/\s?)[^\W\d_]+){0,4})\s{0,2}[:：,]\s*")
_WORDS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){0,2}")
_GAP = re.compile(r"\s*[|©–—-]\s*|\s+©?|:\s*")
_LINE_LABEL = re.compile(
    r"([^\W\d_]+(?:\s[^\W\d_]+){0,3})\s*(?::\s*|\|\s*|\s[-–—]\s+|[,.]\s+(?=\S))|photo_camera\s+|[■●▪►▶•]\s*"
)


@cache
def _bare_label() -> re.Pattern[str]:
    """Labels that need nothing behind them, as no caption starts like them ("PIE DE FOTO UNA NIÑA ...")."""
    labels = "|".join(map(re.escape, sorted(lexicon().bare_labels, key=len, reverse=True)))
    return re.compile(rf"(?i:{labels})\s+(?=[«“\"¿¡]?[^\W\d_a-zß-ÿ])")


def line_label(text: str, at: int = 0, end: int | None = None) -> re.Match[str] | None:
    """A label in front of a caption ("Pie de foto: ", "GALERÍA | ")."""
    end = len(text) if end is None else end
    match = _LINE_LABEL.match(text, at, end)
    if match is None:
        return _bare_label().match(text, at, end)
    if match[1] is None:
        return match
    ends = match[0][len(match[1]) :].strip()
    # "Pie de foto, ...", "FOTO DE ARCHIVO. ..." and "VÍDEO. ...", but "Imagen, ..." and "Imagen. ..." are captions.
    sure = " " in match[1] or ends not in (",", ".") or (ends == "." and match[1].isupper())
    return match if sure and _plain(match[1]) in lexicon().line_labels else None


_PLATFORM = (
    r"(?:Unsplash|Pexels|Pixabay|Flickr|Wikimedia|Instagram|Facebook|Twitter|X|YouTube|TikTok|Telegram|Shutterstock)"
)
_UNIT = re.compile(
    r"\s*[/|&+·]+\s*|\s+[-–—]\s+|,\s+(?:v[ií]a\s+)?|\s+(?=[\w.-]+@[\w-]+\.)|\s*[()]\s*|\s+(?:y|e|and|et|i|vía|via|para|por|for)\s+"
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
_NUMBERED = re.compile(r"\d{1,3}|[^\W\d_]{2,}\d{1,3}")  # "El 19 Digital", "Canal 13", "TN23"
_TOKEN = re.compile(r"(?:[^\W\d_]|[.’'`´-])+")
_ACCOUNT = re.compile(
    r"(?:[^\W\d_][\w.]*:? ){0,2}@[\w.]+|[\w.-]+@[\w.-]+|(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*\.(?:com|es|org|net|mx|ar|co|cl|uk|info|tv|eu|gov|gob)(?:[./]\S*)?"
)
_SOURCE = re.compile(
    r"(?i)(?:\w+ )?(?:cortes[ií]a|gentileza|captura|archivo|cedid[ao]s?|facilitad[ao]s?|handout|courtesy|tomad[ao]s?"
    r"|redes)\b"
)
_MARK = re.compile(r"^(?:[©Ⓒ📷📸]|\(c\))\s*", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d,?\s+(?=\D)")
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
    if text.endswith(" et al"):
        text = text[:-6]
    if not after_label and ":" not in text and not _possible(text, words):
        return None
    labelled = sourced = False
    if marked := _MARK.match(text):
        text, labelled = text[marked.end() :], True
        if year := _YEAR.match(text):
            text = text[year.end() :]
    if text[:1] == "@" and " " in text and "/" not in text:
        text, labelled = text[1:], True  # "@Vatican Media"
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
        if not part or part.isspace():
            continue
        head = part.split(None, 1)[0].title()
        if part is not parts[0] and (known or labelled or not shapes) and _DATE.fullmatch(part):
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
        elif (head in words.sources or part.split()[-1] in words.source_ends) and _name(part, words, False):
            agencies.append(part)
            strength = max(strength, STRONG if " " in part else LIKELY)
        elif head in words.sources and labelled and _name(part, words, True):
            agencies.append(part)  # "Foto: Página oficial del club"
        elif head in words.sources and len(parts) > 1 and ". " not in text and _name(part, words, True):
            # "Policía Federal belga vía AP": a body with small words, if an agency passes its picture on.
            agencies.append(part)
            vague = True
        elif kind := _name(part, words, after_label, len(parts) > 1):
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


def _name(part: str, words: Lexicon, small: bool, several: bool = False) -> str | None:
    """``person``, ``agency`` (capitals that no person is called by), or None.

    Args:
        part: a unit of a credit.
        words: the lexicon.
        small: words in small letters may be names too.
        several: there are other units.
    """
    tokens = part.split()
    if small is False and part.islower() and tokens and tokens[0].title() in words.given and len(tokens) > 1:
        return "person"
    if not 0 < len(tokens) <= 6 or (part in words.not_credits and not small):
        return None
    named = 0
    numbered = False
    for at, token in enumerate(tokens):
        if not token.isalpha() and not _TOKEN.fullmatch(token.strip('()"“”«»')):
            if not _NUMBERED.fullmatch(token) or not (small or several or len(tokens) > 1):
                return None
            numbered = True
        if token[0].isupper():
            if at and token.isupper() and token.lower() in words.small:
                return None  # "AUDIENCIA CON UN CONDUCTOR"
            named += 1
        elif token[0].isdigit():
            continue
        elif (
            not small
            and token.casefold() not in (words.particles if at else ("van", "von"))
            and (token != "el" or not at)
        ):
            return None
    if not named and not small:
        return None
    if numbered:
        return "agency" if named else None
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


def place(side: str, separator: str) -> str:
    """Where a credit stands: ``<`` in front of or ``>`` behind the caption, and the mark that sets it off, if any."""
    mark = separator.strip()[:1]
    if side == "<" and len(separator) > 3:
        return WIDE
    return side + ("-" if mark in ("–", "—") else "(" if mark == "[" else mark)


_BRACKET = re.compile(r"[(\[]([^()\[\]]{2,90})[)\]]")
_BRACKETS = re.compile(r"^[(\[](.*)[)\]]$")
_DASH = re.compile(
    r"[\s|.–—-](?:(?<=\s)(?=[\s|•■●·:_/–—-])"
    r"(?:\s*\t\s*[-–—|]?\s*|\s*[-–—|•■●·:_/]+\s+|\s*[-–—|•■●·]+|\s+)|(?<=\t)[-–—|]?"
    r"|(?<!\s)(?:(?<=[-–—])\s+|(?<=[A-ZÁÉÍÓÚÑ][-–—])(?=[A-ZÁÉÍÓÚÑ])|(?<=\.)-\s*|(?<=\|)\s*))"
)
_STOP = re.compile(r"(?<=[^\W_]{2})[.:]\s+(?=[^\W_])|\s+[-–—|]+\s+(?=[^\W_])")
_STRONG_ONLY = re.compile(r":\s+|\.\s+")
_CAPTION_START = re.compile(r"[\"“«‘'¿¡(\[]*[^\W_]")


# Without any of these a line has neither a label nor a credit beside a caption.
_CUE = re.compile(
    r"[/\\📷📸|()\[\]:：©Ⓒ@\t–—•■●·▪_►▶▲▼◄◆◇○★☆→,]|\s[-\s]|[-\s]\s|[.!?…»”\"]\s?(?:[^\W\d_a-zß-ÿ]|dpa|epa)|[a-záéíóúñ\d][A-ZÁÉÍÓÚÑ]|[A-Z][-–—][A-Z]"
)


def cued(text: str, start: int, end: int) -> bool:
    """Whether anything in a stretch could set a credit off."""
    return _CUE.search(text, start, end) is not None


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
        if reading and (reading.strength >= LIKELY) and not match[0].startswith("photo_camera"):
            break
        if not rest:
            break
        # "Archivo - El presidente ... - EUROPA PRESS": a label if the credit stands behind.
        if (
            not match[0].startswith("photo_camera")
            and prefix(text, start, end, hints)
            and (match[1] is None or not suffix(text, match.end(), end, hints))
        ):
            break
        start, label = match.end(), True
    if text[start:end].startswith("[") and text[:end].endswith("]") and text.count("[", start, end) == 1:
        inside = text[start + 1 : end - 1]
        if not read(inside, strict=True) and (match := line_label(inside)):
            start, end, label = start + 1 + match.end(), end - 1, True
    parts: list[Part] = []
    for left, right in _pieces(text, start, end):
        parts.append(_part(text, left, right, hints, label, whole))
    return parts


_TAG = r"<[^<>]{1,200}>|\\?\[/?(?:caption|img|url|center|em|b|i)\b[^\[\]]{0,200}\]"
_COUNTER = r"[(\[]?\d{1,3}\s?(?:/|de|of)\s?\d{1,3}(?!\w)[)\]]?(?:\s?[|:.·•–—-](?=\s)|(?=\s[«“\"¿¡]?[A-ZÁÉÍÓÚÑ]))"
_ITEM = r"\d{1,2}(?:\.-|[.)]\s(?=[«“\"¿¡]?[A-ZÁÉÍÓÚÑ]))"
_OPENED = re.compile(rf"(?:\s{{0,9}}(?:{_TAG}|{_COUNTER}|{_ITEM}))+")
_CLOSED = re.compile(rf"(?:\s{{0,9}}(?:{_TAG}|[(\[]\d{{1,3}}\s?/\s?\d{{1,3}}[)\]]|(?<=\))\s?\([a-z]{{2,3}}\)))+\s*$")


def _unwrapped(text: str) -> tuple[int, int]:
    """Where a line starts and ends without left-over tags and counters: "<em>", "3 / 8", "[/caption]", "1.-"."""
    start, end = 0, len(text)
    if (text[0] in "<[(\\" or text[0].isdigit()) and (opened := _OPENED.match(text)):
        start = opened.end()
    if text[-1] in ">])" and (closed := _CLOSED.search(text, max(start, end - 250))):
        end = closed.start()
    if start or end < len(text):
        return (start, end) if text[start:end].strip() else (0, len(text))
    return start, end


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


_DEPICTS = re.compile(r"(?i:im[aá]gen(?:es)?|capturas?)\s+de(?:l|\s(?:el|las?|los))?\s+([^/|·(\n]+)")
_SHOWN_BY = frozenset(["archivo", "cortesía", "internet", "pantalla", "recurso", "referencia", "tv", "video", "vídeo"])


def depicts(text: str, at: int = 0) -> bool:
    """Whether a line says what a picture is of ("Imagen de ambiente"), not whom it is by ("Imagen de Reuters")."""
    match = _DEPICTS.match(text, at)
    if match is None:
        return False
    words = match[1].strip(" .")
    if words.split()[0].casefold() in _SHOWN_BY or words.casefold() in lexicon().agencies:
        return False
    reading = read(words, strict=True)
    if reading is None:
        return True
    person = reading.photographer is not None and reading.photographer.split()[0] in lexicon().given
    return not (person or reading.known or (reading.strength == STRONG and reading.agency))


def alone(text: str) -> bool:
    """Whether a line may be a credit and nothing else."""
    return read(_BRACKETS.sub(r"\1", text), strict=True) is not None


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
        return Part(start, start, _credit_span(text, at, end - (inner is not None)), reading, label)
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


_EDGE = "|/–—■●•▪►▶▲▼◄◆◇○★☆→⬆↑↓📷📸🎥📹🖼\u200b\ufe0f\ufeff"


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Without white space and separators at the edges."""
    while start < end and (text[start].isspace() or text[start] in _EDGE):
        start += 1
    while start < end and text[start] == "-" and not text[start + 1 : start + 2].isdigit():
        start += 1
        while start < end and text[start].isspace():
            start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in "|/\\–—-■●•▪▲►▶📷📸🎥📹·,;\u200b\ufeff"):
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


def prefix(text: str, start: int, end: int, hints: Hints) -> Found | None:
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
            return _credit_span(text, start, match.start()), reading, match.end()
    introduced = text[start:limit].split(None, 1)[0].rstrip(":").casefold() in lexicon().opening
    for match in _STRONG_ONLY.finditer(text, start + 1, limit):
        left = text[start : match.start()]
        agency = left.isupper() and left.casefold() in lexicon().agencies
        several = "/" in left and left[-2:].isalpha()
        reading = read(left, strict=True) if agency or several or introduced else None
        sure = reading and (agency or (several and reading.known) or (reading.labelled and not reading.loose))
        if reading and sure and match.end() < end:
            return _credit_span(text, start, match.start()), reading, match.end()
    return fronted(text, start, end, hints)


def _stopped(text: str, start: int, at: int, limit: int) -> Found | None:
    """A credit that goes on behind a slash up to a full stop, bar or dash: "© Name / AFP. La ministra ..."."""
    for match in _STOP.finditer(text, at, min(limit, at + 40)):
        left = text[start : match.start()]
        if (reading := read(left)) and reading.strength == STRONG and not reading.loose:
            return _credit_span(text, start, match.start()), reading, match.end()
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
    if (first[1].casefold() if head in _ARTICLES else head) not in words.agency_heads and head not in words.opening:
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
            return _credit_span(text, start, start + len(left)), reading, tokens[at].start()
    return None


def suffix(text: str, start: int, end: int, hints: Hints) -> Found | None:
    """A credit behind: its span, its reading, and where the caption ends."""
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".,;"):
        end -= 1
    start = max(start, end - _WINDOW)
    if found := labelled(text, start, end):
        return found
    if not (glued := _glued(text, start, end, hints)):
        return _bracketed(text, start, end, hints) or _separated(text, start, end, hints)
    # "... - EUROPA PRESS/L. SANZ. POOL - Archivo": the full stop is inside the credit.
    separated = _separated(text, start, glued[0][0], hints)
    if separated and separated[1].strength == STRONG:
        whole = text[separated[0][0] : end]
        if len(whole) <= LONGEST and (reading := read(whole)):
            return _credit_span(text, separated[0][0], end), reading, separated[2]
    return glued


def _bracketed(text: str, start: int, end: int, hints: Hints) -> Found | None:
    """Finds a credit in brackets: "... de sus casas. (EFE)"."""
    if text[end - 1 : end] not in (")", "]"):
        return None
    opening = max(text.rfind("(", start, end), text.rfind("[", start, end))
    inside = text[opening + 1 : end].rstrip(")]")
    reading = read(inside) if opening > start else None
    if reading is None:
        return None
    left, stop = opening + 1, opening + 1 + len(inside)
    while text[opening - 1] in "([" and opening > start + 1:
        opening -= 1
    before = text[start:opening].rstrip()
    short = inside.isupper() and inside.isalpha() and not reading.labelled
    capitals = inside.isupper() and not before.isupper()
    apart = before[-1:] in tuple(".!?…")  # a sentence has ended: what is in brackets says nothing about it
    if (
        hints.trusts(inside, ">(" if apart or not (before.split() or [""])[-1][:1].isupper() else "")
        or inside[0] == "@"
        or (
            inside not in lexicon().not_credits and not _initials(before, inside, sure=reading.strength == STRONG)
            if short
            else reading.strength == STRONG
            or capitals
            or (reading.strength == LIKELY and ("/" in inside or reading.photographer is not None))
            or (inside.split()[-1].isupper() and len(inside.split()[-1]) > 3 and not before.isupper())
            or (reading.photographer is not None and (apart or _aside(before, inside)) and "," not in inside)
        )
    ):
        return _credit_span(text, left, stop), reading, opening
    return None


def _aside(before: str, inside: str) -> bool:
    """Whether a name in brackets is not about the name in front of it, as in "en Getafe (Comunidad de Madrid)"."""
    last = before.split()[-1:] or [""]
    return 2 <= len(inside.split()) <= 4 and not last[0][:1].isupper()


_OPENING_WORD = re.compile(r"(?<![^\W_])[^\W\d_]+|[©Ⓒⓒ📷📸]|\((?:c|C)\)")
_BEFORE_OPENER = re.compile(r"[.!?…»”\")\]|/■▲–—-]\s?$|\s{2}$")
# "... en el taller Foto Ana Sanz": a label with a capital behind a word in small letters, or in a line of capitals.
_CAPITAL_OPENER = re.compile(r"(?:Foto|Fotos|FOTO|FOTOS|Fotografía|Photo|Cortesía|CORTESÍA|Gentileza|Captura)\b")
_BEFORE_CAPITAL = re.compile(
    r"(?<![^\W_])(?!(?:para|como|desde|entre|hacia|hasta|según|contra|nuestra|PARA|COMO|DESDE|ENTRE)\s)"
    r"(?:[a-záéíóúüñ]{4,}|[A-ZÁÉÍÓÚÑ]{4,}|\d+)\s$"
)


_NAMED = re.compile(r"[^\W\d_a-zß-ÿ]|@|(?:dpa|epa|efe|afp|reuters)\b")


def labelled(text: str, start: int, end: int) -> Found | None:
    """Finds a credit behind a label: "... Foto: Elena Prats", or "Foto Elena Prats" where a sentence has ended."""
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
        glued = False
        if not colon:
            before = text[max(start, at - 30) : at]
            glued = not _BEFORE_OPENER.search(before)
            if glued and not (_CAPITAL_OPENER.match(text, at) and _BEFORE_CAPITAL.search(before)):
                continue
            opener = words.opener(text, at)
            if not opener or (not _NAMED.match(text, opener[1]) and not _SOURCE.match(opener[0])):
                continue
        rest = text[at:]
        reading = read(rest, after_label=colon)
        if reading is None and (match[0] == "©" or not mark) and colon and len(rest) <= LONGEST + 20 * mark:
            if len(rest.split()) > (15 if mark else 7):
                continue
            reading = Reading(STRONG, None, None, labelled=True)
        if reading and glued and (rest.islower() or (text[start:].isupper() and not reading.known)):
            continue
        if reading and (reading.labelled or (glued and reading.known)) and text[start:at].strip():
            opened = text[start:at].rstrip()
            if opened.endswith(("(", "[")):
                stop = end - 1 if text[end - 1] in ")]" else end
                return _credit_span(text, at, stop), reading, start + len(opened) - 1
            return _credit_span(text, at, end), reading, at
    return None


_SEPARATOR = re.compile(  # a set of letters first, for which a text is searched several times as fast
    r"[\s|■●•·/.:\\](?:(?<=\s)(?=[\s|■●•·\\/–—»:-])(?:\s*(?:[|■●•·\\]+\s*|[/–—»-]+\s*|::?\s+)|\s+)|(?<=\t)"
    r"|(?<!\s)(?:(?<=[|■●•·\\])[|■●•·\t\\]*\s*|(?<=[/:])\s+|(?<=[.!?»”]/)/*\s*|(?<=\.)[–—-]+\s*))"
)


def _separated(text: str, start: int, end: int, hints: Hints) -> Found | None:
    """Finds a credit behind a separator: "... de sus casas / Europa Press"."""
    for match in _SEPARATOR.finditer(text, max(start, end - LONGEST - 10), end):
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
        sets_off = named and (any(c in match[0] for c in "/|\\\t■●•.»") or match[0] == " – ")
        several = " " in rest and rest.isupper() and not text[start : match.start()].isupper()
        if match[0][0] == ":":  # "... de la obra: R. I.", but "Nadie lo sabe: Ana Sanz" says who said so
            first = rest.split()[0]
            sure = several and (first.title() in lexicon().given or _INITIALS.fullmatch(first) is not None)
        else:
            sure = reading.strength == STRONG or several or (sets_off and (rest[:1].isupper() or rest[:1] == "@"))
        if sure or (match[0][0] != ":" and hints.trusts(rest, place(">", match[0]))):
            return _credit_span(text, match.end(), end), reading, match.start()
    return None


_SENTENCE_END = re.compile(
    r"(?<![\W_][A-ZÁÉÍÓÚÑ])(?:[.!?…],?|[»”)\]\"](?<!\s\"))\s?(?=[A-ZÁÉÍÓÚÑÀÈÒÖÜÇ@/]|(?:dpa|epa)\b)|\d(?=[A-ZÁÉÍÓÚÑ]{2}|[A-ZÁÉÍÓÚÑ][a-záéíóúñ])"
    r"|[a-záéíóúñ](?=[A-ZÁÉÍÓÚÑ])"
)


# "... de Palma. Imagen de archivo. EFE": the sentence is the caption's.
_ARCHIVE = re.compile(r"(?i)(?:imagen|imágenes|vista) de archivo\s?[.(/|–-]|(?:foto|fotografía|fotos) de archivo\.\s")


def _glued(text: str, start: int, end: int, hints: Hints) -> Found | None:
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
        if len(rest) <= LONGEST and (reading := read(rest)) and _closing(rest, reading, hints, match[0]):
            at = match.end() + len(rest) - len(rest.lstrip("/ "))
            return _credit_span(text, at, end), reading, match.start() + len(match[0].rstrip())
    return None


def _closing(rest: str, reading: Reading, hints: Hints, edge: str) -> bool:
    """Whether what follows the caption's last sentence is a credit rather than a short sentence."""
    if hints.trusts(rest, place(">", "." if edge[0] in "!?…" else edge)):
        return True
    if reading.strength >= LIKELY or rest.isupper():
        return reading.strength == STRONG or "/" in rest or rest.isupper() or rest[0] == "@"
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
