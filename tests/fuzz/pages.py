"""Web pages made from gold documents, in the markup of several kinds of site, with known truth (seeded)."""

from __future__ import annotations

import html
import html.entities
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aligner.documents import from_bytes


@dataclass
class Page:
    """A page and what stands in it."""

    data: bytes
    template: str
    captions: list[tuple[str, str | None]] = field(default_factory=list)  # text, credit
    body: list[str] = field(default_factory=list)
    furniture: list[str] = field(default_factory=list)


@dataclass
class Line:
    """A line of a gold document: what it is, its text, the credit of a caption."""

    kind: str
    text: str
    credit: str | None = None


def gold_documents(corpus: Path) -> list[list[Line]]:
    """The plain-text documents of all gold sets under a folder, as lines."""
    documents = []
    for gold in sorted(corpus.glob("*/gold.jsonl")):
        for record in map(json.loads, gold.read_text("utf-8").splitlines()):
            path = gold.parent / f"{record['doc']}.txt"
            if not path.is_file():
                continue  # in Markdown
            kinds: dict[int, list[dict[str, str]]] = {}
            for line in record["lines"]:
                kinds.setdefault(line["line"], []).append(line)
            lines = []
            for number, text in enumerate(from_bytes(path.read_bytes(), path.name).text.split("\n"), 1):
                entries = kinds.get(number, [{"kind": "body"}])
                if not text.strip():
                    continue
                lines += [
                    Line(entry["kind"], entry.get("caption") or text.strip(), entry.get("credit")) for entry in entries
                ]
            documents.append(lines)
    return documents


_TEASERS = [
    "Parliament debates the new budget for the coming year",
    "Five things to know before the markets open",
    "Transfer window: who stays and who goes",
    "What the night sky holds for stargazers this month",
    "Readers' letters: the price of bread",
]


def _e(text: str, quote: bool = False) -> str:
    return html.escape(text, quote)


def _entities(text: str) -> str:
    """As old CMSs write letters with accents."""
    return "".join(
        f"&{html.entities.codepoint2name[ord(c)]};" if ord(c) in html.entities.codepoint2name else c for c in text
    )


def _gutenberg(caption: str, credit: str | None, number: int) -> str:
    glued = f"{caption} {credit}" if credit else caption
    return (
        f'<figure class="wp-block-image size-large"><img decoding="async" width="1024" src="/u/{number}.jpg"'
        f' alt="" class="wp-image-{number}" srcset="/u/{number}-300.jpg 300w, /u/{number}-768.jpg 768w"/>'
        f'<figcaption class="wp-element-caption">{_e(glued)}</figcaption></figure>\n'
    )


def _classic(caption: str, credit: str | None, number: int) -> str:
    tail = f" <em>{_e(credit)}</em>" if credit else ""
    return (
        f'<div id="attachment_{number}" style="width: 610px" class="wp-caption aligncenter"><a href="/u/{number}.jpg">'
        f'<img aria-describedby="caption-attachment-{number}" src="/u/{number}.jpg" width="600"></a>'
        f'<p id="caption-attachment-{number}" class="wp-caption-text">{_e(caption)}{tail}</p></div>\n'
    )


def _arc(caption: str, credit: str | None, number: int) -> str:
    by = f'<span class="article-figure__credit">{_e(credit)}</span>' if credit else ""
    return (
        f'<figure class="article-figure"><picture><source media="(min-width: 600px)" srcset="/r/{number}.webp">'
        f'<img alt="" loading="lazy" src="/r/{number}.jpg"></picture>'
        f'<figcaption class="article-figure__caption"><span>{_e(caption)}</span>{by}</figcaption></figure>'
    )


def _spanish(caption: str, credit: str | None, number: int) -> str:
    by = f'<span class="autor_foto firma-foto">{_entities(_e(credit))}</span>' if credit else ""
    return (
        f'<div class="bloque-foto"><div class="foto"><img src="/f/{number}.jpg" width=640></div>'
        f'<span class="pie_foto">{_entities(_e(caption))}</span>{by}</div>\n'
    )


def _tables(caption: str, credit: str | None, number: int) -> str:
    by = f" <I>{_e(credit)}</I>" if credit else ""
    return (
        f'<TABLE BORDER=0 ALIGN=right WIDTH=300><TR><TD><IMG SRC="/i/{number}.gif" BORDER=0></TD></TR>\n'
        f'<TR><TD CLASS="pie"><FONT SIZE=1>{_e(caption)}{by}</FONT></TD></TR></TABLE>\n'
    )


def _amp(caption: str, credit: str | None, number: int) -> str:
    by = f'<small itemprop="creditText">{_e(credit)}</small>' if credit else ""
    return (
        '<figure itemprop="image" itemscope itemtype="https://schema.org/ImageObject">'
        f'<amp-img src="/a/{number}.jpg" width="1200" height="675" layout="responsive"></amp-img>'
        f'<figcaption itemprop="caption">{_e(caption)}</figcaption>{by}</figure>\n'
    )


TEMPLATES: dict[str, tuple[Callable[[str, str | None, int], str], str, bool]] = {
    # name: figure, encoding, whether a credit is an element of its own
    "gutenberg": (_gutenberg, "utf-8", False),
    "classic": (_classic, "utf-8", False),
    "arc": (_arc, "utf-8", True),
    "spanish": (_spanish, "utf-8", True),
    "tables": (_tables, "cp1252", False),
    "amp": (_amp, "utf-8", True),
}


def make(document: list[Line], template: str, random_: random.Random) -> Page:
    """A page from a document in the markup of a template."""
    figure, encoding, apart = TEMPLATES[template]
    page = Page(b"", template)
    parts: list[str] = []
    title = next((line.text for line in document if line.kind == "heading"), document[0].text)
    for number, line in enumerate(document):
        if line.kind.startswith("caption"):
            shown = line.text if apart or not line.credit else f"{line.text} {line.credit}"
            page.captions.append((shown, line.credit if apart else None))
            parts.append(figure(line.text, line.credit, 1000 + number))
        elif line.kind == "heading":
            parts.append(f"<h2>{_e(line.text)}</h2>\n")
        elif line.kind == "body":
            text = _e(line.text)
            words = text.split(" ")
            if len(words) > 12 and "&" not in text:
                at = random_.randrange(len(words) - 3)
                words[at] = f'<a href="/t/{at}">{words[at]}'
                words[at + 1] += "</a>"
            parts.append("<p>" + " ".join(words) + ("\n" if template == "tables" else "</p>\n"))
            page.body.append(line.text)
    sections = "".join(f'<li class="menu-item"><a href="/s{n}/">Section {n}</a></li>' for n in range(40))
    cards = "".join(
        f'<article class="card card--small"><a href="/c{n}"><img src="/c{n}.jpg" alt=""><h3 class="card__title">'
        f"{_e(random_.choice(_TEASERS))}</h3></a></article>"
        for n in range(30)
    )
    page.furniture = ["Section 1", "Subscribe to our newsletter for the day's best stories"]
    scripts = (
        "<script>window.dataLayer=window.dataLayer||[];"
        + "function gtag(){dataLayer.push(arguments)};" * 600
        + "</script>"
    )
    style = "<style>" + ".a-b:hover>p{margin:0 auto;color:#fff}" * 300 + "</style>"
    data = ""
    if template == "arc" and page.captions:
        caption, credit = page.captions[0]
        objects = [{"@type": "ImageObject", "url": "/1.jpg", "caption": caption, "creditText": credit or "Staff"}]
        data = (
            '<script type="application/ld+json">'
            + json.dumps(
                {"@context": "https://schema.org", "@type": "NewsArticle", "headline": title, "image": objects}
            ).replace("</", "<\\/")
            + "</script>"
        )
        data += f'<meta property="og:image:alt" content="{_e(caption, True)}">'
    main = "".join(parts)
    text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="{encoding}"><title>{_e(title)}</title>{style}'
        f'{data}</head><body class="post single"><header class="site-header"><nav class="main-nav">'
        f"<ul>{sections}</ul></nav></header>\n"
        f'<div class="content-area"><main><article class="post type-post"><h1 class="entry-title">{_e(title)}</h1>'
        f'<div class="entry-content">\n{main}</div></article></main>'
        f'<aside class="sidebar widget-area"><h3>Related</h3>{cards}</aside></div>'
        f'<div class="newsletter-signup"><form><p>{page.furniture[1]}</p><input type="email"></form></div>'
        f'<footer class="site-footer"><p>Contact us</p><ul>{sections}</ul></footer>{scripts}</body></html>\n'
    )
    page.data = text.encode(encoding, "xmlcharrefreplace")
    return page


def pages(corpus: Path, count: int, seed: int = 1) -> Iterator[Page]:
    """``count`` pages from the gold documents of a folder, template after template."""
    random_ = random.Random(seed)
    documents = gold_documents(corpus)
    for number in range(count):
        yield make(documents[number % len(documents)], list(TEMPLATES)[number % len(TEMPLATES)], random_)
