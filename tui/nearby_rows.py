"""The logs of other tools that lie in the working directory, as rows of the list of runs."""

from __future__ import annotations

from pathlib import Path

from clr_tui.engine.analysis.foreign.nearby import logs_nearby
from clr_tui.engine.analysis.foreign.run_names import run_name
from clr_tui.engine.log.summary import RunSummary
from clr_tui.engine.settings.config import LoggedRun, kind_of


def nearby_rows(folder: Path) -> list[RunSummary]:
    """Looks for logs in a folder and below it; those written last come first."""
    return [
        RunSummary(
            id=f"./{log.name}",  # no run is called so
            kind=kind_of(LoggedRun()),
            task=run_name(log.path),
            model="",
            created=log.written,
            status="done",
            message="",
            headline=log.format,
            path=str(log.path),
        )
        for log in logs_nearby(folder)
    ]
