"""`clr_tui.start`: a run for a training loop of the user's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import RunStarted
from clr_tui.engine.log.removal import remove_run
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.log.runs_folder import runs_dir as folder_of_runs
from clr_tui.engine.log.writer import printable
from clr_tui.engine.own_loop import open_runs
from clr_tui.engine.own_loop.processes import is_helper, is_interactive, rank, script
from clr_tui.engine.own_loop.run import Run
from clr_tui.engine.own_loop.warning import warn
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.engine.version import package_version

_MAX_SETTINGS = 1000
_MAX_DEPTH = 6
_MAX_LENGTH = 1000
"""Characters of a setting's text."""


def start(
    name: str = "",
    config: Mapping[str, Any] | None = None,
    *,
    runs_dir: str | os.PathLike[str] | None = None,
    ranks: Literal["first", "all"] = "first",
) -> Run:
    """Starts a run of your own training loop.

    It is a run like any other: `clr-tui` lists and shows it while it grows, and later replays it.
    If the process ends without `finish`, the run ends with it: as failed after an error, as lost if
    it was killed. In a notebook, a new run finishes the former one.

    Nothing about a run ends the training: if it cannot be recorded, there is a warning.

    Args:
        name: what to call it; the script's name if it is empty.
        config: settings to show, by name. Those in a mapping within are named "outer.inner".
        runs_dir: the folder of runs, if not the usual one (`CLR_TUI_RUNS`).
        ranks: with several processes that train together, whether only the first one records
            (`first`), or each its own run (`all`).

    Raises:
        UserError: `ranks` is something else.
    """
    if ranks not in ("first", "all"):
        raise UserError(f"ranks is 'first' or 'all', not {ranks!r}")
    name = printable(str(name) or Path(script()).stem or "loop")
    here = rank()
    if is_helper() or (here.number and ranks == "first"):
        return Run(name)
    if is_interactive():
        open_runs.finish_all("another run was started")
    settings = dict(islice(_texts(config or {}), _MAX_SETTINGS))
    if ranks == "all" and here.of > 1:
        name = f"{name}-rank{here.number}"
        settings["rank"] = f"{here.number} of {here.of}"
    try:
        return _started(name, settings, runs_dir)
    except UserError as error:
        warn(f"this training is not recorded: {error.message}")
        return Run(name)


def _started(name: str, settings: dict[str, str], runs_dir: str | os.PathLike[str] | None) -> Run:
    runs = folder_of_runs(None if runs_dir is None else os.fspath(runs_dir))
    if not runs.is_absolute():
        raise UserError("there is no home folder to store runs in; set HOME or give runs_dir")
    folder = create_run(
        runs,
        task=TaskConfig(data=name, model=""),
        job=LoggedRun(name=name, config=settings),
        version=package_version(),
        folder=_working_directory(),
    )
    try:
        run = Run(name, folder)
    except UserError:
        remove_run(folder)
        raise
    run.begin(
        RunStarted(
            run=folder.id,
            kind=folder.config().kind,
            version=package_version(),
            host=socket.gethostname(),
            pid=os.getpid(),
            script=script(),
        )
    )
    return run


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _texts(config: Mapping[str, Any], *outer: str) -> Iterator[tuple[str, str]]:
    for name, value in config.items():
        path = (*outer, str(name))
        if isinstance(value, Mapping) and len(path) < _MAX_DEPTH:
            yield from _texts(value, *path)
        else:
            yield printable(".".join(path)), _text(value)


def _text(value: object) -> str:
    try:
        text = printable(str(value))
    except Exception:  # noqa: BLE001 - a value that cannot be written is no reason to end a training
        text = type(value).__name__
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 3]}..."
