"""What is shown of a logged run outside its screen: printed, in lists, exported."""

from __future__ import annotations

from collections.abc import Callable

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.logged_report import LoggedReport, logged_headline
from clr_tui.engine.analysis.recordings.logged_csv import logged_csv
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.kinds.logged.printing import HEADINGS, LoggedLines, logged_lines, values_of
from clr_tui.tui.kinds.logged.view import charts_of
from clr_tui.tui.kinds.registry import Display
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.page import Table
from clr_tui.tui.text.status import status_of, waiting_words

FIRST = "value"
"""What comes first of such a run."""


def title(config: RunConfig, _history: RunHistory) -> list[str]:
    """The format of the log."""
    source = config.asked(LoggedRun).source
    return [source] if source else []


def charts(history: RunHistory, report: LoggedReport) -> list[Chart]:
    """All charts of its screen."""
    return charts_of(history, waiting_words(history, report.status, FIRST))


def lines(history: RunHistory, report: LoggedReport, width: int) -> list[str]:
    """The settings, the first charts, and a row for each name."""
    return logged_lines(charts(history, report), report, width)


def conclusions(history: RunHistory, _report: LoggedReport) -> list[str]:
    """The last loss, or the last value of another name."""
    words = logged_headline(history)
    return [plain(f"{words}.")] if words else []


def tables(_history: RunHistory, report: LoggedReport) -> list[Table]:
    """Every name with its last, lowest and highest value."""
    rows = tuple(
        (plain(name), *map(str.strip, values_of(value))) for name, value in report.values.items()
    )
    right = frozenset(range(1, len(HEADINGS) + 1))
    return [Table("Values", ("name", *HEADINGS), rows, right, verbatim=frozenset({0}))]


def preview(history: RunHistory, alive: bool) -> Chart:
    """The chart of the losses, or the first one."""
    state = status_of(history, alive=alive).state
    found = charts_of(history, waiting_words(history, state, FIRST))
    return next((chart for chart in found if "loss" in chart.title), found[0])


def files(history: RunHistory, report: LoggedReport) -> dict[str, Callable[[], str]]:
    """The values as CSV. There are no epochs to list."""

    def no_epochs() -> str:
        raise UserError(
            f"--epochs-csv is for trainings, which '{report.run}' is not: --csv has its values"
        )

    return {"csv": lambda: logged_csv(history), "epochs_csv": no_epochs}


def sketch(_job: LoggedRun) -> Chart:
    """Nothing: no form asks for such a run."""
    return Chart()


DISPLAY = Display(
    title=title,
    charts=charts,
    lines=lines,
    preview=preview,
    progress=LoggedLines,
    sketch=sketch,
    files=files,
    conclusions=conclusions,
    tables=tables,
)
