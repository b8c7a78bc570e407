"""The table of runs: which runs, in which order, and the text of each cell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from clr_tui.engine.log.state import LIVING
from clr_tui.engine.log.summary import RunSummary
from clr_tui.engine.words import plural
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.names import SYMBOLS, model_name


@dataclass(frozen=True)
class RunColumn:
    """A column's name and width in cells (0: takes what is left)."""

    name: str
    width: int
    right: bool = False


def columns_for(width: int) -> tuple[RunColumn, ...]:
    """Return the columns for a table of `width` cells; a wide one has more of them."""
    wide = width >= 110
    columns = [
        RunColumn("kind", 10),
        RunColumn("task", 18 if wide else 12),
        RunColumn("status", 10),
        RunColumn("progress", 13) if wide else RunColumn("done", 6),
        RunColumn("result", 0),
        RunColumn("age", 10, right=True),
    ]
    if wide:
        columns.insert(0, RunColumn("run", 24))
    return tuple(columns)


def is_living(summary: RunSummary) -> bool:
    """Return whether a worker process has the run."""
    return summary.status in LIVING


def living_first(summaries: Iterable[RunSummary]) -> list[RunSummary]:
    """Sort living runs first, then newest first."""
    return sorted(summaries, key=lambda one: (not is_living(one), -one.created, one.id))


def matching(summaries: Iterable[RunSummary], words: str) -> list[RunSummary]:
    """Return the runs whose id, kind, model, task, status or result contain all `words`."""
    wanted = words.casefold().split()
    return [one for one in summaries if all(word in _searchable_text(one) for word in wanted)]


def _searchable_text(summary: RunSummary) -> str:
    parts = (
        summary.id,
        KINDS[summary.kind].title,
        summary.task,
        summary.model,
        summary.status,
        status(summary),
        summary.headline,
        summary.message,
    )
    return " ".join(parts).casefold()


def cell(summary: RunSummary, column: RunColumn, now: float) -> str:
    """Return a cell's plain text, uncut; ages are counted to `now`, Unix time in seconds."""
    if column.name == "run":
        return plain(summary.id)
    if column.name == "kind":
        return "log" if summary.path else KINDS[summary.kind].title
    if column.name == "task":
        return plain(summary.task) if column.width < 16 else task_and_model(summary)
    if summary.path and column.name in ("status", "progress", "done"):
        return ""  # its run may go on: nobody has read it
    if column.name == "status":
        return f"{SYMBOLS[summary.status]} {status(summary)}"
    if column.name in ("progress", "done"):
        return progress(summary.progress, column.width, bar=is_living(summary))
    if column.name == "result":
        return result(summary)
    return numbers.age(now - summary.created)


def task_and_model(summary: RunSummary) -> str:
    """Return `flowers · CNN`, or only the task if it brings its model."""
    parts = [plain(summary.task), model_name(summary.model)]
    return " · ".join(part for part in parts if part)


def status(summary: RunSummary) -> str:
    """Return the state, or that a living run is silent."""
    return summary.status if summary.silent_seconds is None else "silent"


def result(summary: RunSummary) -> str:
    """Return the headline, or why a run failed; first for how long it is silent."""
    if summary.silent_seconds is not None:
        quiet = numbers.silent_words(summary.silent_seconds, summary.host)
        words = quiet.removeprefix("silent ")  # as its status says
        return f"{words}: {plain(summary.headline)}" if summary.headline else words
    if summary.status == "lost" and not summary.message:
        return "the worker vanished"
    wrong = summary.status in ("failed", "lost")
    return plain(summary.message if wrong and summary.message else summary.headline)


def progress(fraction: float | None, width: int, bar: bool = True) -> str:
    """Format progress as a bar and per cent, `━━━━────  45 %`, or as ` 45 %` if narrow."""
    if fraction is None or not math.isfinite(fraction):
        return ""
    fraction = min(max(fraction, 0.0), 1.0)
    # Rounded down: an unfinished run never shows 100 %.
    percent = f"{math.floor(100 * fraction + 1e-9):3d} %"
    room = width - len(percent) - 1
    if room < 4:
        return percent
    if not bar:
        return percent.rjust(width)
    done = math.floor(room * fraction)
    return f"{'━' * done}{'─' * (room - done)} {percent}"


def runs_heading(
    shown: int, summaries: list[RunSummary], words: str, marked: int = 0, logs: int = 0
) -> str:
    """Count the runs, the logs nearby, the active and marked ones, and those that match."""
    total = len(summaries)
    living = sum(map(is_living, summaries))
    text = f"{numbers.count(total)} {plural('run', total)}"
    if logs:
        text += f", {logs} {plural('log', logs)} here"
    if living:
        text += f", {living} active"
    if marked:
        text += f", {marked} marked"
    return text + (f", {numbers.count(shown)} match" if words else "")
