"""Follows a run without a screen: progress on stderr, the result on stdout."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from json import dumps
from typing import Literal

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.commands import Stop, send
from clr_tui.engine.log.last_words import how_it_ended
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.runs_folder import runs_dir
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.log.tail import LogTail
from clr_tui.tui.alerts import Alerts
from clr_tui.tui.cli.interrupts import Interrupts
from clr_tui.tui.cli.manage import summary_object
from clr_tui.tui.cli.printing import print_result
from clr_tui.tui.cli.progress import ProgressLines
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.status import log_notices, notices, status_of, traceback_of

POLL_SECONDS = 0.25
WORKER_EXIT_TIMEOUT = 10.0
"""Seconds to wait for the worker to exit after its last event."""
DONE, FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


@dataclass
class FollowResult:
    """How following ended."""

    history: RunHistory
    end: Literal["finished", "left"]
    live: bool
    """Whether the worker was alive at the start: its warnings were then printed as they came."""


def follow_and_print(
    run: RunDir,
    interrupts: Interrupts,
    *,
    owner: bool,
    json: bool,
    alerts: Alerts | None = None,
) -> int:
    """Follow `run` to its end and print its result.

    Args:
        run: the run, alive or not.
        interrupts: already entered, so that no signal is missed.
        owner: whether this command started the run: then Ctrl-C stops it, and a second one
            leaves it. Otherwise Ctrl-C only leaves.
        json: whether to print the result as one JSON object.
        alerts: told of what happens to the run.

    Returns:
        0 if the run is done (also a comparison with failed trials), 1 if it failed, was stopped
        or lost, 2 if its optimizer was refused before the data was read, 130 after Ctrl-C, 143
        after SIGTERM (which leaves it running).
    """
    in_place = sys.stderr is not None and sys.stderr.isatty()
    progress = ProgressLines(sys.stderr, in_place=in_place)
    followed = follow(run, progress, interrupts, owner=owner, alerts=alerts)
    progress.end()
    if followed.end == "left":
        return TERMINATED if interrupts.terminated else INTERRUPTED
    history = followed.history
    for notice in log_notices(history) if followed.live else notices(history):
        progress.say(f"note: {notice}")
    report = print_result(history, alive=False, json=json)
    state = status_of(history, alive=False).state
    if state == "done":
        if history.finished and history.finished.message:
            progress.say(f"clr-tui: {run.id}: {history.finished.message}")
        display = KINDS[history.config.kind].load_display()
        if not json and (words := display.what_next(name_of(run), report)):
            progress.say(words)
        return DONE
    for line in traceback_of(history):
        progress.say(line)
    progress.say(f"clr-tui: {failure_sentence(run, history)}")
    if owner and interrupts.interrupted:
        return INTERRUPTED
    return WRONG_USAGE if owner and _was_refused(history) else FAILED


def wait(run: RunDir, interrupts: Interrupts, *, json: bool, alerts: Alerts | None = None) -> int:
    """Wait for the end of `run` and print how it ended, in a line or as one JSON object.

    Returns:
        The exit code of `follow_and_print`, for a run that this command did not start.
    """
    lines = ProgressLines(sys.stderr, in_place=False)
    followed = follow(run, lines, interrupts, owner=False, quiet=True, alerts=alerts)
    if followed.end == "left":
        return TERMINATED if interrupts.terminated else INTERRUPTED
    state = status_of(followed.history, alive=False).state
    if json:
        print(dumps(summary_object(summarise(run)), indent=2))
    else:
        print(plain(f"{run.id} is {state}"), flush=True)
    if state == "done":
        return DONE
    lines.say(f"clr-tui: {failure_sentence(run, followed.history)}")
    return FAILED


def _was_refused(history: RunHistory) -> bool:
    """Whether its optimizer was refused by the worker, which tries it before it reads the data."""
    refused = history.finished is not None and history.finished.field in ("optimizer", "optimizers")
    return refused and history.task is None


def name_of(run: RunDir) -> str:
    """Return how to name the run in a command: its id, or its path outside the default folder."""
    return run.id if run.path.parent == runs_dir().absolute() else shlex.quote(str(run.path))


def failure_sentence(run: RunDir, history: RunHistory) -> str:
    """Return a sentence on a run that failed, was stopped, or whose worker vanished."""
    finished = history.finished
    if finished is None and not run.path.exists():
        return f"{run.id} is gone: its folder was removed while it was running"
    if finished is None and not JOB_KINDS[history.config.kind].has_worker:
        return (
            f"{run.id} was lost: its program vanished (killed, out of memory, or the machine went"
            " down)"
        )
    if finished is None and (how := how_it_ended(run.log_path, history.worker)):
        return f"{run.id} was lost: its worker was {plain(how)}; see {plain(str(run.log_path))}"
    if finished is None:
        return (
            f"{run.id} was lost: its worker vanished (killed, out of memory, or the machine went"
            f" down); see {plain(str(run.log_path))}; `clr-tui resume {name_of(run)}` continues it"
        )
    message = plain(finished.message).strip()
    if finished.outcome == "failed":
        return f"{run.id} failed: {message or f'see {run.log_path}'}"
    if message.startswith("stopped "):  # by SIGTERM
        return f"{run.id} was {message}"
    return f"{run.id} was stopped" + (f": {message}" if message else "")


def follow(
    run: RunDir,
    progress: ProgressLines,
    interrupts: Interrupts,
    *,
    owner: bool,
    quiet: bool = False,
    alerts: Alerts | None = None,
    wall: Callable[[], float] = time.time,
) -> FollowResult:
    """Poll the run's log until its last event, its worker's death, or a signal.

    Args:
        run: the run.
        progress: prints what happens.
        interrupts: already entered.
        owner: see `follow_and_print`.
        quiet: whether to print nothing but why following ends early.
        alerts: told of what happens to the run.
        wall: Unix time, seconds.
    """
    tail = LogTail(run.events_path)
    history = RunHistory(run.config())
    live = run.alive
    stop_sent = False
    if alerts is not None:
        alerts.expect(run.id)
    while True:
        # Checked before the log is read, so that the last lines of a dead worker are not missed.
        alive = run.alive
        batch = tail.poll()
        history.feed(batch)
        if live and not quiet:
            progress.show(history, batch.events)
        if alerts is not None:
            state = status_of(history, alive=alive).state
            alerts.look_at_history(run.id, history, state, wall())
        if history.finished is not None or not alive:
            if alerts is not None:
                state = status_of(history, alive=False).state
                alerts.look_at_history(run.id, history, state, wall())
            _wait_for_lock_release(run, interrupts)
            return FollowResult(history, "finished", live)
        if interrupts.terminated or interrupts.interrupted > (1 if owner else 0):
            progress.end()
            words = "is stopping" if stop_sent else "is still running"
            progress.say(f"{run.id} {words}; `clr-tui attach {name_of(run)}` shows it again")
            return FollowResult(history, "left", live)
        if interrupts.interrupted and not stop_sent:
            stop_sent = True
            _stop(run)
            progress.say(f"stopping {run.id}; press Ctrl-C again to leave without waiting")
        interrupts.wait(POLL_SECONDS)


def _stop(run: RunDir) -> None:
    try:
        send(run, Stop(reason="interrupted at the terminal"))
    except UserError:
        if run.alive:  # else it has just ended: its last event is read next
            raise


def _wait_for_lock_release(run: RunDir, interrupts: Interrupts) -> None:
    """Wait until the worker has released its lock, so that `rm` works right after."""
    waited = 0.0
    while run.alive and waited < WORKER_EXIT_TIMEOUT and not interrupts.terminated:
        interrupts.wait(POLL_SECONDS / 5)
        waited += POLL_SECONDS / 5
