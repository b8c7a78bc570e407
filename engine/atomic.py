"""Atomic file writes: a file is written beside its target and replaces it once complete."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from clr_tui.engine.regular import open_regular


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Yields a draft that replaces `path` at the end of the block, or is removed on an error.

    Readers of `path` see either the old content or all of the new. Drafts left by killed processes
    are removed first: a living writer holds a lock on its draft.

    Raises:
        OSError: the folder is missing or cannot be written, or the disk is full.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    _remove_abandoned(path)
    with os.fdopen(open_regular(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        try:
            with contextlib.suppress(OSError):  # not every file system has locks
                _lock(file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error says what is wrong
                draft.unlink()
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_abandoned(path: Path) -> None:
    is_draft = re.compile(rf"\.{re.escape(path.name)}\.\d+").fullmatch
    for name in filter(is_draft, os.listdir(path.parent)):
        with contextlib.suppress(OSError), open(open_regular(path.with_name(name)), "rb") as file:
            _lock(file.fileno())
            os.unlink(path.with_name(name))


def _lock(descriptor: int) -> None:
    """Locks a file until its descriptor is closed; raises OSError if another process holds it."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
