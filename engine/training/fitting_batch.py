"""Finding a batch size that fits, once memory has run out."""

from __future__ import annotations

import dataclasses
import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Progress
from clr_tui.engine.out_of_memory import is_out_of_memory
from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.tasks.own_training import OwnTask
from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.training.control import RunRemoved, Stopped
from clr_tui.engine.training.evaluate import EVALUATION_BATCH, evaluate
from clr_tui.engine.training.session import Session
from clr_tui.engine.user_frames import user_frame

_STEPS = 2
"""The second one has the optimizer's state in memory, too."""


@contextmanager
def saying_what_fits(
    session: Session, optimizer: OptimizerConfig, lr: float | None
) -> Iterator[None]:
    """Turns an error about memory in the block into one that names a batch size that would fit.

    It is measured: with a half, a quarter and so on of the batch, until a few steps succeed.

    Raises:
        UserError: memory ran out (field "batch_size").
        Stopped: the run was stopped during the search.
    """
    try:
        yield
    except BaseException as error:
        if not is_out_of_memory(error):
            raise
        where = user_frame(error)
        traceback.clear_frames(error.__traceback__)  # they hold the model and what it computed
        asked = session.samples_per_step
        try:
            fits = fitting_batch_size(session, optimizer, lr)
        except (Stopped, RunRemoved):
            raise
        except Exception:  # noqa: BLE001 - memory ran out, whatever went wrong in the search
            fits = None
        at = f" ({where})" if where else ""
        advice = f"about {fits} would fit" if fits else "try a smaller batch or image size"
        raise UserError(
            f"the device ran out of memory with batches of {asked}{at}: {advice}", "batch_size"
        ) from error


def fitting_batch_size(
    session: Session, optimizer: OptimizerConfig, lr: float | None
) -> int | None:
    """The largest of the halves of the batch size with which a few steps fit.

    Returns:
        None: not even one sample fits, or the task's batches are not made of samples.

    Raises:
        Stopped: the run was stopped.
    """
    if not isinstance(session.task.train, Rows):
        return None
    size, tried = session.config.task.batch_size // 2, 0
    total = size.bit_length()
    while size:
        session.control.raise_if_stopped()
        session.emit(Progress(what="looking for a batch size that fits", done=tried, total=total))
        _release(session.task.device)
        if _fits(session, optimizer, lr, size):
            return size
        size, tried = size // 2, tried + 1
    return None


def _fits(session: Session, optimizer: OptimizerConfig, lr: float | None, size: int) -> bool:
    try:
        _try(session, optimizer, lr, size)
    except Exception as error:
        if is_out_of_memory(error):
            traceback.clear_frames(error.__traceback__)
            return False
        raise
    return True


def _try(session: Session, optimizer: OptimizerConfig, lr: float | None, size: int) -> None:
    """A few steps, and an evaluation of as many samples as one computes at once."""
    config = session.config
    task = dataclasses.replace(session.task, compile=False)  # which takes minutes
    if isinstance(task, OwnTask):
        task = dataclasses.replace(task, batch_size=size)
    smaller = dataclasses.replace(
        session,
        task=task,
        config=msgspec.structs.replace(
            config, task=msgspec.structs.replace(config.task, batch_size=size)
        ),
        emit=lambda _: None,
    )
    trainee = smaller.trainee(optimizer, config.task.seed, lr=lr)
    trainee.model.train()
    for _ in range(_STEPS):
        float(trainee.step()[0])  # waits for the device
    if isinstance(task.validation, Rows) and len(task.validation):
        part = task.validation.take(slice(0, EVALUATION_BATCH))
        float(evaluate(trainee, part)[0])


def _release(device: torch.device) -> None:
    """Gives back what nobody uses any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
