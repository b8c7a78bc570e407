"""R continues a run whose worker is gone, from the list of runs and from the run's own screen."""

from __future__ import annotations

import pytest
from app_helpers import HOUR, make_app, selected_id, settled, toasts, until

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Resume
from clr_tui.engine.log.rundir import RunDir
from clr_tui.tui import resuming


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Resume]]:
    """The runs whose workers were started, with what these are asked for."""
    asked: list[tuple[str, Resume]] = []
    monkeypatch.setattr(resuming, "launch", lambda run, resume: asked.append((run.id, resume)))
    return asked


async def test_in_the_list_only_runs_that_are_not_done_continue(app, runs, launched):
    _, log = runs.training("train-digits-2", age=HOUR)
    log.write(ev.RunFinished(outcome="done"))
    runs.training("train-digits-1", age=2 * HOUR, epochs=5)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("R")
        await until(pilot, lambda: "train-digits-2 is done" in toasts(app))
        assert not launched
        await pilot.press("down", "R")
        await until(pilot, lambda: launched)
        assert [run for run, _ in launched] == [selected_id(pilot)] == ["train-digits-1"]
        assert launched[0][1] == Resume(reason="asked for on the screen")
        await until(pilot, lambda: "train-digits-1 continues" in toasts(app))


async def test_the_screen_of_a_lost_run_names_the_key(runs, launched, monkeypatch):
    run, _ = runs.training("train-digits-1", age=HOUR, epochs=5)
    app = make_app(runs.folder, monkeypatch, open_run=RunDir(run.path))
    async with app.run_test() as pilot:
        await until(pilot, lambda: "Press R to resume it" in app.screen.failure())
        await pilot.press("R")
        await until(pilot, lambda: launched)
        assert launched == [("train-digits-1", Resume(reason="asked for on the screen"))]
