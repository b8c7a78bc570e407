"""One run in a SQLite database, followed while it is written."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.foreign.logged_event import note_event
from clr_tui.engine.analysis.foreign.sqlite_files import (
    BusyError,
    DamagedError,
    Row,
    reading,
    stamps_of,
)
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.regular import Stamp

_ROWS = 20_000
"""Rows of one query, so that no writer has to wait for long."""
_BYTES_PER_ROW = 100
"""About what a row takes, to turn a number of bytes into rows."""


@contextmanager
def opening(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection with which to look for runs.

    Raises:
        UserError: the database cannot be read.
    """
    try:
        with reading(path) as connection:
            yield connection
    except BusyError as error:
        raise UserError(f"'{path}' cannot be read now: {error}; try it again") from None
    except DamagedError as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}") from None


def distinct(names: Sequence[str], ids: Sequence[str]) -> list[str]:
    """The names, with their ids where several are the same."""
    return [
        f"{name} ({id_[:8]})" if names.count(name) > 1 else name
        for name, id_ in zip(names, ids, strict=True)
    ]


class SqliteLog(ABC):
    """Reads the rows of a run by their rising row numbers: a `ForeignLog`.

    Args:
        path: the database.
        name: of the run, to show.
        mapping: the values to show.
    """

    format = ""

    def __init__(self, path: Path, name: str, mapping: Mapping) -> None:
        self.path = path
        self.name = name
        self.settings: dict[str, str] = {}
        self._wanted = frozenset(mapping.y)
        self._stamps: tuple[Stamp | None, Stamp | None] | None = None
        self._file: int | None = None
        self._restart()

    def _restart(self) -> None:
        self._after = 0
        """The number of the last row that was read."""
        self._said: set[str] = set()
        self._last = 0.0
        """The time of the last event, Unix time in seconds."""

    @abstractmethod
    def _query(self, connection: sqlite3.Connection, after: int, most: int) -> list[Row]:
        """The next rows of this run, their numbers first."""

    @abstractmethod
    def _events(self, rows: list[Row]) -> Iterator[ev.AnyEvent]:
        """What these rows say."""

    @abstractmethod
    def _read_run(self, connection: sqlite3.Connection) -> Iterator[ev.AnyEvent]:
        """Reads the settings, and returns the end of the run if there is one."""

    @abstractmethod
    def _highest(self, connection: sqlite3.Connection) -> int:
        """The highest number of a row of any run."""

    def poll(self, limit: int | None = None) -> Batch:
        """See `ForeignLog`."""
        stamps = stamps_of(self.path)
        if stamps[0] is None or stamps == self._stamps:
            return Batch()
        batch = Batch()
        try:
            self._read(limit, batch, stamps[0])
        except BusyError:
            return batch  # what was read before stays; the rest comes with the next poll
        except DamagedError as error:
            sentence = f"{error}: what could not be read is left out"
            batch.events += self._note("warning", sentence, "file")
        except OSError as error:
            sentence = f"'{self.path}' cannot be read: {error.strerror}"
            batch.events += self._note("warning", sentence, "file")
        self._stamps = None if batch.more else stamps
        return batch

    def _read(self, limit: int | None, batch: Batch, stamp: Stamp) -> None:
        left = None if limit is None else max(limit // _BYTES_PER_ROW, 1)
        with reading(self.path) as connection:
            highest = self._highest(connection)
            if self._after and (stamp[0] != self._file or highest < self._after):
                batch.reset = True
                self._restart()
            self._file = stamp[0]
            while left is None or left > 0:
                most = _ROWS if left is None else min(left, _ROWS)
                rows = self._query(connection, self._after, most)
                if rows:
                    self._after = int(rows[-1][0])
                    batch.events += self._events(rows)
                batch.more = len(rows) == most
                if not batch.more:
                    batch.events += self._read_run(connection)
                    break
                left = None if left is None else left - most
            batch.portion = min(self._after / highest, 1.0) if batch.more and highest else 1.0

    def _note(self, level: Literal["info", "warning"], text: str, kind: str) -> Iterator[ev.Note]:
        """A note, once for its kind."""
        if kind not in self._said:
            self._said.add(kind)
            yield note_event(level, text, self._last, self.path)
