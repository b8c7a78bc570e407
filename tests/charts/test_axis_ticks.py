import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.tui.charts.ticks import StickyLimits, rounded_limits, ticks

FINITE = st.floats(-1e200, 1e200, allow_nan=False)
RATES = st.floats(1e-12, 1e6)


def labels(lo, hi, *, log, most):
    return [tick.label for tick in ticks(lo, hi, log=log, most=most)]


def test_a_sweep_names_each_decade():
    expected = ["1e-7", "1e-6", "1e-5", "1e-4", "1e-3", "1e-2", "1e-1", "1e0"]
    assert labels(1e-7, 1.0, log=True, most=12) == expected


def test_narrow_axes_name_fewer_decades_at_even_distances():
    shown = [t.value for t in ticks(1e-7, 1.0, log=True, most=4)]
    assert 2 <= len(shown) <= 4
    steps = {round(math.log10(b / a)) for a, b in pairwise(shown)}
    assert len(steps) == 1


def test_one_or_two_decades_get_twos_and_fives():
    assert labels(1e-4, 1e-2, log=True, most=12) == [
        "1e-4", "2e-4", "5e-4", "1e-3", "2e-3", "5e-3", "1e-2",
    ]  # fmt: skip


def test_a_loss_on_a_log_axis_reads_as_plain_numbers():
    assert labels(0.1, 5, log=True, most=12) == ["0.1", "0.2", "0.5", "1", "2", "5"]


def test_within_a_decade_there_are_still_ticks():
    assert len(ticks(1.52, 1.66, log=True, most=6)) >= 2


def test_linear_ticks_have_as_few_digits_as_tell_them_apart():
    assert labels(1.5, 1.66, log=False, most=4) == ["1.50", "1.55", "1.60", "1.65"]
    assert labels(0, 120, log=False, most=6) == ["0", "20", "40", "60", "80", "100", "120"]
    assert labels(0, 4e-3, log=False, most=4) == ["0", "1e-3", "2e-3", "3e-3", "4e-3"]
    assert labels(2.4e-3, 1e-2, log=False, most=4) == ["4e-3", "6e-3", "8e-3", "1e-2"]
    assert labels(9.8e-3, 9.9e-3, log=False, most=2) == ["9.8e-3", "9.85e-3", "9.9e-3"]
    assert labels(0, 0.06, log=False, most=3) == ["0.00", "0.02", "0.04", "0.06"]
    assert labels(0, 60_000, log=False, most=3) == ["0", "20k", "40k", "60k"]
    assert labels(0, 4e-6, log=False, most=2) == ["0", "2e-6", "4e-6"]


@given(st.tuples(FINITE, FINITE), st.integers(1, 30))
def test_linear_ticks_lie_inside_and_are_told_apart(ends, most):
    lo, hi = min(ends), max(ends)
    shown = ticks(lo, hi, log=False, most=most)
    slack = 1e-6 * (hi - lo)
    assert all(lo - slack <= t.value <= hi + slack for t in shown)
    assert len({t.label for t in shown}) == len(shown)
    assert len(shown) <= most + 1


@given(st.tuples(RATES, RATES), st.integers(2, 30))
def test_log_ticks_lie_inside_and_are_told_apart(ends, most):
    lo, hi = min(ends), max(ends)
    shown = ticks(lo, hi, log=True, most=most)
    assert all(lo * (1 - 1e-6) <= t.value <= hi * (1 + 1e-6) for t in shown)
    assert len({t.label for t in shown}) == len(shown)


@given(st.tuples(FINITE, FINITE))
def test_stepped_limits_hold_what_they_are_made_for(ends):
    lo, hi = min(ends), max(ends)
    low, high = rounded_limits(lo, hi, log=False)
    slack = 1e-6 * (high - low)
    assert low < high
    assert low <= lo + slack
    assert high >= hi - slack
    # A constant is given a surrounding; all else at most a fifth more on each side.
    if hi - lo > 1e-6 * max(abs(lo), abs(hi), 1e-200):
        assert high - low <= 1.4 * (hi - lo)


@given(st.tuples(RATES, RATES))
def test_stepped_log_limits_hold_what_they_are_made_for(ends):
    low, high = rounded_limits(min(ends), max(ends), log=True)
    assert 0 < low < high
    assert low <= min(ends) * (1 + 1e-6)
    assert high >= max(ends) * (1 - 1e-6)


def test_a_plan_of_whole_decades_is_its_own_limits():
    assert rounded_limits(1e-7, 1.0, log=True) == pytest.approx((1e-7, 1.0))


def test_limits_hold_still_while_data_stay_inside():
    limits = StickyLimits()
    first = limits.fit(1.5, 1.7, log=False)
    assert limits.fit(1.52, 1.68, log=False) == first
    assert limits.fit(1.51, 1.6999, log=False) == first


def test_a_falling_loss_widens_limits_a_few_times_only():
    limits = StickyLimits()
    seen = [limits.fit(2.3 * 0.995**i, 2.32, log=False) for i in range(1, 500)]
    changes = sum(a != b for a, b in pairwise(seen))
    assert changes <= 16
    assert all(lo <= 2.3 * 0.995 ** (i + 1) for i, (lo, _) in enumerate(seen))


def test_limits_restart_when_something_much_smaller_is_shown():
    limits = StickyLimits()
    limits.fit(0.0, 10.0, log=False)
    lo, hi = limits.fit(1.0, 1.2, log=False)
    assert hi - lo < 1


def test_limits_restart_on_another_kind_of_axis():
    limits = StickyLimits()
    limits.fit(-5.0, 10.0, log=False)
    lo, hi = limits.fit(0.1, 1.0, log=True)
    assert 0 < lo <= 0.1
    assert hi == pytest.approx(1.0)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=20))
def test_limits_always_hold_the_data(ranges):
    limits = StickyLimits()
    for ends in ranges:
        lo, hi = limits.fit(min(ends), max(ends), log=False)
        slack = 1e-6 * (hi - lo)
        assert lo <= min(ends) + slack
        assert hi >= max(ends) - slack
