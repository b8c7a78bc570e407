"""What the dialogs that start another run from a range test have in common."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from clr_tui.engine.settings.config import Job
from clr_tui.tui.widgets.choice import Choice

J = TypeVar("J", bound=Job)


class JobDialog(ModalScreen[J | None], Generic[J]):
    """Asks for a few settings of a job; answers with it, or None.

    Mistakes are shown at their fields while the user types, and a job with one cannot start.
    """

    CSS_PATH = "../../screens/dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("enter", "start", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def read(self) -> J | None:
        """Shows what the job takes and the mistakes; returns it, None if there are any."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Shows what the job takes at once."""
        self.read()

    @on(Input.Changed)
    @on(Choice.Changed)
    def follow(self, event: Input.Changed | Choice.Changed) -> None:
        """Checks what is typed or chosen, and shows what the job would take."""
        event.stop()
        self.read()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field starts."""
        event.stop()
        self.action_start()

    def action_start(self) -> None:
        """Answers with the job if there are no mistakes."""
        if (job := self.read()) is not None:
            self.dismiss(job)
