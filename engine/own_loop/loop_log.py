"""The thread that writes what a loop logs, so that the loop itself waits for nothing."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Command, CommandTail
from clr_tui.engine.log.events import CommandRefused, Event, RunFinished, RunStarted
from clr_tui.engine.log.lasting_log import LastingLog
from clr_tui.engine.log.liveness import sign
from clr_tui.engine.log.lock import acquire, hold_again
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.standing import logged_words, telling_name
from clr_tui.engine.own_loop.rows import MAX_ROWS, Row, events_of, take
from clr_tui.engine.usage import Usage

FLUSH_SECONDS = 0.25
USAGE_SECONDS = 5.0
"""Between two events that say that the process lives, and how much it has to do."""
_PATIENCE_SECONDS = 10.0
"""For a last write of the thread, which a disk or a device may hold up."""


class LoopLog:
    """Holds a run's lock, writes its log four times a second, and reads its commands as often.

    Args:
        run: the run, which has no worker.
        warn: given a sentence that the user should see.
        on_commands: given new commands, if any, after each write, in the thread that writes.

    Raises:
        UserError: the lock is held, or the log cannot be opened.
    """

    def __init__(
        self,
        run: RunDir,
        warn: Callable[[str], None],
        on_commands: Callable[[list[Command]], None],
    ) -> None:
        self.rows: deque[Row] = deque(maxlen=MAX_ROWS)
        self.lock = threading.Lock()
        """Held while events are written, and while this process forks."""
        self._run_lock = acquire(run.lock_path)
        sign(self._run_lock, "logged")
        self._lock_path = run.lock_path
        self._log = LastingLog(run.events_path, warn)
        self._commands = CommandTail(run.commands_path)
        self._on_commands = on_commands
        self._last: dict[str, tuple[float | None, int]] = {}
        """The last value of each name, and its step."""
        self._usage = Usage()
        self._usage_at = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"log of {run.id}", daemon=True)

    def start(self, started: RunStarted) -> None:
        """Writes the first event, and from now on what is logged, until `close`."""
        self.emit(started)
        self._thread.start()

    def emit(self, *events: Event) -> None:
        """Writes the rows so far, then these events."""
        with self.lock:
            self._write(*events)

    def _write(self, *events: Event) -> None:
        logged = list(events_of(take(self.rows)))
        for event in logged:
            for name, column in event.values.items():
                self._last[name] = (column[-1], event.step[-1])
        self._log.write(*logged, *events)

    def close(self, end: RunFinished) -> bool:
        """Writes the rest, with this event at the end, and gives up the run's lock.

        Args:
            end: given its headline, the last value of the name that says most.

        Returns:
            Whether all of it was written.
        """
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_SECONDS)
        if not self.lock.acquire(timeout=_PATIENCE_SECONDS):
            return False
        try:
            self._log.patience = 0  # there is no later
            self._write()
            name = telling_name(list(self._last)) if self._last else ""
            headline = logged_words(name, *self._last[name]) if name else ""
            self._log.write(replace(end, headline=headline))
            written = not self._log.behind
            self._log.close()
            os.close(self._run_lock)
        finally:
            self.lock.release()
        return written

    def forget(self) -> None:
        """Closes the files of a forked copy, which must not hold the run's lock."""
        for fd in (self._run_lock, self._log.fileno()):
            os.close(fd)

    def _work(self) -> None:
        while not self._over.wait(FLUSH_SECONDS):
            self.emit(*self._signs_of_life())
            self._read_commands()

    def _signs_of_life(self) -> list[Event]:
        now = time.monotonic()
        if now - self._usage_at < USAGE_SECONDS or self._log.behind:
            return []
        self._usage_at = now
        with suppress(OSError, UserError):  # if it was deleted, or its folder with it
            hold_again(self._lock_path, self._run_lock)
        with suppress(OSError):  # as the next write will say
            self._log.sync(self.lock)
        return [self._usage.read()]

    def _read_commands(self) -> None:
        try:
            commands = self._commands.poll()
        except UserError as error:
            self.emit(CommandRefused(command="a command", reason=error.message))
        else:
            self._on_commands(commands)
