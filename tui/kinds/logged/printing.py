"""The printed result of a logged run, and its progress while it is followed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.logged_report import LoggedReport, LoggedValue
from clr_tui.engine.words import many
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.cli.plain_text import chart_lines, wrap
from clr_tui.tui.fitting import padded
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.event_lines import EventLines

CHARTS, CHART_ROWS = 4, 12
"""Charts that are printed, and their rows: a log may have hundreds of names."""
MIN_NAME = 8
NAMES_IN_A_LINE = 6
HEADINGS = ("last", "at", "lowest", "at", "highest", "at", "values")


class LoggedLines(EventLines):
    """Lines of a loop: its last step, and the last value of each name."""

    def at_work(self, history: RunHistory) -> str:
        """Return the last values of the first names."""
        columns = {name: history.logged.column(name) for name in history.logged.names}
        if not columns:
            return ""
        latest = max(columns.values(), key=lambda column: int(column.step[-1]))
        parts = [f"{plain(latest.x)} {numbers.count(float(latest.step[-1]))}"]
        for name, column in list(columns.items())[:NAMES_IN_A_LINE]:
            parts.append(f"{plain(name)} {numbers.loss(float(column.value[-1])).strip()}")
        return "  ".join(parts)


def logged_lines(charts: Sequence[Chart], report: LoggedReport, width: int) -> list[str]:
    """The settings, the first charts and the table, in lines of at most `width` cells."""
    lines: list[str] = []
    if report.config:
        words = " · ".join(f"{name} {value}" for name, value in report.config.items())
        lines += [*wrap(words, width), ""]
    for chart in charts[:CHARTS]:
        lines += [*chart_lines(chart, width, CHART_ROWS), ""]
    if (left := len(charts) - CHARTS) > 0:
        lines += [*wrap(f"{many(left, 'more chart')}: export --svg FILE draws all", width), ""]
    return [*lines, *values_table(report, width)]


def values_table(report: LoggedReport, width: int) -> list[str]:
    """A row for each name: its last, lowest and highest value, and the steps of these."""
    rows = [HEADINGS, *(values_of(value) for value in report.values.values())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = max(width - sum(widths) - 2 * len(widths), MIN_NAME)
    names = ["", *(plain(name) for name in report.values)]
    first = min(max(map(cell_len, names)), room)
    return [
        "  ".join(
            [padded(name, first), *(cell.rjust(w) for cell, w in zip(row, widths, strict=True))]
        )
        for name, row in zip(names, rows, strict=True)
    ]


def values_of(value: LoggedValue) -> tuple[str, ...]:
    """The cells below `HEADINGS`."""
    return (
        numbers.loss(value.last),
        str(value.last_step),
        numbers.loss(value.lowest),
        _step(value.lowest_step),
        numbers.loss(value.highest),
        _step(value.highest_step),
        numbers.count(value.count),
    )


def _step(step: int | None) -> str:
    return numbers.UNKNOWN if step is None else str(step)
