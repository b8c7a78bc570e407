"""The dialog that asks for the target of a comparison."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from clr_tui.engine.errors import UserError
from clr_tui.engine.metrics import Metric
from clr_tui.tui.kinds.compare.target import read_target, target_text
from clr_tui.tui.text import figures
from clr_tui.tui.widgets.field import Field


class TargetDialog(ModalScreen["str | None"]):
    """Asks for a target; answers with a text that `read_target` accepts, or None.

    Args:
        target: the current target.
        own: the run's own target, which an empty text stands for.
        metric: the metric of the target.
    """

    CSS_PATH = "../../screens/dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def __init__(self, target: float | None, own: float | None, metric: Metric) -> None:
        super().__init__()
        self._start = target_text(target, metric)
        self._metric = metric
        self._own = own

    def compose(self) -> ComposeResult:
        """One field over the keys."""
        own, name = target_text(self._own, self._metric), figures.name(self._metric)
        empty = f"the run's own, {own}" if own else "no target"
        example = "65% or 0.65" if self._metric.unit == "share" else "0.12"
        with Vertical(classes="dialog"):
            yield Static(f"Target {name}", classes="dialog-title", markup=False)
            yield Static(
                "The table shows how many epochs and seconds each optimizer takes to reach it on "
                f"validation. Empty: {empty}.",
                classes="dialog-note",
                markup=False,
            )
            yield Field("target", self._start, placeholder=example)
            yield Static("enter  use it     esc  cancel", classes="dialog-keys", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Checks while the user types."""
        event.stop()
        self._read()

    def _read(self) -> str | None:
        field = self.query_one(Field)
        try:
            read_target(field.value, self._metric)
        except UserError as error:
            field.show_error(error.message)
            return None
        field.show_error("")
        return field.value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answers if the text is a target."""
        event.stop()
        if (text := self._read()) is not None:
            self.dismiss(text)
