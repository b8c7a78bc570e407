"""A run that is shown together with others."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.run_columns import NamedColumns, load_columns, run_columns
from clr_tui.engine.errors import UserError
from clr_tui.tui.kinds.logged.curves import RunCurves
from clr_tui.tui.kinds.logged.run_settings import run_settings
from clr_tui.tui.sources import NamedSource
from clr_tui.tui.text.status import notices, status_of


class FollowedRun:
    """Reads a run of any kind, and has its curves: those of each trial if it has several."""

    def __init__(self, named: NamedSource) -> None:
        self.name = named.name
        self.source = named.source
        self.config = named.config
        self.settings = run_settings(named.config)
        self.history = RunHistory(named.config)
        self.status = status_of(self.history, alive=True)
        self.read = 0.0
        """Share of the log that has been read, 0 to 1."""
        self.mistake = ""
        """A sentence if the log could not be read."""
        self._curves: dict[str, RunCurves] = {}

    def poll(self, now: float) -> None:
        """Reads what is new, or the next piece of a long log; `now` is Unix time in seconds."""
        # Checked first, so that everything that was written before the end is read below.
        alive = self.source.live
        try:
            batch = self.source.poll()
        except (UserError, OSError) as error:
            self.mistake, self.read = str(error), 1.0
            return
        self.mistake = ""
        self.history.feed(batch)
        self.read = batch.portion if batch.more else 1.0
        self.status = status_of(self.history, alive=alive, now=now)

    def curves(self, *, load: bool) -> list[RunCurves]:
        """The curves of the run, or the load of its machine, named."""
        found = run_columns(self.history)
        if load:
            found = [NamedColumns("", load_columns(self.history)), *found]
        return [self._named(place, one) for place, one in enumerate(found)]

    def _named(self, place: int, found: NamedColumns) -> RunCurves:
        name = f"{self.name} {found.name}".rstrip()
        key = f"{place} {name}"
        curves = self._curves.setdefault(key, RunCurves(name, found.columns))
        curves.columns = found.columns
        return curves

    def notices(self) -> list[str]:
        """What the reader of the log has to say, with the name of the run."""
        own = [self.mistake] if self.mistake else []
        return [f"{self.name}: {notice}" for notice in [*own, *notices(self.history)]]
