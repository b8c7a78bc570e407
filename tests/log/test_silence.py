"""When a living run counts as silent: in lists, in titles, by its own pace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.silence import NO_SIGN_SECONDS, SILENT_SECONDS, Pace
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun


def logged(at: float) -> ev.Logged:
    return ev.Logged(time=at, step=[int(at)], values={"loss": [0.5]})


def pace_of(*events: ev.Event) -> Pace:
    pace = Pace()
    for event in events:
        pace.take(event)
    return pace


def silence(pace: Pace, now: float) -> float | None:
    """Of a run whose process lives."""
    pace.take(ev.DeviceUsage(time=now))
    return pace.silence(now)


def test_a_process_without_a_sign_of_life_is_silent_whatever_it_does() -> None:
    """Frozen, or on a host that cannot be reached: also in a pause, and before the first step."""
    for last in (logged(600.0), ev.Paused(time=600.0), ev.DeviceUsage(time=600.0)):
        pace = pace_of(logged(0.0), last)
        assert pace.silence(600 + NO_SIGN_SECONDS - 1) in (None, 629.0)
        assert pace.silence(640.0) == 40.0
    assert pace_of(STARTED).silence(40.0) == 40.0
    assert pace_of(logged(600.0), logged(5.0)).silence(30.0) is None  # the clock was set back


def test_a_run_without_an_event_is_not_silent() -> None:
    assert Pace().silence(1e9) is None


def test_a_minute_without_progress_is_silence() -> None:
    pace = pace_of(logged(0.0), logged(0.25))
    assert silence(pace, SILENT_SECONDS) is None
    assert silence(pace, SILENT_SECONDS + 0.25) == SILENT_SECONDS
    assert silence(pace, 500.25) == 500.0


def test_a_run_that_was_quiet_before_may_be_so_again() -> None:
    """Such as for an evaluation, or for an epoch, after which alone it logs."""
    pace = pace_of(logged(0.0), logged(600.0), logged(600.5))
    assert silence(pace, 600.5 + 1799) is None
    assert silence(pace, 600.5 + 1801) == 1801


def test_the_time_without_a_worker_is_not_its_pace() -> None:
    pace = pace_of(logged(0.0), ev.RunResumed(time=7200.0), logged(7201.0))
    assert silence(pace, 7201 + SILENT_SECONDS) == SILENT_SECONDS


def test_signs_of_life_are_no_progress() -> None:
    pace = pace_of(logged(0.0), *[ev.DeviceUsage(time=float(at)) for at in range(5, 100, 5)])
    assert silence(pace, 100.0) == 100.0
    pace.take(ev.Overall(time=100.0, done=0, failed=0, stopped=0, running=1, total=2, fraction=0.1))
    assert silence(pace, 101.0) == 101.0


def test_a_pause_is_not_silence_however_long() -> None:
    pace = pace_of(logged(0.0), ev.Paused(time=1.0))
    assert silence(pace, 1e6) is None
    pace.take(ev.Continued(time=1e6))
    assert silence(pace, 1e6 + 59) is None
    assert silence(pace, 1e6 + 61) == 61.0  # the pause is no pace


@pytest.fixture
def living(tmp_path: Path) -> Callable[..., RunDir]:
    def make(*events: ev.Event, alive: bool = True) -> RunDir:
        run = create_run(
            tmp_path, task=TaskConfig(data="a", model=""), job=LoggedRun(), version="0"
        )
        times = iter([event.time for event in events])
        writer = EventWriter(run.events_path, clock=lambda: next(times))
        for event in events:
            writer.write(event)
        writer.close()
        if alive:
            locks.append(acquire(run.lock_path))
        return run

    locks: list[int] = []
    yield make  # type: ignore[misc]
    for lock in locks:
        os.close(lock)


STARTED = ev.RunStarted(run="a-1", kind="logged", time=0.0)


def test_a_list_shows_silence_with_its_time(living: Callable[..., RunDir]) -> None:
    run = living(STARTED, logged(1.0), ev.DeviceUsage(time=6.0))
    assert summarise(run, lambda: 30.0).silent_seconds is None
    summary = summarise(run, lambda: 200.0)
    assert (summary.status, summary.silent_seconds) == ("running", 194.0)  # since its last sign
    assert summary.headline == "loss 0.5, step 1"


@pytest.mark.parametrize(
    ("events", "alive"),
    [
        ([STARTED, logged(1.0)], False),
        ([STARTED, logged(1.0), ev.RunFinished(outcome="done", time=2.0)], True),
        ([STARTED, logged(1.0), ev.Paused(time=2.0), ev.DeviceUsage(time=999_990.0)], True),
    ],
)
def test_only_a_run_that_should_get_on_is_silent(
    living: Callable[..., RunDir], events: list[ev.Event], alive: bool
) -> None:
    run = living(*events, alive=alive)
    assert summarise(run, lambda: 1e6).silent_seconds is None
