"""Glossaries: terms that a translation must use, and words that it must leave alone.

Read from CSV, TBX (ISO 30042, TBX-Basic of 2008 and of 2019) or a plain list of words to leave alone. A term is looked
for in the source in any number and, for the adjectives and participles of a term, gender; where the translation lacks
its counterpart, the words that the model's attention aligns with it are replaced.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
import xml.sax
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.handler import ContentHandler

from aligner.context.words import STOPWORDS
from aligner.errors import GlossaryError
from aligner.records import Term
from aligner.translation.dictionary import dictionary, is_listed, stem
from aligner.translation.guard import Problem, remaining
from aligner.translation.mentions import FUNCTION_WORDS
from aligner.translation.spelling import fold

if TYPE_CHECKING:
    from aligner.translation.translator import Choose, Hypothesis, Matrix

Scope = Literal["match", "always"]

#: Larger files are refused: half a million terms are below this.
MAX_BYTES = 64 << 20
_HEADER = {"source", "target", "scope", "note"}
_SCOPES: dict[str, Scope] = {"": "match", "match": "match", "always": "always"}
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_ENDS = re.compile(r"[.!?…][\"')\]»”]*$")
# Share of a translated word's attention that must lie on the term for the word to belong to it.
_SHARE = 0.4
#: Attention from which a word stands for another word of the source as well, if no other word gives that so much.
_SHARED = 0.2


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a glossary.

    Attributes:
        sources: ways to say it in the source language.
        targets: ways to say it in the target language, the preferred one first; empty: leave the source's words.
        scope: ``match``: where the source has the term; ``always``: besides, wherever a source form stands in the
            translation.
        place: file and line.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    scope: Scope
    place: str


@dataclass(frozen=True, slots=True)
class _Match:
    """An entry found in a source text.

    Attributes:
        entry: what was found.
        start: first word, counted as ``str.split`` does.
        end: the word after the last one.
        text: as the source has it, without the marks around it.
        plural: whether it stands in the plural and the glossary's form does not.
        form: the glossary's form of it.
    """

    entry: Entry
    start: int
    end: int
    text: str
    plural: bool
    form: str


class Glossary:
    """Entries of one or more files, the first file's before the next one's, longer terms before shorter ones."""

    def __init__(self, entries: Iterable[Entry], *, source_language: str = "es", target_language: str = "en") -> None:
        """Takes entries; :meth:`load` reads files.

        Args:
            entries: the entries; of several for one term the first counts.
            source_language: ISO 639-1 code.
            target_language: ISO 639-1 code.
        """
        self.entries = tuple(entries)
        self.source_language = source_language
        self.target_language = target_language
        self._by_stem: defaultdict[str, list[tuple[tuple[str, ...], str, Entry]]] = defaultdict(list)
        seen: set[tuple[str, ...]] = set()
        for entry in self.entries:
            for source in entry.sources:
                stems = _genderless(_stems(source))
                if stems and stems not in seen:
                    seen.add(stems)
                    self._by_stem[stems[0]].append((stems, source, entry))
        for listed in self._by_stem.values():
            listed.sort(key=lambda item: -len(item[0]))
        self._met: set[Entry] = set()
        self._always = [entry for entry in self.entries if entry.scope == "always" and entry.targets]

    @classmethod
    def load(cls, paths: Iterable[Path], *, source_language: str = "es", target_language: str = "en") -> Glossary:
        """Reads glossaries, by the ending of their names: ``.csv``, ``.tsv``, ``.tbx``, ``.xml``, ``.txt``.

        Args:
            paths: files; where two have a term, the first one's line counts.
            source_language: ISO 639-1 code, to choose among a TBX file's languages.
            target_language: the same for the translations.

        Raises:
            GlossaryError: a file is missing, malformed or hostile; every malformed line is named.
        """
        entries: list[Entry] = []
        for path in paths:
            data = _bytes(path)
            suffix = path.suffix.lower()
            if suffix in (".tbx", ".xml"):
                entries += _read_tbx(path, data, source_language, target_language)
            elif suffix in (".csv", ".tsv", ".tab"):
                entries += _read_csv(path, _text(path, data), source_language, target_language)
            elif suffix == ".txt":
                entries += _read_list(path, _text(path, data))
            else:
                raise GlossaryError(f"{path}: unknown kind of glossary {path.suffix!r}; known: .csv, .tsv, .tbx, .txt")
        return cls(entries, source_language=source_language, target_language=target_language)

    # --------------------------------------------------------------------------------------------- use

    def unmet(self) -> list[Entry]:
        """The entries that no text so far had a term of."""
        return [entry for entry in self.entries if entry not in self._met]

    def chooser(self, choose: Choose | None = None) -> Choose:
        """A choice among hypotheses that revises all of them first.

        Args:
            choose: picks among the revised ones; None takes the first of those that miss the fewest terms.
        """

        def chosen(index: int, hypotheses: Sequence[Hypothesis]) -> Hypothesis:
            revised = [self.revise(hypothesis) for hypothesis in hypotheses]
            return choose(index, revised) if choose else min(revised, key=_missed)

        return chosen

    def revise(self, hypothesis: Hypothesis) -> Hypothesis:
        """A hypothesis with the glossary's terms.

        A term that the source has and the translation lacks takes the place of the words aligned with it. Where those
        cannot be told, or stand for another word too, the hypothesis gets the problem ``glossary-missed``.
        """
        matches = self.find(hypothesis.source)
        if not matches and not self._always:
            return hypothesis
        text, alignment, source = hypothesis.text, hypothesis.alignment, hypothesis.source.split()
        problems, terms = list(hypothesis.problems), []
        for match in matches:
            opens = match.start == 0 or _ENDS.search(source[match.start - 1]) is not None
            wanted = _wanted(match, opens)
            if _has(text, match, wanted):
                terms.append(Term(match.text, wanted, "kept"))
                continue
            edit = span(match.start, match.end, text, alignment)
            edit = edit and _with_neighbours(edit, match, source, text)
            if edit is None or not _spares(edit, match, source, text, alignment):
                problems.append(
                    Problem("glossary-missed", f"{match.text!r} should be {wanted!r} ({match.entry.place})")
                )
                continue
            capital = match.text[:1].isupper() and not opens
            text, alignment = put(text, alignment, edit, wanted, capital=capital)
            terms.append(Term(match.text, wanted, "replaced"))
        for entry in self._always:
            text, found = _everywhere(text, entry)
            terms += [Term(form, entry.targets[0], "replaced") for form in found]
            if found:
                self._met.add(entry)
                if alignment is not None and len(text.split()) != len(alignment):
                    alignment = None
        said = frozenset(word for term in terms for word in _WORD.findall(term.target))
        left = tuple(remaining(problems, hypothesis.source, text, said))
        return replace(hypothesis, text=text, alignment=alignment, problems=left, terms=tuple(terms))

    def find(self, source: str) -> list[_Match]:
        """Terms in a source text, in order, none overlapping, the longest first."""
        words = source.split()
        stems = [_stems(word) for word in words]
        found: list[_Match] = []
        i = 0
        while i < len(words):
            match = self._match(words, stems, i)
            if match:
                found.append(match)
            i = match.end if match else i + 1
        return found

    def _match(self, words: Sequence[str], stems: Sequence[tuple[str, ...]], start: int) -> _Match | None:
        if not stems[start]:
            return None
        for wanted, form, entry in self._by_stem.get(stems[start][0], ()):
            have: tuple[str, ...] = ()
            end = start
            while end < len(words) and len(have) < len(wanted):
                have += stems[end]
                end += 1
            if _genderless(have) != wanted:
                continue
            text = " ".join(words[start:end])
            core = text[_lead(text) : len(text) - _trail(text)]
            if not _same_case(form, core) or any(mark in core for mark in ',;:!?()"'):
                continue
            plural = any(
                found.endswith("s") and not listed.endswith("s")
                for found, listed in zip(_ends(core), _ends(form), strict=True)
            )
            self._met.add(entry)
            return _Match(entry, start, end, core, plural, form)
        return None


def digest(paths: Iterable[Path]) -> list[str]:
    """SHA-256 of each glossary file, in order: what a run's options say of it.

    Raises:
        GlossaryError: a file cannot be read.
    """
    return [hashlib.sha256(_bytes(path)).hexdigest() for path in paths]


# ------------------------------------------------------------------------------------------------- words


def _fold(text: str) -> str:
    return "".join(
        c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c) or c == "\u0303"
    )


_GENDER = re.compile(r"(ad|id|dor|tor|sor|ari|os|iv|ist|nt|ic|an|en|er|or)[oae]$")


def _stem(word: str) -> str:
    """A word without its plural; accents folded."""
    word = _fold(word)
    if len(word) > 4 and word.endswith("ces"):
        word = word[:-3] + "z"
    elif len(word) > 4 and word.endswith("es") and word[-3] not in "aeiou":
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s"):
        word = word[:-1]
    if len(word) > 4 and word.endswith("e"):
        return word[:-1]
    return word


def _stems(text: str) -> tuple[str, ...]:
    return tuple(map(_stem, _WORD.findall(text)))


def _genderless(stems: tuple[str, ...]) -> tuple[str, ...]:
    """The stems of a term, all but the first without the gender of an adjective or participle."""
    return stems[:1] + tuple(_GENDER.sub(r"\1", stem) for stem in stems[1:])


def _same_case(form: str, found: str) -> bool:
    """Whether the case allows the match: an acronym or a name is not met in small letters."""
    if form.isupper() and len(form) > 1:
        return found.isupper()
    return not (form[:1].isupper() and found[:1].islower())


def _ends(text: str) -> tuple[str, str]:
    """The first and the last word, in small letters."""
    words = [word.lower() for word in _WORD.findall(text)] or [""]
    return words[0], words[-1]


def _lead(text: str) -> int:
    match = _WORD.search(text)
    return match.start() if match else 0


def _trail(text: str) -> int:
    words = list(_WORD.finditer(text))
    return len(text) - words[-1].end() if words else 0


_IRREGULAR = {"man": "men", "woman": "women", "child": "children", "person": "people", "foot": "feet"}
_VES = re.compile(r"\b(cal|hal|kni|lea|li|loa|scar|shel|thie|wi|wol)fe?$")
_MEN = re.compile(r"\b(?!(?:caiman|german|human|norman|ottoman|roman|shaman|talisman)$)(\w+)man$")
_INVARIABLE = frozenset(["cattle", "deer", "fish", "livestock", "police", "salmon", "sheep", "squid", "staff"])
_HEAD = re.compile(r"^(.*?)([A-Za-z]+)((?:-in-law)?(?:\s+(?:of|for|in|on|at|to|from|with|by)\s.*)?)$")


def plural(term: str) -> str:
    """An English term with its head noun in the plural."""
    match = _HEAD.match(term)
    if not match or not match[2].islower() or match[2].endswith("s"):
        return term
    before, head, after = match[1], match[2], match[3]
    if head in _INVARIABLE:
        return term
    if head in _IRREGULAR:
        head = _IRREGULAR[head]
    elif _VES.search(head):
        head = _VES.sub(r"\1ves", head)
    elif _MEN.search(head):
        head = _MEN.sub(r"\1men", head)
    elif re.search(r"(?:s|x|z|ch|sh)$", head):
        head += "es"
    elif re.search(r"[^aeiou]y$", head):
        head = head[:-1] + "ies"
    else:
        head += "s"
    return before + head + after


# ------------------------------------------------------------------------------------------------- revising


def _missed(hypothesis: Hypothesis) -> int:
    return sum(problem.code == "glossary-missed" for problem in hypothesis.problems)


def _wanted(match: _Match, opens: bool) -> str:
    """What a term should be in the translation, in the number of the caption's.

    Glossaries begin terms with a capital as sentences do: "Temporero", "Seasonal worker". It stays only if it is a
    name's: if another word has one, if the glossary's Spanish has none, if the caption has one too that is not a
    sentence's, or if no English word is written so.

    Args:
        match: the term.
        opens: it stands at the beginning of a sentence of the caption.
    """
    if not match.entry.targets:
        return match.text
    target = match.entry.targets[0]
    first = target.split()[0]
    rest = target[len(first) :]
    named = (
        not first.istitle()
        or rest != rest.lower()
        or match.form[0].islower()
        or not opens
        or not is_listed(_fold(first))
    )
    if not named:
        target = target[0].lower() + target[1:]
    return plural(target) if match.plural else target


def _has(text: str, match: _Match, wanted: str) -> bool:
    """Whether a translation has one of the term's counterparts, in either number."""
    forms = (wanted, *match.entry.targets[1:]) if match.entry.targets else (match.text,)
    folded = f" {' '.join(_fold(word) for word in _WORD.findall(text))} "
    every = [form for target in forms for form in (target, plural(target) if match.entry.targets else target)]
    found = any(f" {' '.join(_fold(word) for word in _WORD.findall(form))} " in folded for form in every)
    if match.entry.targets and not any(target.islower() for target in forms):
        return found and (text.isupper() or any(target in text for target in forms))
    return found


_BETWEEN = frozenset(["the", "a", "an", "of", "'s", "in", "for", "and"])


def span(start: int, end: int, text: str, alignment: Matrix | None) -> tuple[int, int] | None:
    """(first, after the last) word of a translation that are aligned with a term; None where that is not clear.

    Args:
        start: first word of the term in the source, counted as ``str.split`` does.
        end: the word after its last one.
        text: the translation.
        alignment: attention of its words on the source's.
    """
    words = text.split()
    if alignment is None or len(alignment) != len(words) or not words:
        return None
    columns = range(start, end)
    mass = [sum(row[j] for j in columns) if len(row) >= end else 0.0 for row in alignment]
    best = [max(range(len(row)), key=row.__getitem__) if row else -1 for row in alignment]
    own = [t for t in range(len(words)) if mass[t] >= _SHARE and best[t] in columns and _WORD.search(words[t])]
    if not own:
        return None
    peak = max(own, key=lambda t: mass[t])
    own = [t for t in own if t == peak or not words[t].endswith(("'s", "’s"))]  # "Ukraine's president"
    first = last = peak
    while last + 1 in own or (last + 2 in own and words[last + 1].lower() in _BETWEEN):
        last += 1
    while first - 1 in own or (first - 2 in own and words[first - 1].lower() in _BETWEEN):
        first -= 1
    while first < last and words[first].lower() in _BETWEEN:
        first += 1
    while first < last and words[last].lower() in _BETWEEN:
        last -= 1
    if last - first + 1 > 2 * (end - start) + 2:
        return None
    return first, last + 1


def _with_neighbours(edit: tuple[int, int], match: _Match, source: Sequence[str], text: str) -> tuple[int, int]:
    """A term's place with the words beside it that the dictionary has for another word of the term.

    "German Chancellor" stands for "canciller alemana", though "German" may look at the article in front.
    """
    keys = [found[0] for word in source[match.start : match.end] if (found := _WORD.search(word))]
    if len(keys) < 2:
        return edit
    stems = frozenset().union(*(dictionary().word(fold(key), key).stems for key in keys))
    words = text.split()
    first, after = edit
    while first and (found := _WORD.fullmatch(words[first - 1])) and stem(_fold(found[0])) in stems:
        first -= 1
    while after < len(words) and _trail(words[after - 1]) == 0 and (found := _WORD.search(words[after])):
        if stem(_fold(found[0])) not in stems:
            break
        after += 1
    return first, after


def _spares(edit: tuple[int, int], match: _Match, source: Sequence[str], text: str, alignment: Matrix | None) -> bool:
    """Whether every content word of the source outside a term is still said when the term takes a place.

    A verb is lost where its English stands in that place: no other content word of the translation attends to it, and
    none stands for it by the dictionary.
    """
    if alignment is None:
        return False
    first, after = edit
    words = text.split()
    rest = [i for i, word in enumerate(words) if not first <= i < after and _fold(word) not in FUNCTION_WORDS]
    said = {stem(_fold(word)) for i in rest for word in _WORD.findall(words[i])}
    for j, word in enumerate(source):
        if match.start <= j < match.end or not (found := _WORD.search(word)):
            continue
        key = _fold(found[0])
        if key in FUNCTION_WORDS or key in STOPWORDS["es"]:
            continue
        here, elsewhere = (
            max((alignment[i][j] for i in rows if j < len(alignment[i])), default=0.0)
            for rows in (range(first, after), rest)
        )
        listed = dictionary().word(fold(found[0]), found[0]).stems
        if here >= _SHARED > elsewhere and said.isdisjoint(listed | {stem(key)}):
            return False
    return True


def put(
    text: str, alignment: Matrix | None, edit: tuple[int, int], term: str, *, capital: bool
) -> tuple[str, Matrix | None]:
    """A translation, and its alignment, with a term in the place of some of its words.

    ``capital``: the source has the term with a capital.
    """
    words = text.split()
    first, after = edit
    old = " ".join(words[first:after])
    lead, trail = old[: _lead(old)], old[len(old) - _trail(old) :]
    if possessive := re.search(r"['’]s$", old[: len(old) - len(trail)]):
        trail = possessive[0] + trail
    if text.isupper():
        term = term.upper()
    elif term.islower() and (
        first == 0 or _ENDS.search(words[first - 1]) or (capital and old[_lead(old) :][:1].isupper())
    ):
        term = term[:1].upper() + term[1:]
    new = (lead + term + trail).split()
    if first and words[first - 1].lower() in ("a", "an"):
        article = "an" if term[:1].lower() in "aeiou" else "a"
        words[first - 1] = article.capitalize() if words[first - 1][:1].isupper() else article
    if alignment is not None:
        old_rows = alignment[first:after]
        mean = tuple(round(sum(column) / len(old_rows), 4) for column in zip(*old_rows, strict=True))
        alignment = (*alignment[:first], *(mean for _ in new), *alignment[after:])
    return " ".join((*words[:first], *new, *words[after:])), alignment


def _everywhere(text: str, entry: Entry) -> tuple[str, list[str]]:
    """A translation with an entry's source forms replaced wherever they stand, and those found."""
    found: list[str] = []

    def put(match: re.Match[str]) -> str:
        found.append(match[0])
        target = entry.targets[0]
        if match[0].isupper() and len(match[0]) > 1 and not any(form.isupper() for form in entry.sources):
            return target.upper()
        return target[:1].upper() + target[1:] if match[0][:1].isupper() and target.islower() else target

    for form in sorted(entry.sources, key=len, reverse=True):
        if form not in entry.targets:
            flags = 0 if form.isupper() else re.IGNORECASE
            text = re.sub(rf"(?<![\w@#/.-]){re.escape(form)}(?![\w@/-])", put, text, flags=flags)
    return text, found


# ------------------------------------------------------------------------------------------------- reading


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise GlossaryError(f"{path}: larger than {MAX_BYTES >> 20} MiB; split it")
        return path.read_bytes()
    except OSError as error:
        raise GlossaryError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def _text(path: Path, data: bytes) -> str:
    for line, raw in enumerate(data.split(b"\n"), 1):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            raise GlossaryError(f"{path}:{line}: not UTF-8; save the glossary as UTF-8") from None
        if b"\0" in raw:
            raise GlossaryError(f"{path}:{line}: a NUL character; this is no text file")
    return data.decode("utf-8-sig")


def _refuse(path: Path, problems: Sequence[tuple[int, str]]) -> None:
    if problems:
        shown = "".join(f"\n  {path}:{line}: {what}" for line, what in problems[:20])
        more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
        are = "is" if len(problems) == 1 else "are"
        raise GlossaryError(f"{path}: not used, {len(problems)} of its lines {are} malformed:{shown}{more}")


def _forms(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(form for part in cell.split("|") if (form := " ".join(part.split()))))


def _read_list(path: Path, text: str) -> list[Entry]:
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [Entry((line,), (), "match", f"{path}:{number}") for number, line in lines if line and line[:1] != "#"]


def _read_csv(path: Path, text: str, source_language: str, target_language: str) -> list[Entry]:
    """Lines ``source, target[, scope[, note]]`` with commas, semicolons or tabs, with or without a header."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    columns = {"source": 0, "target": 1, "scope": 2, "note": 3}
    languages = {source_language: "source", target_language: "target"}
    entries, problems, header = [], [], True
    start = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            problems.append((start, f"not CSV ({error})"))
            break
        if row is None:
            break
        line, start = start, reader.line_num + 1
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if header:
            header = False
            names = [languages.get(cell.lower(), cell.lower()) for cell in cells]
            if {"source", "target"} <= set(names):
                unknown = sorted(set(names) - _HEADER)
                if unknown:
                    problems.append((line, f"unknown column {unknown[0]!r}; known: source, target, scope, note"))
                columns = {name: i for i, name in enumerate(names)}
                continue
        try:
            entries.append(_entry(cells, columns, f"{path}:{line}"))
        except ValueError as error:
            problems.append((line, str(error)))
    _refuse(path, problems)
    return entries


def _entry(cells: Sequence[str], columns: dict[str, int], place: str) -> Entry:
    while cells and not cells[-1]:
        cells = cells[:-1]
    if len(cells) > max(columns.values()) + 1:
        raise ValueError(f"{len(cells)} columns; quote cells that hold the delimiter")
    source, target, scope = (
        cells[columns[name]] if name in columns and columns[name] < len(cells) else ""
        for name in ("source", "target", "scope")
    )
    sources, targets = _forms(source), _forms(target)
    if not sources or not any(_WORD.search(form) for form in sources):
        raise ValueError("no source term")
    if scope.lower() not in _SCOPES:
        raise ValueError(f"unknown scope {scope!r}; known: match, always")
    if targets and not any(_WORD.search(form) for form in targets):
        raise ValueError(f"target {target!r} has no word")
    return Entry(sources, () if targets == sources else targets, _SCOPES[scope.lower()], place)


class _Tbx(ContentHandler):
    """Gathers the entries of a TBX file, and what is wrong with it by line.

    TBX-Basic of 2008 (``termEntry``, ``langSet``, ``tig`` or ``ntig``) and of 2019 (``conceptEntry``, ``langSec``,
    ``termSec``, in either style of data categories).
    """

    def __init__(self, path: Path, source_language: str, target_language: str) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.problems: list[tuple[int, str]] = []
        self.root = ""
        self._path = path
        self._languages = (source_language, target_language)
        self._terms: dict[str, list[str]] = {}
        self._line = self._count = 0
        self._language = self._term = self._status = ""
        self._text: list[str] | None = None

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - SAX's name
        tag = name.rpartition(":")[2]
        self.root = self.root or tag
        if tag in ("termEntry", "conceptEntry"):
            self._terms, self._line, self._count = {}, self._at(), 0
        elif tag in ("langSet", "langSec"):
            self._language = (attrs.get("xml:lang") or attrs.get("lang") or "").lower().replace("_", "-").split("-")[0]
            if not self._language:
                self.problems.append((self._at(), f"<{tag}> without xml:lang"))
        elif tag in ("tig", "ntig", "termSec"):
            self._term = self._status = ""
        elif tag == "term" or tag == "administrativeStatus" or attrs.get("type") == "administrativeStatus":
            self._text = []

    def characters(self, content: str) -> None:
        if self._text is not None:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - SAX's name
        tag = name.rpartition(":")[2]
        if tag == "term" and self._text is not None:
            self._term, self._text = " ".join("".join(self._text).split()), None
            self._count += 1
            if not _WORD.search(self._term):
                self.problems.append((self._at(), "<term> without a word"))
        elif tag in ("termNote", "administrativeStatus") and self._text is not None:
            self._status, self._text = "".join(self._text).strip(), None
        elif tag in ("tig", "ntig", "termSec"):
            if self._term and not self._status.startswith(("deprecated", "superseded")):
                preferred = self._status.startswith("preferred")
                terms = self._terms.setdefault(self._language, [])
                terms.insert(0 if preferred else len(terms), self._term)
        elif tag in ("termEntry", "conceptEntry"):
            if not self._count:
                self.problems.append((self._line, f"<{tag}> without a term"))
            sources, targets = (tuple(dict.fromkeys(self._terms.get(language, ()))) for language in self._languages)
            if sources and targets:
                kept = () if targets == sources else targets
                self.entries.append(Entry(sources, kept, "match", f"{self._path}:{self._line}"))

    def _at(self) -> int:
        return int(self._locator.getLineNumber())  # type: ignore[attr-defined]


def _read_tbx(path: Path, data: bytes, source_language: str, target_language: str) -> list[Entry]:
    import defusedxml
    from defusedxml.expatreader import DefusedExpatParser

    handler = _Tbx(path, source_language, target_language)
    # TBX of 2008 names its document type; that file is not opened, and no entity may be declared.
    parser = DefusedExpatParser(forbid_dtd=False, forbid_entities=True, forbid_external=False)
    parser.setContentHandler(handler)
    parser.setFeature(xml.sax.handler.feature_external_ges, False)
    parser.setFeature(xml.sax.handler.feature_external_pes, False)
    try:
        parser.parse(io.BytesIO(data))
    except defusedxml.EntitiesForbidden as error:
        raise GlossaryError(f"{path}:{parser.getLineNumber()}: declares the entity {error.name!r}, refused") from None
    except xml.sax.SAXParseException as error:
        raise GlossaryError(f"{path}:{error.getLineNumber()}: not well-formed XML ({error.getMessage()})") from None
    except (xml.sax.SAXException, ValueError, LookupError) as error:
        raise GlossaryError(f"{path}: not XML ({error})") from None
    if handler.root not in ("martif", "tbx"):
        raise GlossaryError(f"{path}:1: root element <{handler.root}> is not that of TBX (<martif> or <tbx>)")
    _refuse(path, handler.problems)
    if not handler.entries:
        raise GlossaryError(f"{path}: no entry has terms in both {source_language!r} and {target_language!r}")
    return handler.entries
