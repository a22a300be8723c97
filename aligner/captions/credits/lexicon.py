"""The words that credits and labels are made of, and labels recognised by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from aligner.resources import data_json

ARTICLES = frozenset(["el", "la", "los", "las", "the"])


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words that credits are made of (``aligner/data/find-lexicon.json``)."""

    agencies: frozenset[str]
    lower_agencies: frozenset[str]
    given: frozenset[str]
    particles: frozenset[str]
    not_credits: frozenset[str]
    labels: frozenset[str]
    label_heads: frozenset[str]
    label_words: frozenset[str]
    openers: frozenset[str]
    line_labels: frozenset[str]
    bare_labels: frozenset[str]
    dropped: frozenset[str]
    interface: frozenset[str]
    sources: frozenset[str]
    source_ends: frozenset[str]
    source_kinds: frozenset[str]
    wires: frozenset[str]
    agency_heads: frozenset[str]
    small: frozenset[str]
    starts: frozenset[str]
    atoms: frozenset[str]
    opening: frozenset[str]
    joining: frozenset[str]

    def label(self, text: str, at: int = 0) -> int:
        """Where a credit label with its colon ("Foto: ") ends that starts at ``at``; 0 if there is none.

        A label is one word for a picture or its origin, and any more of the words that labels are made of.
        """
        match = _LABEL.match(text, at)
        if match is None:
            return 0
        words = match[1].casefold().replace("/", " ").split()
        if words[0] not in self.label_heads or not self.label_words.issuperset(words):
            return 0
        # "Fuente de la imagen, Reuters": a comma does for a label of several words.
        return match.end() if "," not in match[0] or " " in match[1] else 0

    def opener(self, text: str, at: int = 0) -> tuple[str, int] | None:
        """Words at ``at`` that a credit may start with ("Photo by"), longest first, and where they end."""
        match = _WORDS.match(text, at)
        words = match[0] if match and match[0].split(" ", 1)[0].casefold() in self.opening else ""
        while words:
            if plain(words) in self.openers:
                end = at + len(words)
                rest = _GAP.match(text, end)
                if rest and rest.end() < len(text):
                    return words, rest.end()
            words = words.rpartition(" ")[0].rstrip()
        return None


@cache
def lexicon() -> Lexicon:
    """The bundled lexicon, read once."""
    stored = data_json("find-lexicon.json")
    labels = [label.split() for label in stored["credit_labels"]]
    phrases = [*stored["credit_openers"], *stored["credit_labels"], "(c)", "©", "ⓒ", "📷", "📸"]
    return Lexicon(
        opening=frozenset(phrase.split()[0].rstrip(":").casefold() for phrase in phrases),
        joining=frozenset([*stored["particles"], "y", "e", "and", "et", "i", "vía", "via", "por", "para", "for"]),
        atoms=frozenset(
            word
            for phrase in [
                *stored["agencies"],
                *stored["credit_labels"],
                *stored["credit_openers"],
                *stored["months"]["es"],
            ]
            for word in phrase.split()
            if word[0].islower()
        ),
        agencies=frozenset(map(str.casefold, stored["agencies"])),
        lower_agencies=frozenset(filter(str.islower, stored["agencies"])),
        given=frozenset(stored["given_names"].split()),
        particles=frozenset(stored["particles"]),
        not_credits=frozenset(stored["not_credits"]),
        labels=frozenset(map(plain, stored["credit_labels"])),
        label_heads=frozenset(label[0].casefold().partition("/")[0] for label in labels),
        label_words=frozenset(
            word.casefold() for label in labels for word in " ".join(label).replace("/", " ").split()
        ),
        openers=frozenset(plain(opener.rstrip(":")) for opener in stored["credit_openers"]),
        line_labels=frozenset(map(plain, stored["line_labels"])),
        bare_labels=frozenset(stored["bare_labels"]),
        interface=frozenset(stored["interface"]),
        sources=frozenset(stored["sources"]),
        wires=frozenset(map(str.casefold, stored["wires"])),
        source_ends=frozenset(stored["source_ends"]),
        source_kinds=frozenset(stored["source_kinds"]),
        agency_heads=frozenset(_head(agency) for agency in stored["agencies"]),
        small=frozenset(stored["small_words"]),
        starts=frozenset(stored["caption_starts"]),
        dropped=frozenset(plain(opener.rstrip(":")) for opener in stored["drop_openers"]),
    )


def plain(phrase: str) -> str:
    """A phrase in small letters with single blanks."""
    return " ".join(phrase.casefold().split())


def _head(text: str) -> str:
    """The first word, or the first two where the first is an article: "la prensa", in small letters."""
    words = text.casefold().split(None, 2)
    return " ".join(words[: 2 if words[0] in ARTICLES else 1])


# Up to four words and the colon behind them; up to three words; what separates an opener from the name.
_LABEL = re.compile(r"([^\W\d_]+(?:(?:\s{1,3}|\s?/\s?)[^\W\d_]+){0,4})\s{0,2}[:：,]\s*")
_WORDS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+){0,2}")
_GAP = re.compile(r"\s*[|©–—-]\s*|\s+©?|:\s*")


def line_label(text: str, at: int = 0, end: int | None = None) -> re.Match[str] | None:
    """A label in front of a caption ("Pie de foto: ", "GALERÍA | ")."""
    end = len(text) if end is None else end
    if text[at : at + 1] in _NUMBERED_FIRST and (numbered := NUMBERED.match(text, at, end)):
        return numbered
    if text[at : at + 1] in ("*", "_") and (bold := _BOLD_LABEL.match(text, at, end)):
        return bold if plain(bold[1]) in lexicon().line_labels else None
    match = _LINE_LABEL.match(text, at, end)
    if match is None:
        return _bare_label().match(text, at, end)
    if match[1] is None:
        return match
    ends = match[0][len(match[1]) :].strip()
    # "Pie de foto, ...", "FOTO DE ARCHIVO. ..." and "VÍDEO. ...", but "Imagen, ..." and "Imagen. ..." are captions.
    sure = " " in match[1] or ends not in (",", ".") or (ends == "." and match[1].isupper())
    return match if sure and plain(match[1]) in lexicon().line_labels else None


# "Figure 3: ", "Fig. 2b. ", "Foto 4 - ", "PHOTO LOR101-0914: "; but "Figura 3" is to be translated.
NUMBERED = re.compile(
    r"(?:[Ff]igure|FIGURE|[Ff]igs?\.?|FIGS?\.?|[Ff]oto|FOTO|[Pp]hoto|PHOTO|[Ii]magen|IMAGEN|[Ii]mage|IMAGE|[Pp]icture|[Pp]late)"
    r"\s?(?:[A-Z]{1,6})?\d{1,4}(?:[-./]\d{1,4})*[a-z]?\s?[.:|–—-]\s+"
)
_NUMBERED_FIRST = frozenset("FfIiPp")


@cache
def _bare_label() -> re.Pattern[str]:
    """Labels that need nothing behind them, as no caption starts like them ("PIE DE FOTO UNA NIÑA ...")."""
    labels = "|".join(map(re.escape, sorted(lexicon().bare_labels, key=len, reverse=True)))
    return re.compile(rf"(?i:{labels})\s+(?=[«“\"¿¡]?[^\W\d_a-zß-ÿ])")


# "**Foto:** ", "__Pie de foto__: " where nothing else reads the marks.
_BOLD_LABEL = re.compile(r"[*_]{1,3}([^\W\d_]+(?:\s[^\W\d_]+){0,3})(?::[*_]{1,3}|[*_]{1,3}:)\s*")
_LINE_LABEL = re.compile(
    r"([^\W\d_]+(?:\s[^\W\d_]+){0,3})\s*(?::\s*|\|\s*|\s[-–—]\s+|[,.]\s+(?=\S))|photo_camera\s+|[■●▪►▶•]\s*"
)
