"""HTML: captions with the exact place of each in the source, and the article's body.

Tags are found by the rules of the WHATWG tokenizer (HTML Living Standard, 13.2.5), so that every text and
attribute value keeps its source offsets, which no parser library for Python reports. What is body text and
what is the page's furniture is for resiliparse to say (Bevendorff et al., "Elastic ChatNoir", ECIR 2018): it
is given the page with a private-use character in front of each stretch of text, and what comes out marked is
body. Captions are taken from the markup itself, whatever the extractor thinks of them.
"""

from __future__ import annotations

import codecs
import json
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias, cast

from aligner.documents import Article, Block, Role
from aligner.errors import DocumentError
from aligner.readers.inline import EMBEDDED, MarkedBlock, Tag, marked, unmatched
from aligner.readers.strings import (
    HTML_SPECIAL,
    JSON_SPECIAL,
    SPACES,
    Offsets,
    collapse,
    decode_attribute,
    decode_html,
    decode_json,
    json_objects,
)

Kind = Literal["text", "attribute", "json"]


@dataclass(slots=True, unsafe_hash=True)
class HtmlBlock(MarkedBlock):
    """A block of an HTML page.

    Attributes:
        kind: where its text stands: between tags, in an attribute's value, or in a JSON string of a script.
        quote: the quotation mark around the attribute's value; "" if there is none.
        element: start tag of the element that the block is the text of, or of one in it that tells the
            language; None in scripts and in ``meta``.
        language: value of the nearest ``lang`` around it; "" if there is none.
    """

    kind: Kind = "text"
    quote: str = ""
    element: Tag | None = None
    language: str = ""


_NAME = r"[a-zA-Z][^\t\n\f\r />]*+"
_ATTRIBUTE = (
    r"[^\t\n\f\r />][^\t\n\f\r />=]*+"
    r"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"[^\"]*+\"?+|'[^']*+'?+|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)?+)?+"
)
_START, _END, _COMMENT_START = 3, 5, 6
# A start tag, an end tag, the opening of a comment, or another declaration (skipped). Possessive throughout,
# and the closing ">" is optional, so that no input makes it look at a stretch twice.
TAG = re.compile(rf"<(?:({_NAME})((?:[\t\n\f\r /]++|{_ATTRIBUTE})*+)(>?)|/({_NAME})[^>]*+(>?)|(!--)|[!?/][^>]*+>?)")
_ATTRIBUTES = re.compile(
    r"([^\t\n\f\r />][^\t\n\f\r />=]*+)"
    r"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\t\n\f\r >\"'][^\t\n\f\r >]*+))?+)?+"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID = _words("area base br col embed frame hr img input link meta param source track wbr amp-img")
# Their content is no markup, or nothing to read.
_RAW = _words("script style textarea title noframes iframe noembed xmp")
_OPAQUE = _words("svg math template select video audio canvas")
_HEADINGS = _words("h1 h2 h3 h4 h5 h6")
_BLOCKS = _HEADINGS | _words(
    "html head body address article aside blockquote button caption center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form frameset header hgroup legend li main menu nav noscript object "
    "ol optgroup option p picture pre search section summary table tbody td tfoot th thead tr ul"
)
_SCOPES = _words("html table td th caption object template button")
_TABLE_PARTS = _words("table caption tbody thead tfoot tr td th")
_FORMATTING = _words("a b big code em font i nobr s small strike strong tt u")
_PAGE = _words("html head body main article section")
_POSTS = _words("blockquote div amp-twitter amp-instagram iframe")
_FURNITURE = _words("nav footer aside form menu dialog")
_UNCAPTIONED = _words("table blockquote pre")
_CODE = _words("pre code kbd samp")
# Containers that may hold more than one caption: their language is not a caption's to change.
_CONTAINERS = _PAGE | _words("div td th li dd table tr tbody form header footer aside blockquote")

# What a start tag closes without an end tag, and within what.
_CLOSES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "li": (("li",), ("ul", "ol", "menu", "dir", "table")),
    "dt": (("dt", "dd"), ("dl", "table")),
    "dd": (("dt", "dd"), ("dl", "table")),
    "td": (("td", "th"), ("table",)),
    "th": (("td", "th"), ("table",)),
    "tr": (("tr",), ("table",)),
    "tbody": (("tbody", "thead", "tfoot"), ("table",)),
    "thead": (("tbody", "thead", "tfoot"), ("table",)),
    "tfoot": (("tbody", "thead", "tfoot"), ("table",)),
}
# Elements that say something of their text by themselves.
_TELLING = frozenset(("figure", "figcaption", "cite")) | _UNCAPTIONED | _CODE | _HEADINGS | _FURNITURE

# Deeper pages than browsers build (512) are not for the extractor, whose time is then cubic in the depth.
_DEEPEST = 256
# Nor are pages with so many formatting elements left open: each is opened anew in every paragraph.
_FORMATTING_OPEN = 64
_MARK = 0xF0000
_MARKS = 0xFFFD
# What a class calls a caption and is longer, or of more parts, is a wrapper around something else.
_CAPTION_LONGEST = 1500
_CAPTIONS_MOST = 12
_BODY_LEAST = 200

_CLASS = re.compile(r"class[\t\n\f\r ]*=[\t\n\f\r ]*(?:\"([^\"]*)|'([^']*)|([^\t\n\f\r >]*))")
_SQUASH = re.compile(r"[-_:]+")
_CAPTION_CLASS = re.compile(
    r"^(?!(?:has|with|no|without|hide|show|toggle|closed)caption)"
    r"(?!.*captions?(?:btn|button|toggle|track|settings|window|display|menu|off|on$)).*caption"
    r"|figcap|cutline|piede(?:la)?(?:foto|imagen|img|photo)|pie(?:foto|imagen|img|photo)$"
    r"|(?:foto|imagen|img|photo|image|media|figure)pie$|^pie$|leyenda|ep[ií]grafe|^legende?$"
    r"|(?:foto|photo|image|img|picture)(?:desc|legend)|^desc(?:ripcion)?(?:foto|imagen)|didascalia|bildunterschrift"
)
_CREDIT_CLASS = re.compile(
    r"(?:photo|image|img|media|foto|picture|pic|caption|figure|lead)(?:s|graph(?:er|y))?(?:credit|source|author|by|"
    r"copyright|agency|autor|fuente|firma|agencia)|^credits?$|^cr[eé]ditos?$|creditline|credit(?:text|photo|foto|image)"
    r"|photographer|fot[oó]grafo|(?:firma|agencia|fuente|cr[eé]ditos?)(?:de)?(?:la)?(?:foto|imagen)"
    r"|caption.*credit|credit.*caption"
)
_LOOSE_CREDIT_CLASS = re.compile(r"^(?:copyright|source|author|autor|fuente|firma|agency|agencia|byline)$")
_IMAGE_TYPE = re.compile(r"(?i)(?:^|/)(?:ImageObject|Photograph|Image|imageGallery|MediaGallery)$")
_IMAGE_KEYS = _words("image photo photos thumbnail primaryImageOfPage associatedMedia representativeOfPage logo")
_JSON_ROLES: dict[str, Role] = {
    "caption": "caption",
    "description": "caption",
    "alternateName": "caption",
    "name": "alt",
    "headline": "alt",
    "creditText": "credit",
}
_PROPERTY_ROLES: dict[str, Role] = {
    "caption": "caption",
    "description": "caption",
    "credittext": "credit",
    "copyrightholder": "credit",
}
_IMAGE_ATTRIBUTES: dict[str, Role] = {
    "alt": "alt",
    "title": "alt",
    "aria-label": "alt",
    "data-alt": "alt",
    "data-caption": "caption",
    "data-image-caption": "caption",
    "data-image-description": "caption",
    "data-credit": "credit",
}
_LIGHTBOX = re.compile(r"(?i)lightbox|fancybox|gallery|\.(?:jpe?g|png|webp|gif)\b")
_LINK_ATTRIBUTES: dict[str, Role] = {"title": "alt", "data-title": "alt", "data-caption": "caption"}
_MARKUP = re.compile(r"(?:<|&lt;)[a-zA-Z/!]")
_META_IMAGE = frozenset(("og:image:alt", "twitter:image:alt"))


class _Attribute(NamedTuple):
    name: str
    value: str
    start: int
    end: int
    quote: str


def attributes(source: str, start: int, end: int) -> Iterator[_Attribute]:
    """The attributes of a start tag, from what stands behind its name."""
    for match in _ATTRIBUTES.finditer(source, start, end):
        group = match.lastindex or 1
        if group == 1:
            yield _Attribute(match[1].lower(), "", match.end(), match.end(), "")
        else:
            first, last = match.span(group)
            yield _Attribute(match[1].lower(), match[group], first, last, ("", "", '"', "'", "")[group])


class _Context(NamedTuple):
    """What an element's place on the page says of the text in it."""

    role: Role | None = None
    figure: bool = False
    image: bool = False
    furniture: bool = False
    language: str = ""
    telling: int = -1  # where the element begins that gave the language
    root: int = -1  # where the element begins that gave the role
    quoted: bool = False
    embedded: bool = False
    code: bool = False


class _Run(NamedTuple):
    """A stretch of text between block boundaries: pieces between inline tags, not decoded yet."""

    pieces: list[tuple[int, int]]
    tags: list[tuple[str, int, int]]
    context: _Context
    element: Tag | None
    beside_image: bool
    linked: int
    code: bool  # all of it is


def _hinted(raw: str) -> bool:
    """Whether a tag's attributes may tell what its text is: a cheap look before they are parsed."""
    raw = raw.lower()
    if "class" in raw and (given := _CLASS.search(raw)):
        value = given[given.lastindex or 1]
        if _classes(value, True) or _posted(value):
            return True
    return "lang" in raw or "itemprop" in raw or "itemtype" in raw


@lru_cache(maxsize=4096)
def _posted(value: str) -> bool:
    """Whether class names are those of an embedded post."""
    return EMBEDDED.search(value) is not None


@lru_cache(maxsize=4096)
def _classes(value: str, image: bool) -> Role | None:
    """What the class names of an element say that its text is."""
    role: Role | None = None
    for name in value.split():
        squashed = _SQUASH.sub("", name).lower()
        if _CREDIT_CLASS.search(squashed) or (image and _LOOSE_CREDIT_CLASS.search(squashed)):
            return "credit"
        if _CAPTION_CLASS.search(squashed):
            role = "caption"
    return role


# An open element: name, start and end of its tag, context, and how deep the nearest block and scope around it are. A
# plain tuple, for a page has thousands.
_Open: TypeAlias = tuple[str, int, int, _Context, int, int]
_OUTSIDE: _Open = ("", 0, 0, _Context(), -1, -1)


class _Scanner:
    """One pass over the source: runs of text, attribute values and JSON strings, each with its place."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.runs: list[_Run] = []
        self.values: list[tuple[int, int, Role, Kind, str, Tag | None, str]] = []
        self.deepest = 0
        self.formatting = 0
        self._open: list[_Open] = []
        self._top = _OUTSIDE
        # Per element name, how deep the open elements of that name are.
        self._where: dict[str, list[int]] = defaultdict(list)
        self._pieces: list[tuple[int, int]] = []
        self._inline: list[tuple[str, int, int]] = []
        self._context = _OUTSIDE[3]
        self._element: Tag | None = None
        self._linked = 0
        self._code = True
        self._image = False
        # Elements whose end tag was looked for and does not come again.
        self._unclosed: set[str] = set()
        # The last link to a large picture, until its text begins: only around an image is its title a
        # caption.
        self._lightbox: re.Match[str] | None = None
        self._scan()

    def _scan(self) -> None:
        source, search = self.source, TAG.search
        at = 0
        while match := search(source, at):
            start, end = match.span()
            # White space between blocks is most of the text of a page.
            if start > at and (self._pieces or not source[at:start].isspace()):
                self._text(at, start)
            kind = match.lastindex
            if kind == _START:
                at = self._start(match[1].lower(), match) if match[3] else len(source)
            elif kind == _END:
                at = end if match[5] else len(source)
                if match[5]:
                    self._end(match[4].lower(), start, end)
            else:
                at = self._comment(end) if kind == _COMMENT_START else end
        # A file that ends within a tag: browsers drop the rest.
        if at < len(source):
            self._text(at, len(source))
        self._flush()

    def _comment(self, at: int) -> int:
        if self.source.startswith((">", "->"), at):  # <!--> and <!---> are whole comments
            return self.source.index(">", at) + 1
        end = self.source.find("-->", at)
        return end + 3 if end >= 0 else len(self.source)

    def _text(self, start: int, end: int) -> None:
        pieces = self._pieces
        context = self._top[3]
        if pieces and context.role == "caption" and self._apart(pieces[-1][1], start):
            self._flush()
            pieces = self._pieces
        if not pieces:
            if self.source[start:end].isspace():
                return
            self._context = context
            self._element = self._text_element()
            self._linked = 0
            self._code = True
            self._lightbox = None
        pieces.append((start, end))
        self._code = self._code and (context.code or not any(map(str.isalnum, self.source[start:end])))
        if self._where["a"]:
            self._linked += end - start

    def _apart(self, end: int, start: int) -> bool:
        """Whether text that begins at ``start`` is another than what ended at ``end``, with only tags in between.

        Pages set the credit in an element of its own right behind the caption's last letter, and leave the space to
        the style sheet: ``<span>En Moscú.</span><span>AFP</span>``.
        """
        before, after = self.source[end - 1], self.source[start : start + 2]
        if start == end or not after.lstrip("&")[:1].isupper():
            return False
        between = self.source[end:start]
        closing = between.count("</")
        return before in ".!?…»”)" or ((before.islower() or before == ";") and 0 < closing < between.count("<"))

    def _text_element(self) -> Tag | None:
        """The element whose text begins here: the block around it, or what tells its language within that."""
        at = self._top[4]
        if at < 0:
            return None
        opened, telling = self._open, self._top[3].telling
        if telling > opened[at][1]:
            at = next(n for n in reversed(range(len(opened))) if opened[n][1] == telling)
        return Tag(*opened[at][:3])

    def _flush(self) -> None:
        if self._pieces:
            self.runs.append(
                _Run(self._pieces, self._inline, self._context, self._element, self._image, self._linked, self._code)
            )
            self._pieces = []
            self._image = False
        if self._inline:
            self._inline = []

    def _pop_to(self, depth: int) -> None:
        opened, where = self._open, self._where
        while len(opened) > depth:
            where[opened.pop()[0]].pop()
        self._top = opened[-1] if opened else _OUTSIDE

    def _start(self, name: str, match: re.Match[str]) -> int:
        start, end = match.span()
        if name in _VOID:
            self._void(name, match)
            return end
        if name in _RAW or name in _OPAQUE:
            return self._skip(name, match)
        block = name in _BLOCKS or "-" in name
        if block:
            self._flush()
            self._imply_ends(name)
        _, _, _, outer, nearest_block, nearest_scope = self._top
        context = self._enter(name, match, outer)
        if context is not outer and context.role != outer.role:
            self._flush()
            block = True
        elif not block:
            if name in _FORMATTING:
                self.formatting += 1
                if name == "a":
                    self._lightbox = match if _LIGHTBOX.search(match[2]) else None
            self._inline.append((name, start, end))
        opened = self._open
        depth = len(opened)
        self._top = (
            name,
            start,
            end,
            context,
            depth if block else nearest_block,
            depth if name in _SCOPES else nearest_scope,
        )
        opened.append(self._top)
        self._where[name].append(depth)
        if depth >= self.deepest:
            self.deepest = depth + 1
        if block and ("aria-label" in match[2] or "data-caption" in match[2]):
            self._values_of(name, match, context)
        return end

    def _imply_ends(self, name: str) -> None:
        """Closes what the start tag of a block closes without an end tag."""
        where = self._where
        if (paragraphs := where.get("p")) and paragraphs[-1] > self._top[5]:
            self._pop_to(paragraphs[-1])
        if name in _CLOSES:
            among, within = _CLOSES[name]
            at = max((where[n][-1] for n in among if where.get(n)), default=-1)
            if at > max((where[n][-1] for n in within if where.get(n)), default=-1):
                self._pop_to(at)

    def _end(self, name: str, start: int, end: int) -> None:
        block = name in _BLOCKS or "-" in name
        if block or name == "br":
            self._break(name, start, end)
        where = self._where.get(name)
        if not where:
            return
        at = where[-1]
        if block:
            if at < self._top[5] and name not in _TABLE_PARTS:
                return
        else:
            # An end tag does not reach out of the block that it stands in.
            if at < self._top[4]:
                return
            if name in _FORMATTING:
                self.formatting -= 1
            outer = self._open[at - 1] if at else _OUTSIDE
            if outer[3].role != self._open[at][3].role:
                self._flush()
            else:
                self._inline.append(("/" + name, start, end))
        self._pop_to(at)

    def _break(self, name: str, start: int, end: int) -> None:
        """Ends a run; a line break is kept as a piece of it, for what follows may go on with the sentence."""
        if name != "br":
            self._flush()
        elif self._pieces:
            self._pieces.append((start, end))

    def _enter(self, name: str, match: re.Match[str], outer: _Context) -> _Context:
        """What the page says of the text in an element that begins."""
        raw = match[2]
        hinted = raw != "" and _hinted(raw)
        if not hinted and name not in _TELLING:
            return outer
        role, figure, image = outer.role, outer.figure, outer.image
        furniture, language, telling, root = outer.furniture, outer.language, outer.telling, outer.root
        quoted, embedded, code = outer.quoted, outer.embedded, outer.code or name in _CODE
        if name == "figure":
            figure, role = True, role or "caption"
        elif name == "figcaption":
            role, quoted = "credit" if role == "credit" else "caption", False
        elif name in _UNCAPTIONED:
            role, figure, quoted = None, False, quoted or name == "blockquote"
        elif name in _HEADINGS:
            role = role or "heading"
        elif name in _FURNITURE:
            furniture = True
        elif name == "cite" and role == "caption":
            role = "credit"
        for attribute in attributes(self.source, *match.span(2)) if hinted else ():
            key, value = attribute.name, attribute.value
            if key in ("lang", "xml:lang"):
                language, telling = value.strip(), match.start()
            elif key == "itemtype":
                image = any(map(_IMAGE_TYPE.search, value.split()))
            elif key == "itemprop":
                if (image or figure or value == "caption") and value.lower() in _PROPERTY_ROLES:
                    role = _PROPERTY_ROLES[value.lower()]
            elif key == "class" and name not in _PAGE and len(value) < 1000:
                embedded = embedded or (name in _POSTS and _posted(value))
                named = _classes(value, figure or role == "caption")
                if named and not (role == "credit" and named == "caption"):
                    role = named
        if role != outer.role:
            root = match.start()
        context = _Context(role, figure, image, furniture, language, telling, root, quoted, embedded, code)
        return outer if context == outer else context

    def _void(self, name: str, match: re.Match[str]) -> None:
        if name == "br":
            self._break(name, *match.span())
            return
        if name in ("img", "amp-img"):
            self._flush()
            self._image = True
            if self._lightbox is not None:
                self._values_of("a", self._lightbox, self._top[3])
                self._lightbox = None
        elif name in ("hr", "meta"):
            self._flush()
        else:
            return
        context = self._top[3]
        self._values_of(name, match, context)

    def _values_of(self, name: str, match: re.Match[str], context: _Context) -> None:
        given = list(attributes(self.source, *match.span(2)))
        element: Tag | None = Tag(name, *match.span())
        language = next((a.value for a in given if a.name == "lang"), context.language)
        roles: dict[str, Role] = {}
        if name == "meta":
            element = None
            named = {a.name: a.value.strip().lower() for a in given}
            if _META_IMAGE & {named.get("property"), named.get("name")}:
                roles["content"] = "alt"
            elif (prop := named.get("itemprop", "")) in _PROPERTY_ROLES and (context.image or prop == "caption"):
                roles["content"] = _PROPERTY_ROLES[prop]
        elif name == "a":
            roles = _LINK_ATTRIBUTES
        elif name not in ("img", "amp-img"):
            roles["data-caption"] = "caption"
            if name == "figure":
                roles["aria-label"] = "alt"
        else:
            roles = _IMAGE_ATTRIBUTES
        seen = set()
        for attribute in given:
            if attribute.end > attribute.start and attribute.name in roles and attribute.name not in seen:
                seen.add(attribute.name)  # of an attribute given twice, the first counts
                start, end = attribute.start, attribute.end
                if attribute.name.startswith("data-"):
                    start, end = self._unwrapped(start, end)
                role = roles[attribute.name]
                self.values.append((start, end, role, "attribute", attribute.quote, element, language))

    def _unwrapped(self, start: int, end: int) -> tuple[int, int]:
        """The text within a value that is one escaped paragraph; an empty stretch if it is other markup."""
        value = self.source[start:end]
        for opening, closing in (("&lt;p&gt;", "&lt;/p&gt;"), ("<p>", "</p>")):
            if value.lstrip().startswith(opening) and value.rstrip().endswith(closing):
                start += value.index(opening) + len(opening)
                end -= len(value) - value.rindex(closing)
        return (start, start) if _MARKUP.search(self.source, start, end) else (start, end)

    def _skip(self, name: str, match: re.Match[str]) -> int:
        """Where to read on after an element whose content is not read as markup."""
        at = match.end()
        if name in _OPAQUE and match[2].endswith("/") and name in ("svg", "math"):
            return at
        end = self._find_end(name, at)
        if end < 0:
            return at if name in _OPAQUE else len(self.source)
        if name == "script" and "ld+json" in match[2].lower():
            self._flush()
            self._json(at, end)
        close = self.source.find(">", end)
        return close + 1 if close >= 0 else len(self.source)

    def _find_end(self, name: str, at: int) -> int:
        if name in self._unclosed:
            return -1
        size = len(name)
        while (at := self.source.find("</", at)) >= 0:
            after = at + 2 + size
            if self.source[at + 2 : after].lower() == name and self.source[after : after + 1] in (
                *SPACES,
                "/",
                ">",
                "",
            ):
                return at
            at += 2
        self._unclosed.add(name)
        return -1

    def _json(self, start: int, end: int) -> None:
        for item in json_objects(self.source, start, end):
            typed = any(map(_IMAGE_TYPE.search, item.types))
            if not typed and (item.types or item.key not in _IMAGE_KEYS):
                continue
            for key, role in _JSON_ROLES.items():
                for first, last in item.strings.get(key, ()):
                    if last > first:
                        self.values.append((first, last, role, "json", '"', None, ""))


# --- encoding


_LABELS = {
    **dict.fromkeys(
        [
            "iso-8859-1",
            "iso8859-1",
            "latin1",
            "latin-1",
            "l1",
            "ascii",
            "us-ascii",
            "windows-1252",
            "cp1252",
            "x-cp1252",
        ],
        "cp1252",
    ),
    **dict.fromkeys(["iso-8859-9", "latin5", "windows-1254"], "cp1254"),
    **dict.fromkeys(["gb2312", "gbk", "x-gbk"], "gb18030"),
    **dict.fromkeys(["shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j"], "cp932"),
    **dict.fromkeys(["ks_c_5601-1987", "euc-kr", "ksc5601"], "cp949"),
    **dict.fromkeys(
        ["utf-16", "utf-16le", "utf-16be", "ucs-2", "unicode", "utf8", "utf-8", "unicode-1-1-utf-8"], "utf-8"
    ),
}
_CHARSET = re.compile(
    rb"(?i)<meta[\s/][^>]*?\bcharset\s*=\s*[\"']?\s*([a-z0-9_:.-]+)|<\?xml[^>]*?\bencoding\s*=\s*[\"']([a-z0-9_:.-]+)"
)
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_PRESCAN = 4096


def _codec(label: str) -> str | None:
    """Python codec for an encoding label, by the Encoding Standard's table where it differs from Python's."""
    label = label.strip().strip("\"'").lower()
    if label in _LABELS:
        return _LABELS[label]
    try:
        info = codecs.lookup(label)
        b"a".decode(info.name)
    except (LookupError, UnicodeError, ValueError):
        return None
    return (
        info.name
        if getattr(info, "_is_text_encoding", True) and info.name not in ("utf-7", "idna", "punycode")
        else None
    )


def decode(data: bytes, name: str, charset: str | None = None) -> tuple[str, str]:
    """Text and codec name of the bytes of an HTML page, as a browser decodes them.

    A byte-order mark decides, then the HTTP header, then ``<meta charset>``, then the bytes themselves (UTF-8
    if they can be; otherwise as for plain text). Bytes that the encoding does not know become lone surrogates
    (``surrogateescape``), so that the text turns back into the same bytes.

    Raises:
        DocumentError: binary data, or broken UTF-16.
    """
    from aligner import documents

    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        return documents.decode(data, name)
    if data.startswith(codecs.BOM_UTF8):
        return data[3:].decode("utf-8", "surrogateescape"), "utf-8-sig"
    head = data[:_PRESCAN]
    if 0 in head and (b"<\0" in head or b"\0<" in head):
        return documents.decode(data, name)
    if head.count(0) > len(head) // 50:
        raise DocumentError(f"{name}: binary data, not HTML; give the page itself")
    declared = _codec(charset) if charset else None
    if declared is None and (match := _CHARSET.search(_COMMENT.sub(b"", head))):
        declared = _codec((match[1] or match[2]).decode("ascii"))
    if declared is not None:
        try:
            return data.decode(declared), declared
        except UnicodeDecodeError:
            pass
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if declared is None:
        try:
            return documents.decode(data, name)
        except DocumentError:
            declared = "utf-8"
    for encoding in (declared, "utf-8"):
        text = data.decode(encoding, "surrogateescape")
        # Some multi-byte codecs accept what they would write otherwise.
        if text.encode(encoding, "surrogateescape") == data:
            return text, encoding
    raise DocumentError(f"{name}: the bytes are not {declared}; save the page anew as UTF-8")


# --- the page as an article


def parse(data: bytes, name: str, charset: str | None = None) -> Article:
    """An HTML page as an article.

    Args:
        data: the page's bytes.
        name: path or id.
        charset: encoding label of the HTTP header, if there is one.

    Raises:
        DocumentError: binary data, or broken UTF-16.
    """
    text, encoding = decode(data, name, charset)
    return Article(name, data, text, encoding, _blocks(text), "html")


def _blocks(source: str) -> tuple[Block, ...]:
    page = _Scanner(source)
    runs = [part for run in page.runs for part in (_parts(source, run) if len(run.pieces) > 1 else (run,))]
    keep = _body(source, runs, page)
    prose = {n for n in keep if not runs[n].code}
    if sum(end - start for n in prose for start, end in runs[n].pieces) >= _BODY_LEAST:
        keep = prose  # else the page is one listing: a mail, a plain text
    captions = Counter(run.context.root for run in runs if run.context.role == "caption")
    blocks: list[HtmlBlock] = []
    for number, run in enumerate(runs):
        role = run.context.role
        if run.context.embedded:
            continue
        if role in ("caption", "credit"):
            size = sum(end - start for start, end in run.pieces)
            if size > _CAPTION_LONGEST or captions[run.context.root] > _CAPTIONS_MOST:
                role = None
        if role not in ("caption", "credit"):
            if number not in keep:
                continue
            role = role or "body"
        if built := collapse(source, run.pieces, HTML_SPECIAL, decode_html):
            tags = tuple(Tag(*tag) for tag in run.tags)
            blocks.append(_block(*built, role, "text", "", run.element, run.context.language, tags))
            blocks[-1].quoted = run.context.quoted and not run.beside_image
    for start, end, role, kind, quote, element, language in page.values:
        special, decoder = (JSON_SPECIAL, decode_json) if kind == "json" else (HTML_SPECIAL, decode_attribute)
        if built := collapse(source, [(start, end)], special, decoder):
            blocks.append(_block(*built, role, kind, quote, element, language, ()))
    blocks.sort(key=lambda block: block.start)
    return tuple(_numbered(source, blocks))


def _block(
    text: str,
    offsets: Offsets,
    role: Role,
    kind: Kind,
    quote: str,
    element: Tag | None,
    language: str,
    tags: tuple[Tag, ...],
) -> HtmlBlock:
    start, end = offsets.start(0), offsets.end(len(text) - 1)
    return HtmlBlock(text, 0, start, end, role, offsets, False, tags, kind, quote, element, language)


def _numbered(source: str, blocks: list[HtmlBlock]) -> Iterator[HtmlBlock]:
    line, at = 1, 0
    for block in blocks:
        line += source.count("\n", at, block.start)
        at = block.start
        object.__setattr__(block, "line", line)
        yield block


def _parts(source: str, run: _Run) -> Iterator[_Run]:
    """A run, split at the line breaks (``<br>``) that do not stand within a sentence."""
    parts: list[list[tuple[int, int]]] = [[]]
    breaks: list[tuple[int, int]] = []
    for piece in run.pieces:
        if source.startswith(("<b", "<B", "</"), piece[0]):
            breaks.append(piece)
        elif breaks:
            text = source[piece[0] : piece[1]].strip()
            if text:
                if text[0].islower():
                    parts[-1] += [*breaks, piece]
                else:
                    parts.append([piece])
                breaks = []
        else:
            parts[-1].append(piece)
    if len(parts) == 1:
        yield run if not breaks else run._replace(pieces=parts[0])
        return
    for number, part in enumerate(parts):
        first = parts[number - 1][-1][1] if number else 0
        last = parts[number + 1][0][0] if number + 1 < len(parts) else len(source)
        tags = [tag for tag in run.tags if first <= tag[1] and tag[2] <= last]
        yield run._replace(pieces=part, tags=tags, beside_image=run.beside_image and number == 0)


def _body(source: str, runs: list[_Run], page: _Scanner) -> set[int]:
    """Numbers of the runs that are the article's body."""
    sizes = [sum(end - start for start, end in run.pieces) for run in runs]
    plain = {n for n, run in enumerate(runs) if not run.context.furniture}
    total = sum(sizes[n] for n in plain)
    if page.deepest > _DEEPEST or page.formatting > _FORMATTING_OPEN or len(runs) > _MARKS:
        return plain
    kept = _extract(source, runs)
    found = sum(sizes[n] for n in kept if runs[n].context.role not in ("caption", "credit"))
    if found < _BODY_LEAST and found < total // 4 + 1:
        return plain
    # The extractor drops some captions that no class names as such: short text right after an image within
    # the body.
    first, last = min(kept), max(kept)
    for n in range(first, last):
        run = runs[n]
        if run.beside_image and not run.context.furniture and 2 * run.linked < sizes[n]:
            kept.add(n)
    return kept


def _extract(source: str, runs: list[_Run]) -> set[int]:
    from resiliparse.extract.html2text import extract_plain_text

    parts, at = [], 0
    for number, run in enumerate(runs):
        start = run.pieces[0][0]
        parts += [source[at:start], chr(_MARK + number)]
        at = start
    parts.append(source[at:])
    marked = "".join(parts)
    try:
        text = extract_plain_text(marked, main_content=True, alt_texts=False, list_bullets=False)
    except (UnicodeError, TypeError):  # bytes that could not be decoded
        marked = marked.encode("utf-8", "replace").decode("utf-8")
        text = extract_plain_text(marked, main_content=True, alt_texts=False, list_bullets=False)
    marks = (ord(mark) - _MARK for mark in re.findall("[\U000f0000-\U000ffffd]", text))
    return {number for number in marks if number < len(runs)}


# --- writing into the source


def block_at(article: Article, start: int) -> HtmlBlock | None:
    """The block of a page that an offset in ``article.text`` lies in, or begins with tags in front of it."""
    blocks = cast(tuple[HtmlBlock, ...], article.blocks)
    at = bisect_right(blocks, start, key=lambda block: block.start)
    for block in reversed(blocks[:at]):
        if block.start <= start < block.end:
            return block
    # A stretch may begin with inline tags in front of its block's text.
    if at < len(blocks) and blocks[at].tags and blocks[at].tags[0].start <= start:
        return blocks[at]
    return None


def escape(article: Article, start: int, text: str, end: int | None = None) -> str:
    """``text`` as a page's source must have it at an offset: between tags, in an attribute, in a script.

    Args:
        article: the page.
        start: offset in ``article.text`` where the text goes, within a block's span.
        text: the new text.
        end: end of the stretch that it replaces; tags in the stretch whose partners lie outside it are then
            kept.

    Raises:
        ValueError: no block stands at ``start``.
    """
    block = block_at(article, start)
    if block is None:
        raise ValueError(f"{article.name}: there is no text of the page at offset {start}")
    text = text.replace("\0", "")
    if block.kind == "json":
        written = json.dumps(text, ensure_ascii=not _encodable(text, article.encoding))[1:-1]
        # Neither the end of the script nor what looks like HTML may arise.
        return written.replace("<", "\\u003c").replace("&", "\\u0026")
    if end is not None and block.kind == "text":
        return marked(
            article.text,
            block,
            start,
            end,
            text,
            lambda words: _escaped(article, block, words),
            lambda tag: " lang" not in article.text[tag.start : tag.end].lower(),
        )
    return _escaped(article, block, text)


def _escaped(article: Article, block: HtmlBlock, text: str) -> str:
    written = _AMPERSANDS.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
    if block.kind == "attribute":
        written = written.replace('"', "&quot;").replace("'", "&#39;")
        if not block.quote:
            written = _UNQUOTED.sub(lambda match: f"&#{ord(match[0])};", written) or '""'
    return written.encode(article.encoding, "xmlcharrefreplace").decode(article.encoding)


_AMPERSANDS = re.compile("&")
_UNQUOTED = re.compile(r"[\t\n\f\r /=`]")


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def lang_edits(article: Article, start: int, language: str = "en") -> list[tuple[int, int, str]] | None:
    """The changes to a page's source that say of the text at an offset which language it is in.

    Args:
        article: the page.
        start: offset in ``article.text`` of a caption.
        language: ISO 639-1 code.

    Returns:
        (start, end, replacement) within the start tag of the caption's element, one for each attribute; none if the
        text is already said to be in that language. None if it stands where no element is its own (scripts,
        ``meta``), or shares its element with other text. Several captions of one element have the same changes:
        make them once.
    """
    block = block_at(article, start)
    if block is None or block.element is None:
        return None
    if block.language.lower().split("-")[0] == language:
        return []
    tag = block.element
    if block.kind == "text" and tag.start >= start:
        return None  # a tag within the text, which goes when that is replaced
    if block.kind == "text" and tag.name in _CONTAINERS:
        blocks = cast(tuple[HtmlBlock, ...], article.blocks)
        if sum(b.kind == "text" and b.element is not None and b.element.start == tag.start for b in blocks) > 1:
            return None
    after_name = tag.start + 1 + len(tag.name)
    given = [a for a in attributes(article.text, after_name, tag.end - 1) if a.name in ("lang", "xml:lang")]
    if not given:
        return [(after_name, after_name, f' lang="{language}"')]
    return [(a.start, a.end, _language_value(article.text, a, language)) for a in given]


def _language_value(source: str, attribute: _Attribute, language: str) -> str:
    if attribute.quote or attribute.end > attribute.start:
        return language
    return f'"{language}"' if source[: attribute.start].rstrip(SPACES).endswith("=") else f'="{language}"'


def holder(article: Article, start: int) -> str:
    """What the text at an offset of a page stands in: ``figcaption``, ``img alt``, ``meta``, ``script``; else ""."""
    block = block_at(article, start)
    if block is None:
        return ""
    if block.kind == "json":
        return "script"
    if block.element is None:
        return "meta" if block.kind == "attribute" else ""
    tag = block.element
    if block.kind == "text":
        return tag.name
    given = attributes(article.text, tag.start + 1 + len(tag.name), tag.end - 1)
    return " ".join([tag.name, *(a.name for a in given if a.start <= start < a.end)])


def whole(article: Article, start: int, end: int) -> bool:
    """Whether a stretch of a page is text between tags, with the partner of every tag in it: fit for a ``span``."""
    block = block_at(article, start)
    return block is not None and block.kind == "text" and not any(unmatched(block.tags, start, end))
