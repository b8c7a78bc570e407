"""Looks for logs in a folder and in the folders in it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

FEW = 5_000
"""Entries looked at to know whether there is a log at all."""
MANY = 500_000
"""Entries looked at to find all logs."""


def folders_below(root: Path, most: int) -> Iterator[tuple[Path, list[str]]]:
    """The folder `root` and those in it, nearest first, each with the names of its files.

    Hidden folders are left out. A folder that is also reached through a link comes once, by its own
    name. Ends after about `most` entries, so that a whole disk does not take minutes.
    """
    waiting, links, seen = deque([root]), deque[Path](), set[tuple[int, int]]()
    while (waiting or links) and most > 0:
        folder = waiting.popleft() if waiting else links.popleft()
        files: list[str] = []
        try:
            info = os.stat(folder)
            if (info.st_dev, info.st_ino) in seen:
                continue
            with os.scandir(folder) as entries:
                for entry in entries:
                    most -= 1
                    if not entry.is_dir():
                        files.append(entry.name)
                    elif not entry.name.startswith("."):
                        (links if entry.is_symlink() else waiting).append(Path(entry))
        except OSError:  # not readable, or gone by now
            continue
        seen.add((info.st_dev, info.st_ino))
        yield folder, sorted(files)


def name_below(folder: Path, root: Path) -> str:
    """A run's name: the path of its folder below the one that was opened, or that one's name."""
    if folder == root:
        return root.absolute().name or str(root)
    return str(folder.relative_to(root))
