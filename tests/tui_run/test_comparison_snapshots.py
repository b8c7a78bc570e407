"""What the comparison screen looks like, at the smallest size and at a large one."""

import math

import pytest
from compare_runs import SIX, all_failed, compare_log, place
from run_logs import SIZES, Clock, app_of, lighten, press, replay_of

from clr_tui.engine.log import events as ev

size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
STATES = {
    "waiting": lambda folder: compare_log(folder, SIX, upto=0).live(),
    "decoding": lambda folder: (
        compare_log(folder, SIX, upto=0)
        .live()
        .tell(
            ev.RunStarted(run="r", kind="compare"),
            ev.Progress(what="decoding images", done=1200, total=3670),
        )
    ),
    "tuning": lambda folder: compare_log(folder, SIX, tuned=True, upto=10).live(),
    "running": lambda folder: compare_log(folder, SIX, epochs=16, running=True).live(),
    "paused": lambda folder: compare_log(folder, SIX, running=True).live().tell(ev.Paused()),
    "one failed": lambda folder: compare_log(folder, SIX, epochs=16, failed=(4, 1)),
    "all failed": all_failed,
    "finished": lambda folder: compare_log(folder, SIX, epochs=16, target=0.7),
    "tuned": lambda folder: compare_log(folder, SIX, epochs=16, tuned=True),
    "lost": lambda folder: compare_log(folder, SIX, running=True),
}


@pytest.fixture(autouse=True)
def _same_folder_for_all(monkeypatch):
    # The path of a run's log stands on the screen of a lost run.
    monkeypatch.setattr(
        "clr_tui.tui.screens.run_screen.log_of", lambda _: "/runs/compare-flowers-1/worker.log"
    )


@size
@pytest.mark.parametrize("state", STATES)
def test_comparison(snap_compare, tmp_path, state, size):
    log = STATES[state](tmp_path)
    assert snap_compare(app_of(log), terminal_size=size)
    log.die()


@size
def test_trials_of_an_optimizer_that_failed(snap_compare, tmp_path, size):
    log = compare_log(tmp_path, SIX, epochs=16, failed=(2, 1))

    async def select(pilot):
        while place(pilot)[0] != 2:
            await pilot.press("down")
        await press("enter", "down", "down")(pilot)

    assert snap_compare(app_of(log), terminal_size=size, run_before=select)


@size
def test_single_seeds_of_the_loss(snap_compare, tmp_path, size):
    log = compare_log(tmp_path, epochs=16)
    keys = press("m", "a", "y", "v", "x", "h")
    assert snap_compare(app_of(log), terminal_size=size, run_before=keys)


@size
def test_a_target_and_both_parts(snap_compare, tmp_path, size):
    log = compare_log(tmp_path, epochs=16)
    keys = press("right", "left", "v", "v", "d", "down")
    assert snap_compare(app_of(log), terminal_size=size, run_before=keys)


@pytest.mark.parametrize("keys", ["g", "e", "s", "k", "question_mark"])
def test_dialogs(snap_compare, tmp_path, monkeypatch, keys):
    monkeypatch.setattr("clr_tui.tui.screens.help.WHERE", "Runs are kept in /runs.")
    log = compare_log(tmp_path, ("adam",), running=True).live()
    assert snap_compare(app_of(log), terminal_size=(80, 24), run_before=press("down", keys))
    log.die()


@size
def test_replay(snap_compare, tmp_path, size):
    app = replay_of(compare_log(tmp_path, epochs=16), clock=Clock(), start_at=0.6)
    assert snap_compare(app, terminal_size=size)


@size
def test_a_trial_of_a_replay(snap_compare, tmp_path, size):
    log = compare_log(tmp_path, epochs=16)
    app = replay_of(log, clock=Clock(), start_speed=math.inf)
    keys = press("enter", "down", "enter")
    assert snap_compare(app, terminal_size=size, run_before=keys)


def test_light(snap_compare, tmp_path):
    log = compare_log(tmp_path, SIX, epochs=16)
    assert snap_compare(app_of(log), run_before=lighten, terminal_size=(160, 44))


@size
def test_without_colour(snap_compare, tmp_path, monkeypatch, size):
    monkeypatch.setenv("NO_COLOR", "1")
    log = compare_log(tmp_path, SIX, epochs=16, target=0.7)
    assert snap_compare(app_of(log), run_before=press("down"), terminal_size=size)


def test_in_sixteen_colours(snap_compare, tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.setenv("COLORTERM", "")
    log = compare_log(tmp_path, SIX, epochs=16)
    assert snap_compare(app_of(log), run_before=press("down"), terminal_size=(100, 30))
