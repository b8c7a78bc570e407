"""What a comparison over a grid of rates looks like, at the smallest size and at a large one."""

import pytest
from grid_runs import TWO, grid_log
from run_logs import SIZES, Clock, app_of, lighten, press, replay_of

from clr_tui.engine.metrics import LOSS

size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
STATES = {
    "done": grid_log,
    "two optimizers": lambda folder: grid_log(folder, TWO),
    "running": lambda folder: grid_log(folder, TWO, done=17, running=2).live(),
    "ended early": lambda folder: grid_log(folder, TWO, loses=(0, 1, 12)),
    "loss": lambda folder: grid_log(folder, metric=LOSS),
}


@size
@pytest.mark.parametrize("state", STATES)
def test_grid(snap_compare, tmp_path, state, size):
    log = STATES[state](tmp_path)
    assert snap_compare(app_of(log), terminal_size=size)
    log.die()


@size
def test_before_every_rate_has_a_result(snap_compare, tmp_path, size):
    log = grid_log(tmp_path, TWO, done=6, running=2).live()
    assert snap_compare(app_of(log), terminal_size=size, run_before=press("f"))
    log.die()


@size
def test_seeds_of_the_second_optimizer(snap_compare, tmp_path, size):
    log = grid_log(tmp_path, TWO)
    assert snap_compare(app_of(log), terminal_size=size, run_before=press("down", "m"))


@size
def test_without_colour(snap_compare, tmp_path, monkeypatch, size):
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app_of(grid_log(tmp_path, TWO)), terminal_size=size)


def test_light(snap_compare, tmp_path):
    log = grid_log(tmp_path, TWO)
    assert snap_compare(app_of(log), run_before=lighten, terminal_size=(160, 44))


@size
def test_replay(snap_compare, tmp_path, size):
    app = replay_of(grid_log(tmp_path), clock=Clock(), start_at=0.7)
    assert snap_compare(app, terminal_size=size)
