"""Sources of events for run screens: a growing log, ours or another tool's, or a recording.

The screen polls either for a `Batch`, so that live view, attach and replay share one path. A single
trial of a comparison is a filtered source.
"""

from __future__ import annotations

import bisect
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from clr_tui.tui.recorded_times import recorded_times

if TYPE_CHECKING:
    from pathlib import Path

    from clr_tui.engine.analysis.foreign.foreign_log import ForeignLog
    from clr_tui.engine.log.events import AnyEvent
    from clr_tui.engine.log.rundir import RunDir
    from clr_tui.engine.log.tail import Batch
    from clr_tui.engine.settings.config import RunConfig

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, math.inf)


class Source(Protocol):
    """Events that a run screen polls."""

    @property
    def live(self) -> bool:
        """Whether a worker may still write."""

    @property
    def replay(self) -> bool:
        """Whether this is a recording."""

    @property
    def output(self) -> Path | None:
        """The worker's own output; None if the recording is not a run's folder."""

    @property
    def path(self) -> Path | None:
        """The file or folder of the log, by which its view is remembered; None: it is not."""

    def poll(self) -> Batch:
        """Returns new events since the last poll; never blocks."""


class NamedSource(NamedTuple):
    """A run that is shown together with others."""

    name: str
    """To show; unique among them."""
    source: Source
    config: RunConfig


class LiveSource:
    """A run's log, followed while it grows.

    Args:
        run: the run, live or ended.
        limit: bytes per poll, so that the screen stays responsive while a long log is read.
    """

    replay = False

    def __init__(self, run: RunDir, limit: int = 1 << 20) -> None:
        from clr_tui.engine.log.tail import LogTail

        self.run = run
        self.output = run.log_path
        self.path = run.path
        self._tail = LogTail(run.events_path)
        self._limit = limit

    @property
    def live(self) -> bool:
        """Whether the run's worker is alive."""
        return self.run.alive

    def poll(self) -> Batch:
        """Reads what the worker has written since the last poll."""
        return self._tail.poll(self._limit)


class ForeignSource:
    """The log of another tool, followed while it grows.

    Args:
        log: the log.
        first: what was read of it before, if anything.
        limit: bytes per poll, as in `LiveSource`.
    """

    replay = False
    output = None

    def __init__(self, log: ForeignLog, first: Batch | None = None, limit: int = 1 << 20) -> None:
        self.log = log
        self.path = log.path
        self._first = first
        self._limit = limit

    @property
    def live(self) -> bool:
        """Whether it may still grow: always, as far as anybody can see."""
        return True

    def poll(self) -> Batch:
        """Reads what is new since the last poll."""
        if self._first is not None:
            batch, self._first = self._first, None
            return batch
        return self.log.poll(self._limit)


class TrialFilter:
    """Keeps run-level events and one trial's, up to its end, after which it adds `run-finished`."""

    def __init__(self, trial: int) -> None:
        self.trial = trial
        self.ended = False

    def take(self, events: Sequence[AnyEvent]) -> list[AnyEvent]:
        """Filters the next events, in order."""
        from clr_tui.engine.log import events as ev

        kept: list[AnyEvent] = []
        for event in events:
            if isinstance(event, ev.PoolReady | ev.RateChosen | ev.Overall):
                continue
            if getattr(event, "trial", self.trial) != self.trial:
                continue
            if isinstance(event, ev.Resumed):
                self.ended = False
            if self.ended:
                continue
            kept.append(event)
            if isinstance(event, ev.TrialFinished):
                self.ended = True
                kept.append(
                    ev.RunFinished(
                        seq=event.seq,
                        time=event.time,
                        outcome=event.outcome,
                        message=event.reason,
                        traceback=event.traceback,
                    )
                )
        return kept


class TrialSource:
    """Trial number `trial` of a comparison, live or not; `source` must have no other reader."""

    replay = False

    def __init__(self, source: Source, trial: int) -> None:
        self._source = source
        self.output = source.output
        self.path = None
        self._filter = TrialFilter(trial)

    @property
    def live(self) -> bool:
        """Whether the run's worker is alive."""
        return self._source.live

    def poll(self) -> Batch:
        """Returns the trial's new events since the last poll."""
        batch = self._source.poll()
        if batch.reset:
            self._filter = TrialFilter(self._filter.trial)
        return replace(batch, events=self._filter.take(batch.events))


class ReplaySource:
    """Recorded events, released at their recorded times.

    Args:
        recorded: the whole recording, in order. The reader's counts (corrupt lines, unknown types,
            a newer schema) have no time, so they are in the first batch.
        clock: a monotonic clock, seconds.
        speed: 1 is real time; `math.inf` releases everything at once.
        at: where to start, 0 to 1 of the recorded time.
        output: the `worker.log` of the recorded run, if there is one.
        path: the log, by which its view is remembered.
    """

    replay = True
    live = False

    def __init__(
        self,
        recorded: Batch,
        clock: Callable[[], float] = time.monotonic,
        *,
        speed: float = 1.0,
        at: float = 0.0,
        output: Path | None = None,
        path: Path | None = None,
    ) -> None:
        self.output = output
        self.path = path
        self._recorded = recorded
        self._events = recorded.events
        self._due = recorded_times(self._events)
        self._clock = clock
        self._given = 0
        self._reset = False
        self._counted = False
        self.speed = speed
        self.playing = True
        self._place = 0.0
        self._since = clock()
        self.seek(at)

    @property
    def seconds(self) -> float:
        """Duration of the recording, seconds."""
        return self._due[-1] if self._due else 0.0

    @property
    def elapsed(self) -> float:
        """Seconds of the recording that have been played."""
        if not self.playing:
            return self._place
        if math.isinf(self.speed):
            return self.seconds
        gone = max(self._clock() - self._since, 0.0)
        return min(self._place + gone * self.speed, self.seconds)

    @property
    def position(self) -> float:
        """Position of the replay, 0 to 1."""
        return self.elapsed / self.seconds if self.seconds > 0 else 1.0

    @property
    def finished(self) -> bool:
        """Whether all events have been released."""
        return self._given == len(self._events)

    def poll(self) -> Batch:
        """Returns the events now due; starts over (`reset`) after seeking back."""
        from clr_tui.engine.log.tail import Batch

        now = self.elapsed
        due = bisect.bisect_right(self._due, now)
        events = self._events[self._given : due]
        reset, self._reset = self._reset, False
        self._given = max(due, self._given)
        if self.playing and now >= self.seconds:
            self.pause()
        batch = Batch(events=events, reset=reset)
        if reset or not self._counted:
            self._counted = True
            batch.corrupt = self._recorded.corrupt
            batch.missing = self._recorded.missing
            batch.unknown = self._recorded.unknown.copy()
            batch.newer_schema = self._recorded.newer_schema
        return batch

    def of_trial(self, trial: int) -> ReplaySource:
        """Returns a replay of one trial, at the same position and speed."""
        only = TrialFilter(trial)
        kept = [
            (event, due)
            for given, due in zip(self._events, self._due, strict=True)
            for event in only.take([given])
        ]
        recorded = replace(self._recorded, events=[event for event, _ in kept])
        source = ReplaySource(recorded, self._clock, speed=self.speed, output=self.output)
        source._due = [due for _, due in kept]
        source.playing = self.playing
        source._hold(min(self.elapsed, source.seconds))
        return source

    def play(self) -> None:
        """Continues, from the start if it was at the end."""
        if self.playing:
            return
        if self._place >= self.seconds:
            self.seek(0.0)
        self._since = self._clock()
        self.playing = True

    def pause(self) -> None:
        """Pauses."""
        self._hold(self.elapsed)
        self.playing = False

    def toggle(self) -> None:
        """Plays or pauses."""
        (self.pause if self.playing else self.play)()

    def seek(self, fraction: float) -> None:
        """Jumps to `fraction` (clamped to 0 to 1) of the recorded time."""
        place = min(max(fraction, 0.0), 1.0) * self.seconds
        if bisect.bisect_right(self._due, place) < self._given:
            self._given = 0
            self._reset = True
        self._hold(place)

    def faster(self) -> None:
        """Doubles the speed, up to infinite."""
        self._set_speed(next((s for s in SPEEDS if s > self.speed), SPEEDS[-1]))

    def slower(self) -> None:
        """Halves the speed, down to a quarter."""
        self._set_speed(next((s for s in reversed(SPEEDS) if s < self.speed), SPEEDS[0]))

    def _set_speed(self, speed: float) -> None:
        self._hold(self.elapsed)
        self.speed = speed

    def _hold(self, place: float) -> None:
        self._place = place
        self._since = self._clock()
