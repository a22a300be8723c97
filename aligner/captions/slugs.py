"""Bare picture names: file names, and words without a capital that are no sentence."""

from __future__ import annotations

import re

from aligner.captions import credits
from aligner.captions.credits import Part
from aligner.captions.evidence import Weigher
from aligner.captions.findings import PICTURE, Found
from aligner.captions.language import WORD
from aligner.documents import Block

_IMAGE = re.compile(r"\S+\.(?i:jpe?g|png|gif|webp|avif|tiff?)|(?:IMG|DSC|DSCN|DSCF)[-_]?\d{3,}\S*")
_UNDERSCORED = re.compile(r"[^][()=\"`<>]+")
_HYPHENATED = re.compile(r"[^\W\d_]+(?:-[^\W_]+)+")
_FILE = re.compile(r"\w*[_\d]\w*(?:[-_.]\w+)*|[^\W\d_]+(?:[-_][^\W_]+)+(?:\.\w{2,4})?")


class Slugs:
    """Tells bare picture names in a document of one format.

    Args:
        weigher: of the two languages.
        format: of the document; only plain text has slugs of any kind on lines of their own.
    """

    def __init__(self, weigher: Weigher, format: str) -> None:
        self.weigher = weigher
        self.format = format

    def find(self, block: Block, text: str) -> Found | None:
        """A bare picture name: a file name, or a few words without a capital that are no sentence."""
        words = text.split()
        if len(text) > 80 or (len(words) > 5 and "_" not in words[0]):
            return None
        if self.format != "text" and not (
            _IMAGE.fullmatch(text) or self._by_picture(block, text) or self._hyphenated(block, text)
        ):
            return None
        single = self._file_name(text) if len(words) == 1 else self._lower_words(text, words)
        return Found(block, text, Part(0, len(text)), "slug") if single else None

    def _by_picture(self, block: Block, text: str) -> bool:
        """Whether a picture's own text is a name in small letters rather than words, in a format that marks it."""
        return (
            block.role in PICTURE and text.islower() and not any(map(self.weigher.may_be_context, WORD.findall(text)))
        )

    def _hyphenated(self, block: Block, text: str) -> bool:
        """Whether a line is like "macron-rusia", and neither a compound ("long-term") nor marked up in any way.

        Pages have many such names in small letters; in formats other than Markdown only those count that a word of
        the caption language is in.
        """
        if not (text.islower() and _HYPHENATED.fullmatch(text)) or len(getattr(block, "tags", "")):
            return False
        words = text.split("-")
        return not all(map(self.weigher.may_be_context, words)) and (
            self.format == "markdown" or any(map(self.weigher.is_caption_word, words))
        )

    def _file_name(self, word: str) -> bool:
        """Whether a word is like "putin", "macron-rusia" or "DSC_0342", and no word of the article's language."""
        if word.isalpha():
            return word.islower() and not self.weigher.is_context_word(word)
        if not _FILE.fullmatch(word) or not any(map(str.isalpha, word)):
            return False
        if word[0].isupper() and "_" not in word and not any(map(str.isdigit, word)):
            return not any(self.weigher.is_context_word(part.lower()) for part in re.split("[-_]", word))
        return True

    def _lower_words(self, text: str, words: list[str]) -> bool:
        """Whether words are like "emmanuel macron", "banco de mexico" or "Atalayar_Brahim Ghali"."""
        if "_" in words[0]:
            return _UNDERSCORED.fullmatch(text) is not None and credits.line_label(text) is None
        letters = "".join(words)
        if not letters.islower() or not all(c.isalpha() or c in "-_" for c in letters):
            return False
        if any(map(self.weigher.may_be_context, words)) and not any(map(self.weigher.is_caption_word, words)):
            return False
        return len(words) < 4 or self.weigher.weigh(text).function < 2
