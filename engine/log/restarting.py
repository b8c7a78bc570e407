"""Restarts a worker that dies: `python -m clr_tui.engine.log.restarting RUN --times N`.

This process waits for the run's lock, which the kernel gives to it once the worker is gone, however
that ended. If the log has no last event then, it starts another worker, which gets the lock from
it. It ends when the run does, and does not survive a reboot.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from clr_tui.engine.child import module_command
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Resume
from clr_tui.engine.log.launch import relaunch
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.regular import open_regular


def watch_over(run: RunDir, times: int) -> None:
    """Starts the process, which outlives this one.

    Args:
        times: how often to restart the worker, at least once.

    Raises:
        UserError: it cannot be started.
    """
    try:
        subprocess.Popen(
            module_command("clr_tui.engine.log.restarting", str(run.path), "--times", str(times)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
    except OSError as error:
        raise UserError(f"the watch over the worker cannot start: {error.strerror}") from error


def restart(run: RunDir, times: int) -> int:
    """Waits for the ends of workers, and starts others; returns how many."""
    for number in range(1, times + 1):
        try:
            lock = open_regular(run.lock_path, os.O_RDWR)
        except OSError:
            return number - 1  # the run was removed
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _has_died(run, lock):
                return number - 1
            words = f"its worker died; restarted by itself, {number} of at most {times}"
            relaunch(run, lock, Resume(reason=words))
        except (OSError, UserError):
            return number - 1
        finally:
            os.close(lock)
    return times


def _has_died(run: RunDir, lock: int) -> bool:
    """Whether the run is still there and has not ended."""
    with suppress(OSError):
        if os.path.samestat(os.fstat(lock), os.stat(run.lock_path)):
            # The lock is held here, so that it looks like one that lives.
            return run.events_path.exists() and summarise(run).finished_at is None
    return False


def main(argv: Sequence[str] | None = None) -> int:
    """Watches over the run named by `argv`."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--times", type=int, required=True)
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    restart(RunDir(arguments.run), arguments.times)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
