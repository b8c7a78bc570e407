from __future__ import annotations

from clr_tui.engine.training.stopwatch import Stopwatch


class SetClock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_held_stopwatch_stops_and_resumes_where_it_was() -> None:
    clock = SetClock()
    stopwatch = Stopwatch(clock)
    clock.now = 2.0
    with stopwatch.hold():
        clock.now = 302.0
        assert stopwatch.elapsed == 2.0
    assert stopwatch.elapsed == 2.0
    clock.now = 303.5
    assert stopwatch.elapsed == 3.5
