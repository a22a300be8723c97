"""Markdown as sites keep it: where captions stand, and how they are written there.

Front matter, shortcodes, tags and wiki links are known. A block's text is what a reader sees: unescaped, unwrapped,
without markers, targets and names. Its offsets lead back to
the source, and :func:`written` puts a translation there so that what holds it (a YAML or TOML string, a title, a table
cell, an attribute) still reads as it did. PyYAML finds the strings of YAML; no parser library for Markdown tells where
in the source its text stands.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from aligner.documents import WIKI_PICTURE, Article, Block, Edit, Role, goes_on, left_open, lines, wrap_width
from aligner.readers.inline import EMBEDS, MarkedBlock, Tag, marked, unmatched
from aligner.readers.strings import collapse, decode_attribute

Container = Literal["text", "cell", "title", "attribute", "shortcode", "quoted", "single", "plain", "block", "wiki"]


@dataclass(slots=True, unsafe_hash=True)
class MarkdownBlock(MarkedBlock):
    """A block of a Markdown text.

    Attributes:
        container: what its text stands in: running text, a table's cell, an image's title, an HTML attribute, a
            shortcode's parameter; a string of front matter (``quoted`` as JSON's are, ``single``, ``plain`` or
            ``block``); a picture's caption in a wiki.
        quote: the quotation mark around it; "" if there is none.
    """

    container: Container = "text"
    quote: str = ""


_BREAK = r"[ \t]*\r?\n[ \t>]*"
_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
_SPECIAL: dict[str, re.Pattern[str]] = {
    "text": re.compile(rf"\\[!-/:-@\[-`{{-~]|{_ENTITY}|{_BREAK}"),
    "attribute": re.compile(rf"{_ENTITY}|{_BREAK}"),
    "shortcode": re.compile(rf"\\[\"\\]|{_BREAK}"),
    "quoted": re.compile(
        rf"\\x[0-9a-fA-F]{{2}}|\\u[0-9a-fA-F]{{4}}|\\U[0-9a-fA-F]{{8}}|\\[ \t]*\r?\n\s*|\\.|{_BREAK}\s*"
    ),
    "single": re.compile(rf"''|{_BREAK}\s*"),
    "block": re.compile(rf"{_BREAK}"),
}
_SPECIAL |= {"cell": _SPECIAL["text"], "title": _SPECIAL["text"], "plain": _SPECIAL["block"]}
_SPECIAL["wiki"] = _SPECIAL["attribute"]


def _decode(match: re.Match[str]) -> str:
    raw = match[0]
    if raw[0] == "&":
        return decode_attribute(match)
    if raw == "''":
        return "'"
    if raw[0] != "\\":
        return " "
    if raw[1] in "xuU" and len(raw) > 2:
        code = int(raw[2:], 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    if raw[1] in "ntrfvb0ae_NLP" and match.re is _SPECIAL["quoted"]:
        return " "
    return raw[1] if not raw[1].isspace() else ""


# What is no text, whole: from its start to its end, which stands in the second part.
_SKIPPED = re.compile(
    rf"(?i)<(?P<raw>script|style|textarea|svg|math|iframe)\b|(?P<comment><!--)"
    rf"|<(?P<post>blockquote)\b[^>]{{0,500}}\bclass=[\"'][^\"'>]{{0,200}}\b(?:{EMBEDS})"
)
_FENCE = re.compile(r"(`{3,}|~{3,})")
# MyST: a fence whose content is a figure's caption, and the options of a figure.
_FIGURE = re.compile(r"\{(?:figure|figure-md|image)\}")
_FIGURE_OPTION = re.compile(r":([\w-]+):(?:[ \t]+|$)")
_MARKER = re.compile(r"(?:>\s?|[-*+:]\s+|#{1,6}\s+|\d{1,9}[.)]\s+(?=[!\[<]))+")
_LIST = re.compile(r"(?:[-*+]|\d{1,9}[.)])\s")
_DEFINITION = re.compile(r"\[([^\[\]]{1,999})\]:\s*(\S+)(?:\s+(?:\"(.*)\"|'(.*)'|\((.*)\)))?\s*$")
_ROW = re.compile(r"\|.*\|")
_RULE_ROW = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_CELL_EDGE = re.compile(r"(?<!\\)\|")
_ALONE = re.compile(r"(?:!\[|\[!\[|\{[{%]|<|\[\[|\[/?(?:caption|gallery|embed)\b|\||[-=*_]{3,}$|```|~~~|:::)")
_DESTINATION = re.compile(
    r"\(\s*(?:<[^<>\n]{0,2000}>|(?:[^\s()\\]|\\.|\([^\s()]{0,500}\)){0,2000})"
    r"(?:\s+(?:\"((?:[^\"\\]|\\.){0,2000})\"|'((?:[^'\\]|\\.){0,2000})'))?\s*\)"
    r"|\[([^\[\]]{0,200})\]"
)
_TOKEN = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>(?<!`)(?P<ticks>`++)(?=[^`])(?:[^`\n]|\n(?!\n)){1,1000}(?P=ticks)(?!`))"
    r"|(?P<shortcode>\{\{[<%](?:[^{}]|\{[^{}]*\}){0,4000}?[%>]\}\}|\{%[^{}]{0,4000}%\}|\{\{[^{}]{0,500}\}\})"
    r"|(?P<list>\{(?:[:.#]|\s?[a-z-]{1,20}=)[^{}\n]{0,500}\})"
    rf"|(?P<file>{WIKI_PICTURE.pattern}|!\[\[(?=[^\[\]|\n]{{1,200}}\.(?i:jpe?g|png|gif|webp|avif|svg|bmp)\|))"
    r"|(?P<wiki>!?\[\[(?:[^\[\]|\n]{1,200}\|)?)"
    r"|(?P<wordpress>\[/?(?:caption|wp_caption|gallery|embed|audio|video|playlist|[a-z_]+(?=\s+[a-z_]+=))\b[^\[\]<>]{0,1000}\])"
    r"|(?P<note>\[\^[^\[\]\s]{1,100}\]:?)"
    r"|(?P<open>!?\[)|(?P<unwiki>\]\](?!\())|(?P<close>\])"
    r"|(?P<tag><(?=[a-zA-Z/!?]))"
    r"|(?P<run>\*+|_+|~~+|'{2,5})"
)
# Without any of these a line is as it reads.
_MARKUP = re.compile(r"[\\`*_~<\[\]{&\n\xa0]|''")
_PARAMETER = re.compile(r"([\w-]+)\s*[=:]\s*(?:\"((?:[^\"\\]|\\.)*)\"|`([^`]*)`|'([^']*)'|“([^”]*)”)")
_PARAMETERS: dict[str, Role] = {"caption": "caption", "alt": "alt", "title": "caption", "attr": "credit"}
_PARAMETERS |= {"fig-alt": "alt", "fig-cap": "caption"}
_ATTRIBUTES: dict[str, Role] = {"alt": "alt", "title": "caption"}
_COMPONENT: dict[str, Role] = {"alt": "alt", "caption": "caption"}  # of MDX; a title may be a section's
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "big",
        "cite",
        "code",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "u",
    ]
)
_FIGCAPTION = re.compile(r"(?i)</?figcaption\b")
_OPTION = re.compile(
    r"(?i)\s*(?:thumb|thumbnail|mini|miniatura(?:deimagen)?|frame|framed|frameless|marco|border|borde|left|right|center|"
    r"centre|none|izquierda|derecha|centro|no|upright(?:\s*=?[\d.\s]*)|\d*x?\d+\s*(?:px)?|(?:link|lang|class|page|enlace)\s*=.*)\s*"
)
_WIKI_ALT = re.compile(r"\s*alt\s*=\s*")
_PICTURE = re.compile(r"(?i)\.(?:jpe?g|png|gif|webp|avif|svg)\b")
_NAVIGATION = 60


class _Value(NamedTuple):
    """Text that stands within markup: an alternative text, a title, a parameter."""

    start: int
    end: int
    role: Role
    container: Container
    quote: str


class _Run(NamedTuple):
    char: str
    start: int
    end: int


def read(text: str) -> tuple[list[Block], tuple[str, ...]]:
    """The blocks of a Markdown text in order, without front matter's keys, code and tags.

    The alternative text of an image is a block of role ``alt``, its title one of role ``caption``.

    Returns:
        The blocks, and why front matter could not be read, if so.
    """
    found, begin, warnings = _front_matter(text)
    reader = _Reader(text)
    fence, figure = "", False
    skipped = reader.skipped()
    skip = next(skipped, None)
    group: list[tuple[int, int]] = []
    state: tuple[Role, str, int] = ("line", "", 0)  # of the group: role, marker, line

    def close() -> None:
        if group:
            found.extend(reader.inline(group[0][0], group[-1][1], state))
            group.clear()

    rows = list(lines(text))
    width = wrap_width([row for row in rows if row.start >= begin and not _ALONE.match(row.text)])
    last: Block | None = None
    for block in rows:
        while skip is not None and skip[1] <= block.start:
            skip = next(skipped, None)
        if block.start < begin or (skip is not None and skip[0] <= block.start and block.end <= skip[1]):
            continue
        if match := _FENCE.match(block.text):
            if not fence:
                close()
                fence, figure = match[1], _FIGURE.match(block.text, match.end()) is not None
            elif match[1].startswith(fence):
                fence = ""
            continue
        if fence and not figure:
            continue
        start = block.start if skip is None or skip[0] > block.start else skip[1]
        if skip is not None and start < skip[0] < block.end <= skip[1]:
            block = Block(text[start : skip[0]], block.line, start, skip[0])
        marker = _MARKER.match(block.text) if start == block.start else None
        at = start + (marker.end() if marker else 0)
        mark = marker[0] if marker else ""
        role: Role = "heading" if "#" in mark else "line"
        if last is not None and group and state[0] == "line" and mark.strip() in ("", ">"):
            gap = text[last.end : block.start]
            alone = _ALONE.match(text, at) or _DEFINITION.match(text, at, block.end)
            after = Block(text[at : block.end], 0, at, block.end)
            if (
                after.text
                and not alone
                and gap.count("\n") == 1
                and (goes_on(text, last, after, width) or _mid_sentence(last, after, gap))
            ):
                group.append((at, block.end))
                last = block
                continue
        close()
        last = block
        option = _FIGURE_OPTION.match(text, at, block.end)
        if option and (fence or option[1] in ("alt", "caption")):
            if says := _PARAMETERS.get(option[1]):
                value = _Value(option.end(), block.end, says, "text", "")
                found += [built] if (built := reader.build(value, (block.line, block.start))) else []
        elif definition := _DEFINITION.match(text, at, block.end):
            if kind := next((n for n in (3, 4, 5) if definition[n]), 0):
                value = _Value(*definition.span(kind), "caption", "title", "\"')"[kind - 3])
                found += [built] if (built := reader.build(value, (block.line, block.start))) else []
        elif _ROW.fullmatch(text, at, block.end):
            if not _RULE_ROW.fullmatch(text, at, block.end):
                edges = [m.span() for m in _CELL_EDGE.finditer(text, at, block.end)]
                for (_, first), (second, _) in pairwise(edges):
                    found.extend(reader.inline(first, second, ("line", "|", block.line)))
        else:
            state = (role, mark, block.line)
            group.append((at, block.end))
    close()
    found.sort(key=lambda block: block.start)
    return found, warnings


def _mid_sentence(row: Block, after: Block, gap: str) -> bool:
    """Whether a line break of a paragraph stands within a sentence, and is none that shall be seen."""
    hard = gap.startswith("  ") or row.text[-1] == "\\"
    return (
        len(row.text) > 30
        and row.text[-1] not in ".!?:…"
        and not hard
        and (left_open(row) or (after.text[0].islower() and " " in after.text))
    )


def pictures(text: str, rows: Iterable[Block]) -> Iterator[Block]:
    """Lines of plain text, those with a wiki's pictures as what is read of Markdown there.

    Args:
        text: what they are lines of.
        rows: the lines.
    """
    reader = _Reader(text)
    for row in rows:
        if WIKI_PICTURE.search(row.text):
            yield from sorted(reader.inline(row.start, row.end, ("line", "", row.line)), key=lambda block: block.start)
        else:
            yield row


class _Reader:
    """Reads stretches of Markdown into blocks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.labels = (
            {m[1].casefold() for m in re.finditer(r"(?m)^[ >]*\[([^\[\]^][^\[\]]{0,200})\]:", text)}
            if "]:" in text
            else set()
        )
        self.quotes = list(self._elements(re.compile(r"(?i)<(?P<quote>blockquote)\b")))

    def skipped(self) -> Iterator[tuple[int, int]]:
        """Stretches that hold no text of the article: scripts, comments, embedded posts."""
        return self._elements(_SKIPPED)

    def _elements(self, opening: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        if "<" not in self.text:
            return
        at, unclosed = 0, set[str]()
        for match in opening.finditer(self.text):
            name = "--" if match.lastgroup == "comment" else (match[match.lastgroup or 0]).lower()
            if match.start() < at or name in unclosed:
                continue
            closing = re.compile("-->" if name == "--" else rf"(?i)</{name}\s*>")
            if end := closing.search(self.text, match.end()):
                at = end.end()
                yield match.start(), at
            else:
                unclosed.add(name)

    def inline(self, start: int, end: int, state: tuple[Role, str, int]) -> Iterator[Block]:
        """The blocks of a paragraph, a heading or a cell: what stands between images, tags and shortcodes."""
        role, marker, line = state
        container: Container = "cell" if marker == "|" else "text"
        quoted = ">" in marker or any(first <= start < last for first, last in self.quotes)
        if not _MARKUP.search(self.text, start, end):
            words = self.text[start:end].strip()
            start = self.text.index(words, start)
            if any(map(str.isalnum, words)) and (marker != "|" or " " in words):
                yield MarkdownBlock(words, line, start, start + len(words), role, None, quoted, (), container)
            return
        scan = _Scan(self, start, end)
        at, place = start, (line, start)
        for first, last in [*scan.cuts, (end, end)]:
            if first < at:
                continue
            built = self.build(_Value(at, first, role, container, ""), place, scan.tags)
            if built and (scan.cuts or not self._navigation(built, bool(_LIST.match(marker)))):
                built.quoted = quoted
                # A cell of one word is a table's heading or a name.
                if container == "text" or " " in built.text:
                    yield built
            if figcaption := _FIGCAPTION.match(self.text, first, last):
                role = state[0] if "/" in figcaption[0] else "caption"
            at = last
        for value in scan.values:
            if built := self.build(value, place, scan.tags):
                yield built

    def _navigation(self, block: MarkdownBlock, listed: bool) -> bool:
        """Whether a block is a link to another page and nothing else."""
        tags = [tag for tag in block.tags if tag.name.lstrip("/")[0] == "a"]
        return (
            len(tags) == 2
            and tags[0].end <= block.start
            and tags[1].start >= block.end
            and not self.text[tags[0].end : block.start].strip("*_ ")
            and not self.text[block.end : tags[1].start].strip("*_ ")
            and not _PICTURE.search(self.text[tags[1].start : tags[1].end])
            and (listed or len(block.text) < _NAVIGATION)
        )

    def build(self, value: _Value, place: tuple[int, int], tags: Sequence[Tag] = ()) -> MarkdownBlock | None:
        """A block of the text in a stretch of source, without the tags in it; None if there are no words.

        Args:
            value: the stretch, and what it is.
            place: a line, and an offset in it.
            tags: among them those in the stretch.
        """
        start, end, role, container, quote = value
        inside = tuple(tag for tag in tags if start <= tag.start and tag.end <= end)
        pieces, at = [], start
        for tag in inside:
            if tag.start > at:
                pieces.append((at, tag.start))
            at = tag.end
        pieces.append((at, end))
        built = collapse(self.text, pieces, _SPECIAL[container], _decode)
        if built is None or not any(map(str.isalnum, built[0])):
            return None
        words, offsets = built
        first, last = offsets.start(0), offsets.end(len(words) - 1)
        line = place[0] + self.text.count("\n", place[1], first)
        return MarkdownBlock(words, line, first, last, role, offsets, False, inside, container, quote)


class _Scan:
    """The markup within a stretch: ``tags`` around words, ``cuts`` that part texts, and ``values`` within those."""

    def __init__(self, reader: _Reader, start: int, end: int) -> None:
        self.reader = reader
        self.text = reader.text
        self.end = end
        self.cuts: list[tuple[int, int]] = []
        self.values: list[_Value] = []
        self.tags: list[Tag] = []
        self._stack: list[tuple[str, int, int]] = []
        self._files = 0
        self._open: dict[str, list[_Run]] = {}
        self._elements: dict[str, list[tuple[str, int, int]]] = {}
        at = start
        while match := _TOKEN.search(self.text, at, end):
            at = self._token(match)
        # What lies within another cut is a part of that.
        self.cuts.sort(key=lambda cut: (cut[0], -cut[1]))
        self.tags.sort(key=lambda tag: tag.start)

    def _token(self, match: re.Match[str]) -> int:
        """Takes note of a token; where to read on."""
        kind = match.lastgroup or ""
        start, end = match.span()
        if kind in ("shortcode", "wordpress", "list"):
            self._shortcode(match)
        elif kind == "note":
            self.tags.append(Tag("note", start, end))
        elif kind == "code":
            size = len(match["ticks"])
            self._pair("code", start, start + size, end - size, end)
        elif kind in ("file", "wiki", "open"):
            self._files += kind == "file"
            self._stack.append((kind if match[0] != "![" else "image", start, end))
        elif kind == "unwiki":
            return self._unwiki(start)
        elif kind == "close":
            return self._close(start)
        elif kind == "tag":
            return self._tag(start)
        elif kind == "run" and (match[0][0] != "'" or self._files):
            self._run(match)
        return end

    def _pair(self, name: str, start: int, opened: int, closing: int, end: int) -> None:
        name = f"{name}{start}"
        self.tags += [Tag(name, start, opened), Tag(f"/{name}", closing, end)]

    def _cut(self, start: int, end: int, values: Iterable[_Value]) -> None:
        while self.values and self.values[-1].start >= start:
            self.values.pop()
        self.cuts.append((start, end))
        self.values += values

    def _shortcode(self, match: re.Match[str]) -> None:
        values = []
        for given in _PARAMETER.finditer(self.text, *match.span()):
            kind = given.lastindex or 2
            if (role := _PARAMETERS.get(given[1].lower())) and given[kind]:
                web = match.lastgroup == "wordpress"
                quote = "".join(self.text[given.start(kind) - 1 : given.start(kind)])
                container: Container = "attribute" if web else "shortcode" if kind == 2 else "block"
                values.append(_Value(*given.span(kind), role, container, quote))
        self._cut(*match.span(), values)

    def _unwiki(self, start: int) -> int:
        if not self._stack or self._stack[-1][0] not in ("file", "wiki"):
            return self._close(start)
        kind, first, opened = self._stack.pop()
        if kind == "wiki":
            self._pair("link", first, opened, start, start + 2)
            return start + 2
        self._files -= 1
        inner = [(t.start, t.end) for t in self.tags if t.start >= opened]
        bars = [opened + bar.start() for bar in re.finditer(r"\|", self.text[opened:start])]
        edges = [opened, *(bar for bar in bars if not any(a <= bar < b for a, b in inner))]
        values, caption = [], None
        for left, right in pairwise([*edges, start]):
            if left == opened:
                continue  # the file's name
            left += 1
            if alt := _WIKI_ALT.match(self.text, left, right):
                values.append(_Value(alt.end(), right, "alt", "wiki", ""))
            elif not _OPTION.fullmatch(self.text, left, right):
                caption = _Value(left, right, "caption", "wiki", "")
        self._cut(first, start + 2, sorted([*values, *([caption] if caption else [])]))
        return start + 2

    def _close(self, start: int) -> int:
        if not self._stack or self._stack[-1][0] not in ("open", "image"):
            return start + 1
        kind, first, opened = self._stack.pop()
        target = _DESTINATION.match(self.text, start + 1, self.end)
        if target is None and self.text[opened:start].casefold() not in self.reader.labels:
            return start + 1
        end = target.end() if target else start + 1
        if kind == "open":
            self._pair("a", first, opened, start, end)
            return end
        values = [_Value(opened, start, "alt", "text", "")]
        if target and (given := target.lastindex or 0) in (1, 2):
            values.append(_Value(*target.span(given), "caption", "title", "\"'"[given - 1]))
        self._cut(first, end, values)
        return end

    def _tag(self, start: int) -> int:
        from aligner.readers.html import TAG, attributes

        match = TAG.match(self.text, start, self.end)
        if match is None:
            return start + 1
        if self.text.startswith("<!--", start):
            end = self.text.find("-->", start, self.end) + 3
            end = end if end > 2 else self.end
        else:
            end = match.end()
        name = (match[1] or match[4] or "").lower()
        if name in _INLINE:
            if match[1]:
                self._elements.setdefault(name, []).append((name, start, end))
            elif opened := self._elements.get(name):
                _, first, after = opened.pop()
                self._pair(name if name != "a" else "a", first, after, start, end)
            else:
                self.cuts.append((start, end))
            return end
        roles = _ATTRIBUTES if name == "img" else _COMPONENT if (match[1] or "")[:1].isupper() else {}
        given = attributes(self.text, *match.span(2)) if roles and match[1] else ()
        known = [a for a in given if a.end > a.start and a.quote and a.name in roles]
        self._cut(start, end, [_Value(a.start, a.end, roles[a.name], "attribute", a.quote) for a in known])
        return end

    def _run(self, match: re.Match[str]) -> None:
        """Emphasis by CommonMark's rules of flanking runs, each character's runs by themselves."""
        char, start, end = match[0][0], *match.span()
        before = self.text[start - 1 : start] or " "
        after = self.text[end : end + 1] or " "
        left = not after.isspace() and (after.isalnum() or before.isspace() or not before.isalnum())
        right = not before.isspace() and (before.isalnum() or after.isspace() or not after.isalnum())
        if char == "_":
            left, right = left and not before.isalnum(), right and not after.isalnum()
        opened = self._open.setdefault(char, [])
        if char == "'":
            left, right = not opened, bool(opened)
        while right and opened and start < end:
            run = opened.pop()
            size = min(run.end - run.start, end - start)
            size = size if char in "~'" else min(size, 2)
            self._pair("em", run.end - size, run.end, start, start + size)
            start += size
            if run.end - size > run.start:
                opened.append(_Run(char, run.start, run.end - size))
        if left and start < end:
            opened.append(_Run(char, start, end))


# --- front matter


_YAML = re.compile(r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_TOML = re.compile(r"\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_TOML_STRING = re.compile(
    r"#[^\n]*|\"\"\"((?:[^\\]|\\.)*?)\"\"\"|'''(.*?)'''|\"((?:[^\"\\\n]|\\.)*)\"|'([^'\n]*)'", re.DOTALL
)
_TOML_KEY = re.compile(r"[ \t]*[=.\]]")
_LONGEST_FRONT = 65536
_CAPTION_KEY = re.compile(r"(?i)caption|cutline|leyenda|pie")
_ALT_KEY = re.compile(r"(?i)(?:^|[_-])alt|alt$")


def _front_matter(text: str) -> tuple[list[Block], int, tuple[str, ...]]:
    """The texts of the front matter, where the document's text begins, and why the former could not be read."""
    match = _YAML.match(text) or _TOML.match(text)
    if match is None:
        return [], 0, ()
    found: list[Block] = []
    kind, texts = ("YAML", _yaml) if match.re is _YAML else ("TOML", _toml)
    try:
        if match.end(1) - match.start(1) > _LONGEST_FRONT:
            raise ValueError(f"it is longer than {_LONGEST_FRONT:,} letters")
        found = list(texts(text, *match.span(1)))
    except RecursionError:
        problem = "it is nested too deep"
    except ValueError as error:
        problem = str(error)
    else:
        return found, match.end(), ()
    return [], match.end(), (f"front-matter: no captions were looked for in it, for it is no {kind}: {problem}",)


def _string(text: str, value: _Value) -> Iterator[Block]:
    """A string of front matter as a block: one of more than a word, for others are names, dates and keys."""
    if value.end > value.start:
        reader = _Reader(text[: value.end])
        scan = _Scan(reader, value.start, value.end)
        tags = [tag for tag in scan.tags if not any(a <= tag.start < b for a, b in scan.cuts)]
        block = reader.build(value, (1, 0), tags)
        if block and (" " in block.text or value.role in ("caption", "alt")):
            yield block


def _role(key: str) -> Role:
    return "alt" if _ALT_KEY.search(key) else "caption" if _CAPTION_KEY.search(key) else "line"


def _yaml(text: str, start: int, end: int) -> Iterator[Block]:
    import yaml

    try:
        root = yaml.compose(text[start:end], Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 2}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    waiting: list[tuple[str, yaml.Node | None]] = [("", root)]
    seen = set()
    while waiting:
        key, node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += [
                (str(name.value) if isinstance(name, yaml.ScalarNode) else "", item) for name, item in node.value
            ]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(key, item) for item in node.value]
        else:
            first, last = start + node.start_mark.index, start + node.end_mark.index
            if node.style in ('"', "'"):
                container: Container = "quoted" if node.style == '"' else "single"
                yield from _string(text, _Value(first + 1, last - 1, _role(key), container, node.style))
            elif node.style is None:
                if node.tag == "tag:yaml.org,2002:str":
                    yield from _string(text, _Value(first, last, _role(key), "plain", ""))
            else:
                body = text.find("\n", first, last) + 1
                for part in re.finditer(r"\S[^\n]*(?:\n[ \t]*\S[^\n]*)*", text[body:last] if body else ""):
                    yield from _string(text, _Value(body + part.start(), body + part.end(), _role(key), "block", ""))


def _toml(text: str, start: int, end: int) -> Iterator[Block]:
    import tomllib

    tomllib.loads(text[start:end].replace("\r\n", "\n"))
    for match in _TOML_STRING.finditer(text, start, end):
        kind = match.lastindex
        if kind is None or _TOML_KEY.match(text, match.end(), end):
            continue
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        container: Container = "quoted" if kind in (1, 3) else "block"
        quote = match[0][: 3 if kind < 3 else 1]
        yield from _string(text, _Value(*match.span(kind), _role(line.partition("=")[0].strip()), container, quote))


# --- writing into the source


_MEANT = re.compile(
    r"[`*\[\]]|\\(?=[!-/:-@\[-`{-~]|$)|(?<!\w)_|_(?!\w)|~(?=~)|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|\{(?=[{%:.#])"
)
_LEADING = re.compile(r">|[-+=#](?=[-=#\s]|$)|(?P<digits>\d{1,9})[.)](?=\s|$)")


def escape(text: str, container: Container, quote: str = "") -> str:
    """A text as a container must have it.

    Args:
        text: the text.
        container: see :class:`MarkdownBlock`.
        quote: the quotation mark around it.
    """
    text = " ".join(text.split())
    if container in ("text", "cell", "title"):
        lead = _LEADING.match(text)
        # What would begin a list, a quotation or a heading; the rest is escaped where it would be markup.
        at = 0 if lead is None else lead.end("digits") if lead["digits"] else 0
        meant = re.compile(f"{_MEANT.pattern}|[{'()' if quote == ')' else quote}]") if container == "title" else _MEANT
        text = (f"{text[:at]}\\{text[at]}" if lead else "") + meant.sub(r"\\\g<0>", text[at + (lead is not None) :])
        return text.replace("|", "\\|") if container == "cell" else text
    if container == "attribute":
        for letter in "&<>\"'[]":
            text = text.replace(letter, f"&#{ord(letter)};" if letter in "'[]" else html.escape(letter))
        return text
    if container == "shortcode":
        return re.sub(r"[\"\\]", r"\\\g<0>", text)
    if container == "quoted":
        written = json.dumps(text, ensure_ascii=False)[1:-1]
        return re.sub(
            r"[\x7f-\x9f\u2028\u2029\ufeff]",
            lambda m: f"\\u{ord(m[0]):04x}",
            written,
        )
    if container == "single":
        return text.replace("'", "''")
    if container == "wiki":
        return re.sub(r"[|\[\]{}<]|''+", lambda m: "".join(f"&#{ord(letter)};" for letter in m[0]), text)
    # A raw string has no escapes: what would end it becomes its typographic twin.
    return text.replace("'", "\u2019").replace("`", "\u2018") if quote else text


def written(article: Article, start: int, end: int, text: str) -> str:
    """What stands in the place of a stretch when its text is replaced: escaped, wrapped and marked as that was.

    Emphasis and links around a part of the stretch go around the words of the new text that are most like that part, or
    stand where it stood.

    Args:
        article: the document.
        start: start of the stretch in ``article.text``, within one block.
        end: its end.
        text: the new text.
    """
    block = article.block_at(start)
    old = article.text[start:end]
    if not isinstance(block, MarkdownBlock):
        return rewrapped(text, old)
    new = marked(
        article.text,
        block,
        start,
        end,
        text,
        lambda words: escape(words, block.container, block.quote),
        # Nothing is escaped in code.
        lambda tag: not tag.name.startswith("code") or not _MEANT.search(text),
    )
    return rewrapped(new, old) if "\n" in old else new


def spannable(article: Article, start: int, end: int) -> bool:
    """Whether a stretch is running text with the partner of every tag in it: fit for a ``span``."""
    block = article.block_at(start)
    if not isinstance(block, MarkdownBlock):
        return True
    return block.container in ("text", "cell") and block.role != "alt" and not any(unmatched(block.tags, start, end))


_MARK_AGAIN = re.compile(r"(?:[-+*>]|#{1,6}|\d{1,9}[.)]|[-=]+)$")


def rewrapped(text: str, old: str) -> str:
    """A text in lines no longer than those that it replaces, with what begins these in front of each."""
    rows = re.split(r"([ \t]*\r?\n[ \t>]*)", old)
    if len(rows) < 3:
        return text
    width, gap = max(map(len, rows[::2])), rows[1].lstrip(" \t")
    out: list[list[str]] = [[]]
    for word in text.split():
        if out[-1] and len(" ".join(out[-1])) + 1 + len(word) > width and not _MARK_AGAIN.match(word):
            out.append([])
        out[-1].append(word)
    return gap.join(map(" ".join, out))


def sound(article: Article, changes: Sequence[Edit]) -> list[Edit]:
    """The changes with those of unquoted YAML strings that would no longer be strings put in quotation marks.

    Args:
        article: a Markdown document.
        changes: of its text, in order.
    """
    made: list[Edit] = []
    for change in changes:
        block = article.block_at(change.start)
        if not (isinstance(block, MarkdownBlock) and block.container == "plain"):
            made.append(change)
        elif made and made[-1].start == block.start and made[-1].end == block.end and made[-1].end >= change.end:
            continue
        else:
            within = [edit for edit in changes if block.start <= edit.start and edit.end <= block.end]
            value, at = "", block.start
            for edit in within:
                value += article.text[at : edit.start] + edit.new
                at = edit.end
            value += article.text[at : block.end]
            if _plain_safe(value):
                made.append(change)
            else:
                quoted = '"' + escape(value, "quoted") + '"'
                made.append(Edit(block.start, block.end, article.text[block.start : block.end], quoted))
    return made


def _plain_safe(value: str) -> bool:
    import yaml

    try:
        loaded = yaml.safe_load(f"- [{{k: {value}}}]")
    except (yaml.YAMLError, ValueError):
        return False
    return bool(loaded == [[{"k": " ".join(value.split())}]])
