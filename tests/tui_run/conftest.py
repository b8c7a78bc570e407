"""Runs whose logs the tests write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from logged_runs import LoggedLog, logged_log
from run_logs import TASK, Log

from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.settings.config import RangeTest, Train


@pytest.fixture
def sweep_log(tmp_path: Path) -> Iterator[Log]:
    """A range test of one seed, nothing told yet."""
    log = Log(
        create_run(
            tmp_path / "runs",
            task=TASK,
            job=RangeTest(),
            version="0.1.0",
        )
    )
    yield log
    log.die()


@pytest.fixture
def seeds_log(tmp_path: Path) -> Iterator[Log]:
    """A range test of three seeds, nothing told yet."""
    log = Log(
        create_run(
            tmp_path / "runs",
            task=TASK,
            job=RangeTest(seeds=3),
            version="0.1.0",
        )
    )
    yield log
    log.die()


@pytest.fixture
def train_log(tmp_path: Path) -> Iterator[Log]:
    """A training of 16 epochs, nothing told yet."""
    log = Log(
        create_run(
            tmp_path / "runs",
            task=TASK,
            job=Train(base_lr=6e-4, max_lr=3.6e-3),
            version="0.1.0",
        )
    )
    yield log
    log.die()


@pytest.fixture(autouse=True)
def _true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same colours whatever terminal the tests run in."""
    for name in ("NO_COLOR", "COLORFGBG", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def own_log(tmp_path: Path) -> Iterator[LoggedLog]:
    """A run of somebody's own loop, nothing logged yet."""
    log = logged_log(tmp_path / "runs")
    yield log
    log.die()
