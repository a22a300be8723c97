"""What the XML formats share: text that XML can hold, and reading files that nobody vouches for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lxml import etree

from aligner.errors import RecordError

XML = "http://www.w3.org/XML/1998/namespace"
LANG = f"{{{XML}}}lang"
SPACE = f"{{{XML}}}space"
# A run of a million captions is below this; a file above it was not made from a run.
MAX_BYTES = 1 << 30
# Characters that XML 1.0 cannot hold, not even as references.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Store = TypeVar("Store")


def clean(text: str) -> str:
    """Text that XML (and XLSX) can hold; what it cannot becomes U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    """Appends an element in its parent's namespace; attributes that are None are left out."""
    namespace = etree.QName(parent).namespace
    element = etree.SubElement(parent, f"{{{namespace}}}{tag}" if namespace else tag)
    for name, value in attributes.items():
        if value is not None:
            element.set(name.replace("_", "-"), clean(value))
    if text is not None:
        element.text = clean(text)
    return element


def serialise(root: etree._Element, doctype: str | None = None) -> bytes:
    """An indented UTF-8 document; text content is left as it is."""
    etree.indent(root, "  ")
    data: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, doctype=doctype)
    return data + b"\n"


def read_bytes(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        RecordError: it cannot be read, or is larger than any file of a run.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecordError(f"{path}: larger than {MAX_BYTES >> 20} MiB; export the run in parts")
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def load(path: Path, opened: Callable[[bytes], Store]) -> Store:
    """Opens an XML file with a store of the translate toolkit, after checking that it is harmless.

    Entities are refused, whether they expand (billion laughs) or point to other files; a bare document type
    declaration, which TMX files have, is not followed.

    Raises:
        RecordError: not well-formed, declares entities, or is not of the format.
    """
    from xml.etree.ElementTree import ParseError

    import defusedxml
    from defusedxml.ElementTree import fromstring

    data = read_bytes(path)
    try:
        fromstring(data, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except defusedxml.DefusedXmlException:
        raise RecordError(
            f"{path}: declares XML entities, which no file of a translation tool needs; refused"
        ) from None
    except ParseError as error:
        line, column = error.position
        raise RecordError(f"{path}:{line}:{column + 1}: not well-formed XML: {error}") from None
    except (ValueError, LookupError) as error:
        raise RecordError(f"{path}: cannot be decoded: {error}") from None
    try:
        return opened(data)
    except Exception as error:  # the toolkit raises whatever its assumptions about a file's shape lead to
        raise RecordError(f"{path}: not a file of this format: {error or type(error).__name__}") from None


def text_of(element: etree._Element | None) -> str | None:
    """All text inside an element, inline markup dropped; None for no element."""
    return None if element is None else "".join(map(str, element.itertext()))
