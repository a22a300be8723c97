"""Credits that only the document tells: the names of its sure ones, and others in the same place and shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from aligner.captions import credits
from aligner.captions.body import OwnText
from aligner.captions.capitalised import names_person
from aligner.captions.credits import Hints
from aligner.captions.evidence import Weigher
from aligner.captions.findings import FINAL, Found
from aligner.captions.language import WORD
from aligner.documents import Block

_AGENCY_NEXT = re.compile(r"[/|(]")
_TOKEN = re.compile(r"\S+")
_MARKED = re.compile(r"[|/(\[©]|\s[–—-]\s|[.:]\s")
_INITIALS = re.compile(r"(?:[A-ZÁÉÍÓÚÑ]\.){1,3}")
_PROFESSION = re.compile(r"[a-záéíóúñ]{2,}(?:[dst]or(?:a|es|as)?|ist[ao]s?|ólog[oa]s?|ógraf[oa]s?|iatras?)")
_NUMERAL = re.compile(r"[IVX]+\.?")  # "... del siglo X."
_YEAR = re.compile("(?:19|20)\\d\\d")


@dataclass(frozen=True, slots=True)
class _Tail:
    """Words at the end of a caption that may be a credit.

    Attributes:
        found: the caption.
        name: the words.
        lead: the word in front of them.
        reading: of the words and the credit that they are in front of.
    """

    found: Found
    name: str
    lead: str
    reading: credits.Reading

    @property
    def words(self) -> list[str]:
        """The words one by one."""
        return self.name.split()

    @property
    def several(self) -> bool:
        """Whether there is more than one word."""
        return " " in self.name

    @property
    def given(self) -> bool:
        """Whether the first word is a given name."""
        return self.words[0].title() in credits.lexicon().given

    @property
    def capitals(self) -> bool:
        """Whether they are in capitals behind a word that is not."""
        return self.name.isupper() and not self.lead.isupper()

    @property
    def stopped(self) -> bool:
        """Whether a full stop ends the caption behind them."""
        return self.found.text[self.found.part.end - 1] == "."

    @property
    def after_capitals(self) -> bool:
        """Whether the word in front is in capitals too, whatever stands between."""
        text, part = self.found.text, self.found.part
        before = WORD.findall(text, part.start, text.rindex(self.name, 0, part.end))[-1:]
        return bool(before) and before[0].isupper()


class DocumentCredits:
    """Completes the credits of captions by what the other credits of the document are like.

    Args:
        parts: what was found in the document, in its order.
        own: the article's own words.
        weigher: of the two languages.
    """

    def __init__(self, parts: list[Found], own: OwnText, weigher: Weigher) -> None:
        self.parts = parts
        self.own = own
        self.weigher = weigher
        self.names: set[str] = set()  # in small letters, of sure credits
        self.places: set[tuple[str, str]] = set()  # of sure credits, and how they are written

    def lines_below(self) -> None:
        """Takes a name with an agency for the credit of the caption directly above, whatever words the name is made of.

        "Prado Bosque (EFE)" is a caption elsewhere.
        """
        for above, found in pairwise(self.parts):
            part, words = found.part, found.stretch.split()
            if (above.kind, found.kind) != ("caption", "caption") or above.part.credit or above.beside:
                continue
            if not (found.block.line == above.block.line + 1 or _of_one(found.block, above.block)):
                continue
            if not (part.reading and part.reading.known and part.credit and part.end < part.credit[0]):
                continue
            left, right = part.credit
            right += found.text[left - 1] in "([" and found.text[right : right + 1] in (")", "]")
            reading = credits.read(found.text[part.start : right])
            if reading and 1 < len(words) < 4 and all(word[0].isupper() for word in words):
                found.kind = "credit"
                found.part = replace(part, end=part.start, credit=(part.start, right), reading=reading)

    def take_off(self) -> None:
        """Credits that the document tells from its sure ones: the same names, or others in the same place and shape."""
        captions = [found for found in self.parts if found.kind == "caption" and not found.beside]
        if not captions:
            return
        self._learn()
        self._learn_repeated(captions)
        self._complete(captions)
        places = len(self.places)
        self._learn()
        if len(self.places) > places:
            self._complete([found for found in captions if found.part.credit is None])

    def _complete(self, captions: Sequence[Found]) -> None:
        """Takes off, or extends, the credits of captions by what is known of the document."""
        hints = Hints(self._trusts, self.weigher.ordinary)
        for found in captions:
            if found.part.credit is None:
                self._with_credit(found, hints)
            self._extend(found, hints)

    def _learn(self) -> None:
        """Gathers the names and the places of the credits that are sure."""
        for found in self.parts:
            part, reading = found.part, found.part.reading
            if reading is None or part.credit is None:
                continue
            text = found.text[slice(*part.credit)]
            if reading.strength >= credits.LIKELY:
                self.names.add(text.casefold())
            if reading.photographer:
                self.names.add(reading.photographer.casefold())
            sure = reading.strength == credits.STRONG or text.isupper()
            if sure and not reading.labelled and part.start < part.end:
                self.places.add((_place(found), _case(text)))

    def _learn_repeated(self, captions: Sequence[Found]) -> None:
        """Takes the same capitals at the end of several captions for a credit: "... hacia el mar CONANP"."""
        ends = Counter(
            last
            for found in captions
            for *before, last in [found.stretch.split()]
            if found.part.credit is None and before and before[-1].islower()
            if len(last) > 2 and last.isalpha() and last.isupper() and last not in credits.lexicon().not_credits
        )
        self.names.update(
            name.casefold() for name, times in ends.items() if times > 1 and not self.own.mentions(name.lower())
        )

    def _trusts(self, name: str, place: str) -> bool:
        """Whether a name is a credit at a place: it is one elsewhere in the document, or others like it are there."""
        name = name.strip(" .")
        return (
            name.casefold() in self.names
            or self._stranger(name, initials=True)
            or self._as_others(name, place)
            or (place == credits.WIDE and any(learnt == place for learnt, _ in self.places))
        )

    def _as_others(self, name: str, place: str) -> bool:
        """Whether a name that the article does not mention has the shape of sure credits at a place."""
        case = _case(name)
        return (
            (place, case) in self.places
            and (case != "title" or (names_person(name) and not self.weigher.ordinary(name.split()[0])))
            and len(name) > 2
            and len(name.split()) < 6
            and name not in credits.lexicon().not_credits
            and not self.own.mentions(name.lower())
        )

    def _with_credit(self, found: Found, hints: Hints) -> None:
        """Takes off the credit that is found if the document is known."""
        part, text = found.part, found.text
        if not credits.cued(text, part.start, part.end):
            return
        again = credits.prefix(text, part.start, part.end, hints)
        if again:
            span, reading, after = again
            start, end = credits.trim(text, after, part.end)
        elif again := credits.suffix(text, part.start, part.end, hints):
            span, reading, before = again
            start, end = credits.trim(text, part.start, before)
        else:
            return
        found.part = replace(part, start=start, end=end, credit=span, reading=reading)

    def _extend(self, found: Found, hints: Hints) -> None:
        """Extends the credit to the left, over names at the caption's end that little or nothing sets off.

        There may be no credit yet ("... de Zamora Paloma Juan"), or an agency's behind a mark ("... Fadel Senna / AFP",
        "... | Ana Sanz (EFE)").
        """
        part, text = found.part, found.text
        right = self._right_edge(found)
        if right is None or (part.credit and self._marked(found, right, hints)):
            return
        if part.reading and part.reading.labelled:
            return
        for at, lead in self._unmarked(found, right):
            small = text[at].islower()
            unit = credits.read(text[at:right], after_label=small and (">", "small") in self.places)
            if unit and self._stands_apart(_Tail(found, text[at : part.end].rstrip(" ."), lead, unit)):
                self._set_credit(found, at, at, right, unit)
                return

    def _right_edge(self, found: Found) -> int | None:
        """Where the credit ends that may be extended or start at the caption's end; None if there can be none."""
        part, text = found.part, found.text
        if part.credit is None:
            return part.start + len(text[part.start : part.end].rstrip(" ."))
        left, right = part.credit
        reading = part.reading
        if left < part.end or reading is None:
            return None
        if reading.labelled:
            if (reading.photographer and not reading.known) or part.end - part.start < 9:
                return None
        elif (reading.photographer and reading.agency) or not _AGENCY_NEXT.search(text, part.end, right):
            return None
        return right + (text[left - 1] in "([" and text[right : right + 1] in (")", "]"))

    def _marked(self, found: Found, right: int, hints: Hints) -> bool:
        """Extends a credit over another one that a mark sets off in front of it; whether there is one."""
        part, text = found.part, found.text
        near = text[max(part.start, part.end - credits.LONGEST) : part.end]
        again = _MARKED.search(near) and credits.suffix(text, part.start, part.end, hints)
        if not again or not part.reading:
            return False
        (left, _), reading, before = again
        if part.reading.labelled and not (reading.known and _is_mark(text[before:left])):
            return False
        self._set_credit(found, left, before, right, credits.read(text[left:right]) or part.reading)
        return True

    def _unmarked(self, found: Found, right: int) -> Iterator[tuple[int, str]]:
        """Where a credit that nothing sets off may start, the longest first, and the word in front of it."""
        part, text = found.part, found.text
        first = max(part.start, part.end - credits.LONGEST)
        tokens = list(_TOKEN.finditer(text, first, part.end))
        most = min(self._most(tokens[-7:]), len(tokens) - (1 if part.credit else 2))
        for count in range(most, 0, -1):
            at, lead = tokens[-count].start(), tokens[-count - 1][0]
            if not (text[at].isalpha() or text[at] == "@") or _NUMERAL.fullmatch(tokens[-count][0]):
                continue
            if not lead[-1].isalnum() or lead.lower() in self.weigher.small or (len(lead) < 3 and lead.islower()):
                continue
            if text[at].islower() and (part.credit or not text[at:right].islower()):
                continue
            if count > 2 and not tokens[-count][0].isupper() and text[tokens[1 - count].start() : part.end].isupper():
                continue  # "... en el cerro Rocuant ANA SANZ GIL"
            yield at, lead

    def _most(self, tokens: list[re.Match[str]]) -> int:
        """How many words at the end can be a credit's."""
        lexicon = credits.lexicon()
        last = tokens[-1][0] if tokens else ""
        if last[:1].islower() and last.islower() and last not in lexicon.atoms:
            if last in lexicon.lower_agencies:
                return 1
            if (">", "small") in self.places:
                return 4
            given = any(token[0].title() in lexicon.given for token in tokens[-4:-1] if token[0].islower())
            return 4 if given else 0
        most = 0
        for token in reversed(tokens):
            word = token[0]
            small = word[0].islower() and word not in lexicon.joining and word not in lexicon.atoms
            if small and word not in lexicon.lower_agencies:
                break
            most += 1
        return min(most, 6)

    def _set_credit(self, found: Found, left: int, before: int, right: int, reading: credits.Reading) -> None:
        start, end = credits.trim(found.text, found.part.start, before)
        found.part = replace(found.part, start=start, end=end, credit=(left, right), reading=reading)

    def _stands_apart(self, tail: _Tail) -> bool:
        """Whether words at the end of a caption are (the start of) a credit by their look, given what is around them.

        The first rule that is meant for words of their kind decides.
        """
        if tail.name.casefold() in self.names or (tail.name[0] == "@" and not tail.several):
            return not tail.stopped
        if tail.name.islower():
            return self._apart_in_small_letters(tail)
        if tail.found.stretch.isupper():
            return self._apart_in_capitals(tail)
        if tail.found.part.credit:
            return self._apart_before_credit(tail)
        if self._as_others(tail.name, ">") and self._written_apart(tail):
            return True
        if "/" in tail.name and tail.reading.strength >= credits.LIKELY:
            return self._apart_before_slash(tail)
        if tail.reading.known and not tail.reading.labelled:
            return self._agency_apart(tail)
        if tail.capitals:
            return tail.several and not tail.after_capitals
        return self._person_apart(tail)

    def _apart_in_small_letters(self, tail: _Tail) -> bool:
        """In small letters: "... en la ría efe", "... en la ría isabel permuy sanz"."""
        lexicon = credits.lexicon()
        if tail.name in lexicon.lower_agencies or not tail.reading.photographer:
            return tail.name in lexicon.lower_agencies or (tail.reading.known and tail.name in lexicon.agencies)
        rest = [word for word in tail.words[1:] if word not in lexicon.particles]
        return tail.given and bool(rest) and not any(self.weigher.word(word).known for word in rest)

    def _apart_in_capitals(self, tail: _Tail) -> bool:
        """In a caption in capitals, only what the document or a slash shows: "... EN LA RÍA ANA SANZ / EFE"."""
        learnt = (">", "capitals") in self.places or (
            "/" in tail.name and tail.given and not self.weigher.is_caption_noun(tail.words[0].lower())
        )
        return tail.several and tail.reading.known and learnt and not tail.found.part.credit

    def _apart_before_credit(self, tail: _Tail) -> bool:
        """A name or an agency in front of an agency behind a mark: "... Fadel Senna / AFP"."""
        lexicon, found, lead = credits.lexicon(), tail.found, tail.lead
        own = credits.read(tail.name)
        if own and own.known:
            return tail.several or tail.name.isupper()
        if not found.part.reading or found.part.reading.photographer or found.part.credit is None:
            return False
        if not 2 <= len(tail.words) <= 4 or not names_person(tail.name):
            return False
        unlike = lead[0].isupper() or len(tail.words) > 3
        if not tail.capitals and unlike and (not tail.given or lead in lexicon.given):
            return False
        known = tail.capitals or _INITIALS.fullmatch(tail.words[0]) is not None
        if found.text[found.part.credit[0] - 1] == "(" and not (known or tail.given):
            return False
        surname = WORD.findall(tail.name.lower())[-1:]
        return known or not (lead in self.weigher.names.leads or not surname or self.own.mentions(surname[0]))

    def _written_apart(self, tail: _Tail) -> bool:
        """Whether the case of letters tells words from those in front of them."""
        if tail.capitals:
            return len(tail.name) > 4
        return tail.several and not (tail.lead[0].isupper() or tail.lead in self.weigher.names.leads)

    def _apart_before_slash(self, tail: _Tail) -> bool:
        """A name and nothing else in front of a slash: "... en la ría Ana Sanz/EFE"."""
        given = credits.lexicon().given
        first, *rest = tail.name.partition("/")[0].split() or [""]
        return first in given or len(rest) == 1 or given.isdisjoint(rest)

    def _agency_apart(self, tail: _Tail) -> bool:
        """An agency that the article is not about: "... en la ría EFE"."""
        lexicon, name, lead = credits.lexicon(), tail.name, tail.lead
        if tail.several or (name.isupper() and lead.isalpha()):
            return True
        if name in lexicon.not_credits or self.own.mentions(name.lower()):
            return False
        named = self.weigher.word(name.lower()).known or self.weigher.ordinary(lead) or lead in lexicon.given
        return not lead[0].isupper() or not named

    def _person_apart(self, tail: _Tail) -> bool:
        """A person whom the article does not mention, not introduced: "... de Zamora Paloma Juan"."""
        lead = tail.lead
        if not lead.isalpha() and not _YEAR.fullmatch(lead):
            return False
        leads = self.weigher.names.leads
        introduced = (
            lead in leads
            or lead.lower() in leads
            or lead in credits.lexicon().given
            or _PROFESSION.fullmatch(lead) is not None
        )
        return not tail.stopped and not introduced and self._stranger(tail.name)

    def _stranger(self, name: str, *, initials: bool = False) -> bool:
        """Whether a name is a person's whom the article does not mention."""
        tokens, lexicon = name.split(), credits.lexicon()
        if not 2 <= len(tokens) <= 4 or not names_person(name):
            return False
        first, words = tokens[0], WORD.findall(name.lower())
        if tokens[-1].isupper() and not name.isupper():
            return False
        given = first.title() in lexicon.given or (initials and _INITIALS.fullmatch(first) is not None)
        return given and bool(words) and not self.own.mentions(words[-1])

    def join_marked(self) -> None:
        """Gives blocks that the format marks as credits to the captions that they follow or precede."""
        for step in (-1, 1):
            for at, found in enumerate(self.parts):
                if found.kind != "credit" or not 0 <= at + step < len(self.parts):
                    continue
                near = self.parts[at + step]
                # A line of a figure's caption, or an image's title.
                own = found.block.role == "caption" and _of_one(found.block, near.block)
                if found.block.role != "credit" and not own:
                    continue
                marked = near.block.role in ("caption", "alt") and near.kind == "caption"
                if marked and near.part.credit is None and near.beside is None:
                    near.beside, found.kind = found, "taken"


def _is_mark(gap: str) -> bool:
    return gap.strip()[:1] in ("|", "/", "(", "[")


def _case(text: str) -> str:
    return "capitals" if text.isupper() else "small" if text.islower() else "title"


def _place(found: Found) -> str:
    """Where the credit of a caption stands."""
    part = found.part
    assert part.credit is not None
    left, right = part.credit
    if left < part.start:
        return credits.place("<", found.text[right : part.start])
    mark = found.text[part.end : left].strip()
    return credits.place(">", mark or ("." if found.text[part.end - 1] in FINAL else ""))


def _of_one(block: Block, other: Block) -> bool:
    """Whether two blocks are of one element, or of one image."""
    element = getattr(block, "element", None)
    return element == getattr(other, "element", None) and (element is not None or block.line == other.line)
