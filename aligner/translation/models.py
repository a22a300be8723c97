"""Translation models: where they are, whether they are whole, and how they get there.

A model is a folder with a MarianMT model (Junczys-Dowmunt et al. 2018) in one of two layouts:

* Hugging Face: ``config.json``, ``model.safetensors``, ``source.spm``, ``target.spm``, ``vocab.json`` and, as
  a rule, ``tokenizer_config.json``; a folder ``ctranslate2-int8`` (or ``ctranslate2-*``) below it may hold
  the CTranslate2 build of the same weights;
* CTranslate2: ``model.bin``, ``config.json``, the vocabulary, ``source.spm`` and ``target.spm``.

``manifest.json`` names the SHA-256 of every file; where there is one, the files that an engine loads are
checked against it each time the model is opened.

Pickled weights (``pytorch_model.bin``) are never loaded to translate. ``making.pull`` and ``making.convert``
take them as a last resort, and then only through ``torch.load(weights_only=True)``, which builds tensors and
nothing else; what they leave behind is safetensors and CTranslate2. Code that a model repository carries is
never run.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aligner.errors import ModelError, UsageError
from aligner.resources import bundled
from aligner.translation.text import NORMALISATIONS

MANIFEST = "manifest.json"
SCHEMA = "aligner-model/1"
SPM = ("source.spm", "target.spm")
HUB_ID = re.compile(r"(?P<repo>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w.-]+))?")
_PAIR = re.compile(r"(?:^|opus-mt-(?:tc-(?:base|big)-)?)([a-z]{2,3})-([a-z]{2,3})$")


@dataclass(frozen=True, slots=True)
class File:
    """Size in bytes and hex SHA-256 of a model's file."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``manifest.json`` says of a model.

    Attributes:
        name: the model's name, e.g. ``es-en`` or ``Helsinki-NLP/opus-mt-es-en``.
        source_language: ISO 639 code, or None where unknown.
        target_language: ISO 639 code, or None where unknown.
        normalisation: how text is normalised before it is encoded (a key of ``text.NORMALISATIONS``).
        max_source_tokens: longest input in pieces, the end token included.
        licence: SPDX identifier or a sentence.
        revision: commit of the recipe or of the hub repository that the weights come from.
        origin: where the weights come from, in words or as an address.
        sizes: d_model, layers, vocabulary, parameters.
        files: every file of the folder by its path below it, with ``/``.
        notes: remarks made when the model was converted.
    """

    name: str
    source_language: str | None
    target_language: str | None
    normalisation: str
    max_source_tokens: int
    licence: str | None
    revision: str | None
    origin: str | None
    sizes: Mapping[str, int]
    files: Mapping[str, File]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, files in order of their names."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "source_language": self.source_language,
            "target_language": self.target_language,
            "normalisation": self.normalisation,
            "max_source_tokens": self.max_source_tokens,
            "licence": self.licence,
            "revision": self.revision,
            "origin": self.origin,
            "sizes": dict(self.sizes),
            "files": {n: {"size": f.size, "sha256": f.sha256} for n, f in sorted(self.files.items())},
            "notes": list(self.notes),
        }

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Reads a manifest.

        Raises:
            ModelError: the file is not a manifest of schema ``aligner-model/1``.
        """
        data = read_json(path)
        if data.get("schema") != SCHEMA:
            raise ModelError(f"{path}: schema is {data.get('schema')!r}, expected {SCHEMA!r}")
        try:
            files = {str(n): File(int(f["size"]), str(f["sha256"])) for n, f in data["files"].items()}
            manifest = cls(
                name=str(data["name"]),
                source_language=data.get("source_language"),
                target_language=data.get("target_language"),
                normalisation=data["normalisation"],
                max_source_tokens=int(data["max_source_tokens"]),
                licence=data.get("licence"),
                revision=data.get("revision"),
                origin=data.get("origin"),
                sizes={str(k): int(v) for k, v in data.get("sizes", {}).items()},
                files=files,
                notes=tuple(data.get("notes", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{path}: not a model manifest ({type(error).__name__}: {error})") from None
        if manifest.normalisation not in NORMALISATIONS:
            raise ModelError(
                f"{path}: unknown normalisation {manifest.normalisation!r}; known: {', '.join(NORMALISATIONS)}"
            )
        if bad := [n for n in files if Path(n).is_absolute() or ".." in Path(n).parts]:
            raise ModelError(f"{path}: {bad[0]!r} points outside the model's folder")
        return manifest


@dataclass(frozen=True, slots=True)
class Model:
    """A model that was found on this machine.

    Attributes:
        name: as the user knows it.
        path: its folder.
        where: ``bundled`` with the toolkit, in the user's ``cache``, or a ``folder`` that the user named.
        ctranslate2: folder of the CTranslate2 build, None if there is none.
        safetensors: the Hugging Face weights, None if there are none.
        manifest: None where the folder has none.
        source_language: ISO 639 code, None if nothing tells it.
        target_language: the same for the output.
        max_source_tokens: longest input in pieces, the end token included.
        normalisation: key of ``text.NORMALISATIONS``.
    """

    name: str
    path: Path
    where: Literal["bundled", "cache", "folder"]
    ctranslate2: Path | None
    safetensors: Path | None
    manifest: Manifest | None = field(repr=False)
    source_language: str | None
    target_language: str | None
    max_source_tokens: int
    normalisation: str

    @property
    def engines(self) -> tuple[str, ...]:
        """Engines that can run it as it is, the fast one first."""
        return tuple(
            name for name, has in (("ctranslate2", self.ctranslate2), ("transformers", self.safetensors)) if has
        )

    def verify(self, files: Iterable[Path] | None = None) -> list[str]:
        """Compares the folder with its manifest.

        Args:
            files: whose bytes to read and hash; None for all. Of the others only presence and size are looked
                at.

        Returns:
            One line per file that is missing or altered; empty when the model is whole.

        Raises:
            ModelError: the folder has no manifest, so nothing can be checked.
        """
        if self.manifest is None:
            raise ModelError(
                f"{self.path}: no {MANIFEST}, nothing to verify against; `aligner models convert` makes a copy with one"
            )
        hashed = None if files is None else {file.resolve() for file in files}
        return [
            problem
            for name, expected in sorted(self.manifest.files.items())
            if (problem := _problem(self.path / name, name, expected, hashed)) is not None
        ]

    def check(self, files: Iterable[Path]) -> None:
        """As :meth:`verify`, for files that an engine is about to load; silent without a manifest.

        Raises:
            ModelError: files are missing or altered; all are named.
        """
        if self.manifest is not None and (problems := self.verify(files)):
            there = all((self.path / name).is_file() for name in self.manifest.files)
            remedy = {
                "bundled": "reinstall caption-aligner, or write a new manifest if you changed it on purpose",
                "cache": f"delete {self.path} and run `aligner models pull` or `convert` again",
                "folder": "copy these files anew"
                + (", or delete manifest.json if you changed the model on purpose" if there else ""),
            }[self.where]
            raise ModelError(f"model {self.name} in {self.path} is broken: {'; '.join(problems)}. Remedy: {remedy}")


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_dir() -> Path:
    """The user's cache of pulled and converted models (below ``XDG_CACHE_HOME`` on Linux)."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("caption-aligner", appauthor=False)) / "models"


# ------------------------------------------------------------------------------------------------- finding


def installed() -> list[Model]:
    """The bundled models and those in the user's cache, by name."""
    models = [inspect(folder, folder.name, "bundled") for folder in _bundled()]
    if (cache := cache_dir()).is_dir():
        models += [
            inspect(folder, Manifest.read(folder / MANIFEST).name, "cache")
            for folder in sorted(cache.iterdir())
            if (folder / MANIFEST).is_file() and not folder.name.startswith(".")
        ]
    return models


def find(name: str) -> Model:
    """The model of a name, without touching the network.

    Args:
        name: a bundled model's name, a folder, or the id of a hub model that was pulled before
            (``ORGANISATION/NAME`` or ``ORGANISATION/NAME@REVISION``).

    Raises:
        UsageError: nothing of that name; the known ones are listed.
        ModelError: the folder is not a Marian model, or lacks files.
    """
    for folder in _bundled():
        if folder.name == name:
            return inspect(folder, name, "bundled")
    path = Path(name).expanduser()
    if path.is_dir():
        return inspect(path, path.resolve().name, "folder")
    if path.is_file():
        raise UsageError(f"{name}: a model is a folder, this is a file")
    if (pulled := _pulled(name)) is not None:
        return pulled
    known = ", ".join(dict.fromkeys(model.name for model in installed())) or "none"
    hint = ""
    if HUB_ID.fullmatch(name):
        hint = f"; if it is a hub model, fetch it with `aligner models pull {name}`"
    elif re.fullmatch("[a-z]{2,3}-[a-z]{2,3}", name):
        hub = f"Helsinki-NLP/opus-mt-{name}"
        hint = f"; for this pair of languages try `aligner models pull {hub}`, then `--model {hub}`"
    raise UsageError(f"unknown model {name!r}: known are {known}; a folder with a Marian model also does{hint}")


def find_or_pull(name: str) -> Model:
    """As :func:`find`; a hub id that is not in the cache yet is pulled.

    Raises:
        UsageError: nothing of that name.
        ModelError: the model is not whole, or the hub cannot be reached.
    """
    try:
        return find(name)
    except UsageError:
        if HUB_ID.fullmatch(name) is None or Path(name).exists():
            raise
    from aligner.translation.making import pull

    return pull(name)


def _bundled() -> list[Path]:
    try:
        return sorted(f for f in bundled("models").iterdir() if (f / "config.json").is_file())
    except FileNotFoundError:
        return []


def _pulled(name: str) -> Model | None:
    match = HUB_ID.fullmatch(name)
    if match is None:
        return None
    stem = match["repo"].replace("/", "--")
    folders = [
        folder
        for folder in cache_dir().glob(f"{stem}@*")
        if (folder / MANIFEST).is_file()
        and (match["revision"] is None or folder.name.partition("@")[2].startswith(match["revision"][:12]))
    ]
    if not folders:
        return None
    newest = max(folders, key=lambda folder: (folder / MANIFEST).stat().st_mtime_ns)
    return inspect(newest, match["repo"], "cache")


def inspect(folder: Path, name: str, where: Literal["bundled", "cache", "folder"]) -> Model:
    """What is in a model folder.

    Raises:
        ModelError: it is not a Marian model, or files are missing.
    """
    manifest = Manifest.read(folder / MANIFEST) if (folder / MANIFEST).is_file() else None
    if manifest is not None and where == "folder":
        name = manifest.name
    config_path = folder / "config.json"
    if not config_path.is_file() and manifest is None:
        raise ModelError(f"{folder}: no config.json, so neither a Hugging Face Marian model nor a CTranslate2 one")
    config = read_json(config_path) if config_path.is_file() else {}
    if "model_type" in config and config["model_type"] != "marian":
        raise ModelError(f"{folder}: a {config['model_type']!r} model; only MarianMT models (marian) are supported")
    is_ctranslate2 = (folder / "model.bin").is_file() and "model_type" not in config
    build = folder if is_ctranslate2 else _build_below(folder)
    safetensors = None if is_ctranslate2 else folder / "model.safetensors"
    if safetensors is not None and not safetensors.is_file():
        safetensors = None
    spoken = languages(folder, name, manifest)
    model = Model(
        name=name,
        path=folder,
        where=where,
        ctranslate2=build,
        safetensors=safetensors,
        manifest=manifest,
        source_language=spoken[0],
        target_language=spoken[1],
        max_source_tokens=manifest.max_source_tokens if manifest else _max_source_tokens(folder, config),
        normalisation=manifest.normalisation if manifest else "straight-quotes",
    )
    _require_whole(model, config)
    return model


def _require_whole(model: Model, config: Mapping[str, Any]) -> None:
    """Names what a folder lacks to be a model at all, by its manifest or by its layout."""
    if model.manifest is not None:
        model.check(())
        return
    folder = model.path
    required = list(SPM) if model.ctranslate2 == folder else [*SPM, "vocab.json"]
    missing = [name for name in required if not (folder / name).is_file()]
    if model.ctranslate2 is not None and not any(model.ctranslate2.glob("*vocabulary.*")):
        missing.append(f"{model.ctranslate2.relative_to(folder) / 'shared_vocabulary.json'}")
    if not model.engines and not (folder / "pytorch_model.bin").is_file():
        missing.append("model.safetensors" if "model_type" in config else "model.bin")
    if missing:
        raise ModelError(
            f"{folder}: not a whole model, missing: {', '.join(missing)}; "
            "copy them there from where the model comes from"
        )


def _build_below(folder: Path) -> Path | None:
    """The CTranslate2 build inside a Hugging Face folder; int8 before others."""
    builds = sorted(f.parent for f in folder.glob("ctranslate2*/model.bin"))
    return min(builds, key=lambda f: ("int8" not in f.name, f.name), default=None)


def languages(folder: Path, name: str, manifest: Manifest | None = None) -> tuple[str | None, str | None]:
    """Source and target language by the manifest, the tokenizer's settings or the name."""
    if manifest is not None:
        return manifest.source_language, manifest.target_language
    tokenizer = read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    source, target = tokenizer.get("source_lang"), tokenizer.get("target_lang")
    if not (source and target) and (match := _PAIR.search(name)):
        source, target = match.groups()
    return source or None, target or None


def _max_source_tokens(folder: Path, config: Mapping[str, Any]) -> int:
    """Half of the positions that the model has: its output may be twice as long as its input."""
    limits = [config.get("max_position_embeddings")]
    if (folder / "tokenizer_config.json").is_file():
        limits.append(read_json(folder / "tokenizer_config.json").get("model_max_length"))
    return min([int(limit) for limit in limits if isinstance(limit, int) and limit > 1], default=256) // 2


def _problem(path: Path, name: str, expected: File, hashed: set[Path] | None) -> str | None:
    try:
        size = path.stat().st_size
        if size != expected.size:
            return f"{name}: altered ({size} bytes, expected {expected.size})"
        if (hashed is None or path.resolve() in hashed) and (found := sha256(path)) != expected.sha256:
            return f"{name}: altered (SHA-256 {found[:12]}…, expected {expected.sha256[:12]}…)"
    except FileNotFoundError:
        return f"{name}: missing"
    except OSError as error:
        return f"{name}: unreadable ({error.strerror})"
    return None


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a model's file.

    Raises:
        ModelError: the file cannot be read or holds something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ModelError(f"{path}: not JSON ({error})") from None
    if not isinstance(data, dict):
        raise ModelError(f"{path}: expected a JSON object")
    return data


# ------------------------------------------------------------------------------------------------- manifests


def write_manifest(
    folder: Path,
    *,
    name: str,
    source_language: str | None,
    target_language: str | None,
    licence: str | None = None,
    revision: str | None = None,
    origin: str | None = None,
    normalisation: str = "straight-quotes",
    max_source_tokens: int | None = None,
    notes: Iterable[str] = (),
) -> Manifest:
    """Hashes every file of a model folder into its ``manifest.json``.

    Hidden files and the manifest itself are left out. The same folder always gives the same bytes.

    Args:
        folder: model folder, in either layout.
        name: what the model is called.
        source_language: ISO 639 code, None if unknown.
        target_language: ISO 639 code, None if unknown.
        licence: of the weights.
        revision: commit of the recipe or of the hub repository.
        origin: where the weights come from.
        normalisation: key of ``text.NORMALISATIONS``: how the training text was normalised.
        max_source_tokens: longest input in pieces, at most half of the model's positions, which is what None
            takes.
        notes: remarks to keep.

    Raises:
        ModelError: the folder holds no file, or ``normalisation`` is unknown.
    """
    if normalisation not in NORMALISATIONS:
        raise ModelError(f"unknown normalisation {normalisation!r}; known: {', '.join(NORMALISATIONS)}")
    files = {
        relative.as_posix(): File(path.stat().st_size, sha256(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and (relative := path.relative_to(folder)).as_posix() != MANIFEST
        and not any(part.startswith(".") for part in relative.parts)
    }
    if not files:
        raise ModelError(f"{folder}: no files to make a manifest of")
    config = read_json(folder / "config.json") if "config.json" in files else {}
    longest = _max_source_tokens(folder, config)
    if max_source_tokens is not None and not 0 < max_source_tokens <= longest:
        raise ModelError(f"max_source_tokens {max_source_tokens}: the model's positions allow 1 to {longest}")
    manifest = Manifest(
        name=name,
        source_language=source_language,
        target_language=target_language,
        normalisation=normalisation,
        max_source_tokens=max_source_tokens or longest,
        licence=licence,
        revision=revision,
        origin=origin,
        sizes=_sizes(folder, config),
        files=files,
        notes=tuple(notes),
    )
    temporary = folder / f".{MANIFEST}.part"
    temporary.write_text(json.dumps(manifest.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(folder / MANIFEST)
    return manifest


def _sizes(folder: Path, config: Mapping[str, Any]) -> dict[str, int]:
    names = {
        "d_model": "d_model",
        "ffn": "encoder_ffn_dim",
        "heads": "encoder_attention_heads",
        "encoder_layers": "encoder_layers",
        "decoder_layers": "decoder_layers",
        "vocabulary": "vocab_size",
    }
    sizes = {name: int(config[key]) for name, key in names.items() if key in config}
    if (weights := folder / "model.safetensors").is_file():
        sizes["parameters"] = _parameters(weights)
    return sizes


def _parameters(path: Path) -> int:
    """Number of weights in a safetensors file, from its header (8 bytes of length, then JSON)."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    total = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            count = 1
            for length in tensor["shape"]:
                count *= length
            total += count
    return total


def converted_path(model: Model, quantization: str = "int8") -> Path:
    """Where the user's cache keeps the build of a local folder, by the hash of what it is made from."""
    from aligner.translation.quantizing import LIMIT

    digest = hashlib.sha256()
    weights = model.safetensors or model.path / "pytorch_model.bin"
    for path in (weights, *(model.path / name for name in ("config.json", "vocab.json", *SPM))):
        digest.update(f"{path.name} {sha256(path)}\n".encode())
    if quantization.startswith("int8"):
        digest.update(f"weights within {LIMIT}\n".encode())  # a build with others is another one
    stem = re.sub(r"[^\w.-]+", "-", model.name).strip("-.") or "model"
    return cache_dir() / f"{stem}@{digest.hexdigest()[:12]}-{quantization}"
