"""Checkpoints: everything needed to continue a training as if it had never stopped.

A checkpoint is a file for `torch.load(path, weights_only=True)`: tensors and plain values only.

    schema      2
    config      the run's `RunConfig`, as plain values
    task        what others need to use the weights: classes, size and normalisation of images
    trial, step, epoch     steps done, epochs finished
    best_epoch, best_value     by the primary metric on validation; 0 and None before the first
    total       steps of the whole training
    recorder, epoch_began, data     what else a training needs to go on: the losses of the epoch so
                far and times; a mark of its data
    model, optimizer, scheduler   their state dicts
    hidden      of the model: buffers that are not persistent, and generators in modules
    left_out    names of what is in neither, as it is no tensor or plain value
    batches     the order of the data, the position in it, and its generators
    random      the global generators (torch on CPU and device, Python, numpy)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from clr_tui.engine.atomic import replacing
from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import open_regular
from clr_tui.engine.tasks.model_state import hidden_state, set_hidden_state
from clr_tui.engine.training.optimizers.modes import set_mode
from clr_tui.engine.training.plain_values import plain_values
from clr_tui.engine.training.randomness import global_state, set_global_state
from clr_tui.engine.training.schedules import PolicyScheduler
from clr_tui.engine.training.torch_schedules import TorchSchedule
from clr_tui.engine.training.trainee import Trainee

SCHEMA = 2
SHARE = 0.01
"""Of the time that the writing of checkpoints may take, and as much that of resume points."""


def capture(trainee: Trainee, scheduler: PolicyScheduler | TorchSchedule | None) -> dict[str, Any]:
    """The state of a training, without its position, which the caller adds.

    Args:
        scheduler: None for a sweep.
    """
    model, of_model = plain_values(trainee.model.state_dict(), "model")
    optimizer, of_optimizer = plain_values(trainee.optimizer.state_dict(), "optimizer")
    return {
        "schema": SCHEMA,
        "task": trainee.task.facts(),
        "model": model,
        "hidden": hidden_state(trainee.model),
        "optimizer": optimizer,
        "left_out": of_model + of_optimizer,
        "scheduler": scheduler.state_dict() if scheduler else {},
        "batches": trainee.batches.state_dict(),
        "random": global_state(trainee.device),
    }


def restore(
    state: dict[str, Any], trainee: Trainee, scheduler: PolicyScheduler | TorchSchedule | None
) -> None:
    """Restores a captured state into a training with the same settings, which then continues it."""
    trainee.model.load_state_dict(state["model"])
    if "hidden" in state:  # clr-tui 0.1 did not keep it
        set_hidden_state(trainee.model, state["hidden"])
    # A copy: LambdaLR updates the attributes of its functions in place, and keeps its own dict.
    if scheduler is not None:
        scheduler.load_state_dict(dict(state["scheduler"]))
    trainee.optimizer.load_state_dict(completed(state["optimizer"], trainee.optimizer))
    set_mode(trainee.optimizer, "train")
    trainee.batches.load_state_dict(state["batches"])
    set_global_state(state["random"], trainee.device)


def completed(state: dict[str, Any], optimizer: Optimizer) -> dict[str, Any]:
    """The state of an optimizer with those options that were left out."""
    if len(state.get("param_groups", ())) != len(optimizer.param_groups):
        return state
    groups = [
        {**{name: value for name, value in own.items() if name != "params"}, **saved}
        for own, saved in zip(optimizer.param_groups, state["param_groups"], strict=True)
    ]
    return {**state, "param_groups": groups}


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes a checkpoint atomically; raises UserError if it cannot, such as on a full disk."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with replacing(path) as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:  # torch's writer raises RuntimeError on a full disk
        raise UserError(f"cannot write the checkpoint {path}: {_cause(error)}") from error


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Reads a checkpoint, with the model on `device` and everything else on the CPU.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        fd = open_regular(path)
    except OSError as error:
        raise UserError(f"the checkpoint {path} cannot be read: {error.strerror}") from error
    try:
        with os.fdopen(fd, "rb") as file:
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        model = dict(state["model"])
    # torch.load may raise anything on a damaged file, in words that help nobody.
    except Exception as error:
        raise UserError(f"the checkpoint {path} is damaged") from error
    state["model"] = {
        name: value.to(device) if isinstance(value, Tensor) else value
        for name, value in model.items()
    }
    return state


def _cause(error: BaseException) -> str:
    """The operating system's message, even if torch wrapped it in another error."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, OSError) and at.strerror:
            return at.strerror
        at = at.__cause__ or at.__context__
    return str(error).partition("\n")[0]
