"""The event files of one folder, read as one log."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from clr_tui.engine.analysis.arrays import Ints
from clr_tui.engine.analysis.foreign.tensorboard_file import EventFile, FilePart
from clr_tui.engine.analysis.foreign.tensorboard_paths import is_event_file
from clr_tui.engine.analysis.foreign.tensorboard_scalars import ScalarChunk
from clr_tui.engine.errors import UserError

_WRITTEN = re.compile(r"tfevents\.(\d+)")
_DIGITS = re.compile(r"(\d+)")
Scalars = dict[bytes, list[ScalarChunk]]


class ReplacedError(Exception):
    """A file that was read is gone or another one: what was returned is void."""


class EventFolder:
    """Reads the event files of a folder, or one file, in the order of the times in their names.

    A training that is resumed writes another file, whose steps may overlap those of the one before:
    the later file's values hold, whichever of the files is read last.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, EventFile] = {}
        """By name, in their order."""
        self.overlaps_from: int | None = None
        """The first step found in more than one file."""
        self._highest: dict[bytes, int] = {}
        """The highest step of each name in all files."""
        self._later: dict[str, dict[bytes, list[Ints]]] = {}
        """Steps read from each file but the first, by the names of the file and of the value."""
        self._unreadable: set[str] = set()

    def poll(self, limit: int | None, found: Scalars, warnings: list[str]) -> bool:
        """Adds what is new to `found`, about `limit` bytes of it; returns whether there is more.

        Raises:
            ReplacedError: see there.
            UserError: a single file cannot be read.
        """
        self._find_files()
        start = self.read
        for name, file in self.files.items():
            left = None if limit is None else limit - (self.read - start)
            if left is not None and left <= 0:
                return True
            part = self._poll_file(name, file, left, warnings)
            warnings += part.warnings
            self._take(name, part, found)
            if part.more:
                return True
        return False

    @property
    def read(self) -> int:
        """Bytes read so far."""
        return sum(file.offset for file in self.files.values())

    @property
    def size(self) -> int:
        """Bytes of all files at the last poll."""
        return sum(file.size for file in self.files.values())

    def _find_files(self) -> None:
        names = sorted(_event_files(self.path), key=_order)
        if not names:  # gone, perhaps for a moment
            return
        known = [name for name, file in self.files.items() if file.offset]
        if known:
            before = names[: names.index(known[-1])] if known[-1] in names else []
            # One that is gone, or a new one that should have been read before another.
            if not set(known) <= set(names) or not set(before) <= self.files.keys():
                raise ReplacedError
        folder = self.path if self.path.is_dir() else self.path.parent
        self.files = {name: self.files.get(name) or EventFile(folder / name) for name in names}

    def _poll_file(
        self, name: str, file: EventFile, limit: int | None, warnings: list[str]
    ) -> FilePart:
        try:
            part = file.poll(limit)
        except FileNotFoundError:
            return FilePart()
        except OSError as error:
            if not self.path.is_dir():
                raise UserError(f"'{self.path}' cannot be read: {error.strerror}") from None
            if name not in self._unreadable:
                self._unreadable.add(name)
                warnings.append(f"'{file.path}' was left out: {error.strerror}")
            return FilePart()
        if part.replaced:
            raise ReplacedError
        return part

    def _take(self, name: str, part: FilePart, found: Scalars) -> None:
        is_first = name == next(iter(self.files))
        later = list(self.files)[list(self.files).index(name) + 1 :] if self._later else []
        for tag, chunk in part.scalars.items():
            lowest, highest = int(chunk.step.min()), int(chunk.step.max())
            if not is_first:
                steps = self._later.setdefault(name, {}).setdefault(tag, [])
                if not steps and lowest <= self._highest.get(tag, -1):
                    self.overlaps_from = min(lowest, self.overlaps_from or lowest)
                steps.append(chunk.step)
            self._highest[tag] = max(highest, self._highest.get(tag, highest))
            kept = _without(chunk, [s for n in later for s in self._later.get(n, {}).get(tag, [])])
            if len(kept.step):
                found.setdefault(tag, []).append(kept)


def _without(chunk: ScalarChunk, steps: list[Ints]) -> ScalarChunk:
    """The scalars of all other steps than these."""
    if not steps:
        return chunk
    kept = ~np.isin(chunk.step, np.concatenate(steps))
    return chunk.rows(kept)


def _event_files(path: Path) -> Iterator[str]:
    try:
        with os.scandir(path) as entries:
            yield from (e.name for e in entries if is_event_file(e.name) and not e.is_dir())
    except NotADirectoryError:
        yield path.name
    except OSError:  # not there at the moment
        return


def _order(name: str) -> tuple[int, list[tuple[int, str]]]:
    """By the time in the name, then by the name, in which numbers count as numbers."""
    written = _WRITTEN.search(name)
    parts = [(int(part) if part.isdigit() else -1, part) for part in _DIGITS.split(name)]
    return int(written[1]) if written else 0, parts
