"""Resume points: the states of a trial that a later worker can continue it from.

They are the files `checkpoints/resume-<trial>-<step>.pt`: the content of a checkpoint, taken as the
training is at that step, between two steps. The newest two are kept until the trial ends. Each file
is a zip with a CRC32 of every tensor, which is compared when it is read.

`best.pt` and `last.pt` are for users: with optimizers that train other weights than those to use
(`evaluated_weights`) they hold the latter.
"""

from __future__ import annotations

import math
import os
import re
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import BoundsChanged
from clr_tui.engine.regular import open_regular
from clr_tui.engine.training import checkpoint

KEPT = 2
RETRY_SECONDS = 5.0
"""After a file that could not be written, such as on a full disk."""


@dataclass(frozen=True)
class Continuation:
    """How a trial is continued, and can be later."""

    points: ResumePoints
    logged: int | None = None
    """The steps that the log has of it, if an earlier worker began it; else None."""
    bounds: Sequence[BoundsChanged] = ()
    """What earlier workers logged: changes after the resume point are made again at their steps."""


class ResumePoints:
    """Writes the resume points of one trial from a thread, and finds the newest one.

    Every method is called by the thread that trains. Only the newest state waits to be written: a
    training that makes them faster than the disk takes them never waits.

    Args:
        folder: the run's `checkpoints`.
        trial: the trial's number.
        note: takes sentences about what could not be written or read, in the calling thread.
        every: seconds between two points within an epoch.
        at_most: the steps that the log has of the trial: a point beyond them is not used. The log
            may lack later ones if its disk was full, or if the process of a comparison's trial made
            the point and the worker, which writes the log, was killed.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        folder: Path,
        trial: int,
        note: Callable[[str], object],
        *,
        every: float,
        at_most: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_most = at_most
        self._folder = folder
        self._trial = trial
        self._note = note
        self._every = every
        self._clock = clock
        self._saved_at = clock()
        self._rests_until = -math.inf
        self._waiting: dict[str, Any] | None = None
        self._sentences: list[str] = []
        self._closing = False
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def due(self) -> bool:
        """Whether the last point is old enough for another one within an epoch."""
        return self._clock() - self._saved_at >= self._every

    @property
    def is_resting(self) -> bool:
        """Whether another point now would take more of the time than `checkpoint.SHARE`."""
        with self._change:
            return self._clock() < self._rests_until

    def save(self, state: dict[str, Any]) -> None:
        """Copies a state, and lets it be written.

        Args:
            state: tensors and plain values; `step` are the steps done.
        """
        self._tell()
        copied = snapshot(state)
        self._saved_at = self._clock()
        with self._change:
            self._waiting = copied
            self._change.notify()
        self._start()

    def close(self) -> None:
        """Returns once the newest state has been written, or tried once more."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._waiting is not None:
            self._start()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._closing = False
        self._tell()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="checkpoints", daemon=True)
            self._thread.start()

    def latest(self) -> dict[str, Any] | None:
        """Reads the newest point that is intact, with tensors on the CPU; None if there is none.

        Damaged ones are deleted, and a note says so. So are drafts of workers that were killed.
        """
        self._remove_drafts()
        known = [step for step in self._steps() if self._at_most is None or step <= self._at_most]
        for step in sorted(known, reverse=True):
            path = self._path(step)
            try:
                return read_checked(path)
            except UserError as error:
                self._note(f"{error.message}: the one before it is used, if there is one")
                with suppress(OSError):
                    path.unlink()
        return None

    def remove(self) -> None:
        """Deletes all points of the trial, which needs them no more."""
        with self._change:
            self._waiting = None
        self.close()
        self._remove_drafts()
        for step in self._steps():
            with suppress(OSError):
                self._path(step).unlink()

    def _remove_drafts(self) -> None:
        for draft in self._names(rf"\.resume-{self._trial}-\d+\.pt\.\d+"):
            with suppress(OSError):
                (self._folder / draft).unlink()

    def _path(self, step: int) -> Path:
        return self._folder / f"resume-{self._trial}-{step}.pt"

    def _steps(self) -> list[int]:
        names = self._names(rf"resume-{self._trial}-\d{{1,15}}\.pt")
        return [int(name.rpartition("-")[2].removesuffix(".pt")) for name in names]

    def _names(self, pattern: str) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        return [name for name in names if re.fullmatch(pattern, name)]

    def _tell(self) -> None:
        with self._change:
            sentences, self._sentences = self._sentences, []
        for sentence in sentences:
            self._note(sentence)

    def _write_all(self) -> None:
        failing = False
        while (state := self._next()) is not None:
            began = self._clock()
            try:
                self._write(state)
            except UserError as error:
                if not failing:
                    self._say(f"{error.message}; it is tried again")
                failing = True
                with self._change:
                    self._waiting = self._waiting or state
                    if self._closing:
                        return
                self._rest(RETRY_SECONDS)
            else:
                if failing:
                    self._say("checkpoints are written again")
                failing = False
                now = self._clock()
                with self._change:
                    self._rests_until = now + (now - began) * (1 / checkpoint.SHARE - 1)

    def _next(self) -> dict[str, Any] | None:
        """Waits for a state; None: there will be no other."""
        with self._change:
            self._change.wait_for(lambda: self._waiting is not None or self._closing)
            state, self._waiting = self._waiting, None
            return state

    def _rest(self, seconds: float) -> None:
        with self._change:
            self._change.wait_for(lambda: self._closing, timeout=seconds)

    def _say(self, sentence: str) -> None:
        with self._change:
            self._sentences.append(sentence)

    def _write(self, state: dict[str, Any]) -> None:
        checkpoint.save(self._path(state["step"]), state)
        # Those beyond it are of a worker whose steps since are void.
        others = [step for step in self._steps() if step != state["step"]]
        earlier = sorted((step for step in others if step < state["step"]), reverse=True)
        for step in set(others) - set(earlier[: KEPT - 1]):
            with suppress(OSError):
                self._path(step).unlink()


_GARBLED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    UnpicklingError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    OverflowError,
)
"""What zipfile and torch raise for files that are damaged."""


@contextmanager
def another_model() -> Iterator[None]:
    """Turns what torch raises for a state that does not fit into a UserError."""
    try:
        yield
    except (RuntimeError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise UserError(
            "this cannot be continued from its checkpoint, as the model or the optimizer is "
            f"another one now ({str(error).partition(chr(10))[0]}): start a new run",
            "task",
        ) from error


def read_checked(path: Path) -> dict[str, Any]:
    """Reads a checkpoint, with tensors on the CPU, and compares its checksums.

    Raises:
        UserError: it cannot be read, is no checkpoint or is damaged.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            with zipfile.ZipFile(file) as archive:
                # Torch takes the archive to begin where the file does; zipfile looks where it does.
                begins = min((entry.header_offset for entry in archive.infolist()), default=-1)
                damaged = begins != 0 or archive.testzip() is not None
            if damaged:
                raise UserError(f"the checkpoint {path} is damaged")
            file.seek(0)
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UserError(f"the checkpoint {path} cannot be read: {error.strerror}") from error
    except _GARBLED as error:
        raise UserError(f"the checkpoint {path} is damaged") from error
    if not isinstance(state, dict) or not isinstance(state.get("step"), int):
        raise UserError(f"the checkpoint {path} is damaged")
    return state


def snapshot(value: Any) -> Any:
    """Copies dicts, lists, tuples and the tensors in them, those onto the CPU; shares the rest.

    What shares memory, such as tied weights, is copied once.
    """
    return _copied(value, {})


def _copied(value: Any, made: dict[object, Tensor]) -> Any:
    if isinstance(value, Tensor):
        if value.layout != torch.strided or not value.numel():
            return value.detach().to("cpu", copy=True)
        key = (value.device, value.data_ptr(), value.dtype, value.shape, value.stride())
        if key not in made:
            made[key] = value.detach().to("cpu", copy=True)
        return made[key]
    if isinstance(value, dict):
        return {name: _copied(one, made) for name, one in value.items()}
    if isinstance(value, list):
        return [_copied(one, made) for one in value]
    if isinstance(value, tuple):
        return tuple(_copied(one, made) for one in value)
    return value
