"""Keeping the weights of a training: in files, or, in a comparison, in memory."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import CheckpointSaved, Event, Note
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.resume_points import read_checked
from clr_tui.engine.waiting import wait_for

Reason = Literal["best", "last", "asked", "stopped"]
"""Validation was the best so far, an epoch ended, a command asked, or the training stopped."""

BEST = Path("checkpoints", "best.pt")
LAST = Path("checkpoints", "last.pt")


@dataclass(frozen=True)
class _Unwritten:
    reason: Reason
    state: dict[str, Any]
    is_copy: bool = False
    """Else its tensors are those of the training, and change with it."""


class DiskKeeper:
    """Writes `best.pt`, `last.pt` and, on command, `step-N.pt` into `folder`/checkpoints.

    What cannot be written, such as on a full disk, is kept in memory until it can: the training
    goes on. After each file it rests in proportion to the time that took; until then the best
    weights are kept in memory, and `last.pt` is left for a later epoch.
    """

    def __init__(
        self,
        folder: Path,
        emit: Callable[[Event], object],
        device: torch.device,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._rests_until = -math.inf
        self._wrote_best = False
        """Just before: then `last.pt` of the same epoch is written, too."""
        self._folder = folder
        self._emit = emit
        self._device = device
        self._unwritten: dict[Path, _Unwritten] = {}
        """The newest of each file."""
        self._failed = False
        """Whether the last checkpoint could not be written, and a note says so."""

    def keep(
        self,
        reason: Reason,
        model: nn.Module,
        state: Callable[[], dict[str, Any]],
        *,
        final: bool = False,
    ) -> None:
        """Writes a checkpoint and logs it.

        Args:
            model: the model in training.
            state: makes a whole checkpoint, see `engine.training.checkpoint`.
            final: whether there will be no other: then it is written now.

        Raises:
            UserError: one that was asked for cannot be written.
        """
        with_best, self._wrote_best = self._wrote_best, False
        now = final or reason == "stopped" or self._clock() >= self._rests_until
        now = now or (reason == "last" and with_best)
        if reason == "asked":
            captured = state()
            self._save(Path("checkpoints", f"step-{captured['step']}.pt"), reason, captured)
        elif now:
            self._unwritten[BEST if reason == "best" else LAST] = _Unwritten(reason, state())
            self._write()
            self._wrote_best = reason == "best"
        elif reason == "best":
            copied = on(torch.device("cpu"), state())
            self._unwritten[BEST] = _Unwritten(reason, copied, is_copy=True)

    def best(self, epoch: int) -> Mapping[str, Tensor]:
        """The model of the best epoch, on the device.

        Raises:
            UserError: it cannot be read; or it is that of another epoch, which was the best before
                the run was resumed from before its end, but not when it was trained again.
        """
        if BEST in self._unwritten:
            state = on(self._device, self._unwritten[BEST].state)
        else:
            state = checkpoint.load(self._folder / BEST, self._device)
        if state.get("epoch", epoch) != epoch:
            raise UserError(f"the checkpoint {self._folder / BEST} is of epoch {state['epoch']}")
        weights: dict[str, Tensor] = state["model"]
        return weights

    def last(self) -> dict[str, Any] | None:
        """Reads `last.pt`; None if there is none, or it cannot be used."""
        with contextlib.suppress(UserError):
            state = read_checked(self._folder / LAST)
            return state if "recorder" in state else None  # clr-tui 0.1 did not keep it
        return None

    def state_dict(self) -> dict[str, Any]:
        """The best checkpoint, if it is in memory and not yet in its file; else empty."""
        return self._unwritten[BEST].state if BEST in self._unwritten else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        if state:
            self._unwritten[BEST] = _Unwritten("best", state, is_copy=True)

    def settle(self, is_stopping: Callable[[], bool]) -> None:
        """Waits, but not for ever, until there is room for what could not be written."""
        if self._unwritten and self._folder.is_dir():
            wait_for(self._write, is_stopping)
        for path in self._unwritten:
            text = f"{path} was not written to the end: it is older than it should be, or missing"
            self._emit(Note(level="warning", text=text))

    def _write(self) -> bool:
        """Writes what is unwritten; returns whether nothing is left."""
        for path, one in list(self._unwritten.items()):
            try:
                self._save(path, one.reason, one.state)
            except UserError as error:
                if not one.is_copy:
                    copied = on(torch.device("cpu"), one.state)
                    self._unwritten[path] = _Unwritten(one.reason, copied, is_copy=True)
                self._say_failed(error.message)
            else:
                del self._unwritten[path]
        if self._failed and not self._unwritten:
            self._failed = False
            self._emit(Note(level="info", text="checkpoints can be written again"))
        return not self._unwritten

    def _save(self, path: Path, reason: Reason, captured: dict[str, Any]) -> None:
        began = self._clock()
        checkpoint.save(self._folder / path, captured)
        now = self._clock()
        rest = (now - began) * (1 / checkpoint.SHARE - 1)
        self._rests_until = max(self._rests_until, now) + rest
        trial, step = captured["trial"], captured["step"]
        self._emit(CheckpointSaved(trial=trial, step=step, path=path.as_posix(), reason=reason))

    def _say_failed(self, sentence: str) -> None:
        if not self._failed:
            self._failed = True
            text = f"{sentence}; the training goes on, and it is written when it can be"
            self._emit(Note(level="warning", text=text))


def on(device: torch.device, value: Any) -> Any:
    """A copy of plain values whose tensors are on a device."""
    if isinstance(value, Tensor):
        return value.detach().to(device, copy=True)
    if isinstance(value, dict):
        return {name: on(device, one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(on(device, one) for one in value)
    return value


class MemoryKeeper:
    """Keeps only the best weights, on the model's device. Writes and logs nothing."""

    def __init__(self) -> None:
        self._best: dict[str, Tensor] = {}

    def keep(
        self,
        reason: Reason,
        model: nn.Module,
        state: Callable[[], dict[str, Any]],
        *,
        final: bool = False,
    ) -> None:
        """Copies the best weights; ignores everything else."""
        if reason == "best":
            self._best = {}  # first, so that memory never holds two copies
            self._best = {name: value.clone() for name, value in model.state_dict().items()}

    def best(self, epoch: int) -> Mapping[str, Tensor]:
        """The copy."""
        return self._best

    def last(self) -> dict[str, Any] | None:
        """None: only the best weights are kept."""
        return None

    def settle(self, is_stopping: Callable[[], bool]) -> None:
        """Does nothing, as nothing is written."""

    def state_dict(self) -> dict[str, Tensor]:
        """The best weights; empty before there are any."""
        return self._best

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restores what `state_dict` returned; its tensors may be on another device."""
        self._best = state
