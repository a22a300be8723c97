"""A run, its articles and the decisions on it, joined."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from aligner.documents import Article, Block
from aligner.errors import DocumentError, UsageError
from aligner.exchange.edits import decided, tidy
from aligner.exchange.runs import Articles, Unit, units
from aligner.records import Caption, Context, Document
from aligner.review.store import ConflictError, Decision, Span, Store, Subject

# Memory hits below this similarity (0..100) are noise to an editor.
_SIMILAR = 75
_HITS = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """How many captions of a run are in which state."""

    open: int
    accepted: int
    edited: int
    rejected: int

    @property
    def total(self) -> int:
        """All captions of the run."""
        return self.open + self.accepted + self.edited + self.rejected


def span_of(unit: Unit) -> Span:
    """Where a unit's decisions are kept."""
    return unit.document.sha256, unit.caption.start, unit.caption.end


def subject_of(unit: Unit) -> Subject:
    """What a decision on a unit is about."""
    document = unit.document
    return Subject(
        span_of(unit),
        unit.caption.source,
        document.caption_language,
        document.context_language,
        unit.text or None,
    )


def _linked(caption: Caption, link: str | None) -> Caption:
    if link is None:
        return caption
    chosen = json.loads(link)
    if chosen is None:
        return replace(caption, context=None)
    if caption.context is not None and caption.context.start == chosen["start"]:
        return caption
    context = Context(chosen["line"], chosen["start"], chosen["end"], chosen["text"], 1.0, ("chosen in review",))
    return replace(caption, context=context)


def reviewed(documents: Sequence[Document], store: Store) -> tuple[tuple[Document, ...], Tally]:
    """A run with the decisions on it: texts and links as decided, rejected captions taken out."""
    decisions = store.all()
    counts = {"open": 0, "accepted": 0, "edited": 0, "rejected": 0}
    kept: dict[int, list[Caption]] = {}
    for unit in units(documents):
        decision = decisions.get(span_of(unit), Decision())
        counts[decision.state] += 1
        captions = kept.setdefault(unit.index, [])
        if decision.state == "open":
            captions.append(unit.caption)
        elif decision.state != "rejected":
            captions.append(_linked(decided(unit.caption, decision.text or ""), decision.link))
    done = tuple(
        document.with_captions(tuple(kept[i])) if i in kept else document for i, document in enumerate(documents)
    )
    return done, Tally(**counts)


class Session:
    """What the page shows and does.

    Args:
        documents: the run.
        articles: where its articles are.
        store: the decisions.
        name: what the page calls the run.
    """

    def __init__(self, documents: Sequence[Document], articles: Articles, store: Store, name: str) -> None:
        self.documents = tuple(documents)
        self.store = store
        self.name = name
        self.units = {unit.key: unit for unit in units(self.documents)}
        # Copies of a document share their decisions, so a span may stand for several keys.
        self._keys: dict[Span, list[str]] = {}
        for unit in self.units.values():
            self._keys.setdefault(span_of(unit), []).append(unit.key)
        self._article = lru_cache(maxsize=16)(lambda index: articles.read(self.documents[index]))

    def unit(self, key: str) -> Unit:
        """The caption of a key.

        Raises:
            UsageError: the run has none.
        """
        found = self.units.get(key)
        if found is None:
            raise UsageError(f"no caption {key!r} in this run")
        return found

    def overview(self) -> dict[str, Any]:
        """All captions in brief, in order."""
        # Read first: a decision in between is then seen twice rather than never.
        number = self.store.last()
        decisions = self.store.all()
        captions = []
        for unit in self.units.values():
            decision = decisions.get(span_of(unit), Decision())
            translation = unit.caption.translation
            captions.append(
                {
                    "key": unit.key,
                    "document": unit.index,
                    "line": unit.caption.line,
                    "brief": unit.caption.source[:90],
                    "warned": bool(translation is None or translation.warnings),
                    "state": decision.state,
                    "version": decision.version,
                }
            )
        return {
            "run": self.name,
            "documents": [document.document for document in self.documents],
            "captions": captions,
            "number": number,
        }

    def detail(self, key: str) -> dict[str, Any]:
        """One caption with all that is known of it."""
        unit = self.unit(key)
        caption, document = unit.caption, unit.document
        translation = caption.translation
        return {
            "key": key,
            "document": unit.index,
            "name": document.document,
            "line": caption.line,
            "source": caption.source,
            "sourceLanguage": document.caption_language,
            "targetLanguage": document.context_language,
            "credit": caption.credit.text if caption.credit else None,
            "confidence": caption.confidence,
            "reasons": caption.reasons,
            "machine": unit.text,
            "model": translation.model if translation else None,
            "quality": unit.quality,
            "names": [[n.source, n.article] for n in translation.names] if translation else [],
            "warnings": translation.warnings if translation else ("untranslated: the run has no translation",),
            "alternatives": [t for t in getattr(translation, "alternatives", ()) if t != unit.text],
            "memory": self._memory(unit),
            "context": {
                "line": caption.context.line,
                "start": caption.context.start,
                "text": caption.context.text,
                "score": caption.context.score,
                "evidence": caption.context.evidence,
            }
            if caption.context
            else None,
            "decision": _plain(self.store.get(span_of(unit))),
        }

    def _memory(self, unit: Unit) -> list[dict[str, Any]]:
        from rapidfuzz import fuzz, process, utils

        document = unit.document
        known = self.store.memory(document.caption_language, document.context_language)
        sources = [source for source, _, _ in known]
        hits = process.extract(
            unit.caption.source,
            sources,
            scorer=fuzz.ratio,
            processor=utils.default_process,
            score_cutoff=_SIMILAR,
            limit=_HITS * 3,
        )
        found: dict[str, dict[str, Any]] = {}
        for source, score, index in hits:
            target = known[index][1]
            if target != unit.text:
                found.setdefault(target, {"source": source, "text": target, "similarity": round(score)})
        return list(found.values())[:_HITS]

    def article(self, index: int) -> dict[str, Any]:
        """The text of a document, block by block, with its captions marked.

        Raises:
            UsageError: the run has no such document.
        """
        if not 0 <= index < len(self.documents):
            raise UsageError(f"no document {index} in this run")
        document = self.documents[index]
        try:
            article: Article = self._article(index)
        except DocumentError as error:
            return {"problem": str(error), "blocks": []}
        marks = [(c.start, c.end, "caption") for c in document.captions]
        marks += [(c.credit.start, c.credit.end, "credit") for c in document.captions if c.credit]
        marks += [(s.start, s.end, "slug") for s in document.slugs]
        marks += [(s.start, s.end, "credit") for s in document.credit_lines]
        marks += [(s.start, s.end, s.language) for s in document.other_languages]
        marks.sort()
        return {
            "problem": None,
            "blocks": [_block(block, marks, document) for block in article.blocks if block.text.strip()],
        }

    def changes(self, number: int) -> dict[str, Any]:
        """Captions decided on after a row of the store, and the number to ask with next."""
        last = self.store.last()
        changed = [
            {"key": key, "state": decision.state, "version": decision.version}
            for span, decision in self.store.since(number)
            for key in self._keys.get(span, ())
        ]
        return {"number": last, "changes": changed}

    def decide(self, key: str, version: int, state: str, text: str | None, link: object) -> dict[str, Any]:
        """Decides on a caption.

        Args:
            key: the caption.
            version: the version that was looked at.
            state: ``accepted`` (with or without edits) or ``rejected``.
            text: the translation.
            link: ``"run"`` for the run's link, None for no paragraph, or where a block of the article starts.

        Raises:
            UsageError: any of these makes no sense.
            ConflictError: another version stands.
        """
        unit = self.unit(key)
        if state == "rejected":
            decision = self.store.decide(subject_of(unit), version, "rejected", None, None)
            return _plain(decision)
        if state != "accepted":
            raise UsageError(f"unknown decision {state!r}; it is accepted or rejected")
        text = tidy(text or "")
        if not text:
            raise UsageError("there is no translation to accept; write one")
        if any((ord(c) < 32 and c != "\t") or 0xD800 <= ord(c) <= 0xDFFF for c in text):
            raise UsageError("the translation holds a control character; remove it")
        done: Any = "accepted" if text == unit.text else "edited"
        return _plain(self.store.decide(subject_of(unit), version, done, text, self._link(unit, link)))

    def _link(self, unit: Unit, link: object) -> str | None:
        context = unit.caption.context
        # Kept in full, so that the decision holds whatever a later run links.
        as_run = None if context is None else _place(context.line, context.start, context.end, context.text)
        if link == "run":
            return json.dumps(as_run, ensure_ascii=False)
        if link is None:
            return "null"
        if not isinstance(link, int) or isinstance(link, bool):
            raise UsageError(f"{link!r} is no paragraph")
        try:
            article: Article = self._article(unit.index)
        except DocumentError as error:
            raise UsageError(str(error)) from None
        block = next((b for b in article.blocks if b.start == link and b.text.strip()), None)
        if block is None:
            raise UsageError(f"{unit.document.document}: no paragraph starts at offset {link}")
        if context is not None and block.start <= context.start < block.end:
            return json.dumps(as_run, ensure_ascii=False)
        text = block.text.strip()
        lead = block.text.index(text)
        return json.dumps(_place(block.line, *block.span(lead, lead + len(text)), text), ensure_ascii=False)

    def undo(self, key: str, version: int) -> dict[str, Any]:
        """Takes the last decision on a caption back.

        Raises:
            UsageError: there is no such caption.
            ConflictError: another version stands, or there is nothing to take back.
        """
        return _plain(self.store.undo(subject_of(self.unit(key)), version))

    def conflict(self, error: ConflictError) -> dict[str, Any]:
        """What stands instead, for the page."""
        return _plain(error.current)


def _place(line: int, start: int, end: int, text: str) -> dict[str, Any]:
    return {"line": line, "start": start, "end": end, "text": text}


def _plain(decision: Decision) -> dict[str, Any]:
    link: Any = "run" if decision.link is None else json.loads(decision.link)
    return {
        "state": decision.state,
        "version": decision.version,
        "text": decision.text,
        "link": link["start"] if isinstance(link, dict) else link,
        "at": decision.at,
        "undoable": decision.undoable,
    }


def _block(block: Block, marks: list[tuple[int, int, str]], document: Document) -> dict[str, Any]:
    """A block as pieces of text, each with what it is: null for the article's own text."""
    offsets = block.offsets or range(block.start, block.end + 1)
    pieces: list[list[str | None]] = []
    at = 0
    for start, end, kind in marks:
        if end <= block.start or start >= block.end:
            continue
        # The first and last code points of the block that lie in the span.
        inside = [i for i in range(len(block.text)) if start <= offsets[i] < end]
        if not inside or inside[0] < at:
            continue
        if inside[0] > at:
            pieces.append([block.text[at : inside[0]], None])
        pieces.append([block.text[inside[0] : inside[-1] + 1], kind])
        at = inside[-1] + 1
    if at < len(block.text):
        pieces.append([block.text[at:], None])
    plain = all(kind is None for _, kind in pieces)
    captions = [c for c in document.captions if block.start <= c.start < block.end]
    return {
        "line": block.line,
        "start": block.start,
        "end": block.end,
        "role": block.role,
        "pieces": pieces,
        # Lines with captions, slugs and credits are no paragraphs that a caption could illustrate.
        "paragraph": plain and block.role in ("line", "body"),
        "captions": [c.id for c in captions],
    }
