"""Reports on runs of somebody's own loop: the last and the best value of each name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.arrays import finite_or_none
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Report, common_fields
from clr_tui.engine.log.standing import logged_words
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
    highest: float | None


@dataclass(frozen=True)
class LoggedReport(Report):
    """The result of a run of somebody's own loop."""

    source: str
    """The format of the log; empty for a loop that logs with clr_tui."""
    config: dict[str, str]
    values: dict[str, LoggedValue]


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
    finite = column.value[np.isfinite(column.value)]
    return LoggedValue(
        count=len(column.value),
        last=finite_or_none(float(column.value[-1])),
        last_step=int(column.step[-1]),
        lowest=float(finite.min()) if len(finite) else None,
        highest=float(finite.max()) if len(finite) else None,
    )


def logged_headline(history: RunHistory) -> str:
    """The last loss, or the last value of the first name."""
    names = history.logged.names
    if not names:
        return ""
    name = "loss" if "loss" in names else names[0]
    column = history.logged.column(name)
    return logged_words(name, float(column.value[-1]), int(column.step[-1]), column.x)
