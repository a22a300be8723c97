"""What is done with a document, wherever it runs: find, translate together with others, link, serialise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligner.batch.memory import Memory, RememberingTranslator
from aligner.errors import AlignerError, DocumentError, ModelError, TranslationError, UsageError
from aligner.pickled import by_values
from aligner.pipeline import Options, Pipeline

if TYPE_CHECKING:
    from aligner.captions import Findings
    from aligner.documents import Article
    from aligner.readers.sources import Item, Position
    from aligner.records import Caption, Document

# Characters of captions that are translated in one go: some 500 captions, for the engine puts those of one length into
# one batch, and small batches are slow. A worker's first go is a small one, and each following one twice as large, so
# that a run has something to show, and to keep, within seconds.
_FIRST = 4_000
_TOGETHER = 60_000


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to know.

    Attributes:
        options: of the pipeline; ``threads`` is 1, as there is a process per core.
        memory: file of the translation memory; None for none.
        memory_settings: what the memory's entries depend on.
        memory_limit: entries kept.
    """

    options: Options
    memory: Path | None = None
    memory_settings: tuple[tuple[str, Any], ...] = ()
    memory_limit: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """Documents that travel together; None where one is not needed."""

    number: int
    items: Sequence[Any]


@by_values
@dataclass(slots=True)
class Outcome:
    r"""What became of a document.

    Attributes:
        line: its record, or what ``failed.jsonl`` says of it: JSON with ``\n``.
        document: its id.
        position: where it stands.
        failed: whether it failed.
        size: bytes of the document.
        captions: captions found.
        translated: captions translated.
        linked: captions linked.
        warnings: warnings on the document and its translations.
    """

    line: bytes
    document: str
    position: Position
    failed: bool = False
    size: int = 0
    captions: int = 0
    translated: int = 0
    linked: int = 0
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a worker tells beside its outcomes.

    Attributes:
        memory_hits: captions from the translation memory since the last time.
        memory_broken: why the memory is no longer used; None if it is.
    """

    memory_hits: int = 0
    memory_broken: str | None = None


@dataclass(slots=True)
class Found:
    """A document whose captions wait for their translation."""

    item: Item
    article: Article
    findings: Findings
    captions: list[Caption]


def failure(item: Item, cause: str, message: str) -> Outcome:
    """The outcome of a document that failed.

    Args:
        item: the document.
        cause: ``unreadable``, ``duplicate-id``, ``translation``, ``time-limit``, ``worker-died`` or
            ``internal-error``.
        message: what happened, for a person.
    """
    line = {
        "document": item.document,
        "source": item.position.source,
        "position": [item.position.number, item.position.index],
        "broken": item.fatal,
        "cause": cause,
        "error": message,
    }
    # A file name that is not UTF-8 holds surrogates, which orjson refuses and JSON can only escape.
    text = json.dumps(line, ensure_ascii=_lone(item.document) or _lone(item.position.source) or _lone(message))
    return Outcome(
        text.encode() + b"\n",
        item.document,
        item.position,
        failed=True,
        size=len(item.data),
    )


def _lone(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class Worker:
    """The pipeline as a worker process or a Ray actor holds it: one model, one connection to the memory."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._pipeline = Pipeline(settings.options)
        self._memory: Memory | None = None
        if settings.memory is not None and settings.options.translate:
            self._memory = Memory(settings.memory, dict(settings.memory_settings), settings.memory_limit)
            remembering = RememberingTranslator(self._memory, lambda: Pipeline(settings.options).translator)
            self._pipeline.translator = remembering  # type: ignore[assignment]
        self._told = 0
        self._together = _FIRST

    def find(self, item: Item) -> Found | Outcome:
        """Reads a document and finds its captions; the outcome is known if there are none to translate."""
        if item.error is not None:
            return failure(item, "unreadable", item.error)
        try:
            article = item.article()
            findings = self._pipeline.find(article)
            found = Found(item, article, findings, list(findings.captions))
            return found if found.captions else self.finish(found)
        except DocumentError as error:
            return failure(item, "unreadable", str(error))
        except AlignerError:
            raise
        except Exception as error:
            return failure(item, "internal-error", _describe(error))

    def pending(self, documents: Iterable[Found | Outcome]) -> bool:
        """Whether the documents' captions are enough to be translated in one go."""
        size = 0
        for document in documents:
            if isinstance(document, Found):
                size += sum(len(caption.source) for caption in document.captions)
        return size >= self._together

    def translate(self, documents: Sequence[Found]) -> None:
        """Translates the captions of several documents together; where that fails :meth:`finish` tries each alone."""
        try:
            self._translate(documents)
        except (ModelError, UsageError):
            raise
        except Exception:
            return  # finish() sees captions without translation

    def _translate(self, documents: Sequence[Found]) -> None:
        if not self._settings.options.translate:
            return
        translated = self._pipeline.translate([(d.article, d.findings, d.captions) for d in documents])
        self._together = min(2 * self._together, _TOGETHER)
        for document, captions in zip(documents, translated, strict=True):
            document.captions = captions

    def finish(self, document: Found) -> Outcome:
        """Links a document's captions and serialises its record."""
        try:
            if self._settings.options.translate and any(c.translation is None for c in document.captions):
                self._translate([document])
            record = self._pipeline.record(document.article, document.findings, document.captions)
            return _outcome(record, document.item)
        except TranslationError as error:
            return failure(document.item, "translation", str(error))
        except AlignerError:
            raise
        except Exception as error:
            return failure(document.item, "internal-error", _describe(error))

    def take_statistics(self) -> Statistics:
        """What the memory did since the last call."""
        if self._memory is None:
            return Statistics()
        told, self._told = self._told, self._memory.hits
        return Statistics(self._memory.hits - told, self._memory.broken)


def _outcome(record: Document, item: Item) -> Outcome:
    captions = record.captions
    return Outcome(
        record.to_json().encode() + b"\n",
        item.document,
        item.position,
        size=len(item.data),
        captions=len(captions),
        translated=sum(c.translation is not None for c in captions),
        linked=sum(c.context is not None for c in captions),
        warnings=len(record.warnings) + sum(len(c.translation.warnings) for c in captions if c.translation),
    )


def _describe(error: Exception) -> str:
    """An unexpected error, with the place in the code where it came up."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {place}: {error}"
