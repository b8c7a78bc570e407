"""TensorBoard's event files, read without TensorBoard."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clr_tui.engine.analysis.foreign.folders import MANY, name_below
from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.logged_event import logged_event, note_event
from clr_tui.engine.analysis.foreign.tensorboard_file import EventFile
from clr_tui.engine.analysis.foreign.tensorboard_folder import (
    EventFolder,
    ReplacedError,
    Scalars,
)
from clr_tui.engine.analysis.foreign.tensorboard_paths import folders_of_runs
from clr_tui.engine.analysis.foreign.tensorboard_scalars import joined
from clr_tui.engine.analysis.foreign.tfrecord import MAX_PAYLOAD
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.words import listed

FORMAT = "TensorBoard"
_PEEK = 1 << 18
"""Bytes of a file that are read to know which names are in it."""
_OF_HPARAMS = re.compile(r"\d{9,}\.\d+")
"""The folder that torch's `add_hparams` makes for each call."""


def open_tensorboard(path: Path, mapping: Mapping) -> list[ForeignLog]:
    """A log for each folder with event files; folders that one `add_scalars` made are one log."""
    if not os.path.isdir(path):
        return [TensorBoardLog(path.name, path, [_Source(EventFolder(path))], mapping)]
    sources: dict[Path, list[_Source]] = {}
    for folder in sorted(folders_of_runs(path, MANY)):
        parents = [parent for parent in folder.parents if parent in sources]
        label = _label(folder, parents[0]) if parents else None
        if label is None:
            sources[folder] = [_Source(EventFolder(folder))]
        else:
            sources[parents[0]].append(_Source(EventFolder(folder), label))
    return [
        TensorBoardLog(name_below(folder, path), folder, parts, mapping)
        for folder, parts in sources.items()
    ]


@dataclass
class _Source:
    folder: EventFolder
    label: str = ""
    """Added to the names of the values in that folder."""

    def restart(self) -> None:
        self.folder = EventFolder(self.folder.path)


class TensorBoardLog:
    """The scalars of a run: a `ForeignLog`."""

    format = FORMAT

    def __init__(self, name: str, path: Path, sources: list[_Source], mapping: Mapping) -> None:
        self.name = name
        self.path = path
        self.settings: dict[str, str] = {}
        """The hyperparameters that the plugin "hparams" was told."""
        self._sources = sources
        self._wanted = frozenset(mapping.y)
        self._said: set[str] = set()
        self._has_returned = False
        self._last = 0.0
        """The time of the last event, Unix time in seconds."""

    def _files(self) -> Iterator[EventFile]:
        for source in self._sources:
            yield from source.folder.files.values()

    def poll(self, limit: int | None = None) -> Batch:
        """See `ForeignLog`."""
        try:
            return self._poll(limit)
        except ReplacedError:
            for source in self._sources:
                source.restart()
            had_returned, self._has_returned = self._has_returned, False
            self._said.clear()
            try:
                batch = self._poll(limit)
            except ReplacedError:  # while it was read: the next poll finds what is there
                return Batch(reset=had_returned)
            batch.reset = had_returned
            return batch

    def _poll(self, limit: int | None) -> Batch:
        batch = Batch()
        warnings: list[str] = []
        start = self._read()
        for source in self._sources:
            found: Scalars = {}
            left = None if limit is None else limit - (self._read() - start)
            batch.more = left is not None and left <= 0
            if batch.more:
                break
            batch.more = source.folder.poll(left, found, warnings)
            batch.events += self._logged(found, source.label)
            if batch.more:
                break
        size = sum(source.folder.size for source in self._sources)
        batch.portion = min(self._read() / size, 1.0) if size else 1.0
        batch.events += self._notes(warnings, batch.more)
        self._has_returned |= bool(batch.events)
        self.settings = {k: v for file in self._files() for k, v in file.reader.settings.items()}
        return batch

    def _read(self) -> int:
        return sum(source.folder.read for source in self._sources)

    def _logged(self, found: Scalars, label: str) -> Iterator[ev.Logged]:
        for tag, chunks in found.items():
            name = tag.decode("utf-8", "replace") + (f"/{label}" if label else "")
            if self._wanted and name not in self._wanted:
                continue
            whole = joined(chunks)
            if np.isfinite(whole.at).any():
                self._last = max(self._last, float(np.nanmax(whole.at)))
            yield logged_event(whole.step, {name: whole.value}, whole.at, self._last)

    def _notes(self, warnings: list[str], more: bool) -> Iterator[ev.Note]:
        """Each comes once."""
        for source in self._sources:
            if (step := source.folder.overlaps_from) is not None:
                warnings.append(
                    f"'{source.folder.path}' has several files with the same steps, from {step} "
                    "on, as after a training that was resumed: the later file's values are shown"
                )
        yield from self._new("warning", warnings)
        if not more and (left_out := self._left_out()):
            sentence = f"only numbers are shown: {listed(left_out)} in '{self.path}' are left out"
            yield from self._new("info", [sentence])

    def _new(self, level: Literal["info", "warning"], sentences: list[str]) -> Iterator[ev.Note]:
        for sentence in sentences:
            kind = level if level == "info" else sentence
            if kind not in self._said:
                self._said.add(kind)
                yield note_event(level, sentence, self._last, self.path)

    def _left_out(self) -> list[str]:
        kinds = {kind for file in self._files() for kind in file.reader.other}
        if any(file.long for file in self._files()):
            kinds.add(f"records of more than {MAX_PAYLOAD // 1000} KB")
        return sorted(kinds)


def _label(folder: Path, parent: Path) -> str | None:
    """What a folder adds to names if it is a part of the run in `parent`; None if it is none.

    `add_scalars("loss", {"train": ...})` writes the name "loss" in a folder "loss_train" (torch) or
    "loss/train" (tensorboardX), `add_hparams` in one that is named by the time.
    """
    inside = str(folder.relative_to(parent))
    if _OF_HPARAMS.fullmatch(inside):
        return ""
    tags = _first_names(folder)
    if len(tags) == 1:
        tag = tags[0].decode("utf-8", "replace")
        for start in (f"{tag}/", tag.replace("/", "_") + "_"):
            if inside.startswith(start) and len(inside) > len(start):
                return inside.removeprefix(start)
    return None


def _first_names(folder: Path) -> list[bytes]:
    found: Scalars = {}
    with suppress(ReplacedError):
        EventFolder(folder).poll(_PEEK, found, [])
    return list(found)
