"""The detached process that does a run: `python -m clr_tui.engine.worker RUN_DIRECTORY`.

It communicates only through the run's files: it writes `events.jsonl`, reads commands from
`commands.jsonl`, and holds `worker.lock` while it lives. SIGTERM and SIGINT stop it cleanly, with a
checkpoint and a last event; SIGHUP is ignored. The exit code is 0 if the run was done or stopped,
1 if it failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from clr_tui.engine import forks
from clr_tui.engine.by_name import named
from clr_tui.engine.errors import UserError, describe_error
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.bounded_output import bound_output
from clr_tui.engine.log.commands import CommandTail, Resume, ask_to_resume, asked_to_resume
from clr_tui.engine.log.events import Event, Progress, RunFinished, RunResumed, RunStarted
from clr_tui.engine.log.liveness import refuse_second, sign
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.oom_kills import oom_kills
from clr_tui.engine.run_log import RunLog
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.sudden_ends import (
    LINGER_SECONDS,
    exit_now,
    leave_within,
    say_exits,
    say_sudden_ends,
)
from clr_tui.engine.training.control import Control, RunRemoved, StopFlag, Stopped
from clr_tui.engine.training.overdue_stop import stopping_in_time
from clr_tui.engine.training.watching import watching
from clr_tui.engine.user_frames import user_traceback, with_task_place
from clr_tui.engine.version import package_version
from clr_tui.engine.words import listed

if TYPE_CHECKING:  # torch takes seconds to import and must not delay the first event
    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.training.session import Result


def main(argv: Sequence[str] | None = None) -> int:
    """Does the run named by `argv` and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="the run's directory")
    parser.add_argument("--lock-fd", type=int, help="descriptor that already holds the lock")
    parser.add_argument("--resume", action="store_true", help="continue a run that had a worker")
    arguments = parser.parse_args(argv)
    stop = _handle_signals()
    run = RunDir(arguments.run)
    try:
        lock = arguments.lock_fd
        if lock is None:
            lock = acquire(run.lock_path)
            refuse_second(run.path, time.time())
            if arguments.resume:  # else whoever took the lock has done so
                ask_to_resume(run, Resume(reason="its worker was started by hand"))
    except UserError as error:
        _print_line(error.message)
        return 1
    try:
        # Children must not inherit the lock: they would hold it after this process ends.
        os.set_inheritable(lock, False)
        forks.own(lock)
        with watching(partial(bound_output, run.log_path), "bounded output"):
            return _run(run, lock, stop, resume=arguments.resume)
    finally:
        forks.disown()
        # Now, as torch takes seconds to shut down, and the run may be removed from here on.
        if arguments.lock_fd is not None:
            os.chdir("/")  # `rm` recognises a launched worker without a lock by its directory
        with suppress(OSError):  # the code that was run has closed it
            os.close(lock)


def _run(run: RunDir, lock: int, stop: StopFlag, *, resume: bool) -> int:
    try:
        config = run.config()
        started = run.events_path.exists() and run.events_path.stat().st_size > 0
        if started and not resume:
            raise UserError(f"run '{run.id}' was already started: resume it, or start a new run")
        sign(lock, config.kind)
        log = RunLog(run, lock, stop, _print_line)
        log.begin(_resumed(run) if started else _started(run, config))
    except (UserError, RunRemoved) as error:
        _print_line(str(error))
        return 1
    with log.living():
        return _finish(log, _run_job(run, config, log, stop, resumed=started))


def _handle_signals() -> StopFlag:
    stop = StopFlag()

    def on_stop(number: int, _frame: FrameType | None) -> None:
        stop.set(f"stopped by {signal.Signals(number).name}")

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, on_stop)
    signal.signal(signal.SIGINT, on_stop)
    return stop


def _run_job(
    run: RunDir, config: RunConfig, log: RunLog, stop: StopFlag, *, resumed: bool
) -> RunFinished | RunRemoved:
    """Does the run, from its second event to the last but one, and handles every way it can end."""
    try:
        log.emit(Progress(what="starting torch", done=0, total=2))
        past = _history(run, config) if resumed else None
        control = Control(CommandTail(run.commands_path).poll, stop, log.emit, log.raise_if_removed)
        with _in_time(run, log, stop):
            result = _job()(config, log.emit, control, run.path, past)
        headline = result.headline
        place = JOB_KINDS[config.kind].headline
        if place and log.settle():
            history = _history(run, config)
            history.apply(RunFinished(outcome=result.outcome))
            headline = named(place)(history)
        return RunFinished(
            outcome=result.outcome,
            message=result.message,
            field=result.field,
            headline=headline,
        )
    except Stopped as stopped:
        return RunFinished(outcome="stopped", message=str(stopped))
    except RunRemoved as gone:
        return gone
    except UserError as error:
        return _failed(error, error.message, error.field)
    except BaseException as error:  # noqa: BLE001 - the log must record any end
        traceback.print_exc()
        return _failed(error, *describe_error(error))


def _started(run: RunDir, config: RunConfig) -> RunStarted:
    return RunStarted(
        run=run.id,
        kind=config.kind,
        version=config.version,
        host=socket.gethostname(),
        pid=os.getpid(),
        oom_kills=oom_kills(),
    )


def _resumed(run: RunDir) -> RunResumed:
    asked = asked_to_resume(run) or Resume()
    return RunResumed(
        version=package_version(),
        host=socket.gethostname(),
        pid=os.getpid(),
        oom_kills=oom_kills(),
        reason=asked.reason,
        epochs=asked.epochs,
    )


def _in_time(run: RunDir, log: RunLog, stop: StopFlag) -> AbstractContextManager[None]:
    """Ends what does not end after a stop: an optimizer, a model or data that never returns."""

    def give_up(reason: str) -> None:
        exit_now(_finish(log, RunFinished(outcome="stopped", message=reason)))

    return stopping_in_time(CommandTail(run.commands_path).poll, stop, give_up)


def _failed(error: BaseException, message: str, field: str | None) -> RunFinished:
    lines = user_traceback(error)
    if lines and isinstance(error, UserError):  # the frames of libraries too
        traceback.print_exc()
    message = with_task_place(message) if field == "task" else message
    return RunFinished(outcome="failed", message=message, field=field, traceback=lines)


def _job() -> Callable[
    [RunConfig, Callable[[Event], object], Control, Path, RunHistory | None], Result
]:
    _share_cores()
    from clr_tui.engine.training.job import run_job

    return run_job


def _share_cores() -> None:
    """Limits how long torch's threads wait for one another in busy loops. Call before torch loads.

    Busy loops slow down everything else on the same cores, such as the screen that shows this run
    or another run; but a thread that sleeps is late for its next piece of work. Median milliseconds
    per step (CNN, 32x32, batch 64, two otherwise idle cores) by iterations of the loop:

        iterations            alone    beside one busy process    two workers at once
        0 (PASSIVE)           47
        1,000                 43       76                         76
        2,000                 39       80                         80
        3,000                 38       85                         84
        20,000                37       128                        138
        300,000 (default)     37       33 (the other starves)     94

    3,000 are set. GNU's OpenMP reads the first variable; LLVM's and Intel's (not measured) read the
    second, where 0 means PASSIVE. An OMP_WAIT_POLICY in the environment takes precedence.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")
        os.environ.setdefault("KMP_BLOCKTIME", "0")


def _history(run: RunDir, config: RunConfig) -> RunHistory:
    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.log.tail import read_events

    history = RunHistory(config)
    history.feed(read_events(run.events_path))
    return history


def _finish(log: RunLog, end: RunFinished | RunRemoved) -> int:
    """Logs the end of the run if possible; `worker.log` gets its message in any case."""
    forks.end_if_forked()
    if isinstance(end, RunRemoved):
        _print_line(str(end))
        return 1
    if end.message:
        _print_line(end.message)
    try:
        written = log.finish(end)
    except RunRemoved as error:
        _print_line(str(error))
        return 1
    if not written:
        _print_line("the end of the run could not be written to its log")
    return 0 if written and end.outcome != "failed" else 1


def _print_line(text: str) -> None:
    """Writes a line to worker.log, which may be on a full disk."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _as_process() -> int:
    """Does what `main` does, in a process of its own: whatever a user's code does to that is said.

    What the code has left running ends soon after the run.
    """
    say_sudden_ends(sys.stderr)
    say_exits(_print_line)
    code = main()
    leave_within(LINGER_SECONDS, code)
    if ended := forks.end_forks():
        _print_line(f"ended what was still running: {listed([str(pid) for pid in ended])}")
    return code


if __name__ == "__main__":
    raise SystemExit(_as_process())
