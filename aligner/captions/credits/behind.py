"""Credits behind a caption: in brackets, after a label, a separator or the last sentence."""

from __future__ import annotations

import re

from aligner.captions.credits.lexicon import lexicon
from aligner.captions.credits.parts import WINDOW, Found, Hints, credit_span, place
from aligner.captions.credits.reading import INITIALS, LIKELY, LONGEST, MARK, SOURCE, STRONG, Reading, read

_INITIALED = re.compile(r"\W[A-ZÁÉÍÓÚÑ]\.\s?[A-ZÁÉÍÓÚÑ]\.$")


def suffix(text: str, start: int, end: int, hints: Hints) -> Found | None:
    """A credit behind: its span, its reading, and where the caption ends."""
    while (
        end > start
        and (text[end - 1].isspace() or text[end - 1] in ".,;")
        and not _INITIALED.search(text, max(start, end - 6), end)
    ):
        end -= 1
    start = max(start, end - WINDOW)
    if found := labelled(text, start, end):
        return found
    if not (glued := _glued(text, start, end, hints)):
        return _bracketed(text, start, end, hints) or _separated(text, start, end, hints)
    # "... - EUROPA PRESS/L. SANZ. POOL - Archivo": the full stop is inside the credit.
    separated = _separated(text, start, glued[0][0], hints)
    if separated and separated[1].strength == STRONG:
        whole = text[separated[0][0] : end]
        if len(whole) <= LONGEST and (reading := read(whole)):
            return credit_span(text, separated[0][0], end), reading, separated[2]
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
        return credit_span(text, left, stop), reading, opening
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
_BOLD = re.compile(r"(?:\*{1,3}|_{1,3})$")
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
        if mark and not MARK.match(text[at:]):
            continue
        colon = mark or words.label(text, at) > 0
        glued = False
        if not colon:
            before = text[max(start, at - 30) : at]
            glued = not _BEFORE_OPENER.search(before)
            if glued and not (_CAPITAL_OPENER.match(text, at) and _BEFORE_CAPITAL.search(before)):
                continue
            opener = words.opener(text, at)
            if not opener or (not _NAMED.match(text, opener[1]) and not SOURCE.match(opener[0])):
                continue
        rest = text[at:]
        if bold := _BOLD.search(text, start, at):  # "... **Foto:** EFE"
            rest, at = rest.replace(bold[0], "", 1), bold.start()
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
                return credit_span(text, at, stop), reading, start + len(opened) - 1
            return credit_span(text, at, end), reading, at
    return None


_SEPARATOR = re.compile(  # a set of letters first, for which a text is searched several times as fast
    r"[\s|■●•·/.:\\](?:(?<=\s)(?=[\s|■●•·\\/–—»›>:-])(?:\s*(?:[|■●•·\\]+\s*|[/–—»›>-]+\s*|::?\s+)|\s+)|(?<=\t)"
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
        sets_off = named and (any(c in match[0] for c in "/|\\\t■●•.»›>") or match[0] == " – ")
        several = " " in rest and rest.isupper() and not text[start : match.start()].isupper()
        if match[0][0] == ":":  # "... de la obra: R. I.", but "Nadie lo sabe: Ana Sanz" says who said so
            first = rest.split()[0]
            sure = several and (first.title() in lexicon().given or INITIALS.fullmatch(first) is not None)
        else:
            # "... ante el monitor - RFEF", but "... los aviones Casa - EADS".
            body = match[0] == " - " and len(rest) > 2 and rest.isalpha() and rest.isupper()
            body = body and text[start : match.start()].split()[-1].islower()
            sure = (
                reading.strength == STRONG or several or body or (sets_off and (rest[:1].isupper() or rest[:1] == "@"))
            )
        if sure or (match[0][0] != ":" and hints.trusts(rest, place(">", match[0]))):
            return credit_span(text, match.end(), end), reading, match.start()
    return None


_SENTENCE_END = re.compile(
    r"(?:(?<![\W_][A-ZÁÉÍÓÚÑ])|(?<=[a-záéíóúñ]\s[IVX])(?=\.\s?[A-Z]{2}))(?:[.!?…],?|[»”)\]\"](?<!\s\"))\s?(?=[A-ZÁÉÍÓÚÑÀÈÒÖÜÇ@/]|(?:dpa|epa|iStock)\b)|\d(?=[A-ZÁÉÍÓÚÑ]{2}|[A-ZÁÉÍÓÚÑ][a-záéíóúñ])"
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
            return credit_span(text, at, end), reading, match.start() + len(match[0].rstrip())
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
