"""Finding the process that holds a run's lock, for sentences on one that does not react."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def lock_holders(path: Path, proc: Path = Path("/proc")) -> list[int]:
    """The ids of the processes of this machine that have the file open, lowest first.

    Only those of one's own user are found; none on systems without /proc. No process id of a log
    is trusted: it may have been given to another process since.
    """
    try:
        lock = os.stat(path)
        numbers = sorted(int(name) for name in os.listdir(proc) if name.isdecimal())
    except OSError:
        return []
    return [pid for pid in numbers if _has_open(proc / str(pid) / "fd", lock)]


def _has_open(descriptors: Path, file: os.stat_result) -> bool:
    with suppress(OSError):  # another user's, or it has ended
        for name in os.listdir(descriptors):
            with suppress(OSError):
                if os.path.samestat(os.stat(descriptors / name), file):
                    return True
    return False
