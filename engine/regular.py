"""Opening files safely where another program may have put something that is not a regular file."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from pathlib import Path
from typing import IO

_NAMES = {
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
}


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Opens `path` like `os.open`, but only a regular file, and without ever blocking.

    Opening a pipe would wait for its other end, and reading a device may never end.

    Args:
        path: the file.
        flags: as for `os.open`.
        mode: the permissions of a file that is made; only its owner has any, if not given.

    Returns:
        The descriptor, which child processes do not inherit.

    Raises:
        OSError: the file cannot be opened, or is a pipe, socket, device or folder.
    """
    try:
        fd = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, mode)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EOPNOTSUPP):  # a socket, or a pipe without a reader
            raise _irregular(path, os.stat(path).st_mode) from None
        raise
    kind = os.fstat(fd).st_mode
    if not stat.S_ISREG(kind):
        os.close(fd)
        raise _irregular(path, kind)
    return fd


def make_private_folder(folder: Path) -> None:
    """Makes a folder, and those above it that are missing, for its owner alone.

    One that exists keeps its permissions.

    Raises:
        OSError: a folder cannot be made.
    """
    missing = [folder]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


Stamp = tuple[int, int, int]


def stamp_of(path: Path) -> Stamp | None:
    """A value that changes when the file is written or replaced; None if there is no file."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns


def _irregular(path: Path, mode: int) -> OSError:
    name = _NAMES.get(stat.S_IFMT(mode), "device")
    return OSError(errno.EINVAL, f"not a file but a {name}", str(path))


def read_regular(path: Path, limit: int) -> bytes:
    """The content of a regular file. Raises OSError if unreadable or longer than `limit` bytes."""
    with os.fdopen(open_regular(path), "rb") as file:
        # No more than there is: Python makes room for all that is asked for.
        content = file.read(min(limit, os.fstat(file.fileno()).st_size) + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit >> 20} MB", str(path))
    return content


def open_text(path: Path) -> IO[str]:
    """Opens a regular file of text; keeps its line ends.

    It is UTF-8, with or without a byte order mark, or UTF-16 with one, such as Excel writes. Bytes
    that are not UTF-8 are read as Windows' Western characters, which Excel writes too.

    Raises:
        OSError: the file cannot be opened, or is not a regular file.
    """
    fd = open_regular(path)
    wide = os.pread(fd, 2, 0) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if wide:
        return os.fdopen(fd, encoding="utf-16", newline="")
    return os.fdopen(fd, encoding="utf-8-sig", errors=WESTERN, newline="")


WESTERN = "clr-tui.western"
"""The name of an error handler that decodes bytes which are not UTF-8 as Windows' characters."""


def _as_western(error: UnicodeError) -> tuple[str, int]:
    """Replaces bytes that are not UTF-8."""
    assert isinstance(error, UnicodeDecodeError)
    odd = error.object[error.start : error.end]
    return odd.decode("cp1252", errors="replace"), error.end


codecs.register_error(WESTERN, _as_western)
