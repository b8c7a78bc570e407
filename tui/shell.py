"""The application's interface to its screens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App

if TYPE_CHECKING:
    from clr_tui.engine.errors import UserError
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.settings.config import Job, TaskConfig
    from clr_tui.tui.alerts import Alerts
    from clr_tui.tui.sources import NamedSource
    from clr_tui.tui.views_file import ViewsFile


class Shell(App[None]):
    """The application as seen by its screens.

    Attributes:
        clock: a monotonic clock for replays, seconds.
        wall: Unix time for ages, seconds.
        runs: the folder of runs.
        alerts: tells what happens to runs; None if nothing is to be told.
        views: how each log was viewed.
    """

    clock: Callable[[], float]
    wall: Callable[[], float]
    runs: Path
    alerts: Alerts | None
    views: ViewsFile

    @abstractmethod
    def open_run(self, run: RunDir) -> None:
        """Shows `run`, live or ended, on the screen of its kind."""

    @abstractmethod
    def open_together(self, runs: Sequence[NamedSource]) -> None:
        """Shows runs of any kinds on one set of charts; a single one on the screen of its kind."""

    @abstractmethod
    def launch(
        self,
        task: TaskConfig,
        job: Job,
        parent: str | None = None,
        on_error: Callable[[UserError], None] | None = None,
    ) -> None:
        """Starts a run in a thread, then shows it; errors go to `on_error`, else to a toast."""

    @abstractmethod
    def new_run(
        self,
        task: TaskConfig | None = None,
        job: Job | None = None,
        parent: str | None = None,
        error: UserError | None = None,
        title: str = "",
    ) -> None:
        """Opens the form for a new run; the arguments are those of `NewRunScreen`."""

    @abstractmethod
    def toast(self, message: str, severity: Any = "information") -> None:
        """Shows a toast of plain text."""
