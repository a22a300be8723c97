"""Words that the model made up: looked up in a lexicon where attention tells what they stand for, else named.

A small model spells rare words from pieces, and the result may be no word: "mochile" for "mochila". Such a word is in
neither the English word list, the article nor the caption. Replacing it by the lexicon's word for the source word that
it attends to is the look-up of unknown words of Luong et al. 2015 ("Addressing the Rare Word Problem in Neural Machine
Translation"). List and lexicon are the linker's (:mod:`aligner.context.vectors`).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from aligner.translation import guard
from aligner.translation.names import FUNCTION_WORDS, Token, is_english, is_english_name, tokens

if TYPE_CHECKING:
    from aligner.translation.translator import Choose, Hypothesis, Matrix

#: Letters of the shortest word that is looked at: shorter ones are acronyms and particles.
SHORTEST = 4
#: Least attention on a source word for it to come into question; least of attention and half the likeness of letters
#: together for the look-up.
FAINTEST, LEAST = 0.1, 0.3
#: How many times likelier a lexicon's word is that the article has.
IN_ARTICLE = 3.0


def mend(hypothesis: Hypothesis, article: Container[str]) -> Hypothesis:
    """A Spanish caption's English translation without made-up words, as far as the lexicon goes.

    Args:
        hypothesis: the translation; without alignment words are named, not replaced.
        article: folded words of the article, which are no made-up ones.

    Returns:
        The translation with each such word looked up (problem ``looked-up``) or named (problem ``unknown-word``). Names
        stay as they are: those that neither caption nor article has are named.
    """
    words = tokens(hypothesis.text)
    odd = [token for token in words if _is_odd(token, hypothesis.text) and token.key not in article]
    if not odd:
        return hypothesis
    source = tokens(hypothesis.source)
    copied = {token.key for token in source}
    text, problems = hypothesis.text, list(hypothesis.problems)
    for token in reversed(odd):
        origin = _origin(token, source, hypothesis.alignment)
        name = token.capital and not token.first
        if origin is None or name or (origin.capital and not origin.first):
            found = None
        else:
            found = _looked_up(origin.key, article, plural=token.key.endswith("s"))
        if found is None:
            if token.key not in copied:
                problems.append(guard.Problem("unknown-word", token.form))
            continue
        form = found.upper() if token.form.isupper() else found.capitalize() if token.capital else found
        text = text[: token.start] + form + text[token.end :]
        problems.append(guard.Problem("looked-up", f'"{form}" for "{origin.form}"'))  # type: ignore[union-attr]
    if text != hypothesis.text and any(problem.code == "untranslated" for problem in problems):
        still = guard.check(hypothesis.source, text)
        problems = [problem for problem in problems if problem.code != "untranslated" or problem in still]
    problems.sort(key=lambda problem: -guard.CODES[problem.code])
    return replace(hypothesis, text=text, problems=tuple(problems))


def _is_odd(token: Token, text: str) -> bool:
    """Whether a word is none that English is known to have."""
    joined = text[max(0, token.start - 1) : token.start] + text[token.end : token.end + 1]
    return len(token.key) >= SHORTEST and token.key.isalpha() and "-" not in joined and not _is_known(token.key)


@lru_cache(maxsize=20_000)
def _is_known(key: str) -> bool:
    """Whether a folded word is English: listed, an inflection or a compound of listed words ("sea" + "front")."""
    from aligner.context.vectors import bundled_vectors

    vectors = bundled_vectors()
    if is_english(key) or vectors.knows("en", key):
        return True
    halves = ((key[:cut], key[cut:]) for cut in range(3, len(key) - 3))
    return any(vectors.frequent("en", first) and vectors.frequent("en", second) for first, second in halves)


def _origin(token: Token, source: Sequence[Token], alignment: Matrix | None) -> Token | None:
    """The source word that a word of the translation stands for: attention first, then likeness of letters."""
    from rapidfuzz import fuzz

    if alignment is None or token.place >= len(alignment):
        return None
    row, best, most = alignment[token.place], None, LEAST
    for word in source:
        if word.key in FUNCTION_WORDS or word.place >= len(row) or row[word.place] < FAINTEST:
            continue
        worth = row[word.place] + fuzz.ratio(token.key, word.key) / 200
        if worth >= most:
            best, most = word, worth
    return best


def _looked_up(key: str, article: Container[str], *, plural: bool) -> str | None:
    """The lexicon's English word for a folded Spanish one; demonyms with their capital.

    ``plural`` says that what the model wrote ends like one; if the Spanish word does so too, it is one.
    """
    from aligner.context.vectors import bundled_vectors

    vectors = bundled_vectors()
    links = [link for link in vectors.links("es", key) if not is_english_name(link[0].capitalize(), "place")]
    if not links:
        return None
    found, _ = max(links, key=lambda link: link[1] * (IN_ARTICLE if link[0] in article else 1.0))
    if plural and key.endswith("s") and not found.endswith("s"):
        found = _plural(found)
    return found.capitalize() if is_english_name(found.capitalize(), "demonym") else found


def _plural(noun: str) -> str:
    if noun.endswith(("x", "ch", "sh")):
        return noun + "es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else noun + "s"


def chooser(choose: Choose | None = None) -> Choose:
    """A choice among hypotheses that mends all of them first, for captions without an article.

    Args:
        choose: picks among the mended ones; None takes the first.
    """

    def chosen(index: int, hypotheses: Sequence[Hypothesis]) -> Hypothesis:
        if choose is None:
            return mend(hypotheses[0], ())
        return choose(index, [mend(hypothesis, ()) for hypothesis in hypotheses])

    return chosen
