"""TMX 1.4b: the run as a translation memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from aligner import __version__
from aligner.exchange.edits import Line
from aligner.exchange.runs import Unit
from aligner.exchange.xml import LANG, add, clean, load, serialise, text_of
from aligner.records import Document

# The translation as exported, by which an edit is told from it.
_BASE = "x-aligner-exported"


def header(root: etree._Element, source_language: str) -> None:
    """Appends the header that TMX demands."""
    add(
        root,
        "header",
        creationtool="caption-aligner",
        creationtoolversion=__version__,
        segtype="block",
        o_tmf="aligner/1",
        adminlang="en",
        srclang=source_language,
        datatype="plaintext",
    )


def variant(tu: etree._Element, language: str, text: str) -> None:
    """Appends one language's text to a translation unit."""
    tuv = add(tu, "tuv")
    tuv.set(LANG, language)
    add(tuv, "seg", clean(text))


def write(documents: Sequence[Document], units: Iterable[Unit]) -> bytes:
    """A TMX document with a ``tu`` per translated caption."""
    languages = {document.caption_language for document in documents if document.captions}
    root = etree.Element("tmx", version="1.4")
    header(root, languages.pop() if len(languages) == 1 else "*all*")
    body = add(root, "body")
    for unit in units:
        if not unit.text:
            continue
        caption, document = unit.caption, unit.document
        assert caption.translation is not None
        tu = add(body, "tu", tuid=unit.key, srclang=document.caption_language)
        if caption.context:
            add(tu, "note", f"illustrates: {caption.context.text}")
        for warning in caption.translation.warnings:
            add(tu, "note", f"warning: {warning}")
        properties = {
            "x-document": document.document,
            "x-line": str(caption.line),
            "x-sha256": document.sha256,
            "x-credit": caption.credit.text if caption.credit else None,
            "x-model": caption.translation.model,
            "x-engine": caption.translation.engine,
            "x-quality": str(unit.quality),
            _BASE: unit.text,
        }
        for name, value in properties.items():
            if value is not None:
                add(tu, "prop", value, type=name)
        variant(tu, document.caption_language, caption.source)
        variant(tu, document.context_language, unit.text)
    return serialise(root, '<!DOCTYPE tmx SYSTEM "tmx14.dtd">')


def read(path: Path, languages: dict[str, tuple[str, str]]) -> list[Line]:
    """The units of a TMX file.

    Args:
        path: the file.
        languages: caption and context language by caption key; units of other keys are read without texts.

    Raises:
        RecordError: not a TMX file.
    """
    from translate.storage.tmx import tmxfile

    store = load(path, lambda data: tmxfile.parsestring(data))
    lines = []
    for unit in store.units:
        element = unit.xmlelement
        key = element.get("tuid", "")
        source, target = (_in(unit, language) for language in languages.get(key, ("", "")))
        base = next((text_of(p) for p in element.iterchildren("prop") if p.get("type") == _BASE), None)
        lines.append(Line(f"{path}:{element.sourceline}", key, source, base, target))
    return lines


def _in(unit: Any, language: str) -> str | None:
    """A unit's text in a language, whatever its case and region ("EN", "en-GB"); the barest tag first."""
    found = [(node.get(LANG, "").lower().replace("_", "-"), node) for node in unit.getlanguageNodes()]
    fitting = sorted(((tag, node) for tag, node in found if tag.split("-")[0] == language), key=lambda f: len(f[0]))
    text: str | None = unit.getNodeText(fitting[0][1], "preserve") if fitting else None
    return text
