"""Looks for logs in a folder and in the folders in it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

FEW = 20_000
"""Entries looked at to know whether there is a log at all."""
MANY = 500_000
"""Entries looked at to find all logs."""
_DEEPEST = 12
_MAX_ASKED = 1_000
"""Files of a folder that are asked when they were written."""
_PASSED_OVER = frozenset({"__pycache__", "node_modules", "site-packages"})


def folders_below(root: Path, most: int) -> Iterator[tuple[Path, list[str]]]:
    """The folder `root` and those in it, nearest first, each with the names of its files.

    Hidden folders, links to folders and what Python and Node install are left out: a link may lead
    to a whole disk. Ends after about `most` entries, which keeps it within some seconds.
    """
    waiting = deque([(root, 0)])
    while waiting and most > 0:
        folder, depth = waiting.popleft()
        files: list[str] = []
        inner: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    most -= 1
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(entry.name)
                    elif not entry.is_dir():
                        files.append(entry.name)
        except OSError:  # not readable, or gone by now
            continue
        yield folder, sorted(files)
        if depth < _DEEPEST and "pyvenv.cfg" not in files:
            shown = (n for n in sorted(inner) if not n.startswith(".") and n not in _PASSED_OVER)
            waiting += ((folder / name, depth + 1) for name in shown)


def name_below(folder: Path, root: Path) -> str:
    """A run's name: the path of its folder below the one that was opened, or that one's name."""
    if folder == root:
        return root.absolute().name or str(root)
    return str(folder.relative_to(root))


def last_written(path: Path) -> float:
    """When a log was written last, Unix time in seconds; 0 if nobody can say.

    Args:
        path: its file, or its folder.
    """
    times = [_modified(path)]
    with suppress(OSError), os.scandir(path) as entries:  # a file has none
        times += [_modified(Path(entry)) for entry in islice(entries, _MAX_ASKED)]
    return max(times)


def _modified(path: Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
