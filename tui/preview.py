"""A run's preview chart, read by a thread that imports numpy, so that the list stays responsive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import LogTail
from clr_tui.tui.kinds.registry import KINDS

if TYPE_CHECKING:
    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.tui.charts.chart import Chart

PIECE = 1 << 20
"""Bytes read at a time: decoding holds the GIL, and the screen must stay responsive."""


class Preview:
    """Follows one run's log and draws its chart; thread-safe."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self._tail = LogTail(run.events_path)
        self._history: RunHistory | None = None
        self._lock = threading.Lock()
        self._drawn = (-1, False)

    def catch_up(self, cancelled: Callable[[], bool]) -> Chart | None:
        """Reads new events; returns the chart, or None if nothing changed or it was cancelled.

        Raises:
            UserError: `run.json` is missing or cannot be read.
        """
        from clr_tui.engine.analysis.history import RunHistory

        with self._lock:
            config = self.run.config()
            history = self._history = self._history or RunHistory(config)
            more = True
            while more and not cancelled():
                batch = self._tail.poll(PIECE)
                history.feed(batch)
                more = batch.more
            alive = self.run.alive
            if cancelled() or (history.version, alive) == self._drawn:
                return None
            self._drawn = history.version, alive
            return KINDS[config.kind].load_display().preview(history, alive)
