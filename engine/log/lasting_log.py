"""Writing a log through whatever happens to its disk and its folder."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import Event, Logged, Note
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.words import many

MAX_WAITING = 1_000_000
"""Values that wait at most for room on the disk."""


class LastingLog:
    """A log whose events wait while they cannot be written, and are written later, in order.

    A folder that was moved is written to where it is now. A log that another file has replaced goes
    on in that one, which is what readers see. Not for several threads at once.

    Args:
        path: the log; created if missing.
        warn: given a sentence once, when events begin to wait, until they have been written.

    Raises:
        UserError: the log cannot be opened.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path = path
        self._warn = warn
        self._writer = EventWriter(path)
        self._waiting: deque[Event] = deque()
        self._values = 0
        """Values that wait."""
        self._lost = 0
        """Steps for which there was no room."""
        self._warned = False

    def write(self, *events: Event) -> None:
        """Writes these events, after those that wait."""
        for event in events:
            self._waiting.append(event)
            self._values += _values_in(event)
        try:
            if self._is_removed():
                self._waiting.clear()
                self._values = 0
                self._warn_once(f"'{self._path}' was removed; the training goes on without it")
                return
            self._go_on_in_a_new_file()
            self._write_waiting()
        except (UserError, OSError) as error:
            self._drop_oldest()
            self._warn_once(f"{error}; the training goes on, and what it logs is written later")
        else:
            self._warned = False

    def close(self) -> None:
        """Closes the file, whatever still waits."""
        self._writer.close()

    @property
    def behind(self) -> bool:
        """Whether events wait."""
        return bool(self._waiting)

    def fileno(self) -> int:
        """The descriptor of the log."""
        return self._writer.fileno()

    def _write_waiting(self) -> None:
        while self._waiting:
            self._writer.write(self._waiting[0])
            self._values -= _values_in(self._waiting.popleft())
        if self._lost:
            lost, self._lost = self._lost, 0
            text = f"{many(lost, 'step')} that were logged could not be written, as of a full disk"
            self._waiting.append(Note(level="warning", text=text))
            self._write_waiting()

    def _warn_once(self, sentence: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(sentence)

    def _drop_oldest(self) -> None:
        """Drops the oldest values that wait if there are too many; other events are kept."""
        kept: list[Event] = []
        while self._values > MAX_WAITING:
            event = self._waiting.popleft()
            if isinstance(event, Logged):
                self._values -= _values_in(event)
                self._lost += len(event.step)
            else:
                kept.append(event)
        self._waiting.extendleft(reversed(kept))

    def _is_removed(self) -> bool:
        """Whether the log was deleted, and not only moved or replaced."""
        return not (os.fstat(self._writer.fileno()).st_nlink or self._path.exists())

    def _go_on_in_a_new_file(self) -> None:
        ours = os.fstat(self._writer.fileno())
        try:
            there = os.stat(self._path)
        except (FileNotFoundError, NotADirectoryError):  # it was moved, and is written to there
            return
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            writer = EventWriter(self._path)
            self._writer.close()
            self._writer = writer


def _values_in(event: Event) -> int:
    return len(event.step) * (len(event.values) + 2) if isinstance(event, Logged) else 0
