"""Rows of values that a loop has logged, and the events that they become."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from clr_tui.engine.log.events import Logged
from clr_tui.engine.own_loop.values import OnDevice, read

MAX_ROWS = 1 << 20
"""Rows that wait at most, such as for a disk that hangs; then the oldest are dropped."""
MAX_VALUES = 100_000
"""Values in one event, whose line readers must be able to hold."""


Row = tuple[int, float, Mapping[str, "float | OnDevice | None"]]
"""What was logged with one call: step, Unix time in seconds, and values by name, None for what is
no number. A plain tuple, since it is made in the training loop."""


def take(rows: deque[Row]) -> list[Row]:
    """Removes the rows that are there now; others may be appended meanwhile."""
    return [rows.popleft() for _ in range(len(rows))]


def events_of(rows: Sequence[Row]) -> Iterator[Logged]:
    """The rows as columns: an event for all rows with the same names, if that keeps their order.

    Waits for devices whose numbers are in them.
    """
    numbers = _numbers_in(rows)
    for group in _grouped(numbers):
        yield from _chunks(rows, numbers, group)


def _numbers_in(rows: Sequence[Row]) -> list[dict[str, float]]:
    numbers: list[dict[str, float]] = []
    places: list[tuple[dict[str, float], str]] = []
    waiting: list[OnDevice] = []
    for _step, _at, values in rows:
        known: dict[str, float] = {}
        for name, value in values.items():
            if isinstance(value, OnDevice):
                known[name] = math.nan  # in its place among the names
                places.append((known, name))
                waiting.append(value)
            elif value is not None:
                known[name] = value
        numbers.append(known)
    for (known, name), number in zip(places, read(waiting), strict=True):
        known[name] = number
    return numbers


def _grouped(numbers: Sequence[Mapping[str, float]]) -> list[list[int]]:
    """Row numbers with the same names; of groups that share a name, one ends before the other."""
    done: list[list[int]] = []
    growing: dict[frozenset[str], list[int]] = {}
    for row, values in enumerate(numbers):
        names = frozenset(values)
        if names not in growing:
            if any(not names.isdisjoint(others) for others in growing):
                done += growing.values()
                growing = {}
            growing[names] = []
        growing[names].append(row)
    return [*done, *growing.values()]


def _chunks(
    rows: Sequence[Row], numbers: Sequence[Mapping[str, float]], group: Sequence[int]
) -> Iterator[Logged]:
    names = list(numbers[group[0]])
    if not names:
        return
    left = iter(group)
    while chunk := list(islice(left, max(MAX_VALUES // len(names), 1))):
        yield Logged(
            step=[rows[row][0] for row in chunk],
            values={name: [numbers[row][name] for row in chunk] for name in names},
            at=[round(rows[row][1], 3) for row in chunk],
        )
