import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.report import Bounds
from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import TaskConfig, Train
from clr_tui.tui.text.bounds import MAX_BOUND, MIN_BOUND, read_bounds, step_bound

START = Bounds(base_lr=6e-4, max_lr=3.6e-3)
rates = st.floats(min_value=MIN_BOUND, max_value=MAX_BOUND)
factors = st.floats(min_value=1.001, max_value=3.0)


def test_a_column_multiplies():
    assert step_bound(START, "max", 1, 1.1).max_lr == pytest.approx(3.96e-3)
    assert step_bound(START, "base", -1, 1.1).base_lr == pytest.approx(6e-4 / 1.1)
    assert step_bound(START, "max", 10, 1.1).max_lr == pytest.approx(3.6e-3 * 1.1**10)


def test_moving_a_bound_back_restores_its_value():
    moved = step_bound(step_bound(START, "base", 5, 1.05), "base", -5, 1.05)
    assert moved.base_lr == pytest.approx(START.base_lr)
    assert moved.max_lr == START.max_lr


def test_bounds_stop_beside_each_other():
    pushed = step_bound(START, "base", 1000, 1.1)
    assert pushed.base_lr == pytest.approx(START.max_lr / 1.1)
    pulled = step_bound(START, "max", -1000, 1.1)
    assert pulled.max_lr == pytest.approx(START.base_lr * 1.1)


def test_bounds_closer_than_a_column_stay_where_they_are():
    close = Bounds(base_lr=1e-3, max_lr=1.001e-3)
    assert step_bound(close, "base", 1, 1.2) == close
    assert step_bound(close, "max", -1, 1.2) == close


@given(rates, rates, st.sampled_from(["base", "max"]), st.integers(-300, 300), factors)
def test_bounds_stay_valid_whatever_keys_are_pressed(a, b, which, direction, factor):
    low, high = min(a, b), max(a, b)
    if not low < high:
        return
    before = Bounds(base_lr=low, max_lr=high)
    after = step_bound(before, which, direction, factor)
    assert MIN_BOUND <= after.base_lr < after.max_lr <= MAX_BOUND
    moved = after.base_lr - before.base_lr + after.max_lr - before.max_lr
    assert moved == 0 or math.copysign(1, moved) == math.copysign(1, direction)


@pytest.mark.parametrize(
    ("text", "value"), [("5e-4", 5e-4), (" 0.003 ", 0.003), ("1E-3", 1e-3), (".5", 0.5), ("1", 1.0)]
)
def test_rates_as_people_type_them(text, value):
    assert read_bounds("1e-9", text) == (Bounds(base_lr=1e-9, max_lr=value), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a number is missing; give one such as 3.6e-3"),
        ("abc", "'abc' is not a number"),
        ("1e", "'1e' is not a number"),
        ("nan", "max_lr must be a number above 0, not nan"),
        ("inf", "max_lr must be a number above 0, not inf"),
        ("0", "max_lr must be a number above 0, not 0"),
        ("-1e-3", "max_lr must be a number above 0, not -0.001"),
        ("1e9", "max_lr must be at most 1e+06, not 1e+09"),
        ("1e-300", "max_lr must be at least 1e-30, not 1e-300"),
    ],
)
def test_mistakes_name_the_value(text, said):
    bounds, errors = read_bounds("1e-9", text)
    assert bounds is None
    assert list(errors) == ["max_lr"]
    assert said in errors["max_lr"]


def test_what_a_run_may_start_with_can_be_typed_too():
    assert read_bounds("1", "200")[0] == Bounds(base_lr=1.0, max_lr=200.0)
    assert check_numbers(TaskConfig(), Train(base_lr=1.0, max_lr=200.0)) == []


def test_base_must_be_below_max():
    for base, high in (("0.1", "0.01"), ("0.01", "0.01")):
        said = f"base_lr {base} is not below max_lr {high}"
        assert read_bounds(base, high) == (None, {"base_lr": said})


def test_a_lower_bound_that_is_not_typed_is_a_sixth_of_the_upper_one():
    assert read_bounds("", "0.06") == (Bounds(base_lr=pytest.approx(0.01), max_lr=0.06), {})


def test_each_field_has_its_own_error():
    assert set(read_bounds("x", "0")[1]) == {"base_lr", "max_lr"}
    assert read_bounds("5e-4", "0.003")[1] == {}
