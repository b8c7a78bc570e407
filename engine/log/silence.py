"""How long a run that lives may say nothing before it counts as silent."""

from __future__ import annotations

from clr_tui.engine.log.events import (
    CommandRefused,
    DeviceUsage,
    Event,
    Overall,
    Paused,
    RunResumed,
)

SILENT_SECONDS = 60.0
"""At least; more for a run that was quiet for longer before."""
_USUAL = 3.0
"""A run is silent after this multiple of the longest time between two events so far, since what it
does once, such as an evaluation, it will do again."""
_NO_PROGRESS = (DeviceUsage, Overall, CommandRefused)
"""Events that come whether a run gets on or not."""


class Pace:
    """The times between the events of a run that show progress."""

    def __init__(self) -> None:
        self.last: float | None = None
        """Unix time of the last one, seconds."""
        self._longest = 0.0
        self._paused = False

    def take(self, event: Event) -> None:
        """Takes the next event of the log."""
        if isinstance(event, _NO_PROGRESS):
            return
        away = self._paused or isinstance(event, RunResumed)
        if self.last is not None and not away:
            self._longest = max(self._longest, event.time - self.last)
        self.last = event.time
        self._paused = isinstance(event, Paused)

    def silence(self, now: float) -> float | None:
        """Seconds since then at `now`, Unix time, if the run is silent; else None.

        A run that is paused is not silent.
        """
        if self.last is None or self._paused:
            return None
        seconds = now - self.last
        return seconds if seconds >= max(SILENT_SECONDS, _USUAL * self._longest) else None
