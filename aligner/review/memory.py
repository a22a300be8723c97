"""The translation memory as TMX."""

from __future__ import annotations

from aligner.errors import UsageError, install
from aligner.review.store import Store


def to_tmx(store: Store) -> bytes:
    """What people have accepted or written, as a TMX 1.4b document.

    Raises:
        UsageError: nothing was decided yet, or lxml is not installed.
    """
    try:
        from lxml import etree

        from aligner.exchange.tmx import header, variant
        from aligner.exchange.xml import add, serialise
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: {install('exchange')}") from None
    pairs = store.pairs()
    if not pairs:
        raise UsageError(f"{store.path}: no translation was accepted yet")
    root = etree.Element("tmx", version="1.4")
    languages = {source for source, _ in pairs}
    header(root, languages.pop() if len(languages) == 1 else "*all*")
    body = add(root, "body")
    for source_language, target_language in pairs:
        for source, target, uses in store.memory(source_language, target_language):
            tu = add(body, "tu", srclang=source_language, usagecount=str(uses))
            variant(tu, source_language, source)
            variant(tu, target_language, target)
    return serialise(root, '<!DOCTYPE tmx SYSTEM "tmx14.dtd">')
