"""``aligner link``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligner.cli.output import remark
from aligner.errors import DocumentError, RecordError, UsageError
from aligner.records import Caption, Translation
from aligner.show import put, put_text, styled

if TYPE_CHECKING:
    from aligner.documents import Article


class Format(StrEnum):
    """How links are printed."""

    table = "table"
    json = "json"
    jsonl = "jsonl"


def read_captions(path: str) -> list[Caption]:
    """Captions from a text file (one a line) or from JSON Lines.

    A JSON line is an object with ``source`` and, if known, ``translation`` (text, or an object with ``text``), or a
    record of ``aligner run --format jsonl``, whose captions are taken.

    Raises:
        DocumentError: the file cannot be read.
        RecordError: a line of JSON Lines is no caption.
        UsageError: there is no caption in it.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not UTF-8 (byte {error.start}); save the captions as UTF-8") from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    structured = path.endswith((".jsonl", ".ndjson", ".json")) or (bool(lines) and lines[0][1].lstrip().startswith("{"))
    captions: list[Caption] = []
    for number, line in lines:
        if structured:
            captions += _objects(line, f"{path}:{number}", len(captions))
        else:
            captions.append(_caption(line.strip(), None, len(captions)))
    if not captions:
        raise UsageError(f"{path}: no captions in it; give one a line, or JSON Lines with a source each")
    return captions


def _objects(line: str, place: str, before: int) -> list[Caption]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise RecordError(f"{place}: not JSON ({error}); each line must be one object") from None
    found = value["captions"] if isinstance(value, dict) and isinstance(value.get("captions"), list) else [value]
    captions: list[Caption] = []
    for item in found:
        source = item.get("source") if isinstance(item, dict) else None
        if not isinstance(source, str) or not source.strip():
            raise RecordError(f'{place}: an object with a "source" text is needed (and, if known, a "translation")')
        translation = item.get("translation")
        if isinstance(translation, dict):
            translation = translation.get("text")
        if translation is not None and not isinstance(translation, str):
            raise RecordError(f"{place}: translation must be text, or an object with a text")
        captions.append(_caption(source.strip(), translation, before + len(captions)))
    return captions


def _caption(source: str, translation: str | None, before: int) -> Caption:
    given = Translation(translation, "given", "given", 0.0) if translation and translation.strip() else None
    return Caption(f"c{before + 1}", 0, 0, 0, source, None, 1.0, (), given)


def placed(captions: list[Caption], article: Article) -> list[Caption]:
    """Captions with the place where the article prints them; line 0 for those that it does not print.

    A caption given twice is looked for twice.
    """
    found: list[Caption] = []
    after: dict[str, int] = {}
    for caption in captions:
        start = article.text.find(caption.source, after.get(caption.source, 0))
        if start >= 0:
            end = start + len(caption.source)
            after[caption.source] = end
            line = article.text.count("\n", 0, start) + 1
            caption = replace(caption, line=line, start=start, end=end)
        found.append(caption)
    return found


def link(
    article_path: Annotated[str, typer.Argument(metavar="ARTICLE", help="The article, or - for stdin.")],
    captions_path: Annotated[
        str,
        typer.Argument(
            metavar="CAPTIONS",
            help="One caption a line, JSON Lines with source and translation, or a run; - for stdin.",
        ),
    ],
    format_: Annotated[Format, typer.Option("--format", "-f", help="How links are printed.")] = Format.table,
    translate: Annotated[
        bool, typer.Option("--translate", help="Translate captions that come without a translation first.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Bundled name, local folder or hub id of a Marian model for --translate."),
    ] = None,
    source_language: Annotated[str, typer.Option("--from", metavar="LANG", help="Language of the captions.")] = "es",
    target_language: Annotated[str, typer.Option("--to", metavar="LANG", help="Language of the article.")] = "en",
) -> None:
    """Align given captions to an article: the paragraph and sentence that each illustrates, or none.

    Examples:

    * `aligner link article.txt captions.txt`
    * `aligner link --format jsonl --translate article.txt captions.jsonl`
    """
    from aligner import documents
    from aligner.captions import find
    from aligner.context import link as align

    if article_path == "-" and captions_path == "-":
        raise UsageError("-: stdin can be read once only; give the article or the captions as a file")
    if model is not None and not translate:
        raise UsageError("--model is for --translate, which is not given")
    captions = read_captions(captions_path)
    article = documents.read(article_path)
    remark(article)
    captions = placed(captions, article)
    found = find(article, caption_language=source_language, context_language=target_language)
    if translate:
        from aligner.pipeline import Options, Pipeline

        bare = [i for i, caption in enumerate(captions) if caption.translation is None]
        pipeline = Pipeline(Options(source_language, target_language, model=model))
        (done,) = pipeline.translate([(article, found, [captions[i] for i in bare])])
        for i, caption in zip(bare, done, strict=True):
            captions[i] = caption
    captions = align(
        captions,
        found.paragraphs,
        article,
        caption_language=source_language,
        context_language=target_language,
    )
    if format_ is Format.table:
        _table(article.name, captions)
    elif format_ is Format.json:
        put_text(json.dumps([_plain(caption) for caption in captions], ensure_ascii=False, indent=1) + "\n")
    else:
        for caption in captions:
            put_text(json.dumps(_plain(caption), ensure_ascii=False) + "\n")


def _plain(caption: Caption) -> dict[str, Any]:
    """A linked caption as JSON; ``line`` is null where the article does not print it."""
    return {
        "source": caption.source,
        "translation": caption.translation.text if caption.translation else None,
        "line": caption.line or None,
        "context": asdict(caption.context) if caption.context else None,
        "candidates": [asdict(candidate) for candidate in caption.candidates],
    }


def _table(name: str, captions: list[Caption]) -> None:
    from rich.table import Table

    put(styled(name, "bold"))
    grid = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for caption in captions:
        grid.add_row(f"line {caption.line}" if caption.line else "caption", styled(caption.source))
        if caption.translation:
            grid.add_row("", styled(caption.translation.text, "green"))
        if caption.context:
            place = f"line {caption.context.line}, {caption.context.score:.2f}: {caption.context.text}"
            grid.add_row("illustrates", styled(place))
            grid.add_row("because", styled("; ".join(caption.context.evidence), "dim"))
        else:
            grid.add_row("illustrates", styled("no paragraph of the article", "dim"))
        grid.add_row("", "")
    put(grid)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(link)
