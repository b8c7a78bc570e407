"""Starts runs, for the command line and the new-run form."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.removal import remove_run
from clr_tui.engine.log.restarting import watch_over
from clr_tui.engine.log.rundir import RunDir, create_run, find_run, list_runs
from clr_tui.engine.settings.catalogue import HUGGING_FACE, SOURCES, WEIGHTS
from clr_tui.engine.settings.check import check
from clr_tui.engine.settings.config import Job, TaskConfig, kind_of
from clr_tui.engine.settings.task_files import absolute_place
from clr_tui.engine.settings.training_needs import check_can_train
from clr_tui.engine.version import package_version


def start_run(
    runs: Path, task: TaskConfig, job: Job, parent: str | None = None, *, restarts: int = 0
) -> RunDir:
    """Checks the settings, writes the run's directory and starts its worker.

    Args:
        runs: the folder of runs, created if missing.
        task: the task; paths may be relative to the working directory or start with `~`.
        job: a range test, a training or a comparison.
        parent: the run whose bounds or settings this one uses.
        restarts: how often to restart its worker if that dies.

    Returns:
        The directory of the run. Its worker has started and holds the lock.

    Raises:
        UserError: torch is not installed; or the first invalid setting, with its field; or the
            folder of runs cannot be written.
    """
    check_can_train()
    task = expanded(task, runs)
    job = resolved(task, job, runs)
    mistakes = check(task, job)
    if mistakes:
        raise mistakes[0]
    run = create_run(
        runs,
        task=_absolute(task),
        job=job,
        parent=parent,
        version=package_version(),
        folder=_working_directory(),
    )
    try:
        launch(run)
    except UserError:
        remove_run(run)  # it never started
        raise
    if restarts:
        watch_over(run, restarts)
    return run


def as_asked(job: Job) -> Job:
    """A run's job as it was asked for: the inverse of `resolved`."""
    place = JOB_KINDS[kind_of(job)].as_asked
    found: Job = named(place)(job) if place else job
    return found


def _working_directory() -> str:
    """Returns the working directory, or "" if it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def mistakes_of(runs: Path, task: TaskConfig, job: Job) -> list[UserError]:
    """The mistakes that `start_run` would refuse, without starting anything."""
    try:
        task = expanded(task, runs)
    except UserError as error:
        return [error]
    try:
        job = resolved(task, job, runs)
    except UserError as error:
        others = [mistake for mistake in check(task, job) if mistake.field != error.field]
        return [error, *others]
    return check(task, job)


def resolved(task: TaskConfig, job: Job, runs: Path) -> Job:
    """The job as a run stores it; raises UserError if it cannot be worked out."""
    place = JOB_KINDS[kind_of(job)].resolve
    found: Job = named(place)(task, job, runs) if place else job
    return found


def expanded(task: TaskConfig, runs: Path) -> TaskConfig:
    """Expands `~` in the paths of `task`, and the run whose weights it asks for.

    Raises:
        UserError: that run has no weights, or several runs could be meant (field "weights").
    """
    return msgspec.structs.replace(
        task,
        task=os.path.expanduser(task.task),
        data=os.path.expanduser(task.data),
        weights=_weights_file(os.path.expanduser(task.weights), runs),
    )


def _weights_file(weights: str, runs: Path) -> str:
    """The checkpoint to take from a training given by its id or folder; else `weights` itself."""
    if not weights or weights in WEIGHTS or os.path.isfile(weights):
        return weights
    known = any(run.id.startswith(weights) for run in list_runs(runs))
    if not known and not os.path.isfile(RunDir(Path(weights)).config_path):
        return weights
    try:
        run = find_run(runs, weights)
    except UserError as error:
        raise UserError(error.message, "weights") from None
    for name in ("best.pt", "last.pt"):
        path = run.path / "checkpoints" / name
        if path.is_file():
            return str(path)
    words = "has no checkpoint: only trainings have, from their first epoch on"
    raise UserError(f"the run '{run.id}' {words}", "weights")


def _absolute(task: TaskConfig) -> TaskConfig:
    """Makes paths absolute: the worker has a different working directory."""
    if task.task:
        return msgspec.structs.replace(task, task=absolute_place(task.task))
    prefix = HUGGING_FACE if task.data.startswith(HUGGING_FACE) else ""
    path = task.data.removeprefix(prefix)
    named = task.data in SOURCES or (prefix and not os.path.isdir(path))
    data = task.data if named else prefix + os.path.abspath(path)
    weights = task.weights if task.weights in WEIGHTS else os.path.abspath(task.weights)
    return msgspec.structs.replace(task, data=data, weights=weights)
