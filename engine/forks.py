"""Processes that a user's code forks from a worker: they keep nothing of the run, end with it.

A fork inherits the descriptor of the run's lock, the handlers of signals, and the whole training:
if its code raises an error, or returns, it goes on in the worker's own functions.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_END_SECONDS = 5.0
"""How long a process may take to end before it is killed."""
_TRIALS = b"clr_tui.engine.comparing.trial_process"
"""What processes of a comparison, and their forks, have on their command line."""
_exit = os._exit  # what the user's code finds under this name may be ours


class _Owner:
    """The process that does the run."""

    pid: int | None = None
    lock: int | None = None
    """The descriptor that forks must not keep."""
    forks = False
    """Whether the current fork is made by this process, and in its main thread: it lives as long as
    the process, other threads do not."""


def own(lock: int | None = None) -> None:
    """Makes this process the one that does the run, and `lock` its alone."""
    _Owner.pid, _Owner.lock = os.getpid(), lock


def disown() -> None:
    """The run is over: forks are nobody's concern any more."""
    _Owner.pid, _Owner.lock = None, None


def end_if_forked() -> None:
    """Ends this process if it is a fork of the one that does the run.

    Called before anything is written about the run: a fork that gets there has left the code that
    forked it, and would go on with the training beside the worker.
    """
    if _Owner.pid is not None and os.getpid() != _Owner.pid:
        with contextlib.suppress(OSError, ValueError):
            print(
                "a process that was forked in the training has left the code that forked it:"
                " it ends here, and the training goes on",
                file=sys.stderr,
                flush=True,
            )
        _exit(0)


def end_forks(seconds: float = _END_SECONDS, proc: Path = Path("/proc")) -> list[int]:
    """Ends the forks of this process and of its forks, at the end of the run; Linux only.

    Other programs that the user's code has started are left alone: they may be meant to stay.

    Returns:
        The process ids of those that had to be ended, without those that Python would have ended,
        such as a loader's.
    """
    daemons = {child.pid for child in multiprocessing.active_children() if child.daemon}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch raises an error where a loader ends
    found = list(_forks(proc))
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if _gone(found, seconds, proc):
            break
    return [pid for pid in found if pid not in daemons]


def _forks(proc: Path) -> Iterator[int]:
    """Processes of this session that run what this one runs; or its trials, if it began that."""
    ours = os.getpid()
    try:
        command = (proc / str(ours) / "cmdline").read_bytes()
        entries = os.listdir(proc)
    except OSError:
        return
    for pid in (int(name) for name in entries if name.isdecimal() and int(name) != ours):
        with contextlib.suppress(OSError):
            if os.getsid(pid) != os.getsid(0) or not _is_running(pid, proc):
                continue
            theirs = (proc / str(pid) / "cmdline").read_bytes()
            if theirs == command or (os.getsid(0) == ours and _TRIALS in theirs.split(b"\0")):
                yield pid


def _gone(pids: list[int], seconds: float, proc: Path) -> bool:
    pause = threading.Event()
    for _ in range(max(1, round(seconds / 0.05))):
        if not any(_is_running(pid, proc) for pid in pids):
            return True
        pause.wait(0.05)
    return False


def _is_running(pid: int, proc: Path) -> bool:
    """Whether a process is there, and does more than wait for its parent to note its end."""
    try:
        status = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def _before_fork() -> None:
    in_main_thread = threading.current_thread() is threading.main_thread()
    _Owner.forks = in_main_thread and os.getpid() == _Owner.pid


def _in_child() -> None:
    """Runs in a fork before anything else does."""
    if _Owner.pid is None:
        return
    if _Owner.lock is not None:
        with contextlib.suppress(OSError):  # the user's code has closed it
            os.close(_Owner.lock)
        _Owner.lock = None
    with contextlib.suppress(ValueError):  # not in the main thread of the main interpreter
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Only its own forks: those of a fork may be meant to outlive that.
    if _Owner.forks and _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != _Owner.pid:  # it has ended by now
            _exit(0)


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
os.register_at_fork(before=_before_fork, after_in_child=_in_child)
