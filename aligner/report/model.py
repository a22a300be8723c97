"""What a report shows: systems with their scores, and articles with their captions in place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aligner import documents
from aligner.documents import Article
from aligner.errors import AlignerError
from aligner.records import Caption, Context, Document
from aligner.scoring import mt
from aligner.scoring.baselines import Baseline
from aligner.scoring.evaluation import Scores, Settings, score_runs
from aligner.scoring.gold import Gold, GoldDocument, Mark
from aligner.scoring.matching import Match, fold, fold_credit
from aligner.scoring.runs import Run
from aligner.scoring.slices import slices, text_slices

SCHEMA = "aligner-report/1"

Change = Literal["same", "del", "ins"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one system made of a caption.

    Attributes:
        system: index of the system.
        caption: its caption; None if it missed it.
        score: chrF2 of its translation against the reference; None without either.
        difference: its translation against the reference, word by word.
        flags: ``missed``, ``false alarm``, ``other text``, ``other credit``, ``wrong link``, ``warning``.
        distance: paragraphs from the caption to the one it is linked to, negative upwards; None without a link.
        target: anchor of the sentence or paragraph it is linked to.
    """

    system: int
    caption: Caption | None
    score: float | None = None
    difference: tuple[tuple[Change, str], ...] = ()
    flags: tuple[str, ...] = ()
    distance: int | None = None
    target: str | None = None

    @property
    def codes(self) -> list[str]:
        """Codes of the translation's warnings."""
        if self.caption is None or self.caption.translation is None:
            return []
        return list(dict.fromkeys(w.split(":")[0] for w in self.caption.translation.warnings))


@dataclass(frozen=True, slots=True)
class Entry:
    """A caption of an article: the gold's, or one that only systems found.

    Attributes:
        anchor: its permalink.
        line: its line.
        source: its text.
        credit: its credit, as the gold or else the first system has it.
        reference: the gold's translation.
        note: the gold's remark.
        right_lines: lines of the paragraphs that the gold accepts ("none" for no paragraph); None without gold.
        kinds: the slices it belongs to.
        answers: one per system.
    """

    anchor: str
    line: int
    source: str
    credit: str | None
    reference: str | None
    note: str
    right_lines: tuple[str, ...] | None
    kinds: tuple[str, ...]
    answers: tuple[Answer, ...]

    @property
    def wrong(self) -> bool:
        """Whether a system differs from the gold here."""
        return any(flag != "warning" for answer in self.answers for flag in answer.flags)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a paragraph; with an anchor where captions are linked to it."""

    text: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A block of an article: a paragraph, or a line with captions.

    Attributes:
        line: its line.
        anchor: its permalink; None for a further block of the same line.
        kind: ``text``, ``captions``, ``heading``, ``slug``, ``credit``, ``other``.
        pieces: its text.
        entries: its captions.
        language: language of a block of kind ``other``.
        linked: whether a caption is linked to it.
    """

    line: int
    anchor: str | None
    kind: str
    pieces: tuple[Piece, ...] = ()
    entries: tuple[Entry, ...] = ()
    language: str | None = None
    linked: bool = False


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article with its captions in place.

    Attributes:
        name: the document as it was named.
        anchor: its permalink.
        rows: its blocks; only its captions where its text is not at hand.
        complete: whether the text is shown.
        errors: why systems could not read it.
    """

    name: str
    anchor: str
    rows: tuple[Row, ...]
    complete: bool
    errors: tuple[str, ...] = ()

    @property
    def entries(self) -> list[Entry]:
        """Its captions."""
        return [entry for row in self.rows for entry in row.entries]


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        systems: the systems' names.
        articles: the articles.
        scores: the scores; of little content without gold.
        gold: whether there was gold.
        caption_language: ISO 639-1 code.
        context_language: ISO 639-1 code of most articles.
        notes: what a reader has to know.
    """

    systems: tuple[str, ...]
    articles: tuple[ArticleView, ...]
    scores: Scores
    gold: bool
    caption_language: str
    context_language: str
    notes: tuple[str, ...] = ()

    @property
    def entries(self) -> list[Entry]:
        """All captions."""
        return [entry for article in self.articles for entry in article.entries]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, ``schema`` first."""
        return {
            "schema": SCHEMA,
            "caption_language": self.caption_language,
            "context_language": self.context_language,
            "notes": list(self.notes),
            "scores": self.scores.to_dict(),
            "documents": [
                {
                    "document": article.name,
                    "errors": list(article.errors),
                    "captions": [_entry_dict(entry, self.systems) for entry in article.entries],
                }
                for article in self.articles
            ],
        }


def _entry_dict(entry: Entry, systems: Sequence[str]) -> dict[str, Any]:
    return {
        "id": entry.anchor,
        "line": entry.line,
        "source": entry.source,
        "credit": entry.credit,
        "reference": entry.reference,
        "kinds": list(entry.kinds),
        "systems": [
            {
                "system": systems[answer.system],
                "found": answer.caption is not None,
                "translation": c.translation.text if (c := answer.caption) and c.translation else None,
                "chrf2": answer.score,
                "context_line": c.context.line if c and c.context else None,
                "flags": list(answer.flags),
                "warnings": list(c.translation.warnings) if c and c.translation else [],
            }
            for answer in entry.answers
        ],
    }


def build(
    runs: Sequence[Run],
    gold: Gold | None = None,
    baselines: Sequence[Baseline] = (),
    settings: Settings | None = None,
) -> Report:
    """A report on runs over the same documents.

    Args:
        runs: the runs, one per system.
        gold: gold of these documents, for scores, references and differences.
        baselines: further systems to score (not shown in the articles).
        settings: see :class:`~aligner.scoring.evaluation.Settings`.

    Raises:
        RecordError: runs and gold do not fit; all problems are listed.
    """
    scores = score_runs(runs, gold, baselines, settings)
    builder = _Builder(runs, gold, scores)
    articles = tuple(builder.articles())
    first = runs[0].records
    languages = [record.context_language for record in first if record.error is None] or ["en"]
    return Report(
        systems=tuple(run.name for run in runs),
        articles=articles,
        scores=scores,
        gold=gold is not None,
        caption_language=first[0].caption_language if first else "es",
        context_language=max(set(languages), key=lambda code: (languages.count(code), code)),
        notes=tuple(builder.notes()),
    )


# By system: the gold caption, the system's caption and how they were matched.
_Group = dict[int, tuple[Mark | None, Caption | None, Match | None]]


@dataclass
class _Builder:
    runs: Sequence[Run]
    gold: Gold | None
    scores: Scores
    unread: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def notes(self) -> Iterator[str]:
        if self.unread:
            named = ", ".join(self.unread[:5]) + (" …" if len(self.unread) > 5 else "")
            yield (
                f"{len(self.unread)} articles are not at hand in the version that was run, "
                f"so that their captions stand without their text: {named}"
            )
        yield from self.scores.notes

    def articles(self) -> Iterator[ArticleView]:
        by_run = [run.documents for run in self.runs]
        golden = {document.name: document for document in self.gold.documents} if self.gold else {}
        matches: list[dict[str, list[Match]]] = []
        for system in self.scores.systems[: len(self.runs)]:
            grouped: dict[str, list[Match]] = {}
            for match in system.matches:
                grouped.setdefault(match.document.name, []).append(match)
            matches.append(grouped)
        for name, record in by_run[0].items():
            records = [run[name] for run in by_run]
            document = golden.get(name)
            per_run = [grouped.get(name, []) for grouped in matches]
            yield self._article(name, record, records, document, per_run)

    def _article(
        self,
        name: str,
        record: Document,
        records: Sequence[Document],
        document: GoldDocument | None,
        matches: Sequence[Sequence[Match]],
    ) -> ArticleView:
        anchor = self._anchor(slug(name))
        article = self._text(record, document)
        blocks = _Blocks(article, anchor)
        groups: dict[tuple[int, int], _Group] = {}
        for system, found in enumerate(records):
            if document is None:
                for caption in found.captions:
                    groups.setdefault((caption.start, caption.end), {})[system] = (None, caption, None)
            for match in matches[system]:
                place: Mark | Caption | None = match.gold or match.found
                assert place is not None
                groups.setdefault((place.start, place.end), {})[system] = (match.gold, match.found, match)
        references = _references(groups.values())
        entries = [
            self._entry(anchor, group, blocks, references, len(records))
            for _, group in sorted(groups.items(), key=lambda item: item[0][0])
        ]
        errors = [found.error for found in records if found.error is not None]
        headings = {mark.line for mark in document.marks if mark.kind == "heading"} if document else set()
        rows = tuple(blocks.rows(entries, records, headings))
        return ArticleView(record.document, anchor, rows, article is not None, tuple(dict.fromkeys(errors)))

    def _anchor(self, wanted: str) -> str:
        anchor, number = wanted, 1
        while anchor in self.anchors:
            number += 1
            anchor = f"{wanted}-{number}"
        self.anchors.add(anchor)
        return anchor

    def _text(self, record: Document, document: GoldDocument | None) -> Article | None:
        """The article if the version that was run is at hand: the gold's, or at the path of the record."""
        places = [document.path] if document else [Path(record.document)]
        if not places[0].is_absolute():
            places += [Path(run.path).parent / record.document for run in self.runs[:1] if run.path]
        for place in places:
            try:
                article = documents.read(place) if place.is_file() else None
            except AlignerError:
                continue
            if article is not None and (article.sha256 == record.sha256 or document is not None):
                return article
        if record.error is None and record.captions:
            self.unread.append(record.document)
        return None

    def _entry(
        self,
        article: str,
        group: _Group,
        blocks: _Blocks,
        scored: Mapping[tuple[int, int], float],
        systems: int,
    ) -> Entry:
        mark = next((mark for mark, _, _ in group.values() if mark is not None), None)
        shown = next((caption for _, caption, _ in group.values() if caption is not None), None)
        place: Mark | Caption | None = mark or shown
        assert place is not None
        source = (mark.caption if mark else shown.source if shown else None) or ""
        match = next((m for _, _, m in group.values() if m is not None), None)
        kinds = slices(match) if match else text_slices(source)
        answers = []
        for system in range(systems):
            _, caption, _ = group.get(system, (None, None, None))
            answers.append(_answer(system, mark, caption, self.gold is not None, blocks, scored))
        credit = mark.credit if mark else shown.credit.text if shown and shown.credit else None
        right = None
        if mark is not None:
            lines = [mark.aligned_line, *mark.aligned_ok]
            right = tuple("none" if line is None else str(line) for line in lines)
        return Entry(
            anchor=self._anchor(f"{article}-line-{place.line}"),
            line=place.line,
            source=source,
            credit=credit,
            reference=mark.reference if mark else None,
            note=mark.note if mark else "",
            right_lines=right,
            kinds=tuple(f"{group}: {name}" for group, name in kinds),
            answers=tuple(answers),
        )


def _references(groups: Iterable[_Group]) -> dict[tuple[int, int], float]:
    """chrF2 of every translation that has a reference, by system and offset of the gold caption."""
    places, hypotheses, references = [], [], []
    for group in groups:
        for system, (mark, caption, _) in group.items():
            if mark and mark.reference and caption and caption.translation:
                places.append((system, mark.start))
                hypotheses.append(caption.translation.text)
                references.append(mark.reference)
    if not places:
        return {}
    scores = mt.System("", hypotheses, mt.References([references])).segment_scores("chrf2")
    return dict(zip(places, scores, strict=True))


def _answer(
    system: int,
    mark: Mark | None,
    caption: Caption | None,
    gold: bool,
    blocks: _Blocks,
    scored: Mapping[tuple[int, int], float],
) -> Answer:
    if caption is None:
        return Answer(system, None, flags=("missed",) if mark is not None else ())
    flags = []
    score: float | None = None
    difference: tuple[tuple[Change, str], ...] = ()
    if mark is not None:
        if fold(caption.source) != fold(mark.caption or ""):
            flags.append("other text")
        if fold_credit(caption.credit.text if caption.credit else "") != fold_credit(mark.credit or ""):
            flags.append("other credit")
        line = caption.context.line if caption.context else None
        if (caption.context or caption.translation) and not mark.accepts(line):
            flags.append("wrong link")
        score = scored.get((system, mark.start))
        if caption.translation and mark.reference:
            changes = tuple(differences(caption.translation.text, mark.reference))
            difference = changes if any(change != "same" for change, _ in changes) else ()
    elif gold:
        flags.append("false alarm")
    if caption.translation and caption.translation.warnings:
        flags.append("warning")
    target, distance = blocks.link(caption)
    return Answer(system, caption, score, difference, tuple(flags), distance, target)


_TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def differences(hypothesis: str, reference: str) -> Iterator[tuple[Change, str]]:
    """A translation against its reference, word by word: shared, only in the one, only in the other.

    Words that differ in nothing but case count as the same word. White space is always shared.
    """
    from rapidfuzz.distance import Indel

    ours, theirs = _words(hypothesis), _words(reference)
    steps = Indel.opcodes([word.lower() for _, word in ours], [word.lower() for _, word in theirs])
    last = ""
    for same, group in itertools.groupby(steps, lambda step: step.tag == "equal"):
        runs: dict[Change, list[tuple[str, str]]] = {"same": []} if same else {"del": [], "ins": []}
        for step in group:  # what is replaced stands before what replaces it
            runs["same" if same else "del"] += ours[step.src_start : step.src_end]
            if not same:
                runs["ins"] += theirs[step.dest_start : step.dest_end]
        for change, words in runs.items():
            if words:
                space, first = words[0]
                run = first + "".join(space + word for space, word in words[1:])
                # A text's first word has no space before it, but may come to stand after another's.
                yield "same", space or (" " if last[-1:].isalnum() and first[0].isalnum() else "")
                yield change, run
                last = run


def _words(text: str) -> list[tuple[str, str]]:
    """Words and punctuation marks, each with the white space before it."""
    at, words = 0, []
    for match in _TOKEN.finditer(text):
        words.append((text[at : match.start()], match[0]))
        at = match.end()
    return words


def slug(name: str) -> str:
    """A name as part of a permalink: letters, digits and hyphens."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-") or "document"


class _Blocks:
    """The blocks of an article, with anchors for what captions are linked to."""

    def __init__(self, article: Article | None, anchor: str) -> None:
        self._blocks = article.blocks if article else ()
        self._anchor = anchor
        self._lines = {block.line: i for i, block in reversed(list(enumerate(self._blocks)))}
        self._sentences: dict[int, dict[tuple[int, int], str]] = {}
        self._linked: dict[int, Context] = {}
        self._targets: set[int] = set()

    def link(self, caption: Caption) -> tuple[str | None, int | None]:
        """Anchor of what a caption is linked to, and how many paragraphs away it is."""
        context = caption.context
        if context is None:
            return None, None
        target = self._lines.get(context.line)
        if target is None:
            self._linked[context.line] = context
            return f"{self._anchor}-p{context.line}", None
        self._targets.add(context.line)
        own = max((i for line, i in self._lines.items() if line <= caption.line), default=0)
        distance = target - own
        block = self._blocks[target]
        start, end = context.start - block.start, context.end - block.start
        whole = f"{self._anchor}-p{context.line}"
        if block.offsets is not None or not 0 <= start < end <= len(block.text) or end - start == len(block.text):
            return whole, distance
        sentences = self._sentences.setdefault(context.line, {})
        if (start, end) in sentences:
            return sentences[start, end], distance
        if any(start < e and s < end for s, e in sentences):
            return whole, distance
        sentences[start, end] = f"{whole}-{start}"
        return sentences[start, end], distance

    def rows(self, entries: Sequence[Entry], records: Sequence[Document], headings: set[int]) -> Iterator[Row]:
        """The blocks with their captions, in order; without the text, the captions and what they are linked to."""
        waiting = list(entries)
        marked = _marked(records)
        for i, block in enumerate(self._blocks):
            # A line can be several blocks (a Markdown image in a paragraph); its anchor stands at the first.
            first = self._lines[block.line] == i
            here = [entry for entry in waiting if entry.line == block.line]
            waiting = [entry for entry in waiting if entry.line != block.line]
            anchor = f"{self._anchor}-p{block.line}" if first else None
            if here:
                yield Row(block.line, anchor, "captions", (), tuple(here))
                continue
            kind, language = marked.get(block.line, ("text", None))
            if kind == "text" and (block.line in headings or block.role == "heading"):
                kind = "heading"
            pieces = self._pieces(block.line, block.text) if first else (Piece(block.text),)
            yield Row(block.line, anchor, kind, pieces, (), language, first and block.line in self._targets)
        for entry in waiting:
            yield Row(entry.line, None, "captions", (), (entry,))
        for line, context in self._linked.items():
            yield Row(line, f"{self._anchor}-p{line}", "text", (Piece(context.text),), linked=True)

    def _pieces(self, line: int, text: str) -> tuple[Piece, ...]:
        pieces, at = [], 0
        for (start, end), anchor in sorted(self._sentences.get(line, {}).items()):
            pieces += [Piece(text[at:start]), Piece(text[start:end], anchor)]
            at = end
        pieces.append(Piece(text[at:]))
        return tuple(piece for piece in pieces if piece.text)


def _marked(records: Sequence[Document]) -> dict[int, tuple[str, str | None]]:
    """Lines that a system reported as something other than body."""
    lines: dict[int, tuple[str, str | None]] = {}
    for record in records:
        lines |= {item.line: ("credit", None) for item in record.credit_lines}
        lines |= {slug_.line: ("slug", None) for slug_ in record.slugs}
        lines |= {item.line: ("other", item.language) for item in record.other_languages}
    return lines
