"""The programs of docs/library.md run as they are printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from inspect import signature
from pathlib import Path

import clr_tui
from clr_tui.engine.policies import lr_at
from clr_tui.library.sweep_result import RangeTestResult

PAGE = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))


def printed_by(name: str, folder: Path) -> str:
    (folder / name).write_text(PROGRAMS[name], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, name],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_rate_that_is_found_trains(tmp_path: Path) -> None:
    printed = printed_by("find_lr.py", tmp_path)
    assert "bottom is recommended: max_lr" in printed
    assert "learning rate (log)" in printed
    found = re.search(r"^loss (\S+) after 8 epochs up to (\S+)$", printed, re.MULTILINE)
    assert found is not None
    assert float(found[1]) < 1  # the targets have a variance of 9
    assert 1e-3 < float(found[2]) < 1


def test_a_resumed_training_has_the_rate_of_its_step(tmp_path: Path) -> None:
    rate = lr_at("one-cycle", 300, base_lr=0.01 / 6, max_lr=0.01, step_size=1.0, total_steps=1000)
    assert printed_by("resumed.py", tmp_path) == f"step 300 rate {rate}\n"


def test_no_program_on_the_page_is_left_out() -> None:
    assert set(PROGRAMS) == {"find_lr.py", "resumed.py"}
    assert PAGE.count("```python") == 2


def test_the_page_names_every_argument_and_every_part_of_the_result() -> None:
    arguments = {*signature(clr_tui.range_test).parameters, *signature(clr_tui.CLR).parameters}
    parts = {name for name in vars(RangeTestResult) if not name.startswith("_")}
    unknown = {name for name in arguments | parts if not re.search(rf"`{name}[`(]", PAGE)}
    assert unknown <= {"optimizer", "last_epoch"}
