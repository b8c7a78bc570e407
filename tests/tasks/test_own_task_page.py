"""The page about users' tasks: its example can be loaded, and no field is left out."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import clr_tui
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.settings.task_files import task_function
from clr_tui.engine.tasks.user_code import enter, user_task

PAGE = (Path(__file__).parents[2] / "docs" / "own-task.md").read_text(encoding="utf-8")


def test_the_example_is_a_task(users_folder: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (users_folder / "mytask.py").write_text(example)
    place = f"{users_folder}/mytask.py:task"
    (width,) = task_function(place).parameters
    assert (width.name, width.type, width.default) == ("width", int, 64)
    enter(place, str(users_folder))
    made = user_task(TaskConfig(task=place, parameters={"width": 8}), lambda *_: None)
    assert made.model()[0].out_features == 8
    assert len(made.train[0]) == 800


def test_each_field_of_a_task_is_described() -> None:
    table = PAGE.partition("## The fields of a task")[2].partition("\n## ")[0]
    first = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))
    described = re.findall(r"`(\w+)`", first)
    assert set(described) == {field.name for field in dataclasses.fields(clr_tui.Task)}
