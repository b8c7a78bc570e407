"""The first bytes of a file."""

from __future__ import annotations

import os
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import open_regular

HEAD_BYTES = 4096
"""What formats are recognised by."""


def first_bytes(path: Path, count: int) -> bytes:
    """At most `count` bytes from the start of a file. Raises UserError if it cannot be read."""
    try:
        fd = open_regular(path)
    except FileNotFoundError:
        raise UserError(f"there is no '{path}'") from None
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from None
    try:
        return os.pread(fd, count, 0)
    finally:
        os.close(fd)
