"""What the run screens look like, at the smallest size and at a large one."""

import math

import pytest
from run_logs import SIZES, Clock, app_of, flat, lighten, replay_of, usual

from clr_tui.engine.log import events as ev

size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())


def diverging(rates):
    return usual(rates * 30)


TESTED = [
    ev.Evaluated(
        trial=0, step=864, part="test", loss=1.0, metrics={"accuracy": 0.671}, checkpoint="last"
    ),
    ev.Evaluated(
        trial=0, step=864, part="test", loss=1.0, metrics={"accuracy": 0.679}, checkpoint="best"
    ),
]
RANGE_TESTS = {
    "waiting": lambda log: log.live(),
    "decoding": lambda log: log.live().tell(
        ev.RunStarted(run="r", kind="range-test"),
        ev.Progress(what="decoding images", done=1200, total=3670),
    ),
    "running": lambda log: log.live().begin().sweep(usual, until=80),
    "finished": lambda log: log.begin().sweep(usual).end(),
    "diverged": lambda log: (
        log.begin()
        .sweep(diverging, until=90)
        .tell(ev.Diverged(trial=0, step=89, lr=1.6e-2, reason="4 times its best"))
        .end()
    ),
    "failed": lambda log: log.begin().end("failed", "The device ran out of memory.", "batch_size"),
    "lost": lambda log: log.begin().sweep(usual, until=40),
    "flat": lambda log: log.begin().sweep(flat).end(),
}
TRAININGS = {
    "waiting": lambda log: log.live(),
    "running": lambda log: log.live().begin().train(6.34),
    "paused": lambda log: log.live().begin().train(6.34).tell(ev.Paused()),
    "finished": lambda log: log.begin().train(16).tell(*TESTED).end(),
    "stopped": lambda log: log.begin().train(6.34).end("stopped"),
    "failed": lambda log: log.begin().end("failed", "The device ran out of memory.", "batch_size"),
}


@pytest.fixture(autouse=True)
def _same_folder_for_all(monkeypatch):
    # The path of a run's log stands on the screen of a lost run.
    monkeypatch.setattr(
        "clr_tui.tui.screens.run_screen.log_of", lambda _: "/runs/range-test-flowers-1/worker.log"
    )


@size
@pytest.mark.parametrize("state", RANGE_TESTS)
def test_range_test(snap_compare, sweep_log, state, size):
    RANGE_TESTS[state](sweep_log)
    assert snap_compare(app_of(sweep_log), terminal_size=size)


@size
def test_range_test_of_several_seeds(snap_compare, seeds_log, size):
    seeds_log.live().begin()
    for trial in (0, 1):
        seeds_log.sweep(usual, trial=trial)
        seeds_log.tell(ev.TrialFinished(trial=trial, outcome="done", step=120))
    seeds_log.sweep(usual, trial=2, until=70)
    assert snap_compare(app_of(seeds_log), terminal_size=size)


@size
@pytest.mark.parametrize("state", TRAININGS)
def test_training(snap_compare, train_log, state, size):
    TRAININGS[state](train_log)
    assert snap_compare(app_of(train_log), terminal_size=size)


@size
def test_replay(snap_compare, sweep_log, size):
    sweep_log.begin().sweep(usual).end()
    app = replay_of(sweep_log, clock=Clock(), start_at=0.7)
    assert snap_compare(app, terminal_size=size)


@size
def test_replay_at_its_end(snap_compare, train_log, size):
    train_log.begin().train(4).end("stopped")
    app = replay_of(train_log, clock=Clock(), start_speed=math.inf)
    assert snap_compare(app, terminal_size=size)


@pytest.mark.parametrize("keys", ["b", "t", "e"])
def test_dialogs(snap_compare, sweep_log, keys):
    sweep_log.begin().sweep(usual).end()
    assert snap_compare(app_of(sweep_log), press=keys, terminal_size=(80, 24))


def test_bounds_with_mistakes(snap_compare, sweep_log):
    sweep_log.begin().sweep(usual).end()
    keys = ["b", "0", ".", "5", "down", "a", "b"]
    assert snap_compare(app_of(sweep_log), press=keys, terminal_size=(80, 24))


def test_light(snap_compare, sweep_log):
    sweep_log.begin().sweep(usual).end()
    assert snap_compare(app_of(sweep_log), run_before=lighten, terminal_size=(160, 44))


def test_without_colour(snap_compare, sweep_log, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    sweep_log.begin().sweep(usual).end()
    assert snap_compare(app_of(sweep_log), terminal_size=(80, 24))
