"""The process of the screen never loads torch, not even while it starts and shows a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import asyncio, sys
from pathlib import Path
from clr_tui.engine.log.rundir import list_runs
from clr_tui.engine.log.summary import summarise
from clr_tui.tui.app import ClrTuiApp

def status(runs):
    found = list_runs(runs)
    return summarise(found[0]).status if found else "starting"

async def ended(runs):
    while status(runs) in ("starting", "running"):
        await asyncio.sleep(0.1)

async def main():
    runs = Path(sys.argv[1])
    app = ClrTuiApp(runs)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("n")
        await pilot.press("enter")
        await asyncio.wait_for(ended(runs), 150)
        await pilot.pause(0.5)
        print(status(runs), type(app.screen).__name__)
        print([name for name in sys.modules if name.split(".")[0] in ("torch", "torchvision")])

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_live_run_is_shown_without_torch(tmp_path: Path) -> None:
    env = os.environ | {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        timeout=200,
        env=env,
        check=False,
    )
    assert done.stdout.splitlines() == ["done RangeTestScreen", "[]"], done.stderr[-2000:]
