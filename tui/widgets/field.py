"""A labelled text input with its error."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from clr_tui.tui.text.clean import plain
from clr_tui.tui.widgets.typed_input import TypedInput


class Field(Vertical):
    """A labelled input, with a row reserved for its error so that nothing moves.

    Args:
        name: the setting, as named in errors.
        value: the initial value.
        label: shown on the screen; `name` if empty.
        placeholder: an example value.
    """

    DEFAULT_CSS = """
    Field { height: auto; }
    Field Horizontal { height: 1; }
    Field .field-label { width: 14; color: $text-muted; }
    Field Input { width: 1fr; }
    Field .field-error { height: auto; min-height: 1; padding: 0 0 0 2; color: $error; }
    """

    def __init__(self, name: str, value: str, *, label: str = "", placeholder: str = "") -> None:
        super().__init__(name=name, id=f"field-{name}")
        self._label = label or name
        self._input = TypedInput(value, placeholder=placeholder, compact=True, select_on_focus=True)
        self._input.cursor_blink = False
        self._error = Static("", classes="field-error", markup=False)

    @property
    def value(self) -> str:
        """The typed text."""
        return self._input.value

    @property
    def error(self) -> str:
        """The error being shown."""
        return str(self._error.content)

    def compose(self) -> ComposeResult:
        """Lays out label and input in one row, the error below."""
        with Horizontal():
            yield Static(self._label, classes="field-label", markup=False)
            yield self._input
        yield self._error

    def show_error(self, message: str) -> None:
        """Shows an error, or clears it if `message` is empty."""
        if message != self.error:
            self._error.update(plain(message))

    def focus_input(self) -> None:
        """Focuses the input."""
        self._input.focus()
