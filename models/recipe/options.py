"""The recipe's options: ``recipe.toml`` has every one with its default; other files and ``--set`` change some."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

DEFAULTS = Path(__file__).with_name("recipe.toml")
#: Tables that another file replaces whole. Of the first two the keys are names of sets.
OPEN = ("prepare.repeat", "validate.sets")
WHOLE = (*OPEN, "prepare.variants")
#: Options that must be at least so large.
LEAST = {
    **dict.fromkeys(("d_model", "ffn", "heads", "encoder_layers", "decoder_layers"), 1),
    **dict.fromkeys(("batch_tokens", "warmup", "validate_steps", "pieces", "sentences", "beam_size", "hypotheses"), 1),
    **dict.fromkeys(("max_pieces", "max_positions"), 2),
}


def read_options(file: Path = DEFAULTS, settings: Iterable[str] = ()) -> dict[str, Any]:
    """All options: the defaults, changed by a file and then by ``TABLE.KEY=VALUE`` settings.

    Raises:
        SystemExit: the file is missing or no TOML, or an option is unknown, of another type or out of range.
    """
    if not file.is_file():
        raise SystemExit(f"{file}: no such options file")
    defaults = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SystemExit(f"{file}: {error}") from None
    options = deepcopy(defaults)
    _merge(options, given)
    overridden(options, settings)
    _check(options, defaults)
    if options["model"]["d_model"] % options["model"]["heads"]:
        raise SystemExit("model.d_model is not a multiple of model.heads")
    return options


def overridden(options: dict[str, Any], settings: Iterable[str]) -> None:
    """Puts ``TABLE.KEY=VALUE`` settings (VALUE in TOML, or a bare word) into an options table.

    Raises:
        SystemExit: a setting has no ``=``, or goes through something that is no table.
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise SystemExit(f"--set {setting}: expected TABLE.KEY=VALUE")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        *tables, key = name.strip().split(".")
        place = options
        for table in tables:
            place = place.setdefault(table, {})
            if not isinstance(place, dict):
                raise SystemExit(f"--set {setting}: {table} is not a table")
        place[key] = value


def _merge(options: dict[str, Any], given: dict[str, Any], inside: str = "") -> None:
    for key, value in given.items():
        name = inside + key
        if isinstance(value, dict) and isinstance(options.get(key), dict) and name not in WHOLE:
            _merge(options[key], value, f"{name}.")
        else:
            options[key] = value


def _check(options: dict[str, Any], defaults: dict[str, Any], inside: str = "") -> None:
    for key, value in options.items():
        name = inside + key
        if inside.rstrip(".") in OPEN:
            default: Any = 0.0 if inside == "prepare.repeat." else 0
        elif key in defaults:
            default = defaults[key]
        else:
            near = difflib.get_close_matches(key, defaults, 1)
            hint = f"do you mean {inside}{near[0]}?" if near else f"known: {', '.join(defaults)}"
            raise SystemExit(f"there is no option {name}; {hint}")
        if isinstance(default, dict) and isinstance(value, dict):
            _check(value, default, f"{name}.")
        else:
            options[key] = _fitting(name, value, default)


def _fitting(name: str, value: Any, default: Any) -> Any:
    """The value in the type of its default."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, int | float) and not isinstance(default, bool):
        whole = isinstance(default, int)
        if not number or (whole and value != int(value)):
            raise SystemExit(f"{name} is {value!r}; it must be a {'whole ' if whole else ''}number")
        least = LEAST.get(name.rpartition(".")[2], 0)
        if default >= 0 and value < least:
            raise SystemExit(f"{name} is {value!r}; it must be at least {least}")
        return int(value) if whole else float(value)
    if type(value) is not type(default):
        kinds = {str: "text", bool: "true or false", list: "a list", dict: "a table"}
        raise SystemExit(f"{name} is {value!r}; it must be {kinds[type(default)]}")
    return value
