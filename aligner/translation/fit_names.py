"""Makes ``aligner/data/names-es-en.json``: names of places, institutions and peoples in Spanish and English.

``python -m aligner.translation.fit_names > aligner/data/names-es-en.json``

Sources: the Unicode CLDR through Babel (territories, the cities of its time zones), ISO 3166-1 through pycountry
(countries and their official names), and our own lines in ``aligner/data/names-es-en-own.txt``, which go before both.
Needs the extra ``data``.
"""

from __future__ import annotations

import gettext
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version

from aligner.resources import data
from aligner.translation.mentions import words_of

KINDS = ("place", "institution", "person", "acronym", "demonym", "title", "word")


def own_lines() -> Iterator[tuple[str, str, str]]:
    """(kind, Spanish, English) of our own lines; English is empty where a name is only taken out.

    Raises:
        ValueError: a line is not of the form ``Spanish = English``, or stands under no known kind.
    """
    kind = ""
    for number, line in enumerate(data("names-es-en-own.txt").read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if section := re.fullmatch(r"\[(\w+)\]", line):
            kind = section[1]
            continue
        spanish, mark, english = line.partition("=")
        if not mark or kind not in KINDS:
            raise ValueError(f"names-es-en-own.txt:{number}: {line!r} is not 'Spanish = English' under a known kind")
        yield kind, spanish.strip(), english.strip()


def cldr() -> Iterator[tuple[str, str]]:
    """(Spanish, English) of territories and cities as the CLDR has them."""
    from babel import Locale

    spanish, english = Locale("es"), Locale("en")
    for code, name in spanish.territories.items():
        if not code.isdigit() and code not in {"EZ", "QO", "XA", "XB", "ZZ"} and code in english.territories:
            yield name, english.territories[code]
    zones = english.time_zones
    for zone, names in spanish.time_zones.items():
        city = zones.get(zone, {}).get("city") or zone.rsplit("/", 1)[-1].replace("_", " ")
        if zone.startswith(("Etc/", "America/North_Dakota/")) or "city" not in names:
            continue
        yield names["city"], city


def iso3166() -> Iterator[tuple[str, str]]:
    """(Spanish, English) of countries, common and official names, as ISO 3166-1 has them."""
    import pycountry

    spanish = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["es"])
    for country in pycountry.countries:
        for name in (getattr(country, field, None) for field in ("common_name", "name", "official_name")):
            if name and "," not in name and (translated := spanish.gettext(name)) != name:
                yield translated, name


def _plain(name: str) -> str:
    """A name as news write it: no remark in brackets, "and" spelled out."""
    return re.sub(r"\s*[(\[].*?[)\]]", "", name).replace("&", "and").replace("’", "'").strip()


def inflected(demonym: str) -> list[str]:
    """A demonym's forms: masculine, feminine, and their plurals."""
    last = demonym.split()[-1]
    if last.endswith("o"):
        return [demonym, demonym[:-1] + "a", demonym + "s", demonym[:-1] + "as"]
    if last[-2:] in {"és", "án", "ín"} or last.endswith("ón"):
        stem = demonym[:-2] + {"é": "e", "á": "a", "í": "i", "ó": "o"}[demonym[-2]] + demonym[-1]
        return [demonym, stem + "a", stem + "es", stem + "as"]
    if last.endswith(("ol", "uz")):
        plural = demonym[:-1] + "ces" if last.endswith("z") else demonym + "es"
        return [demonym, demonym + "a", plural, demonym + "as"]
    if last[-1] in "íú":
        return [demonym, demonym + "es", demonym + "s"]
    return [demonym, demonym + ("s" if last[-1] in "aeiou" else "es")]


def main() -> None:
    """Prints the file."""
    listed: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    taken: set[str] = set()
    for kind, spanish, english in own_lines():
        for form in inflected(spanish) if kind == "demonym" else [spanish]:
            key = " ".join(words_of(form))
            if english and key not in listed[kind]:
                listed[kind][key] = english
            if kind not in {"demonym", "title", "word"}:
                taken.add(key)
    for spanish, english in (*cldr(), *iso3166()):
        key = " ".join(words_of(_plain(spanish)))
        if key and key not in taken:
            listed["place"][key] = _plain(english)
            taken.add(key)
    about = (
        "Made by aligner.translation.fit_names from our own lines (names-es-en-own.txt), the Unicode CLDR through "
        f"Babel {version('babel')} and ISO 3166-1 through pycountry {version('pycountry')}. Spanish in small letters "
        "without accents; '|' parts spellings of one name, ';' what else the Spanish may stand for."
    )
    json.dump({"about": about, **listed}, sys.stdout, ensure_ascii=False, indent=0, sort_keys=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
