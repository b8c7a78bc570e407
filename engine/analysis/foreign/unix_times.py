"""Times of rows, as tools write them."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.analysis.arrays import Floats

TIME_NAMES = frozenset({"wall time", "wall_time", "timestamp", "_timestamp", "unix_time"})
_EARLIEST = 1e8
"""Seconds; 1973. What is less is no time of a day, but a duration."""
_MILLISECONDS = 1e11


def unix_times(values: Floats) -> Floats:
    """Unix times in seconds, from seconds or milliseconds; NaN where there is no such time."""
    seconds = np.where(values > _MILLISECONDS, values / 1000, values)
    return np.where((seconds > _EARLIEST) & (seconds < _MILLISECONDS), seconds, np.nan)
