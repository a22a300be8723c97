"""Says in words why a caption was linked to a paragraph."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from aligner.context.features import PAIR, Compared, Place, Side
from aligner.context.model import Model
from aligner.context.words import fold

# Evidence that adds less than this to a paragraph's score (natural log-odds) is not worth a reader's time.
WORTH = 0.1
# A word is shown if it matched at least so well (0 … 1), and so many of them at most.
SHOWN, WORDS = 0.6, 4
# Names and dates of less like meaning are two, however near: Guatemala is not Honduras, but "Alemania" is Germany.
SAME_NAME = 0.95
QUOTE = '"'


def reasons(
    place: Place,
    compared: Compared,
    model: Model,
    paragraph: int,
    slot: int | None,
) -> tuple[str, ...]:
    """Readable evidence for a paragraph, strongest first.

    Args:
        place: the article.
        compared: the caption against it.
        model: the weights by which evidence is ranked.
        paragraph: index of the chosen paragraph.
        slot: number of paragraphs in front of the caption, None if it stands nowhere.
    """
    weight = dict(zip(PAIR, map(float, model.weights), strict=False))
    row = dict(zip(PAIR, map(float, compared.table[paragraph]), strict=False))
    mean = dict(zip(PAIR, map(float, compared.table[:-1].mean(axis=0)), strict=False))
    found = _words(place, compared, weight, paragraph)
    found[f"similar meaning ({row['meaning'] / 5:.2f})"] = weight["meaning"] * (row["meaning"] - mean["meaning"])
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


def _words(place: Place, compared: Compared, weight: dict[str, float], paragraph: int) -> dict[str, float]:
    """Names, numbers and words that caption and paragraph share, with what each adds to the paragraph's score.

    A word is shown as the paragraph prints it; where the caption has it otherwise, as that prints it, too.
    """
    worth: dict[int, float] = defaultdict(float)
    names: set[int] = set()
    numbers: set[int] = set()
    said: dict[int, tuple[bool, float, str]] = {}
    columns = place.paragraph_columns(paragraph)
    for side in compared.sides:
        added = _worth(side, weight, paragraph)
        mine: dict[int, float] = defaultdict(float)
        for i in range(len(side.words)):
            if not len(columns):
                break
            column = int(columns[int(side.match[i, columns].argmax())])
            match = float(side.match[i, column])
            proper = side.name[i] or place.is_date[column]
            if match < SHOWN or (proper and not side.spelled[i, column] and match < SAME_NAME):
                continue
            same = fold(side.printed(i)) == fold(place.printed(paragraph, column))
            mine[column] += float(added[i])
            said[column] = max(said.get(column, (False, 0.0, "")), (same, match, side.printed(i)))
            if side.name[i]:
                names.add(column)
            if side.number[i]:
                numbers.add(column)
        for column in mine:
            worth[column] = max(worth[column], mine[column])

    def shown(group: list[int], quote: str = "") -> str:
        there = " ".join(place.printed(paragraph, column) for column in group)
        label = f"{quote}{there}{quote}"
        if not all(said[column][0] for column in group):
            label += f" for {quote}{' '.join(said[column][2] for column in group)}{quote}"
        return label

    found: dict[str, float] = {}
    for name in place.adjacent(paragraph, names):
        single = min(place.spread(column) for column in name) == 1 and len(place.texts) > 2
        found[f"name {shown(name, QUOTE)}" + (" (rare)" if single else "")] = sum(worth[column] for column in name)
    for column in numbers:
        found[f"number {shown([column])}"] = worth[column]
    plain = sorted(set(worth) - names - numbers, key=lambda column: -worth[column])
    plain = [column for column in plain if worth[column] >= WORTH / 2][:WORDS]
    if plain:
        label = "word " if len(plain) == 1 else "words "
        label += ", ".join(shown([column]) for column in plain)
        found[label] = sum(worth[column] for column in plain)
    return found


def _worth(side: Side, weight: dict[str, float], paragraph: int) -> NDArray[np.float64]:
    """What each word of a text adds to a paragraph's score."""
    kind = np.where(side.name, weight["name"], np.where(side.number, 0.0, weight["word"]))
    worth = kind * side.weight * side.own[:, paragraph]
    worth = worth + weight["number"] * side.number * side.locality * side.paragraph_match[:, paragraph]
    telling = side.telling[:, paragraph]
    strongest = int(telling.argmax())
    worth[strongest] += weight["strongest"] * telling[strongest]
    return np.asarray(worth, float)
