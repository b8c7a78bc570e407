"""What an installed clr-tui holds: every folder and every file of clr_tui/, engine/ and tui/."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    path
    for package in ("clr_tui", "engine", "tui")
    for path in (ROOT / package).rglob("*")
    if path.is_file() and path.parent.name != "__pycache__" and not path.name.startswith(".")
]


def test_every_folder_is_a_package() -> None:
    """find_packages in setup.py leaves out a folder without __init__.py and all below it."""
    folders = {path.parent for path in FILES}
    assert len(folders) > 2
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_every_file_that_is_no_module_is_package_data() -> None:
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    data = [path for path in FILES if path.suffix != ".py"]
    assert data
    assert not [path for path in data if not any(path.match(pattern) for pattern in patterns)]
