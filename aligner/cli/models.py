"""``aligner models``: list, show, verify, pull, convert."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligner.show import count, put, put_text, say, size, styled

if TYPE_CHECKING:
    from aligner.translation.models import Model

models = typer.Typer(no_args_is_help=True, help="Translation models: the bundled one, local folders, hub models.")


class Format(StrEnum):
    """How models are printed."""

    table = "table"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", "-f", help="A table, or JSON.")]
Name = Annotated[str, typer.Argument(metavar="MODEL", help="Bundled name, local folder or hub id.")]
Quantization = Annotated[
    str, typer.Option(help="How weights are stored: int8, int8_float32, int16, float16, float32, …")
]


def _described(model: Model) -> dict[str, Any]:
    manifest = model.manifest
    bytes_ = sum(path.stat().st_size for path in model.path.rglob("*") if path.is_file())
    return {
        "name": model.name,
        "where": model.where,
        "path": str(model.path),
        "source_language": model.source_language,
        "target_language": model.target_language,
        "engines": list(model.engines),
        "in_records": _in_records(model),
        "bytes": bytes_,
        "max_source_tokens": model.max_source_tokens,
        "normalisation": model.normalisation,
        "licence": manifest.licence if manifest else None,
        "revision": manifest.revision if manifest else None,
        "origin": manifest.origin if manifest else None,
        "sizes": dict(manifest.sizes) if manifest else {},
        "notes": list(manifest.notes) if manifest else [],
        "files": {n: f.sha256 for n, f in sorted(manifest.files.items())} if manifest else {},
    }


def _in_records(model: Model) -> dict[str, str]:
    """What ``translation.model`` says in records, by engine: the model's name and the hash of the weights it runs."""
    from aligner.translation.models import sha256

    build = model.ctranslate2
    weights = {"ctranslate2": build / "model.bin" if build else None, "transformers": model.safetensors}
    names = {}
    for engine in model.engines:
        path = weights[engine]
        if path is not None and path.is_file():
            listed = model.manifest and model.manifest.files.get(path.relative_to(model.path).as_posix())
            names[engine] = f"{model.name}@{(listed.sha256 if listed else sha256(path))[:12]}"
    return names


def _json(value: Any) -> None:
    put_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


@models.command("list")
def list_(format_: FormatOption = Format.table) -> None:
    """List the bundled models and those in your cache.

    Examples:

    * `aligner models list`
    * `aligner models list --format json`
    """
    from aligner.translation.models import installed

    described = [_described(model) for model in installed()]
    if format_ is Format.json:
        _json(described)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("model", "languages", "where", "engines", "size", "in records"):
        table.add_column(heading, justify="right" if heading == "size" else "left", overflow="fold")
    for one in described:
        table.add_row(
            styled(one["name"]),
            f"{one['source_language'] or '?'} → {one['target_language'] or '?'}",
            one["where"],
            ", ".join(one["engines"]),
            size(one["bytes"]),
            styled(next(iter(one["in_records"].values()), "")),
        )
    put(table)


@models.command()
def show(model: Name, format_: FormatOption = Format.table) -> None:
    """Show all that is known of a model: languages, sizes, licence, revision, files and their hashes.

    Examples:

    * `aligner models show es-en`
    """
    from aligner.translation.models import find

    described = _described(find(model))
    if format_ is Format.json:
        _json(described)
        return
    files = described.pop("files")
    described["made from commit"] = described.pop("revision")
    for key, value in described.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        shown = ", ".join(map(str, shown)) if isinstance(shown, list) else shown
        put_text(f"{key.replace('_', ' '):18} {'-' if shown in (None, '') else shown}\n")
    for name, digest in files.items():
        put_text(f"  {digest}  {name}\n")


@models.command()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="Models to check; all that are installed if none is named."),
    ] = None,
) -> None:
    """Check every file of models against their manifests; exit 1 if one is missing or altered.

    Examples:

    * `aligner models verify`
    * `aligner models verify es-en ./my-model`
    """
    from aligner.errors import ModelError, UsageError
    from aligner.translation.models import find, installed

    code = 0
    for one in names or installed():
        name = one if isinstance(one, str) else one.name
        try:
            model = find(one) if isinstance(one, str) else one
            problems = model.verify()
            files = count(len(model.manifest.files) if model.manifest else 0, "file")
            put(f"{name}: " + ("; ".join(problems) if problems else f"{files}, all as they should be"))
            code = max(code, 1 if problems else 0)
        except (ModelError, UsageError) as error:  # the next one is looked at all the same
            put(f"{name}: {error}")
            code = max(code, 2 if isinstance(error, UsageError) else 1)
    raise typer.Exit(code)


@models.command()
def pull(
    model: Annotated[str, typer.Argument(metavar="HUB_ID", help="ORGANISATION/NAME, or ORGANISATION/NAME@REVISION.")],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit; resolved to a commit and kept.")] = None,
    quantization: Quantization = "int8",
) -> None:
    """Download a Marian model from the Hugging Face hub into your cache and convert it to CTranslate2.

    Needs the extra `torch`. A broken download is resumed by calling it again.

    Examples:

    * `aligner models pull Helsinki-NLP/opus-mt-es-en`
    """
    from aligner.errors import UsageError
    from aligner.translation.making import pull as fetch

    if revision is not None and "@" in model:
        raise UsageError(f"{model}: names a revision itself: leave out --revision")
    _made(fetch(model, revision, quantization=quantization))


@models.command()
def convert(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A Marian model in Hugging Face layout.")],
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to; else your cache.")] = None,
    quantization: Quantization = "int8",
    force: Annotated[bool, typer.Option("--force", help="Replace DIR if it exists.")] = False,
) -> None:
    """Convert a local Marian model to CTranslate2.

    Needs the extra `torch`.

    Examples:

    * `aligner models convert my-marian-model --to my-fast-model`
    """
    from aligner.errors import UsageError
    from aligner.translation.making import convert as make

    if not folder.is_dir():
        raise UsageError(f"{folder}: {'a file, no folder' if folder.exists() else 'no such folder'}; check the path")
    _made(make(folder, to, quantization=quantization, force=force))


def _made(model: Model) -> None:
    for note in model.manifest.notes if model.manifest else ():
        say(f"{model.name}: {note}")
    put_text(f"{model.path}\n")


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    app.add_typer(models, name="models")
