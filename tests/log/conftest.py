"""What the tests of run files share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.settings.config import RangeTest, TaskConfig


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def new_run(runs: Path) -> Callable[..., RunDir]:
    def make(**changes: Any) -> RunDir:
        settings = {"job": RangeTest(), "task": TaskConfig(), "version": "0.1.0", **changes}
        return create_run(runs, **settings)

    return make
