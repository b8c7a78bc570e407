"""What the output of a worker that vanished says about its end."""

from __future__ import annotations

import os
import re
from pathlib import Path

from clr_tui.engine.log.events import RunResumed, RunStarted
from clr_tui.engine.oom_kills import oom_kills
from clr_tui.engine.regular import open_regular

_WINDOW = 32 << 10
"""Bytes at the end of the output in which its last words are."""
_SIGNALS = {
    "Segmentation fault": "SIGSEGV",
    "Aborted": "SIGABRT",
    "Bus error": "SIGBUS",
    "Illegal instruction": "SIGILL",
    "Floating point exception": "SIGFPE",
    "Floating-point exception": "SIGFPE",
}
"""By what Python's faulthandler calls them."""
_FATAL = re.compile(r"Fatal Python error: (?P<what>[^\r\n]+)$", re.MULTILINE)
"""Not only at the start of a line: a progress bar may come before it."""
OF_A_TRIAL = "its process was ended by"
"""Follows what a process of a comparison has said: the worker has outlived that."""
_FRAME = re.compile(r'^  File "(?P<path>[^"\n]+)", line (?P<line>\d+) in (?P<name>.+)$', re.M)
_EXIT = re.compile(r"^the code that was run called (?P<call>os\._exit\(.*)$", re.MULTILINE)


def end_in_output(log_path: Path) -> str:
    """How a process ended, by its output: `ended by SIGSEGV (model.py:12, in forward)`, or "".

    Only of a process that ended without a word in its log: the output is the user's, too.
    """
    try:
        with open(open_regular(log_path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            text = os.pread(file.fileno(), _WINDOW, max(0, size - _WINDOW))
    except OSError:
        return ""
    return end_in(text.decode(errors="replace"))


def how_it_ended(log_path: Path, worker: RunStarted | RunResumed | None) -> str:
    """How a worker that vanished ended, as far as anything says: its output, or the system.

    Args:
        log_path: its output.
        worker: its first event.

    Returns:
        What may follow "the worker was"; or "".
    """
    if said := end_in_output(log_path):
        return said
    if worker is None or worker.oom_kills is None or worker.host != os.uname().nodename:
        return ""
    killed = (oom_kills() or 0) - worker.oom_kills  # below 0 after a reboot
    if killed <= 0:
        return ""
    return (
        "killed, most likely as memory ran out (the system has killed"
        f" {'a process' if killed == 1 else f'{killed} processes'} for that since it started)"
    )


def end_in(text: str) -> str:
    """The same for a text."""
    if called := _last(_EXIT, text):
        return f"ended by {called['call'].strip()}"
    fatal = _last(_FATAL, text)
    if fatal is None or OF_A_TRIAL in text[fatal.end() :]:
        return ""
    what = fatal["what"].strip()
    name = _SIGNALS.get(what) or f"a fatal error of Python ({what})"
    where = _users_frame(text[fatal.end() :])
    return f"ended by {name}{f' ({where})' if where else ''}"


def _users_frame(text: str) -> str:
    """The innermost of the user's frames: the first, as these are listed from the inside."""
    from clr_tui.engine.user_frames import Frame, is_users  # only for runs that were lost

    for found in _FRAME.finditer(text):
        if is_users(found["path"]):
            return str(Frame(found["path"], int(found["line"]), found["name"].strip(), ""))
    return ""


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(reversed(list(pattern.finditer(text))), None)
