"""A folder of runs, and an app that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_helpers import Runs, fill, make_app

from clr_tui.tui.app import ClrTuiApp


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    folder = Runs(tmp_path / "runs")
    yield folder
    folder.let_die()


@pytest.fixture
def mixed(runs: Runs) -> Runs:
    return fill(runs)


@pytest.fixture
def app(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> ClrTuiApp:
    return make_app(runs.folder, monkeypatch)
