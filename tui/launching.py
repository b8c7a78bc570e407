"""Starting a run: what the command line and the new-run form share."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.removal import remove_run
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.settings.check import check
from clr_tui.engine.settings.config import (
    Job,
    TaskConfig,
)

DIGITS = "digits"
NO_FILE = ("imagenet", "none")
"""The values of `--weights` that are not paths."""


def package_version() -> str:
    """The installed version of clr-tui; `"0"` where it runs from a folder that is not installed."""
    try:
        return version("clr-tui")
    except PackageNotFoundError:
        return "0"


def start_run(
    runs: Path,
    task: TaskConfig,
    job: Job,
    parent: str | None = None,
) -> RunDir:
    """Check what is asked, write the run's directory and start its worker.

    Args:
        runs: the folder of runs; it is made where it is missing.
        task: what is trained; paths may be relative to the working directory or start with `~`.
        job: a range test, a training or a comparison.
        parent: the run whose bounds or settings this one took.

    Returns:
        The directory of the run, whose worker has been started and holds its lock.

    Raises:
        UserError: for the first mistake found, with the field at fault, or where the folder of
            runs cannot be written.
    """
    task = expanded(task)
    mistakes = check(task, job)
    if mistakes:
        raise mistakes[0]
    run = create_run(
        runs,
        task=_absolute(task),
        job=job,
        parent=parent,
        version=package_version(),
        folder=_here(),
    )
    try:
        launch(run)
    except UserError:
        remove_run(run)  # nothing was done in it, and nothing ever will be
        raise
    return run


def _here() -> str:
    """The working directory; empty where it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def expanded(task: TaskConfig) -> TaskConfig:
    """`task` with the `~` of its paths written out."""
    return msgspec.structs.replace(
        task, data=os.path.expanduser(task.data), weights=os.path.expanduser(task.weights)
    )


def _absolute(task: TaskConfig) -> TaskConfig:
    """The worker has a working directory of its own, so that paths must not depend on ours."""
    data = task.data if task.data == DIGITS else os.path.abspath(task.data)
    weights = task.weights if task.weights in NO_FILE else os.path.abspath(task.weights)
    return msgspec.structs.replace(task, data=data, weights=weights)
