"""A tiny MarianMT model, made on the spot: real files in the Hugging Face layout, random weights."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

SENTENCES = Path(__file__).parent / "cases" / "translate" / "parity.txt"


def make_tiny_marian(folder: Path, *, zero_start: bool = True) -> Path:
    """Writes a model of a few thousand weights into ``folder``.

    Args:
        folder: made if it does not exist.
        zero_start: whether the start token embeds to zero, as Marian has it.
    """
    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel
    from transformers.utils import logging

    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        input=str(SENTENCES),
        model_prefix=str(folder / "joint"),
        vocab_size=300,
        model_type="unigram",
        minloglevel=2,
        num_threads=1,
    )
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes((folder / "joint.model").read_bytes())
    spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / "joint.model"))
    for suffix in ("model", "vocab"):
        (folder / f"joint.{suffix}").unlink()
    pieces = ["</s>", "<unk>", *(spm.id_to_piece(i) for i in range(3, spm.get_piece_size())), "<pad>"]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"source_lang": "es", "target_lang": "en", "model_max_length": 64, "tokenizer_class": "MarianTokenizer"}
        )
    )
    pad = len(vocabulary) - 1
    torch.manual_seed(3)
    model = MarianMTModel(
        MarianConfig(
            vocab_size=len(vocabulary),
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            max_position_embeddings=64,
            pad_token_id=pad,
            decoder_start_token_id=pad,
            eos_token_id=0,
            bos_token_id=0,
            forced_eos_token_id=0,
            scale_embedding=True,
            static_position_embeddings=True,
            share_encoder_decoder_embeddings=True,
            tie_word_embeddings=True,
        )
    )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(0, 0.3)
        if zero_start:
            model.model.shared.weight[pad] = 0
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save_pretrained(folder)
    finally:
        if bars:
            logging.enable_progress_bar()
    return folder
