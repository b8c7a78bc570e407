"""The tutorial, docs/your-model.md, run as it is printed; files of `new-task` run unchanged."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from clr_tui.tui.cli.new_task import KINDS

TUTORIAL = (Path(__file__).parents[2] / "docs" / "your-model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLR_TUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def clr_tui(folder: Path, *arguments: str) -> str:
    """What the command prints on stdout, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "clr_tui.tui", *arguments],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_task_file_is_short() -> None:
    (task,) = [text for _, text in BLOCKS if text.startswith("# houses.py")]
    lines = [line for line in task.splitlines()[1:] if line.strip()]
    assert len(lines) <= 15


@pytest.mark.slow
def test_the_tutorial_runs_as_printed(here: Path) -> None:
    printed = {}
    for language, text in BLOCKS:
        if language == "python":
            name = text.partition("\n")[0].removeprefix("# ")
            (here / name).write_text(text, encoding="utf-8")
        for line in text.splitlines() if language == "sh" else ():
            program, *words = shlex.split(line)
            assert program == "clr-tui"
            printed[line] = clr_tui(here, *words)
    ranges = [text for line, text in printed.items() if line.startswith("clr-tui range-test")]
    assert len(ranges) == 3
    assert all("is recommended: max_lr" in text for text in ranges)
    (training,) = [text for line, text in printed.items() if line.startswith("clr-tui train")]
    assert "mae" in training
    (comparison,) = [text for line, text in printed.items() if line.startswith("clr-tui compare")]
    assert "adam" in comparison
    assert "sgd+clr" in comparison
    assert "mae" in comparison


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_file_trains_unchanged(here: Path, kind: str) -> None:
    clr_tui(here, "new-task", "mine.py", "--kind", kind)
    result = json.loads(
        clr_tui(here, "train", "--task", "mine.py", "--max-lr", "0.1", "--epochs", "2",
                "--step-size-epochs", "1", "--json")
    )  # fmt: skip
    assert result["status"] == "done"
    assert result["metric"] == ("mae" if kind == "regression" else "accuracy")
