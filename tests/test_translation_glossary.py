"""Glossaries: what is read, what is refused, and what becomes of translations."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from aligner.errors import GlossaryError
from aligner.records import Document
from aligner.translation import Hypothesis, Translator
from aligner.translation.glossary import Entry, Glossary, digest
from aligner.translation.guard import Problem

CASES = Path(__file__).parent / "cases" / "translate" / "glossaries.jsonl"
REFUSED = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
TBX_2008 = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE martif SYSTEM "TBXcoreStructV02.dtd">
<martif type="TBX" xml:lang="es"><martifHeader><fileDesc/></martifHeader><text><body>
<termEntry id="1">
 <langSet xml:lang="es-ES"><tig><term>bombero</term></tig></langSet>
 <langSet xml:lang="en"><tig><term>fireman</term>
  <termNote type="administrativeStatus">deprecatedTerm-admn-sts</termNote></tig>
  <ntig><termGrp><term>fire officer</term></termGrp></ntig></langSet>
</termEntry>
<termEntry id="2"><langSet xml:lang="fr"><tig><term>pompier</term></tig></langSet></termEntry>
</body></text></martif>"""
TBX_2019 = """<?xml version="1.0"?>
<tbx style="dct" type="TBX-Basic" xml:lang="es" xmlns="urn:iso:std:iso:30042:ed-2"
 xmlns:min="http://www.tbxinfo.net/ns/min"><text><body>
<conceptEntry id="1"><langSec xml:lang="es"><termSec><term>rueda de  prensa</term></termSec></langSec>
<langSec xml:lang="en-GB"><termSec><term>press briefing</term></termSec>
<termSec><term>news conference</term>
<min:administrativeStatus>preferredTerm-admn-sts</min:administrativeStatus></termSec>
</langSec></conceptEntry></body></text></tbx>"""


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder: Path, name: str, text: str | bytes) -> Glossary:
    return Glossary.load([written(folder, name, text)])


def identity(source: str, target: str) -> Hypothesis:
    """A hypothesis whose words are aligned one to one, as far as both sides have words."""
    columns = len(source.split())
    rows = tuple(tuple(float(i == j) for j in range(columns)) for i in range(len(target.split())))
    return Hypothesis(source, target, -0.1, alignment=rows)


# ----------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "source,target\nbuque metanero,LNG carrier\nministro|ministra,minister,\n"),
        ("a.csv", "\ufeffbuque metanero;LNG carrier\r\nministro|ministra;minister\r\n"),
        ("a.tsv", "# ours\nen\tes\nLNG carrier\tbuque metanero\nminister\tministro|ministra\n"),
        ("a.csv", 'note,target,source\n"a, b",LNG carrier,"buque\nmetanero"\n,minister,ministro|ministra'),
    ],
)
def test_csv(tmp_path: Path, name: str, text: str) -> None:
    entries = loaded(tmp_path, name, text).entries
    assert [(e.sources, e.targets, e.scope) for e in entries] == [
        (("buque metanero",), ("LNG carrier",), "match"),
        (("ministro", "ministra"), ("minister",), "match"),
    ]


def test_tbx(tmp_path: Path) -> None:
    (entry,) = loaded(tmp_path, "a.tbx", TBX_2008).entries
    assert (entry.sources, entry.targets) == (("bombero",), ("fire officer",))
    assert entry.place.endswith("a.tbx:4")
    (entry,) = loaded(tmp_path, "b.tbx", TBX_2019).entries
    assert (entry.sources, entry.targets) == (("rueda de prensa",), ("news conference", "press briefing"))


def test_list_and_several_files(tmp_path: Path) -> None:
    words = written(tmp_path, "keep.txt", "# titles\nCasa Rosada\n\nLa Moneda\n")
    more = written(tmp_path, "more.csv", "Casa Rosada,Pink House\n")
    glossary = Glossary.load([words, more])
    assert [entry.targets for entry in glossary.entries] == [(), (), ("Pink House",)]
    (match,) = glossary.find("El presidente en la Casa Rosada")
    assert match.entry.targets == ()  # the first file's line counts
    assert digest([words, more]) == [*digest([words]), *digest([more])]
    assert len(set(digest([words, more]))) == 2


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["said"][0])
def test_refused(tmp_path: Path, case: dict[str, Any]) -> None:
    data = case["bytes"].encode("latin-1") if "bytes" in case else case["text"]
    with pytest.raises(GlossaryError) as error:
        loaded(tmp_path, case["name"], data)
    assert not [words for words in case["said"] if words not in str(error.value)], error.value


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(GlossaryError, match=r"none\.csv: cannot be read"):
        Glossary.load([tmp_path / "none.csv"])


@given(st.binary(max_size=200), st.sampled_from([".csv", ".tbx", ".txt"]))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(GlossaryError):
        Glossary.load([path]).find("Un texto cualquiera")


# ----------------------------------------------------------------------------------------------- matching


def entry(source: str, target: str = "", scope: str = "match") -> Entry:
    return Entry(tuple(source.split("|")), tuple(target.split("|")) if target else (), scope, "g.csv:1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("buque metanero", "Dos buques metaneros, en Huelva", "buques metaneros"),
        ("rueda de prensa", "Una RUEDA DE PRENSA", "RUEDA DE PRENSA"),
        ("cabina de peaje", "Cabinas de peaje de la A-19", "Cabinas de peaje"),
        ("luz", "Las luces de la ciudad", "luces"),
        ("autobús", "El autobus escolar", "autobus"),
        ("estación depuradora", "Las estaciones depuradoras", "estaciones depuradoras"),
        ("OTAN", "Sede de la OTAN.", "OTAN"),
        ("OTAN", "una otan cualquiera", None),
        ("caso", "La casa encendida", None),
        ("puerto", "La puerta del palacio", None),
        ("Casa Rosada", "una casa rosada", None),
        ("rueda de prensa", "La rueda, de prensa", None),
        ("peso", "El pesebre", None),
    ],
)
def test_inflection(term: str, text: str, found: str | None) -> None:
    matches = Glossary([entry(term, "x")]).find(text)
    assert [match.text for match in matches] == ([found] if found else [])


def test_longest_term_wins() -> None:
    glossary = Glossary([entry("guardia", "guard"), entry("guardia civil", "Civil Guard")])
    assert [m.entry.targets[0] for m in glossary.find("Un guardia civil y otro guardia")] == ["Civil Guard", "guard"]


def test_replaced_kept_and_missed() -> None:
    glossary = Glossary([entry("bombero", "firefighter")])
    revised = glossary.revise(identity("Un bombero", "A bomber"))
    assert (revised.text, [(t.source, t.target, t.status) for t in revised.terms]) == (
        "A firefighter",
        [("bombero", "firefighter", "replaced")],
    )
    kept = glossary.revise(identity("Un bombero", "A firefighter"))
    assert (kept.text, kept.terms[0].status) == ("A firefighter", "kept")
    assert glossary.revise(identity("Los bomberos", "The firefighters")).terms[0].status == "kept"
    assert glossary.revise(identity("Los bomberos", "The bombers")).text == "The firefighters"
    blind = glossary.revise(Hypothesis("Un bombero", "A bomber", -0.1))
    assert blind.text == "A bomber"
    assert [str(p) for p in blind.problems] == ["glossary-missed: 'bombero' should be 'firefighter' (g.csv:1)"]


def test_a_term_deletes_no_other_word() -> None:
    """ "strikes" looks at the striker and the jump; nothing else says that he jumps."""
    glossary = Glossary([entry("delantero", "striker")])
    rows = ((0.9, 0.1, 0.0, 0.0, 0.0), (0.0, 0.5, 0.3, 0.0, 0.0), (0.0, 0.0, 0.0, 0.9, 0.0), (0.0, 0.0, 0.0, 0.1, 0.9))
    unsafe = Hypothesis("El delantero salta sobre defensas", "The strikes above defenders", -0.1, alignment=rows)
    revised = glossary.revise(unsafe)
    assert (revised.text, revised.terms) == (unsafe.text, ())
    assert [p.code for p in revised.problems] == ["glossary-missed"]
    rows = (*rows[:2], (0.0, 0.0, 0.6, 0.0, 0.0), *rows[2:])
    said = replace(unsafe, text="The forward leaps above defenders", alignment=rows)
    assert glossary.revise(said).text == "The striker leaps above defenders"


def test_a_term_takes_all_its_words() -> None:
    """ "German" looks at "La" more than at "alemana"."""
    glossary = Glossary([entry("canciller alemana", "Chancellor of Germany")])
    rows = ((0.7, 0.1, 0.2, 0.0), (0.0, 0.9, 0.1, 0.0), (0.0, 0.0, 0.1, 0.9))
    revised = glossary.revise(
        Hypothesis("La canciller alemana saluda", "German Chancellor waves", -0.1, alignment=rows)
    )
    assert revised.text == "Chancellor of Germany waves"


def test_form_of_what_is_put_in() -> None:
    glossary = Glossary([entry("obispo", "archbishop"), entry("Kiev", "Kyiv", "always"), entry("vecino", "resident")])
    assert glossary.revise(identity("un obispo,", "a bishop,")).text == "an archbishop,"
    assert glossary.revise(identity("Obispo", "Bishop")).text == "Archbishop"
    assert glossary.revise(identity("el OBISPO", "THE BISHOP")).text == "THE ARCHBISHOP"
    assert (
        glossary.revise(identity("Vista aérea", "Kiev and KIEV, @Kiev, #Kiev, Kiev-2")).text
        == "Kyiv and KYIV, @Kiev, #Kiev, Kiev-2"
    )
    assert glossary.revise(identity("Los vecinos", "The neighbours'")).text == "The residents'"


@pytest.mark.parametrize(
    ("term", "target", "source", "text", "revised"),
    [
        ("temporero", "seasonal worker", "Temporeros marroquíes", "Moroccan Workers", "Moroccan seasonal workers"),
        ("Temporero", "Seasonal worker", "Temporeros marroquíes", "Moroccan Workers", "Moroccan seasonal workers"),
        ("Temporero", "Seasonal worker", "Temporeros aquí", "Workers here", "Seasonal workers here"),
        ("temporero", "Seasonal worker", "Temporeros marroquíes", "Moroccan Workers", "Moroccan Seasonal workers"),
        ("gitano", "Roma", "Gitanos rumanos", "Romanian gypsies", "Romanian Roma"),
        ("Bruselas", "Brussels", "Bruselas bella", "Beautiful Town", "Beautiful Brussels"),
        ("Bolsa de Madrid", "Madrid Exchange", "Bolsa de Madrid cae", "Fall of Bag", "Fall of Madrid Exchange"),
        ("cámara", "Chamber", "Vive la Cámara", "Long live House", "Long live Chamber"),
        ("Cámara", "Chamber", "Vive la Cámara", "Long live House", "Long live Chamber"),
        ("vecino", "resident", "Llueve. Vecinos huyen", "It rains. Neighbours flee", "It rains. Residents flee"),
    ],
)
def test_capital_of_what_is_put_in(term: str, target: str, source: str, text: str, revised: str) -> None:
    words = {"Workers": 0, "gypsies": 0, "Town": 0, "Bag": 2, "House": 2, "Neighbours": 1}
    width = len(source.split())
    rows = [
        words.get(word, width - 1 if word in ("Moroccan", "Romanian", "Beautiful", "Fall", "flee") else -1)
        for word in text.split()
    ]
    alignment = tuple(tuple(float(i == row) for i in range(width)) for row in rows)
    given = Hypothesis(source, text, -0.1, alignment=alignment)
    glossary = Glossary([entry(term, target)])
    assert glossary.revise(given).text == revised
    assert glossary.revise(glossary.revise(given)).text == revised
    assert [found.status for found in glossary.revise(glossary.revise(given)).terms] == ["kept"]


def test_terms_that_nothing_had() -> None:
    glossary = Glossary([entry("bombero", "firefighter"), entry("Papa", "Pope"), entry("Kiev", "Kyiv", "always")])
    assert [found.sources[0] for found in glossary.unmet()] == ["bombero", "Papa", "Kiev"]
    glossary.revise(identity("Los bomberos y la papa", "The firefighters and Kiev"))
    assert [found.sources[0] for found in glossary.unmet()] == ["Papa"]


def test_words_left_alone() -> None:
    glossary = Glossary([entry("Casa Rosada"), entry("merienda")])
    revised = glossary.revise(identity("la Casa Rosada", "the Pink House"))
    assert revised.text == "the Casa Rosada"
    noted = Hypothesis(
        "la merienda y palco", "the merienda and palco", -0.1, (Problem("untranslated", "merienda, palco"),)
    )
    assert [str(problem) for problem in glossary.revise(noted).problems] == ["untranslated: palco"]


def test_alignment_follows() -> None:
    glossary = Glossary([entry("metanero", "liquefied gas carrier")])
    revised = glossary.revise(identity("Un metanero azul", "A tanker blue"))
    assert revised.text == "A liquefied gas carrier blue"
    assert revised.alignment is not None
    assert [max(range(3), key=row.__getitem__) for row in revised.alignment] == [0, 1, 1, 1, 2]


@given(st.text(max_size=60), st.text(max_size=60))
def test_never_fails(source: str, target: str) -> None:
    glossary = Glossary([entry("a b", "x"), entry("casa", "house|home"), entry("El", "le", "always"), entry("y")])
    revised = glossary.revise(identity(source, target))
    assert revised.alignment is None or len(revised.alignment) == len(revised.text.split()) or not revised.terms


# ----------------------------------------------------------------------------------------------- with the model


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator.open()


def test_with_the_model(translator: Translator) -> None:
    lines = {
        "Los bomberos trabajan en la calle": "smoke jumpers",
        "La ministra, en una rueda de prensa": "media call",
        "Vista aérea del puerto de Valencia": "maritime hub",
    }
    glossary = Glossary(
        [entry("bombero", "smoke jumper"), entry("rueda de prensa", "media call"), entry("puerto", "maritime hub")]
    )
    records = translator.translate(lines, n_best=4, choose=glossary.chooser())
    for record, wanted in zip(records, lines.values(), strict=True):
        assert wanted in record.text.lower()
        assert [term.status for term in record.glossary] == ["replaced"]
    without = translator.translate(lines)
    assert not any(record.glossary for record in without)


def test_command(aligner: Run, seed: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "g.csv", "source,target\npresidente,head of state\n")
    done = aligner("run", "--format", "jsonl", "--glossary", file, seed)
    record = Document.from_json(done.stdout)
    found = [c.translation for c in record.captions if c.translation and c.translation.glossary]
    assert found
    assert all("head of state" in translation.text.lower() or translation.warnings for translation in found)
    shown = aligner("run", "--glossary", file, seed).stdout
    assert "presidente → head of state" in " ".join(shown.split())
    lines = aligner("translate", "--format", "jsonl", "--glossary", file, stdin="El presidente en Lugo\n")
    assert json.loads(lines.stdout)["glossary"][0]["source"] == "presidente"
    unmet = aligner(
        "run", "--glossary", written(tmp_path, "u.csv", "presidente,head of state\nzurriburri,hubbub\n"), seed
    )
    assert "1 of 2 terms stood in no caption: zurriburri" in unmet.stderr
    assert "stood in no caption" in aligner("translate", "--glossary", tmp_path / "u.csv", stdin="Nada\n").stderr
    assert "stood in no caption" not in aligner("run", "--glossary", file, seed).stderr
    bad = aligner("run", "--glossary", written(tmp_path, "bad.csv", "a,b,c,d,e\n"), seed)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "bad.csv:1" in bad.stderr


def test_batch_knows_its_glossary(aligner: Run, seed: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "g.csv", "presidente,head of state\n")
    out = tmp_path / "run"
    first = aligner("batch", seed, "--out", out, "--glossary", file, "--workers", "1")
    assert first.returncode == 0, first.stderr
    shard = out / "part-00000.jsonl"
    records = [Document.from_json(line) for line in shard.read_text(encoding="utf-8").splitlines()]
    assert any(c.translation and c.translation.glossary for r in records for c in r.captions)
    written(tmp_path, "g.csv", "presidente,president\n")
    again = aligner("batch", seed, "--out", out, "--glossary", file, "--workers", "1")
    assert again.returncode == 2
    assert "options.glossary" in again.stderr


def test_a_warning_about_a_word_that_a_term_replaced_goes(tmp_path: Path) -> None:
    terms = tmp_path / "terms.csv"
    terms.write_text("source,target\nmochila,satchel\n", encoding="utf-8")
    glossary = Glossary.load([terms])
    problems = (Problem("unknown-word", "mochile"), Problem("looked-up", '"They" for "Huyen"'))
    alignment = tuple(tuple(float(i == j) for j in range(4)) for i in (0, 1, 2, 3))
    told = Hypothesis("Huyen con una mochila", "They with a mochile", -0.5, problems, alignment=alignment)
    revised = glossary.revise(told)
    assert revised.text == "They with a satchel"
    assert revised.problems == problems[1:]
