"""Pairs British spellings with American ones.

``python -m aligner.translation.fit_variant --british WORDS --american WORDS > aligner/data/variant-en.json``

Input is two word lists of SCOWL (Debian packages ``wbritish`` and ``wamerican``), a word a line. A pair is made by a
rule of spelling, and kept if only the British list has the one and only the American list the other; -ise and doubled
letters, of which dictionaries give both, aside. A few pairs that no rule makes, and words that a rule must leave alone,
stand below. Lists of words come out.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# British ending or inside -> American.
_RULES = (
    (r"isation", "ization"),
    (r"is(e|ed|er|ers|es|ing|able)$", r"iz\1"),
    (r"ys(e|ed|er|ers|es|ing)$", r"yz\1"),
    (r"our", "or"),
    (r"(.)tre(s?)$", r"\1ter\2"),
    (r"(.)bre(s?)$", r"\1ber\2"),
    (r"(.)tred$", r"\1tered"),
    (r"tring$", "tering"),
    (r"ogue(s?)$", r"og\1"),
    (r"ll(ed|ing|er|ers|or|ors|ery|ous|ings)$", r"l\1"),
    (r"pp(ed|ing|er|ers)$", r"p\1"),
    (r"tt(ed|ing)$", r"t\1"),
    (r"([^l])l(ful|ment|ments|s|fully)?$", r"\1ll\2"),
    (r"ence(s?)$", r"ense\1"),
    (r"ae", "e"),
    (r"oe", "e"),
    (r"ould", "old"),
    (r"gramme(s?)$", r"gram\1"),
    (r"grey", "gray"),
    (r"tyre", "tire"),
    (r"plough", "plow"),
    (r"eable$", "able"),
    (r"oustach", "ustach"),
    (r"ement(s?)$", r"ment\1"),
    (r"([^s])xion(s?)$", r"\1ction\2"),
    (r"([aeiou])que(s?)$", r"\1k\2"),
)
# No rule makes them; forms in the order British, American.
_OWN = (
    "aluminium aluminum, aeroplane airplane, aeroplanes airplanes, ageing aging, axe ax, cheque check, cheques "
    "checks, cosy cozy, chequered checkered, defence defense, defences defenses, draughty drafty, enrol enroll, "
    "enrols enrolls, fulfil fulfill, fulfils fulfills, grey gray, jewellery jewelry, kerb curb, kerbs curbs, "
    "licence license, licences licenses, manoeuvre maneuver, manoeuvres maneuvers, manoeuvred maneuvered, "
    "manoeuvring maneuvering, marvellous marvelous, meagre meager, sombre somber, lustre luster, mould mold, "
    "moulds molds, moustache mustache, moustaches mustaches, offence offense, offences offenses, paediatric "
    "pediatric, plough plow, ploughs plows, ploughing plowing, ploughed plowed, pyjamas pajamas, sceptic skeptic, "
    "sceptical skeptical, scepticism skepticism, sceptics skeptics, skilful skillful, smoulder smolder, "
    "smouldering smoldering, sulphur sulfur, theatre theater, theatres theaters, towards toward, tonne ton, "
    "travelling traveling, tyre tire, tyres tires, wilful willful, woollen woolen, yoghurt yogurt, whilst while, "
    "amongst among, programme program, programmes programs, centimetre centimeter, centimetres centimeters, "
    "kilometre kilometer, kilometres kilometers, metre meter, metres meters, litre liter, litres liters, "
    "snorkelling snorkeling, learnt learned, spelt spelled, storey story, storeys stories, catalogue catalog, "
    "catalogues catalogs, dialogue dialog, mum mom, mums moms"
)
# Of those, and of what the rules make: right in both, another word on the other side, or a name.
_NEVER = (
    "amoeba amongst analogue axe catalogue catalogues check checks cheque cheques clangour coloureds curb curbs "
    "dialogue dialogues epilogue hoe hoed kerb kerbs learnt mantoes monologue mum mums nitre oeuvre philtre "
    "philtres phoenix poem poet practise practised practises practising prise prised prises prising programmed "
    "programming prologue shoe shoed snowshoed spelt storey storeys stories story toe toed ton tonne towards "
    "whilst wise"
)
# From British to American only: in American spelling the word may be another one ("tire", "license", "a meter").
_ONE_WAY = frozenset(["licence", "licences", "tyre", "tyres", "metre", "metres"])


def pairs(british: set[str], american: set[str]) -> Iterator[tuple[str, str]]:
    """(British, American) spellings, in lower case."""
    for word in sorted(british):
        if not re.fullmatch(r"[a-z]{3,}", word):
            continue
        if word in american:  # American dictionaries give "travelled" as well, but not first
            double = re.fullmatch(r"(.*[aeiou].*[aeiou]l)l(ed|ing|er|ers|ings)", word)
            if double and double[1] in american and double[1] + double[2] in american:
                yield word, double[1] + double[2]
            continue
        for pattern, put in _RULES:
            other = re.sub(pattern, put, word)
            # British dictionaries give -ize as well.
            if other != word and other in american and (other not in british or re.search(r"is|ys", pattern)):
                yield word, other
                break


def main() -> None:
    """Reads the lists named on the command line and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--british", type=Path, required=True)
    parser.add_argument("--american", type=Path, required=True)
    args = parser.parse_args()
    british, american = (set(path.read_text(encoding="utf-8").split()) for path in (args.british, args.american))
    found = dict(pairs(british, american)) | {pair.split()[0]: pair.split()[1] for pair in _OWN.split(", ")}
    found = {one: other for one, other in found.items() if not {one, other} & set(_NEVER.split())}
    # -ize is British too (Oxford): such words tell less of an article, and follow its own habit.
    ise = {one for one, other in found.items() if re.search(r"is(?:e|ing|able|ation)|ise[drs]", one) and "iz" in other}
    table = {
        "about": "made by aligner.translation.fit_variant from SCOWL's word lists (Copyright 2000-2020 Kevin Atkinson)",
        "spelling": " ".join(f"{one}:{other}" for one, other in sorted(found.items()) if one not in ise),
        "ise": " ".join(sorted(ise)),
        "one_way": " ".join(sorted(_ONE_WAY & set(found))),
    }
    json.dump(table, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
