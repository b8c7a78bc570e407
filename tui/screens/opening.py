"""The first frame where a run or a log is to be shown: what that needs takes longer to load."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from clr_tui.tui.screens.quiet import QuietScreen


class OpeningScreen(QuietScreen[None]):
    """One line, so that it is there at once.

    Args:
        then: called when it has been painted.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "app.leave", show=False),
        Binding("ctrl+c", "app.help_quit", show=False),
    ]
    DEFAULT_CSS = """
    OpeningScreen > Static { height: 1; padding: 0 1; background: $panel; color: $primary; }
    """

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self._then = then

    def compose(self) -> ComposeResult:
        """The program and what it does."""
        yield Static("clr-tui  opening ...", markup=False)

    def on_mount(self) -> None:
        """Waits for the frame."""
        self.call_after_refresh(self._then)
