"""The screen of several runs, of any kinds, on one set of charts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import ClassVar

from textual.types import CSSPathType

from clr_tui.engine.analysis.recordings.columns_csv import columns_csv
from clr_tui.engine.analysis.recordings.foreign_recording import fitting_kind
from clr_tui.engine.analysis.recordings.logged_comparison import LoggedValues
from clr_tui.engine.log.state import LIVING
from clr_tui.tui.exporting import charts_svg
from clr_tui.tui.keys import Mode
from clr_tui.tui.kinds.logged.curves import RunCurves
from clr_tui.tui.kinds.logged.followed import FollowedRun
from clr_tui.tui.kinds.logged.grid_screen import LEAST_WIDTH, GridScreen
from clr_tui.tui.kinds.logged.groups import ChartGroup
from clr_tui.tui.kinds.logged.panel import RunLabel, run_lines
from clr_tui.tui.kinds.logged.run_settings import differences
from clr_tui.tui.kinds.logged.view import mixed_counts
from clr_tui.tui.screens.export_dialog import Exports
from clr_tui.tui.sources import ForeignSource, NamedSource
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import Line
from clr_tui.tui.text.status import offer_words
from clr_tui.tui.widgets.panel import Panel
from clr_tui.tui.widgets.title_bar import SEPARATOR

READING_SECONDS = 0.1
"""Seconds that reading takes at most before keys are handled."""
ALONE = "Several runs are shown: open one alone to control it or to see its output."


class TogetherScreen(GridScreen):
    """Several runs with their names, colours and shapes, and the settings in which they differ."""

    CSS_PATH: ClassVar[CSSPathType | None] = [
        "../../screens/run_screen.tcss",
        Path(__file__).with_name("screen.tcss"),
    ]
    panel_from = 100
    export_words = ".svg or .png all charts, .csv every value of every run"
    has_page = False

    def __init__(self, runs: Sequence[NamedSource]) -> None:
        super().__init__(runs[0].source, runs[0].config, None)
        self.followed = [FollowedRun(run) for run in runs]
        # The screen itself reads the first one.
        self.followed[0].history = self.history
        self._next = 1
        self._offer: str | None = None
        """What else they could be shown as; None until they have been read."""

    def view_key(self) -> str:
        """The paths of all logs."""
        paths = [run.source.path for run in self.followed]
        return "\n".join(sorted(str(path) for path in paths if path is not None))

    def read_others(self) -> float:
        """Reads the next pieces of the other logs, for a short while."""
        self.followed[0].read, self.followed[0].status = 1.0, self.status
        until = time.monotonic() + READING_SECONDS
        others = self.followed[1:]
        for _ in others:
            run = self.followed[self._next]
            self._next = self._next % len(others) + 1
            run.poll(self.app.wall())
            if time.monotonic() > until:
                break
        return min(run.read for run in self.followed)

    def state(self) -> Hashable:
        """The versions and states of all runs."""
        return tuple((run.history.version, run.status, run.mistake) for run in self.followed)

    def all_runs(self) -> list[RunCurves]:
        """The curves of all runs."""
        return [curves for run in self.followed for curves in run.curves(load=self.by_load)]

    def figures(self, runs: Sequence[RunCurves], page: Sequence[ChartGroup]) -> list[Line]:
        """Who is who, and in which settings they differ."""
        shown = {id(run) for run in runs}
        labels: list[RunLabel] = []
        differing = differences([run.settings for run in self.followed])
        for run, own in zip(self.followed, differing, strict=True):
            for place, curves in enumerate(run.curves(load=self.by_load)):
                first = {} if place else own
                state = "" if place else run.status.words
                label = RunLabel(
                    curves.name, len(labels), state, run.status.role, first, id(curves) in shown
                )
                labels.append(label)
        return run_lines(labels, self.query_one("#panel", Panel).content_size.width)

    def title_words(self) -> str:
        """How many runs, and their names."""
        names = [plain(run.name) for run in self.followed]
        return f"{len(names)} runs  {SEPARATOR.join(names)}"

    def status_words(self) -> str:
        """How many runs are in which state."""
        count = Counter(run.status.short.partition(" ")[::2] for run in self.followed)
        if self.size.width < LEAST_WIDTH:
            return " ".join(f"{symbol}{many}" for (symbol, _), many in count.items())
        return "  ".join(f"{symbol} {many} {word}" for (symbol, word), many in count.items())

    def has_begun(self) -> bool:
        """Whether any run has values."""
        return any(run.history.began for run in self.followed)

    def failure(self) -> str:
        """Nothing: the panel has the state of each run."""
        return ""

    def traceback(self) -> list[str]:
        """Nothing, for the same reason."""
        return []

    def pause_words(self) -> str:
        """Nothing, for the same reason."""
        return ""

    def remarks(self) -> list[str]:
        """What else the logs of other tools could be shown as, by what they held at first."""
        if self._offer is None and all(run.read == 1 for run in self.followed):
            foreign = all(isinstance(run.source, ForeignSource) for run in self.followed)
            logs = [LoggedValues(run.name, run.history.logged) for run in self.followed]
            self._offer = offer_words(fitting_kind(logs)) if foreign else ""
        return [f"{self._offer[0].upper()}{self._offer[1:]}."] if self._offer else []

    def notices(self) -> list[str]:
        """That steps are not the same in all runs, and what the readers of all logs have to say."""
        runs = self.all_runs()
        counts = mixed_counts(runs)
        mixed = [f"Some runs count by {', others by '.join(counts)}: x shows both as they are."]
        shown = mixed if counts and not self.by_load and self._axis(runs) == "step" else []
        return [*shown, *(notice for run in self.followed for notice in run.notices())]

    def _look(self) -> None:
        if (alerts := self.app.alerts) is not None:
            for run in self.followed:
                if run.read == 1:
                    now = self.app.wall()
                    alerts.look_at_history(run.name, run.history, run.status.state, now)

    def _mode(self) -> Mode:
        return "ended"  # no run can be told anything here

    def _shares_cores(self) -> bool:
        on_cpu = [run for run in self.followed if run.status.state in LIVING and run.history.device]
        return any(run.history.device.device == "cpu" for run in on_cpu if run.history.device)

    def require_live(self) -> bool:
        """Never: shows a sentence."""
        self.say(ALONE)
        return False

    def action_type_bounds(self) -> None:
        """Says how to control a run."""
        self.require_live()

    def action_toggle_output(self) -> None:
        """Says where the output is."""
        self.say(ALONE)

    def exports(self) -> Exports:
        """The charts as SVG, the values of all runs as CSV."""
        return {
            ".svg": lambda: charts_svg(self.shown_charts(), self.title_words()),
            ".csv": lambda: columns_csv((run.name, run.columns) for run in self.all_runs()),
        }
