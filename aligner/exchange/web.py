"""For pages and archives: schema.org ``ImageObject`` JSON-LD and HTML figures. Written only."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from aligner.exchange.runs import Unit
from aligner.records import Caption, Credit, Document

# Says where a picture lies, not who made or sent it: no organisation.
_FILED = re.compile(r"(?i)(?:(?:foto|imagen)s? (?:de )?)?(?:archivos?|archives?)|file(?: photo)?|photo")


def _agencies(credit: Credit) -> list[str]:
    return [name for name in (credit.agency or "").split("/") if name and not _FILED.fullmatch(name)]


def _creator(caption: Caption) -> dict[str, str] | None:
    """IPTC's Creator: the photographer, or the agency where no person is named."""
    credit = caption.credit
    if credit is None:
        return None
    if credit.photographer:
        return {"@type": "Person", "name": credit.photographer}
    agencies = _agencies(credit)
    return {"@type": "Organization", "name": "/".join(agencies)} if agencies else None


def _image(unit: Unit) -> dict[str, Any]:
    caption, document = unit.caption, unit.document
    image: dict[str, Any] = {
        "@type": "ImageObject",
        "identifier": unit.key,
        "caption": unit.text or caption.source,
        "inLanguage": document.context_language if unit.text else document.caption_language,
    }
    if unit.text:
        image["translationOfWork"] = {
            "@type": "ImageObject",
            "caption": caption.source,
            "inLanguage": document.caption_language,
        }
    if caption.credit:
        image["creditText"] = caption.credit.text
        if creator := _creator(caption):
            image["creator"] = creator
        if agencies := _agencies(caption.credit):
            image["provider"] = [{"@type": "Organization", "name": name} for name in agencies]
    return image


def write_jsonld(documents: Sequence[Document], units: Iterable[Unit]) -> bytes:
    """A JSON-LD graph: an ``Article`` per document with captions, each with its ``ImageObject``s.

    ``creditText`` and ``creator`` are IPTC's Credit Line and Creator; ``translationOfWork`` keeps the source.
    """
    articles: dict[int, dict[str, Any]] = {}
    for unit in units:
        article = articles.setdefault(
            unit.index,
            {
                "@type": "Article",
                "identifier": [unit.document.document, f"sha256:{unit.document.sha256}"],
                "inLanguage": unit.document.context_language,
                "image": [],
            },
        )
        article["image"].append(_image(unit))
    graph = {"@context": "https://schema.org", "@graph": list(articles.values())}
    return (json.dumps(graph, ensure_ascii=False, indent=1) + "\n").encode()


def write_html(documents: Sequence[Document], units: Iterable[Unit]) -> bytes:
    """A page of ``figure`` elements to copy, with schema.org microdata; images are left to the editor."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><title>Captions</title></head>',
        "<body>",
    ]
    before = None
    for unit in units:
        if unit.index != before:
            before = unit.index
            parts.append(f"<h2>{html.escape(unit.document.document)}</h2>")
        parts.append(_figure(unit))
    return ("\n".join([*parts, "</body>", "</html>"]) + "\n").encode("utf-8", "replace")


def _figure(unit: Unit) -> str:
    caption = unit.caption
    language = html.escape(unit.document.context_language if unit.text else unit.document.caption_language)
    text = html.escape(unit.text or caption.source)
    lines = [
        f'<figure id="caption-{html.escape(unit.key)}" itemscope itemtype="https://schema.org/ImageObject">',
        "  <!-- the image goes here -->",
        "  <figcaption>",
        f'    <span itemprop="caption" lang="{language}">{text}</span>',
    ]
    if caption.credit:
        lines.append(f'    <small itemprop="creditText">{html.escape(caption.credit.text)}</small>')
    lines.append(f'    <meta itemprop="inLanguage" content="{language}">')
    return "\n".join([*lines, "  </figcaption>", "</figure>"])
