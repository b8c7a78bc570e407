"""The form of a user's task: a field for each parameter of its function."""

from __future__ import annotations

import pytest
from app_helpers import make_app, settled, toasts, until
from textual.widgets import Input, Static

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.tui.screens.new_run import FormRow, NewRunScreen
from clr_tui.tui.widgets.choice import Choice

TASK = """
from typing import Literal

def task(width: int = 64, dropout=0.1, norm: Literal["batch", "layer"] = "batch",
         bias: bool = True, name: str = "a b", head: int | None = None, größe: float = 2 * 3.0):
    raise SystemExit("the form must not run this")

def other(depth: int):
    ...
"""
PARAMETERS = ["width", "dropout", "norm", "bias", "name", "head", "größe"]
GONE = {"data", "model", "weights", "image_size", "augment"}


class Start:
    """In place of a worker: remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def __call__(self, folder, task, job, parent=None):
        self.asked.append((task, job, parent))
        raise UserError("enough")


@pytest.fixture
def start() -> Start:
    return Start()


@pytest.fixture
def app(runs, start, monkeypatch, tmp_path):
    (tmp_path / "mytask.py").write_text(TASK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return make_app(runs.folder, monkeypatch, start=start)


async def open_form(pilot, *args, **kwargs) -> NewRunScreen:
    await settled(pilot)
    pilot.app.new_run(*args, **kwargs)
    await pilot.pause()
    assert isinstance(pilot.app.screen, NewRunScreen)
    return pilot.app.screen


def row(screen, name: str) -> FormRow:
    return next(row for row in screen.query(FormRow) if row.field.name == name)


def own(screen) -> list[str]:
    names = [row.field.name for row in screen.query(FormRow)]
    return [name.removeprefix("parameters.") for name in names if "." in name]


def shown(screen) -> list[str]:
    return [row.field.name for row in screen.query(FormRow) if row.display]


def complaint(screen, name: str) -> str:
    return str(row(screen, name).query_one(".form-error", Static).render())


async def choose_task(pilot, text: str, parameters: list[str]) -> None:
    row(pilot.app.screen, "task").fill(text)
    screen = pilot.app.screen
    await until(pilot, lambda: own(screen) == parameters)
    rows = [row(screen, f"parameters.{one}") for one in parameters]
    # A field is mounted before what is in it.
    await until(pilot, lambda: all(one.query("Input, Choice") for one in rows))


async def started(pilot, start) -> TaskConfig:
    await until(pilot, lambda: pilot.app.screen._version and not pilot.app.screen._starting)
    await pilot.press("enter")
    await until(pilot, lambda: start.asked)
    return start.asked[0][0]


async def test_parameters_are_fields_with_their_types_and_defaults(app) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        assert own(screen) == []
        assert set(shown(screen)) >= {"data", "model"}
        await choose_task(pilot, "mytask.py", PARAMETERS)
        names = shown(screen)
        at = names.index("task")
        assert names[at + 1 : at + 8] == [f"parameters.{name}" for name in PARAMETERS]
        assert not GONE & set(names)
        values = {name: row(screen, f"parameters.{name}").value for name in PARAMETERS}
        assert values == {
            "width": "64",
            "dropout": "0.1",
            "norm": "batch",
            "bias": "on",
            "name": "a b",
            "head": "",
            "größe": "",
        }
        choices = {
            n for n in PARAMETERS if isinstance(row(screen, f"parameters.{n}").widget, Choice)
        }
        assert choices == {"norm", "bias"}
        computed = row(screen, "parameters.größe").widget
        assert isinstance(computed, Input)
        assert computed.placeholder == "2 * 3.0"
        row(screen, "parameters.width").widget.focus()
        await pilot.pause()
        hint = str(screen.query_one("#form-hint", Static).render())
        assert hint == "Parameter width of your task: a whole number (default: 64)."


async def test_without_a_change_nothing_is_given(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await open_form(pilot)
        await choose_task(pilot, "mytask.py", PARAMETERS)
        task = await started(pilot, start)
    assert task == TaskConfig(task="mytask.py")


async def test_what_is_typed_and_chosen_reaches_the_run(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await choose_task(pilot, "mytask.py", PARAMETERS)
        for name, text in {
            "width": "1e2",
            "dropout": "0.5",
            "norm": "layer",
            "bias": "off",
            "name": "",
            "head": "8",
            "größe": "3",
        }.items():
            row(screen, f"parameters.{name}").fill(text)
        task = await started(pilot, start)
    assert task.parameters == {
        "width": 100,
        "dropout": 0.5,
        "norm": "layer",
        "bias": False,
        "name": "",
        "head": 8,
        "größe": 3.0,
    }


async def test_a_mistake_shows_at_its_parameter(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await choose_task(pilot, "mytask.py", PARAMETERS)
        row(screen, "parameters.width").fill("wide")
        await until(pilot, lambda: complaint(screen, "parameters.width"))
        assert "whole number" in complaint(screen, "parameters.width")
        await pilot.press("enter")
        assert app.focused is row(screen, "parameters.width").widget
        assert start.asked == []
        row(screen, "parameters.width").fill("32")
        await until(pilot, lambda: not complaint(screen, "parameters.width"))
        assert (await started(pilot, start)).parameters == {"width": 32}


async def test_a_parameter_without_a_default_must_be_given(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await choose_task(pilot, "mytask.py:other", ["depth"])
        await until(pilot, lambda: complaint(screen, "parameters.depth"))
        row(screen, "parameters.depth").fill("3")
        await until(pilot, lambda: not complaint(screen, "parameters.depth"))
        assert (await started(pilot, start)).parameters == {"depth": 3}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mytsk.py", "did you mean 'mytask.py'"),
        ("mytask.py:taks", "did you mean 'task'"),
        ("broken.py", "broken.py:2"),
        ("no.such.module", "no module"),
    ],
)
async def test_a_task_that_is_not_there_is_said_at_its_field(app, start, tmp_path, text, words):
    (tmp_path / "broken.py").write_text("\ndef task(:\n", encoding="utf-8")
    async with app.run_test(size=(160, 44)) as pilot:
        screen = await open_form(pilot)
        row(screen, "epochs").fill("x")  # the other mistake hides none
        row(screen, "task").fill(text)
        await until(pilot, lambda: words in complaint(screen, "task"))
        assert complaint(screen, "epochs")
        assert own(screen) == []
        await pilot.press("enter")
        assert start.asked == []


async def test_what_was_typed_survives_a_path_in_typing(app) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await choose_task(pilot, "mytask.py", PARAMETERS)
        row(screen, "parameters.width").fill("7")
        await choose_task(pilot, "mytask.p", [])
        await choose_task(pilot, "mytask.py", PARAMETERS)
        assert row(screen, "parameters.width").value == "7"


async def test_without_its_task_the_fields_go_and_data_and_model_return(app, start) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot)
        await choose_task(pilot, "mytask.py", PARAMETERS)
        row(screen, "parameters.width").fill("7")
        await choose_task(pilot, "", [])
        assert {"data", "model"} <= set(shown(screen))
        assert await started(pilot, start) == TaskConfig()


async def test_running_again_opens_with_what_was_given(app, start, tmp_path) -> None:
    given = TaskConfig(
        task=f"{tmp_path}/mytask.py:task",
        parameters={"dropout": 0.30000000000000004, "bias": False, "width": 64},
    )
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot, given, RangeTest(), parent="range-test-mytask-1")
        await until(pilot, lambda: own(screen) == PARAMETERS)
        assert row(screen, "parameters.bias").value == "off"
        row(screen, "parameters.head").fill("2")
        task = await started(pilot, start)
    assert task.parameters == {**given.parameters, "head": 2}


async def test_started_before_the_file_is_read_it_keeps_what_was_given(
    app, start, tmp_path
) -> None:
    given = TaskConfig(task=f"{tmp_path}/mytask.py:task", parameters={"width": 7})
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.new_run(given, RangeTest())
        await pilot.pause()
        app.screen.action_start()
        await until(pilot, lambda: start.asked)
    assert start.asked[0][0] == given


async def test_the_error_of_a_failed_run_shows_at_its_parameter(app, tmp_path) -> None:
    given = TaskConfig(task=f"{tmp_path}/mytask.py:task", parameters={"width": -1})
    error = UserError("width must be positive", "parameters.width")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_form(pilot, given, RangeTest(), error=error)
        await until(pilot, lambda: own(screen) == PARAMETERS)
        await until(pilot, lambda: complaint(screen, "parameters.width"))
        assert complaint(screen, "parameters.width") == "width must be positive"
        row(screen, "parameters.width").fill("5")
        await until(pilot, lambda: not complaint(screen, "parameters.width"))
    assert toasts(app) == ""


@pytest.mark.parametrize("size", [(80, 24), (160, 44)], ids=["80x24", "160x44"])
def test_picture(snap_compare, app, size) -> None:
    async def ready(pilot) -> None:
        screen = await open_form(pilot)
        await choose_task(pilot, "mytask.py", PARAMETERS)
        row(screen, "parameters.width").fill("6.4")
        await until(pilot, lambda: complaint(screen, "parameters.width"))
        row(screen, "parameters.norm").widget.focus()
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=ready)
