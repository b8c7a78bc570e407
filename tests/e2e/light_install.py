"""An installation as docs/install-light.md describes it, from a wheel of this repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "install-light.md"
SOURCES = ("clr_tui", "engine", "tui", "pyproject.toml", "setup.py", "README.md", "LICENSE")


def documented() -> list[list[Requirement]]:
    """The packages of each command of the page that names some."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("    ")]
    found = [re.findall(r'"([^"]+)"', line) for line in lines if "pip install" in line]
    return [list(map(Requirement, names)) for names in found if names]


def with_dependencies(names: list[str]) -> set[str]:
    """These packages and all that they need here."""
    waiting, found = [*names], set[str]()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for text in distribution(name).requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)
    return found


def build_wheel(folder: Path) -> Path:
    """Builds the wheel from a copy, so that nothing is left in the repository."""
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    (wheel,) = folder.glob("clr_tui-*.whl")
    return wheel


def install(folder: Path) -> Path:
    """Makes the installation; the packages of the page are links to those that are here.

    Returns:
        Its Python.
    """
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")],
        check=True,
        timeout=120,
    )
    scheme = sysconfig.get_path(
        "purelib",
        "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix",
        vars={"base": str(folder / "venv"), "platbase": str(folder / "venv")},
    )
    site = Path(scheme)
    with zipfile.ZipFile(build_wheel(folder)) as wheel:
        wheel.extractall(site)
    for name in with_dependencies([one.name for one in documented()[0]]):
        for path in _top_level(name):
            (site / path.name).symlink_to(path)
    return folder / "venv" / "bin" / "python"


def _top_level(name: str) -> Iterator[Path]:
    """The folders and files of a package in site-packages."""
    package = distribution(name)
    tops = {file.parts[0] for file in package.files or () if file.parts[0] not in ("..", "bin")}
    for top in tops - {"__pycache__"}:
        yield Path(str(package.locate_file(top)))
