"""Charts of logged values: one for each name."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.tui.charts.chart import Axis, Chart, Series
from clr_tui.tui.text.clean import plain


def charts_of(history: RunHistory, waiting: str) -> list[Chart]:
    """A chart for each name, in the order of their first values; one says `waiting` if none."""
    return [_chart(history, name) for name in history.logged.names] or [Chart(empty=waiting)]


def _chart(history: RunHistory, name: str) -> Chart:
    column = history.logged.column(name)
    return Chart(
        series=(Series(column.step.astype(float), column.value),),
        x=Axis(label=plain(column.x)),
        title=plain(name),
    )
