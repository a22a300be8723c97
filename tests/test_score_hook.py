"""The pre-commit hook that this repository offers to others does what it says."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def hook() -> dict[str, object]:
    [found] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return found  # type: ignore[no-any-return]


def test_hook_is_complete(hook: dict[str, object]) -> None:
    assert {"id", "name", "entry", "language", "types_or"} <= set(hook)
    assert str(hook["entry"]).startswith("aligner find ")


def test_the_recipes_hook_is_this_one(hook: dict[str, object]) -> None:
    recipe = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8").split("```yaml\nrepos:")[1].split("```")[0]
    [repository] = yaml.safe_load(f"repos:{recipe}")["repos"]
    shared = {key: hook[key] for key in ("id", "name", "entry", "types_or", "require_serial")}
    assert repository == {"repo": "local", "hooks": [shared | {"language": "system"}]}


def test_hook_fails_on_residue_alone(
    hook: dict[str, object], aligner: Callable[..., subprocess.CompletedProcess[str]], seed: Path, tmp_path: Path
) -> None:
    arguments = shlex.split(str(hook["entry"]))[1:]
    clean = tmp_path / "clean.md"
    clean.write_text("# A tower\n\nThe mayor cut the ribbon at noon.\n\nThe boat left at once.\n", encoding="utf-8")
    assert aligner(*arguments, clean).returncode == 0
    failed = aligner(*arguments, clean, seed)
    assert failed.returncode == 1
    assert "La canciller alemana" in failed.stdout
