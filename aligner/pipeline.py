"""The main job: read, find, translate, link; one record per document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aligner import documents
from aligner.documents import Article
from aligner.errors import DocumentError, UsageError
from aligner.records import Caption, Document

if TYPE_CHECKING:
    from aligner.captions import Findings
    from aligner.readers.sources import Item
    from aligner.translation import Translator
    from aligner.translation.glossary import Glossary
    from aligner.translation.translator import Choose

#: Hypotheses of a caption that the article chooses from, at most as many as the beam is wide.
N_BEST = 4
#: Englishes of the translations, the default first.
VARIANTS = ("auto", "british", "american", "none")
# Documents whose captions are translated together: enough for full batches, few enough for a steady stream.
_WINDOW = 64
_WINDOW_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """What a run does and with which means.

    Attributes:
        caption_language: ISO 639-1 code of the captions looked for.
        context_language: ISO 639-1 code of the article.
        model: bundled model name, local folder or hub id; None for the bundled model of the language pair.
        engine: ``ctranslate2`` or ``transformers``.
        beam_size: beam width of the search.
        threads: translation workers; 0 for one per core.
        glossary: files of terms that translations must use, see :mod:`aligner.translation.glossary`.
        variant: English of the translations: ``auto`` follows the article, ``british``, ``american``, or ``none``.
        translate: whether captions are translated.
        link: whether captions are linked to the article.
    """

    caption_language: str = "es"
    context_language: str = "en"
    model: str | None = None
    engine: str = "ctranslate2"
    beam_size: int = 4
    threads: int = 0
    glossary: tuple[Path, ...] = ()
    variant: str = "auto"
    translate: bool = True
    link: bool = True


class Pipeline:
    """The stages with one set of options; the model is loaded at the first caption, never before."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        if self.options.variant not in VARIANTS:
            raise UsageError(f"unknown variant {self.options.variant!r}; known: {', '.join(VARIANTS)}")

    @cached_property
    def translator(self) -> Translator:
        """The opened translation model.

        Raises:
            UsageError: unknown model or engine.
            ModelError: the model's folder is incomplete or altered.
        """
        from aligner.translation import Translator

        options = self.options
        return Translator.open(
            options.model or f"{options.caption_language}-{options.context_language}",
            engine=options.engine,
            beam_size=options.beam_size,
            threads=options.threads,
        )

    @cached_property
    def glossary(self) -> Glossary | None:
        """The glossaries of the options.

        Raises:
            GlossaryError: a file is missing or malformed.
        """
        if not self.options.glossary:
            return None
        from aligner.translation.glossary import Glossary

        options = self.options
        return Glossary.load(
            options.glossary, source_language=options.caption_language, target_language=options.context_language
        )

    def translate(self, documents: Sequence[tuple[Article, Findings, Sequence[Caption]]]) -> list[list[Caption]]:
        """Captions with their translations, those of several documents translated together.

        Args:
            documents: each article, what was found in it, and its captions.
        """
        texts = [
            article.wording(caption.start, caption.end)
            if article.format in ("text", "markdown") and caption.start < caption.end  # it stands in the article
            else caption.source
            for article, _, captions in documents
            for caption in captions
        ]
        if not texts:
            return [[] for _ in documents]
        made = iter(self.translator.translate(texts, n_best=N_BEST, choose=self._chooser(documents)))
        translated = []
        for article, finding, captions in documents:
            with_text = [replace(caption, translation=next(made)) for caption in captions]
            translated.append(self._in_variant(article, finding, with_text))
        return translated

    def _chooser(self, documents: Sequence[tuple[Article, Findings, Sequence[Caption]]]) -> Choose | None:
        """What picks a translation for each caption: its article, if the list of names is for its language."""
        glossary = self.glossary
        if (self.options.caption_language, self.options.context_language) != ("es", "en"):
            return glossary.chooser() if glossary else None
        from aligner.translation.rerank import ArticleChoice, chooser

        articles = [
            article
            for text, finding, captions in documents
            if captions
            for article in [ArticleChoice.of(text, finding)] * len(captions)
        ]
        return chooser(articles.__getitem__, glossary)

    def _in_variant(self, article: Article, finding: Findings, captions: list[Caption]) -> list[Caption]:
        """The captions with their translations in the article's English."""
        options = self.options
        if options.variant == "none" or options.context_language != "en":
            return captions
        from aligner.translation import variant

        if not any(caption.translation and variant.may_change(caption.translation.text) for caption in captions):
            return captions
        foreign = [(caption.start, caption.end) for caption in finding.captions]
        foreign += [(other.start, other.end) for other in finding.other_languages]
        habit = variant.FIXED.get(options.variant) or variant.habit(
            block.text
            for block in article.blocks
            if not any(start < block.end and block.start < end for start, end in foreign)
        )
        return [
            replace(caption, translation=variant.converted(caption.translation, habit))
            if caption.translation
            else caption
            for caption in captions
        ]

    def find(self, article: Article) -> Findings:
        """Finding alone."""
        from aligner.captions import find  # not needed by a process that only hands out work

        return find(
            article,
            caption_language=self.options.caption_language,
            context_language=self.options.context_language,
        )

    def run(self, article: Article) -> Document:
        """All stages on one article."""
        return self.run_batch([article])[0]

    def run_batch(self, articles: Sequence[Article]) -> list[Document]:
        """All stages on several articles, their captions translated together; records in the same order."""
        findings = [self.find(article) for article in articles]
        captions = [list(finding.captions) for finding in findings]
        if self.options.translate:
            captions = self.translate(list(zip(articles, findings, captions, strict=True)))
        return [
            self.record(article, finding, found)
            for article, finding, found in zip(articles, findings, captions, strict=True)
        ]

    def record(self, article: Article, finding: Findings, captions: list[Caption]) -> Document:
        """The record of an article from what was found and its translated captions, which are linked here."""
        if captions and self.options.link:
            from aligner.context import link

            captions = link(
                captions,
                finding.paragraphs,
                article,
                caption_language=self.options.caption_language,
                context_language=self.options.context_language,
            )
        return Document(
            document=article.name,
            sha256=article.sha256,
            context_language=finding.context_language,
            caption_language=self.options.caption_language,
            captions=tuple(captions),
            slugs=finding.slugs,
            other_languages=finding.other_languages,
            credit_lines=finding.credit_lines,
            encoding=article.encoding,
            warnings=(*article.warnings, *finding.warnings),
        )

    def failed(self, name: str, error: str) -> Document:
        """The record of a document that could not be read."""
        return Document(
            document=name,
            sha256="",
            context_language=self.options.context_language,
            caption_language=self.options.caption_language,
            error=error,
        )

    def run_all(self, items: Iterable[Item]) -> Iterator[tuple[Item, Article | None, Document]]:
        """Runs many documents, yielding (item, article, record) in input order.

        A document that cannot be read has no article, and a record with ``error`` set.

        Args:
            items: see :func:`aligner.readers.open_source`.
        """
        for window in _windows(items):
            read: list[tuple[Item, Article | None, str]] = []
            for item in window:
                try:
                    read.append((item, item.article(), ""))
                except DocumentError as error:
                    read.append((item, None, str(error)))
            records = iter(self.run_batch([article for _, article, _ in read if article is not None]))
            for item, article, reason in read:
                yield item, article, self.failed(item.document, reason) if article is None else next(records)


def _windows(items: Iterable[Item]) -> Iterator[list[Item]]:
    window: list[Item] = []
    for item in items:
        window.append(item)
        if len(window) >= _WINDOW or sum(len(held.data) for held in window) >= _WINDOW_BYTES:
            yield window
            window = []
    if window:
        yield window


def run(source: str | Path | Article, options: Options | None = None) -> Document:
    """Finds, translates and links the captions of one document.

    Args:
        source: an :class:`~aligner.documents.Article`, a path, or the text itself. A ``str`` is taken as text if it
            holds a line feed and as a path otherwise.
        options: see :class:`Options`.

    Raises:
        DocumentError: the document cannot be read.
        ModelError: the translation model cannot be loaded.
    """
    if isinstance(source, Article):
        article = source
    elif isinstance(source, str) and "\n" in source:
        article = documents.from_text(source)
    else:
        article = documents.read(source)
    return Pipeline(options).run(article)
