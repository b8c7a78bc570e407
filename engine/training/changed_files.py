"""Reporting that a user's files changed during the run that loaded them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks import user_files
from clr_tui.engine.training.control import RunRemoved
from clr_tui.engine.training.watching import watching
from clr_tui.engine.user_frames import shown

POLL_SECONDS = 2.0


@contextmanager
def reporting_changes(task: TaskConfig, note: Callable[[str], object]) -> Iterator[None]:
    """Passes one sentence to `note`, from a thread, once a file of an own task has changed."""
    if not task.task:
        yield
        return

    def watch(over: Event) -> None:
        while not (changed := user_files.first_changed()):
            if over.wait(POLL_SECONDS):
                return
        try:
            note(
                f"{shown(changed)} has changed since this run loaded it:"
                " the run carries on with what it loaded"
            )
        except (UserError, RunRemoved):
            return  # the log cannot be written, as the main thread will notice

    with watching(watch, "changed files"):
        yield
