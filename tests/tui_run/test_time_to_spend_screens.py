"""Runs with a time to spend on their screens: what is planned while they run, and what was used."""

from __future__ import annotations

from pathlib import Path

import pytest
from compare_runs import SIX
from comparison_logs import comparison_config, comparison_events
from msgspec.structs import replace
from run_logs import SIZES, SWEEP, TASK, Log, app_of, message, panel, title, usual

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.settings.config import Compare, RangeTest

size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
EPOCHS = 16


def measuring(folder: Path) -> Log:
    """The few steps before the first plan."""
    run = create_run(folder, task=TASK, job=RangeTest(time=300.0), version="0.1.0")
    words = "measuring the time of a step"
    return Log(run).live().begin().tell(ev.Progress(what=words, done=0, total=1))


def sweeping(folder: Path) -> Log:
    """Of five sweeps planned, the second."""
    log = measuring(folder).tell(planned(seeds=5, used=4.2)).sweep(usual)
    log.tell(ev.TrialFinished(trial=0, outcome="done", step=SWEEP), planned(seeds=4, used=62.0))
    return log.sweep(usual, trial=1, until=70)


def swept(folder: Path) -> Log:
    """Sweeps ended early, so that there was time for more than planned."""
    log = measuring(folder).tell(planned(seeds=2, used=4.2))
    for trial in range(3):
        log.sweep(usual, trial=trial)
        log.tell(ev.TrialFinished(trial=trial, outcome="done", step=SWEEP))
    log.tell(planned(seeds=3, used=284.4), ev.RunFinished(outcome="done"))
    log.die()
    return log


def planned(seeds: int, used: float) -> ev.TimePlanned:
    return ev.TimePlanned(seconds=300.0, used=used, seeds=seeds, steps=SWEEP)


def comparing(folder: Path, seeds: int = 4, trials: int = 9, *, ended: bool = False) -> Log:
    """The first trials of a comparison of six optimizers, seed by seed."""
    job = replace(comparison_config(SIX, epochs=EPOCHS).asked(Compare), time=1800.0)
    log = Log(create_run(folder, task=TASK, job=job, version="0.1.0")).live()
    opening, by_trial = [], {}
    for event in comparison_events(SIX, seeds, EPOCHS):
        if isinstance(event, ev.Overall | ev.RunFinished):
            continue
        if (told := getattr(event, "trial", None)) is None:
            opening.append(event)
        else:
            number = job.trial_number(*divmod(told, seeds))
            by_trial.setdefault(number, []).append(replace(event, trial=number))
    plan = ev.TimePlanned(seconds=1800.0, used=30.5, seeds=1)
    log.tell(*opening, plan, seconds=0.0)
    for number in range(trials):
        log.tell(*by_trial[number], seconds=0.5)
    log.tell(replace(plan, used=1790.0 if ended else 700.2, seeds=seeds))
    if ended:
        log.tell(ev.RunFinished(outcome="done"))
        log.die()
        return log
    under_way = [by_trial[number][: 1 + 3 * EPOCHS // 2] for number in (trials, trials + 1)]
    at = {"done": trials, "failed": 0, "stopped": 0, "running": 2, "total": 6 * seeds}
    return log.tell(
        *(event for events in under_way for event in events),
        ev.Overall(fraction=0.39, eta_seconds=1100.0, **at),
    )


STATES = {
    "measuring": measuring,
    "sweeping": sweeping,
    "swept": swept,
    "comparing": comparing,
    "compared": lambda folder: comparing(folder, trials=24, ended=True),
}


@size
@pytest.mark.parametrize("state", STATES)
def test_the_screen(snap_compare, tmp_path, state, size):
    log = STATES[state](tmp_path / "runs")
    assert snap_compare(app_of(log), terminal_size=size)
    log.die()


async def test_a_range_test_counts_the_sweeps_of_the_newest_plan(tmp_path):
    log = sweeping(tmp_path)
    async with app_of(log).run_test(size=(160, 44)) as pilot:
        assert "· time 5m " in title(pilot)
        assert "2 of 4" in panel(pilot)
    log.die()


async def test_when_it_has_ended_what_was_used_is_shown(tmp_path):
    log = swept(tmp_path)
    async with app_of(log).run_test(size=(160, 44)) as pilot:
        assert "of 5:00" in panel(pilot)
        assert "bottom is recommended" in message(pilot)


async def test_a_comparison_shows_the_seeds_that_are_planned(tmp_path):
    log = comparing(tmp_path)
    async with app_of(log).run_test(size=(160, 44)) as pilot:
        assert "time 30m" in title(pilot)
        report = pilot.app.screen.report
        assert (report.seeds, report.trials_total, report.trials_done) == (4, 24, 9)
        assert report.left == 1100.0
    log.die()
