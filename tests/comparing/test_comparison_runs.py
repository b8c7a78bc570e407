"""Whole comparisons by real processes: the log's counts, and curves that are the same anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import torch
from comparing_runs import (
    ADAM,
    CLR,
    PER_EPOCH,
    by_path,
    check_event_order,
    curve,
    do,
    events_of_type,
    new_run,
)
from fake_executor import entry

from clr_tui.engine.log.events import (
    AnyEvent,
    CheckpointSaved,
    EpochFinished,
    Evaluated,
    Overall,
    PoolReady,
    RateChosen,
    RunFinished,
    Steps,
    TaskReady,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import (
    Compare,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
)
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.training.trainee import make_trainee

OWN = """
import os
import torch

class Plain(torch.optim.SGD):
    pass

class Breaks(torch.optim.SGD):
    steps = 0
    def step(self, closure=None):
        self.steps += 1
        if self.steps == 25:
            threads = torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]
            raise ZeroDivisionError(f"by nothing, with threads {threads}")
        return super().step(closure)
"""


@dataclass
class Done:
    run: RunDir
    code: int
    events: list[AnyEvent]


def whole(folder: Path, config: Compare, own: bool = False, **task: object) -> Done:
    if own:
        (folder / "own_optimizers_of_test.py").write_text(OWN)
    run = new_run(folder, config, folder=folder if own else None, **task)
    return Done(run, do(run), read_events(run.events_path).events)


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory: pytest.TempPathFactory) -> Done:
    config = Compare(entries=[ADAM, CLR], seeds=2, epochs=2, step_size_epochs=1, jobs=2)
    return whole(tmp_path_factory.mktemp("pool"), config)


@pytest.fixture(scope="module")
def in_a_row(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """One process: a sweep first, then trials that break, diverge and end well."""
    config = Compare(
        entries=[
            CLR,
            by_path("own_optimizers_of_test:Breaks"),
            entry("sgd", lr=1e20),
            ADAM,
            by_path("own_optimizers_of_test:Plain"),
            entry("adamax+clr", lr=None, policy="triangular"),
        ],
        seeds=1,
        epochs=2,
        step_size_epochs=1,
        jobs=1,
        range_test=RangeTest(steps=30, end_lr=10.0),
    )
    return whole(tmp_path_factory.mktemp("row"), config, own=True)


def test_the_log_has_every_event_once(side_by_side: Done) -> None:
    assert side_by_side.code == 0
    check_event_order(side_by_side.events)
    run = side_by_side.run
    assert [(e.jobs, e.threads, e.devices) for e in events_of_type(run, PoolReady)] == [
        (2, 1, ["cpu"])
    ]
    assert {(e.trial, e.entry, e.seed, e.label) for e in events_of_type(run, TrialStarted)} == {
        (0, 0, 0, "adam"),
        (1, 0, 1, "adam"),
        (2, 1, 0, "sgd+clr"),
        (3, 1, 1, "sgd+clr"),
    }
    assert sum(len(e.step) for e in events_of_type(run, Steps)) == 4 * 2 * PER_EPOCH
    assert len(events_of_type(run, EpochFinished)) == 4 * 2
    tested = [(e.trial, e.checkpoint) for e in events_of_type(run, Evaluated) if e.part == "test"]
    assert sorted(tested) == sorted((t, name) for t in range(4) for name in ("last", "best"))
    last = events_of_type(run, Overall)[-1]
    assert (last.done, last.failed, last.stopped, last.running, last.total) == (4, 0, 0, 0, 4)
    assert last.fraction == 1
    (finished,) = events_of_type(run, RunFinished)
    assert (finished.outcome, finished.message) == ("done", "")
    label, other = r"(?:adam|sgd\+clr)", r"; not distinguishable from (?:adam|sgd\+clr)"
    assert re.fullmatch(rf"{label} leads, \d+\.\d %(?:{other})?", finished.headline)


def test_nothing_is_kept_on_disk_but_the_log(side_by_side: Done) -> None:
    assert not events_of_type(side_by_side.run, CheckpointSaved)
    names = {path.name for path in side_by_side.run.path.iterdir()}
    assert names == {"run.json", "events.jsonl", "worker.lock"}


def test_what_breaks_or_diverges_ends_its_own_trial(in_a_row: Done) -> None:
    assert in_a_row.code == 0
    check_event_order(in_a_row.events)
    ends = {e.trial: e for e in events_of_type(in_a_row.run, TrialFinished)}
    assert {trial: end.outcome for trial, end in ends.items()} == {
        0: "done",
        1: "failed",
        2: "failed",
        3: "done",
        4: "done",
        5: "done",
        11: "done",
    }
    said = r"ZeroDivisionError: by nothing, with threads \(1, '1'\) \(.+\.py:\d+, in step\)"
    assert re.fullmatch(said, ends[1].reason)
    assert "not finite" in ends[2].reason
    (finished,) = events_of_type(in_a_row.run, RunFinished)
    assert (finished.outcome, finished.message) == ("done", "2 of 6 trials failed")
    assert re.search(r" is highest, \d+\.\d %; one seed only$", finished.headline)


def test_a_sweep_is_reported_and_its_cost_counted(in_a_row: Done) -> None:
    (sweep,) = [e for e in events_of_type(in_a_row.run, TrialStarted) if e.role == "sweep"]
    assert (sweep.trial, sweep.entry, sweep.label, sweep.total_steps) == (11, 5, "adamax+clr", 30)
    (rate,) = [e for e in events_of_type(in_a_row.run, RateChosen) if e.entry == 5]
    assert rate.trial == 11
    assert rate.steps == len(curve(in_a_row.events, 11)["step"])
    assert rate.samples == rate.steps * 64
    assert rate.seconds > 0


def test_a_trial_is_the_same_alone_in_a_pool_and_after_others(
    side_by_side: Done, in_a_row: Done, tmp_path: Path
) -> None:
    alone = Compare(entries=[CLR], seeds=1, epochs=2, step_size_epochs=1)
    done = whole(tmp_path, alone)
    assert re.fullmatch(r"sgd\+clr, \d+\.\d %", events_of_type(done.run, RunFinished)[0].headline)
    expected = curve(done.events, 0)
    assert len(expected["loss"]) == 2 * PER_EPOCH
    assert curve(side_by_side.events, 2) == expected
    assert curve(in_a_row.events, 0) == expected
    assert curve(side_by_side.events, 0) == curve(in_a_row.events, 3)
    # Not because everything is the same.
    assert curve(side_by_side.events, 3) != expected


def test_seeds_are_paired_in_the_log(side_by_side: Done, in_a_row: Done) -> None:
    """The first loss comes before the first update: weights, order and augmentation alone."""
    first = {t: curve(side_by_side.events, t)["loss"][0] for t in range(4)}
    assert first[0] == first[2]
    assert first[1] == first[3]
    assert first[0] != first[1]
    row = {curve(in_a_row.events, t)["loss"][0] for t in (0, 1, 2, 3, 4, 5, 11)}
    assert row == {first[0]}


def test_seeds_are_paired_bit_for_bit() -> None:
    task = load_task(TaskConfig(), torch.device("cpu"), lambda *_: None, lambda _: None)

    def trainee(name: str, seed: int) -> object:
        torch.rand(7)  # what went before does not matter
        optimizer = OptimizerConfig(name=name)
        return make_trainee(task, optimizer, batch_size=64, seed=seed, precision="float32")

    adam, sgd, other = trainee("adam", 5), trainee("sgd", 5), trainee("sgd", 6)
    weights = [list(t.model.state_dict().values()) for t in (adam, sgd, other)]
    assert all(torch.equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights[1], weights[2], strict=True))
    differ = 0
    for _ in range(2 * PER_EPOCH + 3):
        one, same, another = (t.batches.draw() for t in (adam, sgd, other))
        assert torch.equal(one[0], same[0])
        assert torch.equal(one[1], same[1])
        differ += not torch.equal(one[1], another[1])
    assert differ > 2 * PER_EPOCH


@pytest.mark.parametrize(
    ("changes", "task", "field"),
    [
        ({"jobs": 10_000}, {}, "jobs"),
        ({}, {"batch_size": 5000}, "batch_size"),
    ],
)
def test_a_mistake_ends_the_run_before_the_pool(
    tmp_path: Path, changes: dict[str, int], task: dict[str, int], field: str
) -> None:
    config = Compare(entries=[ADAM], seeds=2, epochs=1)
    done = whole(tmp_path, msgspec.structs.replace(config, **changes), **task)
    assert done.code == 1
    (finished,) = events_of_type(done.run, RunFinished)
    assert (finished.outcome, finished.field) == ("failed", field)
    assert not events_of_type(done.run, PoolReady)
    assert len(events_of_type(done.run, TaskReady)) == (field == "jobs")
