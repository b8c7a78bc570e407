"""A screen that sends nothing while another one lies over it."""

from __future__ import annotations

from textual.screen import Screen, ScreenResultType


class QuietScreen(Screen[ScreenResultType]):
    """A screen that is painted only while it is in front, and again when it is back there.

    Textual 8.2 lets a covered screen repaint through the one above it, in case that is see-through;
    each such repaint marks the covered screen as changed again, so that one change below sends
    whole frames for ever after. Over SSH that is some 100 kB a second for what nobody sees.
    """

    _fitting = False
    """Whether the terminal has just been resized: what is seen around a dialog has to follow."""

    @property
    def is_current(self) -> bool:
        """Whether Textual is to lay out and paint what has changed."""
        return self.is_active or self._fitting

    def on_resize(self) -> None:
        """Lays out below a dialog too: once for the new size, once for what that changed."""
        if not self.is_active:
            self._fitting = True
            self.call_after_refresh(self.call_after_refresh, self._end_fitting)

    def _end_fitting(self) -> None:
        self._fitting = False
        self.app.screen.refresh()
