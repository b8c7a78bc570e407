"""Trials whose process is killed or that run out of memory: run again, perhaps fewer at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_executor import PER_EPOCH, SEED, SWEEP_STEPS, Played, entries, entry

from clr_tui.engine.analysis.comparison.seed_curves import entry_curves
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.comparing.lost_trials import TRIES, TRIES_ALONE
from clr_tui.engine.comparing.pool import _lost
from clr_tui.engine.log.commands import Pause, StopTrial
from clr_tui.engine.log.events import (
    Note,
    Overall,
    PoolReady,
    RateChosen,
    Resumed,
    TrialFinished,
    TrialInterrupted,
    TrialStarted,
)
from clr_tui.engine.oom_kills import oom_kills
from clr_tui.engine.settings.config import Compare, RunConfig, TaskConfig
from clr_tui.engine.training.session import Result

THREE = Compare(entries=entries("adam", "sgd", "adagrad"), seeds=3, epochs=3)


def lost(trial: int, steps: int, *, deaths: int, cause: str = "killed", jobs: int = 2) -> Played:
    """A comparison in which a trial's process dies so many times after so many steps."""
    played = Played(THREE, jobs)
    played.executor.dies[trial] = steps
    played.executor.spared[trial] = deaths
    played.executor.cause = cause
    return played


def history_of(played: Played, events: int | None = None) -> RunHistory:
    history = RunHistory(
        RunConfig(id="r", created=0.0, version="0", task=TaskConfig(seed=SEED), job=played.config)
    )
    for event in played.events[:events]:
        history.apply(event)
    return history


@pytest.mark.parametrize("steps", [0, 2 * PER_EPOCH])
def test_a_trial_whose_process_is_killed_is_run_again(steps: int) -> None:
    played = lost(3, steps, deaths=2)
    assert played.run() == Result("done")
    assert played.ends() == dict.fromkeys(range(9), "done")
    assert [e.trial for e in played.of(TrialInterrupted)] == ([3, 3] if steps else [])
    assert [(e.trial, e.step) for e in played.of(Resumed)] == ([(3, 0)] * (2 if steps else 1))
    assert [e.text for e in played.of(Note)] == [
        f"sgd, seed 7: its process was killed (SIGKILL); the trial is run again (try {n})"
        for n in (2, 3)
    ]
    assert not played.of(PoolReady), "memory was not the cause"
    history = history_of(played)
    assert not history.corrupt
    for trial in history.trials.values():
        assert trial.step.tolist() == list(range(3 * PER_EPOCH))
        assert [e.epoch for e in trial.epochs] == [1, 2, 3]
    last = played.of(Overall)[-1]
    assert (last.done, last.failed, last.running, last.total, last.fraction) == (9, 0, 0, 9, 1.0)


def test_it_waits_until_it_starts_again() -> None:
    played = lost(3, PER_EPOCH, deaths=1)
    played.run()
    at = next(i for i, e in enumerate(played.events) if isinstance(e, TrialInterrupted))

    def states(events: int) -> list[str]:
        return [entry.trials[0].state for entry in entry_curves(history_of(played, events))]

    assert states(at) == ["running", "running", "waiting"]
    assert states(at + 1) == ["running", "waiting", "waiting"]
    again = next(i for i, e in enumerate(played.events[at:], at) if isinstance(e, TrialStarted))
    assert played.events[again].trial == 3, "before all that wait"
    assert states(again + 1)[1] == "running"


def test_a_trial_that_is_always_lost_fails_after_the_last_try() -> None:
    played = lost(3, PER_EPOCH, deaths=1000)
    assert played.run() == Result("done", "1 of 9 trials failed")
    assert [work.trial for work in played.executor.submitted].count(3) == TRIES
    (end,) = [e for e in played.of(TrialFinished) if e.trial == 3]
    assert (end.outcome, end.step) == ("failed", PER_EPOCH)
    assert end.reason == "its process was killed (SIGKILL); it was tried 3 times"
    assert len(history_of(played).trials[3]) == PER_EPOCH


def test_after_a_crash_of_its_own_it_is_not_run_again() -> None:
    played = lost(3, PER_EPOCH, deaths=1000, cause="crashed")
    assert played.run() == Result("done", "1 of 9 trials failed")
    assert [work.trial for work in played.executor.submitted].count(3) == 1
    assert not played.of(Resumed)


def test_fewer_trials_run_at_a_time_once_memory_ran_out() -> None:
    played = lost(3, PER_EPOCH, deaths=1, cause="memory", jobs=3)
    assert played.run() == Result("done")
    assert [(e.jobs, e.reason) for e in played.of(PoolReady)] == [(2, "memory ran out with 3")]
    assert played.executor.most == 2
    played = lost(3, PER_EPOCH, deaths=1, cause="memory", jobs=3)
    played.executor.dies |= {0: PER_EPOCH, 6: PER_EPOCH}  # all at once
    played.executor.spared |= {0: 1, 6: 1}
    assert played.run() == Result("done")
    assert [e.jobs for e in played.of(PoolReady)] == [2, 1]
    assert played.executor.most == 1


def test_a_trial_that_runs_out_of_memory_alone_is_given_up_sooner() -> None:
    played = lost(3, PER_EPOCH, deaths=1000, cause="memory", jobs=1)
    assert played.run() == Result("done", "1 of 9 trials failed")
    assert [work.trial for work in played.executor.submitted].count(3) == TRIES_ALONE
    assert not played.of(PoolReady), "one at a time is the least"


def test_a_sweep_that_is_lost_finds_the_same_rate() -> None:
    def rates(deaths: int) -> list[RateChosen]:
        tuned = Compare(entries=[entry("adam", lr=None)], seeds=2, epochs=2, rates="tuned")
        played = Played(tuned)
        played.executor.dies[2], played.executor.spared[2] = SWEEP_STEPS, deaths
        assert played.run() == Result("done")
        return played.of(RateChosen)

    assert rates(1) == rates(0)
    assert rates(1)[0].steps == SWEEP_STEPS


def test_a_trial_that_is_lost_in_a_pause_leaves_it_a_pause() -> None:
    played = lost(3, 2 * PER_EPOCH, deaths=1)
    played.order_at(2, Pause())
    played.executor.at_poll[8] = lambda: played.order(StopTrial(trial=3))
    played.executor.at_poll[20] = lambda: played.stop.set("enough")
    assert played.run() == Result("stopped", "enough")
    stopped = next(i for i, e in enumerate(played.events) if isinstance(e, TrialFinished))
    assert played.events[stopped].trial == 3
    assert history_of(played, stopped + 1).paused


def test_the_system_says_whether_it_killed_a_process_for_memory(tmp_path: Path) -> None:
    vmstat = tmp_path / "vmstat"
    vmstat.write_text("nr_free_pages 12\noom_kill 3\noom_kill_x 9\n")
    assert oom_kills(vmstat) == 3
    assert oom_kills(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("before", "after", "cause", "words"),
    [
        (3, 3, "killed", "its process was killed (SIGKILL)"),
        (3, 4, "memory", "the system killed its process (SIGKILL) as memory ran out"),
        (None, None, "memory", "its process was killed (SIGKILL): out of memory, or by hand"),
    ],
)
def test_memory_was_the_cause_if_the_system_killed_a_process_since_it_started(
    monkeypatch: pytest.MonkeyPatch,
    before: int | None,
    after: int | None,
    cause: str,
    words: str,
) -> None:
    monkeypatch.setattr("clr_tui.engine.comparing.pool.oom_kills", lambda: after)
    lost = _lost(-9, before)
    assert (lost.cause, lost.reason) == (cause, words)
    assert _lost(-15, before).cause == "killed"
    assert _lost(-11, before).cause == _lost(1, before).cause == "crashed"
