"""Starting a worker that outlives the process that starts it."""

from __future__ import annotations

import os
import subprocess
import threading
import time

from clr_tui.engine.child import module_command
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Resume, ask_to_resume
from clr_tui.engine.log.liveness import refuse_second
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.writer import write_failed
from clr_tui.engine.regular import open_regular


def launch(run: RunDir, resume: Resume | None = None) -> int:
    """Starts the run's worker as a detached process and returns its process id.

    The worker has its own session (so it survives the terminal), no terminal, and `worker.log` for
    its output. The lock is taken here and passed on as an inherited descriptor, so that a starting
    run never looks dead. The worker must make that descriptor close-on-exec again, or its own
    children would hold the lock after its end.

    Args:
        resume: what the worker of a run that was started before is to do; None: it is a new run.

    Raises:
        UserError: the run already has a worker, or the worker cannot be started.
    """
    lock = acquire(run.lock_path)
    try:
        refuse_second(run.path, time.time())
        if resume is not None:
            return relaunch(run, lock, resume)
        return _start(run, lock, [])
    finally:
        os.close(lock)


def relaunch(run: RunDir, lock: int, resume: Resume) -> int:
    """Starts another worker, as `launch` does, while `lock` holds the run's lock.

    Raises:
        UserError: the worker cannot be started.
    """
    ask_to_resume(run, resume)
    return _start(run, lock, ["--resume"])


def _start(run: RunDir, lock: int, options: list[str]) -> int:
    try:
        process = _spawn(run, lock, options)
    except OSError as error:
        raise UserError(f"the worker cannot be started: {error.strerror}") from error
    # Reaps the worker when it ends, so that no zombie remains while this process lives.
    threading.Thread(target=process.wait, name=f"reap {run.id}", daemon=True).start()
    return process.pid


def _spawn(run: RunDir, lock: int, options: list[str]) -> subprocess.Popen[bytes]:
    try:
        log = open_regular(run.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError as error:
        raise UserError(write_failed(run.log_path, error), "runs_dir") from error
    with open(log, "ab") as output:
        return subprocess.Popen(
            module_command(
                "clr_tui.engine.worker", str(run.path), "--lock-fd", str(lock), *options
            ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[lock],
            start_new_session=True,
            cwd=run.path,
            # The order of sets of texts, which a user's code may take for that of classes, is the
            # same in each process.
            env={"PYTHONHASHSEED": "0", **os.environ, "PYTHONUNBUFFERED": "1"},
        )
