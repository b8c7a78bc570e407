"""Following a file of lines that other processes append to.

Shared by events and commands: finds new bytes and the ends of lines, and whether the file is still
the one read before. Decoding a line is up to the caller.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.same_file import SameFile
from clr_tui.engine.regular import open_regular

BLOCK = 1 << 20
MAX_LINE = 16 << 20
"""Bytes. A longer line is garbage (no writer makes one) and is skipped without holding it."""
_SECTOR = 512
"""Bytes. A file of a multiple of this length was probably written by a buffer that was full."""
_LONG_AGO = 3600.0
"""Seconds after which that buffer will not go on either."""


@dataclass
class LineBatch:
    """The result of one poll."""

    pieces: list[bytes] = field(default_factory=list)
    """Complete lines, in order, many in a piece: a newline stands between two, none at its end."""
    reset: bool = False
    """The file was truncated or replaced; `pieces` start at its beginning."""
    overlong: int = 0
    """Lines that were too long, left out."""
    more: bool = False
    """`limit` ended the poll: more can be read right away."""
    portion: float = 1.0
    """Share of the file read so far, 0 to 1."""

    @property
    def lines(self) -> list[bytes]:
        """The lines of all pieces, without their newline."""
        return [line for piece in self.pieces for line in piece.split(b"\n")]


class LineTail:
    """Reads the complete lines of a growing file, each once.

    Nothing is kept open between polls, so the file may be replaced at any time.

    Args:
        path: the file.
        settled_after: seconds after which a last line without a newline counts as complete, if the
            file was left alone. If it is continued after all, the file is read again from its
            start, as if it had been replaced. None: such a line is never complete.
        is_whole: whether such a line looks complete.
        longest: bytes, beyond which a line is skipped; None: `MAX_LINE`.
    """

    def __init__(
        self,
        path: Path,
        settled_after: float | None = None,
        is_whole: Callable[[bytes], bool] = bool,
        longest: int | None = None,
    ) -> None:
        self.path = path
        self.settled_after = settled_after
        self._is_whole = is_whole
        self._longest = longest or MAX_LINE
        self._restart()

    def _restart(self) -> None:
        self._offset = 0
        self._skipping = False
        self._unended = False
        """Whether the last line was taken without a newline."""
        self._same = SameFile()

    def poll(self, limit: int | None = None) -> LineBatch:
        """All new complete lines; a missing file has none. Never blocks.

        Args:
            limit: stop after about this many bytes (but not before the end of a line).

        Raises:
            UserError: the file exists but cannot be read.
        """
        try:
            with open(open_regular(self.path), "rb", buffering=0) as file:
                return self._poll(file.fileno(), limit)
        except (FileNotFoundError, NotADirectoryError):
            return LineBatch()
        except OSError as error:
            raise UserError(f"cannot read '{self.path}': {error.strerror}") from error

    def _poll(self, fd: int, limit: int | None) -> LineBatch:
        info = os.fstat(fd)
        batch = LineBatch()
        if self._same.is_another(fd) or self._continued(fd):
            batch.reset = self._offset > 0  # at 0, the caller has nothing to discard
            self._restart()
        reached = self._read(fd, limit, batch)
        batch.more = reached < info.st_size
        if reached == info.st_size > self._offset and self._is_settled(info):
            self._take_unended(fd, batch)
        batch.portion = min(reached / info.st_size, 1.0) if info.st_size else 1.0
        self._same.remember(fd, self._offset)
        return batch

    def _is_settled(self, info: os.stat_result) -> bool:
        """Whether a last line without a newline is complete."""
        if self.settled_after is None or self._skipping:
            return False
        age = time.time() - info.st_mtime
        return age >= self.settled_after and (info.st_size % _SECTOR != 0 or age > _LONG_AGO)

    def _take_unended(self, fd: int, batch: LineBatch) -> None:
        line = os.pread(fd, self._longest, self._offset)
        if not self._is_whole(line):
            return
        batch.pieces.append(line)
        self._offset += len(line)
        self._unended = True

    def _continued(self, fd: int) -> bool:
        """Whether the line taken without a newline was longer; passes over a newline after it."""
        if not self._unended:
            return False
        after = os.pread(fd, 2, self._offset)
        if after.startswith((b"\n", b"\r\n")):
            self._offset += after.index(b"\n") + 1
            self._unended = False
        return self._unended and after not in (b"", b"\r")

    def _read(self, fd: int, limit: int | None, batch: LineBatch) -> int:
        """Appends new lines to `batch`; returns the offset up to which the file was read."""
        size = BLOCK if limit is None else min(BLOCK, max(limit, 4096))
        first = self._offset
        torn = b""  # bytes from self._offset on that have no newline yet
        while block := os.pread(fd, size, self._offset + len(torn)):
            whole, newline, rest = block.rpartition(b"\n")
            if newline:
                self._take(torn + whole, batch)
                torn = rest
            else:
                torn += block
            if len(torn) > self._longest:
                batch.overlong += not self._skipping
                self._skipping = True
                self._offset += len(torn)
                torn = b""
            if limit is not None and self._offset - first >= limit:
                break
        return self._offset + len(torn)

    def _take(self, text: bytes, batch: LineBatch) -> None:
        """Takes the whole lines in `text`, which starts at the offset; a newline follows it."""
        self._offset += len(text) + 1
        if self._skipping:
            self._skipping = False
            _, newline, text = text.partition(b"\n")
            if not newline:
                return
        if len(text) > self._longest:
            lines = text.split(b"\n")
            sane = [line for line in lines if len(line) <= self._longest]
            batch.overlong += len(lines) - len(sane)
            if not sane:
                return
            text = b"\n".join(sane)
        batch.pieces.append(text)


def end_of_lines(fd: int) -> int:
    """The offset just after the last newline of the open file; 0 if there is none."""
    end = os.fstat(fd).st_size
    while end > 0:
        start = max(0, end - BLOCK)
        at = os.pread(fd, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def last_lines(fd: int, end: int, window: int) -> list[bytes]:
    """The lines that end within the `window` bytes before the offset `end`.

    The first may lack its beginning: callers skip lines that cannot be decoded anyway.
    """
    start = max(0, end - window)
    return os.pread(fd, end - start, start).split(b"\n")[:-1]
