"""Names spelled as in the article, before and after, and the choice among hypotheses, in one run.

    python tests/benchmarks/bench_names.py corpus/written corpus/linked … [--model MODEL] [--json] [--misses]

Captions, references and body paragraphs are those of the gold. A *name of the article* is a word of its body that has a
capital inside a sentence there and never a small first letter; it has three letters or is an acronym, and is neither a
month, a weekday nor a title. ``names`` is the share of such words of the references (without captions in capitals)
that stand in the translations, with their counts; ``references`` counts the references that the rewriting of names
would change, of which there should be none. ``letters alone``: without the attention of the model. Times are those of
the processor.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sacrebleu.metrics import BLEU, CHRF

from aligner.context.fit import body
from aligner.context.words import DATES, TITLES
from aligner.pipeline import N_BEST
from aligner.scoring.figures import numbers
from aligner.scoring.gold import load
from aligner.translation import Hypothesis, Translator
from aligner.translation.mentions import Mentions, tokens
from aligner.translation.pairing import pairs
from aligner.translation.rerank import ArticleChoice
from aligner.translation.respelling import respell

Choice = Callable[[ArticleChoice, Sequence[Hypothesis]], str]
SYSTEMS: dict[str, Choice] = {
    "model alone": lambda article, found: found[0].text,
    "names, letters alone": lambda article, found: article.choose([replace(found[0], alignment=None)]).text,
    "names": lambda article, found: article.choose(found[:1]).text,
    "names and choice": lambda article, found: article.choose(found).text,
}


def wanted(mentions: Mentions, reference: str) -> Counter[str]:
    """The article's names in a reference."""
    inside = {
        token.form
        for found in mentions.tokens
        for token in found
        if token.capital
        and not token.first
        and token.key not in mentions.small
        and token.key not in DATES | TITLES
        and (len(token.form) > 2 or (len(token.form) > 1 and token.form.isupper()))
    }
    return Counter(token.form for token in tokens(reference) if token.form in inside)


def measure(folder: Path, translator: Translator, misses: bool) -> list[dict[str, Any]]:
    items = []
    for document in load([folder]).documents:
        article = ArticleChoice(tuple(text for _, text in body(document)))
        items += [(article, mark) for mark in document.marks if mark.kind == "caption_es" and mark.reference]
    sources = [mark.caption or "" for _, mark in items]
    references = [mark.reference or "" for _, mark in items]
    found = translator.hypotheses(sources, N_BEST, alignment=True)
    changed = 0
    for (article, _), reference, (first, *_) in zip(items, references, found, strict=True):
        names = pairs(first.source, article.mentions)
        changed += respell(reference, None, first.source, names, article.mentions).text != reference
    rows = []
    for name, choice in SYSTEMS.items():
        began = time.process_time()
        texts = [choice(article, one) for (article, _), one in zip(items, found, strict=True)]
        took = time.process_time() - began
        kept = total = figures = figures_kept = 0
        for (article, _), source, reference, text in zip(items, sources, references, texts, strict=True):
            digits = numbers(source) & numbers(reference)
            figures, figures_kept = figures + digits.total(), figures_kept + (digits & numbers(text)).total()
            if reference.isupper():
                continue
            names = wanted(article.mentions, reference)
            has = Counter(token.form for token in tokens(text))
            kept, total = kept + (names & has).total(), total + names.total()
            if misses and (lost := names - has) and choice is SYSTEMS["names and choice"]:
                print(folder.name, *lost, "|", source, "|", text)
        row = {"set": folder.name, "system": name, "names": round(kept / max(1, total), 3), "of": total}
        row |= {"numbers": round(figures_kept / max(1, figures), 3)}
        row |= {"chrF2": round(CHRF().corpus_score(texts, [references]).score, 2)}
        row |= {"BLEU": round(BLEU().corpus_score(texts, [references]).score, 2)}
        row |= {"references": f"{changed} of {len(items)}", "ms a caption": round(1000 * took / max(1, len(items)), 2)}
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+", type=Path)
    parser.add_argument("--model", default="es-en")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--misses", action="store_true", help="print the names that are missing")
    args = parser.parse_args()
    translator = Translator.open(args.model, threads=1)
    rows = [row for folder in args.gold for row in measure(folder, translator, args.misses)]
    if args.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
