"""Words that the model made up, and words and phrases that it has wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sacrebleu.metrics import CHRF

from aligner.context.fit import body
from aligner.scoring.gold import load
from aligner.translation import Hypothesis, Translator, fit_dictionary
from aligner.translation.coined import mend
from aligner.translation.dictionary import NOTHING, Phrase, dictionary, is_listed
from aligner.translation.guard import Problem
from aligner.translation.rerank import ArticleChoice

CORPUS = Path(__file__).parent.parent / "corpus"


def hypothesis(source: str, text: str, **links: int) -> Hypothesis:
    """A translation whose words attend to the source words of the given numbers, others to those in their place."""
    width = len(source.split())
    rows = []
    for i, word in enumerate(text.split()):
        at = links.get(word.strip('.,"'), min(i, width - 1))
        rows.append(tuple(float(j == at) for j in range(width)))
    return Hypothesis(source, text, -0.5, alignment=tuple(rows))


@pytest.mark.parametrize(
    ("source", "text", "links", "mended"),
    [
        ("Huyen con una mochila", "They flee with a mochile", {}, "They flee with a backpack"),
        ("Una mochila roja", "A red mochila.", {"mochila": 1}, "A red backpack."),
        ("Mochilas en el suelo", "Mochiles on the floor", {}, "Backpacks on the floor"),
        ("Mochilas en el suelo", "MOCHILES ON THE FLOOR", {}, "BACKPACKS ON THE FLOOR"),
        ("Mochilas rojas", "Red mochiles", {"mochiles": 0}, "Red backpacks"),
        ("Bibliotecas de la ciudad", "Biblioqus of the city", {}, "Libraries of the city"),
        ("Una escritora panameña", "A panameñian writer", {"panameñian": 2}, "A Panamanian writer"),
        ("El autoproclamado alcalde", "The self-proclamted mayor", {}, "The self-proclaimed mayor"),
        ("Sismo de 7.2 grados", "Of 7.2-degres, a quake", {"7.2-degres": 3}, "Of 7.2-degrees, a quake"),
        # no words although the list has their stem ("vall", "militar"), or small words that they are made of
        ("Un solar vallado", "A plot valled", {"plot": 1, "valled": 2}, "A plot fenced off"),
        ("Militares a pie", "Militarys on foot", {}, "Soldiers on foot"),
        ("Trifulca en el bar", "Trifulca in the bar", {}, "Brawl in the bar"),
        ("Hay barcos y redes", "There are Barcos and nets", {"Barcos": 1}, "There are ships and nets"),
        # several words: one of them stands in front already, or for something else
        ("El exalcalde Ruiz", "The former alcald Ruiz", {"former": 1, "alcald": 1, "Ruiz": 2}, "The former mayor Ruiz"),
        ("Un hidroavión con agua", "A hydroaving with water", {"water": 3}, "A seaplane with water"),
        # names, compounds, possessives, what is copied with a hyphen, addresses stay
        ("El ciclista Tito Sarmendi", "The cyclist Tito Sarmendi", {}, "The cyclist Tito Sarmendi"),
        ("Vista del paseo", "A seafront view", {}, "A seafront view"),
        ("La casa de Ozkan", "The house of Ozkan's", {}, "The house of Ozkan's"),
        ("Un coche-mochila rojo", "A red coche-mochila", {"coche-mochila": 1}, "A red coche-mochila"),
        ("En la calle Elcano", "On Calle Elcano", {"Calle": 2, "Elcano": 3}, "On Calle Elcano"),
        ("Barranco de Lubel", "Barranco de Lubel", {}, "Barranco de Lubel"),
        ('Sancho, "Zurdo" Mena', 'Sancho, "Zurdo" Mena', {}, 'Sancho, "Zurdo" Mena'),
        ("Más en mochila.com", "More at mochile.com", {}, "More at mochile.com"),
    ],
)
def test_look_up(source: str, text: str, links: dict[str, int], mended: str) -> None:
    found = mend(hypothesis(source, text, **links), frozenset())
    assert found.text == mended
    assert len(found.text.split()) == len(found.alignment or ())
    assert [problem.code for problem in found.problems] == ["looked-up"] * (mended != text)


@pytest.mark.parametrize(
    ("source", "text", "links", "mended"),
    [
        # an English word, but none that the dictionary has for any word of the caption
        ("Rebaño en el barro", "Rebounding in the bar", {"bar": 3}, "Herd in the mud"),
        ("Rebaños en el barro", "THE REBOUNDS IN THE BAR", {"REBOUNDS": 0, "BAR": 3}, "THE HERDS IN THE MUD"),
        ("Una jeringa", "An instrument", {}, "A syringe"),
        ("Un carguero zarpa", "A car driver sets sail", {"car": 1, "driver": 1}, "A freighter sets sail"),
        ("La mujer del avispón", "The woman of the Advisal", {"Advisal": 3}, "The woman of the hornet"),
        # the caption's sense, not the commonest one
        ("Los fieles rezan", "The faithful pray", {}, "The faithful pray"),
        ("Larga cola ante el banco", "Long tail before the bank", {"tail": 1}, "Long queue before the bank"),
        # phrases
        ("Durante el toque de queda", "During the touch of stays", {"of": 3, "stays": 4}, "During the curfew"),
        ("Chozas en las afueras de Lima", "Huts in the out of Lima", {"out": 3}, "Huts on the outskirts of Lima"),
        ("En rueda de prensa", "At a press conference", {"press": 3, "conference": 1}, "At a press conference"),
        # what stands for the word already, what the dictionary does not know, names
        ("El taxista espera", "The taxi driver waits", {"taxi": 1, "driver": 1, "waits": 2}, "The taxi driver waits"),
        ("Un zurriburri azul", "A blue bucket", {"bucket": 1, "blue": 2}, "A blue bucket"),
        ("Milagros Rebaño canta", "Milagros Rebaño sings", {}, "Milagros Rebaño sings"),
    ],
)
def test_words_that_cannot_be_right(source: str, text: str, links: dict[str, int], mended: str) -> None:
    found = mend(hypothesis(source, text, **links), frozenset())
    assert found.text == mended
    assert len(found.text.split()) == len(found.alignment or ())
    assert {problem.code for problem in found.problems} <= {"looked-up"}
    assert bool(found.problems) == (mended != text and "curfew" not in mended and "outskirts" not in mended)


@pytest.mark.parametrize(
    ("source", "text", "links", "mended"),
    [
        (
            "Una entrevista con El País",
            "An interview with the country",
            {"the": 3, "country": 4},
            "An interview with El País",
        ),
        ("El país más frío", "The coldest country", {"coldest": 3, "country": 1}, "The coldest country"),
        ("La Real Sociedad gana", "The Royal Society wins", {}, "The Real Sociedad wins"),
        (
            'Cartel de la película "El viaje de Ana"',
            'Poster of the film "The trip of Ana"',
            {},
            'Poster of the film "El viaje de Ana"',
        ),
        ('El barco "Playa de Nerga" zarpa', 'The ship "Beach of Nerga," sails', {}, 'The ship "Playa de Nerga," sails'),
        ('Sale el "Playa de Nerga"', 'The "Beach of Nerga" leaves', {}, 'The "Playa de Nerga" leaves'),
        ('"Mediodía en Sevilla", grabado', '"Midday in Seville," engraving', {}, '"Midday in Seville," engraving'),
        ('Se lee "Queremos agua" aquí', 'It reads "We want water" here', {}, 'It reads "We want water" here'),
        ('Dijo: "Una novela sin fin"', 'He said: "A novel without end"', {}, 'He said: "A novel without end"'),
    ],
)
def test_names_and_titles_stay(source: str, text: str, links: dict[str, int], mended: str) -> None:
    found = mend(hypothesis(source, text, **links), frozenset())
    assert found.text == mended
    assert len(found.text.split()) == len(found.alignment or ())
    assert mend(found, frozenset()).text == mended


def test_an_accent_tells_a_verb_from_a_noun() -> None:
    assert dictionary().word("publico", "público").forms[0] == ("audience", 1.0)
    forms = [form for form, _ in dictionary().word("publico", "publicó").forms]
    assert "published" in forms
    assert "audience" not in forms
    assert dictionary().word("marco", "MARCÓ").forms[0][0] == "scored"
    assert dictionary().word("marco", "marco").forms[0][0] == "framework"
    assert {"scor", "framework"} <= dictionary().word("marco", "marco").stems
    told = hypothesis("El diario publicó la foto", "The newspaper published the photo")
    assert mend(told, frozenset()) == told


def test_an_attention_that_is_not_clear_changes_no_word() -> None:
    vague = Hypothesis("Rebaño en el barro", "Herd in the bar", -0.5, alignment=((0.3,) * 4,) * 4)
    found = mend(vague, frozenset())
    assert found == replace(vague, problems=(Problem("word-lost", "barro"),))


def test_the_article_has_its_words() -> None:
    lorry = hypothesis("Un camión en la niebla", "A truck in the fog")
    assert mend(lorry, {"lorry"}).text == "A lorry in the fog"
    assert mend(lorry, {"truck", "lorry"}) == lorry
    assert mend(hypothesis("Rebaño en el barro", "Herd in the bar", bar=3), {"bar"}).text == "Herd in the bar"


def test_the_article_tells_senses_apart() -> None:
    party = hypothesis("El tobillo de Sanabria tras el partido", "The ankle of Sanabria after the party")
    assert mend(party, {"match"}).text == "The ankle of Sanabria after the match"
    assert mend(party, {"party", "match"}) == mend(party, frozenset()) == party
    # two senses: that of the paragraph with the caption's other words
    paragraphs = (frozenset({"game", "board"}), frozenset({"match", "ankle", "sanabria"}))
    assert mend(party, frozenset().union(*paragraphs), paragraphs).text == "The ankle of Sanabria after the match"
    essay = hypothesis("La directora durante el ensayo", "The director during the essay")
    assert mend(essay, {"rehearsal"}).text == "The director during the rehearsal"


def test_english_words_are_listed() -> None:
    assert all(map(is_listed, ("codex", "paprika", "emitter", "colour", "color", "zoos", "aah")))
    assert not any(map(is_listed, ("valled", "balcon", "fragata", "madrid", "", "zzz")))


def test_dictionary() -> None:
    listed = dictionary()
    assert listed.word("rebanos").forms == (("herds", 1.0), ("flocks", 1.0))
    assert listed.word("olfatea").forms[0] == ("sniffs", 1.0)
    assert Phrase(("centrales", "electricas"), ("power stations", "power plants")) in listed.word("centrales").phrases
    assert "mud" in listed.word("barro").stems
    assert listed.word("zurriburri") == listed.word("") == listed.word("zzz") == listed.word("0") == NOTHING


@pytest.mark.parametrize(
    ("line", "forms"),
    [
        ("n andén = platform", {"anden": "=platform", "andenes": "=platforms"}),
        ("n pez = fish", {"pez": "=fish", "peces": "=fish"}),
        ("n lobo = wolf | wolfman", {"lobo": "=wolf|wolfman", "lobos": "=wolves|wolfmen"}),
        (
            "m panadero = baker",
            {f"panader{e}": f"=baker{n}" for e, n in (("o", ""), ("a", ""), ("os", "s"), ("as", "s"))},
        ),
        ("a volcado = overturned", {f"volcad{e}": "=overturned" for e in ("o", "a", "os", "as")}),
        (
            "q central nuclear = nuclear plant",
            {"central nuclear": "=nuclear plant", "centrales nucleares": "=nuclear plants"},
        ),
        ("p en llamas = on fire | ablaze", {"en llamas": "=on fire|ablaze"}),
    ],
)
def test_own_lines_are_inflected(line: str, forms: dict[str, str]) -> None:
    assert dict(fit_dictionary.inflected(line)) == forms


def test_own_verbs_are_inflected() -> None:
    found = dict(fit_dictionary.inflected("v morder/muerd = bite/bit | carry"))
    assert found["muerde"] == "+bites|carries"
    assert found["muerden"] == found["morder"] == "+bite|carry"
    assert found["mordió"] == found["mordieron"] == "+bit|carried"
    assert found["mordiendo"] == "+biting|carrying"


def test_a_malformed_own_line_is_refused() -> None:
    with pytest.raises(ValueError, match="is not 'KIND SPANISH = ENGLISH"):
        list(fit_dictionary.inflected("x andén = platform"))


def test_the_dictionary_is_made_of_alignments_and_own_lines(tmp_path: Path) -> None:
    sides = {"es": "el zurriburri azul\n" * 4, "en": "the blue hubbub\n" * 4, "forward": "0-0 1-2 2-1\n" * 4}
    sides["reverse"] = "1-2 2-1\n" * 4
    paths = []
    for name, text in sides.items():
        paths.append(tmp_path / name)
        paths[-1].write_text(text)
    counted = dict(fit_dictionary.counted([paths]))
    assert counted == {"zurriburri": "hubbub:99", "azul": "blue:99"}
    merged = fit_dictionary.merged({**counted, "barro": "bar:100", "cruza": "cross:60"})
    assert merged["zurriburri"] == "hubbub:99"
    assert merged["barro"].startswith("=mud")


def test_a_machine_counts_for_nothing_where_people_never_put_a_common_word(tmp_path: Path) -> None:
    def files(name: str, spanish: str, english: str, times: int) -> list[Path]:
        texts = spanish, english, "0-0", "0-0"
        paths = [tmp_path / f"{name}{i}" for i in range(4)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(f"{text}\n" * times)
        return paths

    human = files("human", "vaqueros", "cowboys", fit_dictionary.COMMON)
    machine = [files("pillos", "pillos", "cowboys", 9), files("rufianes", "rufianes", "ruffians", 9)]
    assert set(dict(fit_dictionary.counted([human], machine))) == {"vaqueros", "rufianes"}
    assert set(dict(fit_dictionary.counted([human, *machine]))) == {"vaqueros", "pillos", "rufianes"}


def test_to_leave_out_a_word_that_the_article_lacks_gains_nothing() -> None:
    source = "Ana Paz saluda a simpatizantes en Puebla"
    whole = Hypothesis(source, "Ana Paz greets supporters in Puebla", -0.04)
    short = Hypothesis(source, "Ana Paz supporters in Puebla", -0.08)
    article = ArticleChoice(("Ana Paz met supporters of her party in Puebla.",))
    assert article.choose([whole, short]).text == whole.text


@pytest.mark.parametrize(
    ("source", "text", "mended"),
    [
        ("Una bandera blanca-roja-blanca", "A white-Russian flag", "A white-red-white flag"),
        ("Una bandera blanca-verde", "A white-green flag", "A white-green flag"),
        ("Una bandera blanca-roja-nueva", "A new-red flag", "A new-red flag"),
        ("Una bandera anti-roja", "A colourless flag", "A colourless flag"),
    ],
)
def test_colours_that_hyphens_join(source: str, text: str, mended: str) -> None:
    compound = text.split()[1]
    assert mend(hypothesis(source, text, flag=1, **{compound: 2}), frozenset([compound])).text == mended


@pytest.mark.parametrize(
    ("source", "text", "named"),
    [
        ("Una mujer vende zurriburris", "A woman sells zurriburris", ["unknown-word: zurriburris"]),
        ("Un mosquito Aedes zurriburri", "A mosquito Aedes zurriburri", []),  # a species
        ("Un plato de paella", "A dish of paella", []),
        ('La novela "el zurriburri"', 'The novel "el zurriburri"', []),
        ("Vista del Zurriburri", "View of Zurriburri", []),
    ],
)
def test_a_word_left_over_is_named(source: str, text: str, named: list[str]) -> None:
    assert [str(problem) for problem in mend(hypothesis(source, text), frozenset()).problems] == named


def test_a_word_said_again_gains_nothing() -> None:
    source = "La líder de la oposición bielorrusa"
    again = Hypothesis(source, "The opposition leader Belarusian leader", -0.30)
    once = Hypothesis(source, "The leader of the Belarusian opposition", -0.35)
    assert ArticleChoice(("Nothing was said.",)).choose([again, once]).text == once.text


def test_a_name_said_twice_gains_nothing() -> None:
    source = "La constelación Moonlight en órbita lunar"
    right = Hypothesis(source, "The Moonlight constellation in lunar orbit", -0.2)
    twice = Hypothesis(source, "The Moonlight constellation in Moonlight orbit", -0.21)
    article = ArticleChoice(("The Moonlight constellation will help spacecraft around the Moon.",))
    assert article.choose([right, twice]).text == right.text


def test_the_article_decides() -> None:
    flee = hypothesis("Huyen con una mochila", "They flee with a mochile", mochile=3)
    assert mend(flee, {"bag"}).text == "They flee with a bag"
    assert mend(flee, {"mochile"}) == flee


def test_a_hypothesis_without_a_word_is_not_chosen() -> None:
    source = "Piñas de cera"
    whole = replace(hypothesis(source, "Wax pineapples", Wax=2, pineapples=0), score=-0.3)
    short = replace(hypothesis(source, "Pineapples"), score=-0.2)
    assert ArticleChoice(("Nothing was said.",)).choose([short, whole]).text == whole.text


def test_a_word_that_nothing_stands_for_is_named() -> None:
    source = "Cajas de fresas listas para la exportación"
    lost = hypothesis(source, "Boxes ready for the export", ready=3, the=5, export=6, **{"for": 4})
    assert [str(problem) for problem in mend(lost, frozenset()).problems] == ["word-lost: fresas"]
    whole = hypothesis(source, "Boxes of strawberries ready for the export", ready=3, the=5, export=6, **{"for": 4})
    assert mend(whole, frozenset()) == whole
    assert mend(replace(lost, alignment=None), frozenset()).problems == ()
    verb = hypothesis("El coro ensaya en la iglesia", "The choir in the church", the=4, church=5, **{"in": 2})
    assert [str(problem) for problem in mend(verb, frozenset()).problems] == ["word-lost: ensaya"]  # "in" looks at it
    adjective = hypothesis("Un avión siniestrado", "A plane", plane=2)  # which stands for the noun
    adjective = replace(adjective, alignment=((1.0, 0.0, 0.0), (0.0, 0.3, 0.7)))
    assert [str(problem) for problem in mend(adjective, frozenset()).problems] == ["word-lost: siniestrado"]
    beside = hypothesis("El exalcalde Ruiz saluda", "Ruiz greets", Ruiz=1, greets=3)  # the name looks at the title
    assert [str(problem) for problem in mend(beside, frozenset()).problems] == ["word-lost: exalcalde"]
    for caption, text, links in (
        ("Ana Paz, de 84 años", "Ana Paz, 84", {"84": 3}),
        ("Una plaza de toros", "A bullring", {"bullring": 1}),
        ("Ana Paz cumple 84 años", "Ana Paz is 84", {"84": 3}),
        ("Vista de Tenerife", "View", {}),  # names have their own warning
    ):
        assert mend(hypothesis(caption, text, **links), frozenset()).problems == ()


def test_what_cannot_be_looked_up_is_named() -> None:
    for text, word in (("A bitcornist on the beach", "bitcornist"), ("The Ohiseo beach", "Ohiseo")):
        found = mend(hypothesis("Un zurriburri en la playa", text), frozenset())
        assert (found.text, found.problems) == (text, (Problem("unknown-word", word),))
    without = replace(hypothesis("Huyen con una mochila", "They flee with a mochile"), alignment=None)
    assert [problem.code for problem in mend(without, frozenset()).problems] == ["unknown-word"]


def test_a_word_looked_up_is_no_longer_left_over() -> None:
    left = replace(hypothesis("Una mochila roja", "A mochila red"), problems=(Problem("untranslated", "mochila"),))
    assert [problem.code for problem in mend(left, frozenset()).problems] == ["looked-up"]


def test_references_are_left_alone_and_translations_gain() -> None:
    """Of human translations few have a word that is not known; the model's come nearer to them."""
    translator = Translator.open(threads=1)
    items = [
        (ArticleChoice(tuple(text for _, text in body(document))), mark.caption or "", mark.reference)
        for document in load([CORPUS / "houses", CORPUS / "outlets"]).documents
        for mark in document.captions("es")
        if mark.reference
    ]
    named = 0
    before, after = [], []
    for (article, source, reference), (first, *_) in zip(
        items, translator.hypotheses([source for _, source, _ in items], 1, alignment=True), strict=True
    ):
        named += bool(mend(Hypothesis(source, reference or "", 0.0), article.forms).problems)
        before.append(first.text)
        after.append(mend(first, article.forms).text)
    assert named / len(items) < 0.15
    references = [[reference or "" for _, _, reference in items]]
    assert before != after
    assert CHRF().corpus_score(after, references).score > CHRF().corpus_score(before, references).score
