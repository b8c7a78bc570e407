"""What is computed of columns that grow is what is computed of them whole, in less work."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.growing import GrowingFloats, GrowingMax, SharedFloats

lengths = st.lists(st.integers(0, 9), min_size=1, max_size=8)


@given(lengths)
def test_floats_and_the_maximum_are_those_of_the_whole_column(parts: list[int]) -> None:
    buffer = np.random.default_rng(0).normal(size=sum(parts) + 1)
    buffer[::5] = np.nan
    floats, most, made = (
        GrowingFloats(lambda rows: made.append(len(rows)) or 2 * rows),
        GrowingMax(),
        [],
    )
    for end in np.cumsum(parts):
        known = buffer[:end]
        np.testing.assert_array_equal(floats.of(known), 2 * known)
        expected = np.nanmax(known) if np.isfinite(known).any() else np.nan
        assert most.of(known) == pytest.approx(expected, nan_ok=True)
    assert sum(made) == sum(parts)  # each row once


def test_another_column_is_noticed_and_views_of_the_former_one_keep_their_values() -> None:
    floats, most = GrowingFloats(lambda rows: 2 * rows), GrowingMax()
    one, other = np.arange(5.0), np.arange(5.0) - 9
    before = floats.of(one)
    assert most.of(one) == 4
    assert floats.of(other).tolist() == (2 * other).tolist()
    assert most.of(other) == -5
    assert before.tolist() == (2 * one).tolist()
    assert floats.of(other[:3]).tolist() == (2 * other[:3]).tolist()  # a shorter one is another


def test_rows_that_may_have_changed_are_made_again() -> None:
    factor = [1.0]
    floats = GrowingFloats(lambda rows: factor[0] * rows)
    column = np.ones(6)
    floats.of(column[:4])
    factor[0] = 2.0
    assert floats.of(column, kept=2).tolist() == [1, 1, 2, 2, 2, 2]


def test_names_that_share_a_buffer_share_its_floats() -> None:
    made: list[int] = []
    shared = SharedFloats(lambda rows: made.append(len(rows)) or rows.astype(np.float64))
    steps = np.arange(100)
    first, second = shared.of("loss", steps[:50]), shared.of("lr", steps[:50])
    assert np.shares_memory(first, second)
    shared.of("loss", steps)
    shared.of("lr", steps)
    assert sum(made) == 100
    alone = shared.of("lr", steps.copy())
    assert not np.shares_memory(alone, shared.of("loss", steps))
