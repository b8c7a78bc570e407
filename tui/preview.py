"""A run's preview chart, read by a thread that imports numpy, so that the list stays responsive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import LogTail
from clr_tui.tui.kinds.registry import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.tui.charts.chart import Chart
    from clr_tui.tui.sources import NamedSource

PIECE = 1 << 20
"""Bytes read at a time: decoding holds the GIL, and the screen must stay responsive."""


class Preview:
    """Follows one run's log and draws its chart; thread-safe."""

    def __init__(self, run: RunDir) -> None:
        self.id = run.id
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


class LogPreview:
    """Follows the log of another tool and draws its chart; thread-safe.

    Args:
        id: the name of its row.
        path: the file or folder; of several runs in it the first is shown.
    """

    def __init__(self, id: str, path: Path) -> None:
        self.id = id
        self._path = path
        self._source: NamedSource | None = None
        self._history: RunHistory | None = None
        self._lock = threading.Lock()

    def catch_up(self, cancelled: Callable[[], bool]) -> Chart | None:
        """Reads new events; returns the chart, or None if nothing changed or it was cancelled.

        Raises:
            UserError: the log cannot be read, or is none.
        """
        from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING
        from clr_tui.engine.analysis.history import RunHistory
        from clr_tui.tui.watched import open_sources

        with self._lock:
            source = self._source = self._source or open_sources([self._path], NO_MAPPING)[0]
            history = self._history = self._history or RunHistory(source.config)
            changed, more = False, True
            while more and not cancelled():
                batch = source.source.poll()
                changed |= history.feed(batch)
                more = batch.more
            if cancelled() or not changed:
                return None
            return KINDS[source.config.kind].load_display().preview(history, True)
