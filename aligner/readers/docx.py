"""Word documents (DOCX, ECMA-376): paragraphs, captions by their style, alternative texts of pictures."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from xml.parsers import expat

from aligner.documents import Article, Block, Role
from aligner.errors import DocumentError

_LIMIT = 64 << 20
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main "
_DRAWING = (
    "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing docPr",
    "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing docPr",
)
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
# Built-in styles keep their English names in the file, whatever the program's language shows.
_CAPTION_STYLE = re.compile(r"(?i)^(?:caption|pie de (?:foto|imagen|figura|ilustraci[oó]n)|leyenda|ep[ií]grafe)$")
_CREDIT_STYLE = re.compile(r"(?i)^(?:photo |image |picture )?(?:credit|cr[eé]dito)s?$")
_HEADING_STYLE = re.compile(r"(?i)^(?:heading \d|title|subtitle)$")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def parse(data: bytes, name: str) -> Article:
    """A Word document as an article: one line of ``text`` per paragraph, one block where that is not blank.

    Raises:
        DocumentError: no Word document, or damaged, encrypted or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            styles = _styles(_member(archive, "word/styles.xml", name))
            document = _member(archive, "word/document.xml", name)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
    ) as error:
        raise DocumentError(f"{name}: not a readable Word document: {error}; save it anew as .docx") from None
    if document is None:
        raise DocumentError(f"{name}: a ZIP archive without word/document.xml, no Word document; unpack it first")
    body = _Body(styles)
    _parse_xml(document, body, name)
    text = "\n".join(paragraph for paragraph, _ in body.paragraphs)
    blocks, start = [], 0
    for number, (paragraph, role) in enumerate(body.paragraphs, 1):
        if stripped := paragraph.strip():
            at = start + paragraph.index(stripped)
            blocks.append(Block(stripped, number, at, at + len(stripped), role))
        start += len(paragraph) + 1
    return Article(name, data, text, "utf-8", tuple(blocks), "docx")


def _member(archive: zipfile.ZipFile, member: str, name: str) -> bytes | None:
    try:
        info = archive.getinfo(member)
    except KeyError:
        return None
    with archive.open(info) as file:
        content = file.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise DocumentError(f"{name}: {member} is larger than {_LIMIT:,} bytes; split the document")
    return content


def _parse_xml(content: bytes, handler: _Styles | _Body, name: str) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.characters
    # The format forbids document type declarations, and with them entities that expand without end.
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, _DoctypeError) as error:
        raise DocumentError(f"{name}: damaged Word document: {error}; save it anew as .docx") from None


class _DoctypeError(Exception):
    """A document type declaration where none may be."""


def _refuse(*_: object) -> None:
    raise _DoctypeError("it declares a document type")


def _styles(content: bytes | None) -> dict[str, Role]:
    handler = _Styles()
    if content is not None:
        _parse_xml(content, handler, "word/styles.xml")
    return handler.roles


class _Styles:
    """Roles of the paragraph styles, by style id."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}
        self._id = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = _local(tag)
        if tag == "style":
            self._id = _value(attributes, "styleId")
        elif tag == "name" and self._id and (role := _role(_value(attributes, "val"))):
            self.roles[self._id] = role

    def end(self, tag: str) -> None:
        if _local(tag) == "style":
            self._id = ""

    def characters(self, data: str) -> None:
        pass


def _role(style: str) -> Role | None:
    if _CAPTION_STYLE.match(style):
        return "caption"
    if _CREDIT_STYLE.match(style):
        return "credit"
    return "heading" if _HEADING_STYLE.match(style) else None


def _local(tag: str) -> str:
    """The name of an element of the word-processing namespace; "" for any other."""
    for space in (_W, _STRICT):
        if tag.startswith(space):
            return tag[len(space) :]
    return ""


def _value(attributes: dict[str, str], name: str) -> str:
    return attributes.get(_W + name) or attributes.get(_STRICT + name) or ""


class _Body:
    """The paragraphs of a document; those of a text box come before the one that it is anchored in."""

    def __init__(self, styles: dict[str, Role]) -> None:
        self.paragraphs: list[tuple[str, Role]] = []
        self._styles = styles
        self._texts: list[list[str]] = []
        self._roles: list[Role] = []
        self._alternatives: list[list[str]] = []
        self._reading = False
        self._fallback = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == _FALLBACK:  # the same once more, for older programs
            self._fallback += 1
        if self._fallback:
            return
        if tag in _DRAWING:
            if self._alternatives and (text := attributes.get("descr") or attributes.get("title")):
                self._alternatives[-1].append(_CONTROLS.sub(" ", " ".join(text.split())))
            return
        tag = _local(tag)
        if tag == "p":
            self._texts.append([])
            self._roles.append("body")
            self._alternatives.append([])
        elif not self._texts:
            return
        elif tag == "pStyle":
            style = _value(attributes, "val")
            self._roles[-1] = self._styles.get(style) or _role(style) or "body"
        elif tag == "t":
            self._reading = True
        elif tag == "tab":
            self._texts[-1].append("\t")
        elif tag in ("br", "cr"):
            self._texts[-1].append(" ")
        elif tag == "noBreakHyphen":
            self._texts[-1].append("\u2011")

    def end(self, tag: str) -> None:
        if tag == _FALLBACK:
            self._fallback -= 1
        if self._fallback:
            return
        tag = _local(tag)
        if tag == "t":
            self._reading = False
        elif tag == "p" and self._texts:
            self.paragraphs += [(text, "alt") for text in self._alternatives.pop()]
            self.paragraphs.append(("".join(self._texts.pop()), self._roles.pop()))

    def characters(self, data: str) -> None:
        if self._reading and self._texts and not self._fallback:
            self._texts[-1].append(_CONTROLS.sub(" ", data.replace("\n", " ")))
