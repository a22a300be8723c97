"""Models made: a hub model pulled, a Hugging Face folder converted to CTranslate2.

What is made appears under its name only when it is whole: it is built in a hidden folder beside its place
and renamed. A broken download stays in such a folder and is resumed by the next call. Both need the extra
``torch``.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aligner.errors import ModelError, UsageError, install
from aligner.translation.models import (
    HUB_ID,
    MANIFEST,
    SPM,
    Model,
    cache_dir,
    converted_path,
    inspect,
    languages,
    read_json,
    sha256,
    write_manifest,
)
from aligner.translation.quantizing import write_build

#: How CTranslate2 may store the weights of a conversion.
QUANTIZATIONS = (
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
)
_WEIGHTS = "model.safetensors"
_PICKLED = "pytorch_model.bin"


# ------------------------------------------------------------------------------------------------- converting


def convert(folder: Path, output: Path | None = None, *, quantization: str = "int8", force: bool = False) -> Model:
    """Converts a local Hugging Face Marian folder into a CTranslate2 model.

    Needs the extra ``torch``. The result is made beside its destination and renamed into place when whole.

    Args:
        folder: the Hugging Face folder.
        output: destination; None for the user's cache, where :meth:`Translator.open` finds it again by the
            hash of the weights.
        quantization: one of :data:`QUANTIZATIONS`.
        force: replace ``output`` if it exists.

    Raises:
        UsageError: unknown quantization, or ``output`` exists.
        ModelError: the folder is not a Marian model, or torch is absent.
    """
    if quantization not in QUANTIZATIONS:
        raise UsageError(f"unknown quantization {quantization!r}; known: {', '.join(QUANTIZATIONS)}")
    model = inspect(folder, folder.resolve().name, "folder")
    model.check([path for path in folder.rglob("*") if path.is_file()])
    if model.ctranslate2 == folder:
        raise UsageError(f"{folder}: is a CTranslate2 model already")
    _require_torch(f"converting {folder}")
    if output is None:
        output, force = converted_path(model, quantization), True
    elif output.exists() and not force:
        raise UsageError(f"{output}: exists already; name another folder, or --force to replace it")
    manifest = model.manifest
    with _made(output) as made:
        notes = _convert_into(folder, made, quantization)
        for name in SPM:
            shutil.copyfile(folder / name, made / name)
        write_manifest(
            made,
            name=model.name,
            source_language=model.source_language,
            target_language=model.target_language,
            licence=manifest.licence if manifest else None,
            revision=manifest.revision if manifest else None,
            origin=manifest.origin if manifest else None,
            normalisation=model.normalisation,
            max_source_tokens=model.max_source_tokens,
            notes=notes,
        )
    return inspect(output, model.name, "folder")


def _convert_into(folder: Path, output: Path, quantization: str) -> list[str]:
    """Writes the CTranslate2 build of ``folder`` into ``output`` (existing, empty); returns remarks."""
    with tempfile.TemporaryDirectory(prefix="aligner-") as temporary, quiet_transformers():
        source = folder
        if not (folder / _WEIGHTS).is_file():
            if not (folder / _PICKLED).is_file():
                raise ModelError(f"{folder}: has neither {_WEIGHTS} nor {_PICKLED}")
            source = Path(temporary)
            _unpickle(folder, source)
        try:
            write_build(_converter(source), output, quantization)
        except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
            raise ModelError(f"{folder}: CTranslate2 cannot convert it: {error}") from error
        return _start_token_notes(source)


def _converter(folder: Path) -> Any:
    """CTranslate2's converter, kept to local files, safetensors and complete weights."""
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]
        def load_model(self, model_class: Any, path: str, **kwargs: Any) -> Any:
            return load_whole(model_class, path, **kwargs)

        def load_tokenizer(self, tokenizer_class: Any, path: str, **kwargs: Any) -> Any:
            return tokenizer_class.from_pretrained(path, local_files_only=True, **kwargs)

    return Converter(str(folder), trust_remote_code=False)


def load_whole(model_class: Any, folder: str | Path, **kwargs: Any) -> Any:
    """Loads local safetensors weights; transformers alone fills weights that are missing with random numbers.

    Raises:
        ModelError: the file is damaged, or weights are missing or of another shape.
    """
    from safetensors import SafetensorError

    try:
        model, info = model_class.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are told below
            **kwargs,
        )
    except SafetensorError as error:
        raise ModelError(f"{folder}/{_WEIGHTS}: damaged or cut off ({error}); copy it anew") from None
    absent = sorted(info["missing_keys"]) + sorted(key for key, *_ in info.get("mismatched_keys", ()))
    if absent:
        more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
        raise ModelError(
            f"{folder}/{_WEIGHTS}: weights are missing, or not of the shape that config.json says: "
            f"{', '.join(absent[:3])}{more}"
        )
    return model


def _start_token_notes(folder: Path) -> list[str]:
    from safetensors import safe_open

    config = read_json(folder / "config.json")
    with safe_open(folder / "model.safetensors", framework="pt") as tensors:
        tables = {"model.shared.weight", "model.decoder.embed_tokens.weight"} & set(tensors.keys())
        if not tables:
            return []
        row = tensors.get_slice(tables.pop())[config["decoder_start_token_id"]]
        if bool(row.float().abs().max() > 1e-6):
            return [
                "the start token does not embed to zero: CTranslate2 decodes from a zero vector, "
                "so its output can differ from transformers'"
            ]
    return []


def _unpickle(folder: Path, output: Path) -> None:
    """Rewrites ``pytorch_model.bin`` as safetensors, tensors only."""
    import torch
    from transformers import MarianMTModel

    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < (2, 6):
        raise ModelError(
            f"{folder}: its weights are pickled, and torch {torch.__version__} cannot read these safely; "
            "pip install 'torch>=2.6'"
        )
    with quiet_transformers():
        try:
            model = MarianMTModel.from_pretrained(
                folder, use_safetensors=False, weights_only=True, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:  # a hostile pickle can make torch raise anything
            raise ModelError(f"{folder}/{_PICKLED}: not a plain file of weights, refused: {error}") from error
        model.save_pretrained(output)
    for name in (*SPM, "vocab.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, output / name)


def _require_torch(what: str) -> None:
    import importlib.util

    missing = [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelError(f"{what} needs {' and '.join(missing)}, not installed here: {install('torch')}")


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keeps transformers' bars and advice off stderr."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextlib.contextmanager
def _made(target: Path) -> Iterator[Path]:
    """A folder that takes ``target``'s place when the block ends well, and vanishes when it does not."""
    with _locked(target):
        temporary = target.with_name(f".making-{target.name}")
        # Left by a process that was killed: nobody else works here while we hold the lock.
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            yield temporary
            _swap(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _swap(made: Path, target: Path) -> None:
    if target.exists():
        old = target.with_name(f".old-{target.name}")
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
        made.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        made.rename(target)


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """One process at a time makes ``target``; others wait."""
    import filelock

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=target.parent):
            pass  # where nothing can be made, a lock would be waited for without end
        lock = filelock.FileLock(target.with_name(f".{target.name}.lock"))
        lock.acquire()
    except OSError as error:
        raise ModelError(
            f"{target.parent}: cannot be written ({error.strerror}); set XDG_CACHE_HOME or choose another folder"
        ) from None
    try:
        yield
    finally:
        lock.release()


# ------------------------------------------------------------------------------------------------- pulling

_WANTED = (
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "vocab.json",
    "target_vocab.json",
    *SPM,
)


def pull(repo: str, revision: str | None = None, *, quantization: str = "int8") -> Model:
    """Downloads a Marian model from the Hugging Face hub and converts it to CTranslate2.

    The revision is resolved to a commit first and everything is taken from that commit; files come with their
    hashes and are checked. A broken download is resumed by the next call; nothing is listed as a model before
    it is whole. ``HF_ENDPOINT``, ``HF_TOKEN`` and ``HF_HUB_OFFLINE`` mean what they mean to
    ``huggingface_hub``. Needs the extra ``torch``.

    Args:
        repo: ``ORGANISATION/NAME`` or ``ORGANISATION/NAME@REVISION``.
        revision: branch, tag or commit; None for the id's own, else ``main``.
        quantization: of the CTranslate2 build, one of :data:`QUANTIZATIONS`.

    Raises:
        UsageError: not a hub id, or unknown quantization.
        ModelError: the hub cannot be reached or has no such model, or it is no Marian model.
    """
    match = HUB_ID.fullmatch(repo)
    if match is None:
        raise UsageError(f"{repo!r} is not a hub id (ORGANISATION/NAME, e.g. Helsinki-NLP/opus-mt-es-en)")
    if quantization not in QUANTIZATIONS:
        raise UsageError(f"unknown quantization {quantization!r}; known: {', '.join(QUANTIZATIONS)}")
    repo, revision = match["repo"], revision or match["revision"]
    _require_torch(f"pulling {repo}")

    with _hub_errors(repo, revision):
        from huggingface_hub import HfApi

        info = HfApi().model_info(repo, revision=revision, files_metadata=True)
    commit = info.sha or ""
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        raise ModelError(f"{repo}: the hub names no commit for revision {revision or 'main'!r}")
    target = cache_dir() / f"{repo.replace('/', '--')}@{commit[:12]}"
    with _locked(target):
        if not (target / MANIFEST).is_file():
            _fetch_and_build(repo, commit, info, target, quantization)
    return inspect(target, repo, "cache")


def _fetch_and_build(repo: str, commit: str, info: Any, target: Path, quantization: str) -> None:
    """Downloads into a hidden folder that the next call resumes, builds there, and renames it into place."""
    remote = {file.rfilename: file for file in info.siblings or ()}
    needed = ("config.json", "vocab.json", *SPM)
    if missing := [name for name in needed if name not in remote]:
        raise ModelError(f"{repo}: not a Marian model in Hugging Face layout, it has no {', '.join(missing)}")
    weights = next((name for name in (_WEIGHTS, _PICKLED) if name in remote), None)
    if weights is None:
        raise ModelError(f"{repo}: has neither {_WEIGHTS} nor {_PICKLED}")
    names = [name for name in (*_WANTED, weights) if name in remote]

    partial = target.with_name(f".partial-{target.name}")
    partial.mkdir(exist_ok=True)
    for name in names:
        _download(repo, commit, remote[name], partial / name)

    config = read_json(partial / "config.json")
    if config.get("model_type") != "marian":
        shutil.rmtree(partial)
        raise ModelError(f"{repo}: a {config.get('model_type')!r} model; only MarianMT models (marian) are supported")
    notes = []
    if weights == _PICKLED:
        _unpickle(partial, partial / ".unpickled")
        (partial / ".unpickled" / _WEIGHTS).replace(partial / _WEIGHTS)
        (partial / _PICKLED).unlink()
        notes.append(f"the hub has the weights pickled only; {_WEIGHTS} was made from them here")
    build = partial / f"ctranslate2-{quantization}"
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir()
    notes += _convert_into(partial, build, quantization)
    for hidden in partial.glob(".*"):
        shutil.rmtree(hidden)
    spoken = languages(partial, repo.partition("/")[2])
    write_manifest(
        partial,
        name=repo,
        source_language=spoken[0],
        target_language=spoken[1],
        licence=_licence(info),
        revision=commit,
        origin=f"Hugging Face hub: {repo}",
        notes=notes,
    )
    partial.rename(target)


def _download(repo: str, commit: str, file: Any, target: Path) -> None:
    """Fetches one file of a commit, going on where an earlier attempt broke off, and checks what came."""
    if target.is_file():
        return
    part = target.with_name(f"{target.name}.part")
    with _hub_errors(repo, commit):
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import (
            are_progress_bars_disabled,
            build_hf_headers,
            disable_progress_bars,
            enable_progress_bars,
        )

        bars = not are_progress_bars_disabled()
        if not sys.stderr.isatty():
            disable_progress_bars()
        try:
            with part.open("ab") as stream:
                http_get(
                    hf_hub_url(repo, file.rfilename, revision=commit),
                    stream,
                    resume_size=stream.tell(),
                    headers=build_hf_headers(),
                    expected_size=file.size,
                    displayed_filename=file.rfilename,
                )
        finally:
            if bars:
                enable_progress_bars()
    if file.lfs is not None and (found := sha256(part)) != file.lfs.sha256:
        part.unlink()
        raise ModelError(
            f"{repo}: {target.name} came with SHA-256 {found[:12]}…, the hub says {file.lfs.sha256[:12]}…; "
            f"run `aligner models pull {repo}` again"
        )
    part.replace(target)


def _licence(info: Any) -> str | None:
    card = getattr(info, "card_data", None)
    licence = getattr(card, "license", None)
    if not licence:
        licence = next((tag.partition(":")[2] for tag in info.tags or () if tag.startswith("license:")), None)
    return str(licence) if licence else None


@contextlib.contextmanager
def _hub_errors(repo: str, revision: str | None) -> Iterator[None]:
    """Turns what huggingface_hub raises into one message with a remedy."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError:
        raise ModelError(f"{repo}: the hub asks for an accepted licence; accept it there and set HF_TOKEN") from None
    except errors.RevisionNotFoundError:
        raise ModelError(f"{repo}: the hub has no revision {revision or 'main'!r} of it") from None
    except errors.RepositoryNotFoundError:
        raise ModelError(
            f"{repo}: the hub has no such model (or it is private: set HF_TOKEN), "
            "and there is no folder of that name here"
        ) from None
    except errors.HFValidationError as error:
        raise UsageError(f"{repo}: not a hub id ({error})") from None
    except (
        errors.OfflineModeIsEnabled,
        errors.HfHubHTTPError,
        errors.LocalEntryNotFoundError,
        OSError,
    ) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(_offline(repo, reason)) from None
    except Exception as error:
        # huggingface_hub's HTTP client differs between its versions; its connection errors share no public
        # base.
        if type(error).__module__.partition(".")[0] in {
            "httpx",
            "httpx2",
            "httpcore",
            "httpcore2",
            "requests",
            "urllib3",
        }:
            raise ModelError(_offline(repo, str(error) or type(error).__name__)) from None
        raise


def _offline(repo: str, reason: str) -> str:
    return (
        f"{repo}: the hub could not be reached ({reason}). What is downloaded so far is kept: run "
        f"`aligner models pull {repo}` with a network, or copy the model's folder here and give its path, "
        "or use the bundled model es-en"
    )
