"""British or American: a translation's spelling and dates made to follow the article's own.

Four habits are told apart and each is followed only where the article shows it: spelling ("colour"/"color"), the
ending -ise or -ize (which British papers may write either way), dates ("7 February"/"February 7"), and quotation marks
and apostrophes ("“"/'"'). The words of quotations and names stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from aligner.records import Translation
from aligner.resources import data
from aligner.translation.text import CURLY, MONTHS, QUOTES, STRAIGHT, curled, literal_spans, uncurled

#: A habit is decided if it is seen this many times as often as its opposite.
MARGIN = 2

_DAY = r"(?:[12]\d|3[01]|0?[1-9])"
_DAYS = rf"{_DAY}(?:[-–]{_DAY})?"
_DAY_FIRST = re.compile(
    rf"(?<![\d.,/:-])(?<!\band )(?<!\bto )(?<!\bor )(?P<the>the )?(?P<day>{_DAYS})(?:st|nd|rd|th)?(?: of)? "
    rf"(?P<month>{MONTHS})\b(?:,? (?P<year>\d{{4}})\b|(?!'s? | [A-Z]))"
)
# "May 7 people": a day is the end, or a mark, a year or one of these words follows.
_MONTH_FIRST = re.compile(
    rf"\b(?<!\d )(?P<month>{MONTHS}) (?P<day>{_DAYS})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}})\b(?P<comma>,)?|"
    r"(?=$|[.,;:!?)\]\"'–—]|\s+(?:after|and|as|at|before|by|during|for|from|in|near|of|on|outside|that|to|when|where|while|with"
    r"|within)\b))(?! (?:and|to|or) \d)"
)
_MONTH_FIRST_SEEN = re.compile(rf"\b(?:{MONTHS}) {_DAY}(?:st|nd|rd|th)?(?![\d:–-])")
_WORD = re.compile(r"[A-Za-z]+")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|‘[^’]*’(?!\w)|(?<!\w)'[^']+'(?!\w)")
_SENTENCE_START = re.compile(r"(?:^|[.!?…:]\s+)[\"'“‘(\[]*$")
_UNIT_BEFORE = re.compile(
    r"(?:\d|\b(?:square|cubic|few|several|many|one|two|three|four|five|six|seven|eight|nine|ten|hundred|thousand"
    r"|million|billion))[ -]$"
)


@dataclass(frozen=True, slots=True)
class Habit:
    """How an article writes English; None where it does not show.

    Attributes:
        spelling: ``british`` or ``american``.
        ise: whether verbs end in -ise (and not in -ize).
        dates: ``day-first`` or ``month-first``.
        capitalised: words with a capital in the article of which the two spellings have different forms.
        typographic: whether quotation marks and apostrophes are “ ” ’ rather than straight.
    """

    spelling: str | None = None
    ise: bool | None = None
    dates: str | None = None
    capitalised: frozenset[str] = frozenset()
    typographic: bool | None = None


#: What ``--variant british`` and ``american`` ask for.
FIXED = {
    "british": Habit("british", ise=True, dates="day-first"),
    "american": Habit("american", ise=False, dates="month-first"),
}


@dataclass(frozen=True, slots=True)
class _Table:
    american: dict[str, str]
    british: dict[str, str]
    ize: dict[str, str]
    ise: dict[str, str]


@cache
def _table() -> _Table:
    read = json.loads(data("variant-en.json").read_text(encoding="utf-8"))
    american = dict(pair.split(":") for pair in read["spelling"].split())
    one_way = set(read["one_way"].split())
    ize = {word: re.sub(r"is(e|ing|able|ation)", r"iz\1", word) for word in read["ise"].split()}
    return _Table(
        american,
        {other: one for one, other in american.items() if one not in one_way},
        ize,
        {other: one for one, other in ize.items()},
    )


def habit(paragraphs: Iterable[str]) -> Habit:
    """How an English article writes.

    Spelling is told by the different words of either side (those of :func:`convert`'s table, -ise words among the
    British ones), and so are the endings; dates by how many stand in either order, and by the spelling where there
    are none.

    Args:
        paragraphs: the article's text without the captions.
    """
    table = _table()
    seen: set[str] = set()
    capitalised: set[str] = set()
    day_first = month_first = curly = straight = 0
    for paragraph in paragraphs:
        for word in set(_WORD.findall(paragraph)):
            if word.islower():
                seen.add(word)
            elif word.lower() in table.american or word.lower() in table.british:
                capitalised.add(word)
        straight += len(STRAIGHT.findall(paragraph))
        curly += 0 if paragraph.isascii() else len(CURLY.findall(paragraph))
        day_first += sum(not match["the"] for match in _DAY_FIRST.finditer(paragraph))
        month_first += sum(1 for _ in _MONTH_FIRST_SEEN.finditer(paragraph))
    ise = len(seen & table.ize.keys())
    ize = len(seen & table.ise.keys())
    british = len(seen & table.american.keys()) + ise
    american = len(seen & table.british.keys())
    spelling = _decided(british, american, "british", "american")
    dates = _decided(day_first, month_first, "day-first", "month-first")
    if not day_first and not month_first and spelling:
        dates = "day-first" if spelling == "british" else "month-first"
    return Habit(
        spelling=spelling,
        ise={"ise": True, "ize": False, None: False if spelling == "american" else None}[
            _decided(ise, ize, "ise", "ize")
        ],
        dates=dates,
        capitalised=frozenset(capitalised),
        typographic={"curly": True, "straight": False, None: None}[_decided(curly, straight, "curly", "straight")],
    )


def _decided(one: int, other: int, name: str, other_name: str) -> str | None:
    if one > MARGIN * other:
        return name
    return other_name if other > MARGIN * one else None


def may_change(text: str) -> bool:
    """Whether a text has a word, date or quotation mark that articles write differently; cheap."""
    table = _table()
    tables = (table.american, table.british, table.ize, table.ise)
    for word in _WORD.findall(text):
        if len(word) > 3 and any(word.lower() in known for known in tables):
            return True
    return bool(QUOTES.search(text) or _MONTH_FIRST.search(text) or _DAY_FIRST.search(text) or _METRES.search(text))


_METRES = re.compile(r"\b(?:[Kk]ilo|[Cc]enti|[Mm]illi)?meters?\b")


def convert(text: str, habit: Habit, protected: Iterable[str] = ()) -> str:
    """A text in the article's spelling and with its order of dates.

    Left alone are words of quotations, URLs, handles and hashtags, ``protected`` strings, and words with a capital
    inside a sentence, unless the article writes that very word with a capital in the other spelling only ("Ministry of
    Defense" in an article that has "Ministry of Defence").

    Args:
        text: English text.
        habit: of the article.
        protected: names and terms that must stay.
    """
    if habit.typographic is not None:
        text = curled(text) if habit.typographic else uncurled(text)
    if habit.dates:
        text = _with_dates(text, habit.dates, protected)
    if habit.spelling is None and habit.ise is None:
        return text
    kept = list(_kept(text, protected))
    loud = text.isupper()
    out, end = [], 0
    for match in _WORD.finditer(text):
        start = match.start()
        if any(a <= start < b for a, b in kept):
            continue
        other = _other(match[0], text[:start], text[match.end() :], habit, loud=loud)
        if other:
            out += [text[end:start], other]
            end = match.end()
    return "".join([*out, text[end:]])


def converted(translation: Translation, habit: Habit) -> Translation:
    """A translation in the article's English; its names and glossary terms stay."""
    protected = [name.article for name in translation.names] + [term.target for term in translation.glossary]
    text = convert(translation.text, habit, protected)
    return translation if text == translation.text else replace(translation, text=text)


def _kept(text: str, protected: Iterable[str]) -> Iterator[tuple[int, int]]:
    for match in (*_QUOTED.finditer(text), *literal_spans(text)):
        yield match.span()
    for name in protected:
        for match in re.finditer(re.escape(name), text) if name else ():
            yield match.span()


def _other(word: str, before: str, after: str, habit: Habit, *, loud: bool) -> str | None:
    """How the article would write a word; None for as it is."""
    table = _table()
    lowered = word.lower()
    other = None
    if habit.spelling == "british":
        other = table.british.get(lowered)
        if _METRES.fullmatch(lowered) and (lowered[0] != "m" or _UNIT_BEFORE.search(before)):
            other = re.sub("meter", "metre", lowered)
    elif habit.spelling == "american":
        other = table.american.get(lowered)
    if other is None and habit.ise is not None:
        other = (table.ise if habit.ise else table.ize).get(lowered)
    if other is None or other == lowered:
        return None
    if word.islower():
        return other if before[-1:] not in ("@", "#", ".", "/", "_") and after[:1] not in ("@", "_") else None
    if loud:
        return other.upper()
    capital = other[0].upper() + other[1:]
    if not word[1:].islower():
        return None
    if capital in habit.capitalised and word not in habit.capitalised:
        return capital
    next_word = re.match(r"\s+([A-Z])", after)
    return capital if _SENTENCE_START.search(before) and not next_word else None


def _with_dates(text: str, order: str, protected: Iterable[str]) -> str:
    kept = list(_kept(text, protected))
    pattern, put = (_MONTH_FIRST, _as_day_first) if order == "day-first" else (_DAY_FIRST, _as_month_first)

    def turned(match: re.Match[str]) -> str:
        if any(a < match.end() and match.start() < b for a, b in kept):
            return match[0]
        return put(match)

    return pattern.sub(turned, text)


def _as_day_first(match: re.Match[str]) -> str:
    return f"{match['day']} {match['month']}" + (f" {match['year']}" if match["year"] else "")


def _as_month_first(match: re.Match[str]) -> str:
    article = "the " if match["the"] and " of " not in match[0] else ""
    return f"{article}{match['month']} {match['day']}" + (f", {match['year']}" if match["year"] else "")
