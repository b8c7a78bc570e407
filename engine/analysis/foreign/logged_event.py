"""Makes the events of readers that hold their values in arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
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


def row_events(
    step: Ints, at: Floats, columns: Mapping[str, tuple[Ints, Floats]], time: float, x: str = "step"
) -> Iterator[ev.Logged]:
    """Events of rows in which any value may be missing.

    Each name is in one event, so that its values keep their order, and names that are in the same
    rows share an event.

    Args:
        step: of each row, shape (rows,).
        at: Unix time of each row in seconds, NaN where unknown, shape (rows,).
        columns: by name, the rows in which it has a value, rising, and the values.
        time: that of the events, Unix time in seconds.
        x: what the steps count.
    """
    shared: dict[bytes, tuple[Ints, dict[str, Floats]]] = {}
    for name, (rows, values) in columns.items():
        if len(rows):
            shared.setdefault(rows.tobytes(), (rows, {}))[1][name] = values
    for rows, together in shared.values():
        yield logged_event(step[rows], together, at[rows], time, x)


def note_event(level: Literal["info", "warning"], text: str, time: float, path: Path) -> ev.Note:
    """A note on a log, at `time` or, if that is not known (0), when the file was written."""
    if not time:
        with suppress(OSError):
            time = os.stat(path).st_mtime
    return ev.Note(level=level, text=text, time=time)
