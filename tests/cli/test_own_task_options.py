"""`--task` and `--set` on the command line, and what a run of a user's task is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clr_tui.engine.log.rundir import create_run, find_run
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.tui import launching

FILE = "def task(width: int = 64, dropout=0.1): ...\n\ndef small(): ...\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a task file in it; workers are not started."""
    (tmp_path / "mytask.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launching, "launch", lambda run: 0)
    return tmp_path


def started(cli, runs: Path, *arguments: str) -> TaskConfig:
    result = cli(*arguments, "--detach")
    assert result.code == 0, result.err
    return find_run(runs, result.out.split()[0].rstrip(",")).config().task


@pytest.mark.parametrize("command", [["range-test"], ["train", "--max-lr", "1"], ["compare"]])
def test_every_command_takes_a_task_and_its_parameters(cli, runs, here, command) -> None:
    task = started(cli, runs, *command, "--task", "mytask.py", "--set", "width=8")
    assert task.task == f"{here}/mytask.py:task"
    assert task.parameters == {"width": 8}
    assert find_run(runs, None).id == f"{command[0]}-mytask-1"


def test_a_function_of_another_name_names_the_run(cli, runs, here) -> None:
    assert started(cli, runs, "range-test", "--task", "mytask.py:small").data_name == "mytask:small"
    assert find_run(runs, None).id == "range-test-mytask-small-1"


def test_run_json_holds_the_parameters_with_their_types(cli, runs, here) -> None:
    started(cli, runs, "range-test", "--task=mytask.py", "--set", "width=8", "--set", "dropout=1")
    stored = json.loads(find_run(runs, None).config_path.read_text())
    assert json.dumps(stored["task"]["parameters"]) == '{"width": 8, "dropout": 1.0}'


def test_a_comparison_from_a_run_keeps_its_task(cli, runs, here) -> None:
    place = f"{here}/mytask.py:task"
    given = TaskConfig(task=place, parameters={"width": 8})
    create_run(runs, task=given, job=RangeTest(), version="1")
    from_it = ["compare", "--from", "range-test-mytask-1"]
    assert started(cli, runs, *from_it).parameters == {"width": 8}
    both = started(cli, runs, *from_it, "--set", "dropout=0.5")
    assert both.parameters == {"width": 8, "dropout": 0.5}
    other = started(cli, runs, *from_it, "--task", "mytask.py:small")
    assert (other.data_name, other.parameters) == ("mytask:small", {})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--task mytsk.py", "no task file 'mytsk.py'; did you mean 'mytask.py'?"),
        ("--task=", "--task is empty; give one such as mytask.py"),
        ("--set width=8", "--set width=8 needs a task of your own: give --task FILE.py"),
        (
            "--task mytask.py --set widht=8",
            "task of mytask.py takes no 'widht'; did you mean 'width'?",
        ),
        ("--task mytask.py --set width=x", "width must be a whole number, not 'x'"),
        *(
            (
                f"--task mytask.py {flag}",
                f"{flag.split()[0].replace('no-', '')} cannot be used with --task mytask.py:"
                " leave one of them out",
            )
            for flag in (
                "--data digits",
                "--model cnn",
                "--weights none",
                "--image-size 8",
                "--no-augment",
            )
        ),
    ],
)
def test_mistakes_are_one_sentence_and_nothing_starts(cli, runs, arguments, sentence) -> None:
    result = cli("range-test", *arguments.split())
    assert (result.code, result.err) == (2, f"clr-tui: {sentence}\n")
    assert not runs.exists()
