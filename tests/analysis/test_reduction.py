"""What a reduced series must never lose."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.reduce import reduce_columns

values = st.floats(-1e6, 1e6, width=32)
gappy = values | st.just(math.nan)
series = st.lists(st.tuples(st.floats(0, 100, width=32), gappy), max_size=400)


def column_of(x, columns, lo, hi):
    """By comparison with each column's bounds, the last one closed."""
    for i in range(columns - 1):
        if x < lo + (hi - lo) * (i + 1) / columns:
            return i
    return columns - 1


def by_column(x, y, columns):
    table = {}
    for a, b in zip(x, y, strict=True):
        table.setdefault(column_of(a, columns, 0.0, 100.0), []).append(b)
    return table


@given(series, st.integers(1, 40))
def test_each_column_keeps_its_extremes_and_its_gaps(points, columns):
    points.sort(key=lambda p: p[0])
    x, y = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    kept_x, kept_y = reduce_columns(x, y, columns, 0.0, 100.0)
    before, after = by_column(x, y, columns), by_column(kept_x, kept_y, columns)
    assert before.keys() == after.keys()
    for column, full in before.items():
        finite, left = [v for v in full if v == v], [v for v in after[column] if v == v]
        assert bool(finite) == bool(left)
        if finite:
            assert (min(left), max(left)) == (min(finite), max(finite))
        assert any(v != v for v in full) == any(v != v for v in after[column])


@given(series, st.integers(1, 40))
def test_points_are_the_series_own_in_their_order(points, columns):
    points.sort(key=lambda p: p[0])
    x, y = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    kept = list(zip(*reduce_columns(x, y, columns, 0.0, 100.0), strict=True))
    source = iter(zip(x, y, strict=True))
    for point in kept:
        assert any(np.array_equal(point, other, equal_nan=True) for other in source)
    assert len(kept) <= max(4 * columns, 2 * columns)


def test_one_spike_in_a_million_survives_in_two_points_a_column():
    x = np.linspace(0, 1, 1_000_000)
    y = np.sin(x)
    y[314_159] = 99.0
    kept_x, kept_y = reduce_columns(x, y, 320, 0.0, 1.0)
    assert kept_y.max() == 99.0
    assert len(kept_x) <= 640


def test_single_gap_breaks_the_line():
    x = np.linspace(0, 1, 100_000)
    y = x.copy()
    y[50_000] = np.nan
    kept_x, kept_y = reduce_columns(x, y, 100, 0.0, 1.0)
    (gap,) = np.flatnonzero(np.isnan(kept_y))
    assert kept_x[gap] == x[50_000]


def test_infinities_become_gaps():
    x = np.arange(1000.0)
    y = np.zeros(1000)
    y[[10, 500]] = np.inf, -np.inf
    _, kept = reduce_columns(x, y, 50, 0, 999)
    assert np.isnan(kept).sum() == 2
    assert np.isinf(kept).sum() == 0


def test_points_outside_are_left_out():
    x = np.arange(1000.0)
    kept, _ = reduce_columns(x, x, 10, 100.0, 200.0)
    assert kept.min() == 100
    assert kept.max() == 200


def test_short_series_is_returned_whole():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([5.0, np.nan, 7.0])
    kept_x, kept_y = reduce_columns(x, y, 10, 0, 2)
    np.testing.assert_array_equal(kept_x, x)
    np.testing.assert_array_equal(kept_y, y)


def test_points_that_share_one_x_are_reduced():
    kept_x, kept_y = reduce_columns(np.ones(100), np.arange(100.0), 10, 1.0, 1.0)
    np.testing.assert_array_equal(kept_y, [0, 99])
    np.testing.assert_array_equal(kept_x, [1, 1])


def test_reducing_an_empty_series_gives_an_empty_series():
    x, y = reduce_columns(np.empty(0), np.empty(0), 10, 0.0, 1.0)
    assert len(x) == len(y) == 0


def test_to_and_fro_keeps_both_passes():
    """Loss against a rate that rises and falls: the two branches stay apart."""
    x = np.concatenate([np.linspace(0, 1, 5000), np.linspace(1, 0, 5000)])
    y = np.concatenate([np.zeros(5000), np.ones(5000)])
    kept_x, kept_y = reduce_columns(x, y, 50, 0.0, 1.0)
    assert len(kept_x) <= 4 * 50
    turn = int(np.argmax(kept_y))
    assert np.all(np.diff(kept_x[:turn]) >= 0)
    assert np.all(np.diff(kept_x[turn:]) <= 0)
    assert np.all(kept_y[turn:] == 1)


def test_many_passes_become_an_envelope():
    x = np.abs((np.arange(1_000_00) / 250) % 2 - 1)
    y = np.random.default_rng(0).normal(size=len(x))
    kept_x, kept_y = reduce_columns(x, y, 100, 0.0, 1.0)
    assert len(kept_x) <= 200
    assert kept_y.max() == y.max()
    assert kept_y.min() == y.min()
    order = [column_of(v, 100, 0.0, 1.0) for v in kept_x]
    assert order == sorted(order)


@pytest.mark.parametrize("columns", [1, 7, 320])
def test_first_and_last_column_are_reached(columns):
    x = np.linspace(0, 1, 10_000)
    kept, _ = reduce_columns(x, x, columns, 0.0, 1.0)
    assert kept[0] == 0
    assert kept[-1] == 1
