"""When a living run counts as silent: in lists, in titles, by its own pace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.silence import SILENT_SECONDS, Pace
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


def test_a_run_without_an_event_is_not_silent() -> None:
    assert Pace().silence(1e9) is None


def test_a_minute_without_progress_is_silence() -> None:
    pace = pace_of(logged(0.0), logged(0.25))
    assert pace.silence(SILENT_SECONDS) is None
    assert pace.silence(SILENT_SECONDS + 0.25) == SILENT_SECONDS
    assert pace.silence(500.25) == 500.0


def test_a_run_that_was_quiet_before_may_be_so_again() -> None:
    """Such as for an evaluation, or for an epoch, after which alone it logs."""
    pace = pace_of(logged(0.0), logged(600.0), logged(600.5))
    assert pace.silence(600.5 + 1799) is None
    assert pace.silence(600.5 + 1801) == 1801


def test_the_time_without_a_worker_is_not_its_pace() -> None:
    pace = pace_of(logged(0.0), ev.RunResumed(time=7200.0), logged(7201.0))
    assert pace.silence(7201 + SILENT_SECONDS) == SILENT_SECONDS


def test_signs_of_life_are_no_progress() -> None:
    pace = pace_of(logged(0.0), *[ev.DeviceUsage(time=float(at)) for at in range(5, 100, 5)])
    assert pace.silence(100.0) == 100.0
    pace.take(ev.Overall(time=100.0, done=0, failed=0, stopped=0, running=1, total=2, fraction=0.1))
    assert pace.silence(101.0) == 101.0


def test_a_pause_is_not_silence_however_long() -> None:
    pace = pace_of(logged(0.0), ev.Paused(time=1.0))
    assert pace.silence(1e6) is None
    pace.take(ev.Continued(time=1e6))
    assert pace.silence(1e6 + 59) is None
    assert pace.silence(1e6 + 61) == 61.0  # the pause is no pace


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
    assert (summary.status, summary.silent_seconds) == ("running", 199.0)
    assert summary.headline == "loss 0.5, step 1"


@pytest.mark.parametrize(
    ("events", "alive"),
    [
        ([STARTED, logged(1.0)], False),
        ([STARTED, logged(1.0), ev.RunFinished(outcome="done", time=2.0)], True),
        ([STARTED, logged(1.0), ev.Paused(time=2.0)], True),
    ],
)
def test_only_a_run_that_should_get_on_is_silent(
    living: Callable[..., RunDir], events: list[ev.Event], alive: bool
) -> None:
    run = living(*events, alive=alive)
    assert summarise(run, lambda: 1e6).silent_seconds is None
