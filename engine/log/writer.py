"""Writing the log: each event is one line and one `write`."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.decoding import UNREADABLE
from clr_tui.engine.log.events import AnyEvent, Event
from clr_tui.engine.log.line_tail import end_of_lines, last_lines
from clr_tui.engine.regular import open_regular

E = TypeVar("E", bound=Event)


class _Numbered(msgspec.Struct):
    seq: int


class EventWriter:
    """Appends events to a log, from any thread, but only in the process that holds the lock.

    An existing log is continued: a torn last line, which a killed worker may leave, is cut off
    first, and `seq` counts on. What others do to the file meanwhile tears no line of ours: an end
    that is not ours and not the end of a line is completed first.

    Args:
        path: the log; created if missing.
        clock: the current time, Unix seconds.

    Raises:
        UserError: the log cannot be opened.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._decode = msgspec.json.Decoder(AnyEvent).decode
        self.was_cut = False
        """Whether others have cut off lines that were written."""
        self._torn = False
        """Whether a part of a line is at the end, which could not be cut off again."""
        try:
            self._fd = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            self._seq = self._resume_numbering()
            self._file = os.fstat(self._fd)
            self._end = self._file.st_size
        except OSError as error:
            raise UserError(write_failed(path, error), "runs_dir") from error

    def _resume_numbering(self) -> int:
        """Cuts off a torn last line; returns the `seq` of the next event."""
        end = end_of_lines(self._fd)
        if end < os.fstat(self._fd).st_size:
            os.ftruncate(self._fd, end)
        window = 1 << 16
        while True:
            for line in reversed(last_lines(self._fd, end, window)):
                with suppress(*UNREADABLE):
                    return max(0, msgspec.json.decode(line, type=_Numbered).seq + 1)
            if window >= end:
                return 0
            window *= 8

    @property
    def next_seq(self) -> int:
        """The `seq` of the next event."""
        return self._seq

    def write(self, event: E, at: float | None = None) -> E:
        """Writes `event` as the next line and returns it as written, with `seq` and `time` set.

        A line is never written in part: if the disk fills up in the middle, it is cut off again.

        Args:
            event: the event.
            at: its time, Unix seconds; None: now.

        Raises:
            UserError: the disk is full or fails.
            msgspec.ValidationError: a number that readers need is not finite; those that may be
                missing (losses, metrics) are written as null.
        """
        with self._lock:
            time = self._clock() if at is None else at
            numbered = msgspec.structs.replace(event, seq=self._seq, time=time)
            line = _encode(numbered)
            if b"null" in line:
                self._decode(line)  # raises if readers could not decode it
            self._append(line + b"\n")
            self._seq += 1
        return numbered

    def copy_rest(self, log: int) -> None:
        """Writes the lines of another log of the same run that come after the last one here.

        Args:
            log: its descriptor.

        Raises:
            UserError: the disk is full or fails.
        """
        with self._lock, os.fdopen(os.dup(log), "rb") as lines:
            lines.seek(0)
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                seq = self._seq
                with suppress(*UNREADABLE):
                    seq = msgspec.json.decode(line, type=_Numbered).seq
                if seq >= self._seq:
                    self._append(line)
                    self._seq = seq + 1

    def reopen_if_closed(self) -> None:
        """Opens the log again if its descriptor was closed, or is that of another file by now.

        Code that a run has no say over may close all descriptors of this process.

        Raises:
            OSError: the log cannot be opened.
        """
        with self._lock:
            if self._fd < 0:
                return
            with suppress(OSError):
                if os.path.samestat(os.fstat(self._fd), self._file):
                    return
            self._fd = open_regular(self.path, os.O_RDWR | os.O_APPEND)

    def _append(self, line: bytes) -> None:
        start = -1
        try:
            start = self._free_end()
            rest = memoryview(line)
            while rest:  # a disk that fills up takes a part and refuses the rest
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            self._cut_off(start)
            raise UserError(write_failed(self.path, error), "runs_dir") from error
        self._end = start + len(line)

    def _free_end(self) -> int:
        """Where the next line begins."""
        size = os.fstat(self._fd).st_size
        if self._torn and size > self._end:
            os.ftruncate(self._fd, self._end)
            size = self._end
        self._torn = False
        if size == self._end:
            return size
        self.was_cut = self.was_cut or size < self._end
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            size += os.write(self._fd, b"\n")
        self._end = size
        return size

    def _cut_off(self, start: int) -> None:
        if start >= 0:
            self._end, self._torn = start, True
            with suppress(OSError):  # else before the next line, or by the next writer
                os.ftruncate(self._fd, start)
                self._torn = False

    def fileno(self) -> int:
        """The descriptor of the log."""
        return self._fd

    def close(self) -> None:
        """Closes the file; writing after that is an error."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1


def write_failed(path: Path, error: OSError) -> str:
    """One sentence about a file or folder that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of '{path}' is full: free some space, or choose another runs folder"
    return f"'{path}' cannot be written ({error.strerror}): choose another runs folder"


def _encode(event: Event) -> bytes:
    try:
        return msgspec.json.encode(event)
    except UnicodeEncodeError:
        # Such as a file name that is not UTF-8: better with "?" in it than missing.
        return msgspec.json.encode(printable(msgspec.to_builtins(event)))


def printable(value: Any) -> Any:
    """Plain data in which all text is UTF-8, with "?" for what is not."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    return value
