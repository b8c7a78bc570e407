"""One table serves dispatch, footer, help and palette: what must hold of it."""

from __future__ import annotations

import inspect

import pytest

from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.keys import (
    GRID,
    KEYS,
    NO_OUTPUT,
    NO_TASK,
    bindings_for,
    footer_keys,
    is_allowed,
    keys_for,
    kind_in,
)
from clr_tui.tui.kinds.compare.screen import ComparisonScreen
from clr_tui.tui.kinds.logged.screen import LoggedScreen
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen
from clr_tui.tui.kinds.train.screen import TrainingScreen
from clr_tui.tui.screens.home import HomeScreen

SCREENS = {
    "home": HomeScreen,
    "range-test": RangeTestScreen,
    "train": TrainingScreen,
    "compare": ComparisonScreen,
    GRID: ComparisonScreen,
    "logged": LoggedScreen,
}


@pytest.mark.parametrize("name", SCREENS)
def test_every_action_exists_and_takes_its_argument(name) -> None:
    for key in keys_for(name):
        for bind in key.binds:
            action, _, argument = bind.action.partition("(")
            owner = SCREENS[name]
            if action.startswith("app."):
                owner, action = ClrTuiApp, action.removeprefix("app.")
            method = getattr(owner, f"action_{action}")
            parameters = len(inspect.signature(method).parameters) - 1
            assert parameters == (len(argument.split(",")) if argument else 0), bind


@pytest.mark.parametrize("name", SCREENS)
def test_screens_have_the_bindings_of_the_table(name) -> None:
    bound = {binding.key: binding.action for binding in bindings_for(name)}
    held = SCREENS[name]._merged_bindings.key_to_bindings
    for key, action in bound.items():
        assert action in [binding.action for binding in held[key]]


def test_the_keys_of_the_design_are_there() -> None:
    bound = {b.key: b.action for b in bindings_for("range-test")}
    assert bound["left"] == "move_bound(-1)"
    assert bound["shift+right"] == "move_bound(10)"
    assert bound["left_square_bracket"] == "seek(-1)"
    assert bound["greater_than_sign"] == "speed(1)"
    assert {"tab", "b", "u", "t", "r", "y", "x", "space", "s", "e", "escape", "q"} <= bound.keys()
    assert bound["c"] == "compare"
    assert {"n", "enter", "slash", "delete"} <= {b.key for b in bindings_for("home")}


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("mode", ["live", "trial", "ended", "replay"])
@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_the_footer_fits_and_always_ends_with_help_and_leave(name, mode, width) -> None:
    shown = footer_keys(name, mode, width)
    assert 1 + sum(len(key.shown) + len(key.label) + 3 for key in shown) <= width
    assert [key.label for key in shown[-2:]] == ["help", "leave"]
    assert [key for key in KEYS if key in shown] == shown


def test_only_a_comparison_over_a_grid_has_the_key_for_its_curves() -> None:
    assert "f" in {key.shown for key in footer_keys(GRID, "ended", 80)}
    others = [key for key in keys_for(GRID) if key.shown != "f"]
    assert [key for key in keys_for("compare") if key.shown != "f"] == others
    offered = [{key.shown: key.label for key in keys_for(name)}["f"] for name in (GRID, "compare")]
    assert offered == ["curves", "newest"]
    assert kind_in(GRID) == "compare"


def test_a_wide_footer_shows_every_key() -> None:
    shown = footer_keys("range-test", "live", 300)
    assert shown == [key for key in keys_for("range-test", "live") if key.label]


def test_the_keys_of_a_comparison_are_there() -> None:
    bound = {b.key: b.action for b in bindings_for("compare")}
    assert bound["enter"] == "open_row"
    assert bound["up"] == "select(-1)"
    assert bound["shift+left"] == "move_target(-5)"
    assert {"h", "v", "a", "x", "m", "d", "g", "y", "e", "s", "k", "r", "space"} <= bound.keys()
    # It smooths nothing, and is a comparison already.
    assert not {"plus", "minus", "c", "b", "t", "u", "tab"} & bound.keys()


@pytest.mark.parametrize(
    ("name", "orders"),
    [
        ("range-test", {"space", "s"}),
        ("train", {"space", "s"}),
        ("compare", {"s", "k"}),
        ("logged", {"space", "s", "b", "enter", "/"}),
    ],
)
def test_the_commands_of_a_living_run_fit_a_narrow_footer(name, orders) -> None:
    wide = {"range-test": 120, "train": 80, "compare": 100, "logged": 80}[name]
    assert orders <= {key.shown for key in footer_keys(name, "live", wide)}


@pytest.mark.parametrize("name", ["range-test", "train", "compare"])
def test_a_run_that_has_ended_is_offered_no_orders(name) -> None:
    shown = [key.shown for key in footer_keys(name, "ended", 300)]
    assert not {"space", "s", "k", "[ ]"} & set(shown)
    assert {"r", "e", "x", "y", "esc"} <= set(shown)
    # Its bounds can be moved on the chart of a sweep; a training that is over has none to take.
    assert ("b" in shown) == (name == "range-test")
    assert ("b" in [k.shown for k in keys_for(name, "replay")]) == (name == "range-test")


def test_keys_that_a_recording_has_no_use_for_are_not_listed_and_say_why_if_pressed() -> None:
    bare = "range-test" + NO_OUTPUT + NO_TASK
    listed = {key.shown for key in keys_for(bare, "replay")}
    assert {key.shown for key in keys_for("range-test", "replay")} - listed == {"l", "r", "c"} | {
        "pgup pgdn"
    }
    assert all(is_allowed(action, bare, None) for action in ("toggle_output", "run_again"))


def test_pause_is_worded_for_what_is_shown() -> None:
    def space(mode):
        return [key.help for key in keys_for("train", mode) if key.shown == "space"]

    assert space("live") == ["pause the run or continue it"]
    assert space("replay") == ["play or pause the replay"]
