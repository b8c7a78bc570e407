"""What the grid of charts looks like, at the smallest size, at a small and at a large one."""

from __future__ import annotations

import asyncio

import pytest
from logged_runs import Hurrying, app_together, three_runs
from run_logs import app_of

from clr_tui.tui.kinds.logged.grid_screen import GridScreen
from clr_tui.tui.screens.help import HelpScreen

SIZES = {"40x12": (40, 12), "80x24": (80, 24), "160x44": (160, 44)}
size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
STATES = {
    "waiting": lambda log: log.live(),
    "running": lambda log: log.live().begin().logs(400, more=4),
    "done": lambda log: log.begin().logs(more=4).ends(),
    "failed": lambda log: log.begin().logs(240).ends("failed", "The disk is full."),
}


async def settle(pilot) -> None:
    """Until the logs are read, and sizes and what depends on them are right."""
    while not isinstance(pilot.app.screen, GridScreen | HelpScreen):
        await asyncio.sleep(0.01)
    for _ in range(4):
        await pilot.pause()
        if isinstance(pilot.app.screen, GridScreen):
            pilot.app.screen.poll()
    await pilot.pause()


def keys(*names: str):
    """What to do before a snapshot: press these keys."""

    async def pressed(pilot) -> None:
        await settle(pilot)
        await pilot.press(*names)
        await settle(pilot)

    return pressed


@size
@pytest.mark.parametrize("state", STATES)
def test_a_run_alone(snap_compare, own_log, state, size) -> None:
    app = app_of(STATES[state](own_log), clock=Hurrying())
    assert snap_compare(app, terminal_size=size, run_before=keys())


@size
def test_an_enlarged_chart(snap_compare, own_log, size) -> None:
    app = app_of(STATES["done"](own_log))
    assert snap_compare(app, terminal_size=size, run_before=keys("enter"))


@size
def test_the_cursor_in_all_charts(snap_compare, own_log, size) -> None:
    app = app_of(STATES["done"](own_log))
    assert snap_compare(app, terminal_size=size, run_before=keys("i", "right"))


@size
def test_a_part_of_x_in_all_charts(snap_compare, own_log, size) -> None:
    app = app_of(STATES["done"](own_log))
    assert snap_compare(app, terminal_size=size, run_before=keys("z", "up", "up", "left"))


@size
def test_a_filter(snap_compare, own_log, size) -> None:
    app = app_of(STATES["done"](own_log))
    assert snap_compare(app, terminal_size=size, run_before=keys("slash", *"class !3"))


@size
def test_several_runs(snap_compare, tmp_path, size) -> None:
    app = app_together(three_runs(tmp_path / "runs"))
    assert snap_compare(app, terminal_size=size, run_before=keys())


@size
def test_several_runs_with_the_cursor(snap_compare, tmp_path, size) -> None:
    app = app_together(three_runs(tmp_path / "runs"))
    assert snap_compare(app, terminal_size=size, run_before=keys("i"))


def test_the_load_of_the_machine(snap_compare, own_log) -> None:
    app = app_of(own_log.begin().logs(200).is_busy().ends())
    assert snap_compare(app, terminal_size=(160, 44), run_before=keys("d"))


def test_many_charts(snap_compare, own_log) -> None:
    app = app_of(own_log.begin().logs(more=12).ends())
    assert snap_compare(app, terminal_size=(160, 44), run_before=keys("m", "m", "m"))


def test_help(snap_compare, own_log) -> None:
    app = app_of(STATES["done"](own_log))
    assert snap_compare(app, terminal_size=(80, 24), run_before=keys("question_mark"))


def test_several_runs_on_light(snap_compare, tmp_path) -> None:
    app = app_together(three_runs(tmp_path / "runs"))

    async def lighten(pilot) -> None:
        pilot.app.theme = "clr-light"
        await settle(pilot)

    assert snap_compare(app, terminal_size=(160, 44), run_before=lighten)


def test_several_runs_without_colour(snap_compare, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_together(three_runs(tmp_path / "runs"))
    assert snap_compare(app, terminal_size=(160, 44), run_before=keys())
