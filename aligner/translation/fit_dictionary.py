"""Makes the dictionary of captions: ``aligner/data/dictionary-es-en.tsv.gz``.

``python -m aligner.translation.fit_dictionary --human ES EN FORWARD REVERSE [--machine ES EN FORWARD REVERSE]``

``ES`` and ``EN`` hold the folded words of parallel sentences, translated by people or a machine, one a line, those of
``ES`` folded by :func:`aligner.translation.dictionary.stressed`; ``FORWARD`` and ``REVERSE`` are what ``eflomal-align
--source ES --target EN --model 3 --forward-links FORWARD --reverse-links REVERSE`` made of them. Links of both
directions count. Our own lines, ``aligner/data/dictionary-es-en-own.txt``, go before what was counted; they are
inflected here.
"""

from __future__ import annotations

import argparse
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from aligner.resources import data
from aligner.translation.dictionary import stressed
from aligner.translation.glossary import plural
from aligner.translation.spelling import fold

#: Links of the least frequent Spanish word; share of the rarest English word, and how many are kept; times that an
#: English word is seen; times that a common one is.
LEAST, SHARE, MOST, SEEN, COMMON = 3, 0.04, 5, 4, 100
_OWN = "dictionary-es-en-own.txt"
_LINE = re.compile(r"(?P<kind>[nampqv])\s+(?P<spanish>[^=]+?)\s*=\s*(?P<english>.+)")


def counted(human: list[list[Path]], machine: Sequence[list[Path]] = ()) -> Iterator[tuple[str, str]]:
    """(Spanish word, line) of the words that are linked often enough.

    Args:
        human: files of sentences that people translated.
        machine: those that a machine translated. A common English word counts for nothing there where people never
            put it for the Spanish one: what the machine did not know it took for another word ("champiñones":
            champagnes).
    """
    links: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seen: Counter[str] = Counter()
    common: Counter[str] = Counter()
    put: set[tuple[str, str]] = set()
    for paths in (*human, *machine):
        if paths is (machine[0] if machine else None):
            common, put = seen.copy(), {(word, form) for word, forms in links.items() for form in forms}
        with paths[0].open() as es, paths[1].open() as en, paths[2].open() as forward, paths[3].open() as reverse:
            for spanish, english, one, other in zip(es, en, forward, reverse, strict=True):
                source, target = spanish.split(), english.split()
                seen.update(target)
                for link in {*one.split()} & {*other.split()}:
                    i, j = map(int, link.split("-"))
                    links[source[i]][target[j]] += 1
    for word, forms in links.items():
        total = forms.total()
        if total < LEAST or not word.isalpha() or len(word) < 3:
            continue
        kept = [
            (n, form)
            for form, n in forms.items()
            if n / total >= SHARE
            and seen[form] >= SEEN
            and len(form) > 2
            and "'" not in form
            and (common[form] < COMMON or (word, form) in put)
        ]
        kept = sorted(kept, key=lambda pair: (-pair[0], pair[1]))[:MOST]
        if kept and [form for _, form in kept] != [word]:
            # 100 would be one of our own lines
            yield word, " ".join(f"{form}:{min(99, round(100 * n / total))}" for n, form in kept)


# ------------------------------------------------------------------------------------------------- our own lines


def own() -> Iterator[tuple[str, str]]:
    """(folded Spanish word, line) of our own lines, every form of each.

    Raises:
        ValueError: a malformed line.
    """
    for number, line in enumerate(data(_OWN).read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                yield from inflected(line.strip())
            except ValueError as error:
                raise ValueError(f"{_OWN}:{number}: {error}") from None


def inflected(line: str) -> Iterator[tuple[str, str]]:
    """(folded Spanish word, line) of the forms of one of our own lines.

    Raises:
        ValueError: it is malformed.
    """
    if line.startswith("k "):
        for name in line[2:].split(","):
            yield name.strip(), "=" + name.strip()
        return
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"{line!r} is not 'KIND SPANISH = ENGLISH | ENGLISH'")
    english = [form.strip() for form in match["english"].split("|")]
    for spanish in match["spanish"].split(","):
        for form, wanted in _FORMS[match["kind"]](spanish.strip(), english):
            yield (
                " ".join(map(fold, parts)) if len(parts := form.split()) > 1 else stressed(form),
                ("+" if match["kind"] == "v" else "=") + "|".join(wanted),
            )


def _plural_es(word: str) -> str:
    if fold(word)[-1] in "aeiou":
        return word + "s"
    return word if word.endswith("s") and fold(word) == word else re.sub("z$", "c", word) + "es"


def _noun(word: str, english: list[str]) -> Iterator[tuple[str, list[str]]]:
    yield word, english
    if (several := _plural_es(word)) != word:
        yield several, [form if form.endswith("ed") else plural(form) for form in english]


def _person(word: str, english: list[str]) -> Iterator[tuple[str, list[str]]]:
    """A noun in both genders."""
    yield from _noun(word, english)
    if word.endswith("o"):
        yield from _noun(word[:-1] + "a", english)
    elif fold(word).endswith(("or", "an", "es", "in")):
        yield from _noun(fold(word) + "a", english)


def _adjective(word: str, english: list[str]) -> Iterator[tuple[str, list[str]]]:
    for form, _ in _person(word, english):
        yield form, english


def _phrase(words: str, english: list[str]) -> Iterator[tuple[str, list[str]]]:
    yield words, english


def _noun_phrase(words: str, english: list[str]) -> Iterator[tuple[str, list[str]]]:
    """A phrase, and its plural: that of the words before the first preposition."""
    yield words, english
    parts = words.split()
    head = next((i for i, part in enumerate(parts) if part in _PREPOSITIONS), len(parts))
    several = [_plural_es(part) for part in parts[:head]] + parts[head:]
    yield " ".join(several), [plural(form) for form in english]


_PREPOSITIONS = frozenset(["de", "del", "a", "en", "por"])
_VERB = {
    "ar": (("a",), ("an",), ("ó",), ("aron", "aba", "aban"), ("ando",)),
    "er": (("e",), ("en",), ("ió",), ("ieron", "ia", "ian"), ("iendo",)),
    "ir": (("e",), ("en",), ("ió",), ("ieron", "ia", "ian"), ("iendo",)),
}


def _verb(word: str, english: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Forms of captions: infinitive, third person of the present and the past, gerund.

    A Spanish verb whose stem changes has the changed one after a slash (``volcar/vuelc``), an English one its past
    (``bear/bore``).
    """
    infinitive, _, changed = word.partition("/")
    root, ending = infinitive[:-2], fold(infinitive[-2:])
    changed = changed or root
    third, several, past, pasts, gerund = _VERB[ending]
    yield infinitive, [form.partition("/")[0] for form in english]
    yield changed + third[0], [_inflected(form, "s") for form in english]
    yield changed + several[0], [form.partition("/")[0] for form in english]
    for form in (*past, *pasts):
        if root + form != changed + third[0]:
            yield root + form, [_inflected(form_en, "ed") for form_en in english]
    yield root + gerund[0], [_inflected(form, "ing") for form in english]


def _inflected(form: str, ending: str) -> str:
    """A form of an English verb; its first word is inflected, ``ending`` is ``s``, ``ed`` or ``ing``."""
    base, _, past = form.partition("/")
    if ending == "ed" and past:
        return past
    first, *rest = base.split(" ")
    if ending == "s":
        first = plural(first) if not first.endswith("s") else first + "es"
        first = first + "es" if first.endswith("o") else first
    elif first.endswith("e") and not first.endswith("ee"):
        first = first + "d" if ending == "ed" else re.sub("i$", "y", first[:-1]) + "ing"
    elif ending == "ed" and re.search("[^aeiou]y$", first):
        first = first[:-1] + "ied"
    else:
        if re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprt]", first):
            first += first[-1]
        first += ending
    return " ".join([first, *rest])


def merged(lines: dict[str, str]) -> dict[str, str]:
    """The counted lines with ours before them."""
    listed: dict[str, str] = {}
    for word, line in own():
        before = listed.get(word)
        if before is None:
            listed[word] = line
        else:
            forms = dict.fromkeys([*before[1:].split("|"), *line[1:].split("|")])
            listed[word] = ("=" if "=" in before[0] + line[0] else "+") + "|".join(forms)
    for word, line in listed.items():
        lines[word] = f"{line}\t{lines[word]}" if line[0] == "+" and word in lines else line
    return lines


_FORMS = {"n": _noun, "m": _person, "a": _adjective, "v": _verb, "p": _phrase, "q": _noun_phrase}


def main() -> None:
    """Reads the files named on the command line and writes the dictionary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--human", nargs=4, type=Path, action="append", required=True, metavar="FILE")
    parser.add_argument("--machine", nargs=4, type=Path, action="append", default=[], metavar="FILE")
    options = parser.parse_args()
    lines = merged(dict(counted(options.human, options.machine)))
    text = "".join(sorted(f"{word}\t{line}\n" for word, line in lines.items()))
    data("dictionary-es-en.tsv.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(lines):,} words")


if __name__ == "__main__":
    main()
