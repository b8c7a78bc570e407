"""Every mistake in a run's settings that can be found without torch, each with its field.

Used before a run is started, and by the form while someone types.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from clr_tui.engine.by_name import named
from clr_tui.engine.cores import usable_cores
from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.nvml import check_device
from clr_tui.engine.settings import limits
from clr_tui.engine.settings.config import (
    MODELS,
    POLICIES,
    Compare,
    Job,
    OptimizerConfig,
    RangeTest,
    Rates,
    TaskConfig,
    Train,
    kind_of,
)
from clr_tui.engine.settings.entries import check_entries
from clr_tui.engine.settings.image_folders import Glance, glance, missing
from clr_tui.engine.settings.optimizer_names import check_optimizer, ignores_schedule
from clr_tui.engine.settings.studies import STUDIES
from clr_tui.engine.words import all_of, be, many

SMALLEST_IMAGE, LARGEST_IMAGE = 8, 4096
_COUNTED = 20_000
"""Images are counted up to so many; beyond, the worker is left to compare with the batch size."""
_DIGITS_TRAIN = 1259
_LARGEST_SEED = 2**63 - 1
RATES: tuple[Rates, ...] = get_args(Rates)
MOST_TRIALS = 1000
"""Of a comparison: beyond, nobody can wait for it."""


def check(task: TaskConfig, job: Job) -> list[UserError]:
    """The mistakes in what is to be run, in the order of the form; empty where there are none.

    Looks at no more of the data's folder than it must, and remembers what it saw until one of
    the folders changes.
    """
    found = [*_data(task), *_model(task), *_numbers_of(task)]
    try:
        check_device(task.device)
    except UserError as error:
        found.append(error)
    found += _job(task, job)
    if place := JOB_KINDS[kind_of(job)].check_machine:
        found += named(place)(job, usable_cores())
    return found


def check_numbers(task: TaskConfig, job: Job) -> list[UserError]:
    """Those mistakes that show without a look at the disk or the machine: quick at each key."""
    return [*_batch(task.batch_size, None), *_numbers_of(task), *_job(task, job)]


def _job(task: TaskConfig, job: Job) -> list[UserError]:
    return list(named(JOB_KINDS[kind_of(job)].check)(task, job))


def check_range_test(_task: TaskConfig, job: RangeTest) -> Iterator[UserError]:
    """The mistakes in a range test."""
    yield from _sweep(job)
    yield from _optimizer(job.optimizer)


def check_training(_task: TaskConfig, job: Train) -> Iterator[UserError]:
    """The mistakes in a training."""
    yield from _training(job)
    yield from _optimizer(job.optimizer, schedule=job.policy != "constant")


def check_comparison(task: TaskConfig, job: Compare) -> Iterator[UserError]:
    """The mistakes in a comparison."""
    yield from _comparison(job)
    yield from _study(job.study, task.model)


def _optimizer(optimizer: OptimizerConfig, schedule: bool = True) -> Iterator[UserError]:
    yield from check_optimizer(optimizer)
    if schedule and (why := ignores_schedule(optimizer)):
        yield UserError(f"{why}; choose another optimizer", "optimizer")
    yield from limits.share("momentum", optimizer.momentum)
    yield from limits.not_negative("weight_decay", optimizer.weight_decay)


def _data(task: TaskConfig) -> Iterator[UserError]:
    if task.data == "digits":
        yield from _batch(task.batch_size, _DIGITS_TRAIN)
        return
    if not task.data:
        yield UserError("data is empty: give 'digits', or a folder of images", "data")
        return
    path = Path(task.data)
    try:
        seen = _remembered(path)
    except UserError as error:
        near = did_you_mean(path.name, ["digits"])
        if near and not os.path.exists(path):
            yield UserError(f"no '{path}'{near}", "data")
        else:
            yield error
        return
    yield from _batch(task.batch_size, seen.train if seen.images < _COUNTED else None)


def _batch(size: int, train: int | None) -> Iterator[UserError]:
    """`train` images are trained on; None where they are too many to matter."""
    if size < 2:
        yield UserError(f"batch_size must be at least 2, not {limits.shown(size)}", "batch_size")
    elif train is not None and size > train:
        images = "image" if train == 1 else "images"
        yield UserError(
            f"batch_size {limits.shown(size)} is larger than the training part, which has {train}"
            f" {images}: choose a smaller one",
            "batch_size",
        )


_glances: dict[Path, tuple[tuple[int, ...], Glance]] = {}


def _remembered(root: Path) -> Glance:
    """A glance at `root`, taken anew when one of its folders has changed."""
    known = _glances.get(root)
    if known is not None and _changes(known[1].folders) == known[0]:
        return known[1]
    _glances.clear()  # one folder at a time is typed
    seen = glance(root, _COUNTED)
    changes = _changes(seen.folders)
    # A folder that changed a moment ago may change again without its time telling.
    if max(changes, default=0) < time.time_ns() - 10**9:
        _glances[root] = (changes, seen)
    return seen


def _changes(folders: Sequence[Path]) -> tuple[int, ...]:
    try:
        return tuple(os.stat(folder).st_mtime_ns for folder in folders)
    except OSError:
        return ()


def _model(task: TaskConfig) -> Iterator[UserError]:
    if task.model not in MODELS:
        yield limits.choice("model", task.model, MODELS)
        return
    built_in = task.weights in ("imagenet", "none")
    if task.model == "cnn" and not built_in:
        yield UserError(
            f"weights '{task.weights}' cannot be loaded into the cnn, which is trained from "
            "scratch: choose the model resnet34, or leave weights out",
            "weights",
        )
    elif not built_in and not os.path.isfile(task.weights):
        if os.path.exists(task.weights):
            what = "folder" if os.path.isdir(task.weights) else "pipe or a device"
            yield UserError(f"weights '{task.weights}' is a {what}: give a file", "weights")
        else:
            lacking = missing("file", Path(task.weights))
            yield UserError(f"{lacking} (or give 'imagenet' or 'none')", "weights")


def _numbers_of(task: TaskConfig) -> Iterator[UserError]:
    size = task.image_size
    if size is not None and size < SMALLEST_IMAGE:
        message = f"image_size must be at least {SMALLEST_IMAGE} pixels, not {limits.shown(size)}"
        yield UserError(message, "image_size")
    elif size is not None and size > LARGEST_IMAGE:
        message = f"image_size must be at most {LARGEST_IMAGE} pixels, not {limits.shown(size)}"
        yield UserError(message, "image_size")
    if not 0 <= task.seed <= _LARGEST_SEED:
        said = limits.shown(task.seed)
        yield UserError(f"seed must be from 0 to {_LARGEST_SEED}, not {said}", "seed")


def _sweep(job: RangeTest) -> Iterator[UserError]:
    rates = [*limits.rate("start_lr", job.start_lr), *limits.rate("end_lr", job.end_lr)]
    if not rates and job.start_lr >= job.end_lr:
        rates = [
            UserError(f"start_lr {job.start_lr:g} is not below end_lr {job.end_lr:g}", "start_lr")
        ]
    yield from rates
    yield from limits.length("epochs", job.epochs)
    if job.steps is not None:
        yield from limits.at_least_one("steps", job.steps)
    yield from limits.at_least_one("seeds", job.seeds)
    if not 0 < job.smoothing <= 1:
        yield UserError(
            f"smoothing must be above 0 and at most 1, not {job.smoothing:g}", "smoothing"
        )
    yield from limits.above("divergence", job.divergence, 1)


def _training(job: Train) -> Iterator[UserError]:
    rates = [*limits.rate("base_lr", job.base_lr), *limits.rate("max_lr", job.max_lr)]
    # Constant training runs at max_lr; its base_lr only has to be a rate.
    if not rates and job.base_lr >= job.max_lr and job.policy != "constant":
        rates = [
            UserError(f"base_lr {job.base_lr:g} is not below max_lr {job.max_lr:g}", "base_lr")
        ]
    yield from rates
    if job.policy not in POLICIES:
        yield limits.choice("policy", job.policy, POLICIES)
    yield from limits.length("step_size_epochs", job.step_size_epochs)
    yield from limits.at_least_one("epochs", job.epochs)
    yield from limits.decay("gamma", job.gamma)


def _comparison(job: Compare) -> Iterator[UserError]:
    yield from check_entries(job.entries)
    yield from _bounds(job)
    yield from limits.at_least_one("seeds", job.seeds)
    yield from _count(job)
    yield from limits.at_least_one("epochs", job.epochs)
    if job.rates not in RATES:
        yield limits.choice("rates", job.rates, RATES)
    yield from limits.above("factor", job.factor, 1)
    yield from limits.length("step_size_epochs", job.step_size_epochs)
    yield from limits.decay("gamma", job.gamma)
    for mistake in _sweep(job.range_test):
        yield UserError(f"{mistake.message} (of the range tests)", "range_test")
    if job.target is not None and not 0 < job.target < 1:
        yield UserError(
            f"target must be above 0 and below 1 (or 1% to 99%), not {job.target:g}", "target"
        )
    if job.jobs is not None:
        yield from limits.at_least_one("jobs", job.jobs)
    yield from limits.at_least_one("threads", job.threads)


def _study(study: str, model: str) -> Iterator[UserError]:
    if study and study not in STUDIES:
        yield limits.choice("study", study, STUDIES)
    elif study and study != model and model in MODELS:
        yield UserError(
            f"the study {study} is of the model {study}, not of {model}: leave one of them out",
            "study",
        )


def _bounds(job: Compare) -> Iterator[UserError]:
    """A lower bound alone: nobody knows whether the upper one, once found, will be above it."""
    for entry in job.entries:
        if entry.base_lr is not None and entry.lr is None and entry.policy != "constant":
            yield UserError(
                f"base_lr of '{entry.label}' needs the upper bound too: add lr=", "optimizers"
            )


def _count(job: Compare) -> Iterator[UserError]:
    entries, trials = len(job.entries), job.trials
    if trials > MOST_TRIALS and job.seeds <= limits.LARGEST_COUNT:
        yield UserError(
            f"{many(entries, 'optimizer')} with {many(job.seeds, 'seed')} each"
            f" {be(entries)} {trials} trials: give fewer seeds, at most {MOST_TRIALS} trials"
            " in all",
            "seeds",
        )


def check_room(job: Compare, cores: int) -> Iterator[UserError]:
    """More processes and threads than the machine can run side by side."""
    trials, jobs = job.trials, job.jobs or 1
    there = f"this machine's {many(cores, 'core')}"
    if job.threads > cores:
        yield UserError(
            f"threads {limits.shown(job.threads)} is more than {there}: give at most {cores}",
            "threads",
        )
    elif jobs * job.threads > cores:
        each = f" of {job.threads} threads each" if job.threads > 1 else ""
        yield UserError(
            f"{limits.shown(jobs)} jobs{each} are more than {there} can run side by side: give at"
            f" most {cores // job.threads}",
            "jobs",
        )
    elif jobs > trials > 0:
        yield UserError(
            f"{jobs} jobs are more than {all_of(trials, 'trial')}: give at most {trials}", "jobs"
        )
