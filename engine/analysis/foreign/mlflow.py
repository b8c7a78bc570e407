"""Finds MLflow's runs, in folders and in databases."""

from __future__ import annotations

import os
import re
from pathlib import Path

from clr_tui.engine.analysis.foreign import mlflow_database
from clr_tui.engine.analysis.foreign.database_paths import databases, run_folders
from clr_tui.engine.analysis.foreign.folders import MANY
from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.mlflow_run import MlflowRun, run_meta
from clr_tui.engine.analysis.foreign.sqlite_log import distinct


def open_mlflow(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """A log for each run in a folder or in a database.

    Raises:
        UserError: a database cannot be read.
    """
    logs: list[ForeignLog] = []
    if os.path.isdir(path):
        logs += _runs_in_folders(path, mapping)
    for database in databases(path, "mlflow"):
        logs += mlflow_database.runs_in(database, mapping)
    return logs


_TIME = re.compile("[0-9]{1,18}")
"""Unix time in milliseconds."""


def _runs_in_folders(path: Path, mapping: Mapping) -> list[MlflowRun]:
    found = []
    for folder in run_folders(path, MANY):
        meta = run_meta(folder)
        if meta.get("lifecycle_stage") != "deleted":
            start = meta.get("start_time") or ""
            found.append((int(start) if _TIME.fullmatch(start) else 0, folder, meta))
    found.sort(key=lambda one: one[:2])
    experiments = {folder: run_meta(folder.parent).get("name", "") for _, folder, _ in found}
    several = len(set(experiments.values())) > 1
    names = [
        (f"{experiments[folder]}/" if several and experiments[folder] else "")
        + (meta.get("run_name") or folder.name)
        for _, folder, meta in found
    ]
    ids = [folder.name for _, folder, _ in found]
    return [
        MlflowRun(folder, name, mapping)
        for name, (_, folder, _) in zip(distinct(names, ids), found, strict=True)
    ]
