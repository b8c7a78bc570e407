"""What is shown of a comparison besides its screen: printed, in the list of runs, while it runs."""

from __future__ import annotations

from collections.abc import Callable

from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.curves_csv import curves_csv
from clr_tui.engine.settings.config import Compare, RunConfig
from clr_tui.engine.words import many
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.kinds.compare.plan import length, sketch
from clr_tui.tui.kinds.compare.printing import comparison_charts, comparison_lines
from clr_tui.tui.kinds.compare.progress import ComparisonLines
from clr_tui.tui.kinds.compare.ranking import ranking_markdown
from clr_tui.tui.kinds.compare.view import CompareOptions, comparison_chart
from clr_tui.tui.kinds.parts import Display


def title(config: RunConfig) -> list[str]:
    """The length and the seeds."""
    job = config.asked(Compare)
    return [many(planned_epochs(job), "epoch"), many(job.seeds, "seed")]


def preview(history: RunHistory, _alive: bool) -> Chart:
    """The accuracies."""
    return comparison_chart(history, CompareOptions(target=history.config.asked(Compare).target))


def files(history: RunHistory, report: CompareReport) -> dict[str, Callable[[], str]]:
    """Its curves, and its table."""
    return {
        "curves_csv": lambda: curves_csv(history),
        "markdown": lambda: ranking_markdown(report),
    }


def what_next(run: str, _report: CompareReport) -> str:
    """Its figures, to be kept."""
    return f"`clr-tui export {run} --curves-csv FILE --markdown FILE` keeps its figures"


DISPLAY = Display(
    title=title,
    charts=comparison_charts,
    lines=comparison_lines,
    preview=preview,
    progress=ComparisonLines,
    files=files,
    what_next=what_next,
    sketch=sketch,
    length=length,
)
