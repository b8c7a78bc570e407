"""A screen that sends nothing while another one lies over it."""

from __future__ import annotations

from textual.screen import Screen, ScreenResultType


class QuietScreen(Screen[ScreenResultType]):
    """A screen that keeps still behind another one, and is painted anew when it is back in front.

    Textual 8.2 lets a covered screen repaint through the one above it, in case that is see-through;
    each such repaint marks the covered screen as changed again, so that one change below sends
    whole frames for ever after. Over SSH that is some 100 kB a second for what nobody sees.
    """

    def on_resize(self) -> None:
        """What lies above has drawn the old layout around itself."""
        if not self.is_active:
            self.call_after_refresh(self.app.screen.refresh)

    def _compositor_refresh(self) -> None:
        if self.is_active:
            super()._compositor_refresh()
        else:
            self._compositor._dirty_regions.clear()
            self._dirty_widgets.clear()
            self._repaint_required = False
