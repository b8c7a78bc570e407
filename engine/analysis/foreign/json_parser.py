"""Makes events of rows that are JSON objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.foreign.json_rows import Columns, Row
from clr_tui.engine.analysis.foreign.logged_rows import LoggedRows
from clr_tui.engine.analysis.foreign.mapped import same_name
from clr_tui.engine.analysis.foreign.step_counter import (
    EPOCH_NAMES,
    ROW,
    CountAnew,
    Counting,
    StepCounter,
    counting_name,
    rank_of,
    unit_of,
)
from clr_tui.engine.analysis.foreign.unix_times import TIME_NAMES, unix_times
from clr_tui.engine.analysis.foreign.word_column import by_words
from clr_tui.engine.log.tail import Batch

_WORD_NAMES = ("phase", "split", "stage", "subset", "mode")
"""Of a text that says what the values of its row are, such as "train" and "val"."""
_MAX_TEXTS = 5


class RowParser:
    """Turns rows into events.

    Rows need not have the same names. The first one with numbers says which name counts the steps;
    if a better one comes later, the log is read again.

    Args:
        mapping: which names to take.
        counting: what counts the steps, if the log was read before.
        also_counts: a name that has the step of rows without the counting one, unless it is less
            than that of the row before.
    """

    def __init__(self, mapping: Mapping, counting: Counting, also_counts: str = "") -> None:
        self._mapping = mapping
        self._counting = counting
        self._also_counts = also_counts
        self._x = counting.name if counting.name is None else mapping.x or counting.name
        self._counter: StepCounter | None = None
        """None before the first row with numbers."""
        self._skipped = 0
        """Rows before it."""
        self._last = 0.0
        self.rows = LoggedRows()
        if counting.because:
            self.rows.say(counting.because, "info")
        self._texts: set[str] = set()

    def take_batch(self, time: float) -> Batch:
        """Returns the events of what was added since the last call; they get this Unix time."""
        return self.rows.take_batch(self._counter.unit if self._counter else ROW, time)

    def add(self, rows: Sequence[Row]) -> None:
        """Adds rows.

        Raises:
            CountAnew: another name counts the steps, or none does.
        """
        columns = Columns(rows)
        found, count = columns.found(), len(rows)
        if self._counter is None:
            if not found:
                self._skipped += count
                return
            self._begin(found)
        elif found:
            self._look_for_better(found)
        assert self._counter is not None
        words = [_word_of(row) for row in rows]
        by_word = any(words)
        epoch = None if by_word else self._epochs(found, count)
        step = self._counter.steps(self._counted(found, count), epoch)
        shown = self._shown(found)
        self.rows.add(step, _times(found, count), by_words(shown, words) if by_word else shown)
        if self._counter.went_back and not by_word:
            self.rows.say(self._counter.went_back)
        self._say_texts(columns.texts)

    def _begin(self, found: dict[str, tuple[Ints, Floats]]) -> None:
        """Chooses what counts by the first row with numbers."""
        if self._x == "":
            first = min(int(rows[0]) for rows, _ in found.values())
            self._x = counting_name(name for name, (rows, _) in found.items() if rows[0] == first)
        self._look_for_better(found)
        self._counter = StepCounter(unit_of(self._x), self._x or "")
        self._counter.steps(np.full(self._skipped, np.nan))

    def _look_for_better(self, found: dict[str, tuple[Ints, Floats]]) -> None:
        if self._mapping.x:
            return
        taken = self._counting.instead_of or self._x
        better = counting_name(found)
        if better is not None and rank_of(better) < rank_of(taken):
            raise CountAnew(Counting(better))

    def _counted(self, found: dict[str, tuple[Ints, Floats]], count: int) -> Floats:
        """The values of what counts the steps, NaN where there is none."""
        if self._x and self._x == self._mapping.x:
            self._x = same_name(self._x, [*found]) or self._x
        x = _spread(found, self._x, count)
        also = _spread(found, self._also_counts, count)
        for i in np.flatnonzero(np.isnan(x) & ~np.isnan(also)):
            known = x[:i][~np.isnan(x[:i])]
            x[i] = max(float(known[-1]) if len(known) else self._last, float(also[i]))
        known = x[~np.isnan(x)]
        self._last = float(known[-1]) if len(known) else self._last
        return x

    def _epochs(self, found: dict[str, tuple[Ints, Floats]], count: int) -> Floats | None:
        name = next((name for name in found if name.casefold() in EPOCH_NAMES), None)
        return None if name is None or name == self._x else _spread(found, name, count)

    def _shown(self, found: dict[str, tuple[Ints, Floats]]) -> dict[str, tuple[Ints, Floats]]:
        wanted = {name.strip().casefold() for name in self._mapping.y}
        if wanted and self._counting.name is None:
            wanted.add(self._mapping.x.strip().casefold())
        passed = {self._x, self._also_counts}
        return {
            name: column
            for name, column in found.items()
            if name.casefold() in wanted
            or (not wanted and name not in passed and name.casefold() not in TIME_NAMES)
        }

    def _say_texts(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            if name in self._texts or name in _WORD_NAMES or self._mapping.y:
                continue
            self._texts.add(name)
            if len(self._texts) <= _MAX_TEXTS:
                self.rows.say(f"'{name}' holds text, such as {text[:30]!r}: left out")
            else:
                self.rows.say("more names hold text, and are left out")


def _word_of(row: Row) -> str:
    return next((row[name] for name in _WORD_NAMES if isinstance(row.get(name), str)), "")


def _spread(found: dict[str, tuple[Ints, Floats]], name: str | None, count: int) -> Floats:
    """The values of a name in all rows, NaN where there is none."""
    whole = np.full(count, np.nan)
    if name and name in found:
        rows, values = found[name]
        whole[rows] = values
    return whole


def _times(found: dict[str, tuple[Ints, Floats]], count: int) -> Floats | None:
    name = next((name for name in found if name.casefold() in TIME_NAMES), None)
    return None if name is None else unix_times(_spread(found, name, count))
