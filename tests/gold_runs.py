"""Runs made from gold: what a perfect finder, translator and linker would say of the corpus."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from aligner.documents import read
from aligner.records import Caption, Context, Credit, Document, Name, Translation
from aligner.scoring.gold import GoldDocument, load

CORPUS = Path(__file__).parent.parent / "corpus"


def record(gold: GoldDocument) -> Document:
    """The record of a gold document, every third translation with a warning."""
    article = read(gold.path)
    captions = []
    for number, mark in enumerate(gold.captions("es"), 1):
        credit = None
        if mark.credit:
            agency, _, person = mark.credit.partition("/")
            credit = Credit(mark.credit, agency.strip(), person.strip() or None, mark.credit_start, mark.credit_end)
        context = None
        if mark.aligned_line:
            start, text = gold.lines[mark.aligned_line - 1]
            text = text.rstrip("\r")
            context = Context(mark.aligned_line, start, start + len(text), text, 0.93, ("says the gold",))
        warnings = ("untranslated-word: «salteña» stands in the translation too",) if number % 3 == 0 else ()
        names = (Name("Vladímir", "Vladimir"),) if "Vladimir" in (mark.reference or "") else ()
        translation = Translation(
            mark.reference or "", "es-en@0123456789ab", "ctranslate2", -0.1 * number, names, warnings
        )
        captions.append(
            Caption(
                f"c{number}",
                mark.line,
                mark.start,
                mark.end,
                mark.caption or "",
                credit,
                0.99,
                ("credit in front",),
                translation,
                context,
            )
        )
    return Document(str(gold.path), article.sha256, "en", "es", tuple(captions), encoding=article.encoding)


@cache
def gold_run(name: str = "written") -> tuple[Document, ...]:
    """The records of a gold set."""
    return tuple(map(record, load([CORPUS / name]).documents))
