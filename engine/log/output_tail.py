"""Following the end of `worker.log`: what a worker and the code it runs print."""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import open_regular

WINDOW = 256 << 10
"""Bytes read at once: progress bars of a long run can make a log of gigabytes."""
_LINE_START = re.compile(r"[\r\n]+")


@dataclass
class Output:
    """The result of one poll."""

    text: str = ""
    """The new text, with its control characters. Bytes that are not UTF-8 become U+FFFD."""
    reset: bool = False
    """Whether `text` does not continue what was read before: it replaces that."""
    cut: bool = False
    """With `reset`: whether the file has more before `text`."""
    missing: bool = False
    """Whether there is no such file."""


class OutputTail:
    """Reads the last `window` bytes of a growing file, then what is appended to it.

    Unlike a log of events, the last line is read before it ends: a progress bar has no line end. If
    more than `window` bytes were appended between two polls, those in between are skipped.
    """

    def __init__(self, path: Path, window: int = WINDOW) -> None:
        self.path = path
        self._window = window
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def poll(self) -> Output:
        """Reads what is new. Never blocks. Raises UserError if the file cannot be read."""
        try:
            with open(open_regular(self.path), "rb", buffering=0) as file:
                return self._poll(file.fileno())
        except (FileNotFoundError, NotADirectoryError):
            reset, self._identity = self._identity is not None, None
            return Output(reset=reset, missing=True)
        except OSError as error:
            raise UserError(f"cannot read '{self.path}': {error.strerror}") from error

    def _poll(self, fd: int) -> Output:
        info = os.fstat(fd)
        identity = (info.st_dev, info.st_ino)
        start = max(info.st_size - self._window, 0)
        reset = identity != self._identity or not start <= self._offset <= info.st_size
        if reset:
            self._identity, self._offset = identity, start
            self._decoder.reset()
        data = os.pread(fd, self._window, self._offset)
        self._offset += len(data)
        text = self._decoder.decode(data)
        cut = reset and start > 0
        if cut:  # most likely in the middle of a line
            text = _LINE_START.split(text, maxsplit=1)[-1]
        return Output(text, reset, cut)
