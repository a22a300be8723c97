"""Step fetch: public text by name, into the work folder's ``parallel/``, ``monolingual/`` and ``evaluation/``.

``sources.toml`` names each set, where it comes from and its licence. A set that is there already is left
alone; one that cannot be had is reported with what to do, and the others are fetched all the same.
"""

from __future__ import annotations

import gzip
import io
import itertools
import shutil
import sys
import tarfile
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from common import Recipe, open_text, written

SOURCES = Path(__file__).with_name("sources.toml")
KINDS = ("parallel", "monolingual", "evaluation")


def read_sources(file: Path = SOURCES) -> list[dict[str, Any]]:
    """The sources of a ``sources.toml``."""
    return list(tomllib.loads(file.read_text(encoding="utf-8")).get("source", []))


def download(address: str, folder: Path) -> Path:
    """A local copy of a URL; a path is taken as it is. A broken download leaves nothing under the final name."""
    if "://" not in address:
        return Path(address).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / address.split("://", 1)[1].replace("/", "_")
    if not target.exists():
        print(f"downloading {address}", file=sys.stderr, flush=True)
        temporary = target.with_name(f".{target.name}.part")
        request = urllib.request.Request(address, headers={"User-Agent": "caption-aligner recipe"})
        with urllib.request.urlopen(request, timeout=60) as response, temporary.open("wb") as out:
            expected = response.headers.get("Content-Length")
            shutil.copyfileobj(response, out)
        if expected and temporary.stat().st_size != int(expected):
            temporary.unlink()
            raise OSError(f"{address}: broken off; fetch again")
        temporary.replace(target)
    return target


def opus_address(corpus: str, release: str, source: str, target: str, folder: Path) -> str:
    """Where OPUS has a corpus in Moses format, from the catalogue that opustools carries.

    Raises:
        LookupError: OPUS has no such corpus, release or language pair.
    """
    from opustools import OpusGet

    folder.mkdir(parents=True, exist_ok=True)
    query = OpusGet(
        source=source,
        target=target,
        directory=corpus,
        release=release,
        preprocess="moses",
        download_dir=str(folder),
        local_db=True,
        database=str(folder / "opus.db"),
        suppress_prompts=True,
    )
    found, _ = query.get_corpora_data()
    if not found:
        raise LookupError(
            f"OPUS has no {corpus} {release} in {source}-{target}; `opus_get -d {corpus} -l` lists releases"
        )
    return str(found[0]["url"])


def _text(raw: BinaryIO) -> Iterator[str]:
    for line in io.TextIOWrapper(raw, encoding="utf-8", newline="\n"):
        yield line.rstrip("\r\n")


def moses(archive: Path, language: str) -> Iterator[str]:
    """Lines of one language of a Moses zip: the member whose name ends in the language's code."""
    with zipfile.ZipFile(archive) as files:
        names = [name for name in files.namelist() if name.endswith(f".{language}")]
        if len(names) != 1:
            raise ValueError(f"{archive}: {len(names)} members end in .{language}, expected one")
        with files.open(names[0]) as raw:
            yield from _text(raw)  # type: ignore[arg-type]


def _tar_member(archive: Path, member: str) -> Iterator[str]:
    with tarfile.open(archive) as files:
        raw = files.extractfile(member)
        if raw is None:
            raise ValueError(f"{archive}: {member} is not a file")
        opened = gzip.GzipFile(fileobj=raw) if member.endswith(".gz") else raw
        yield from _text(opened)  # type: ignore[arg-type]


def _sacrebleu(name: str, source: str, target: str) -> dict[str, list[str]]:
    import sacrebleu

    files = [
        sacrebleu.get_source_file(name, f"{source}-{target}"),
        sacrebleu.get_reference_files(name, f"{source}-{target}")[0],
    ]
    return {
        code: Path(file).read_text(encoding="utf-8").splitlines()
        for code, file in zip((source, target), files, strict=True)
    }


def lines_of(entry: dict[str, Any], language: str, recipe: Recipe, downloads: Path) -> Iterable[str]:
    """Lines of one language of a source."""
    where = entry["from"]

    def side(key: str) -> str:
        return str(entry.get(f"{key}-{language}") or entry[key])

    if where == "opus":
        pair = (recipe.source, recipe.target)
        return moses(download(opus_address(entry["corpus"], entry["release"], *pair, downloads), downloads), language)
    if where == "moses":
        return moses(download(side("address"), downloads), language)
    if where == "lines":
        with open_text(download(side("address"), downloads)) as text:
            return [line.rstrip("\r\n") for line in itertools.islice(text, entry.get("lines"))]
    if where == "tar":
        return _tar_member(download(side("address"), downloads), side("member"))
    if where == "sacrebleu":
        return _sacrebleu(entry["set"], recipe.source, recipe.target)[language]
    raise ValueError(f"{entry['name']}: from = {where!r} is not known")


def fetch_one(entry: dict[str, Any], recipe: Recipe) -> str:
    """Fetches a source; returns what was done."""
    name, kind = entry["name"], entry["kind"]
    codes = (recipe.source,) if kind == "monolingual" else (recipe.source, recipe.target)
    for folder in recipe.folders(kind):
        have = {f.name.removesuffix(f".{recipe.source}.gz") for f in folder.glob(f"*.{recipe.source}.gz")}
        if any(set_name.startswith(name) for set_name in have):
            return f"{name}: have it in {folder}"
    sides = {
        code: list(itertools.islice(lines_of(entry, code, recipe, recipe.work / "downloads"), entry.get("lines")))
        for code in codes
    }
    lengths = {len(lines) for lines in sides.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"{name}: sides of {' and '.join(str(len(s)) for s in sides.values())} lines")
    for code, lines in sides.items():
        with written(recipe.work / kind / f"{name}.{code}.gz") as out:
            out.writelines(line.replace("\n", " ") + "\n" for line in lines)
    return f"{name}: {lengths.pop()} lines"


def fetch(
    recipe: Recipe, sources: Path = SOURCES, names: Iterable[str] = (), report: Callable[[str], None] = print
) -> int:
    """Runs the step for all sources, or for those named; returns how many could not be had."""
    wanted = set(names)
    missing = 0
    entries = read_sources(sources)
    if unknown := wanted - {entry["name"] for entry in entries}:
        raise SystemExit(f"{sources} names no {', '.join(sorted(unknown))}")
    for entry in entries:
        if entry["kind"] not in KINDS or (wanted and entry["name"] not in wanted):
            continue
        if entry.get("optional") and entry["name"] not in wanted:
            continue
        if entry["from"] == "local":
            report(f"{entry['name']}: not fetched by name; {entry.get('note', 'put it into the data folder')}")
            continue
        try:
            report(fetch_one(entry, recipe))
        except (
            OSError,
            LookupError,
            ValueError,
            ImportError,
            urllib.error.URLError,
            zipfile.BadZipFile,
        ) as error:
            missing += 1
            report(f"{entry['name']}: not to be had ({type(error).__name__}: {error})")
    return missing
