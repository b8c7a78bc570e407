"""What threads tell the screens. A later message of a kind that says all there is replaces an
earlier one that still waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from textual.screen import Screen

    from clr_tui.engine.analysis.recordings.recording import Recording
    from clr_tui.engine.errors import UserError
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.log.summary import RunSummary
    from clr_tui.tui.charts.chart import Chart


@dataclass
class RunsListed(Message):
    """All runs as they are now."""

    summaries: list[RunSummary]

    def can_replace(self, message: Message) -> bool:
        """The newest list says it all."""
        return isinstance(message, RunsListed)


@dataclass
class RunsUnreadable(Message):
    """Why the folder of runs cannot be listed."""

    reason: str


@dataclass
class RunPreviewed(Message):
    """The chart of the run that is selected in the table."""

    run_id: str
    chart: Chart

    def can_replace(self, message: Message) -> bool:
        """The newest picture is the one to show."""
        return isinstance(message, RunPreviewed)


@dataclass
class FormChecked(Message):
    """What is wrong in the form: the sentence by the name of its field."""

    version: int
    errors: dict[str, str]


@dataclass
class Loaded(Message):
    """What is to be shown first has been read, and its screen is loaded."""

    found: RunDir | Recording


@dataclass
class LoadFailed(Message):
    """What was to be shown first cannot be."""

    error: Exception


@dataclass
class RunStarted(Message):
    """A run has been started."""

    run: RunDir
    asked_by: Screen[Any]


@dataclass
class StartFailed(Message):
    """A run could not be started."""

    error: UserError
    on_error: Callable[[UserError], None] | None
    asked_by: Screen[Any]
    """May have been left since."""
