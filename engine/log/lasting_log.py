"""Writing a log through whatever happens to its disk, its file and its folder."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from clr_tui.engine.atomic import replacing
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.decoding import UNREADABLE
from clr_tui.engine.log.events import Event, Logged, Note, RunFinished, Steps
from clr_tui.engine.log.line_tail import end_of_lines
from clr_tui.engine.log.writer import EventWriter, write_failed
from clr_tui.engine.regular import open_regular
from clr_tui.engine.words import many

MAX_WAITING = 1_000_000
"""Values that wait at most for room on the disk."""
PATIENCE_SECONDS = 2.0
"""For whoever replaces the log, or deletes its folder file by file."""
_OF_AN_EVENT = 10
"""What an event counts that has no columns, in values."""
_FIRST_LINE = 1 << 16
"""Bytes that hold the first line of a log."""
_BLOCK = 1 << 20


class LastingLog:
    """A log whose events wait while they cannot be written, and are written later, in order.

    A folder that was moved is written to where it is now. A log that another file has replaced goes
    on in that one, which is what readers see, if it begins as this one does; what it lacks is added
    to it. Any other file in its place is renamed, and the log written anew, as it is if it was
    deleted alone. Not for several threads at once.

    Args:
        path: the log; created if missing.
        warn: given a sentence once, when events begin to wait, until they have been written.
        drops: whether the oldest columns are dropped if more than `MAX_WAITING` values wait. If
            not, the caller must not write while it `is_full`.
        patience: seconds for which a log may be missing or replaced before it is seen to.
        clock: seconds, monotonic.

    Raises:
        UserError: the log cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        warn: Callable[[str], None],
        *,
        drops: bool = True,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._warn = warn
        self._drops = drops
        self.patience = patience
        self._clock = clock
        self._writer = EventWriter(path)
        self._waiting: deque[tuple[Event, float]] = deque()
        """With their times."""
        self._values = 0
        """Values that wait."""
        self._lost = 0
        """Steps for which there was no room."""
        self._missing_since: float | None = None
        """When the log was first not in its place."""
        self._failing: tuple[float, str] | None = None
        """When writing first failed, and why."""
        self._warned = False
        self.trouble = ""
        """Why events wait, in a sentence; empty if they do not, or if only the file is missing."""
        self.removed = False
        """Whether the log was deleted with its folder; nothing is written any more."""
        self.moved = False
        """Whether the folder was moved, or the log away from a folder that is no run's."""

    def write(self, *events: Event) -> None:
        """Writes these events, after those that wait; without any, only those."""
        now = time.time()
        for event in events:
            self._waiting.append((event, now))
            self._values += _values_in(event)
        try:
            if not self._is_in_place():
                return
            self._write_waiting()
            self._say_what_was_wrong()
        except (UserError, OSError) as error:
            if self._failing is None:
                self._failing = (self._clock(), _cause(error))
            if self._drops:
                self._drop_oldest()
            self.trouble = (
                write_failed(self._path, error) if isinstance(error, OSError) else str(error)
            )
            self._warn_once(
                f"{self.trouble}; the training goes on, and what it logs is written later"
            )
        else:
            self._warned, self.trouble = False, ""

    def write_end(self, end: RunFinished) -> bool:
        """Gives up what waits, and writes a last event that says so; returns whether it could."""
        count = len(self._waiting)
        self._waiting.clear()
        self._values, self._lost, self._failing = 0, 0, None
        lacks = f"its log lacks the last {many(count, 'event')}, for which there was no room"
        message = f"{end.message}; {lacks}" if end.message else lacks
        self.write(msgspec.structs.replace(end, message=message))
        return not self.behind

    def sync(self, lock: threading.Lock) -> None:
        """Forces what is written to the disk, so that it outlives a power cut.

        Args:
            lock: what keeps several threads from writing at once; free meanwhile.

        Raises:
            OSError: the disk fails.
        """
        with lock:
            copy = os.dup(self._writer.fileno())
        try:
            os.fsync(copy)
        finally:
            os.close(copy)

    def close(self) -> None:
        """Closes the file, whatever still waits."""
        self._writer.close()

    @property
    def behind(self) -> bool:
        """Whether events wait."""
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether no more should wait."""
        return self._values > MAX_WAITING

    def fileno(self) -> int:
        """The descriptor of the log."""
        return self._writer.fileno()

    def _write_waiting(self) -> None:
        while self._waiting:
            event, at = self._waiting.popleft()
            self._values -= _values_in(event)
            try:
                self._writer.write(event, at)
            except (UserError, OSError):
                self._waiting.appendleft((event, at))
                self._values += _values_in(event)
                raise
            if self._writer.was_cut:
                self._writer.was_cut = False
                self._remark("the log was cut short by another program: what it held is missing")

    def _say_what_was_wrong(self) -> None:
        """Writes for how long events waited."""
        if self._failing is None:
            return
        since, cause = self._failing
        lost, self._lost, self._failing = self._lost, 0, None
        what = "what happened was written afterwards"
        if lost:
            what = f"{many(lost, 'step')} that were logged are missing"
        seconds = many(round(self._clock() - since), "second")
        self._remark(f"the log could not be written for {seconds} ({cause}): {what}")
        self._write_waiting()

    def _remark(self, text: str) -> None:
        self._waiting.append((Note(level="warning", text=text), time.time()))

    def _warn_once(self, sentence: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(sentence)

    def _drop_oldest(self) -> None:
        """Drops the oldest values that wait if there are too many; other events are kept."""
        kept: list[tuple[Event, float]] = []
        while self._values > MAX_WAITING and self._waiting:
            event, at = self._waiting.popleft()
            if isinstance(event, Logged | Steps):
                self._values -= _values_in(event)
                self._lost += len(event.step)
            else:
                kept.append((event, at))
        self._waiting.extendleft(reversed(kept))

    def _is_in_place(self) -> bool:
        """Whether the log can be written now; sees to a log that is not in its place."""
        self._writer.reopen_if_closed()
        ours = os.fstat(self._writer.fileno())
        there = _stat(self._path)
        if there is not None and os.path.samestat(ours, there):
            self._missing_since, self.moved = None, False
            return True
        if there is None and not self._path.with_name("run.json").exists():
            self.moved, self.removed = ours.st_nlink > 0, ours.st_nlink == 0
            if self.removed:
                self._waiting.clear()
                self._values = 0
                self._warn_once(f"'{self._path}' was removed; the training goes on without it")
            return not self.removed
        if self._missing_since is None:
            self._missing_since = self._clock()
        if self._clock() - self._missing_since < self.patience:
            return False
        if there is not None and self._continues_there():
            self._open_anew("the log was replaced by another file: what that lacked was added")
        else:
            self._put_back(there is not None)
        self._missing_since = None
        return True

    def _continues_there(self) -> bool:
        """Whether the file in place of the log begins as the log does, or is empty."""
        try:
            theirs = _first_line(self._path)
        except OSError:
            return False
        ours = os.pread(self._writer.fileno(), _FIRST_LINE, 0)
        whole, newline, _ = ours.partition(b"\n")
        if not theirs.endswith(b"\n"):
            return ours.startswith(theirs)
        return not newline or _parsed(whole) == _parsed(theirs)

    def _put_back(self, occupied: bool) -> None:
        """Writes the log anew from the file that is still open."""
        text = "the log was deleted"
        if occupied:
            aside = _unused(self._path)
            os.rename(self._path, aside)
            text = f"another file was put in place of the log, and is now '{aside.name}'"
        fd = self._writer.fileno()
        with replacing(self._path) as file:
            rest, at = end_of_lines(fd), 0
            while rest > 0 and (block := os.pread(fd, min(rest, _BLOCK), at)):
                file.write(block)
                rest, at = rest - len(block), at + len(block)
        self._open_anew(f"{text}: it was written anew, as it was")

    def _open_anew(self, remark: str) -> None:
        writer = EventWriter(self._path)
        try:
            writer.copy_rest(self._writer.fileno())
        except BaseException:
            writer.close()
            raise
        self._writer.close()
        self._writer = writer
        self._remark(remark)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _first_line(path: Path) -> bytes:
    """With its newline; without one if it is not complete. Raises OSError."""
    with open(open_regular(path), "rb") as file:
        return file.readline(_FIRST_LINE)


def _parsed(line: bytes) -> object:
    with suppress(*UNREADABLE):
        return msgspec.json.decode(line)
    return line


def _unused(path: Path) -> Path:
    """A name beside `path` that nothing has."""
    number = 1
    while os.path.lexists(other := path.with_name(f"{path.name}.other-{number}")):
        number += 1
    return other


def _cause(error: BaseException) -> str:
    """The operating system's message."""
    cause = error.__cause__ if isinstance(error, UserError) else error
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)


def _values_in(event: Event) -> int:
    if isinstance(event, Logged):
        return len(event.step) * (len(event.values) + 2)
    if isinstance(event, Steps):
        return len(event.step) * (len(event.metrics) + 4)
    return _OF_AN_EVENT
