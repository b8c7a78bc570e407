"""Rows become columns: no value is lost, none comes before one that overtakes it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.logged import LoggedColumns
from clr_tui.engine.log.events import Logged
from clr_tui.engine.own_loop.rows import Row, events_of

NAMES = st.sets(st.sampled_from("abcd"), max_size=4)


def rows_of(*each: tuple[int, str]) -> list[Row]:
    """Rows whose values count on, so that each is known by its own."""
    return [
        (step, float(i), {name: float(i) for name in names}) for i, (step, names) in enumerate(each)
    ]


def test_rows_with_the_same_names_are_one_event() -> None:
    (event,) = events_of(rows_of((0, "ab"), (1, "ab"), (2, "ba")))
    assert event.step == [0, 1, 2]
    assert event.values == {"a": [0.0, 1.0, 2.0], "b": [0.0, 1.0, 2.0]}
    assert event.at == [0.0, 1.0, 2.0]


def test_validation_between_training_steps_does_not_cut_their_columns() -> None:
    rows = rows_of(*[(i // 2, "ab" if i % 2 == 0 else "c") for i in range(100)])
    assert [list(event.values) for event in events_of(rows)] == [["a", "b"], ["c"]]


def test_a_row_without_a_number_is_no_event() -> None:
    assert list(events_of([(0, 0.0, {"phase": None}), (1, 0.0, {})])) == []


@given(st.lists(st.tuples(st.integers(0, 5), NAMES)))
def test_columns_are_as_if_each_row_had_come_alone(each: list[tuple[int, set[str]]]) -> None:
    rows: list[Row] = [
        (step, 0.0, {name: float(i) for name in sorted(names)})
        for i, (step, names) in enumerate(each)
    ]
    alone, together = LoggedColumns(), LoggedColumns()
    for step, at, values in rows:
        alone.append(Logged(step=[step], values={n: [v] for n, v in values.items()}, at=[at]))  # type: ignore[dict-item, list-item]
    for event in events_of(rows):
        together.append(event)
    assert sorted(alone.names) == sorted(together.names)
    for name in alone.names:
        one, other = alone.column(name), together.column(name)
        assert (one.step.tolist(), one.value.tolist()) == (
            other.step.tolist(),
            other.value.tolist(),
        )
