"""``aligner translate``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from aligner.cli.output import remark, remark_terms, remark_unmet
from aligner.cli.run import GlossaryOption, Variant, VariantOption
from aligner.errors import DocumentError, UsageError
from aligner.show import put_text

if TYPE_CHECKING:
    from aligner.records import Translation
    from aligner.translation.glossary import Glossary
    from aligner.translation.rerank import ArticleChoice
    from aligner.translation.translator import Choose, Translator

# Lines translated together: enough for full batches, little enough to flow.
_CHUNK = 1024


class Format(StrEnum):
    """How translations are printed."""

    text = "text"
    jsonl = "jsonl"


class Caps(StrEnum):
    """How the translation of a line in capitals is written."""

    restore = "restore"
    sentence = "sentence"


def _lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Lines without their terminators; the input is never held as a whole."""
    for number, raw in enumerate(stream, 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise DocumentError(f"{name}: line {number} is not UTF-8 ({error.reason}); convert it first") from None
        yield line.removesuffix("\n").removesuffix("\r")


def _printed(source: str, translation: Translation, style: Format) -> str:
    if style is Format.text:
        return translation.text
    record = {
        "source": source,
        "text": translation.text,
        "model": translation.model,
        "engine": translation.engine,
        "score": translation.score,
        "warnings": list(translation.warnings),
        "names": [{"source": name.source, "article": name.article} for name in translation.names],
        "glossary": [{"source": t.source, "target": t.target, "status": t.status} for t in translation.glossary],
    }
    return json.dumps(record, ensure_ascii=False)


def translate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Text, a caption a line; - is stdin.")] = "-",
    format_: Annotated[Format, typer.Option("--format", "-f", help="Lines, or a JSON record a line.")] = Format.text,
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="Bundled name, local folder or hub id of a Marian model.")
    ] = "es-en",
    engine: Annotated[str, typer.Option(help="ctranslate2 or transformers.")] = "ctranslate2",
    beam: Annotated[int, typer.Option(min=1, max=32, help="Beam width.")] = 4,
    batch_tokens: Annotated[int, typer.Option(min=1, help="Most source pieces decoded at a time.")] = 1024,
    threads: Annotated[int, typer.Option(min=0, max=256, help="Translation workers; 0: one per core.")] = 0,
    caps: Annotated[
        Caps, typer.Option(help="Lines in capitals: keep the capitals, or write a sentence.")
    ] = Caps.restore,
    glossary: GlossaryOption = None,
    variant: VariantOption = Variant.none,
    article: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="English article of the captions: its names and words, as aligner run has them."
        ),
    ] = None,
) -> None:
    """Translate lines: as many come out as go in, empty ones stay empty.

    Without `--article` names that the model garbled are copied from the line.

    Examples:

    * `aligner translate captions.txt > captions.en.txt`
    * `echo 'Vista aérea del puerto' | aligner translate`
    * `aligner translate --article article.txt --variant auto captions.txt`
    * `aligner translate --format jsonl --model Helsinki-NLP/opus-mt-es-en captions.txt`
    """
    from aligner.translation import Translator

    if variant is Variant.auto and article is None:
        raise UsageError(
            "--variant auto needs an article to follow: give one with --article, or british, american or none"
        )
    try:
        stream = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise DocumentError(f"{file}: cannot be read ({error.strerror}); check the path") from None
    context = _context(article) if article else None
    with stream:
        translator = Translator.open(
            model, engine, beam_size=beam, threads=threads, batch_tokens=batch_tokens, caps=caps.value
        )
        terms = None
        if glossary:
            from aligner.translation.glossary import Glossary

            languages = {
                "source_language": translator.source_language or "es",
                "target_language": translator.target_language or "en",
            }
            terms = Glossary.load(glossary, **languages)
            remark_terms(terms)
        choose = _chooser(translator, terms, context)
        lines = _lines(stream, "stdin" if file == "-" else file)
        done = 0
        while chunk := list(islice(lines, _CHUNK)):
            translations = translator.translate(chunk, n_best=beam if glossary or article else 1, choose=choose)
            if variant is not Variant.none:
                from aligner.translation.variant import FIXED, converted, habit

                english = FIXED.get(variant.value) or habit(context.paragraphs if context else ())
                translations = [converted(translation, english) for translation in translations]
            for source, translation in zip(chunk, translations, strict=True):
                put_text(_printed(source, translation, format_) + "\n")
            sys.stdout.flush()
            done += len(chunk)
            _progress(done)
    _progress(done, last=True)
    if terms is not None:
        remark_unmet(terms)


def _context(path: Path) -> ArticleChoice:
    """What an article says of its captions' translations."""
    from aligner import documents
    from aligner.captions import find
    from aligner.translation.rerank import ArticleChoice

    article = documents.read(path)
    remark(article)
    return ArticleChoice.of(article, find(article))


def _chooser(translator: Translator, terms: Glossary | None, context: ArticleChoice | None) -> Choose | None:
    """What picks and mends a translation: article and dictionary, if they are for these languages, and glossary.

    Raises:
        UsageError: there is an article for other languages.
    """
    spanish = (translator.source_language, translator.target_language) == ("es", "en")
    if context and not spanish:
        raise UsageError("--article is for translations from Spanish into English")
    choose = terms.chooser() if terms else None
    if not spanish:
        return choose
    from aligner.translation.rerank import ArticleChoice, chooser

    article = context or ArticleChoice(())
    return chooser(lambda _: article, terms)


def _progress(done: int, *, last: bool = False) -> None:
    """A counter on stderr while a terminal is there to show it and stdout is not that terminal."""
    if sys.stderr.isatty() and not sys.stdout.isatty():
        sys.stderr.write(f"\r{done:,} lines translated" + ("\n" if last else ""))
        sys.stderr.flush()


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(translate)
