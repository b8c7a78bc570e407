"""Commands and signals to a running worker, handled between steps. Imports no torch."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import (
    Command,
    Continue,
    Pause,
    SaveCheckpoint,
    SetBounds,
    Stop,
    StopTrial,
)
from clr_tui.engine.log.events import CommandRefused, Continued, Event, Paused
from clr_tui.engine.training.stopwatch import Stopwatch

PAUSE_POLL_SECONDS = 0.2


class StopFlag:
    """A flag that a signal handler sets and others can wait for.

    Uses a pipe, not a `threading.Event`: a handler runs between two instructions of the main
    thread, and would deadlock on the lock of an event that this thread is about to wait for.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def set(self, reason: str) -> None:
        """Requests a clean end; the first reason counts."""
        self.reason = self.reason or reason
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b"\0")

    def wait(self, seconds: float) -> bool:
        """Sleeps until the flag is set or the time is over; returns whether it is set."""
        if self.reason is None:
            select.select([self._read], [], [], seconds)
        return self.reason is not None

    def close(self) -> None:
        """Closes the pipe; the flag must not be used any more."""
        os.close(self._read)
        os.close(self._write)


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """A command or signal stopped the run; the message says which or why."""


class Interrupted(Stopped):
    """A stop that came in the middle of a step: model and optimizer may have changed in part."""


class RunRemoved(Exception):  # noqa: N818 - an end, not an error
    """The run's directory was removed, so nothing can be logged any more."""


def _refuse_bounds(base_lr: float, max_lr: float) -> None:
    raise UserError("this run has no bounds to move: only a training has")


def _refuse_checkpoint() -> None:
    raise UserError("a range test saves no checkpoint: it leaves the model unchanged")


@dataclass(frozen=True)
class CommandHandlers:
    """How the running job carries out commands. A UserError refuses a command."""

    set_bounds: Callable[[float, float], None] = _refuse_bounds
    """(base_lr, max_lr)"""
    save_checkpoint: Callable[[], None] = _refuse_checkpoint
    before_pause: Callable[[], None] = lambda: None


class Control:
    """Receives commands and stop signals, and applies them between steps.

    Args:
        poll: returns the commands since the last call.
        stop: set by signals.
        emit: takes each event.
        raise_if_gone: called while waiting; raises `RunRemoved` if the run was removed.
        spent: the time of the run, if it began before.
    """

    def __init__(
        self,
        poll: Callable[[], list[Command]],
        stop: StopFlag,
        emit: Callable[[Event], object],
        raise_if_gone: Callable[[], None] = lambda: None,
        spent: Stopwatch | None = None,
    ) -> None:
        self.spent = spent or Stopwatch()
        """The time that the run takes, without pauses."""
        self._poll = poll
        self._stop = stop
        self._emit = emit
        self._raise_if_gone = raise_if_gone
        self._queue: deque[Command] = deque()
        self._paused = False
        self._lock = threading.Lock()
        """While a user's code is imported, another thread waits for a stop: see `stoppable`."""

    def raise_if_stopped(self) -> None:
        """Between steps, cheap: raises Stopped on a stop command or signal; other commands wait."""
        self._receive()
        stops = (stop_reason(c) for c in self._queue if isinstance(c, Stop))
        reason = self._stop.reason or next(stops, None)
        if reason is not None:
            raise Stopped(reason)

    def is_stopping(self) -> bool:
        """Whether a command or a signal stops the run; other commands wait.

        Raises:
            RunRemoved: the run was removed.
        """
        self._raise_if_gone()
        try:
            self.raise_if_stopped()
        except Stopped:
            return True
        return False

    def handle_commands(self, orders: CommandHandlers, stopwatch: Stopwatch) -> str | None:
        """Carries out commands since the last call; waits here during a pause.

        Returns:
            Why the job must stop now, or None to continue.
        """
        reason = self._execute_all(orders)
        if reason is None and self._paused:
            with stopwatch.hold(), self.spent.hold():
                while reason is None and self._paused:
                    self._stop.wait(PAUSE_POLL_SECONDS)
                    self._raise_if_gone()
                    reason = self._execute_all(orders)
        return reason

    def take_commands(self) -> tuple[list[Command], str | None]:
        """For a job that carries out commands itself. Does not wait.

        Returns:
            The commands since the last call, and why a signal stops the run, or None.

        Raises:
            RunRemoved: the run was removed.
        """
        self._raise_if_gone()
        self._receive()
        commands = list(self._queue)
        self._queue.clear()
        return commands, self._stop.reason

    def _receive(self) -> None:
        try:
            with self._lock:
                self._queue.extend(self._poll())
        except UserError as error:  # an unreadable file of commands must not end the run
            self._emit(CommandRefused(command="a command", reason=error.message))

    def _execute_all(self, orders: CommandHandlers) -> str | None:
        self._receive()
        while self._queue and self._stop.reason is None:
            command = self._queue.popleft()
            if isinstance(command, Stop):
                return stop_reason(command)
            try:
                self._execute(command, orders)
            except UserError as error:
                name = str(command.__struct_config__.tag)
                self._emit(CommandRefused(command=name, reason=error.message))
        return self._stop.reason

    def _execute(self, command: Command, orders: CommandHandlers) -> None:
        if isinstance(command, SetBounds):
            orders.set_bounds(command.base_lr, command.max_lr)
        elif isinstance(command, SaveCheckpoint):
            orders.save_checkpoint()
        elif isinstance(command, Pause) and not self._paused:
            orders.before_pause()
            self._paused = True
            self._emit(Paused())
        elif isinstance(command, Continue) and self._paused:
            self._paused = False
            self._emit(Continued())
        elif isinstance(command, StopTrial):
            raise UserError("only trials of a comparison can be stopped: stop the run instead")


def stop_reason(stop: Stop) -> str:
    """Why the run or trial is stopped."""
    return stop.reason or "stopped by request"
