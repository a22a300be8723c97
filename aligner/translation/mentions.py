"""The names that an article mentions, and the words that texts are made of."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz import fuzz

from aligner.translation.spelling import distance, fold
from aligner.translation.text import literal_spans, remembered

#: Farthest apart that spellings of one word of a longer name are.
WORST = 0.2

_PLACE = re.compile(r"\S+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_POSSESSIVE = re.compile(r"['’]s?$")
_OPENS = re.compile(r"[.!?…:;\"“«¿¡(\[—–]|\s-\s|'$")

_LISTED = {
    "titles": "d da dna dr dra dras dres fr gral hna hno lic mons mr mrs ms prof profa sr sra sras sres srta sta sto",
    "particles": "al an ben bin d da das de del den der di do dos du e el i ibn la las le lo los of ter van von",
    "function": "a about after against all an and are as at be been before between but by during for from had has have "
    "he her his in into is it its near next of off on one or over she so some that the their them they this to two "
    "under until up was were when where which while who with without",
}
#: Titles in short, whose dot ends no sentence.
ABBREVIATIONS = frozenset(_LISTED["titles"].split())
#: Words that stand inside names.
PARTICLES = frozenset(_LISTED["particles"].split())
#: English words that are no names.
FUNCTION_WORDS = frozenset(_LISTED["function"].split())


class Token(NamedTuple):
    """A word of a text.

    Attributes:
        form: as printed, without an English possessive.
        key: folded ``form``.
        start: offset in the text.
        end: offset just after ``form``.
        place: which of the text's words, as ``str.split`` cuts it, it stands in.
        first: it opens a sentence, a bracket or a quotation, so that its capital says nothing.
        follows: only a space parts it from a word with a capital in front of it.
    """

    form: str
    key: str
    start: int
    end: int
    place: int
    first: bool
    follows: bool = False

    @property
    def capital(self) -> bool:
        """Whether it starts with a capital letter."""
        return self.form[0].isupper()


def _joins_names(key: str) -> bool:
    """Whether a folded word is none that a name begins or ends with."""
    return key in PARTICLES or key in FUNCTION_WORDS


def words_of(text: str) -> list[str]:
    """The folded words of a text; hyphens and dots part words."""
    return [token.key for token in tokens(text)]


@remembered
def tokens(text: str) -> tuple[Token, ...]:
    """The words of a text, URLs, handles and hashtags left out."""
    found: list[Token] = []
    literal = [match.span() for match in literal_spans(text)]
    starts = [match.start() for match in _PLACE.finditer(text)]
    place, end, key, named = 0, 0, "", False
    for match in _WORD.finditer(text):
        start, form = match.start(), match[0]
        if literal and any(a <= start < b for a, b in literal):
            continue
        while place + 1 < len(starts) and starts[place + 1] <= start:
            place += 1
        if "'" in form or "’" in form:
            form = _POSSESSIVE.sub("", form)
        gap = text[end:start]
        short = gap == ". " and key in ABBREVIATIONS
        first = not found or (gap != " " and not short and _OPENS.search(gap) is not None)
        follows = named and gap == " " and not _joins_names(key)
        end, key, named = start + len(form), fold(form), form[0].isupper()
        found.append(Token(form, key, start, end, place, first, follows))
    return tuple(found)


@lru_cache(maxsize=2_000)
def name_tokens(form: str) -> tuple[Token, ...]:
    """The words of a name."""
    return tuple(tokens(form))


class Mentions:
    """The names that an article mentions."""

    def __init__(self, paragraphs: Iterable[str]) -> None:
        """Reads the article's paragraphs."""
        self.texts = [unicodedata.normalize("NFC", text) for text in paragraphs]
        self.tokens = [tokens(text) for text in self.texts]
        self.places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        inside: set[str] = set()
        small: set[str] = set()
        for p, found in enumerate(self.tokens):
            for i, token in enumerate(found):
                self.places[token.key].append((p, i))
                if not token.capital:
                    small.add(token.key)
                elif not token.first:
                    inside.add(token.key)
        self.small = frozenset(small)
        #: Folded words that are names: with a capital inside a sentence, or never without one.
        self.names = frozenset(
            key
            for key in self.places
            if key not in FUNCTION_WORDS and (key in inside or key not in small) and key.isalpha()
        ) | frozenset(key for key in inside if not key.isalpha())
        self._by_length: defaultdict[int, list[str]] = defaultdict(list)
        for key in sorted(self.names):
            self._by_length[len(key)].append(key)
        self._alike: dict[str, dict[str, float]] = {}

    def token(self, at: tuple[int, int]) -> Token | None:
        """The token at a place (paragraph, index), None beside a paragraph."""
        p, i = at
        return self.tokens[p][i] if 0 <= i < len(self.tokens[p]) else None

    def follows(self, one: Token, other: Token) -> bool:
        """Whether the article prints a word as another of its names begins: "Refugio Olvera"."""
        return any(
            (after := self.token((p, i + 1))) is not None and after.key == other.key and after.follows
            for p, i in self.places.get(one.key, ())
        )

    def text(self, p: int, first: int, last: int) -> str:
        """The article's text from one token to another."""
        return self.texts[p][self.tokens[p][first].start : self.tokens[p][last].end]

    def find(self, form: str) -> str | None:
        """An English name as the article prints it most often, None if it does not.

        Capitals must agree, and so must accents if the name is short.
        """
        wanted = name_tokens(form)
        seen: Counter[str] = Counter()
        for p, i in self.places.get(wanted[0].key, ()) if wanted else ():
            found = self.tokens[p][i : i + len(wanted)]
            if len(found) == len(wanted) and all(map(_printed_alike, wanted, found)) and self._joined(p, found):
                text = self.texts[p][found[0].start : found[-1].end]
                # A dateline or a heading in capitals says nothing of the spelling.
                seen[form if text.isupper() and not form.isupper() else text] += 1
        exact = seen.get(form, 0)
        return form if exact else max(seen, key=lambda text: seen[text]) if seen else None

    def alone(self, form: str) -> bool:
        """Whether the article prints a name not only as a part of a longer one, as "España" in "Plaza de España"."""
        wanted = name_tokens(form)
        for p, i in self.places.get(wanted[0].key, ()) if wanted else ():
            last = i + len(wanted)
            if self.text(p, i, min(last, len(self.tokens[p])) - 1) != form:
                continue
            before, after = self.token((p, i - 1)), self.token((p, last))
            if before is not None and before.key in PARTICLES and before.key not in FUNCTION_WORDS:
                continue
            if before is not None and before.capital and not before.first and self.tokens[p][i].follows:
                continue
            if after is None or not (after.capital and after.follows):
                return True
        return False

    def _joined(self, p: int, found: Sequence[Token]) -> bool:
        return all(len(self.texts[p][a.end : b.start]) <= 2 for a, b in pairwise(found))

    def alike(self, key: str) -> dict[str, float]:
        """Names of the article that a folded word may be spelled as, with their distances."""
        if key not in self._alike:
            self._alike[key] = self._spelled_like(key)
        return self._alike[key]

    def _spelled_like(self, key: str) -> dict[str, float]:
        found = {key: 0.0} if key in self.names else {}
        if len(key) < 3 or not key.isalpha():
            return found
        for length in range(len(key) - 3, len(key) + 5):
            for name in self._by_length.get(length, ()):
                if name != key and name.isalpha() and fuzz.ratio(key, name) >= 45:
                    apart = distance(key, name, WORST)
                    if apart <= WORST:
                        found[name] = apart
        return found

    def spelled(self, key: str, like: str) -> str:
        """How the article prints a name: as ``like`` if it does so anywhere, else as it does most often."""
        forms = Counter(
            token.form for p, i in self.places[key] if (token := self.tokens[p][i]).capital and not is_loud(token.form)
        )
        return like if like in forms or not forms else max(forms, key=lambda form: forms[form])


def _printed_alike(wanted: Token, found: Token) -> bool:
    if wanted.form == found.form:
        return True
    if wanted.key != found.key or (found.capital != wanted.capital and wanted.capital):
        return False
    return len(wanted.key) > 3 and not is_loud(wanted.form)


def is_loud(form: str) -> bool:
    """Whether a word is in capitals throughout."""
    return len(form) > 1 and form.isupper()
