"""MLflow's databases (`mlflow.db`), where it keeps runs unless it is told to use files.

Source: mlflow/store/tracking/dbmodels/models.py of MLflow 3.17.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.json_values import finite_or_nan
from clr_tui.engine.analysis.foreign.logged_event import logged_event
from clr_tui.engine.analysis.foreign.mlflow_run import FORMAT, OUTCOMES
from clr_tui.engine.analysis.foreign.sqlite_files import Row, text
from clr_tui.engine.analysis.foreign.sqlite_log import SqliteLog, distinct, opening
from clr_tui.engine.log import events as ev

_LARGEST = 1.7976931348623157e308
"""How MLflow stores infinity."""


def runs_in(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """The runs in a database that were not deleted, in the order of their starts.

    Raises:
        UserError: the database cannot be read.
    """
    with opening(path) as connection:
        rows = connection.execute(
            "SELECT run_uuid, runs.name, experiments.name FROM runs LEFT JOIN experiments "
            "USING (experiment_id) WHERE runs.lifecycle_stage = 'active' ORDER BY start_time"
        ).fetchall()
    several = len({experiment for _, _, experiment in rows}) > 1
    names = [
        (f"{text(experiment)}/" if several and experiment else "") + text(name or run)
        for run, name, experiment in rows
    ]
    ids = [text(run) for run, _, _ in rows]
    return [
        MlflowDatabaseRun(path, name, mapping, run)
        for name, run in zip(distinct(names, ids), ids, strict=True)
    ]


class MlflowDatabaseRun(SqliteLog):
    """One run in a database: a `ForeignLog`."""

    format = FORMAT

    def __init__(self, path: Path, name: str, mapping: Mapping, run: str) -> None:
        super().__init__(path, name, mapping)
        self._run = run
        self._status = ""

    def _highest(self, connection: sqlite3.Connection) -> int:
        query = "SELECT IFNULL(MAX(rowid), 0) FROM metrics"
        return int(connection.execute(query).fetchone()[0])

    def _query(self, connection: sqlite3.Connection, after: int, most: int) -> list[Row]:
        # With "+" SQLite goes by the number of the row, not by an index, which it would sort.
        return connection.execute(
            "SELECT rowid, key, value, timestamp, step, is_nan FROM metrics "
            "WHERE rowid > ? AND +run_uuid = ? ORDER BY rowid LIMIT ?",
            (after, self._run, most),
        ).fetchall()

    def _events(self, rows: list[Row]) -> Iterator[ev.AnyEvent]:
        by_name: dict[bytes, list[Row]] = {}
        for row in rows:
            by_name.setdefault(row[1], []).append(row)
        for key, those in by_name.items():
            name = text(key)
            if self._wanted and name not in self._wanted:
                continue
            value = np.array([np.nan if row[5] else row[2] for row in those], np.float64)
            value[np.abs(value) >= _LARGEST] = np.nan
            at = np.array([row[3] for row in those], np.float64) / 1000
            step = np.array([row[4] for row in those], np.int64)
            self._last = max(self._last, float(at.max()))
            yield logged_event(step, {name: finite_or_nan(value)}, at, self._last)

    def _read_run(self, connection: sqlite3.Connection) -> Iterator[ev.AnyEvent]:
        query = "SELECT key, value FROM params WHERE run_uuid = ? ORDER BY rowid"
        found = connection.execute(query, (self._run,)).fetchall()
        self.settings = {text(key): text(value) for key, value in found}
        query = "SELECT status FROM runs WHERE run_uuid = ?"
        (status,) = connection.execute(query, (self._run,)).fetchone() or (b"",)
        if text(status) != self._status:
            self._status = text(status)
            if outcome := OUTCOMES.get(self._status):
                yield ev.RunFinished(outcome=outcome, time=self._last)
