"""Caption-like Spanish–English pairs made from templates: roles, places, dates, numbers, names with rare letters.

News captions are short, often without a verb ("X, ministro de Y, en Z, el 3 de marzo de 2021"), full of
names, and rare in parallel text. These pairs teach that names and numbers are copied and that dates are
turned round. The sentences are this project's own.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

# (given name, gender)
_GIVEN = [
    (name, gender)
    for gender, names in {
        "m": "Álvaro Andrés Ángel Baltasar Benigno Bogdan Casimiro Ciro Dmitri Edmundo Efraín Eugenio Evaristo Fermín "
        "Ferdinand Gaspar Germán Håkon Hernán Ignacio Imanol İlhan Jacinto Jérôme João Jürgen Kwame Leopoldo Lisandro "
        "Łukasz Mbaye Mihály Nguyễn Nicanor Ólafur Óscar Plácido Rachid Rodolfo Rubén Şükrü Sören Tadeusz Tomás Ulises "
        "Václav Wenceslao Yusuf Zoltán Volodímir Serguéi Xi Abdelkader Søren Çelik",
        "f": "Águeda Amparo Aurélie Ayşe Begoña Birgit Casilda Chantal Dolores Edurne Elena Encarnación Ewa Fátima "
        "Françoise Gloria Greta Inés Ingrid Itziar Jadwiga Katalin Lourdes Lucía Maite Małgorzata Mónica Nekane Nieves "
        "Nuria Olga Oksana Paloma Pilar Rocío Rosalía Siobhán Soledad Svetlana Úrsula Verónica Violeta Ximena Yolanda "
        "Zeynep Zuzana Ángela Leïla Noémie",
    }.items()
    for name in names.split()
]
_FAMILY = """
    Aguirrezabal Almagro Barrientos Belaúnde Bianchi Brzeziński Bustamante Cárdenas Castañeda
    Čapek Chávez Couto Delacroix Dufresne Echeverría Erdoğan Etxeberria Fernández Fonseca
    Gallardo García Gómez Grönholm Guðmundsson Gutiérrez Haddad Horváth Ibáñez Iturbe
    Jaramillo Kowalczyk Krüger Lacalle Lindström López Łoziński Madariaga Martínez Mbeki
    Méndez Müller Muñoz Navarrete Ñíguez Novák Núñez O'Brien Okonkwo Ortúzar Özdemir Peçanha
    Peñaloza Pérez Petrov Quintana Quiñones Ramírez Ribeiro Rodríguez Ruiz Sáenz Sánchez
    Sarmiento Schröder Şahin Solís Szabó Tamayo Ţepeş Torres Ugarte Urdaneta Vasiliev Vázquez
    Villalobos Wałęsa Yáñez Zelaya Zúñiga Grünwald Kjær Nuñez Abascal Benítez Cuevas Rosales
    Iglesias Cordero Blanco Rey Guerra Oreja Pastor Fuentes Casas Reyes Paz Flores
    """.split()
# (Spanish with article, English with article, gender)
_ROLES = [
    ("el presidente", "the president", "m"),
    ("la presidenta", "the president", "f"),
    ("el ministro de Exteriores", "the foreign minister", "m"),
    ("la ministra de Defensa", "the defence minister", "f"),
    ("el ministro de Economía", "the economy minister", "m"),
    ("la ministra de Sanidad", "the health minister", "f"),
    ("el primer ministro", "the prime minister", "m"),
    ("la primera ministra", "the prime minister", "f"),
    ("el alcalde", "the mayor", "m"),
    ("la alcaldesa", "the mayor", "f"),
    ("el gobernador", "the governor", "m"),
    ("la gobernadora", "the governor", "f"),
    ("el entrenador", "the coach", "m"),
    ("la entrenadora", "the coach", "f"),
    ("el secretario general", "the secretary general", "m"),
    ("la portavoz", "the spokeswoman", "f"),
    ("el portavoz", "the spokesman", "m"),
    ("el embajador", "the ambassador", "m"),
    ("la embajadora", "the ambassador", "f"),
    ("el fiscal general", "the attorney general", "m"),
    ("la jueza", "the judge", "f"),
    ("el escritor", "the writer", "m"),
    ("la escritora", "the writer", "f"),
    ("el director", "the director", "m"),
    ("la directora", "the director", "f"),
    ("el candidato", "the candidate", "m"),
    ("la candidata", "the candidate", "f"),
    ("el líder opositor", "the opposition leader", "m"),
    ("la líder opositora", "the opposition leader", "f"),
    ("el canciller", "the chancellor", "m"),
    ("la canciller", "the chancellor", "f"),
    ("el exministro", "the former minister", "m"),
    ("la diputada", "the member of parliament", "f"),
    ("el senador", "the senator", "m"),
]
# (Spanish, English, adjective masculine, adjective feminine, English adjective)
_COUNTRIES = [
    ("Francia", "France", "francés", "francesa", "French"),
    ("Alemania", "Germany", "alemán", "alemana", "German"),
    ("Rusia", "Russia", "ruso", "rusa", "Russian"),
    ("Ucrania", "Ukraine", "ucraniano", "ucraniana", "Ukrainian"),
    ("Turquía", "Turkey", "turco", "turca", "Turkish"),
    ("Marruecos", "Morocco", "marroquí", "marroquí", "Moroccan"),
    ("Argelia", "Algeria", "argelino", "argelina", "Algerian"),
    ("España", "Spain", "español", "española", "Spanish"),
    ("Reino Unido", "the United Kingdom", "británico", "británica", "British"),
    ("Estados Unidos", "the United States", "estadounidense", "estadounidense", "US"),
    ("México", "Mexico", "mexicano", "mexicana", "Mexican"),
    ("Brasil", "Brazil", "brasileño", "brasileña", "Brazilian"),
    ("Japón", "Japan", "japonés", "japonesa", "Japanese"),
    ("Egipto", "Egypt", "egipcio", "egipcia", "Egyptian"),
    ("Polonia", "Poland", "polaco", "polaca", "Polish"),
    ("Suecia", "Sweden", "sueco", "sueca", "Swedish"),
    ("Grecia", "Greece", "griego", "griega", "Greek"),
    ("Países Bajos", "the Netherlands", "neerlandés", "neerlandesa", "Dutch"),
    ("Túnez", "Tunisia", "tunecino", "tunecina", "Tunisian"),
    ("Corea del Sur", "South Korea", "surcoreano", "surcoreana", "South Korean"),
    ("Irlanda", "Ireland", "irlandés", "irlandesa", "Irish"),
    ("Hungría", "Hungary", "húngaro", "húngara", "Hungarian"),
]
_PLACES = [
    ("París", "Paris"),
    ("Londres", "London"),
    ("Moscú", "Moscow"),
    ("Kiev", "Kyiv"),
    ("Bruselas", "Brussels"),
    ("Ginebra", "Geneva"),
    ("Nueva York", "New York"),
    ("Rabat", "Rabat"),
    ("Argel", "Algiers"),
    ("Sevilla", "Seville"),
    ("Zaragoza", "Zaragoza"),
    ("La Habana", "Havana"),
    ("Ciudad de México", "Mexico City"),
    ("Bogotá", "Bogotá"),
    ("São Paulo", "São Paulo"),
    ("Estocolmo", "Stockholm"),
    ("Viena", "Vienna"),
    ("Varsovia", "Warsaw"),
    ("Pekín", "Beijing"),
    ("Tokio", "Tokyo"),
    ("El Cairo", "Cairo"),
    ("Estambul", "Istanbul"),
    ("Atenas", "Athens"),
    ("Lisboa", "Lisbon"),
    ("Nuakchot", "Nouakchott"),
    ("Dajla", "Dakhla"),
    ("Melilla", "Melilla"),
    ("Medellín", "Medellín"),
    ("Lviv", "Lviv"),
    ("Jersón", "Kherson"),
]
_MONTHS = [
    ("enero", "January"),
    ("febrero", "February"),
    ("marzo", "March"),
    ("abril", "April"),
    ("mayo", "May"),
    ("junio", "June"),
    ("julio", "July"),
    ("agosto", "August"),
    ("septiembre", "September"),
    ("octubre", "October"),
    ("noviembre", "November"),
    ("diciembre", "December"),
]
_WEEKDAYS = [
    ("lunes", "Monday"),
    ("martes", "Tuesday"),
    ("miércoles", "Wednesday"),
    ("jueves", "Thursday"),
    ("viernes", "Friday"),
    ("sábado", "Saturday"),
    ("domingo", "Sunday"),
]
_EVENTS = [
    ("una rueda de prensa", "a press conference"),
    ("una protesta", "a protest"),
    ("la cumbre", "the summit"),
    ("un acto de campaña", "a campaign event"),
    ("una visita oficial", "an official visit"),
    ("la sesión de control", "the question session"),
    ("el debate de presupuestos", "the budget debate"),
    ("la ceremonia de clausura", "the closing ceremony"),
    ("un homenaje a las víctimas", "a tribute to the victims"),
    ("la firma del acuerdo", "the signing of the agreement"),
    ("la inauguración de la feria", "the opening of the fair"),
    ("un partido amistoso", "a friendly match"),
]
_GROUPS = [
    ("manifestantes", "demonstrators"),
    ("migrantes", "migrants"),
    ("soldados", "soldiers"),
    ("bomberos", "firefighters"),
    ("vecinos", "residents"),
    ("trabajadores", "workers"),
    ("estudiantes", "students"),
    ("aficionados", "fans"),
    ("refugiados", "refugees"),
    ("agricultores", "farmers"),
    ("pescadores", "fishermen"),
    ("policías", "police officers"),
    ("voluntarios", "volunteers"),
]
_SCENES = [
    ("el puerto de {ciudad}", "the port of {ciudad}"),
    ("una calle de {ciudad}", "a street in {ciudad}"),
    ("el aeropuerto de {ciudad}", "{ciudad} airport"),
    ("una estación de tren en {ciudad}", "a train station in {ciudad}"),
    ("las afueras de {ciudad}", "the outskirts of {ciudad}"),
    ("la frontera con {país}", "the border with {país}"),
    ("el centro de {ciudad}", "the centre of {ciudad}"),
    ("un mercado de {ciudad}", "a market in {ciudad}"),
]
# {papel}/{nombre}: a role and a name of its gender; the English side uses the same keys.
_TEMPLATES = [
    ("{Papel} de {país}, {nombre}, en {ciudad}, el {fecha}", "{Papel} of {país}, {nombre}, in {ciudad} on {fecha}"),
    ("{nombre}, {papel_} de {país}, en {ciudad}", "{nombre}, {papel_} of {país}, in {ciudad}"),
    ("{nombre}, {papel_} de {país}, durante {acto}", "{nombre}, {papel_} of {país}, during {acto}"),
    ("{nombre} durante {acto} en {ciudad}, el {fecha}", "{nombre} during {acto} in {ciudad} on {fecha}"),
    ("{nombre} y {nombre2}, en {ciudad}, en una imagen de archivo", "{nombre} and {nombre2} in {ciudad}, in a file photo"),
    ("{nombre} (izquierda) y {nombre2} (derecha), en {acto}", "{nombre} (left) and {nombre2} (right) at {acto}"),
    ("{nombre} (izda.) saluda a {nombre2} en {ciudad}", "{nombre} (left) greets {nombre2} in {ciudad}"),
    ("{Papel} de {país}, {nombre}, saluda a {nombre2}", "{Papel} of {país}, {nombre}, greets {nombre2}"),
    ("Foto de archivo de {nombre}, {papel_} de {país}", "File photo of {nombre}, {papel_} of {país}"),
    ("Imagen de archivo de {lugar}", "File image of {lugar}"),
    ("Vista de {lugar}, este {día}", "View of {lugar} this {día}"),
    ("Vista aérea de {lugar} el {fecha}", "Aerial view of {lugar} on {fecha}"),
    ("{Grupo} en {lugar}", "{Grupo} in {lugar}"),
    ("Un grupo de {grupo} en {lugar}, el {día} {número} de {mes}", "A group of {grupo} in {lugar} on {día} {número} {mes}"),
    ("Cientos de {grupo} se concentran en {ciudad}", "Hundreds of {grupo} gather in {ciudad}"),
    ("Más de {millares} {grupo} se manifestaron el {día} en {ciudad}", "More than {millares} {grupo} demonstrated on {día} in {ciudad}"),
    ("{Grupo} de {país} participan en {acto}", "{Grupo} from {país} take part in {acto}"),
    ("Miles de {grupo} esperan en {lugar}", "Thousands of {grupo} wait in {lugar}"),
    ("{nombre}, de {número} años, en su casa de {ciudad}", "{nombre}, {número}, at home in {ciudad}"),
    ("{nombre} llega a {ciudad} para {acto}", "{nombre} arrives in {ciudad} for {acto}"),
    ("{nombre} celebra el gol del {cifra}-{cifra2} ante {país}", "{nombre} celebrates the {cifra}-{cifra2} goal against {país}"),
    ("{nombre}, en {ciudad} en {año}", "{nombre} in {ciudad} in {año}"),
    ("Retrato de {nombre}, hacia {año}", "Portrait of {nombre}, around {año}"),
    ("La sede del Gobierno {gentilicio_m} en {ciudad}", "The headquarters of the {gentilicio} government in {ciudad}"),
    ("La delegación {gentilicio_f}, encabezada por {nombre}", "The {gentilicio} delegation, headed by {nombre}"),
    ("{Papel} {gentilicio_p}, {nombre}, junto a {nombre2}", "{Papel_g}, {nombre}, with {nombre2}"),
    ("De izquierda a derecha, {nombre}, {nombre2} y {nombre3}", "From left to right, {nombre}, {nombre2} and {nombre3}"),
    ("Reunión entre {nombre} y {nombre2} en {ciudad}", "Meeting between {nombre} and {nombre2} in {ciudad}"),
    ("El {porcentaje} % de los {grupo} de {país}", "{porcentaje} % of the {grupo} of {país}"),
    ("Los {grupo}, en {lugar} tras la jornada del {día}", "The {grupo} in {lugar} after the events of {día}"),
    ("{nombre} fue detenido en {ciudad} el {fecha}", "{nombre} was arrested in {ciudad} on {fecha}"),
    ("Acto en recuerdo de {nombre}, en {ciudad}", "Event in memory of {nombre} in {ciudad}"),
]  # fmt: skip


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name(rng: random.Random, gender: str | None = None) -> str:
    given = rng.choice([n for n, g in _GIVEN if gender in (None, g)])
    families = rng.sample(_FAMILY, 2)
    return " ".join([given, *families[: 1 + (rng.random() < 0.3)]])


def _pair(rng: random.Random) -> tuple[str, str]:
    template = rng.choice(_TEMPLATES)
    role, person = rng.choice(_ROLES), _name(rng)
    needs_role = "apel" in template[0]
    if needs_role:
        person = _name(rng, role[2])
    if "detenido" in template[0]:
        person = _name(rng, "m")
    country, city, month, weekday = (rng.choice(x) for x in (_COUNTRIES, _PLACES, _MONTHS, _WEEKDAYS))
    event, group, scene = rng.choice(_EVENTS), rng.choice(_GROUPS), rng.choice(_SCENES)
    day, year, thousands = rng.randint(1, 28), rng.randint(1931, 2026), rng.randint(2, 980)
    feminine, role_en = role[2] == "f", role[1].removeprefix("the ")
    fields = []
    for side in (0, 1):
        place = scene[side].format(ciudad=city[side], país=country[side])
        fields.append(
            {
                "Papel": _upper(role[side]),
                "papel_": role[0].split(" ", 1)[1] if side == 0 else role_en,
                "Papel_g": f"The {country[4]} {role_en}",
                "gentilicio": country[4],
                "gentilicio_m": country[2],
                "gentilicio_f": country[3],
                "gentilicio_p": country[3 if feminine else 2],
                "país": country[side],
                "ciudad": city[side],
                "fecha": f"{day} de {month[0]} de {year}" if side == 0 else f"{day} {month[1]} {year}",
                "mes": month[side],
                "día": weekday[side],
                "número": str(day + 1),
                "año": str(year),
                "acto": event[side],
                "grupo": group[side],
                "Grupo": _upper(group[side]),
                "lugar": place,
                "millares": f"{thousands}.000" if side == 0 else f"{thousands},000",
                "nombre": person,
            }
        )
    shared = {
        "nombre2": _name(rng),
        "nombre3": _name(rng),
        "cifra": rng.randint(1, 5),
        "cifra2": rng.randint(0, 4),
    }
    percent = f"{rng.randint(1, 99)},{rng.randint(1, 9)}"
    pair = [
        text.format(**values, **shared, porcentaje=percent if side == 0 else percent.replace(",", "."))
        for side, (text, values) in enumerate(zip(template, fields, strict=True))
    ]
    source = re.sub(r"\b([Aa]) el\b|\b([Dd])e el\b", lambda m: f"{m[1]}l" if m[1] else f"{m[2]}el", pair[0])
    # "El Cairo" and "La Habana" keep their article
    source = source.replace("al Cairo", "a El Cairo").replace("del Cairo", "de El Cairo")
    target = pair[1].replace(" %", "%")
    if rng.random() < 0.4:
        source, target = source + ".", target + "."
    return source, target


def captions(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """``count`` different (Spanish, English) pairs; the same seed gives the same ones."""
    rng = random.Random(f"captions {seed}")
    seen: set[str] = set()
    while len(seen) < count:
        source, target = _pair(rng)
        if (key := source.rstrip(".")) not in seen:
            seen.add(key)
            yield source, target
