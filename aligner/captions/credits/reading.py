"""A stretch of text read as a credit: its agencies and persons, and how sure it is one from its words alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from aligner.captions.credits.lexicon import Lexicon, lexicon
from aligner.records import Credit

STRONG, LIKELY, WEAK = 3, 2, 1
_PLATFORM = (
    r"(?:Unsplash|Pexels|Pixabay|Flickr|Wikimedia|Instagram|Facebook|Twitter|X|YouTube|TikTok|Telegram|Shutterstock)"
)
_UNIT = re.compile(
    r"\s*[/|&+·•]+\s*|\s+[-–—]\s+|,\s+(?:v[ií]a\s+)?|\s+(?=[\w.-]+@[\w-]+\.)|\s*[()]\s*|\s+(?:y|e|and|et|i|vía|via|para|por|for)\s+"
    rf"|(?<=[^\W\d_]{{2}})\.\s+(?=[^\W\d_a-zà-ÿ@])|\s+(?:en|on|em|su)\s+(?={_PLATFORM}\b)"
)
_PICTURE_CODE = re.compile(r"[A-Z]{2,4}\d{4,}")  # "UNICEF/UN0312345/Halabi"
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
_INITIAL_END = re.compile(r"((?:^|\.)\s?[A-ZÁÉÍÓÚÑ])$")  # "A. P": its last dot went with the sentence's
INITIALS = re.compile(r"(?:[A-ZÁÉÍÓÚÑ]\.\s?){1,3}")
_NUMBERED = re.compile(r"\d{1,3}|[^\W\d_]{2,}\d{1,3}")  # "El 19 Digital", "Canal 13", "TN23"
_TOKEN = re.compile(r"(?:[^\W\d_]|[.’'`´-])+")
_ACCOUNT = re.compile(
    r"(?:[^\W\d_][\w.]*:? ){0,2}@[\w.]+|[\w.-]+@[\w.-]+|(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*\.(?:com|es|org|net|mx|ar|co|cl|uk|info|tv|eu|gov|gob)(?:[./]\S*)?"
)
SOURCE = re.compile(
    r"(?i)(?:\w+ )?(?:cortes[ií]a|gentileza|captura|archivo|cedid[ao]s?|facilitad[ao]s?|handout|courtesy|tomad[ao]s?"
    r"|redes)\b"
)
# "(c)" before small letters says who stands in the middle: "Ana Sanz (c) y Luis Paz (d)".
MARK = re.compile(
    r"^(?:[©Ⓒ📷📸]|\(c\)(?=\s*(?:(?-i:[A-ZÁÉÍÓÚÑ])|[\d@]|(?:dpa|epa|efe|afp|reuters)\b)))\s*", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d\d,?\s+(?=\D)")
LONGEST = 90  # letters of the longest credit


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
    if marked := MARK.match(text):
        text, labelled = text[marked.end() :], True
        if year := _YEAR.match(text):
            text = text[year.end() :]
    if text[:1] == "@" and " " in text and "/" not in text:
        text, labelled = text[1:], True  # "@Vatican Media"
    if (":" in text or "," in text) and (label := words.label(text)):
        text, labelled, after_label = text[label:], True, not strict
    if text.casefold() not in words.agencies and (opener := words.opener(text)):
        rest = text[opener[1] :]
        if rest[:1].isupper() or rest.startswith("@") or SOURCE.match(text):
            # "Foto Prensa Libre: Ana Sanz": the label names the agency.
            text, labelled = _AGENCY_LABEL.sub(r"\1 / ", rest), True
            sourced = SOURCE.match(opener[0]) is not None
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
        if known and _PICTURE_CODE.fullmatch(part):
            continue
        folded = (_PHOTO.sub("", part) if part[-3:].lower() == "oto" else part).casefold()
        account = ("." in part or "@" in part) and _ACCOUNT.fullmatch(part) is not None
        if folded in words.agencies and (not part.islower() or after_label or known or part in words.lower_agencies):
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
        elif (head in words.sources or part.split()[-1] in words.source_ends) and (
            _name(part, words, False, len(parts) > 1)
            or (head == "Archivo" and words.source_kinds.issuperset(part.split()[1:]))
        ):
            agencies.append(part)
            strength = max(strength, STRONG if " " in part else LIKELY)
        elif head in words.sources and labelled and _name(part, words, True):
            agencies.append(part)  # "Foto: Página oficial del club"
        elif head in words.sources and len(parts) > 1 and ". " not in text and _name(part, words, True):
            # "Policía Federal belga vía AP": a body with small words, if an agency passes its picture on.
            agencies.append(part)
            vague = True
        elif kind := _name(part, words, after_label or (labelled and part.isupper()), len(parts) > 1):
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
    names = " / ".join(_INITIAL_END.sub(r"\1.", _normal_case(name)) for name in persons) or None
    return Reading(strength, agency, names, labelled, loose, tuple(shapes), known)


def _possible(text: str, words: Lexicon) -> bool:
    """Whether the words could make up a credit at all; most captions fail at their second or third word."""
    tokens = text.replace("/", " ").split() or [text]
    if tokens[0].casefold() in words.opening:
        return True
    if tokens[0].title() in words.sources:
        return len(tokens) < 11
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
    # "Fondo Fotográfico de la Universidad de Navarra"
    body = tokens[:1] and tokens[0].title() in words.sources and tokens[0].casefold() not in words.label_heads
    if not 0 < len(tokens) <= (10 if body and not (small or several) else 6) or (
        part in words.not_credits and not small
    ):
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
    if len(tokens) > 1 and (first in words.given or (first[-1] == "." and INITIALS.fullmatch(tokens[0]))):
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


_BRACKETS = re.compile(r"^[(\[](.*)[)\]]$")


def alone(text: str) -> bool:
    """Whether a line may be a credit and nothing else."""
    return read(_BRACKETS.sub(r"\1", text), strict=True) is not None


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
