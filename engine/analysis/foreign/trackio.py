"""Trackio's databases, one for each project, with a row for each call of `trackio.log`.

Source: trackio/sqlite_storage.py of trackio 0.43, and older layouts without run ids.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.database_paths import databases
from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.json_values import finite_or_nan, flat_settings
from clr_tui.engine.analysis.foreign.logged_rows import LoggedRows
from clr_tui.engine.analysis.foreign.sqlite_files import Row, columns_of, text
from clr_tui.engine.analysis.foreign.sqlite_log import SqliteLog, distinct, opening
from clr_tui.engine.log import events as ev
from clr_tui.engine.words import many

FORMAT = "Trackio"
_NOT_FINITE = {"NaN", "Infinity", "-Infinity"}
"""How trackio writes numbers that JSON does not have."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def open_trackio(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """A log for each run of a project's database, or of all projects in a folder.

    Raises:
        UserError: a database cannot be read.
    """
    projects = databases(path, "trackio")
    logs = [run for project in projects for run in _runs_in(project, mapping)]
    if len(projects) > 1:
        for log in logs:
            log.name = f"{log.path.stem}/{log.name}"
    return [*logs]


def _runs_in(path: Path, mapping: Mapping) -> list[TrackioRun]:
    """The runs of a project, in the order of their first rows."""
    has_ids = "run_id" in columns_of(path, "metrics")
    key = "run_id" if has_ids else "run_name"
    with opening(path) as connection:
        query = f"SELECT {key}, run_name, MIN(id) FROM metrics GROUP BY {key} ORDER BY 3"
        rows = connection.execute(query).fetchall()
    runs = [text(run) for run, _, _ in rows]
    names = distinct([text(name) for _, name, _ in rows], runs)
    return [
        TrackioRun(path, name, mapping, key, run) for run, name in zip(runs, names, strict=True)
    ]


class TrackioRun(SqliteLog):
    """One run of a project: a `ForeignLog`."""

    format = FORMAT

    def __init__(self, path: Path, name: str, mapping: Mapping, key: str, run: str) -> None:
        super().__init__(path, name, mapping)
        self._key = key
        self._run = run

    def _highest(self, connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT IFNULL(MAX(id), 0) FROM metrics").fetchone()[0])

    def _query(self, connection: sqlite3.Connection, after: int, most: int) -> list[Row]:
        # With "+" SQLite goes by the number of the row, not by an index, which it would sort.
        return connection.execute(
            f"SELECT id, timestamp, step, metrics FROM metrics "
            f"WHERE id > ? AND +{self._key} = ? ORDER BY id LIMIT ?",
            (after, self._run, most),
        ).fetchall()

    def _events(self, rows: list[Row]) -> Iterator[ev.AnyEvent]:
        step = np.array([row[2] for row in rows], np.int64)
        at = np.array([_unix(row[1]) for row in rows])
        if np.isfinite(at).any():
            self._last = max(self._last, float(np.nanmax(at)))
        columns, no_numbers, damaged = _columns([row[3] for row in rows])
        shown = {
            name: column
            for name, column in columns.items()
            if not self._wanted or name in self._wanted
        }
        logged = LoggedRows()
        logged.add(step, at, shown)
        yield from logged.take_batch("step", self._last).events
        if no_numbers:
            text = f"only numbers are shown: values of {no_numbers} in '{self.path}' are none"
            yield from self._note("info", text, "no numbers")
        if damaged:
            text = f"'{self.path}' is damaged: left out {many(damaged, 'row')}"
            yield from self._note("warning", text, "rows")

    def _read_run(self, connection: sqlite3.Connection) -> Iterator[ev.AnyEvent]:
        try:
            found = connection.execute(
                f"SELECT config FROM configs WHERE {self._key} = ? ORDER BY id DESC LIMIT 1",
                (self._run,),
            ).fetchone()
        except sqlite3.OperationalError:  # a project without settings may have no such table
            found = None
        if found:
            with suppress(msgspec.DecodeError):
                config = {k: v for k, v in _decode(found[0]).items() if not k.startswith("_")}
                self.settings = flat_settings("", config) if config else {}
        return iter(())


def _columns(texts: list[bytes]) -> tuple[dict[str, tuple[Ints, Floats]], str, int]:
    """Of rows of JSON: the values by name, a name of others than numbers, and damaged rows."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    no_numbers, damaged = "", 0
    for row, content in enumerate(texts):
        try:
            values = _decode(content)
        except msgspec.DecodeError:
            damaged += 1
            continue
        for name, value in values.items():
            number = _number(value)
            if number is not None:
                rows, numbers = found.setdefault(name, ([], []))
                rows.append(row)
                numbers.append(number)
            elif value is not None:
                no_numbers = no_numbers or name
    columns = {
        name: (np.array(rows), finite_or_nan(np.array(numbers, np.float64)))
        for name, (rows, numbers) in found.items()
    }
    return columns, no_numbers, damaged


def _number(value: object) -> float | None:
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return math.nan if isinstance(value, str) and value in _NOT_FINITE else None


@lru_cache(maxsize=1 << 12)  # rows that are written together have one time
def _unix(timestamp: bytes) -> float:
    """Unix time in seconds of an ISO time, NaN if it is none; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(text(timestamp).replace("Z", "+00:00"))
    except ValueError:
        return math.nan
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
