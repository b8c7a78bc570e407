"""A home of its own for each test, with everything that was started in it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from terminal import Terminal

from clr_tui.engine.log.events import RunStarted
from clr_tui.engine.log.lock import is_held
from clr_tui.engine.log.rundir import RunDir, list_runs
from clr_tui.engine.log.tail import read_events


class Home:
    """A runs folder of its own, terminals in it, and the end of every worker that they started."""

    def __init__(self, folder: Path) -> None:
        self.runs = folder / "runs"
        self.env = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "CLR_TUI_RUNS": str(self.runs),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
        }
        self.terminals: list[Terminal] = []

    def open(self, *arguments: str, columns: int = 120, rows: int = 40) -> Terminal:
        command = [sys.executable, "-m", "clr_tui.tui", *arguments]
        terminal = Terminal(command, self.env, columns, rows)
        self.terminals.append(terminal)
        return terminal

    def only_run(self, kind: str) -> RunDir:
        (run,) = [run for run in list_runs(self.runs) if run.config().kind == kind]
        return run

    def close(self) -> None:
        for terminal in self.terminals:
            terminal.close()
        for run in list_runs(self.runs) if self.runs.exists() else []:
            if is_held(run.lock_path):
                os.kill(worker_pid(run), signal.SIGKILL)


def worker_pid(run: RunDir) -> int:
    return next(e.pid for e in read_events(run.events_path).events if isinstance(e, RunStarted))
