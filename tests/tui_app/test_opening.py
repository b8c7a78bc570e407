"""`clr-tui attach` and `replay`: a first frame, then what was asked for."""

from __future__ import annotations

import threading

import pytest
from app_helpers import Runs, make_app, until

from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.errors import UserError
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen
from clr_tui.tui.kinds.train.screen import TrainingScreen
from clr_tui.tui.screens.home import HomeScreen
from clr_tui.tui.screens.opening_screen import OpeningScreen


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The screens that painted something, in order, each once in a row."""
    seen: list[type] = []
    paint = ClrTuiApp._display

    def noting(app: ClrTuiApp, screen, renderable) -> None:
        if renderable is not None and seen[-1:] != [type(screen)]:
            seen.append(type(screen))
        paint(app, screen, renderable)

    monkeypatch.setattr(ClrTuiApp, "_display", noting)
    return seen


async def test_a_run_takes_the_place_of_the_first_frame(runs: Runs, monkeypatch, frames) -> None:
    run, _ = runs.sweep("range-test-digits-1", age=10)
    app = make_app(runs.folder, monkeypatch, load=lambda: run)
    async with app.run_test() as pilot:
        await until(pilot, lambda: RangeTestScreen in frames)
        assert frames == [OpeningScreen, RangeTestScreen]
        await pilot.press("escape")
        await until(pilot, lambda: frames[-1] is HomeScreen)
        assert len(app.screen_stack) == 1


async def test_a_recording_opens_at_the_requested_position(runs: Runs, monkeypatch) -> None:
    run, _ = runs.training("train-digits-1", age=10)
    app = make_app(
        runs.folder,
        monkeypatch,
        load=lambda: open_recording(run.path),
        clock=lambda: 0.0,
        start_speed=8,
        start_at=0.5,
    )
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        source = app.screen.source
        assert source.replay
        assert (source.speed, round(source.position, 1)) == (8, 0.5)


@pytest.mark.parametrize("error", [UserError("there is no such run"), ZeroDivisionError("by 0")])
async def test_what_cannot_be_loaded_ends_the_app(runs: Runs, monkeypatch, error) -> None:
    def load() -> None:
        raise error

    app = make_app(runs.folder, monkeypatch, load=load)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.failure is not None)
    assert app.failure is error
    assert not app.is_running


async def test_one_can_leave_while_it_loads(runs: Runs, monkeypatch) -> None:
    run, _ = runs.sweep("range-test-digits-1", age=10)
    enough, begun = threading.Event(), threading.Event()

    def load():
        begun.set()
        enough.wait(60)
        return run

    app = make_app(runs.folder, monkeypatch, load=load)
    async with app.run_test() as pilot:
        await until(pilot, begun.is_set)
        await pilot.press("q")
        await until(pilot, lambda: app._exit)
        enough.set()
    assert app.failure is None
