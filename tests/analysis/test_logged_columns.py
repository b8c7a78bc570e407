"""The columns of somebody's own loop are those of a plain loop over its rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.logged import LoggedColumns
from clr_tui.engine.log.events import Logged

NAMES = "loss", "lr", "val/loss"
VALUES = st.one_of(st.none(), st.floats(-1e6, 1e6))


def event(*rows: tuple[int, float | None], name: str = "loss", **others: float) -> Logged:
    """An event of one name; `others` have the same value in each row."""
    values: dict[str, list[float | None]] = {name: [value for _, value in rows]}
    values |= {other: [value] * len(rows) for other, value in others.items()}
    return Logged(step=[step for step, _ in rows], values=values)


@st.composite
def events(draw: st.DrawFn) -> Logged:
    count = draw(st.integers(0, 4))
    names = draw(st.sets(st.sampled_from(NAMES)))
    return Logged(
        step=draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)),
        values={
            name: draw(st.lists(VALUES, min_size=count, max_size=count)) for name in sorted(names)
        },
        at=draw(st.sampled_from([[], [7.0] * count])),
    )


@given(st.lists(events(), max_size=8), st.integers(0, 8))
def test_of_equal_steps_the_last_one_holds(chunks: list[Logged], asked_after: int) -> None:
    columns, known, count = LoggedColumns(), {}, 0
    for number, chunk in enumerate(chunks):
        assert columns.append(chunk)
        for name, values in chunk.values.items():
            for row, (step, value) in enumerate(zip(chunk.step, values, strict=True)):
                at = chunk.at[row] if chunk.at else math.nan
                known.setdefault(name, {})[step] = (
                    math.nan if value is None else value,
                    at,
                )
                count += 1
        if number == asked_after:  # what was read before must not change what is read later
            for name in columns.names:
                columns.column(name)
    assert set(columns.names) == set(known)
    for name, values in known.items():
        column = columns.column(name)
        assert column.step.tolist() == sorted(values)
        assert column.value.tolist() == pytest.approx(
            [values[step][0] for step in sorted(values)], nan_ok=True
        )
        np.testing.assert_array_equal(column.at, [values[step][1] for step in sorted(values)])
    assert columns.overtaken == count - sum(len(values) for values in known.values())


def test_a_column_that_was_read_keeps_its_values_while_others_are_added() -> None:
    columns = LoggedColumns()
    columns.append(event((0, 1.0), (1, 2.0), lr=0.1))
    before = columns.column("loss")
    columns.append(event((2, 3.0), lr=0.1))
    columns.append(event((3, 4.0)))  # without lr
    columns.append(event((1, 9.0)))
    assert before.value.tolist() == [1.0, 2.0]
    assert columns.column("loss").value.tolist() == [1.0, 9.0, 3.0, 4.0]
    assert columns.column("lr").step.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        before.value[0] = 5.0


def test_values_that_are_not_finite_are_nan() -> None:
    columns = LoggedColumns()
    columns.append(Logged(step=[0, 1], values={"loss": np.array([np.inf, 1.0])}))
    assert np.isnan(columns.column("loss").value).tolist() == [True, False]


def test_columns_of_unequal_length_are_refused_and_change_nothing() -> None:
    columns = LoggedColumns()
    assert not columns.append(Logged(step=[0, 1], values={"loss": [1.0]}))
    assert not columns.append(Logged(step=[0], values={"loss": [1.0]}, at=[1.0, 2.0]))
    assert columns.names == []


def test_reading_a_column_of_a_log_that_grows_copies_nothing() -> None:
    columns = LoggedColumns()
    columns.append(event(*((step, 1.0) for step in range(100)), lr=0.1))
    first, second = columns.column("loss"), columns.column("loss")
    assert np.shares_memory(first.value, second.value)
    assert np.shares_memory(first.step, columns.column("lr").step)
    columns.append(event((100, 1.0), lr=0.1))
    assert np.shares_memory(columns.column("loss").value, columns.column("loss").value)
