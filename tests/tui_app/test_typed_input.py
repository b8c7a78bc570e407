"""Keys that arrive in one burst, as they do over a slow link, act in the order they were typed."""

from __future__ import annotations

import pytest
from app_helpers import settled
from textual import events
from textual.widgets import Input

from clr_tui.tui.screens.home import FilterInput
from clr_tui.tui.screens.new_run import NewRunScreen
from clr_tui.tui.widgets.field import Field
from clr_tui.tui.widgets.run_table import RunTable
from clr_tui.tui.widgets.typed_input import TypedInput

BURST = ("backspace", "backspace", "2", "0", "0")


async def burst(pilot, keys: tuple[str, ...]) -> None:
    """Posts all keys before any of them can act."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
    for _ in keys:
        await pilot.pause()


@pytest.fixture(params=["form", "filter", "dialog"])
def open_input(request):
    async def opened(pilot) -> Input:
        await settled(pilot)
        if request.param == "form":
            pilot.app.new_run()
            await pilot.pause()
            field = pilot.app.screen.query_one("#batch_size", Input)
        elif request.param == "filter":
            await pilot.press("slash")
            field = pilot.app.screen.query_one(FilterInput)
        else:
            await pilot.app.screen.mount(Field("x", "64"))
            field = pilot.app.screen.query_one("#field-x Input", Input)
        field.value = "64"
        field.focus()
        await pilot.pause()
        field.action_end()
        return field

    return opened


async def test_a_burst_of_keys_acts_in_order(app, mixed, open_input) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        field = await open_input(pilot)
        await burst(pilot, BURST)
        assert field.value == "200"


async def test_every_input_is_one_that_obeys_in_order(app, mixed, open_input) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        assert isinstance(await open_input(pilot), TypedInput)


async def test_in_the_form_other_keys_go_to_the_screen(app, mixed) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("n")
        screen = app.screen
        screen.query_one("#start_lr", Input).focus()
        await pilot.press("down")
        assert app.focused.id == "end_lr"
        await pilot.press("up")
        assert app.focused.id == "start_lr"
        await pilot.press("tab")
        assert app.focused.id == "end_lr"
        app.focused.value = "x"
        await pilot.press("shift+tab", "enter")
        assert app.focused.id == "end_lr"  # a start was refused
        await pilot.press("escape")
        assert not isinstance(app.screen, NewRunScreen)


@pytest.mark.parametrize("key", ["down", "up", "tab", "enter", "escape"])
async def test_in_the_filter_other_keys_lead_to_the_table(app, mixed, key) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        await pilot.press("slash", "d", "i", key)
        assert isinstance(app.focused, RunTable)
        assert screen.query_one(FilterInput).value == ("" if key == "escape" else "di")
