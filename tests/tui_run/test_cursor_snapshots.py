"""What cursor and zoom look like, at the smallest size and at a large one."""

import pytest
from compare_runs import compare_log
from run_logs import SIZES, app_of, usual

size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
CURSOR = ["i", "right", "right"]
ZOOM = ["z", "up", "up", "right"]


@size
@pytest.mark.parametrize("keys", [CURSOR, ZOOM, [*CURSOR, *ZOOM]], ids=["cursor", "zoom", "both"])
def test_range_test(snap_compare, sweep_log, keys, size):
    sweep_log.begin().sweep(usual).end()
    assert snap_compare(app_of(sweep_log), press=keys, terminal_size=size)


@size
@pytest.mark.parametrize(
    "keys", [CURSOR, ZOOM, ["f"], ["X"]], ids=["cursor", "zoom", "newest", "log-x"]
)
def test_training(snap_compare, train_log, keys, size):
    train_log.live().begin().train(6.34)
    assert snap_compare(app_of(train_log), press=keys, terminal_size=size)


@size
@pytest.mark.parametrize("keys", [CURSOR, [*CURSOR, *ZOOM]], ids=["cursor", "both"])
def test_comparison(snap_compare, tmp_path, keys, size):
    assert snap_compare(app_of(compare_log(tmp_path)), press=keys, terminal_size=size)


def test_the_keys_in_use(snap_compare, train_log):
    train_log.begin().train(16).end()
    assert snap_compare(app_of(train_log), press=["z", "question_mark"], terminal_size=(80, 24))


def test_the_cursor_without_colour(snap_compare, sweep_log, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    sweep_log.begin().sweep(usual).end()
    assert snap_compare(app_of(sweep_log), press=CURSOR, terminal_size=(80, 24))
