"""Mistakes in a user's task, each as one sentence that names the place in the user's file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from clr_tui.engine.errors import UserError
from clr_tui.engine.user_frames import place_of
from clr_tui.engine.words import type_in_words

if TYPE_CHECKING:
    from clr_tui.engine.tasks.own_task import Task

FIELD = "task"


def check_task(task: Task) -> None:
    """Raises a UserError if the task contradicts itself, whatever its data."""
    if not (isinstance(task.model, nn.Module) or callable(task.model)):
        raise task_mistake(
            f"the task's model is {type_in_words(task.model)}, not a torch.nn.Module"
        )
    if task.train is None:
        raise task_mistake("the task has no training data")
    if (task.loss is None) == (task.step is None):
        given = "neither" if task.loss is None else "both"
        raise task_mistake(f"the task has {given} of loss and step: give one of them")
    for name, metric in task.metrics.items():
        _check_metric(name, metric, has_step=task.step is not None)
    if task.accumulate < 1:
        raise task_mistake(f"accumulate is {task.accumulate}: give a number of batches, at least 1")
    if task.clip is not None and not task.clip > 0:
        raise task_mistake(f"clip is {task.clip}: give the largest norm of the gradients, above 0")
    if task.precision not in (None, "float32", "bfloat16"):
        raise task_mistake(f"precision is {task.precision!r}: give 'float32' or 'bfloat16'")


def _check_metric(name: str, metric: object, *, has_step: bool) -> None:
    if name == "loss":
        raise task_mistake("a metric is named loss, which is the loss itself: give another name")
    function, direction = metric if isinstance(metric, tuple) and len(metric) == 2 else (metric, "")
    if has_step and metric in ("min", "max"):
        return
    if has_step:
        raise task_mistake(f"the metric {name} comes from step: give 'min' or 'max' for it")
    if not callable(function) or direction not in ("", "min", "max"):
        raise task_mistake(
            f"the metric {name} is neither a function nor (function, 'min' or 'max')"
        )


def checked_loss(loss: object, function: Callable[..., Any]) -> Tensor:
    """`loss` as a scalar; if it is not one, raises a UserError with the place of `function`."""
    if isinstance(loss, Tensor) and loss.numel() == 1:
        return loss if loss.dim() == 0 else loss.reshape(())
    if isinstance(loss, Tensor):
        shape = tuple(loss.shape)
        raise task_mistake(f"the loss has the shape {shape}: return its mean, a scalar", function)
    name = getattr(function, "__name__", type(function).__name__)
    hint = ": return its .loss" if isinstance(getattr(loss, "loss", None), Tensor) else ""
    raise task_mistake(
        f"{name} returned {type_in_words(loss)}, not the loss, a scalar tensor{hint}", function
    )


def checked_step(
    result: object, function: Callable[..., Any]
) -> tuple[Tensor, Mapping[str, Tensor | float]]:
    """The loss and the metrics that a step returned."""
    if not isinstance(result, Mapping):
        return checked_loss(result, function), {}
    if "loss" not in result:
        names = ", ".join(map(str, result)) or "nothing"
        raise task_mistake(f"the dict that step returned has {names}, but no loss", function)
    metrics = {name: value for name, value in result.items() if name != "loss"}
    for name, value in metrics.items():
        check_scalar(name, value, function)
    return checked_loss(result["loss"], function), metrics


def check_scalar(name: str, value: object, function: Callable[..., Any]) -> None:
    """Raises a UserError if the value of a metric is not one number."""
    if isinstance(value, (int, float)) or (isinstance(value, Tensor) and value.numel() == 1):
        return
    what = (
        f"of the shape {tuple(value.shape)}" if isinstance(value, Tensor) else type_in_words(value)
    )
    raise task_mistake(f"the metric {name} is {what}, not a scalar", function)


def check_first_loss(loss: Tensor, function: Callable[..., Any]) -> None:
    """Raises a UserError if the loss of the first batch cannot train anything."""
    if not math.isfinite(float(loss.detach())):
        raise task_mistake(
            f"the loss of the first batch is {float(loss.detach())}, before any update: look for"
            " values that are not finite in inputs, targets and loss",
            function,
        )
    if not loss.requires_grad:
        raise task_mistake("the loss does not depend on the model's trainable parameters", function)


def check_finite(targets: list[Tensor], what: str) -> None:
    """Raises a UserError if a target is NaN or infinite."""
    for tensor in targets:
        if not tensor.is_floating_point():
            continue
        finite = torch.isfinite(tensor).flatten(1).all(1) if tensor.dim() > 1 else tensor.isfinite()
        wrong = (~finite).nonzero()
        if len(wrong):
            raise task_mistake(
                f"{len(wrong)} of the {len(tensor)} targets of {what} are not finite, the first in"
                f" row {int(wrong[0])}: leave these samples out"
            )


def no_batches_left(what: str) -> UserError:
    """The error for a stream that has no batches in a later pass."""
    return task_mistake(
        f"{what} has no batches any more: an iterator can be used only once, so give an iterable,"
        " or a function that returns a new iterator each time"
    )


def task_mistake(message: str, function: Callable[..., Any] | None = None) -> UserError:
    """An error in the field "task", with the place of the user's function if it has one."""
    place = place_of(function) if function is not None else ""
    return UserError(f"{message} ({place})" if place else message, FIELD)
