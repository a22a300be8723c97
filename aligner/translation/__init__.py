"""Translation: MarianMT models on CTranslate2 or transformers, with a guard around them."""

from aligner.translation.translator import Hypothesis, Translator

__all__ = ["Hypothesis", "Translator"]
