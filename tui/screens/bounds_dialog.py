"""The dialog to type both bounds."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from clr_tui.engine.analysis.report import Bounds
from clr_tui.engine.settings.lr_bounds import BASE_LR, MAX_LR
from clr_tui.engine.words import exact_lr
from clr_tui.tui.text.bounds import read_bounds
from clr_tui.tui.widgets.field import Field


class BoundsDialog(ModalScreen["Bounds | None"]):
    """Asks for base_lr and max_lr, initially `bounds`; `note` says what for. None if cancelled."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, bounds: Bounds | None, note: str = "") -> None:
        super().__init__()
        self._before = bounds
        self._note = note
        self._start = (exact_lr(bounds.base_lr), exact_lr(bounds.max_lr)) if bounds else ("", "")

    def compose(self) -> ComposeResult:
        """Lays out two fields and the keys."""
        with Vertical(classes="dialog"):
            yield Static("Bounds", classes="dialog-title", markup=False)
            if self._note:
                yield Static(self._note, classes="dialog-note", markup=False)
            yield Field("base_lr", self._start[0], placeholder=BASE_LR.empty)
            yield Field("max_lr", self._start[1], placeholder=MAX_LR.example)
            yield Static("enter  use them     esc  cancel", classes="dialog-keys", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Checks while the user types."""
        event.stop()
        _, errors = read_bounds(*self._texts())
        for field in self.query(Field):
            # An empty field is not an error yet.
            wrong = errors.get(field.name or "", "")
            field.show_error(wrong if field.value.strip() else "")

    def _texts(self) -> tuple[str, str]:
        base, high = self.query(Field)
        return base.value, high.value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Returns the bounds if both are valid; else shows the errors and focuses the first."""
        event.stop()
        texts = self._texts()
        if texts == self._start and self._before is not None:
            # The text is rounded; if unchanged, it means the exact value.
            self.dismiss(self._before)
            return
        bounds, errors = read_bounds(*texts)
        if bounds is not None:
            self.dismiss(bounds)
        for field in self.query(Field):
            field.show_error(errors.get(field.name or "", ""))
        for field in self.query(Field):
            if field.name in errors:
                field.focus_input()
                return
