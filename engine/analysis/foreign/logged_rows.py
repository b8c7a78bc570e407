"""Rows of a log, gathered during a poll and returned as events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.logged_event import logged_event
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import Batch


@dataclass
class _Column:
    rows: list[Ints] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)


class LoggedRows:
    """Gathers rows in which any value may be missing, and what is to be said about them.

    Each name is in one event, so that its values keep their order, and names that are in the same
    rows share an event.
    """

    def __init__(self) -> None:
        self.unreadable = 0
        """Lines that were left out since `take_batch`."""
        self._said: set[str] = set()
        self._notes: list[ev.Note] = []
        self._clear()

    def _clear(self) -> None:
        self._steps: list[Ints] = []
        self._times: list[Floats | None] = []
        self._columns: dict[str, _Column] = {}
        self._count = 0

    def say(self, text: str, level: Literal["info", "warning"] = "warning") -> None:
        """Adds a note, unless the same one was added before."""
        if text not in self._said:
            self._said.add(text)
            self._notes.append(ev.Note(level=level, text=text))

    def add(
        self, step: Ints, at: Floats | None, columns: Mapping[str, tuple[Ints, Floats]]
    ) -> None:
        """Adds rows.

        Args:
            step: shape (rows,).
            at: their Unix times in seconds, NaN where unknown; None if all are.
            columns: by name, in which of these rows it has a value, rising, and the values; NaN
                where not finite.
        """
        self._steps.append(step)
        self._times.append(at)
        shifted: dict[int, Ints] = {}
        for name, (rows, values) in columns.items():
            if len(rows):
                column = self._columns.setdefault(name, _Column())
                if id(rows) not in shifted:  # columns may share it
                    shifted[id(rows)] = rows + self._count
                column.rows.append(shifted[id(rows)])
                column.values.append(values)
        self._count += len(step)

    def take_batch(self, x: str, time: float) -> Batch:
        """Returns what was added since the last call as events.

        Args:
            x: what their steps count.
            time: the Unix time of the events, seconds.
        """
        notes = [msgspec.structs.replace(note, time=time) for note in self._notes]
        batch = Batch(events=[*notes, *self._events(x, time)], corrupt=self.unreadable)
        self._clear()
        self._notes, self.unreadable = [], 0
        return batch

    def _events(self, x: str, time: float) -> list[ev.AnyEvent]:
        if not self._columns:
            return []
        step, at = np.concatenate(self._steps), self._joined_times()
        shared: dict[bytes | None, tuple[Ints | slice, dict[str, Floats]]] = {}
        joined: dict[tuple[int, ...], dict[str, Floats]] = {}
        for name, column in self._columns.items():
            same = tuple(map(id, column.rows))
            if same not in joined:
                rows = np.concatenate(column.rows)
                whole = len(rows) == len(step)
                _, joined[same] = shared.setdefault(
                    None if whole else rows.tobytes(), (slice(None) if whole else rows, {})
                )
            joined[same][name] = np.concatenate(column.values)
        return [
            logged_event(step[rows], values, None if at is None else at[rows], time, x)
            for rows, values in shared.values()
        ]

    def _joined_times(self) -> Floats | None:
        """The times of all rows; None if none is known."""
        if all(at is None for at in self._times):
            return None
        times = (
            np.full(len(step), np.nan) if at is None else at
            for step, at in zip(self._steps, self._times, strict=True)
        )
        return np.concatenate([*times])
