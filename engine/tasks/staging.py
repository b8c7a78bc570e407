"""Folders in which something is made before all of it appears at once under its own name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clr_tui.engine.regular import make_private_folder

_PREFIX = ".unfinished-"


@contextlib.contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Yields a new folder in `parent`, which is made if needed; it is removed after the block.

    Those of processes that were killed are removed first: a living one holds a lock on its own.

    Raises:
        OSError: `parent` cannot be written.
    """
    make_private_folder(parent)
    for abandoned in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _locked(abandoned):
            shutil.rmtree(abandoned, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder; raises OSError if another process does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
