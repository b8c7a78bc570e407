"""What a cell of a CSV holds."""

from __future__ import annotations

import math
import re

_MISSING = frozenset({"", "na", "n/a", "<na>", "none", "null", "-"})
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)")
_TRUTH = {"true": 1.0, "false": 0.0}


def number_in(cell: str) -> float | None:
    """The number in a cell, NaN if it is not finite, None if it has no value.

    A time such as 01:30 or 1:02:03 is in seconds.

    Raises:
        ValueError: it holds a text.
    """
    word = cell.strip().lower()
    if word in _MISSING:
        return None
    if word in _TRUTH:
        return _TRUTH[word]
    if clock := _CLOCK.fullmatch(word):
        hours, minutes, seconds = clock.groups(default="0")
        number = 3600 * float(hours) + 60 * float(minutes) + float(seconds)
    elif "_" in word:  # which Python allows between digits
        raise ValueError(cell)
    else:
        number = float(word)
    return number if math.isfinite(number) else math.nan


def has_value(cell: str) -> bool:
    """Whether a cell holds a number."""
    try:
        return number_in(cell) is not None
    except ValueError:
        return False
