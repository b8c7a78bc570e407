"""Files in UTF-16, such as spreadsheets write."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.line_tail import LineBatch
from clr_tui.engine.regular import Stamp, open_regular, read_regular, stamp_of

_LONGEST = 64 << 20
"""Bytes."""


def is_wide(path: Path) -> bool:
    """Whether the file begins with the byte order mark of UTF-16; False if it cannot be read."""
    try:
        fd = open_regular(path)
    except OSError:
        return False
    try:
        return os.pread(fd, 2, 0) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    finally:
        os.close(fd)


class WideTail:
    """Reads a file in UTF-16 like `LineTail`, whole after each change, its lines in UTF-8."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: Stamp | None = None

    def poll(self, limit: int | None = None) -> LineBatch:
        """All lines if the file changed. Raises UserError if it cannot be read."""
        stamp = stamp_of(self._path)
        if stamp is None or stamp == self._stamp:
            return LineBatch()
        try:
            text = read_regular(self._path, _LONGEST).decode("utf-16", errors="replace")
        except OSError as error:
            raise UserError(f"cannot read '{self._path}': {error.strerror}") from error
        reset, self._stamp = self._stamp is not None, stamp
        return LineBatch([text.encode().removesuffix(b"\n")], reset=reset)
