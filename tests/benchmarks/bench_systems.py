"""The whole pipeline on gold sets, and its translations beside other systems on the captions that it found.

    python tests/benchmarks/bench_systems.py corpus/unseen corpus/written … [--json]

Every gold set is run once; the other systems translate the same captions: the bundled weights in transformers, Apertium
(where its Spanish-English pair is installed) and the source left as it is. Captions a second are those of one call
with all captions, cold start included for Apertium (a process) and excluded for models. ``p`` is that of a paired
bootstrap test of chrF2 against the pipeline.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aligner.pipeline import Pipeline
from aligner.readers import open_source
from aligner.scoring import Run, Settings, load, score_runs
from aligner.scoring.baselines import Baseline, apertium, copy_source, model

_FINDER = ("find.line.f1", "find.span.f1", "find.credit.exact", "link.accuracy", "link.none.f1")
_DOCUMENT = ("kept.names", "kept.numbers", "kept.credits", "residue.before", "residue.after")
_MT = ("mt.bleu", "mt.chrf2", "mt.chrf2++", "mt.ter")


def timed(baseline: Baseline, speed: dict[str, float]) -> Baseline:
    """The system, whose captions a second are noted when it translates."""

    def translate(texts: Sequence[str]) -> list[str]:
        start = time.perf_counter()
        translations = baseline.translate(texts)
        speed[baseline.name] = len(texts) / (time.perf_counter() - start)
        return translations

    return Baseline(baseline.name, translate, baseline.languages)


def systems() -> list[Baseline]:
    """The translators that the pipeline's translations are compared with."""
    found = [model("ctranslate2:es-en")]
    if rules := apertium():
        found.append(rules)
    try:
        import torch

        torch.set_num_threads(1)  # more threads only wait for each other in matrices this small
        found.append(model("transformers:es-en"))
    except ImportError:
        pass
    return found


def measure(folder: Path) -> dict[str, Any]:
    """Scores of one gold set."""
    gold = load([folder])
    pipeline = Pipeline()
    start = time.perf_counter()
    stream = open_source([document.path for document in gold.documents])
    records = tuple(record for _, _, record in pipeline.run_all(stream))
    seconds = time.perf_counter() - start
    speed: dict[str, float] = {}
    others = [copy_source(), *(timed(system, speed) for system in systems())]
    scores = score_runs([Run("aligner", "", "", records)], gold, others, Settings(sliced=False))
    ours = scores.systems[0].figures
    p = {c.second: c.p for c in scores.comparisons if c.first == "aligner" and c.metric == "chrf2" and not c.identical}
    return {
        "set": folder.name,
        "documents": len(gold.documents),
        "captions": ours["find.line.r"].n,
        "documents a second": round(len(gold.documents) / seconds, 1),
        "pipeline": {name: value.value for name in (*_FINDER, *_DOCUMENT) if (value := ours.get(name))},
        "translation": [
            {
                "system": system.name,
                **{name: round(v.value, 1) for name in _MT if (v := system.figures[name]).value is not None},
                "kept.names": (value := system.figures["kept.names"].value) and round(value, 3),
                "p": p.get(system.name),
                "captions a second": (rate := speed.get(system.name)) and round(rate, 1),
            }
            for system in scores.systems
        ],
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = [measure(folder) for folder in options.gold]
    if options.json:
        print(json.dumps(results, ensure_ascii=False))
        return
    for result in results:
        print(f"{result['set']}: {result['documents']} documents, {result['captions']} captions")
        for name, value in result["pipeline"].items():
            print(f"  {name:20} {value:.3f}")
        for row in result["translation"]:
            print("  " + "  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
