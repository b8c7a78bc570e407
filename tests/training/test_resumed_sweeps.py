"""A range test that is resumed keeps its sweeps, and continues the one that was running."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from resuming import Crashes, Prompt, curves, history_of, resumed_events
from training_bench import Bench, make_bench

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log.commands import Stop
from clr_tui.engine.log.events import Resumed, TimePlanned, TrialStarted
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.session import Session, Trial

JOB = RangeTest(
    start_lr=1e-4, end_lr=10.0, steps=40, seeds=3, optimizer=OptimizerConfig(name="adam")
)


@pytest.fixture(autouse=True)
def at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(session: Session, trial: Trial, at_most: int | None) -> Prompt:
        folder = session.folder / "checkpoints"
        return Prompt(folder, trial.number, lambda _: None, every=0.0, at_most=at_most)

    monkeypatch.setattr(Session, "resume_points", points)


def new_bench(folder: Path, job: RangeTest = JOB) -> Bench:
    folder.mkdir(parents=True, exist_ok=True)
    return make_bench(job, folder, tick=0.02)


def run(bench: Bench, past: RunHistory | None = None) -> str:
    job = bench.session.config.asked(RangeTest)
    return run_range_test(bench.session, job, past, resumable=True).outcome


def test_from_wherever_it_was_killed(tmp_path: Path) -> None:
    whole = new_bench(tmp_path / "whole")
    crashes = Crashes(whole.session.emit, whole.folder, tmp_path / "images", every=7)
    object.__setattr__(whole.session, "emit", crashes)
    assert run(whole) == "done"
    assert not list((whole.folder / "checkpoints").iterdir())
    expected = curves(history_of(whole.session.config, crashes.events))
    begun = set()
    assert len(crashes.at) > 2
    for number, count in enumerate(crashes.at):
        # Some logs lack their last event, as after a full disk.
        before = crashes.events[: count - number % 2]
        again = new_bench(tmp_path / "images" / str(count))
        past = history_of(again.session.config, before)
        assert run(again, past) == "done"
        first = again.script.of(Resumed)[:1]
        begun |= {event.step for event in first if isinstance(event, Resumed)}
        kept = [trial.trial for trial in past.trials.values() if trial.outcome == "done"]
        made = [e.trial for e in again.script.of(TrialStarted) if isinstance(e, TrialStarted)]
        assert not set(kept) & set(made)
        log = resumed_events(before, again.script.events)
        assert curves(history_of(again.session.config, log)) == expected
    assert max(begun) > 0  # within a sweep


def test_from_a_stop(tmp_path: Path) -> None:
    whole, bench = new_bench(tmp_path / "a"), new_bench(tmp_path / "b")
    run(whole)
    bench.script.at_step = {5: [Stop(reason="enough")]}
    assert run(bench) == "stopped"
    again = new_bench(tmp_path / "b")
    assert run(again, history_of(bench.session.config, bench.script.events)) == "done"
    (resumed,) = again.script.of(Resumed)
    assert isinstance(resumed, Resumed)
    assert resumed.step > 5
    log = resumed_events(bench.script.events, again.script.events)
    expected = curves(history_of(whole.session.config, whole.script.events))
    assert curves(history_of(again.session.config, log)) == expected


def test_the_plan_of_a_time_to_spend_holds(tmp_path: Path) -> None:
    job = replace(JOB, time=3600.0, steps=None)
    bench = new_bench(tmp_path, job)
    plan = TimePlanned(seconds=3600.0, used=2.0, seeds=2, steps=15)
    assert run(bench, history_of(bench.session.config, [plan])) == "done"
    lengths = [e.total_steps for e in bench.script.of(TrialStarted) if isinstance(e, TrialStarted)]
    assert lengths == [15, 15]
