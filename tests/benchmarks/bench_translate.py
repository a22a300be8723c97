"""Speed of translation beside what one would write without this project; same weights and beam for all.

    python tests/benchmarks/bench_translate.py [CAPTIONS.txt] [--model es-en] [--rounds 3] [--limit N]

Input is one Spanish caption a line; without a file, the Spanish captions of the bundled corpus. All ways translate the
same captions in the same process, in turns, and each takes its best time of the rounds, so that other work on the
machine hurts them alike. Needs the extra ``torch``.

Printed: captions per second, and how many times faster the Translator is, with its guard and its retries included.
Then the cost of a cold start: a new process that opens the model and translates four captions.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from aligner.resources import bundled
from aligner.translation import Translator, models
from aligner.translation.text import straight_quotes

BEAM = 4
LONGEST = 256  # output pieces, as a first script would have it

COLD = """
import sys, time
start = time.perf_counter()
from aligner.translation import Translator
translator = Translator.open(sys.argv[1])
opened = time.perf_counter()
translator.translate(sys.argv[2:6])
done = time.perf_counter()
# ru_maxrss would be that of the process that started this one, if it was larger.
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(opened - start, done - opened, peak / 1024)
"""


def corpus_captions() -> list[str]:
    """The Spanish captions of the bundled gold sets."""
    found = []
    for gold in sorted(bundled("corpus").glob("*/gold.jsonl")):
        for line in gold.read_text(encoding="utf-8").splitlines():
            found += [mark["caption"] for mark in json.loads(line)["lines"] if mark["kind"] == "caption_es"]
    return found


def ways(model: str, captions: Sequence[str], threads: Sequence[int]) -> dict[str, Callable[[], object]]:
    """Each way to translate the captions, by what the report calls it."""
    import ctranslate2
    import sentencepiece
    import torch
    from transformers import MarianMTModel, MarianTokenizer
    from transformers.utils import logging

    found = models.find(model)
    torch.set_num_threads(max(threads))
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tokenizer = MarianTokenizer.from_pretrained(found.path)
        marian = MarianMTModel.from_pretrained(found.path, dtype=torch.float32).eval()
    normalised = [straight_quotes(caption) for caption in captions]

    def generate(batch: Sequence[str]) -> list[str]:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inputs = tokenizer(list(batch), return_tensors="pt", padding=True)
            made = marian.generate(**inputs, num_beams=BEAM, max_new_tokens=LONGEST - 1)
        return [tokenizer.decode(row, skip_special_tokens=True) for row in made]

    def transformers_one_by_one() -> None:
        for caption in normalised:
            generate([caption])

    by_length = sorted(normalised, key=lambda caption: len(tokenizer.tokenize(caption)))

    def transformers_batched() -> None:
        for start in range(0, len(by_length), 32):
            generate(by_length[start : start + 32])

    spm = sentencepiece.SentencePieceProcessor(model_file=str(found.path / "source.spm"))
    plain = {
        count: ctranslate2.Translator(str(found.ctranslate2), inter_threads=1, intra_threads=count) for count in threads
    }

    def ctranslate2_one_by_one(threads: int) -> None:
        for caption in normalised:
            pieces = [*spm.encode(caption, out_type=str), "</s>"]
            result = plain[threads].translate_batch([pieces], beam_size=BEAM, max_decoding_length=LONGEST)
            spm.decode_pieces(result[0].hypotheses[0])

    translator = Translator.open(model, beam_size=BEAM)

    def ours() -> None:
        translator.forget()
        translator.translate(captions)

    return {
        "Translator": ours,
        "transformers, batch 1": transformers_one_by_one,
        "transformers, batch 32, sorted by length": transformers_batched,
        **{
            f"CTranslate2, caption by caption, {count} thread{'s' * (count > 1)}": (
                lambda count=count: ctranslate2_one_by_one(count)
            )
            for count in plain
        },
    }


def main() -> None:
    """Runs the rounds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captions", nargs="?", type=Path)
    parser.add_argument("--model", default="es-en")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=600, help="captions (default: 600, some 60,000 characters)")
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=sorted({1, len(os.sched_getaffinity(0))}),
        help="threads inside the peers' matrices: each for CTranslate2, the most for torch; on a busy machine give 1, "
        "where more of them only wait for each other",
    )
    args = parser.parse_args()
    lines = args.captions.read_text(encoding="utf-8").splitlines() if args.captions else corpus_captions()
    captions = list(dict.fromkeys(line for line in lines if line.strip()))[: args.limit]

    each = ways(args.model, captions, args.threads)
    best = dict.fromkeys(each, float("inf"))
    for _ in range(args.rounds):
        for name, run in each.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    print(f"{len(captions)} captions, beam {BEAM}, {len(os.sched_getaffinity(0))} cores, best of {args.rounds} rounds")
    for name, seconds in best.items():
        print(
            f"{name:52} {len(captions) / seconds:8.1f} captions/s   Translator is {seconds / best['Translator']:5.2f}×"
        )

    cold = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", COLD, args.model, *captions[:4]], capture_output=True, text=True, check=True
        )
        cold.append(tuple(map(float, done.stdout.split())))
    opened, translated, megabytes = min(cold, key=lambda times: times[0] + times[1])
    print(f"cold: open {opened:.3f} s, four captions {translated:.3f} s, {megabytes:.0f} MB at its largest")


if __name__ == "__main__":
    main()
