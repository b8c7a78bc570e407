"""Where a user's task is: `FILE.py[:FUNC]` or `package.module[:FUNC]`, as text."""

from __future__ import annotations

import os
import re
from pathlib import PurePath
from typing import NamedTuple

FUNCTION = "task"
"""The function's name unless another is given."""
_PATH_OF_FILE = re.compile(r"(?P<file>.*\.py)(?::(?P<function>[^/]*))?", re.DOTALL)


class TaskPlace(NamedTuple):
    """A place, split into its parts. It need not exist."""

    where: str
    """The path of a file, or the full name of a module."""
    function: str
    is_file: bool

    @classmethod
    def split(cls, text: str) -> TaskPlace:
        """Splits any text, as it may come from a damaged `run.json`."""
        if found := _PATH_OF_FILE.fullmatch(text):
            return cls(found["file"], found["function"] or FUNCTION, True)
        where, _, function = text.partition(":")
        return cls(where, function or FUNCTION, os.sep in where)

    def __str__(self) -> str:
        return f"{self.where}:{self.function}"

    @property
    def name(self) -> str:
        """What to call the task: `mytask`, or `mytask:small` if its function is not `task`."""
        stem = PurePath(self.where).stem if self.is_file else self.where.rpartition(".")[2]
        return stem if self.function == FUNCTION else f"{stem}:{self.function}"
