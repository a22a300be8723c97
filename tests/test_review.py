"""Decisions, what they do to a run, and the gold made of them; without a server."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from gold_runs import CORPUS, gold_run
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from translate.storage.tmx import tmxfile
from typer.testing import CliRunner, Result

from aligner.cli import review as command
from aligner.documents import read
from aligner.errors import OutputError, RecordError, UsageError
from aligner.exchange import Articles, dump_run, read_run, units
from aligner.pipeline import Options, Pipeline
from aligner.records import Document
from aligner.review.gold import add
from aligner.review.memory import to_tmx
from aligner.review.session import Session, reviewed, subject_of
from aligner.review.store import ConflictError, Decision, Store, Subject
from aligner.scoring.gold import load

SUBJECT = Subject(("ab" * 32, 10, 30), "Una frase", "es", "en", "A sentence")
APP = typer.Typer()
command.register(APP)
APP.command("corpus-add")(command.corpus_add)


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "review.sqlite")
    yield store
    store.close()


def session_of(run: tuple[Document, ...], store: Store) -> Session:
    return Session(run, Articles(), store, "run.jsonl")


# --- the store ---


def test_decisions_survive_closing(tmp_path: Path) -> None:
    path = tmp_path / "review.sqlite"
    store = Store(path)
    store.decide(SUBJECT, 0, "edited", "A phrase", "null")
    store.close()
    store = Store(path)
    assert store.get(SUBJECT.span).text == "A phrase"
    assert store.get(("cd" * 32, 10, 30)) == Decision()
    store.close()


def test_a_stale_version_is_refused_and_overwrites_nothing(store: Store) -> None:
    store.decide(SUBJECT, 0, "accepted", "A sentence", None)
    with pytest.raises(ConflictError) as caught:
        store.decide(SUBJECT, 0, "rejected", None, None)
    assert caught.value.current.state == store.get(SUBJECT.span).state == "accepted"
    with pytest.raises(ConflictError):
        store.undo(SUBJECT, 0)
    with pytest.raises(ConflictError):
        store.decide(SUBJECT, 2, "rejected", None, None)
    assert store.get(SUBJECT.span).version == 1


class Deciding(RuleBasedStateMachine):
    """Decisions and undoing against a plain list as the model."""

    @initialize()
    def open(self) -> None:
        self.store = Store(Path(":memory:"))
        self.stack: list[tuple[str, str | None]] = [("open", None)]
        self.version = 0

    @rule(state=st.sampled_from(["accepted", "edited", "rejected"]), text=st.text(min_size=1, max_size=5))
    def decide(self, state, text: str) -> None:
        kept = None if state == "rejected" else text
        self.version += 1
        assert self.store.decide(SUBJECT, self.version - 1, state, kept, None).version == self.version
        self.stack.append((state, kept))

    @rule()
    def undo(self) -> None:
        if len(self.stack) == 1:
            with pytest.raises(ConflictError):
                self.store.undo(SUBJECT, self.version)
        else:
            self.version += 1
            assert self.store.undo(SUBJECT, self.version - 1).version == self.version
            self.stack.pop()

    @invariant()
    def agrees(self) -> None:
        current = self.store.get(SUBJECT.span)
        assert (current.state, current.text) == self.stack[-1]
        assert current.undoable == (len(self.stack) > 1)
        state, text = self.stack[-1]
        memory = [(SUBJECT.source, text, 1)] if state in ("accepted", "edited") else []
        assert self.store.memory("es", "en") == memory

    def teardown(self) -> None:
        self.store.close()


TestDeciding = Deciding.TestCase
TestDeciding.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_many_tabs_lose_nothing(tmp_path: Path) -> None:
    """Threads with stores of their own race for the same captions: each version is won once, losers are told."""
    path = tmp_path / "review.sqlite"
    Store(path).close()
    subjects = [replace(SUBJECT, span=("ab" * 32, n, n + 5)) for n in range(5)]
    won: list[tuple[int, int, str]] = []
    lost: list[str] = []

    def tab(name: str) -> None:
        store = Store(path)
        for turn in range(20):
            subject = subjects[turn % 5]
            version = store.get(subject.span).version
            try:
                store.decide(subject, version, "edited", f"{name} {turn}", None)
                won.append((subject.span[1], version + 1, f"{name} {turn}"))
            except ConflictError:
                lost.append(name)
        store.close()

    threads = [threading.Thread(target=tab, args=(f"tab{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) + len(lost) == 80
    with sqlite3.connect(path) as db:
        kept = db.execute("SELECT start, version, text FROM decision").fetchall()
    db.close()
    assert sorted(kept) == sorted(won)


def test_a_decision_outlives_a_kill(tmp_path: Path) -> None:
    """A process that is killed right after it said so has kept every decision that it said."""
    path = tmp_path / "review.sqlite"
    program = f"""
import itertools
from aligner.review.store import Store, Subject
from pathlib import Path
store = Store(Path({str(path)!r}))
for n in itertools.count():
    store.decide(Subject(("ab" * 32, n, n + 1), "s", "es", "en", "m"), 0, "accepted", str(n), None)
    print(n, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout:
        for line in process.stdout:
            if int(line) >= 20:
                os.kill(process.pid, signal.SIGKILL)
                break
        said = int(line)
        rest = process.stdout.read().split()
    process.wait()
    said = max([said, *map(int, rest[:-1])])
    store = Store(path)
    assert {store.get(("ab" * 32, n, n + 1)).text for n in range(said + 1)} == {str(n) for n in range(said + 1)}
    store.close()


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("not a database, and long enough to be looked at " * 40)
    with pytest.raises(RecordError, match="not a database"):
        Store(text)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(RecordError, match="something else"):
        Store(other)
    later = tmp_path / "later.sqlite"
    Store(later).close()
    with sqlite3.connect(later) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(RecordError, match="later version"):
        Store(later)
    with pytest.raises(OutputError, match="cannot be opened"):
        Store(tmp_path / "none" / "review.sqlite")


# --- a run with decisions ---


def test_decisions_make_a_new_run(store: Store) -> None:
    run = gold_run("atalayar-2022")
    session = session_of(run, store)
    accepted, edited, rejected, left = list(session.units)
    session.decide(accepted, 0, "accepted", session.unit(accepted).text, "run")
    session.decide(edited, 0, "accepted", " Zelensky,\n Merkel ", None)
    session.decide(rejected, 0, "rejected", "ignored", "run")
    [document], tally = reviewed(run, store)
    assert (tally.accepted, tally.edited, tally.rejected, tally.open, tally.total) == (1, 1, 1, 1, 4)
    first, second, third = document.captions
    assert first.translation
    assert (first.translation.engine, first.translation.warnings) == ("accepted", ())
    assert first.context == session.unit(accepted).caption.context
    assert second.translation
    assert (second.translation.text, second.translation.engine, second.context) == ("Zelensky, Merkel", "edited", None)
    assert third == session.unit(left).caption


def test_a_run_made_again_finds_the_decisions(store: Store) -> None:
    run = gold_run("atalayar-2022")
    session = session_of(run, store)
    key = next(iter(session.units))
    session.decide(key, 0, "accepted", session.unit(key).text, "run")
    [document] = run
    others = tuple(
        replace(c, translation=replace(c.translation, text="Another model's words", model="es-en@ffffffffffff"))  # type: ignore[arg-type]
        for c in document.captions
    )
    [again], tally = reviewed([replace(document, captions=others)], store)
    assert tally.accepted == 1
    assert again.captions[0].translation
    assert again.captions[0].translation.text == session.unit(key).text


def test_choosing_another_paragraph(store: Store) -> None:
    run = gold_run("atalayar-2022")
    session = session_of(run, store)
    article = read(CORPUS / "atalayar-2022" / "putin-macron.txt")
    key = list(session.units)[2]
    before = session.unit(key).caption.context
    assert before
    block = next(b for b in article.blocks if b.line > before.line and len(b.text) > 200)
    session.decide(key, 0, "accepted", "x", block.start)
    [document], _ = reviewed(run, store)
    context = document.captions[2].context
    assert context
    assert (context.line, context.evidence) == (block.line, ("chosen in review",))
    assert article.text[context.start : context.end] == context.text
    # The paragraph that the run has anyway is kept as the run has it.
    session.decide(key, 1, "accepted", "x", next(b.start for b in article.blocks if b.line == before.line))
    [document], _ = reviewed(run, store)
    assert document.captions[2].context == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none", 0, "accepted", "x", None), "no caption 'none'"),
        (("KEY", 0, "maybe", "x", None), "unknown decision"),
        (("KEY", 0, "accepted", " \n", None), "no translation to accept"),
        (("KEY", 0, "accepted", "bell \x07", None), "control character"),
        (("KEY", 0, "accepted", "x", 1), "no paragraph starts at offset 1"),
        (("KEY", 0, "accepted", "x", True), "is no paragraph"),
        (("KEY", 0, "accepted", "x", "line"), "is no paragraph"),
    ],
)
def test_senseless_decisions(store: Store, arguments: tuple[object, ...], message: str) -> None:
    session = session_of(gold_run("atalayar-2022"), store)
    key = next(iter(session.units))
    with pytest.raises(UsageError, match=message):
        session.decide(*(key if a == "KEY" else a for a in arguments))  # type: ignore[arg-type]
    assert store.all() == {}


def test_the_memory_suggests(store: Store) -> None:
    [document] = gold_run("atalayar-2022")
    session = session_of((document,), store)
    key = next(iter(session.units))
    source = session.unit(key).caption.source
    other = replace(SUBJECT, source=source.replace("2019", "2020"))
    store.decide(other, 0, "edited", "A remembered wording", None)
    store.decide(replace(other, span=("cd" * 32, 1, 2), source="Otra cosa"), 0, "edited", "Far off", None)
    [hit] = session.detail(key)["memory"]
    assert (hit["text"], hit["source"]) == ("A remembered wording", other.source)
    assert 90 <= hit["similarity"] < 100


def test_memory_as_tmx(store: Store) -> None:
    with pytest.raises(UsageError, match="no translation was accepted"):
        to_tmx(store)
    store.decide(SUBJECT, 0, "edited", "A <phrase>", None)
    store.decide(replace(SUBJECT, span=("cd" * 32, 1, 2)), 0, "edited", "A <phrase>", None)
    store.decide(replace(SUBJECT, span=("ef" * 32, 1, 2), source="Nada"), 0, "rejected", None, None)
    [unit] = tmxfile.parsestring(to_tmx(store), "es", "en").units
    assert (unit.source, unit.target, unit.xmlelement.get("usagecount")) == ("Una frase", "A <phrase>", "2")


def test_the_article_is_shown_in_pieces(store: Store) -> None:
    run = gold_run()
    session = session_of(run, store)
    for index, document in enumerate(run):
        shown = session.article(index)
        assert shown["problem"] is None
        article = read(document.document)
        texts = ["".join(piece for piece, _ in block["pieces"]) for block in shown["blocks"]]
        assert texts == [block.text for block in article.blocks if block.text.strip()]
        marked = [piece for block in shown["blocks"] for piece, kind in block["pieces"] if kind == "caption"]
        assert sorted(marked) == sorted(caption.source for caption in document.captions)
        linked = {caption.context.start for caption in document.captions if caption.context}
        assert linked <= {block["start"] for block in shown["blocks"] if block["paragraph"]}


def test_a_missing_article_is_said(store: Store) -> None:
    [document] = gold_run("atalayar-2022")
    session = session_of((replace(document, document="gone.txt"),), store)
    assert "gone.txt: not found" in session.article(0)["problem"]
    with pytest.raises(UsageError, match="no document 1"):
        session.article(1)


# --- gold ---


def decide_all(session: Session, rejected: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    for key, unit in session.units.items():
        session.decide(key, 0, "rejected" if key in rejected else "accepted", unit.text, "run")


def test_reviewed_documents_become_gold(tmp_path: Path, store: Store) -> None:
    run = gold_run()
    session = session_of(run, store)
    [out, *_] = session.units
    decide_all(session, {out})
    folder = tmp_path / "gold"
    added = add(run, store, Articles(), folder)
    with_captions = [document for document in run if document.captions]
    assert len(added.documents) == len(with_captions)
    assert added.captions == len(session.units) - 1
    assert all("found no caption" in line for line in added.left)
    before = {document.name: document for document in load([CORPUS / "written"]).documents}
    for document in load([folder]).documents:
        theirs = before[document.name].captions("es")
        mine = document.captions("es")
        assert document.sha256 == before[document.name].sha256
        skipped = document.name == Path(session.unit(out).document.document).stem
        assert [m.caption for m in mine] == [m.caption for m in theirs[skipped:]]
        assert [m.credit for m in mine] == [m.credit for m in theirs[skipped:]]
        assert [m.reference for m in mine] == [m.reference for m in theirs[skipped:]]
        assert [m.aligned_line for m in mine] == [m.aligned_line for m in theirs[skipped:]]
    again = add(run, store, Articles(), folder)
    assert again.documents == ()
    assert any("has a document" in line for line in again.left)


def test_a_document_that_gold_cannot_hold_is_left_out_alone(tmp_path: Path, store: Store) -> None:
    caption = "Los pescadores salen del puerto\nantes de la noche"
    text = f"# The port\n\nThe boats left the port at dawn.\n\n![{caption}](a.jpg)\n"
    (tmp_path / "wrapped.md").write_text(text, encoding="utf-8")
    pipeline = Pipeline(Options(translate=False, link=False))
    wrapped = pipeline.run(read(tmp_path / "wrapped.md"))
    assert ["\n" in caption.source for caption in wrapped.captions] == [True]
    run = (wrapped, *gold_run("atalayar-2022"))
    session = session_of(run, store)
    for key in session.units:
        session.decide(key, 0, "accepted", "A translation", None)
    added = add(run, store, Articles(), tmp_path / "gold")
    assert added.documents == ("putin-macron",)
    [left] = added.left
    assert left.startswith(f"{tmp_path / 'wrapped.md'}: line 5: caption 'Los pescadores")
    assert left.endswith("is not in the line")
    assert [document.name for document in load([tmp_path / "gold"]).documents] == ["putin-macron"]


def test_undecided_documents_are_left_out(tmp_path: Path, store: Store) -> None:
    run = gold_run("atalayar-2022")
    session = session_of(run, store)
    key = next(iter(session.units))
    session.decide(key, 0, "accepted", "x", None)
    added = add(run, store, Articles(), tmp_path / "gold")
    assert added.documents == ()
    assert "3 of 4 captions undecided" in added.left[0]
    assert not (tmp_path / "gold").exists()


def test_gold_is_added_to_and_never_overwritten(tmp_path: Path, store: Store) -> None:
    seed, written = gold_run("atalayar-2022"), gold_run()
    folder = tmp_path / "gold"
    for run in (seed, written[:1]):
        decide_all(session_of(run, store))
    add(seed, store, Articles(), folder)
    first = (folder / "gold.jsonl").read_bytes()
    name = Path(written[0].document).name
    (folder / name).write_text("a document of mine")
    with pytest.raises(OutputError, match="another document"):
        add(written[:1], store, Articles(), folder)
    assert (folder / name).read_text() == "a document of mine"
    assert (folder / "gold.jsonl").read_bytes() == first
    (folder / name).unlink()
    add(written[:1], store, Articles(), folder)
    assert (folder / "gold.jsonl").read_bytes().startswith(first)
    assert len(load([folder]).documents) == 2


# --- the command ---


def aligner(*arguments: object) -> Result:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def test_export_without_serving(tmp_path: Path) -> None:
    run = tmp_path / "run.jsonl"
    run.write_bytes(dump_run(gold_run("atalayar-2022")))
    result = aligner("review", run, "--export", "-")
    assert "no decisions there yet" in str(result.exception)
    store = Store(tmp_path / "run.review.sqlite")
    session = session_of(gold_run("atalayar-2022"), store)
    decide_all(session, {next(iter(session.units))})
    store.close()
    new, memory = tmp_path / "new.jsonl", tmp_path / "memory.tmx"
    result = aligner("review", run, "--export", new, "--export-memory", memory)
    assert result.exit_code == 0, result.exception
    assert "3 accepted, 0 edited, 1 rejected, 0 undecided" in result.stderr
    assert len(list(units(read_run(new)))) == len(tmxfile.parsestring(memory.read_bytes()).units) == 3
    assert "is the run itself" in str(aligner("review", run, "--export", run).exception)
    result = aligner("corpus-add", run, "--to", tmp_path / "gold")
    assert result.exit_code == 0
    assert "1 document, 3 captions added" in result.stderr
    records = [json.loads(line) for line in (tmp_path / "gold" / "gold.jsonl").read_text().splitlines()]
    assert records[0]["origin"] == "reviewed"


def test_nothing_to_review(tmp_path: Path) -> None:
    [document] = gold_run("atalayar-2022")
    run = tmp_path / "run.jsonl"
    run.write_bytes(dump_run([replace(document, captions=())]))
    assert "nothing to review" in str(aligner("review", run, "--port", "0").exception)


def test_subjects_carry_what_the_memory_needs() -> None:
    unit = next(units(gold_run("atalayar-2022")))
    subject = subject_of(unit)
    assert (subject.source, subject.source_language, subject.target_language) == (unit.caption.source, "es", "en")
    assert subject.machine == unit.text
