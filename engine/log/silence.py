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
"""Without progress, at least; more for a run that was quiet for longer before."""
NO_SIGN_SECONDS = 30.0
"""Without any event: a process that lives writes one after 10 s at the latest, whatever it does."""
_USUAL = 3.0
"""A run is silent after this multiple of the longest time between two events so far, since what it
does once, such as an evaluation, it will do again."""
_NO_PROGRESS = (DeviceUsage, Overall, CommandRefused)
"""Events that come whether a run gets on or not."""


class Pace:
    """The times between the events of a run."""

    def __init__(self) -> None:
        self.last: float | None = None
        """Unix time of the last one that shows progress, seconds."""
        self._sign: float | None = None
        """Unix time of the last one of any kind."""
        self._longest = 0.0
        self._paused = False

    def take(self, event: Event) -> None:
        """Takes the next event of the log."""
        self._sign = event.time
        if isinstance(event, _NO_PROGRESS):
            return
        away = self._paused or isinstance(event, RunResumed)
        if self.last is not None and not away:
            self._longest = max(self._longest, event.time - self.last)
        self.last = event.time
        self._paused = isinstance(event, Paused)

    def silence(self, now: float) -> float | None:
        """For how many seconds the run is silent at `now`, Unix time; None if it is not.

        A run that is paused makes no progress, but its process must show that it lives.
        """
        if self._sign is not None and now - self._sign >= NO_SIGN_SECONDS:
            return now - self._sign
        if self.last is None or self._paused:
            return None
        seconds = now - self.last
        return seconds if seconds >= max(SILENT_SECONDS, _USUAL * self._longest) else None
