"""Which settings differ between runs that are shown together."""

from __future__ import annotations

from clr_tui.engine.settings.config import Job, RangeTest, RunConfig, TaskConfig, Train
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.tui.kinds.logged.run_settings import differences, run_settings


def config(job: Job, **task) -> RunConfig:
    return RunConfig(id="a", created=0.0, version="", task=TaskConfig(**task), job=job)


def test_runs_of_one_kind_differ_in_what_one_has_otherwise_or_alone() -> None:
    train = Train(base_lr=0.1, max_lr=1.0)
    runs = [config(train, seed=1), config(Train(base_lr=0.2, max_lr=1.0), seed=2)]
    assert differences([run_settings(run) for run in runs]) == [
        {"seed": "1", "base_lr": "0.1"},
        {"seed": "2", "base_lr": "0.2"},
    ]
    logged = [LoggedRun(config={"lr": "0.1", "aug": "on"}), LoggedRun(config={"lr": "0.1"})]
    assert differences([run_settings(config(job)) for job in logged]) == [{"aug": "on"}, {}]


def test_runs_of_two_kinds_differ_in_what_both_have() -> None:
    jobs = RangeTest(epochs=3), Train(base_lr=0.1, max_lr=1.0)
    assert differences([run_settings(config(job)) for job in jobs]) == [
        {"kind": "range test", "epochs": "3"},
        {"kind": "training", "epochs": "16"},
    ]


def test_equal_runs_differ_in_nothing() -> None:
    assert differences([run_settings(config(RangeTest()))] * 3) == [{}, {}, {}]
    assert differences([]) == []
