"""Saying that a user's files changed while a run uses what it loaded from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import Stamp, stamp_of
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks.user_code import user_modules
from clr_tui.engine.training.control import RunRemoved
from clr_tui.engine.user_frames import shown

POLL_SECONDS = 2.0


class LoadedFiles:
    """The user's files that this process has loaded, each as it was when it was first seen."""

    def __init__(self) -> None:
        self._stamps: dict[str, Stamp | None] = {}

    def first_changed(self) -> str:
        """The path of a file that has changed since, or is gone; empty if none has."""
        for path in user_modules():
            now = stamp_of(Path(path))
            if self._stamps.setdefault(path, now) != now:
                return path
        return ""


@contextmanager
def reporting_changes(task: TaskConfig, note: Callable[[str], object]) -> Iterator[None]:
    """Passes one sentence to `note`, from a thread, once a file of an own task has changed."""
    if not task.task:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        files = LoadedFiles()
        while not (changed := files.first_changed()):
            if over.wait(POLL_SECONDS):
                return
        try:
            note(
                f"{shown(changed)} has changed since this run loaded it:"
                " the run carries on with what it loaded"
            )
        except (UserError, RunRemoved):
            return  # the log cannot be written, as the main thread will notice

    thread = threading.Thread(target=watch, name="changed files", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
