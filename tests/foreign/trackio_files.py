"""Makes databases of Trackio, as trackio lays them out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

NEW = "run_id TEXT NOT NULL, timestamp TEXT NOT NULL, run_name TEXT NOT NULL, step INTEGER NOT NULL"


class Project:
    """A project's database, as trackio lays it out."""

    def __init__(self, path: Path, with_ids: bool = True, journal: str = "wal") -> None:
        self.path = path
        self.with_ids = with_ids
        self.connection = sqlite3.connect(path)
        self.connection.execute(f"PRAGMA journal_mode = {journal}")
        columns = NEW if with_ids else NEW.removeprefix("run_id TEXT NOT NULL, ")
        self.connection.execute(
            f"CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, {columns}, metrics TEXT)"
        )
        run_id = "run_id TEXT, " if with_ids else ""
        self.connection.execute(
            f"CREATE TABLE configs (id INTEGER PRIMARY KEY, {run_id}run_name TEXT, config TEXT)"
        )
        self.connection.commit()

    def log(self, run: str, step: int, metrics: Mapping[str, Any] | str, second: float = 0) -> None:
        time = datetime.fromtimestamp(1.7e9 + second, timezone.utc).isoformat()
        text = metrics if isinstance(metrics, str) else json.dumps(metrics)
        values = (time, run, step, text)
        marks = "?, ?, ?, ?"
        if self.with_ids:
            values, marks = (f"id of {run}", *values), "?, ?, ?, ?, ?"  # type: ignore[assignment]
        names = "run_id, " if self.with_ids else ""
        self.connection.execute(
            f"INSERT INTO metrics ({names}timestamp, run_name, step, metrics) VALUES ({marks})",
            values,
        )
        self.connection.commit()

    def configure(self, run: str, config: Mapping[str, Any]) -> None:
        self.connection.execute(
            f"INSERT INTO configs ({'run_id' if self.with_ids else 'run_name'}, config) "
            "VALUES (?, ?)",
            (f"id of {run}" if self.with_ids else run, json.dumps(config)),
        )
        self.connection.commit()
