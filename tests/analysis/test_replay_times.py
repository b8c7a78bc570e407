"""How a replay divides the log of another tool, which may hold everything in one event."""

from __future__ import annotations

import numpy as np
import pytest

from clr_tui.engine.analysis.recordings.replay_times import in_time
from clr_tui.engine.log import events as ev


def logged(step, values, at=(), x: str = "step") -> ev.Logged:
    return ev.Logged(step=np.asarray(step), values=values, at=np.asarray(at, float), x=x)


def whole(pieces: list[ev.AnyEvent], name: str) -> list[tuple[int, float]]:
    found = [piece for piece in pieces if isinstance(piece, ev.Logged) and name in piece.values]
    return [pair for p in found for pair in zip(p.step, p.values[name], strict=True)]


def test_rows_appear_when_they_were_logged() -> None:
    loss = logged(range(100), {"loss": np.arange(100.0)}, at=1e9 + np.arange(100.0))
    late = logged([50, 99], {"val": np.array([7.0, 8.0])}, at=[1e9 + 60, 1e9 + 99.5])
    pieces = in_time([loss, late])
    assert whole(pieces, "loss") == [(i, float(i)) for i in range(100)]
    assert whole(pieces, "val") == [(50, 7.0), (99, 8.0)]
    times = [piece.time for piece in pieces]
    assert times == sorted(times)
    seen = {piece.time - 1e9: piece for piece in pieces if "val" in piece.values}
    assert [*seen] == [60.0, 99.5]
    for piece in pieces:
        assert piece.time == max(piece.at)
        assert max(piece.at) - min(piece.at) < 0.2  # of 99.5 s, in a thousand moments


@pytest.mark.parametrize(("rows", "seconds"), [(1, 0.1), (100, 10.0), (10_000, 60.0)])
def test_without_times_rows_appear_in_the_order_of_their_steps(rows: int, seconds: float) -> None:
    pieces = in_time([logged(range(rows), {"loss": np.arange(float(rows))})])
    assert len(whole(pieces, "loss")) == rows
    assert pieces[-1].time == pytest.approx(seconds if rows > 1 else 0.0)


def test_without_times_epochs_and_steps_begin_and_end_together() -> None:
    by_step = logged(range(0, 1000, 10), {"loss": np.zeros(100)})
    by_epoch = logged(range(1, 11), {"val": np.zeros(10)}, x="epoch")
    pieces = in_time([by_step, by_epoch])
    ends = {name: [p.time for p in pieces if name in p.values] for name in ("loss", "val")}
    assert ends["loss"][0] == ends["val"][0] == 0.0
    assert ends["loss"][-1] == ends["val"][-1] == 10.0


def test_a_training_that_was_resumed_goes_back_when_it_did() -> None:
    first = logged([0, 1, 2, 3], {"loss": np.array([4.0, 3.0, 2.0, 1.0])}, at=[10, 11, 12, 13])
    again = logged([2, 3], {"loss": np.array([2.5, 1.5])}, at=[20, 21])
    pieces = in_time([first, again])
    assert whole(pieces, "loss") == [(0, 4.0), (1, 3.0), (2, 2.0), (3, 1.0), (2, 2.5), (3, 1.5)]


def test_unknown_times_are_as_late_as_what_came_before() -> None:
    nan = np.nan
    pieces = in_time([logged([0, 1, 2, 3], {"loss": np.zeros(4)}, at=[nan, 5.0, nan, 9.0])])
    assert [step for step, _ in whole(pieces, "loss")] == [0, 1, 2, 3]
    assert {int(step): piece.time for piece in pieces for step in piece.step} == {
        0: 5.0,
        1: 5.0,
        2: 5.0,
        3: 9.0,
    }


def test_notes_keep_their_place_and_an_end_stays_last() -> None:
    note = ev.Note(level="warning", text="a line was left out", time=5e9)
    end = ev.RunFinished(outcome="done", time=1.0)
    events = [logged([0, 1], {"a": np.zeros(2)}, at=[10, 20]), note, end]
    pieces = in_time(events)
    assert [type(piece).__name__ for piece in pieces] == ["Logged"] * 2 + ["Note", "RunFinished"]
    assert pieces[-1].time == 20.0


def test_a_log_without_values_stays_as_it_is() -> None:
    note = ev.Note(level="info", text="nothing")
    assert in_time([note]) == [note]
    assert in_time([]) == []


def test_a_million_rows_are_divided_without_copies() -> None:
    rows = 1_000_000
    column = np.arange(float(rows))
    pieces = in_time([logged(np.arange(rows), {"loss": column}, at=column)])
    assert 500 < len(pieces) <= 1_001
    assert all(np.shares_memory(piece.values["loss"], column) for piece in pieces)


def test_many_names_are_divided_into_fewer_pieces_each() -> None:
    at = np.arange(1000.0)
    events = [logged(np.arange(1000), {f"name{i}": at}, at=at) for i in range(500)]
    assert len(in_time(events)) <= 20_000
