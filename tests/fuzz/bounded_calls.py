"""Calls in a forked child with limits of time and memory, which say what became of them."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 2.0
"""CPU time that one call may take."""
MEGABYTES = 200.0
"""Memory that the whole process may take at most."""
SCREEN_SECONDS = 4.0
"""The same for a call named "screen", which starts an app, draws it and presses keys."""
_PATIENCE = 60.0
"""Seconds after which a child that waits for something counts as hanging; a loaded machine may
need much of them."""
_RUNAWAY_BYTES = 2 << 30
"""Address space that a child may take on top of what it has: it must not take the machine's."""


@dataclass
class Outcome:
    """What became of the calls of one variant."""

    seconds: dict[str, float] = field(default_factory=dict)
    """CPU time of each call by its name."""
    megabytes: float = 0.0
    """Peak memory of the child."""
    mistakes: list[str] = field(default_factory=list)
    """Sentences or tracebacks; empty if all went well."""


Calls = dict[str, Callable[[], None]]


def run_bounded(calls: Calls, folder: Path, megabytes: float = MEGABYTES) -> Outcome:
    """Makes the calls one after another in a forked child.

    Args:
        calls: by name; one that raises anything is a mistake.
        folder: takes what they print, and the files that the child makes elsewhere than told.
        megabytes: the most that the child may take.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            _child(calls, folder, writing)
        finally:
            os._exit(0)
    os.close(writing)
    outcome = Outcome()
    text = _read_all(reading)
    if text is None:
        os.kill(pid, signal.SIGKILL)
        outcome.mistakes.append(f"hangs: nothing came for {_PATIENCE:.0f} s")
    _, status, usage = os.wait4(pid, 0)
    outcome.megabytes = _megabytes(usage)
    for line in (text or b"").splitlines():
        name, seconds, mistake = json.loads(line)
        outcome.seconds[name] = seconds
        if mistake:
            outcome.mistakes.append(f"{name}: {mistake}")
        if seconds > (SCREEN_SECONDS if name == "screen" else SECONDS):
            outcome.mistakes.append(f"{name} took {seconds:.1f} s")
    missing = [name for name in calls if name not in outcome.seconds]
    if text is not None and missing:
        outcome.mistakes.append(f"{missing[0]}: the process ended with status {status:#x}")
    if outcome.megabytes > megabytes:
        outcome.mistakes.append(f"took {outcome.megabytes:.0f} MB")
    return outcome


def own_megabytes() -> float:
    """The most memory that this process has had."""
    return _megabytes(resource.getrusage(resource.RUSAGE_SELF))


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _read_all(descriptor: int) -> bytes | None:
    """Everything up to the end; None if nothing came for too long."""
    pieces = []
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], _PATIENCE)[0]:
            piece = pipe.read(1 << 16)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
    return None


def _child(calls: Calls, folder: Path, writing: int) -> None:
    gc.freeze()
    folder.mkdir(exist_ok=True)
    printed = os.open(folder / "printed", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.environ["TMPDIR"] = str(folder)
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    with contextlib.suppress(OSError, ValueError):  # macOS refuses it
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = used + _RUNAWAY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    warnings.simplefilter("error")  # NumPy warns of what should have been looked at before
    for name, call in calls.items():
        start, mistake = time.process_time(), ""
        try:
            call()
        except BaseException:  # noqa: BLE001 - whatever it raises is what is looked for
            mistake = traceback.format_exc()[-3000:]
        seconds = time.process_time() - start
        os.write(writing, json.dumps((name, seconds, mistake)).encode() + b"\n")
