"""`ls`, `stop` and `rm`, which do not read the curves of runs."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from rich.cells import cell_len

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Stop, send
from clr_tui.engine.log.lock_holders import lock_holders
from clr_tui.engine.log.removal import check_removable, remove_run
from clr_tui.engine.log.rundir import RunDir, find_run, list_runs
from clr_tui.engine.log.summary import RunSummary, summarise
from clr_tui.tui.cli.interrupts import Interrupts
from clr_tui.tui.fitting import padded
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.run_rows import result, status

STOP_DEADLINE = 90.0
"""Seconds that `stop` waits: a worker reacts between steps, and saves a checkpoint first. Longer
than code that does not return is given before its process is ended."""
HEADINGS = ("run", "kind", "task", "status", "progress", "result", "age")
OPTIONAL_COLUMNS = ("kind", "progress", "age", "task")
"""Columns that a narrow terminal leaves out, in this order: ids start with the kind."""
MIN_RESULT_WIDTH = 16
"""Cells of the result column below which another column is left out."""


def summaries_of(runs: Path, wall: Callable[[], float] = time.time) -> list[RunSummary]:
    """Summarise all runs, newest first; `wall` is Unix time."""
    return [summarise(run, wall) for run in list_runs(runs)]


def table(summaries: list[RunSummary], now: float, width: int | None) -> list[str]:
    """Format runs, in the given order, as lines of at most `width` cells (None: no limit).

    Results are truncated first, then columns left out. `now` is Unix time in seconds.
    """
    columns = list(zip(HEADINGS, *(_cells(one, now) for one in summaries), strict=True))
    widths = {column[0]: max(map(cell_len, column)) for column in columns}
    if width is not None:
        _fit(widths, width)
    kept = [
        [padded(cell, widths[column[0]]) for cell in column]
        for column in columns
        if column[0] in widths
    ]
    return ["  ".join(row).rstrip() for row in zip(*kept, strict=True)]


def _fit(widths: dict[str, int], width: int) -> None:
    """Narrow the columns to `width` cells in total, dispensable ones first."""
    leave_out = iter(OPTIONAL_COLUMNS)
    while (over := sum(widths.values()) + 2 * (len(widths) - 1) - width) > 0:
        spare = widths["result"] - MIN_RESULT_WIDTH
        heading = None if over <= spare else next(leave_out, None)
        if heading is not None:
            del widths[heading]
            continue
        for name in ("result", "run"):
            taken = min(over, max(widths[name] - len(name), 0))
            widths[name] -= taken
            over -= taken
        return


def _cells(summary: RunSummary, now: float) -> tuple[str, ...]:
    progress = (
        "" if summary.progress is None else f"{100 * min(max(summary.progress, 0), 1):3.0f} %"
    )
    return (
        plain(summary.id),
        summary.kind,
        plain(", ".join(filter(None, (summary.task, summary.model)))),
        status(summary),
        progress,
        result(summary),
        numbers.age(now - summary.created if summary.created > 0 else None),
    )


def list_text(runs: Path, now: Callable[[], float] = time.time) -> str:
    """Return what `clr-tui ls` prints."""
    summaries = summaries_of(runs, now)
    if not summaries:
        return f"no runs in {plain(str(runs))}; clr-tui range-test starts one"
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return "\n".join(table(summaries, now(), width))


def list_object(runs: Path) -> dict[str, Any]:
    """Return what `clr-tui ls --json` prints."""
    return {"runs_dir": str(runs), "runs": [summary_object(one) for one in summaries_of(runs)]}


def summary_object(summary: RunSummary) -> dict[str, Any]:
    """Convert a summary to plain types, with its id under `run` as everywhere."""
    fields: dict[str, Any] = msgspec.to_builtins(summary)
    return {"run": fields.pop("id"), **fields}


def stop(
    runs: Path,
    name: str,
    interrupts: Interrupts,
    *,
    deadline: float = STOP_DEADLINE,
    clock: Callable[[], float] = time.monotonic,
) -> RunSummary | None:
    """Ask a run to stop and wait until its worker has ended.

    Returns:
        The ended run; None if it has not ended within `deadline` seconds or a signal came first.

    Raises:
        UserError: there is no such run, or it is not running.
    """
    run = find_run(runs, name)
    if not run.alive:
        raise UserError(f"{run.id} is not running: its status is {summarise(run).status}")
    send(run, Stop(reason="asked by clr-tui stop"))
    until = clock() + deadline
    while RunDir(run.path).alive:
        if clock() > until or interrupts.interrupted or interrupts.terminated:
            return None
        interrupts.wait(0.1)
    return summarise(run)


def after_deadline(runs: Path, name: str) -> str:
    """Return what to do about a run that does not stop, as its code is beyond its worker's reach.

    Raises:
        UserError: there is no such run any more.
    """
    found = lock_holders(find_run(runs, name).lock_path)
    if not found:  # on another machine, or of another user
        return "check clr-tui ls later"
    return f"kill -9 {' '.join(map(str, found))} ends it without another word in its log"


def remove(runs: Path, name: str, *, yes: bool) -> tuple[RunDir, list[str]] | None:
    """Remove a run that has ended, after asking for confirmation.

    Returns:
        The removed run and the files kept in its folder; None if the answer was no.

    Raises:
        UserError: there is no such run, it is running, or nobody can be asked.
    """
    run = find_run(runs, name)
    if run.path.resolve() == runs.resolve():
        raise UserError(f"'{runs}' is the folder of all runs: name one run in it")
    check_removable(run)
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise UserError(f"there is no terminal to ask before removing {run.id}; give --yes")
        print(
            f"remove {plain(run.id)} with its log and checkpoints? [y/N] ", end="", file=sys.stderr
        )
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if answer.strip().lower() not in ("y", "yes"):
            start = "" if answer else "\n"  # Ctrl-D leaves the cursor after the question
            print(f"{start}{plain(run.id)} was not removed", file=sys.stderr)
            return None
    return run, remove_run(run)
