"""Whether a run has a living worker, though its lock does not say so.

The lock is the first word (`engine.log.lock`): the kernel frees it with the worker. It can be
deleted while the worker lives, and it may not reach other hosts. So the worker writes its host and
process id into it: on this host the process is looked at, on another one its log must grow, as a
worker writes an event every few seconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.decoding import UNREADABLE
from clr_tui.engine.log.events import kebab
from clr_tui.engine.log.line_tail import last_lines
from clr_tui.engine.regular import open_regular

LOST_SECONDS = 900.0
"""A worker on another host counts as lost when its log has not grown for so long."""
_FIRST_EVENT = 1 << 16
"""Bytes of a log that hold its first event."""
_LAST_EVENT = 1 << 16
"""Bytes of a log that hold its last event, unless that is a long one."""


class Worker(msgspec.Struct, frozen=True):
    """Who writes a run's log."""

    host: str = ""
    pid: int = 0
    kind: str = ""
    """The kind of the run."""


class _Last(msgspec.Struct):
    type: str
    time: float


def here() -> str:
    """The name of this host."""
    return os.uname().nodename


def sign(lock: int, kind: str) -> None:
    """Writes into a held lock that this process is the run's worker, if there is room."""
    with suppress(OSError):
        os.ftruncate(lock, 0)
        text = msgspec.json.encode(Worker(here(), os.getpid(), kind))
        os.pwrite(lock, text, 0)


def worker_of(folder: Path) -> Worker | None:
    """The newest worker of the run in `folder`; None if it cannot be told.

    An older version has not written it into the lock, and the lock may be gone: then it is the one
    that the log begins with.
    """
    for name in ("worker.lock", "events.jsonl"):
        with suppress(OSError, *UNREADABLE), open(open_regular(folder / name), "rb") as file:
            worker = msgspec.json.decode(file.readline(_FIRST_EVENT), type=Worker)
            if worker.pid:
                return worker
    return None


def host_of(folder: Path) -> str:
    """The other host whose worker the run has or had; empty if it is this one."""
    worker = worker_of(folder)
    return "" if worker is None or worker.host in ("", here()) else worker.host


def last_heard(folder: Path) -> str:
    """What to add to "is running" of a run that another host may have; else empty."""
    host = host_of(folder)
    return f" on {host}, which wrote within the last {LOST_SECONDS / 60:g} minutes" if host else ""


def refuse_second(folder: Path, now: float) -> None:
    """Raises UserError if the run in `folder` has a worker, although its lock could be taken."""
    if lives_without_lock(folder, now):
        raise UserError(f"run '{folder.name}' already has a worker{last_heard(folder)}")


def lives_without_lock(folder: Path, now: float) -> bool:
    """Whether the run in `folder` has a living worker, though nobody holds its lock here.

    Args:
        folder: of the run.
        now: Unix time, seconds.
    """
    worker = worker_of(folder)
    if worker is None:
        return False
    if worker.host != here():
        return bool(worker.host) and _grew(folder, now)
    return works_in(folder, worker)


def works_in(folder: Path, worker: Worker) -> bool:
    """Whether the worker lives on this machine; always False without /proc.

    Its process id may have been reused, but a worker's working directory is the run's folder; or
    that of the user whose task it runs, and then its command line has the run's folder. A worker
    that has ended its run is at the root. The program of a user's own loop has the log open.
    """
    if worker.host != here():
        return False
    process = Path(f"/proc/{worker.pid}")
    try:
        if os.path.samefile(process / "cwd", folder):
            return True
        kind = JOB_KINDS.get(worker.kind)
        if kind is not None and not kind.has_worker:
            log = folder / "events.jsonl"
            return any(os.path.samefile(one, log) for one in _open_files(process))
        named = os.fsencode(os.path.abspath(folder)) in (process / "cmdline").read_bytes().split(
            b"\0"
        )
        return named and not os.path.samefile(process / "cwd", "/")
    except OSError:
        return False


def _open_files(process: Path) -> Iterator[Path]:
    """What a process has open and can still be found."""
    return (one for one in (process / "fd").iterdir() if one.exists())


def _grew(folder: Path, now: float) -> bool:
    """Whether the log has no last event and was written lately."""
    try:
        fd = open_regular(folder / "events.jsonl")
    except OSError:
        return False
    try:
        lines = last_lines(fd, os.fstat(fd).st_size, _LAST_EVENT)
    finally:
        os.close(fd)
    for line in reversed(lines):
        with suppress(*UNREADABLE):
            last = msgspec.json.decode(line, type=_Last)
            return last.type != kebab("RunFinished") and now - last.time < LOST_SECONDS
    return False
