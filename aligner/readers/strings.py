"""Text taken out of markup, with the way back: which stretch of the source each code point came from."""

from __future__ import annotations

import html
import html.entities
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

SPACES = " \t\n\f\r"
# What is not simply copied from HTML source: runs of white space, character references, soft hyphens (which
# are no letters), line breaks, zero bytes, the bytes that could not be decoded, and WordPress' tags of captions.
HTML_SPECIAL = re.compile(
    r"[ \t\n\f\r]{2,}|[\t\n\f\r]|&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[a-zA-Z][a-zA-Z0-9]{1,31});?"
    r"|</?[bB][rR](?![^\t\n\f\r />])[^<>]*>|[\xad\x00\ud800-\udfff]|\[/?(?:wp_)?caption\b[^\[\]<>]{0,1000}\]"
)
# The same within a JSON string, where CMSs also leave character references and tags of HTML.
JSON_SPECIAL = re.compile(
    r"(?:[ \t\n\f\r]|\\[nrtf]){2,}|[\t\n\f\r]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[0-9a-fA-F]{4}|\\.|&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[a-zA-Z][a-zA-Z0-9]{1,31});"
    r"|</?[a-zA-Z][^<>]{0,200}>|[\xad\x00\ud800-\udfff]"
)


def decode_html(match: re.Match[str]) -> str:
    """What one special stretch of HTML text stands for."""
    raw = match[0]
    if raw[0] == "&":
        return _clean(html.unescape(raw))
    return " " if raw[0] in SPACES or raw[0] in "<[" else _clean(raw)


def decode_attribute(match: re.Match[str]) -> str:
    """What one special stretch of an attribute's value stands for.

    A name without a semicolon before a letter, digit or ``=`` is no character reference there
    (``?a=1&copy=2``).
    """
    raw = match[0]
    if raw[0] == "&" and raw[-1] != ";" and raw[1] != "#":
        after = match.string[match.end() : match.end() + 1]
        if after == "=" or after.isalnum() or raw[1:] not in html.entities.html5:
            return raw
    return decode_html(match)


def decode_json(match: re.Match[str]) -> str:
    """What one special stretch within a JSON string stands for."""
    raw = match[0]
    if raw[0] == "<":
        return " "
    if raw[0] == "&":
        return _clean(html.unescape(raw))
    if raw[0] == "\\":
        try:
            value: str = json.loads(f'"{raw}"', strict=False)
        except ValueError:  # an escape that JSON does not have
            value = raw[-1]
        return _clean(value)
    return " " if raw[0] in SPACES else _clean(raw)


_UNCLEAN = re.compile(r"[\x00\ud800-\udfff]")


def _clean(text: str) -> str:
    if text and text[0] in SPACES:  # none is left of `&#1;`
        return " "
    return _UNCLEAN.sub("\ufffd", text).replace("\xad", "")


@dataclass(frozen=True, slots=True)
class Offsets(Sequence[int]):
    """For every code point of a text, and one past the last, its offset in the source.

    Kept as runs: ``starts`` are the offsets in the text where a run begins, ``sources`` the same in the
    source, and ``ends`` the end in the source of a run that is not copied one to one (a character reference),
    else 0.
    """

    starts: tuple[int, ...]
    sources: tuple[int, ...]
    ends: tuple[int, ...]
    length: int

    def __len__(self) -> int:
        return self.length + 1

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index <= self.length:
            raise IndexError(index)
        return self.start(index) if index < self.length else self.end(index - 1)

    def start(self, index: int) -> int:
        """Where the source of code point ``index`` begins."""
        run = bisect_right(self.starts, index) - 1
        return self.sources[run] if self.ends[run] else self.sources[run] + index - self.starts[run]

    def end(self, index: int) -> int:
        """Where the source of code point ``index`` ends: after the whole of ``&eacute;``, say."""
        run = bisect_right(self.starts, index) - 1
        return self.ends[run] or self.sources[run] + index - self.starts[run] + 1


def collapse(
    source: str,
    pieces: Iterable[tuple[int, int]],
    special: re.Pattern[str] = HTML_SPECIAL,
    decode: Callable[[re.Match[str]], str] = decode_html,
) -> tuple[str, Offsets] | None:
    """Text of stretches of a source, decoded, white space collapsed and stripped; None if nothing is left.

    Args:
        source: where the text is taken from.
        pieces: (start, end) of the stretches in ``source``, in order.
        special: finds what is not copied as it is.
        decode: says what a match of ``special`` stands for; a text that begins with a space is white space.
    """
    out: list[str] = []
    starts: list[int] = []
    sources: list[int] = []
    ends: list[int] = []
    length = 0
    spaced = True  # white space in front is dropped
    for start, stop in pieces:
        at = start
        for match in (*special.finditer(source, start, stop), None):
            here = match.start() if match else stop
            if here > at:
                if spaced and source[at] == " ":
                    at += 1
                if here > at:
                    starts.append(length)
                    sources.append(at)
                    ends.append(0)
                    out.append(source[at:here])
                    length += here - at
                    spaced = source[here - 1] == " "
            if match is None:
                break
            at = match.end()
            decoded = decode(match)
            if not decoded or (spaced and decoded == " "):
                continue
            starts.append(length)
            sources.append(here)
            ends.append(at)
            out.append(decoded)
            length += len(decoded)
            spaced = decoded == " "
    text = "".join(out)
    stripped = text.strip()
    if not stripped:
        return None
    lead = len(text) - len(text.lstrip())
    if lead:
        # The first run that reaches past the stripped front, cut there.
        first = bisect_right(starts, lead) - 1
        if not ends[first]:
            sources[first] += lead - starts[first]
        starts, sources, ends = [max(s - lead, 0) for s in starts[first:]], sources[first:], ends[first:]
    return stripped, Offsets(tuple(starts), tuple(sources), tuple(ends), len(stripped))


_JSON_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)("?)|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)


@dataclass(slots=True)
class JsonObject:
    """A JSON object as written, as far as strings go.

    Attributes:
        key: the key of the nearest enclosing object under which it stands; "" at the top.
        depth: number of containers around it.
        types: values of its ``@type``.
        strings: per key, (start, end) in the source of each string value, quotes not included; members of
            arrays of strings too.
    """

    key: str
    depth: int
    types: list[str]
    strings: dict[str, list[tuple[int, int]]]


def json_objects(source: str, start: int, end: int) -> Iterator[JsonObject]:
    """The objects of a JSON text within ``source[start:end]``, each as it closes (inner before outer).

    Reads as browsers' and search engines' readers do, leniently: raw line feeds in strings, trailing commas
    and missing closing brackets do no harm. Takes time in proportion to the text, however deep it nests.
    """
    open_objects: list[JsonObject] = []
    containers: list[str] = []
    key, after_colon = "", False
    for match in _JSON_TOKEN.finditer(source, start, end):
        token = match[0]
        first = token[0]
        if first == '"':
            if not containers or match[2] == "":
                continue
            inside = open_objects[-1] if open_objects else None
            if containers[-1] == "{" and not after_colon:
                key = source[match.start(1) : min(match.end(1), match.start(1) + 64)]
            elif inside is not None and key:
                inside.strings.setdefault(key, []).append(match.span(1))
                if key == "@type":
                    inside.types.append(match[1])
            if containers[-1] == "{":
                after_colon = False
        elif first == ":":
            after_colon = True
        elif first == ",":
            after_colon = False
        elif first == "{":
            containers.append("{")
            open_objects.append(JsonObject(key, len(containers) - 1, [], {}))
            key, after_colon = "", False
        elif first == "[":
            containers.append("[")
        elif first == "}":
            if not containers or containers.pop() != "{":
                return
            closed = open_objects.pop()
            key, after_colon = closed.key, False
            yield closed
        elif first == "]":
            if not containers or containers.pop() != "[":
                return
            after_colon = False
    yield from reversed(open_objects)
