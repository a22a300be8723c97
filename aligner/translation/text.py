"""Text on its way into the model: normalised like the training text, what needs no translation set aside."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import TypeVar

_T = TypeVar("_T")

#: English months, as alternatives of a pattern.
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
# Texts that a function remembers, and characters of the longest.
_REMEMBERED, _LONGEST = 128, 4_000


def remembered(function: Callable[[str], _T]) -> Callable[[str], _T]:
    """A function of a text that remembers what it made of the last ones, unless they are long.

    A source is read beside each of its hypotheses, and each of these by several checks.
    """
    known = lru_cache(maxsize=_REMEMBERED)(function)

    @wraps(function)
    def remembering(text: str) -> _T:
        return known(text) if len(text) <= _LONGEST else function(text)

    return remembering


_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "’": "'", "‘": "'", "‚": "'", "‛": "'"}
)
# Soft hyphens, zero-width characters, direction marks and byte-order marks: invisible, unknown to a
# vocabulary. A joiner after an emoji makes one of two ("👩‍🚒"); what chooses the look of a letter or sign ("™️") goes.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
    "|(?<![\U0001f000-\U0001faff\u2190-\u2bff\ufe0f])\u200d"
    "|(?<![\U0001f000-\U0001faff\u2190-\u2bff\u200d])[\ufe0e\ufe0f](?!\u20e3)"
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def straight_quotes(text: str) -> str:
    """Curly and angle quotes made straight, white space folded, accents composed, HTML entities resolved.

    So was the training text of the bundled model; OPUS-MT's models had the same done to theirs by Moses'
    scripts.
    """
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    text = unicodedata.normalize("NFC", text).translate(_QUOTES)
    return " ".join(_INVISIBLE.sub("", text).split())


#: Typographic quotation marks and apostrophes, straight ones, either.
CURLY, STRAIGHT, QUOTES = re.compile("[“”’]"), re.compile(r"\"|(?<=\w)'(?=\w)"), re.compile("[\"'“”‘’]")
_CLOSES = re.compile(r"(?<=\S)'(?!\w)")
_CODE = re.compile(r"<[^<>]*>|`[^`]*`|\]\([^()\s]*\)")
_OPENS = re.compile(r"(?:^|[\s(\[{/—–“‘>*_-])$")


def curled(text: str) -> str:
    """A text with curly quotation marks and apostrophes; markup, code, URLs and feet and inches stay."""
    if not QUOTES.search(text):
        return text
    kept = [match.span() for match in (*_CODE.finditer(text), *literal_spans(text))]
    out: list[str] = []
    open_ = False
    for i, char in enumerate(text):
        if char in ('"', "'") and not any(start <= i < end for start, end in kept):
            opens = _OPENS.search("".join(out[-1:])) is not None and text[i + 1 : i + 2].strip() != ""
            if not opens and not open_ and text[i - 1 : i].isdigit() and not text[i + 1 : i + 2].isalpha():
                pass  # 5'10"
            elif char == '"':
                open_ = opens
                char = "“" if opens else "”"
            else:
                quoted = opens and not text[i + 1 : i + 2].isdigit() and _CLOSES.search(text, i + 1)
                char = "‘" if quoted else "’"
        out.append(char)
    return "".join(out)


def uncurled(text: str) -> str:
    """A text with straight quotation marks and apostrophes."""
    return text if text.isascii() else text.translate(_QUOTES)


# Signs of money as words: one, several.
_MONEY = {"€": ("euro", "euros"), "£": ("libra", "libras"), "$": ("dólar", "dólares"), "¥": ("yen", "yenes")}
_SCALE = r"mil|miles|mill[oó]n|millones|bill[oó]n|billones"
_BEFORE = re.compile(rf"([€£¥])\s?(\d(?:[\d.,]*\d)?)(?:\s({_SCALE})\b)?", re.IGNORECASE)
_AFTER = re.compile(rf"(?<=\d)\s?([€£$¥])(?!\w)|\b({_SCALE})(\sde)?\s([€£¥])", re.IGNORECASE)
_FRACTION = re.compile("[¼-¾⅐-⅞]")


# "2 mil 536", "15 mil 300.5": thousands as the Mexican press writes them.
_THOUSANDS = re.compile(
    r"(?<![\d.,])(\d{1,3})\smil\s(\d{1,3})((?:\.\d{1,2})?)(?![.,:]?\d|\s(?:mil|millones)\b)", re.IGNORECASE
)
_PESOS = {"d": "dólares", "p": "pesos"}


_SIDES = {"i": "izquierda", "d": "derecha", "c": "centro"}
_LEFT, _RIGHT, _MIDDLE = r"(?:izqda|izda|izquierda|izq)", r"(?:dcha|drcha|derecha|der)", r"(?:centro|ctro)"
_ACROSS = re.compile(
    rf"\b(?:de\s+)?(?:({_LEFT})\.?\s+a\s+{_RIGHT}|{_RIGHT}\.?\s+a\s+{_LEFT})\b\.?(?=\W|$)", re.IGNORECASE
)
_SIDE = re.compile(rf"(?<=[(\[,])(\s*(?:(?:a|por) la )?)({_LEFT}|{_RIGHT}|{_MIDDLE})\b\.?(?=\s*[)\],;])", re.IGNORECASE)
_LETTER = re.compile(r"(?<=[^\W\d_] \()[idc](?=\))")


def sides(text: str) -> str:
    """A Spanish text with "de izda. a dcha.", "(izq.)", "(d)" and the like in full, as models were taught them."""

    def across(found: re.Match[str]) -> str:
        if "izquierda" in (whole := found[0].lower()) and "derecha" in whole:
            return found[0]
        full = "de izquierda a derecha" if found[1] else "de derecha a izquierda"
        return full[0].upper() + full[1:] if found[0][0].isupper() else full

    def side(found: re.Match[str]) -> str:
        return found[1] + _SIDES[found[2][0].lower()]

    def letter(found: re.Match[str]) -> str:
        named = text[: found.start()].split()[-2][:1].isupper()  # "Ana Sanz (c)", not "la letra (d)"
        return _SIDES[found[0]] if named else found[0]

    changed = _SIDE.sub(side, _ACROSS.sub(across, text if "(" not in text else _LETTER.sub(letter, text)))
    return changed.upper() if text.isupper() else changed


_SHORT = {
    "ayto": "ayuntamiento", "avda": "avenida", "dra": "dr.", "gral": "general", "mª": "maría", "pdte": "presidente",
    "pdta": "presidenta", "sr": "señor", "sra": "señora", "sres": "señores",
}  # fmt: skip
_IN_SHORT = re.compile(r"\b(?:(Ayto|Avda|Dra|Gral|Pdte|Pdta|Sra?|Sres)\.|(M)ª\.?)(?=\s+\w)", re.IGNORECASE)


def in_full(text: str) -> str:
    """A Spanish text with "Ayto.", "Dra.", "Sr." and "Mª" in full, which models hardly know."""

    def full(found: re.Match[str]) -> str:
        key = "mª" if found[2] else found[1].lower()
        word = _SHORT[key]
        if found[0][0].islower() or (key.startswith("s") and found.start() and not text.isupper()):
            return word
        return word.upper() if text.isupper() else word[0].upper() + word[1:]

    return _IN_SHORT.sub(full, text) if "." in text or "ª" in text else text


def _grouped(found: re.Match[str]) -> str:
    """Writes "2 mil 536" as "2.536"; with decimals as "2,536.5", as the Mexican press writes them."""
    mark = "," if found[3] else "."
    return f"{found[1]}{mark}{int(found[2]):03d}{found[3]}"


def amounts(text: str) -> str:
    """A Spanish text with "50 €", "€3 millones" and "½" written "50 euros", "3 millones de euros" and "1/2".

    "2 mil 536" is written "2.536", and "mdd" "millones de dólares". A small model drops a sign behind a number, or
    makes another of it. "$50" stays: English has it too.
    """
    if "mil " in text or "MIL " in text:
        text = _THOUSANDS.sub(_grouped, text)
    if "md" in text:
        text = re.sub(r"(?<=\d\s)md([dp])\b", lambda found: f"millones de {_PESOS[found[1]]}", text)
    if text.isascii() and "$" not in text:
        return text

    def words(number: str, scale: str, sign: str) -> str:
        name = _MONEY[sign][number != "1" or bool(scale)]
        return f"{scale} {name}" if scale.lower() in ("", "mil") else f"{scale} de {name}"

    def before(found: re.Match[str]) -> str:
        return found[2] + " " + words(found[2], found[3] or "", found[1]).lstrip()

    def after(found: re.Match[str]) -> str:
        if found[2]:
            return words("", found[2], found[4])
        number = text_[: found.start()].rpartition(" ")[2]
        return " " + words(number, "", found[1]).lstrip()

    text_ = _BEFORE.sub(before, _FRACTION.sub(lambda f: unicodedata.normalize("NFKC", f[0]).replace("⁄", "/"), text))
    spelled = _AFTER.sub(after, text_)
    return spelled.upper() if text.isupper() else spelled


def folded(text: str) -> str:
    """White space folded and nothing else."""
    return " ".join(text.split())


#: Ways to normalise text before it is encoded; a model's manifest names one.
NORMALISATIONS: Mapping[str, Callable[[str], str]] = {
    "straight-quotes": straight_quotes,
    "white-space": folded,
}

URL = r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]}']"
EMAIL = r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
HANDLE = r"(?<![\w.@])@\w{2,30}"
HASHTAG = r"(?<![\w#&])#\w*[^\W\d_]\w*"
_TOP = "com|org|net|edu|gob|gov|info|es|mx|ar|co|cl|pe|uk|eu|tv"
_DOMAIN = rf"(?<![\w@.])(?:[a-z0-9-]+\.)+(?:{_TOP})(?:\.[a-z]{{2}})?(?:/\w\S*)?(?![\w.-]*\w)"
#: What must come out of a translation exactly as it went in.
LITERAL = re.compile(f"(?:{URL})|(?:{EMAIL})|(?:{HANDLE})|(?:{HASHTAG})|(?:{_DOMAIN})")
# Symbols that no caption's sentence needs: pictographs, bullets, arrows, their joiners and skin tones.
_SYMBOLS = "\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3•·‣◦|"
_SYMBOL = f"[{_SYMBOLS}]+"
_EDGE = f"(?:{LITERAL.pattern}|{_SYMBOL})"
_LEADING = re.compile(rf"(?:{_EDGE}\s*)+")
_TRAILING = re.compile(rf"(?:\s*(?<!\S){_EDGE})+\s*[.]?$|\s*{_SYMBOL}$")
# Words in scripts that the model does not write, with their quotation marks.
_SCRIPTS = (
    "[\u0370-\u03ff\u0400-\u052f\u0530-\u10ff\u1100-\u11ff\u1f00-\u1fff\u2e80-\ud7ff"
    "\uf900-\ufaff\ufb1d-\ufdff\ufe70-\ufeff\uff66-\uffdc]+"
)
_QUOTED = rf"[\"'\u201c\u2018\u00ab]{_SCRIPTS}(?:\s+{_SCRIPTS})*[\"'\u201d\u2019\u00bb]"
_SCRIPT = re.compile(_SCRIPTS)
_MARK = f"[{_SYMBOLS.replace('|', '').replace('·', '')}]"
_WITH_SCRIPTS = f"(?:{_MARK}|{_QUOTED}|{_SCRIPTS})"
# By whether words in other scripts are marks as well.
_PICTOGRAPH = {False: re.compile(_MARK), True: re.compile(_WITH_SCRIPTS)}
# What parts of a caption stand around; a line or a middle dot only between spaces.
_BOUNDARY = {
    scripts: re.compile(rf"\s*(?:{mark}\s*)+|\s+[|·]\s+") for scripts, mark in ((False, _MARK), (True, _WITH_SCRIPTS))
}


def _is_mixed(text: str) -> bool:
    """Whether a text has words in other scripts, but fewer letters of them than of the Latin one."""
    other = sum(map(len, _SCRIPT.findall(text)))
    return 0 < 2 * other < sum(map(str.isalpha, text))


def between_symbols(text: str) -> list[tuple[str, str]]:
    """A text cut at emoji, bullets, arrows and words in other scripts: (part, what cuts it and spaces after it).

    Joined they are the text. A part without a letter belongs to the symbols before it.
    """
    parts: list[tuple[str, str]] = []
    start = 0
    for match in [*_BOUNDARY[_is_mixed(text)].finditer(text), None]:
        part = text[start : match.start()] if match else text[start:]
        mark = match[0] if match else ""
        start = match.end() if match else len(text)
        if parts and not any(map(str.isalpha, part)):
            parts[-1] = (parts[-1][0], parts[-1][1] + part + mark)
        elif part or mark:
            parts.append((part, mark))
    return parts


# Texts without any of this hold no literal; most captions are done with here.
_HINT = re.compile(r"[@#]|://|[Ww]{3}\.|[\w-]\.[a-z]")


@remembered
def literal_spans(text: str) -> tuple[re.Match[str], ...]:
    """Where URLs, e-mail addresses, handles and hashtags stand."""
    return tuple(LITERAL.finditer(text)) if _HINT.search(text) else ()


def literals(text: str) -> list[str]:
    """URLs, e-mail addresses, handles and hashtags, in order."""
    return [match[0] for match in literal_spans(text)]


def without_literals(text: str) -> str:
    """The text with a space in the place of each of them."""
    return LITERAL.sub(" ", text) if literal_spans(text) else text


def pictographs(text: str) -> list[str]:
    """Emoji, bullets, arrows and words in other scripts, in order."""
    return [] if text.isascii() else _PICTOGRAPH[_is_mixed(text)].findall(text)


@dataclass(frozen=True, slots=True)
class Peeled:
    """A text and what needs no translation at its edges; ``lead + core + tail`` is the text."""

    lead: str
    core: str
    tail: str


def peel(text: str) -> Peeled:
    """Sets aside URLs, handles, hashtags, emoji and bullets at both ends of a text.

    A small model garbles them; at an edge they can be taken off and put back without touching the sentence. A
    text without a letter outside them is all ``lead``.
    """
    lead = match[0] if (match := _LEADING.match(text)) else ""
    rest = text[len(lead) :]
    tail = match[0] if (match := _TRAILING.search(rest)) else ""
    core = rest[: len(rest) - len(tail)]
    if not any(char.isalpha() for char in core):
        return Peeled(text, "", "")
    # "@ABC anuncia …": the sentence would lose its subject, "según @ABC" its object.
    if lead and core[:1].islower():
        last = literals(lead)[-1:]
        if last and lead.rstrip().endswith(last[0]):
            at = lead.rindex(last[0])
            lead, core = lead[:at], lead[at:] + core
    if tail and _GOVERNS.search(core):
        first = literals(tail)[:1]
        kept = tail[: tail.find(first[0]) + len(first[0])] if first else ""
        core, tail = core + kept, tail[len(kept) :]
    return Peeled(lead, core, tail)


_GOVERNS = re.compile(
    r"(?:^|\s)(?:a|al|ante|con|contra|de|del|desde|en|entre|hacia|hasta|para|por|según|sin|sobre|tras|vía|el|la|los|las|"
    r"un|una|y|o)$",
    re.IGNORECASE,
)
