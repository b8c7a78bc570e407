"""Exports a run as event files of TensorBoard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from clr_tui.engine.analysis.arrays import Floats
from clr_tui.engine.analysis.foreign.json_values import flat_settings
from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.recordings.tensorboard_events import Scalars, event_file
from clr_tui.engine.atomic import replacing
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import LoggedRun

_NOT_IN_NAMES = re.compile(r"[^\w .,=+()\[\]@%-]+")


def export_tensorboard(history: RunHistory, folder: Path) -> list[Path]:
    """Writes the run into a folder of its name in `folder`, and each of several trials in its own.

    Names are `train/loss`, `validation/loss`, `lr` and so on; those of a user's own loop, or of
    another tool's log, stay as they are. The settings are hyperparameters. What an earlier export
    of the run wrote is replaced.

    Returns:
        The files.

    Raises:
        UserError: the folder cannot be written, or the run has no values.
    """
    start = history.first_time or history.config.created
    place = folder.joinpath(*_safe_parts(history.config.id))
    settings, files = _settings(history), []
    for name, curves in _runs(history, start):
        target = place / name / f"events.out.tfevents.{max(int(start), 0):010d}.clr-tui"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target, 0o666) as file:  # less the umask
                file.writelines(event_file(curves, settings, start))
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(
                f"cannot write into '{folder}': {reason}; choose a folder that can be written"
            ) from None
        files.append(target)
    if not files:
        raise UserError(f"'{history.config.id}' has no values yet that TensorBoard could show")
    return files


def _runs(history: RunHistory, start: float) -> Iterator[tuple[str, list[Scalars]]]:
    """The curves of each of TensorBoard's runs that have any, by the name of its folder."""
    logged = []
    for name in history.logged.names:
        column = history.logged.column(name)
        logged.append(Scalars(name, column.step, _known(column.at, start), column.value))
    if logged:
        yield "", logged
    taken: set[str] = set()
    for trial in history.trials.values():
        if curves := list(_curves(trial, start)):
            name = _trial_folder(trial) if len(history.trials) > 1 else ""
            name = f"{name}-trial-{trial.trial}" if name in taken else name
            taken.add(name)
            yield name, curves


def _trial_folder(trial: TrialHistory) -> str:
    label = "".join(_safe_parts(trial.label.replace("/", "-")))
    seed = f"sweep-{trial.trial}" if trial.role == "sweep" else f"seed-{trial.seed}"
    return f"{label}/{seed}" if trial.label else seed


def _curves(trial: TrialHistory, start: float) -> Iterator[Scalars]:
    at = _known(start + trial.seconds, start)
    columns = {"lr": trial.lr, "effective_lr": trial.effective_lr, "train/loss": trial.loss}
    columns |= {f"train/{name}": trial.metric(name) for name in trial.metric_names}
    for name, values in columns.items():
        if len(values) and (name != "effective_lr" or np.isfinite(values).any()):
            yield Scalars(name, trial.step, at, values)
    points: dict[str, list[_Point]] = {}
    for name, point in _measured(trial):
        points.setdefault(name, []).append(point)
    for name, those in points.items():
        yield Scalars(
            name,
            np.array([point.step for point in those], np.int64),
            _known(np.array([point.time for point in those]), start),
            np.array([point.value for point in those], np.float64),  # None becomes NaN
        )


class _Point(NamedTuple):
    step: int
    time: float
    """Unix time in seconds."""
    value: float | None


def _measured(trial: TrialHistory) -> Iterator[tuple[str, _Point]]:
    """What was measured after some steps, by name."""
    for one in trial.evaluations:
        part = f"{one.part}_of_{one.checkpoint}" if one.checkpoint else one.part
        for name, value in {"loss": one.loss, **one.metrics}.items():
            yield f"{part}/{name}", _Point(one.step, one.time, value)
    for epoch in trial.epochs:
        for name, value in {"loss": epoch.train_loss, **epoch.train_metrics}.items():
            yield f"train_epoch/{name}", _Point(epoch.step, epoch.time, value)


def _known(at: Floats, start: float) -> Floats:
    """Unix times, those that are unknown replaced by the start of the run."""
    return np.where(np.isfinite(at) & (at > 0), at, start)


def _settings(history: RunHistory) -> dict[str, str]:
    job = history.config.job
    if isinstance(job, LoggedRun):
        return job.config
    task = {
        k: v for k, v in msgspec.to_builtins(history.config.task).items() if v not in ("", None)
    }
    return flat_settings("", {**task, **msgspec.to_builtins(job)})


def _safe_parts(name: str) -> list[str]:
    """The parts of a path, without characters that file systems or terminals take amiss."""
    parts = (_NOT_IN_NAMES.sub("_", part).strip(". ") for part in name.split("/"))
    return [part for part in parts if part] or ["run"]
