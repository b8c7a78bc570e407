"""Messages from threads to screens. A complete update replaces an earlier one still queued."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from textual.screen import Screen

    from clr_tui.engine.analysis.recordings.recorded import Recording
    from clr_tui.engine.errors import UserError
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.log.summary import RunSummary
    from clr_tui.engine.settings.task_files import TaskFunction
    from clr_tui.tui.charts.chart import Chart
    from clr_tui.tui.sources import NamedSource


@dataclass
class RunsListed(Message):
    """The current state of all runs."""

    summaries: list[RunSummary]

    def can_replace(self, message: Message) -> bool:
        """Only the newest list matters."""
        return isinstance(message, RunsListed)


@dataclass
class LogsFound(Message):
    """The logs of other tools that lie in the working directory."""

    rows: list[RunSummary]


@dataclass
class SourcesOpened(Message):
    """What was chosen in the list, opened."""

    sources: Sequence[NamedSource]


@dataclass
class RunsUnreadable(Message):
    """The folder of runs cannot be listed."""

    reason: str


@dataclass
class RunPreviewed(Message):
    """The chart of the run selected in the table."""

    run_id: str
    chart: Chart

    def can_replace(self, message: Message) -> bool:
        """Only the newest chart matters."""
        return isinstance(message, RunPreviewed)


@dataclass
class FormChecked(Message):
    """The errors in the form, by field, and the function of the user's task, if there is one."""

    version: int
    errors: dict[str, str]
    place: str
    """The text of the task's field."""
    function: TaskFunction | None


@dataclass
class Loaded(Message):
    """The first run or log has been read, and its screen imported."""

    found: RunDir | Recording | Sequence[NamedSource]


@dataclass
class LoadFailed(Message):
    """The first run or log cannot be shown."""

    error: Exception


@dataclass
class RunLaunched(Message):
    """A run has been started."""

    run: RunDir
    asked_by: Screen[Any]


@dataclass
class LaunchFailed(Message):
    """A run could not be started."""

    error: UserError
    on_error: Callable[[UserError], None] | None
    asked_by: Screen[Any]
    """May have been closed since."""
