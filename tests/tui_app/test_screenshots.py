"""Pictures of home and form, compared with those of before."""

from __future__ import annotations

import pytest
from app_helpers import make_app, settled, until
from textual.widgets import Input

from clr_tui.tui.screens import help as help_screen
from clr_tui.tui.screens.new_run import FormRow, NewRunScreen

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 44)], ids=["80x24", "160x44"])
THEMES = pytest.mark.parametrize("theme", ["clr-dark", "clr-light"])


@SIZES
def test_no_runs(snap_compare, app, size) -> None:
    async def ready(pilot) -> None:
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=ready)


@SIZES
@THEMES
def test_runs_of_every_status(snap_compare, app, mixed, size, theme) -> None:
    async def ready(pilot) -> None:
        app.theme = theme
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=ready)


@SIZES
def test_a_failed_run_is_selected(snap_compare, app, mixed, size) -> None:
    async def ready(pilot) -> None:
        await settled(pilot)
        await pilot.press("down", "down", "down")
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=ready)


@SIZES
def test_form_with_errors(snap_compare, runs, monkeypatch, size) -> None:
    app = make_app(runs.folder, monkeypatch)

    async def ready(pilot) -> None:
        await settled(pilot)
        await pilot.press("n")
        screen = app.screen
        assert isinstance(screen, NewRunScreen)
        mistakes = {"start_lr": "3", "batch_size": "5000", "seeds": "none"}
        for name, text in mistakes.items():
            screen.query_one(f"#{name}", Input).value = text
        await pilot.pause()
        screen.query_one("#seeds", Input).value = "0"
        await until(pilot, lambda: len(screen.query(".wrong")) == len(mistakes))
        await pilot.pause()  # the complaints take their rows: only then is it known where to scroll
        screen.query_one("#seeds", Input).focus()
        await pilot.pause()
        assert all(isinstance(row, FormRow) for row in screen.query("FormRow.wrong"))

    assert snap_compare(app, terminal_size=size, run_before=ready)


@SIZES
def test_form_of_a_training(snap_compare, runs, monkeypatch, size) -> None:
    app = make_app(runs.folder, monkeypatch)

    async def ready(pilot) -> None:
        await settled(pilot)
        await pilot.press("n", "right")
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=ready)


@SIZES
def test_form_of_a_comparison(snap_compare, runs, monkeypatch, size) -> None:
    app = make_app(runs.folder, monkeypatch)

    async def ready(pilot) -> None:
        await settled(pilot)
        await pilot.press("n", "right", "right")
        app.screen.query_one("#compare_epochs", Input).value = "10"
        app.screen.query_one("#target", Input).value = "65%"
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=ready)


@SIZES
@pytest.mark.parametrize("keys", ["question_mark", "s"], ids=["help", "question"])
def test_over_the_runs(snap_compare, app, mixed, size, keys, monkeypatch) -> None:
    # The help names the folder of runs, another one in each test.
    monkeypatch.setattr(help_screen, "WHERE", help_screen.WHERE.format("/home/ada/runs"))

    async def ready(pilot) -> None:
        await settled(pilot)
        await pilot.press(keys)

    assert snap_compare(app, terminal_size=size, run_before=ready)
