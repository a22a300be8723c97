"""Words that cannot be right: looked up where attention tells what they stand for, else named.

A small model spells rare words from pieces, and the result may be no word, "mochile" for "mochila", or another one,
"boat" for "salar". The first kind is in neither the English word list, the article nor the caption; the second is none
that the dictionary has for any word of the caption. Replacing such a word by the dictionary's for the source word that
it attends to is the look-up of unknown words of Luong et al. 2015 ("Addressing the Rare Word Problem in Neural Machine
Translation"). The word list is the linker's (:mod:`aligner.context.vectors`), the dictionary that of
:mod:`aligner.translation.dictionary`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from aligner.context.words import STOPWORDS
from aligner.translation import guard
from aligner.translation.dictionary import Phrase, dictionary, is_listed, stem
from aligner.translation.glossary import put, span
from aligner.translation.mentions import FUNCTION_WORDS, Token, tokens
from aligner.translation.namelist import is_english, is_english_name
from aligner.translation.spelling import fold

if TYPE_CHECKING:
    from aligner.translation.translator import Hypothesis, Matrix

#: Letters of the shortest word that is looked at: shorter ones are acronyms and particles.
SHORTEST = 3
#: Letters of the shortest that can be no word.
SHORTEST_ODD = 4
#: Letters of the shortest compound: "balcon" is none.
SHORTEST_COMPOUND = 7
#: Least attention on a source word for it to come into question; the same where what it has to replace is a word; least
#: of attention and half the likeness of letters together for the look-up.
FAINTEST, CLEAR, LEAST = 0.1, 0.4, 0.3
#: Least attention on a source word for the choice among hypotheses not to count it as lost.
IGNORED = 0.2
#: Words that a phrase may begin or end with.
PREPOSITIONS = frozenset(["about", "at", "beside", "by", "for", "from", "in", "of", "on", "to", "under", "with"])
COLOURS = frozenset(["black", "blue", "brown", "green", "grey", "orange", "pink", "purple", "red", "white", "yellow"])
#: Words of the longest title that stays as it is, and what stands before it.
LONGEST_TITLE = 7
_WORKS = """
    album arrastrero barco buque cancion comic crucero cuadro disco documental espectaculo exposicion ferri ferry
    fotograma fragata libro musical novela obra opera pelicula pesquero poema poemario portada relato revista serie
    velero
"""
WORKS = frozenset(_WORKS.split())
#: Accents that English has in names alone.
_ACCENTS = frozenset("áíóúñ")
_OPENED = re.compile(r"(?:^|[.!?…:])\W*$")
#: Words that English does without or says with a preposition: in dates, ages and numbers, "en pleno", "rumbo a".
_OTHERWISE = """
    ano anos dia dias pasado pasada proximo proxima cuatro cinco seis siete ocho nueve diez mano manos
    acto celebrado celebrada cumple cumplen dolares euros hacia hecho hecha pleno plena rumbo
"""
_SAID_OTHERWISE = frozenset(_OTHERWISE.split())
_JOINED_BEFORE, _JOINED_AFTER = re.compile(r"(?:\w[\w.,:'’-]*)?-$"), re.compile(r"-(?:[\w.,:'’-]*\w)?")
_QUOTED = re.compile('"([^"]+)"')
#: How likely the article's word for a source word must be beside the translation's to take its place.
AS_LIKELY = 0.6
#: How many times likelier a dictionary's word is that the article has.
IN_ARTICLE = 3.0


def mend(hypothesis: Hypothesis, article: Container[str], paragraphs: Sequence[frozenset[str]] = ()) -> Hypothesis:
    """A Spanish caption's English translation without words that cannot be right, as far as the dictionary goes.

    Args:
        hypothesis: the translation; without alignment words are named, not replaced.
        article: folded words of the article, which are no made-up ones.
        paragraphs: folded content words of each of its paragraphs, in which a sense is looked for.

    Returns:
        The translation with each such word looked up (problem ``looked-up``) or, where it is no word, named (problem
        ``unknown-word``); with the dictionary's phrases; and with the article's word among equally likely ones. Names
        stay as they are: those that neither caption nor article has are named.
    """
    source = tokens(hypothesis.source)
    text, alignment, settled, kept, phrased = _with_phrases(hypothesis, source, article)
    problems = list(hypothesis.problems)
    words = tokens(text)
    copied = {token.key for token in source}
    possible = settled.union(*(dictionary().word(token.key, token.form).stems for token in source))
    doubtful: list[tuple[Token, Token, str]] = []
    for i, token in enumerate(words):
        if token.key in article or token.key in FUNCTION_WORDS or not _is_plain(token, text):
            continue
        if token.key in kept or (token.key in copied and _is_name_part(token, words, source, hypothesis.source)):
            continue
        accented = token.key not in copied and not _ACCENTS.isdisjoint(token.form.lower())  # "Panorámic"
        odd = len(token.key) >= SHORTEST_ODD and (accented or not _is_known(token.key, token.key in copied))
        joined = _is_joined(token, text)
        if joined and (not odd or token.key in copied):
            continue
        if not odd and token.key in copied:
            continue
        origin = _origin(token, source, alignment)
        found = None
        if origin is not None and not _is_name(origin, source):
            clear = alignment is not None and alignment[token.place][origin.place] >= CLEAR
            right = stem(token.key) in possible
            if (odd or (clear and not right)) and (joined or not _stands(origin, words, token)):
                found = _looked_up(origin, article, plural=token.key.endswith("s"))
                found = _rest(found, words[max(0, i - 1) : i]) if found else None
            elif clear and right and stem(token.key) not in settled:
                found = _in_article(token, origin, words, article, paragraphs)
        if origin is not None and found is not None:
            doubtful.append((token, origin, found))
        elif odd and (token.key not in copied or _is_left(token, words, source, text)):
            problems.append(guard.Problem("unknown-word", token.form))
    done: set[Token] = set()
    for token, origin, found in reversed(doubtful):
        if origin in done:
            continue
        done.add(origin)
        same = [other.place for other, its, _ in doubtful if its == origin]
        if _is_joined(token, text):
            found = _compound(token, text, found)
        first = token.place
        while first - 1 in same:
            first -= 1
        capital = token.first or (origin.capital and not origin.first)
        text, alignment = put(text, alignment, (first, token.place + 1), found, capital=capital)
        if not _is_known(token.key) or stem(token.key) not in possible:  # else it is a synonym
            problems.append(guard.Problem("looked-up", f'"{found}" for "{origin.form}"'))
    if text != hypothesis.text:
        problems = guard.remaining(problems, hypothesis.source, text)
    if lost := _lost([token for token in source if token.start not in phrased], tokens(text), alignment):
        problems.append(guard.Problem("word-lost", ", ".join(lost)))
    if text == hypothesis.text and len(problems) == len(hypothesis.problems):
        return hypothesis
    problems.sort(key=lambda problem: -guard.CODES[problem.code])
    return replace(hypothesis, text=text, alignment=alignment, problems=tuple(problems))


def lost_words(source: str, text: str, alignment: Matrix | None) -> list[str]:
    """Words of a caption that surely nothing in a translation stands for, by the dictionary and attention."""
    return _lost(tokens(source), tokens(text), alignment, IGNORED, strict=False)


def _lost(
    source: Sequence[Token],
    words: Sequence[Token],
    alignment: Matrix | None,
    least: float = CLEAR,
    *,
    strict: bool = True,
) -> list[str]:
    """Words of the caption that nothing in the translation stands for, and that none of its words looks at.

    ``strict``: what a function word looks at, or a word that stands for another, is lost all the same.
    """
    if alignment is None:
        return []
    said = {stem(word.key) for word in words} | {word.key for word in words}
    passed = STOPWORDS["es"] | _SAID_OTHERWISE
    unsaid = [
        token
        for token in source
        if len(token.key) >= SHORTEST_ODD
        and not (token.capital and not token.first)
        and token.key not in passed
        and token.key not in said
        and (listed := dictionary().word(token.key, token.form)).forms
        and said.isdisjoint(listed.stems)
    ]
    if not unsaid:
        return []
    names = {token.key for token in source if token.capital and not token.first}
    # A name stands for no word that it looks at.
    content = [word for word in words if word.key not in (names | FUNCTION_WORDS if strict else names)]
    taken = {word.place for word in words}
    rows = [(row, set[int]()) for place, row in enumerate(alignment) if place not in taken]
    means = (
        {token.place: dictionary().word(token.key, token.form).stems | {stem(token.key)} for token in source}
        if strict
        else {}
    )
    for word in content:
        row, key = alignment[word.place] if word.place < len(alignment) else (), stem(word.key)
        rows.append((row, {j for j, stems in means.items() if key in stems and _at(row, j) >= FAINTEST}))
    return [
        token.form
        for token in unsaid
        if max((_at(row, token.place) for row, others in rows if others <= {token.place}), default=0.0) < least
    ]


def _at(row: Sequence[float], place: int) -> float:
    return row[place] if place < len(row) else 0.0


def _with_phrases(
    hypothesis: Hypothesis, source: Sequence[Token], article: Container[str]
) -> tuple[str, Matrix | None, frozenset[str], set[str], set[int]]:
    """The translation with the phrases of the dictionary, and names and titles that stay.

    Returns:
        Text and alignment; the stems of the words that stand for phrases; the folded words of names and titles; where
        the words of phrases stand in the source, see :class:`Token`.
    """
    text, alignment, kept = _with_titles(hypothesis.source, hypothesis.text, hypothesis.alignment)
    stems: set[str] = set()
    phrased: set[int] = set()
    after = 0
    keys, printed = tuple(token.key for token in source), tuple(token.form for token in source)
    for i, token in enumerate(source):
        if i < after:
            continue
        name = _kept_name(printed, i) if token.capital else ()
        phrases = dictionary().word(token.key, token.form).phrases
        found = next((p for p in phrases if keys[i : i + len(p.words)] == p.words), None) if phrases else None
        if found is None and i + 1 < len(source) and source[i + 1].place == token.place:
            found = _colours(hypothesis.source, source, i)
        if name:
            found = Phrase(name, (" ".join(name),))
            kept.update(keys[i : i + len(name)])
        if found is None:
            continue
        after = i + len(found.words)
        phrased.update(word.start for word in source[i:after])
        forms = {form: " ".join(stem(word) for word in form.lower().replace("-", " ").split()) for form in found.forms}
        stems.update(word for form in forms.values() for word in form.split())
        said = f" {' '.join(stem(token.key) for token in tokens(text))} "
        if found.forms[0] in text if name else any(f" {form} " in said for form in forms.values()):
            continue
        edit = span(token.place, source[after - 1].place + 1, text, alignment)
        if edit is None:
            continue
        wanted = next((form for form in forms if all(word in article for word in form.lower().split())), found.forms[0])
        text, alignment = put(text, alignment, _widened(edit, text, wanted), wanted, capital=token.capital)
    return text, alignment, frozenset(stems), kept, phrased


def _colours(caption: str, source: Sequence[Token], i: int) -> Phrase | None:
    """The colours from a place of the caption that hyphens join: "blanca-roja-blanca", "white-red-white"."""
    forms: list[str] = []
    end = -1
    for token in source[i:]:
        listed = dictionary().word(token.key, token.form).forms
        form = next((form for form, _ in listed[:1] if form in COLOURS), None)
        if form is None or (forms and caption[end : token.start] != "-"):
            break
        forms.append(form)
        end = token.end
    joined = len(forms) > 1 and "-" not in (caption[source[i].start - 1 : source[i].start], caption[end : end + 1])
    return Phrase(tuple(token.key for token in source[i : i + len(forms)]), ("-".join(forms),)) if joined else None


def _with_titles(source: str, text: str, alignment: Matrix | None) -> tuple[str, Matrix | None, set[str]]:
    """A translation in which what the caption quotes as a name stays as it is: titles of works, names of ships.

    Returns:
        Text and alignment; the folded words of those names.
    """
    kept: set[str] = set()
    if '"' not in source:
        return text, alignment, kept
    quoted, said = list(_QUOTED.finditer(source)), list(_QUOTED.finditer(text))
    if len(quoted) != len(said):
        return text, alignment, kept
    for there, here in reversed(list(zip(quoted, said, strict=True))):
        if _is_title(source[: there.start()], there[1]):
            kept.update(token.key for token in tokens(there[1]))
            if here[1].strip(",.") != there[1]:
                first = len(text[: here.start()].split())
                text, alignment = put(text, alignment, (first, first + len(here[0].split())), there[1], capital=True)
    return text, alignment, kept


def _is_title(before: str, quoted: str) -> bool:
    words = quoted.split()
    if len(words) > LONGEST_TITLE or not words or not (words[0][0].isupper() or words[0].isdigit()):
        return False
    names = [word for word in words if fold(word) not in STOPWORDS["es"]]
    named = fold(before).split()[-1:] in (["el"], ["la"], ["del"], ["al"])  # the "Playa de Nerga"
    if named and len(names) > 1 and all(word[0].isupper() for word in names):
        return True
    return quoted[-1] not in ".?!…" and any(fold(word) in WORKS for word in before.split()[-3:])


def _kept_name(printed: tuple[str, ...], i: int) -> tuple[str, ...]:
    """The words of the longest name at a place of the caption that stays as it is; none if there is none."""
    found = dictionary().word(printed[i])
    for phrase in found.phrases:
        if printed[i : i + len(phrase.words)] == phrase.words:
            return phrase.words
    return (printed[i],) if found.forms else ()


def _widened(edit: tuple[int, int], text: str, wanted: str) -> tuple[int, int]:
    """The span with the prepositions beside it that a phrase brings itself: "in the [on the outskirts of]"."""
    words, form = text.split(), wanted.lower().split()
    first, after = edit
    while first and form[0] in PREPOSITIONS and words[first - 1].lower() in PREPOSITIONS | {"the"}:
        first -= 1
    if first and form[0] in ("el", "la", "las", "los") and words[first - 1].lower() == "the":
        first -= 1
    while after < len(words) and form[-1] in PREPOSITIONS and words[after].lower() in PREPOSITIONS:
        after += 1
    return first, after


def _in_article(
    token: Token,
    origin: Token,
    words: Sequence[Token],
    article: Container[str],
    paragraphs: Sequence[frozenset[str]],
) -> str | None:
    """The article's word for a source word, where it is as likely as the translation's and of the same form.

    Of several that of the paragraph with most of the translation's other words.
    """
    listed = dictionary().word(origin.key, origin.form).forms
    shares = [share for form, share in listed if stem(token.key) in map(stem, form.lower().split())]
    if not shares:
        return None
    said = {stem(word.key) for word in words}
    found = [
        form
        for form, share in listed
        if share >= AS_LIKELY * max(shares)
        and form in article
        and form not in FUNCTION_WORDS
        and stem(form) not in said
        and all(form.endswith(ending) == token.key.endswith(ending) for ending in ("s", "ed", "ing"))
    ]
    others = {word.key for word in words if word is not token}
    return max(
        found,
        key=lambda form: max((len(others & paragraph) for paragraph in paragraphs if form in paragraph), default=0),
        default=None,
    )


def _is_plain(token: Token, text: str) -> bool:
    """Whether a word is one of letters, and no name that is part of one with a hyphen."""
    return len(token.key) >= SHORTEST and token.key.isalpha() and not (token.capital and _is_joined(token, text))


def _is_left(token: Token, words: Sequence[Token], source: Sequence[Token], text: str) -> bool:
    """Whether a copied word is a Spanish one left over: no name, no listed word, no quotation, no species."""
    if token.capital or is_listed(token.key) or any(word.capital for word in source if word.key == token.key):
        return False
    i = words.index(token)
    species = i > 0 and words[i - 1].capital and any(word.key == words[i - 1].key for word in source)
    quoted = text[: token.start].count('"') % 2 == 1
    return not (species or quoted or _is_joined(token, text))


def _is_joined(token: Token, text: str) -> bool:
    """Whether a word is part of one with a hyphen."""
    return "-" in text[max(0, token.start - 1) : token.start] + text[token.end : token.end + 1]


def _compound(token: Token, text: str, found: str) -> str:
    """The word with a hyphen that a part stands in, with another part in its place: "self-[proclaimed]"."""
    lead, trail = _JOINED_BEFORE.search(text[: token.start]), _JOINED_AFTER.match(text[token.end :])
    before, after = lead[0] if lead else "", trail[0] if trail else ""
    return found.removeprefix(before).join((before, after))


def _is_name(word: Token, source: Sequence[Token]) -> bool:
    """Whether a source word looks like a name, or like the first word of one: "Milagros Pavón"."""
    if not word.first:
        return word.capital
    after = source.index(word) + 1
    return word.capital and after < len(source) and source[after].follows and source[after].capital


def _is_name_part(token: Token, words: Sequence[Token], source: Sequence[Token], caption: str) -> bool:
    """Whether a copied word is part of a name.

    It is where the caption has it with a capital that no sentence gave it, and where another part follows here: "Calle
    Elcano", "Barranco de Tirajana".
    """
    if not token.capital:
        return False
    if all(word.capital and not _OPENED.search(caption[: word.start]) for word in source if word.key == token.key):
        return True
    after = words.index(token) + 1
    beside = words[after] if after < len(words) else None
    if beside is None:
        return False
    return beside.form in ("de", "del") or (not token.first and beside.capital and beside.follows)


def _stands(origin: Token, words: Sequence[Token], but: Token) -> bool:
    """Whether words of the translation, ``but`` aside, stand for a source word, as far as the dictionary goes."""
    said = {stem(word.key) for word in words if word is not but}
    return any(said.issuperset(_stems(form)) for form, _ in dictionary().word(origin.key, origin.form).forms)


def _stems(form: str) -> list[str]:
    return [stem(word) for word in form.lower().replace("-", " ").split()]


@lru_cache(maxsize=20_000)
def _is_known(key: str, copied: bool = False) -> bool:
    """Whether a folded word is English: listed, or a compound of frequent words ("sea" + "front").

    A word ``copied`` from the caption must be one that running English text has: "bodega" is listed too.
    """
    from aligner.context.vectors import bundled_vectors

    if is_english(key) or (is_listed(key) and (not copied or bundled_vectors().knows("en", key))):
        return True
    halves = ((key[:cut], key[cut:]) for cut in range(3, len(key) - 2) if len(key) >= SHORTEST_COMPOUND)
    return any(is_listed(word) and is_english(word) and is_listed(rest) and is_english(rest) for word, rest in halves)


def _origin(token: Token, source: Sequence[Token], alignment: Matrix | None) -> Token | None:
    """The source word that a word of the translation stands for: attention first, then likeness of letters."""
    from rapidfuzz import fuzz

    if alignment is None or token.place >= len(alignment):
        return None
    row, best, most = alignment[token.place], None, LEAST
    for word in source:
        if word.key in STOPWORDS["es"] or word.place >= len(row) or row[word.place] < FAINTEST:
            continue
        worth = row[word.place] + fuzz.ratio(token.key, word.key) / 200
        if worth >= most:
            best, most = word, worth
    return best


def _looked_up(origin: Token, article: Container[str], *, plural: bool) -> str | None:
    """The dictionary's English for a Spanish word; demonyms with their capital.

    ``plural`` says that what the model wrote ends like one; if the Spanish word does so too, it is one.
    """
    forms = [
        (form, share)
        for form, share in dictionary().word(origin.key, origin.form).forms
        if share == 1.0
        or not (
            form in FUNCTION_WORDS
            or form == origin.key
            or is_english_name(form.capitalize(), "place")
            or not _is_known(form)
        )
    ]
    if not forms:
        return None
    found, share = max(forms, key=lambda pair: pair[1] * (IN_ARTICLE if pair[0] in article else 1.0))
    if share < 1.0 and plural and origin.key.endswith("s") and not found.endswith(("s", "ed", "ing")):
        found = _plural(found)
    return found.capitalize() if is_english_name(found.capitalize(), "demonym") else found


def _rest(form: str, before: Sequence[Token]) -> str:
    """A form without its first word where that stands in front already: "former" of "former mayor"."""
    first, _, rest = form.partition(" ")
    return rest if rest and any(stem(word.key) == stem(first) for word in before) else form


def _plural(noun: str) -> str:
    if noun.endswith(("x", "ch", "sh")):
        return noun + "es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else noun + "s"
