"""Systems to compare with: the source left as it is, Apertium, and any Marian model."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aligner.errors import TranslationError


@dataclass(frozen=True, slots=True)
class Baseline:
    """A system that translates on demand.

    Attributes:
        name: what it is called in scores.
        translate: source texts in, translations out, in the same order.
        languages: ISO 639-1 codes of source and target.
    """

    name: str
    translate: Callable[[Sequence[str]], list[str]]
    languages: tuple[str, str] = ("es", "en")


# Apertium names languages by ISO 639-3 code.
_THREE = {"es": "spa", "en": "eng", "ca": "cat", "fr": "fra", "pt": "por", "it": "ita", "gl": "glg"}


_ENGINES = ("ctranslate2", "transformers")


def copy_source(languages: tuple[str, str] = ("es", "en")) -> Baseline:
    """The caption left untranslated: what the article scores as it is."""
    return Baseline("copy-source", list, languages)


def apertium(languages: tuple[str, str] = ("es", "en")) -> Baseline | None:
    """Apertium's rules for the language pair (Forcada et al. 2011), or None where they are not installed."""
    program = shutil.which("apertium")
    if program is None:
        return None
    modes = subprocess.run([program, "-l"], capture_output=True, text=True, check=False).stdout.split()
    long = "-".join(_THREE.get(code, code) for code in languages)
    pair = next((mode for mode in (long, "-".join(languages)) if mode in modes), None)
    if pair is None:
        return None

    def translate(texts: Sequence[str]) -> list[str]:
        # A blank line between captions keeps Apertium from moving words from one to the next; -u leaves out
        # the marks of unknown words.
        lines = [" ".join(text.split()) for text in texts]
        filled = [line for line in lines if line]
        done = subprocess.run(
            [program, "-u", pair],
            input="\n\n".join(filled),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            raise TranslationError(f"apertium {pair} failed: {done.stderr.strip()[-300:]}")
        result = done.stdout.split("\n\n") if filled else []
        if len(result) != len(filled):
            raise TranslationError(f"apertium {pair} gave {len(result)} texts for {len(filled)}")
        rest = iter(result)
        return [next(rest).strip() if line else "" for line in lines]

    return Baseline(f"apertium {pair}", translate, languages)


def model(name: str, languages: tuple[str, str] = ("es", "en")) -> Baseline:
    """A Marian model: a bundled name, a local folder or a hub id; ``ENGINE:`` in front chooses the engine.

    Raises:
        ModelError: the model cannot be loaded.
        UsageError: an unknown model or engine.
    """
    from aligner.translation import Translator

    engine, _, rest = name.partition(":")
    translator = Translator.open(rest, engine=engine) if engine in _ENGINES else Translator.open(name)
    return Baseline(name, lambda texts: [t.text for t in translator.translate(list(texts))], languages)
