"""The programs of docs/callbacks.md run as they are printed, with the real libraries."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from recorded import column, ending, only_run, settings

PAGE = (Path(__file__).parents[2] / "docs" / "callbacks.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"```python\n# with_(\w+)\.py\n(.*?)```", PAGE, re.DOTALL))
STEPS = {"lightning": (64, 0), "transformers": (256, 1), "ignite": (64, 1)}
"""How many, and the number of the first."""
VALIDATION = {"lightning": "val_loss", "transformers": "eval_loss", "ignite": "val_mse"}


@pytest.mark.parametrize("library", STEPS)
def test_each_program_runs_as_printed(library: str, runs: Path, tmp_path: Path) -> None:
    pytest.importorskip(library)
    (tmp_path / "train.py").write_text(PROGRAMS[library], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "train.py"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    run = only_run(runs)
    count, first = STEPS[library]
    assert run.id == "houses-1"
    assert list(column(run, "lr")) == list(range(first, first + count))
    losses = [loss for loss in column(run, "loss").values() if loss is not None]
    assert len(losses) == (count // 8 if library == "transformers" else count)
    assert losses[-1] < losses[0] / 2
    assert len(column(run, VALIDATION[library])) == 4
    assert ending(run).outcome == "done"
    assert settings(run).get("width", "32") == "32"


def test_no_program_on_the_page_is_left_out() -> None:
    assert set(PROGRAMS) == set(STEPS)
    assert PAGE.count("```python") == len(STEPS)
