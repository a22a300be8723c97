"""``aligner batch``: corpora."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from aligner.cli.output import refuse
from aligner.cli.run import FromOption, GlossaryOption, ToOption, Variant, VariantOption
from aligner.errors import AlignerError, UsageError
from aligner.show import count, put_text, say

if TYPE_CHECKING:
    from aligner.batch.progress import Progress
    from aligner.batch.runs import Summary


class Executor(StrEnum):
    """What runs the stages."""

    local = "local"
    ray = "ray"


class Shards(StrEnum):
    """Format of the shards."""

    jsonl = "jsonl"
    zst = "jsonl.zst"
    parquet = "parquet"


class Duplicates(StrEnum):
    """What becomes of a document whose id came before."""

    fail = "fail"
    keep = "keep"


class _Group(TyperGroup):
    """A group whose first command needs no name: ``batch INPUT...`` is ``batch run INPUT...``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


def run(
    context: typer.Context,
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Files, folders, patterns, @lists of files, URLs (s3://…) or - for stdin: text, Markdown, "
            "HTML, DOCX, JSON Lines, Parquet, WARC, each also as .gz or .zst.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the run.")],
    format_: Annotated[Shards, typer.Option("--format", "-f", help="Format of the shards.")] = Shards.jsonl,
    shard_size: Annotated[int, typer.Option(min=1, max=10**9, help="Records in a shard.")] = 100_000,
    workers: Annotated[int, typer.Option(min=0, max=1024, help="Worker processes; 0: one per core.")] = 0,
    engine: Annotated[Executor, typer.Option(help="Run on this machine or on a Ray cluster.")] = Executor.local,
    input_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="Format of the inputs, where their names do not say.")
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of JSON Lines or Parquet with the text or HTML."),
    ] = None,
    id_column: Annotated[str | None, typer.Option(metavar="NAME", help="Column with the documents' ids.")] = None,
    duplicate_ids: Annotated[
        Duplicates, typer.Option(help="What becomes of a document whose id came before.")
    ] = Duplicates.fail,
    max_document_mb: Annotated[float, typer.Option(min=0.001, max=10**6, help="Larger documents fail.")] = 64,
    time_limit: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Slower documents fail.")] = 60,
    source_language: FromOption = "es",
    target_language: ToOption = "en",
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Bundled name, local folder or hub id of a Marian model."),
    ] = None,
    mt_engine: Annotated[str, typer.Option(help="ctranslate2 or transformers.")] = "ctranslate2",
    beam: Annotated[int, typer.Option(min=1, max=32, help="Beam width.")] = 4,
    glossary: GlossaryOption = None,
    variant: VariantOption = Variant.auto,
    translate: Annotated[bool, typer.Option("--translate/--no-translate", help="Translate captions.")] = True,
    link: Annotated[bool, typer.Option("--link/--no-link", help="Link captions to the article.")] = True,
    memory: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Translation memory to share between runs; default: one in DIR."),
    ] = None,
    memory_limit: Annotated[
        int, typer.Option(min=0, max=10**12, help="Translations kept in the memory; 0: no memory.")
    ] = 1_000_000,
    commit_seconds: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="How often what is done is made durable; a kill costs this and the groups of documents under way.",
        ),
    ] = 1.0,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Run the failed documents of a finished run again, into DIR/retry-N."),
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Estimate from a sample; write nothing.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Progress as JSON lines on stderr.")] = False,
) -> None:
    """Run a corpus; the same command goes on with a run that was stopped.

    `aligner batch status DIR` shows how far a run is.

    Examples:
    * `aligner batch crawl/*.warc.gz --out run/`
    * `aligner batch news.jsonl.zst --text-column body --format parquet --out run/`
    * `aligner batch --plan crawl/ --out run/`
    * `aligner batch status run/`
    """
    from aligner.batch import forking

    if not translate:
        idle = ("model", "mt_engine", "beam", "glossary", "variant", "memory", "memory_limit")
        refuse(context, *idle, because="is for translations: leave it or --no-translate out")
    if memory_limit == 0:
        refuse(context, "memory", because="does nothing with --memory-limit 0, which keeps no memory")
    if plan and retry_failed:
        raise UsageError("--plan and --retry-failed do not go together")
    if engine is Executor.local and not plan:
        forking.start(translate=translate, link=link, engine=mt_engine)
    from aligner.batch import runs
    from aligner.batch.settings import BatchOptions
    from aligner.pipeline import Options

    options = BatchOptions(
        inputs=tuple(inputs),
        out=out,
        pipeline=Options(
            source_language,
            target_language,
            model=model,
            engine=mt_engine,
            beam_size=beam,
            threads=1,
            glossary=tuple(glossary or ()),
            variant=variant.value,
            translate=translate,
            link=link,
        ),
        format=format_.value,
        shard_size=shard_size,
        input_format=input_format,
        text_column=text_column,
        id_column=id_column,
        duplicate_ids=duplicate_ids.value,
        document_bytes=round(max_document_mb * (1 << 20)),
        time_limit=time_limit,
        engine=engine.value,
        workers=workers,
        memory=memory,
        memory_limit=memory_limit,
        commit_seconds=commit_seconds,
    )
    if plan:
        from aligner.batch.status import plan as make_plan

        estimate = make_plan(options)
        put_text((json.dumps(estimate.to_dict()) if log_json else "\n".join(estimate.lines())) + "\n")
        return
    progress = _progress(log_json)
    try:
        summary = (runs.retry_failed if retry_failed else runs.run)(options, progress)
    except AlignerError as error:
        if "-" not in inputs:
            raise
        # A thread may still wait for standard input and hold its lock, without which the interpreter cannot end.
        say(error)
        os._exit(error.exit_code)
    _report(summary, progress, log_json)
    raise typer.Exit(1 if summary.counts.failed else 0)


def _progress(log_json: bool) -> Progress:
    from aligner.batch import progress

    if log_json:
        return progress.JsonLog()
    return progress.Bar() if sys.stderr.isatty() else progress.Silent()


def _report(summary: Summary, progress: Progress, log_json: bool) -> None:
    from aligner.batch.progress import duration
    from aligner.batch.status import status

    for line in status(summary.folder).lines():
        put_text(line + "\n")
    if summary.already:
        typer.echo("  nothing to do: the run was finished before")
    else:
        rate = summary.documents_now / max(summary.seconds, 1e-9)
        typer.echo(
            f"  {duration(summary.seconds)} for {count(summary.documents_now, 'document')} ({rate:,.0f}/s), "
            f"{count(summary.memory_hits, 'caption')} from the memory"
        )
    if summary.untried:
        typer.echo(
            f"  {count(summary.untried, 'document')} not tried, whose ids came before and would fail again "
            "(--duplicate-ids keep takes them)"
        )
    typer.echo(f"  digest {summary.digest}")
    progress.event("finished", digest=summary.digest, documents=summary.counts.documents, failed=summary.counts.failed)


def status(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show how far a run is, without disturbing it; exit 1 if documents failed and no retry mended them."""
    from aligner.batch.status import status as read

    found = read(folder)
    put_text((json.dumps(found.to_dict(), ensure_ascii=False) if json_ else "\n".join(found.lines())) + "\n")
    raise typer.Exit(1 if found.left else 0)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        cls=_Group,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        help="Run a corpus: streaming, resumable, on all cores. `aligner batch INPUT... --out DIR` is short "
        "for `aligner batch run INPUT... --out DIR`.",
    )
    group.command("run")(run)
    group.command("status")(status)
    app.add_typer(group, name="batch")
