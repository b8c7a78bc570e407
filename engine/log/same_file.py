"""Whether a file is still the one that was read before."""

from __future__ import annotations

import os

_COMPARED = 512
"""Compared at the beginning and before the offset."""


class SameFile:
    """Recognises a file that was replaced, rewritten or truncated while nothing held it open.

    A change of its inode, of its first bytes, or of the bytes before the offset (missing if it was
    truncated) shows that it was.
    """

    def __init__(self) -> None:
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._head = b""
        self._anchor = b""

    def is_another(self, fd: int) -> bool:
        """Whether the open file is not the one that was remembered; False if none was."""
        if self._identity is None:
            return False
        return (
            _identity(fd) != self._identity
            or os.pread(fd, len(self._head), 0) != self._head
            or os.pread(fd, len(self._anchor), self._offset - len(self._anchor)) != self._anchor
        )

    def remember(self, fd: int, offset: int) -> None:
        """Remembers the open file, which was read up to `offset`."""
        self._identity = _identity(fd)
        if offset != self._offset:
            start = max(0, offset - _COMPARED)
            self._head = os.pread(fd, min(_COMPARED, offset), 0)
            self._anchor = os.pread(fd, offset - start, start)
            self._offset = offset


def _identity(fd: int) -> tuple[int, int]:
    info = os.fstat(fd)
    return info.st_dev, info.st_ino
