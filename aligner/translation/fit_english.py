"""Makes the list of English words: ``aligner/data/words-en.txt.gz``.

``python -m aligner.translation.fit_english WORDS...``

Input is word lists of SCOWL (Debian packages ``wbritish-large`` and ``wamerican-large``), a word a line. Kept are words
of three letters or more without a capital, folded. SCOWL is Copyright 2000-2020 by Kevin Atkinson: "Permission to use,
copy, modify, distribute and sell these word lists, the associated scripts, the output created from the scripts, and its
documentation for any purpose is hereby granted without fee, provided that the above copyright notice appears in all
copies and that both that copyright notice and this permission notice appear in supporting documentation."
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from aligner.resources import data
from aligner.translation.spelling import fold

#: Letters of the shortest word.
SHORTEST = 3


def main() -> None:
    """Reads the files named on the command line and writes the list."""
    lines = {line.strip() for name in sys.argv[1:] for line in Path(name).read_text(encoding="utf-8").splitlines()}
    words = {fold(line) for line in lines if line.isalpha() and line.islower() and len(line) >= SHORTEST}
    text = "".join(sorted(f"{word}\n" for word in words))
    data("words-en.txt.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(words):,} words")


if __name__ == "__main__":
    main()
