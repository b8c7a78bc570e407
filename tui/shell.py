"""What the screens may ask of the application around them, without knowing which one it is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.app import App

if TYPE_CHECKING:
    from clr_tui.engine.errors import UserError
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.settings.config import Job, TaskConfig


class Shell(App[None]):
    """The application, as its screens know it.

    Attributes:
        clock: a monotonic clock, seconds; replays go by it.
        wall: Unix time, seconds; ages are counted to it.
    """

    clock: Callable[[], float]
    wall: Callable[[], float]

    @abstractmethod
    def open_run(self, run: RunDir) -> None:
        """Shows `run`, living or not, on the screen of its kind."""

    @abstractmethod
    def launch(
        self,
        task: TaskConfig,
        job: Job,
        parent: str | None = None,
        on_error: Callable[[UserError], None] | None = None,
    ) -> None:
        """Starts a run in a thread, then shows it; a mistake goes to `on_error`, else a toast."""

    @abstractmethod
    def new_run(
        self,
        task: TaskConfig | None = None,
        job: Job | None = None,
        parent: str | None = None,
        error: UserError | None = None,
        title: str = "",
    ) -> None:
        """Opens the form, filled from a run's settings ("run again") where they are given.

        Args:
            task: the settings to begin with; the defaults if None.
            job: the job to begin with; a range test if None.
            parent: the run that they came from.
            error: why that run failed, to be shown at the field at fault.
            title: what the form is for, where that is not to run `parent` again.
        """

    @abstractmethod
    def tell(self, message: str, severity: Any = "information") -> None:
        """Shows a toast of plain text."""
