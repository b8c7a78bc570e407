"""Whether a run is alive: its worker holds a lock for as long as it lives.

The kernel drops the lock with the worker's last descriptor, however the worker ends, so there is
no stale state to clean up, as with a file that holds a process id.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import open_regular

_PROBES_LAST = 1.0
"""Seconds after which a lock that is held is a worker's, and not someone's look at it."""
_INTERVAL = 0.01


def acquire(path: Path) -> int:
    """Takes the lock, creating its file where absent.

    The lock belongs to the returned descriptor and to every copy of it: a child process that
    inherits it holds the lock on when the parent has closed its own.

    Raises:
        UserError: another process holds it, or the file cannot be made.
    """
    try:
        fd = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise UserError(f"'{path}' cannot be opened: {error.strerror}", "runs_dir") from error
    try:
        pause = threading.Event()
        for _ in range(round(_PROBES_LAST / _INTERVAL)):
            if _try(fd, fcntl.LOCK_EX):
                return fd
            pause.wait(_INTERVAL)
        raise UserError(f"run '{path.parent.name}' has a worker already")
    except BaseException:
        os.close(fd)
        raise


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock. One that is missing or no file is not held."""
    try:
        fd = open_regular(path)
    except OSError:
        return False
    try:
        # Shared, so that those who look do not see one another.
        return not _try(fd, fcntl.LOCK_SH)
    except UserError:
        return False  # no lock can be held where there are none
    finally:
        os.close(fd)


def _try(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise UserError(
            f"files cannot be locked on this file system ({error.strerror}): "
            "choose another runs folder",
            "runs_dir",
        ) from error
    return True
