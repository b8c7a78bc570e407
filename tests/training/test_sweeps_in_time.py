"""A range test with a time to spend: the length and the number of its sweeps."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from training_bench import Bench

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import range_report
from clr_tui.engine.log.commands import Continue, Pause, Stop
from clr_tui.engine.log.events import (
    Note,
    Paused,
    RunFinished,
    Steps,
    TimePlanned,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.settings.config import RangeTest
from clr_tui.engine.training import sweeps_in_time
from clr_tui.engine.training.control import Stopped
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.sweeps_in_time import (
    ENOUGH_SEEDS,
    ENOUGH_STEPS,
    MIN_STEPS,
    MOST_SEEDS,
    MOST_STEPS,
    SweepCost,
    plan_sweeps,
)

Make = Callable[..., Bench]
COST = SweepCost(per_step=0.01, per_sweep=0.5)
TICK = 0.1
"""Seconds between two looks at the clock."""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps of few steps."""
    for name, steps in (("MIN_STEPS", 8), ("ENOUGH_STEPS", 12), ("MOST_STEPS", 40)):
        monkeypatch.setattr(sweeps_in_time, name, steps)


bench_test = pytest.mark.usefixtures("short")


@pytest.mark.parametrize("seconds", [0.1, 1, 2, 4, 6, 7, 10, 18, 30, 60, 150, 200, 400, 1000, 9999])
def test_a_plan_fits_and_wastes_little(seconds: float) -> None:
    seeds, steps = plan_sweeps(seconds, COST)
    total = seeds * COST.of(steps)
    assert MIN_STEPS <= steps <= MOST_STEPS
    assert 1 <= seeds <= MOST_SEEDS
    if (seeds, steps) != (1, MIN_STEPS):
        assert total <= seconds
    if (seeds, steps) != (MOST_SEEDS, MOST_STEPS):
        # Not by ten per cent, for round numbers, nor by another of the longest sweeps.
        assert total > 0.9 * seconds - COST.of(MOST_STEPS) * (steps == MOST_STEPS)


def test_more_time_is_never_spent_on_less() -> None:
    plans = [plan_sweeps(0.1 * tenths, COST) for tenths in range(1, 9000)]
    totals = [seeds * steps for seeds, steps in plans]
    assert all(b >= 0.9 * a for a, b in itertools.pairwise(totals))
    seeds = [seeds for seeds, _ in plans]
    assert seeds == sorted(seeds)


def test_the_order_is_enough_steps_then_seeds_then_longer_sweeps() -> None:
    def plan(steps_in_all: int) -> tuple[int, int]:
        return plan_sweeps(steps_in_all * 0.01 + 1e-6, SweepCost(per_step=0.01, per_sweep=0.0))

    assert plan(50) == (1, MIN_STEPS)
    assert plan(ENOUGH_STEPS - 10) == (1, ENOUGH_STEPS - 10)
    assert plan(2 * ENOUGH_STEPS) == (2, ENOUGH_STEPS)
    assert plan(ENOUGH_SEEDS * ENOUGH_STEPS) == (ENOUGH_SEEDS, ENOUGH_STEPS)
    assert plan(ENOUGH_SEEDS * 2000) == (ENOUGH_SEEDS, 2000)
    assert plan(ENOUGH_SEEDS * MOST_STEPS) == (ENOUGH_SEEDS, MOST_STEPS)
    assert plan(12 * MOST_STEPS) == (12, MOST_STEPS)
    assert plan(10**7) == (MOST_SEEDS, MOST_STEPS)


def run(make_bench: Make, seconds: float, **changes: object) -> Bench:
    config = RangeTest(time=seconds, divergence=1e9, **changes)
    bench = make_bench(config, tick=TICK)
    assert run_range_test(bench.session, config).outcome == "done"
    return bench


def history_of(bench: Bench) -> RunHistory:
    history = RunHistory(bench.session.config)
    for event in bench.script.events:
        history.apply(event)
    return history


@bench_test
def test_the_time_is_used_and_kept(make_bench: Make) -> None:
    bench = run(make_bench, 60.0)
    plans = bench.script.of(TimePlanned)
    first, last = plans[0], plans[-1]
    started = bench.script.of(TrialStarted)
    assert last.seeds == len(started) > 1
    assert {e.total_steps for e in started} == {first.steps} == {last.steps}
    assert 0.8 * 60 < last.used <= 60 + TICK
    assert last.seconds == 60
    assert [e.outcome for e in bench.script.of(TrialFinished)] == ["done"] * len(started)


@bench_test
def test_curves_are_those_of_the_chosen_counts(make_bench: Make) -> None:
    timed = run(make_bench, 45.0)
    (*_, plan) = timed.script.of(TimePlanned)
    config = RangeTest(seeds=plan.seeds, steps=plan.steps, divergence=1e9)
    plain = make_bench(config, tick=TICK)
    run_range_test(plain.session, config)
    for name in ("trial", "step", "lr", "loss"):
        of_both = [
            [getattr(e, name) for e in bench.script.of(Steps)]
            if name == "trial"
            else bench.script.column(name)
            for bench in (timed, plain)
        ]
        assert of_both[0] == of_both[1], name


@bench_test
def test_measuring_on_the_subset_is_part_of_the_cost(make_bench: Make) -> None:
    without = run(make_bench, 30.0).script.of(TimePlanned)[-1]
    measured = run(make_bench, 30.0, accuracy=True).script.of(TimePlanned)[-1]
    assert measured.used <= 30 + TICK
    assert measured.seeds * (measured.steps or 0) <= without.seeds * (without.steps or 0)


@bench_test
def test_sweeps_that_end_early_leave_time_for_more(make_bench: Make) -> None:
    config = RangeTest(time=60.0, start_lr=1e-3, end_lr=1e4)
    bench = make_bench(config, tick=TICK)
    run_range_test(bench.session, config)
    plans = bench.script.of(TimePlanned)
    assert plans[-1].seeds > plans[0].seeds
    assert plans[-1].used <= 60 + TICK


@bench_test
def test_readers_go_by_what_was_chosen(make_bench: Make) -> None:
    bench = run(make_bench, 45.0)
    history = history_of(bench)
    (*_, last) = bench.script.of(TimePlanned)
    chosen = history.config.asked(RangeTest)
    assert (chosen.seeds, chosen.steps) == (last.seeds, last.steps)
    history.apply(RunFinished(outcome="done"))
    report = range_report(history)
    assert len(report.seeds) == last.seeds
    assert report.time is not None
    assert vars(report.time) == {
        "seconds": 45.0,
        "used": last.used,
        "seeds": last.seeds,
        "steps": last.steps,
    }


@bench_test
def test_the_time_left_goes_by_the_plan(make_bench: Make) -> None:
    bench = run(make_bench, 60.0)
    (*_, last) = bench.script.of(TimePlanned)
    middle = [e for e in bench.script.of(Steps) if e.trial == last.seeds // 2]
    left = middle[0].eta_seconds
    assert left == pytest.approx(60 - last.used * (last.seeds // 2) / last.seeds, rel=0.25)


@bench_test
def test_too_short_a_time_is_said_and_the_shortest_sweep_made(make_bench: Make) -> None:
    config = RangeTest(time=30.0, divergence=1e9)
    bench = make_bench(config, tick=1.0)
    run_range_test(bench.session, config)
    (note,) = bench.script.of(Note)
    assert note.level == "warning"
    assert note.text.startswith("30s is too short for a sweep: its 8 steps take about ")
    (started,) = bench.script.of(TrialStarted)
    assert started.total_steps == 8


@bench_test
def test_a_pause_does_not_count(make_bench: Make) -> None:
    def used(pause: bool) -> TimePlanned:
        config = RangeTest(time=30.0, divergence=1e9)
        bench = make_bench(config, tick=TICK)
        script = bench.script

        def go_on() -> None:
            bench.clock.now += 1000
            script.order(Continue())

        if pause:
            script.at_step = {5: [Pause()]}
            script.at_event = [(Paused, lambda: script.at_poll.append(go_on))]
        run_range_test(bench.session, config)
        assert len(script.of(Paused)) == pause
        return script.of(TimePlanned)[-1]

    paused, plain = used(True), used(False)
    assert paused.used <= 30 + TICK
    assert abs(paused.seeds - plain.seeds) <= 1


@bench_test
def test_a_stop_ends_the_plan_with_the_sweeps_that_began(make_bench: Make) -> None:
    config = RangeTest(time=60.0, divergence=1e9)
    bench = make_bench(config, tick=TICK)
    bench.script.at_event = [(TrialFinished, lambda: bench.script.order(Stop(reason="enough")))]
    assert run_range_test(bench.session, config).message == "enough"
    assert bench.script.of(TimePlanned)[-1].seeds == len(bench.script.of(TrialStarted)) == 2


@bench_test
def test_a_stop_while_the_steps_are_timed(make_bench: Make) -> None:
    config = RangeTest(time=60.0)
    bench = make_bench(config, tick=TICK)
    bench.stop.set("stopped by SIGTERM")
    with pytest.raises(Stopped, match="SIGTERM"):
        run_range_test(bench.session, config)
    assert not bench.script.of(TrialStarted)
