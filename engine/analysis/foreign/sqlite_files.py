"""Reads SQLite databases that other programs write to, without disturbing them.

A connection is held for one short query at a time. Where the database has a write-ahead log that is
empty, it is opened as immutable: SQLite would otherwise put files beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from clr_tui.engine.regular import Stamp, open_regular, stamp_of

if TYPE_CHECKING:
    import sqlite3

MAGIC = b"SQLite format 3\0"
_FORMAT_AT, _WRITE_AHEAD = 18, 2
"""Place and value of the byte that says that there is a write-ahead log."""
_PATIENCE = 0.1
"""Seconds to wait for a writer that has locked the database."""
Row = tuple[Any, ...]


class BusyError(Exception):
    """A writer has locked the database: try again later."""


class DamagedError(Exception):
    """The file is no database, or not a whole one."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to read from; texts come as bytes.

    Raises:
        BusyError: see there.
        DamagedError: see there, also in the block.
        OSError: the file cannot be opened, or is not a regular file.
    """
    import sqlite3  # only where there is a database: the table of formats imports this module

    fd = open_regular(path)
    try:
        head = os.pread(fd, _FORMAT_AT + 1, 0)
    finally:
        os.close(fd)
    if not head.startswith(MAGIC):
        raise DamagedError(f"'{path}' is no SQLite database")
    quiet = head[_FORMAT_AT:] == bytes([_WRITE_AHEAD]) and not _size(write_ahead_log(path))
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if quiet else ''}",
            uri=True,
            timeout=_PATIENCE,
            isolation_level=None,
        )
        try:
            connection.text_factory = bytes
            yield connection
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise BusyError(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise DamagedError(f"'{path}' is damaged: {error}") from error
    except UnicodeDecodeError as error:  # in SQLite's own message about what is damaged
        raise DamagedError(f"'{path}' is damaged") from error


def write_ahead_log(path: Path) -> Path:
    """The file beside a database that holds what is new in it."""
    return path.with_name(path.name + "-wal")


def stamps_of(path: Path) -> tuple[Stamp | None, Stamp | None]:
    """Values that change when a database is written."""
    return stamp_of(path), stamp_of(write_ahead_log(path))


def columns_of(path: Path, table: str) -> set[str]:
    """The names of a table's columns; empty if the file has no such table or is no database.

    Raises:
        BusyError: a writer has locked the database.
    """
    try:
        with reading(path) as connection:
            rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
    except (DamagedError, OSError):
        return set()
    return {text(name) for (name,) in rows}


def text(value: Any) -> str:
    """A value of a column as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _size(path: Path) -> int:
    stamp = stamp_of(path)
    return stamp[1] if stamp else 0
