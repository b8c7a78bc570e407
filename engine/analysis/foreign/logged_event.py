"""Makes the events of readers that hold their values in arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, cast

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.log import events as ev


def logged_event(
    step: Ints, values: Mapping[str, Floats], at: Floats | None, time: float, x: str = "step"
) -> ev.Logged:
    """An event whose columns are arrays of shape (n,), NaN where not finite or unknown.

    Args:
        step: the steps.
        values: by name, a value of each step.
        at: Unix times in seconds; None if unknown.
        time: that of the event, Unix time in seconds.
        x: what the steps count.
    """
    return ev.Logged(
        step=cast("list[int]", step),
        values=cast("dict[str, list[float | None]]", dict(values)),
        at=[] if at is None else cast("list[float]", at),
        x=x,
        time=time,
    )


def note_event(level: Literal["info", "warning"], text: str, time: float, path: Path) -> ev.Note:
    """A note on a log, at `time` or, if that is not known (0), when the file was written."""
    if not time:
        with suppress(OSError):
            time = os.stat(path).st_mtime
    return ev.Note(level=level, text=text, time=time)
