"""`watch` without a screen: what logs hold now, or line by line as they grow."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from json import dumps
from typing import Any

from rich.cells import cell_len

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.foreign_recording import fitting_kind
from clr_tui.engine.analysis.recordings.logged_comparison import LoggedValues
from clr_tui.engine.analysis.report import report_of, to_json
from clr_tui.engine.by_name import named
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.tui.alerts import Alerts
from clr_tui.tui.cli.interrupts import Interrupts
from clr_tui.tui.cli.printing import print_result, printed_width
from clr_tui.tui.cli.progress import ProgressLines
from clr_tui.tui.fitting import padded, truncate
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.sources import NamedSource
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.status import (
    SILENT_SECONDS,
    Status,
    notices,
    offer_words,
    silence_of,
    status_of,
)

POLL_SECONDS = 0.25
DONE, FAILED, INTERRUPTED, TERMINATED = 0, 1, 130, 143


def watch(
    found: Sequence[NamedSource],
    interrupts: Interrupts,
    *,
    follow: bool,
    json: bool,
    alerts: Alerts | None = None,
    wall: Callable[[], float] = time.time,
) -> int:
    """Print the results of logs, and before that what comes while they grow.

    Args:
        found: the logs.
        interrupts: already entered; a signal ends following.
        follow: whether to follow the logs until all have ended or a signal comes.
        json: whether to print one JSON object instead of text.
        alerts: told of what happens to the runs.
        wall: Unix time, seconds.

    Returns:
        0; 1 if a run failed or was lost; 130 after Ctrl-C, 143 after SIGTERM.
    """
    several = len(found) > 1
    in_place = not several and sys.stderr is not None and sys.stderr.isatty()
    logs = [_Log(one, f"{one.name}: " if several else "", in_place) for one in found]
    for log in logs:
        log.read()
        if follow:
            log.begin()
    while follow and any(log.live for log in logs):
        if interrupts.interrupted or interrupts.terminated:
            break
        for log in logs:
            log.follow(wall())
            if alerts is not None:
                log.look(alerts, wall())
        interrupts.wait(POLL_SECONDS)
    for log in logs:
        log.end()
    if not json:
        _say_more(logs, wall())
    if json:
        print(dumps({"runs": [log.as_json(wall()) for log in logs]}, indent=2, allow_nan=False))
    elif several:
        print("\n".join(_table(logs, wall())))
    else:
        print_result(logs[0].history, alive=logs[0].live, json=False)
    if interrupts.terminated:
        return TERMINATED
    if interrupts.interrupted:
        return INTERRUPTED
    return FAILED if any(log.status().state in ("failed", "lost") for log in logs) else DONE


def _say_more(logs: Sequence[_Log], now: float) -> None:
    """Say whether a single log of another tool grows, and what else logs could be shown as."""
    if len(logs) == 1:
        logs[0].say_state(now)
    if all(log.history.config.foreign for log in logs):
        values = [LoggedValues(log.name, log.history.logged) for log in logs]
        if words := offer_words(fitting_kind(values)):
            ProgressLines(sys.stderr, in_place=False).say(f"note: {words}")


class _Log:
    """A log that is read, and followed."""

    def __init__(self, watched: NamedSource, prefix: str, in_place: bool) -> None:
        self.name = watched.name
        self.history = RunHistory(watched.config)
        self._source = watched.source
        self._progress = ProgressLines(sys.stderr, in_place=in_place, prefix=prefix)
        self._was_silent = False

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return self._source.live and self.history.finished is None

    def status(self, now: float | None = None) -> Status:
        """Its state, at a Unix time in seconds."""
        return status_of(self.history, alive=self._source.live, now=now)

    def read(self) -> None:
        """Reads all that is there."""
        more = True
        while more:
            batch = self._source.poll()
            self.history.feed(batch)
            more = batch.more

    def begin(self) -> None:
        """Prints how far it is."""
        self._progress.start(self.history)

    def follow(self, now: float) -> None:
        """Reads what is new and prints it; says when the log falls silent."""
        batch = self._source.poll()
        self.history.feed(batch)
        if batch.events:
            self._progress.show(self.history, batch.events)
        silent = silence_of(self.history, now) >= SILENT_SECONDS
        if silent and not self._was_silent and self.live and self.history.config.foreign:
            self._progress.say(self.status(now).words)
        self._was_silent = silent

    def look(self, alerts: Alerts, now: float) -> None:
        """Tells what has happened."""
        alerts.look_at_history(self.name, self.history, self.status().state, now)

    def say_state(self, now: float) -> None:
        """Says whether the log of another tool grows."""
        if self.history.config.foreign and self.live:
            self._progress.say(self.status(now).words)

    def end(self) -> None:
        """Says what the user should know about the log."""
        self._progress.end()
        for notice in notices(self.history):
            self._progress.say(f"note: {notice}")

    def as_json(self, now: float) -> dict[str, Any]:
        """The result so far, and for how long nothing has come."""
        silence = silence_of(self.history, now) if self.live else None
        return {**to_json(report_of(self.history, live=self.live)), "silent_seconds": silence}

    def what(self) -> str:
        """The format of the log, or the kind of our run."""
        config, kind = self.history.config, KINDS[self.history.config.kind]
        if not config.foreign:
            return kind.title
        return plain(" ".join(kind.load_display().title(config, self.history)))

    def headline(self) -> str:
        """The result so far in a few words."""
        place = JOB_KINDS[self.history.config.kind].headline
        return str(named(place)(self.history)) if place and self.history.has_results else ""


def _table(logs: Sequence[_Log], now: float) -> list[str]:
    """A row for each log, at most as wide as what is printed."""
    rows = [("run", "what", "state", "result")]
    for log in logs:
        rows.append((plain(log.name), log.what(), log.status(now).words, plain(log.headline())))
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(padded, row, widths)).rstrip() for row in rows)
    return [truncate(line, printed_width()) for line in lines]
