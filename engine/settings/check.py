"""Finds all mistakes in a run's settings that can be found without torch, each with its field.

Used before a run starts, and by the form while the user types.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from clr_tui.engine.by_name import named
from clr_tui.engine.cores import usable_cores
from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.nvml import check_device
from clr_tui.engine.settings import limits
from clr_tui.engine.settings.catalogue import (
    HUGGING_FACE,
    MODELS,
    SOURCES,
    STUDIES,
    WEIGHTS,
    model_named,
    source_of,
)
from clr_tui.engine.settings.config import (
    MAX_TRIALS,
    Compare,
    Job,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
    Train,
    kind_of,
)
from clr_tui.engine.settings.entries import check_entries
from clr_tui.engine.settings.image_folders import not_found_message, training_images
from clr_tui.engine.settings.optimizer_names import check_optimizer, ignores_schedule
from clr_tui.engine.settings.rate_grid import (
    EXAMPLE,
    at_each_rate,
    has_grid,
    on_grid,
    stand_in,
)
from clr_tui.engine.settings.table import mistakes_in
from clr_tui.engine.settings.task_files import task_function
from clr_tui.engine.words import be, many


def check(task: TaskConfig, job: Job) -> list[UserError]:
    """The mistakes in a run's settings, in the order of the form; empty if there are none.

    Reads as little as possible of the data's folder, and caches the result until a folder changes.
    """
    chosen = _own_task(task) if task.task else [*_data(task), *_model(task)]
    mistakes = [*mistakes_in(task), *chosen]
    try:
        check_device(task.device)
    except UserError as error:
        mistakes.append(error)
    mistakes += _job(task, job)
    if place := JOB_KINDS[kind_of(job)].check_machine:
        mistakes += named(place)(job, usable_cores())
    return mistakes


def check_numbers(task: TaskConfig, job: Job) -> list[UserError]:
    """The mistakes that can be found without disk or machine: fast enough for every key."""
    return [*mistakes_in(task), *_job(task, job)]


def _job(task: TaskConfig, job: Job) -> list[UserError]:
    return [*mistakes_in(job), *named(JOB_KINDS[kind_of(job)].check)(task, job)]


def check_range_test(_task: TaskConfig, job: RangeTest) -> Iterator[UserError]:
    """The contradictions in a range test."""
    yield from _ordered(job, "start_lr", "end_lr")
    yield from _optimizer(job.optimizer)


def check_training(_task: TaskConfig, job: Train) -> Iterator[UserError]:
    """The contradictions in a training."""
    if job.policy != "constant":  # else it runs at max_lr, or from it, and base_lr is not used
        yield from _ordered(job, "base_lr", "max_lr")
    elif job.min_momentum is not None:
        where = f"with {job.schedule}" if job.scheduler else "at a constant rate"
        yield UserError(f"min_momentum has no effect {where}: leave it out", "min_momentum")
    if job.policy == "warmup-stable-decay":
        yield from _shares(job)
    yield from _optimizer(job.optimizer, schedule=job.schedule != "constant")


def check_comparison(task: TaskConfig, job: Compare) -> Iterator[UserError]:
    """The contradictions in a comparison, with or without its entries at the rates of a grid."""
    try:
        job = at_each_rate(stand_in(job))
    except UserError as error:
        yield error
        job = replace(job, rates="default", halving=False)
    yield from _grid(job)
    entries = [replace(entry, lr=job.lr_of(entry)) for entry in job.entries]
    yield from check_entries(entries)
    for entry in entries:  # a tuned upper bound might be below a lower bound given alone
        if entry.base_lr is not None and entry.lr is None and entry.policy != "constant":
            yield UserError(
                f"base_lr of '{entry.label}' needs the upper bound too: add lr=", "optimizers"
            )
    if any(entry.policy == "warmup-stable-decay" for entry in entries):
        yield from _shares(job)
    if job.target is not None and not task.task:  # all tasks by name are judged by accuracy
        yield from filter(None, [limits.SHARE.mistake("target", job.target)])
    yield from _count(job)
    sweep = job.range_test
    for mistake in (*mistakes_in(sweep), *_ordered(sweep, "start_lr", "end_lr")):
        yield UserError(f"{mistake.message} (of the range tests)", "range_test")
    study, model = job.study, task.model
    if study in STUDIES and task.task:
        words = f"the study {study} trains its own model: leave out the study or the task"
        yield UserError(words, "study")
    elif study in STUDIES and study != model and model in MODELS:
        words = f"the study {study} uses the model {study}, not {model}: leave one of them out"
        yield UserError(words, "study")


def _grid(job: Compare) -> Iterator[UserError]:
    """The mistakes of a comparison whose entries are at the rates of its grid, if it has one."""
    groups = on_grid(job)
    if has_grid(job) and not groups:
        words = "has a rate of its own: leave out lr= where the rates of the grid are to be used"
        yield UserError(f"every optimizer {words}", "lr")
    for group in groups:
        if "max_lr=" in group.asked.scheduler:
            words = "moves the rate up to its max_lr, whatever the grid: leave max_lr out"
            yield UserError(f"'{group.asked.label}' {words}", "optimizers")
    if job.halving and not has_grid(job):
        words = "halving ends rates of a grid, and there is none: leave it out"
        yield UserError(f"{words}, or give lr {EXAMPLE}", "halving")


def _ordered(job: RangeTest | Train, lower: str, upper: str) -> list[UserError]:
    """The mistake of rates in the wrong order, if each is a valid rate."""
    low, high = getattr(job, lower), getattr(job, upper)
    if {lower, upper} & {mistake.field for mistake in mistakes_in(job)}:
        return []
    return limits.not_below(lower, low, upper, high)


def _shares(job: Train | Compare) -> Iterator[UserError]:
    if 1 < job.warmup + job.decay <= 2:  # else one of them is no share
        yield UserError(
            f"warmup {job.warmup:g} and decay {job.decay:g} are more than the whole training:"
            " their sum may be at most 1",
            "decay",
        )


def _optimizer(optimizer: OptimizerConfig, schedule: bool = True) -> Iterator[UserError]:
    yield from check_optimizer(optimizer)
    if schedule and (why := ignores_schedule(optimizer)):
        yield UserError(f"{why}; choose another optimizer", "optimizer")


def _own_task(task: TaskConfig) -> list[UserError]:
    try:
        return list(task_function(task.task).mistakes(task.parameters))
    except UserError as error:
        return [error]


def _has_package(name: str) -> bool:
    """Whether a package is installed; a mere folder of this name is none."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None


def _data(task: TaskConfig) -> Iterator[UserError]:
    if not task.data:
        yield UserError(
            "data is empty: give 'digits', another data set's name, or a folder of images", "data"
        )
        return
    if task.data.startswith(HUGGING_FACE) and not _has_package("datasets"):
        yield UserError(
            f"data '{task.data}' needs the package 'datasets': pip install 'clr-tui[hf]'", "data"
        )
        return
    path = Path(task.data)
    try:
        source = source_of(task.data)
        train = source.train if source else training_images(path)
    except UserError as error:
        near = did_you_mean(path.name.lower(), SOURCES)
        known = near and not os.path.exists(path)
        yield UserError(f"no '{path}'{near}", "data") if known else error
        return
    if train is not None and task.batch_size > train and task.last_batch == "drop":
        yield UserError(
            f"batch_size {limits.shown(task.batch_size)} is larger than the training part, which"
            f" has {many(train, 'image')}: choose a smaller one",
            "batch_size",
        )


def _model(task: TaskConfig) -> Iterator[UserError]:
    try:
        model_named(task.model, task.freeze)
    except UserError as error:
        yield error
    if task.weights in WEIGHTS or os.path.isfile(task.weights):
        return
    if os.path.exists(task.weights):
        what = "folder" if os.path.isdir(task.weights) else "pipe or a device"
        yield UserError(f"weights '{task.weights}' is a {what}: give a file", "weights")
    else:
        lacking = not_found_message("file", Path(task.weights))
        yield UserError(f"{lacking} (or give a training, 'imagenet' or 'none')", "weights")


def _count(job: Compare) -> Iterator[UserError]:
    entries, trials = len(job.entries), job.trials
    what = "rate" if has_grid(job) else "optimizer"
    if job.time is not None:
        if entries > MAX_TRIALS:
            words = f"{many(entries, what)} are too many: give at most {MAX_TRIALS}"
            yield UserError(words, "lr" if has_grid(job) else "optimizers")
    elif trials > MAX_TRIALS and job.seeds <= limits.MAX_COUNT:
        yield UserError(
            f"{many(entries, what)} with {many(job.seeds, 'seed')} each"
            f" {be(entries)} {trials} trials: give fewer seeds, at most {MAX_TRIALS} trials"
            " in all",
            "seeds",
        )


def check_room(job: Compare, cores: int) -> Iterator[UserError]:
    """The mistake of more processes and threads than the machine can run in parallel."""
    trials, jobs = len(job.entries) * job.most_seeds, job.jobs or 1
    there = f"this machine's {many(cores, 'core')}"
    if job.threads > cores:
        yield UserError(
            f"threads {limits.shown(job.threads)} is more than {there}: give at most {cores}",
            "threads",
        )
    elif jobs * job.threads > cores:
        each = f" of {job.threads} threads each" if job.threads > 1 else ""
        yield UserError(
            f"{limits.shown(jobs)} jobs{each} are more than {there} can run in parallel: give at"
            f" most {cores // job.threads}",
            "jobs",
        )
    elif jobs > trials > 0:
        yield UserError(
            f"{jobs} jobs are more than {many(trials, 'trial')}: give at most {trials}", "jobs"
        )
