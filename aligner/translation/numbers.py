"""Numbers of a text: read by value on both sides, compared, and mended where a translation garbled them.

A number is what is written with digits, with the scale after it ("20.000 millones"), and in Spanish a Roman numeral
after a name or "siglo". Two numbers are equal if one reading of each has the same value: "1.500" of a Spanish text is
1500, "3,5" is 3.5, "1,500" may be either (Mexican papers write thousands so), "21.30" may be a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from aligner.resources import data_json
from aligner.translation.text import MONTHS, literal_spans, without_literals

_NUMBER = re.compile(
    r"\d{1,3}(?:[.,\u00a0\u202f' ]\d{3})+(?![.,]?\d)|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:[, ]\d{3})+\.\d+"
    r"|\d+(?::\d+){2,}|\d+:\d{3,}|\d{1,2}:[0-5]\d(?!\d)|\d+(?:[.,'’]\d+)*"
)
_DIGIT = re.compile(r"\d")
_SCALE_ES = re.compile(
    r"\s*(mil(?:es)?(?:\s+(?:de\s+)?millones)?|millones|millón|billones|billón|mdd|mdp|bn|mln)\b", re.IGNORECASE
)
_SCALE_EN = re.compile(
    r"[\s-]*((?:thousand\s+)?millions?|thousands?|hundred|billions?|trillions?|bn|mln|tn|k|m)\b", re.IGNORECASE
)
_SCALES = {
    "mil": 10**3,
    "miles": 10**3,
    "mil millones": 10**9,
    "miles millones": 10**9,
    "thousand million": 10**9,
    "millones": 10**6,
    "millón": 10**6,
    "mdd": 10**6,
    "mdp": 10**6,
    "mln": 10**6,
    "billones": 10**12,
    "billón": 10**12,
    "bn": 10**9,
    "hundred": 10**2,
    "thousand": 10**3,
    "k": 10**3,
    "million": 10**6,
    "m": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "tn": 10**12,
}
_ENGLISH_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))
_CLOCK = re.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)")
_HOUR_BEFORE = re.compile(r"\b(?:las?|hacia)\s+$", re.IGNORECASE)
_HOUR_AFTER = re.compile(r"\s*(?:h(?:s|rs?|oras)?\b|horas\b)", re.IGNORECASE)
_SHARED = re.compile(r"\s*(?:[-–]|y|o|a|to|and|or)\s*[$€£]?(?=\d)")
_NOON = re.compile(r"\s*[ap]\.?m\b", re.IGNORECASE)
_SHORT_YEAR_BEFORE = re.compile(r"[’'´]$|\b(?:años|los|década de los)\s*$", re.IGNORECASE)
_ORDINAL_ES = re.compile(r"\.?(?:[ºª°](?!\s*[CFNSEO]\b)|(?:er|ero|era|do|da|to|ta|mo|ma|vo|va|no|na)\b)")
_ORDINAL_EN = re.compile(r"(?:\.?[ºª°]|o|a|st|nd|rd|th)(?!\w)")
_THOUSANDS_DOTS = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_DECIMAL_COMMA = re.compile(r"\d+,(?:\d{1,2}|\d{4,})")
_SCORE = re.compile(r"(?<![\w-])(\d{1,3})[-–](\d{1,3})(?![\w-])")
_PERCENT = re.compile(r"\s*%")
_PERCENT_EN = re.compile(r"\s*(?:%|per\s?cent|-?percentage|points?\b|pp\b)", re.IGNORECASE)
_ROMAN_NUMERAL = r"(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})"
_ROMAN = re.compile(
    rf"(?:\b[Ss]iglos?|\b[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{{2,}})\s+({_ROMAN_NUMERAL})(?![\w.'’-])(?:\s+(?:y|al?|o)\s+({_ROMAN_NUMERAL})(?![\w.'’-]))?"
)
_ANY_ROMAN = re.compile(r"\b[IVXLCDM]+\b")


@dataclass(frozen=True, slots=True)
class Number:
    """A number written with digits.

    Attributes:
        start: offset in its text.
        end: offset just after the digits.
        text: the digits with their separators.
        values: readings, as normalised decimals ("1500", "3.5") and times ("21:30").
        scale: what the word after it multiplies it by, 1 if there is none.
    """

    start: int
    end: int
    text: str
    values: frozenset[str]
    scale: int = 1


@dataclass(frozen=True, slots=True)
class Compared:
    """Numbers of a source beside those of a translation.

    Attributes:
        pairs: (of the source, of the translation) that are equal.
        lost: of the source, without a counterpart.
        added: of the translation, without a counterpart.
    """

    pairs: tuple[tuple[Number, Number], ...]
    lost: tuple[Number, ...]
    added: tuple[Number, ...]


# ------------------------------------------------------------------------------------------------- reading


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _readings(text: str, *, spanish: bool) -> frozenset[Decimal]:
    """Values that digits with separators may have."""
    digits = re.sub(r"\D", "", text)
    marks = re.findall(r"\D", text)
    if not marks:
        return frozenset([Decimal(digits)])
    if marks[0] == ":":
        return frozenset()
    whole, fraction = re.split(r"[.,]", text)[0], text.rpartition(marks[-1])[2]
    grouped = re.fullmatch(r"\d{1,3}(?:([.,\u00a0\u202f' ])\d{3})(?:\1\d{3})*", text)
    found = set()
    if grouped:
        found.add(Decimal(digits))
    if len(marks) == 1 and marks[0] in ".," and not (grouped and marks[0] == ("." if spanish else ",")):
        found.add(Decimal(f"{whole}.{fraction}"))
    elif len(set(marks)) > 1 and marks[-1] in ".," and marks.count(marks[-1]) == 1:
        found.add(Decimal(f"{re.sub(r'[^0-9]', '', text[: -len(fraction) - 1])}.{fraction}"))
    return frozenset(found)


def read(text: str, *, spanish: bool) -> list[Number]:
    """The numbers of a text that are written with digits; those in URLs, handles and hashtags left out.

    Args:
        text: Spanish text, or text of another language with English habits.
        spanish: which.
    """
    return list(_read(text, spanish))


# A source is read beside each of its hypotheses, and each of these before and after it is mended.
@lru_cache(maxsize=256)
def _read(text: str, spanish: bool) -> tuple[Number, ...]:
    if not _DIGIT.search(text):
        return ()
    kept = [match.span() for match in literal_spans(text)]
    found = []
    for match in _NUMBER.finditer(text):
        if kept and any(start <= match.start() < end for start, end in kept):
            continue
        found.append(_number(text, match, spanish=spanish))
    return tuple(found)


def _number(text: str, match: re.Match[str], *, spanish: bool) -> Number:
    number = match[0]
    readings = _readings(number, spanish=spanish)
    multiplier = 1
    if scale := (_SCALE_ES if spanish else _SCALE_EN).match(text, match.end()):
        name = " ".join(word for word in scale[1].lower().split() if word != "de")
        multiplier = _SCALES[name if name in _SCALES else name.rstrip("s")]
    values = {_plain(value * multiplier) for value in readings}
    if scale and scale[1].lower() == "m":  # metres as well
        values |= {_plain(value) for value in readings}
    if number.isdigit() and number[0] == "0" and len(number) > 2:
        values = {number}  # a code: "0005" is not "005"
    elif ":" in number or not readings:
        values = {number}  # a score of sets, a version ("6.2.2"), an address ("192.168.0.1")
    before, after = text[: match.start()], text[match.end() :]
    if (
        not scale
        and (beyond := _SHARED.match(after))
        and (shared := _number_at(text, match.end() + beyond.end(), spanish))
    ):
        values |= {_plain(value * shared.scale) for value in readings}  # "entre 30.000 y 40.000 millones"
    if clock := _CLOCK.fullmatch(number):
        values |= _times(int(clock[1]), clock[2])
    elif (
        number.isdigit()
        and int(number) <= 24
        and (_HOUR_AFTER.match(after) or _NOON.match(after) or (spanish and _HOUR_BEFORE.search(before)))
    ):
        values |= _times(int(number), "00")
    if not spanish:
        return Number(match.start(), match.end(), number, frozenset(values), multiplier)
    if number.isdigit() and len(number) == 2 and _SHORT_YEAR_BEFORE.search(before):
        values |= {"19" + number, "20" + number}
    if rest := re.match(r"\s+(?:mil|millones|millón)\s+(?:y\s+)?(\d{1,3})(\s+mil)?\b", after, re.IGNORECASE):
        # "15 mil 300", "2 millones 300 mil"
        more = Decimal(rest[1]) * (1000 if rest[2] else 1)
        values |= {_plain(value * multiplier + more) for value in readings}
    if len(number) <= 3 and (
        head := re.search(r"(?:(\d+)\s+)?(mil|millones|millón)\s+(?:y\s+)?$", before, re.IGNORECASE)
    ):
        whole = Decimal(head[1] or 1) * _SCALES[head[2].lower()]
        values |= {_plain(whole + value * multiplier) for value in readings}
    return Number(match.start(), match.end(), number, frozenset(values), multiplier)


def _number_at(text: str, start: int, spanish: bool) -> Number | None:
    match = _NUMBER.match(text, start)
    return _number(text, match, spanish=spanish) if match else None


def _times(hour: int, minute: str) -> set[str]:
    hours = {hour, hour % 12 or 12, hour % 24}
    return {f"{h}:{minute}" for h in hours}


@dataclass(frozen=True, slots=True)
class _Words:
    spanish: re.Pattern[str]
    english: dict[str, str]
    months: list[str]


@cache
def _words() -> _Words:
    known = data_json("translation-es-en.json")
    return _Words(
        re.compile(rf"\b(?:{'|'.join(known['number_words_es'].split())})\b", re.IGNORECASE),
        known["numbers_en"],
        known["months_en"].split(),
    )


def spelled(text: str) -> set[str]:
    """Values that the words of an English text stand for: "twenty-one", "first", "two hundred and four", "March"."""
    known = _words()
    found: set[str] = set()
    total = part = 0  # of the number read so far: whole thousands, and what is below
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in known.months:
            found.add(str(known.months.index(word) + 1))
        value = known.english.get(word)
        if value is None:
            if word != "and":
                total, part = 0, 0
            continue
        found.add(value)
        size = int(value)
        if size > 1000 and not part and total:  # "three thousand million"
            total *= size
        elif size >= 1000:
            total, part = total + max(part, 1) * size, 0
        elif size == 100:
            part = max(part, 1) * size
        elif size >= 10 and 10 <= part < 100:
            part = part * 100 + size  # "nineteen seventy"
        else:
            part += size
        found.add(str(total + part))
    return found


# ------------------------------------------------------------------------------------------------- comparing


def compare(source: str, target: str, *, spanish: bool) -> Compared:
    """Pairs the numbers of both sides one to one: those written alike first, then those of one value, in order."""
    before, after = read(source, spanish=spanish), read(target, spanish=False)
    pairs: list[tuple[Number, Number]] = []
    for alike in (True, False):
        for one in list(before):
            for other in after:
                if one.text == other.text and one.values & other.values if alike else one.values & other.values:
                    pairs.append((one, other))
                    before.remove(one)
                    after.remove(other)
                    break
    return Compared(tuple(pairs), tuple(before), tuple(after))


def doubts(source: str, target: str, *, spanish: bool) -> Iterator[tuple[str, str]]:
    """(``numbers-lost`` or ``numbers-added``, the numbers) of a translation.

    A number may come spelled out, as a part of another ("60" in "1960s", "5/3" in "3 May"), or once where the source
    has it twice.
    """
    roman = list(_roman(source, target)) if spanish else []
    if not _DIGIT.search(source) and not _DIGIT.search(target):
        if roman:
            yield "numbers-lost", ", ".join(roman)
        return
    found = compare(source, target, spanish=spanish)
    prose = without_literals(target)
    lost = roman
    if found.lost:
        have = {value for number in read(target, spanish=False) for value in number.values} | spelled(prose)
        have |= {part.lstrip("0") or "0" for part in re.findall(r"\d+", prose)} if not found.added else set()
        lost = [number.text for number in found.lost if not _stands(number, have)] + lost
    lost += _percentages(source, target, found)
    if lost:
        yield "numbers-lost", ", ".join(lost)
    if found.added and not (spanish and (_words().spanish.search(source) or _ANY_ROMAN.search(source))):
        plain = without_literals(source)
        known = {value for number in read(source, spanish=spanish) for value in number.values}
        known |= {part.lstrip("0") or "0" for part in re.findall(r"\d+", plain)}
        added = [number.text for number in found.added if not _stands(number, known)]
        if added := [text for text in added if not (text in {"19", "1"} and "covid" in target.lower())]:
            yield "numbers-added", ", ".join(added)


def _stands(number: Number, have: set[str]) -> bool:
    """Whether one of its values, or all of its parts, are in ``have``."""
    if number.values & have:
        return True
    parts = [part.lstrip("0") or "0" for part in re.findall(r"\d+", number.text)]
    if number.scale == 1 and len(parts) > 1 and set(parts) <= have and not _THOUSANDS_DOTS.fullmatch(number.text):
        return True  # "1:0" may come as "Hamburg 1, Gladbach 0"
    return any(
        (len(value) == 2 and len(other) == 4 and other.endswith(value))
        or (len(value) == 4 and len(other) == 2 and value.endswith(other))
        for value in number.values
        for other in have
    )


def _percentages(source: str, target: str, found: Compared) -> list[str]:
    """Numbers whose per cent sign is gone from the translation altogether."""
    if "%" not in source or _PERCENT_EN.search(target):
        return []
    return [f"{one.text} %" for one, _ in found.pairs if _PERCENT.match(source, one.end)]


def _roman(source: str, target: str) -> Iterator[str]:
    """Roman numerals after a name or "siglo" that the translation has in no form."""
    have = None
    for match in _ROMAN.finditer(source):
        for numeral in filter(None, match.groups()):
            if re.search(rf"\b{numeral}(?:st|nd|rd|th)?\b", target):
                continue
            if have is None:
                have = set(re.findall(r"\d+", target)) | spelled(target)
            if str(_value(numeral)) not in have:
                yield numeral


def _value(numeral: str) -> int:
    total = 0
    ones = {"I": 1, "V": 5, "X": 10}
    for i, letter in enumerate(numeral):
        value = ones[letter]
        total += -value if any(ones[later] > value for later in numeral[i + 1 : i + 2]) else value
    return total


# ------------------------------------------------------------------------------------------------- mending


def mend(source: str, target: str) -> str:
    """A translation into English with the numbers of its Spanish source: garbled ones replaced, forms made English.

    Replaced are numbers of the translation that the source does not have, if as many are missing or one digit string
    shows what it was to be ("38,0000" for "38.000", "122019" for "12 de 2019"). Copied ones get English form: "1.500"
    → "1,500", "3,5" → "3.5", "21.30h" → "21:30h", and ordinals their ending, "4º" → "4th", "43st" → "43rd". A score
    that was turned round is turned back, a day on both sides of its month ("2 March 2, 2022") stays once.

    Args:
        source: Spanish text.
        target: its translation.
    """
    if not _DIGIT.search(target):
        return target
    target = _centuries(source, target)
    found = compare(source, target, spanish=True)
    edits: list[tuple[int, int, str]] = []
    for one, other in found.pairs:
        if one.text == other.text:
            edits += _localised(source, one, target, other)
    if found.lost and found.added:
        edits += _replaced(source, found, target)
    for start, end, text in sorted(edits, reverse=True):
        target = target[:start] + text + target[end:]
    if (scores := _SCORE.findall(source)) and len(scores) == 1:
        target = _SCORE.sub(
            lambda match: "-".join(scores[0]) if match.groups() == scores[0][::-1] else match[0], target
        )
    return _DAY_TWICE.sub(r"\1 \2\3", target)


_DAY_TWICE = re.compile(rf"\b(\d\d?) ({MONTHS}) \1(?:,( \d{{4}})\b|(?=\.?$))")
_CENTURY_ES = re.compile(rf"\b[Ss]iglos?\s+({_ROMAN_NUMERAL})(?!\w)(?:\s+(?:y|al?)\s+({_ROMAN_NUMERAL})(?!\w))?")
_CENTURY_EN = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)(?=[- ](?:and \d\d?(?:st|nd|rd|th) )?[Cc]entur)")


def _centuries(source: str, target: str) -> str:
    """Ordinals before "century" as the source's Roman numerals have them, if there are as many."""
    if "iglo" not in source:
        return target
    wanted = [_value(numeral) for match in _CENTURY_ES.finditer(source) for numeral in match.groups() if numeral]
    found = list(_CENTURY_EN.finditer(target))
    if len(wanted) != len(found):
        return target
    for match, value in reversed(list(zip(found, wanted, strict=True))):
        target = f"{target[: match.start()]}{value}{_suffix(value)}{target[match.end() :]}"
    return target


def _localised(source: str, one: Number, target: str, other: Number) -> Iterator[tuple[int, int, str]]:
    suffix = _ORDINAL_EN.match(target, other.end) if one.text.isdigit() else None
    if suffix and (suffix[0] in ("st", "nd", "rd", "th") or _ORDINAL_ES.match(source, one.end)):
        yield other.start, suffix.end(), one.text + _suffix(int(one.text))
        return
    written = _english(source, one)
    if written != other.text:
        yield other.start, other.end, written


def _english(source: str, number: Number) -> str:
    """The digits of a Spanish number with English separators, where their meaning is beyond doubt."""
    text = number.text
    before, after = source[: number.start], source[number.end :]
    if before[-1:].isalpha():
        return text
    if (_HOUR_AFTER.match(after) or _HOUR_BEFORE.search(before)) and (clock := _CLOCK.fullmatch(text)):
        return f"{clock[1]}:{clock[2]}"
    if _THOUSANDS_DOTS.fullmatch(text) or _DECIMAL_COMMA.fullmatch(text):
        return text.translate(str.maketrans(".,", ",."))
    return text


def _suffix(value: int) -> str:
    return "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


def _replaced(source: str, found: Compared, target: str) -> Iterator[tuple[int, int, str]]:
    lost, added = list(found.lost), list(found.added)
    out_loud = spelled(without_literals(target))
    lost = [number for number in lost if not number.values & out_loud]
    for other in list(added):
        digits = _digits(other.text)
        run = next((some for some in _runs(lost) if "".join(_digits(one.text) for one in some) == digits), None)
        if run:
            yield other.start, other.end, ", ".join(_english(source, one) for one in run)
            added.remove(other)
            lost = [one for one in lost if one not in run]
    if len(lost) != len(added):
        likely = [(one, [other for other in added if _alike(_digits(one.text), _digits(other.text))]) for one in lost]
        pairs = [(one, others[0]) for one, others in likely if len(others) == 1]
        if len({id(other) for _, other in pairs}) < len(pairs):
            return
    else:
        pairs = list(zip(lost, added, strict=True))
    for one, other in pairs:
        yield _written_over(source, one, target, other)


def _runs(lost: Sequence[Number]) -> Iterator[Sequence[Number]]:
    for size in range(2, len(lost) + 1):
        for i in range(len(lost) - size + 1):
            yield lost[i : i + size]


def _alike(one: str, other: str) -> bool:
    """Whether a garbled number may have been the other: the same start and, zeros and doubled digits aside, the end."""
    squeezed = [re.sub(r"(\d)\1+", r"\1", digits.rstrip("0")) for digits in (one, other)]
    return squeezed[0] == squeezed[1] or (len(one) > 1 and (one.startswith(other) or other.startswith(one)))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _written_over(source: str, one: Number, target: str, other: Number) -> tuple[int, int, str]:
    """The edit that puts a number of the source in the place of one of the translation."""
    end = other.end
    if one.text.isdigit() and (suffix := re.compile(r"(?:st|nd|rd|th)\b").match(target, end)):
        return other.start, suffix.end(), one.text + _suffix(int(one.text))
    if one.scale == 1 and other.scale == 1:
        return other.start, end, _english(source, one)
    value = max(_readings(one.text, spanish=True), default=Decimal(0)) * one.scale
    if scale := _SCALE_EN.match(target, end):
        end = scale.end()
    if one.scale < 10**6 or value < 10**6:
        return other.start, end, _grouped(value)
    size, name = next(step for step in _ENGLISH_SCALES if step[0] <= value)
    return other.start, end, f"{_grouped(value / size)} {name}"


def _grouped(value: Decimal) -> str:
    whole, point, fraction = _plain(value).partition(".")
    return f"{int(whole):,}{point}{fraction}"
