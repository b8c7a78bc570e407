"""Names of runs, from the paths of their logs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

_GENERAL = frozenset(
    {"metrics", "results", "summary", "history", "log", "logs", "scalars", "trainer_state"}
    | {"progress", "vis_data", "training_log", "train_log", "trainer_log"}
)
"""Names that many runs give to a file or folder."""


def run_name(path: Path) -> str:
    """The name of the file without its suffix, or of the folder that says more."""
    path = path.absolute()
    name = path.name if path.is_dir() else path.stem
    for folder in path.parents:
        if name.casefold() not in _GENERAL or not folder.name:
            break
        name = folder.name
    return name


def distinct_names(names: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """The names; where several are the same, what tells their paths apart.

    Args:
        names: a name for each path.
        paths: of the logs.
    """
    names = list(names)
    for name, count in Counter(names).items():
        if count > 1:
            same = [i for i, other in enumerate(names) if other == name]
            apart = _apart([paths[i].absolute() for i in same])
            for i, part in zip(same, apart, strict=True):
                names[i] = part if part != "." else name
    return names


def _apart(paths: Sequence[Path]) -> list[str]:
    """The parts of the paths below the folder that they share, without a last one that all have."""
    if len({path.name for path in paths}) == 1 and len(set(paths)) > 1:
        paths = [path.parent for path in paths]
    shared = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(shared).as_posix() for path in paths]
