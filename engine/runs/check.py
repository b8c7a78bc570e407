"""Every mistake in a run's settings that can be found without torch, each with its field.

Used before a run is started, and by the form while someone types.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from clr_tui.engine.devices import check_device
from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.runs.config import (
    MODELS,
    POLICIES,
    OptimizerConfig,
    RangeTestConfig,
    TaskConfig,
    TrainConfig,
)
from clr_tui.engine.runs.images import Glance, glance, missing

OPTIMIZERS = ("sgd",)
SMALLEST_IMAGE, LARGEST_IMAGE = 8, 4096
LEAST_RATE, LARGEST_RATE = 1e-30, 1e6
"""Far beyond what can train, and well within float32, in which torch reckons."""
LEAST_LENGTH, LARGEST_COUNT = 1e-6, 10**9
"""The least length in epochs, and the most of anything that is counted."""
_COUNTED = 20_000
"""Images are counted up to so many; beyond, the worker is left to compare with the batch size."""
_DIGITS_TRAIN = 1797 * 70 // 100
_LARGEST_SEED = 2**63 - 1
_MOST_DIGITS = 40
"""Of a number that is said to be wrong."""


def check(task: TaskConfig, job: RangeTestConfig | TrainConfig) -> list[UserError]:
    """The mistakes in what is to be run, in the order of the form; empty where there are none.

    Looks at no more of the data's folder than it must, and remembers what it saw until one of
    the folders changes.
    """
    found = [*_data(task), *_model(task), *_numbers_of(task)]
    try:
        check_device(task.device)
    except UserError as error:
        found.append(error)
    return [*found, *_job(job)]


def check_numbers(task: TaskConfig, job: RangeTestConfig | TrainConfig) -> list[UserError]:
    """Those mistakes that show without a look at the disk or the machine: quick at each key."""
    return [*_batch(task.batch_size, None, 0), *_numbers_of(task), *_job(job)]


def _job(job: RangeTestConfig | TrainConfig) -> Iterator[UserError]:
    yield from _sweep(job) if isinstance(job, RangeTestConfig) else _training(job)
    yield from _optimizer(job.optimizer)


def _data(task: TaskConfig) -> Iterator[UserError]:
    if task.data == "digits":
        yield from _batch(task.batch_size, _DIGITS_TRAIN, 10)
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
    if seen.images < _COUNTED:
        train = seen.images if seen.split else seen.images * 80 // 100
        yield from _batch(task.batch_size, train, len(seen.folders))
    else:
        yield from _batch(task.batch_size, None, 0)


def _batch(size: int, train: int | None, rounding: int) -> Iterator[UserError]:
    """`train` images, give or take `rounding`; None where they are too many to matter."""
    if size < 2:
        yield UserError(f"batch_size must be at least 2, not {_shown(size)}", "batch_size")
    elif train is not None and size > train + rounding:
        images = "image" if train == 1 else "images"
        yield UserError(
            f"batch_size {_shown(size)} is larger than the training part (about {train} {images}): "
            "choose a smaller one",
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
        yield _choice("model", task.model, MODELS)
        return
    built_in = task.weights in ("imagenet", "none")
    if task.model == "cnn" and not built_in:
        yield UserError(
            f"weights '{task.weights}' cannot be loaded into the cnn, which is trained from "
            "scratch: choose the model resnet34, or leave weights out",
            "weights",
        )
    elif not built_in and not os.path.isfile(task.weights):
        if os.path.isdir(task.weights):
            yield UserError(f"weights '{task.weights}' is a folder: give a file", "weights")
        else:
            lacking = missing("file", Path(task.weights))
            yield UserError(f"{lacking} (or give 'imagenet' or 'none')", "weights")


def _numbers_of(task: TaskConfig) -> Iterator[UserError]:
    size = task.image_size
    if size is not None and size < SMALLEST_IMAGE:
        message = f"image_size must be at least {SMALLEST_IMAGE} pixels, not {_shown(size)}"
        yield UserError(message, "image_size")
    elif size is not None and size > LARGEST_IMAGE:
        message = f"image_size must be at most {LARGEST_IMAGE} pixels, not {_shown(size)}"
        yield UserError(message, "image_size")
    if not 0 <= task.seed <= _LARGEST_SEED:
        yield UserError(f"seed must be from 0 to {_LARGEST_SEED}, not {_shown(task.seed)}", "seed")


def _sweep(job: RangeTestConfig) -> Iterator[UserError]:
    rates = [*_rate("start_lr", job.start_lr), *_rate("end_lr", job.end_lr)]
    if not rates and job.start_lr >= job.end_lr:
        rates = [
            UserError(f"start_lr {job.start_lr:g} is not below end_lr {job.end_lr:g}", "start_lr")
        ]
    yield from rates
    yield from _length("epochs", job.epochs)
    if job.steps is not None:
        yield from _at_least_one("steps", job.steps)
    yield from _at_least_one("seeds", job.seeds)
    if not 0 < job.smoothing <= 1:
        yield UserError(
            f"smoothing must be above 0 and at most 1, not {job.smoothing:g}", "smoothing"
        )
    yield from _above("divergence", job.divergence, 1)


def _training(job: TrainConfig) -> Iterator[UserError]:
    rates = [*_rate("base_lr", job.base_lr), *_rate("max_lr", job.max_lr)]
    # Constant training runs at max_lr; its base_lr only has to be a rate.
    if not rates and job.base_lr >= job.max_lr and job.policy != "constant":
        rates = [
            UserError(f"base_lr {job.base_lr:g} is not below max_lr {job.max_lr:g}", "base_lr")
        ]
    yield from rates
    if job.policy not in POLICIES:
        yield _choice("policy", job.policy, POLICIES)
    yield from _length("step_size_epochs", job.step_size_epochs)
    yield from _at_least_one("epochs", job.epochs)
    if not 0 < job.gamma <= 1:
        yield UserError(f"gamma must be above 0 and at most 1, not {job.gamma:g}", "gamma")


def _optimizer(optimizer: OptimizerConfig) -> Iterator[UserError]:
    if optimizer.name not in OPTIMIZERS:
        yield _choice("optimizer", optimizer.name, OPTIMIZERS)
    if not 0 <= optimizer.momentum < 1:
        yield UserError(
            f"momentum must be at least 0 and below 1, not {optimizer.momentum:g}", "momentum"
        )
    if not (math.isfinite(optimizer.weight_decay) and optimizer.weight_decay >= 0):
        yield UserError(
            f"weight_decay must be 0 or above, not {optimizer.weight_decay:g}", "weight_decay"
        )


def _rate(field: str, lr: float) -> Iterator[UserError]:
    if not (math.isfinite(lr) and lr > 0):
        yield from _above(field, lr, 0)
    elif not LEAST_RATE <= lr <= LARGEST_RATE:
        yield UserError(f"{field} must be from 1e-30 to 1e6, not {lr:g}", field)


def _length(field: str, epochs: float) -> Iterator[UserError]:
    yield from _above(field, epochs, 0)
    if 0 < epochs < LEAST_LENGTH:
        yield UserError(f"{field} must be at least {LEAST_LENGTH:g}, not {epochs:g}", field)
    if math.isfinite(epochs) and epochs > LARGEST_COUNT:
        yield UserError(f"{field} must be at most {LARGEST_COUNT}, not {epochs:g}", field)


def _above(field: str, value: float, bound: int) -> Iterator[UserError]:
    if not (math.isfinite(value) and value > bound):
        yield UserError(f"{field} must be a number above {bound}, not {value:g}", field)


def _at_least_one(field: str, count: int) -> Iterator[UserError]:
    if count < 1:
        yield UserError(f"{field} must be at least 1, not {_shown(count)}", field)
    elif count > LARGEST_COUNT:
        yield UserError(f"{field} must be at most {LARGEST_COUNT}, not {_shown(count)}", field)


def _shown(count: int) -> str:
    """Its digits, or where they would fill lines, the first of them."""
    text = str(count)
    return text if len(text) <= _MOST_DIGITS else f"{text[:_MOST_DIGITS]}..."


def _choice(field: str, value: str, choices: Sequence[str]) -> UserError:
    near = did_you_mean(value.lower(), choices) or f": choose from {', '.join(choices)}"
    return UserError(f"no {field} '{value}'{near}", field)
