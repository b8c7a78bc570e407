import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.report import Bounds
from clr_tui.engine.errors import UserError
from clr_tui.tui.text.bounds import (
    HIGHEST,
    LOWEST,
    bounds_errors,
    read_bounds,
    read_lr,
    step_bound,
)

START = Bounds(base_lr=6e-4, max_lr=3.6e-3)
rates = st.floats(min_value=LOWEST, max_value=HIGHEST)
factors = st.floats(min_value=1.001, max_value=3.0)


def test_a_column_multiplies():
    assert step_bound(START, "max", 1, 1.1).max_lr == pytest.approx(3.96e-3)
    assert step_bound(START, "base", -1, 1.1).base_lr == pytest.approx(6e-4 / 1.1)
    assert step_bound(START, "max", 10, 1.1).max_lr == pytest.approx(3.6e-3 * 1.1**10)


def test_there_and_back_again():
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
def test_whatever_is_pressed_the_bounds_stay_sound(a, b, which, direction, factor):
    low, high = min(a, b), max(a, b)
    if not low < high:
        return
    before = Bounds(base_lr=low, max_lr=high)
    after = step_bound(before, which, direction, factor)
    assert LOWEST <= after.base_lr < after.max_lr <= HIGHEST
    moved = after.base_lr - before.base_lr + after.max_lr - before.max_lr
    assert moved == 0 or math.copysign(1, moved) == math.copysign(1, direction)


@pytest.mark.parametrize(
    ("text", "value"), [("5e-4", 5e-4), (" 0.003 ", 0.003), ("1E-3", 1e-3), (".5", 0.5), ("1", 1.0)]
)
def test_rates_as_people_type_them(text, value):
    assert read_lr(text, "max_lr") == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "max_lr is missing"),
        ("abc", "'abc' is not a number"),
        ("1e", "'1e' is not a number"),
        ("nan", "above 0"),
        ("inf", "above 0"),
        ("0", "above 0"),
        ("-1e-3", "above 0"),
        ("1e9", "outside"),
        ("1e-300", "outside"),
    ],
)
def test_mistakes_name_the_value(text, said):
    with pytest.raises(UserError) as caught:
        read_lr(text, "max_lr")
    assert said in caught.value.message
    assert caught.value.field == "max_lr"


def test_base_must_be_below_max():
    with pytest.raises(UserError) as caught:
        read_bounds("0.1", "0.01")
    assert caught.value.message == "base_lr 0.1 is not below max_lr 0.01"
    assert bounds_errors("0.01", "0.01") == {"base_lr": "base_lr 0.01 is not below max_lr 0.01"}


def test_each_field_has_its_own_error():
    errors = bounds_errors("x", "0")
    assert set(errors) == {"base_lr", "max_lr"}
    assert bounds_errors("5e-4", "0.003") == {}
