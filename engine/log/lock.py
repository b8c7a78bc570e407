"""The lock that a worker holds while it lives, which shows whether its run is alive.

The kernel drops the lock with the worker's last descriptor, however the worker ends, so it never
goes stale, unlike a file that holds a process id.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import open_regular

_RETRY_SECONDS = 1.0
"""Seconds after which a held lock must be a worker's, and not that of an `is_held` call."""
_RETRY_INTERVAL = 0.01


def acquire(path: Path) -> int:
    """Takes the lock, creating its file if needed.

    The lock belongs to the returned descriptor and every copy of it: a child process that inherits
    one keeps the lock after the parent closes its own.

    Raises:
        UserError: another process holds it, or the file cannot be created.
    """
    try:
        fd = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise UserError(f"'{path}' cannot be opened: {error.strerror}", "runs_dir") from error
    try:
        pause = threading.Event()
        for _ in range(round(_RETRY_SECONDS / _RETRY_INTERVAL)):
            if _try(fd, fcntl.LOCK_EX):
                return fd
            pause.wait(_RETRY_INTERVAL)
        raise UserError(f"run '{path.parent.name}' already has a worker")
    except BaseException:
        os.close(fd)
        raise


def hold_again(path: Path, lock: int) -> bool:
    """Takes a held lock anew if its file was deleted or replaced, or its descriptor closed.

    Args:
        path: the file.
        lock: the descriptor that holds the lock, which then holds that of the new file.

    Returns:
        False if another process holds that.

    Raises:
        OSError: the folder is missing or cannot be written.
        UserError: this file system has no locks.
    """
    with suppress(OSError):  # one of them is gone
        if os.path.samestat(os.fstat(lock), os.stat(path)):
            return True
    fd = open_regular(path, os.O_RDWR | os.O_CREAT)
    try:
        if not _try(fd, fcntl.LOCK_EX):
            return False
        with suppress(OSError):  # who holds it, see `liveness`
            os.pwrite(fd, os.pread(lock, 4096, 0), 0)
        os.dup2(fd, lock, inheritable=False)
        return True
    finally:
        os.close(fd)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock; False if it is missing or not a file."""
    try:
        fd = open_regular(path)
    except OSError:
        return False
    try:
        # Shared, so that concurrent checks do not see one another.
        return not _try(fd, fcntl.LOCK_SH)
    except UserError:
        return False  # this file system has no locks
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
