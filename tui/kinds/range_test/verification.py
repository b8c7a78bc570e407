"""The comparison that verifies what a range test recommends, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace

from clr_tui.engine.analysis.comparison.asked_rates import around_advice
from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import RangeReport
from clr_tui.engine.errors import UserError
from clr_tui.engine.parallelism import Capacity, choose_jobs, trials_on_each
from clr_tui.engine.settings import texts
from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import Compare, RangeTest, RunConfig
from clr_tui.engine.settings.durations import duration
from clr_tui.engine.settings.entries import entry_of
from clr_tui.engine.settings.limits import Limits
from clr_tui.engine.settings.rate_grid import COUNT, at_each_rate, on_grid
from clr_tui.engine.settings.table import Setting, setting_of
from clr_tui.engine.words import lr_str, many
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain

RATES = Setting(
    "rates around the recommended one",
    name="rates",
    example=str(COUNT),
    type=int,
    default=COUNT,
    limits=Limits(ge=3, le=15),
)
FIELDS = {
    "epochs": setting_of(Compare, "epochs"),
    "seeds": setting_of(Compare, "seeds"),
    "rates": RATES,
    "time": setting_of(Compare, "time"),
}
"""What is typed of a verification."""
_START_SECONDS = 5.0
"""Until the processes of a pool have imported torch and have the data."""
_FORWARD = 1 / 3
"""The cost of evaluating a batch in steps: a forward pass, without one backwards."""


def verification(config: RunConfig, report: RangeReport, count: int = COUNT) -> Compare:
    """The comparison at `count` rates around the one that a range test recommends.

    Raises:
        UserError: (field `lr`) nothing is recommended, or there is no such grid.
    """
    entry = entry_of(config.asked(RangeTest).optimizer)
    return at_each_rate(around_advice(Compare(entries=[entry]), config, report, count))


def read_verification(
    typed: Mapping[str, str], config: RunConfig, report: RangeReport
) -> tuple[Compare | None, dict[str, str]]:
    """The comparison that was typed, or None and the mistake in each wrong field.

    Args:
        typed: the texts of `FIELDS`.
        config: the range test.
        report: its result, which recommends a rate.
    """
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    unused = ["seeds"] if typed["time"].strip() else []
    for name, setting in FIELDS.items():
        if name in unused:
            continue
        try:
            values[name] = texts.read(setting, typed[name])
            if outside := setting.mistake(values[name]):
                raise outside
        except UserError as error:
            errors[name] = error.message
    if errors:
        return None, errors
    try:
        job = verification(config, report, values["rates"])
    except UserError as error:
        return None, {"rates": error.message}
    job = replace(job, **{name: value for name, value in values.items() if name != "rates"})
    for mistake in check_numbers(config.task, job):
        at = mistake.field if mistake.field in FIELDS else "rates"
        errors.setdefault(at, mistake.message)
    return (None if errors else job), errors


@dataclass(frozen=True)
class Cost:
    """What a comparison takes."""

    trainings: int
    """Of all seeds; if a time is to be spent, of one."""
    epochs: int
    """Of each: whole cycles."""
    asked: int
    """The epochs that were asked for."""
    processes: int
    seconds: float | None
    """At most, estimated; None if `unknown` says why."""
    unknown: str


def cost_of(job: Compare, history: RunHistory, *, cores: int, devices: Sequence[str]) -> Cost:
    """Estimates what `job` takes from the steps of a range test on the same task.

    On the CPU a sweep computes with all cores, a trial with a few of them: its step is taken to be
    longer by as much. On an accelerator, trials that share it are taken to gain nothing. Both leave
    a comparison sooner rather than later: on two cores it took 0.64 to 0.87 of such an estimate
    (tests/benchmarks/NOTES.md).

    Args:
        job: a comparison, with its entries at each rate.
        history: a range test.
        cores: those that the comparison may use.
        devices: those of this machine, by their names in torch.
    """
    used = history.device.device if history.device is not None else "cpu"
    shared = _shared(used, history.config.task.device, devices)
    trainings = job.trials if job.time is None else len(job.entries)
    jobs, _ = choose_jobs(
        job.jobs, trainings, job.threads, Capacity(cores, shared, each=trials_on_each(used))
    )
    epochs = planned_epochs(job)
    step, steps = history.cached(step_seconds), _steps_per_epoch(history)
    unknown, seconds = "", None
    if used != "cpu" and used not in devices:
        unknown = f"this machine has no {plain(used)}"
    elif step is None or steps is None:
        unknown = "this range test has no times"
    else:
        rounds = math.ceil(trainings / (shared or jobs))
        slower = 1.0 if shared else max(cores / job.threads, 1.0)
        seconds = _START_SECONDS + rounds * epochs * steps * step * slower
    return Cost(trainings, epochs, job.epochs, jobs, seconds, unknown)


def _shared(used: str, asked: str, devices: Sequence[str]) -> int:
    """The number of accelerators that trials share; 0: they compute on the CPU."""
    if used == "cpu" or used not in devices:
        return 0
    every = [name for name in devices if name.startswith("cuda")]
    return len(every) if asked == "auto" and used in every else 1


def step_seconds(history: RunHistory) -> float | None:
    """The median time of a step of a range test, seconds; None if its log has no times."""
    times = [np.diff(trial.seconds) for trial in history.trials.values()]
    known = np.concatenate([np.zeros(0), *times])
    known = known[np.isfinite(known) & (known > 0)]
    return float(np.median(known)) if len(known) else None


def _steps_per_epoch(history: RunHistory) -> float | None:
    """Of training, and of validation in units of training steps; None if they are unknown."""
    trial, task = history.trial, history.task
    each = (trial.steps_per_epoch if trial is not None else 0) or (
        task.steps_per_epoch if task is not None else 0
    )
    if each <= 0:
        return None
    evaluated = task.validation / max(task.batch_size, 1) if task is not None else 0.0
    return each + _FORWARD * evaluated


def cost_words(job: Compare, cost: Cost) -> str:
    """A sentence or two on what a verification takes.

    Such as "7 rates from 2.8e-4 to 2.8e-2 x 3 seeds of sgd+clr: 21 trainings of 16 epochs, at most
    about 4 minutes in 2 processes."
    """
    (group,) = on_grid(job)
    lrs = [job.entries[number].lr or math.nan for number in group.entries]
    rates = f"{many(len(lrs), 'rate')} from {lr_str(lrs[0])} to {lr_str(lrs[-1])}"
    label = plain(group.asked.label)
    rounded = f" ({cost.asked} would end in mid-cycle)" if cost.asked != cost.epochs else ""
    trainings = f"{many(cost.trainings, 'training')} of {many(cost.epochs, 'epoch')}{rounded}"
    if job.time is None:
        words = f"{rates} x {many(job.seeds, 'seed')} of {label}: {trainings}"
    else:
        words = (
            f"{rates} of {label}, as many seeds as fit in {duration(job.time)}: {trainings} each"
        )
    how = "one after the other" if cost.processes == 1 else f"in {cost.processes} processes"
    if cost.seconds is None:
        return f"{words} {how}; how long is unknown, since {cost.unknown}."
    words = f"{words}, at most about {numbers.rough_duration(cost.seconds)} {how}."
    scarce = job.time is not None and 2 * cost.seconds > job.time
    return f"{words} It may be too short for two seeds, which intervals need." if scarce else words
