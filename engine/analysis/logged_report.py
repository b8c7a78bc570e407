"""Reports on runs of somebody's own loop: the last and the best value of each name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clr_tui.engine.analysis.arrays import finite_or_none
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Report, common_fields
from clr_tui.engine.log.standing import logged_words, telling_name
from clr_tui.engine.settings.logged_config import LoggedRun


@dataclass(frozen=True)
class LoggedValue:
    """What was logged under one name."""

    count: int
    """Values, those that are not finite included."""
    last: float | None
    """Null if it is not finite."""
    last_step: int
    lowest: float | None
    """Of the finite ones; null if there is none, like the next three."""
    lowest_step: int | None
    """The first step with that value."""
    highest: float | None
    highest_step: int | None


@dataclass(frozen=True)
class LoggedReport(Report):
    """The result of a run of somebody's own loop."""

    source: str
    """The format of the log; empty for a loop that logs with clr_tui."""
    config: dict[str, str]
    values: dict[str, LoggedValue]

    def as_json(self) -> dict[str, Any]:
        """The fields without the metric: such a log does not say which one counts."""
        return {name: value for name, value in vars(self).items() if name != "metric"}


def logged_report(history: RunHistory, *, live: bool = True) -> LoggedReport:
    """Reports on a run of somebody's own loop so far."""
    job, columns = history.config.asked(LoggedRun), history.logged
    found = {name: _value(history, name) for name in columns.names}
    return LoggedReport(
        **common_fields(history, live),
        steps=max((value.last_step for value in found.values()), default=0),
        diverged=False,
        source=job.source,
        config=job.config,
        values=found,
    )


def _value(history: RunHistory, name: str) -> LoggedValue:
    column = history.logged.column(name)
    finite = np.isfinite(column.value)
    value, step = column.value[finite], column.step[finite]
    low, high = (int(value.argmin()), int(value.argmax())) if len(value) else (None, None)
    return LoggedValue(
        count=len(column.value),
        last=finite_or_none(float(column.value[-1])),
        last_step=int(column.step[-1]),
        lowest=None if low is None else float(value[low]),
        lowest_step=None if low is None else int(step[low]),
        highest=None if high is None else float(value[high]),
        highest_step=None if high is None else int(step[high]),
    )


def logged_headline(history: RunHistory) -> str:
    """The last loss, or the last value of the first name."""
    names = history.logged.names
    if not names:
        return ""
    name = telling_name(names)
    column = history.logged.column(name)
    return logged_words(name, float(column.value[-1]), int(column.step[-1]), column.x)
