"""Two engines behind one protocol: CTranslate2 (fast, default) and transformers (the model as published)."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aligner.errors import ModelError, TranslationError, UsageError, install
from aligner.translation.making import convert, load_whole, quiet_transformers
from aligner.translation.models import MANIFEST, Model, converted_path, inspect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Engines by name, the default first.
ENGINES = ("ctranslate2", "transformers")


@dataclass(frozen=True, slots=True)
class Decoding:
    """How to search for a translation.

    Attributes:
        beam_size: beam width; 1 is greedy search.
        hypotheses: how many of the beam to return, at most ``beam_size``.
        no_repeat_ngram_size: n-grams of this many pieces may not come twice; 0 forbids nothing.
        attention: also return cross-attention.
    """

    beam_size: int = 4
    hypotheses: int = 1
    no_repeat_ngram_size: int = 0
    attention: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """One hypothesis of the search.

    Attributes:
        pieces: target pieces without the end token.
        score: mean log-probability per target piece, the end token counted.
        attention: for each target piece its weights over the source pieces, the mean of the heads of the last
            decoder layer; None unless asked for.
    """

    pieces: tuple[str, ...]
    score: float
    attention: NDArray[np.float32] | None = None


class Engine(Protocol):
    """What the translator needs of an engine."""

    @property
    def name(self) -> str:
        """Its name in :data:`ENGINES`."""

    @property
    def weights(self) -> Path:
        """The file that holds the weights it runs."""

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Source pieces of each text, the end token included."""

    def text(self, pieces: Sequence[str]) -> str:
        """The text of target pieces."""

    def decode(self, sources: Sequence[Sequence[str]], decoding: Decoding) -> list[list[Decoded]]:
        """Hypotheses of each source, best first, in the order of the sources."""


def max_output(length: int, limit: int) -> int:
    """Longest output in pieces for a source of ``length``: a loop should not run to the model's last position.

    Args:
        length: pieces of the source.
        limit: the model's longest source; it has at least twice as many positions.
    """
    return min(2 * length + 12, 2 * limit - 2)


def batches(lengths: Sequence[int], budget: int, workers: int = 1) -> list[list[int]]:
    """Groups of inputs to decode together, all of a group of one length, the longest first.

    Equal lengths mean no padding, and padding is the one thing by which a neighbour can change a result:
    softmax and matrix kernels take other paths for other row lengths, which moves the last bits, and a
    rounding to int8 makes that visible now and then (measured: 5 of 600 captions with mixed lengths, none
    with equal ones, at the same speed).

    Args:
        lengths: pieces of each input.
        budget: most source pieces in one group.
        workers: parallel decoders; groups are kept small enough for all of them to have work.
    """
    budget = max(1, min(budget, sum(lengths) // (2 * workers)))
    same: defaultdict[int, list[int]] = defaultdict(list)
    for index, length in enumerate(lengths):
        same[length].append(index)
    groups = []
    for length in sorted(same, reverse=True):
        size = max(1, budget // max(1, length))
        groups += [same[length][i : i + size] for i in range(0, len(same[length]), size)]
    return groups


def workers_or_cores(threads: int) -> int:
    """``threads``, or the number of cores this process may use where it is 0."""
    return (
        threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or os.cpu_count() or 1
    )


def open_engine(model: Model, engine: str, *, threads: int, batch_tokens: int, compute_type: str) -> Engine:
    """Loads a model's weights.

    Raises:
        UsageError: unknown engine.
        ModelError: the model has no weights for this engine, or files are missing or altered.
    """
    if engine == "ctranslate2":
        return CTranslate2Engine(model, threads=threads, batch_tokens=batch_tokens, compute_type=compute_type)
    if engine == "transformers":
        return TransformersEngine(model, threads=threads, batch_tokens=batch_tokens)
    raise UsageError(f"unknown engine {engine!r}; known: {', '.join(ENGINES)}")


class CTranslate2Engine:
    """MarianMT on CTranslate2, fed by sentencepiece directly; loads neither torch nor transformers.

    One worker per core with one thread each: inside matrices this small, more threads only wait for each
    other.
    """

    name = "ctranslate2"

    def __init__(
        self, model: Model, *, threads: int = 0, batch_tokens: int = 1024, compute_type: str = "default"
    ) -> None:
        if model.ctranslate2 is None:
            model = _built(model)
        folder = model.ctranslate2
        assert folder is not None
        spm = [model.path / name for name in ("source.spm", "target.spm")]
        self.weights = folder / "model.bin"
        model.check([*spm, *(path for path in folder.iterdir() if path.is_file())])
        import ctranslate2
        from sentencepiece import SentencePieceProcessor

        self._workers = workers_or_cores(threads)
        self._batch_tokens = batch_tokens
        self._limit = model.max_source_tokens
        # The pieces that may be put out, where the build names them: the product with the vocabulary is the largest of
        # each step. Kept to one list for all sources (see models/recipe/export.py).
        self._shortlist = (folder / "vmap.txt").is_file()
        try:
            self._source = SentencePieceProcessor(model_file=str(spm[0]))
            same = spm[0].read_bytes() == spm[1].read_bytes()
            self._target = self._source if same else SentencePieceProcessor(model_file=str(spm[1]))
            self._translator = ctranslate2.Translator(
                str(folder),
                device="cpu",
                compute_type=compute_type,
                inter_threads=self._workers,
                intra_threads=1,
            )
            config = (folder / "config.json").read_text(encoding="utf-8") if (folder / "config.json").is_file() else ""
        except ValueError as error:  # an unknown or unsupported compute type
            raise UsageError(f"compute type {compute_type!r}: {error}") from None
        except (RuntimeError, OSError) as error:
            raise ModelError(f"{model.path}: cannot be loaded, copy or convert it anew: {error}") from None
        # Builds from Hugging Face weights leave the end token to the caller, builds from Marian's own files
        # add it.
        self._end = [] if '"add_source_eos": true' in config else ["</s>"]

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Source pieces of each text, the end token included."""
        encoded: list[list[str]] = self._source.encode(list(texts), out_type=str)
        return [pieces + self._end for pieces in encoded]

    def text(self, pieces: Sequence[str]) -> str:
        """The text of target pieces."""
        return _text(self._target.decode_pieces, pieces)

    def decode(self, sources: Sequence[Sequence[str]], decoding: Decoding) -> list[list[Decoded]]:
        """Hypotheses of each source, best first."""
        pending = []
        try:
            for group in batches([len(source) for source in sources], self._batch_tokens, self._workers):
                results = self._translator.translate_batch(
                    [list(sources[i]) for i in group],
                    asynchronous=True,
                    beam_size=decoding.beam_size,
                    num_hypotheses=min(decoding.hypotheses, decoding.beam_size),
                    no_repeat_ngram_size=decoding.no_repeat_ngram_size,
                    max_decoding_length=max_output(len(sources[group[0]]), self._limit),
                    max_input_length=0,
                    disable_unk=True,
                    return_scores=True,
                    return_attention=decoding.attention,
                    use_vmap=self._shortlist,
                )
                pending += list(zip(group, results, strict=True))
            done: list[list[Decoded]] = [[] for _ in sources]
            import numpy as np

            pending.reverse()
            while pending:
                index, future = pending.pop()
                result = future.result()
                attention: list[Any] = [None] * len(result.hypotheses)
                if decoding.attention:  # lists of floats would take eight times the room
                    attention = [_first_row_mended(np.array(rows, np.float32)) for rows in result.attention]
                done[index] = [
                    Decoded(tuple(pieces), score, rows)
                    for pieces, score, rows in zip(result.hypotheses, result.scores, attention, strict=True)
                ]
        except RuntimeError as error:
            raise TranslationError(f"CTranslate2 failed: {error}") from error
        return done


def _first_row_mended(attention: NDArray[np.float32]) -> NDArray[np.float32]:
    """Attention (target pieces, source pieces) whose first row is what the other rows leave over.

    In a beam search CTranslate2 4.8 gives sentence ``n`` of a batch the first row of sentence ``n // beam``, so that it
    would say something else for every batch. The first piece out stands for what no other one attends to.
    """
    if len(attention) and attention.shape[1] > 1:
        left = 1 - attention[1:].max(axis=0, initial=0)
        left[-1] = 0  # the end of the sentence
        attention[0] = left / max(float(left.sum()), 1e-6)
    return attention


class TransformersEngine:
    """The real ``MarianTokenizer`` and ``MarianMTModel``, in single precision. Needs the extra ``torch``."""

    name = "transformers"

    def __init__(self, model: Model, *, threads: int = 0, batch_tokens: int = 1024) -> None:
        if model.safetensors is None:
            raise ModelError(
                f"{model.path}: no model.safetensors, which --engine transformers needs "
                + (
                    "(pickled weights are not loaded; `aligner models convert` reads them safely)"
                    if (model.path / "pytorch_model.bin").is_file()
                    else "(a CTranslate2 build cannot be turned back)"
                )
                + "; or use --engine ctranslate2"
            )
        self.weights = model.safetensors
        model.check([path for path in model.path.iterdir() if path.is_file()])
        try:
            import torch
            from transformers import MarianMTModel, MarianTokenizer
        except ImportError as error:
            raise ModelError(
                f"--engine transformers needs torch ({error}): {install('torch')}, or use --engine ctranslate2"
            ) from None
        self._torch = torch
        self._threads = threads or 1  # more than one wait for each other inside matrices this small
        self._batch_tokens = batch_tokens
        self._limit = model.max_source_tokens
        try:
            with quiet_transformers():
                self._tokenizer: Any = MarianTokenizer.from_pretrained(model.path, local_files_only=True)
                self._model: Any = load_whole(MarianMTModel, model.path, dtype=torch.float32).eval()
                self._model.generation_config.max_length = None  # the limit depends on the source
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"{model.path}: cannot be loaded: {error}") from None

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Source pieces of each text, the end token included."""
        return [[*self._tokenizer.tokenize(text), self._tokenizer.eos_token] for text in texts]

    def text(self, pieces: Sequence[str]) -> str:
        """The text of target pieces."""
        return _text(self._tokenizer.convert_tokens_to_string, list(pieces))

    def decode(self, sources: Sequence[Sequence[str]], decoding: Decoding) -> list[list[Decoded]]:
        """Hypotheses of each source, best first."""
        done: list[list[Decoded]] = [[] for _ in sources]
        for group in batches([len(source) for source in sources], self._batch_tokens):
            for index, hypotheses in zip(group, self._decode([sources[i] for i in group], decoding), strict=True):
                done[index] = hypotheses
        return done

    def _decode(self, sources: Sequence[Sequence[str]], decoding: Decoding) -> list[list[Decoded]]:
        torch, tokenizer, config = self._torch, self._tokenizer, self._model.config
        inputs = torch.tensor([tokenizer.convert_tokens_to_ids(list(source)) for source in sources])
        count = min(decoding.hypotheses, decoding.beam_size)
        try:
            with torch.inference_mode(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = self._model.generate(
                    input_ids=inputs,
                    attention_mask=torch.ones_like(inputs),
                    num_beams=decoding.beam_size,
                    num_return_sequences=count,
                    no_repeat_ngram_size=decoding.no_repeat_ngram_size,
                    max_new_tokens=max_output(inputs.shape[1], self._limit) + 1,  # the end token counts here
                    # CTranslate2's rule: done when the beam has as many finished hypotheses as it is wide.
                    early_stopping=decoding.beam_size > 1,
                    do_sample=False,
                    # What no translation holds, taken out before the probabilities are normalised as Marian
                    # does.
                    bad_words_ids=[[config.pad_token_id], [tokenizer.unk_token_id]],
                    renormalize_logits=True,
                    return_dict_in_generate=True,
                    output_scores=True,
                )
                score = made.sequences_scores if decoding.beam_size > 1 else self._greedy_scores(made)
                hypotheses = []
                for i, row in enumerate(made.sequences.tolist()):
                    ids = [token for token in row[1:] if token not in (config.pad_token_id, config.eos_token_id)]
                    attention = self._attention(inputs[i // count], ids) if decoding.attention else None
                    hypotheses.append(Decoded(tuple(tokenizer.convert_ids_to_tokens(ids)), float(score[i]), attention))
        except RuntimeError as error:
            raise TranslationError(f"transformers failed: {error}") from error
        return [hypotheses[i : i + count] for i in range(0, len(hypotheses), count)]

    def _greedy_scores(self, made: Any) -> Any:
        steps = self._model.compute_transition_scores(made.sequences, made.scores, normalize_logits=False)
        real = made.sequences[:, 1:] != self._model.config.pad_token_id
        return (steps.masked_fill(~real, 0.0)).sum(1) / real.sum(1)

    def _attention(self, source: Any, target: list[int]) -> Any:
        if not target:
            return None
        torch = self._torch
        start = [self._model.config.decoder_start_token_id, *target[:-1]]
        # The fused attention kernel returns no weights; the plain one does.
        previous = self._model.config._attn_implementation
        self._model.set_attn_implementation("eager")
        try:
            out = self._model(
                input_ids=source[None],
                decoder_input_ids=torch.tensor([start]),
                output_attentions=True,
                use_cache=False,
            )
        finally:
            self._model.set_attn_implementation(previous)
        return out.cross_attentions[-1][0].mean(0).numpy()


def _text(decode: Callable[[Sequence[str]], str], pieces: Sequence[str]) -> str:
    return " ".join(decode(pieces).replace("▁", " ").split())


def _built(model: Model) -> Model:
    """The CTranslate2 build of a Hugging Face folder that has none: from the cache, or made now."""
    path = converted_path(model)
    if (path / MANIFEST).is_file():
        return inspect(path, model.name, "cache")
    try:
        return convert(model.path)
    except ModelError as error:
        raise ModelError(
            f"{model.path} has no CTranslate2 build, and none can be made here: {error}; or use --engine transformers"
        ) from None
