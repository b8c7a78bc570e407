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
    first, and `seq` counts on.

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
        try:
            self._fd = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            self._seq = self._resume_numbering()
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

    def write(self, event: E) -> E:
        """Writes `event` as the next line and returns it as written, with `seq` and `time` set.

        A line is never written in part: if the disk fills up in the middle, it is cut off again.

        Raises:
            UserError: the disk is full or fails.
            msgspec.ValidationError: a number that readers need is not finite; those that may be
                missing (losses, metrics) are written as null.
        """
        with self._lock:
            numbered = msgspec.structs.replace(event, seq=self._seq, time=self._clock())
            line = _encode(numbered)
            if b"null" in line:
                self._decode(line)  # raises if readers could not decode it
            self._append(line + b"\n")
            self._seq += 1
        return numbered

    def _append(self, line: bytes) -> None:
        start = os.fstat(self._fd).st_size
        try:
            rest = memoryview(line)
            while rest:  # a disk that fills up takes a part and refuses the rest
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            with suppress(OSError):  # if it fails, the next writer cuts the torn line off
                os.ftruncate(self._fd, start)
            raise UserError(write_failed(self.path, error), "runs_dir") from error

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
