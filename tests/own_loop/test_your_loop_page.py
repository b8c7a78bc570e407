"""The programs on the page about one's own loop run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from loops import Program, column, ending

from clr_tui.engine.log.rundir import list_runs
from clr_tui.engine.settings.logged_config import LoggedRun

PAGE = Path(__file__).parents[2] / "docs" / "your-loop.md"
PROGRAMS = {
    match[1]: match[2]
    for match in re.finditer(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
}


@pytest.mark.parametrize(
    ("name", "run", "steps"), [("train.py", "houses-1", 160), ("steered.py", "steered-1", 500)]
)
def test_each_program_runs_as_printed(tmp_path: Path, name: str, run: str, steps: int) -> None:
    program = Program(tmp_path, PROGRAMS[name])
    done = program.run()
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = list_runs(program.runs)
    assert found.id == run
    losses = column(found, "loss")
    assert [step for step, _ in losses] == list(range(steps))
    assert None not in [loss for _, loss in losses]
    assert len(column(found, "lr")) == steps
    assert ending(found).outcome == "done"
    if name == "train.py":
        assert found.config().asked(LoggedRun).config == {"batch": "64", "momentum": "0.9"}
        first, last = losses[0][1], losses[-1][1]
        assert first is not None
        assert last is not None
        assert last < first / 2


def test_no_program_on_the_page_is_left_out() -> None:
    assert set(PROGRAMS) == {"train.py", "steered.py"}
    assert PAGE.read_text("utf-8").count("```python") == 2
