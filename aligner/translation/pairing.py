"""The names of a caption, each paired with its mention in the article.

A name is paired by spelling (accents and transliteration forgiven) or through a list of names that differ between
Spanish and English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rapidfuzz import fuzz

from aligner.translation import casing
from aligner.translation.credits import is_label
from aligner.translation.mentions import ABBREVIATIONS, FUNCTION_WORDS, PARTICLES, Mentions, Token, is_loud, tokens
from aligner.translation.namelist import Entry, is_english, lexicon
from aligner.translation.spelling import fold

#: Farthest apart that spellings of one name are: a name of one word, and the mean of a longer one.
ALONE, TOGETHER = 0.05, 0.12
#: Letters that a name of one word must have to be paired with another spelling.
LONG = 5
#: Likeness in per cent of what tells a name from others of its kind, where the kind is the same.
ALIKE = 60

#: Endings of Spanish names and of their English forms.
_ENDINGS = ((re.compile(r"(?<=[^aeiouáéíóú])[aeo]$"), ""), (re.compile(r"[ií]a$"), "y"))
#: A number of a monarch or a pope.
ROMAN = re.compile("[IVX]+")
_CENTURY = re.compile(r"\b(?:siglos?|s\.) $", re.IGNORECASE)
_GIVEN = (
    "Amparo Araceli Concepción Consuelo Dolores Encarnación Esperanza Estrella Luz Mercedes Nieves Paz Piedad Pilar "
    "Purificación Refugio Remedios Rosario Socorro Soledad Trinidad Virtudes Visitación"
)
#: Given names that are words as well, and count as names only before another.
_GIVEN_WORDS = frozenset(_GIVEN.split())
#: Words of the longest name that the article is asked for.
_LONGEST_NAME = 6
_WITH_ARTICLE = frozenset(["el", "la", "los", "las"])
_NEW = frozenset(["alto", "alta", "bajo", "baja", "gran", "nuevo", "nueva"])
_GAP = re.compile(r"[\s\-‐‑]+|\.\s?")


#: What puts a place into Latin America: its country or one of its kinds of region behind it, or before it.
_COUNTRIES = (
    "argentina bolivia chile colombia costa_rica cuba ecuador el_salvador guatemala honduras mexico nicaragua panama "
    "paraguay peru puerto_rico republica_dominicana uruguay venezuela"
)
_PUT_BEHIND = re.compile(
    r"\s?(?:\(|, )(?:en )?(?:(?:el|los|la) )?(?:(?:departamento|municipio|canton|corregimiento) (?:de|del) "
    rf"|(?:{_COUNTRIES.replace(' ', '|').replace('_', ' ')})\b)"
)
_PUT_BEFORE = re.compile(
    r"\b(?:municipio|departamento|corregimiento|cantón|vereda)(?: [a-zé]+)? de $|\bcolonia $", re.IGNORECASE
)
_ARTICLE_BEFORE = re.compile(r"\b(?:al|del|el|la|las|los) $", re.IGNORECASE)


#: Likeness (per cent) of the consonants of one given name in two transcriptions; vowels; consonants that alternate.
ALIKE_GIVEN = 80.0
_VOWELS = re.compile("[aeiouy]")
_SOUNDS = str.maketrans("gjcqw", "hhkkv")


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
_STREET_WORDS = {
    "es": "alameda avenida calle callejon carrera glorieta paseo plaza plazuela rambla ronda travesia",
    "en": "alley avenue boulevard lane parade promenade road square street walk way",
    "before": "a al de del desde e el en entre hacia hasta la las los para por y",
}
#: Streets and squares, whose names English keeps; what they are in English; what stands before such a name: "una plaza"
#: and "antigua plaza" have none.
_SAINTS = frozenset(["san", "santa", "santo"])
STREETS, STREET_HEADS, _BEFORE = (frozenset(_STREET_WORDS[key].split()) for key in ("es", "en", "before"))
_DIRECTIONS = _listed_pairs(
    "norte=north/northern sur=south/southern este=east/eastern oeste=west/western oriental=eastern/east "
    "occidental=western/west central=central nacional=national real=royal mayor=main/great viejo=old vieja=old "
    "nuevo=new nueva=new"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A name of the caption and what it should be called in the translation.

    Attributes:
        words: the caption's words that make up the name, without particles.
        source: the name as the caption prints it.
        target: the article's spelling; without a mention, the caption's or the list's.
        mentioned: whether the article has it.
        kind: ``name`` if the spelling alone tells, ``whole`` if no word of it is translated, else the kind in the list.
        others: further English names that are right in the translation.
        old: other spellings of ``target``, which give way to the article's.
        inside: it is a part of a longer name.
        surname: it stands behind a Spanish given name.
        given: it is such a name, with another behind it.
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
    given: bool = False


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
    for run in _runs(source, found, taken, mentions):
        if len(run) > 1:
            made += [pair for pair in _spelled(source, run, mentions) if _letter_for_letter(pair)]
    for named in (_printed_names(source, found, mentions), _translated_names(source, found, mentions)):
        made += [pair for pair in named if not any(_overlap(pair, one) for one in made)]
    made += [pair for pair in _streets(source, found, mentions) if not any(_overlap(pair, one) for one in made)]
    spans = [(pair.words[0].start, pair.words[-1].end) for pair in made]
    for i, token in enumerate(found):
        taken[i] = any(start <= token.start < end for start, end in spans)
    for start, end, entry in _listed(source, found, mentions):
        if not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            made.append(_from_list(source, found[start:end], entry, mentions))
    for run in _runs(source, found, taken, mentions):
        made += _headed(source, found, _spelled(source, run, mentions), mentions)
    paired = {token.start for pair in made for token in pair.words}
    for token in found:
        if token.capital and token.start not in paired:
            made += [
                _from_list(source, [token], entry, mentions)
                for entry in lexicon().entries(token.key)
                if entry.kind == "word"
            ]
    return _with_given_names(sorted(made, key=lambda pair: pair.words[0].start), mentions)


def _with_given_names(made: list[Pair], mentions: Mentions) -> list[Pair]:
    """The pairs, given names as the article has them before a surname that it transcribes otherwise.

    "Serguéi Tijanovski" is the article's "Siarhei Tsikhanouski" by both names. Where the surnames are spelled alike the
    given name stays: "Mario López" is not "María López".
    """
    for i, (given, surname) in enumerate(pairwise(made)):
        words = (*given.words, *surname.words)
        if given.mentioned or not surname.mentioned or len(words) != 2 or not words[1].follows:
            continue
        if fold(surname.source) == fold(surname.target):
            continue
        for p, at in mentions.places.get(fold(surname.target), ()):
            there = mentions.token((p, at - 1))
            if there and there.capital and mentions.tokens[p][at].follows and _same_given(words[0].key, there.key):
                old = dict.fromkeys((given.target, *given.others, *given.old))
                made[i] = replace(given, target=there.form, mentioned=True, others=(), old=tuple(old))
                break
    return made


def _same_given(one: str, other: str) -> bool:
    """Whether two folded given names may be one, transcribed from different languages: "sergei" and "siarhei"."""
    if one[0] != other[0] or (one[-1] == "a") != (other[-1] == "a"):
        return False
    bare = [_VOWELS.sub("", name.replace("x", "ks").replace("kh", "h").translate(_SOUNDS)) for name in (one, other)]
    return len(bare[0]) > 1 and fuzz.ratio(*bare) >= ALIKE_GIVEN


def _overlap(one: Pair, other: Pair) -> bool:
    return one.words[0].start < other.words[-1].end and other.words[0].start < one.words[-1].end


def _printed_names(source: str, found: Sequence[Token], mentions: Mentions) -> Iterator[Pair]:
    """Spanish names of several words that the article has letter for letter, though the caption writes them small.

    "la avenida Corrientes" for "Avenida Corrientes", "barrio obrero" in a caption in capitals for "Barrio Obrero".
    """
    end = 0
    for i, token in enumerate(found):
        if token.start < end or token.capital or is_english(token.key) or token.key in PARTICLES:
            continue
        for p, at in mentions.places.get(token.key, ()):
            there = mentions.tokens[p][at : at + _LONGEST_NAME]
            size = _same_words(source, found[i:], there, mentions.texts[p])
            if size > 1 and all(word.capital or word.key in PARTICLES for word in there[:size]):
                words = tuple(word for word in found[i : i + size] if word.key not in PARTICLES)
                end = found[i + size - 1].end
                yield Pair(words, source[token.start : end], mentions.text(p, at, at + size - 1), True, "whole")
                break


def _same_words(source: str, found: Sequence[Token], there: Sequence[Token], text: str) -> int:
    """How many words from the start are the same in caption and article, particles at the end left out."""
    last = 0
    for size, (word, other) in enumerate(zip(found, there, strict=False)):
        if word.key != other.key:
            break
        if size:
            gap, space = source[found[size - 1].end : word.start], text[there[size - 1].end : other.start]
            if space != " " or not _GAP.fullmatch(gap):
                break
        last = last if word.key in PARTICLES else size + 1
    return last


def _streets(source: str, found: Sequence[Token], mentions: Mentions) -> Iterator[Pair]:
    """Streets and squares: "la plaza de España" is "Plaza de España" in English too."""
    for i, head in enumerate(found):
        if head.key not in STREETS:
            continue
        apart = head.capital or head.first or not i or source[found[i - 1].end : head.start] != " "
        if not apart and found[i - 1].key not in _BEFORE:
            continue
        first = i + 1
        while first < len(found) and found[first].key in PARTICLES and not found[first].capital:
            first += 1
        last = first
        while last < len(found) and found[last].start == found[last - 1].end + 1:
            joins = found[first].key in _SAINTS and found[last].key in PARTICLES
            if not (found[last].capital or joins):
                break
            last += 1
        while last > first and not found[last - 1].capital:
            last -= 1
        words = [token for token in found[first:last] if token.capital]
        whole = found[i:last]
        if not words or not all(_GAP.fullmatch(source[a.end : b.start]) for a, b in pairwise(whole)):
            continue
        for size in range(len(whole), 1, -1):
            entries = lexicon().entries(" ".join(token.key for token in whole[:size]))
            if entries:  # "plaza de San Pedro" has an English name
                yield replace(_from_list(source, whole[:size], entries[0], mentions), kind="whole")
                break
        else:
            printed = source[head.start : words[-1].end]
            yield Pair((head, *words), printed, printed[0].upper() + printed[1:], False, "whole")


def _translated_names(source: str, found: Sequence[Token], mentions: Mentions) -> Iterator[Pair]:
    """Names that begin with what the place or body is, as the article has them: "Corredor Sur", "South Corridor".

    Both must be of the same kind, and what tells it from others of the kind must be spelled alike or be a word that the
    list translates.
    """
    for i, head in enumerate(found):
        heads = _HEADS.get(head.key, ())
        for kind in (*heads, head.key) if heads else ():
            last = i + 1
            while last < len(found) and found[last].key in PARTICLES and not found[last].capital:
                last += 1
            first = last
            while last < len(found) and (found[last].capital or (last > first and found[last].key in PARTICLES)):
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
    while after < len(found) and found[after].key in {"of", "the", *PARTICLES} and not found[after].capital:
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


def head_words(key: str) -> frozenset[str]:
    """English words for what a place or body is by the first word of its Spanish name, folded; none for other words."""
    if key in _HEADS:
        return frozenset(_HEADS[key])
    return STREET_HEADS if key in STREETS else frozenset()


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
    if entry.kind in {"word", "person"}:
        return False
    if entry.kind == "acronym":
        return all(is_loud(t.form) or not t.form.isalpha() or t.form == "ONGs" for t in found[i : i + size])
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
        if other is not None and gap == " " and other.capital and not is_loud(other.form)
    ]
    return all(other.first and is_ordinary(other) for other in beside)


def _from_list(source: str, words: Sequence[Token], entry: Entry, mentions: Mentions) -> Pair:
    printed = _printed(source, words)
    content = tuple(token for token in words if token.key not in PARTICLES) or tuple(words)
    for sense in entry.senses:
        for form in sense:
            if (found := mentions.find(form)) is not None:
                others = tuple(other for other in entry.forms if other not in sense)
                old = tuple(other for other in sense if other != found)
                return Pair(content, printed, found, True, entry.kind, others, old)
    if entry.kind not in {"demonym", "title"} and (found := mentions.find(printed)) is not None:
        # The article keeps the Spanish name: unless that is but a part of another one, its English ones give way.
        forms = tuple(form for form in entry.forms if form != found)
        if mentions.alone(found):
            return Pair(content, printed, found, True, entry.kind, old=forms)
        return Pair(content, printed, found, True, entry.kind, forms)
    if entry.kind == "place" and len(words) == 1 and _is_namesake(source, words[0]):
        return Pair(content, printed, printed, False, "whole")
    first, *rest = entry.senses
    others = tuple(form for sense in rest for form in sense)
    # A name of several words that is the same in English is kept whole.
    kept = len(content) > 1 and entry.kind == "place" and fold(printed) == fold(entry.forms[0])
    return Pair(content, printed, first[0], False, "whole" if kept else entry.kind, others, first[1:])


def _is_namesake(source: str, word: Token) -> bool:
    """Whether a caption puts a place into Latin America, whose cities English names as Spanish does.

    "Filadelfia (Bolivia)", "Florencia, en el departamento de Caquetá", "la colonia Roma".
    """
    if word.key == "habana" or _ARTICLE_BEFORE.search(source[: word.start]):
        return False
    after = _PUT_BEHIND.match(fold(source[word.end :]))
    return after is not None or _PUT_BEFORE.search(source[: word.start]) is not None


def _printed(source: str, words: Sequence[Token]) -> str:
    return source[words[0].start : words[-1].end]


def is_ordinary(token: Token) -> bool:
    """Whether running Spanish text writes a word small now and then."""
    known, lowered = casing.lexicon(), token.form.lower()
    return lowered in known.lower or lowered in known.either or token.key in PARTICLES or token.key in FUNCTION_WORDS


def _runs(source: str, found: Sequence[Token], taken: Sequence[bool], mentions: Mentions) -> Iterator[list[Token]]:
    """Runs of words with capitals, particles between them included.

    An ordinary word that opens a sentence begins one only as a given name, of the press or of the article: "Refugio
    Olvera".
    """
    run: list[Token] = []
    for i, (token, used) in enumerate(zip(found, taken, strict=True)):
        joined = bool(run) and _GAP.fullmatch(source[run[-1].end : token.start]) is not None
        if used or not joined or not (token.capital or token.key in PARTICLES):
            yield from _trimmed(run)
            run = []
        if not used and (run or (token.capital and not (token.first and is_ordinary(token)))):
            run.append(token)
        elif not used and token.capital and i + 1 < len(found) and not taken[i + 1] and found[i + 1].follows:
            following = mentions.follows(token, found[i + 1])
            if following or (is_given(token) and not is_ordinary(found[i + 1])):
                run.append(token)
    yield from _trimmed(run)


def _trimmed(run: list[Token]) -> Iterator[list[Token]]:
    while run and (not run[-1].capital or run[-1].key in PARTICLES):
        run = run[:-1]
    if run:
        yield run


def _spelled(source: str, run: Sequence[Token], mentions: Mentions, inside: bool = False) -> Iterator[Pair]:
    """Pairs of a run of words with capitals: what the article has of it, the rest as it is.

    Args:
        source: the caption.
        run: the words, particles among them.
        mentions: the article's names.
        inside: the run is a part of a longer one.
    """
    best: tuple[float, int, int, tuple[int, int]] | None = None
    for i, token in enumerate(run):
        if token.key in PARTICLES and not token.capital:
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
        yield from _unmentioned(source, run, mentions, inside or len(run) > 1)
        return
    _, i, size, (p, at) = best
    yield from _spelled(source, run[:i], mentions, True) if i else ()
    words = run[i : i + size]
    content = tuple(token for token in words if token.capital)
    if size == 1:
        target = mentions.spelled(mentions.tokens[p][at].key, words[0].form)
    else:
        target = mentions.find(_printed(source, words)) or mentions.text(p, at, at + size - 1)
        if target.isupper() and not _printed(source, words).isupper():
            printed = _printed(source, words)
            target = printed if fold(printed) == fold(target) else target.title()
    yield Pair(content, _printed(source, words), target, True)
    yield from _spelled(source, run[i + size :], mentions, True) if i + size < len(run) else ()


def _unmentioned(source: str, run: Sequence[Token], mentions: Mentions, inside: bool) -> Iterator[Pair]:
    """Pairs of a run that the article spells otherwise or not at all.

    They are a pair a word, but for people of the list and names that begin with an article.
    """
    given, after = False, 0
    for i, token in enumerate(run):
        if i < after:
            continue
        if person := _person(run, i):
            size, entry = person
            after = i + size
            yield replace(_from_list(source, run[i:after], entry, mentions), inside=inside)
            given = False
            continue
        after = _together(run, i)
        words = tuple(word for word in run[i:after] if word.capital)
        if after - i > 1:
            # "Los Palos Grandes": the article is a part of the name, and none of it is translated.
            printed, given = _printed(source, run[i:after]), False
            yield Pair(words, printed, printed, False, "whole", inside=True)
            continue
        # "Juan Pablo II" is "John Paul II".
        reigns = any(ROMAN.fullmatch(word.form) for word in run[i + 1 : i + 3])
        if token.key in ABBREVIATIONS or (ROMAN.fullmatch(token.form) and _CENTURY.search(source[: token.start])):
            continue
        surname = given and token.follows and not reigns and not is_label(token.form.lower())
        followed = i + 1 < len(run) and run[i + 1].follows
        given = surname or is_given(token)
        if token.capital and token.key not in PARTICLES and (surname or token.key not in lexicon()):
            yield Pair(
                (token,),
                token.form,
                token.form,
                False,
                others=() if surname else _anglicised(run, i),
                inside=inside,
                surname=surname,
                given=given and followed and not surname and not reigns,
            )


def _person(run: Sequence[Token], i: int) -> tuple[int, Entry] | None:
    """How many words from ``i`` are somebody whom English calls otherwise, and their entry in the list."""
    known = lexicon()
    for size in range(min(known.longest(run[i].key), len(run) - i), 0, -1):
        for entry in known.entries(" ".join(word.key for word in run[i : i + size])):
            if entry.kind == "person" and run[i].capital:
                return size, entry
    return None


def _together(run: Sequence[Token], i: int) -> int:
    """Where a name of several words ends that begins with a capital article or with what makes a place new or big."""
    token, last = run[i], i + 1
    if last + 1 < len(run) and token.capital and run[last].form == "el" and not is_ordinary(run[last + 1]):
        return last + 2  # "Yahya el Fasi"
    if token.first or not token.capital or token.key not in (_WITH_ARTICLE | _NEW):
        return last
    while last < len(run) and run[last].capital and run[last].start == run[last - 1].end + 1:
        last += 1
    rest = run[i + 1 : last]
    known = lexicon()
    if not rest or any(word.key in known for word in rest) or (not token.key.endswith("s") and rest[0].key in _HEADS):
        return i + 1
    if token.key in _NEW and all(map(is_ordinary, rest)):
        return i + 1  # "Gran Premio", "Nueva Ley"
    return last


def is_given(token: Token) -> bool:
    """Whether a word is a common given name of the Spanish press."""
    from aligner.captions.credits import lexicon as credits

    return token.form in credits().given or token.form in _GIVEN_WORDS


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
        first = i - 1 if i and found[i - 1].key not in PARTICLES else i - 2
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
    if word.key in lexicon() or other.key not in mentions.names:
        return None
    if is_ordinary(word) and (
        word.form != other.form or word.first or is_english(word.key) or not mentions.alone(word.form)
    ):
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
