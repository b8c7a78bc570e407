"""The curves of any run by name, as if its loop had logged them: for charts of several runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.logged import LoggedColumn, LoggedColumns
from clr_tui.engine.log import events as ev

VALIDATION = "val/"
"""Prefix of what was measured on the validation part."""
EPOCH = "epoch"


class Columns(Protocol):
    """Values by name."""

    @property
    def names(self) -> list[str]:
        """In the order of their first values."""

    def column(self, name: str) -> LoggedColumn:
        """The values of a name; raises KeyError if there are none."""


@dataclass(frozen=True)
class NamedColumns:
    """The curves of a run, or of one of its trials."""

    name: str
    """The trial's: "adam, seed 0", or "seed 1"; empty if the run has only one."""
    columns: Columns


def run_columns(history: RunHistory) -> list[NamedColumns]:
    """The curves of a run: those of each trial, without sweeps that only tune a comparison's rates.

    A trial has its loss and lr of each step, the metrics of its batches or epochs, and
    `val/loss` and others that were measured on the validation part. `epoch` counts the epochs done.
    """
    if history.logged.names:
        return [NamedColumns("", history.logged)]
    trials = [trial for trial in history.trials.values() if trial.role != "sweep"]
    found = [(trial, _TrialColumns(trial)) for trial in trials]
    several = len(trials) > 1
    return [
        NamedColumns(_name(trial) if several else "", columns)
        for trial, columns in found
        if columns.names
    ]


def load_columns(history: RunHistory) -> Columns:
    """The load of the machine over time, as the run reported it; x counts seconds."""
    return history.cached(_load_columns)


def _name(trial: TrialHistory) -> str:
    seed = f"seed {trial.seed}"
    return f"{trial.label}, {seed}" if trial.label else seed


class _TrialColumns:
    """The curves of a sweep or a training."""

    def __init__(self, trial: TrialHistory) -> None:
        self._trial = trial
        self._makers: dict[str, Callable[[], LoggedColumn]] = {}
        if len(trial):
            self._makers["loss"] = lambda: self._by_step(trial.loss)
            self._makers["lr"] = lambda: self._by_step(trial.lr)
            for name in trial.metric_names:
                self._makers[name] = partial(self._metric, name)
        self._add_epochs()
        self._add_validations()
        if trial.steps_per_epoch > 0 and len(trial):
            epochs = (trial.step + 1) / trial.steps_per_epoch
            self._makers[EPOCH] = lambda: self._by_step(epochs)

    @property
    def names(self) -> list[str]:
        return list(self._makers)

    def column(self, name: str) -> LoggedColumn:
        return self._makers[name]()

    def _add_epochs(self) -> None:
        """Means over epochs, of what was not logged by step."""
        epochs = self._trial.epochs
        names = dict.fromkeys(name for epoch in epochs for name in epoch.train_metrics)
        for name in ["loss", *names] if epochs else []:
            if name not in self._makers:
                values = {epoch.step: epoch.train_value(name) for epoch in epochs}
                self._makers[name] = partial(self._at_steps, values)

    def _add_validations(self) -> None:
        measured = [
            event
            for event in self._trial.evaluations
            if event.part in ("validation", "subset") and event.checkpoint is None
        ]
        names = dict.fromkeys(name for event in measured for name in event.metrics)
        if any(event.loss is not None for event in measured):
            names = {"loss": None} | names
        for name in names:
            values = {event.step: event.value(name) for event in measured}
            self._makers[VALIDATION + name] = partial(self._at_steps, values)

    def _metric(self, name: str) -> LoggedColumn:
        return self._by_step(self._trial.metric(name))

    def _by_step(self, values: Floats) -> LoggedColumn:
        return LoggedColumn(self._trial.step, values, self._trial.seconds, "step")

    def _at_steps(self, values: dict[int, float | None]) -> LoggedColumn:
        """Values after so many steps."""
        step = np.array(sorted(values), np.int64)
        value = np.array([values[int(one)] for one in step], np.float64)
        return LoggedColumn(step, value, self._seconds_at(step), "step")

    def _seconds_at(self, step: Ints) -> Floats:
        if not len(self._trial):
            return np.full(len(step), np.nan)
        return np.interp(step, self._trial.step + 1, self._trial.seconds)


_LOADS: dict[str, Callable[[ev.DeviceUsage], float | None]] = {
    "CPU cores": lambda usage: usage.process_cores,
    "memory GB": lambda usage: _gigabytes(usage.process_memory),
}
_DEVICE_LOADS: dict[str, Callable[[ev.DeviceUsage], float | None]] = {
    "GPU %": lambda usage: _per_cent(usage.utilisation),
    "GPU memory GB": lambda usage: _gigabytes(usage.memory_used),
}


def _per_cent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _gigabytes(size: int | None) -> float | None:
    return None if size is None else size / 1e9


def _load_columns(history: RunHistory) -> LoggedColumns:
    columns = LoggedColumns()
    start = history.first_time or 0.0

    def add(name: str, usages: list[ev.DeviceUsage], values: list[float | None]) -> None:
        if any(value is not None for value in values):
            seconds = [max(round(usage.time - start), 0) for usage in usages]
            times = [usage.time for usage in usages]
            columns.append(ev.Logged(step=seconds, values={name: values}, at=times, x="second"))

    measured = [usage for usage in history.usages if usage.memory_used is not None]
    devices = list(dict.fromkeys(usage.device for usage in measured))
    for name, value_of in _DEVICE_LOADS.items():
        for device in devices:
            usages = [usage for usage in measured if usage.device == device]
            place = f"{device}/" if device and len(devices) > 1 else ""
            add(f"system/{place}{name}", usages, [value_of(usage) for usage in usages])
    for name, value_of in _LOADS.items():
        add(f"system/{name}", history.usages, [value_of(usage) for usage in history.usages])
    return columns
