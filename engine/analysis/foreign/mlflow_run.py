"""A run of MLflow as files: `mlruns/EXPERIMENT/RUN` with a file for each metric."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints
from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.foreign.json_values import finite_or_nan
from clr_tui.engine.analysis.foreign.logged_event import logged_event, note_event
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.line_tail import LineTail
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.regular import Stamp, read_regular, stamp_of
from clr_tui.engine.words import many

FORMAT = "MLflow"
META = "meta.yaml"
METRICS = "metrics"
_MAX_SETTING = 1 << 16
"""Bytes of a file that holds one setting, or what a run is."""
OUTCOMES: dict[str, ev.Outcome] = {
    "3": "done",
    "4": "failed",
    "5": "stopped",
    "FINISHED": "done",
    "FAILED": "failed",
    "KILLED": "stopped",
}
"""By the status in meta.yaml and in the database; the others are not the end of a run."""


@dataclass
class _Metric:
    name: str
    lines: LineTail
    stamp: Stamp | None = None
    portion: tuple[float, int] = field(default=(1.0, 0))
    """The share that was read, and the bytes of the file."""


class MlflowRun:
    """The metric files of a run: a `ForeignLog`."""

    format = FORMAT

    def __init__(self, folder: Path, name: str, mapping: Mapping) -> None:
        self.path = folder
        self.name = name
        self.settings = _parameters(folder / "params")
        self._wanted = frozenset(mapping.y)
        self._restart()

    def _restart(self) -> None:
        self._metrics: dict[str, _Metric] = {}
        self._has_read = False
        self._status = ""
        self._meta_stamp: Stamp | None = None
        self._said: set[str] = set()
        self._last = 0.0

    def poll(self, limit: int | None = None) -> Batch:
        """See `ForeignLog`."""
        batch, begun_again = self._poll(limit)
        if begun_again:
            had_read = self._has_read
            self._restart()
            batch, _ = self._poll(limit)
            batch.reset = had_read
        self._has_read |= bool(batch.events)
        return batch

    def _poll(self, limit: int | None) -> tuple[Batch, bool]:
        """Reads what is new, and whether a file was written again, so that all are void."""
        batch = Batch()
        for name in sorted(_files_below(self.path / METRICS)):
            if name not in self._metrics and (not self._wanted or name in self._wanted):
                self._metrics[name] = _Metric(name, LineTail(self.path / METRICS / name))
        left = limit
        for metric in self._metrics.values():
            stamp = stamp_of(metric.lines.path)
            if stamp is None or stamp == metric.stamp:
                continue
            if left is not None and left <= 0:
                batch.more = True
                break
            try:
                lines = metric.lines.poll(left)
            except UserError as error:
                metric.stamp = stamp
                batch.events += self._warn(metric.name, f"{error.message}, and is left out")
                continue
            if lines.reset:
                return batch, True
            metric.stamp = None if lines.more else stamp
            metric.portion = lines.portion, stamp[1]
            batch.more |= lines.more
            if left is not None:
                left -= sum(map(len, lines.pieces))
            batch.events += self._logged(metric, lines.pieces)
        batch.portion = self._portion()
        if not batch.more:
            batch.events += self._end()
        return batch, False

    def _portion(self) -> float:
        size = sum(size for _, size in (metric.portion for metric in self._metrics.values()))
        read = sum(share * size for share, size in (m.portion for m in self._metrics.values()))
        return read / size if size else 1.0

    def _logged(self, metric: _Metric, pieces: list[bytes]) -> Iterator[ev.AnyEvent]:
        if not pieces:
            return
        step, at, value, bad = _points(b"\n".join(pieces))
        if len(step):
            self._last = max(self._last, float(at.max()))
            yield logged_event(step, {metric.name: value}, at, self._last)
        if bad:
            yield from self._warn(
                metric.name,
                f"left out {many(bad, 'line')} of '{metric.lines.path}' that MLflow "
                "does not write: 'TIMESTAMP VALUE STEP'",
            )

    def _end(self) -> Iterator[ev.AnyEvent]:
        """The end of the run, once, as meta.yaml tells it."""
        stamp = stamp_of(self.path / META)
        if stamp == self._meta_stamp:
            return
        self._meta_stamp = stamp
        status = run_meta(self.path).get("status", "")
        if status != self._status:
            self._status = status
            self.settings = _parameters(self.path / "params")
            if outcome := OUTCOMES.get(status):
                yield ev.RunFinished(outcome=outcome, time=self._last)

    def _warn(self, kind: str, text: str) -> Iterator[ev.Note]:
        if kind not in self._said:
            self._said.add(kind)
            yield note_event("warning", text, self._last, self.path)


def run_meta(folder: Path) -> dict[str, str]:
    """The plain fields of a meta.yaml, as text; empty if it cannot be read."""
    try:
        text = read_regular(folder / META, _MAX_SETTING).decode("utf-8", "replace")
    except OSError:
        return {}
    pairs = (line.partition(": ") for line in text.splitlines() if line[:1].isalpha())
    return {key: value.strip().strip("'\"") for key, _, value in pairs}


def _parameters(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(_files_below(folder)):
        try:
            content = read_regular(folder / name, _MAX_SETTING)
        except OSError:
            continue
        found[name] = content.decode("utf-8", "replace").strip()
    return found


def _files_below(folder: Path) -> Iterator[str]:
    """The files in a folder by their paths in it: `/` in a name makes a folder."""
    for place, _, names in os.walk(folder):
        inside = os.path.relpath(place, folder)
        yield from (name if inside == "." else f"{inside}/{name}" for name in names)


def _points(text: bytes) -> tuple[Ints, Floats, Floats, int]:
    """Steps, Unix times in seconds and values of lines, and how many lines are not like that."""
    fields = text.split()
    count = text.count(b"\n") + 1
    if len(fields) == 3 * count:
        try:
            return (*_columns(fields[0::3], fields[1::3], fields[2::3]), 0)
        except (ValueError, OverflowError):
            pass
    found: list[tuple[bytes, bytes, bytes]] = []
    lines = [line.split() for line in text.split(b"\n") if line.strip()]
    for line in lines:
        parts = [*line, b"0"][:3]
        try:
            _columns(*([part] for part in parts))
        except (ValueError, TypeError, OverflowError):
            continue
        if len(line) in (2, 3, 5):
            found.append((parts[0], parts[1], parts[2]))
    columns = [list(column) for column in zip(*found, strict=True)] or [[], [], []]
    return (*_columns(*columns), len(lines) - len(found))


def _columns(
    times: list[bytes], values: list[bytes], steps: list[bytes]
) -> tuple[Ints, Floats, Floats]:
    """Raises ValueError if a text is no number, OverflowError if it is far beyond any time."""
    value = np.array([float(text) for text in values], np.float64)
    return (
        np.array([_step(text) for text in steps], np.int64),
        np.array([int(text) for text in times], np.float64) / 1000,
        finite_or_nan(value),
    )


def _step(text: bytes) -> int:
    step = int(text)
    if not -(2**63) <= step < 2**63:
        raise ValueError("no step of a training")
    return step
