"""Says in words why a caption was linked to a paragraph."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aligner.context.features import PAIR, Compared, Place, Side
from aligner.context.model import Model
from aligner.context.words import fold

# Evidence that adds less than this to a paragraph's score (natural log-odds) is not worth a reader's time.
WORTH = 0.1
# Nor is a cosine of less, however much it is above the other paragraphs'.
MEANING = 0.3
# So many words are shown at most.
WORDS = 4
# Words are shown if they match at least so well (0 … 1): names by their spelling, others as translations of each other
# ("car", "coche"), not only as related ("uncle", "abuelo"), unless they tell nothing (rarity) in any text ("put").
SPELLED, TRANSLATED, TELLING = 0.6, 0.8, 0.65
# Names and dates of less like meaning are two, however near: Guatemala is not Honduras, but "Alemania" is Germany.
SAME_NAME = 0.95


@dataclass(frozen=True, slots=True)
class _Said:
    """What a caption has for a word of the paragraph: how well they match, and how its text prints it."""

    match: float
    same: bool
    printed: str


def reasons(
    place: Place,
    compared: Compared,
    model: Model,
    paragraph: int,
    sentence: tuple[int, int],
    slot: int | None,
) -> tuple[str, ...]:
    """Readable evidence for a paragraph, strongest first.

    Args:
        place: the article.
        compared: the caption against it.
        model: the weights by which evidence is ranked.
        paragraph: index of the chosen paragraph.
        sentence: span in it of the sentence that is shown; what stands in another is said to.
        slot: number of paragraphs in front of the caption, None if it stands nowhere.
    """
    weight = dict(zip(PAIR, map(float, model.weights), strict=False))
    row = dict(zip(PAIR, map(float, compared.table[paragraph]), strict=False))
    mean = dict(zip(PAIR, map(float, compared.table[:-1].mean(axis=0)), strict=False))
    found = _words(place, compared, weight, paragraph, sentence)
    if (likeness := row["meaning"] / 5) >= MEANING:
        found[f"similar meaning ({likeness:.2f})"] = weight["meaning"] * (row["meaning"] - mean["meaning"])
    if slot is not None:
        near = sum(weight[f] * (row[f] - mean[f]) for f in ("before", "after", "above", "below"))
        if paragraph == slot - 1:
            found["just before the caption"] = near
        elif paragraph == slot:
            found["just after the caption"] = near
        else:
            away = slot - paragraph if paragraph < slot else paragraph - slot + 1
            found[f"{away} paragraphs {'before' if paragraph < slot else 'after'} the caption"] = near
    return tuple(sorted((label for label in found if found[label] >= WORTH), key=lambda label: -found[label]))


def _words(
    place: Place, compared: Compared, weight: dict[str, float], paragraph: int, sentence: tuple[int, int]
) -> dict[str, float]:
    """Names, numbers and words that caption and paragraph share, with what each adds to the paragraph's score.

    A word is quoted as the paragraph prints it; where the caption has it otherwise, as that prints it, too.
    """
    worth: dict[int, float] = defaultdict(float)
    names: set[int] = set()
    numbers: set[int] = set()
    small: set[int] = set()
    said: list[dict[int, _Said]] = []
    columns = place.paragraph_columns(paragraph)
    for side in compared.sides if len(columns) else ():
        added = _worth(side, weight, paragraph)
        mine: dict[int, float] = defaultdict(float)
        words: dict[int, _Said] = {}
        for i in range(len(side.words)):
            column = int(columns[int(side.match[i, columns].argmax())])
            match = float(side.match[i, column])
            same = fold(side.printed(i)) == fold(place.printed(paragraph, column))
            if side.language != place.language and match >= TRANSLATED and not (side.name[i] or side.words[i].capital):
                small.add(column)
            proper = side.name[i] or place.is_date[column]
            if proper:
                enough = match >= (SPELLED if side.spelled[i, column] else SAME_NAME)
            else:
                enough = match >= TRANSLATED and (same or bool(side.number[i]) or side.rarity[i] >= TELLING)
            if not enough:
                continue
            mine[column] += float(added[i])
            words[column] = max(words.get(column, _SAID_NOTHING), _Said(match, same, side.printed(i)), key=_likeness)
            if side.name[i] and (place.is_sure_name[column] or not side.words[i].first):
                names.add(column)
            if side.number[i]:
                numbers.add(column)
        said.append(words)
        for column in mine:
            worth[column] = max(worth[column], mine[column])
    # What the caption's language writes small is no name: "canciller alemana" is a German Chancellor.
    names -= small

    def quoted(group: list[int], span: tuple[int, int]) -> str | None:
        """Words as the paragraph prints them, with what one text of the caption prints for them; None if none does."""
        there = " ".join(place.printed(paragraph, column, span) for column in group)
        for words, side in sorted(
            zip(said, compared.sides, strict=True),
            key=lambda pair: -sum(pair[0][c].same for c in group if c in pair[0]),
        ):
            if all(column in words for column in group):
                here = " ".join(words[column].printed for column in group)
                if fold(here) in fold(side.text):
                    same = all(words[column].same for column in group)
                    return f'"{there}"' if same else f'"{there}" ("{here}" in the caption)'
        return None

    found: dict[str, float] = {}
    whole = (0, len(place.texts[paragraph]))
    inside = {column for column in worth if place.stands_in(paragraph, column, sentence)}
    for chosen, span, where in ((inside, sentence, ""), (set(worth) - inside, whole, "elsewhere in the paragraph: ")):
        for group in place.adjacent(paragraph, names & chosen, span):
            for name in [group] if quoted(group, span) else [[column] for column in group]:
                only = min(place.spread(column) for column in name) == 1 and len(place.texts) > 2
                label = f"{where}name {quoted(name, span)}" + (", in no other paragraph" if only else "")
                found[label] = sum(worth[column] for column in name)
        for column in numbers & chosen:
            found[f"{where}number {quoted([column], span)}"] = worth[column]
        plain = sorted(chosen - names - numbers, key=lambda column: -worth[column])
        plain = [column for column in plain if worth[column] >= WORTH / 2][:WORDS]
        if plain:
            label = ", ".join(str(quoted([column], span)) for column in plain)
            found[f"{where}word{'s' if len(plain) > 1 else ''} {label}"] = sum(worth[column] for column in plain)
    return found


_SAID_NOTHING = _Said(0.0, False, "")


def _likeness(said: _Said) -> tuple[bool, float]:
    return said.same, said.match


def _worth(side: Side, weight: dict[str, float], paragraph: int) -> NDArray[np.float64]:
    """What each word of a text adds to a paragraph's score."""
    kind = np.where(side.name, weight["name"], np.where(side.number, 0.0, weight["word"]))
    worth = kind * side.weight * side.own[:, paragraph]
    worth = worth + weight["number"] * side.number * side.locality * side.paragraph_match[:, paragraph]
    telling = side.telling[:, paragraph]
    strongest = int(telling.argmax())
    worth[strongest] += weight["strongest"] * telling[strongest]
    return np.asarray(worth, float)
