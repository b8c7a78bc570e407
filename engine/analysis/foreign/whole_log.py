"""Follows a log that is one JSON value, and written anew each time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, Mapping
from clr_tui.engine.analysis.foreign.json_parser import RowParser
from clr_tui.engine.analysis.foreign.json_rows import Columns, Row
from clr_tui.engine.analysis.foreign.mapped import check_mapping
from clr_tui.engine.analysis.foreign.step_counter import CountAnew, Counting
from clr_tui.engine.analysis.foreign.text_log import SETTLED_AFTER
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.regular import Stamp, read_regular, stamp_of

_LONGEST = 512 << 20
"""Bytes."""


class Content(NamedTuple):
    """What a file holds."""

    rows: list[Row]
    settings: dict[str, str]


class WholeLog:
    """One run in a file that is written anew with each change; see `ForeignLog`.

    Rows that were there before are returned once, unless they changed. While a file cannot be
    decoded, because it is being written, what was read before holds.

    Args:
        path: the file or the folder of the run, to show.
        name: the name of the run, to show.
        format: the format, to show.
        find: returns the file to read; None if there is none yet.
        content_of: what a decoded file holds; raises ValueError if it holds no log.
        mapping: which names to take.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        format: str,
        find: Callable[[], Path | None],
        content_of: Callable[[Any], Content],
        mapping: Mapping,
    ) -> None:
        self.path = path
        self.name = name
        self.format = format
        self._find = find
        self._content_of = content_of
        self._mapping = mapping
        self._seen: tuple[Path, Stamp] | None = None
        """The file that was read, and its state then."""
        self._rows: list[Row] = []
        self._parser = RowParser(mapping, Counting())
        self._damage_told = False
        self._notes: list[ev.Note] = []
        self._waiting: Content | None = None
        """Read, but not returned yet."""
        self.settings: dict[str, str] = {}
        with suppress(UserError):  # which the first poll raises
            self._read()

    def poll(self, limit: int | None = None) -> Batch:
        """Returns the rows that are new; see `ForeignLog.poll`. Reads whole files: has no limit.

        Raises:
            UserError: the file cannot be read, or has no column of the mapping.
        """
        self._read()
        if self._waiting is not None and self._seen is not None:
            rows, self._waiting = self._waiting.rows, None
            return self._new(rows, self._seen[1])
        notes, self._notes = self._notes, []
        return Batch(events=[*notes])

    def _read(self) -> None:
        """Reads the file if it changed."""
        path = self._find()
        stamp = None if path is None else stamp_of(path)
        if path is None or stamp is None or (path, stamp) == self._seen:
            return
        try:
            content = self._content_of(decoded(read_regular(path, _LONGEST)))
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(f"cannot read '{path}': {error.strerror}") from error
        except (ValueError, RecursionError):
            self._say_damage(path, stamp)
            return
        self._seen, self._waiting = (path, stamp), content
        self.settings = content.settings

    def _new(self, rows: list[Row], stamp: Stamp) -> Batch:
        """The events of the rows that were not there before."""
        if rows and self._mapping != NO_MAPPING:
            check_mapping(self._mapping, [*Columns(rows).found()])
        before, self._rows = self._rows, rows
        reset = rows[: len(before)] != before
        if reset:
            self._parser = RowParser(self._mapping, Counting())
        try:
            self._parser.add(rows if reset else rows[len(before) :])
        except CountAnew as found:
            reset = bool(before)
            self._count_anew(found.counting)
        batch = self._parser.take_batch(_seconds(stamp))
        batch.reset = reset
        return batch

    def _count_anew(self, counting: Counting) -> None:
        self._parser = RowParser(self._mapping, counting)
        try:
            self._parser.add(self._rows)
        except CountAnew as found:  # at most once for each name that may count
            self._count_anew(found.counting)

    def _say_damage(self, path: Path, stamp: Stamp) -> None:
        """Says once that a file cannot be decoded, if nobody has been writing it for a while."""
        if self._damage_told or time.time() - _seconds(stamp) < SETTLED_AFTER:
            return
        self._damage_told, self._seen = True, (path, stamp)
        text = f"'{path}' is not whole, or no log: what was read of it before is shown"
        self._notes.append(ev.Note(level="warning", text=text, time=_seconds(stamp)))


def decoded(content: bytes) -> Any:
    """The JSON value; NaN and infinities become text. Raises ValueError if it is none."""
    return json.loads(content.decode("utf-8-sig", errors="replace"), parse_constant=str)


def _seconds(stamp: Stamp) -> float:
    """The Unix time of the last change."""
    return stamp[2] / 1e9
