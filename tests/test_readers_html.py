"""HTML pages: what is read from them, where it stands in the source, and writing into them."""

from __future__ import annotations

import gc
import json
import math
import random
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from aligner.captions import find
from aligner.documents import Article
from aligner.errors import DocumentError
from aligner.readers import parse
from aligner.readers.html import HtmlBlock, escape, lang_edits

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "fuzz"))
import pages as sites  # noqa: E402

CASES = json.loads((HERE / "cases" / "readers" / "html.json").read_text("utf-8"))
CORPUS = HERE.parent / "corpus"


def read(page: str | bytes, charset: str | None = None) -> Article:
    return parse(page.encode() if isinstance(page, str) else page, "page.html", "html", charset)


def spans(article: Article) -> list[str]:
    return [article.text[slice(*block.span(0, len(block.text)))] for block in article.blocks]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case):
    article = read(case["html"])
    assert [[b.role, b.text] for b in article.blocks] == [block[:2] for block in case["blocks"]]
    for written, block in zip(spans(article), case["blocks"], strict=True):
        assert block[2] in (None, written)


# --- whole pages


@pytest.mark.parametrize("template", sites.TEMPLATES)
def test_pages_of_every_kind(template):
    """Of pages made from our own documents, every caption, credit and paragraph is read, and no menu."""
    random_ = random.Random(7)
    for document in sites.gold_documents(CORPUS)[:12]:
        page = sites.make(document, template, random_)
        article = read(page.data)
        found = [(b.role, " ".join(b.text.split())) for b in article.blocks]
        for caption, credit in page.captions:
            assert ("caption", " ".join(caption.split())) in found
            if credit:
                assert ("credit", " ".join(credit.split())) in found
        body = {text for role, text in found if role in ("body", "heading")}
        assert {" ".join(text.split()) for text in page.body} <= body
        assert not any(text.startswith(("Section ", "Contact us")) for text in body)


def test_extractor_drops_furniture_and_captions_stay():
    furniture = "<div class='menu'><ul>" + "<li><a href=/>Sección de noticias</a></li>" * 30 + "</ul></div>"
    paragraphs = "".join(f"<p>Paragraph {n} of the article, long enough to be one.</p>" for n in range(8))
    article = read(f"{furniture}<main>{paragraphs}<figure><figcaption>Un pie</figcaption></figure></main>{furniture}")
    assert [b.role for b in article.blocks] == ["body"] * 8 + ["caption"]


# --- encodings


@pytest.mark.parametrize(
    ("data", "charset", "encoding", "text"),
    [
        ("<p>día".encode(), None, "utf-8", "día"),
        ("\ufeff<p>día".encode(), None, "utf-8-sig", "día"),
        (b"\xff\xfe" + "<p>día".encode("utf-16-le"), None, "utf-16-le", "día"),
        ("<p>día".encode("utf-16-le"), None, "utf-16-le", "día"),
        (b"<meta charset=iso-8859-1><p>d\xeda \x93x\x94", None, "cp1252", "día “x”"),
        (b"<meta http-equiv=content-type content='text/html; charset=windows-1252'><p>d\xeda", None, "cp1252", "día"),
        (b"<?xml version='1.0' encoding='ISO-8859-15'?><p>10 \xa4", None, "iso8859-15", "10 €"),
        (b"<p>d\xeda", "latin1", "cp1252", "día"),
        ("<meta charset=latin1><p>día".encode(), "utf-8", "utf-8", "día"),
        # The page is UTF-8, whatever it says: as latin-1 it would be read, wrongly, so the declaration holds.
        (b"<!-- <meta charset=utf-16> --><meta charset=bogus><p>d\xc3\xada", None, "utf-8", "día"),
        (b"<p>d\xeda de la monta\xf1a", None, "cp1252", "día de la montaña"),
        (b"<meta charset=utf-8><p>d\xc3\xada \xff x", None, "utf-8", "día \ufffd x"),
        (b"<meta charset=iso-8859-1><p>d\xeda \x81 x", None, "cp1252", "día \ufffd x"),
    ],
)
def test_encodings(data, charset, encoding, text):
    article = read(data, charset)
    assert article.encoding == encoding
    assert [b.text for b in article.blocks] == [text]
    marks = {"utf-8-sig": b"\xef\xbb\xbf", "utf-16-le": data[:2] if data[:1] == b"\xff" else b""}
    again = article.text.encode(encoding.removesuffix("-sig"), "surrogateescape")
    assert marks.get(encoding, b"") + again == data


@pytest.mark.parametrize("data", [b"\x00\x01\x02" * 100, b"\xff\xfea", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x00" * 9])
def test_binary_is_refused(data):
    with pytest.raises(DocumentError, match=r"page\.html"):
        read(data)


# --- writing


def replaced(page: str, text: str, number: int = 0, caption: str | None = None) -> str:
    article = read(page)
    block = article.blocks[number]
    at = block.text.index(caption) if caption else 0
    start, end = block.span(at, at + len(caption or block.text))
    return article.text[:start] + escape(article, start, text, end) + article.text[end:]


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("<figcaption>a &amp; b</figcaption>", "c & <d>", "<figcaption>c &amp; &lt;d&gt;</figcaption>"),
        ('<img alt="a">', 'the "b"', '<img alt="the &quot;b&quot;">'),
        ("<img alt='a'>", "it's", "<img alt='it&#39;s'>"),
        ("<img alt=a src=b>", "the b", "<img alt=the&#32;b src=b>"),
        ("<img alt=a src=b>", "", '<img alt="" src=b>'),
        (
            '<script type="application/ld+json">{"@type":"ImageObject","caption":"a"}</script>',
            'the "b" </script> & é',
            '<script type="application/ld+json">{"@type":"ImageObject","caption":"the \\"b\\" \\u003c/script>'
            ' \\u0026 é"}</script>',
        ),
        ("<figcaption><a>Una</a> torre</figcaption>", "A tower", "<figcaption><a>A</a> tower</figcaption>"),
        ("<figcaption>Una <i>torre</i></figcaption>", "A tower", "<figcaption>A <i>tower</i></figcaption>"),
        ("<figcaption>Una <i lang=es>torre</i></figcaption>", "A tower", "<figcaption>A tower</figcaption>"),
        ("<figcaption>Una <i></i>torre</figcaption>", "A tower", "<figcaption>A tower</figcaption>"),
        ("<figcaption><i>Una torre</i></figcaption>", "A tower", "<figcaption><i>A tower</i></figcaption>"),
    ],
)
def test_escape(page, text, expected):
    assert replaced(page, text) == expected


def test_escape_keeps_tags_whose_partner_is_outside():
    page = "<figcaption>Una <b>torre. EFE</b></figcaption>"
    assert replaced(page, "A tower.", caption="Una torre.") == "<figcaption>A tower.<b> EFE</b></figcaption>"
    page = "<figcaption><b>EFE Una</b> torre</figcaption>"
    assert replaced(page, "A tower", caption="Una torre") == "<figcaption><b>EFE </b>A tower</figcaption>"


def test_escape_in_a_code_page():
    article = read("<meta charset=latin1><figcaption>Una torre</figcaption>".encode("cp1252"))
    assert escape(article, article.blocks[0].start, "Łódź “x”") == "&#321;ód&#378; “x”"


def test_escape_where_there_is_no_text():
    with pytest.raises(ValueError, match="no text of the page at offset 1"):
        escape(read("<figcaption>a</figcaption>"), 1, "b")


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<figcaption>a</figcaption>", '<figcaption lang="en">a</figcaption>'),
        ('<figcaption lang="es">a</figcaption>', '<figcaption lang="en">a</figcaption>'),
        ("<figcaption lang=es-ES class=x>a</figcaption>", "<figcaption lang=en class=x>a</figcaption>"),
        ("<figcaption lang>a</figcaption>", '<figcaption lang="en">a</figcaption>'),
        ("<figcaption lang= >a</figcaption>", '<figcaption lang= "en">a</figcaption>'),
        ("<img lang='es' alt='a' xml:lang='es'>", "<img lang='en' alt='a' xml:lang='en'>"),
        (
            "<figcaption lang='es' xml:lang='es'>a</figcaption>",
            "<figcaption lang='en' xml:lang='en'>a</figcaption>",
        ),
        (
            "<figure lang=es><figcaption>a</figcaption></figure>",
            '<figure lang=es><figcaption lang="en">a</figcaption></figure>',
        ),
        ("<figcaption><i lang=es>a</i></figcaption>", "<figcaption><i lang=en>a</i></figcaption>"),
        ('<html lang="en-GB"><figcaption>a</figcaption>', '<html lang="en-GB"><figcaption>a</figcaption>'),
        ("<img alt=a lang=es>", "<img alt=a lang=en>"),
        ('<img alt="a">', '<img lang="en" alt="a">'),
        ('<meta property="og:image:alt" content=a>', None),
        ('<script type="application/ld+json">{"@type":"ImageObject","caption":"a"}</script>', None),
        ("<div>Uno<p>x</p>Dos</div>", None),
    ],
)
def test_lang_edits(page, expected):
    article = read(page)
    edits = lang_edits(article, article.blocks[0].start, "en")
    if expected is None:
        assert edits is None
    else:
        assert edits is not None
        changed = article.text
        for start, end, text in reversed(edits):
            changed = changed[:start] + text + changed[end:]
        assert changed == expected
        block = read(changed).blocks[0]
        assert isinstance(block, HtmlBlock)
        assert block.language.startswith("en")


def test_lang_edits_mark_what_stays():
    """The same function marks a caption that is kept as Spanish."""
    article = read("<html lang=en><figcaption>a</figcaption>")
    assert lang_edits(article, article.blocks[0].start, "es") == [(25, 25, ' lang="es"')]


# --- hostile pages


N = 20_000
HOSTILE = {
    "nested blocks": "<div>" * N + "x",
    "nested inline tags": "<b>" * N + "hola",
    "paragraphs with open formatting": "<p><font size=1>x" * N,
    "unmatched end tags": "<b><div>" + "<span>" * N + "</b>" * N,
    "nested figures": "<figure>a" * N,
    "nested tables": "<table><tr><td>a" * N,
    "open comments": "<!--" * N,
    "open quotes": "<a b=\"<a c='" * N,
    "open tags": "<a " * N,
    "angle brackets": "<" * N,
    "open scripts": "<svg><script>" * N,
    "attributes": "<img " + "alt=a " * N + ">",
    "line breaks": "<p>a" + "<br>b<br>B" * N,
    "ampersands": "<figcaption>" + "&&amp;&x;" * N,
    "open JSON": '<script type="application/ld+json">' + '{"image":["\\"' * N,
    "JSON backslashes": '<script type="application/ld+json">{"' + "\\" * N,
    "images": "<img alt=a>" * N,
    "class names": "<p class='" + "caption " * N + "'>x",
    "inline tags in a caption": "<figcaption>" + "<i>a</i> " * N,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_take_linear_time(name):
    page = HOSTILE[name]
    quarter = page[: len(page) // 4]

    def seconds(part: str) -> float:
        gc.collect()
        gc.disable()  # its passes would go over all that other tests have left
        try:
            start = time.process_time()
            read(part)
            return time.process_time() - start
        finally:
            gc.enable()

    # Four times the input: quadratic time would be 16 times as long. What else the machine does only ever adds time, so
    # the least of several runs counts, taken in turn until one is short enough.
    least = [math.inf, math.inf]
    for _ in range(6):
        least = [min(least[0], seconds(quarter)), min(least[1], seconds(page))]
        if least[1] < 8 * max(least[0], 0.01):
            return
    raise AssertionError(f"{least[1]:.3f} s for four times what took {least[0]:.3f} s")


@pytest.mark.slow
def test_a_million_nested_tags():
    article = read("<div>" * 10**6 + "<figcaption>Una torre</figcaption>")
    assert [(b.role, b.text) for b in article.blocks] == [("caption", "Una torre")]


BODY = (
    "<p>The council said on Monday that it would open the chapel again, and that it was sorry for the delay.</p>\n" * 4
)
SPANISH = "Los vecinos celebran la fiesta en la plaza"


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        (
            f'<blockquote class="twitter-tweet"><p lang="es">{SPANISH}</p>&mdash; A (@a) <a>May 3</a></blockquote>',
            0,
        ),
        (f'<blockquote class="instagram-media" data-x><div><a href=x>{SPANISH}</a></div></blockquote>', 0),
        (f'<blockquote class="tiktok-embed"><section>{SPANISH}. EFE</section></blockquote>', 0),
        (f'<div class="fb-post"><blockquote><p>{SPANISH}</p>Ana</blockquote></div>', 0),
        (f'<blockquote class="bluesky-embed" data-x="y"><p lang="es">{SPANISH}</p></blockquote>', 0),
        (f'<blockquote class="mastodon-embed"><p>{SPANISH}</p></blockquote>', 0),
        (f"<p>Here it is in Spanish:</p><blockquote><p>{SPANISH}</p></blockquote>", 0),
        (f"<blockquote><figure><img src=a.jpg><figcaption>{SPANISH}</figcaption></figure></blockquote>", 1),
        (f"<blockquote><p>{SPANISH}. EFE/Ana Sanz</p></blockquote>", 1),
        (f"<figure><img src=a.jpg><figcaption>{SPANISH}</figcaption></figure>", 1),
    ],
)
def test_posts_and_quotations_are_no_captions(markup: str, found: int) -> None:
    captions = find(read(f"<html lang=en><article>{BODY}{markup}{BODY}</article>")).captions
    assert [caption.source.rstrip(".") for caption in captions] == [SPANISH] * found


@pytest.mark.parametrize(
    "markup",
    [
        f'<p>[caption id="attachment_1" align="aligncenter" width="300"]<img src=a.jpg> {SPANISH}. EFE[/caption]</p>',
        f"<figure><img src=a.jpg><figcaption>{SPANISH}<br>EFE</figcaption></figure>",
        f"<figure><img src=a.jpg><figcaption>{SPANISH}<br/>Foto: EFE</figcaption></figure>",
    ],
)
def test_credits_in_a_captions_element(markup: str) -> None:
    article = read(f"<html lang=en><article>{BODY}{markup}{BODY}</article>")
    (caption,) = find(article).captions
    assert article.text[caption.start : caption.end].rstrip(".") == SPANISH
    assert caption.credit is not None
    assert caption.credit.agency == "EFE"


def test_a_page_with_accents_of_their_own() -> None:
    """Decomposed letters (NFD) are composed to be read, and found again in the source."""
    caption = "Una mujer espera en la calle después de la función de anoche"
    page = unicodedata.normalize(
        "NFD", f"<html lang=en>{BODY}<figure><img src=a><figcaption>{caption}</figcaption></figure>"
    )
    article = read(page)
    (found,) = find(article).captions
    assert found.source == caption
    assert article.text[found.start : found.end] == unicodedata.normalize("NFD", caption)


LISTINGS = [
    "<pre># Instala el molino antiguo\nsudo apt install molino</pre>",
    "<pre class=screen><code># Instala el molino</code>\n<b>apt</b> install</pre>",
    '<figure class="highlight"><pre><code><span>print</span>("la prensa nueva")</code></pre></figure>',
    "<table><tr><td><code>mostrar la prensa</code>:</td></tr></table>",
    "<p><kbd>Pulse <b>Intro</b></kbd> + <kbd>Alt</kbd></p>",
    "<ul><li><code>una línea<br>otra línea</code></ul>",
]
PROSE = f"<p>{'The cooperative opened a second mill by the river. ' * 5}</p>"


@pytest.mark.parametrize("markup", LISTINGS)
def test_code_is_not_read(markup: str) -> None:
    article = read(f"{PROSE}{markup}<p>Run <code>molino --abrir</code> now.</p>")
    assert [b.text for b in article.blocks][1:] == ["Run molino --abrir now."]


def test_captions_are_read_beside_and_in_code() -> None:
    """A caption set as code stays one; so does what follows a listing."""
    figure = "<figure><pre>a = 1</pre><figcaption><code>La prensa</code></figcaption></figure>"
    article = read(f"{PROSE}{figure}<p>El molino")
    assert [(b.role, b.text) for b in article.blocks][1:] == [("caption", "La prensa"), ("body", "El molino")]


def test_a_page_that_is_one_listing_is_read() -> None:
    article = read(f"<h1>Mail</h1><pre>{PROSE[3:-4]}\n\nEl molino</pre>")
    assert len(article.blocks) == 2
