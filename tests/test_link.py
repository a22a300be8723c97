"""The linker: words that compare, the right paragraph and sentence, evidence, and what must hold for any input."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aligner import documents
from aligner.context import link, slot_of
from aligner.context.distil import spanish
from aligner.context.features import NONE, PAIR, Place, compare, runs, stranger, year
from aligner.context.fit import Example, accuracies, body, calibrate, examples, fit, held_out
from aligner.context.model import FEATURES, Model, bundled_model
from aligner.context.vectors import Language, Vectors, bundled_vectors, pack, rarity, unit, unpack
from aligner.context.words import fold, inflections, sentences, skeleton, value, words
from aligner.records import Candidate, Caption, Context, Translation
from aligner.resources import data
from aligner.scoring.gold import load

QUAKE = """Rescuers in Morocco on Sunday stepped up efforts to find survivors of an earthquake that killed 2,122 people.

The king, Mohammed VI, ordered three days of national mourning. Flags flew at half-mast in Rabat.

Near Amizmiz, a backhoe dragged away the rubble. Mr. Idrissi, a baker, watched it work.

Una excavadora retira los escombros en la población de Amizmis

Spain has sent 56 soldiers and four dogs, and Qatar seven planes with blankets.
"""


def caption(source: str, line: int = 0, start: int = 0, translation: str | None = None) -> Caption:
    given = Translation(translation, "m", "e", -0.1) if translation else None
    return Caption("c1", line, start, start + len(source), source, None, 1.0, (), given)


def linked(text: str, source: str, translation: str | None = None, *, at: bool = False) -> Context | None:
    """The link of a caption to all lines of a text but its own."""
    article = documents.from_text(text)
    body = [block for block in article.blocks if not block.text.startswith("Una excavadora")]
    line = next((block.line for block in article.blocks if block.text == source), 0) if at else 0
    start = text.find(source) if at else 0
    return link([caption(source, line, start, translation)], body, article)[0].context


# Words


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("Emmanuel Macron's visit", ["emmanuel", "macron", "visit"]),
        ("El alcalde, Íñigo Ñáñez", ["el", "alcalde", "inigo", "nanez"]),
        ("60.000 vecinos y 1,300 more; 2,5 %", ["60000", "vecinos", "y", "1300", "more", "2.5"]),
        ("a 60\u00a0000 euros", ["a", "60000", "euros"]),
        ("A\u0301ngel Pin\u0303ero", ["angel", "pinero"]),
        ("", []),
        ("… — ¡!", []),
    ],
)
def test_words(text: str, forms: list[str]) -> None:
    assert [word.form for word in words(text)] == forms


def test_first_words_of_sentences_are_marked() -> None:
    found = {word.form: word.first for word in words('Talks ended. Putin said: "Peace now"')}
    assert found == {"talks": True, "ended": False, "putin": True, "said": False, "peace": True, "now": False}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jalifa", "khalifa"),
        ("mohamed", "mohammed"),
        ("zelenskiy", "zelensky"),
        ("nayaf", "najaf"),
        ("buteflika", "bouteflika"),
        ("evacuacion", "evacuation"),
        ("fotografia", "photography"),
        ("kiev", "kyiv"),
    ],
)
def test_transliterations_and_cognates_look_alike(one: str, other: str) -> None:
    from rapidfuzz import fuzz

    assert fuzz.ratio(skeleton(one), skeleton(other)) >= 75


@pytest.mark.parametrize(
    ("form", "language", "number"),
    [
        ("siete", "es", "7"),
        ("seven", "en", "7"),
        ("7", "en", "7"),
        ("veinte", "es", "20"),
        ("uno", "es", None),
        ("casa", "es", None),
    ],
)
def test_numbers_written_out(form: str, language: str, number: str | None) -> None:
    assert value(form, language) == number


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("Mr. Smith met J. Doe at 5 p.m. in the U.S. Capitol", ["Mr. Smith met J. Doe at 5 p.m. in the U.S. Capitol"]),
        ("  no end here  ", ["no end here"]),
        ("", []),
    ],
)
def test_sentences(text: str, split: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == split


@given(st.text())
def test_words_and_sentences_stand_in_the_text_in_order(text: str) -> None:
    found = words(text)
    assert all(text[w.start : w.end] and w.form for w in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    spans = sentences(text)
    assert all(start < end for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())


# Word vectors


@pytest.mark.parametrize(
    ("spanish", "near", "far"),
    [
        ("escombros", "rubble", "parliament"),
        ("bomberos", "firefighters", "election"),
        ("desfile", "parade", "river"),
        ("inundaciones", "floods", "football"),
        ("alemania", "germany", "tomato"),
    ],
)
def test_translations_lie_close(spanish: str, near: str, far: str) -> None:
    vectors = bundled_vectors()
    one = unit(vectors.lookup("es", [spanish])[0])
    others = unit(vectors.lookup("en", [near, far])[0])
    close, distant = (one @ others.T)[0]
    assert close > 0.5
    assert close > distant + 0.3


def test_lexicon_of_alignments() -> None:
    """Only English words that are known, likeliest first; copied words count little; inflections are left out."""
    rows = unit(np.eye(4, dtype=np.float32))
    aligned = Counter({("casa", "house"): 6, ("casa", "home"): 3, ("casas", "houses"): 2, ("banco", "banco"): 4})
    aligned += Counter({("banco", "bank"): 2, ("nada", "zilch"): 5})
    counts = {
        "es": Counter({"casa": 9, "banco": 6, "nada": 5, "casas": 2}),
        "en": Counter({"house": 80, "home": 380, "bank": 5, "banco": 5}),
    }
    words_, numbers, likely = spanish(counts, aligned, ["house", "home", "bank", "banco"], rows, {"nada"})
    assert words_ == ["casa", "banco", "nada"]
    assert numbers[:2, :2].tolist() == [[0, 1], [2, 3]]
    np.testing.assert_allclose(likely, [[1, 0.25, 0], [1, 0.5, 0], [0, 0, 0]])  # "home" is a common word


def test_unknown_words_and_languages() -> None:
    rows, rare, known = bundled_vectors().lookup("en", ["zzzqqq", "the"])
    assert not rows[0].any()
    assert known.tolist() == [False, True]
    assert rare[0] > rare[1]
    assert bundled_vectors().frequent("en", "government")
    assert not any(bundled_vectors().frequent("en", word) for word in ("zzzqqq", "governmentes"))
    assert not bundled_vectors().frequent("xx", "government")
    assert not bundled_vectors().lookup("xx", ["the"])[2].any()


def test_an_ambiguous_word_has_several_senses() -> None:
    vectors = bundled_vectors()
    senses, likely, rare = vectors.senses("es", ["corredores", "zzzqqq"])
    assert likely[0, 0] == 1 >= likely[0].min() > 0 == likely[1].max()
    assert rare[0] < rare[1]
    meant = senses[0] @ vectors.lookup("en", ["corridors", "runners"])[0].T
    assert meant.max(axis=0).min() > 0.99  # each is met in full …
    mean = vectors.lookup("es", ["corredores"])[0] @ vectors.lookup("en", ["corridors", "runners"])[0].T
    assert mean.max() < 0.9  # … which the mean of both is not
    one, surely, _ = vectors.senses("en", ["runners"])
    np.testing.assert_allclose(one[:, 0], vectors.lookup("en", ["runners"])[0], atol=1e-6)
    assert surely.tolist() == [[1]]
    assert not vectors.senses("xx", ["runners"])[1].any()


def test_a_doubled_letter_is_a_slip() -> None:
    vectors = bundled_vectors()
    right, *slips = vectors._find("es", ["bomberos", "bomberros", "bombeeros"]).tolist()
    assert slips == [right, right]
    assert right >= 0


def test_inflections_stand_in_for_unknown_words() -> None:
    vectors = bundled_vectors()
    numbers = vectors._find("es", ["tranvias", "tranvia"])
    assert numbers[0] >= 0
    assert "pollute" in set(inflections("polluting", "en"))
    assert "bombero" in set(inflections("bomberas", "es"))
    assert not list(inflections("a", "es"))
    assert not list(inflections("tranvias", "xx"))


@given(st.integers(1, 9), st.integers(1, 9))
def test_packed_rows_keep_their_direction(count: int, half: int) -> None:
    rows = np.random.default_rng(count * half).normal(size=(count, 2 * half)).astype(np.float32)
    packed = pack(rows)
    assert packed.shape == (count, half)
    assert (unit(unpack(packed)) * unit(rows)).sum(axis=1).min() > 0.98
    np.testing.assert_array_equal(unpack(pack(unpack(packed))), unpack(packed))


def test_vectors_survive_being_written(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    rows, texts = chance.normal(size=(3, 8)).astype(np.float32), chance.normal(size=(2, 4)).astype(np.float32)
    rare = np.asarray(rarity(np.arange(5.0) * 100, 1e5), np.float32)
    links = np.array([[0, 1], [1, 2]], np.uint16)
    languages = {
        "en": Language(["one", "two", "three"], rare[2:], None, None, np.array([2])),
        "es": Language(["uno", "dos"], rare[:2], links, np.array([[1, 0], [0.5, 0.5]], np.float32), np.array([0])),
    }
    projection = chance.normal(size=(8, 4)).astype(np.float32)
    Vectors.write(tmp_path / "v.npz", languages, rows, texts, projection)
    read = Vectors.read(tmp_path / "v.npz")
    back, rarities, known = read.lookup("en", ["three", "one", "uno"])
    assert known.tolist() == [True, True, False]
    np.testing.assert_allclose(back[:2], unit(rows[[2, 0]]), atol=0.1)
    np.testing.assert_allclose(rarities[:2], rare[[4, 2]], atol=0.006)
    linked, _, _ = read.lookup("es", ["uno", "dos"])
    np.testing.assert_allclose(linked, unit(np.stack([unit(rows)[0], unit(rows)[1] + unit(rows)[2]])), atol=0.1)
    # Vectors for sums: the word's own, else one made from its vector.
    np.testing.assert_allclose(read.summands("en", ["three", "zzz"]), [texts[0], np.zeros(4)], atol=0.3)
    np.testing.assert_allclose(read.summands("es", ["uno"]), texts[1:], atol=0.3)
    np.testing.assert_allclose(read.summands("en", ["two"])[0], unit(rows)[1] * rare[3] @ projection, atol=0.4)


# Linking


def test_paragraph_sentence_and_evidence() -> None:
    source = "Una excavadora retira los escombros en la población de Amizmis"
    for translation in (None, "An excavator clears the rubble in the town of Amizmis"):
        context = linked(QUAKE, source, translation, at=True)
        assert context is not None
        assert context.line == 5
        assert context.text == "Near Amizmiz, a backhoe dragged away the rubble."
        assert QUAKE[context.start : context.end] == context.text
        assert 0.5 < context.score <= 1
        assert 'name "Amizmiz" ("Amizmis" in the caption), in no other paragraph' in context.evidence
        assert any(reason.startswith("word") and "rubble" in reason for reason in context.evidence)
        assert "just before the caption" in context.evidence


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("El rey Mohamed VI, en una imagen de archivo", 3),
        ("Siete aviones de Catar con mantas", 9),
        ("Militares españoles con perros de rescate", 9),
        ("UNA EXCAVADORA RETIRA LOS ESCOMBROS EN AMIZMIZ", 5),
        ("Búsqueda de supervivientes del terremoto", 1),
    ],
)
def test_content_alone_finds_the_paragraph(source: str, line: int) -> None:
    context = linked(QUAKE, source)
    assert context is not None
    assert context.line == line


QUOTED = re.compile(r'"([^"]+)"(?: \("([^"]+)" in the caption\))?')


def wrong_reasons(source: str, found: Caption, paragraph: str) -> list[str]:
    """Reasons of a link that quote what does not stand in the text that they name."""
    assert found.context is not None
    captions = fold(source + "\n" + (found.translation.text if found.translation else ""))
    wrong = []
    for reason in found.context.evidence:
        kind, elsewhere, shown = reason.rpartition("elsewhere in the paragraph: ")
        place = paragraph if elsewhere else found.context.text
        quotations = QUOTED.findall(reason)
        fit = all(fold(there) in fold(place) and fold(here or there) in captions for there, here in quotations)
        if not re.fullmatch(r"name .*|numbers? .*|words? .*", shown):
            fit = not quotations and re.fullmatch(
                r"similar meaning \(-?[01]\.\d\d\)|(just|\d+ paragraphs) (before|after) the caption",
                reason,
            )
        elif not quotations or QUOTED.sub("", shown).replace(", in no other paragraph", "").strip(", ") not in (
            "name",
            "number",
            "word",
            "words",
        ):
            fit = False
        if kind or not fit:
            wrong.append(f"{reason} <- {source}")
    return wrong


def test_reasons_quote_paragraph_and_caption(corpus: Path) -> None:
    """All captions of the gold sets, with and without a translation: what reasons quote stands where they say."""
    wrong, count = [], 0
    for folder in sorted(path for path in corpus.iterdir() if (path / "gold.jsonl").exists()):
        for document in load([folder]).documents:
            article = documents.from_text("\n\n".join(text for _, text in body(document)))
            marks = [mark for mark in document.captions("es") if mark.caption]
            captions = [caption(mark.caption or "", translation=t) for mark in marks for t in (None, mark.reference)]
            for found in link(captions, article.blocks, article):
                if found.context is None:
                    continue
                paragraph = next(block.text for block in article.blocks if block.line == found.context.line)
                wrong += wrong_reasons(found.source, found, paragraph)
                count += sum(len(QUOTED.findall(reason)) for reason in found.context.evidence)
    assert not wrong
    assert count > 1000


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("Soldados de Alemania", 'name "Germany" ("Alemania" in the caption)'),
        ("Soldados de Guatemala", None),
        ("Un perro en la frontera", 'words "border" ("frontera" in the caption), "dog" ("perro" in the caption)'),
        ("Visita a Berlín", 'name "Berlin"'),
        ("Los 3 días de Berlín", 'number "three" ("3" in the caption)'),
        ("Un abuelo de Berlín", None),
    ],
)
def test_reasons_by_meaning_quote_both_words(source: str, reason: str | None) -> None:
    text = "Germany sent a dog to the border with Honduras. Berlin paid an uncle for three days.\n\nMilk costs more."
    article = documents.from_text(text)
    context = link([caption(source)], article.blocks, article)[0].context
    evidence = " / ".join(context.evidence if context else ())
    assert reason in evidence if reason else "Honduras" not in evidence and "uncle" not in evidence


def test_titles_and_peoples_are_no_names() -> None:
    text = "The German Chancellor Hanna Vogel came to Rabat. Others stayed.\n\nMilk costs more.\n\nShares fell."
    article = documents.from_text(text)
    given = caption("La canciller alemana Hanna Vogel en Rabat", translation="German Chancellor Hanna Vogel in Rabat")
    context = link([given], article.blocks, article)[0].context
    assert context is not None
    names = {reason for reason in context.evidence if reason.startswith("name")}
    assert names == {'name "Hanna Vogel", in no other paragraph', 'name "Rabat", in no other paragraph'}
    assert any(
        reason.startswith("words") and '"Chancellor"' in reason and '"German"' in reason for reason in context.evidence
    )


def test_none_where_nothing_fits() -> None:
    text = "The bank raised its rate to 4.5 per cent.\n\nAnalysts had expected it, and shares hardly moved.\n"
    assert linked(text, "El actor Rogelio Vidaurre saluda a sus seguidores en Cannes") is None


def test_likeliest_places() -> None:
    article = documents.from_text(QUAKE)
    paragraphs = [block for block in article.blocks if block.line != 7]
    captions = [caption("Siete aviones de Catar con mantas"), caption("El actor Rogelio Vidaurre en Cannes")]
    known, stranger_ = (c.candidates for c in link(captions, paragraphs, article))
    assert known[0].line == 9
    assert stranger_[0].line is None
    assert all(sorted(c.line or 0 for c in candidates) == [0, 1, 3, 5, 9] for candidates in (known, stranger_))
    assert link(captions[:1], [], article)[0].candidates == (Candidate(None, 1.0),)
    assert link([], paragraphs, article) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("La canciller Ángela Mirkel saluda en Rabat", 1.0),  # the place is known, the person is not
        ("El rey Mohamed VI saluda a Ángela Mirkel", 0.0),  # one of the two people is known
        ("Una calle de Douzrou", 0.0),  # an unknown place
        ("Nuria Escalante, ante los escombros", 1.0),  # a given name
        ("Colas ante el hospital Isabel Zendal", 0.0),  # an institution
        ("El buque Sophie Germain", 0.0),
        ("La Reina Letizia", 1.0),
        ("una calle en ruinas", 0.0),  # no name at all
    ],
)
def test_strangers(source: str, expected: float) -> None:
    place = Place([block.text for block in documents.from_text(QUAKE).blocks], bundled_vectors())
    side = place.side(source, "es")
    assert side is not None
    assert stranger(side) == expected


def test_a_year_that_the_article_does_not_name() -> None:
    place = Place(
        [block.text for block in documents.from_text(QUAKE + "\nIn 2004 it was Al Hoceima.").blocks], bundled_vectors()
    )
    sides = {text: place.side(text, "es") for text in ("Rabat, en 1960", "Alhucemas, en 2004", "Los 2.122 muertos")}
    assert [year(side) for side in sides.values() if side] == [1.0, 0.0, 0.0]


def test_no_word_means_a_number() -> None:
    place = Place(["Bayern's 2-1 victory.", "Seven ministers were there."], bundled_vectors())
    side = place.side("La ministra estuvo presente ante 7 colegas", "es")
    assert side is not None
    numbers = [i for i, form in enumerate(place.forms) if form in ("1", "2", "seven")]
    assert [word.form for word, row in zip(side.words, side.match, strict=True) if row[numbers].any()] == ["7"]


@pytest.mark.parametrize(
    ("text", "language", "there"),
    [
        ("Protesta el 3 de febrero", "es", False),
        ("Protest on 3 February", "en", False),
        ("Las 3 víctimas", "es", True),
    ],
)
def test_a_day_is_no_count(text: str, language: str, there: bool) -> None:
    place = Place(["He was tried three times.", "The court sat on Monday."], bundled_vectors())
    side = place.side(text, language)
    assert side is not None
    day = next(i for i, word in enumerate(side.words) if word.form == "3")
    assert bool(side.paragraph_match[day].max()) is there


def test_a_spanish_name_is_no_month() -> None:
    place = Place(["The vote takes place in July.", "Protesters marched through Lima."], bundled_vectors())
    side = place.side("El diputado Julio Guzmán, en la marcha", "es")
    assert side is not None
    (name,) = runs(side)
    assert [side.words[i].form for i in name] == ["julio", "guzman"]
    assert side.paragraph_match[name].max() < 0.5


@pytest.mark.parametrize(("position", "slot"), [(1, 0), (3, 1), (4, 1), (9, 3)])
def test_slot(position: int, slot: int) -> None:
    assert slot_of(position, [7, 2, 5]) == slot


def test_place_counts_only_for_captions_that_have_one() -> None:
    place = Place(["One thing happened.", "Another happened.", "A third one did."], bundled_vectors())
    nowhere = compare(place, ("Algo", "es"), None, None)
    assert not nowhere.table[:, [PAIR.index(f) for f in ("before", "after", "above", "below")]].any()
    here = compare(place, ("Algo", "es"), None, 1).table
    assert here[:-1, PAIR.index("before")].tolist() == [1, 0, 0]
    assert here[:-1, PAIR.index("after")].tolist() == [0, 1, 0]
    np.testing.assert_allclose(here[:-1, PAIR.index("below")], [0, 0, np.log(2)], rtol=1e-6)
    assert not here[:-1, PAIR.index("above")].any()
    np.testing.assert_array_equal(nowhere.moved(1), here)


TEXTS = st.lists(st.text(max_size=60) | st.sampled_from(QUAKE.split("\n\n")), max_size=5)


@settings(deadline=None, max_examples=60)
@given(
    paragraphs=TEXTS,
    sources=st.lists(st.text(max_size=60), max_size=4),
    translated=st.text(max_size=40),
    seed=st.randoms(),
)
def test_any_input(paragraphs: list[str], sources: list[str], translated: str, seed: object) -> None:
    """Never a crash; spans inside the paragraph; the same links in any order of the captions, and twice the same."""
    text = "\n".join(" ".join(p.split("\n")) for p in paragraphs)
    article = documents.from_text(text)
    captions = [
        caption(source, line=1 + i, start=min(i * 7, len(text)), translation=translated if i % 2 else None)
        for i, source in enumerate(sources)
    ]
    found = link(captions, article.blocks, article)
    assert len(found) == len(captions)
    lines = {block.line for block in article.blocks}
    for context in (item.context for item in found):
        if context is not None:
            assert text[context.start : context.end] == context.text.strip() != ""
            assert context.line in lines
            assert 0 <= context.score <= 1
    # A line can hold several blocks (a lone carriage return parts them).
    places = [*(block.line for block in article.blocks if block.text.strip()), None]
    for item in found:
        assert item.candidates[0].line == (item.context.line if item.context else None)
        assert len(item.candidates) == min(len(places), 5)
        assert {candidate.line for candidate in item.candidates} == set(places) or len(places) > 5
        assert sum(candidate.score for candidate in item.candidates) <= 1.001
        assert all(a.score >= b.score for a, b in pairwise(item.candidates))
    order = list(range(len(captions)))
    seed.shuffle(order)  # type: ignore[attr-defined]
    again = link([captions[i] for i in order], tuple(reversed(article.blocks)), article)
    assert [again[order.index(i)] for i in range(len(captions))] == found


def test_markup_inside_a_paragraph() -> None:
    html = "<p>Three <b>days</b> of mourning.</p><p>Near <i>Amizmiz</i>, a backhoe dragged away the rubble.</p>"
    article = documents.from_bytes(html.encode(), "a.html", "html")
    context = link([caption("Una excavadora en Amizmiz")], article.blocks, article)[0].context
    assert context is not None
    assert context.text == "Near Amizmiz, a backhoe dragged away the rubble."
    assert article.text[context.start : context.end].startswith("Near <i>Amizmiz</i>")


# The fit


def test_stored_weights_are_those_of_the_features() -> None:
    stored = json.loads(data("link.json").read_text(encoding="utf8"))
    assert tuple(stored["weights"]) == FEATURES == PAIR + NONE
    assert stored["figures"]["held_out"]
    weights = dict(zip(FEATURES, bundled_model().weights, strict=True))
    assert (
        min(weights[f] for f in ("name", "word", "strongest", "meaning", "before", "unmatched"))
        > 0
        > max(weights["above"], weights["below"])
    )


@given(st.floats(0, 1), st.floats(0, 1))
def test_probability_grows_with_the_share(one: float, other: float) -> None:
    model = bundled_model()
    low, high = sorted((model.probability(one), model.probability(other)))
    assert 0 <= low <= high <= 1
    assert (one < other) <= (model.probability(one) <= model.probability(other))


def test_accuracy_on_the_written_sets(corpus: Path) -> None:
    """Sources and references alone, on held-out documents: no caption is judged by weights that saw it."""
    documents_ = load([corpus / "written", corpus / "linked"]).documents
    seen = examples(documents_, {})
    chosen = held_out(seen)
    reached = accuracies(chosen)
    assert reached["source"] >= 0.83
    assert reached["reference"] >= 0.86
    slope, offset = calibrate(chosen)
    assert 0.5 < slope < 1.5
    # Calibration: among held-out captions, the mean probability is the share of right links.
    model = Model(fit(seen), slope, offset)
    mean = np.mean([model.probability(share) for _, share, _ in chosen])
    assert mean == pytest.approx(np.mean([right for *_, right in chosen]), abs=0.01)


def test_fit_finds_what_decides() -> None:
    """On captions whose right paragraph is always the one with the larger "name", that weight alone grows."""
    chance = np.random.default_rng(3)
    seen = []
    for i in range(60):
        table = np.zeros((4, len(FEATURES)), np.float32)
        table[:3, :4] = chance.random((3, 4))
        right = np.zeros(4, bool)
        right[table[:3, 0].argmax()] = True
        seen.append(Example(f"d{i}", "source", True, table, right, 1.0))
    weights = fit(seen)
    assert weights[0] > 5 * np.abs(weights[1:]).max()


# The command


def test_command(tmp_path: Path, aligner) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.txt").write_text(QUAKE, encoding="utf8")
    (tmp_path / "c.txt").write_text(
        "Una excavadora retira los escombros en la población de Amizmis\n\nEl actor Rogelio Vidaurre en Cannes\n",
        encoding="utf8",
    )
    done = aligner("link", "--format", "jsonl", tmp_path / "a.txt", tmp_path / "c.txt")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["line"] == 7
    assert first["context"]["line"] == 5
    assert (second["line"], second["translation"]) == (None, None)
    table = aligner("link", tmp_path / "a.txt", tmp_path / "c.txt")
    assert table.returncode == 0
    assert "because" in table.stdout
    objects = '{"source": "Siete aviones con mantas", "translation": {"text": "Seven planes with blankets"}}\n'
    piped = aligner("link", "-f", "json", tmp_path / "a.txt", "-", stdin=objects)
    (only,) = json.loads(piped.stdout)
    assert only["context"]["line"] == 9
    translated = aligner(
        "link", "-f", "json", "--translate", "--model", "es-en", tmp_path / "a.txt", tmp_path / "c.txt"
    )
    assert "rubble" in json.loads(translated.stdout)[0]["translation"].lower()
    unknown = aligner("link", "--translate", "--model", "es-xx", tmp_path / "a.txt", tmp_path / "c.txt")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "unknown model 'es-xx'" in unknown.stderr
    unused = aligner("link", "--model", "es-en", tmp_path / "a.txt", tmp_path / "c.txt")
    assert (unused.returncode, unused.stdout) == (2, "")
    assert "--translate" in unused.stderr


@pytest.mark.parametrize(
    ("captions", "code", "says"),
    [
        ("", 2, "no captions"),
        ('{"source": 3}\n', 2, ":1:"),
        ('{"source": "x"}\nnope\n', 2, ":2:"),
        ('{"source": "x", "translation": 7}\n', 2, "translation"),
        (None, 1, "cannot be read"),
    ],
)
def test_command_mistakes(tmp_path: Path, aligner, captions: str | None, code: int, says: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.txt").write_text(QUAKE, encoding="utf8")
    if captions is not None:
        (tmp_path / "c.txt").write_text(captions, encoding="utf8")
    done = aligner("link", tmp_path / "a.txt", tmp_path / "c.txt")
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_both_from_stdin(aligner) -> None:  # type: ignore[no-untyped-def]
    done = aligner("link", "-", "-", stdin="x")
    assert (done.returncode, done.stdout) == (2, "")


def test_caption_given_twice_is_placed_twice() -> None:
    from aligner.cli.link import placed

    text = "Foto de archivo\n\nA body line.\n\nFoto de archivo\n"
    found = placed(
        [caption("Foto de archivo"), caption("Foto de archivo"), caption("Foto de archivo")], documents.from_text(text)
    )
    assert [c.line for c in found] == [1, 5, 0]
    assert [text[c.start : c.end] for c in found[:2]] == ["Foto de archivo"] * 2


def test_fold() -> None:
    assert fold("ÁÑÜçß İ") == "anucß i"


def test_a_caption_inside_its_paragraph_is_in_place() -> None:
    article = documents.from_text(QUAKE)
    one = replace(caption("Una excavadora", line=7, start=QUAKE.find("Una excavadora")))
    assert link([one], article.blocks, article)[0].context is not None
