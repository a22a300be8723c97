"""The record of one document: schema ``aligner/1``.

Frozen dataclasses that mirror ``docs/aligner-1.schema.json`` key by key. Offsets are 0-based code points into the
decoded text, end-exclusive; lines are 1-based and split at ``\n``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from aligner.errors import RecordError

SCHEMA = "aligner/1"


@dataclass(frozen=True, slots=True)
class Credit:
    """Who made or supplied a picture, as printed beside its caption.

    Attributes:
        text: the credit exactly as printed, with its label where it has one inside ("FOTO: AFP").
        agency: agencies, joined with "/" where there are several ("POOL/AFP"); None if none is named.
        photographer: the person's name in normal case; None if none is named.
        start: offset of ``text`` in the document.
        end: offset just after it.
    """

    text: str
    agency: str | None
    photographer: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the caption and the article's spelling of it, carried into the translation."""

    source: str
    article: str


@dataclass(frozen=True, slots=True)
class Term:
    """A glossary's term in a caption: as the source has it, as the translation has it, and how it came there.

    Attributes:
        source: as the source has it.
        target: as the glossary wants it.
        status: ``kept`` where the model said so itself, ``replaced`` where other words stood.
    """

    source: str
    target: str
    status: str


@dataclass(frozen=True, slots=True)
class Translation:
    """A caption's translation.

    Attributes:
        text: the translation.
        model: ``<pair>@<first 12 hex digits of the weights' SHA-256>``, e.g. ``es-en@0f3c…``.
        engine: ``ctranslate2`` or ``transformers``; ``edited`` or ``accepted`` once a person has decided on the text.
        score: mean log-probability per target token of the chosen hypothesis (natural log, <= 0).
        names: names respelled as the article has them.
        warnings: ``code: reason`` lines, empty when nothing is suspicious.
        glossary: terms of a glossary that the caption has.
    """

    text: str
    model: str
    engine: str
    score: float
    names: tuple[Name, ...] = ()
    warnings: tuple[str, ...] = ()
    glossary: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """The place in the article that a caption illustrates: one sentence of a paragraph.

    Attributes:
        line: line of the paragraph.
        start: offset of the sentence.
        end: offset just after it.
        text: the sentence.
        score: calibrated probability in 0..1 that the paragraph is the right one.
        evidence: readable reasons, strongest first.
    """

    line: int
    start: int
    end: int
    text: str
    score: float
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that was weighed for a caption.

    Attributes:
        line: line of the paragraph; None for "no paragraph".
        score: share of the linker's probability, 0..1; the shares of all places of a caption make 1. Where several
            paragraphs fit they share it, so that it can be lower than :attr:`Context.score`.
    """

    line: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption in the caption language that was left in the document.

    ``start``/``end`` cover the caption alone, without credit, label or separator. ``candidates`` are the places
    that the linker thought likeliest, best first; empty where nothing was linked.
    """

    id: str
    line: int
    start: int
    end: int
    source: str
    credit: Credit | None
    confidence: float
    reasons: tuple[str, ...]
    translation: Translation | None = None
    context: Context | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Slug:
    """A bare picture name left in the text ("macron-rusia")."""

    line: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class OtherLanguage:
    """A span in a language that is neither the context nor the caption language (ISO 639-1 code)."""

    line: int
    start: int
    end: int
    language: str


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A line that holds a credit and no caption."""

    line: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that the toolkit says about one document.

    Attributes:
        document: path or id as given.
        sha256: hex SHA-256 of the input bytes ("" if they could not be read).
        context_language: ISO 639-1 code of the article, as measured.
        caption_language: ISO 639-1 code of the residue looked for.
        captions: captions of the caption language, in document order.
        slugs: bare picture names.
        other_languages: spans of further languages.
        error: None, or why the document could not be read.
        credit_lines: lines with a credit and nothing else.
        encoding: codec with which the bytes were decoded, with "-sig" for a UTF-8 byte-order mark.
        warnings: remarks on the document as a whole, ``code: reason``.
    """

    document: str
    sha256: str
    context_language: str
    caption_language: str
    captions: tuple[Caption, ...] = ()
    slugs: tuple[Slug, ...] = ()
    other_languages: tuple[OtherLanguage, ...] = ()
    error: str | None = None
    credit_lines: tuple[CreditLine, ...] = ()
    encoding: str | None = None
    warnings: tuple[str, ...] = ()
    schema: str = SCHEMA

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-ready dictionaries and lists, ``schema`` first."""
        plain = _plain(self)
        assert isinstance(plain, dict)
        return {"schema": plain.pop("schema"), **plain}

    def to_json(self, indent: int | None = None) -> str:
        """The record as JSON text (UTF-8 characters kept), one line unless ``indent`` is given.

        Equal records give equal text. A file name that is not UTF-8 makes its line ASCII with escapes.
        """
        if indent is not None:
            return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)
        # orjson takes a tenth of json's time, and this is done for every document of a corpus.
        import orjson

        ordered = {"schema": self.schema} | {name: getattr(self, name) for name in _DOCUMENT_FIELDS}
        try:
            return orjson.dumps(ordered).decode()
        except TypeError:
            return json.dumps(self.to_dict(), separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Document:
        """Rebuilds a record from :meth:`to_dict`'s output.

        Raises:
            RecordError: the schema name is another one, or a field is missing, unknown or of the wrong kind.
        """
        schema = data.get("schema") if isinstance(data, Mapping) else None
        if schema != SCHEMA:
            raise RecordError(
                f"record schema is {schema!r}, expected {SCHEMA!r}: made by another version or not a run file?"
            )
        document: Document = _build(cls, data, "record")
        return document

    @classmethod
    def from_json(cls, line: str | bytes) -> Document:
        """Rebuilds a record from one line of JSON Lines.

        Raises:
            RecordError: the line is not JSON or does not follow the schema.
        """
        try:
            data = json.loads(line)
        except ValueError as error:
            raise RecordError(f"not a JSON record: {error}") from None
        return cls.from_dict(data)

    def with_captions(self, captions: tuple[Caption, ...]) -> Document:
        """A copy with other captions."""
        return replace(self, captions=captions)


def parse_records(text: str) -> tuple[list[Document], list[tuple[str, int, str]]]:
    """Reads the text of a run: JSON Lines, or one JSON array.

    Returns:
        The records, and what is none: ``line`` or ``record``, its number, the cause. Of a text without any record only
        the first: it is another kind of file, and its every line would be named.

    Raises:
        ValueError: it begins as an array and is not JSON.
    """
    if text.lstrip().startswith("["):
        kind, items = "record", [(n, json.dumps(item)) for n, item in enumerate(json.loads(text), 1)]
    else:
        kind, items = "line", [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    records, wrong = [], []
    for n, item in items:
        try:
            records.append(Document.from_json(item))
        except RecordError as error:
            wrong.append((kind, n, str(error)))
    if wrong and not records:
        wrong = [(kind, wrong[0][1], f"{wrong[0][2]}; name the output of aligner run --format jsonl")]
    return records, wrong


_DOCUMENT_FIELDS = tuple(field.name for field in fields(Document) if field.name != "schema")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


_NESTED: dict[str, dict[str, type]] = {
    "Document": {
        "captions": Caption,
        "slugs": Slug,
        "other_languages": OtherLanguage,
        "credit_lines": CreditLine,
    },
    "Caption": {"credit": Credit, "translation": Translation, "context": Context, "candidates": Candidate},
    "Translation": {"names": Name, "glossary": Term},
}
_REQUIRED_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "float": (int, float),
    "tuple[str, ...]": (list, tuple),
}


def _build(cls: type, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise RecordError(f"{where}: expected an object, got {type(data).__name__}")
    known = {field.name: field for field in fields(cls)}
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise RecordError(f"{where}: unknown field {unknown[0]!r}")
    values: dict[str, Any] = {}
    nested = _NESTED.get(cls.__name__, {})
    for name, field in known.items():
        if name not in data:
            if field.default is field.default_factory:  # both MISSING: the field is required
                raise RecordError(f"{where}: field {name!r} is missing")
            continue
        value, place = data[name], f"{where}.{name}"
        if name in nested:
            if str(field.type).startswith("tuple"):
                if not isinstance(value, list | tuple):
                    raise RecordError(f"{place}: expected a list, got {type(value).__name__}")
                value = tuple(_build(nested[name], item, f"{place}[{i}]") for i, item in enumerate(value))
            elif value is not None:
                value = _build(nested[name], value, place)
        else:
            kinds = _REQUIRED_KINDS[str(field.type)]
            if not isinstance(value, kinds) or (isinstance(value, bool)):
                raise RecordError(f"{place}: {value!r} is not {field.type}")
            if isinstance(value, list):
                value = tuple(value)
        values[name] = value
    return cls(**values)
