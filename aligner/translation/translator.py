"""Captions in, translations out: the stage around an engine."""

from __future__ import annotations

import heapq
import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from aligner.captions import credits
from aligner.errors import UsageError
from aligner.records import Name, Term, Translation
from aligner.resources import data_json
from aligner.translation import casing, guard, markup, models, numbers, splitting, text
from aligner.translation import credits as credit_words
from aligner.translation.engines import Decoded, Decoding, Engine, max_output, open_engine
from aligner.translation.guard import Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Units kept in the memory of one translator; with four aligned hypotheses some kilobytes each.
MEMORY = 2_000
Matrix = tuple[tuple[float, ...], ...]
#: Characters of the longest text whose words are aligned: a matrix grows with the square of it.
ALIGNED = 4_000
#: Hundredths of attention below this count as none.
FAINT = 5


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way to translate a text.

    Attributes:
        source: the text as the model saw it: normalised, in ordinary case.
        text: the translation.
        score: mean log-probability per target piece (natural logarithm, <= 0); 0 where the model had nothing
            to do.
        problems: what is doubtful about it, gravest first.
        alignment: for each word of ``text`` (as ``str.split`` cuts it) its weights over the words of
            ``source``, from the cross-attention of the last decoder layer; None unless asked for, or where
            words cannot be told apart.
        terms: terms of a glossary in it.
        names: names that it spells as the article does and the source does not.
    """

    source: str
    text: str
    score: float
    problems: tuple[Problem, ...] = ()
    alignment: Matrix | None = None
    terms: tuple[Term, ...] = ()
    names: tuple[Name, ...] = ()


#: Picks one of the hypotheses of a text, given its index: the place for reranking in the article's context.
Choose = Callable[[int, Sequence[Hypothesis]], Hypothesis]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A translation of one unit; its alignment in hundredths."""

    text: str
    score: float
    pieces: int
    problems: tuple[Problem, ...]
    alignment: NDArray[np.uint8] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is translated at once: a sentence or a part of one.

    Attributes:
        source: in ordinary case.
        capitals: the caption has it in capitals.
        gap: the white space and symbols after it.
    """

    source: str
    capitals: bool
    gap: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """A text cut into what is copied and what is translated."""

    lead: str
    units: tuple[_Unit, ...]
    tail: str

    @property
    def source(self) -> str:
        return self.lead + "".join(unit.source + unit.gap for unit in self.units) + self.tail


class Translator:
    """Translates captions with one model on one engine.

    Results depend on the text alone: not on what else is translated with it, in which order, or by how many
    threads. Safe to use from several threads.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        label: str,
        source_language: str | None = "es",
        target_language: str | None = "en",
        normalisation: str = "straight-quotes",
        max_source_tokens: int = 256,
        beam_size: int = 4,
        caps: Literal["restore", "sentence"] = "restore",
    ) -> None:
        """Takes a loaded engine; :meth:`open` loads one by a model's name.

        Args:
            engine: the loaded engine.
            label: what records name the model, ``NAME@HASH``.
            source_language: ISO 639-1 code, None if unknown.
            target_language: ISO 639-1 code, None if unknown.
            normalisation: key of ``text.NORMALISATIONS``.
            max_source_tokens: longest input of the model in pieces, the end token included.
            beam_size: beam width.
            caps: ``restore`` writes the translation of a caption in capitals in capitals too, ``sentence``
                does not.

        Raises:
            UsageError: beam width below 1, or unknown ``caps``.
        """
        if beam_size < 1:
            raise UsageError(f"beam width {beam_size}: must be 1 or more")
        if caps not in ("restore", "sentence"):
            raise UsageError(f"unknown treatment of capitals {caps!r}; known: restore, sentence")
        self.engine = engine
        self.model = label
        self.source_language = source_language
        self.target_language = target_language
        self.beam_size = beam_size
        self.caps = caps
        self._normalise = text.NORMALISATIONS[normalisation]
        self._limit = max_source_tokens
        self._memory: OrderedDict[tuple[str, bool, bool], list[_Candidate]] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        model: str = "es-en",
        engine: str = "ctranslate2",
        *,
        beam_size: int = 4,
        threads: int = 0,
        batch_tokens: int = 1024,
        compute_type: str = "default",
        caps: Literal["restore", "sentence"] = "restore",
    ) -> Translator:
        """Loads a model.

        Args:
            model: a bundled model's name, a folder in Hugging Face Marian or CTranslate2 layout, or a hub id
                such as ``Helsinki-NLP/opus-mt-es-en``, which is pulled into the user's cache the first time.
            engine: ``ctranslate2`` or ``transformers``.
            beam_size: beam width.
            threads: parallel decoders; 0 for one per core.
            batch_tokens: most source pieces that one decoder works on at a time.
            compute_type: how CTranslate2 computes (``default``: as the model is stored, int8 for the bundled
                one).
            caps: see :class:`Translator`.

        Raises:
            UsageError: unknown model or engine, or a value out of range.
            ModelError: the model is incomplete, altered or unsupported, or cannot be fetched.
        """
        if threads < 0 or batch_tokens < 1:
            raise UsageError(f"threads {threads} and batch tokens {batch_tokens} must not be negative or nought")
        if engine not in (known := ("ctranslate2", "transformers")):
            raise UsageError(f"unknown engine {engine!r}; known: {', '.join(known)}")
        found = models.find_or_pull(model)
        loaded = open_engine(found, engine, threads=threads, batch_tokens=batch_tokens, compute_type=compute_type)
        return cls(
            loaded,
            label=f"{found.name}@{models.sha256(loaded.weights)[:12]}",
            source_language=found.source_language,
            target_language=found.target_language,
            normalisation=found.normalisation,
            max_source_tokens=found.max_source_tokens,
            beam_size=beam_size,
            caps=caps,
        )

    def translate(self, texts: Iterable[str], *, n_best: int = 1, choose: Choose | None = None) -> list[Translation]:
        """Translates texts; one record for each, in order. A blank text gives a blank translation.

        Args:
            texts: captions without credits.
            n_best: how many hypotheses ``choose`` gets to see.
            choose: picks among the hypotheses; None takes the best one.
        """
        texts = list(texts)
        hypotheses = self.hypotheses(texts, n_best if choose else 1, alignment=needs_alignment(texts, choose))
        return [
            recorded(raw, choose(i, found) if choose else found[0], self.model, self.engine.name)
            for i, (raw, found) in enumerate(zip(texts, hypotheses, strict=True))
        ]

    def hypotheses(self, texts: Iterable[str], n_best: int = 4, *, alignment: bool = False) -> list[list[Hypothesis]]:
        """The best translations of each text, best first: at least one, at most ``n_best``.

        The first is what :meth:`translate` gives. Hypotheses beyond it are those of the beam, and for texts
        that were split the best combinations of their parts'.

        Args:
            texts: captions without credits; their markup is left out.
            n_best: most hypotheses a text; no more than the beam is wide come out of an unsplit text.
            alignment: also align words, which takes a little longer.
        """
        plans = [self._plan(self._prepared(raw)) for raw in texts]
        units = dict.fromkeys(unit.source for plan in plans for unit in plan.units)
        candidates = self._translated(list(units), n_best > 1, alignment)
        made: dict[_Plan, list[Hypothesis]] = {}
        for plan in plans:
            if plan not in made:
                made[plan] = self._combined(plan, candidates, n_best)
        return [made[plan] for plan in plans]

    def forget(self) -> None:
        """Empties the memory of what was translated."""
        with self._lock:
            self._memory.clear()

    # --------------------------------------------------------------------------------------------- planning

    def _prepared(self, raw: str) -> str:
        normalised = markup.strip(self._normalise(raw))[0]
        return text.in_full(text.sides(text.amounts(normalised))) if self.source_language == "es" else normalised

    def _plan(self, normalised: str) -> _Plan:
        peeled = self._without_credit(text.peel(normalised))
        units = []
        if peeled.core:
            spanish = self.source_language == "es"
            throughout = spanish and casing.is_capitals(peeled.core)
            for part, gap in self._parts(peeled.core):
                stripped = part.rstrip()
                capitals = throughout or (spanish and casing.is_capitals(stripped))
                units.append(
                    _Unit(casing.truecase(stripped) if capitals else stripped, capitals, part[len(stripped) :] + gap)
                )
        return _Plan(peeled.lead, tuple(units), peeled.tail)

    def _without_credit(self, peeled: text.Peeled) -> text.Peeled:
        """A credit is set aside too: agencies and photographers are not translated, and "Foto" is by one word."""
        core = peeled.core
        if self.source_language != "es" or not credits.cued(core, 0, len(core)):
            return peeled
        first, *others = credits.split(core)
        if others or first.reading is None or first.reading.strength < credits.STRONG or first.label:
            return peeled
        if credit_words.has_prose(core[: first.start] + " " + core[first.end :]):
            return peeled
        if first.start == first.end:
            copied = first.reading.labelled and not credit_words.has_prose(core)
            return text.Peeled(peeled.lead + core + peeled.tail, "", "") if copied else peeled
        start, end = first.start, first.end
        return text.Peeled(peeled.lead + core[:start], core[start:end], core[end:] + peeled.tail)

    def _parts(self, core: str) -> Iterator[tuple[str, str]]:
        """Sentences and what stands between symbols, each with what follows it untranslated."""
        for part in splitting.split(core, self._fits, by_sentence=True):
            yield from [(part, "")] if part.isascii() and "|" not in part else text.between_symbols(part)

    def _fits(self, part: str) -> bool:
        # A piece is at least one character, so most texts need not be encoded to know.
        return len(part) < self._limit - 2 or len(self.engine.pieces([part])[0]) <= self._limit

    # --------------------------------------------------------------------------------------------- units

    def _translated(self, units: Sequence[str], several: bool, alignment: bool) -> dict[str, list[_Candidate]]:
        """Candidates of every unit, the chosen one first; from memory where they are known."""
        with self._lock:
            known = {u: found for u in units if (found := self._memory.get((u, several, alignment)))}
        fresh = [unit for unit in units if unit not in known]
        if fresh:
            made = self._solve(fresh, several, alignment)
            with self._lock:
                self._memory.update({(unit, several, alignment): found for unit, found in made.items()})
                while len(self._memory) > MEMORY:
                    self._memory.popitem(last=False)
            known |= made
        return known

    def _solve(self, units: Sequence[str], several: bool, alignment: bool) -> dict[str, list[_Candidate]]:
        """Translates units; doubtful ones are tried in other ways; the least doubtful result is first."""
        beam = self.beam_size
        found = self._decode(units, Decoding(beam, hypotheses=beam, attention=alignment), several)
        # Loops first without a phrase twice; then clause by clause, which mends nearly all of what can be mended.
        loops = [unit for unit in self._doubtful(units, found) if _repeats(_best_first(found[unit])[0])]
        again = self._decode(loops, Decoding(beam, no_repeat_ngram_size=3, attention=alignment))
        for unit, more in again.items():
            found[unit] += more
        for unit, more in self._in_parts(self._doubtful(units, found), alignment).items():
            found[unit] += more
        best = {unit: _best_first(found[unit]) for unit in units}
        self._cover(best, alignment)
        for unit, candidates in best.items():
            best[unit] = [_said_once(unit, one) if _repeats(one) else one for one in candidates]
        return best

    @staticmethod
    def _doubtful(units: Iterable[str], found: dict[str, list[_Candidate]]) -> list[str]:
        """Units without a candidate that is sound enough."""
        return [unit for unit in units if min(guard.weight(one.problems) for one in found[unit]) >= guard.RETRY]

    def _cover(self, best: dict[str, list[_Candidate]], alignment: bool) -> None:
        """Asks of short translations whether they dropped a clause; those are translated clause by clause instead."""
        thin = [unit for unit, candidates in best.items() if guard.is_thin(unit, candidates[0].text)]
        if not thin:
            return
        if not alignment:
            attended = self._decode(thin, Decoding(self.beam_size, attention=True))
            thin = [unit for unit in thin if attended[unit][0].text == best[unit][0].text]
        else:
            attended = best
        lost = {
            unit: problems
            for unit in thin
            if (weights := attended[unit][0].alignment) is not None
            and (problems := guard.uncovered(unit, _matrix(weights)))
        }
        parts = self._in_parts(list(lost), alignment)
        for unit, problems in lost.items():
            first = best[unit][0]
            whole = replace(first, problems=tuple(_gravest_first([*first.problems, *problems])))
            best[unit] = _best_first([whole, *parts.get(unit, ()), *best[unit][1:]])

    def _decode(self, units: Sequence[str], decoding: Decoding, several: bool = False) -> dict[str, list[_Candidate]]:
        """Candidates in the order of the search; those after a sound first one only if ``several`` are wanted."""
        sources = self.engine.pieces(units)
        found: dict[str, list[_Candidate]] = {}
        for unit, source, decoded in zip(units, sources, self.engine.decode(sources, decoding), strict=True):
            end = len(source) - (source[-1:] == ["</s>"])
            starts = _word_starts(source[:end]) if decoding.attention else []
            if len(starts) != len(unit.split()):
                starts = []
            found[unit] = [self._candidate(unit, len(source), starts, end, decoded[0])]
            if several or found[unit][0].problems:
                found[unit] += [self._candidate(unit, len(source), starts, end, other) for other in decoded[1:]]
        return found

    def _candidate(self, unit: str, length: int, starts: Sequence[int], end: int, decoded: Decoded) -> _Candidate:
        target = self._mended(unit, self.engine.text(decoded.pieces))
        problems = self._check(unit, target)
        if len(decoded.pieces) >= max_output(length, self._limit):
            problems.append(Problem("truncated", f"cut off after {len(decoded.pieces)} pieces"))
        alignment = None
        if decoded.attention is not None and starts:
            alignment = _word_alignment(starts, end, target, decoded.pieces, decoded.attention)
        return _Candidate(target, decoded.score, len(decoded.pieces) + 1, tuple(problems), alignment)

    def _mended(self, source: str, target: str) -> str:
        spanish = self.source_language == "es" and self.target_language == "en"
        target = guard.mend_literals(source, target)
        if source[:1].isupper() and target[:1].islower() and not source.startswith(target.split()[0]):
            target = target[0].upper() + target[1:]
        return guard.mend_credit(source, numbers.mend(source, target)) if spanish else target

    def _check(self, source: str, target: str) -> list[Problem]:
        return guard.check(source, target, source_language=self.source_language, target_language=self.target_language)

    def _in_parts(self, units: Sequence[str], alignment: bool) -> dict[str, list[_Candidate]]:
        """Translates each unit part by part: cut around URLs and the like, or at its clauses."""
        cuts = {unit: cut for unit in units if len(cut := _parts(unit)) > 1}
        wanted = dict.fromkeys(core for cut in cuts.values() for core, _, copied in cut if core and not copied)
        decoded = self._decode(list(wanted), Decoding(self.beam_size, hypotheses=self.beam_size, attention=alignment))
        best = {core: _best_first(candidates)[0] for core, candidates in decoded.items()}
        joined: dict[str, list[_Candidate]] = {}
        for unit, cut in cuts.items():
            pieces = sum(best[core].pieces for core, _, copied in cut if core and not copied)
            score = sum(best[core].score * best[core].pieces for core, _, copied in cut if core and not copied)
            target = "".join(
                (core if copied or not core else _continued(core, best[core].text)) + mark for core, mark, copied in cut
            )
            target = self._mended(unit, " ".join(target.split()))
            problems = self._check(unit, target)
            joined[unit] = [_Candidate(target, score / max(1, pieces), pieces, tuple(problems))]
        return joined

    # --------------------------------------------------------------------------------------------- joining

    def _combined(self, plan: _Plan, candidates: dict[str, list[_Candidate]], n_best: int) -> list[Hypothesis]:
        """The ``n_best`` combinations of the units' candidates, that of the chosen ones first."""
        combinations: list[tuple[_Candidate, ...]] = [()]
        for unit in plan.units:
            longer = [(*done, candidate) for done in combinations for candidate in candidates[unit.source][:n_best]]
            first = longer[0]
            rest = heapq.nlargest(n_best - 1, longer[1:], key=_total)
            combinations = [first, *rest]
        made: dict[str, Hypothesis] = {}
        for combination in combinations:
            hypothesis = self._joined(plan, combination)
            made.setdefault(hypothesis.text, hypothesis)
        return list(made.values())

    def _joined(self, plan: _Plan, combination: Sequence[_Candidate]) -> Hypothesis:
        spanish = self.source_language == "es" and self.target_language == "en"
        label = credit_words.english_credit if spanish else str
        target = label(plan.lead)
        problems: dict[str, Problem] = {}
        said = plan.lead
        for unit, candidate in zip(plan.units, combination, strict=True):
            restored = unit.capitals and self.caps == "restore"
            inside = any(map(str.isalpha, said)) and not _ENDED.search(said)
            made = _continued(unit.source, candidate.text) if spanish and inside else candidate.text
            target += (casing.capitals(made) if restored else made) + unit.gap
            said += unit.source + unit.gap
            for problem in candidate.problems:
                problems.setdefault(str(problem), problem)
        pieces = sum(candidate.pieces for candidate in combination)
        score = _total(combination) / pieces if pieces else 0.0
        blocks = [candidate.alignment for candidate in combination if candidate.alignment is not None]
        alignment = None
        if len(blocks) == len(combination) and len(plan.source) <= ALIGNED:
            alignment = _block_alignment(plan, [candidate.text for candidate in combination], blocks)
        return Hypothesis(
            source=plan.source,
            text=(target + label(plan.tail)).strip(),
            score=round(min(score, 0.0), 4),
            problems=tuple(_gravest_first(problems.values())),
            alignment=alignment,
        )


def needs_alignment(texts: Iterable[str], choose: Choose | None) -> bool:
    """Whether the words of texts have to be aligned: for a choice, or to put markup back."""
    return choose is not None or any(map(markup.is_marked, texts))


def recorded(raw: str, hypothesis: Hypothesis, model: str, engine: str) -> Translation:
    """The record of a hypothesis, with the markup of the text that it translates, and curly quotes if that has them.

    Args:
        raw: the text as it was given.
        hypothesis: the chosen one.
        model: what records name the model.
        engine: name of the engine.
    """
    if text.CURLY.search(raw):
        hypothesis = replace(hypothesis, text=text.curled(hypothesis.text))
    hypothesis = markup.restored(raw, hypothesis)
    return Translation(
        text=hypothesis.text,
        model=model,
        engine=engine,
        score=hypothesis.score,
        names=hypothesis.names,
        warnings=tuple(str(problem) for problem in hypothesis.problems),
        glossary=hypothesis.terms,
    )


def _gravest_first(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: -guard.CODES[problem.code])


def _repeats(candidate: _Candidate) -> bool:
    """Whether a candidate loops."""
    return any(problem.code == "repetition" for problem in candidate.problems)


def _total(combination: Iterable[_Candidate]) -> float:
    return sum(candidate.score * candidate.pieces for candidate in combination)


def _best_first(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Each text once, the chosen one first, the others in the order of the search.

    The first of the search is chosen unless another one has less that is doubtful, and is not so much less probable
    that it is likely to be wrong in ways that nobody checks.
    """
    unique: dict[str, _Candidate] = {}
    for candidate in candidates:
        unique.setdefault(candidate.text, candidate)
    rest = list(unique.values())
    most = guard.weight(rest[0].problems)
    chosen = min(
        (candidate for candidate in rest if guard.weight(candidate.problems) <= most),
        key=lambda candidate: guard.weight(candidate.problems) / 100 - candidate.score,
    )
    if not most:
        chosen = rest[0]
    rest.remove(chosen)
    return [chosen, *rest]


def _said_once(unit: str, candidate: _Candidate) -> _Candidate:
    """A looping translation with each phrase once; its warning stays, since a loop mostly stands for something lost."""
    kept = guard.said_once(unit, words := candidate.text.split())
    alignment = None if candidate.alignment is None else candidate.alignment[kept]
    once = " ".join(words[i] for i in kept)
    if candidate.text[:1].isupper():
        once = once[:1].upper() + once[1:]
    return replace(candidate, text=once, alignment=alignment)


@cache
def _inner_words() -> frozenset[str]:
    """English words that begin a sentence in capitals and a part of one in small letters."""
    read = data_json("translation-es-en.json")
    return frozenset(read["inner_words"].split())


# Where a sentence without commas is cut: before a conjunction with four words on either side.
_JOINED = re.compile(r"(?<=\w\s)(?=(?:y|pero|mientras|cuando|aunque|porque)\s+\S+\s+\S+\s+\S+)", re.IGNORECASE)
_ENDED = re.compile(r"[.!?…][\"')\]»”]*\W*$")
_CLAUSE_MARK = re.compile(r"\s*[,;:–—-]?\s*$")


def _parts(unit: str) -> list[tuple[str, str, bool]]:
    """(core, what follows, is it copied) of a unit cut around its literals, or else at its clauses."""
    parts: list[tuple[str, str, bool]] = []
    literals = list(text.literal_spans(unit))
    if literals:
        end = 0
        for match in literals:
            before = unit[end : match.start()]
            parts += [(before.strip(), before[len(before.rstrip()) :] or "", False), (match[0], "", True)]
            after = unit[match.end() :]
            gap = after[: len(after) - len(after.lstrip())]
            parts[-1] = (match[0], gap, True)
            end = match.end() + len(gap)
        parts.append((unit[end:], "", False))
        # A part without a letter ("(", ".") is copied too.
        return [(core, mark, copied or not any(map(str.isalpha, core))) for core, mark, copied in parts if core or mark]
    for clause in cut if len(cut := splitting.clauses(unit)) > 1 else _JOINED.split(unit):
        mark = _CLAUSE_MARK.search(clause)
        assert mark is not None
        core = clause[: mark.start()].lstrip()
        if parts and mark.start() > len(core):  # the space after a comma goes with the comma
            parts[-1] = (parts[-1][0], parts[-1][1] + " ", parts[-1][2])
        parts.append((core, mark[0], not any(map(str.isalpha, clause))))
    return parts


def _continued(source: str, target: str) -> str:
    """A part's translation fit for the inside of a sentence: no full stop, no capital of its own."""
    if not source.endswith((".", "!", "?", "…")):
        target = target.rstrip(".")
    head, space, rest = target.partition(" ")
    if source[:1].islower() and (head in _inner_words() or (head not in source and _is_small(head, rest))):
        return head.lower() + space + rest
    return target


def _is_small(head: str, rest: str) -> bool:
    """Whether a word has its capital from the beginning of a sentence alone: no name, nor the first word of one."""
    from aligner.translation.dictionary import is_listed
    from aligner.translation.namelist import is_english_name

    return (
        head.istitle()
        and len(head) > 1
        and not rest[:1].isupper()
        and head not in ("March", "May")
        and is_listed(head.lower())
        and not any(is_english_name(head, kind) for kind in ("place", "demonym"))
    )


# ------------------------------------------------------------------------------------------------- alignment
_WORD = re.compile(r"\S+")


def _word_starts(pieces: Sequence[str]) -> list[int]:
    """Index of the first piece of each word: a piece that begins a word begins with the mark U+2581.

    Marks that stand alone belong to the word after them.
    """
    starts: list[int] = []
    bare = False  # whether the word so far is marks alone
    for i, piece in enumerate(pieces):
        if not starts or (not bare and piece.startswith("▁")):
            starts.append(i)
            bare = piece == "▁"
        else:
            bare = bare and piece == "▁"
    return starts


def _word_alignment(
    starts: Sequence[int], end: int, target: str, pieces: Sequence[str], attention: NDArray[np.float32]
) -> NDArray[np.uint8] | None:
    """Attention between pieces summed up to words; None where pieces and words of the translation do not match.

    Args:
        starts: first piece of each word of the source.
        end: number of pieces of the source, without the end token.
        target: the translation.
        pieces: its pieces.
        attention: for each of them its weights over the source's pieces.

    Returns:
        Hundredths, the faint ones as none: words of the translation x words of the source.
    """
    rows = _word_starts(pieces)
    if not rows or len(rows) != len(target.split()):
        return None
    import numpy as np

    weights = np.add.reduceat(attention[:, :end], starts, axis=1)
    weights = np.add.reduceat(weights, rows, axis=0)
    weights /= np.array([after - row for row, after in pairwise([*rows, len(pieces)])])[:, None]
    hundredths: NDArray[np.uint8] = np.rint(100 * weights).astype(np.uint8)
    hundredths[hundredths < FAINT] = 0
    return hundredths


def _matrix(hundredths: NDArray[np.uint8]) -> Matrix:
    return tuple(map(tuple, (hundredths / 100).tolist()))


def _block_alignment(plan: _Plan, texts: Sequence[str], alignments: Sequence[NDArray[np.uint8]]) -> Matrix:
    """The units' alignments side by side; what was copied is aligned with itself.

    A symbol may be glued to a word of the unit before or after it ("Apple™"): both then stand for the same word.

    Args:
        plan: the text cut into units.
        texts: the translation of each.
        alignments: of each, see :func:`_word_alignment`.
    """
    if len(plan.units) == 1 and not (plan.lead or plan.units[0].gap or plan.tail):
        return _matrix(alignments[0])
    import numpy as np

    def copied(text: str) -> tuple[str, str, NDArray[np.uint8]]:
        return text, text, np.eye(len(text.split()), dtype=np.uint8) * np.uint8(100)

    blocks = [copied(plan.lead)]
    for unit, target, alignment in zip(plan.units, texts, alignments, strict=True):
        blocks += [(unit.source, target, alignment), copied(unit.gap)]
    blocks.append(copied(plan.tail))
    columns = _places([source for source, _, _ in blocks])
    rows = _places([target for _, target, _ in blocks])
    weights = np.zeros((1 + max((i for block in rows for i in block), default=-1), len(plan.source.split())), np.uint8)
    for (_, _, block), across, down in zip(blocks, columns, rows, strict=True):
        at = np.ix_(down, across)
        weights[at] = np.maximum(weights[at], block)
    return _matrix(weights)


def _places(parts: Sequence[str]) -> list[list[int]]:
    """For each word of each part, which word of the whole it belongs to."""
    starts = [found.start() for found in _WORD.finditer("".join(parts))]
    places, before = [], 0
    for part in parts:
        places.append([bisect_right(starts, before + found.start()) - 1 for found in _WORD.finditer(part)])
        before += len(part)
    return places
