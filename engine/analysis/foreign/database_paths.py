"""Which SQLite databases Trackio's and MLflow's are, and which folders MLflow's runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Literal

from clr_tui.engine.analysis.foreign.folders import FEW, MANY, folders_below
from clr_tui.engine.analysis.foreign.sqlite_files import MAGIC, BusyError, columns_of
from clr_tui.engine.errors import UserError

Kind = Literal["trackio", "mlflow"]
_ENDINGS = (".db", ".sqlite", ".sqlite3")
_COLUMNS: dict[Kind, set[str]] = {
    "trackio": {"run_name", "step", "metrics", "timestamp"},
    "mlflow": {"run_uuid", "key", "value", "step", "is_nan"},
}
"""Of the table `metrics`."""
_MOST = 50
"""Databases in a folder that are opened to know whose they are."""


def is_trackio(path: Path, head: bytes) -> bool:
    """Whether a path is a database of Trackio, or a folder that has one in it."""
    return _is(path, head, "trackio")


def is_mlflow(path: Path, head: bytes) -> bool:
    """Whether a path is a database of MLflow, or a folder with one or with MLflow's runs in it."""
    return _is(path, head, "mlflow") or next(run_folders(path, FEW), None) is not None


def databases(path: Path, kind: Kind) -> list[Path]:
    """The databases of that kind at `path` or in it."""
    return [path] if not os.path.isdir(path) else sorted(_databases_below(path, kind, MANY))


def run_folders(root: Path, most: int) -> Iterator[Path]:
    """The folders of MLflow's runs, `root` and those in it; see `folders_below`."""
    for folder, files in folders_below(root, most):
        if is_run_folder(folder, files):
            yield folder


def is_run_folder(folder: Path, files: Sequence[str]) -> bool:
    """Whether a folder with these files is that of a run of MLflow."""
    return "meta.yaml" in files and (folder / "metrics").is_dir()


def _is(path: Path, head: bytes, kind: Kind) -> bool:
    if os.path.isdir(path):
        return next(_databases_below(path, kind, FEW), None) is not None
    try:
        return head.startswith(MAGIC) and _COLUMNS[kind] <= columns_of(path, "metrics")
    except BusyError as error:
        raise UserError(f"'{path}' cannot be read now: {error}; try it again") from None


def _databases_below(root: Path, kind: Kind, most: int) -> Iterator[Path]:
    named = (
        folder / name
        for folder, files in folders_below(root, most)
        for name in files
        if name.endswith(_ENDINGS)
    )
    for path in islice(named, _MOST if most == FEW else None):
        with suppress(BusyError):
            if _COLUMNS[kind] <= columns_of(path, "metrics"):
                yield path
