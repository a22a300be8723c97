"""The built wheel carries the model and the corpus, and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_wheel_works_on_its_own(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"aligner"}

    def python(code: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    places = python("from aligner.resources import bundled; print(bundled('models'), bundled('corpus'))").split()
    assert places == [str(tmp_path / "site" / "aligner" / "_bundled" / name) for name in ("models", "corpus")]
    found = python(
        "import aligner; from pathlib import Path; from aligner.resources import bundled\n"
        "record = aligner.run(bundled('corpus') / 'atalayar-2022' / 'putin-macron.txt')\n"
        "print(*[caption.translation.model for caption in record.captions])"
    ).split()
    assert len(found) == 4
    assert all(model.startswith("es-en@") for model in found)


def test_files_are_those_of_the_manifest_and_light() -> None:
    kinds = {".bin", ".safetensors", ".spm", ".json", ".txt"}
    files = [path for path in (ROOT / "models").rglob("*") if path.suffix in kinds]
    files += (ROOT / "aligner" / "data").glob("*.npz")
    assert 1e6 < sum(path.stat().st_size for path in files) <= 40e6
