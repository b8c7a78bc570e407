"""Removing a run: its own files, and nothing else in its folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import RunStarted
from clr_tui.engine.log.line_tail import LineTail
from clr_tui.engine.log.liveness import last_heard
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import JOBS

_FILES = re.compile(r"run\.json|\.run\.json\.\d+|(events|commands)\.jsonl|worker\.(lock|log)")
_CHECKPOINTS = re.compile(
    r"(best|last|step-\d+|resume-\d+-\d+)\.pt|\.(best|last|step-\d+|resume-\d+-\d+)\.pt\.\d+"
)
"""Complete ones, and drafts that a killed worker leaves."""
_FIRST_EVENT = 1 << 16
"""Bytes of a log that hold its first event."""
_MAX_NAMED = 3
"""Remaining files beyond this many are only counted."""


def check_removable(run: RunDir) -> None:
    """Raises UserError if `run` is a link, not a run of clr-tui, or alive."""
    if run.path.is_symlink():
        raise UserError(
            f"'{run.path}' is a link to '{os.readlink(run.path)}': remove the run there, "
            "or the link with rm"
        )
    started = _started(run)
    if not _is_ours(run, started):
        raise UserError(
            f"'{run.path}' is not a run of clr-tui, although it holds a run.json: "
            "nothing was removed"
        )
    if run.alive:
        where = last_heard(run.path)
        raise UserError(f"{run.id} is running{where}: stop it first (`clr-tui stop {run.id}`)")


def remove_run(run: RunDir) -> list[str]:
    """Deletes the run's own files, and its folder if nothing else is in it.

    Returns:
        Files that are not the run's and were kept, as paths within the folder.

    Raises:
        UserError: see `check_removable`; or the files cannot be deleted.
    """
    check_removable(run)
    try:
        lock = _take_lock(run)  # so that nobody starts it meanwhile
        try:
            kept = _delete_files(run)
        finally:
            os.close(lock)
        if not kept:
            os.rmdir(run.path)
    except OSError as error:
        raise UserError(f"'{run.path}' cannot be removed: {error.strerror}") from error
    return kept


def removal_message(run: RunDir, kept: list[str]) -> str:
    """One sentence, without its full stop, about a run that `remove_run` has removed."""
    if not kept:
        return f"{run.id} was removed"
    names = ", ".join(kept[:_MAX_NAMED])
    more = f" and {len(kept) - _MAX_NAMED} more" if len(kept) > _MAX_NAMED else ""
    return f"{run.id} was removed; its folder stays, as it holds other files: {names}{more}"


def _started(run: RunDir) -> RunStarted | None:
    try:
        lines = LineTail(run.events_path).poll(_FIRST_EVENT).lines
        return msgspec.json.decode(lines[0], type=RunStarted) if lines else None
    except (UserError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_ours(run: RunDir, started: RunStarted | None) -> bool:
    """Whether a folder with a `run.json` is a run.

    A run whose `run.json` is damaged can be removed too: its log identifies it, or the name that
    `create_run` gave it.
    """
    try:
        run.config()
    except UserError:
        return (
            started is not None or re.fullmatch(rf"({'|'.join(JOBS)})-.+-\d+", run.id) is not None
        )
    return True


def _take_lock(run: RunDir) -> int:
    """Takes the lock. Anything else in its place is deleted: no worker can hold it."""
    path = run.lock_path
    if path.is_symlink() or (path.exists() and not path.is_dir() and not path.is_file()):
        path.unlink()
    elif path.is_dir():
        path.rmdir()
    return acquire(path)


def _delete_files(run: RunDir) -> list[str]:
    """Deletes the run's own files; returns the names of all others."""
    kept = []
    folder = run.checkpoints
    if folder.is_dir() and not folder.is_symlink():
        kept = [f"{folder.name}/{name}" for name in _delete(folder, _CHECKPOINTS)]
        if not kept:
            folder.rmdir()
    others = _delete(run.path, _FILES)
    return [name for name in others if not (kept and name == folder.name)] + kept


def _delete(folder: Path, own: re.Pattern[str]) -> list[str]:
    """Deletes the files with these names in a folder; returns the other names, sorted."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    kept = []
    for entry in found:
        if own.fullmatch(entry.name) and not entry.is_dir(follow_symlinks=False):
            os.unlink(entry)
        else:
            kept.append(entry.name)
    return kept
