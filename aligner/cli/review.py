"""``aligner review``, and ``aligner corpus add``."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aligner.cli.export import ArticlesOption, RunArgument
from aligner.cli.output import refuse
from aligner.errors import UsageError, install
from aligner.files import write_atomically
from aligner.show import count, say

if TYPE_CHECKING:
    from aligner.review.session import Session

DatabaseOption = Annotated[
    Path | None,
    typer.Option(
        "--db",
        metavar="FILE",
        help="Where decisions are kept; RUN's name with .review.sqlite (in a folder: review.sqlite) if left out.",
    ),
]


def _database(run: str, db: Path | None) -> Path:
    if db is not None:
        return db
    if run == "-":
        raise UsageError("a run from stdin has no name to keep decisions under: name a file with --db")
    if Path(run).is_dir():
        return Path(run, "review.sqlite")
    return Path(run).with_suffix(".review.sqlite")


def review(
    context: typer.Context,
    run: RunArgument,
    articles: ArticlesOption = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on the loopback address; 0: any free one.")] = 8765,
    db: DatabaseOption = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    export: Annotated[
        str | None,
        typer.Option(metavar="NEWRUN", help="Write the run with the decisions, - to stdout; serve nothing."),
    ] = None,
    export_memory: Annotated[
        str | None,
        typer.Option(metavar="FILE.tmx", help="Write the translation memory, - to stdout; serve nothing."),
    ] = None,
) -> None:
    """Go through the captions of a run in the browser: accept, edit or reject each.

    Every decision is on the disk at once. The page is served to this machine alone, until Ctrl+C.

    Examples:
    * `aligner review run.jsonl`
    * `aligner review run.jsonl --export reviewed.jsonl --export-memory memory.tmx`
    """
    from aligner.exchange import Articles, dump_run, read_run
    from aligner.review.session import Session, reviewed
    from aligner.review.store import Store

    if export not in (None, "-") and run != "-" and Path(export).resolve() == Path(run).resolve():
        raise UsageError(f"{export}: is the run itself, which stays as it is; name another file")
    if export is not None or export_memory is not None:
        because = "is for the page, which --export and --export-memory do not serve: leave one out"
        refuse(context, "port", "open_", "articles", because=because)
    if export == export_memory == "-":
        raise UsageError("only one of --export and --export-memory can go to stdout")
    documents = read_run(run)
    path = _database(run, db)
    if (export is not None or export_memory is not None) and not path.is_file():
        raise UsageError(f"{path}: no decisions there yet; review the run first, or name their file with --db")
    store = Store(path)
    try:
        if export is not None:
            done, tally = reviewed(documents, store)
            _put(export, dump_run(done))
            said = f"{tally.accepted} accepted, {tally.edited} edited, {tally.rejected} rejected"
            say(f"{said}, {tally.open} undecided")
        if export_memory is not None:
            from aligner.review.memory import to_tmx

            _put(export_memory, to_tmx(store))
        if export is None and export_memory is None:
            _serve(Session(documents, Articles(articles), store, Path(run).name), port, path, open_)
    finally:
        store.close()


def _serve(session: Session, port: int, path: Path, open_: bool) -> None:
    if not session.units:
        raise UsageError("the run has no captions: there is nothing to review")
    try:
        from aligner.review.server import application, bind, serve
    except ImportError as error:
        raise UsageError(f"the review page needs {error.name}: {install('review')}") from None
    with bind(port) as sock, contextlib.suppress(KeyboardInterrupt):
        app, address = application(session, sock.getsockname()[1])
        typer.echo(address)
        sys.stdout.flush()
        say(f"open the address above; decisions go to {path}; Ctrl+C ends")
        if open_:
            import webbrowser

            webbrowser.open(address)
        serve(app, sock)
    say(f"ended; decisions are kept in {path}")


def _put(target: str, data: bytes) -> None:
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_atomically(Path(target), data)


def corpus_add(
    run: RunArgument,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Gold set to add to; made if missing.")],
    articles: ArticlesOption = None,
    db: DatabaseOption = None,
) -> None:
    """Turn reviewed documents into gold: those whose every caption is decided.

    Examples:
    * `aligner corpus add run.jsonl --to my-gold/`
    """
    from aligner.exchange import Articles, read_run
    from aligner.review.gold import add
    from aligner.review.store import Store

    documents = read_run(run)
    path = _database(run, db)
    if not path.is_file():
        raise UsageError(f"{path}: no decisions there yet; review the run first, or name their file with --db")
    store = Store(path)
    try:
        added = add(documents, store, Articles(articles), to)
    finally:
        store.close()
    for line in added.left:
        say(f"left out: {line}")
    counts = f"{count(len(added.documents), 'document')}, {count(added.captions, 'caption')}"
    say(f"{counts} added to {to}")
    raise typer.Exit(0 if added.documents else 1)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(review)
