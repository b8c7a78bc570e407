"""Divides the values of another tool's log into the pieces in which a replay shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec
import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.log.events import AnyEvent, Logged

ROWS_PER_SECOND = 10.0
"""The replay speed of a log without times."""
LONGEST = 60.0
"""Seconds that the replay of a log without times takes at most."""
_MAX_PIECES = 20_000
_FEWEST_MOMENTS, _MOST_MOMENTS = 20, 1_000
"""Moments at which something appears, where a log has as many rows."""


def in_time(events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Divides `logged` events, each of which may hold a whole log, by the times of their rows.

    Rows appear when they were logged. If no time is known, they appear in the order of their steps,
    `ROWS_PER_SECOND` of them but within `LONGEST` seconds. Other events keep their place.

    Returns:
        The events by time. Those of a log without times begin at 0.
    """
    logged = [event for event in events if isinstance(event, Logged) and len(event.step)]
    if not logged:
        return list(events)
    times = _recorded_times(logged) or _steady_times(logged)
    start = min(float(of_rows[0]) for of_rows in times)
    end = max(float(of_rows[-1]) for of_rows in times)
    count = min(max(_MAX_PIECES // len(logged), _FEWEST_MOMENTS), _MOST_MOMENTS)
    moments = np.linspace(start, end, count + 1)[1:]
    pieces: list[AnyEvent] = []
    now, of_rows = start, iter(times)
    for event in events:
        if isinstance(event, Logged):
            made = _pieces(event, next(of_rows), moments) if len(event.step) else []
            now = max(now, made[-1].time) if made else now
            pieces += made
        else:
            pieces.append(msgspec.structs.replace(event, time=now))
    return sorted(pieces, key=lambda piece: piece.time)


def _pieces(event: Logged, times: Floats, moments: Floats) -> list[Logged]:
    """The rows up to each moment, as events that hold views of the event's columns."""
    ends = np.unique(np.append(np.searchsorted(times, moments, side="right"), len(times)))
    starts = np.append(0, ends[:-1])
    columns = {name: np.asarray(values, np.float64) for name, values in event.values.items()}
    step, at = np.asarray(event.step, np.int64), np.asarray(event.at, np.float64)
    pieces = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if start == end:
            continue
        values = {name: column[start:end] for name, column in columns.items()}
        pieces.append(
            msgspec.structs.replace(
                event,
                time=float(times[end - 1]),
                step=cast("list[int]", step[start:end]),
                at=cast("list[float]", at[start:end]),
                values=cast("dict[str, list[float | None]]", values),
            )
        )
    return pieces


def _recorded_times(logged: Sequence[Logged]) -> list[Floats] | None:
    """The times of the rows of each event, never falling; None if no time is known."""
    found: list[Floats] = []
    known = [np.asarray(event.at, np.float64) for event in logged]
    finite = [at[np.isfinite(at)] for at in known]
    if not any(map(len, finite)):
        return None
    latest = min(float(at.min()) for at in finite if len(at))
    for event, at in zip(logged, known, strict=True):
        rows = at if len(at) else np.full(len(event.step), np.nan)
        if not np.isfinite(rows[0]):  # as late as what came before
            rows = np.append(latest, rows[1:])
        found.append(np.fmax.accumulate(rows))
        latest = max(latest, float(found[-1][-1]))
    return found


def _steady_times(logged: Sequence[Logged]) -> list[Floats]:
    """Times in proportion to the steps; what counts differently begins and ends together."""
    counted: dict[str, list[Ints]] = {}
    for event in logged:
        counted.setdefault(event.x, []).append(_steps(event))
    rows = {x: np.unique(np.concatenate(steps)) for x, steps in counted.items()}
    seconds = min(max(map(len, rows.values())) / ROWS_PER_SECOND, LONGEST)
    times = []
    for event in logged:
        first, last = float(rows[event.x][0]), float(rows[event.x][-1])
        part = (_steps(event) - first) / ((last - first) or 1.0)
        times.append(np.maximum.accumulate(part * seconds))
    return times


def _steps(event: Logged) -> Ints:
    return np.asarray(event.step, np.int64)
