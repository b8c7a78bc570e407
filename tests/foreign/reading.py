"""Reads foreign logs in tests, as the screen does."""

from __future__ import annotations

from pathlib import Path

from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog
from clr_tui.engine.analysis.foreign.opening import config_of, open_logs
from clr_tui.engine.analysis.history import RunHistory

Points = dict[str, list[tuple[int, float | None]]]


class Follower:
    """Follows a log into a history."""

    def __init__(self, log: ForeignLog) -> None:
        self.log = log
        self.history = RunHistory(config_of(log))
        self.resets = 0

    def read(self, limit: int | None = None) -> Points:
        """Reads all that is new, `limit` bytes at a time, and returns all that is known."""
        more = True
        while more:
            batch = self.log.poll(limit)
            self.resets += batch.reset
            self.history.feed(batch)
            more = batch.more
        return self.points

    @property
    def points(self) -> Points:
        columns = {name: self.history.logged.column(name) for name in self.history.logged.names}
        return {
            name: [
                (step, value if value == value else None)
                for step, value in zip(column.step.tolist(), column.value.tolist(), strict=True)
            ]
            for name, column in columns.items()
        }

    @property
    def warnings(self) -> list[str]:
        return [note.text for note in self.history.notes if note.level == "warning"]

    @property
    def remarks(self) -> list[str]:
        return [note.text for note in self.history.notes if note.level == "info"]


def follow(*paths: Path) -> dict[str, Follower]:
    """The logs in these paths by name, nothing read yet."""
    return {log.name: Follower(log) for log in open_logs(paths)}


def follow_one(*paths: Path) -> Follower:
    """The only log in these paths."""
    (follower,) = follow(*paths).values()
    return follower
