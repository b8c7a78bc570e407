"""The log of a run in its worker: written through faults of the disk, with signs of life."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import msgspec

from clr_tui.engine import forks
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import CommandTail, Stop
from clr_tui.engine.log.events import DeviceUsage, Event, RunFinished
from clr_tui.engine.log.lasting_log import LastingLog
from clr_tui.engine.log.lock import hold_again
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.training.control import RunRemoved, StopFlag
from clr_tui.engine.training.watching import watching
from clr_tui.engine.usage import Usage
from clr_tui.engine.waiting import wait_for

WATCH_SECONDS = 1.0
"""Between two looks at the log and the lock, and two attempts to write what waits."""
SIGN_SECONDS = 10.0
"""After so long without an event, one says that the worker lives."""
SYNC_SECONDS = 10.0
"""Between two times that the log is forced to the disk: no more is lost if the power fails."""
_ATTEMPTS = 5
"""Looks after which a lock that is held must be another worker's."""


class RunLog:
    """The run's log, which any thread may write; writing fails once it is removed.

    Args:
        run: the run.
        lock: the descriptor of its lock.
        stop: set if the run cannot go on where it is.
        say: takes sentences for `worker.log`.

    Raises:
        UserError: the log cannot be opened.
    """

    def __init__(self, run: RunDir, lock: int, stop: StopFlag, say: Callable[[str], None]) -> None:
        self._run = run
        self._lock = lock
        self._stop = stop
        self._say = say
        self._log = LastingLog(run.events_path, say, drops=False)
        self._writing = threading.Lock()
        self._commands = CommandTail(run.commands_path)
        """Read only while the run waits for room."""
        self._usage = Usage()
        self._written_at = time.monotonic()
        self._synced_at = self._written_at
        self._settled: bool | None = None
        """Whether it was worth while to wait for room at the end of the run."""
        self._locked_out = 0
        """Looks that found the lock held by another process."""

    def begin(self, event: Event) -> None:
        """Writes the first event of this worker; raises UserError if it cannot."""
        self._write(event)
        if self._log.trouble:
            raise UserError(self._log.trouble, "runs_dir")

    def emit(self, event: Event) -> None:
        """Writes an event. Waits while more events wait for room than memory should hold.

        Raises:
            RunRemoved: the run was removed.
        """
        if isinstance(event, DeviceUsage) and self._log.behind:
            return
        self._write(event)
        if self._log.is_full and not self._is_stopping():
            self._say("the training waits until there is room for its log")
            while self._log.is_full and not self._is_stopping():
                self._stop.wait(WATCH_SECONDS)
                self._write()

    def raise_if_removed(self) -> None:
        """Raises RunRemoved if the run was removed."""
        self._write()

    def living(self) -> AbstractContextManager[None]:
        """Shows within the block that the worker lives, and sees to the log and the lock."""
        return watching(self._watch, "signs of life")

    def settle(self) -> bool:
        """Waits until all events are written, but not for ever, as at the end of a run.

        Returns:
            Whether they are.

        Raises:
            RunRemoved: the run was removed.
        """
        if self._settled is not False:
            self._settled = wait_for(self._has_caught_up, self._is_stopping)
        return self._has_caught_up()

    def _has_caught_up(self) -> bool:
        self._write()
        return not self._log.behind

    def finish(self, end: RunFinished) -> bool:
        """Writes the last event; waits for room, see `settle`.

        If there is none, the event takes the place of all that wait, as it may fit where they do
        not.

        Returns:
            Whether it was written.

        Raises:
            RunRemoved: the run was removed.
        """
        self._write(end)
        written = self.settle()
        if not written:
            with self._writing:
                written = self._log.write_end(end)
        self._sync()
        return written

    def _write(self, *events: Event) -> None:
        forks.end_if_forked()
        with self._writing:
            self._log.write(*events)
            removed, moved = self._log.removed, self._log.moved
            if events:
                self._written_at = time.monotonic()
        if removed:
            raise RunRemoved(f"{self._run.events_path} was removed during the run")
        if moved and self._stop.reason is None:
            self._stop.set(f"its folder was moved{_to(self._log.fileno())} while it trained")

    def _is_stopping(self) -> bool:
        if self._stop.reason is not None:
            return True
        with suppress(UserError):
            for command in self._commands.poll():
                if isinstance(command, Stop):
                    self._stop.set(command.reason or "stopped by request")
        return self._stop.reason is not None

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(WATCH_SECONDS):
            try:
                self._write()
            except RunRemoved:
                return  # as the main thread will find
            self._keep_lock()
            now = time.monotonic()
            if now - self._written_at >= SIGN_SECONDS and not self._log.behind:
                with suppress(RunRemoved, msgspec.ValidationError):
                    self._write(self._usage.read())
            if now - self._synced_at >= SYNC_SECONDS:
                self._sync()

    def _sync(self) -> None:
        self._synced_at = time.monotonic()
        try:
            self._log.sync(self._writing)
        except OSError as error:
            self._say(f"the log may not be on the disk yet: {error.strerror}")

    def _keep_lock(self) -> None:
        """Takes the lock again if its file was deleted."""
        with suppress(OSError, UserError):  # the folder is gone, or cannot be written now
            ours = hold_again(self._run.lock_path, self._lock)
            self._locked_out = 0 if ours else self._locked_out + 1
        if self._locked_out == _ATTEMPTS:
            self._stop.set("another process has taken the run's lock")


def _to(fd: int) -> str:
    """Where the folder of an open file is now, as "to '...'"; empty if the system does not say."""
    with suppress(OSError):
        return f" to '{Path(os.readlink(f'/proc/self/fd/{fd}')).parent}'"
    return ""
