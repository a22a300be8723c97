"""Names as the article spells them: a caption's names, their mentions in the article, and a translation that follows.

A name of the caption is paired with a mention in the article by spelling (accents and transliteration forgiven) or
through a list of names that differ between Spanish and English. The attention of the model tells which words of the
translation came from the name; they are given the article's spelling. A name that the article does not mention keeps
the translation's word, except where that is no word at all but a copy with letters lost or changed.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz import fuzz

from aligner.records import Name
from aligner.resources import data
from aligner.translation import casing
from aligner.translation.spelling import distance, fold
from aligner.translation.text import LABELS, literal_spans, remembered

#: Farthest apart that spellings of one name are: a name of one word, and the mean and the worst word of a longer one.
ALONE, TOGETHER, WORST = 0.05, 0.12, 0.2
#: Letters that a name of one word must have to be paired with another spelling.
LONG = 5
#: Share of attention by which a word of the translation counts as coming from a word of the caption.
ATTENDED = 0.35
#: And by which it may be replaced even though it looks like an English word for something else.
SURE = 0.7
#: Likeness (rapidfuzz's ratio, 0 … 1) of a copy gone wrong: where attention points to the name, and without it.
COPY, COPY_UNATTENDED = 0.5, 0.75
#: Likeness in per cent of what tells a name from others of its kind, where the kind is the same.
ALIKE = 60
#: Likeness in per cent that a copy of the first word of a sentence must have.
FIRST = 80

_PLACE = re.compile(r"\S+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_BETWEEN = re.compile(r"(?:['’]s?)?\W{0,3}")
_POSSESSIVE = re.compile(r"['’]s?$")
_OPENS = re.compile(r"[.!?…:;\"“«¿¡(\[—–]|\s-\s|'$")
#: Endings of Spanish names and of their English forms.
_ENDINGS = ((re.compile(r"(?<=[^aeiouáéíóú])[aeo]$"), ""), (re.compile(r"[ií]a$"), "y"))
#: Letters of names that Spanish and English transliterate each in its own way.
_TRANSLITERATED = re.compile(r"[kw]|[stczkgp]h|([^lr])\1")
_ROMAN = re.compile("[IVX]+")
_GAP = re.compile(r"[\s\-‐‑]+|\.\s?")


def _listed_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PARTICLES = _listed_words(
    "al an ben bin d da das de del den der di do dos du e el i ibn la las le lo los of ter van von"
)
FUNCTION_WORDS = _listed_words(
    "a about after against all an and are as at be been before between but by during for from had has have he her his "
    "in into is it its near next of off on one or over she so some that the their them they this to two under until up "
    "was were when where which while who with without"
)


def _listed_pairs(text: str) -> dict[str, tuple[str, ...]]:
    return {key: tuple(value.split("/")) for key, value in (pair.split("=") for pair in text.split())}


#: What a place or body is, at the beginning of its name: folded, Spanish and English.
_HEADS = _listed_pairs(
    "academia=academy aeropuerto=airport alianza=alliance asociacion=association autopista=motorway/highway "
    "avenida=avenue ayuntamiento=council/hall bahia=bay banco=bank barrio=quarter/district/neighbourhood "
    "batalla=battle biblioteca=library cabo=cape calle=street campo=field capilla=chapel carcel=prison/jail "
    "carretera=road casa=house castillo=castle catedral=cathedral cementerio=cemetery centro=center/centre "
    "colegio=college/school colina=hill comision=commission comite=committee congreso=congress consejo=council "
    "convento=convent copa=cup cordillera=range corredor=corridor cueva=cave ejercito=army escuela=school "
    "estacion=station estadio=stadium estrecho=strait/straits faro=lighthouse federacion=federation "
    "festival=festival fondo=fund foro=forum frente=front fuerte=fort fundacion=foundation gasoducto=pipeline "
    "golfo=gulf hospital=hospital hotel=hotel iglesia=church instituto=institute isla=island/isle "
    "islas=islands/isles jardin=garden/gardens lago=lake laguna=lagoon liga=league mar=sea mercado=market "
    "mezquita=mosque mina=mine ministerio=ministry monasterio=monastery monte=mount montes=mountains "
    "movimiento=movement museo=museum observatorio=observatory palacio=palace parlamento=parliament parque=park "
    "partido=party paseo=promenade playa=beach plataforma=platform plaza=square/plaza premio=prize/award "
    "presa=dam prision=prison/jail provincia=province puente=bridge puerta=gate puerto=port/harbour/harbor "
    "region=region rio=river sala=hall selva=forest/jungle sierra=mountains/range sindicato=union "
    "teatro=theatre/theater templo=temple torre=tower tren=train tribunal=court tunel=tunnel "
    "universidad=university valle=valley volcan=volcano"
)
_DIRECTIONS = _listed_pairs(
    "norte=north/northern sur=south/southern este=east/eastern oeste=west/western oriental=eastern/east "
    "occidental=western/west central=central nacional=national real=royal mayor=main/great viejo=old vieja=old "
    "nuevo=new nueva=new"
)
_ARTICLES = _listed_words("el la las los")


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
    return key in _PARTICLES or key in FUNCTION_WORDS


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
        first = not found or (gap != " " and _OPENS.search(gap) is not None)
        follows = named and gap == " " and not _joins_names(key)
        end, key, named = start + len(form), fold(form), form[0].isupper()
        found.append(Token(form, key, start, end, place, first, follows))
    return tuple(found)


@lru_cache(maxsize=2_000)
def _name_tokens(form: str) -> tuple[Token, ...]:
    """The words of a name."""
    return tuple(tokens(form))


# --------------------------------------------------------------------------------------------------------- lexicon


@dataclass(frozen=True, slots=True)
class Entry:
    """What the list knows of a Spanish name.

    Attributes:
        kind: ``place``, ``institution``, ``acronym``, ``demonym``, ``title`` or ``word``.
        senses: its English names; each is a tuple of spellings of one name.
    """

    kind: str
    senses: tuple[tuple[str, ...], ...]

    @property
    def forms(self) -> list[str]:
        """All English names."""
        return [form for sense in self.senses for form in sense]


class Lexicon:
    """Names that differ between Spanish and English (``aligner/data/names-es-en.json``)."""

    def __init__(self, listed: dict[str, dict[str, str]]) -> None:
        """Takes English names by kind and by folded Spanish name."""
        self._raw = {(key, kind): english for kind, names in listed.items() for key, english in names.items()}
        self._kinds: defaultdict[str, list[str]] = defaultdict(list)
        self._longest: dict[str, int] = {}
        for key, kind in self._raw:
            self._kinds[key].append(kind)
            first, size = key.split(" ", 1)[0], key.count(" ") + 1
            self._longest[first] = max(size, self._longest.get(first, 0))

    def entries(self, key: str) -> list[Entry]:
        """The entries of a folded Spanish name."""
        return [Entry(kind, _senses(self._raw[key, kind])) for kind in self._kinds.get(key, ())]

    def longest(self, first: str) -> int:
        """Words of the longest name that begins with a word."""
        return self._longest.get(first, 0)

    def __contains__(self, key: str) -> bool:
        return key in self._kinds

    def names(self, kind: str) -> Iterator[str]:
        """All English names of a kind."""
        return (form for (_, k), raw in self._raw.items() if k == kind for sense in _senses(raw) for form in sense)

    def english(self) -> frozenset[str]:
        """Folded words of all English names."""
        return frozenset(re.findall(r"[^\W_]+", fold(" ".join(self._raw.values()))))


def _senses(raw: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(form.strip() for form in sense.split("|")) for sense in raw.split(";"))


@cache
def lexicon() -> Lexicon:
    """The list, read when first needed."""
    read = json.loads(data("names-es-en.json").read_text(encoding="utf-8"))
    return Lexicon({kind: names for kind, names in read.items() if kind != "about"})


@cache
def _english() -> frozenset[str]:
    return lexicon().english()


@cache
def _english_names(kind: str) -> frozenset[str]:
    """English names of one word of a kind."""
    return frozenset(form for form in lexicon().names(kind) if " " not in form and form[0].isupper())


def is_english(key: str) -> bool:
    """Whether a folded word is a frequent English one, as far as the word lists of the package go."""
    from aligner.context.vectors import bundled_vectors

    return key in _english() or bundled_vectors().frequent("en", key)


def is_english_name(form: str, kind: str) -> bool:
    """Whether a capitalised word is an English name of a kind, say ``place`` or ``demonym``."""
    return form in _english_names(kind)


# --------------------------------------------------------------------------------------------------------- article


class Mentions:
    """The names that an article mentions."""

    def __init__(self, paragraphs: Iterable[str]) -> None:
        """Reads the article's paragraphs."""
        self.texts = list(paragraphs)
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

    def text(self, p: int, first: int, last: int) -> str:
        """The article's text from one token to another."""
        return self.texts[p][self.tokens[p][first].start : self.tokens[p][last].end]

    def find(self, form: str) -> str | None:
        """An English name as the article prints it most often, None if it does not.

        Capitals must agree, and so must accents if the name is short.
        """
        wanted = _name_tokens(form)
        seen: Counter[str] = Counter()
        for p, i in self.places.get(wanted[0].key, ()) if wanted else ():
            found = self.tokens[p][i : i + len(wanted)]
            if len(found) == len(wanted) and all(map(_printed_alike, wanted, found)) and self._joined(p, found):
                text = self.texts[p][found[0].start : found[-1].end]
                # A dateline or a heading in capitals says nothing of the spelling.
                seen[form if text.isupper() and not form.isupper() else text] += 1
        exact = seen.get(form, 0)
        return form if exact else max(seen, key=lambda text: seen[text]) if seen else None

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
            token.form for p, i in self.places[key] if (token := self.tokens[p][i]).capital and not _loud(token.form)
        )
        return like if like in forms or not forms else max(forms, key=lambda form: forms[form])


def _same_word(wanted: Token, found: Token) -> bool:
    """Whether a word of a translation is a word of a name, accents and small letters forgiven, or its plural."""
    if _loud(wanted.form) and not _loud(found.form):
        return False
    return found.key == wanted.key or (len(wanted.key) > 3 and found.capital and found.key == wanted.key + "s")


def _printed_alike(wanted: Token, found: Token) -> bool:
    if wanted.form == found.form:
        return True
    if wanted.key != found.key or (found.capital != wanted.capital and wanted.capital):
        return False
    return len(wanted.key) > 3 and not _loud(wanted.form)


def _loud(form: str) -> bool:
    return len(form) > 1 and form.isupper()


# --------------------------------------------------------------------------------------------------------- pairs


@dataclass(frozen=True, slots=True)
class Pair:
    """A name of the caption and what it should be called in the translation.

    Attributes:
        words: the caption's words that make up the name, without particles.
        source: the name as the caption prints it.
        target: the article's spelling; without a mention, the caption's or the list's.
        mentioned: whether the article has it.
        kind: ``name`` if the spelling alone tells, else the kind in the list.
        others: further English names that are right in the translation.
        old: other spellings of ``target``, which give way to the article's.
        inside: it is a part of a longer name.
        surname: it stands behind a Spanish given name.
    """

    words: tuple[Token, ...]
    source: str
    target: str
    mentioned: bool
    kind: str = "name"
    others: tuple[str, ...] = ()
    old: tuple[str, ...] = ()
    inside: bool = False
    surname: bool = False


def pairs(source: str, mentions: Mentions) -> list[Pair]:
    """The names of a caption, in order.

    Args:
        source: the caption in ordinary case.
        mentions: the article's names.
    """
    found = tokens(source)
    taken = [False] * len(found)
    made: list[Pair] = []
    # Names that the article has letter for letter go before the list: "Tierra de Campos" is not on Earth.
    for run in _runs(source, found, taken):
        if len(run) > 1:
            made += [pair for pair in _spelled(source, run, mentions) if _letter_for_letter(pair)]
    made += [
        pair for pair in _translated_names(source, found, mentions) if not any(_overlap(pair, one) for one in made)
    ]
    spans = [(pair.words[0].start, pair.words[-1].end) for pair in made]
    for i, token in enumerate(found):
        taken[i] = any(start <= token.start < end for start, end in spans)
    for start, end, entry in _listed(source, found, mentions):
        if not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            made.append(_from_list(source, found[start:end], entry, mentions))
    for run in _runs(source, found, taken):
        made += _headed(source, found, _spelled(source, run, mentions), mentions)
    paired = {token.start for pair in made for token in pair.words}
    for token in found:
        if token.capital and token.start not in paired:
            made += [
                _from_list(source, [token], entry, mentions)
                for entry in lexicon().entries(token.key)
                if entry.kind == "word"
            ]
    return sorted(made, key=lambda pair: pair.words[0].start)


def _overlap(one: Pair, other: Pair) -> bool:
    return one.words[0].start < other.words[-1].end and other.words[0].start < one.words[-1].end


def _translated_names(source: str, found: Sequence[Token], mentions: Mentions) -> Iterator[Pair]:
    """Names that begin with what the place or body is, as the article has them: "Corredor Sur", "South Corridor".

    Both must be of the same kind, and what tells it from others of the kind must be spelled alike or be a word that the
    list translates.
    """
    for i, head in enumerate(found):
        heads = _HEADS.get(head.key, ())
        for kind in (*heads, head.key) if heads else ():
            last = i + 1
            while last < len(found) and found[last].key in _PARTICLES and not found[last].capital:
                last += 1
            first = last
            while last < len(found) and (found[last].capital or (last > first and found[last].key in _PARTICLES)):
                last += 1
            while last > first and not found[last - 1].capital:
                last -= 1
            words = [token for token in found[first:last] if token.capital]
            if not words or not all(_GAP.fullmatch(source[a.end : b.start]) for a, b in pairwise(found[i:last])):
                continue
            target = next((t for at in mentions.places.get(kind, ()) if (t := _named(words, at, mentions))), None)
            if target:
                printed = source[head.start : words[-1].end]
                yield Pair((head, *words), printed, target, True, "institution")
                break


def _named(words: Sequence[Token], at: tuple[int, int], mentions: Mentions) -> str | None:
    """The article's name whose head stands at a place, if the other words of it stand for ``words``."""
    (p, i), size = at, len(words)
    found = mentions.tokens[p]
    if not found[i].capital:
        return None
    before, after = i - size, i + 1
    while after < len(found) and found[after].key in {"of", "the", *_PARTICLES} and not found[after].capital:
        after += 1
    for start, rest, end in ((before, before, i), (i, after, after + size - 1)):
        if start < 0 or end >= len(found):
            continue
        others = found[rest : rest + size]
        if not all(other.capital for other in others):
            continue
        if len(mentions.text(p, start, end).split()) != end - start + 1:
            continue  # something stands between
        if all(any(_stands_for(word, other) for other in others) for word in words):
            return mentions.text(p, start, end)
    return None


def _stands_for(word: Token, other: Token) -> bool:
    """Whether a word of an English name may be a word of a Spanish one, by its letters or by the list."""
    if word.key == other.key or (len(word.key) >= LONG and fuzz.ratio(word.key, other.key) >= ALIKE):
        return True
    if other.key in _DIRECTIONS.get(word.key, ()):
        return True
    return any(form.lower() == other.form.lower() for entry in lexicon().entries(word.key) for form in entry.forms)


def _letter_for_letter(pair: Pair) -> bool:
    return pair.mentioned and len(pair.words) > 1 and fold(pair.source) == fold(pair.target)


def _listed(source: str, found: Sequence[Token], mentions: Mentions) -> Iterator[tuple[int, int, Entry]]:
    """Spans of the caption's words that the list knows, the longest at each place."""
    known = lexicon()
    i = 0
    while i < len(found):
        for size in range(min(known.longest(found[i].key), len(found) - i), 0, -1):
            span = found[i : i + size]
            key = " ".join(token.key for token in span)
            if key not in known or not all(_GAP.fullmatch(source[a.end : b.start]) for a, b in pairwise(span)):
                continue
            entry = next((entry for entry in known.entries(key) if _fits(source, found, i, size, entry)), None)
            if entry is not None:
                yield i, i + size, entry
                i += size - 1
                break
        i += 1


def _fits(source: str, found: Sequence[Token], i: int, size: int, entry: Entry) -> bool:
    """Whether the caption's capitals agree with an entry's kind."""
    token = found[i]
    if entry.kind == "demonym":
        return not token.capital or token.first
    if entry.kind == "title":
        return not token.capital or not token.follows
    if entry.kind == "word":
        return False
    if entry.kind == "acronym":
        return all(_loud(t.form) or not t.form.isalpha() or t.form == "ONGs" for t in found[i : i + size])
    if not token.capital:
        return False
    if size > 1 or entry.kind != "place":
        return True
    # "Diego Luna" is no Moon, "París Hilton" no Paris.
    before, after = found[i - 1] if i else None, found[i + 1] if i + 1 < len(found) else None
    beside = [
        other
        for other, gap in (
            (before, source[before.end : token.start] if before else ""),
            (after, source[token.end : after.start] if after else ""),
        )
        if other is not None and gap == " " and other.capital and not _loud(other.form)
    ]
    return all(other.first and _ordinary(other) for other in beside)


def _from_list(source: str, words: Sequence[Token], entry: Entry, mentions: Mentions) -> Pair:
    printed = _printed(source, words)
    content = tuple(token for token in words if token.key not in _PARTICLES) or tuple(words)
    for sense in entry.senses:
        for form in sense:
            if (found := mentions.find(form)) is not None:
                others = tuple(other for other in entry.forms if other not in sense)
                old = tuple(other for other in sense if other != found)
                return Pair(content, printed, found, True, entry.kind, others, old)
    if entry.kind not in {"demonym", "title"} and (found := mentions.find(printed)) is not None:
        # The article keeps the Spanish name.
        return Pair(content, printed, found, True, entry.kind, tuple(entry.forms))
    others = tuple(entry.forms[1:])
    return Pair(content, printed, entry.forms[0], False, entry.kind, others)


def _printed(source: str, words: Sequence[Token]) -> str:
    return source[words[0].start : words[-1].end]


def _ordinary(token: Token) -> bool:
    """Whether running Spanish text writes a word small now and then."""
    known, lowered = casing.lexicon(), token.form.lower()
    return lowered in known.lower or lowered in known.either or token.key in _PARTICLES or token.key in FUNCTION_WORDS


def _runs(source: str, found: Sequence[Token], taken: Sequence[bool]) -> Iterator[list[Token]]:
    """Runs of words with capitals, particles between them included."""
    run: list[Token] = []
    for token, used in zip(found, taken, strict=True):
        joined = bool(run) and _GAP.fullmatch(source[run[-1].end : token.start]) is not None
        if used or not joined or not (token.capital or token.key in _PARTICLES):
            yield from _trimmed(run)
            run = []
        if not used and (run or (token.capital and not (token.first and _ordinary(token)))):
            run.append(token)
    yield from _trimmed(run)


def _trimmed(run: list[Token]) -> Iterator[list[Token]]:
    while run and (not run[-1].capital or run[-1].key in _PARTICLES):
        run = run[:-1]
    if run:
        yield run


def _spelled(source: str, run: Sequence[Token], mentions: Mentions) -> Iterator[Pair]:
    """Pairs of a run of words with capitals: what the article has of it, the rest as it is."""
    best: tuple[float, int, int, tuple[int, int]] | None = None
    for i, token in enumerate(run):
        if token.key in _PARTICLES and not token.capital:
            continue
        for key in mentions.alike(token.key):
            for p, at in mentions.places[key]:
                segment = _segment(run, i, mentions, p, at)
                if segment is None:
                    continue
                size, apart = segment
                ranking = (sum(t.capital for t in run[i : i + size]) - apart, i, size, (p, at))
                if best is None or ranking[0] > best[0]:
                    best = ranking
    if best is None:
        given = False
        for i, token in enumerate(run):
            # "Juan Pablo II" is "John Paul II".
            reigns = i + 1 < len(run) and _ROMAN.fullmatch(run[i + 1].form) is not None
            surname = given and token.follows and not reigns and token.form.lower() not in LABELS
            given = surname or _is_given(token)
            if token.capital and token.key not in _PARTICLES and (surname or token.key not in lexicon()):
                others = () if surname else _anglicised(run, i)
                yield Pair((token,), token.form, token.form, False, others=others, inside=len(run) > 1, surname=surname)
        return
    _, i, size, (p, at) = best
    yield from _spelled(source, run[:i], mentions) if i else ()
    words = run[i : i + size]
    content = tuple(token for token in words if token.capital)
    if size == 1:
        target = mentions.spelled(mentions.tokens[p][at].key, words[0].form)
    else:
        target = mentions.find(_printed(source, words)) or mentions.text(p, at, at + size - 1)
        if target.isupper() and not _printed(source, words).isupper():
            target = target.title()
    yield Pair(content, _printed(source, words), target, True)
    yield from _spelled(source, run[i + size :], mentions) if i + size < len(run) else ()


def _is_given(token: Token) -> bool:
    """Whether a word is a common given name of the Spanish press."""
    from aligner.captions.credits import lexicon as credits

    return token.form in credits().given


def _anglicised(run: Sequence[Token], i: int) -> tuple[str, ...]:
    """English forms of a name by its ending, "Wolfsburg" for "Wolfsburgo"; none of a part of somebody's name."""
    form = run[i].form
    beside = run[i].follows or (i + 1 < len(run) and run[i + 1].follows)
    if beside or len(form) < LONG or is_english(run[i].key):
        return ()
    return tuple(ending.sub(english, form) for ending, english in _ENDINGS if ending.search(form))


def _headed(source: str, found: Sequence[Token], made: Iterable[Pair], mentions: Mentions) -> Iterator[Pair]:
    """Pairs together with the small word in front that the article counts as part of the name: "avenida Pellegrini"."""
    for pair in made:
        i = next(i for i, token in enumerate(found) if token.start == pair.words[0].start)
        first = i - 1 if i and found[i - 1].key not in _PARTICLES else i - 2
        if pair.mentioned and first >= 0 and len(found[first].key) > 3 and not found[first].capital:
            longer = source[found[first].start : pair.words[-1].end]
            printed = mentions.find(longer[0].upper() + longer[1:]) if _GAP.search(longer) else None
            if printed is not None:
                yield replace(pair, words=(found[first], *pair.words), source=longer, target=printed)
                continue
        yield pair


def _segment(run: Sequence[Token], i: int, mentions: Mentions, p: int, at: int) -> tuple[int, float] | None:
    """How many words of a run from ``i`` the article has in a row from ``at``, and their mean distance."""
    found = mentions.tokens[p]
    apart: list[float] = []
    size = last = 0
    while i + size < len(run) and at + size < len(found):
        word, other = run[i + size], found[at + size]
        if size and len(mentions.texts[p][found[at + size - 1].end : other.start]) > 2:
            break
        if word.capital and other.capital:
            near = mentions.alike(word.key).get(other.key)
            if near is None and word.key != other.key:
                break
            apart.append(near or 0.0)
            last = size + 1
        elif word.key != other.key:
            break
        size += 1
    if not last or not found[at].capital:
        return None
    mean = sum(apart) / len(apart)
    if len(apart) > 1:
        return (last, mean) if mean <= TOGETHER else None
    word, other = run[i], found[at]
    if _ordinary(word) or word.key in lexicon() or other.key not in mentions.names:
        return None
    if word.form != other.form and _contradicted(run, i, mentions, other.key):
        return None
    if mean == 0 or (mean <= ALONE and len(word.key) >= LONG and not is_english(word.key)):
        return last, mean
    return None


def _contradicted(run: Sequence[Token], i: int, mentions: Mentions, key: str) -> bool:
    """Whether the article has a word only in the names of others: "Guzman" only as "Abimael Guzman"."""
    before, after = run[i].follows, i + 1 < len(run)
    lefts: set[str] = set()
    for p, at in mentions.places[key]:
        token, text = mentions.tokens[p][at], mentions.texts[p]
        left, right = mentions.token((p, at - 1)), mentions.token((p, at + 1))
        named = left is not None and token.follows and _names_somebody(left, mentions)
        if named and left is not None:
            lefts.add(left.key)
        strange = (before and named) or (
            after and right is not None and text[token.end : right.start] == " " and _names_somebody(right, mentions)
        )
        if not (strange or named):
            return False
        if not strange and len(lefts) < 2 and (p, at) == mentions.places[key][-1]:
            return False
    return True


def _names_somebody(token: Token, mentions: Mentions) -> bool:
    from aligner.context.words import TITLES

    return token.capital and token.key in mentions.names and token.key not in TITLES


# --------------------------------------------------------------------------------------------------------- rewriting

#: Attention of a translation: for each of its words the weights over the words of the source.
Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Spelled:
    """A translation with its names as the article spells them.

    Attributes:
        text: the translation.
        names: pairs whose spelling in the article is not the caption's, and that stand in ``text``.
        kept: names of the caption that stand in ``text`` as they should.
        lost: names of the caption that do not.
        alignment: attention of the translation's words.
    """

    text: str
    names: tuple[Name, ...]
    kept: int
    lost: int
    alignment: Matrix | None = None


class _Rewriter:
    """One translation while its names are looked for and replaced."""

    def __init__(
        self, source: str, text: str, alignment: Matrix | None, wanted: Sequence[Pair], mentions: Mentions
    ) -> None:
        self.source, self.text, self.wanted, self.mentions = source, text, wanted, mentions
        self.tokens = tokens(text)
        self.used = [False] * len(self.tokens)
        self.alignment = alignment if alignment is not None and len(alignment) == len(text.split()) else None
        self.changes: list[tuple[int, int, str]] = []
        self.done: set[int] = set()
        self.found: dict[int, list[int]] = {}

    # ----------------------------------------------------------------------------------------------- evidence

    def attention(self, j: int, word: Token) -> float:
        """Attention of a word of the translation on a word of the source, 0 … 1; 0 without alignment."""
        if self.alignment is None:
            return 0.0
        row = self.alignment[self.tokens[j].place]
        return row[word.place] if word.place < len(row) else 0.0

    def owned(self, pair: Pair) -> list[int]:
        """Free content words of the translation that came from a name."""
        if self.alignment is None:
            return []
        places, keys = {word.place for word in pair.words}, self._keys(pair)
        found = []
        for j, token in enumerate(self.tokens):
            row = self.alignment[token.place]
            if self.used[j] or token.form.lower() in FUNCTION_WORDS:
                continue
            if token.form.isdigit() and token.key not in keys:
                continue
            weight = max((row[place] for place in places if place < len(row)), default=0.0)
            if weight >= ATTENDED and weight >= 0.9 * max(row):
                found.append(j)
        return found

    # ----------------------------------------------------------------------------------------------- steps

    def occurrences(self, form: str) -> Iterator[list[int]]:
        """Free words of the translation that make up an English name, accents and capitals forgiven."""
        wanted = _name_tokens(form)
        for j in range(len(self.tokens) - len(wanted) + 1):
            span = self.tokens[j : j + len(wanted)]
            if any(self.used[j : j + len(wanted)]):
                continue
            if all(map(_same_word, wanted, span)):
                yield list(range(j, j + len(wanted)))

    def claim(self, pair: Pair, form: str) -> list[int] | None:
        """The occurrence of an English name that attention gives most to the pair."""
        found = list(self.occurrences(form))
        if not found:
            return None
        best = max(found, key=lambda span: sum(self.attention(j, word) for j in span for word in pair.words))
        for j in best:
            self.used[j] = True
        return best

    def satisfied(self, index: int) -> bool:
        """Takes what is right already; spellings of the same name give way to the article's."""
        pair = self.wanted[index]
        for form in (pair.target, *pair.old, *pair.others):
            span = self.claim(pair, form)
            if span is None:
                continue
            if form in pair.others and pair.kind != "name" and any(self.tokens[j].capital for j in self.owned(pair)):
                # "Polisario" is right, but not in "Front Polisario".
                self._free(span)
                continue
            self.found[index] = span
            printed = self.text[self.tokens[span[0]].start : self.tokens[span[-1]].end]
            small = pair.kind in {"title", "word"}
            if form == pair.target and printed != form and fold(printed) == fold(form) and not small:
                if printed.isupper() and printed == casing.capitals(form):
                    pass
                elif (pair.mentioned or self._loses_accents(span, pair)) and not (
                    printed.lower() == form.lower() and pair.words[0].first
                ):
                    self.replace(span, form)
            elif form in pair.old and pair.mentioned:
                self.replace(span, pair.target)
            if form not in pair.others:
                self.done.add(index)
            return True
        return False

    def _free(self, span: Sequence[int]) -> None:
        for j in span:
            self.used[j] = False

    def _loses_accents(self, span: Sequence[int], pair: Pair) -> bool:
        """Whether a name without a mention lost its accents; transliterated names and English ones have none."""
        key = pair.words[0].key
        if pair.kind != "name" or not self.tokens[span[0]].form.isascii():
            return False
        return len(span) == 1 and not set(key) & set("kw") and not is_english(key)

    def replace(self, span: Sequence[int], form: str) -> None:
        """Puts a name in the place of words of the translation; a possessive stays."""
        start, end = self.tokens[min(span)].start, self.tokens[max(span)].end
        around = [char for char in self.text[max(0, start - 40) : start] + self.text[end : end + 40] if char.isalpha()]
        around = around or [char for char in self.text[start:end] if char.isalpha()]
        if len(around) > 5 and sum(map(str.isupper, around)) > casing.SHARE * len(around):
            form = casing.capitals(form)
        if "." in self.text[start:end] and self.text[end : end + 1] == "." and self.text[end + 1 :].strip():
            end += 1  # the last dot of "EE.UU."
        for j in span:
            self.used[j] = True
        self.changes.append((start, end, form))

    def mend(self, index: int) -> bool:
        """Replaces what stands in the place of a name, where that is certain enough."""
        pair = self.wanted[index]
        owned = self.owned(pair)
        if pair.kind in {"title", "word", "demonym"} or (pair.kind != "name" and not pair.mentioned):
            span = self._copy(pair, owned)
        elif pair.mentioned:
            span = self._region(pair, owned)
        else:
            span = self._garbled(pair, owned)
        if span is None:
            # Something stands for it, if only in another spelling: nothing is missing.
            self.found[index] = owned or self._near(pair, owned)
            return False
        form = self._fitting(pair, span)
        if span[0] and self.tokens[span[0] - 1].key == "the" and _name_tokens(form)[0].key in _ARTICLES:
            span = [span[0] - 1, *span]
        self.replace(span, form)
        self.found[index] = span
        self.done.add(index)
        return True

    def _region(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """The words that stand for a name that the article mentions."""
        near = self._near(pair, owned)
        if near:
            # What else came from the name and is no word belongs to it: "Mara ón".
            grown = near + [
                j for j in owned if j not in near and (self._fragment(pair, j, near) or self._translated(pair, j, near))
            ]
            span = self._contiguous(grown) or self._contiguous(near)
            if len(pair.words) == 1:
                return span or [max(near, key=lambda j: self._weight(pair, j))]
            keys = self._keys(pair)
            apart = span is None or any(
                token.key in keys and not self.used[j] and j not in span for j, token in enumerate(self.tokens)
            )
            return None if apart or self._doubtful(pair, span or []) else span
        loose = [j for j in owned if self._strange(j) or self._weight(pair, j) >= SURE]
        return self._contiguous(loose) or (loose[:1] if loose and len(pair.words) == 1 else None)

    def _garbled(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """The words that are a copy gone wrong of a name that the article does not mention."""
        key = pair.words[0].key
        if len(key) < 4 or (_ordinary(pair.words[0]) and not pair.surname):
            return None
        near = self._near(pair, owned)
        span = self._contiguous(near + [j for j in owned if j not in near and self._fragment(pair, j, near)])
        if span is None:
            return None
        if pair.words[0].first and not pair.inside:
            # It may be no name at all: "Apicultores recogen" is "Apiculturists collect".
            joined = "".join(self.tokens[j].key for j in span)
            if fuzz.ratio(joined, key) < FIRST:
                return None
        if pair.surname and self.alignment is not None:
            # "Javier Sicily", "Alonso Reis": a Spanish surname has one spelling.
            first = self.tokens[span[0]]
            copied = first.capital and (not first.first or first.key[0] == key[0])
            if copied and not any(_TRANSLITERATED.search(word) for word in (key, *(self.tokens[j].key for j in span))):
                return span
        if any(distance(self.tokens[j].key, key) <= TOGETHER for j in span):
            return None  # another way of spelling it, not a copy gone wrong
        if pair.inside and any(self._miscopied(self.tokens[j].key, key) for j in span):
            return span  # "Angel Merkel": parts of people's names are not translated
        return span if self._strange(max(span, key=lambda j: len(self.tokens[j].key))) else None

    def _miscopied(self, key: str, source: str) -> bool:
        """Whether a word is like one of the caption and not merely another way of spelling it."""
        return fuzz.ratio(key, source) >= 85 and distance(key, source) > TOGETHER

    def _copy(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """A copy gone wrong of a word that has an English form, or such a word left in Spanish."""
        if len(pair.words) != 1:
            span = self._region(pair, owned) if self._near(pair, owned) else None
            keys = self._keys(pair)
            if span is None or any(self.tokens[j].key not in keys and not self._strange(j) for j in span):
                return None
            return span if any(self._strange(j) for j in span) else None
        key = pair.words[0].key
        for j in self._near(pair, owned):
            token = self.tokens[j]
            left = token.key == key or (fuzz.ratio(token.key, key) >= 85 and token.key not in _english())
            if fold(pair.target) in token.key:  # two words run together
                continue
            if (left and pair.mentioned) or (not left and self._strange(j)):
                return [j]
        return self._mistaken(pair, owned)

    def _mistaken(self, pair: Pair, owned: list[int]) -> list[int] | None:
        """A word for another people or place than the caption's: "Russian" for "ucraniano"."""
        if pair.kind not in {"demonym", "place"}:
            return None
        right = {token.key for other in self.wanted for form in (other.target, *other.others) for token in tokens(form)}
        for j in owned:
            token = self.tokens[j]
            if token.form in _english_names(pair.kind) and token.key not in right:
                return [j]
        return None

    def _keys(self, pair: Pair) -> set[str]:
        """The folded words of a name, the caption's and the article's."""
        return {word.key for word in pair.words} | {token.key for token in _name_tokens(pair.target)} - FUNCTION_WORDS

    def _near(self, pair: Pair, owned: list[int]) -> list[int]:
        """Words whose letters are like those of a name: of those that came from it, or without attention of all."""
        keys = self._keys(pair)
        if self.alignment is not None:
            # An English word in small letters must be very like.
            near = [
                j
                for j in owned
                if self._like(j, keys) >= (COPY if self.tokens[j].capital or self._strange(j) else COPY_UNATTENDED)
            ]
            if len(pair.words) == 1 or not near:
                return near
            return [
                j
                for j, token in enumerate(self.tokens)
                if j in near or (token.key in keys and not self.used[j] and self._reaches(j, near))
            ]
        return [
            j
            for j, token in enumerate(self.tokens)
            if not self.used[j]
            and self._like(j, keys) >= COPY_UNATTENDED
            and (token.key in keys or token.key not in self.mentions.names)
        ]

    def _like(self, j: int, keys: Iterable[str]) -> float:
        return max(fuzz.ratio(self.tokens[j].key, key) for key in keys) / 100

    def _weight(self, pair: Pair, j: int) -> float:
        return max(self.attention(j, word) for word in pair.words)

    def _strange(self, j: int) -> bool:
        """Whether a word of the translation is neither English nor in the article."""
        key = self.tokens[j].key
        return key not in self.mentions.places and not is_english(key)

    def _translated(self, pair: Pair, j: int, near: Sequence[int]) -> bool:
        """Whether a word with a capital translates a part of a name for which nothing else stands: "Churches"."""
        for word in pair.words:
            if word.capital and not self.tokens[j].capital:
                continue
            standing = any(self.attention(k, word) >= ATTENDED for k in near)
            least = ATTENDED if any(self._next_to(j, k) for k in near) else SURE
            if not standing and self.attention(j, word) >= least:
                return True
        return False

    def _next_to(self, j: int, k: int) -> bool:
        """Whether only a space parts two words."""
        first, second = self.tokens[min(j, k)], self.tokens[max(j, k)]
        return abs(j - k) == 1 and self.text[first.end : second.start] == " "

    def _doubtful(self, pair: Pair, span: Sequence[int]) -> bool:
        """Whether, without attention, a word beside a part of a name may stand for the rest: "Luis Lamb"."""
        if self.alignment is not None or len(span) >= len(pair.words):
            return False
        if not pair.words[0].capital:
            return True
        before = span[0] - 1
        while before > 0 and self._joins(before):
            before -= 1
        return self._stands_by(span[-1] + 1, span) or (before >= 0 and self._stands_by(before, [before + 1]))

    def _stands_by(self, j: int, span: Sequence[int]) -> bool:
        """Whether a word beside a span has a capital that no sentence gave it and belongs to no other name."""
        if not 0 <= j < len(self.tokens) or self.used[j] or not any(self._next_to(j, k) for k in span):
            return False
        return self.tokens[j].capital and not self.tokens[j].first

    def _fragment(self, pair: Pair, j: int, near: Sequence[int]) -> bool:
        """Whether a word and one beside it are together more like a name than that one is alone: "Mara ón"."""
        for k in near:
            if abs(k - j) != 1:
                continue
            alone, joined = self.tokens[k].key, self.tokens[min(j, k)].key + self.tokens[max(j, k)].key
            if any(fuzz.ratio(joined, word.key) > max(fuzz.ratio(alone, word.key), 75) for word in pair.words):
                return True
        return False

    def _reaches(self, j: int, span: Sequence[int]) -> bool:
        """Whether nothing but function words stands between a word and the nearest of a span."""
        nearest = min(span, key=lambda k: abs(k - j))
        return self._contiguous([j, nearest]) is not None

    def _contiguous(self, span: Sequence[int]) -> list[int] | None:
        """The words from the first to the last of a span if nothing but function words stands between them."""
        if not span:
            return None
        whole = list(range(min(span), max(span) + 1))
        free = all(j in span or (not self.used[j] and self._joins(j)) for j in whole) and all(
            _BETWEEN.fullmatch(self.text[self.tokens[j].end : self.tokens[j + 1].start]) for j in whole[:-1]
        )
        return whole if free else None

    def _joins(self, j: int) -> bool:
        """Whether a word may stand inside a name."""
        key = self.tokens[j].key
        return key in FUNCTION_WORDS or key in _PARTICLES or (len(key) < 3 and key.isalpha() and self._strange(j))

    def _fitting(self, pair: Pair, span: Sequence[int]) -> str:
        """A name as it must be written in the place of words of the translation."""
        if pair.kind in {"title", "word"} and not self.tokens[span[0]].capital:
            after = self.tokens[span[-1] + 1 : span[-1] + 3]
            named = bool(after) and (after[0].capital or (after[0].key == "of" and after[-1].capital))
            return pair.target if named else pair.target.lower()
        return (
            self._with_article(pair.target, span) if pair.kind in {"place", "institution", "acronym"} else pair.target
        )

    def _with_article(self, form: str, span: Sequence[int]) -> str:
        """A name, with "the" if the article never prints it without, unless the translation has a determiner."""
        before = self.tokens[span[0] - 1].key if span[0] else ""
        wanted = _name_tokens(form)
        places = [
            (p, i)
            for p, i in self.mentions.places[wanted[0].key]
            if self.mentions.text(p, i, min(i + len(wanted), len(self.mentions.tokens[p])) - 1) == form
        ]
        lefts = [self.mentions.token((p, i - 1)) for p, i in places]
        always = bool(lefts) and all(left is not None and left.key == "the" for left in lefts)
        has = before in {"the", "a", "an", "this", "its", "their", "his", "her"} or self.text[
            self.tokens[span[0] - 1].end if span[0] else 0 :
        ].startswith(("'s", "’s"))
        after = self.tokens[span[-1] + 1] if span[-1] + 1 < len(self.tokens) else None
        gap = self.text[self.tokens[span[-1]].end : after.start] if after else ""
        alone = after is None or gap != " " or after.key in FUNCTION_WORDS
        return f"the {form}" if always and span[0] and alone and not has else form

    def insert_missing(self, index: int) -> bool:
        """Puts a lost part of a person's name beside the part that is there."""
        pair = self.wanted[index]
        if pair.kind != "name" or self.found.get(index) or any(_ordinary(word) for word in pair.words):
            return False
        for other_index in (index + 1, index - 1):
            if not 0 <= other_index < len(self.wanted):
                continue
            other = self.wanted[other_index]
            if other.kind != "name" or not self.found.get(other_index):
                continue
            ahead = other_index > index
            a, b = (pair, other) if ahead else (other, pair)
            if self.source[a.words[-1].end : b.words[0].start] != " ":
                continue
            j = self.found[other_index][0 if ahead else -1]
            beside = j - 1 if ahead else j + 1
            if self._stands_by(beside, [j]) and (self.alignment is None or beside in self.owned(pair)):
                continue
            at = self.tokens[j].start if ahead else self.tokens[j].end
            if any(start <= at <= end for start, end, _ in self.changes):
                continue
            self.changes.append((at, at, f"{pair.target} " if ahead else f" {pair.target}"))
            self.done.add(index)
            return True
        return False

    # ----------------------------------------------------------------------------------------------- result

    def run(self) -> Spelled:
        """Takes what is right, mends what is not, and writes the translation."""
        order = sorted(range(len(self.wanted)), key=lambda i: -len(self.wanted[i].target))
        open_ = [i for i in order if not self.satisfied(i)]
        # What attention points to must not go to another name first: the best owned first.
        still = [i for i in sorted(open_) if not self.mend(i)]
        lost = [i for i in still if not self.insert_missing(i)]
        text = self.text
        for start, end, form in sorted(self.changes, reverse=True):
            text = text[:start] + form + text[end:]
        names: dict[Name, None] = {}
        for i in sorted(self.done):
            pair = self.wanted[i]
            changed = any(form == pair.target for _, _, form in self.changes)
            if (
                pair.mentioned
                and pair.source != pair.target
                and (pair.kind not in {"demonym", "title", "word"} or changed)
            ):
                names[Name(pair.source, pair.target)] = None
        named = [i for i in range(len(self.wanted)) if self.wanted[i].kind not in {"title", "word", "demonym"}]
        gone = sum(i in lost for i in named)
        return Spelled(text, tuple(names), len(named) - gone, gone, self._realigned(text))

    def _realigned(self, text: str) -> Matrix | None:
        """The alignment of the new translation: a name has the attention of what it replaced."""
        if self.alignment is None or not self.changes:
            return self.alignment
        old = [match.end() for match in re.finditer(r"\S+", self.text)]
        rows = []
        for match in re.finditer(r"\S+", text):
            at, moved = match.start(), 0
            for start, end, form in sorted(self.changes):
                if start + moved > match.start():
                    break
                if match.start() < start + moved + len(form):
                    # The words of a name follow those that it replaced one by one.
                    inner = len(text[start + moved : match.start()].split())
                    at = min(bisect_right(old, start) + inner, bisect_right(old, max(start, end - 1)))
                    at = old[min(at, len(old) - 1)] - 1
                else:
                    at = match.start() - moved - len(form) + (end - start)
                moved += len(form) - (end - start)
            rows.append(self.alignment[min(bisect_right(old, at), len(old) - 1)])
        return tuple(rows)


def respell(text: str, alignment: Matrix | None, source: str, wanted: Sequence[Pair], mentions: Mentions) -> Spelled:
    """Gives the names of a translation the spelling that the article has for them.

    Args:
        text: the translation.
        alignment: attention of the translation's words on the caption's, both as ``str.split`` cuts them; None if
            unknown, when likeness of letters alone decides.
        source: the caption as the model saw it: normalised, in ordinary case.
        wanted: its names, as :func:`pairs` gives them.
        mentions: the article's names.
    """
    return _Rewriter(source, text, alignment, wanted, mentions).run()
