"""What is shown of a logged run outside its screen: printed, in lists."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.logged_report import LoggedReport
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.cli.plain_text import chart_lines
from clr_tui.tui.kinds.logged.view import charts_of
from clr_tui.tui.kinds.registry import Display
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.event_lines import EventLines
from clr_tui.tui.text.status import status_of, waiting_words


def title(config: RunConfig, _history: RunHistory) -> list[str]:
    """The format of the log."""
    source = config.asked(LoggedRun).source
    return [source] if source else []


def charts(history: RunHistory, report: LoggedReport) -> list[Chart]:
    """A chart for each name."""
    return charts_of(history, waiting_words(history, report.status))


def lines(history: RunHistory, report: LoggedReport, width: int) -> list[str]:
    """The charts, then a row for each name."""
    printed: list[str] = []
    for chart in charts(history, report):
        printed += [*chart_lines(chart, width, 10), ""]
    for name, value in report.values.items():
        last, lowest, highest = map(numbers.loss, (value.last, value.lowest, value.highest))
        printed.append(
            f"{plain(name):<24} last {last}  lowest {lowest}  highest {highest}  "
            f"{value.count} values"
        )
    return printed


def preview(history: RunHistory, alive: bool) -> Chart:
    """The loss, or the first name."""
    state = status_of(history, alive=alive).state
    found = charts_of(history, waiting_words(history, state))
    return next((chart for chart in found if chart.title == "loss"), found[0])


def sketch(_job: LoggedRun) -> Chart:
    """Nothing: no form asks for such a run."""
    return Chart()


DISPLAY = Display(
    title=title, charts=charts, lines=lines, preview=preview, progress=EventLines, sketch=sketch
)
