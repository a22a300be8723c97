"""Text around the model: normalisation, what is set aside, splitting, capitals."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aligner.translation import casing, credits, splitting, text

CAPTIONS = st.text(st.sampled_from("aeínñÁZ  .,;:!?¿\"'()-–…0159@#/\U0001f600\u00a0\u0301\nй"), max_size=120)


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("“Perú te quiero”,  dijo", '"Perú te quiero", dijo'),
        ("«Hola»\u00a0y l’any", '"Hola" y l\'any'),
        ("Pequen\u0303o nin\u0303o", "Pequeño niño"),
        ("Tom &amp; Jerry &eacute;l &quot;sí&quot;", 'Tom & Jerry él "sí"'),
        ("AT&T y R&D;", "AT&T y R&D;"),
        ("Lí\u00adnea\u200b\ufeff", "Línea"),
        (" \t\n ", ""),
    ],
)
def test_straight_quotes(raw: str, normalised: str) -> None:
    assert text.straight_quotes(raw) == normalised
    assert text.straight_quotes(normalised) == normalised


@pytest.mark.parametrize(
    ("straight", "curly"),
    [
        ("He said \"no\" and 'yes'.", "He said “no” and ‘yes’."),
        ("It's the players' '90s, 5'10\" tall", "It’s the players’ ’90s, 5'10\" tall"),
        ('("Ana") "x," he', "(“Ana”) “x,” he"),
        ("the 'Ndrangheta", "the ’Ndrangheta"),
        ('<a href="x">it\'s</a> `"a"` https://a.es/\'b', '<a href="x">it’s</a> `"a"` https://a.es/\'b'),
        ("nothing", "nothing"),
    ],
)
def test_curled(straight: str, curly: str) -> None:
    assert text.curled(straight) == text.curled(curly) == curly
    assert text.uncurled(curly) == straight


@given(CAPTIONS)
def test_curling_changes_quotes_alone(caption: str) -> None:
    assert text.uncurled(text.curled(caption)) == text.uncurled(caption)


@pytest.mark.parametrize(
    ("caption", "core"),
    [
        ("😀 El rey en Madrid 😀 https://t.co/abc #Madrid", "El rey en Madrid"),
        ("■ Foto de archivo", "Foto de archivo"),
        ("Vista del puerto. @ayuntamiento", "Vista del puerto."),
        ("Más datos en https://ejemplo.es/a", "Más datos en https://ejemplo.es/a"),
        ("La gala de los #Goya2022", "La gala de los #Goya2022"),
        ("#Madrid recibe al Papa", "#Madrid recibe al Papa"),
        ("#Madrid El Papa, recibido", "El Papa, recibido"),
        ("El autor en www.ejemplo.es, su página", "El autor en www.ejemplo.es, su página"),
        ("Vista del puerto", "Vista del puerto"),
        ("#Madrid", ""),
        ("2-1", ""),
        ("fotos@diario.es", ""),
    ],
)
def test_peel(caption: str, core: str) -> None:
    peeled = text.peel(caption)
    assert peeled.core == core
    assert peeled.lead + peeled.core + peeled.tail == caption


@given(CAPTIONS)
def test_peeling_loses_nothing(raw: str) -> None:
    caption = text.straight_quotes(raw)
    peeled = text.peel(caption)
    assert peeled.lead + peeled.core + peeled.tail == caption


@pytest.mark.parametrize(
    ("caption", "sentences"),
    [
        ("Yulia lleva a su gato. Su perra se perdió", ["Yulia lleva a su gato. ", "Su perra se perdió"]),
        ("El Sr. Pérez y la Dra. Gil en la Av. Reforma", ["El Sr. Pérez y la Dra. Gil en la Av. Reforma"]),
        ("J. M. Barroso en EE.UU. Ayer", ["J. M. Barroso en EE.UU. Ayer"]),
        ("1-0. El croata marcó. ¿Quién sigue?", ["1-0. ", "El croata marcó. ", "¿Quién sigue?"]),
        ('"Ya está." Lo dijo ella… Nadie más', ['"Ya está." ', "Lo dijo ella… ", "Nadie más"]),
        ("Costó 3.500 euros. 20 personas miran", ["Costó 3.500 euros. ", "20 personas miran"]),
        ("Sin punto final", ["Sin punto final"]),
        ("", []),
    ],
)
def test_sentences(caption: str, sentences: list[str]) -> None:
    assert splitting.sentences(caption) == sentences


@given(st.text(st.sampled_from("ab A.;,:-!ñ "), max_size=200), st.integers(1, 30), st.booleans())
@example("x" * 500, 7, False)
@example("palabra " * 60, 11, True)
def test_split_loses_nothing_and_fits(caption: str, limit: int, by_sentence: bool) -> None:
    pieces = splitting.split(caption, lambda part: len(part) <= limit, by_sentence=by_sentence)
    assert "".join(pieces) == caption
    assert all(0 < len(piece) <= limit for piece in pieces)


def test_split_prefers_sentences_then_clauses_then_words() -> None:
    caption = "Uno dos tres. Cuatro, cinco; seis siete ocho nueve"
    assert splitting.split(caption, lambda part: len(part) <= 60, by_sentence=False) == [caption]
    assert splitting.split(caption, lambda part: len(part) <= 22, by_sentence=False) == [
        "Uno dos tres. ",
        "Cuatro, cinco;",
        " seis siete ocho nueve",
    ]
    assert splitting.split("seis siete ocho", lambda part: len(part) <= 11, by_sentence=False) == [
        "seis siete",
        " ocho",
    ]


@pytest.mark.parametrize(
    ("capitals", "ordinary"),
    [
        (
            "EL PRESIDENTE DE UCRANIA, VOLODÍMIR ZELENSKIY, EN MOSCÚ",
            "El presidente de Ucrania, Volodímir Zelenskiy, en Moscú",
        ),
        ("REUNIÓN DE LA OTAN. LA ONU PIDE CALMA", "Reunión de la OTAN. La ONU pide calma"),
        ("EL REY FELIPE VI SALUDA A JUAN BLANCO", None),
        ("LOS REYES FELIPE Y LETIZIA SALUDAN A CARMEN REYES", "Los reyes Felipe y Letizia saludan a Carmen Reyes"),
        ("MÁS EN HTTPS://X.ES Y EN https://ejemplo.es/FOTO", None),
        ("UN IPHONE", None),
    ],
)
def test_truecase(capitals: str, ordinary: str | None) -> None:
    result = casing.truecase(capitals)
    assert result.casefold() == capitals.casefold()
    assert len(result) == len(capitals)
    if ordinary is not None:
        assert result == ordinary


@pytest.mark.parametrize(
    ("caption", "spelled"),
    [
        ("El Sr. Ruiz y la Sra. Gil", "El señor Ruiz y la señora Gil"),
        ("La Dra. Núñez, el Dr. Pla", "La Dr. Núñez, el Dr. Pla"),
        ("Mª Ángeles y José Mª", "María Ángeles y José Mª"),
        ("EL AYTO. DE LUGO", "EL AYUNTAMIENTO DE LUGO"),
        ("Fin de la srta.", "Fin de la srta."),
    ],
)
def test_titles_in_full(caption: str, spelled: str) -> None:
    assert text.in_full(caption) == spelled


def test_truecase_keeps_acronyms_numerals_and_urls() -> None:
    assert "VI" in casing.truecase("EL REY FELIPE VI SALUDA")
    assert "https://ejemplo.es/FOTO" in casing.truecase("MÁS DATOS EN https://ejemplo.es/FOTO")
    assert "Juan Blanco" in casing.truecase("JUAN BLANCO CAMINA POR LA CALLE")
    assert "casa" in casing.truecase("LA CASA DE JUAN")


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("EL PRESIDENTE DE UCRANIA", True),
        ("INCENDIO", True),
        ("OTAN", False),
        ("UE y ONU", False),
        ("EL presidente de Ucrania en Moscú", False),
        ("El presidente", False),
        ("", False),
        ("1234 5678", False),
        ("https://EJEMPLO.ES/ABCDEF", False),
    ],
)
def test_is_capitals(caption: str, expected: bool) -> None:
    assert casing.is_capitals(caption) is expected


@given(st.text(max_size=80))
def test_case_never_moves_characters(caption: str) -> None:
    assert len(casing.truecase(caption)) == len(caption)
    assert len(casing.capitals(caption)) == len(caption)


def test_capitals_spare_literals() -> None:
    assert casing.capitals("more at https://t.co/aB and @casaReal") == "MORE AT https://t.co/aB AND @casaReal"


@given(st.text(max_size=60))
def test_literals_are_found_with_and_without_the_shortcut(caption: str) -> None:
    assert text.literals(caption) == [match[0] for match in re.finditer(text.LITERAL, caption)]


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ("Vista ■ FOTO: ANA", [("Vista", " ■ "), ("FOTO: ANA", "")]),
        ("Los ⚽ celebran 🏆 el 5", [("Los", " ⚽ "), ("celebran", " 🏆 "), ("el 5", "")]),
        ("1️⃣ Primera", [("1", "️⃣ "), ("Primera", "")]),
        ("a | b·c · d", [("a", " | "), ("b·c", " · "), ("d", "")]),
        ("Fin 👩‍🚒 12", [("Fin", " 👩‍🚒 12")]),
        (
            'Dos carteles en שלום עליכם y "مرحبا" hoy',
            [("Dos carteles en", " שלום עליכם "), ("y", ' "مرحبا" '), ("hoy", "")],
        ),
        ("Раненые солдаты в Kiev", [("Раненые солдаты в Kiev", "")]),  # the language itself, for another model
    ],
)
def test_cut_at_symbols(raw: str, parts: list[tuple[str, str]]) -> None:
    assert text.between_symbols(raw) == parts


@given(st.text(alphabet='aé1 .|·■⚽👩‍️🇪🇸"αжש', max_size=30))
def test_parts_between_symbols_are_the_text(raw: str) -> None:
    assert "".join(part + mark for part, mark in text.between_symbols(raw)) == raw


@pytest.mark.parametrize(
    ("caption", "spelled"),
    [
        ("Billetes de 50€ y 1 €", "Billetes de 50 euros y 1 euro"),
        ("Un fraude de 30 millones de €.", "Un fraude de 30 millones de euros."),
        ("30 millones €, 20 mil £", "30 millones de euros, 20 mil libras"),
        ("200 $ por persona, a 1,20 €/kg", "200 dólares por persona, a 1,20 euros/kg"),
        ("€50 millones, € 3.000,50.", "50 millones de euros, 3.000,50 euros."),
        ("MULTA DE 50 €", "MULTA DE 50 EUROS"),
        ("½ kilo", "1/2 kilo"),
        ("2 mil 536 agentes y 15 mil 6", "2.536 agentes y 15.006"),
        ("Pagaron 36 mil 979.4 mdd", "Pagaron 36,979.4 millones de dólares"),
        ("316 mil personas, 2 mil 300 millones", "316 mil personas, 2 mil 300 millones"),
        ("$500 millones, US$ 30, $20 $30", "$500 millones, US$ 30, $20 $30"),
    ],
)
def test_amounts(caption: str, spelled: str) -> None:
    assert text.amounts(caption) == spelled


@pytest.mark.parametrize(
    ("caption", "spelled"),
    [
        ("(De izda. a dcha.) Ana y Luis", "(De izquierda a derecha) Ana y Luis"),
        ("De dcha. a izq.: Ana y Luis", "De derecha a izquierda: Ana y Luis"),
        ("Eva Mora (izq.) saluda a Juan Gil (dcha.).", "Eva Mora (izquierda) saluda a Juan Gil (derecha)."),
        ("Ana Ruiz (a la dcha.) y Luis Paz, izda., en Jaén", "Ana Ruiz (a la derecha) y Luis Paz, izquierda, en Jaén"),
        ("ANA Y LUIS, DE IZQ. A DCHA.", "ANA Y LUIS, DE IZQUIERDA A DERECHA"),
        ("El club Izquierda a Derecha", "El club Izquierda a Derecha"),
        ("Ana Ruiz (i), Luis Paz (c) y Eva Gil (d)", "Ana Ruiz (izquierda), Luis Paz (centro) y Eva Gil (derecha)"),
        ("(c) El apartado (d) de la ley", "(c) El apartado (d) de la ley"),
        ("Piso 2º izda. de la calle Sol", "Piso 2º izda. de la calle Sol"),
    ],
)
def test_sides(caption: str, spelled: str) -> None:
    assert text.sides(caption) == spelled


@given(st.text(st.sampled_from("a 019.,€£$¥"), max_size=40))
def test_amounts_keep_digits(raw: str) -> None:
    spelled = text.amounts(raw)
    assert [c for c in spelled if c.isdecimal()] == [c for c in raw if c.isdecimal()]
    assert text.amounts(spelled).count("€") <= raw.count("€")


@pytest.mark.parametrize(
    ("credit", "english"),
    [
        (" FOTO: LA JORNADA", " PHOTO: LA JORNADA"),
        (" Foto La Voz / Fotos: EFE", " Photo La Voz / Photos: EFE"),
        ("Fuente: Museo del Vino", "Source: Museo del Vino"),
        ("#foto @foto www.foto.es", "#foto @foto www.foto.es"),
    ],
)
def test_label_of_a_credit(credit: str, english: str) -> None:
    assert credits.english_credit(credit) == english


def test_credit_with_words_to_translate() -> None:
    assert credits.has_prose("Foto: cortesía del museo")
    assert not credits.has_prose("Foto: Museo de la Ciudad / www.museo.es / @museo y EFE vía AP")


def test_signs_keep_no_selector() -> None:
    assert text.straight_quotes("Apple™\ufe0f y ☀\ufe0f y 1\ufe0f\u20e3") == "Apple™ y ☀\ufe0f y 1\ufe0f\u20e3"


@pytest.mark.parametrize(
    ("printed", "english"),
    [
        ("Foto: EFE/Archivo", "Photo: EFE/File"),
        ("(ARCHIVO)", "(FILE)"),
        ("Foto de archivo", "File photo"),
        ("Fotografía de Ana Ruiz", "Photo by Ana Ruiz"),
        ("Foto vía EFE | Captura de pantalla", "Photo via EFE | Screenshot"),
        ("Imagen cedida por Greenpeace", "Image supplied by Greenpeace"),
        ("Foto/AFP", "Photo/AFP"),
        ("FOTO CEDIDA por la familia Ruiz", "PHOTO SUPPLIED by the Ruiz family"),
        ("FOTO CEDIDA por Ana Ruiz", "PHOTO SUPPLIED by Ana Ruiz"),
        ("Fotos cedidas por los Bomberos de Lugo", "Photos supplied by the Bomberos de Lugo"),
        ("Captura de video de TVE", "Video grab from TVE"),
        ("CAPTURAS DE VÍDEO: RTVE", "VIDEO GRABS: RTVE"),
        ("Captura de pantalla de X", "Screenshot from X"),
        ("Foto tomada de @vecinos_lugo", "Photo taken from @vecinos_lugo"),
        ("Imagen tomada del Facebook de Ana", "Image taken from the Facebook de Ana"),
        ("Imágenes: cortesía de la NASA", "Images: courtesy of the NASA"),
        ("Por gentileza del Museo Naval", "Courtesy of the Museo Naval"),
        ("FOTOGALERÍA: Ana Ruiz", "PHOTO GALLERY: Ana Ruiz"),
        ("PIE DE FOTO: ", "CAPTION: "),
        ("Archivo: EFE", "File: EFE"),
        ("Fotografia: Ana Ruiz / Colección particular", "Photograph: Ana Ruiz / Private collection"),
        ("Crédito de la foto: AP", "Photo credit: AP"),
        ("Con la colaboración de Iberia", "Contributed by Iberia"),
        ("Fotógrafa: Ana Ruiz", "Photographer: Ana Ruiz"),
        ("Foto facilitada por la Guardia Civil", "Photo provided by the Guardia Civil"),
        # names, and what has words of its own
        ("Archivo General de la Nación", "Archivo General de la Nación"),
        ("Vía Crucis", "Vía Crucis"),
        ("cortesía del museo", "courtesy of the museum"),
        ("Imagen cedida por la empresa", "Image supplied by the company"),
        ("FOTO CEDIDA POR LA COMPAÑÍA / EFE", "PHOTO SUPPLIED BY THE COMPANY / EFE"),
        ("FOTO CEDIDA POR LA GUARDIA CIVIL", "PHOTO SUPPLIED BY THE GUARDIA CIVIL"),
        ("Foto enviada por un lector", "Photo sent by a reader"),
        ("Foto cedida por el autor Luis Paz", "Photo supplied by the author Luis Paz"),
        ("Foto cedida a EFE por la ONG", "Photo supplied to EFE by the ONG"),
        ("Imagen de los organizadores del festival", "Image by the organisers of the festival"),
        # what would be half English
        ("Foto cedida por la peña", "Foto cedida por la peña"),
        ("Foto cedida por una vecina del pueblo", "Foto cedida por una vecina del pueblo"),
        ("Foto tomada de la retransmisión", "Foto tomada de la retransmisión"),
        ("fotografía de un vecino", "fotografía de un vecino"),
        ("", ""),
    ],
)
def test_english_credit(printed: str, english: str) -> None:
    assert credits.english_credit(printed) == english
