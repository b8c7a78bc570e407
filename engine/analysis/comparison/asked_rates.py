"""The rates of a comparison before it starts: a grid around what a range test recommends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.rundir import RunDir, find_run
from clr_tui.engine.settings.catalogue import SOURCES, WEIGHTS
from clr_tui.engine.settings.config import Compare, RangeTest, RunConfig, TaskConfig
from clr_tui.engine.settings.entries import entry_of
from clr_tui.engine.settings.limits import shown
from clr_tui.engine.settings.rate_grid import (
    EXAMPLE,
    FIELD,
    at_each_rate,
    is_around,
    on_grid,
    rates_around,
    split_around,
)
from clr_tui.engine.settings.table import settings_of
from clr_tui.engine.settings.task_files import absolute_place
from clr_tui.engine.settings.texts import write

if TYPE_CHECKING:
    from clr_tui.engine.analysis.report import RangeReport

_FREE = ("device", "seed", "compile")
"""Settings of the task that the advice of a range test does not depend on."""
_INSTEAD = f"give a grid such as {EXAMPLE}"


def resolve_rates(task: TaskConfig, job: Compare, runs: Path) -> Compare:
    """The comparison with the entries that it trains: each optimizer at each rate of the grid.

    `around:RUN` becomes the grid around what the range test recommends, with what its rules say.
    Advice that a comparison has already, from the run whose settings it uses, is left out where it
    does not hold: for another task, or if the optimizer that was swept is not on the grid.

    Raises:
        UserError: (field `lr`) there is no such range test, it recommends nothing, or what it
            recommends does not hold for this task and these optimizers.
    """
    if is_around(job):
        name, count = split_around(str(job.rates))
        run = _found(runs, name)
        inside = run.path.parent == Path(os.path.abspath(runs))
        job = replace(_around(task, job, run, count), swept_in=run.id if inside else str(run.path))
    job = at_each_rate(job)
    swept_on = job.swept_on or task
    if job.advice and (_other_setting(task, swept_on) or not _has_swept(job)):
        job = replace(job, advice={}, advised="", swept=None, swept_in="", swept_on=None)
    return job


def _has_swept(job: Compare) -> bool:
    return any(group.asked.optimizer == job.swept for group in on_grid(job))


def _found(runs: Path, name: str) -> RunDir:
    try:
        run = find_run(runs, name)
        run.config()
    except UserError as error:
        raise UserError(f"lr around a range test: {error.message}", FIELD) from None
    return run


def _around(task: TaskConfig, job: Compare, run: RunDir, count: int) -> Compare:
    config = run.config()
    if not isinstance(config.job, RangeTest):
        raise UserError(f"{run.id} is no range test: {_INSTEAD}", FIELD)
    if other := _other_setting(task, config.task):
        raise UserError(f"{run.id} {other}, so its advice does not hold: {_INSTEAD}", FIELD)
    swept = entry_of(config.job.optimizer)
    open_ = [entry for entry in job.entries if entry.lr is None]
    if all(entry.optimizer != swept.optimizer for entry in open_):
        words = f"{run.id} swept another optimizer: add {swept.label}, or {_INSTEAD}"
        raise UserError(words, FIELD)
    return around_advice(job, config, _report(run, config), count)


def around_advice(job: Compare, config: RunConfig, report: RangeReport, count: int) -> Compare:
    """The comparison at `count` rates around what a range test recommends.

    One that cannot tell, because its interval is too wide, is what a grid is for: it is taken, too.

    Args:
        job: the comparison; its entries are left as they are.
        config: the range test.
        report: its result.
        count: an odd number.

    Raises:
        UserError: (field `lr`) the range test recommends nothing, or there is no such number.
    """
    # numpy, as below
    from clr_tui.engine.analysis.sweep.suggest import RECOMMENDED

    says = {one.rule: one.lr for one in report.suggestions if one.lr is not None}
    if report.best is None:
        why = report.verdict.sentence.rstrip(".")
        said = f"{why[:1].lower()}{why[1:]}"
        raise UserError(f"{config.id} recommends no rate, since {said}: {_INSTEAD}", FIELD)
    return replace(
        job,
        rates=rates_around(report.best.lr, count).text,
        advice=says,
        advised=RECOMMENDED,
        swept=entry_of(config.asked(RangeTest).optimizer).optimizer,
        swept_in=config.id,
        swept_on=config.task,
    )


def _report(run: RunDir, config: RunConfig) -> RangeReport:
    """The result of a range test that has ended."""
    # numpy, which a comparison at other rates does not need before it starts.
    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.analysis.report import range_report
    from clr_tui.engine.analysis.used_optimizer import own_optimizer
    from clr_tui.engine.log.tail import read_events

    history = RunHistory(config)
    history.feed(read_events(run.events_path))
    alive = run.alive
    if alive and history.finished is None:
        raise UserError(f"{run.id} is still running: wait for its end, or {_INSTEAD}", FIELD)
    if own := own_optimizer(history):
        words = f"swept {own}, which its task makes and a comparison cannot use"
        raise UserError(f"{run.id} {words}: {_INSTEAD}", FIELD)
    return range_report(history, live=alive)


def _other_setting(task: TaskConfig, swept_on: TaskConfig) -> str:
    """What the range test was made with, if that is not what `task` has; empty if all agree."""
    for setting in settings_of(TaskConfig):
        if setting.name in _FREE or (task.task and setting.by_name):
            continue
        mine, its = (_comparable(setting.name, setting.value_in(one)) for one in (task, swept_on))
        if mine != its:
            said = [shown(write(setting, value)) or "none" for value in (its, mine)]
            return f"was made with {setting.title} {said[0]}, not {said[1]}"
    return ""


def _comparable(name: str, value: object) -> object:
    """The value, with absolute paths."""
    if not isinstance(value, str) or not value:
        return value
    if name == "task":
        return absolute_place(value)
    named = SOURCES if name == "data" else WEIGHTS
    paths = name == "weights" or (name == "data" and ":" not in value)
    return os.path.abspath(value) if paths and value not in named else value
