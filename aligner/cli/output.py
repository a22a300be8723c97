"""What the commands have in common: work that goes on when nobody reads, options that do nothing, remarks."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO, cast

import typer

from aligner.errors import UsageError
from aligner.show import count, say

if TYPE_CHECKING:
    from aligner.documents import Article
    from aligner.translation.glossary import Glossary


class _Lasting:
    """A stream whose reader may leave: what is written then goes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._tolerant():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._tolerant():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            # What is still buffered must go somewhere too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def outlast_reader() -> None:
    """From now on the reader of stdout may leave (``| head``) without ending the command, which has files to write."""
    sys.stdout = cast(TextIO, _Lasting(sys.stdout))


def refuse(context: typer.Context, *parameters: str, because: str) -> None:
    """Refuses options that a command was given and that do nothing beside its others.

    Args:
        context: of the command.
        parameters: names of the command's parameters, as its function has them.
        because: the rest of a sentence that begins with the option.

    Raises:
        UsageError: one was given.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in parameters and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{parameter.opts[0]} {because}")


def remark_terms(glossary: Glossary) -> None:
    """Says of glossaries that they have no term, if they have none."""
    if not glossary.entries:
        say("--glossary: no term in it")


def remark_unmet(glossary: Glossary) -> None:
    """Says which terms of glossaries no caption had."""
    unmet = glossary.unmet()
    if unmet:
        named = ", ".join(entry.sources[0] for entry in unmet[:_SHOWN]) + (", …" if len(unmet) > _SHOWN else "")
        of = f"{len(unmet):,} of {count(len(glossary.entries), 'term')}"
        say(f"--glossary: {of} stood in no caption: {named} (a capital matches capitals alone)")


#: Terms that one remark names.
_SHOWN = 5


def remark(article: Article) -> None:
    """Says of a document that it has no text, if it has none."""
    if not any(block.text.strip() for block in article.blocks):
        say(f"{article.name}: {'has no text' if article.data else 'is empty'}")
