"""XLIFF 1.2 and 2.0, written for CAT tools and read back from them.

Files are written with lxml: the translate toolkit's writer approves every target that it sets, and puts the
notes of XLIFF 2.0 where its schema forbids them. They are read with the toolkit, which knows the dialects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from aligner import __version__
from aligner.errors import UsageError
from aligner.exchange.edits import ACCEPTED, EDITED, Decision, Line
from aligner.exchange.runs import Unit
from aligner.exchange.xml import LANG, SPACE, add, load, serialise, text_of
from aligner.records import Document

V1 = "urn:oasis:names:tc:xliff:document:1.2"
V2 = "urn:oasis:names:tc:xliff:document:2.0"
MATCHES = "urn:oasis:names:tc:xliff:matches:2.0"
# States that say that a person stands for the text.
_DONE = {"translated", "signed-off", "final", "reviewed"}


def _notes(unit: Unit) -> Iterator[tuple[str, str, str]]:
    """What a translator should know: (category, what it is about, text)."""
    caption = unit.caption
    if caption.credit:
        yield "credit", "source", f"credit: {caption.credit.text}"
    if caption.context:
        yield "context", "source", f"illustrates (line {caption.context.line}): {caption.context.text}"
    if caption.translation:
        for name in caption.translation.names:
            yield "name", "target", f"name: {name.source} is {name.article} in the article"
        for warning in caption.translation.warnings:
            yield "warning", "target", f"warning: {warning}"


def _by_person(unit: Unit) -> bool:
    return unit.caption.translation is not None and unit.caption.translation.engine in (ACCEPTED, EDITED)


def _files(documents: Sequence[Document], units: Iterable[Unit]) -> Iterator[tuple[Document, list[Unit]]]:
    grouped: dict[int, list[Unit]] = {}
    for unit in units:
        grouped.setdefault(unit.index, []).append(unit)
    for index, found in grouped.items():
        yield documents[index], found


def write_1(documents: Sequence[Document], units: Iterable[Unit]) -> bytes:
    """An XLIFF 1.2 document with a ``file`` per document that has captions."""
    root = etree.Element(f"{{{V1}}}xliff", version="1.2", nsmap={None: V1})
    for document, found in _files(documents, units):
        file = add(
            root,
            "file",
            original=document.document,
            source_language=document.caption_language,
            target_language=document.context_language,
            datatype="plaintext",
            tool_id="aligner",
        )
        header = add(file, "header")
        add(header, "tool", tool_id="aligner", tool_name="caption-aligner", tool_version=__version__)
        add(header, "note", f"sha256 {document.sha256}", **{"from": "aligner"})
        body = add(file, "body")
        for unit in found:
            _unit_1(body, unit)
    if not len(root):
        raise UsageError("the run has no captions: there is nothing to put into an XLIFF file")
    return serialise(root)


def _unit_1(body: etree._Element, unit: Unit) -> None:
    caption, document = unit.caption, unit.document
    done = _by_person(unit)
    element = add(body, "trans-unit", id=unit.key, resname=caption.id, approved="yes" if done else "no")
    element.set(SPACE, "preserve")
    source = add(element, "source", caption.source)
    source.set(LANG, document.caption_language)
    if caption.translation and unit.text:
        state = (
            {"state": "signed-off"}
            if done
            else {"state": "needs-review-translation", "state_qualifier": "leveraged-mt"}
        )
        target = add(element, "target", unit.text, **state)
        target.set(LANG, document.context_language)
    place = add(element, "context-group", purpose="location")
    add(place, "context", document.document, context_type="sourcefile")
    add(place, "context", str(caption.line), context_type="linenumber")
    if caption.context:
        linked = add(element, "context-group", purpose="information")
        add(linked, "context", caption.context.text, context_type="x-paragraph")
        add(linked, "context", str(caption.context.line), context_type="x-paragraph-line")
    for category, about, text in _notes(unit):
        priority = "1" if category == "warning" else None
        add(element, "note", text, annotates=about, priority=priority, **{"from": f"aligner-{category}"})
    if caption.translation and unit.text:
        match = add(
            element,
            "alt-trans",
            match_quality=str(unit.quality),
            origin=caption.translation.model,
            tool_id="aligner",
        )
        add(match, "source", caption.source).set(LANG, document.caption_language)
        add(match, "target", unit.text).set(LANG, document.context_language)


def write_2(documents: Sequence[Document], units: Iterable[Unit]) -> bytes:
    """An XLIFF 2.0 document with a ``file`` per document that has captions.

    Raises:
        UsageError: the run mixes languages, for XLIFF 2.0 has one pair per file; or has no captions.
    """
    files = list(_files(documents, units))
    pairs = sorted({(d.caption_language, d.context_language) for d, _ in files})
    if not pairs:
        raise UsageError("the run has no captions: there is nothing to put into an XLIFF file")
    if len(pairs) > 1:
        listed = ", ".join(f"{source}-{target}" for source, target in pairs)
        raise UsageError(
            f"the run mixes language pairs ({listed}) and XLIFF 2.0 has one per file; "
            "export --to xliff (1.2), or in parts"
        )
    root = etree.Element(
        f"{{{V2}}}xliff",
        version="2.0",
        srcLang=pairs[0][0],
        trgLang=pairs[0][1],
        nsmap={None: V2, "mtc": MATCHES},
    )
    for number, (document, found) in enumerate(files, 1):
        file = add(root, "file", id=f"f{number}", original=document.document)
        notes = add(file, "notes")
        add(notes, "note", f"sha256 {document.sha256}", category="document")
        for unit in found:
            _unit_2(file, unit)
    return serialise(root)


def _unit_2(file: etree._Element, unit: Unit) -> None:
    caption = unit.caption
    element = add(file, "unit", id=unit.key, name=caption.id, canResegment="no")
    element.set(SPACE, "preserve")
    if caption.translation and unit.text:
        matches = etree.SubElement(element, f"{{{MATCHES}}}matches")
        match = etree.SubElement(matches, f"{{{MATCHES}}}match", id="m1", ref="#s1", type="mt")
        match.set("origin", caption.translation.model)
        match.set("matchQuality", str(unit.quality))
        for tag, text in (("source", caption.source), ("target", unit.text)):
            add(match, tag, text).tag = f"{{{V2}}}{tag}"
    described = [("place", "source", f"line {caption.line}"), *_notes(unit)]
    notes = add(element, "notes")
    for category, about, text in described:
        add(
            notes,
            "note",
            text,
            category=category,
            appliesTo=about,
            priority="1" if category == "warning" else "2",
        )
    state = {"state": "initial"}
    if unit.text:
        done = _by_person(unit)
        state = {
            "state": "reviewed" if done else "translated",
            "subState": f"aligner:{'person' if done else 'machine'}",
        }
    segment = add(element, "segment", id="s1", **state)
    add(segment, "source", caption.source)
    if unit.text:
        add(segment, "target", unit.text)


def read(path: Path) -> list[Line]:
    """The units of an XLIFF 1.x or 2.x file.

    Raises:
        RecordError: not an XLIFF file.
    """
    from translate.storage.xliff import Xliff1File
    from translate.storage.xliff2 import Xliff2File

    def opened(data: bytes) -> Any:
        # The root's version tells; both stores refuse the other's files.
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        if etree.QName(root).localname != "xliff":
            raise ValueError(f"its root element is {etree.QName(root).localname}, not xliff")
        return (Xliff2File if (root.get("version") or "").startswith("2") else Xliff1File).parsestring(data)

    store = load(path, opened)
    return list(_lines_2(path, store) if isinstance(store, Xliff2File) else _lines_1(path, store))


def _lines_1(path: Path, store: Any) -> Iterator[Line]:
    for unit in store.units:
        element = unit.xmlelement
        target = element.find(store.namespaced("target"))
        state = target.get("state") if target is not None else None
        # "leveraged-mt" goes when a person touches the unit in most tools, the state in all.
        decision: Decision = "accept" if unit.target and (unit.isapproved() or state in _DONE) else ""
        matches = unit.getalttrans(origin=None)
        ours = [m for m in matches if m.xmlelement.get("tool-id") == "aligner"]
        base = ours[0].target if ours else None
        yield Line(f"{path}:{element.sourceline}", element.get("id", ""), unit.source, base, unit.target, decision)


def _lines_2(path: Path, store: Any) -> Iterator[Line]:
    # The toolkit has a unit per segment; a tool may have split ours in spite of canResegment="no".
    seen: dict[Any, None] = dict.fromkeys(unit.getunitelement() for unit in store.units)
    for element in seen:
        parts = [e for e in element if etree.QName(e).localname in ("segment", "ignorable")]
        sources, targets = [], []
        states, complete = set(), True
        for part in parts:
            source = text_of(part.find(store.namespaced("source"))) or ""
            target = text_of(part.find(store.namespaced("target")))
            ignorable = etree.QName(part).localname == "ignorable"
            sources.append(source)
            # What lies between segments need not be translated: it is taken over.
            targets.append(source if target is None and ignorable else target or "")
            if not ignorable:
                states.add(part.get("state", "initial"))
                complete = complete and bool(target and target.strip())
        text = "".join(targets) if complete else ""
        decision: Decision = "accept" if text.strip() and states <= {"reviewed", "final"} else ""
        base = text_of(element.find(f"{{{MATCHES}}}matches/{{{MATCHES}}}match/{store.namespaced('target')}"))
        yield Line(f"{path}:{element.sourceline}", element.get("id", ""), "".join(sources), base, text, decision)
