"""A comparison whose worker is killed or stopped, and that another one continues."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest
from fake_executor import PER_EPOCH, SEED, Killed, Played, entries, entry

from clr_tui.engine.analysis.comparison.seed_curves import entry_curves
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.comparing.past_trials import PastTrials
from clr_tui.engine.log.commands import Stop, StopTrial
from clr_tui.engine.log.events import (
    Event,
    Overall,
    RunResumed,
    TrialFinished,
)
from clr_tui.engine.settings.config import Compare, RunConfig, TaskConfig
from clr_tui.engine.settings.rate_grid import at_each_rate

THREE = Compare(entries=entries("adam", "sgd", "adagrad"), seeds=3, epochs=3)
TUNED = Compare(
    entries=[entry("adam", lr=None), entry("sgd", lr=None), entry("adagrad")],
    seeds=2,
    epochs=2,
    rates="tuned",
)
GRID = at_each_rate(
    Compare(entries=[entry("adam", lr=None)], seeds=2, epochs=4, rates="grid:1e-4..0.1x7")
)
HALVED = msgspec.structs.replace(GRID, halving=True)
TIMED = msgspec.structs.replace(THREE, time=30.0)
KINDS = {"three": THREE, "tuned": TUNED, "grid": GRID, "halved": HALVED, "timed": TIMED}


def history_of(config: Compare, events: list[Event]) -> RunHistory:
    task = TaskConfig(seed=SEED)
    history = RunHistory(RunConfig(id="r", created=0.0, version="0", task=task, job=config))
    for event in events:
        history.apply(event)
    return history


def played(config: Compare, jobs: int = 1) -> Played:
    """The rates at the ends of a grid are bad, and one trial fails."""
    new = Played(config, jobs)
    for number in range(len(config.entries)):
        level = {0: 0.1, 1: 0.1, 4: 0.9, 6: 0.1}.get(number, 0.6)
        new.executor.accuracies[number] = lambda epoch, level=level: level + 0.01 * epoch
    new.executor.fails[1] = "ZeroDivisionError: by nothing"
    return new


def killed_at(poll: int, config: Compare, jobs: int = 1) -> Played:
    """The comparison until its worker is killed in that poll."""
    first = played(config, jobs)

    def die() -> None:
        raise Killed

    first.executor.at_poll[poll] = die
    with pytest.raises(Killed):
        first.run()
    return first


def resumed(first: Played, change: Callable[[Played], object] = lambda _: None) -> Played:
    """The next worker's part, after the events of those before, a day later."""
    second = played(first.config, first.executor.jobs)
    second.events, second.clock.now = list(first.events), first.clock.now + 86_400
    second.spent.set_to(0.0)
    second.emit(RunResumed())
    change(second)
    history = history_of(second.config, second.events)
    for trial in history.trials.values():  # some wrote a checkpoint at the end of an epoch
        if trial.trial % 2:
            second.executor.points[trial.trial] = PER_EPOCH * len(trial.epochs)
    second.run(PastTrials(history, list(second.events)))
    return second


def results(one: Played) -> dict[str, object]:
    """What must not depend on kills."""
    history = history_of(one.config, one.events)
    assert not history.corrupt
    last = one.of(Overall)[-1]
    return {
        "ends": {t.trial: (t.outcome, t.reason) for t in history.trials.values()},
        "steps": {t.trial: t.step.tolist() for t in history.trials.values()},
        "lr": {t.trial: t.lr.tolist() for t in history.trials.values()},
        "epochs": {t.trial: [e.epoch for e in t.epochs] for t in history.trials.values()},
        "validation": {t.trial: sorted(t.validations()) for t in history.trials.values()},
        "rates": {n: (r.lr, r.source, r.steps, r.trial) for n, r in history.rates.items()},
        "ended early": {n: (e.epoch, e.reason) for n, e in history.ended_early.items()},
        "overall": (last.done, last.failed, last.stopped, last.running, last.total),
        "notes": sorted(dict.fromkeys(note.text for note in history.notes)),
        "seeds": history.config.asked(Compare).seeds,
        "curves": [
            [(t.seed, t.state, t.epoch.tolist()) for t in e.trials] for e in entry_curves(history)
        ],
    }


@pytest.mark.parametrize("kind", KINDS)
def test_after_kills_at_any_moment_the_results_are_the_same(kind: str) -> None:
    config = KINDS[kind]
    for jobs in (1,) if config.halving or config.time else (1, 2):
        whole = played(config, jobs)
        whole.run()
        expected = results(whole)
        assert bool(expected["ended early"]) == config.halving
        assert expected["seeds"] > 1
        draw = random.Random(f"{kind} {jobs}")
        for _ in range(12):
            first = killed_at(draw.randrange(whole.executor.polls), config, jobs)
            second = resumed(first)
            assert results(second) == expected
            # What had ended was not done again.
            done = {e.trial for e in first.of(TrialFinished)}
            assert done.isdisjoint(work.trial for work in second.executor.submitted)


def test_two_kills_in_a_row() -> None:
    whole = played(TUNED, 2)
    whole.run()

    def again(second: Played) -> None:
        def die() -> None:
            raise Killed

        second.executor.at_poll[2] = die

    first = killed_at(3, TUNED, 2)
    with pytest.raises(Killed):
        resumed(first, again)
    assert results(resumed(first)) == results(whole)


@pytest.mark.parametrize("by_signal", [False, True])
def test_a_stop_of_the_whole_run_is_not_one_of_its_trials(by_signal: bool) -> None:
    whole = played(THREE, 2)
    whole.order_at(2, StopTrial(trial=3))
    whole.run()
    first = played(THREE, 2)
    first.order_at(2, StopTrial(trial=3))
    if by_signal:
        first.executor.at_poll[5] = lambda: first.stop.set("stopped by SIGTERM")
    else:
        first.order_at(5, Stop())
    assert first.run().outcome == "stopped"
    assert len(first.ends()) == 9
    stopped = history_of(THREE, first.events)
    assert {t.state for e in entry_curves(stopped) for t in e.trials} == {
        "done",
        "failed",
        "stopped",
    }
    second = resumed(first)
    assert results(second) == results(whole)
    at = next(i for i, e in enumerate(second.events) if isinstance(e, RunResumed))
    states = [
        t.state for e in entry_curves(history_of(THREE, second.events[: at + 1])) for t in e.trials
    ]
    assert states.count("stopped") == 1
    assert set(states) == {"done", "failed", "stopped", "waiting"}
    # Only those that will not go on need their checkpoints no more.
    assert 3 in first.forgotten
    assert sorted(first.forgotten + second.forgotten) == list(range(9))
